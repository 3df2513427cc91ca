// SPDX-License-Identifier: Apache-2.0
// Whether a resource (a topic, a broker, a group, a client metrics subscription) may have a set of overrides.
#ifndef CONTROLLER_RESOURCE_CHECK_H
#define CONTROLLER_RESOURCE_CHECK_H

#include "controller/evaluation.h"

// `entries` are all overrides it would have; `before` those it has now (NULL: none).
struct answer resource_check(struct evaluation *evaluation, enum config_resource type,
                             struct str name, const struct config_entry *entries, size_t count,
                             const struct metadata_configs *before);
// Whether it exists (topics and brokers; groups and subscriptions exist by having overrides).
struct answer resource_check_existence(struct evaluation *evaluation, enum config_resource type,
                                       struct str name);
// The definition of a key of that resource; NULL: unknown.
const struct config_def *resource_key_def(enum config_resource type, struct str key);

#endif
