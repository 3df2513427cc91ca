// SPDX-License-Identifier: Apache-2.0
// Changing the image, one fact at a time. For replay.c, whose caller holds the write lock or is the only one that
// knows the image. Everything given is copied.
#ifndef METADATA_IMAGE_H
#define METADATA_IMAGE_H

#include "metadata/metadata.h"

// A type and the longest string of the wire.
enum { IMAGE_CONFIG_KEY_MAX = 32768 };

// Forgets everything, as if new.
void image_clear(struct metadata *metadata);
// Tells the subscribers, without the lock.
void metadata_tell(struct metadata *metadata, const struct metadata_delta *delta);

// The writer's side of the lock.
void image_lock(struct metadata *metadata);

// The name must be free (and so must be the id).
struct metadata_topic *image_topic_add(struct metadata *metadata, struct str name, struct uuid id);
void image_topic_remove(struct metadata *metadata,
                        struct metadata_topic *topic); // with its configs
struct metadata_topic *image_topic(const struct metadata *metadata, struct uuid id);
// Sets partition `index` (>= 0) to what `from` says; `from` may share arrays with the present one.
void image_partition_set(struct metadata *metadata, struct metadata_topic *topic, int32_t index,
                         const struct metadata_partition *from);

void image_config_set(struct metadata *metadata, enum config_resource type, struct str name,
                      struct str key,
                      struct str value); // null value: removed

// A broker made or replaced. What the members of `from` point to is copied.
void image_broker_set(struct metadata *metadata, const struct metadata_broker *from);
void image_broker_remove(struct metadata *metadata, int32_t id);
void image_controller_set(struct metadata *metadata, const struct metadata_controller *from);

void image_feature_set(struct metadata *metadata, struct str name, int16_t level); // 0: removed

// A record kept as it is: `key` tells it from others, `value` is its body at `version`.
struct image_stored {
    int type;
    int16_t version;
    struct bytes key;
    struct bytes value;
};
void image_stored_set(struct metadata *metadata, const struct image_stored *stored);
void image_stored_remove(struct metadata *metadata, struct bytes key);
const struct image_stored *image_next_stored(const struct metadata *metadata, size_t *at);

#endif
