// SPDX-License-Identifier: Apache-2.0
// Tested by replay_test.c.
// Ownership: a topic, a config resource, a feature and a stored record are one allocation each (their hash key lies
// in it); a partition's arrays are one more, `_block`; a broker keeps what it points to in its own arena.
#include "metadata/image.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/log_config.h"

// A resource's overrides with the room for more; `configs` is what readers see.
struct image_configs {
    struct metadata_configs configs;
    struct config_entry *entries;
    size_t capacity;
    size_t key_size;
    char key[]; // type as a byte, name, NUL
};

// ---- topics -------------------------------------------------------------------------------------------------

static bool is_internal_name(struct str name)
{
    return str_eqz(name, "__consumer_offsets") || str_eqz(name, "__transaction_state") ||
           str_eqz(name, "__share_group_state");
}

struct metadata_topic *image_topic_add(struct metadata *metadata, struct str name, struct uuid id)
{
    struct metadata_topic *topic = mem_zalloc(sizeof *topic + name.size + 1);
    char *copy = (char *)(topic + 1);
    memcpy(copy, name.data, name.size);
    topic->name = copy;
    topic->name_size = name.size;
    topic->id = id;
    topic->is_internal = is_internal_name(name);
    topic->configs = metadata_find_configs(metadata, CONFIG_RESOURCE_TOPIC, name);
    void *by_name = hashmap_put(&metadata->_topics_by_name, topic->name, topic->name_size, topic);
    void *by_id =
        hashmap_put(&metadata->_topics_by_id, topic->id.bytes, sizeof topic->id.bytes, topic);
    must(by_name == NULL && by_id == NULL);
    return topic;
}

static void topic_free(struct metadata_topic *topic)
{
    for (int32_t i = 0; i < topic->partitions_count; i++)
        mem_free(topic->partitions[i]._block);
    mem_free(topic->partitions);
    mem_free(topic);
}

static void configs_free(struct image_configs *owner)
{
    for (size_t i = 0; i < owner->configs.count; i++)
        mem_free((char *)owner->entries[i].name.data);
    mem_free(owner->entries);
    mem_free(owner);
}

static struct image_configs *configs_owner(const struct metadata_configs *configs)
{
    return container_of(configs, struct image_configs, configs);
}

static void configs_remove(struct metadata *metadata, const struct metadata_configs *configs)
{
    struct image_configs *owner = configs_owner(configs);
    hashmap_remove(&metadata->_configs, owner->key, owner->key_size);
    configs_free(owner);
}

void image_topic_remove(struct metadata *metadata, struct metadata_topic *topic)
{
    if (topic->configs != NULL)
        configs_remove(metadata, topic->configs);
    for (int32_t i = 0; i < topic->partitions_count; i++)
        metadata->partitions_count -= topic->partitions[i].replicas != NULL;
    hashmap_remove(&metadata->_topics_by_name, topic->name, topic->name_size);
    hashmap_remove(&metadata->_topics_by_id, topic->id.bytes, sizeof topic->id.bytes);
    topic_free(topic);
}

struct metadata_topic *image_topic(const struct metadata *metadata, struct uuid id)
{
    return hashmap_find(&metadata->_topics_by_id, id.bytes, sizeof id.bytes);
}

static const int32_t *place_ids(int32_t **next, const int32_t *from, int32_t count)
{
    int32_t *into = *next;
    if (count > 0)
        memcpy(into, from, (size_t)count * sizeof *into);
    *next += count;
    return into;
}

void image_partition_set(struct metadata *metadata, struct metadata_topic *topic, int32_t index,
                         const struct metadata_partition *from)
{
    if (index >= topic->partitions_count) {
        vec_reserve(topic->partitions, index + 1, topic->_partitions_capacity);
        memset(topic->partitions + topic->partitions_count, 0,
               (size_t)(index + 1 - topic->partitions_count) * sizeof *topic->partitions);
        topic->partitions_count = index + 1;
    }
    size_t ids = (size_t)(from->replicas_count + from->isr_count + from->removing_replicas_count +
                          from->adding_replicas_count + from->eligible_leader_replicas_count +
                          from->last_known_elr_count);
    size_t directories_size = (size_t)from->directories_count * sizeof(struct uuid);
    // Never of no size: a partition that exists has a replicas pointer.
    void *block = mem_alloc(directories_size + ids * sizeof(int32_t) + 1);

    struct metadata_partition made = *from;
    made._block = block;
    made.directories = block;
    if (directories_size > 0)
        memcpy(block, from->directories, directories_size);
    int32_t *next = (int32_t *)(void *)((char *)block + directories_size);
    made.replicas = place_ids(&next, from->replicas, from->replicas_count);
    made.isr = place_ids(&next, from->isr, from->isr_count);
    made.removing_replicas =
        place_ids(&next, from->removing_replicas, from->removing_replicas_count);
    made.adding_replicas = place_ids(&next, from->adding_replicas, from->adding_replicas_count);
    made.eligible_leader_replicas =
        place_ids(&next, from->eligible_leader_replicas, from->eligible_leader_replicas_count);
    made.last_known_elr = place_ids(&next, from->last_known_elr, from->last_known_elr_count);

    struct metadata_partition *at = &topic->partitions[index];
    metadata->partitions_count += at->replicas == NULL;
    mem_free(at->_block);
    *at = made;
}

// ---- configs ------------------------------------------------------------------------------------------------

// A name and its value in one allocation, held by name.data.
static struct config_entry entry_new(struct str name, struct str value)
{
    char *block = mem_alloc(name.size + value.size + 2);
    memcpy(block, name.data, name.size);
    block[name.size] = '\0';
    if (value.size > 0)
        memcpy(block + name.size + 1, value.data, value.size);
    block[name.size + 1 + value.size] = '\0';
    return (struct config_entry){ { block, name.size }, { block + name.size + 1, value.size } };
}

static struct image_configs *configs_add(struct metadata *metadata, enum config_resource type,
                                         struct str name)
{
    struct image_configs *owner = mem_zalloc(sizeof *owner + name.size + 2);
    owner->key_size = name.size + 1;
    owner->key[0] = (char)type;
    memcpy(owner->key + 1, name.data, name.size);
    owner->configs.type = type;
    owner->configs.name = owner->key + 1;
    hashmap_put(&metadata->_configs, owner->key, owner->key_size, &owner->configs);
    return owner;
}

void image_config_set(struct metadata *metadata, enum config_resource type, struct str name,
                      struct str key, struct str value)
{
    const struct metadata_configs *found = metadata_find_configs(metadata, type, name);
    if (found == NULL && value.data == NULL)
        return;
    struct image_configs *owner =
        found != NULL ? configs_owner(found) : configs_add(metadata, type, name);
    size_t at = 0;
    while (at < owner->configs.count && str_compare(owner->entries[at].name, key) < 0)
        at++;
    bool is_there = at < owner->configs.count && str_eq(owner->entries[at].name, key);
    if (is_there)
        mem_free((char *)owner->entries[at].name.data);
    size_t after = owner->configs.count - at - is_there;
    if (value.data != NULL) {
        vec_reserve(owner->entries, owner->configs.count + 1, owner->capacity);
        if (!is_there)
            memmove(owner->entries + at + 1, owner->entries + at, after * sizeof *owner->entries);
        owner->entries[at] = entry_new(key, value);
        owner->configs.count += !is_there;
    } else if (is_there) {
        memmove(owner->entries + at, owner->entries + at + 1, after * sizeof *owner->entries);
        owner->configs.count--;
    }
    owner->configs.entries = owner->entries;

    struct metadata_topic *topic = NULL;
    if (type == CONFIG_RESOURCE_TOPIC)
        topic = hashmap_find(&metadata->_topics_by_name, name.data, name.size);
    if (topic != NULL)
        topic->configs = owner->configs.count > 0 ? &owner->configs : NULL;
    if (owner->configs.count == 0)
        configs_remove(metadata, &owner->configs);
}

// ---- brokers and controllers --------------------------------------------------------------------------------

static const struct metadata_endpoint *
copy_endpoints(struct arena *arena, const struct metadata_endpoint *from, int32_t count)
{
    struct metadata_endpoint *copy = arena_array(arena, struct metadata_endpoint, count);
    for (int32_t i = 0; i < count; i++) {
        copy[i] = from[i];
        copy[i].listener_name = arena_str(arena, from[i].listener_name);
        copy[i].host = arena_str(arena, from[i].host);
    }
    return copy;
}

static const struct metadata_feature_range *
copy_ranges(struct arena *arena, const struct metadata_feature_range *from, int32_t count)
{
    struct metadata_feature_range *copy = arena_array(arena, struct metadata_feature_range, count);
    for (int32_t i = 0; i < count; i++) {
        copy[i] = from[i];
        copy[i].name = arena_str(arena, from[i].name);
    }
    return copy;
}

static const struct uuid *copy_uuids(struct arena *arena, const struct uuid *from, int32_t count)
{
    return count <= 0 ? NULL : arena_dup(arena, from, (size_t)count * sizeof *from);
}

static void broker_free(struct metadata_broker *broker)
{
    if (broker == NULL)
        return;
    arena_fini(&broker->_arena);
    mem_free(broker);
}

void image_broker_set(struct metadata *metadata, const struct metadata_broker *from)
{
    struct metadata_broker *broker = mem_alloc(sizeof *broker);
    *broker = *from;
    arena_init(&broker->_arena);
    broker->rack = arena_str(&broker->_arena, from->rack);
    broker->endpoints = copy_endpoints(&broker->_arena, from->endpoints, from->endpoints_count);
    broker->features = copy_ranges(&broker->_arena, from->features, from->features_count);
    broker->log_dirs = copy_uuids(&broker->_arena, from->log_dirs, from->log_dirs_count);
    broker->cordoned_log_dirs =
        copy_uuids(&broker->_arena, from->cordoned_log_dirs, from->cordoned_log_dirs_count);
    broker_free(hashmap_put(&metadata->_brokers, &broker->id, sizeof broker->id, broker));
}

void image_broker_remove(struct metadata *metadata, int32_t id)
{
    broker_free(hashmap_remove(&metadata->_brokers, &id, sizeof id));
}

static void controller_free_registration(struct metadata_controller *controller)
{
    if (controller == NULL)
        return;
    arena_fini(&controller->_arena);
    mem_free(controller);
}

void image_controller_set(struct metadata *metadata, const struct metadata_controller *from)
{
    struct metadata_controller *made = mem_alloc(sizeof *made);
    *made = *from;
    arena_init(&made->_arena);
    made->endpoints = copy_endpoints(&made->_arena, from->endpoints, from->endpoints_count);
    made->features = copy_ranges(&made->_arena, from->features, from->features_count);
    controller_free_registration(
        hashmap_put(&metadata->_controllers, &made->id, sizeof made->id, made));
}

// ---- features, stored records -------------------------------------------------------------------------------

void image_feature_set(struct metadata *metadata, struct str name, int16_t level)
{
    struct metadata_feature *feature = hashmap_find(&metadata->_features, name.data, name.size);
    if (feature != NULL && level != 0) {
        feature->level = level;
    } else if (feature != NULL) {
        mem_free(hashmap_remove(&metadata->_features, name.data, name.size));
    } else if (level != 0) {
        feature = mem_alloc(sizeof *feature + name.size + 1);
        char *copy = (char *)(feature + 1);
        memcpy(copy, name.data, name.size);
        copy[name.size] = '\0';
        *feature = (struct metadata_feature){ copy, level };
        hashmap_put(&metadata->_features, copy, name.size, feature);
    }
}

void image_stored_set(struct metadata *metadata, const struct image_stored *stored)
{
    struct image_stored *copy = mem_alloc(sizeof *copy + stored->key.size + stored->value.size + 1);
    uint8_t *bytes = (uint8_t *)(copy + 1);
    *copy = *stored;
    memcpy(bytes, stored->key.data, stored->key.size);
    copy->key.data = bytes;
    if (stored->value.size > 0)
        memcpy(bytes + stored->key.size, stored->value.data, stored->value.size);
    copy->value.data = bytes + stored->key.size;
    mem_free(hashmap_put(&metadata->_stored, copy->key.data, copy->key.size, copy));
}

void image_stored_remove(struct metadata *metadata, struct bytes key)
{
    mem_free(hashmap_remove(&metadata->_stored, key.data, key.size));
}

const struct image_stored *image_next_stored(const struct metadata *metadata, size_t *at)
{
    return hashmap_next(&metadata->_stored, at);
}

// ---- the whole ----------------------------------------------------------------------------------------------

static void map_clear(struct hashmap *map)
{
    hashmap_fini(map);
    hashmap_init(map);
}

void image_clear(struct metadata *metadata)
{
    void *member;
    for (size_t at = 0; (member = hashmap_next(&metadata->_topics_by_id, &at)) != NULL;)
        topic_free(member);
    for (size_t at = 0; (member = hashmap_next(&metadata->_configs, &at)) != NULL;)
        configs_free(configs_owner(member));
    for (size_t at = 0; (member = hashmap_next(&metadata->_brokers, &at)) != NULL;)
        broker_free(member);
    for (size_t at = 0; (member = hashmap_next(&metadata->_controllers, &at)) != NULL;)
        controller_free_registration(member);
    for (size_t at = 0; (member = hashmap_next(&metadata->_features, &at)) != NULL;)
        mem_free(member);
    for (size_t at = 0; (member = hashmap_next(&metadata->_stored, &at)) != NULL;)
        mem_free(member);
    map_clear(&metadata->_topics_by_name);
    map_clear(&metadata->_topics_by_id);
    map_clear(&metadata->_configs);
    map_clear(&metadata->_brokers);
    map_clear(&metadata->_controllers);
    map_clear(&metadata->_features);
    map_clear(&metadata->_stored);
    metadata->next_producer_id = -1;
    metadata->offset = -1;
    metadata->epoch = 0;
    metadata->partitions_count = 0;
}
