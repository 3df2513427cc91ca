// SPDX-License-Identifier: Apache-2.0
// DeleteGroups: groups without members, with their committed offsets. A group named twice is deleted once.
#include "api/dispatch.h"
#include "api/node.h"
#include "base/hashmap.h"
#include "group/group_coordinator.h"

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
    group_coordinator_delete(request->node->groups, names, count, request->response,
                             &request->arena, &request->completion);
}
