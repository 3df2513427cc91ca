// SPDX-License-Identifier: Apache-2.0
// ListConfigResources (KIP-1142): names of what has, or can have, settings: groups and client metrics that were given
// some, brokers that are in service, topics. Version 0 knew client metrics only.
#include "api/dispatch.h"
#include "api/node.h"
#include "metadata/metadata.h"
#include "protocol/messages/list_config_resources.h"

struct listing {
    struct list_config_resources_response *response;
    struct arena *arena;
    int32_t capacity;
};

static void add(struct listing *listing, struct str name, enum config_resource type)
{
    struct list_config_resources_response *response = listing->response;
    if (response->config_resources_count == listing->capacity) {
        listing->capacity = listing->capacity > 0 ? 2 * listing->capacity : 16;
        struct list_config_resources_response_config_resource *larger =
            arena_array(listing->arena, struct list_config_resources_response_config_resource,
                        listing->capacity);
        for (int32_t i = 0; i < response->config_resources_count; i++)
            larger[i] = response->config_resources[i];
        response->config_resources = larger;
    }
    response->config_resources[response->config_resources_count++] =
        (struct list_config_resources_response_config_resource){
            .resource_name = arena_str(listing->arena, name), .resource_type = (int8_t)type
        };
}

static void add_configured(struct listing *listing, const struct metadata *metadata,
                           enum config_resource type)
{
    const struct metadata_configs *configs;
    for (size_t at = 0; (configs = metadata_next_configs(metadata, &at)) != NULL;)
        if (configs->type == type)
            add(listing, str_of(configs->name), type);
}

static void add_brokers(struct listing *listing, const struct metadata *metadata,
                        enum config_resource type)
{
    const struct metadata_broker *broker;
    for (size_t at = 0; (broker = metadata_next_broker(metadata, &at)) != NULL;)
        if (!broker->fenced)
            add(listing, str_of(arena_printf(listing->arena, "%d", (int)broker->id)), type);
}

static void add_topics(struct listing *listing, const struct metadata *metadata)
{
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(metadata, &at)) != NULL;)
        add(listing, (struct str){ topic->name, topic->name_size }, CONFIG_RESOURCE_TOPIC);
}

static bool is_asked(const struct list_config_resources_request *body, enum config_resource type)
{
    for (int32_t i = 0; i < body->resource_types_count; i++)
        if (body->resource_types[i] == (int8_t)type)
            return true;
    return body->resource_types_count <= 0;
}

static bool is_known(int8_t type)
{
    return type == CONFIG_RESOURCE_TOPIC || type == CONFIG_RESOURCE_BROKER ||
           type == CONFIG_RESOURCE_BROKER_LOGGER || type == CONFIG_RESOURCE_CLIENT_METRICS ||
           type == CONFIG_RESOURCE_GROUP;
}

void handle_list_config_resources(struct request *request)
{
    const struct list_config_resources_request *body = request->body;
    const struct metadata *metadata = request->node->metadata;
    struct listing listing = { .response = request->response, .arena = &request->arena };
    for (int32_t i = 0; i < body->resource_types_count; i++) {
        if (is_known(body->resource_types[i]))
            continue;
        listing.response->error_code = KERR_UNSUPPORTED_VERSION;
        request_reply(request);
        return;
    }
    bool has_types = request->api_version >= 1;
    metadata_lock_read(request->node->metadata);
    if (has_types && is_asked(body, CONFIG_RESOURCE_GROUP))
        add_configured(&listing, metadata, CONFIG_RESOURCE_GROUP);
    if (is_asked(body, CONFIG_RESOURCE_CLIENT_METRICS))
        add_configured(&listing, metadata, CONFIG_RESOURCE_CLIENT_METRICS);
    if (has_types && is_asked(body, CONFIG_RESOURCE_BROKER_LOGGER))
        add_brokers(&listing, metadata, CONFIG_RESOURCE_BROKER_LOGGER);
    if (has_types && is_asked(body, CONFIG_RESOURCE_BROKER))
        add_brokers(&listing, metadata, CONFIG_RESOURCE_BROKER);
    if (has_types && is_asked(body, CONFIG_RESOURCE_TOPIC))
        add_topics(&listing, metadata);
    metadata_unlock(request->node->metadata);
    request_reply(request);
}
