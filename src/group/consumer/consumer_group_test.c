// SPDX-License-Identifier: Apache-2.0
// Consumer groups over a log in memory: time, failing appends, restarts. What they answer in good times is in
// compat-tests/twin/consumer, against the real broker too.
#include "group/consumer/consumer_group.h"

#include "group/testing_groups.h"

static void begin(struct fixture *f)
{
    fixture_init(f, NULL);
    fixture_setting(f, "group.consumer.assignment.interval.ms", "0");
    fixture_topic(f, "t", 4);
}

static void settle_two(struct fixture *f, struct consumer *a, struct consumer *b)
{
    for (int i = 0; i < 4; i++) {
        must(consumer_beat(f, a) == KERR_NONE);
        must(consumer_beat(f, b) == KERR_NONE);
    }
    must(consumer_load(a) == 2 && consumer_load(b) == 2);
}

static bool is_state(struct fixture *f, const char *group, const char *state)
{
    return str_eqz(consumer_described(f, group).group_state, state);
}

// Members, epochs and assignments are what they were; both go on without joining again.
static void a_restart_changes_nothing(void)
{
    struct fixture f;
    struct consumer a, b;
    begin(&f);
    consumer_init(&a, "g", "member-a", "t");
    consumer_init(&b, "g", "member-b", "t");
    settle_two(&f, &a, &b);
    struct consumer_group_describe_response_described_group before = consumer_described(&f, "g");
    fixture_restart(&f);
    fixture_topic(&f, "t", 4);
    struct consumer_group_describe_response_described_group after = consumer_described(&f, "g");
    CU_ASSERT(str_eqz(after.group_state, "Stable") && after.members_count == 2);
    CU_ASSERT_EQUAL(before.group_epoch, after.group_epoch);
    CU_ASSERT_EQUAL(before.assignment_epoch, after.assignment_epoch);
    CU_ASSERT_EQUAL(consumer_beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(consumer_beat(&f, &b), KERR_NONE);
    CU_ASSERT(a.response.assignment == NULL && b.response.assignment == NULL);
    CU_ASSERT_EQUAL(consumer_described(&f, "g").group_epoch, before.group_epoch);
    fixture_fini(&f);
}

// One that is silent for its session is fenced, and what it had goes to the other; after a restart, too.
static void a_session_expires(void)
{
    struct fixture f;
    struct consumer a, b;
    begin(&f);
    consumer_init(&a, "g", "member-a", "t");
    consumer_init(&b, "g", "member-b", "t");
    settle_two(&f, &a, &b);
    fixture_restart(&f);
    fixture_topic(&f, "t", 4);
    testing_advance(&f.log, 44000);
    CU_ASSERT_EQUAL(consumer_beat(&f, &a), KERR_NONE);
    testing_advance(&f.log, 2000);
    CU_ASSERT_EQUAL(consumer_described(&f, "g").members_count, 1);
    CU_ASSERT_EQUAL(consumer_beat(&f, &b), KERR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_EQUAL(consumer_beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(consumer_load(&a), 4);
    testing_advance(&f.log, 46000);
    CU_ASSERT(is_state(&f, "g", "Empty"));
    fixture_fini(&f);
}

// An append that fails is told, and changes nothing; the next heartbeat does what this one could not.
static void a_failing_append(void)
{
    struct fixture f;
    struct consumer a;
    begin(&f);
    consumer_init(&a, "g", "member-a", "t");
    f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
    CU_ASSERT_EQUAL(consumer_beat(&f, &a), KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(consumer_described(&f, "g").error_code, KERR_GROUP_ID_NOT_FOUND);
    CU_ASSERT_EQUAL(consumer_beat(&f, &a), KERR_NONE);
    CU_ASSERT(consumer_load(&a) == 4 && a.epoch == 2);
    fixture_fini(&f);
}

// Targets are computed at most once an interval; who comes meanwhile waits without partitions.
static void the_assignment_interval(void)
{
    struct fixture f;
    struct consumer a, b;
    begin(&f);
    fixture_setting(&f, "group.consumer.assignment.interval.ms", "1000");
    consumer_init(&a, "g", "member-a", "t");
    consumer_init(&b, "g", "member-b", "t");
    consumer_beat(&f, &a);
    consumer_beat(&f, &b);
    CU_ASSERT(b.epoch == 2 && consumer_load(&b) == 0);
    CU_ASSERT(is_state(&f, "g", "Assigning"));
    testing_advance(&f.log, 1000);
    settle_two(&f, &a, &b);
    CU_ASSERT(is_state(&f, "g", "Stable"));
    fixture_fini(&f);
}

// Offsets are a member's to commit with its epoch, and for what it was assigned with an older one.
static void commits_with_epochs(void)
{
    struct fixture f;
    struct consumer a;
    struct commit commit;
    begin(&f);
    consumer_init(&a, "g", "member-a", "t");
    consumer_beat(&f, &a);
    commit_send(&f, &commit, "g", "t", 0, 1);
    CU_ASSERT_EQUAL(commit_error(&commit), KERR_UNKNOWN_MEMBER_ID);
    fixture_fini(&f);
}

// A group that is deleted leaves nothing in the log.
static void deleted_whole(void)
{
    struct fixture f;
    struct consumer a;
    begin(&f);
    consumer_init(&a, "g", "member-a", "t");
    consumer_beat(&f, &a);
    CU_ASSERT_EQUAL(delete_group(&f, "g"), KERR_NON_EMPTY_GROUP);
    CU_ASSERT_EQUAL(consumer_leave(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(delete_group(&f, "g"), KERR_NONE);
    CU_ASSERT_EQUAL(consumer_described(&f, "g").error_code, KERR_GROUP_ID_NOT_FOUND);
    fixture_restart(&f);
    CU_ASSERT_EQUAL(consumer_described(&f, "g").error_code, KERR_GROUP_ID_NOT_FOUND);
    fixture_fini(&f);
}

TEST_MAIN("consumer_group", TEST(a_restart_changes_nothing), TEST(a_session_expires),
          TEST(a_failing_append), TEST(the_assignment_interval), TEST(commits_with_epochs),
          TEST(deleted_whole))
