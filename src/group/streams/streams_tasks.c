// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by group/streams/streams_assignor_test.c and group/streams/streams_group_test.c.
#include "group/streams/streams_tasks.h"

#include <stdlib.h>

#include "base/mem.h"

const struct streams_assignment streams_assignment_none;

int streams_task_compare(const struct streams_task *a, const struct streams_task *b)
{
    int order = str_compare(a->subtopology, b->subtopology);
    return order != 0 ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

static int by_task(const void *a, const void *b)
{
    return streams_task_compare(a, b);
}

const struct streams_task *streams_tasks_find(const struct streams_tasks *tasks,
                                              struct str subtopology, int32_t partition)
{
    const struct streams_task wanted = { subtopology, partition, 0 };
    return tasks->count == 0
               ? NULL
               : bsearch(&wanted, tasks->items, (size_t)tasks->count, sizeof wanted, by_task);
}

void streams_tasks_sort(struct streams_tasks *tasks)
{
    int32_t kept = 0;
    if (tasks->count > 1)
        qsort(tasks->items, (size_t)tasks->count, sizeof *tasks->items, by_task);
    for (int32_t i = 0; i < tasks->count; i++)
        if (kept == 0 || streams_task_compare(&tasks->items[kept - 1], &tasks->items[i]) != 0)
            tasks->items[kept++] = tasks->items[i];
    tasks->count = kept;
}

bool streams_tasks_equal(const struct streams_tasks *a, const struct streams_tasks *b,
                         bool with_epochs)
{
    if (a->count != b->count)
        return false;
    for (int32_t i = 0; i < a->count; i++)
        if (streams_task_compare(&a->items[i], &b->items[i]) != 0 ||
            (with_epochs && a->items[i].epoch != b->items[i].epoch))
            return false;
    return true;
}

bool streams_tasks_overlap(const struct streams_tasks *a, const struct streams_tasks *b)
{
    for (int32_t i = 0; i < a->count; i++)
        if (streams_tasks_find(b, a->items[i].subtopology, a->items[i].partition) != NULL)
            return true;
    return false;
}

bool streams_assignment_is_empty(const struct streams_assignment *assignment)
{
    int32_t count = 0;
    for (int kind = 0; kind < STREAMS_KINDS; kind++)
        count += assignment->kinds[kind].count;
    return count == 0;
}

bool streams_assignment_equal(const struct streams_assignment *a,
                              const struct streams_assignment *b, bool with_epochs)
{
    for (int kind = 0; kind < STREAMS_KINDS; kind++)
        if (!streams_tasks_equal(&a->kinds[kind], &b->kinds[kind],
                                 with_epochs && kind == STREAMS_ACTIVE))
            return false;
    return true;
}

struct streams_assignment *streams_assignment_dup(const struct streams_assignment *assignment)
{
    size_t tasks = 0, texts = 0;
    for (int kind = 0; kind < STREAMS_KINDS; kind++) {
        const struct streams_tasks *from = &assignment->kinds[kind];
        tasks += (size_t)from->count;
        for (int32_t i = 0; i < from->count; i++)
            if (i == 0 || !str_eq(from->items[i].subtopology, from->items[i - 1].subtopology))
                texts += from->items[i].subtopology.size;
    }
    struct streams_assignment *copy =
        mem_alloc(sizeof *copy + tasks * sizeof(struct streams_task) + texts);
    struct streams_task *at = (struct streams_task *)(copy + 1);
    char *text = (char *)(at + tasks);
    for (int kind = 0; kind < STREAMS_KINDS; kind++) {
        const struct streams_tasks *from = &assignment->kinds[kind];
        copy->kinds[kind] = (struct streams_tasks){ at, from->count };
        struct str name = STR_NULL;
        for (int32_t i = 0; i < from->count; i++, at++) {
            *at = from->items[i];
            if (i == 0 || !str_eq(at->subtopology, from->items[i - 1].subtopology)) {
                name = (struct str){ text, at->subtopology.size };
                if (name.size > 0)
                    memcpy(text, at->subtopology.data, name.size);
                text += name.size;
            }
            at->subtopology = name;
        }
    }
    return copy;
}

struct streams_task_ids *streams_tasks_group(const struct streams_tasks *tasks, int32_t *count,
                                             struct arena *arena)
{
    struct streams_task_ids *ids = arena_array(arena, struct streams_task_ids, tasks->count + 1);
    int32_t *partitions = arena_array(arena, int32_t, tasks->count + 1);
    int32_t *epochs = arena_array(arena, int32_t, tasks->count + 1);
    *count = 0;
    for (int32_t i = 0; i < tasks->count; i++) {
        const struct streams_task *task = &tasks->items[i];
        partitions[i] = task->partition;
        epochs[i] = task->epoch;
        if (*count == 0 || !str_eq(ids[*count - 1].subtopology, task->subtopology))
            ids[(*count)++] =
                (struct streams_task_ids){ task->subtopology, &partitions[i], &epochs[i], 0 };
        ids[*count - 1].count++;
    }
    return ids;
}

struct streams_tasks streams_tasks_of(const struct streams_task_ids *ids, int32_t count,
                                      int32_t epoch, struct arena *arena)
{
    size_t most = 0;
    for (int32_t i = 0; i < count; i++)
        most += (size_t)ids[i].count;
    struct streams_tasks tasks = { arena_array(arena, struct streams_task, most + 1), 0 };
    for (int32_t i = 0; i < count; i++)
        for (int32_t p = 0; p < ids[i].count; p++)
            tasks.items[tasks.count++] =
                (struct streams_task){ ids[i].subtopology, ids[i].partitions[p],
                                       ids[i].epochs != NULL ? ids[i].epochs[p] : epoch };
    streams_tasks_sort(&tasks);
    return tasks;
}
