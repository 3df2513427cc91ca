// SPDX-License-Identifier: Apache-2.0
// See the header. Sorting by counting would need an array as large as the table; a merge sort is stable, too.
#include "base/java_order.h"

#include <string.h>

enum { DEFAULT_BUCKETS = 16 };

int32_t java_hash_uuid(struct uuid id)
{
    uint64_t halves = get_be64(id.bytes) ^ get_be64(id.bytes + 8);
    return (int32_t)(uint32_t)((halves >> 32) ^ halves);
}

size_t java_buckets_sized(size_t capacity)
{
    size_t buckets = 1;
    while (buckets < capacity)
        buckets *= 2;
    return buckets;
}

// A table doubles when it is more than three quarters full.
static size_t threshold_of(size_t buckets)
{
    return buckets < 4 ? buckets * 3 / 4 : buckets / 4 * 3;
}

size_t java_buckets_after(size_t buckets, size_t count)
{
    while (count > threshold_of(buckets))
        buckets *= 2;
    return buckets;
}

size_t java_buckets_before_compute(size_t buckets, size_t count)
{
    return count > threshold_of(buckets) ? 2 * buckets : buckets;
}

size_t java_buckets_grown(size_t count)
{
    return java_buckets_after(DEFAULT_BUCKETS, count);
}

size_t java_buckets_copied(size_t count)
{
    size_t capacity = (size_t)((float)count / 0.75f) + 1;
    return java_buckets_sized(capacity > DEFAULT_BUCKETS ? capacity : DEFAULT_BUCKETS);
}

uint32_t java_bucket(int32_t hash, size_t buckets)
{
    uint32_t h = (uint32_t)hash;
    return (h ^ h >> 16) & (uint32_t)(buckets - 1);
}

struct placed {
    uint32_t bucket;
    size_t index;
};

static void merge(const struct placed *from, size_t first, size_t middle, size_t end,
                  struct placed *into)
{
    size_t left = first, right = middle;
    for (size_t k = first; k < end; k++)
        into[k] = left < middle && (right == end || from[left].bucket <= from[right].bucket)
                      ? from[left++]
                      : from[right++];
}

size_t *java_order(const int32_t *hashes, size_t count, size_t buckets, struct arena *arena)
{
    struct placed *items = arena_array(arena, struct placed, count + 1);
    struct placed *other = arena_array(arena, struct placed, count + 1);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct placed){ java_bucket(hashes[i], buckets), i };
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t first = 0; first < count; first += 2 * width) {
            size_t middle = first + width < count ? first + width : count;
            size_t end = middle + width < count ? middle + width : count;
            merge(items, first, middle, end, other);
        }
        struct placed *swap = items;
        items = other;
        other = swap;
    }
    size_t *order = arena_array(arena, size_t, count + 1);
    for (size_t i = 0; i < count; i++)
        order[i] = items[i].index;
    return order;
}

size_t *java_order_texts(const struct str *texts, size_t count, size_t buckets, struct arena *arena)
{
    int32_t *hashes = arena_array(arena, int32_t, count + 1);
    for (size_t i = 0; i < count; i++)
        hashes[i] = str_java_hash(texts[i]);
    return java_order(hashes, count, buckets, arena);
}

void java_order_ints(int32_t *values, size_t count, size_t buckets, struct arena *arena)
{
    bool is_sorted = true;
    for (size_t i = 1; i < count && is_sorted; i++)
        is_sorted = java_bucket(values[i - 1], buckets) <= java_bucket(values[i], buckets);
    if (is_sorted)
        return;
    size_t *order = java_order(values, count, buckets, arena);
    int32_t *before = arena_dup(arena, values, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = before[order[i]];
}
