// SPDX-License-Identifier: Apache-2.0
#include "config/config_describe.h"

#include <ctype.h>
#include <stdio.h>

#include "base/java_order.h"
#include "base/mem.h"
#include "base/must.h"

struct describer {
    const struct config_question *question;
    struct arena *arena;
    struct config_descriptions *out;
    size_t capacity;
};

enum { OTHERS_MAX = 16 };

struct others {
    struct config_other items[OTHERS_MAX];
    size_t count;
};

// Settings of the whole cluster or a broker that exist as dynamic ones only (KIP-73).
static const struct config_def throttles[] = {
    { .name = "leader.replication.throttled.rate", .type = CONFIG_TYPE_LONG },
    { .name = "follower.replication.throttled.rate", .type = CONFIG_TYPE_LONG },
    { .name = "replica.alter.log.dirs.io.max.bytes.per.second", .type = CONFIG_TYPE_LONG },
};

static const struct {
    const char *name;
    const char *value;
    enum config_type type;
} metrics_defaults[] = {
    // KIP-714; in the order of the real broker.
    { "interval.ms", "300000", CONFIG_TYPE_INT },
    { "match", "", CONFIG_TYPE_LIST },
    { "metrics", "", CONFIG_TYPE_LIST },
};

static const char *text_of(struct describer *d, struct str s)
{
    return arena_str(d->arena, s).data;
}

static bool is_wanted(const struct describer *d, const char *name)
{
    const struct config_question *q = d->question;
    for (size_t i = 0; i < q->keys_count; i++)
        if (str_eqz(q->keys[i], name))
            return true;
    return q->keys == NULL || q->keys_count == 0;
}

static const struct config_entry *override_of(const struct config_question *q, const char *name)
{
    for (size_t i = 0; i < q->overrides_count; i++)
        if (str_eqz(q->overrides[i].name, name) && !str_is_null(q->overrides[i].value))
            return &q->overrides[i];
    return NULL;
}

static void add_other(struct others *others, const char *name, const char *value,
                      enum config_source source)
{
    must(others->count < OTHERS_MAX);
    others->items[others->count++] = (struct config_other){ name, value, source };
}

static void add(struct describer *d, struct config_description description,
                const struct others *others)
{
    vec_reserve(d->out->items, d->out->count + 1, d->capacity);
    description.synonyms_count = others->count;
    if (others->count > 0) {
        struct config_other *copy = arena_array(d->arena, struct config_other, others->count);
        memcpy(copy, others->items, others->count * sizeof *copy);
        description.synonyms = copy;
        description.source = copy[0].source;
    }
    if (!d->question->with_docs)
        description.doc = NULL;
    d->out->items[d->out->count++] = description;
}

// ---- the order ----------------------------------------------------------------------------------------------

// The positions of `count` names, in the order of a Java hash table that holds them.
static const size_t *order_names(struct arena *arena, int count,
                                 const char *(*name_of)(int position))
{
    struct str *names = arena_array(arena, struct str, count);
    for (int i = 0; i < count; i++)
        names[i] = str_of(name_of(i));
    return java_order_texts(names, (size_t)count, java_buckets_grown((size_t)count), arena);
}

static const char *broker_name(int position)
{
    return config_def_of((enum config_key)position)->name;
}

static const char *topic_name(int position)
{
    return topic_def_of((enum topic_key)position)->name;
}

static const char *group_name(int position)
{
    return group_def_of((enum group_key)position)->name;
}

// ---- brokers ------------------------------------------------------------------------------------------------

// Keys that are one setting in several units, the finest first (KIP-226).
static const enum config_key families[][4] = {
    { CONFIG_LOG_ROLL_MS, CONFIG_LOG_ROLL_HOURS, CONFIG_KEY_COUNT },
    { CONFIG_LOG_ROLL_JITTER_MS, CONFIG_LOG_ROLL_JITTER_HOURS, CONFIG_KEY_COUNT },
    { CONFIG_LOG_RETENTION_MS, CONFIG_LOG_RETENTION_MINUTES, CONFIG_LOG_RETENTION_HOURS,
      CONFIG_KEY_COUNT },
};
static const enum config_key flush_family[] = { CONFIG_LOG_FLUSH_INTERVAL_MS,
                                                CONFIG_LOG_FLUSH_SCHEDULER_INTERVAL_MS,
                                                CONFIG_KEY_COUNT };

static const enum config_key *family_of(enum config_key key)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        for (const enum config_key *at = families[i]; *at != CONFIG_KEY_COUNT; at++)
            if (*at == key)
                return families[i];
    return key == CONFIG_LOG_FLUSH_INTERVAL_MS ? flush_family : NULL;
}

static bool is_sensitive(const struct config_def *def)
{
    return def->type == CONFIG_TYPE_PASSWORD;
}

// Each layer's value of the key and its family, without those before the key's own first.
static void add_broker_synonyms(struct describer *d, enum config_key key, struct others *others)
{
    const enum config_key alone[] = { key, CONFIG_KEY_COUNT };
    const enum config_key *family = family_of(key) != NULL ? family_of(key) : alone;
    bool hide = is_sensitive(config_def_of(key)), seen = false;
    for (int layer = CONFIG_SOURCE_DYNAMIC_BROKER; layer <= CONFIG_SOURCE_DEFAULT; layer++) {
        for (const enum config_key *at = family; *at != CONFIG_KEY_COUNT; at++) {
            const struct config_value *value =
                config_layer_value(d->question->config, *at, (enum config_source)layer);
            if (value == NULL || value->text == NULL)
                continue;
            seen = seen || *at == key;
            const char *shown = layer == CONFIG_SOURCE_DEFAULT ? value->text : value->raw;
            if (seen)
                add_other(others, config_def_of(*at)->name, hide ? NULL : shown,
                          (enum config_source)layer);
        }
    }
}

static void describe_broker_key(struct describer *d, enum config_key key)
{
    const struct config_def *def = config_def_of(key);
    struct others others = { .count = 0 };
    add_broker_synonyms(d, key, &others);
    const char *value = config_value_of(d->question->config, key)->text;
    add(d,
        (struct config_description){ .name = def->name,
                                     .value = is_sensitive(def) ? NULL : value,
                                     .read_only = def->update == CONFIG_UPDATE_READ_ONLY,
                                     .is_sensitive = is_sensitive(def),
                                     .source = CONFIG_SOURCE_DEFAULT,
                                     .type = (int8_t)def->type,
                                     .doc = config_doc(key) },
        &others);
}

// "listener.name.x.KEY" or one of the throttles is a KEY's; anything else is unknown and so hidden.
static const struct config_def *loose_def(const char *name)
{
    static const char prefix[] = "listener.name.";
    for (size_t i = 0; i < sizeof throttles / sizeof *throttles; i++)
        if (strcmp(name, throttles[i].name) == 0)
            return &throttles[i];
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const char *dot = strchr(name + sizeof prefix - 1, '.');
    enum config_key key;
    return dot != NULL && config_key_find(str_of(dot + 1), &key) ? config_def_of(key) : NULL;
}

static bool is_throttle(const struct config_def *def)
{
    return def >= throttles && def < throttles + sizeof throttles / sizeof *throttles;
}

static struct str entry_value(const struct config_entry *entries, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eqz(entries[i].name, name))
            return entries[i].value;
    return STR_NULL;
}

// A name that is no key, with what each layer says of it.
static void describe_loose(struct describer *d, const char *name)
{
    const struct config_question *q = d->question;
    const struct config_def *def = loose_def(name);
    bool hide = def == NULL || is_sensitive(def);
    struct others others = { .count = 0 };
    if (!is_wanted(d, name))
        return;
    for (size_t i = 0; i < d->out->count; i++)
        if (strcmp(d->out->items[i].name, name) == 0)
            return; // named by another layer too
    struct str values[] = { q->name.size > 0 ? entry_value(q->overrides, q->overrides_count, name)
                                             : STR_NULL,
                            q->name.size > 0 ? entry_value(q->cluster, q->cluster_count, name)
                                             : entry_value(q->overrides, q->overrides_count, name),
                            q->name.size > 0 ? str_of(config_extra(q->config, name)) : STR_NULL };
    for (int i = 0; i < 3; i++)
        if (!str_is_null(values[i]))
            add_other(&others, name, hide ? NULL : text_of(d, values[i]),
                      (enum config_source)(CONFIG_SOURCE_DYNAMIC_BROKER + i));
    add(d,
        (struct config_description){ .name = name,
                                     .value = others.items[0].value,
                                     .read_only = def == NULL || !is_throttle(def),
                                     .is_sensitive = hide,
                                     .type = def == NULL ? 0 : (int8_t)def->type,
                                     .doc = NULL },
        &others);
}

static void describe_loose_ones(struct describer *d, const struct config_entry *entries,
                                size_t count)
{
    enum config_key key;
    for (size_t i = 0; i < count; i++)
        if (!config_key_find(entries[i].name, &key))
            describe_loose(d, text_of(d, entries[i].name));
}

static void describe_broker(struct describer *d)
{
    const struct config_question *q = d->question;
    const char *name, *value;
    describe_loose_ones(d, q->overrides, q->overrides_count);
    describe_loose_ones(d, q->cluster, q->cluster_count);
    for (size_t i = 0; config_extra_at(q->config, i, &name, &value); i++)
        describe_loose(d, name);
    // An internal key is shown only when it was set.
    for (int i = 0; i < CONFIG_KEY_COUNT; i++)
        if (config_def_of((enum config_key)i)->internal &&
            config_is_set(q->config, (enum config_key)i) && is_wanted(d, broker_name(i)))
            describe_broker_key(d, (enum config_key)i);
    const size_t *order = order_names(d->arena, CONFIG_KEY_COUNT, broker_name);
    for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
        enum config_key key = (enum config_key)order[i];
        if (!config_def_of(key)->internal && is_wanted(d, config_def_of(key)->name))
            describe_broker_key(d, key);
    }
}

// The default of all brokers: what was set there, and only that.
static void describe_cluster(struct describer *d)
{
    const struct config_question *q = d->question;
    for (size_t i = 0; i < q->overrides_count; i++) {
        const char *name = text_of(d, q->overrides[i].name);
        enum config_key key;
        const struct config_def *def =
            config_key_find(q->overrides[i].name, &key) ? config_def_of(key) : NULL;
        if (def == NULL) {
            describe_loose(d, name);
            continue;
        }
        if (!is_wanted(d, name))
            continue;
        const char *value = is_sensitive(def) ? NULL : text_of(d, q->overrides[i].value);
        struct others others = { .count = 0 };
        add_other(&others, def->name, value, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER);
        add(d,
            (struct config_description){ .name = def->name,
                                         .value = value,
                                         .read_only = def->update == CONFIG_UPDATE_READ_ONLY,
                                         .is_sensitive = is_sensitive(def),
                                         .type = (int8_t)def->type,
                                         .doc = config_doc(key) },
            &others);
    }
}

// ---- topics and groups --------------------------------------------------------------------------------------

// What the broker's settings make of a topic's or group's key; NULL: they say nothing.
static const char *value_of_synonyms(struct describer *d, const struct config_synonyms *synonyms)
{
    for (const struct config_synonym *s = synonyms->items; s->factor != 0; s++) {
        const struct config_value *value = config_value_of(d->question->config, s->key);
        if (value->text == NULL)
            continue;
        if (s->factor == 1 && !(s->key == CONFIG_LOG_RETENTION_MS && value->number < 0))
            return value->text;
        return value->number < 0
                   ? "-1"
                   : arena_printf(d->arena, "%lld", (long long)(value->number * s->factor));
    }
    return NULL;
}

static void describe_overridable(struct describer *d, const struct config_def *def,
                                 const struct config_synonyms *synonyms,
                                 enum config_source own_source, const char *doc)
{
    const struct config_entry *own = override_of(d->question, def->name);
    struct others others = { .count = 0 };
    const char *value = value_of_synonyms(d, synonyms);
    if (value == NULL)
        value = def->default_text;
    if (own != NULL) {
        struct strbuf ignored = STRBUF_EMPTY;
        struct config_value *parsed = config_value_parse(def, own->value, &ignored);
        value = parsed != NULL ? text_of(d, str_of(parsed->text)) : text_of(d, own->value);
        mem_free(parsed);
        strbuf_fini(&ignored);
        add_other(&others, def->name, value, own_source);
    }
    if (synonyms->items[0].factor != 0)
        add_broker_synonyms(d, synonyms->items[0].key, &others);
    else if (own_source == CONFIG_SOURCE_GROUP && def->default_text != NULL)
        add_other(&others, def->name, def->default_text, CONFIG_SOURCE_DEFAULT);
    add(d,
        (struct config_description){ .name = def->name,
                                     .value = value,
                                     .source = CONFIG_SOURCE_DEFAULT,
                                     .type = (int8_t)def->type,
                                     .doc = doc },
        &others);
}

static void describe_topic(struct describer *d)
{
    const size_t *order = order_names(d->arena, TOPIC_KEY_COUNT, topic_name);
    // As with brokers, internal ones come first and only when they were set.
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < TOPIC_KEY_COUNT; i++) {
            enum topic_key key = (enum topic_key)order[i];
            const struct config_def *def = topic_def_of(key);
            if (def->internal == (pass == 0) && is_wanted(d, def->name) &&
                (!def->internal || override_of(d->question, def->name) != NULL))
                describe_overridable(d, def, topic_synonyms_of(key), CONFIG_SOURCE_TOPIC,
                                     topic_doc(key));
        }
    }
}

static void describe_group(struct describer *d)
{
    const size_t *order = order_names(d->arena, GROUP_KEY_COUNT, group_name);
    for (int i = 0; i < GROUP_KEY_COUNT; i++) {
        enum group_key key = (enum group_key)order[i];
        if (is_wanted(d, group_def_of(key)->name))
            describe_overridable(d, group_def_of(key), group_synonyms_of(key), CONFIG_SOURCE_GROUP,
                                 group_doc(key));
    }
}

static void describe_client_metrics(struct describer *d)
{
    for (size_t i = 0; i < sizeof metrics_defaults / sizeof *metrics_defaults; i++) {
        const char *name = metrics_defaults[i].name;
        const struct config_entry *own = override_of(d->question, name);
        struct others others = { .count = 0 };
        const char *value = own != NULL ? text_of(d, own->value) : metrics_defaults[i].value;
        if (!is_wanted(d, name))
            continue;
        if (own != NULL)
            add_other(&others, name, value, CONFIG_SOURCE_CLIENT_METRICS);
        add(d,
            (struct config_description){ .name = name,
                                         .value = value,
                                         .source = CONFIG_SOURCE_DEFAULT,
                                         .type = (int8_t)metrics_defaults[i].type,
                                         .doc = "" },
            &others);
    }
}

// ---- the question -------------------------------------------------------------------------------------------

static enum kafka_error check_node(const struct config_question *q, struct arena *arena,
                                   const char **message)
{
    int64_t id;
    int32_t own_id = config_int(q->config, CONFIG_NODE_ID);
    bool is_logger = q->type == CONFIG_RESOURCE_BROKER_LOGGER;
    if (q->name.size == 0 && !is_logger)
        return KERR_NONE;
    if (q->name.size == 0)
        *message = "Broker id must not be empty";
    else if (!str_to_int64(q->name, &id) || id < INT32_MIN || id > INT32_MAX)
        *message =
            arena_printf(arena, "Broker id must be an integer, but it is: %.*s", STR_ARG(q->name));
    else if (id != own_id)
        *message = arena_printf(arena, "Unexpected broker id, expected %d%s but received %.*s",
                                own_id, is_logger ? "" : " or empty string,", STR_ARG(q->name));
    else
        return KERR_NONE;
    return KERR_INVALID_REQUEST;
}

enum kafka_error config_describe(const struct config_question *question, struct arena *arena,
                                 struct config_descriptions *out, const char **message)
{
    struct describer d = { question, arena, out, 0 };
    enum kafka_error error = KERR_NONE;
    *out = (struct config_descriptions){ NULL, 0 };
    *message = NULL;
    switch (question->type) {
    case CONFIG_RESOURCE_TOPIC:
        describe_topic(&d);
        break;
    case CONFIG_RESOURCE_BROKER:
        error = check_node(question, arena, message);
        if (error == KERR_NONE && question->name.size > 0)
            describe_broker(&d);
        else if (error == KERR_NONE)
            describe_cluster(&d);
        break;
    case CONFIG_RESOURCE_GROUP:
        if (question->name.size == 0)
            *message = "Group name must not be empty";
        else
            describe_group(&d);
        break;
    case CONFIG_RESOURCE_CLIENT_METRICS:
        if (question->name.size == 0)
            *message = "Client metrics subscription name must not be empty";
        else
            describe_client_metrics(&d);
        break;
    case CONFIG_RESOURCE_BROKER_LOGGER:
        error = check_node(question, arena, message);
        break;
    }
    if (*message != NULL)
        error = KERR_INVALID_REQUEST;
    // The vector grew on the heap; what is answered lives in the arena.
    struct config_description *items = out->items;
    if (out->count > 0)
        out->items = arena_dup(arena, items, out->count * sizeof *items);
    mem_free(items);
    return error;
}
