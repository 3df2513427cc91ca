// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "group/timeline_order.h"

#include <stdlib.h>

uint64_t timeline_put(struct timeline *map, size_t count, bool is_new, uint64_t place)
{
    if ((count + 1) * 3 > map->slots * 4)
        map->slots *= 2;
    return is_new ? ++map->puts : place;
}

static uint64_t spread(int32_t hash)
{
    return (uint64_t)(int64_t)hash * UINT64_C(0x9E3779B97F4A7C15);
}

static int compare(const void *a, const void *b)
{
    const struct timeline_entry *x = a, *y = b;
    // `hash` holds the slot by now.
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->place < y->place) - (x->place > y->place);
}

void timeline_sort(const struct timeline *map, struct timeline_entry *entries, size_t count)
{
    unsigned bits = 0;
    while ((size_t)1 << bits < map->slots)
        bits++;
    for (size_t i = 0; i < count; i++)
        entries[i].hash = (int32_t)(spread(entries[i].hash) >> (64 - bits));
    if (count > 1)
        qsort(entries, count, sizeof *entries, compare);
}
