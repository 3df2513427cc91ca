// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/streams/streams_group_test.c and compat-tests/twin/streams.
#include "group/streams/streams_reconcile.h"

struct step {
    const struct streams_reconcile *input;
    struct arena *arena;
    struct streams_assignment kept;    // current and target
    struct streams_assignment revoked; // current, not target
    struct streams_assignment added;   // target, not current, free to be taken
    bool has_unreleased;
};

static bool has(const struct streams_member *member, enum streams_task_kind kind,
                const struct streams_task *task)
{
    return streams_tasks_find(&member->current.assigned->kinds[kind], task->subtopology,
                              task->partition) != NULL ||
           streams_tasks_find(&member->current.pending->kinds[kind], task->subtopology,
                              task->partition) != NULL;
}

static bool is_unreleased(const struct streams_reconcile *input, enum streams_task_kind kind,
                          const struct streams_task *task)
{
    struct streams_member *member;
    for (size_t i = 0; (member = hashmap_next(&input->group->members, &i)) != NULL;) {
        if (!member->is_known)
            continue;
        bool is_own_process = str_eq(member->metadata.process_id, input->process_id);
        if ((is_own_process || kind == STREAMS_ACTIVE) && has(member, STREAMS_ACTIVE, task))
            return true;
        if (is_own_process &&
            (has(member, STREAMS_STANDBY, task) || has(member, STREAMS_WARMUP, task)))
            return true;
    }
    return false;
}

static void differ(struct step *step, enum streams_task_kind kind,
                   const struct streams_tasks *current)
{
    const struct streams_tasks *target = &step->input->target->kinds[kind];
    struct streams_tasks kept = { arena_array(step->arena, struct streams_task, current->count + 1),
                                  0 };
    struct streams_tasks revoked = {
        arena_array(step->arena, struct streams_task, current->count + 1), 0
    };
    struct streams_tasks added = { arena_array(step->arena, struct streams_task, target->count + 1),
                                   0 };
    for (int32_t i = 0; i < current->count; i++) {
        const struct streams_task *task = &current->items[i];
        bool is_wanted = streams_tasks_find(target, task->subtopology, task->partition) != NULL;
        struct streams_tasks *into = is_wanted ? &kept : &revoked;
        into->items[into->count++] = *task;
    }
    for (int32_t i = 0; i < target->count; i++) {
        struct streams_task task = target->items[i];
        if (streams_tasks_find(current, task.subtopology, task.partition) != NULL)
            continue;
        if (is_unreleased(step->input, kind, &task)) {
            step->has_unreleased = true;
            continue;
        }
        task.epoch = step->input->target_epoch;
        added.items[added.count++] = task;
    }
    step->kept.kinds[kind] = kept;
    step->revoked.kinds[kind] = revoked;
    step->added.kinds[kind] = added;
}

static struct streams_tasks both(const struct streams_tasks *a, const struct streams_tasks *b,
                                 struct arena *arena)
{
    struct streams_tasks tasks = { arena_array(arena, struct streams_task, a->count + b->count + 1),
                                   0 };
    for (int32_t i = 0; i < a->count; i++)
        tasks.items[tasks.count++] = a->items[i];
    for (int32_t i = 0; i < b->count; i++)
        tasks.items[tasks.count++] = b->items[i];
    streams_tasks_sort(&tasks);
    return tasks;
}

static bool owns_any(const struct streams_assignment *owned, const struct streams_assignment *tasks)
{
    bool does = owned == NULL;
    for (int kind = 0; kind < STREAMS_KINDS && !does; kind++)
        does = streams_tasks_overlap(&owned->kinds[kind], &tasks->kinds[kind]);
    return does;
}

// From `epoch` on.
static void compute(const struct streams_reconcile *input, struct streams_current *current,
                    int32_t epoch, struct arena *arena)
{
    struct step step = { .input = input, .arena = arena };
    for (int kind = 0; kind < STREAMS_KINDS; kind++)
        differ(&step, (enum streams_task_kind)kind, &current->assigned->kinds[kind]);
    struct streams_assignment *assigned = arena_new(arena, struct streams_assignment);
    current->previous_epoch = current->epoch;
    current->assigned = assigned;
    if (!streams_assignment_is_empty(&step.revoked) && owns_any(input->owned, &step.revoked)) {
        *assigned = step.kept;
        current->pending = arena_dup(arena, &step.revoked, sizeof step.revoked);
        current->state = STREAMS_UNREVOKED_TASKS;
        current->epoch = epoch;
        return;
    }
    for (int kind = 0; kind < STREAMS_KINDS; kind++)
        assigned->kinds[kind] = both(&step.kept.kinds[kind], &step.added.kinds[kind], arena);
    current->pending = &streams_assignment_none;
    current->state = step.has_unreleased ? STREAMS_UNRELEASED_TASKS : STREAMS_STABLE;
    current->epoch = input->target_epoch;
}

bool streams_reconcile(const struct streams_reconcile *input, struct streams_current *current,
                       struct arena *arena)
{
    switch (current->state) {
    case STREAMS_STABLE:
        if (current->epoch != input->target_epoch)
            compute(input, current, current->epoch, arena);
        return true;
    case STREAMS_UNREVOKED_TASKS:
        if (input->owned != NULL && !owns_any(input->owned, current->pending))
            compute(input, current, current->epoch + 1, arena);
        return true;
    case STREAMS_UNRELEASED_TASKS:
        compute(input, current, current->epoch, arena);
        return true;
    default:
        if (input->owned == NULL || !streams_assignment_is_empty(input->owned))
            return false;
        compute(input, current, input->target_epoch, arena);
        return true;
    }
}

bool streams_current_equal(const struct streams_current *a, const struct streams_current *b)
{
    return a->epoch == b->epoch && a->previous_epoch == b->previous_epoch && a->state == b->state &&
           streams_assignment_equal(a->assigned, b->assigned, true) &&
           streams_assignment_equal(a->pending, b->pending, true);
}
