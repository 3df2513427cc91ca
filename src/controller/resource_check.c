// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/resource_check.h"

#include <stdio.h>

#include "base/mem.h"
#include "config/log_config.h"

// ---- client metrics (KIP-714) -------------------------------------------------------------------------------

enum { INTERVAL_MS_MIN = 100, INTERVAL_MS_MAX = 3600000 };

static const struct config_def client_metrics_defs[] = {
    { .name = "metrics",
      .type = CONFIG_TYPE_LIST,
      .default_text = "",
      .validator = { .check = CONFIG_CHECK_LIST, .empty_ok = true } },
    { .name = "interval.ms", .type = CONFIG_TYPE_INT, .default_text = "300000" },
    { .name = "match",
      .type = CONFIG_TYPE_LIST,
      .default_text = "",
      .validator = { .check = CONFIG_CHECK_LIST, .empty_ok = true } },
};

static const struct config_def *client_metrics_def(struct str key)
{
    for (size_t i = 0; i < sizeof client_metrics_defs / sizeof *client_metrics_defs; i++)
        if (str_eqz(key, client_metrics_defs[i].name))
            return &client_metrics_defs[i];
    return NULL;
}

const struct config_def *resource_key_def(enum config_resource type, struct str key)
{
    enum config_key broker_key;
    enum topic_key topic_key;
    enum group_key group_key;
    switch (type) {
    case CONFIG_RESOURCE_TOPIC:
        return topic_key_find(key, &topic_key) ? topic_def_of(topic_key) : NULL;
    case CONFIG_RESOURCE_BROKER:
        return config_key_find(key, &broker_key) ? config_def_of(broker_key) : NULL;
    case CONFIG_RESOURCE_GROUP:
        return group_key_find(key, &group_key) ? group_def_of(group_key) : NULL;
    case CONFIG_RESOURCE_CLIENT_METRICS: // Kafka's controller has no types for these: none is a list
    case CONFIG_RESOURCE_BROKER_LOGGER:
        break;
    }
    return NULL;
}

static struct answer invalid(struct evaluation *evaluation, enum kafka_error error,
                             struct strbuf *message)
{
    struct answer answer = { error, arena_str(evaluation->arena, strbuf_str(message)).data };
    strbuf_fini(message);
    return answer;
}

static bool is_match_pattern(struct str pattern)
{
    static const char *const selectors[] = { "client_instance_id",    "client_id",
                                             "client_software_name",  "client_software_version",
                                             "client_source_address", "client_source_port" };
    const char *equals = memchr(pattern.data, '=', pattern.size);
    if (equals == NULL)
        return false;
    struct str value = { equals + 1, pattern.size - (size_t)(equals - pattern.data) - 1 };
    if (value.size == 0 || memchr(value.data, '=', value.size) != NULL)
        return false;
    struct str selector = str_trim((struct str){ pattern.data, (size_t)(equals - pattern.data) });
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++)
        if (str_eqz(selector, selectors[i]))
            return true;
    return false;
}

static struct answer check_client_metrics(struct evaluation *evaluation, struct str name,
                                          const struct config_entry *entries, size_t count)
{
    struct arena *arena = evaluation->arena;
    if (name.size == 0)
        return (struct answer){ KERR_INVALID_REQUEST, "Subscription name can't be empty" };
    for (size_t i = 0; i < count; i++)
        if (client_metrics_def(entries[i].name) == NULL)
            return (struct answer){ KERR_INVALID_REQUEST,
                                    arena_printf(arena,
                                                 "Unknown client metrics configuration: %.*s",
                                                 STR_ARG(entries[i].name)) };
    struct answer answer = ANSWER_OK;
    for (size_t i = 0; answer.error == KERR_NONE && i < count; i++) {
        struct strbuf message = STRBUF_EMPTY;
        struct config_value *value =
            config_value_parse(client_metrics_def(entries[i].name), entries[i].value, &message);
        if (value == NULL)
            return invalid(evaluation, KERR_INVALID_CONFIG, &message);
        if (str_eqz(entries[i].name, "interval.ms") &&
            (value->number < INTERVAL_MS_MIN || value->number > INTERVAL_MS_MAX))
            answer = (struct answer){
                KERR_INVALID_REQUEST,
                arena_printf(arena,
                             "Invalid value %lld for interval.ms, interval must be between 100 "
                             "and 3600000 (1 hour)",
                             (long long)value->number)
            };
        for (size_t j = 0; str_eqz(entries[i].name, "match") && j < value->list.count; j++)
            if (!is_match_pattern(str_of(value->list.items[j])))
                answer = (struct answer){ KERR_INVALID_CONFIG,
                                          arena_printf(arena, "Illegal client matching pattern: %s",
                                                       value->list.items[j]) };
        mem_free(value);
    }
    return answer;
}

// ---- groups -------------------------------------------------------------------------------------------------

// The broker's limit of a group's key: "consumer.session.timeout.ms" has "group.consumer.min.session.timeout.ms".
static bool find_bound(struct evaluation *evaluation, const char *key, const char *side, char *name,
                       size_t name_size, int64_t *bound)
{
    const char *dot = strchr(key, '.');
    const char *rest = dot + 1;
    if (strcmp(key, "streams.num.standby.replicas") == 0)
        rest = "standby.replicas";
    snprintf(name, name_size, "group.%.*s.%s.%s", (int)(dot - key), key, side, rest);
    enum config_key broker_key;
    if (!config_key_find(str_of(name), &broker_key) ||
        config_def_of(broker_key)->type != CONFIG_TYPE_INT)
        return false;
    *bound = config_int(evaluation->config, broker_key);
    return true;
}

static int64_t group_number(struct evaluation *evaluation, const char *key,
                            const struct config_entry *entries, size_t count)
{
    int64_t number = 0;
    for (size_t i = 0; i < count; i++)
        if (str_eqz(entries[i].name, key) && str_to_int64(str_trim(entries[i].value), &number))
            return number;
    enum group_key group_key;
    if (!group_key_find(str_of(key), &group_key))
        return 0;
    const struct config_synonym *synonym = group_synonyms_of(group_key)->items;
    return synonym->factor != 0 ? config_long(evaluation->config, synonym->key) : 0;
}

static struct answer check_group_bounds(struct evaluation *evaluation, const struct config_def *def,
                                        int64_t number)
{
    char name[128];
    int64_t bound;
    if (find_bound(evaluation, def->name, "min", name, sizeof name, &bound) && number < bound)
        return (struct answer){ KERR_INVALID_CONFIG,
                                arena_printf(evaluation->arena,
                                             "%s must be greater than or equal to %s", def->name,
                                             name) };
    if (find_bound(evaluation, def->name, "max", name, sizeof name, &bound) && number > bound)
        return (struct answer){
            KERR_INVALID_CONFIG,
            arena_printf(evaluation->arena, "%s must be less than or equal to %s", def->name, name)
        };
    return ANSWER_OK;
}

static struct answer check_group(struct evaluation *evaluation, struct str name,
                                 const struct config_entry *entries, size_t count)
{
    if (name.size == 0)
        return (struct answer){ KERR_INVALID_REQUEST, "Default group resources are not allowed." };
    for (size_t i = 0; i < count; i++)
        if (resource_key_def(CONFIG_RESOURCE_GROUP, entries[i].name) == NULL)
            return (struct answer){ KERR_INVALID_CONFIG,
                                    arena_printf(evaluation->arena,
                                                 "Unknown group config name: %.*s",
                                                 STR_ARG(entries[i].name)) };
    for (size_t i = 0; i < count; i++) {
        const struct config_def *def = resource_key_def(CONFIG_RESOURCE_GROUP, entries[i].name);
        struct strbuf message = STRBUF_EMPTY;
        struct config_value *value = config_value_parse(def, entries[i].value, &message);
        if (value == NULL)
            return invalid(evaluation, KERR_INVALID_CONFIG, &message);
        int64_t number = value->number;
        mem_free(value);
        if (def->type != CONFIG_TYPE_INT)
            continue;
        struct answer answer = check_group_bounds(evaluation, def, number);
        if (answer.error != KERR_NONE)
            return answer;
    }
    static const char *const kinds[] = { "consumer", "share", "streams" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *session = arena_printf(evaluation->arena, "%s.session.timeout.ms", kinds[i]);
        const char *heartbeat =
            arena_printf(evaluation->arena, "%s.heartbeat.interval.ms", kinds[i]);
        if (group_number(evaluation, session, entries, count) <=
            group_number(evaluation, heartbeat, entries, count))
            return (struct answer){ KERR_INVALID_CONFIG,
                                    arena_printf(evaluation->arena, "%s must be greater than %s",
                                                 session, heartbeat) };
    }
    return ANSWER_OK;
}

// ---- topics and brokers -------------------------------------------------------------------------------------

static struct answer check_topic(struct evaluation *evaluation, struct str name,
                                 const struct config_entry *entries, size_t count,
                                 const struct metadata_configs *before)
{
    if (name.size == 0)
        return (struct answer){ KERR_INVALID_REQUEST, "Default topic resources are not allowed." };
    const char *fault = topic_name_fault(name, evaluation->arena);
    if (fault != NULL)
        return (
            struct answer){ KERR_INVALID_TOPIC_EXCEPTION,
                            arena_printf(evaluation->arena, "Topic name is invalid: %s", fault) };
    bool had_remote_storage =
        str_eqz(metadata_config_value(before, "remote.storage.enable"), "true");
    struct strbuf message = STRBUF_EMPTY;
    if (log_config_validate(evaluation->config, entries, count, had_remote_storage, &message)) {
        strbuf_fini(&message);
        return ANSWER_OK;
    }
    return invalid(evaluation, KERR_INVALID_CONFIG, &message);
}

static struct answer check_broker(struct str name)
{
    int64_t id;
    if (name.size == 0)
        return ANSWER_OK;
    if (!str_to_int64(name, &id) || id > INT32_MAX || id < INT32_MIN)
        return (struct answer){ KERR_INVALID_REQUEST,
                                "Unable to parse broker name as a base 10 number." };
    if (id < 0)
        return (struct answer){ KERR_INVALID_REQUEST, "Invalid negative broker ID." };
    return ANSWER_OK;
}

struct answer resource_check(struct evaluation *evaluation, enum config_resource type,
                             struct str name, const struct config_entry *entries, size_t count,
                             const struct metadata_configs *before)
{
    switch (type) {
    case CONFIG_RESOURCE_TOPIC:
        return check_topic(evaluation, name, entries, count, before);
    case CONFIG_RESOURCE_BROKER:
        return check_broker(name);
    case CONFIG_RESOURCE_GROUP:
        return check_group(evaluation, name, entries, count);
    case CONFIG_RESOURCE_CLIENT_METRICS:
        return check_client_metrics(evaluation, name, entries, count);
    case CONFIG_RESOURCE_BROKER_LOGGER:
        break;
    }
    return (struct answer){ KERR_INVALID_REQUEST, "Unknown resource type BROKER_LOGGER" };
}

struct answer resource_check_existence(struct evaluation *evaluation, enum config_resource type,
                                       struct str name)
{
    int64_t id;
    if (type == CONFIG_RESOURCE_TOPIC && metadata_find_topic(evaluation->metadata, name) == NULL)
        return (struct answer){ KERR_UNKNOWN_TOPIC_OR_PARTITION,
                                arena_printf(evaluation->arena, "The topic '%.*s' does not exist.",
                                             STR_ARG(name)) };
    if (type == CONFIG_RESOURCE_BROKER && name.size > 0 && str_to_int64(name, &id) &&
        id != evaluation->node_id &&
        metadata_find_broker(evaluation->metadata, (int32_t)id) == NULL &&
        metadata_find_controller(evaluation->metadata, (int32_t)id) == NULL)
        return (struct answer){ KERR_BROKER_ID_NOT_REGISTERED,
                                arena_printf(evaluation->arena, "No node with id %lld found.",
                                             (long long)id) };
    return ANSWER_OK;
}
