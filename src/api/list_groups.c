// SPDX-License-Identifier: Apache-2.0
// ListGroups: the groups whose coordinator is this broker.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"

void handle_list_groups(struct request *request)
{
    group_coordinator_list(request->node->groups, request->body, request->response, &request->arena,
                           &request->completion);
}
