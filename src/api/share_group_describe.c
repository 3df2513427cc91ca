// SPDX-License-Identifier: Apache-2.0
// ShareGroupDescribe: state, members and assignments of share groups (KIP-932), each asked of its own shard.
#include <stdatomic.h>

#include "api/dispatch.h"
#include "api/node.h"
#include "api/share_acks.h"
#include "group/share/share_groups.h"

// As in describe_groups.c.
enum { GROUP_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11 };

struct describe_part {
    struct completion completion;
    struct share_describe *describe;
};

struct share_describe {
    struct request *request;
    atomic_int left;
    struct describe_part *parts;
};

static void one_less(struct share_describe *describe)
{
    struct request *request = describe->request;
    const struct share_group_describe_request *body = request->body;
    struct share_group_describe_response *response = request->response;
    if (atomic_fetch_sub(&describe->left, 1) > 1)
        return;
    for (int32_t i = 0; body->include_authorized_operations && i < response->groups_count; i++)
        if (response->groups[i].error_code == KERR_NONE)
            response->groups[i].authorized_operations = GROUP_OPERATIONS;
    request_reply(request);
}

static void on_described(struct completion *completion)
{
    one_less(container_of(completion, struct describe_part, completion)->describe);
}

void handle_share_group_describe(struct request *request);

void handle_share_group_describe(struct request *request)
{
    const struct share_group_describe_request *body = request->body;
    struct share_group_describe_response *response = request->response;
    response->groups = message_array(&share_group_describe_response_described_group_desc,
                                     &request->arena, body->group_ids_count);
    response->groups_count = body->group_ids_count;
    struct share_describe *describe = arena_new(&request->arena, struct share_describe);
    describe->request = request;
    describe->parts = arena_array(&request->arena, struct describe_part, body->group_ids_count);
    atomic_init(&describe->left, body->group_ids_count + 1);
    bool is_enabled = share_groups_are_enabled(request);
    const struct str *ids =
        group_coordinator_order(request->node->groups, body->group_ids, body->group_ids_count,
                                GROUP_ORDER_NAMED, &request->arena);
    for (int32_t i = 0; i < body->group_ids_count; i++) {
        struct describe_part *part = &describe->parts[i];
        part->completion.complete = on_described;
        part->describe = describe;
        if (is_enabled) {
            share_groups_describe(request->node->groups, ids[i], &response->groups[i],
                                  &request->arena, &part->completion);
            continue;
        }
        response->groups[i].group_id = body->group_ids[i];
        response->groups[i].error_code = KERR_UNSUPPORTED_VERSION;
        one_less(describe);
    }
    one_less(describe);
}
