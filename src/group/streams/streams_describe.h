// SPDX-License-Identifier: Apache-2.0
// What is told of a streams group: to administrators, and to its members where to ask for state.
#ifndef GROUP_STREAMS_STREAMS_DESCRIBE_H
#define GROUP_STREAMS_STREAMS_DESCRIBE_H

#include "group/streams/streams_group.h"
#include "protocol/messages/streams_group_describe.h"
#include "protocol/messages/streams_group_heartbeat.h"

// GROUP_ID_NOT_FOUND is in `out`.
void streams_describe(const struct group_shard *shard, struct str group_id,
                      struct streams_group_describe_response_described_group *out,
                      struct arena *arena);

// Which partitions each endpoint has, with the member as it becomes. False: the topology does not say, as nothing is
// known of its topics (Kafka fails there).
bool streams_describe_endpoints(const struct streams_group *group, struct str member_id,
                                const struct streams_metadata *metadata,
                                const struct streams_assignment *assigned,
                                struct streams_group_heartbeat_response *response,
                                struct arena *arena);

#endif
