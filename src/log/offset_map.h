// SPDX-License-Identifier: Apache-2.0
// What a cleaning knows of the keys in the dirty part of a log: the last offset of each. Keys are kept as 128-bit
// hashes, as in Kafka, so that memory does not grow with them. Two keys with one hash would cost a record; so the hash
// is SipHash with a secret of this map (Kafka's is MD5, for which anyone can make such pairs).
//
//     24 bytes a slot: hash, offset + 1 (0: free); linear probing from the slot that the hash's high bits name
//
//     struct siphash key = offset_map_key(&map, bytes);
//     offset_map_prefetch(&map, &key);                 // some other work in between hides the cache's miss
//     if (!offset_map_put(&map, &key, offset)) …       // full: the cleaning ends here
//
// Invariants: (1) count <= count_max < slot_count (2) offsets of one key are put in ascending order
//             (3) latest_offset is the largest offset that the map knows about
#ifndef LOG_OFFSET_MAP_H
#define LOG_OFFSET_MAP_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/siphash.h"

enum { OFFSET_MAP_SLOT_SIZE = 24 };

struct offset_map_slot;

struct offset_map {
    struct offset_map_slot *_slots;
    uint8_t _secret[16];
    size_t slot_count;
    size_t count;
    size_t count_max;
    int64_t latest_offset; // -1: none; kept by who fills the map
};

// An empty map that takes at most memory_bytes, and as many keys as load_factor of that many slots, one at least.
// keys_max: no more keys than this will come, so that a small log costs little.
void offset_map_init(struct offset_map *map, int64_t memory_bytes, double load_factor,
                     int64_t keys_max);
void offset_map_fini(struct offset_map *map);

struct siphash offset_map_key(const struct offset_map *map, struct bytes key);
void offset_map_prefetch(const struct offset_map *map, const struct siphash *key);
// False when the map is full, also for a key that it has: Kafka asks in this order.
bool offset_map_put(struct offset_map *map, const struct siphash *key, int64_t offset);
int64_t offset_map_find(const struct offset_map *map, const struct siphash *key); // -1: not there

#endif
