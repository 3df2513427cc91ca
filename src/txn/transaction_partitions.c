// SPDX-License-Identifier: Apache-2.0
#include "txn/transaction_partitions.h"

#include <string.h>

#include "base/mem.h"

static void topic_fini(struct transaction_topic *topic)
{
    mem_free((void *)(uintptr_t)topic->name.data);
    mem_free(topic->partitions);
}

void transaction_partitions_fini(struct transaction_partitions *set)
{
    for (size_t i = 0; i < set->count; i++)
        topic_fini(&set->topics[i]);
    mem_free(set->topics);
    *set = (struct transaction_partitions){ 0 };
}

static struct transaction_topic *find_topic(const struct transaction_partitions *set,
                                            struct str name)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_eq(set->topics[i].name, name))
            return &set->topics[i];
    return NULL;
}

static size_t index_of(const struct transaction_topic *topic, int32_t partition)
{
    size_t i = 0;
    while (i < topic->count && topic->partitions[i] != partition)
        i++;
    return i;
}

bool transaction_partitions_has(const struct transaction_partitions *set, struct str topic,
                                int32_t partition)
{
    const struct transaction_topic *found = find_topic(set, topic);
    return found != NULL && index_of(found, partition) < found->count;
}

bool transaction_partitions_add(struct transaction_partitions *set, struct str topic,
                                int32_t partition)
{
    struct transaction_topic *found = find_topic(set, topic);
    if (found == NULL) {
        vec_reserve(set->topics, set->count + 1, set->capacity);
        found = &set->topics[set->count++];
        *found = (struct transaction_topic){ .name = { str_dup(topic), topic.size } };
    } else if (index_of(found, partition) < found->count) {
        return false;
    }
    vec_reserve(found->partitions, found->count + 1, found->capacity);
    found->partitions[found->count++] = partition;
    return true;
}

void transaction_partitions_remove(struct transaction_partitions *set, struct str topic,
                                   int32_t partition)
{
    struct transaction_topic *found = find_topic(set, topic);
    size_t at = found != NULL ? index_of(found, partition) : 0;
    if (found == NULL || at == found->count)
        return;
    found->count--;
    memmove(found->partitions + at, found->partitions + at + 1,
            (found->count - at) * sizeof *found->partitions);
    if (found->count > 0)
        return;
    topic_fini(found);
    set->count--;
    memmove(found, found + 1, (size_t)(set->topics + set->count - found) * sizeof *found);
}

size_t transaction_partitions_size(const struct transaction_partitions *set)
{
    size_t size = 0;
    for (size_t i = 0; i < set->count; i++)
        size += set->topics[i].count;
    return size;
}
