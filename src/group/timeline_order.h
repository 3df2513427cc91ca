// SPDX-License-Identifier: Apache-2.0
// The order in which Kafka's TimelineHashMap gives its entries. Members of groups live in such maps, so that lists of
// them are in this order:
//
//     by slot: the highest bits of hash * 2^64/phi (Knuth's multiplicative hashing); in a slot the last put first
//
// A map begins with two slots and doubles before a put, of a new key or not, that finds it too full; it never shrinks.
//
//     struct timeline map = TIMELINE_INIT;
//     member->place = timeline_put(&map, members_count, is_new, member->place);
//     timeline_sort(&map, entries, count);
#ifndef GROUP_TIMELINE_ORDER_H
#define GROUP_TIMELINE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timeline {
    size_t slots;  // a power of two
    uint64_t puts; // of new keys, ever
};

#define TIMELINE_INIT ((struct timeline){ .slots = 2 })

struct timeline_entry {
    int32_t hash;   // Java's, of the key
    uint64_t place; // that timeline_put gave
    void *value;
};

// An entry is put, `count` being there. Returns the place of a new one; one that is replaced keeps its own, `place`.
uint64_t timeline_put(struct timeline *map, size_t count, bool is_new, uint64_t place);
void timeline_sort(const struct timeline *map, struct timeline_entry *entries, size_t count);

#endif
