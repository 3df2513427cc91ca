// SPDX-License-Identifier: Apache-2.0
// Tested by broker_test.c.
#include "broker/glue_config.h"

#include <inttypes.h>
#include <stdio.h>

#include "config/config_load.h"

static void take_layer(struct config_glue *glue, enum config_source layer, const char *resource)
{
    metadata_lock_read(glue->metadata);
    const struct metadata_configs *configs =
        metadata_find_configs(glue->metadata, CONFIG_RESOURCE_BROKER, str_of(resource));
    config_replace_dynamic(glue->config, layer, configs != NULL ? configs->entries : NULL,
                           configs != NULL ? configs->count : 0);
    metadata_unlock(glue->metadata);
}

static void take_all(struct config_glue *glue)
{
    char own[16];
    snprintf(own, sizeof own, "%" PRId32, glue->node_id);
    take_layer(glue, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER, "");
    take_layer(glue, CONFIG_SOURCE_DYNAMIC_BROKER, own);
}

// The internal topics' settings are Kafka's own, nobody asked for them. Said after unlocking: a log may block.
static void log_unused(struct config_glue *glue, struct str topic_name)
{
    struct arena arena;
    struct config_entry *overrides = NULL;
    size_t count = 0;
    arena_init(&arena);
    metadata_lock_read(glue->metadata);
    const struct metadata_topic *topic = metadata_find_topic(glue->metadata, topic_name);
    if (topic != NULL && !topic->is_internal && topic->configs != NULL) {
        count = topic->configs->count;
        overrides = arena_array(&arena, struct config_entry, count);
        for (size_t i = 0; i < count; i++) {
            overrides[i].name = arena_str(&arena, topic->configs->entries[i].name);
            overrides[i].value = arena_str(&arena, topic->configs->entries[i].value);
        }
    }
    metadata_unlock(glue->metadata);
    config_log_unused_by_topic(topic_name, overrides, count, glue->trace);
    arena_fini(&arena);
}

static void on_change(struct metadata_subscription *subscription,
                      const struct metadata_delta *delta)
{
    struct config_glue *glue = container_of(subscription, struct config_glue, _subscription);
    bool is_ours = false;
    for (size_t i = 0; i < delta->topics_count; i++)
        if (delta->topics[i].change == METADATA_CREATED)
            log_unused(glue, delta->topics[i].name);
    for (size_t i = 0; i < delta->configs_count; i++) {
        is_ours |= delta->configs[i].type == CONFIG_RESOURCE_BROKER;
        if (delta->configs[i].type == CONFIG_RESOURCE_TOPIC)
            log_unused(glue, delta->configs[i].name);
    }
    if (!is_ours)
        return;
    take_all(glue);
    glue->on_changed(glue->arg);
}

void config_glue_start(struct config_glue *glue)
{
    take_all(glue);
    glue->_subscription.on_change = on_change;
    metadata_subscribe(glue->metadata, &glue->_subscription);
}

void config_glue_stop(struct config_glue *glue)
{
    metadata_unsubscribe(glue->metadata, &glue->_subscription);
}
