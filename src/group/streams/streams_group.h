// SPDX-License-Identifier: Apache-2.0
// A streams group (KIP-1071) as its records make it: the processes of a Kafka Streams application, its topology, and
// who runs which task.
//
//     heartbeat ── member, topology, topics or settings changed ──> group epoch + 1
//               ── topology configured (streams_configure) ──> missing topics are told and made
//               ── StickyTaskAssignor (streams_assignor) ──> target assignment of that epoch
//               ── tasks given up, then taken (streams_reconcile) ──> the member's epoch is the target's
//
//     Empty ──join──> NotReady ──topology validated──> Assigning ──target──> Reconciling ──all there──> Stable
//
// Overview of the folder:
//     streams_group      the state, replay, tombstones
//     streams_records    keys and values in __consumer_offsets
//     streams_beat       heartbeats and leaving; streams_session: sessions, revocations, the initial delay
//     streams_topology, streams_configure    the topology, and what it needs in this cluster
//     streams_target     target assignments; streams_assignor: who gets what
//     streams_reconcile  the next assignment of a member
//     streams_describe   describing, endpoints
//     streams_groups     the entry points
//
// (1) An active task runs in one process at a time; a process has a task once, of whichever kind.
// (2) What is configured, the shutdown and the epoch of endpoints live in memory only, as in Kafka: after a restart
//     they are worked out anew.
#ifndef GROUP_STREAMS_STREAMS_GROUP_H
#define GROUP_STREAMS_STREAMS_GROUP_H

#include "base/hashmap.h"
#include "base/timers.h"
#include "group/group.h"
#include "group/streams/streams_tasks.h"
#include "group/streams/streams_topology.h"
#include "group/timeline_order.h"
#include "protocol/records/streams_group_member_metadata.h"
#include "protocol/records/streams_group_metadata.h"

struct group_shard;
struct streams_group;

#define streams_metadata streams_group_member_metadata_value

enum streams_member_state {
    STREAMS_STABLE = 1,
    STREAMS_UNREVOKED_TASKS = 2,
    STREAMS_UNRELEASED_TASKS = 3,
    STREAMS_UNKNOWN = 127,
};

// What a member was told. The assignments are blocks of streams_assignment_dup, or in an arena while evaluated.
struct streams_current {
    int32_t epoch;
    int32_t previous_epoch;
    int8_t state;
    const struct streams_assignment *assigned;
    const struct streams_assignment *pending; // to be given up
};

struct streams_member {
    struct streams_group *group;
    struct str id;      // owned
    bool is_known;      // a record of it lives; else only its target is left
    uint64_t place;     // in the order of the members
    struct arena arena; // of the metadata
    struct streams_metadata metadata;
    struct streams_current current;
    struct streams_assignment *target; // NULL: none
    struct timer session;
    struct timer rebalance;
    int32_t rebalance_epoch; // that it must leave in time
};

struct streams_group {
    struct group base;
    struct group_shard *shard;
    int32_t epoch;
    int64_t metadata_hash;
    int32_t validated_topology_epoch;
    char *
        standby_replicas; // num.standby.replicas at the last change of the epoch; NULL: not recorded
    bool has_other_configs;   // and others, that this release does not know
    int32_t assignment_epoch; // 1 before the first, -1 when it was taken away
    int64_t assignment_ms;
    struct hashmap members; // struct streams_member
    int32_t members_count;  // those that are known
    struct timeline order;  // of them
    struct arena topology_arena;
    struct streams_topology_value *topology; // NULL: none
    // Not of the log:
    struct streams_configured *configured; // NULL: not yet
    int64_t seen_version;                  // of the topics, when the hash was last computed
    char *shutdown_member;                 // who asked that all stop; NULL: nobody
    int32_t endpoint_epoch;
    struct timer initial_delay;
};

struct streams_group *streams_group_new(struct group_shard *shard, struct str id);
void streams_group_free(struct streams_group *group); // cancels its timers
static inline struct streams_group *streams_group_of(struct group *group)
{
    return group != NULL && group->type == GROUP_STREAMS
               ? (struct streams_group *)((char *)group - offsetof(struct streams_group, base))
               : NULL;
}
const char *streams_group_state_name(const struct streams_group *group);
// Whether offsets of the topic are in use.
bool streams_group_subscribes(const struct streams_group *group, struct str topic);

// Known ones only.
struct streams_member *streams_group_find(const struct streams_group *group, struct str id);
static inline bool streams_current_is_reconciled(const struct streams_current *current,
                                                 int32_t assignment_epoch)
{
    return current->state == STREAMS_STABLE && current->epoch == assignment_epoch;
}
// Whether the records would say the same.
bool streams_metadata_equal(const struct streams_metadata *a, const struct streams_metadata *b);

// A record of it. False: malformed. *is_gone: the group was deleted.
bool streams_group_replay(struct streams_group *group, int16_t record_type, struct bytes key,
                          struct bytes value, bool *is_gone);
// Adds the records that delete it.
void streams_group_add_tombstones(const struct streams_group *group);

#endif
