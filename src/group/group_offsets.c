// SPDX-License-Identifier: Apache-2.0
// Two levels of hash tables and a sorted vector; see the header.
#include "group/group_offsets.h"

#include "base/mem.h"

void group_offsets_init(struct group_offsets *offsets)
{
    hashmap_init(&offsets->groups);
}

static void metadata_free(struct str metadata)
{
    if (metadata.size > 0)
        mem_free((void *)(uintptr_t)metadata.data);
}

static void topic_free(struct offset_topic *topic)
{
    for (size_t i = 0; i < topic->count; i++)
        metadata_free(topic->partitions[i].committed.metadata);
    mem_free(topic->partitions);
    mem_free((void *)(uintptr_t)topic->name.data);
    mem_free(topic);
}

static void group_free(struct offset_group *group)
{
    struct offset_topic *topic;
    for (size_t i = 0; (topic = hashmap_next(&group->topics, &i)) != NULL;)
        topic_free(topic);
    hashmap_fini(&group->topics);
    mem_free((void *)(uintptr_t)group->id.data);
    mem_free(group);
}

void group_offsets_fini(struct group_offsets *offsets)
{
    struct offset_group *group;
    for (size_t i = 0; (group = hashmap_next(&offsets->groups, &i)) != NULL;)
        group_free(group);
    hashmap_fini(&offsets->groups);
}

struct offset_group *group_offsets_group(const struct group_offsets *offsets, struct str group)
{
    return hashmap_find(&offsets->groups, group.data, group.size);
}

struct offset_topic *offset_group_topic(const struct offset_group *group, struct str topic)
{
    return hashmap_find(&group->topics, topic.data, topic.size);
}

// The place of the partition, or where it would be.
static size_t place_of(const struct offset_topic *topic, int32_t partition)
{
    size_t low = 0, high = topic->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (topic->partitions[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct offset_topic *topic, size_t place, int32_t partition)
{
    return place < topic->count && topic->partitions[place].partition == partition;
}

const struct committed_offset *offset_topic_find(const struct offset_topic *topic,
                                                 int32_t partition)
{
    size_t place = place_of(topic, partition);
    return is_at(topic, place, partition) ? &topic->partitions[place].committed : NULL;
}

const struct committed_offset *group_offsets_find(const struct group_offsets *offsets,
                                                  struct str group, struct str topic,
                                                  int32_t partition)
{
    const struct offset_group *g = group_offsets_group(offsets, group);
    const struct offset_topic *t = g != NULL ? offset_group_topic(g, topic) : NULL;
    return t != NULL ? offset_topic_find(t, partition) : NULL;
}

static struct offset_topic *topic_at(struct group_offsets *offsets, struct str group_id,
                                     struct str name)
{
    struct offset_group *group = group_offsets_group(offsets, group_id);
    if (group == NULL) {
        group = mem_new(struct offset_group);
        group->id = (struct str){ str_dup(group_id), group_id.size };
        hashmap_init(&group->topics);
        hashmap_put(&offsets->groups, group->id.data, group->id.size, group);
    }
    struct offset_topic *topic = offset_group_topic(group, name);
    if (topic == NULL) {
        topic = mem_new(struct offset_topic);
        topic->name = (struct str){ str_dup(name), name.size };
        hashmap_put(&group->topics, topic->name.data, topic->name.size, topic);
    }
    return topic;
}

void group_offsets_put(struct group_offsets *offsets, struct str group, struct str topic_name,
                       int32_t partition, const struct committed_offset *committed)
{
    struct offset_topic *topic = topic_at(offsets, group, topic_name);
    size_t place = place_of(topic, partition);
    struct str metadata = { "", 0 };
    if (is_at(topic, place, partition)) {
        metadata = topic->partitions[place].committed.metadata;
    } else {
        vec_reserve(topic->partitions, topic->count + 1, topic->capacity);
        memmove(&topic->partitions[place + 1], &topic->partitions[place],
                (topic->count - place) * sizeof *topic->partitions);
        topic->count++;
    }
    if (!str_eq(metadata, committed->metadata)) {
        metadata_free(metadata);
        metadata = (struct str){ "", 0 };
        if (committed->metadata.size > 0)
            metadata = (struct str){ str_dup(committed->metadata), committed->metadata.size };
    }
    topic->partitions[place] = (struct offset_partition){ partition, *committed };
    topic->partitions[place].committed.metadata = metadata;
}

void group_offsets_remove(struct group_offsets *offsets, struct str group_id, struct str topic_name,
                          int32_t partition)
{
    struct offset_group *group = group_offsets_group(offsets, group_id);
    struct offset_topic *topic = group != NULL ? offset_group_topic(group, topic_name) : NULL;
    if (topic == NULL)
        return;
    size_t place = place_of(topic, partition);
    if (!is_at(topic, place, partition))
        return;
    metadata_free(topic->partitions[place].committed.metadata);
    topic->count--;
    memmove(&topic->partitions[place], &topic->partitions[place + 1],
            (topic->count - place) * sizeof *topic->partitions);
    if (topic->count > 0)
        return;
    hashmap_remove(&group->topics, topic->name.data, topic->name.size);
    topic_free(topic);
    if (group->topics.count > 0)
        return;
    hashmap_remove(&offsets->groups, group->id.data, group->id.size);
    group_free(group);
}
