// SPDX-License-Identifier: Apache-2.0
// Who leads a partition instead, told in the replies to Produce (v10) and Fetch (v16) so that clients need not ask for
// metadata first (KIP-951): the leader and its epoch, and where it listens.
#ifndef API_CURRENT_LEADER_H
#define API_CURRENT_LEADER_H

#include "api/request.h"
#include "replica/partition.h"

struct current_leader {
    int32_t leader_id; // -1: none
    int32_t leader_epoch;
    bool has_node; // the leader is in service and has a listener of the name that the client used:
    struct str host;
    int32_t port;
    struct str rack; // or null
};

// `partition` is this broker's, or NULL: then `topic` and `index` (or the id) are looked up in the metadata. Strings
// are in the request's arena.
struct current_leader current_leader_of(struct request *request, struct partition *partition,
                                        struct str topic, struct uuid topic_id, int32_t index);

#endif
