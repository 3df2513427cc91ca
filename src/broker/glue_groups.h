// SPDX-License-Identifier: Apache-2.0
// Joins the group coordinator to the broker: broker/glue_coordinator.h over __consumer_offsets, its settings, and
// topics that are deleted, whose committed offsets go.
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
