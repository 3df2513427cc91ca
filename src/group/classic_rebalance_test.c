// SPDX-License-Identifier: Apache-2.0
// The classic protocol against time: delays, sessions, timeouts, on a clock that the test moves. What each request is
// answered in each state is in compat-tests/twin/groups, against the real broker too.
#include "group/testing_groups.h"

// The first rebalance waits for more members, again and again while they come, but not beyond the rebalance timeout.
static void the_initial_rebalance_gathers_members(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join members[30];
    join_new(&f, &members[0], "g");
    testing_advance(&f.log, 2999);
    CU_ASSERT_EQUAL(members[0].call.done, 0);
    join_new(&f, &members[1], "g"); // extends by 3 s from the end of the first delay
    testing_advance(&f.log, 3000);
    CU_ASSERT_EQUAL(members[0].call.done, 0);
    testing_advance(&f.log, 1);
    CU_ASSERT(members[0].call.done == 1 && members[1].call.done == 1);
    CU_ASSERT(members[0].response.generation_id == 1 && members[1].response.generation_id == 1);
    CU_ASSERT_EQUAL(members[0].response.members_count, 2);
    CU_ASSERT_EQUAL(members[1].response.members_count, 0);
    int came = 0;
    for (; came < 30 && members[0].call.done == 1; came++) { // one every 2.9 s: it would never end
        join_new(&f, &members[came], "h");
        testing_advance(&f.log, 2900);
    }
    CU_ASSERT(came <= 60000 / 2900 + 2);
    fixture_fini(&f);
}

// A member that is silent for its session is removed, one that beats stays.
static void silent_members_are_removed(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a;
    settle_one(&f, &a, "g");
    for (int i = 0; i < 5; i++) {
        testing_advance(&f.log, 9999);
        CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_NONE);
    }
    testing_advance(&f.log, 9999);
    CU_ASSERT(is_in_state(&f, "g", "Stable"));
    testing_advance(&f.log, 1);
    CU_ASSERT(is_in_state(&f, "g", "Empty"));
    CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_UNKNOWN_MEMBER_ID);
    fixture_fini(&f);
}

// A member that waits for the others is alive without beating.
static void waiting_for_others_is_no_silence(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b, again;
    settle_one(&f, &a, "g");
    join_new(&f, &b, "g");
    for (int i = 0; i < 5; i++) { // a beats but does not rejoin; b waits, longer than its session
        testing_advance(&f.log, 9000);
        CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_REBALANCE_IN_PROGRESS);
    }
    CU_ASSERT_EQUAL(b.call.done, 0);
    join_send(&f, &again, "g", a.response.member_id);
    CU_ASSERT(b.call.done == 1 && again.call.done == 1);
    CU_ASSERT(b.response.error_code == KERR_NONE && b.response.generation_id == 2);
    fixture_fini(&f);
}

// Who has not rejoined at the end of the rebalance timeout is out.
static void the_rebalance_timeout_ends_the_wait(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b;
    settle_one(&f, &a, "g");
    join_new(&f, &b, "g");
    for (int i = 0; i < 12; i++) {
        testing_advance(&f.log, 4999);
        heartbeat(&f, &a);
    }
    CU_ASSERT_EQUAL(b.call.done, 0);
    testing_advance(&f.log, 12);
    CU_ASSERT(b.call.done == 1 && b.response.members_count == 1);
    CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_UNKNOWN_MEMBER_ID);
    fixture_fini(&f);
}

// Who has joined but does not sync within the rebalance timeout is out too.
static void members_must_ask_for_their_assignment(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b;
    struct sync sync;
    join_new(&f, &a, "g");
    join_new(&f, &b, "g");
    testing_advance(&f.log, 6000);
    CU_ASSERT(a.call.done == 1 && b.call.done == 1);
    sync_send(&f, &sync, &a);
    CU_ASSERT_EQUAL(sync.call.done, 1);
    for (int i = 0; i < 12; i++) {
        testing_advance(&f.log, 4999);
        CU_ASSERT(heartbeat(&f, &a) == KERR_NONE && heartbeat(&f, &b) == KERR_NONE);
    }
    testing_advance(&f.log, 12);
    CU_ASSERT_EQUAL(heartbeat(&f, &b), KERR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_REBALANCE_IN_PROGRESS);
    fixture_fini(&f);
}

// A follower's SyncGroup waits for the leader's; a rebalance in between ends the wait.
static void a_waiting_sync_hears_of_a_rebalance(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b;
    struct sync sync;
    join_new(&f, &a, "g");
    join_new(&f, &b, "g");
    testing_advance(&f.log, 6000);
    sync_send(&f, &sync, &b);
    CU_ASSERT_EQUAL(sync.call.done, 0);
    CU_ASSERT_EQUAL(leave(&f, "g", a.response.member_id), KERR_NONE);
    CU_ASSERT(sync.call.done == 1 && sync.response.error_code == KERR_REBALANCE_IN_PROGRESS);
    CU_ASSERT_EQUAL(sync.response.assignment.size, 0);
    fixture_fini(&f);
}

// A second SyncGroup or JoinGroup of a member takes the place of the first, which is told to try again.
static void a_repeated_request_replaces_the_first(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b, again;
    struct sync first, second, leader;
    join_new(&f, &a, "g");
    join_send(&f, &again, "g",
              a.response.member_id.size > 0 ? a.response.member_id : a.request.member_id);
    CU_ASSERT(a.call.done == 1 && a.response.error_code == KERR_REBALANCE_IN_PROGRESS);
    join_new(&f, &b, "g");
    testing_advance(&f.log, 6000);
    CU_ASSERT(again.call.done == 1 && b.call.done == 1 && a.call.done == 1);
    sync_send(&f, &first, &b);
    sync_send(&f, &second, &b);
    CU_ASSERT(first.call.done == 1 && first.response.error_code == KERR_REBALANCE_IN_PROGRESS);
    sync_send(&f, &leader, &again);
    CU_ASSERT(second.call.done == 1 && second.response.error_code == KERR_NONE);
    CU_ASSERT_EQUAL(second.response.assignment.size, b.response.member_id.size);
    fixture_fini(&f);
}

// group.max.size: while members rejoin, the first to come have the places.
static void a_loaded_group_shrinks_to_its_size(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b, late;
    struct sync sync;
    join_new(&f, &a, "g");
    join_new(&f, &b, "g");
    testing_advance(&f.log, 6000);
    sync_send(&f, &sync, &a);
    CU_ASSERT(is_in_state(&f, "g", "Stable"));
    f.config.max_size = 1;
    fixture_restart(&f);
    CU_ASSERT(is_in_state(&f, "g", "PreparingRebalance"));
    join_send(&f, &late, "g", b.response.member_id);
    CU_ASSERT_EQUAL(late.call.done, 0);
    join_send(&f, &a, "g", a.response.member_id);
    CU_ASSERT(a.call.done == 1 && a.response.error_code == KERR_GROUP_MAX_SIZE_REACHED);
    testing_advance(&f.log, 60000);
    CU_ASSERT(late.call.done == 1 && late.response.members_count == 1);
    fixture_fini(&f);
}

TEST_MAIN("classic_rebalance", TEST(the_initial_rebalance_gathers_members),
          TEST(silent_members_are_removed), TEST(waiting_for_others_is_no_silence),
          TEST(the_rebalance_timeout_ends_the_wait), TEST(members_must_ask_for_their_assignment),
          TEST(a_waiting_sync_hears_of_a_rebalance), TEST(a_repeated_request_replaces_the_first),
          TEST(a_loaded_group_shrinks_to_its_size))
