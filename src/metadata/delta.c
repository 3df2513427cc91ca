// SPDX-License-Identifier: Apache-2.0
// Tested by replay_test.c.
#include "metadata/delta.h"

#include <stdlib.h>

#include "base/must.h"

struct delta_topic {
    struct delta_topic *next;
    struct uuid id;
    struct str name;
    enum metadata_change change;
    bool is_void; // made and deleted
    int32_t *partitions;
    int32_t partitions_count;
    int32_t capacity;
};

void delta_init(struct delta *delta, struct arena *arena)
{
    *delta = (struct delta){ .arena = arena };
    hashmap_init(&delta->_by_id);
    hashmap_init(&delta->_configs);
}

void delta_fini(struct delta *delta)
{
    hashmap_fini(&delta->_by_id);
    hashmap_fini(&delta->_configs);
}

static struct delta_topic *topic_entry(struct delta *delta, const struct metadata_topic *topic,
                                       enum metadata_change change)
{
    struct delta_topic *entry =
        hashmap_find(&delta->_by_id, topic->id.bytes, sizeof topic->id.bytes);
    if (entry != NULL)
        return entry;
    entry = arena_new(delta->arena, struct delta_topic);
    entry->id = topic->id;
    entry->name = arena_str(delta->arena, (struct str){ topic->name, topic->name_size });
    entry->change = change;
    if (delta->_last == NULL)
        delta->_first = entry;
    else
        delta->_last->next = entry;
    delta->_last = entry;
    delta->_topics_count++;
    hashmap_put(&delta->_by_id, entry->id.bytes, sizeof entry->id.bytes, entry);
    return entry;
}

void delta_topic_created(struct delta *delta, const struct metadata_topic *topic)
{
    topic_entry(delta, topic, METADATA_CREATED);
}

void delta_topic_deleted(struct delta *delta, const struct metadata_topic *topic)
{
    struct delta_topic *entry = topic_entry(delta, topic, METADATA_DELETED);
    if (entry->change == METADATA_CREATED)
        entry->is_void = true;
    entry->change = METADATA_DELETED;
}

void delta_partition_changed(struct delta *delta, const struct metadata_topic *topic,
                             int32_t partition)
{
    struct delta_topic *entry = topic_entry(delta, topic, METADATA_CHANGED);
    if (entry->change != METADATA_CHANGED)
        return; // a new topic tells all its partitions
    if (entry->partitions_count == entry->capacity) {
        int32_t capacity = entry->capacity == 0 ? 4 : 2 * entry->capacity;
        int32_t *grown = arena_array(delta->arena, int32_t, capacity);
        if (entry->partitions_count > 0)
            memcpy(grown, entry->partitions, (size_t)entry->partitions_count * sizeof *grown);
        entry->partitions = grown;
        entry->capacity = capacity;
    }
    entry->partitions[entry->partitions_count++] = partition;
}

void delta_config_changed(struct delta *delta, enum config_resource type, struct str name)
{
    char *key = arena_alloc(delta->arena, name.size + 1);
    key[0] = (char)type;
    memcpy(key + 1, name.data, name.size);
    if (hashmap_put(&delta->_configs, key, name.size + 1, delta) != NULL)
        return;
    if (delta->_configs_count == delta->_configs_capacity) {
        size_t capacity = delta->_configs_capacity == 0 ? 4 : 2 * delta->_configs_capacity;
        struct metadata_config_change *grown =
            arena_array(delta->arena, struct metadata_config_change, capacity);
        if (delta->_configs_count > 0)
            memcpy(grown, delta->_config_items, delta->_configs_count * sizeof *grown);
        delta->_config_items = grown;
        delta->_configs_capacity = capacity;
    }
    delta->_config_items[delta->_configs_count++] =
        (struct metadata_config_change){ type, arena_str(delta->arena, name) };
}

void delta_broker_changed(struct delta *delta, enum metadata_change change, int32_t id)
{
    for (size_t i = 0; i < delta->_brokers_count; i++) {
        if (delta->_broker_items[i].id == id) {
            if (change != METADATA_CHANGED)
                delta->_broker_items[i].change = change;
            return;
        }
    }
    if (delta->_brokers_count == delta->_brokers_capacity) {
        size_t capacity = delta->_brokers_capacity == 0 ? 4 : 2 * delta->_brokers_capacity;
        struct metadata_broker_change *grown =
            arena_array(delta->arena, struct metadata_broker_change, capacity);
        if (delta->_brokers_count > 0)
            memcpy(grown, delta->_broker_items, delta->_brokers_count * sizeof *grown);
        delta->_broker_items = grown;
        delta->_brokers_capacity = capacity;
    }
    delta->_broker_items[delta->_brokers_count++] = (struct metadata_broker_change){ change, id };
}

bool delta_is_empty(const struct delta *delta)
{
    return delta->_topics_count == 0 && delta->_configs_count == 0 && delta->_brokers_count == 0 &&
           !delta->features_changed && !delta->controllers_changed &&
           !delta->producer_ids_changed && !delta->others_changed;
}

static int compare_ids(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void list_partitions(struct delta *delta, struct delta_topic *entry,
                            const struct metadata *metadata)
{
    if (entry->change == METADATA_CREATED) {
        const struct metadata_topic *topic = metadata_find_topic_by_id(metadata, entry->id);
        must(topic != NULL);
        entry->partitions = arena_array(delta->arena, int32_t, topic->partitions_count);
        for (int32_t i = 0; i < topic->partitions_count; i++)
            if (topic->partitions[i].replicas != NULL)
                entry->partitions[entry->partitions_count++] = i;
    } else if (entry->change == METADATA_DELETED) {
        entry->partitions_count = 0;
    } else {
        qsort(entry->partitions, (size_t)entry->partitions_count, sizeof(int32_t), compare_ids);
        int32_t kept = 0;
        for (int32_t i = 0; i < entry->partitions_count; i++)
            if (i == 0 || entry->partitions[i] != entry->partitions[kept - 1])
                entry->partitions[kept++] = entry->partitions[i];
        entry->partitions_count = kept;
    }
}

// Whether the configs of a topic are told by the topic itself.
static bool is_told_by_topic(const struct delta *delta, const struct metadata *metadata,
                             const struct metadata_config_change *change)
{
    if (change->type != CONFIG_RESOURCE_TOPIC)
        return false;
    const struct metadata_topic *topic = metadata_find_topic(metadata, change->name);
    if (topic == NULL)
        return true;
    const struct delta_topic *entry =
        hashmap_find(&delta->_by_id, topic->id.bytes, sizeof topic->id.bytes);
    return entry != NULL && entry->change == METADATA_CREATED;
}

const struct metadata_delta *delta_finish(struct delta *delta, const struct metadata *metadata)
{
    struct metadata_delta *out = arena_new(delta->arena, struct metadata_delta);
    struct metadata_topic_change *topics =
        arena_array(delta->arena, struct metadata_topic_change, delta->_topics_count);
    for (struct delta_topic *entry = delta->_first; entry != NULL; entry = entry->next) {
        if (entry->is_void)
            continue;
        list_partitions(delta, entry, metadata);
        topics[out->topics_count++] = (struct metadata_topic_change){
            entry->change, entry->id, entry->name, entry->partitions, entry->partitions_count,
        };
    }
    out->topics = topics;
    struct metadata_config_change *configs =
        arena_array(delta->arena, struct metadata_config_change, delta->_configs_count);
    for (size_t i = 0; i < delta->_configs_count; i++)
        if (!is_told_by_topic(delta, metadata, &delta->_config_items[i]))
            configs[out->configs_count++] = delta->_config_items[i];
    out->configs = configs;
    out->brokers = delta->_broker_items;
    out->brokers_count = delta->_brokers_count;
    out->features_changed = delta->features_changed;
    out->controllers_changed = delta->controllers_changed;
    out->producer_ids_changed = delta->producer_ids_changed;
    out->others_changed = delta->others_changed;
    return out;
}
