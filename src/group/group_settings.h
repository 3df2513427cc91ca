// SPDX-License-Identifier: Apache-2.0
// The settings of groups: those that somebody gave a group (IncrementalAlterConfigs of a GROUP resource), the
// broker's for all others. Read under a shard's lock; has a lock of its own, an innermost one.
//
//     value of a group = its own, held within the broker's bounds (group.consumer.min.session.timeout.ms …),
//                        else the broker's (group.consumer.session.timeout.ms …)
//
// A setting takes effect at the next heartbeat that asks for it; a timer that runs is not moved.
#ifndef GROUP_GROUP_SETTINGS_H
#define GROUP_GROUP_SETTINGS_H

#include "base/trace.h"
#include "config/config.h"

struct arena;
struct group_settings;
struct metadata;

// `config` is borrowed and read live. NULL: Kafka's defaults, for tests.
struct group_settings *group_settings_new(const struct config *config, struct trace *trace);
void group_settings_free(struct group_settings *settings);

// What the metadata image has for a group, or for all of them.
void group_settings_take(struct group_settings *settings, struct metadata *metadata,
                         struct str group_id);
void group_settings_take_all(struct group_settings *settings, struct metadata *metadata);
// The overrides of a group are these; none: it has none.
void group_settings_set(struct group_settings *settings, struct str group_id,
                        const struct config_entry *entries, size_t count);

// The key must be of type INT, BOOLEAN (0 or 1) or STRING.
int32_t group_settings_int(struct group_settings *settings, struct str group_id,
                           enum group_key key);
struct str group_settings_str(struct group_settings *settings, struct str group_id,
                              enum group_key key, struct arena *arena);

#endif
