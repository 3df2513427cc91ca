// SPDX-License-Identifier: Apache-2.0
// The state of one partition of __share_group_state: what its log says of share partitions, made by replaying it.
//
//     snapshot (epoch 0) ── update ── update … (snapshot.update.records.per.snapshot of them) ── snapshot (epoch 1) …
//
// (1) The state is nothing but the replay; a write is evaluated against it, appended, replayed.
// (2) A leader epoch or state epoch once seen is never followed by a lower one: writers of old are fenced.
// (3) Everything before the oldest snapshot that still counts is redundant and may be deleted from the log.
#ifndef SHARE_COORDINATOR_SHARE_SHARD_H
#define SHARE_COORDINATOR_SHARE_SHARD_H

#include "base/hashmap.h"
#include "share_coordinator/share_coordinator.h"
#include "share_coordinator/share_records.h"

struct share_shard {
    struct coordinator_shard *shard;
    struct share_coordinator *owner;
    struct hashmap partitions;     // struct share_state, by topic id, partition and group
    int64_t last_tombstone_offset; // -1: none
    int64_t pruned_offset;         // up to where the log was last asked to be deleted; -1: not yet
    struct timer snapshot_timer;   // cold partitions get a snapshot, so that the log can be cut
    struct timer prune_timer;
};

extern const struct coordinator_state_ops share_shard_ops; // owner: struct share_coordinator *

// Evaluates one call, and appends and replays what it takes. The error and its message are in the call.
void share_shard_evaluate(struct share_shard *state, struct share_state_call *call);
// Forgets all state of deleted topics.
void share_shard_forget_topics(struct share_shard *state, const struct uuid *ids, int32_t count);
// Below this offset the log is redundant; -1 when there is nothing to delete.
int64_t share_shard_redundant_offset(const struct share_shard *state);

#endif
