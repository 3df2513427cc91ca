// SPDX-License-Identifier: Apache-2.0
// Joins the group coordinator to what it stands on: its log is the partitions of __consumer_offsets, leadership and
// commits of those partitions are told to it, deleted topics too, and shards are loaded on a thread of their own.
//
//     replicas ──on_leader──> coordinator_elected ──> loader thread: coordinator_load (reads the partitions)
//     partition ──on_high_watermark──> coordinator_on_high_watermark
//     metadata ──topic deleted──> group_coordinator_topics_deleted
//     coordinator ──append, read──> partition_append, partition_read_batches
#ifndef BROKER_GLUE_GROUPS_H
#define BROKER_GLUE_GROUPS_H

#include "group/group_coordinator.h"

struct config;
struct groups_glue;
struct metadata;
struct replicas;

struct groups_glue_options {
    const struct config *config;
    struct metadata *metadata; // published
    struct replicas *replicas; // not yet started: they are observed
    struct clock *clock;
    struct alarms *alarms;
    struct trace *trace;
};

// Makes the coordinator and observes. NULL when no thread can be made. Before the controller's thread runs.
struct groups_glue *groups_glue_new(const struct groups_glue_options *options);
struct group_coordinator *groups_glue_coordinator(struct groups_glue *glue);
// Answers whoever waits with NOT_COORDINATOR and ends the loader. Replicas still run.
void groups_glue_stop(struct groups_glue *glue);
// When replicas, alarms and the controller are stopped.
void groups_glue_free(struct groups_glue *glue);

#endif
