// SPDX-License-Identifier: Apache-2.0
// DescribeGroups: state and members of classic groups.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"

// Read, delete, describe, describe configs, alter configs, as bits of Kafka's AclOperation: all that can be
// done with a group, and without ACLs everyone may (KIP-430).
enum { GROUP_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11 };

struct describe {
    struct completion completion;
    struct request *request;
};

static void on_described(struct completion *completion)
{
    struct request *request = container_of(completion, struct describe, completion)->request;
    const struct describe_groups_request *body = request->body;
    struct describe_groups_response *response = request->response;
    for (int32_t i = 0; body->include_authorized_operations && i < response->groups_count; i++)
        if (response->groups[i].error_code == KERR_NONE)
            response->groups[i].authorized_operations = GROUP_OPERATIONS;
    request_reply(request);
}

void handle_describe_groups(struct request *request)
{
    const struct describe_groups_request *body = request->body;
    const struct str *ids =
        group_coordinator_order(request->node->groups, body->groups, body->groups_count,
                                GROUP_ORDER_ASKED, &request->arena);
    struct describe *describe = arena_new(&request->arena, struct describe);
    describe->completion.complete = on_described;
    describe->request = request;
    group_coordinator_describe(request->node->groups, ids, body->groups_count, request->api_version,
                               request->response, &request->arena, &describe->completion);
}
