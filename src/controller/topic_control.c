// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/topic_control.h"

#include "base/must.h"
#include "config/log_config.h"
#include "controller/config_control.h"
#include "controller/partition_assignment.h"
#include "controller/placement.h"
#include "controller/topic_configs.h"
#include "metadata/feature_versions.h"
#include "protocol/records/topic.h"

// ---- which topics of the request count ----------------------------------------------------------------------

// How often a name stands in the request.
struct named {
    struct str name;
    int times;
    int32_t first; // index of the first
};

static struct hashmap count_names(const struct create_topics_request *request, struct named *named)
{
    struct hashmap by_name;
    hashmap_init(&by_name);
    for (int32_t i = 0; i < request->topics_count; i++) {
        struct str name = request->topics[i].name;
        struct named *at = hashmap_find(&by_name, name.data, name.size);
        if (at == NULL) {
            at = &named[i];
            *at = (struct named){ name, 0, i };
            hashmap_put(&by_name, name.data, name.size, at);
        }
        at->times++;
    }
    return by_name;
}

static bool is_too_many(struct evaluation *evaluation, const struct create_topics_request *request)
{
    int64_t total = 0;
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct create_topics_request_creatable_topic *topic = &request->topics[i];
        if (topic->assignments_count > 0)
            total += topic->assignments_count;
        else if (topic->num_partitions == -1)
            total += config_int(evaluation->config, CONFIG_NUM_PARTITIONS);
        else if (topic->num_partitions > 0)
            total += topic->num_partitions;
    }
    return total > RECORDS_PER_OPERATION_MAX;
}

// ---- one topic: checks --------------------------------------------------------------------------------------

static struct answer check_name(struct evaluation *evaluation, struct str name)
{
    struct answer answer = ANSWER_OK;
    const char *fault = topic_name_fault(name, evaluation->arena);
    if (fault != NULL)
        answer =
            (struct answer){ KERR_INVALID_TOPIC_EXCEPTION,
                             arena_printf(evaluation->arena, "Topic name is invalid: %s", fault) };
    struct str colliding = topic_names_find(evaluation->topic_names, name);
    if (colliding.data != NULL)
        answer = (struct answer){ KERR_INVALID_TOPIC_EXCEPTION,
                                  arena_printf(evaluation->arena,
                                               "Topic '%.*s' collides with existing topic: %.*s",
                                               STR_ARG(name), STR_ARG(colliding)) };
    if (metadata_find_topic(evaluation->metadata, name) != NULL)
        answer = (struct answer){ KERR_TOPIC_ALREADY_EXISTS,
                                  arena_printf(evaluation->arena, "Topic '%.*s' already exists.",
                                               STR_ARG(name)) };
    return answer;
}

// The overrides of the new topic, the last of a name counting.
struct overrides {
    struct config_entry *items;
    size_t count;
};

static struct answer take_overrides(struct evaluation *evaluation,
                                    const struct create_topics_request_creatable_topic *topic,
                                    struct overrides *out)
{
    enum { VALUE_SIZE_MAX = INT16_MAX };
    out->items = arena_array(evaluation->arena, struct config_entry, topic->configs_count + 1);
    struct strbuf nulls = STRBUF_EMPTY;
    for (int32_t i = 0; i < topic->configs_count; i++) {
        struct config_entry entry = { topic->configs[i].name, topic->configs[i].value };
        if (entry.value.data == NULL) {
            strbuf_printf(&nulls, "%s%.*s", nulls.size > 0 ? "," : "", STR_ARG(entry.name));
            continue;
        }
        size_t at = 0;
        while (at < out->count && !str_eq(out->items[at].name, entry.name))
            at++;
        out->items[at] = entry;
        out->count += at == out->count;
    }
    struct answer answer = ANSWER_OK;
    if (nulls.size > 0)
        answer = (struct answer){ KERR_INVALID_CONFIG,
                                  arena_printf(evaluation->arena,
                                               "Null value not supported for topic configs: %s",
                                               nulls.data) };
    strbuf_fini(&nulls);
    for (size_t i = 0; answer.error == KERR_NONE && i < out->count; i++)
        if (out->items[i].value.size > VALUE_SIZE_MAX)
            answer = (struct answer){
                KERR_INVALID_CONFIG,
                "The configuration value cannot be added because it exceeds the maximum value "
                "size of 32767 bytes."
            };
    struct strbuf message = STRBUF_EMPTY;
    if (answer.error == KERR_NONE && out->count > 0 &&
        !log_config_validate(evaluation->config, out->items, out->count, false, &message))
        answer = (struct answer){ KERR_INVALID_CONFIG,
                                  arena_str(evaluation->arena, strbuf_str(&message)).data };
    strbuf_fini(&message);
    return answer;
}

// ---- one topic: partitions ----------------------------------------------------------------------------------

static struct answer assign_manually(struct evaluation *evaluation,
                                     const struct create_topics_request_creatable_topic *topic,
                                     struct assignment *assignments)
{
    if (topic->replication_factor != -1)
        return (struct answer){
            KERR_INVALID_REQUEST,
            "A manual partition assignment was specified, but replication factor was not set to "
            "-1."
        };
    if (topic->num_partitions != -1)
        return (struct answer){
            KERR_INVALID_REQUEST,
            "A manual partition assignment was specified, but numPartitions was not set to -1."
        };
    bool is_consecutive = true;
    for (int32_t i = 0; i < topic->assignments_count; i++) {
        const struct create_topics_request_creatable_replica_assignment *given =
            &topic->assignments[i];
        int32_t index = given->partition_index;
        if (index >= 0 && index < topic->assignments_count && assignments[index].replicas != NULL)
            return (struct answer){
                KERR_INVALID_REPLICA_ASSIGNMENT,
                arena_printf(evaluation->arena,
                             "Found multiple manual partition assignments for partition %d", index)
            };
        struct assignment assignment = { given->broker_ids, given->broker_ids_count };
        int32_t expected = i == 0 ? -1 : topic->assignments[0].broker_ids_count;
        struct answer answer = assignment_check(evaluation, &assignment, expected);
        if (answer.error != KERR_NONE)
            return answer;
        if (!assignment_has_active(evaluation, &assignment))
            return (struct answer){
                KERR_INVALID_REPLICA_ASSIGNMENT,
                arena_printf(evaluation->arena,
                             "All brokers specified in the manual partition assignment for "
                             "partition %d are fenced or in controlled shutdown.",
                             index)
            };
        if (index >= 0 && index < topic->assignments_count)
            assignments[index] = assignment;
        else
            is_consecutive = false;
    }
    if (!is_consecutive)
        return (struct answer){ KERR_INVALID_REPLICA_ASSIGNMENT,
                                "partitions should be a consecutive 0-based integer sequence" };
    return ANSWER_OK;
}

static struct answer assign_by_placement(struct evaluation *evaluation, int32_t partitions,
                                         int32_t replication_factor, struct assignment *assignments)
{
    int32_t *replicas =
        arena_array(evaluation->records.arena, int32_t,
                    (size_t)partitions * (size_t)(replication_factor > 0 ? replication_factor : 1));
    struct answer answer = placement_choose(evaluation, partitions, replication_factor, replicas);
    if (answer.error != KERR_NONE) {
        answer.message =
            arena_printf(evaluation->arena, "Unable to replicate the partition %d time(s): %s",
                         replication_factor, answer.message);
        return answer;
    }
    for (int32_t i = 0; i < partitions; i++) {
        assignments[i] = (struct assignment){ replicas + (size_t)i * (size_t)replication_factor,
                                              replication_factor };
        if (!assignment_has_active(evaluation, &assignments[i]))
            return (struct answer){
                KERR_INVALID_REPLICATION_FACTOR,
                arena_printf(evaluation->arena,
                             "Unable to replicate the partition %d time(s): All brokers are "
                             "currently fenced or in controlled shutdown.",
                             replication_factor)
            };
    }
    return ANSWER_OK;
}

static struct answer choose_partitions(struct evaluation *evaluation,
                                       const struct create_topics_request_creatable_topic *topic,
                                       struct assignment **assignments, int32_t *count)
{
    if (topic->assignments_count > 0) {
        *count = topic->assignments_count;
        *assignments = arena_array(evaluation->arena, struct assignment, *count);
        return assign_manually(evaluation, topic, *assignments);
    }
    if (topic->replication_factor < -1 || topic->replication_factor == 0)
        return (struct answer){
            KERR_INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value."
        };
    if (topic->num_partitions < -1 || topic->num_partitions == 0)
        return (struct answer){ KERR_INVALID_PARTITIONS,
                                "Number of partitions was set to an invalid non-positive value." };
    *count = topic->num_partitions == -1 ? config_int(evaluation->config, CONFIG_NUM_PARTITIONS)
                                         : topic->num_partitions;
    int32_t replication_factor =
        topic->replication_factor == -1
            ? (int32_t)config_long(evaluation->config, CONFIG_DEFAULT_REPLICATION_FACTOR)
            : topic->replication_factor;
    *assignments = arena_array(evaluation->arena, struct assignment, *count);
    return assign_by_placement(evaluation, *count, replication_factor, *assignments);
}

// ---- one topic: records and result --------------------------------------------------------------------------

static void add_records(struct evaluation *evaluation,
                        const struct create_topics_request_creatable_topic *topic, struct uuid id,
                        const struct overrides *overrides, const struct assignment *assignments,
                        int32_t count)
{
    struct topic_record *record =
        metadata_entries_add(&evaluation->records, METADATA_RECORD_TOPIC, 0);
    record->name = topic->name;
    record->topic_id = id;
    for (size_t i = 0; i < overrides->count; i++)
        add_config_record(&evaluation->records, CONFIG_RESOURCE_TOPIC, topic->name,
                          overrides->items[i].name, overrides->items[i].value);
    for (int32_t i = 0; i < count; i++)
        assignment_add_partition(evaluation, id, i, &assignments[i]);
}

static void add_configs(struct evaluation *evaluation, const struct overrides *overrides,
                        struct create_topics_response_creatable_topic_result *result)
{
    const enum topic_key *keys = topic_keys_by_name();
    result->configs = arena_array(
        evaluation->arena, struct create_topics_response_creatable_topic_configs, TOPIC_KEY_COUNT);
    for (int i = 0; i < TOPIC_KEY_COUNT; i++) {
        const struct config_def *def = topic_def_of(keys[i]);
        struct topic_config config =
            topic_config_effective(evaluation, keys[i], overrides->items, overrides->count);
        if (def->internal && config.source != CONFIG_SOURCE_TOPIC)
            continue;
        result->configs[result->configs_count++] =
            (struct create_topics_response_creatable_topic_configs){
                .name = str_of(def->name),
                .value = config.value,
                .config_source = (int8_t)config.source,
            };
    }
}

static struct answer create_topic(struct evaluation *evaluation,
                                  const struct create_topics_request_creatable_topic *topic,
                                  struct create_topics_response_creatable_topic_result *result)
{
    struct answer answer = check_name(evaluation, topic->name);
    struct overrides overrides = { NULL, 0 };
    struct assignment *assignments = NULL;
    int32_t count = 0;
    if (answer.error == KERR_NONE)
        answer = take_overrides(evaluation, topic, &overrides);
    if (answer.error == KERR_NONE)
        answer = choose_partitions(evaluation, topic, &assignments, &count);
    if (answer.error != KERR_NONE)
        return answer;
    result->topic_id = evaluation_uuid(evaluation);
    result->num_partitions = count;
    result->replication_factor = (int16_t)assignments[0].count;
    add_configs(evaluation, &overrides, result);
    add_records(evaluation, topic, result->topic_id, &overrides, assignments, count);
    return ANSWER_OK;
}

static void result_init(struct create_topics_response_creatable_topic_result *result,
                        struct str name)
{
    message_init(&create_topics_response_creatable_topic_result_desc, result);
    result->name = name;
    result->error_message = STR_NULL;
}

static void result_fail(struct create_topics_response_creatable_topic_result *result,
                        struct answer answer)
{
    result_init(result, result->name);
    result->error_code = (int16_t)answer.error;
    result->error_message = answer_message(answer);
}

struct answer create_topics(struct evaluation *evaluation,
                            const struct create_topics_request *request,
                            struct create_topics_response *response)
{
    if (is_too_many(evaluation, request))
        return (struct answer){ KERR_POLICY_VIOLATION,
                                "Excessively large number of partitions per request." };
    struct named *named = arena_array(evaluation->arena, struct named, request->topics_count + 1);
    struct hashmap by_name = count_names(request, named);
    response->topics =
        arena_array(evaluation->arena, struct create_topics_response_creatable_topic_result,
                    request->topics_count + 1);
    // Kafka answers in this order: what was tried, names given twice, the name that is no one's.
    enum { TRIED, DUPLICATES, RESERVED, ROUNDS };
    for (int round = TRIED; round < ROUNDS; round++) {
        for (int32_t i = 0; i < request->topics_count; i++) {
            struct str name = request->topics[i].name;
            const struct named *at = hashmap_find(&by_name, name.data, name.size);
            int kind = at->times > 1                         ? DUPLICATES
                       : str_eqz(name, "__cluster_metadata") ? RESERVED
                                                             : TRIED;
            if (kind != round || at->first != i)
                continue;
            struct create_topics_response_creatable_topic_result *result =
                &response->topics[response->topics_count++];
            result_init(result, name);
            struct answer answer;
            if (kind == TRIED)
                answer = create_topic(evaluation, &request->topics[i], result);
            else if (kind == DUPLICATES)
                answer = (struct answer){ KERR_INVALID_REQUEST, "Duplicate topic name." };
            else
                answer = (struct answer){
                    KERR_INVALID_REQUEST,
                    "Creation of internal topic __cluster_metadata is prohibited."
                };
            if (answer.error != KERR_NONE)
                result_fail(result, answer);
        }
    }
    hashmap_fini(&by_name);
    if (evaluation->records.count > RECORDS_PER_OPERATION_MAX)
        return (struct answer){ KERR_POLICY_VIOLATION, MESSAGE_TOO_LARGE_OPERATION };
    if (request->validate_only)
        metadata_entries_cut(&evaluation->records, 0);
    return ANSWER_OK;
}
