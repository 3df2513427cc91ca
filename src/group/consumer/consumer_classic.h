// SPDX-License-Identifier: Apache-2.0
// Members of the classic protocol in a consumer group: they take the steps of the new protocol with the requests of
// the old. A generation is the member's epoch; nobody waits for others, and no member leads.
//
//     JoinGroup    the member as it is now; one step of reconciliation, by the owned partitions in its subscription
//     SyncGroup    what it was assigned in that step
//     Heartbeat    REBALANCE_IN_PROGRESS when there is a new target, partitions to give up, or free ones to take
//     LeaveGroup   out of the group
#ifndef GROUP_CONSUMER_CONSUMER_CLASSIC_H
#define GROUP_CONSUMER_CONSUMER_CLASSIC_H

#include "group/classic_member.h"
#include "group/consumer/consumer_group.h"
#include "group/group_shard.h"

// Answered when what it wrote is committed.
void consumer_classic_join(struct group_shard *state, struct consumer_group *group,
                           struct classic_join *join);
void consumer_classic_sync(struct group_shard *state, struct consumer_group *group,
                           struct classic_sync *sync);
enum kafka_error consumer_classic_heartbeat(struct consumer_group *group,
                                            const struct heartbeat_request *request);
void consumer_classic_leave(struct consumer_group *group, const struct leave_group_request *request,
                            struct leave_group_response *response, struct arena *arena);

#endif
