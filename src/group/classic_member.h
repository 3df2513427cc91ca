// SPDX-License-Identifier: Apache-2.0
// A member of a classic group: who it is, what it can do, what it was assigned, and the request of it
// that waits for the others.
#ifndef GROUP_CLASSIC_MEMBER_H
#define GROUP_CLASSIC_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/completion.h"
#include "base/list.h"
#include "base/timers.h"
#include "protocol/messages/join_group.h"
#include "protocol/messages/sync_group.h"

struct classic_group;

// A JoinGroup or SyncGroup that is not answered yet; in the request's arena.
struct classic_join {
    const struct join_group_request *request;
    int16_t version;
    struct str client_id;
    struct str client_host;
    struct join_group_response *response;
    struct arena *arena;
    struct completion *completion;
};

struct classic_sync {
    const struct sync_group_request *request;
    struct sync_group_response *response;
    struct arena *arena;
    struct completion *completion;
};

// A way to assign that the member supports, with what it tells the leader about itself.
struct member_protocol {
    struct str name;
    struct bytes metadata;
};

struct classic_member {
    struct list link; // in the group's members, by age
    struct classic_group *group;
    struct str id;
    struct str instance_id; // KIP-345: null for a dynamic member
    struct str client_id;
    struct str client_host;
    int32_t rebalance_timeout_ms;
    int32_t session_timeout_ms;
    struct member_protocol *protocols; // by preference; one allocation with all that they point to
    int32_t protocol_count;
    struct bytes assignment; // of the present generation; never null
    struct bytes proposed;   // borrowed, while the leader's assignment is being written; else null
    struct classic_join *join; // waits for the rebalance to complete
    struct classic_sync *sync; // waits for the leader's assignment
    bool is_new;       // has not been through a whole join yet: its waiting does not keep it alive
    bool sync_pending; // has the generation but did not ask for its assignment yet
    struct timer session_timer;
};

// All strings are copied.
struct classic_member *classic_member_new(struct str id, struct str instance_id,
                                          struct str client_id, struct str client_host,
                                          int32_t rebalance_timeout_ms, int32_t session_timeout_ms,
                                          const struct join_group_request_protocol *protocols,
                                          int32_t protocol_count);
void classic_member_free(struct classic_member *member); // its timer is not set, nothing waits

void classic_member_set_id(struct classic_member *member, struct str id);
void classic_member_set_assignment(struct classic_member *member, struct bytes assignment);
// Whether protocol `at` of a request is one that the member supports: one that it names twice is not (Kafka counts
// it as two members' and then misses it when all of them shall have it).
bool member_protocol_counts(const struct join_group_request_protocol *protocols, int32_t count,
                            int32_t at);
// A block for classic_member_swap_protocols, with the protocols that count; what it returns is freed with mem_free.
struct member_protocol *member_protocols_copy(const struct join_group_request_protocol *protocols,
                                              int32_t count, int32_t *copied);
// Takes over the block and returns the former one, with its count.
struct member_protocol *classic_member_swap_protocols(struct classic_member *member,
                                                      struct member_protocol *protocols,
                                                      int32_t *count);
// Same names and metadata in the same order.
bool classic_member_matches(const struct classic_member *member,
                            const struct join_group_request_protocol *protocols, int32_t count);
// What it said for this protocol; null if it does not support it.
struct bytes classic_member_metadata(const struct classic_member *member, struct str protocol);

#endif
