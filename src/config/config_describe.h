// SPDX-License-Identifier: Apache-2.0
// What DescribeConfigs answers about a resource: each setting's value, where it came from, and what else
// it could have been (KIP-226), in the order of the real broker (that of a Java hash table).
//
//     retention.ms = 1000  source TOPIC
//         synonyms: retention.ms=1000 TOPIC, log.retention.ms=5000 STATIC_BROKER, …
#ifndef CONFIG_CONFIG_DESCRIBE_H
#define CONFIG_CONFIG_DESCRIBE_H

#include "base/arena.h"
#include "config/config.h"
#include "config/config_resource.h"
#include "protocol/kafka_error.h"

struct config_other {
    const char *name;
    const char *value; // NULL: sensitive
    enum config_source source;
};

struct config_description {
    const char *name;
    const char *value; // NULL: null, or sensitive
    bool read_only;
    bool is_sensitive;
    enum config_source source;
    int8_t type; // enum config_type, 0 for a name that is no key
    const struct config_other *synonyms;
    size_t synonyms_count;
    const char *doc; // NULL: not asked for
};

struct config_descriptions {
    struct config_description *items;
    size_t count;
};

struct config_question {
    const struct config *config;
    enum config_resource type;
    struct str name;                      // of the topic (which exists), broker, group, …
    const struct config_entry *overrides; // the resource's own, as the metadata image has them
    size_t overrides_count;
    const struct config_entry *cluster; // of a broker: those of the default of all brokers
    size_t cluster_count;
    const struct str *keys; // only these; NULL: all
    size_t keys_count;
    bool with_docs;
};

// Everything in the arena. Names and values of `overrides` are copied.
// INVALID_REQUEST with a message: a broker or logger of another node, an empty name where one is needed.
enum kafka_error config_describe(const struct config_question *question, struct arena *arena,
                                 struct config_descriptions *out, const char **message);

// The settings of a new topic, as CreateTopics (KIP-525) answers: config_describe of a topic.

#endif
