// SPDX-License-Identifier: Apache-2.0
// ConsumerGroupDescribe (KIP-848).
#ifndef GROUP_CONSUMER_CONSUMER_DESCRIBE_H
#define GROUP_CONSUMER_CONSUMER_DESCRIBE_H

#include "group/group_shard.h"
#include "protocol/messages/consumer_group_describe.h"

// Fills everything but the group's id and the authorized operations. Topics that are gone are left out.
void consumer_describe(const struct group_shard *state, struct str id,
                       struct consumer_group_describe_response_described_group *out,
                       struct arena *arena);

#endif
