// SPDX-License-Identifier: Apache-2.0
// JoinGroup: a member enters the next generation of a classic group; answered when that begins.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"

void handle_join_group(struct request *request)
{
    const struct group_client client = { request->client_id, request->client->host };
    group_coordinator_join(request->node->groups, request->body, request->api_version, &client,
                           request->response, &request->arena, &request->completion);
}
