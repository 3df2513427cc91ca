// SPDX-License-Identifier: Apache-2.0
// SyncGroup and Heartbeat to a classic group: the leader brings everyone's assignment, the others fetch
// theirs once it is committed; then all keep saying that they are there.
#ifndef GROUP_CLASSIC_SYNC_H
#define GROUP_CLASSIC_SYNC_H

#include "group/classic_rebalance.h"

// Answers the request, now or when the leader's assignment is committed.
void classic_sync(struct group_shard *state, struct classic_sync *sync);
enum kafka_error classic_heartbeat(struct group_shard *state,
                                   const struct heartbeat_request *request);

#endif
