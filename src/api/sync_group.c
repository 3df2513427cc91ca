// SPDX-License-Identifier: Apache-2.0
// SyncGroup: the leader of a classic group brings the assignment, every member fetches its own.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"

void handle_sync_group(struct request *request)
{
    const struct sync_group_request *body = request->body;
    struct sync_group_response *response = request->response;
    // KIP-559: since v5 a member says which protocol it has been told.
    if (request->api_version >= 5 &&
        (str_is_null(body->protocol_type) || str_is_null(body->protocol_name))) {
        response->error_code = KERR_INCONSISTENT_GROUP_PROTOCOL;
        request_reply(request);
        return;
    }
    group_coordinator_sync(request->node->groups, body, response, &request->arena,
                           &request->completion);
}
