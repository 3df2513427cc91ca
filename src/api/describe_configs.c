// SPDX-License-Identifier: Apache-2.0
// DescribeConfigs, versions 1 to 4: the settings of topics, of this broker, of all brokers, of its
// loggers, of groups and of client metrics subscriptions. Tested by configs_test.c.
#include "api/dispatch.h"
#include "api/node.h"
#include "config/config_describe.h"
#include "controller/topic_names.h"
#include "metadata/metadata.h"
#include "protocol/error_message.h"
#include "protocol/messages/describe_configs.h"

static bool is_known_type(int8_t type)
{
    return type == CONFIG_RESOURCE_TOPIC || type == CONFIG_RESOURCE_BROKER ||
           type == CONFIG_RESOURCE_BROKER_LOGGER || type == CONFIG_RESOURCE_CLIENT_METRICS ||
           type == CONFIG_RESOURCE_GROUP;
}

// The overrides of a resource, copied out of the image.
static const struct config_entry *overrides_copy(struct request *request, enum config_resource type,
                                                 struct str name, size_t *count)
{
    const struct metadata_configs *configs =
        metadata_find_configs(request->node->metadata, type, name);
    *count = configs == NULL ? 0 : configs->count;
    if (*count == 0)
        return NULL;
    struct config_entry *copy = arena_array(&request->arena, struct config_entry, *count);
    for (size_t i = 0; i < *count; i++)
        copy[i] = (struct config_entry){ arena_str(&request->arena, configs->entries[i].name),
                                         arena_str(&request->arena, configs->entries[i].value) };
    return copy;
}

// False when it is a topic that does not exist.
static bool fill_in_overrides(struct request *request, struct config_question *question)
{
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    bool exists = question->type != CONFIG_RESOURCE_TOPIC ||
                  metadata_find_topic(metadata, question->name) != NULL;
    if (exists)
        question->overrides =
            overrides_copy(request, question->type, question->name, &question->overrides_count);
    if (question->type == CONFIG_RESOURCE_BROKER)
        question->cluster =
            overrides_copy(request, CONFIG_RESOURCE_BROKER, str_of(""), &question->cluster_count);
    metadata_unlock(metadata);
    return exists;
}

static void fill_config(struct arena *arena, const struct config_description *from,
                        bool with_synonyms,
                        struct describe_configs_response_describe_configs_resource_result *to)
{
    to->name = str_of(from->name);
    to->value = str_of(from->value);
    to->read_only = from->read_only;
    to->config_source = (int8_t)from->source;
    to->is_sensitive = from->is_sensitive;
    to->config_type = from->type;
    to->documentation = str_of(from->doc);
    if (!with_synonyms)
        return;
    to->synonyms_count = (int32_t)from->synonyms_count;
    to->synonyms = message_array(&describe_configs_response_describe_configs_synonym_desc, arena,
                                 to->synonyms_count);
    for (int32_t i = 0; i < to->synonyms_count; i++) {
        to->synonyms[i].name = str_of(from->synonyms[i].name);
        to->synonyms[i].value = str_of(from->synonyms[i].value);
        to->synonyms[i].source = (int8_t)from->synonyms[i].source;
    }
}

// There is one logger, "root"; Kafka documents loggers with the empty string.
static void fill_logger(struct request *request,
                        const struct describe_configs_request_describe_configs_resource *resource,
                        struct describe_configs_response_describe_configs_result *result)
{
    static const char *const levels[] = { "ERROR", "WARN", "INFO", "DEBUG" };
    bool is_wanted = resource->configuration_keys_count <= 0;
    for (int32_t i = 0; i < resource->configuration_keys_count; i++)
        is_wanted = is_wanted || str_eqz(resource->configuration_keys[i], "root");
    if (!is_wanted)
        return;
    enum trace_level level = __atomic_load_n(&request->node->trace->level, __ATOMIC_RELAXED);
    result->configs_count = 1;
    result->configs = message_array(
        &describe_configs_response_describe_configs_resource_result_desc, &request->arena, 1);
    result->configs[0].name = str_of("root");
    result->configs[0].value = str_of(levels[level]);
    result->configs[0].config_source = CONFIG_SOURCE_DYNAMIC_BROKER_LOGGER;
    result->configs[0].documentation = str_of("");
}

static void refuse(struct describe_configs_response_describe_configs_result *result,
                   enum kafka_error error, const char *message)
{
    result->error_code = (int16_t)error;
    if (message != NULL)
        result->error_message = str_of(message);
}

static void describe(struct request *request,
                     const struct describe_configs_request_describe_configs_resource *resource,
                     struct describe_configs_response_describe_configs_result *result)
{
    const struct describe_configs_request *body = request->body;
    struct config_question question = {
        .config = request->node->config,
        .type = (enum config_resource)resource->resource_type,
        .name = resource->resource_name,
        .keys = resource->configuration_keys,
        .keys_count =
            resource->configuration_keys_count > 0 ? (size_t)resource->configuration_keys_count : 0,
        .with_docs = body->include_documentation,
    };
    struct config_descriptions out;
    const char *message = NULL;
    if (question.type == CONFIG_RESOURCE_TOPIC) {
        const char *fault = topic_name_fault(question.name, &request->arena);
        if (fault != NULL) {
            refuse(result, KERR_INVALID_TOPIC_EXCEPTION,
                   arena_printf(&request->arena, "Topic name is invalid: %s", fault));
            return;
        }
    }
    if (!fill_in_overrides(request, &question)) {
        refuse(result, KERR_UNKNOWN_TOPIC_OR_PARTITION, NULL);
        return;
    }
    enum kafka_error error = config_describe(&question, &request->arena, &out, &message);
    if (error != KERR_NONE) {
        refuse(result, error, message);
        return;
    }
    if (question.type == CONFIG_RESOURCE_BROKER_LOGGER) {
        fill_logger(request, resource, result);
        return;
    }
    result->configs_count = (int32_t)out.count;
    result->configs =
        message_array(&describe_configs_response_describe_configs_resource_result_desc,
                      &request->arena, result->configs_count);
    for (int32_t i = 0; i < result->configs_count; i++)
        fill_config(&request->arena, &out.items[i], body->include_synonyms, &result->configs[i]);
}

void handle_describe_configs(struct request *request)
{
    const struct describe_configs_request *body = request->body;
    struct describe_configs_response *response = request->response;
    bool all_known = true;
    for (int32_t i = 0; i < body->resources_count; i++)
        all_known = all_known && is_known_type(body->resources[i].resource_type);
    response->results_count = body->resources_count;
    response->results = message_array(&describe_configs_response_describe_configs_result_desc,
                                      &request->arena, body->resources_count);
    for (int32_t i = 0; i < body->resources_count; i++) {
        struct describe_configs_response_describe_configs_result *result = &response->results[i];
        result->resource_type = body->resources[i].resource_type;
        result->resource_name = body->resources[i].resource_name;
        // Kafka fails the whole request for one resource of an unknown type.
        if (!all_known)
            refuse(result, KERR_INVALID_REQUEST, kafka_error_message(KERR_INVALID_REQUEST));
        else
            describe(request, &body->resources[i], result);
    }
    request_reply(request);
}
