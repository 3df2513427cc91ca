// SPDX-License-Identifier: Apache-2.0
// ConsumerGroupHeartbeat (KIP-848): a member joins, lives on, changes its mind or leaves.
//
//     epoch 0      join, or join again with nothing: a member under the id that it chose (v1) or is given
//     epoch > 0    what it has reached; a full request repeats all that it is
//     epoch -1     leaves; a static member for good
//     epoch -2     a static member that will be back: its place and partitions wait for it
#ifndef GROUP_CONSUMER_CONSUMER_HEARTBEAT_H
#define GROUP_CONSUMER_CONSUMER_HEARTBEAT_H

#include "group/group_shard.h"
#include "protocol/messages/consumer_group_heartbeat.h"

struct consumer_heartbeat {
    const struct consumer_group_heartbeat_request *request;
    int16_t version;
    struct str client_id;
    struct str client_host;
    struct consumer_group_heartbeat_response *response;
    struct arena *arena;
};

// What needs no state. An error is in the response.
bool consumer_heartbeat_check(const struct consumer_heartbeat *heartbeat,
                              const struct group_config *config);
// Fills the response; what it says may be sent when all that was written is committed.
void consumer_heartbeat(struct group_shard *state, const struct consumer_heartbeat *heartbeat);

#endif
