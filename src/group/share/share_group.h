// SPDX-License-Identifier: Apache-2.0
// A share group (KIP-932) as its records make it. Members share partitions: a partition may be given to several.
//
//     heartbeat ── subscription or topics changed ──> group epoch + 1
//               ── SimpleAssignor (share_assignor) ──> target assignment of that epoch
//               ── the member's assignment follows ──> its epoch is the target's
//               ── topics whose state is not begun ──> INITIALIZING ──persister──> INITIALIZED, may be assigned
//
// Overview of the folder:
//     share_group         the state, replay, tombstones
//     share_group_records keys and values in __consumer_offsets
//     share_group_beat    heartbeats, sessions, leaving
//     share_group_init    the state of partitions begun and given up, through the persister
//     share_group_admin   describing, altering and deleting
//     share_assignor      who gets what
//     share_topics        topics with partitions
//
// (1) A partition is assigned only when its state is begun: a member never reads what the share coordinator would
//     refuse.
// (2) All here is under the shard's lock; the persister is called without it.
#ifndef GROUP_SHARE_SHARE_GROUP_H
#define GROUP_SHARE_SHARE_GROUP_H

#include "base/hashmap.h"
#include "base/timers.h"
#include "group/group.h"
#include "group/share/share_topics.h"
#include "group/timeline_order.h"

struct group_shard;
struct share_group;

struct share_member {
    struct share_group *group;
    char *id;
    bool is_known;  // a record of it lives; else only its target is left
    uint64_t place; // in the order of the members
    int32_t epoch;
    int32_t previous_epoch;
    int8_t state;
    char *rack; // or NULL
    char *client_id;
    char *client_host;
    char **topics; // subscribed, sorted
    int32_t topics_count;
    struct share_topics assigned;
    struct share_topics target;
    bool has_target;
    struct timer session;
};

struct share_group {
    struct group base;
    struct group_shard *shard;
    int32_t epoch;
    int64_t metadata_hash;
    int32_t assignment_epoch; // -1: none
    int64_t assignment_ms;
    struct hashmap members; // struct share_member
    int32_t members_count;  // those that are known
    struct timeline order;  // of them
    // The state of partitions, by its record.
    bool has_state;
    struct share_topics initializing;
    struct share_topics initialized;
    struct share_topics deleting;
    int64_t seen_version; // of the topics, when the hash was last computed
};

struct share_group *share_group_new(struct group_shard *shard, struct str id);
void share_group_free(struct share_group *group); // cancels its timers
static inline struct share_group *share_group_of(struct group *group)
{
    return group != NULL && group->type == GROUP_SHARE
               ? (struct share_group *)((char *)group - offsetof(struct share_group, base))
               : NULL;
}
const char *share_group_state_name(const struct share_group *group); // "Empty", "Stable"

struct share_member *share_group_find(const struct share_group *group, struct str id);
struct share_member *share_group_get(struct share_group *group, struct str id);
void share_member_subscribe(struct share_member *member, const struct str *topics, int32_t count);

// A record of it. False: malformed. *is_gone: the group was deleted.
bool share_group_replay(struct share_group *group, int16_t record_type, struct bytes key,
                        struct bytes value, bool *is_gone);
void share_group_on_loaded(struct share_group *group); // sessions begin
void share_group_cancel_timers(struct share_group *group);
// Adds the records that delete it.
void share_group_add_tombstones(const struct share_group *group);

// Names that members subscribe to, each once, sorted; with `instead` in the place of `member`. In the arena.
struct str *share_group_subscriptions(const struct share_group *group,
                                      const struct share_member *member,
                                      const struct share_member *instead, struct arena *arena,
                                      int32_t *count);
// The hash of the topics of these names.
int64_t share_group_hash(const struct share_group *group, const struct str *names, int32_t count,
                         struct arena *arena);

#endif
