// SPDX-License-Identifier: Apache-2.0
// What becomes of a partition when brokers come, go, or come back without their data: its ISR, its eligible leader
// replicas (KIP-966), its leader. Written as one PartitionChangeRecord that holds only what changes.
//
//     leader, in this order:  the present one if it may stay; a replica in the ISR; when the ISR is empty, one of
//     the ELR; when both are, the last known leader (its log may have lost records: leader recovery state 1); with
//     unclean.leader.election.enable, any live replica.
#ifndef CONTROLLER_PARTITION_CHANGE_H
#define CONTROLLER_PARTITION_CHANGE_H

#include "controller/evaluation.h"

enum { NO_BROKER = -1 };

// A replica lives in that log directory from now on (KIP-858).
struct directory_change {
    int32_t broker;
    struct uuid directory;
};

struct partition_change {
    const struct metadata_topic *topic;
    int32_t partition;
    int32_t broker_removed; // leaves ISR and leadership; NO_BROKER: none
    int32_t broker_added;   // may lead though not yet active
    int32_t broker_unclean; // came back after an unclean stop: leaves ISR and ELR
    int32_t min_isr;
    bool is_unclean_election_enabled;
    const struct directory_change *directory; // NULL: all stay
};

// A change of that partition in which nothing changes yet, with what its topic's settings say.
struct partition_change partition_change_of(const struct evaluation *evaluation,
                                            const struct metadata_topic *topic, int32_t partition);

// Adds the record, unless nothing changes. Returns whether it did.
bool partition_change_add(struct evaluation *evaluation, const struct partition_change *change);

// The same for every partition of the cluster that has `isr_or_elr_member` in its ISR (or its ELR), or, when that is
// NO_BROKER, that has no leader.
void partition_changes_add(struct evaluation *evaluation, int32_t isr_or_elr_member,
                           int32_t broker_removed, int32_t broker_added, int32_t broker_unclean);
// The broker leaves leadership and ISR of every partition that it keeps in one of these directories.
void partition_changes_add_offline(struct evaluation *evaluation, int32_t broker,
                                   const struct uuid *directories, int32_t count);

#endif
