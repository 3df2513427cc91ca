// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/hashmap.h"
#include "base/mem.h"
#include "base/must.h"

enum { CONFIG_MAGIC = 0x636f6e66 };

// Layers by source number: 2, 3, 4 and 5 are used.
enum { LAYER_FIRST = CONFIG_SOURCE_DYNAMIC_BROKER, LAYER_COUNT = CONFIG_SOURCE_DEFAULT + 1 };

// Keeps every value ever made, for invariant (2).
struct kept {
    struct kept *next;
    struct config_value *value;
};

struct extra {
    char *name;
    char *value;
};

struct config {
    uint32_t magic;
    pthread_mutex_t lock; // of everything but the slots
    _Atomic(const struct config_value *) slots[CONFIG_KEY_COUNT];
    _Atomic(const struct config_value *) layers[CONFIG_KEY_COUNT][LAYER_COUNT];
    struct kept *kept;
    struct extra *extras;
    size_t extra_count, extra_capacity;
};

static void keep(struct config *config, struct config_value *value)
{
    struct kept *kept = mem_new(struct kept);
    kept->value = value;
    kept->next = config->kept;
    config->kept = kept;
}

// Shows in the slot what the highest layer says.
static void settle(struct config *config, enum config_key key)
{
    for (int layer = LAYER_FIRST; layer < LAYER_COUNT; layer++) {
        const struct config_value *value = atomic_load(&config->layers[key][layer]);
        if (value != NULL) {
            atomic_store_explicit(&config->slots[key], value, memory_order_release);
            return;
        }
    }
    must(false); // every key has a default layer
}

struct config *config_new(void)
{
    struct config *config = mem_new(struct config);
    config->magic = CONFIG_MAGIC;
    pthread_mutex_init(&config->lock, NULL);
    struct strbuf message = STRBUF_EMPTY;
    for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct config_def *def = config_def_of((enum config_key)key);
        struct config_value *value =
            def->required ? mem_new(struct config_value)
                          : config_value_parse(def, str_of(def->default_text), &message);
        must(value != NULL);
        keep(config, value);
        atomic_init(&config->layers[key][CONFIG_SOURCE_DEFAULT], value);
        settle(config, (enum config_key)key);
    }
    strbuf_fini(&message);
    return config;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    must_be(config, CONFIG_MAGIC);
    for (struct kept *at = config->kept, *next; at != NULL; at = next) {
        next = at->next;
        mem_free(at->value);
        mem_free(at);
    }
    for (size_t i = 0; i < config->extra_count; i++) {
        mem_free(config->extras[i].name);
        mem_free(config->extras[i].value);
    }
    mem_free(config->extras);
    pthread_mutex_destroy(&config->lock);
    config->magic = 0;
    mem_free(config);
}

struct config *config_copy(const struct config *config)
{
    must_be(config, CONFIG_MAGIC);
    struct config *copy = config_new();
    struct strbuf message = STRBUF_EMPTY;
    for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
        struct str name = str_of(config_def_of((enum config_key)key)->name);
        for (int layer = LAYER_FIRST; layer < CONFIG_SOURCE_DEFAULT; layer++) {
            const struct config_value *value = atomic_load(&config->layers[key][layer]);
            if (value != NULL)
                config_set(copy, (enum config_source)layer, name, str_of(value->raw), &message);
        }
    }
    const char *name, *value;
    for (size_t i = 0; config_extra_at(config, i, &name, &value); i++)
        config_set(copy, CONFIG_SOURCE_STATIC_BROKER, str_of(name), str_of(value), &message);
    strbuf_fini(&message);
    return copy;
}

static void extra_set(struct config *config, struct str name, struct str value)
{
    size_t i = 0;
    while (i < config->extra_count && !str_eqz(name, config->extras[i].name))
        i++;
    if (i == config->extra_count) {
        if (str_is_null(value))
            return;
        vec_reserve(config->extras, config->extra_count + 1, config->extra_capacity);
        config->extras[config->extra_count++] = (struct extra){ str_dup(name), NULL };
    }
    mem_free(config->extras[i].value);
    config->extras[i].value = str_dup(value);
    if (config->extras[i].value == NULL) {
        mem_free(config->extras[i].name);
        memmove(config->extras + i, config->extras + i + 1,
                (--config->extra_count - i) * sizeof *config->extras);
    }
}

bool config_set(struct config *config, enum config_source layer, struct str name, struct str value,
                struct strbuf *message)
{
    must_be(config, CONFIG_MAGIC);
    must(layer >= CONFIG_SOURCE_DYNAMIC_BROKER && layer <= CONFIG_SOURCE_STATIC_BROKER);
    enum config_key key;
    if (!config_key_find(name, &key)) {
        pthread_mutex_lock(&config->lock);
        if (layer == CONFIG_SOURCE_STATIC_BROKER)
            extra_set(config, name, value);
        pthread_mutex_unlock(&config->lock);
        return true;
    }
    struct config_value *parsed = NULL;
    if (!str_is_null(value)) {
        parsed = config_value_parse(config_def_of(key), value, message);
        if (parsed == NULL)
            return false;
    }
    pthread_mutex_lock(&config->lock);
    if (parsed != NULL)
        keep(config, parsed);
    atomic_store(&config->layers[key][layer], parsed);
    settle(config, key);
    pthread_mutex_unlock(&config->lock);
    return true;
}

void config_replace_dynamic(struct config *config, enum config_source layer,
                            const struct config_entry *entries, size_t count)
{
    must(layer == CONFIG_SOURCE_DYNAMIC_BROKER || layer == CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER);
    bool named[CONFIG_KEY_COUNT] = { false };
    struct strbuf message = STRBUF_EMPTY;
    for (size_t i = 0; i < count; i++) {
        enum config_key key;
        if (!config_key_find(entries[i].name, &key) || str_is_null(entries[i].value))
            continue;
        const struct config_value *old = atomic_load(&config->layers[key][layer]);
        named[key] = (old != NULL && str_eqz(entries[i].value, old->raw)) ||
                     config_set(config, layer, entries[i].name, entries[i].value, &message);
    }
    strbuf_fini(&message);
    pthread_mutex_lock(&config->lock);
    for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (!named[key] && atomic_load(&config->layers[key][layer]) != NULL) {
            atomic_store(&config->layers[key][layer], NULL);
            settle(config, (enum config_key)key);
        }
    }
    pthread_mutex_unlock(&config->lock);
}

const struct config_value *config_value_of(const struct config *config, enum config_key key)
{
    must_be(config, CONFIG_MAGIC);
    must(key < CONFIG_KEY_COUNT);
    return atomic_load_explicit(&config->slots[key], memory_order_acquire);
}

const struct config_value *config_layer_value(const struct config *config, enum config_key key,
                                              enum config_source layer)
{
    must_be(config, CONFIG_MAGIC);
    must(key < CONFIG_KEY_COUNT && (int)layer >= LAYER_FIRST && (int)layer < LAYER_COUNT);
    const struct config_value *value = atomic_load(&config->layers[key][layer]);
    return layer == CONFIG_SOURCE_DEFAULT && config_def_of(key)->required ? NULL : value;
}

static const struct config_value *value_of_type(const struct config *config, enum config_key key,
                                                unsigned types)
{
    const struct config_value *value = config_value_of(config, key);
    must((1u << config_def_of(key)->type & types) != 0);
    return value;
}

int32_t config_int(const struct config *config, enum config_key key)
{
    const struct config_value *value =
        value_of_type(config, key, 1u << CONFIG_TYPE_INT | 1u << CONFIG_TYPE_SHORT);
    must(value->text != NULL);
    return (int32_t)value->number;
}

static const unsigned integers =
    1u << CONFIG_TYPE_INT | 1u << CONFIG_TYPE_SHORT | 1u << CONFIG_TYPE_LONG;

int64_t config_long(const struct config *config, enum config_key key)
{
    const struct config_value *value = value_of_type(config, key, integers);
    must(value->text != NULL);
    return value->number;
}

int64_t config_long_or(const struct config *config, enum config_key key, int64_t when_null)
{
    const struct config_value *value = value_of_type(config, key, integers);
    return value->text != NULL ? value->number : when_null;
}

bool config_bool(const struct config *config, enum config_key key)
{
    return value_of_type(config, key, 1u << CONFIG_TYPE_BOOLEAN)->boolean;
}

double config_double(const struct config *config, enum config_key key)
{
    return value_of_type(config, key, 1u << CONFIG_TYPE_DOUBLE)->real;
}

const char *config_str(const struct config *config, enum config_key key)
{
    return value_of_type(config, key,
                         1u << CONFIG_TYPE_STRING | 1u << CONFIG_TYPE_CLASS |
                             1u << CONFIG_TYPE_PASSWORD)
        ->text;
}

struct config_list config_list(const struct config *config, enum config_key key)
{
    return value_of_type(config, key, 1u << CONFIG_TYPE_LIST)->list;
}

bool config_list_has(const struct config *config, enum config_key key, const char *item)
{
    struct config_list list = config_list(config, key);
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i], item) == 0)
            return true;
    return false;
}

bool config_is_null(const struct config *config, enum config_key key)
{
    return config_value_of(config, key)->text == NULL;
}

enum config_source config_source_of(const struct config *config, enum config_key key)
{
    int layer = LAYER_FIRST;
    while (layer < CONFIG_SOURCE_DEFAULT && atomic_load(&config->layers[key][layer]) == NULL)
        layer++;
    return (enum config_source)layer;
}

bool config_is_set(const struct config *config, enum config_key key)
{
    return config_source_of(config, key) != CONFIG_SOURCE_DEFAULT;
}

const char *config_extra(const struct config *config, const char *name)
{
    must_be(config, CONFIG_MAGIC);
    for (size_t i = 0; i < config->extra_count; i++)
        if (strcmp(config->extras[i].name, name) == 0)
            return config->extras[i].value;
    return NULL;
}

bool config_extra_at(const struct config *config, size_t position, const char **name,
                     const char **value)
{
    must_be(config, CONFIG_MAGIC);
    if (position >= config->extra_count)
        return false;
    *name = config->extras[position].name;
    *value = config->extras[position].value;
    return true;
}

int64_t config_log_retention_ms(const struct config *config)
{
    int64_t ms = config_long_or(config, CONFIG_LOG_RETENTION_MS, INT64_MIN);
    if (ms == INT64_MIN && !config_is_null(config, CONFIG_LOG_RETENTION_MINUTES))
        ms = config_long(config, CONFIG_LOG_RETENTION_MINUTES) * 60000;
    if (ms == INT64_MIN)
        ms = config_long(config, CONFIG_LOG_RETENTION_HOURS) * 3600000;
    return ms < 0 ? -1 : ms;
}

int64_t config_log_roll_ms(const struct config *config)
{
    return config_long_or(config, CONFIG_LOG_ROLL_MS,
                          config_long(config, CONFIG_LOG_ROLL_HOURS) * 3600000);
}

int64_t config_log_roll_jitter_ms(const struct config *config)
{
    return config_long_or(config, CONFIG_LOG_ROLL_JITTER_MS,
                          config_long(config, CONFIG_LOG_ROLL_JITTER_HOURS) * 3600000);
}

int64_t config_log_flush_ms(const struct config *config)
{
    return config_long_or(config, CONFIG_LOG_FLUSH_INTERVAL_MS,
                          config_long(config, CONFIG_LOG_FLUSH_SCHEDULER_INTERVAL_MS));
}

struct config_list config_log_dirs(const struct config *config)
{
    struct config_list dirs = config_list(config, CONFIG_LOG_DIRS);
    return dirs.items != NULL ? dirs : config_list(config, CONFIG_LOG_DIR);
}

const char *config_metadata_log_dir(const struct config *config)
{
    const char *dir = config_str(config, CONFIG_METADATA_LOG_DIR);
    return dir != NULL ? dir : config_log_dirs(config).items[0];
}
