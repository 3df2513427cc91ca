// SPDX-License-Identifier: Apache-2.0
// Tasks of a Kafka Streams application: a sub-topology and a partition. A set of them is a sorted array; what a member
// has or shall have are three sets.
//
// (1) A set is sorted by sub-topology, then partition, and has each task once.
// (2) `epoch` counts for active tasks of members only: the assignment epoch at which the member got the task.
#ifndef GROUP_STREAMS_STREAMS_TASKS_H
#define GROUP_STREAMS_STREAMS_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct streams_task {
    struct str subtopology;
    int32_t partition;
    int32_t epoch;
};

struct streams_tasks {
    struct streams_task *items;
    int32_t count;
};

enum streams_task_kind { STREAMS_ACTIVE, STREAMS_STANDBY, STREAMS_WARMUP, STREAMS_KINDS };

struct streams_assignment {
    struct streams_tasks kinds[STREAMS_KINDS];
};

extern const struct streams_assignment streams_assignment_none;

int streams_task_compare(const struct streams_task *a, const struct streams_task *b);
// NULL: it is not in the set.
const struct streams_task *streams_tasks_find(const struct streams_tasks *tasks,
                                              struct str subtopology, int32_t partition);
// Into the order of (1), without what comes twice.
void streams_tasks_sort(struct streams_tasks *tasks);
bool streams_tasks_equal(const struct streams_tasks *a, const struct streams_tasks *b,
                         bool with_epochs);
bool streams_tasks_overlap(const struct streams_tasks *a, const struct streams_tasks *b);

bool streams_assignment_is_empty(const struct streams_assignment *assignment);
// Active tasks with their epochs, if so asked.
bool streams_assignment_equal(const struct streams_assignment *a,
                              const struct streams_assignment *b, bool with_epochs);
// One block for mem_free, that points nowhere else.
struct streams_assignment *streams_assignment_dup(const struct streams_assignment *assignment);

// As messages and records have them: partitions by sub-topology.
struct streams_task_ids {
    struct str subtopology;
    int32_t *partitions;
    int32_t *epochs; // NULL: none
    int32_t count;
};
// Sorted. In the arena, but for the names.
struct streams_task_ids *streams_tasks_group(const struct streams_tasks *tasks, int32_t *count,
                                             struct arena *arena);
// The reverse, in the arena; the names are borrowed. An entry without epochs has `epoch`.
struct streams_tasks streams_tasks_of(const struct streams_task_ids *ids, int32_t count,
                                      int32_t epoch, struct arena *arena);

// From an array of one of the generated structs, which have these three fields.
#define STREAMS_TASKS_FROM(into, list, list_count, arena)                                          \
    do {                                                                                           \
        int32_t n_ = (list_count) > 0 ? (list_count) : 0;                                          \
        struct streams_task_ids *ids_ = arena_array((arena), struct streams_task_ids, n_ + 1);     \
        for (int32_t i_ = 0; i_ < n_; i_++)                                                        \
            ids_[i_] =                                                                             \
                (struct streams_task_ids){ (list)[i_].subtopology_id, (list)[i_].partitions, NULL, \
                                           (list)[i_].partitions_count };                          \
        (into) = streams_tasks_of(ids_, n_, 0, (arena));                                           \
    } while (0)

// Into such an array, made in the arena.
#define STREAMS_TASKS_INTO(list, list_count, type, tasks, arena)                                   \
    do {                                                                                           \
        int32_t n_;                                                                                \
        const struct streams_task_ids *ids_ = streams_tasks_group((tasks), &n_, (arena));          \
        (list) = arena_array((arena), type, n_ + 1);                                               \
        (list_count) = n_;                                                                         \
        for (int32_t i_ = 0; i_ < n_; i_++) {                                                      \
            (list)[i_].subtopology_id = ids_[i_].subtopology;                                      \
            (list)[i_].partitions = ids_[i_].partitions;                                           \
            (list)[i_].partitions_count = ids_[i_].count;                                          \
        }                                                                                          \
    } while (0)

#endif
