// SPDX-License-Identifier: Apache-2.0
#include "config/config_load.h"

#include <stdio.h>

#include "base/mem.h"
#include "config/config_provider.h"
#include "config/properties.h"

#define ENTRY(name, value)                                                                         \
    {                                                                                              \
        { name, sizeof name - 1 },                                                                 \
        {                                                                                          \
            value, sizeof value - 1                                                                \
        }                                                                                          \
    }

const struct config_entry config_builtin[] = {
    ENTRY("process.roles", "broker,controller"),
    ENTRY("node.id", "1"),
    ENTRY("controller.listener.names", "CONTROLLER"),
    ENTRY("controller.quorum.bootstrap.servers", "localhost:9093"),
    ENTRY("listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
    ENTRY("log.dirs", "./odradek-data"),
    ENTRY("offsets.topic.replication.factor", "1"),
    ENTRY("transaction.state.log.replication.factor", "1"),
    ENTRY("transaction.state.log.min.isr", "1"),
    ENTRY("group.initial.rebalance.delay.ms", "0"),
};
const size_t config_builtin_count = sizeof config_builtin / sizeof *config_builtin;

static bool read_file(const struct config_source_files *from, struct properties *p,
                      struct strbuf *message)
{
    if (from->path == NULL) {
        for (size_t i = 0; i < config_builtin_count; i++)
            properties_set(p, config_builtin[i].name, config_builtin[i].value);
        return true;
    }
    struct strbuf text = STRBUF_EMPTY;
    int error = disk_read_whole(from->disk, from->path, &text);
    bool ok = error == 0;
    if (!ok)
        strbuf_printf(message, "cannot be read: %s", strerror(-error));
    else
        ok = properties_parse(p, strbuf_str(&text), message);
    strbuf_fini(&text);
    return ok;
}

// --override name=value. As Kafka's: no value means the empty one, no '=' at all is refused.
static bool apply_overrides(const struct config_source_files *from, struct properties *p,
                            struct strbuf *message)
{
    for (size_t i = 0; i < from->override_count; i++) {
        const char *text = from->overrides[i];
        const char *equals = strchr(text, '=');
        if (equals == NULL || equals == text) {
            strbuf_printf(message, "--override %s: must be name=value", text);
            return false;
        }
        properties_set(p, str_trim((struct str){ text, (size_t)(equals - text) }),
                       str_of(equals + 1));
    }
    return true;
}

// broker.id and node.id are one thing under two names.
static void fill_in_node_id(struct properties *p)
{
    const char *node_id = properties_get(p, "node.id"), *broker_id = properties_get(p, "broker.id");
    if (broker_id == NULL && node_id != NULL)
        properties_set(p, str_of("broker.id"), str_of(node_id));
    else if (broker_id != NULL && node_id == NULL)
        properties_set(p, str_of("node.id"), str_of(broker_id));
}

static void add_allowed(const struct config_def *def, struct strbuf *message)
{
    static const char *const types[] = { "",     "BOOLEAN", "STRING", "INT",   "SHORT",
                                         "LONG", "DOUBLE",  "LIST",   "CLASS", "PASSWORD" };
    struct strbuf valid = STRBUF_EMPTY;
    config_validator_format(&def->validator, &valid);
    strbuf_printf(message, " (%s: %s%s%s)", def->name, types[def->type],
                  valid.size > 0 ? ", valid: " : "", valid.size > 0 ? valid.data : "");
    strbuf_fini(&valid);
}

static bool set_all(struct config *config, const struct properties *p, struct strbuf *message)
{
    for (size_t i = 0; i < p->count; i++) {
        struct str name = str_of(p->items[i].name);
        if (config_set(config, CONFIG_SOURCE_STATIC_BROKER, name, str_of(p->items[i].value),
                       message))
            continue;
        enum config_key key;
        if (config_key_find(name, &key))
            add_allowed(config_def_of(key), message);
        return false;
    }
    return true;
}

struct config *config_load(const struct config_source_files *from, struct strbuf *message)
{
    struct properties p = PROPERTIES_EMPTY;
    struct config *config = config_new();
    struct strbuf why = STRBUF_EMPTY;
    bool ok = read_file(from, &p, &why) && apply_overrides(from, &p, &why) &&
              config_provide(from, &p, &why);
    if (ok) {
        fill_in_node_id(&p);
        ok = set_all(config, &p, &why) && config_validate(config, &why);
    }
    if (!ok) {
        strbuf_printf(message, "%s: %s", from->path != NULL ? from->path : "command line",
                      why.size > 0 ? why.data : "refused");
        config_free(config);
        config = NULL;
    }
    strbuf_fini(&why);
    properties_fini(&p);
    return config;
}

bool config_is_supported(const struct config *config, const struct listeners *listeners,
                         struct strbuf *message)
{
    const char *authorizer = config_str(config, CONFIG_AUTHORIZER_CLASS_NAME);
    if (authorizer != NULL && authorizer[0] != '\0') {
        strbuf_addz(message, "authorizer.class.name: this release has no authorizer, and to run "
                             "without one would let everybody do everything; leave it empty");
        return false;
    }
    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->items[i].protocol == LISTENER_PLAINTEXT)
            continue;
        strbuf_printf(message,
                      "listeners: %s asks for %s, and this release serves PLAINTEXT only (set by "
                      "listener.security.protocol.map)",
                      listeners->items[i].name,
                      listener_protocol_name(listeners->items[i].protocol));
        return false;
    }
    if (config_list(config, CONFIG_PROCESS_ROLES).count != 2) {
        strbuf_addz(message, "process.roles: this release runs as broker and controller in one "
                             "(process.roles=broker,controller)");
        return false;
    }
    if (config_list(config, CONFIG_CONTROLLER_QUORUM_VOTERS).count > 1 ||
        config_list(config, CONFIG_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS).count > 1) {
        strbuf_addz(message,
                    "controller.quorum.voters, controller.quorum.bootstrap.servers: this release "
                    "runs a quorum of one controller, its own");
        return false;
    }
    if (config_bool(config, CONFIG_REMOTE_LOG_STORAGE_SYSTEM_ENABLE)) {
        strbuf_addz(message,
                    "remote.log.storage.system.enable: this release has no tiered storage; "
                    "only false is allowed");
        return false;
    }
    return true;
}

void config_log_unused(const struct config *config, struct trace *trace)
{
    const char *name, *value;
    for (size_t i = 0; config_extra_at(config, i, &name, &value); i++)
        if (strncmp(name, "listener.name.", strlen("listener.name.")) != 0)
            trace_warn(trace, "config unknown key=%s", name);
    for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct config_def *def = config_def_of((enum config_key)key);
        const struct config_value *set =
            config_layer_value(config, (enum config_key)key, CONFIG_SOURCE_STATIC_BROKER);
        const struct config_value *otherwise =
            config_layer_value(config, (enum config_key)key, CONFIG_SOURCE_DEFAULT);
        if (set == NULL || def->effect == CONFIG_EFFECT_USED)
            continue;
        if (def->effect == CONFIG_EFFECT_NO_MEANING_HERE)
            trace_info(trace, "config without meaning here key=%s", def->name);
        else if (!str_eq(str_of(set->text), str_of(otherwise->text)))
            trace_warn(trace, "config without effect in this release key=%s", def->name);
    }
}

void config_log_unused_by_topic(struct str topic, const struct config_entry *overrides,
                                size_t count, struct trace *trace)
{
    for (size_t i = 0; i < count; i++) {
        enum topic_key key;
        if (!topic_key_find(overrides[i].name, &key) || key == TOPIC_INTERNAL_SEGMENT_BYTES)
            continue; // the latter is used, and no broker's key is behind it
        // What a topic's key does is what the broker's key behind it does.
        const struct config_synonym *behind = topic_synonyms_of(key)->items;
        if (behind->factor != 0 && config_def_of(behind->key)->effect == CONFIG_EFFECT_USED)
            continue;
        const struct config_def *def = topic_def_of(key);
        if (!str_eq(overrides[i].value, str_of(def->default_text)))
            trace_warn(trace,
                       "topic config without effect in this release topic=%.*s key=%s value=%.*s",
                       STR_ARG(topic), def->name, STR_ARG(overrides[i].value));
    }
}
