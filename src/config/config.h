// SPDX-License-Identifier: Apache-2.0
// The configuration of this broker: every key's value and where it came from.
//
//     struct config *config = config_new();                       // Kafka's defaults
//     config_set(config, CONFIG_SOURCE_STATIC_BROKER, name, value, &message); // from the file
//     … config_int(config, CONFIG_NUM_PARTITIONS) …
//
// A value comes from the highest layer that has one: dynamic of this broker (2), dynamic default of
// all brokers (3), the file (4), Kafka's default (5).
//
// Invariants:
// (1) Getters may run on any thread, at any time, without a lock: a slot holds one pointer to an
//     immutable value, replaced atomically.
// (2) A value lives as long as the struct config, even when replaced: strings and lists that
//     getters return need no copy. (Dynamic changes are rare and small; that is the price.)
// (3) Writers hold the lock; each layer is kept, so that taking a dynamic value away shows the one
//     below.
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/config_def.h"

enum config_key {
#define KEY(id, ...)          CONFIG_##id,
#define INTERNAL_KEY(id, ...) CONFIG_##id,
#include "config/config_keys.def"
#undef KEY
#undef INTERNAL_KEY
    CONFIG_KEY_COUNT
};

enum topic_key {
#define KEY(id, ...)          TOPIC_##id,
#define INTERNAL_KEY(id, ...) TOPIC_##id,
#include "config/topic_keys.def"
#undef KEY
#undef INTERNAL_KEY
    TOPIC_KEY_COUNT
};

enum group_key {
#define KEY(id, ...) GROUP_##id,
#include "config/group_keys.def"
#undef KEY
    GROUP_KEY_COUNT
};

// The numbers that DescribeConfigs sends.
enum config_source {
    CONFIG_SOURCE_UNKNOWN = 0,
    CONFIG_SOURCE_TOPIC = 1,
    CONFIG_SOURCE_DYNAMIC_BROKER = 2,
    CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER = 3,
    CONFIG_SOURCE_STATIC_BROKER = 4,
    CONFIG_SOURCE_DEFAULT = 5,
    CONFIG_SOURCE_DYNAMIC_BROKER_LOGGER = 6,
    CONFIG_SOURCE_CLIENT_METRICS = 7,
    CONFIG_SOURCE_GROUP = 8,
};

// A broker key that a topic's or group's key falls back on; factor turns its unit into
// milliseconds, 0 ends the list.
struct config_synonym {
    enum config_key key;
    int64_t factor;
};

enum { CONFIG_SYNONYMS_MAX = 3 };

struct config_synonyms {
    struct config_synonym items[CONFIG_SYNONYMS_MAX + 1];
};

const struct config_def *config_def_of(enum config_key key);
const struct config_def *topic_def_of(enum topic_key key);
const struct config_def *group_def_of(enum group_key key);
const struct config_synonyms *topic_synonyms_of(enum topic_key key);
const struct config_synonyms *group_synonyms_of(enum group_key key);
// What it is for, in a sentence.
const char *config_doc(enum config_key key);
const char *topic_doc(enum topic_key key);
const char *group_doc(enum group_key key);
// By name; false when there is none.
bool config_key_find(struct str name, enum config_key *key);
bool topic_key_find(struct str name, enum topic_key *key);
bool group_key_find(struct str name, enum group_key *key);

struct config;

struct config *config_new(void);
void config_free(struct config *config);
// Another one with the same layers: to see what a change would do.
struct config *config_copy(const struct config *config);

// Sets a name in one layer (sources 2, 3, 4), or takes it away there when value is null. A name
// that is no key (a typing error, a plug-in's setting, a listener.name. prefix) is kept and found
// by config_extra. False, with Kafka's message appended and nothing changed, when the value is not
// allowed.
bool config_set(struct config *config, enum config_source layer, struct str name, struct str value,
                struct strbuf *message);
// Makes a dynamic layer (2 or 3) exactly these entries. A value that does not parse is left out:
// the controller let none in, so it comes from a newer release.
void config_replace_dynamic(struct config *config, enum config_source layer,
                            const struct config_entry *entries, size_t count);

// Typed getters. The key must have that type (LONG reads INT and SHORT too), and number and boolean
// must not be null: for those that may be, ask config_is_null first or use config_long_or.
int32_t config_int(const struct config *config, enum config_key key);
int64_t config_long(const struct config *config, enum config_key key);
int64_t config_long_or(const struct config *config, enum config_key key, int64_t when_null);
bool config_bool(const struct config *config, enum config_key key);
double config_double(const struct config *config, enum config_key key);
const char *config_str(const struct config *config,
                       enum config_key key); // STRING, CLASS, PASSWORD; or NULL
struct config_list config_list(const struct config *config,
                               enum config_key key); // items NULL: null
bool config_list_has(const struct config *config, enum config_key key, const char *item);

bool config_is_null(const struct config *config, enum config_key key);
bool config_is_set(const struct config *config,
                   enum config_key key); // in any layer over the default
enum config_source config_source_of(const struct config *config, enum config_key key);
const struct config_value *config_value_of(const struct config *config, enum config_key key);
// The value in one layer, NULL when it is not set there.
const struct config_value *config_layer_value(const struct config *config, enum config_key key,
                                              enum config_source layer);

// Static names that are no key, e.g. "listener.name.external.ssl.keystore.location"; NULL when not
// set.
const char *config_extra(const struct config *config, const char *name);
// The same by position, in the order of the file; false past the end. Static: safe on every thread
// once the file has been read.
bool config_extra_at(const struct config *config, size_t position, const char **name,
                     const char **value);

// What the log asks of several keys: log.retention.ms/minutes/hours and the like, -1 for "no
// limit".
int64_t config_log_retention_ms(const struct config *config);
int64_t config_log_roll_ms(const struct config *config);
int64_t config_log_roll_jitter_ms(const struct config *config);
int64_t config_log_flush_ms(const struct config *config);
struct config_list config_log_dirs(const struct config *config);
const char *
config_metadata_log_dir(const struct config *config); // metadata.log.dir or the first log dir

#endif
