// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/assignor_test.c and compat-tests/group-oracle.
#include "group/assignor_draft.h"

#include "base/java_order.h"

void assignor_draft_init(struct assignor_draft *draft, const struct assignor_input *input,
                         struct assignment original, struct arena *arena)
{
    *draft = (struct assignor_draft){ .input = input, .arena = arena, .original = original };
}

// Room for one more; the new one is the last.
static struct draft_set *new_set(struct assignor_draft *draft, int32_t topic, int32_t capacity,
                                 size_t buckets)
{
    if (draft->count == draft->capacity) {
        int32_t larger = draft->capacity > 0 ? 2 * draft->capacity : 4;
        struct draft_set *sets = arena_array(draft->arena, struct draft_set, larger);
        if (draft->count > 0)
            memcpy(sets, draft->sets, (size_t)draft->count * sizeof *sets);
        draft->sets = sets;
        draft->capacity = larger;
    }
    struct draft_set *set = &draft->sets[draft->count++];
    *set = (struct draft_set){ .topic = topic,
                               .partitions = arena_array(draft->arena, int32_t, capacity),
                               .capacity = capacity,
                               .buckets = buckets };
    return set;
}

// As computeIfAbsent does: it becomes the first.
static struct draft_set *compute_set(struct assignor_draft *draft, int32_t topic,
                                     size_t set_buckets)
{
    struct draft_set made = *new_set(draft, topic, 4, set_buckets);
    memmove(draft->sets + 1, draft->sets, (size_t)(draft->count - 1) * sizeof made);
    draft->sets[0] = made;
    return draft->sets;
}

void assignor_draft_copy(struct assignor_draft *draft)
{
    if (draft->is_copied)
        return;
    draft->is_copied = true;
    draft->buckets = java_buckets_sized((size_t)draft->original.count);
    for (int32_t i = 0; i < draft->original.count; i++) {
        const struct assigned_topic *from = &draft->original.topics[i];
        struct draft_set *set =
            new_set(draft, from->topic, from->count + 1, java_buckets_copied((size_t)from->count));
        memcpy(set->partitions, from->partitions, (size_t)from->count * sizeof(int32_t));
        set->count = from->count;
        draft->buckets = java_buckets_after(draft->buckets, (size_t)draft->count);
    }
}

static struct draft_set *find(struct assignor_draft *draft, int32_t topic)
{
    for (int32_t i = draft->count - 1; i >= 0; i--)
        if (draft->sets[i].topic == topic)
            return &draft->sets[i];
    return NULL;
}

void assignor_draft_add(struct assignor_draft *draft, int32_t topic, int32_t partition,
                        size_t set_buckets)
{
    assignor_draft_copy(draft);
    draft->buckets = java_buckets_before_compute(draft->buckets, (size_t)draft->count);
    struct draft_set *set = find(draft, topic);
    if (set == NULL)
        set = compute_set(draft, topic, set_buckets);
    if (set->count == set->capacity) {
        int32_t *larger = arena_array(draft->arena, int32_t, 2 * set->capacity);
        memcpy(larger, set->partitions, (size_t)set->count * sizeof *larger);
        set->partitions = larger;
        set->capacity *= 2;
    }
    set->partitions[set->count++] = partition;
    set->buckets = java_buckets_after(set->buckets, (size_t)set->count);
}

static void remove_set(struct assignor_draft *draft, struct draft_set *set)
{
    struct draft_set *end = draft->sets + draft->count--;
    memmove(set, set + 1, (size_t)(end - set - 1) * sizeof *set);
}

void assignor_draft_remove(struct assignor_draft *draft, int32_t topic, int32_t partition)
{
    assignor_draft_copy(draft);
    struct draft_set *set = find(draft, topic);
    if (set == NULL)
        return;
    int32_t at = set->count - 1;
    while (at >= 0 && set->partitions[at] != partition)
        at--;
    if (at < 0)
        return;
    memmove(&set->partitions[at], &set->partitions[at + 1],
            (size_t)(--set->count - at) * sizeof(int32_t));
    if (set->count == 0)
        remove_set(draft, set);
}

void assignor_draft_remove_topic(struct assignor_draft *draft, int32_t topic)
{
    assignor_draft_copy(draft);
    struct draft_set *set = find(draft, topic);
    if (set != NULL)
        remove_set(draft, set);
}

void assignor_draft_truncate(struct assignor_draft *draft, int32_t topic, int32_t count)
{
    assignor_draft_copy(draft);
    struct draft_set *set = find(draft, topic);
    set->count = count;
    if (count == 0)
        remove_set(draft, set);
}

struct assignment assignor_draft_finish(struct assignor_draft *draft)
{
    if (!draft->is_copied)
        return draft->original;
    int32_t *hashes = arena_array(draft->arena, int32_t, draft->count + 1);
    for (int32_t i = 0; i < draft->count; i++)
        hashes[i] = java_hash_uuid(draft->input->topics[draft->sets[i].topic].id);
    size_t *order = java_order(hashes, (size_t)draft->count, draft->buckets, draft->arena);
    struct assignment out = {
        .topics = arena_array(draft->arena, struct assigned_topic, draft->count + 1),
        .count = draft->count,
    };
    for (int32_t i = 0; i < draft->count; i++) {
        struct draft_set *set = &draft->sets[order[i]];
        java_order_ints(set->partitions, (size_t)set->count, set->buckets, draft->arena);
        out.topics[i] = (struct assigned_topic){ set->topic, set->partitions, set->count };
    }
    return out;
}
