// SPDX-License-Identifier: Apache-2.0
// OffsetCommit: topics and partitions are checked here, against the metadata image; what is left goes to the group.
//
//     request ──> known partitions ──> group ──┐
//             └─> unknown ones: their error ───┴──> response, the unknown ones first, one entry a topic
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"
#include "metadata/metadata.h"

enum { VERSION_TOPIC_IDS = 10 };

struct offset_commit {
    struct completion completion;
    struct request *request;
    struct offset_commit_request known;     // the request, with the partitions that exist
    struct offset_commit_response answered; // for them, by the group
    int32_t *places; // of the known topics in the response; -1: nothing there yet
};

static void refuse(struct offset_commit_response_topic *out, int32_t partition,
                   enum kafka_error error)
{
    out->partitions[out->partitions_count++] =
        (struct offset_commit_response_partition){ .partition_index = partition,
                                                   .error_code = (int16_t)error };
}

// A topic of the response with room for all partitions that the request names.
static struct offset_commit_response_topic *response_topic(struct request *request, struct str name,
                                                           struct uuid id, int32_t partitions)
{
    struct offset_commit_response *response = request->response;
    struct offset_commit_response_topic *out = &response->topics[response->topics_count++];
    out->name = name;
    out->topic_id = id;
    out->partitions =
        arena_array(&request->arena, struct offset_commit_response_partition, partitions + 1);
    return out;
}

static const struct metadata_topic *find_topic(const struct request *request,
                                               struct offset_commit_request_topic *topic)
{
    const struct metadata *metadata = request->node->metadata;
    const struct metadata_topic *found = request->api_version >= VERSION_TOPIC_IDS
                                             ? metadata_find_topic_by_id(metadata, topic->topic_id)
                                             : metadata_find_topic(metadata, topic->name);
    return found;
}

// Splits one topic of the request, under the metadata lock.
static void check_topic(struct offset_commit *commit, struct offset_commit_request_topic *topic)
{
    struct request *request = commit->request;
    const struct metadata_topic *found = find_topic(request, topic);
    if (found == NULL) {
        bool by_id = request->api_version >= VERSION_TOPIC_IDS;
        struct offset_commit_response_topic *out =
            response_topic(request, topic->name, topic->topic_id, topic->partitions_count);
        for (int32_t i = 0; i < topic->partitions_count; i++)
            refuse(out, topic->partitions[i].partition_index,
                   by_id ? KERR_UNKNOWN_TOPIC_ID : KERR_UNKNOWN_TOPIC_OR_PARTITION);
        return;
    }
    struct offset_commit_request_topic *known = &commit->known.topics[commit->known.topics_count];
    known->name = arena_str(&request->arena, (struct str){ found->name, found->name_size });
    known->topic_id = found->id;
    known->partitions = arena_array(&request->arena, struct offset_commit_request_partition,
                                    topic->partitions_count + 1);
    struct offset_commit_response_topic *out = NULL;
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        int32_t partition = topic->partitions[i].partition_index;
        if (metadata_topic_partition(found, partition) != NULL) {
            known->partitions[known->partitions_count++] = topic->partitions[i];
            continue;
        }
        if (out == NULL)
            out = response_topic(request, known->name, known->topic_id, topic->partitions_count);
        refuse(out, partition, KERR_UNKNOWN_TOPIC_OR_PARTITION);
    }
    if (known->partitions_count == 0)
        return;
    struct offset_commit_response *response = request->response;
    commit->places[commit->known.topics_count++] = out != NULL ? response->topics_count - 1 : -1;
}

static void on_committed(struct completion *completion)
{
    struct offset_commit *commit = container_of(completion, struct offset_commit, completion);
    struct offset_commit_response *response = commit->request->response;
    for (int32_t t = 0; t < commit->answered.topics_count; t++) {
        const struct offset_commit_response_topic *topic = &commit->answered.topics[t];
        if (commit->places[t] < 0) {
            response->topics[response->topics_count++] = *topic;
            continue;
        }
        struct offset_commit_response_topic *out = &response->topics[commit->places[t]];
        for (int32_t p = 0; p < topic->partitions_count; p++)
            out->partitions[out->partitions_count++] = topic->partitions[p];
    }
    request_reply(commit->request);
}

void handle_offset_commit(struct request *request)
{
    const struct offset_commit_request *body = request->body;
    struct offset_commit_response *response = request->response;
    struct offset_commit *commit = arena_new(&request->arena, struct offset_commit);
    commit->completion.complete = on_committed;
    commit->request = request;
    commit->known = *body;
    commit->known.topics_count = 0;
    commit->known.topics =
        arena_array(&request->arena, struct offset_commit_request_topic, body->topics_count + 1);
    commit->places = arena_array(&request->arena, int32_t, body->topics_count + 1);
    response->topics = arena_array(&request->arena, struct offset_commit_response_topic,
                                   2 * (size_t)body->topics_count + 1);
    metadata_lock_read(request->node->metadata);
    for (int32_t i = 0; i < body->topics_count; i++)
        check_topic(commit, &body->topics[i]);
    metadata_unlock(request->node->metadata);
    if (commit->known.topics_count == 0) {
        request_reply(request);
        return;
    }
    group_coordinator_commit_offsets(request->node->groups, &commit->known, request->api_version,
                                     &commit->answered, &request->arena, &commit->completion);
}
