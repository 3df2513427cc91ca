// SPDX-License-Identifier: Apache-2.0
// OffsetCommit: topics and partitions are checked here, against the metadata image; what is left goes to the group.
//
//     request ──> known partitions ──> group ──┐
//             └─> unknown ones: their error ───┴──> response: if some are unknown they come first, and each topic
//                                                   is there once (topic_slots.h); else as the group answers
#include "api/dispatch.h"
#include "api/node.h"
#include "api/topic_slots.h"
#include "group/group_coordinator.h"
#include "metadata/metadata.h"

enum { VERSION_TOPIC_IDS = 10 };

struct offset_commit {
    struct completion completion;
    struct request *request;
    struct offset_commit_request known;     // the request, with the partitions that exist
    struct offset_commit_response answered; // for them, by the group
    int32_t *known_at;                      // which topics of the request the known ones are
    struct topic_slot **slots; // of the topics of the request; NULL: nothing is refused
};

static void add_partition(struct offset_commit_response_topic *out, int32_t partition,
                          int16_t error)
{
    out->partitions[out->partitions_count++] =
        (struct offset_commit_response_partition){ .partition_index = partition,
                                                   .error_code = error };
}

static struct topic_slot **slots_of(struct request *request)
{
    const struct offset_commit_request *body = request->body;
    bool by_id = request->api_version >= VERSION_TOPIC_IDS;
    struct topic_key *keys = arena_array(&request->arena, struct topic_key, body->topics_count + 1);
    for (int32_t i = 0; i < body->topics_count; i++) {
        const struct offset_commit_request_topic *topic = &body->topics[i];
        keys[i] = by_id ? (struct topic_key){ topic->topic_id.bytes, sizeof topic->topic_id.bytes,
                                              topic->partitions_count }
                        : (struct topic_key){ topic->name.data, topic->name.size,
                                              topic->partitions_count };
    }
    return topic_slots(keys, body->topics_count, &request->arena);
}

// The entry in the response of topic `at` of the request, with room for all partitions that are named of it.
static struct offset_commit_response_topic *response_topic(struct offset_commit *commit, int32_t at,
                                                           struct str name, struct uuid id)
{
    struct request *request = commit->request;
    struct offset_commit_response *response = request->response;
    if (commit->slots == NULL)
        commit->slots = slots_of(request);
    struct topic_slot *slot = commit->slots[at];
    if (slot->place < 0) {
        slot->place = response->topics_count++;
        response->topics[slot->place] = (struct offset_commit_response_topic){
            .name = name,
            .topic_id = id,
            .partitions = arena_array(&request->arena, struct offset_commit_response_partition,
                                      slot->room + 1),
        };
    }
    return &response->topics[slot->place];
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

static void refuse_topic(struct offset_commit *commit, int32_t at,
                         const struct offset_commit_request_topic *topic)
{
    struct offset_commit_response_topic *out =
        response_topic(commit, at, topic->name, topic->topic_id);
    bool by_id = commit->request->api_version >= VERSION_TOPIC_IDS;
    for (int32_t i = 0; i < topic->partitions_count; i++)
        add_partition(out, topic->partitions[i].partition_index,
                      by_id ? KERR_UNKNOWN_TOPIC_ID : KERR_UNKNOWN_TOPIC_OR_PARTITION);
}

// Splits one topic of the request, under the metadata lock.
static void check_topic(struct offset_commit *commit, int32_t at,
                        struct offset_commit_request_topic *topic)
{
    struct request *request = commit->request;
    const struct metadata_topic *found = find_topic(request, topic);
    if (found == NULL) {
        refuse_topic(commit, at, topic);
        return;
    }
    struct offset_commit_request_topic *known = &commit->known.topics[commit->known.topics_count];
    known->name = arena_str(&request->arena, (struct str){ found->name, found->name_size });
    known->topic_id = found->id;
    known->partitions = arena_array(&request->arena, struct offset_commit_request_partition,
                                    topic->partitions_count + 1);
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        int32_t partition = topic->partitions[i].partition_index;
        if (metadata_topic_partition(found, partition) != NULL)
            known->partitions[known->partitions_count++] = topic->partitions[i];
        else
            add_partition(response_topic(commit, at, known->name, known->topic_id), partition,
                          KERR_UNKNOWN_TOPIC_OR_PARTITION);
    }
    if (known->partitions_count > 0)
        commit->known_at[commit->known.topics_count++] = at;
}

static void on_committed(struct completion *completion)
{
    struct offset_commit *commit = container_of(completion, struct offset_commit, completion);
    struct offset_commit_response *response = commit->request->response;
    if (commit->slots == NULL) {
        response->topics = commit->answered.topics;
        response->topics_count = commit->answered.topics_count;
        request_reply(commit->request);
        return;
    }
    for (int32_t t = 0; t < commit->answered.topics_count; t++) {
        const struct offset_commit_response_topic *topic = &commit->answered.topics[t];
        struct offset_commit_response_topic *out =
            response_topic(commit, commit->known_at[t], topic->name, topic->topic_id);
        for (int32_t p = 0; p < topic->partitions_count; p++)
            add_partition(out, topic->partitions[p].partition_index,
                          topic->partitions[p].error_code);
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
    commit->known_at = arena_array(&request->arena, int32_t, body->topics_count + 1);
    response->topics =
        arena_array(&request->arena, struct offset_commit_response_topic, body->topics_count + 1);
    metadata_lock_read(request->node->metadata);
    for (int32_t i = 0; i < body->topics_count; i++)
        check_topic(commit, i, &body->topics[i]);
    metadata_unlock(request->node->metadata);
    if (commit->known.topics_count == 0) {
        request_reply(request);
        return;
    }
    group_coordinator_commit_offsets(request->node->groups, &commit->known, request->api_version,
                                     &commit->answered, &request->arena, &commit->completion);
}
