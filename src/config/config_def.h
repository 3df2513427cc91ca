// SPDX-License-Identifier: Apache-2.0
// The definition of one setting, and the tables of all of them: brokers (config_keys.def), topics
// (topic_keys.def) and groups (group_keys.def). Here a text becomes a checked, typed value, with
// the wording that Kafka uses when it does not.
//
//     text ──trim──▶ parse by type ──▶ validator ──▶ struct config_value
//            "Not a number of type INT"   "Value must be at least 1"
#ifndef CONFIG_CONFIG_DEF_H
#define CONFIG_CONFIG_DEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/strbuf.h"

// The numbers that DescribeConfigs sends as the type of a value (KIP-569).
enum config_type {
    CONFIG_TYPE_BOOLEAN = 1,
    CONFIG_TYPE_STRING = 2,
    CONFIG_TYPE_INT = 3,
    CONFIG_TYPE_SHORT = 4,
    CONFIG_TYPE_LONG = 5,
    CONFIG_TYPE_DOUBLE = 6,
    CONFIG_TYPE_LIST = 7,
    CONFIG_TYPE_CLASS = 8,
    CONFIG_TYPE_PASSWORD = 9,
};

enum config_importance { CONFIG_IMPORTANCE_HIGH, CONFIG_IMPORTANCE_MEDIUM, CONFIG_IMPORTANCE_LOW };

// When a broker's setting may change: at start only, on one broker, or on one and on all.
enum config_update {
    CONFIG_UPDATE_READ_ONLY,
    CONFIG_UPDATE_PER_BROKER,
    CONFIG_UPDATE_CLUSTER_WIDE
};

// What setting it does in Odradek.
enum config_effect {
    CONFIG_EFFECT_USED,
    CONFIG_EFFECT_NO_MEANING_HERE, // about the JVM or its classes: accepted, said once
    CONFIG_EFFECT_LATER, // its feature is not there yet: said once when it is not the default
};

enum config_check {
    CONFIG_CHECK_ANY,
    CONFIG_CHECK_RANGE, // at least min, at most max when has_max; never null
    CONFIG_CHECK_ONE_OF,
    CONFIG_CHECK_ONE_OF_ANY_CASE,
    CONFIG_CHECK_LIST, // no empty element, each one of `values` when given; see empty_ok and
                       // null_ok
    CONFIG_CHECK_NON_EMPTY,
    CONFIG_CHECK_NON_NULL,
    CONFIG_CHECK_GZIP_LEVEL,
    CONFIG_CHECK_VOTERS,
    CONFIG_CHECK_SERVERS,
    CONFIG_CHECK_THROTTLED_REPLICAS,
    CONFIG_CHECK_OFFSET_RESET,
};

struct config_validator {
    enum config_check check;
    double min, max;
    bool has_max;
    const char *values; // ", " between
    bool empty_ok, null_ok;
};

struct config_def {
    const char *name;
    enum config_type type;
    const char *default_text; // NULL: null, unless required
    bool required;
    bool internal; // Kafka's own tests set it; not described to clients
    struct config_validator validator;
    enum config_importance importance;
    enum config_update update;
    enum config_effect effect;
};

struct config_list {
    const char *const *items; // NULL: null
    size_t count;
};

// A checked value. `text` is what Kafka would show (lists joined by commas, numbers as Java prints
// them); NULL is null. One block of memory holds it all.
struct config_value {
    const char *text;
    const char *raw; // as it was given, white space and all
    int64_t number;  // INT, SHORT, LONG
    double real;     // DOUBLE
    bool boolean;
    struct config_list list;
};

// A name with its text, as ConfigRecords, CreateTopics and AlterConfigs carry them. Borrowed.
struct config_entry {
    struct str name;
    struct str value;
};

// Makes a value of `text` (STR_NULL for null) for mem_free, or returns NULL with Kafka's message
// appended.
struct config_value *config_value_parse(const struct config_def *def, struct str text,
                                        struct strbuf *message);

// Kafka's "Invalid value V for configuration N: WHY"; why may be NULL.
void config_invalid(struct strbuf *message, struct str value, const char *name, const char *why);

// As Double.toString: "0.5", "1.0", "1.7976931348623157E308".
enum { CONFIG_DOUBLE_TEXT_SIZE = 32 };
void config_double_format(double d, char out[CONFIG_DOUBLE_TEXT_SIZE]);

// Splits "host:port" as Kafka does (an optional scheme://, brackets around IPv6). host may be
// empty.
bool config_host_port(struct str text, struct str *host, int32_t *port);

// The validator as Kafka's documentation shows it, e.g. "[0,...]"; "" for none.
void config_validator_format(const struct config_validator *v, struct strbuf *out);

#endif
