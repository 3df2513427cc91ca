// SPDX-License-Identifier: Apache-2.0
// DeleteGroups: groups without members, with their committed offsets. A group named twice is deleted once. Of share
// groups the state of their partitions is deleted first.
#include "api/dispatch.h"
#include "api/node.h"
#include "base/hashmap.h"
#include "group/share/share_groups.h"

struct group_deletion {
    struct completion completion;
    struct request *request;
    struct str *names; // those that may be deleted first
    enum kafka_error *errors;
    int32_t count;
    int32_t kept; // of share groups whose state could not be deleted, at the end
};

static void on_deleted(struct completion *completion)
{
    struct group_deletion *deletion = container_of(completion, struct group_deletion, completion);
    struct request *request = deletion->request;
    struct delete_groups_response *response = request->response;
    struct delete_groups_response_deletable_group_result *results =
        arena_array(&request->arena, struct delete_groups_response_deletable_group_result,
                    response->results_count + deletion->kept + 1);
    for (int32_t i = 0; i < response->results_count; i++)
        results[i] = response->results[i];
    for (int32_t i = deletion->count - deletion->kept; i < deletion->count; i++)
        results[response->results_count++] = (struct delete_groups_response_deletable_group_result){
            .group_id = deletion->names[i], .error_code = (int16_t)deletion->errors[i]
        };
    response->results = results;
    request_reply(request);
}

static void on_state_deleted(struct completion *completion)
{
    struct group_deletion *deletion = container_of(completion, struct group_deletion, completion);
    struct request *request = deletion->request;
    for (int32_t i = deletion->count - 1; i >= 0; i--) {
        if (deletion->errors[i] == KERR_NONE)
            continue;
        int32_t to = deletion->count - ++deletion->kept;
        struct str name = deletion->names[i];
        enum kafka_error error = deletion->errors[i];
        deletion->names[i] = deletion->names[to];
        deletion->errors[i] = deletion->errors[to];
        deletion->names[to] = name;
        deletion->errors[to] = error;
    }
    deletion->completion.complete = on_deleted;
    group_coordinator_delete(request->node->groups, deletion->names,
                             deletion->count - deletion->kept, request->response, &request->arena,
                             &deletion->completion);
}

void handle_delete_groups(struct request *request)
{
    const struct delete_groups_request *body = request->body;
    const struct str *asked =
        group_coordinator_order(request->node->groups, body->groups_names, body->groups_names_count,
                                GROUP_ORDER_SETS, &request->arena);
    struct str *names = arena_array(&request->arena, struct str, body->groups_names_count + 1);
    int32_t count = 0;
    struct hashmap seen;
    hashmap_init(&seen);
    for (int32_t i = 0; i < body->groups_names_count; i++) {
        struct str name = asked[i];
        if (hashmap_put(&seen, name.data, name.size, &names[count]) == NULL)
            names[count++] = name;
    }
    hashmap_fini(&seen);
    struct group_deletion *deletion = arena_new(&request->arena, struct group_deletion);
    deletion->completion.complete = on_state_deleted;
    deletion->request = request;
    deletion->names = names;
    deletion->count = count;
    deletion->errors = arena_array(&request->arena, enum kafka_error, count + 1);
    share_groups_delete_state(request->node->groups, names, count, deletion->errors,
                              &deletion->completion);
}
