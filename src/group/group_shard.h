// SPDX-License-Identifier: Apache-2.0
// The state of one partition of __consumer_offsets: the groups and committed offsets that its log says, made
// by replaying it. All under the shard's lock (coordinator/coordinator.h).
//
// (1) What is in `groups`, `offsets` and `transactions` is what a replay of the log would make, except for
//     what classic groups keep in memory only: members that are joining, pending members, timers.
// (2) Committing an offset makes a group; an offset without one, left by a deletion half done, is not shown.
#ifndef GROUP_GROUP_SHARD_H
#define GROUP_GROUP_SHARD_H

#include "coordinator/coordinator.h"
#include "group/classic_group.h"
#include "group/consumer/consumer_group.h"
#include "group/group_background.h"
#include "group/group_coordinator.h"
#include "group/group_offsets.h"
#include "group/group_settings.h"
#include "group/topic_index.h"
#include "protocol/records/group_metadata.h"

// What all shards of a coordinator have in common.
struct group_context {
    struct group_config config;
    struct topic_index *topics;
    struct group_settings *settings;
    struct group_background background;
    struct persister *persister; // of the state of share partitions
};

struct group_shard {
    struct coordinator_shard *shard;
    const struct group_config *config;
    struct topic_index *topics;
    struct group_settings *settings;
    struct group_background *background;
    struct persister *persister;
    struct trace *trace;
    struct hashmap groups; // struct group
    struct group_offsets offsets;
    struct hashmap
        transactions; // struct transaction_offsets: committed inside a transaction not yet ended
    struct timer expiry_timer;
};

struct transaction_offsets {
    int64_t producer_id;
    struct group_offsets offsets;
};

extern const struct coordinator_state_ops group_shard_ops; // owner: struct group_context *

struct group *group_shard_find(const struct group_shard *state, struct str id);
// The classic group of that name; NULL if there is none or it has another type.
struct classic_group *group_shard_find_classic(const struct group_shard *state, struct str id);
struct classic_group *group_shard_create_classic(struct group_shard *state, struct str id);
// The same of consumer groups (KIP-848).
struct consumer_group *group_shard_find_consumer(const struct group_shard *state, struct str id);
struct consumer_group *group_shard_create_consumer(struct group_shard *state, struct str id);
// A group that was made elsewhere; none of its name is there.
void group_shard_put(struct group_shard *state, struct group *group);
// Members, of whichever protocol.
int32_t group_size(const struct group *group);
// Forgets it, its timers too. Nobody of it waits for an answer.
void group_shard_remove(struct group_shard *state, struct group *group);

// Whether an open transaction has offsets for this partition, or for any of the group.
bool group_shard_is_unstable(const struct group_shard *state, struct str group, struct str topic,
                             int32_t partition);
bool group_shard_has_transaction(const struct group_shard *state, struct str group);

// A topic was made, changed or deleted: groups that subscribe to it look at their topics at the next heartbeat.
void group_shard_topic_changed(struct group_shard *state, struct str topic);
// Adds the records that delete the group; its timers are cancelled when they are replayed.
void group_shard_add_tombstones(struct group_shard *state, const struct group *group);
// Adds a tombstone for each of its committed offsets, those of open transactions too. Their number.
int32_t group_shard_add_offset_tombstones(struct group_shard *state, struct str group);

#endif
