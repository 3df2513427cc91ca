// SPDX-License-Identifier: Apache-2.0
// The topics as a group coordinator needs them: name, id, number of partitions, hash. A copy of part of the
// metadata image, because a shard cannot ask the image itself: a timer of a shard runs under the shard's lock, which
// stands inside the image's in the order of locks. This index has a lock of its own, the innermost of all.
//
//     controller's thread ──topic_index_update(delta)──> index <──topic_index_lock_read── shards, under their locks
//
// (1) It holds what the image held after the last change it was told; groups are told of the change after it.
// (2) A topic's hash is that of the time of its last change (metadata_hash.h): a broker's new rack is seen when the
//     topic itself changes next.
#ifndef GROUP_TOPIC_INDEX_H
#define GROUP_TOPIC_INDEX_H

#include <pthread.h>

#include "base/hashmap.h"
#include "base/uuid.h"

struct metadata;
struct metadata_delta;

struct indexed_topic {
    struct uuid id;
    struct str name;
    int32_t partitions_count;
    int64_t hash;
};

struct topic_index {
    pthread_rwlock_t _lock;
    struct hashmap _by_name;
    struct hashmap _by_id;
    int64_t version;            // offset of the metadata log
    int64_t new_topics_version; // of the last change that made topics; -1: none was told
};

struct topic_index *topic_index_new(void);
void topic_index_free(struct topic_index *index);

// Takes over the whole image, then what changes. One thread at a time.
void topic_index_fill(struct topic_index *index, struct metadata *metadata);
void topic_index_update(struct topic_index *index, struct metadata *metadata,
                        const struct metadata_delta *delta);
// For tests and for those without an image: puts or replaces a topic, version becomes that of the image.
void topic_index_put(struct topic_index *index, struct uuid id, struct str name,
                     int32_t partitions_count, int64_t hash, int64_t version);
void topic_index_remove(struct topic_index *index, struct uuid id, int64_t version);

void topic_index_lock_read(struct topic_index *index);
void topic_index_unlock(struct topic_index *index);

// Under the lock. NULL if there is none; valid until it is unlocked.
const struct indexed_topic *topic_index_find(const struct topic_index *index, struct str name);
const struct indexed_topic *topic_index_find_by_id(const struct topic_index *index, struct uuid id);
// In any order: size_t at = 0; while ((topic = topic_index_next(index, &at)) != NULL) …
const struct indexed_topic *topic_index_next(const struct topic_index *index, size_t *at);

#endif
