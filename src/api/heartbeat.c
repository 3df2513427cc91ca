// SPDX-License-Identifier: Apache-2.0
// Heartbeat: a member of a classic group says that it is there, and hears of a rebalance.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"

void handle_heartbeat(struct request *request)
{
    group_coordinator_heartbeat(request->node->groups, request->body, request->response,
                                &request->arena, &request->completion);
}
