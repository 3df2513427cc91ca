// SPDX-License-Identifier: Apache-2.0
// ShareGroupHeartbeat: a member of a share group joins, lives on or leaves (KIP-932).
#include "api/dispatch.h"
#include "api/node.h"
#include "api/share_acks.h"
#include "group/share/share_groups.h"

void handle_share_group_heartbeat(struct request *request);

void handle_share_group_heartbeat(struct request *request)
{
    const struct share_group_heartbeat_request *body = request->body;
    struct share_group_heartbeat_response *response = request->response;
    const struct group_client client = { request->client_id, request->client->host };
    enum kafka_error error = share_request_check(request, body->group_id, body->member_id);
    if (error != KERR_NONE) {
        response->error_code = (int16_t)error;
        request_reply(request);
        return;
    }
    share_groups_heartbeat(request->node->groups, body, &client, response, &request->arena,
                           &request->completion);
}
