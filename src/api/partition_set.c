// SPDX-License-Identifier: Apache-2.0
// Tested by fetch_sessions_test.c.
#include "api/partition_set.h"

#include "base/hashmap.h"
#include "base/must.h"

void partition_set_init(struct partition_set *set, struct arena *arena, size_t most)
{
    *set = (struct partition_set){ NULL, 1 };
    if (most <= 1)
        return;
    while (set->_mask < most * 2)
        set->_mask = set->_mask * 2 + 1;
    set->_slots = arena_array(arena, const struct partition_name *, set->_mask + 1);
}

uint64_t partition_set_hash(const struct partition_set *set, struct str topic, struct uuid topic_id)
{
    if (set->_slots == NULL)
        return 0;
    return str_is_null(topic) ? hash_bytes(topic_id.bytes, sizeof topic_id.bytes)
                              : hash_bytes(topic.data, topic.size);
}

// Where the partition is, or would be.
static size_t slot_of(const struct partition_set *set, const struct partition_name *name,
                      uint64_t topic_hash)
{
    uint64_t hash = (topic_hash ^ (uint32_t)name->index) * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = (size_t)(hash >> 32) & set->_mask;; i = (i + 1) & set->_mask) {
        const struct partition_name *other = set->_slots[i];
        if (other == NULL ||
            (other->index == name->index && uuid_eq(other->topic_id, name->topic_id) &&
             str_eq(other->topic, name->topic)))
            return i;
    }
}

const struct partition_name *
partition_set_add(struct partition_set *set, const struct partition_name *name, uint64_t topic_hash)
{
    if (set->_slots == NULL)
        return NULL;
    size_t slot = slot_of(set, name, topic_hash);
    const struct partition_name *same = set->_slots[slot];
    if (same == NULL)
        set->_slots[slot] = name;
    return same;
}

bool partition_set_has(const struct partition_set *set, const struct partition_name *name,
                       uint64_t topic_hash)
{
    must(set->_slots != NULL);
    return set->_slots[slot_of(set, name, topic_hash)] != NULL;
}
