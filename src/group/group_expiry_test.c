// SPDX-License-Identifier: Apache-2.0
// What leaves the topic by itself, on a clock that the test moves. Kafka's defaults: looked at every ten minutes,
// kept for seven days.
#include "group/group_expiry.h"
#include "group/testing_groups.h"

enum { CHECK = 600000, WEEK = 7 * 24 * 3600 * 1000 };

// A simple group's offset lives a week from its commit, and the group goes with its last offset.
static void simple_offsets_expire(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    commit_offset(&f, "g", "t", 0, 1);
    testing_advance(&f.log, WEEK / 2);
    commit_offset(&f, "g", "t", 1, 2);
    testing_advance(&f.log, WEEK / 2 - 1);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 1);
    testing_advance(&f.log, CHECK);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), -1);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 1), 2);
    testing_advance(&f.log, WEEK / 2);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 1), -1);
    CU_ASSERT(is_in_state(&f, "g", "Dead"));
    fixture_restart(&f);
    CU_ASSERT(is_in_state(&f, "g", "Dead"));
    fixture_fini(&f);
}

// While members are there nothing expires; from then on the week counts, whatever the age of the commit.
static void members_keep_their_offsets(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    commit_offset(&f, "g", "t", 0, 1);
    struct join a;
    settle_one(&f, &a, "g");
    for (int64_t passed = 0; passed < 2 * (int64_t)WEEK; passed += 9000) {
        testing_advance(&f.log, 9000);
        CU_ASSERT_EQUAL_FATAL(heartbeat(&f, &a), KERR_NONE);
    }
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 1);
    leave(&f, "g", a.response.member_id);
    testing_advance(&f.log, WEEK - CHECK);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 1);
    testing_advance(&f.log, 2 * CHECK);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), -1);
    CU_ASSERT(is_in_state(&f, "g", "Dead"));
    fixture_fini(&f);
}

// OffsetCommit v2-4 may say how long: then that counts alone.
static void a_retention_of_its_own(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct commit commit;
    commit_send(&f, &commit, "g", "t", 0, 1);
    commit.request.retention_time_ms = 3 * CHECK;
    call_init(&commit.call);
    group_coordinator_commit_offsets(f.groups, &commit.request, 4, &commit.response, &f.arena,
                                     &commit.call.completion);
    testing_advance(&f.log, 2 * CHECK);
    fixture_restart(&f);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 1);
    testing_advance(&f.log, CHECK);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), -1);
    fixture_fini(&f);
}

// Offsets of a deleted topic go, those of a newer topic of the same name stay.
static void deleted_topics_take_their_offsets(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct commit commit;
    commit_offset(&f, "g", "other", 0, 1);
    commit_offset(&f, "g", "t", 0, 2); // of an unknown id
    commit_send(&f, &commit, "h", "t", 0, 3);
    commit.topic.topic_id = (struct uuid){ { 7 } };
    call_init(&commit.call);
    group_coordinator_commit_offsets(f.groups, &commit.request, 10, &commit.response, &f.arena,
                                     &commit.call.completion);
    struct deleted_topic deleted = { .id = { { 6 } }, .name = str_of("t") };
    group_coordinator_topics_deleted(f.groups, &deleted, 1);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "other", 0), 1);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), -1);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "h", "t", 0), 3);
    deleted.id = (struct uuid){ { 7 } };
    group_coordinator_topics_deleted(f.groups, &deleted, 1);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "h", "t", 0), -1);
    fixture_restart(&f);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "h", "t", 0), -1);
    fixture_fini(&f);
}

TEST_MAIN("group_expiry", TEST(simple_offsets_expire), TEST(members_keep_their_offsets),
          TEST(a_retention_of_its_own), TEST(deleted_topics_take_their_offsets))
