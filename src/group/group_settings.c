// SPDX-License-Identifier: Apache-2.0
// See the header. Values are kept as texts: the controller checked them, a newer release's are skipped.
#include "group/group_settings.h"

#include <inttypes.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/hashmap.h"
#include "base/mem.h"
#include "base/must.h"
#include "metadata/metadata.h"

struct group_overrides {
    struct str group_id;                          // owned
    struct config_value *values[GROUP_KEY_COUNT]; // owned; NULL: not overridden
};

struct group_settings {
    const struct config *config;
    struct config *own; // when none was given
    struct trace *trace;
    pthread_mutex_t lock;
    struct hashmap groups; // struct group_overrides
};

// Between which of the broker's values a group's own is held.
struct bounds {
    enum config_key min, max;
    bool has_min;
};

static bool bounds_of(enum group_key key, struct bounds *bounds)
{
    switch (key) {
#define BETWEEN(key_, min_, max_)                                                                  \
    case GROUP_##key_:                                                                             \
        *bounds = (struct bounds){ CONFIG_GROUP_##min_, CONFIG_GROUP_##max_, true };               \
        return true;
        BETWEEN(CONSUMER_SESSION_TIMEOUT_MS, CONSUMER_MIN_SESSION_TIMEOUT_MS,
                CONSUMER_MAX_SESSION_TIMEOUT_MS)
        BETWEEN(CONSUMER_HEARTBEAT_INTERVAL_MS, CONSUMER_MIN_HEARTBEAT_INTERVAL_MS,
                CONSUMER_MAX_HEARTBEAT_INTERVAL_MS)
        BETWEEN(CONSUMER_ASSIGNMENT_INTERVAL_MS, CONSUMER_MIN_ASSIGNMENT_INTERVAL_MS,
                CONSUMER_MAX_ASSIGNMENT_INTERVAL_MS)
        BETWEEN(SHARE_SESSION_TIMEOUT_MS, SHARE_MIN_SESSION_TIMEOUT_MS,
                SHARE_MAX_SESSION_TIMEOUT_MS)
        BETWEEN(SHARE_HEARTBEAT_INTERVAL_MS, SHARE_MIN_HEARTBEAT_INTERVAL_MS,
                SHARE_MAX_HEARTBEAT_INTERVAL_MS)
        BETWEEN(SHARE_RECORD_LOCK_DURATION_MS, SHARE_MIN_RECORD_LOCK_DURATION_MS,
                SHARE_MAX_RECORD_LOCK_DURATION_MS)
        BETWEEN(SHARE_DELIVERY_COUNT_LIMIT, SHARE_MIN_DELIVERY_COUNT_LIMIT,
                SHARE_MAX_DELIVERY_COUNT_LIMIT)
        BETWEEN(SHARE_PARTITION_MAX_RECORD_LOCKS, SHARE_MIN_PARTITION_MAX_RECORD_LOCKS,
                SHARE_MAX_PARTITION_MAX_RECORD_LOCKS)
        BETWEEN(SHARE_ASSIGNMENT_INTERVAL_MS, SHARE_MIN_ASSIGNMENT_INTERVAL_MS,
                SHARE_MAX_ASSIGNMENT_INTERVAL_MS)
        BETWEEN(STREAMS_SESSION_TIMEOUT_MS, STREAMS_MIN_SESSION_TIMEOUT_MS,
                STREAMS_MAX_SESSION_TIMEOUT_MS)
        BETWEEN(STREAMS_HEARTBEAT_INTERVAL_MS, STREAMS_MIN_HEARTBEAT_INTERVAL_MS,
                STREAMS_MAX_HEARTBEAT_INTERVAL_MS)
        BETWEEN(STREAMS_ASSIGNMENT_INTERVAL_MS, STREAMS_MIN_ASSIGNMENT_INTERVAL_MS,
                STREAMS_MAX_ASSIGNMENT_INTERVAL_MS)
#undef BETWEEN
    case GROUP_STREAMS_NUM_STANDBY_REPLICAS:
        *bounds = (struct bounds){ .max = CONFIG_GROUP_STREAMS_MAX_STANDBY_REPLICAS };
        return true;
    default:
        return false;
    }
}

struct group_settings *group_settings_new(const struct config *config, struct trace *trace)
{
    struct group_settings *settings = mem_new(struct group_settings);
    settings->own = config == NULL ? config_new() : NULL;
    settings->config = config == NULL ? settings->own : config;
    settings->trace = trace;
    pthread_mutex_init(&settings->lock, NULL);
    hashmap_init(&settings->groups);
    return settings;
}

static void overrides_free(struct group_overrides *overrides)
{
    for (int i = 0; i < GROUP_KEY_COUNT; i++)
        mem_free(overrides->values[i]);
    mem_free((void *)(uintptr_t)overrides->group_id.data);
    mem_free(overrides);
}

void group_settings_free(struct group_settings *settings)
{
    if (settings == NULL)
        return;
    struct group_overrides *overrides;
    for (size_t i = 0; (overrides = hashmap_next(&settings->groups, &i)) != NULL;)
        overrides_free(overrides);
    hashmap_fini(&settings->groups);
    pthread_mutex_destroy(&settings->lock);
    if (settings->own != NULL)
        config_free(settings->own);
    mem_free(settings);
}

// ---- what is set -----------------------------------------------------------------------------------

static struct group_overrides *overrides_new(struct group_settings *settings, struct str group_id,
                                             const struct config_entry *entries, size_t count)
{
    struct group_overrides *overrides = mem_new(struct group_overrides);
    overrides->group_id = (struct str){ str_dup(group_id), group_id.size };
    for (size_t i = 0; i < count; i++) {
        enum group_key key;
        struct strbuf message = STRBUF_EMPTY;
        if (group_key_find(entries[i].name, &key) && overrides->values[key] == NULL)
            overrides->values[key] =
                config_value_parse(group_def_of(key), entries[i].value, &message);
        if (message.size > 0)
            trace_warn(settings->trace, "group setting ignored group=\"%.*s\" reason=\"%s\"",
                       STR_ARG(group_id), message.data);
        strbuf_fini(&message);
    }
    return overrides;
}

void group_settings_set(struct group_settings *settings, struct str group_id,
                        const struct config_entry *entries, size_t count)
{
    struct group_overrides *now =
        count > 0 ? overrides_new(settings, group_id, entries, count) : NULL;
    pthread_mutex_lock(&settings->lock);
    struct group_overrides *before =
        now != NULL ? hashmap_put(&settings->groups, now->group_id.data, group_id.size, now)
                    : hashmap_remove(&settings->groups, group_id.data, group_id.size);
    pthread_mutex_unlock(&settings->lock);
    if (before != NULL)
        overrides_free(before);
}

static struct config_entry *copy_entries(const struct metadata_configs *configs,
                                         struct arena *arena, size_t *count)
{
    *count = configs != NULL ? configs->count : 0;
    struct config_entry *entries = arena_array(arena, struct config_entry, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        entries[i].name = arena_str(arena, configs->entries[i].name);
        entries[i].value = arena_str(arena, configs->entries[i].value);
    }
    return entries;
}

void group_settings_take(struct group_settings *settings, struct metadata *metadata,
                         struct str group_id)
{
    struct arena arena;
    arena_init(&arena);
    size_t count;
    metadata_lock_read(metadata);
    struct config_entry *entries = copy_entries(
        metadata_find_configs(metadata, CONFIG_RESOURCE_GROUP, group_id), &arena, &count);
    metadata_unlock(metadata);
    group_settings_set(settings, group_id, entries, count);
    arena_fini(&arena);
}

void group_settings_take_all(struct group_settings *settings, struct metadata *metadata)
{
    struct arena arena;
    arena_init(&arena);
    struct str *names = NULL;
    size_t count = 0, capacity = 0;
    metadata_lock_read(metadata);
    const struct metadata_configs *configs;
    for (size_t at = 0; (configs = metadata_next_configs(metadata, &at)) != NULL;) {
        if (configs->type != CONFIG_RESOURCE_GROUP)
            continue;
        vec_reserve(names, count + 1, capacity);
        names[count++] = arena_strz(&arena, configs->name);
    }
    metadata_unlock(metadata);
    for (size_t i = 0; i < count; i++)
        group_settings_take(settings, metadata, names[i]);
    mem_free(names);
    arena_fini(&arena);
}

// ---- what holds ------------------------------------------------------------------------------------

static enum config_key broker_key_of(enum group_key key)
{
    const struct config_synonym *synonym = &group_synonyms_of(key)->items[0];
    must(synonym->factor == 1);
    return synonym->key;
}

static bool has_broker_key(enum group_key key)
{
    return group_synonyms_of(key)->items[0].factor != 0;
}

static int32_t within_bounds(const struct group_settings *settings, enum group_key key,
                             int32_t value)
{
    struct bounds bounds;
    if (!bounds_of(key, &bounds))
        return value;
    if (bounds.has_min && value < config_int(settings->config, bounds.min))
        return config_int(settings->config, bounds.min);
    int32_t max = config_int(settings->config, bounds.max);
    return value > max ? max : value;
}

static const struct config_value *find_override(struct group_settings *settings,
                                                struct str group_id, enum group_key key)
{
    const struct group_overrides *overrides =
        hashmap_find(&settings->groups, group_id.data, group_id.size);
    return overrides != NULL ? overrides->values[key] : NULL;
}

static int32_t number_of(const struct config_value *value, enum config_type type)
{
    return type == CONFIG_TYPE_BOOLEAN ? value->boolean : (int32_t)value->number;
}

static int32_t default_of(const struct config_def *def)
{
    struct strbuf message = STRBUF_EMPTY;
    struct config_value *value = config_value_parse(def, str_of(def->default_text), &message);
    must(value != NULL);
    int32_t number = number_of(value, def->type);
    mem_free(value);
    strbuf_fini(&message);
    return number;
}

int32_t group_settings_int(struct group_settings *settings, struct str group_id, enum group_key key)
{
    const struct config_def *def = group_def_of(key);
    pthread_mutex_lock(&settings->lock);
    const struct config_value *own = find_override(settings, group_id, key);
    int32_t value = own != NULL ? number_of(own, def->type) : 0;
    pthread_mutex_unlock(&settings->lock);
    if (own != NULL)
        return def->type == CONFIG_TYPE_INT ? within_bounds(settings, key, value) : value;
    return has_broker_key(key) ? config_int(settings->config, broker_key_of(key)) : default_of(def);
}

struct str group_settings_str(struct group_settings *settings, struct str group_id,
                              enum group_key key, struct arena *arena)
{
    const struct config_def *def = group_def_of(key);
    must(def->type == CONFIG_TYPE_STRING);
    pthread_mutex_lock(&settings->lock);
    const struct config_value *own = find_override(settings, group_id, key);
    struct str value = arena_strz(arena, own != NULL ? own->text : def->default_text);
    pthread_mutex_unlock(&settings->lock);
    return value;
}
