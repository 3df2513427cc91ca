// SPDX-License-Identifier: Apache-2.0
// Members at random: they join, live on, fall silent, leave, while the coordinator is restarted. At every step no task
// runs in two of them; when they are left in peace, all tasks run and the group is stable.
#include "group/streams/testing_streams.h"

enum {
    MEMBERS = 5,
    PARTITIONS = 4,
    GROUPS = 60,
    STEPS = 120,
    PEACE_ROUNDS = 12,
    SESSION_MS = 45000
};

struct player {
    struct member member;
    bool is_in;
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

// Who is fenced drops all that it has.
static void note(struct player *player, int16_t error)
{
    player->is_in = error == KERR_NONE;
    if (error != KERR_NONE)
        player->member.active_count = 0;
}

static void play(struct fixture *f, struct player *player, uint32_t what)
{
    if (!player->is_in) {
        note(player, join(f, &player->member));
    } else if (what % 8 == 0) {
        send(f, &player->member, -1, NULL);
        note(player, KERR_UNKNOWN_MEMBER_ID);
    } else if (what % 8 == 1) { // a client that lost its memory: it has nothing, and joins anew
        player->member.active_count = 0;
        note(player, join(f, &player->member));
    } else {
        note(player, beat(f, &player->member));
    }
}

static int32_t check(const struct player *players)
{
    int32_t running[PARTITIONS] = { 0 }, all = 0;
    for (int p = 0; p < MEMBERS; p++)
        for (int32_t i = 0; i < players[p].member.active_count; i++)
            running[players[p].member.active[i]]++;
    for (int t = 0; t < PARTITIONS; t++) {
        CU_ASSERT_TRUE(running[t] <= 1);
        all += running[t];
    }
    return all;
}

static void a_group(uint32_t *random)
{
    static const char *const ids[MEMBERS] = { "a", "b", "c", "d", "e" };
    static const char *const processes[MEMBERS] = { "p", "q", "q", "r", "s" };
    struct player players[MEMBERS];
    struct fixture f;
    kit_init(&f);
    for (int p = 0; p < MEMBERS; p++)
        players[p] = (struct player){ .member = { .id = ids[p], .process = processes[p] } };
    for (int step = 0; step < STEPS; step++) {
        uint32_t what = next_random(random);
        if (what % 31 == 0)
            kit_restart(&f);
        else
            play(&f, &players[next_random(random) % MEMBERS], what / 31);
        check(players);
    }
    for (int round = 0; round < PEACE_ROUNDS; round++)
        for (int p = 0; p < MEMBERS; p++)
            play(&f, &players[p], 2);
    CU_ASSERT_EQUAL(check(players), PARTITIONS);
    for (int p = 1; p < MEMBERS; p++) // all but one fall silent
        players[p].member.active_count = 0;
    for (int part = 0; part < 3; part++) {
        play(&f, &players[0], 2);
        testing_advance(&f.log, SESSION_MS / 2);
    }
    for (int round = 0; round < PEACE_ROUNDS; round++)
        play(&f, &players[0], 2);
    CU_ASSERT_EQUAL(players[0].member.active_count, PARTITIONS);
    fixture_fini(&f);
}

static void no_task_runs_twice(void)
{
    uint32_t random = 11;
    for (int group = 0; group < GROUPS; group++)
        a_group(&random);
}

TEST_MAIN("streams_random", TEST(no_task_runs_twice))
