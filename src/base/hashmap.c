// SPDX-License-Identifier: Apache-2.0
#include "base/hashmap.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/must.h"

static char gone_marker;
#define HASHMAP_GONE ((void *)&gone_marker)

static uint64_t hash_seed(void)
{
    static uint64_t seed;
    uint64_t s = __atomic_load_n(&seed, __ATOMIC_RELAXED);
    if (s == 0) {
        uint64_t fresh = 0, none = 0;
        must(getrandom(&fresh, sizeof fresh, 0) == sizeof fresh);
        fresh |= 1;
        __atomic_compare_exchange_n(&seed, &none, fresh, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        s = __atomic_load_n(&seed, __ATOMIC_RELAXED);
    }
    return s;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// A multiply-fold hash in the manner of wyhash: eight bytes a step, the tail read overlapping or
// padded.
uint64_t hash_bytes(const void *data, size_t size)
{
    const uint64_t k0 = 0x9e3779b97f4a7c15u, k1 = 0xbf58476d1ce4e5b9u;
    const uint8_t *p = data;
    uint64_t h = hash_seed() ^ size, v;
    size_t left = size;
    for (; left >= 8; p += 8, left -= 8) {
        memcpy(&v, p, 8);
        h = mix(h ^ v ^ k0, k1);
    }
    v = 0;
    if (left > 0)
        memcpy(&v, p, left);
    return mix(h ^ v ^ k1, k0 ^ size);
}

void hashmap_init(struct hashmap *map)
{
    *map = (struct hashmap){ 0 };
}

void hashmap_fini(struct hashmap *map)
{
    mem_free(map->_slots);
    hashmap_init(map);
}

static struct hashmap_slot *find_slot(const struct hashmap *map, const void *key, size_t key_size,
                                      uint64_t hash)
{
    if (map->_capacity == 0)
        return NULL;
    for (size_t i = hash;; i++) {
        struct hashmap_slot *slot = &map->_slots[i & (map->_capacity - 1)];
        if (slot->value == NULL)
            return NULL;
        if (slot->hash == hash && slot->value != HASHMAP_GONE && slot->key_size == key_size &&
            memcmp(slot->key, key, key_size) == 0)
            return slot;
    }
}

void *hashmap_find(const struct hashmap *map, const void *key, size_t key_size)
{
    struct hashmap_slot *slot = find_slot(map, key, key_size, hash_bytes(key, key_size));
    return slot == NULL ? NULL : slot->value;
}

static void insert_fresh(struct hashmap *map, struct hashmap_slot entry)
{
    size_t i = entry.hash;
    while (map->_slots[i & (map->_capacity - 1)].value != NULL)
        i++;
    map->_slots[i & (map->_capacity - 1)] = entry;
    map->_used++;
}

static void rehash(struct hashmap *map)
{
    struct hashmap old = *map;
    size_t capacity = 16;
    while (capacity * 3 / 4 < (old.count + 1) * 3 / 2)
        capacity *= 2;
    map->_slots = mem_zalloc(capacity * sizeof *map->_slots);
    map->_capacity = capacity;
    map->_used = 0;
    for (size_t i = 0; i < old._capacity; i++)
        if (old._slots[i].value != NULL && old._slots[i].value != HASHMAP_GONE)
            insert_fresh(map, old._slots[i]);
    mem_free(old._slots);
}

void *hashmap_put(struct hashmap *map, const void *key, size_t key_size, void *value)
{
    must(value != NULL);
    uint64_t hash = hash_bytes(key, key_size);
    struct hashmap_slot *slot = find_slot(map, key, key_size, hash);
    if (slot != NULL) {
        void *former = slot->value;
        slot->key = key;
        slot->value = value;
        return former;
    }
    if ((map->_used + 1) * 4 > map->_capacity * 3)
        rehash(map);
    insert_fresh(map, (struct hashmap_slot){ key, key_size, value, hash });
    map->count++;
    return NULL;
}

void *hashmap_remove(struct hashmap *map, const void *key, size_t key_size)
{
    struct hashmap_slot *slot = find_slot(map, key, key_size, hash_bytes(key, key_size));
    if (slot == NULL)
        return NULL;
    void *value = slot->value;
    slot->value = HASHMAP_GONE;
    slot->key = NULL;
    map->count--;
    return value;
}

void *hashmap_next(const struct hashmap *map, size_t *position)
{
    while (*position < map->_capacity) {
        void *value = map->_slots[(*position)++].value;
        if (value != NULL && value != HASHMAP_GONE)
            return value;
    }
    return NULL;
}
