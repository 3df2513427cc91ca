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
    struct str *names;
    int32_t count;
};

static void on_state_deleted(struct completion *completion)
{
    struct group_deletion *deletion = container_of(completion, struct group_deletion, completion);
    struct request *request = deletion->request;
    group_coordinator_delete(request->node->groups, deletion->names, deletion->count,
                             request->response, &request->arena, &request->completion);
}

void handle_delete_groups(struct request *request)
{
    const struct delete_groups_request *body = request->body;
    struct str *names = arena_array(&request->arena, struct str, body->groups_names_count + 1);
    int32_t count = 0;
    struct hashmap seen;
    hashmap_init(&seen);
    for (int32_t i = 0; i < body->groups_names_count; i++) {
        struct str name = body->groups_names[i];
        if (hashmap_put(&seen, name.data, name.size, &names[count]) == NULL)
            names[count++] = name;
    }
    hashmap_fini(&seen);
    struct group_deletion *deletion = arena_new(&request->arena, struct group_deletion);
    deletion->completion.complete = on_state_deleted;
    deletion->request = request;
    deletion->names = names;
    deletion->count = count;
    share_groups_delete_state(request->node->groups, names, count, &deletion->completion);
}
