// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/config_control.h"

#include "controller/resource_check.h"
#include "metadata/feature_versions.h"
#include "protocol/records/clear_elr.h"
#include "protocol/records/config.h"

#define MIN_INSYNC_REPLICAS "min.insync.replicas"

enum { OP_SET = 0, OP_DELETE = 1, OP_APPEND = 2, OP_SUBTRACT = 3, OP_COUNT };

// A key's new value; null: deleted.
struct change {
    struct str key;
    struct str value;
};

struct changes {
    struct evaluation *evaluation;
    enum config_resource type;
    struct str name;
    const struct metadata_configs *before; // NULL: no overrides
    struct change *items;
    size_t count;
};

static struct answer fail(enum kafka_error error, const char *message)
{
    return (struct answer){ error, message };
}

// ---- what may not be changed --------------------------------------------------------------------------------

static struct answer check_allowed(const struct changes *changes, const struct change *change)
{
    enum { VALUE_SIZE_MAX = INT16_MAX };
    const struct evaluation *evaluation = changes->evaluation;
    bool is_broker = changes->type == CONFIG_RESOURCE_BROKER;
    if (is_broker && str_eqz(change->key, MIN_INSYNC_REPLICAS) && evaluation->is_elr_enabled) {
        if (changes->name.size > 0)
            return fail(KERR_INVALID_CONFIG,
                        "Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
        if (change->value.data == NULL)
            return fail(
                KERR_INVALID_CONFIG,
                "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
    }
    if (is_broker && str_eqz(change->key, "cordoned.log.dirs") &&
        !has_cordoned_log_dirs(evaluation->metadata_version))
        return fail(KERR_INVALID_CONFIG, "The cordoned.log.dirs configuration value cannot be set "
                                         "because it requires metadata.version >= "
                                         "4.3-IV0");
    if (change->value.size > VALUE_SIZE_MAX)
        return fail(KERR_INVALID_CONFIG, "The configuration value cannot be added because it "
                                         "exceeds the maximum value size of 32767 "
                                         "bytes.");
    return ANSWER_OK;
}

// ---- one resource -------------------------------------------------------------------------------------------

// The overrides after the changes.
static size_t apply(const struct changes *changes, struct config_entry *out)
{
    size_t count = 0;
    for (size_t i = 0; changes->before != NULL && i < changes->before->count; i++)
        out[count++] = changes->before->entries[i];
    for (size_t i = 0; i < changes->count; i++) {
        size_t at = 0;
        while (at < count && !str_eq(out[at].name, changes->items[i].key))
            at++;
        if (changes->items[i].value.data != NULL) {
            out[at] = (struct config_entry){ changes->items[i].key, changes->items[i].value };
            count += at == count;
        } else if (at < count) {
            out[at] = out[--count];
        }
    }
    return count;
}

void add_config_record(struct metadata_entries *records, enum config_resource type,
                       struct str resource, struct str name, struct str value)
{
    struct config_record *record = metadata_entries_add(records, METADATA_RECORD_CONFIG, 0);
    record->resource_type = (int8_t)type;
    record->resource_name = resource;
    record->name = name;
    record->value = value;
}

static void add_records(const struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        add_config_record(&changes->evaluation->records, changes->type, changes->name,
                          changes->items[i].key, changes->items[i].value);
}

static struct answer commit(const struct changes *changes)
{
    struct evaluation *evaluation = changes->evaluation;
    for (size_t i = 0; i < changes->count; i++) {
        struct answer answer = check_allowed(changes, &changes->items[i]);
        if (answer.error != KERR_NONE)
            return answer;
    }
    size_t most = changes->count + (changes->before != NULL ? changes->before->count : 0);
    struct config_entry *entries = arena_array(evaluation->arena, struct config_entry, most + 1);
    size_t count = apply(changes, entries);
    struct answer answer =
        resource_check(evaluation, changes->type, changes->name, entries, count, changes->before);
    if (answer.error == KERR_NONE)
        answer = resource_check_existence(evaluation, changes->type, changes->name);
    if (answer.error == KERR_NONE)
        add_records(changes);
    return answer;
}

// A changed min.insync.replicas makes what is known about eligible leaders void (KIP-966).
static void add_clear_elr(struct evaluation *evaluation)
{
    size_t count = evaluation->records.count;
    for (size_t i = 0; evaluation->is_elr_enabled && i < count; i++) {
        const struct config_record *config = evaluation->records.items[i].body;
        if (!str_eqz(config->name, MIN_INSYNC_REPLICAS))
            continue;
        struct str topic =
            config->resource_type == CONFIG_RESOURCE_TOPIC ? config->resource_name : str_of("");
        struct clear_elr_record *record =
            metadata_entries_add(&evaluation->records, METADATA_RECORD_CLEAR_ELR, 0);
        record->topic_name = topic;
    }
}

void add_cluster_min_insync_replicas(struct metadata_entries *records, const struct config *config)
{
    const struct config_value *set =
        config_layer_value(config, CONFIG_MIN_INSYNC_REPLICAS, CONFIG_SOURCE_STATIC_BROKER);
    const char *value =
        set != NULL ? set->text : config_def_of(CONFIG_MIN_INSYNC_REPLICAS)->default_text;
    add_config_record(records, CONFIG_RESOURCE_BROKER, str_of(""), str_of(MIN_INSYNC_REPLICAS),
                      arena_strz(records->arena, value));
}

void add_elr_safety_configs(struct evaluation *evaluation)
{
    const struct metadata *metadata = evaluation->metadata;
    struct str cluster = str_of("");
    if (str_is_null(metadata_config_value(
            metadata_find_configs(metadata, CONFIG_RESOURCE_BROKER, cluster), MIN_INSYNC_REPLICAS)))
        add_cluster_min_insync_replicas(&evaluation->records, evaluation->config);
    const struct metadata_configs *configs;
    for (size_t at = 0; (configs = metadata_next_configs(metadata, &at)) != NULL;) {
        if (configs->type != CONFIG_RESOURCE_BROKER || configs->name[0] == '\0' ||
            str_is_null(metadata_config_value(configs, MIN_INSYNC_REPLICAS)))
            continue;
        add_config_record(&evaluation->records, CONFIG_RESOURCE_BROKER,
                          arena_strz(evaluation->records.arena, configs->name),
                          str_of(MIN_INSYNC_REPLICAS), STR_NULL);
    }
}

static struct changes changes_of(struct evaluation *evaluation, int8_t type, struct str name,
                                 size_t most)
{
    return (struct changes){
        .evaluation = evaluation,
        .type = (enum config_resource)type,
        .name = name,
        .before = metadata_find_configs(evaluation->metadata, (enum config_resource)type, name),
        .items = arena_array(evaluation->arena, struct change, most + 1),
    };
}

static bool is_changed(const struct changes *changes, struct str key, struct str value)
{
    // A broker's are written even when nothing changes: it may have missed the file of a password.
    return changes->type == CONFIG_RESOURCE_BROKER ||
           !str_eq(metadata_config_value(changes->before,
                                         arena_str(changes->evaluation->arena, key).data),
                   value);
}

static void add_change(struct changes *changes, struct str key, struct str value)
{
    size_t at = 0;
    while (at < changes->count && !str_eq(changes->items[at].key, key))
        at++;
    changes->items[at] = (struct change){ key, value };
    changes->count += at == changes->count;
}

// ---- incremental --------------------------------------------------------------------------------------------

// The elements of a comma-separated list, empty ones left out unless they are all there is.
static size_t split(struct arena *arena, struct str text, struct str **items)
{
    *items = arena_array(arena, struct str, text.size + 1);
    size_t count = 0;
    while (text.data != NULL) {
        const char *comma = text.size == 0 ? NULL : memchr(text.data, ',', text.size);
        size_t size = comma == NULL ? text.size : (size_t)(comma - text.data);
        if (size > 0)
            (*items)[count++] = (struct str){ text.data, size };
        text = comma == NULL ? STR_NULL : (struct str){ comma + 1, text.size - size - 1 };
    }
    return count;
}

static struct str join(struct arena *arena, const struct str *items, size_t count)
{
    struct strbuf joined = STRBUF_EMPTY;
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&joined, "%s%.*s", i > 0 ? "," : "", STR_ARG(items[i]));
    struct str result = arena_str(arena, strbuf_str(&joined));
    strbuf_fini(&joined);
    return result;
}

static struct str edit_list(struct changes *changes, const struct config_def *def,
                            struct str present, struct str operand, bool is_append)
{
    struct arena *arena = changes->evaluation->arena;
    struct str *have, *want;
    size_t have_count =
        split(arena, present.data != NULL ? present : str_of(def->default_text), &have);
    size_t want_count = split(arena, operand, &want);
    if (operand.size == 0) { // as Java splits it: one empty part
        want = arena_new(arena, struct str);
        want[0] = str_of("");
        want_count = 1;
    }
    struct str *result = arena_array(arena, struct str, have_count + want_count + 1);
    memcpy(result, have, have_count * sizeof *have);
    size_t count = have_count;
    for (size_t i = 0; i < want_count; i++) {
        size_t at = 0;
        while (at < count && !str_eq(result[at], want[i]))
            at++;
        if (is_append && at == count) {
            result[count++] = want[i];
        } else if (!is_append && at < count) {
            memmove(result + at, result + at + 1, (count - at - 1) * sizeof *result);
            count--;
        }
    }
    return join(arena, result, count);
}

static struct answer
alter_resource(struct evaluation *evaluation,
               const struct incremental_alter_configs_request_alter_configs_resource *resource)
{
    static const char *const names[] = { "SET", "DELETE", "APPEND", "SUBTRACT" };
    struct changes changes = changes_of(evaluation, resource->resource_type,
                                        resource->resource_name, (size_t)resource->configs_count);
    for (int32_t i = 0; i < resource->configs_count; i++) {
        const struct incremental_alter_configs_request_alterable_config *config =
            &resource->configs[i];
        struct str key = arena_str(evaluation->arena, config->name);
        struct str present = metadata_config_value(changes.before, key.data);
        struct str value = config->value;
        if (config->config_operation < 0 || config->config_operation >= OP_COUNT)
            return fail(KERR_INVALID_REQUEST,
                        arena_printf(evaluation->arena, "Unknown operation type %d",
                                     config->config_operation));
        if (config->config_operation == OP_DELETE) {
            value = STR_NULL;
        } else if (config->config_operation == OP_APPEND ||
                   config->config_operation == OP_SUBTRACT) {
            const struct config_def *def = resource_key_def(changes.type, key);
            if (def == NULL || def->type != CONFIG_TYPE_LIST)
                return fail(KERR_INVALID_CONFIG,
                            arena_printf(evaluation->arena,
                                         "Can't %s to key %s because its type is not LIST.",
                                         names[config->config_operation], key.data));
            value = edit_list(&changes, def, present, config->value,
                              config->config_operation == OP_APPEND);
        }
        if (is_changed(&changes, key, value))
            add_change(&changes, key, value);
    }
    return commit(&changes);
}

struct resource_id {
    int8_t type;
    struct str name;
};

static bool is_known_type(int8_t type)
{
    return type == CONFIG_RESOURCE_TOPIC || type == CONFIG_RESOURCE_BROKER ||
           type == CONFIG_RESOURCE_BROKER_LOGGER || type == CONFIG_RESOURCE_CLIENT_METRICS ||
           type == CONFIG_RESOURCE_GROUP;
}

// How the request names resource `at`: 0 first and only time, 1 first of several, 2 a later time.
static int mentioned(const struct resource_id *ids, int32_t count, int32_t at)
{
    int kind = 0;
    for (int32_t i = 0; i < count; i++) {
        if (i == at || ids[i].type != ids[at].type || !str_eq(ids[i].name, ids[at].name))
            continue;
        if (i < at)
            return 2;
        kind = 1;
    }
    return kind;
}

static struct answer check_resource(struct evaluation *evaluation, const struct resource_id *ids,
                                    int32_t count, int32_t at)
{
    if (!is_known_type(ids[at].type))
        return fail(KERR_UNSUPPORTED_VERSION,
                    arena_printf(evaluation->arena, "Unknown resource type %d.", ids[at].type));
    if (mentioned(ids, count, at) != 0)
        return fail(KERR_INVALID_REQUEST, "Duplicate resource.");
    return ANSWER_OK;
}

struct answer incremental_alter_configs(struct evaluation *evaluation,
                                        const struct incremental_alter_configs_request *request,
                                        struct incremental_alter_configs_response *response)
{
    int32_t count = request->resources_count;
    struct resource_id *ids = arena_array(evaluation->arena, struct resource_id, count + 1);
    for (int32_t i = 0; i < count; i++)
        ids[i] = (struct resource_id){ request->resources[i].resource_type,
                                       request->resources[i].resource_name };
    response->responses = arena_array(
        evaluation->arena,
        struct incremental_alter_configs_response_alter_configs_resource_response, count + 1);
    for (int32_t i = 0; i < count; i++) {
        if (is_known_type(ids[i].type) && mentioned(ids, count, i) == 2)
            continue;
        struct answer answer = check_resource(evaluation, ids, count, i);
        if (answer.error == KERR_NONE)
            answer = alter_resource(evaluation, &request->resources[i]);
        struct incremental_alter_configs_response_alter_configs_resource_response *result =
            &response->responses[response->responses_count++];
        message_init(&incremental_alter_configs_response_alter_configs_resource_response_desc,
                     result);
        result->error_code = (int16_t)answer.error;
        result->error_message = answer_message(answer);
        result->resource_type = ids[i].type;
        result->resource_name = ids[i].name;
    }
    add_clear_elr(evaluation);
    if (evaluation->records.count > RECORDS_PER_OPERATION_MAX)
        return fail(KERR_POLICY_VIOLATION, MESSAGE_TOO_LARGE_OPERATION);
    if (request->validate_only)
        metadata_entries_cut(&evaluation->records, 0);
    return ANSWER_OK;
}

// ---- the old way --------------------------------------------------------------------------------------------

static struct answer
replace_resource(struct evaluation *evaluation,
                 const struct alter_configs_request_alter_configs_resource *resource)
{
    const struct metadata_configs *before =
        metadata_find_configs(evaluation->metadata, (enum config_resource)resource->resource_type,
                              resource->resource_name);
    size_t before_count = before == NULL ? 0 : before->count;
    struct changes changes =
        changes_of(evaluation, resource->resource_type, resource->resource_name,
                   (size_t)resource->configs_count + before_count);
    for (int32_t i = 0; i < resource->configs_count; i++)
        if (is_changed(&changes, resource->configs[i].name, resource->configs[i].value))
            add_change(&changes, resource->configs[i].name, resource->configs[i].value);
    for (size_t i = 0; i < before_count; i++) {
        bool is_named = false;
        for (int32_t j = 0; j < resource->configs_count; j++)
            is_named = is_named || str_eq(resource->configs[j].name, before->entries[i].name);
        if (!is_named)
            // The image's text goes before this record is written: copy it.
            add_change(&changes, arena_str(evaluation->records.arena, before->entries[i].name),
                       STR_NULL);
    }
    return commit(&changes);
}

struct answer alter_configs(struct evaluation *evaluation,
                            const struct alter_configs_request *request,
                            struct alter_configs_response *response)
{
    int32_t count = request->resources_count;
    struct resource_id *ids = arena_array(evaluation->arena, struct resource_id, count + 1);
    for (int32_t i = 0; i < count; i++)
        ids[i] = (struct resource_id){ request->resources[i].resource_type,
                                       request->resources[i].resource_name };
    response->responses =
        arena_array(evaluation->arena,
                    struct alter_configs_response_alter_configs_resource_response, count + 1);
    for (int32_t i = 0; i < count; i++) {
        if (is_known_type(ids[i].type) && mentioned(ids, count, i) == 2)
            continue;
        struct answer answer = check_resource(evaluation, ids, count, i);
        if (answer.error == KERR_NONE)
            answer = replace_resource(evaluation, &request->resources[i]);
        struct alter_configs_response_alter_configs_resource_response *result =
            &response->responses[response->responses_count++];
        message_init(&alter_configs_response_alter_configs_resource_response_desc, result);
        result->error_code = (int16_t)answer.error;
        result->error_message = answer_message(answer);
        result->resource_type = ids[i].type;
        result->resource_name = ids[i].name;
    }
    add_clear_elr(evaluation);
    if (evaluation->records.count > RECORDS_PER_OPERATION_MAX)
        return fail(KERR_POLICY_VIOLATION, MESSAGE_TOO_LARGE_OPERATION);
    if (request->validate_only)
        metadata_entries_cut(&evaluation->records, 0);
    return ANSWER_OK;
}
