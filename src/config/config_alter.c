// SPDX-License-Identifier: Apache-2.0
#include "config/config_alter.h"

#include <stdio.h>

#include "base/mem.h"
#include "config/config_load.h"

// ---- the shape of a request ---------------------------------------------------------------------------------

static enum kafka_error invalid(struct strbuf *message, const char *why)
{
    strbuf_addz(message, why);
    return KERR_INVALID_REQUEST;
}

static enum kafka_error check_shape(const struct config_alteration *a, struct strbuf *message)
{
    const char *comma = "Null value not supported for : ";
    bool has_null = false;
    for (size_t i = 0; i < a->changes_count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(a->changes[i].name, a->changes[k].name))
                return invalid(message, "Error due to duplicate config keys");
    for (size_t i = 0; i < a->changes_count; i++) {
        if (!str_is_null(a->changes[i].value) ||
            (!a->is_replacement && a->changes[i].operation == CONFIG_DELETE))
            continue;
        strbuf_printf(message, "%s%.*s", comma, STR_ARG(a->changes[i].name));
        comma = ", ";
        has_null = true;
    }
    return has_null ? KERR_INVALID_REQUEST : KERR_NONE;
}

static enum kafka_error check_node(const struct config_alteration *a, const char *unexpected,
                                   struct strbuf *message)
{
    int64_t id;
    int32_t own_id = config_int(a->config, CONFIG_NODE_ID);
    if (!str_to_int64(a->name, &id) || id < INT32_MIN || id > INT32_MAX)
        strbuf_printf(message, "Node id must be an integer, but it is: %.*s", STR_ARG(a->name));
    else if (id != own_id)
        strbuf_printf(message, "%s %d, but received %.*s", unexpected, own_id, STR_ARG(a->name));
    else
        return KERR_NONE;
    return KERR_INVALID_REQUEST;
}

// ---- dynamic settings of a broker ---------------------------------------------------------------------------

// What a broker's overrides will be.
struct overrides {
    struct config_entry *items;
    size_t count;
    char **made; // values joined here
    size_t made_count;
};

static struct config_entry *find(struct overrides *o, struct str name)
{
    for (size_t i = 0; i < o->count; i++)
        if (str_eq(o->items[i].name, name))
            return &o->items[i];
    return NULL;
}

static bool has_part(struct str list, struct str part)
{
    for (size_t at = 0; at <= list.size;) {
        size_t end = at;
        while (end < list.size && list.data[end] != ',')
            end++;
        if (end - at == part.size && memcmp(list.data + at, part.data, part.size) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

// Adds to `out` the parts of `list` that are not in `except`.
static void add_parts(struct strbuf *out, struct str list, struct str except, bool *first)
{
    for (size_t at = 0; at <= list.size;) {
        size_t end = at;
        while (end < list.size && list.data[end] != ',')
            end++;
        struct str part = { list.data + at, end - at };
        at = end + 1;
        if (has_part(except, part))
            continue;
        strbuf_printf(out, "%s%.*s", *first ? "" : ",", STR_ARG(part));
        *first = false;
    }
}

// The old value with the new parts behind it, or without them.
static char *joined(const struct config_change *change, struct str old)
{
    static const struct str nothing = { "\n", 1 }; // in no list
    struct strbuf out = STRBUF_EMPTY;
    bool first = true;
    if (change->operation == CONFIG_APPEND) {
        if (old.size > 0)
            add_parts(&out, old, nothing, &first);
        add_parts(&out, change->value, old.size > 0 ? old : nothing, &first);
    } else if (old.size > 0) {
        add_parts(&out, old, change->value, &first);
    }
    char *text = str_dup(strbuf_str(&out));
    strbuf_fini(&out);
    return text;
}

static enum kafka_error apply_one(struct overrides *o, const struct config_change *change,
                                  struct strbuf *message)
{
    struct config_entry *present = find(o, change->name);
    struct str value = change->value;
    enum config_key key;
    if (change->operation == CONFIG_DELETE) {
        if (present != NULL)
            *present = o->items[--o->count];
        return KERR_NONE;
    }
    if (change->operation != CONFIG_SET) {
        if (!config_key_find(change->name, &key)) {
            strbuf_printf(message, "Unknown config name: %.*s", STR_ARG(change->name));
            return KERR_INVALID_CONFIG;
        }
        if (config_def_of(key)->type != CONFIG_TYPE_LIST) {
            strbuf_printf(message, "Config value %s is not allowed for config key: %.*s",
                          change->operation == CONFIG_APPEND ? "append" : "subtract",
                          STR_ARG(change->name));
            return KERR_INVALID_CONFIG;
        }
        struct str old =
            present != NULL ? present->value : str_of(config_def_of(key)->default_text);
        o->made[o->made_count] = joined(change, old);
        value = str_of(o->made[o->made_count++]);
    }
    if (present == NULL)
        present = &o->items[o->count++];
    *present = (struct config_entry){ change->name, value };
    return KERR_NONE;
}

// The part of a name behind "listener.name.X."; the whole name when it has no such prefix.
static struct str base_name(struct str name, bool *is_prefixed)
{
    static const char prefix[] = "listener.name.";
    size_t at = sizeof prefix - 1;
    *is_prefixed = false;
    if (!str_starts_with(name, prefix))
        return name;
    while (at < name.size && name.data[at] != '.')
        at++;
    if (at == name.size)
        return name;
    *is_prefixed = true;
    return (struct str){ name.data + at + 1, name.size - at - 1 };
}

static bool is_security_key(enum config_key key)
{
    static const enum config_key keys[] = {
        CONFIG_SSL_TRUSTSTORE_LOCATION, CONFIG_SSL_TRUSTSTORE_CERTIFICATES,
        CONFIG_SSL_TRUSTSTORE_PASSWORD, CONFIG_SSL_TRUSTSTORE_TYPE,
        CONFIG_SSL_KEYSTORE_LOCATION,   CONFIG_SSL_KEYSTORE_CERTIFICATE_CHAIN,
        CONFIG_SSL_KEYSTORE_PASSWORD,   CONFIG_SSL_KEYSTORE_TYPE,
        CONFIG_SSL_KEYSTORE_KEY,        CONFIG_SSL_KEY_PASSWORD,
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i] == key)
            return true;
    return false;
}

enum refusal { REFUSE_STATIC, REFUSE_WITHOUT_LISTENER, REFUSE_FOR_CLUSTER, REFUSALS };

static const char *const refusal_texts[REFUSALS] = {
    "Cannot update these configs dynamically",
    "These security configs can be dynamically updated only per-listener using the listener prefix",
    "Cannot update these configs at default cluster level, broker id must be specified",
};

static bool is_refused(struct str name, enum refusal refusal, bool is_cluster)
{
    enum config_key key;
    bool is_prefixed;
    bool is_key = config_key_find(base_name(name, &is_prefixed), &key);
    if (refusal == REFUSE_FOR_CLUSTER)
        return is_cluster &&
               (is_prefixed ? !(is_key && (key == CONFIG_MAX_CONNECTIONS ||
                                           key == CONFIG_NUM_NETWORK_THREADS ||
                                           key == CONFIG_MAX_CONNECTION_CREATION_RATE))
                            : is_key && config_def_of(key)->update == CONFIG_UPDATE_PER_BROKER);
    if (!is_key || is_prefixed)
        return false;
    return refusal == REFUSE_STATIC ? config_def_of(key)->update == CONFIG_UPDATE_READ_ONLY
                                    : is_security_key(key);
}

// The first rule that some names break, with all of these names.
static bool names_are_allowed(const struct overrides *o, enum refusal refusal, bool is_cluster,
                              struct strbuf *message)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++) {
        if (!is_refused(o->items[i].name, refusal, is_cluster))
            continue;
        if (count++ == 0)
            strbuf_printf(message, "%s: [", refusal_texts[refusal]);
        strbuf_printf(message, "%s%.*s", count > 1 ? ", " : "", STR_ARG(o->items[i].name));
    }
    if (count > 0)
        strbuf_add_char(message, ']');
    return count == 0;
}

static bool values_are_of_their_type(const struct overrides *o, struct strbuf *message)
{
    static const char *const rates[] = { "leader.replication.throttled.rate",
                                         "follower.replication.throttled.rate",
                                         "replica.alter.log.dirs.io.max.bytes.per.second" };
    for (size_t i = 0; i < o->count; i++) {
        struct config_def rate = { .type = CONFIG_TYPE_LONG,
                                   .validator = { .check = CONFIG_CHECK_RANGE } };
        const struct config_def *def = NULL;
        enum config_key key;
        bool is_prefixed;
        struct str name = base_name(o->items[i].name, &is_prefixed);
        for (size_t k = 0; k < sizeof rates / sizeof *rates; k++)
            if (str_eqz(name, rates[k]))
                rate.name = rates[k], def = &rate;
        if (config_key_find(name, &key))
            def = config_def_of(key);
        if (def == NULL)
            continue;
        struct config_value *value = config_value_parse(def, o->items[i].value, message);
        if (value == NULL)
            return false;
        mem_free(value);
    }
    return true;
}

// Pools of threads may at most double and halve in one step.
static bool threads_are_kept(const struct config *now, const struct config *then,
                             struct strbuf *message)
{
    static const enum config_key pools[] = { CONFIG_NUM_IO_THREADS,
                                             CONFIG_NUM_REPLICA_FETCHERS,
                                             CONFIG_NUM_RECOVERY_THREADS_PER_DATA_DIR,
                                             CONFIG_BACKGROUND_THREADS,
                                             CONFIG_NUM_NETWORK_THREADS,
                                             CONFIG_LOG_CLEANER_THREADS };
    static const char before[] = "Invalid value org.apache.kafka.common.config.ConfigException: ";
    static const char after[] = " for configuration Invalid dynamic configuration";
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        int32_t old = config_int(now, pools[i]), new = config_int(then, pools[i]);
        bool is_cleaner = pools[i] == CONFIG_LOG_CLEANER_THREADS;
        if (new == old || (new >= 1 && new >= old / 2 && new <= 2 * (int64_t)old))
            continue;
        strbuf_addz(message, before);
        if (is_cleaner)
            strbuf_addz(message, "Log cleaner threads ");
        else
            strbuf_printf(message,
                          "Dynamic thread count update validation failed for %s=%d, value ",
                          config_def_of(pools[i])->name, new);
        if (new < 1)
            strbuf_addz(message, "should be at least 1");
        else if (new < old)
            strbuf_printf(message,
                          is_cleaner ? "cannot be reduced to less than half the current value %d"
                                     : "should be at least half the current value %d",
                          old);
        else
            strbuf_printf(message,
                          is_cleaner
                              ? "cannot be increased to more than double the current value %d"
                              : "should not be greater than double the current value %d",
                          old);
        strbuf_addz(message, after);
        return false;
    }
    return true;
}

static enum kafka_error check_broker(const struct config_alteration *a, struct strbuf *message)
{
    bool is_cluster = a->name.size == 0;
    struct overrides o = { NULL, 0, NULL, 0 };
    o.items = mem_alloc((a->overrides_count + a->changes_count + 1) * sizeof *o.items);
    o.made = mem_alloc((a->changes_count + 1) * sizeof *o.made);
    for (size_t i = 0; i < a->overrides_count && !a->is_replacement; i++)
        o.items[o.count++] = a->overrides[i];
    enum kafka_error error = KERR_NONE;
    for (size_t i = 0; i < a->changes_count && error == KERR_NONE; i++) {
        struct config_change change = a->changes[i];
        if (a->is_replacement)
            change.operation = CONFIG_SET;
        if (change.operation < CONFIG_SET || change.operation > CONFIG_SUBTRACT) {
            strbuf_printf(message, "Unknown operations type %d", change.operation);
            error = KERR_INVALID_REQUEST;
        } else {
            error = apply_one(&o, &change, message);
        }
    }
    if (error == KERR_NONE &&
        !(names_are_allowed(&o, REFUSE_STATIC, is_cluster, message) &&
          names_are_allowed(&o, REFUSE_WITHOUT_LISTENER, is_cluster, message) &&
          values_are_of_their_type(&o, message) &&
          names_are_allowed(&o, REFUSE_FOR_CLUSTER, is_cluster, message)))
        error = KERR_INVALID_REQUEST;
    if (error == KERR_NONE) {
        // As this broker would be with them.
        struct config *then = config_copy(a->config);
        config_replace_dynamic(
            then, is_cluster ? CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER : CONFIG_SOURCE_DYNAMIC_BROKER,
            o.items, o.count);
        if (!config_validate(then, message) || !threads_are_kept(a->config, then, message))
            error = KERR_INVALID_REQUEST;
        config_free(then);
    }
    while (o.made_count > 0)
        mem_free(o.made[--o.made_count]);
    mem_free(o.made);
    mem_free(o.items);
    return error;
}

// ---- a resource ---------------------------------------------------------------------------------------------

enum kafka_error config_alter_check(const struct config_alteration *alteration,
                                    struct strbuf *message)
{
    enum kafka_error error = check_shape(alteration, message);
    if (error != KERR_NONE)
        return error;
    switch (alteration->type) {
    case CONFIG_RESOURCE_BROKER:
        if (alteration->name.size > 0)
            error = check_node(alteration, "Unexpected broker id, expected", message);
        return error != KERR_NONE ? error : check_broker(alteration, message);
    case CONFIG_RESOURCE_TOPIC:
    case CONFIG_RESOURCE_GROUP:
    case CONFIG_RESOURCE_CLIENT_METRICS:
        return KERR_NONE;
    default:
        strbuf_printf(message, "Unknown resource type %d", alteration->type);
        return KERR_INVALID_REQUEST;
    }
}

static const char *level_of(struct str name)
{
    static const char *const levels[] = { "DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN" };
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (str_eqz(name, levels[i]))
            return levels[i];
    return NULL;
}

static enum kafka_error check_logger_change(const struct config_change *change, const char **level,
                                            struct strbuf *message)
{
    bool is_root = str_eqz(change->name, "root");
    switch (change->operation) {
    case CONFIG_SET:
        if (level_of(change->value) == NULL) {
            strbuf_printf(
                message,
                "Cannot set the log level of %.*s to %.*s as it is not a supported log level. "
                "Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN",
                STR_ARG(change->name), STR_ARG(change->value));
            return KERR_INVALID_CONFIG;
        }
        break;
    case CONFIG_DELETE:
        if (is_root)
            return invalid(message, "Removing the log level of the root logger is not allowed");
        break;
    case CONFIG_APPEND:
    case CONFIG_SUBTRACT:
        strbuf_printf(message, "%s operation is not allowed for the BROKER_LOGGER resource",
                      change->operation == CONFIG_APPEND ? "APPEND" : "SUBTRACT");
        return KERR_INVALID_REQUEST;
    default:
        strbuf_printf(message,
                      "Unknown operation type %d is not allowed for the BROKER_LOGGER resource",
                      change->operation);
        return KERR_INVALID_REQUEST;
    }
    if (!is_root) {
        strbuf_printf(message, "Logger %.*s does not exist!", STR_ARG(change->name));
        return KERR_INVALID_CONFIG;
    }
    *level = level_of(change->value);
    return KERR_NONE;
}

enum kafka_error config_alter_check_logger(const struct config_alteration *alteration,
                                           const char **level, struct strbuf *message)
{
    enum kafka_error error = check_shape(alteration, message);
    *level = NULL;
    if (error == KERR_NONE)
        error = check_node(alteration, "Unexpected node id. Expected", message);
    for (size_t i = 0; i < alteration->changes_count && error == KERR_NONE; i++)
        error = check_logger_change(&alteration->changes[i], level, message);
    return error;
}
