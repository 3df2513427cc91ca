// SPDX-License-Identifier: Apache-2.0
// The replicas of a new partition: checks of those that a client chose, and the record that makes the partition.
#ifndef CONTROLLER_PARTITION_ASSIGNMENT_H
#define CONTROLLER_PARTITION_ASSIGNMENT_H

#include "controller/evaluation.h"

struct assignment {
    const int32_t *replicas; // the preferred leader first
    int32_t count;
};

// Whether replicas that a client chose can be used; replication_factor -1: any. An error is
// INVALID_REPLICA_ASSIGNMENT with Kafka's message.
struct answer assignment_check(struct evaluation *evaluation, const struct assignment *assignment,
                               int32_t replication_factor);
bool assignment_has_active(const struct evaluation *evaluation,
                           const struct assignment *assignment);

// Adds the PartitionRecord of a new partition: its active replicas are the ISR, the first of them leads.
void assignment_add_partition(struct evaluation *evaluation, struct uuid topic_id,
                              int32_t partition, const struct assignment *assignment);

#endif
