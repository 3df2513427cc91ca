// SPDX-License-Identifier: Apache-2.0
// The partitions that a request named already, so that one named twice is seen. Lives in the request's arena; nothing
// is allocated for a request with one partition.
#ifndef API_PARTITION_SET_H
#define API_PARTITION_SET_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/uuid.h"

struct partition_name {
    struct str topic; // or null, by id
    struct uuid topic_id;
    int32_t index;
};

struct partition_set {
    const struct partition_name **_slots;
    size_t _mask;
};

void partition_set_init(struct partition_set *set, struct arena *arena, size_t most);
// What a topic's partitions have in common; make it once per topic.
uint64_t partition_set_hash(const struct partition_set *set, struct str topic,
                            struct uuid topic_id);
// Adds `name` (borrowed) and returns NULL, or returns the one of the same partition that is there.
const struct partition_name *partition_set_add(struct partition_set *set,
                                               const struct partition_name *name,
                                               uint64_t topic_hash);
// Whether it was added. Of a set made for two or more.
bool partition_set_has(const struct partition_set *set, const struct partition_name *name,
                       uint64_t topic_hash);

#endif
