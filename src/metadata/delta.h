// SPDX-License-Identifier: Apache-2.0
// Collects what a publication changes, while it is replayed, into the struct metadata_delta for the subscribers.
#ifndef METADATA_DELTA_H
#define METADATA_DELTA_H

#include "metadata/metadata.h"

struct delta_topic;

struct delta {
    struct arena *arena;
    struct hashmap _by_id; // struct delta_topic
    struct delta_topic *_first, *_last;
    size_t _topics_count;
    struct hashmap _configs; // struct metadata_config_change
    struct metadata_config_change *_config_items;
    size_t _configs_count, _configs_capacity;
    struct metadata_broker_change *_broker_items;
    size_t _brokers_count, _brokers_capacity;
    bool features_changed;
    bool controllers_changed;
    bool producer_ids_changed;
    bool others_changed;
};

void delta_init(struct delta *delta, struct arena *arena);
void delta_fini(struct delta *delta);

void delta_topic_created(struct delta *delta, const struct metadata_topic *topic);
void delta_topic_deleted(struct delta *delta,
                         const struct metadata_topic *topic); // before it is gone
void delta_partition_changed(struct delta *delta, const struct metadata_topic *topic,
                             int32_t partition);
void delta_config_changed(struct delta *delta, enum config_resource type, struct str name);
void delta_broker_changed(struct delta *delta, enum metadata_change change, int32_t id);

bool delta_is_empty(const struct delta *delta);
// The finished delta, in the arena. `metadata`: what the image has become (read by the controller's thread, which
// alone changes it, so without the lock).
const struct metadata_delta *delta_finish(struct delta *delta, const struct metadata *metadata);

#endif
