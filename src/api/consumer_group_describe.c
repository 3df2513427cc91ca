// SPDX-License-Identifier: Apache-2.0
// ConsumerGroupDescribe: state, members and assignments of consumer groups (KIP-848).
#include "api/group_protocol.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"

// As in describe_groups.c.
enum { GROUP_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11 };

struct describe {
    struct completion completion;
    struct request *request;
};

static void on_described(struct completion *completion)
{
    struct request *request = container_of(completion, struct describe, completion)->request;
    const struct consumer_group_describe_request *body = request->body;
    struct consumer_group_describe_response *response = request->response;
    for (int32_t i = 0; body->include_authorized_operations && i < response->groups_count; i++)
        if (response->groups[i].error_code == KERR_NONE)
            response->groups[i].authorized_operations = GROUP_OPERATIONS;
    request_reply(request);
}

static void refuse(struct request *request, enum kafka_error error)
{
    const struct consumer_group_describe_request *body = request->body;
    struct consumer_group_describe_response *response = request->response;
    response->groups = message_array(&consumer_group_describe_response_described_group_desc,
                                     &request->arena, body->group_ids_count);
    response->groups_count = body->group_ids_count;
    for (int32_t i = 0; i < body->group_ids_count; i++) {
        response->groups[i].group_id = body->group_ids[i];
        response->groups[i].error_code = (int16_t)error;
    }
    request_reply(request);
}

void handle_consumer_group_describe(struct request *request)
{
    const struct consumer_group_describe_request *body = request->body;
    if (!group_protocol_is_served(request->node, "consumer", "group.version", 1)) {
        refuse(request, KERR_UNSUPPORTED_VERSION);
        return;
    }
    const struct str *ids =
        group_coordinator_order(request->node->groups, body->group_ids, body->group_ids_count,
                                GROUP_ORDER_NAMED, &request->arena);
    struct describe *describe = arena_new(&request->arena, struct describe);
    describe->completion.complete = on_described;
    describe->request = request;
    group_coordinator_consumer_describe(request->node->groups, ids, body->group_ids_count,
                                        request->response, &request->arena, &describe->completion);
}
