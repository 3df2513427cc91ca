// SPDX-License-Identifier: Apache-2.0
// AlterReplicaLogDirs, versions 1 and 2: in which directory of this broker a
// replica is to live (KIP-113). Done by replica/log_dir_control.c, which may wait for disks; NONE says that the move
// has begun, or that there is nothing to do. A partition that is named twice goes where it is named last, as in
// Kafka. Answered below its topic, each topic once.
#include "api/dispatch.h"
#include "api/node.h"
#include "api/partition_set.h"
#include "protocol/messages/alter_replica_log_dirs.h"
#include "protocol/registry.h"
#include "replica/log_dir_control.h"

struct alter_item {
    struct partition_name name;
    size_t place; // among the call's items
};

struct alter_state {
    struct alter_log_dirs call;
    struct completion completion;
    struct request *request;
};

static void answer(struct request *request, const struct alter_log_dirs *call)
{
    struct alter_replica_log_dirs_response *response = request->response;
    response->results = arena_array(
        &request->arena, struct alter_replica_log_dirs_response_alter_replica_log_dir_topic_result,
        call->count);
    bool *is_done = arena_zalloc(&request->arena, call->count * sizeof *is_done + 1);
    for (size_t i = 0; i < call->count; i++) {
        if (is_done[i])
            continue;
        struct alter_replica_log_dirs_response_alter_replica_log_dir_topic_result *topic =
            &response->results[response->results_count++];
        message_init(&alter_replica_log_dirs_response_alter_replica_log_dir_topic_result_desc,
                     topic);
        topic->topic_name = call->items[i].topic;
        topic->partitions = arena_array(
            &request->arena,
            struct alter_replica_log_dirs_response_alter_replica_log_dir_partition_result,
            call->count - i);
        for (size_t k = i; k < call->count; k++) {
            if (is_done[k] || !str_eq(call->items[k].topic, topic->topic_name))
                continue;
            is_done[k] = true;
            struct alter_replica_log_dirs_response_alter_replica_log_dir_partition_result *one =
                &topic->partitions[topic->partitions_count++];
            one->partition_index = call->items[k].index;
            one->error_code = (int16_t)call->items[k].error;
        }
    }
}

static void on_completed(struct completion *completion)
{
    struct alter_state *state = container_of(completion, struct alter_state, completion);
    answer(state->request, &state->call);
    request_reply(state->request);
}

void handle_alter_replica_log_dirs(struct request *request)
{
    const struct alter_replica_log_dirs_request *body = request->body;
    size_t most = 0;
    for (int32_t d = 0; d < body->dirs_count; d++)
        for (int32_t t = 0; t < body->dirs[d].topics_count; t++)
            most += (size_t)body->dirs[d].topics[t].partitions_count;
    struct alter_state *state = arena_new(&request->arena, struct alter_state);
    struct alter_item *items = arena_array(&request->arena, struct alter_item, most);
    state->request = request;
    state->completion.complete = on_completed;
    state->call.completion = &state->completion;
    state->call.items = arena_array(&request->arena, struct alter_log_dir, most);
    struct partition_set named;
    partition_set_init(&named, &request->arena, most);
    for (int32_t d = 0; d < body->dirs_count; d++) {
        for (int32_t t = 0; t < body->dirs[d].topics_count; t++) {
            struct str topic = body->dirs[d].topics[t].name;
            uint64_t hash = partition_set_hash(&named, topic, UUID_ZERO);
            for (int32_t p = 0; p < body->dirs[d].topics[t].partitions_count; p++) {
                int32_t index = body->dirs[d].topics[t].partitions[p];
                size_t place = state->call.count;
                items[place] = (struct alter_item){ { topic, UUID_ZERO, index }, place };
                const struct partition_name *same =
                    partition_set_add(&named, &items[place].name, hash);
                if (same != NULL)
                    place = container_of((struct partition_name *)(uintptr_t)same,
                                         struct alter_item, name)
                                ->place;
                else
                    state->call.count++;
                state->call.items[place] =
                    (struct alter_log_dir){ topic, index, body->dirs[d].path, KERR_NONE };
            }
        }
    }
    log_dir_control_alter(request->node->dirs, &state->call);
}
