// SPDX-License-Identifier: Apache-2.0
// A hash table from bytes (strings, uuids, integers as bytes) to pointers. Open addressing, kept at
// most 3/4 full; keys are borrowed: they live in the value, or as long as it.
//
//     struct hashmap topics;
//     hashmap_init(&topics);
//     hashmap_put(&topics, topic->name, strlen(topic->name), topic);
//     struct topic *t = hashmap_find(&topics, name.data, name.size);       // NULL if absent
//     hashmap_remove(&topics, name.data, name.size);
//     for (size_t i = 0; (t = hashmap_next(&topics, &i)) != NULL;) …        // any order
//
// While iterating, nothing may be put; the member just returned may be removed only through
// hashmap_remove followed by starting again. Not thread-safe. The hash is seeded once a process, so
// that hostile names cannot be made to collide.
#ifndef BASE_HASHMAP_H
#define BASE_HASHMAP_H

#include <stddef.h>
#include <stdint.h>

struct hashmap_slot {
    const void *key;
    size_t key_size;
    void *value; // NULL: free, HASHMAP_GONE: removed
    uint64_t hash;
};

struct hashmap {
    struct hashmap_slot *_slots;
    size_t _capacity; // power of two, or 0
    size_t _used;     // slots that are not free, the removed ones too
    size_t count;     // members
};

void hashmap_init(struct hashmap *map);
void hashmap_fini(struct hashmap *map); // frees the table, not the values
void *hashmap_find(const struct hashmap *map, const void *key, size_t key_size);
// Puts, or replaces key and value; returns the former value or NULL. value must not be NULL.
void *hashmap_put(struct hashmap *map, const void *key, size_t key_size, void *value);
void *hashmap_remove(struct hashmap *map, const void *key, size_t key_size); // the value or NULL
void *hashmap_next(const struct hashmap *map, size_t *position); // start with 0; NULL at the end

uint64_t hash_bytes(const void *data, size_t size);

#endif
