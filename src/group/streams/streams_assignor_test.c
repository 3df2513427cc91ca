// SPDX-License-Identifier: Apache-2.0
// Who gets which task: first assignments, what stays, standbys; and with random groups what must hold of all.
#include "group/streams/streams_assignor.h"

#include "base/testing.h"

enum { MEMBERS_MAX = 12, ROUNDS = 300 };

struct kit {
    struct arena arena;
    struct streams_assignor_member members[MEMBERS_MAX];
    int32_t count;
};

static void kit_add(struct kit *kit, const char *id, const char *process)
{
    kit->members[kit->count++] =
        (struct streams_assignor_member){ .id = arena_strz(&kit->arena, id),
                                          .process_id = arena_strz(&kit->arena, process),
                                          .former = &streams_assignment_none };
}

static void kit_assign(struct kit *kit, const struct streams_assignor_topology *topology,
                       int32_t count, int32_t standbys)
{
    streams_assignor_sort(kit->members, kit->count, &kit->arena);
    streams_assign(kit->members, kit->count, topology, count, standbys, &kit->arena);
}

// What was assigned becomes what was before.
static void kit_keep(struct kit *kit)
{
    for (int32_t i = 0; i < kit->count; i++) {
        kit->members[i].former =
            arena_dup(&kit->arena, &kit->members[i].assigned, sizeof kit->members[i].assigned);
        kit->members[i].assigned = streams_assignment_none;
    }
}

static const struct streams_assignor_member *member(const struct kit *kit, const char *id)
{
    for (int32_t i = 0; i < kit->count; i++)
        if (str_eqz(kit->members[i].id, id))
            return &kit->members[i];
    return NULL;
}

// "0-0 0-1 1-0"
static bool has(const struct kit *kit, const char *id, enum streams_task_kind kind,
                const char *wanted)
{
    char text[256] = "";
    size_t at = 0;
    const struct streams_tasks *tasks = &member(kit, id)->assigned.kinds[kind];
    for (int32_t i = 0; i < tasks->count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s-%d", i > 0 ? " " : "",
                               STR_ARG(tasks->items[i].subtopology), tasks->items[i].partition);
    return strcmp(text, wanted) == 0;
}

static const struct streams_assignor_topology two[] = { { { "0", 1 }, 2, false },
                                                        { { "1", 1 }, 2, true } };

static void tasks_are_dealt_out_and_stay(void)
{
    struct kit kit = { .count = 0 };
    arena_init(&kit.arena);
    kit_add(&kit, "a", "p");
    kit_assign(&kit, two, 2, 0);
    CU_ASSERT_TRUE(has(&kit, "a", STREAMS_ACTIVE, "0-0 0-1 1-0 1-1"));
    kit_keep(&kit);
    kit_add(&kit, "b", "q");
    kit_assign(&kit, two, 2, 0);
    // The first of each by partition stay, as many as half.
    CU_ASSERT_TRUE(has(&kit, "a", STREAMS_ACTIVE, "0-0 1-0"));
    CU_ASSERT_TRUE(has(&kit, "b", STREAMS_ACTIVE, "0-1 1-1"));
    kit_keep(&kit);
    kit_assign(&kit, two, 2, 0);
    CU_ASSERT_TRUE(has(&kit, "a", STREAMS_ACTIVE, "0-0 1-0"));
    CU_ASSERT_TRUE(has(&kit, "b", STREAMS_ACTIVE, "0-1 1-1"));
    arena_fini(&kit.arena);
}

static void standbys_are_elsewhere(void)
{
    struct kit kit = { .count = 0 };
    arena_init(&kit.arena);
    kit_add(&kit, "a", "p");
    kit_add(&kit, "b", "p");
    kit_assign(&kit, two, 2, 1);
    // One process only: there is nowhere else.
    CU_ASSERT_TRUE(has(&kit, "a", STREAMS_STANDBY, "") && has(&kit, "b", STREAMS_STANDBY, ""));
    kit_keep(&kit);
    kit_add(&kit, "c", "q");
    kit_assign(&kit, two, 2, 1);
    int32_t standbys = 0;
    for (int32_t i = 0; i < kit.count; i++)
        standbys += kit.members[i].assigned.kinds[STREAMS_STANDBY].count;
    CU_ASSERT_EQUAL(standbys, 2); // of the one that has state
    arena_fini(&kit.arena);
}

// A standby takes over when who ran the task is gone.
static void a_standby_takes_over(void)
{
    static const struct streams_assignor_topology one[] = { { { "0", 1 }, 1, true } };
    struct kit kit = { .count = 0 };
    arena_init(&kit.arena);
    kit_add(&kit, "a", "p");
    kit_add(&kit, "b", "q");
    kit_add(&kit, "c", "r");
    kit_assign(&kit, one, 1, 1);
    kit_keep(&kit);
    struct str ran_0 = STR_NULL, stood_by = STR_NULL;
    for (int32_t i = 0; i < kit.count; i++) {
        if (streams_tasks_find(&kit.members[i].former->kinds[STREAMS_ACTIVE], str_of("0"), 0))
            ran_0 = kit.members[i].id;
        if (streams_tasks_find(&kit.members[i].former->kinds[STREAMS_STANDBY], str_of("0"), 0))
            stood_by = kit.members[i].id;
    }
    for (int32_t i = 0; i < kit.count; i++)
        if (str_eq(kit.members[i].id, ran_0))
            kit.members[i] = kit.members[--kit.count];
    kit_assign(&kit, one, 1, 1);
    CU_ASSERT_PTR_NOT_NULL(streams_tasks_find(
        &member(&kit, stood_by.data)->assigned.kinds[STREAMS_ACTIVE], str_of("0"), 0));
    arena_fini(&kit.arena);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

// Each active task once; no process has a task twice; who has most has at most one more than who has least.
static void check(const struct kit *kit, const struct streams_assignor_topology *topology,
                  int32_t count, bool is_first)
{
    int32_t all = 0, given = 0, most = 0, least = INT32_MAX;
    for (int32_t s = 0; s < count; s++)
        all += topology[s].tasks_count;
    for (int32_t i = 0; i < kit->count; i++) {
        const struct streams_tasks *mine = &kit->members[i].assigned.kinds[STREAMS_ACTIVE];
        given += mine->count;
        most = mine->count > most ? mine->count : most;
        least = mine->count < least ? mine->count : least;
        CU_ASSERT_FALSE(
            streams_tasks_overlap(mine, &kit->members[i].assigned.kinds[STREAMS_STANDBY]));
        for (int32_t o = 0; o < i; o++) {
            const struct streams_assignment *other = &kit->members[o].assigned;
            CU_ASSERT_FALSE(streams_tasks_overlap(mine, &other->kinds[STREAMS_ACTIVE]));
            if (!str_eq(kit->members[o].process_id, kit->members[i].process_id))
                continue;
            CU_ASSERT_FALSE(streams_tasks_overlap(mine, &other->kinds[STREAMS_STANDBY]));
            CU_ASSERT_FALSE(streams_tasks_overlap(&kit->members[i].assigned.kinds[STREAMS_STANDBY],
                                                  &other->kinds[STREAMS_STANDBY]));
        }
    }
    CU_ASSERT_EQUAL(given, all);
    CU_ASSERT_TRUE(!is_first || most - least <= 1 || kit->count == 0);
}

static void whatever_the_group(void)
{
    uint32_t random = 7;
    for (int round = 0; round < ROUNDS; round++) {
        struct kit kit = { .count = 0 };
        struct streams_assignor_topology topology[3] = { { { "0", 1 }, 0, true },
                                                         { { "1", 1 }, 0, false },
                                                         { { "10", 2 }, 0, true } };
        arena_init(&kit.arena);
        for (int s = 0; s < 3; s++)
            topology[s].tasks_count = 1 + (int32_t)(next_random(&random) % 9);
        int32_t standbys = (int32_t)(next_random(&random) % 3);
        for (int step = 0; step < 4; step++) {
            int32_t joining = 1 + (int32_t)(next_random(&random) % 3);
            while (joining-- > 0 && kit.count < MEMBERS_MAX)
                kit_add(&kit, arena_printf(&kit.arena, "member-%u", next_random(&random)),
                        arena_printf(&kit.arena, "process-%u",
                                     step > 0 ? next_random(&random) % 5 : next_random(&random)));
            kit_assign(&kit, topology, 3, standbys);
            check(&kit, topology, 3, step == 0 && kit.count == 1);
            kit_keep(&kit);
            uint32_t leaving = next_random(&random) % (uint32_t)kit.count;
            if (kit.count > 2) {
                kit.count--;
                kit.members[leaving] = kit.members[kit.count];
            }
        }
        arena_fini(&kit.arena);
    }
}

TEST_MAIN("streams_assignor", TEST(tasks_are_dealt_out_and_stay), TEST(standbys_are_elsewhere),
          TEST(a_standby_takes_over), TEST(whatever_the_group))
