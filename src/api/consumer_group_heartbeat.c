// SPDX-License-Identifier: Apache-2.0
// ConsumerGroupHeartbeat: a member of a consumer group (KIP-848).
#include "api/group_protocol.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"

void handle_consumer_group_heartbeat(struct request *request)
{
    const struct group_client client = { request->client_id, request->client->host };
    struct consumer_group_heartbeat_response *response = request->response;
    if (!group_protocol_is_served(request->node, "consumer", "group.version", 1)) {
        response->error_code = KERR_UNSUPPORTED_VERSION;
        request_reply(request);
        return;
    }
    group_coordinator_consumer_heartbeat(request->node->groups, request->body, request->api_version,
                                         &client, response, &request->arena, &request->completion);
}
