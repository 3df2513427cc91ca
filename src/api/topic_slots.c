// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by compat-tests/twin/groups.
#include "api/topic_slots.h"

#include "base/hashmap.h"

struct topic_slot **topic_slots(const struct topic_key *keys, int32_t count, struct arena *arena)
{
    struct topic_slot **slots = arena_array(arena, struct topic_slot *, count + 1);
    struct hashmap by_key;
    hashmap_init(&by_key);
    for (int32_t i = 0; i < count; i++) {
        slots[i] = hashmap_find(&by_key, keys[i].data, keys[i].size);
        if (slots[i] == NULL) {
            slots[i] = arena_new(arena, struct topic_slot);
            slots[i]->place = -1;
            hashmap_put(&by_key, keys[i].data, keys[i].size, slots[i]);
        }
        slots[i]->room += keys[i].partitions;
    }
    hashmap_fini(&by_key);
    return slots;
}
