// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by group/share/share_group_test.c.
#include "group/share/share_topics.h"

#include <string.h>

#include "base/mem.h"
#include "base/java_order.h"

static void topic_free(struct share_topic *topic)
{
    mem_free(topic->name);
    mem_free(topic->partitions);
}

void share_topics_fini(struct share_topics *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        topic_free(&topics->items[i]);
    mem_free(topics->items);
    *topics = (struct share_topics){ 0 };
}

struct share_topic *share_topics_find(const struct share_topics *topics, struct uuid id)
{
    for (size_t i = 0; i < topics->count; i++)
        if (uuid_eq(topics->items[i].id, id))
            return &topics->items[i];
    return NULL;
}

struct share_topic *share_topics_get(struct share_topics *topics, struct uuid id, struct str name)
{
    struct share_topic *topic = share_topics_find(topics, id);
    if (topic != NULL)
        return topic;
    vec_reserve(topics->items, topics->count + 1, topics->capacity);
    topic = &topics->items[topics->count++];
    *topic = (struct share_topic){ .id = id, .name = str_dup(name) };
    return topic;
}

void share_topics_remove(struct share_topics *topics, struct uuid id)
{
    struct share_topic *topic = share_topics_find(topics, id);
    if (topic == NULL)
        return;
    topic_free(topic);
    size_t at = (size_t)(topic - topics->items);
    topics->count--;
    memmove(topic, topic + 1, (topics->count - at) * sizeof *topic);
}

static int32_t place_of(const struct share_topic *topic, int32_t partition)
{
    int32_t low = 0, high = topic->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (topic->partitions[middle] < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool share_topic_has(const struct share_topic *topic, int32_t partition)
{
    if (topic == NULL)
        return false;
    int32_t at = place_of(topic, partition);
    return at < topic->count && topic->partitions[at] == partition;
}

void share_topic_add(struct share_topic *topic, int32_t partition)
{
    int32_t at = place_of(topic, partition);
    if (at < topic->count && topic->partitions[at] == partition)
        return;
    if (topic->count == topic->capacity) {
        topic->capacity = topic->capacity > 0 ? 2 * topic->capacity : 4;
        topic->partitions =
            mem_realloc(topic->partitions, (size_t)topic->capacity * sizeof *topic->partitions);
    }
    memmove(&topic->partitions[at + 1], &topic->partitions[at],
            (size_t)(topic->count - at) * sizeof *topic->partitions);
    topic->partitions[at] = partition;
    topic->count++;
}

void share_topic_drop(struct share_topic *topic, int32_t partition)
{
    int32_t at = place_of(topic, partition);
    if (at == topic->count || topic->partitions[at] != partition)
        return;
    topic->count--;
    memmove(&topic->partitions[at], &topic->partitions[at + 1],
            (size_t)(topic->count - at) * sizeof *topic->partitions);
}

void share_topics_merge(struct share_topics *into, const struct share_topics *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct share_topic *topic = &from->items[i];
        struct share_topic *to = share_topics_get(into, topic->id, str_of(topic->name));
        to->since_ms = topic->since_ms;
        for (int32_t p = 0; p < topic->count; p++)
            share_topic_add(to, topic->partitions[p]);
    }
}

struct share_topics share_topics_copy(const struct share_topics *from)
{
    struct share_topics copy = { 0 };
    share_topics_merge(&copy, from);
    return copy;
}

bool share_topics_equal(const struct share_topics *a, const struct share_topics *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct share_topic *x = &a->items[i], *y = share_topics_find(b, x->id);
        if (y == NULL || x->count != y->count ||
            (x->count > 0 &&
             memcmp(x->partitions, y->partitions, (size_t)x->count * sizeof *x->partitions) != 0))
            return false;
    }
    return true;
}

size_t *share_topics_order(const struct share_topics *topics, struct arena *arena)
{
    int32_t *hashes = arena_array(arena, int32_t, topics->count + 1);
    for (size_t i = 0; i < topics->count; i++)
        hashes[i] = java_hash_uuid(topics->items[i].id);
    return java_order(hashes, topics->count, java_buckets_grown(topics->count), arena);
}
