// SPDX-License-Identifier: Apache-2.0
#include "log/offset_map.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/uuid.h"

struct offset_map_slot {
    uint64_t low, high;
    int64_t next_offset;
};

// As in Kafka, whose map is one array of the JVM.
enum { MEMORY_MAX = INT32_MAX };

void offset_map_init(struct offset_map *map, int64_t memory_bytes, double load_factor,
                     int64_t keys_max)
{
    _Static_assert(sizeof(struct offset_map_slot) == OFFSET_MAP_SLOT_SIZE, "as Kafka's");
    int64_t memory = memory_bytes < MEMORY_MAX ? memory_bytes : MEMORY_MAX;
    int64_t slots = memory / OFFSET_MAP_SLOT_SIZE;
    if (slots < 2)
        slots = 2;
    double most = (double)slots * load_factor;
    int64_t count_max = most >= (double)(slots - 1) ? slots - 1 : most < 1 ? 1 : (int64_t)most;
    // Half full at most where memory allows: probes are short.
    if (keys_max < slots / 2)
        slots = keys_max * 2 + 2;
    map->slot_count = (size_t)slots;
    map->count_max = (size_t)(count_max < slots ? count_max : slots - 1);
    map->count = 0;
    map->latest_offset = -1;
    // Zeroed on demand: the system brings the pages that are used.
    map->_slots = mem_zalloc(map->slot_count * sizeof *map->_slots);
    struct uuid one = uuid_random(), other = uuid_random();
    memcpy(map->_secret, one.bytes, 8);
    memcpy(map->_secret + 8, other.bytes, 8);
}

void offset_map_fini(struct offset_map *map)
{
    mem_free(map->_slots);
    map->_slots = NULL;
}

struct siphash offset_map_key(const struct offset_map *map, struct bytes key)
{
    return siphash_128(map->_secret, key.data, key.size);
}

static inline size_t slot_of(const struct offset_map *map, const struct siphash *key)
{
    return (size_t)((unsigned __int128)key->high * map->slot_count >> 64);
}

void offset_map_prefetch(const struct offset_map *map, const struct siphash *key)
{
    __builtin_prefetch(&map->_slots[slot_of(map, key)], 1);
}

// The key's slot, or the free one where it would be.
static struct offset_map_slot *find_slot(const struct offset_map *map, const struct siphash *key)
{
    size_t at = slot_of(map, key);
    for (;;) {
        struct offset_map_slot *slot = &map->_slots[at];
        if (slot->next_offset == 0 || (slot->low == key->low && slot->high == key->high))
            return slot;
        if (++at == map->slot_count)
            at = 0;
    }
}

bool offset_map_put(struct offset_map *map, const struct siphash *key, int64_t offset)
{
    must(offset >= 0);
    if (map->count >= map->count_max)
        return false;
    struct offset_map_slot *slot = find_slot(map, key);
    if (slot->next_offset == 0) {
        slot->low = key->low;
        slot->high = key->high;
        map->count++;
    }
    slot->next_offset = offset + 1;
    return true;
}

int64_t offset_map_find(const struct offset_map *map, const struct siphash *key)
{
    return find_slot(map, key)->next_offset - 1;
}
