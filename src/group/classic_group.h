// SPDX-License-Identifier: Apache-2.0
// A group of the classic protocol, as data: who is in it, in which state and generation it is. What requests
// and timers do to it is in classic_protocol.h.
//
//                         first member joins
//                  Empty ────────────────────> PreparingRebalance <──────────────────┐
//                    ^                           │  ^   │                            │
//                    └─── all are gone ──────────┘  │   │ all joined, or             │ a member joins,
//                                                   │   v the rebalance timeout      │ leaves or dies
//                              a member joins,  CompletingRebalance                  │
//                              leaves or dies       │   │                            │
//                              or never syncs       └───┤ the leader's assignment    │
//                                                       v is committed               │
//                                                    Stable ─────────────────────────┘
//
//     A deleted group is reported as Dead; there is no such object.
//
// (1) In Empty there are no members (pending ones may be); in every other state there is a protocol type.
// (2) awaiting_join_count is the number of members with `join` set; sync_pending_count that with sync_pending.
// (3) The leader, when there is one, is a member. A group that has members has a leader.
// (4) In CompletingRebalance and Stable every member supports `protocol_name`.
// (5) A pending member (KIP-394: it has been given an id and did not come back yet) is not a member.
// (6) In Stable the group is what its last record says.
#ifndef GROUP_CLASSIC_GROUP_H
#define GROUP_CLASSIC_GROUP_H

#include "base/hashmap.h"
#include "group/classic_member.h"
#include "group/group.h"

enum classic_state {
    CLASSIC_EMPTY,
    CLASSIC_PREPARING_REBALANCE,
    CLASSIC_COMPLETING_REBALANCE,
    CLASSIC_STABLE,
    CLASSIC_DEAD,
};

struct group_shard;

struct pending_member {
    struct classic_group *group;
    struct str id;
    struct timer timer; // its session, from the time it was given the id
};

// How many members support a protocol.
struct protocol_count {
    struct str name;
    int32_t members;
};

struct classic_group {
    struct group base;
    struct group_shard *shard;
    enum classic_state state;
    enum classic_state previous_state;
    int64_t state_timestamp_ms; // wall clock of the last change, -1 unknown
    struct str protocol_type; // owned; null: none yet (a simple group, which only commits offsets)
    struct str protocol_name; // owned; of the generation, null if none
    int32_t generation;
    struct classic_member *leader;
    struct list members; // struct classic_member, as they were put into Java's map
    size_t buckets;      // of that map, which never shrinks
    struct hashmap by_id;
    struct hashmap by_instance; // static members
    struct hashmap pending;     // struct pending_member by id
    int32_t awaiting_join_count;
    int32_t sync_pending_count;
    bool new_member_added; // during the present delay of the initial rebalance
    struct protocol_count *protocols;
    size_t protocol_capacity;
    int32_t protocol_count;
    bool subscription_known;   // the members' metadata could be read as a consumer's subscription
    struct hashmap subscribed; // their topics; keys owned, values too

    struct timer join_timer;
    int32_t initial_delay_ms;     // of the initial rebalance: the present delay and what is left of
    int32_t initial_remaining_ms; // the rebalance timeout
    struct timer sync_timer;
};

struct classic_group *classic_group_new(struct group_shard *shard, struct str id, int64_t now_ms);
// Timers are not set, nothing waits.
void classic_group_free(struct classic_group *group);

const char *classic_state_name(enum classic_state state);
void classic_group_transition(struct classic_group *group, enum classic_state state,
                              int64_t now_ms);
bool classic_group_can_rebalance(const struct classic_group *group);

static inline int32_t classic_group_size(const struct classic_group *group)
{
    return (int32_t)group->by_id.count;
}

struct classic_member *classic_group_find(const struct classic_group *group, struct str member_id);
struct classic_member *classic_group_find_static(const struct classic_group *group,
                                                 struct str instance_id);
// All members in the order of Java's map, which Kafka's lists of them have (java_order.h). In the arena.
struct classic_member **classic_group_in_order(const struct classic_group *group,
                                               struct arena *arena);
// The first member gives the group its protocol type; the first one without a leader leads.
void classic_group_add(struct classic_group *group, struct classic_member *member,
                       struct str protocol_type);
// Takes it out of the group; the first of the others, as Java's map has them, leads if it did. The caller frees it.
void classic_group_remove(struct classic_group *group, struct classic_member *member);
void classic_group_rename(struct classic_group *group, struct classic_member *member,
                          struct str id);
// Gives a member other protocols (a block of member_protocols_copy); returns the former block.
struct member_protocol *classic_group_swap_protocols(struct classic_group *group,
                                                     struct classic_member *member,
                                                     struct member_protocol *protocols,
                                                     int32_t *count);
void classic_group_set_join(struct classic_group *group, struct classic_member *member,
                            struct classic_join *join);
void classic_group_set_sync_pending(struct classic_group *group, struct classic_member *member,
                                    bool pending);

struct pending_member *classic_group_add_pending(struct classic_group *group, struct str id);
struct pending_member *classic_group_find_pending(const struct classic_group *group, struct str id);
// Its timer is not set.
void classic_group_remove_pending(struct classic_group *group, struct pending_member *pending);

bool classic_group_has_all_joined(const struct classic_group *group);
// If the leader has not joined, one who has leads. False: nobody has joined, or nobody is there.
bool classic_group_elect_joined_leader(struct classic_group *group);
int32_t
classic_group_rebalance_timeout_ms(const struct classic_group *group); // the longest of all members
// A newcomer has the group's type and a protocol that all members support (in Empty: any of each).
bool classic_group_supports(const struct classic_group *group, struct str protocol_type,
                            const struct join_group_request_protocol *protocols, int32_t count);
// The candidate (supported by all) that most members like best; not for a group without members.
struct str classic_group_select_protocol(const struct classic_group *group);
void classic_group_set_protocol_name(struct classic_group *group, struct str name);
void classic_group_set_protocol_type(struct classic_group *group, struct str type);
// From Preparing- to CompletingRebalance with the selected protocol, or to Empty.
void classic_group_next_generation(struct classic_group *group, int64_t now_ms);

bool classic_group_is_consumer(const struct classic_group *group); // protocol type "consumer"
// Reads from the members' metadata what they subscribe to.
void classic_group_read_subscription(struct classic_group *group);
// Whether members need the topic's offsets. A consumer group that cannot be read needs all.
bool classic_group_is_subscribed(const struct classic_group *group, struct str topic);

#endif
