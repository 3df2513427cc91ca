// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
// The other half of topic_control.h: deleting topics, adding partitions.
#include "controller/partition_assignment.h"
#include "controller/placement.h"
#include "controller/topic_control.h"
#include "protocol/error_message.h"
#include "protocol/records/remove_topic.h"

// ---- deleting -----------------------------------------------------------------------------------------------

// Who was named how often, by name or by id.
struct mention {
    struct str name;
    struct uuid id;
    int times;
};

struct mentions {
    struct hashmap by_key;
    struct mention *items; // in the order of their first time
    int32_t count;
};

static void mention(struct mentions *mentions, const void *key, size_t size, struct str name,
                    struct uuid id)
{
    struct mention *at = hashmap_find(&mentions->by_key, key, size);
    if (at == NULL) {
        at = &mentions->items[mentions->count++];
        *at = (struct mention){ name, id, 0 };
        hashmap_put(&mentions->by_key,
                    name.data != NULL ? (const void *)at->name.data : at->id.bytes, size, at);
    }
    at->times++;
}

struct deleting {
    struct evaluation *evaluation;
    struct delete_topics_response *response;
    struct mentions names;
    struct mentions ids;
};

static void respond(struct deleting *deleting, struct str name, struct uuid id,
                    struct answer answer)
{
    struct delete_topics_response_deletable_topic_result *result =
        &deleting->response->responses[deleting->response->responses_count++];
    message_init(&delete_topics_response_deletable_topic_result_desc, result);
    result->name = name;
    result->topic_id = id;
    result->error_code = (int16_t)answer.error;
    result->error_message = answer_message(answer);
}

static void remove_topic(struct deleting *deleting, const struct metadata_topic *topic)
{
    struct remove_topic_record *record =
        metadata_entries_add(&deleting->evaluation->records, METADATA_RECORD_REMOVE_TOPIC, 0);
    record->topic_id = topic->id;
}

static void collect(struct deleting *deleting, const struct delete_topics_request *request)
{
    for (int32_t i = 0; i < request->topic_names_count; i++)
        mention(&deleting->names, request->topic_names[i].data, request->topic_names[i].size,
                request->topic_names[i], UUID_ZERO);
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct delete_topics_request_delete_topic_state *topic = &request->topics[i];
        bool has_id = !uuid_is_zero(topic->topic_id);
        if (topic->name.data == NULL && !has_id)
            respond(deleting, STR_NULL, UUID_ZERO,
                    (struct answer){ KERR_INVALID_REQUEST,
                                     "Neither topic name nor id were specified." });
        else if (topic->name.data != NULL && has_id)
            respond(deleting, topic->name, topic->topic_id,
                    (struct answer){ KERR_INVALID_REQUEST,
                                     "You may not specify both topic name and topic id." });
        else if (has_id)
            mention(&deleting->ids, topic->topic_id.bytes, sizeof topic->topic_id.bytes, STR_NULL,
                    topic->topic_id);
        else
            mention(&deleting->names, topic->name.data, topic->name.size, topic->name, UUID_ZERO);
    }
    for (int32_t i = 0; i < deleting->names.count; i++)
        if (deleting->names.items[i].times > 1)
            respond(deleting, deleting->names.items[i].name, UUID_ZERO,
                    (struct answer){ KERR_INVALID_REQUEST, "Duplicate topic name." });
    for (int32_t i = 0; i < deleting->ids.count; i++)
        if (deleting->ids.items[i].times > 1)
            respond(deleting, STR_NULL, deleting->ids.items[i].id,
                    (struct answer){ KERR_INVALID_REQUEST, "Duplicate topic id." });
}

// By id; a topic that is named as well is answered with the name, below.
static void delete_by_id(struct deleting *deleting)
{
    const struct metadata *metadata = deleting->evaluation->metadata;
    for (int32_t i = 0; i < deleting->ids.count; i++) {
        const struct mention *at = &deleting->ids.items[i];
        if (at->times > 1)
            continue;
        const struct metadata_topic *topic = metadata_find_topic_by_id(metadata, at->id);
        if (topic == NULL) {
            respond(deleting, STR_NULL, at->id,
                    (struct answer){ KERR_UNKNOWN_TOPIC_ID,
                                     kafka_error_message(KERR_UNKNOWN_TOPIC_ID) });
            continue;
        }
        const struct mention *named =
            hashmap_find(&deleting->names.by_key, topic->name, topic->name_size);
        if (named != NULL && named->times == 1)
            continue;
        remove_topic(deleting, topic);
        respond(deleting, arena_strz(deleting->evaluation->arena, topic->name), topic->id,
                ANSWER_OK);
    }
}

static void delete_by_name(struct deleting *deleting)
{
    const struct metadata *metadata = deleting->evaluation->metadata;
    for (int32_t i = 0; i < deleting->names.count; i++) {
        const struct mention *at = &deleting->names.items[i];
        if (at->times > 1)
            continue;
        const struct metadata_topic *topic = metadata_find_topic(metadata, at->name);
        if (topic == NULL) {
            respond(deleting, at->name, UUID_ZERO,
                    (struct answer){ KERR_UNKNOWN_TOPIC_OR_PARTITION,
                                     kafka_error_message(KERR_UNKNOWN_TOPIC_OR_PARTITION) });
            continue;
        }
        if (hashmap_find(&deleting->ids.by_key, topic->id.bytes, sizeof topic->id.bytes) != NULL) {
            respond(deleting, at->name, topic->id,
                    (struct answer){
                        KERR_INVALID_REQUEST,
                        "The provided topic name maps to an ID that was already supplied." });
            continue;
        }
        remove_topic(deleting, topic);
        respond(deleting, at->name, topic->id, ANSWER_OK);
    }
}

struct answer delete_topics(struct evaluation *evaluation, int16_t version,
                            const struct delete_topics_request *request,
                            struct delete_topics_response *response)
{
    enum { DISABLED_ERROR_SINCE = 3 };
    if (!config_bool(evaluation->config, CONFIG_DELETE_TOPIC_ENABLE))
        return version < DISABLED_ERROR_SINCE
                   ? (struct answer){ KERR_INVALID_REQUEST, "Topic deletion is disabled." }
                   : (struct answer){ KERR_TOPIC_DELETION_DISABLED, NULL };
    size_t most = (size_t)request->topics_count +
                  (size_t)(request->topic_names_count > 0 ? request->topic_names_count : 0);
    struct deleting deleting = { .evaluation = evaluation, .response = response };
    deleting.names.items = arena_array(evaluation->arena, struct mention, most + 1);
    deleting.ids.items = arena_array(evaluation->arena, struct mention, most + 1);
    hashmap_init(&deleting.names.by_key);
    hashmap_init(&deleting.ids.by_key);
    response->responses = arena_array(
        evaluation->arena, struct delete_topics_response_deletable_topic_result, most + 1);
    collect(&deleting, request);
    delete_by_id(&deleting);
    delete_by_name(&deleting);
    hashmap_fini(&deleting.names.by_key);
    hashmap_fini(&deleting.ids.by_key);
    return ANSWER_OK;
}

// ---- more partitions ----------------------------------------------------------------------------------------

static struct answer choose(struct evaluation *evaluation,
                            const struct create_partitions_request_create_partitions_topic *request,
                            int32_t first, int32_t additional, int32_t replication_factor,
                            struct assignment *assignments)
{
    if (request->assignments_count >= 0) {
        for (int32_t i = 0; i < additional; i++) {
            assignments[i] = (struct assignment){ request->assignments[i].broker_ids,
                                                  request->assignments[i].broker_ids_count };
            struct answer answer =
                assignment_check(evaluation, &assignments[i], replication_factor);
            if (answer.error != KERR_NONE)
                return answer;
            if (!assignment_has_active(evaluation, &assignments[i]))
                return (struct answer){
                    KERR_INVALID_REPLICA_ASSIGNMENT,
                    arena_printf(evaluation->arena,
                                 "All brokers specified in the manual partition assignment for "
                                 "partition %d are fenced or in controlled shutdown.",
                                 first + i)
                };
        }
        return ANSWER_OK;
    }
    int32_t *replicas =
        arena_array(evaluation->arena, int32_t, (size_t)additional * (size_t)replication_factor);
    struct answer answer = placement_choose(evaluation, additional, replication_factor, replicas);
    for (int32_t i = 0; answer.error == KERR_NONE && i < additional; i++) {
        assignments[i] = (struct assignment){ replicas + (size_t)i * (size_t)replication_factor,
                                              replication_factor };
        if (!assignment_has_active(evaluation, &assignments[i]))
            answer = (struct answer){
                KERR_INVALID_REPLICATION_FACTOR,
                arena_printf(evaluation->arena,
                             "Unable to replicate the partition %d time(s): All brokers are "
                             "currently fenced or in controlled shutdown.",
                             replication_factor)
            };
    }
    return answer;
}

static struct answer grow(struct evaluation *evaluation,
                          const struct create_partitions_request_create_partitions_topic *request)
{
    const struct metadata_topic *topic = metadata_find_topic(evaluation->metadata, request->name);
    if (topic == NULL)
        return (struct answer){ KERR_UNKNOWN_TOPIC_OR_PARTITION, NULL };
    int32_t present = topic->partitions_count;
    if (request->count == present)
        return (struct answer){ KERR_INVALID_PARTITIONS,
                                arena_printf(evaluation->arena,
                                             "Topic already has %d partition(s).", present) };
    if (request->count < present)
        return (struct answer){
            KERR_INVALID_PARTITIONS,
            arena_printf(evaluation->arena,
                         "The topic %.*s currently has %d partition(s); %d would not be an "
                         "increase.",
                         STR_ARG(request->name), present, request->count)
        };
    int32_t additional = request->count - present;
    if (request->assignments_count >= 0 && request->assignments_count != additional)
        return (struct answer){
            KERR_INVALID_REPLICA_ASSIGNMENT,
            arena_printf(evaluation->arena,
                         "Attempted to add %d additional partition(s), but only %d assignment(s) "
                         "were specified.",
                         additional, request->assignments_count)
        };
    if (present == 0 || topic->partitions[0].replicas_count == 0)
        return (
            struct answer){ KERR_UNKNOWN_SERVER_ERROR,
                            arena_printf(evaluation->arena,
                                         "Invalid state: topic %.*s appears to have no partitions.",
                                         STR_ARG(request->name)) };
    if ((size_t)additional + evaluation->records.count > RECORDS_PER_OPERATION_MAX)
        return (struct answer){ KERR_UNKNOWN_SERVER_ERROR,
                                NULL }; // Kafka's words for too large an operation here
    struct assignment *assignments = arena_array(evaluation->arena, struct assignment, additional);
    struct answer answer = choose(evaluation, request, present, additional,
                                  topic->partitions[0].replicas_count, assignments);
    for (int32_t i = 0; answer.error == KERR_NONE && i < additional; i++)
        assignment_add_partition(evaluation, topic->id, present + i, &assignments[i]);
    return answer;
}

struct answer create_partitions(struct evaluation *evaluation,
                                const struct create_partitions_request *request,
                                struct create_partitions_response *response)
{
    struct arena *arena = evaluation->arena;
    response->results =
        arena_array(arena, struct create_partitions_response_create_partitions_topic_result,
                    request->topics_count + 1);
    struct hashmap times;
    hashmap_init(&times);
    // Times a name stands in the request, as a count behind a pointer.
    int32_t *counts = arena_array(arena, int32_t, request->topics_count + 1);
    for (int32_t i = 0; i < request->topics_count; i++) {
        struct str name = request->topics[i].name;
        int32_t *count = hashmap_find(&times, name.data, name.size);
        if (count == NULL) {
            count = &counts[i];
            hashmap_put(&times, name.data, name.size, count);
        }
        (*count)++;
    }
    // Kafka answers duplicates first.
    for (int round = 0; round < 2; round++) {
        for (int32_t i = 0; i < request->topics_count; i++) {
            const struct create_partitions_request_create_partitions_topic *topic =
                &request->topics[i];
            const int32_t *count = hashmap_find(&times, topic->name.data, topic->name.size);
            bool is_duplicate = *count > 1;
            if (count != &counts[i] || is_duplicate != (round == 0))
                continue;
            struct answer answer =
                is_duplicate ? (struct answer){ KERR_INVALID_REQUEST, "Duplicate topic name." }
                             : grow(evaluation, topic);
            struct create_partitions_response_create_partitions_topic_result *result =
                &response->results[response->results_count++];
            message_init(&create_partitions_response_create_partitions_topic_result_desc, result);
            result->name = topic->name;
            result->error_code = (int16_t)answer.error;
            result->error_message = answer_message(answer);
        }
    }
    hashmap_fini(&times);
    if (request->validate_only)
        metadata_entries_cut(&evaluation->records, 0);
    return ANSWER_OK;
}
