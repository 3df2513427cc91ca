// SPDX-License-Identifier: Apache-2.0
// From a server.properties and the command line to a checked configuration, or to one line that says
// which file, which key and what is allowed.
//
//     file ──properties──▶ --override ──▶ ${provider:path:key} ──▶ config_set of each ──▶ config_validate
#ifndef CONFIG_CONFIG_LOAD_H
#define CONFIG_CONFIG_LOAD_H

#include "base/disk.h"
#include "base/trace.h"
#include "config/config.h"
#include "config/listeners.h"

struct config_source_files {
    struct disk *disk;
    const char *path; // NULL: no file, but the settings of a single node on localhost:9092
    const char *const *overrides; // "name=value" of each --override, in order
    size_t override_count;
    const char *(*environment)(
        const char *name); // for the EnvVarConfigProvider; NULL: nothing is set
};

// The configuration, or NULL with one line (no line end) appended to `message`:
//     server.properties: Invalid value 0 for configuration num.partitions: Value must be at least 1
struct config *config_load(const struct config_source_files *from, struct strbuf *message);

// The settings that config_load takes without a file.
extern const struct config_entry config_builtin[];
extern const size_t config_builtin_count;

// What KafkaConfig checks over several keys; also sees to it that required ones are there.
bool config_validate(const struct config *config, struct strbuf *message);

// False, with a line appended, when running would be unsafe because this release would not do what the
// configuration asks: no authoriser, no TLS or SASL on a listener, another set of roles, several voters,
// tiered storage.
bool config_is_supported(const struct config *config, const struct listeners *listeners,
                         struct strbuf *message);

// Says once what was set and does nothing here: unknown names, JVM things, features of later releases.
void config_log_unused(const struct config *config, struct trace *trace);
// The same of a topic's overrides, when they were set.
void config_log_unused_by_topic(struct str topic, const struct config_entry *overrides,
                                size_t count, struct trace *trace);

#endif
