// SPDX-License-Identifier: Apache-2.0
// Joins the transaction coordinator to the broker: broker/glue_coordinator.h over __transaction_state, its settings,
// the cluster's transaction.version, and the writer of its markers.
#ifndef BROKER_GLUE_TXNS_H
#define BROKER_GLUE_TXNS_H

#include "txn/txn_coordinator.h"

struct config;
struct metadata;
struct node;
struct replicas;
struct txns_glue;

struct txns_glue_options {
    const struct config *config;
    struct node
        *node; // with its clock and trace; producer_ids, and groups by the time that clients come
    struct metadata *metadata; // published
    struct replicas *replicas; // not yet started: they are observed
    struct alarms *alarms;
};

// Makes the coordinator and observes. NULL when no thread can be made. Before the controller's thread runs.
struct txns_glue *txns_glue_new(const struct txns_glue_options *options);
struct txn_coordinator *txns_glue_coordinator(struct txns_glue *glue);
// Answers whoever waits with NOT_COORDINATOR and ends the loader. Replicas and groups still run.
void txns_glue_stop(struct txns_glue *glue);
// When replicas, alarms and the controller are stopped.
void txns_glue_free(struct txns_glue *glue);

#endif
