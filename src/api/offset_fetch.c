// SPDX-License-Identifier: Apache-2.0
// OffsetFetch: the committed offsets of one group, or since v8 of many (KIP-709). Since v10 topics are named by their
// ids: those of the request are resolved here before the group is asked, those of an answer for all topics after.
#include <stdatomic.h>

#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"
#include "metadata/metadata.h"

enum { VERSION_ERROR_CODE = 2, VERSION_GROUPS = 8, VERSION_TOPIC_IDS = 10 };

struct offset_fetch;

struct offset_fetch_part {
    struct completion completion;
    struct offset_fetch *fetch;
    struct offset_fetch_request_group asked; // its topics are those that are known
    struct offset_fetch_request_group *original;
    struct offset_fetch_response_group answer;
};

struct offset_fetch {
    struct request *request;
    atomic_int left; // groups not yet answered, and one for the handler itself
    struct offset_fetch_part *parts;
    int32_t count;
};

// ---- answers ---------------------------------------------------------------------------------------

static struct offset_fetch_response_topics
unknown_topic(const struct offset_fetch_request_topics *topic, struct arena *arena)
{
    struct offset_fetch_response_topics out = { .name = topic->name, .topic_id = topic->topic_id };
    out.partitions = arena_array(arena, struct offset_fetch_response_partitions,
                                 topic->partition_indexes_count + 1);
    for (int32_t i = 0; i < topic->partition_indexes_count; i++)
        out.partitions[out.partitions_count++] = (struct offset_fetch_response_partitions){
            .partition_index = topic->partition_indexes[i],
            .committed_offset = -1,
            .committed_leader_epoch = -1,
            .metadata = str_of(""),
            .error_code = KERR_UNKNOWN_TOPIC_ID,
        };
    return out;
}

// Behind what the group answered: the topics whose id nobody knows.
static void add_unknown_topics(struct offset_fetch_part *part, struct arena *arena)
{
    int32_t unknown = part->original->topics_count - part->asked.topics_count;
    if (unknown <= 0)
        return;
    struct offset_fetch_response_group *answer = &part->answer;
    struct offset_fetch_response_topics *topics =
        arena_array(arena, struct offset_fetch_response_topics, answer->topics_count + unknown);
    for (int32_t i = 0; i < answer->topics_count; i++)
        topics[i] = answer->topics[i];
    for (int32_t i = 0; i < part->original->topics_count; i++)
        if (str_is_null(part->original->topics[i].name))
            topics[answer->topics_count++] = unknown_topic(&part->original->topics[i], arena);
    answer->topics = topics;
}

// All topics of the group were asked for, by a client that knows them by id: those without one are left out.
static void add_topic_ids(struct offset_fetch_part *part, struct metadata *metadata)
{
    struct offset_fetch_response_group *answer = &part->answer;
    int32_t kept = 0;
    metadata_lock_read(metadata);
    for (int32_t i = 0; i < answer->topics_count; i++) {
        const struct metadata_topic *topic = metadata_find_topic(metadata, answer->topics[i].name);
        if (topic == NULL)
            continue;
        answer->topics[kept] = answer->topics[i];
        answer->topics[kept++].topic_id = topic->id;
    }
    metadata_unlock(metadata);
    answer->topics_count = kept;
}

// Before v2 an error could only be told of a partition.
static void spread_error(const struct offset_fetch_request *body,
                         struct offset_fetch_response_group *answer, struct arena *arena)
{
    answer->topics_count = 0;
    answer->topics =
        arena_array(arena, struct offset_fetch_response_topics, body->topics_count + 1);
    for (int32_t t = 0; t < body->topics_count; t++) {
        struct offset_fetch_request_topics topic = {
            .name = body->topics[t].name,
            .partition_indexes = body->topics[t].partition_indexes,
            .partition_indexes_count = body->topics[t].partition_indexes_count,
        };
        struct offset_fetch_response_topics *out = &answer->topics[answer->topics_count++];
        *out = unknown_topic(&topic, arena);
        for (int32_t p = 0; p < out->partitions_count; p++)
            out->partitions[p].error_code = answer->error_code;
    }
    answer->error_code = KERR_NONE;
}

static void fill_single(struct request *request, struct offset_fetch_response_group *answer)
{
    struct offset_fetch_response *response = request->response;
    if (request->api_version < VERSION_ERROR_CODE && answer->error_code != KERR_NONE)
        spread_error(request->body, answer, &request->arena);
    response->error_code = answer->error_code;
    response->topics =
        arena_array(&request->arena, struct offset_fetch_response_topic, answer->topics_count + 1);
    for (int32_t t = 0; t < answer->topics_count; t++) {
        const struct offset_fetch_response_topics *topic = &answer->topics[t];
        struct offset_fetch_response_topic *out = &response->topics[response->topics_count++];
        out->name = topic->name;
        out->partitions = arena_array(&request->arena, struct offset_fetch_response_partition,
                                      topic->partitions_count + 1);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            const struct offset_fetch_response_partitions *at = &topic->partitions[p];
            out->partitions[out->partitions_count++] = (struct offset_fetch_response_partition){
                .partition_index = at->partition_index,
                .committed_offset = at->committed_offset,
                .committed_leader_epoch = at->committed_leader_epoch,
                .metadata = at->metadata,
                .error_code = at->error_code,
            };
        }
    }
}

static void finish(struct offset_fetch *fetch)
{
    struct request *request = fetch->request;
    struct offset_fetch_response *response = request->response;
    for (int32_t i = 0; i < fetch->count; i++) {
        struct offset_fetch_part *part = &fetch->parts[i];
        if (part->answer.error_code != KERR_NONE)
            part->answer.topics_count = 0;
        else if (request->api_version >= VERSION_TOPIC_IDS && part->asked.topics_count < 0)
            add_topic_ids(part, request->node->metadata);
        else
            add_unknown_topics(part, &request->arena);
    }
    if (request->api_version < VERSION_GROUPS) {
        fill_single(request, &fetch->parts[0].answer);
    } else {
        response->groups =
            arena_array(&request->arena, struct offset_fetch_response_group, fetch->count + 1);
        for (int32_t i = 0; i < fetch->count; i++)
            response->groups[response->groups_count++] = fetch->parts[i].answer;
    }
    request_reply(request);
}

static void release(struct offset_fetch *fetch)
{
    if (atomic_fetch_sub(&fetch->left, 1) == 1)
        finish(fetch);
}

static void on_fetched(struct completion *completion)
{
    release(container_of(completion, struct offset_fetch_part, completion)->fetch);
}

// ---- requests --------------------------------------------------------------------------------------

// Names the topics by their ids; those that are unknown keep a null name and are not asked for.
static void resolve(struct offset_fetch_part *part, struct request *request)
{
    struct offset_fetch_request_group *group = part->original;
    struct metadata *metadata = request->node->metadata;
    part->asked.topics =
        arena_array(&request->arena, struct offset_fetch_request_topics, group->topics_count + 1);
    part->asked.topics_count = 0;
    metadata_lock_read(metadata);
    for (int32_t i = 0; i < group->topics_count; i++) {
        struct offset_fetch_request_topics *topic = &group->topics[i];
        const struct metadata_topic *found = metadata_find_topic_by_id(metadata, topic->topic_id);
        topic->name = found == NULL ? STR_NULL
                                    : arena_str(&request->arena,
                                                (struct str){ found->name, found->name_size });
        if (found != NULL)
            part->asked.topics[part->asked.topics_count++] = *topic;
    }
    metadata_unlock(metadata);
}

// The request of before v8, as a group of v8.
static struct offset_fetch_request_group *single_group(struct request *request)
{
    const struct offset_fetch_request *body = request->body;
    struct offset_fetch_request_group *group =
        arena_new(&request->arena, struct offset_fetch_request_group);
    group->group_id = body->group_id;
    group->member_epoch = -1;
    group->topics_count = body->topics_count;
    if (body->topics_count >= 0)
        group->topics = arena_array(&request->arena, struct offset_fetch_request_topics,
                                    body->topics_count + 1);
    for (int32_t i = 0; i < body->topics_count; i++) {
        group->topics[i].name = body->topics[i].name;
        group->topics[i].partition_indexes = body->topics[i].partition_indexes;
        group->topics[i].partition_indexes_count = body->topics[i].partition_indexes_count;
    }
    return group;
}

void handle_offset_fetch(struct request *request)
{
    struct offset_fetch_request *body = request->body;
    struct offset_fetch_request_group *groups = body->groups;
    struct offset_fetch *fetch = arena_new(&request->arena, struct offset_fetch);
    fetch->request = request;
    fetch->count = body->groups_count;
    if (request->api_version < VERSION_GROUPS) {
        groups = single_group(request);
        fetch->count = 1;
    }
    fetch->parts = arena_array(&request->arena, struct offset_fetch_part, fetch->count + 1);
    atomic_init(&fetch->left, fetch->count + 1);
    for (int32_t i = 0; i < fetch->count; i++) {
        struct offset_fetch_part *part = &fetch->parts[i];
        part->completion.complete = on_fetched;
        part->fetch = fetch;
        part->original = &groups[i];
        part->asked = groups[i];
        if (request->api_version >= VERSION_TOPIC_IDS && groups[i].topics_count >= 0)
            resolve(part, request);
        group_coordinator_fetch_offsets(request->node->groups, &part->asked, body->require_stable,
                                        &part->answer, &request->arena, &part->completion);
    }
    release(fetch);
}
