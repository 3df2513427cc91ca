// SPDX-License-Identifier: Apache-2.0
// A consumer group (KIP-848) as data: nothing but what its records say, and what follows from them at once. Members,
// targets and resolved expressions are kept as the values of their records, each one block of memory that replay
// replaces; nobody else changes them.
//
//     group epoch        raised whenever members, subscriptions or topics change
//     assignment epoch   the group epoch for which the target assignment was made
//     member epoch       the assignment epoch that the member has reached
//
//                    members?   group epoch > assignment epoch?   a member behind?
//         Empty      no
//         Assigning  yes        yes
//         Reconciling yes       no                                yes
//         Stable     yes        no                                no
//
//     What a member may be in, while it goes from what it has to its target:
//
//               ┌────────────> STABLE ─── target changes, has too much ──> UNREVOKED_PARTITIONS
//               │ all is free     │                                             │ gave it up (or the
//               │                 │ target changes, others have parts of it     │ rebalance timeout: fenced)
//               └── UNRELEASED_PARTITIONS <─────────────────────────────────────┘
//
// (1) A partition has at most one owner: it is in the assigned or pending-revocation partitions of one member only,
//     and partition_epochs says at which member epoch.
// (2) A member may be in two records of metadata and assignment of different times; what is not said is the default.
// (3) A group that was not replayed yet (it is being made by the evaluation that writes its records) is an object of
//     the same kind that is not in the shard, and has no timers.
#ifndef GROUP_CONSUMER_CONSUMER_GROUP_H
#define GROUP_CONSUMER_CONSUMER_GROUP_H

#include "base/hashmap.h"
#include "base/timers.h"
#include "base/uuid.h"
#include "group/group.h"
#include "group/timeline_order.h"
#include "protocol/records/consumer_group_current_member_assignment.h"
#include "protocol/records/consumer_group_member_metadata.h"
#include "protocol/records/consumer_group_regular_expression.h"
#include "protocol/records/consumer_group_target_assignment_member.h"

struct group_shard;
struct consumer_group;

// Shorter names for the values of records.
#define member_metadata_value consumer_group_member_metadata_value
#define member_current_value  consumer_group_current_member_assignment_value
#define member_topic          consumer_group_current_member_assignment_value_topic_partitions
#define member_target_value   consumer_group_target_assignment_member_value
#define target_topic          consumer_group_target_assignment_member_value_topic_partition

enum consumer_member_state {
    MEMBER_STABLE = 0,
    MEMBER_UNREVOKED_PARTITIONS = 1,
    MEMBER_UNRELEASED_PARTITIONS = 2,
    MEMBER_UNKNOWN = 127,
};

enum { LEAVE_GROUP_MEMBER_EPOCH = -1, LEAVE_GROUP_STATIC_MEMBER_EPOCH = -2 };

struct consumer_member {
    struct str id; // owned
    struct consumer_group *group;
    uint64_t place;                         // in the order of the members
    struct member_metadata_value *metadata; // owned, one block
    struct member_current_value *current;   // owned, one block
    struct timer session_timer;
    struct timer rebalance_timer;
    struct timer join_timer; // of the classic protocol (consumer_classic.h)
    struct timer sync_timer;
    int32_t rebalance_timer_epoch; // the member epoch that it must leave in time
};

struct consumer_target {
    struct str member_id; // owned
    struct member_target_value *value;
};

struct resolved_regex {
    struct str pattern; // owned
    struct consumer_group_regular_expression_value *value;
};

struct owned_partition {
    struct uuid topic_id;
    int32_t partition;
    int32_t epoch; // of its owner
};

struct consumer_group {
    struct group base;
    struct group_shard *shard;
    int32_t epoch;
    int64_t metadata_hash;
    int32_t assignment_epoch;        // -1: none yet
    int64_t assignment_timestamp_ms; // 0: not known
    struct hashmap members;          // struct consumer_member
    struct timeline order;           // of the members
    struct hashmap static_members;   // by instance id
    struct hashmap targets;          // struct consumer_target
    struct hashmap regexes;          // struct resolved_regex
    struct hashmap partition_epochs; // struct owned_partition
    int32_t classic_count;           // members that speak the classic protocol
    int32_t regex_count;             // members that subscribe to an expression
    bool has_partition_metadata;     // a record of before 4.1 that the next heartbeat removes
    int64_t refresh_deadline_ms;     // wall clock; then topics are looked at anew. Not of the log
    int32_t refresh_epoch;
    bool is_resolving; // expressions are being resolved (consumer_regex.h)
};

struct consumer_group *consumer_group_new(struct group_shard *shard, struct str id);
// Its timers are not set.
void consumer_group_free(struct consumer_group *group);

const char *consumer_group_state_name(const struct consumer_group *group);
static inline int32_t consumer_group_size(const struct consumer_group *group)
{
    return (int32_t)group->members.count;
}

struct consumer_member *consumer_group_find(const struct consumer_group *group,
                                            struct str member_id);
struct consumer_member *consumer_group_find_static(const struct consumer_group *group,
                                                   struct str instance_id); // null finds none
// Never NULL: of a member that has no target an empty one.
const struct member_target_value *consumer_group_target(const struct consumer_group *group,
                                                        struct str member_id);
const struct resolved_regex *consumer_group_regex(const struct consumer_group *group,
                                                  struct str pattern);
// The epoch of who owns the partition, -1 if nobody does.
int32_t consumer_group_partition_epoch(const struct consumer_group *group, struct uuid topic_id,
                                       int32_t partition);

// ---- replay: the only ones who change it. Values are copied; NULL takes away -------------------------

// The member is made if it is not there.
void consumer_group_set_metadata(struct consumer_group *group, struct str member_id,
                                 const struct member_metadata_value *value);
void consumer_group_set_current(struct consumer_group *group, struct str member_id,
                                const struct member_current_value *value);
void consumer_group_remove_member(struct consumer_group *group, struct consumer_member *member);
void consumer_group_set_target(struct consumer_group *group, struct str member_id,
                               const struct member_target_value *value);
void consumer_group_set_regex(struct consumer_group *group, struct str pattern,
                              const struct consumer_group_regular_expression_value *value);

// ---- members ---------------------------------------------------------------------------------------

static inline bool member_is_classic(const struct member_metadata_value *metadata)
{
    return metadata->classic_member_metadata != NULL;
}
static inline bool member_has_regex(const struct member_metadata_value *metadata)
{
    return metadata->subscribed_topic_regex.size > 0;
}
static inline bool member_is_reconciled(const struct member_current_value *current,
                                        int32_t assignment_epoch)
{
    return current->state == MEMBER_STABLE && current->member_epoch == assignment_epoch;
}
// The entry of the topic, or NULL.
const struct member_topic *member_find_topic(const struct member_topic *topics, int32_t count,
                                             struct uuid topic_id);
// The epoch at which the member was assigned the partition; -1: it is not among them.
int32_t member_assignment_epoch(const struct member_topic *topics, int32_t count,
                                struct uuid topic_id, int32_t partition);
// Of a member that nobody has told anything of.
extern const struct member_metadata_value member_metadata_none;
extern const struct member_current_value member_current_none;

#endif
