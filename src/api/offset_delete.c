// SPDX-License-Identifier: Apache-2.0
// OffsetDelete (KIP-496): committed offsets of topics that nobody in the group uses. Partitions of topics that do not
// exist are refused here.
#include "api/dispatch.h"
#include "api/node.h"
#include "api/topic_slots.h"
#include "group/group_coordinator.h"
#include "metadata/metadata.h"

struct offset_delete {
    struct completion completion;
    struct request *request;
    struct offset_delete_request known;     // the request, with the partitions that exist
    struct offset_delete_response answered; // for them, by the group
    int32_t *known_at;                      // which topics of the request the known ones are
    struct topic_slot **slots; // of the topics of the request; NULL: nothing is refused
};

static void add_partition(struct offset_delete_response_topic *out, int32_t partition,
                          int16_t error)
{
    out->partitions[out->partitions_count++] =
        (struct offset_delete_response_partition){ .partition_index = partition,
                                                   .error_code = error };
}

static struct topic_slot **slots_of(struct request *request)
{
    const struct offset_delete_request *body = request->body;
    struct topic_key *keys = arena_array(&request->arena, struct topic_key, body->topics_count + 1);
    for (int32_t i = 0; i < body->topics_count; i++)
        keys[i] = (struct topic_key){ body->topics[i].name.data, body->topics[i].name.size,
                                      body->topics[i].partitions_count };
    return topic_slots(keys, body->topics_count, &request->arena);
}

// The entry in the response of topic `at` of the request, with room for all partitions that are named of it.
static struct offset_delete_response_topic *response_topic(struct offset_delete *deleted,
                                                           int32_t at, struct str name)
{
    struct request *request = deleted->request;
    struct offset_delete_response *response = request->response;
    if (deleted->slots == NULL)
        deleted->slots = slots_of(request);
    struct topic_slot *slot = deleted->slots[at];
    if (slot->place < 0) {
        slot->place = response->topics_count++;
        response->topics[slot->place] = (struct offset_delete_response_topic){
            .name = name,
            .partitions = arena_array(&request->arena, struct offset_delete_response_partition,
                                      slot->room + 1),
        };
    }
    return &response->topics[slot->place];
}

// Splits one topic of the request, under the metadata lock.
static void check_topic(struct offset_delete *deleted, int32_t at,
                        const struct offset_delete_request_topic *topic)
{
    struct request *request = deleted->request;
    const struct metadata_topic *found = metadata_find_topic(request->node->metadata, topic->name);
    struct offset_delete_request_topic *known = &deleted->known.topics[deleted->known.topics_count];
    *known = (struct offset_delete_request_topic){
        .name = topic->name,
        .partitions = arena_array(&request->arena, struct offset_delete_request_partition,
                                  topic->partitions_count + 1),
    };
    if (found == NULL)
        response_topic(deleted, at, topic->name);
    for (int32_t p = 0; p < topic->partitions_count; p++) {
        int32_t partition = topic->partitions[p].partition_index;
        if (found != NULL && metadata_topic_partition(found, partition) != NULL)
            known->partitions[known->partitions_count++] = topic->partitions[p];
        else
            add_partition(response_topic(deleted, at, topic->name), partition,
                          KERR_UNKNOWN_TOPIC_OR_PARTITION);
    }
    if (known->partitions_count > 0)
        deleted->known_at[deleted->known.topics_count++] = at;
}

// An error concerns the whole group: nothing else is said.
static void on_deleted(struct completion *completion)
{
    struct offset_delete *deleted = container_of(completion, struct offset_delete, completion);
    struct offset_delete_response *response = deleted->request->response;
    if (deleted->answered.error_code != KERR_NONE || deleted->slots == NULL) {
        *response = deleted->answered;
        request_reply(deleted->request);
        return;
    }
    for (int32_t t = 0; t < deleted->answered.topics_count; t++) {
        const struct offset_delete_response_topic *topic = &deleted->answered.topics[t];
        struct offset_delete_response_topic *out =
            response_topic(deleted, deleted->known_at[t], topic->name);
        for (int32_t p = 0; p < topic->partitions_count; p++)
            add_partition(out, topic->partitions[p].partition_index,
                          topic->partitions[p].error_code);
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
    deleted->known_at = arena_array(&request->arena, int32_t, body->topics_count + 1);
    response->topics =
        arena_array(&request->arena, struct offset_delete_response_topic, body->topics_count + 1);
    metadata_lock_read(request->node->metadata);
    for (int32_t t = 0; t < body->topics_count; t++)
        check_topic(deleted, t, &body->topics[t]);
    metadata_unlock(request->node->metadata);
    group_coordinator_delete_offsets(request->node->groups, &deleted->known, &deleted->answered,
                                     &request->arena, &deleted->completion);
}
