// SPDX-License-Identifier: Apache-2.0
// What holds of every assignment, on random groups: each partition of a subscribed topic has one owner, who subscribes
// to it; loads differ by one at most when all subscribe to the same; who changes nothing keeps everything. That it is
// the assignment that Kafka's classes make is shown by compat-tests/group-oracle.
#include "base/testing.h"
#include "group/partition_assignor.h"

enum { TOPICS = 5, MEMBERS = 7, PARTITIONS_MAX = 9 };

struct random_group {
    struct arena arena;
    struct assignor_input input;
    uint32_t seed;
};

static uint32_t next_random(struct random_group *g, uint32_t limit)
{
    g->seed = g->seed * 1664525 + 1013904223;
    return (g->seed >> 8) % limit;
}

static void make(struct random_group *g, uint32_t seed, bool is_homogeneous)
{
    arena_init(&g->arena);
    g->seed = seed;
    g->input = (struct assignor_input){
        .topics = arena_array(&g->arena, struct assignor_topic, TOPICS),
        .topic_count = TOPICS,
        .members = arena_array(&g->arena, struct assignor_member, MEMBERS),
        .member_count = 1 + (int32_t)next_random(g, MEMBERS),
        .is_homogeneous = is_homogeneous,
    };
    for (int32_t t = 0; t < TOPICS; t++) {
        g->input.topics[t].id.bytes[15] = (uint8_t)(t + 1);
        g->input.topics[t].partitions_count = 1 + (int32_t)next_random(g, PARTITIONS_MAX);
        g->input.topics[t].is_assigned = arena_array(&g->arena, uint8_t, PARTITIONS_MAX);
    }
    for (int32_t m = 0; m < g->input.member_count; m++) {
        struct assignor_member *member = &g->input.members[m];
        int32_t *subscribed = arena_array(&g->arena, int32_t, TOPICS);
        member->id = str_of(arena_printf(&g->arena, "m%d", m));
        for (int32_t t = 0; t < TOPICS; t++)
            if (is_homogeneous ? t < 3 : next_random(g, 2) == 0)
                subscribed[member->subscribed_count++] = t;
        member->subscribed = subscribed;
        member->subscribed_names = member->subscribed_count;
    }
}

static bool subscribes(const struct assignor_member *member, int32_t topic)
{
    for (int32_t i = 0; i < member->subscribed_count; i++)
        if (member->subscribed[i] == topic)
            return true;
    return false;
}

static void check(const struct random_group *g, bool is_balanced)
{
    int owners[TOPICS][PARTITIONS_MAX] = { { 0 } };
    int32_t least = INT32_MAX, most = 0;
    for (int32_t m = 0; m < g->input.member_count; m++) {
        const struct assignor_member *member = &g->input.members[m];
        int32_t load = 0;
        for (int32_t t = 0; t < member->target.count; t++) {
            const struct assigned_topic *topic = &member->target.topics[t];
            CU_ASSERT(topic->count > 0 && subscribes(member, topic->topic));
            load += topic->count;
            for (int32_t p = 0; p < topic->count; p++)
                owners[topic->topic][topic->partitions[p]]++;
        }
        least = load < least ? load : least;
        most = load > most ? load : most;
    }
    for (int32_t t = 0; t < TOPICS; t++) {
        bool is_used = false;
        for (int32_t m = 0; m < g->input.member_count; m++)
            is_used |= subscribes(&g->input.members[m], t);
        for (int32_t p = 0; p < g->input.topics[t].partitions_count; p++)
            CU_ASSERT_EQUAL(owners[t][p], is_used);
    }
    CU_ASSERT(!is_balanced || most - least <= 1);
}

// The targets become what members have.
static void adopt(struct random_group *g)
{
    for (int32_t m = 0; m < g->input.member_count; m++) {
        struct assignor_member *member = &g->input.members[m];
        member->current = member->target;
        for (int32_t t = 0; t < member->target.count; t++)
            for (int32_t p = 0; p < member->target.topics[t].count; p++)
                g->input.topics[member->target.topics[t].topic]
                    .is_assigned[member->target.topics[t].partitions[p]] = 1;
    }
}

static void check_sticky(const struct random_group *g)
{
    for (int32_t m = 0; m < g->input.member_count; m++) {
        const struct assignor_member *member = &g->input.members[m];
        CU_ASSERT_EQUAL(member->current.count, member->target.count);
        for (int32_t t = 0; t < member->target.count; t++)
            CU_ASSERT_EQUAL(member->current.topics[t].count, member->target.topics[t].count);
    }
}

static void run(const char *name, bool is_homogeneous)
{
    assignor_function *assign = assignor_find(str_of(name));
    for (uint32_t seed = 0; seed < 200; seed++) {
        struct random_group g;
        make(&g, seed, is_homogeneous);
        assign(&g.input, &g.arena);
        bool is_uniform = assign == assignor_uniform;
        check(&g, is_uniform && is_homogeneous);
        adopt(&g);
        assign(&g.input, &g.arena);
        check(&g, is_uniform && is_homogeneous);
        check_sticky(&g);
        arena_fini(&g.arena);
    }
}

static void uniform(void)
{
    run("uniform", true);
}

static void uniform_mixed(void)
{
    run("uniform", false);
}

static void range(void)
{
    run("range", true);
    run("range", false);
}

static void no_other(void)
{
    CU_ASSERT_PTR_NULL(assignor_find(str_of("best")));
}

TEST_MAIN("assignor", TEST(uniform), TEST(uniform_mixed), TEST(range), TEST(no_other))
