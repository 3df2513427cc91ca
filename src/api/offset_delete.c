// SPDX-License-Identifier: Apache-2.0
// OffsetDelete (KIP-496): committed offsets of topics that nobody in the group uses. Partitions of topics that do not
// exist are refused here.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"
#include "metadata/metadata.h"

struct offset_delete {
    struct completion completion;
    struct request *request;
    struct offset_delete_request known;     // the request, with the partitions that exist
    struct offset_delete_response answered; // for them, by the group
    int32_t *places; // of the known topics in the response; -1: nothing there yet
};

static struct offset_delete_response_topic *
response_topic(struct offset_delete_response *response,
               const struct offset_delete_request_topic *topic, struct arena *arena)
{
    struct offset_delete_response_topic *out = &response->topics[response->topics_count++];
    out->name = topic->name;
    out->partitions =
        arena_array(arena, struct offset_delete_response_partition, topic->partitions_count + 1);
    return out;
}

// Splits one topic of the request, under the metadata lock.
static void check_topic(struct offset_delete *deleted,
                        const struct offset_delete_request_topic *topic)
{
    struct request *request = deleted->request;
    const struct metadata_topic *found = metadata_find_topic(request->node->metadata, topic->name);
    struct offset_delete_request_topic *known = &deleted->known.topics[deleted->known.topics_count];
    struct offset_delete_response_topic *out = NULL;
    *known = (struct offset_delete_request_topic){
        .name = topic->name,
        .partitions = arena_array(&request->arena, struct offset_delete_request_partition,
                                  topic->partitions_count + 1),
    };
    for (int32_t p = 0; p < topic->partitions_count; p++) {
        int32_t partition = topic->partitions[p].partition_index;
        if (found != NULL && metadata_topic_partition(found, partition) != NULL) {
            known->partitions[known->partitions_count++] = topic->partitions[p];
            continue;
        }
        if (out == NULL)
            out = response_topic(request->response, topic, &request->arena);
        out->partitions[out->partitions_count++] = (struct offset_delete_response_partition){
            .partition_index = partition, .error_code = KERR_UNKNOWN_TOPIC_OR_PARTITION
        };
    }
    if (known->partitions_count > 0)
        deleted->places[deleted->known.topics_count++] =
            out != NULL ? ((struct offset_delete_response *)request->response)->topics_count - 1
                        : -1;
}

// An error concerns the whole group: nothing else is said.
static void on_deleted(struct completion *completion)
{
    struct offset_delete *deleted = container_of(completion, struct offset_delete, completion);
    struct offset_delete_response *response = deleted->request->response;
    response->error_code = deleted->answered.error_code;
    if (response->error_code != KERR_NONE)
        response->topics_count = 0;
    for (int32_t t = 0; t < deleted->answered.topics_count; t++) {
        const struct offset_delete_response_topic *topic = &deleted->answered.topics[t];
        if (deleted->places[t] < 0) {
            response->topics[response->topics_count++] = *topic;
            continue;
        }
        struct offset_delete_response_topic *out = &response->topics[deleted->places[t]];
        for (int32_t p = 0; p < topic->partitions_count; p++)
            out->partitions[out->partitions_count++] = topic->partitions[p];
    }
    request_reply(deleted->request);
}

void handle_offset_delete(struct request *request)
{
    const struct offset_delete_request *body = request->body;
    struct offset_delete_response *response = request->response;
    struct offset_delete *deleted = arena_new(&request->arena, struct offset_delete);
    deleted->completion.complete = on_deleted;
    deleted->request = request;
    deleted->known = *body;
    deleted->known.topics_count = 0;
    deleted->known.topics =
        arena_array(&request->arena, struct offset_delete_request_topic, body->topics_count + 1);
    deleted->places = arena_array(&request->arena, int32_t, body->topics_count + 1);
    response->topics = arena_array(&request->arena, struct offset_delete_response_topic,
                                   2 * (size_t)body->topics_count + 1);
    metadata_lock_read(request->node->metadata);
    for (int32_t t = 0; t < body->topics_count; t++)
        check_topic(deleted, &body->topics[t]);
    metadata_unlock(request->node->metadata);
    group_coordinator_delete_offsets(request->node->groups, &deleted->known, &deleted->answered,
                                     &request->arena, &deleted->completion);
}
