// SPDX-License-Identifier: Apache-2.0
// Joins share groups' data side to what it stands on: the share coordinator to the partitions of __share_group_state,
// share partitions to the persister, to the settings of groups, and to what happens to topics.
//
//     share partitions (share/) ──persister──> share coordinator ──> __share_group_state
//     metadata ──topic deleted──> both
//     share coordinator ──what is redundant──> partition_delete_records, on a thread of its own
// Tested by broker_test.c and compat-tests/twin/share.
#ifndef BROKER_GLUE_SHARE_H
#define BROKER_GLUE_SHARE_H

struct alarms;
struct clock;
struct config;
struct controller;
struct group_coordinator;
struct metadata;
struct node;
struct replicas;
struct share_glue;
struct trace;

struct share_glue_options {
    const struct config *config;
    struct metadata *metadata; // published
    struct replicas *replicas; // not yet started: they are observed
    struct group_coordinator *groups;
    struct controller *controller; // makes the topic
    struct clock *clock;
    struct alarms *alarms;
    struct trace *trace;
};

// Makes them and puts them into the node. NULL when no thread can be made. Before the controller's thread runs.
struct share_glue *share_glue_new(const struct share_glue_options *options, struct node *node);
// Answers whoever waits with NOT_COORDINATOR. Replicas still run.
void share_glue_stop(struct share_glue *glue);
// When replicas, alarms and the controller are stopped.
void share_glue_free(struct share_glue *glue);

#endif
