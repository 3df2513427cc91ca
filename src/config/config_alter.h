// SPDX-License-Identifier: Apache-2.0
// What a broker checks of AlterConfigs and IncrementalAlterConfigs before the controller decides: the shape
// of the request, and whether this very broker could live with new dynamic settings (KIP-226).
//
//     request ──▶ config_alter_check (here, on the broker) ──▶ the controller: values of topics, groups …
//
// The order of the checks and the words are those of Kafka's ConfigAdminManager.
#ifndef CONFIG_CONFIG_ALTER_H
#define CONFIG_CONFIG_ALTER_H

#include "config/config.h"
#include "config/config_resource.h"
#include "protocol/kafka_error.h"

enum config_operation { CONFIG_SET = 0, CONFIG_DELETE = 1, CONFIG_APPEND = 2, CONFIG_SUBTRACT = 3 };

struct config_change {
    struct str name;
    int8_t operation; // enum config_operation, or whatever a client sent
    struct str value; // may be null
};

struct config_alteration {
    const struct config *config;
    int8_t type; // enum config_resource, or whatever a client sent
    struct str name;
    bool is_replacement; // AlterConfigs: `changes` are all that there shall be
    const struct config_change *changes;
    size_t changes_count;
    const struct config_entry *overrides; // the resource's present ones
    size_t overrides_count;
};

// KERR_NONE, or what to answer for this resource, with the message appended.
enum kafka_error config_alter_check(const struct config_alteration *alteration,
                                    struct strbuf *message);

// The same for a broker's loggers: there is one, "root". *level: the new level's name in upper case, set
// when there is a change to make.
enum kafka_error config_alter_check_logger(const struct config_alteration *alteration,
                                           const char **level, struct strbuf *message);

#endif
