// SPDX-License-Identifier: Apache-2.0
// LeaveGroup: members of a classic group go. Before v3 it was one member, and its error that of the response.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"

struct leave_one {
    struct completion completion;
    struct request *request;
};

static void on_left(struct completion *completion)
{
    struct request *request = container_of(completion, struct leave_one, completion)->request;
    struct leave_group_response *response = request->response;
    if (response->error_code == KERR_NONE && response->members_count == 1)
        response->error_code = response->members[0].error_code;
    response->members_count = 0;
    request_reply(request);
}

void handle_leave_group(struct request *request)
{
    struct group_coordinator *groups = request->node->groups;
    struct leave_group_request *body = request->body;
    if (request->api_version >= 3) {
        group_coordinator_leave(groups, body, request->response, &request->arena,
                                &request->completion);
        return;
    }
    struct leave_group_request_member_identity *member =
        arena_new(&request->arena, struct leave_group_request_member_identity);
    member->member_id = body->member_id;
    body->members = member;
    body->members_count = 1;
    struct leave_one *one = arena_new(&request->arena, struct leave_one);
    one->completion.complete = on_left;
    one->request = request;
    group_coordinator_leave(groups, body, request->response, &request->arena, &one->completion);
}
