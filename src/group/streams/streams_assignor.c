// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by group/streams/streams_assignor_test.c.
#include "group/streams/streams_assignor.h"

#include <stdlib.h>

#include "base/hashmap.h"
#include "base/java_order.h"

struct process;

struct taker { // a member
    struct streams_assignor_member *member;
    struct process *process;
    int32_t tasks;
    int32_t capacities[STREAMS_KINDS]; // of member->assigned
};

struct process {
    struct str id;
    struct taker **takers; // in the order of insertion
    int32_t takers_count, takers_capacity;
    int32_t tasks;
    double load;
    struct heap_entry *heap; // of takers by load; NULL: to be built
    int32_t heap_count;
};

struct heap_entry {
    void *of;
    int32_t tasks; // of a taker
};

// A task as it is dealt out.
struct task_state {
    struct streams_task task;
    struct taker *former_active;
    struct taker **former_standbys;
    int32_t former_standbys_count, former_standbys_capacity;
    struct process **holders;
    int32_t holders_count;
};

struct deal {
    struct arena *arena;
    struct taker *takers;
    int32_t takers_count;
    struct process **processes; // in Java's order
    int32_t processes_count;
    struct task_state *tasks; // by sub-topology, then partition
    int32_t tasks_count;
    int32_t standby_replicas;
    int32_t total_active, total;
    int32_t open_for_active, open;   // members below the number
    int32_t active_each, total_each; // how many a member shall have
};

// Room for one more in an array in the arena.
static void *room(struct arena *arena, void *items, int32_t count, int32_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity > 0 ? 2 * *capacity : 4;
    void *larger = arena_zalloc(arena, (size_t)*capacity * size);
    if (count > 0)
        memcpy(larger, items, (size_t)count * size);
    return larger;
}

#define ROOM(arena, items, count, capacity)                                                        \
    ((items) = room((arena), (items), (count), &(capacity), sizeof *(items)))

// ---- Java's PriorityQueue --------------------------------------------------------------------------

typedef bool (*is_less)(const struct heap_entry *a, const struct heap_entry *b);

static bool process_is_less(const struct heap_entry *a, const struct heap_entry *b)
{
    return ((const struct process *)a->of)->load < ((const struct process *)b->of)->load;
}

static bool taker_is_less(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->tasks < b->tasks;
}

static void heap_add(struct heap_entry *heap, int32_t *count, struct heap_entry entry, is_less less)
{
    int32_t at = (*count)++;
    while (at > 0) {
        int32_t parent = (at - 1) / 2;
        if (!less(&entry, &heap[parent]))
            break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = entry;
}

static struct heap_entry heap_poll(struct heap_entry *heap, int32_t *count, is_less less)
{
    struct heap_entry first = heap[0];
    struct heap_entry last = heap[--*count];
    int32_t at = 0;
    while (at < *count / 2) {
        int32_t child = 2 * at + 1;
        if (child + 1 < *count && less(&heap[child + 1], &heap[child]))
            child++;
        if (!less(&heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

// ---- giving ----------------------------------------------------------------------------------------

static int32_t each(int32_t tasks, int32_t members)
{
    return members == 0 ? 0 : tasks / members + (tasks % members > 0);
}

static bool has_task(const struct process *process, const struct task_state *task)
{
    for (int32_t i = 0; i < task->holders_count; i++)
        if (task->holders[i] == process)
            return true;
    return false;
}

static void give(struct deal *deal, struct taker *taker, struct task_state *task,
                 enum streams_task_kind kind)
{
    struct streams_tasks *into = &taker->member->assigned.kinds[kind];
    ROOM(deal->arena, into->items, into->count, taker->capacities[kind]);
    into->items[into->count++] = task->task;
    task->holders[task->holders_count++] = taker->process;
    taker->tasks++;
    taker->process->tasks++;
    taker->process->load = (double)taker->process->tasks / taker->process->takers_count;
}

static void note_total(struct deal *deal, int32_t tasks)
{
    if (tasks != deal->total_each)
        return;
    deal->open--;
    deal->total -= tasks;
    deal->total_each = each(deal->total, deal->open);
}

static void note_active(struct deal *deal, int32_t tasks)
{
    if (tasks == deal->active_each) {
        deal->open_for_active--;
        deal->total_active -= tasks;
        deal->active_each = each(deal->total_active, deal->open_for_active);
    }
    note_total(deal, tasks);
}

static void give_to(struct deal *deal, struct taker *taker, struct task_state *task,
                    enum streams_task_kind kind)
{
    give(deal, taker, task, kind);
    taker->process->heap = NULL;
}

// Java's order of the process's members.
static void build_heap(struct deal *deal, struct process *process)
{
    int32_t *hashes = arena_array(deal->arena, int32_t, process->takers_count);
    for (int32_t i = 0; i < process->takers_count; i++)
        hashes[i] = str_java_hash(process->takers[i]->member->id);
    const size_t *order =
        java_order(hashes, (size_t)process->takers_count,
                   java_buckets_grown((size_t)process->takers_count), deal->arena);
    process->heap = arena_array(deal->arena, struct heap_entry, process->takers_count);
    process->heap_count = 0;
    for (int32_t i = 0; i < process->takers_count; i++) {
        struct taker *taker = process->takers[order[i]];
        heap_add(process->heap, &process->heap_count, (struct heap_entry){ taker, taker->tasks },
                 taker_is_less);
    }
}

// How many tasks the member has then.
static int32_t give_to_least_loaded(struct deal *deal, struct process *process,
                                    struct task_state *task, enum streams_task_kind kind)
{
    if (process->takers_count == 1) {
        give(deal, process->takers[0], task, kind);
        return process->takers[0]->tasks;
    }
    if (process->heap == NULL)
        build_heap(deal, process);
    struct heap_entry entry = heap_poll(process->heap, &process->heap_count, taker_is_less);
    struct taker *taker = entry.of;
    give(deal, taker, task, kind);
    entry.tasks = taker->tasks;
    heap_add(process->heap, &process->heap_count, entry, taker_is_less);
    return taker->tasks;
}

static struct heap_entry *process_heap(struct deal *deal, int32_t *count)
{
    struct heap_entry *heap = arena_array(deal->arena, struct heap_entry, deal->processes_count);
    *count = 0;
    for (int32_t i = 0; i < deal->processes_count; i++)
        heap_add(heap, count, (struct heap_entry){ deal->processes[i], 0 }, process_is_less);
    return heap;
}

// With a task: one whose process does not have it, else NULL. As Kafka does, that is asked of the first member only
// in the end.
static struct taker *least_loaded_former(const struct task_state *of, const struct task_state *task)
{
    if (of->former_standbys_count == 0)
        return NULL;
    struct taker *first = of->former_standbys[0], *candidate = first;
    double load = first->process->load, tasks = first->tasks;
    for (int32_t i = 1; i < of->former_standbys_count; i++) {
        struct taker *taker = of->former_standbys[i];
        if (taker->process->load < load && (task == NULL || !has_task(taker->process, task)) &&
            taker->tasks < tasks) {
            load = taker->process->load;
            tasks = taker->tasks;
            candidate = taker;
        }
    }
    return task == NULL || !has_task(first->process, task) ? candidate : NULL;
}

// ---- active tasks ----------------------------------------------------------------------------------

static int by_partition(const void *a, const void *b)
{
    const struct task_state *x = *(struct task_state *const *)a;
    const struct task_state *y = *(struct task_state *const *)b;
    int order = (x->task.partition > y->task.partition) - (x->task.partition < y->task.partition);
    return order != 0 ? order : str_compare(x->task.subtopology, y->task.subtopology);
}

static int by_partition_reversed(const void *a, const void *b)
{
    return by_partition(b, a);
}

static int by_task(const void *a, const void *b)
{
    return streams_task_compare(&(*(struct task_state *const *)a)->task,
                                &(*(struct task_state *const *)b)->task);
}

static void sort(struct task_state **tasks, int32_t count, int (*order)(const void *, const void *))
{
    if (count > 1)
        qsort(tasks, (size_t)count, sizeof *tasks, order);
}

static void assign_active(struct deal *deal)
{
    struct task_state **left = arena_array(deal->arena, struct task_state *, deal->tasks_count + 1);
    int32_t count = deal->tasks_count;
    for (int32_t i = 0; i < count; i++)
        left[i] = &deal->tasks[i];
    sort(left, count, by_partition);
    for (int step = 0; step < 2; step++) {
        int32_t kept = 0;
        for (int32_t i = 0; i < count; i++) {
            struct taker *former =
                step == 0 ? left[i]->former_active : least_loaded_former(left[i], NULL);
            if (former != NULL && former->tasks < deal->active_each) {
                give_to(deal, former, left[i], STREAMS_ACTIVE);
                note_active(deal, former->tasks);
            } else {
                left[kept++] = left[i];
            }
        }
        count = kept;
    }
    sort(left, count, by_task);
    int32_t heap_count;
    struct heap_entry *heap = process_heap(deal, &heap_count);
    for (int32_t i = 0; i < count; i++) {
        struct heap_entry entry = heap_poll(heap, &heap_count, process_is_less);
        note_active(deal, give_to_least_loaded(deal, entry.of, left[i], STREAMS_ACTIVE));
        heap_add(heap, &heap_count, entry, process_is_less);
    }
}

// ---- standby tasks ---------------------------------------------------------------------------------

static bool give_standby_to_former(struct deal *deal, struct task_state *task)
{
    struct taker *former = task->former_active;
    if (former == NULL || has_task(former->process, task) || former->tasks >= deal->total_each)
        former = least_loaded_former(task, task);
    if (former == NULL || former->tasks >= deal->total_each)
        return false;
    give_to(deal, former, task, STREAMS_STANDBY);
    note_total(deal, former->tasks);
    return true;
}

// Those that have the task already are put back after the next one was tried.
static bool give_standby_to_least_loaded(struct deal *deal, struct heap_entry *heap, int32_t *count,
                                         struct task_state *task, struct heap_entry *aside)
{
    int32_t asides = 0;
    bool is_given = false;
    while (*count > 0 && !is_given) {
        struct heap_entry entry = heap_poll(heap, count, process_is_less);
        aside[asides++] = entry;
        if (!has_task(entry.of, task)) {
            note_total(deal, give_to_least_loaded(deal, entry.of, task, STREAMS_STANDBY));
            is_given = true;
        }
    }
    while (asides > 0)
        heap_add(heap, count, aside[--asides], process_is_less);
    return is_given;
}

static void assign_standby(struct deal *deal, struct task_state **tasks, int32_t count)
{
    struct task_state **left = arena_array(deal->arena, struct task_state *, count + 1);
    int32_t left_count = 0;
    sort(tasks, count, by_partition_reversed);
    // What is left of a task's replicas: all that it has are its active one and the standbys given here.
    for (int32_t i = 0; i < count; i++) {
        int32_t given = 0;
        while (given < deal->standby_replicas && give_standby_to_former(deal, tasks[i]))
            given++;
        if (given < deal->standby_replicas)
            left[left_count++] = tasks[i];
    }
    sort(left, left_count, by_task);
    int32_t heap_count;
    struct heap_entry *heap = process_heap(deal, &heap_count);
    struct heap_entry *aside =
        arena_array(deal->arena, struct heap_entry, deal->processes_count + 1);
    for (int32_t i = left_count - 1; i >= 0; i--) // reversed
        for (int32_t r = left[i]->holders_count - 1; r < deal->standby_replicas; r++)
            if (!give_standby_to_least_loaded(deal, heap, &heap_count, left[i], aside))
                break;
}

// ---- what there is ---------------------------------------------------------------------------------

static int by_id(const void *a, const void *b)
{
    return str_compare(((const struct streams_assignor_member *)a)->id,
                       ((const struct streams_assignor_member *)b)->id);
}

void streams_assignor_sort(struct streams_assignor_member *members, int32_t count,
                           struct arena *arena)
{
    if (count > 1)
        qsort(members, (size_t)count, sizeof *members, by_id);
    int32_t *hashes = arena_array(arena, int32_t, count + 1);
    for (int32_t i = 0; i < count; i++)
        hashes[i] = str_java_hash(members[i].id);
    const size_t *order =
        java_order(hashes, (size_t)count, java_buckets_grown((size_t)count), arena);
    const struct streams_assignor_member *before =
        arena_dup(arena, members, (size_t)count * sizeof *members);
    for (int32_t i = 0; i < count; i++)
        members[i] = before[order[i]];
}

static void make_takers(struct deal *deal, struct streams_assignor_member *members, int32_t count)
{
    struct hashmap by_process;
    hashmap_init(&by_process);
    deal->takers = arena_array(deal->arena, struct taker, count + 1);
    deal->takers_count = count;
    struct process **processes = arena_array(deal->arena, struct process *, count + 1);
    int32_t *hashes = arena_array(deal->arena, int32_t, count + 1);
    for (int32_t i = 0; i < count; i++) {
        struct str id = members[i].process_id;
        struct process *process = hashmap_find(&by_process, id.data, id.size);
        if (process == NULL) {
            process = arena_new(deal->arena, struct process);
            process->id = id;
            hashmap_put(&by_process, id.data, id.size, process);
            hashes[deal->processes_count] = str_java_hash(id);
            processes[deal->processes_count++] = process;
        }
        deal->takers[i] = (struct taker){ .member = &members[i], .process = process };
        ROOM(deal->arena, process->takers, process->takers_count, process->takers_capacity);
        process->takers[process->takers_count++] = &deal->takers[i];
    }
    hashmap_fini(&by_process);
    size_t buckets =
        java_buckets_after(java_buckets_sized((size_t)count), (size_t)deal->processes_count);
    const size_t *order = java_order(hashes, (size_t)deal->processes_count, buckets, deal->arena);
    deal->processes = arena_array(deal->arena, struct process *, count + 1);
    for (int32_t i = 0; i < deal->processes_count; i++)
        deal->processes[i] = processes[order[i]];
}

static void make_tasks(struct deal *deal, const struct streams_assignor_topology *topology,
                       int32_t topology_count)
{
    int32_t count = 0;
    for (int32_t s = 0; s < topology_count; s++)
        count += topology[s].tasks_count;
    deal->tasks = arena_array(deal->arena, struct task_state, count + 1);
    for (int32_t s = 0; s < topology_count; s++) {
        int32_t copies = 1 + (topology[s].is_stateful ? deal->standby_replicas : 0);
        deal->total_active += topology[s].tasks_count;
        deal->total += topology[s].tasks_count * copies;
        for (int32_t p = 0; p < topology[s].tasks_count; p++) {
            struct task_state *task = &deal->tasks[deal->tasks_count++];
            task->task = (struct streams_task){ topology[s].id, p, 0 };
            task->holders = arena_array(deal->arena, struct process *, copies);
        }
    }
}

static struct task_state *find_task(const struct deal *deal, const struct streams_task *task)
{
    int32_t low = 0, high = deal->tasks_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (streams_task_compare(&deal->tasks[middle].task, task) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there =
        low < deal->tasks_count && streams_task_compare(&deal->tasks[low].task, task) == 0;
    return is_there ? &deal->tasks[low] : NULL;
}

static void note_former(struct deal *deal)
{
    for (int32_t m = 0; m < deal->takers_count; m++) {
        struct taker *taker = &deal->takers[m];
        const struct streams_assignment *former = taker->member->former;
        for (int32_t i = 0; i < former->kinds[STREAMS_ACTIVE].count; i++) {
            struct task_state *task = find_task(deal, &former->kinds[STREAMS_ACTIVE].items[i]);
            if (task != NULL)
                task->former_active = taker;
        }
        for (int32_t i = 0; i < former->kinds[STREAMS_STANDBY].count; i++) {
            struct task_state *task = find_task(deal, &former->kinds[STREAMS_STANDBY].items[i]);
            if (task == NULL)
                continue;
            ROOM(deal->arena, task->former_standbys, task->former_standbys_count,
                 task->former_standbys_capacity);
            task->former_standbys[task->former_standbys_count++] = taker;
        }
    }
}

void streams_assign(struct streams_assignor_member *members, int32_t count,
                    const struct streams_assignor_topology *topology, int32_t topology_count,
                    int32_t standby_replicas, struct arena *arena)
{
    struct deal deal = { .arena = arena, .standby_replicas = standby_replicas };
    if (count == 0)
        return;
    make_takers(&deal, members, count);
    make_tasks(&deal, topology, topology_count);
    note_former(&deal);
    deal.open_for_active = deal.open = count;
    deal.active_each = each(deal.total_active, count);
    deal.total_each = each(deal.total, count);
    for (int32_t m = 0; m < count; m++)
        members[m].assigned = streams_assignment_none;
    assign_active(&deal);
    struct task_state **stateful = arena_array(arena, struct task_state *, deal.tasks_count + 1);
    int32_t stateful_count = 0, at = 0;
    for (int32_t s = 0; s < topology_count; s++)
        for (int32_t p = 0; p < topology[s].tasks_count; p++, at++)
            if (topology[s].is_stateful)
                stateful[stateful_count++] = &deal.tasks[at];
    if (standby_replicas > 0)
        assign_standby(&deal, stateful, stateful_count);
    for (int32_t m = 0; m < count; m++)
        for (int kind = 0; kind < STREAMS_KINDS; kind++)
            streams_tasks_sort(&members[m].assigned.kinds[kind]);
}
