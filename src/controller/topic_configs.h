// SPDX-License-Identifier: Apache-2.0
// What a topic's settings are in effect, as the controller sees it: the topic's own, else the broker keys that each
// falls back on, set for this node, for all nodes, or in the file, else Kafka's default.
#ifndef CONTROLLER_TOPIC_CONFIGS_H
#define CONTROLLER_TOPIC_CONFIGS_H

#include "controller/evaluation.h"

struct topic_config {
    struct str value; // null: none
    enum config_source source;
};

// One setting of a topic that has these overrides (which may be those of a topic in the making).
struct topic_config topic_config_effective(const struct evaluation *evaluation, enum topic_key key,
                                           const struct config_entry *overrides,
                                           size_t overrides_count);

// The minimum of the effective min.insync.replicas and the replication factor.
int32_t topic_min_isr(const struct evaluation *evaluation, const struct metadata_topic *topic);
bool topic_unclean_election(const struct evaluation *evaluation,
                            const struct metadata_topic *topic);

// All keys in the order of their names, TOPIC_KEY_COUNT of them.
const enum topic_key *topic_keys_by_name(void);

#endif
