// SPDX-License-Identifier: Apache-2.0
// Streams groups over a log in memory: joining, tasks that move, restarts in between, sessions, offsets, and how they
// share names with classic groups.
#include "group/streams/testing_streams.h"

enum { LAST_STEP = 8 };

static bool is_listed_as(struct fixture *f, const char *type, const char *state)
{
    struct call call;
    struct list_groups_request request = { 0 };
    struct list_groups_response response = { 0 };
    call_init(&call);
    group_coordinator_list(f->groups, &request, &response, &f->arena, &call.completion);
    must(call.done == 1);
    for (int32_t i = 0; i < response.groups_count; i++)
        if (str_eqz(response.groups[i].group_id, "g"))
            return str_eqz(response.groups[i].group_type, type) &&
                   str_eqz(response.groups[i].group_state, state);
    return false;
}

static struct streams_group_describe_response_described_group described(struct fixture *f)
{
    struct streams_group_describe_response_described_group out;
    struct call call;
    call_init(&call);
    message_init(&streams_group_describe_response_described_group_desc, &out);
    streams_groups_describe(f->groups, str_of("g"), &out, &f->arena, &call.completion);
    must(call.done == 1);
    return out;
}

// The same at every step with a restart before it as without: what was answered holds.
static void tasks_move(int restart_before)
{
    struct fixture f;
    struct member a = { .id = "a", .process = "p" }, b = { .id = "b", .process = "q" };
    int step = 0;
    kit_init(&f);
#define STEP                                                                                       \
    if (step++ == restart_before)                                                                  \
    kit_restart(&f)
    CU_ASSERT_EQUAL(join(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.epoch, 2);
    CU_ASSERT_EQUAL(a.active_count, 4);
    STEP;
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.last.active_tasks_count, -1);
    STEP;
    CU_ASSERT_EQUAL(join(&f, &b), KERR_NONE);
    CU_ASSERT_EQUAL(b.epoch, 3);
    CU_ASSERT_EQUAL(b.active_count, 0);
    STEP;
    CU_ASSERT_TRUE(is_listed_as(&f, "streams", "Reconciling"));
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.epoch, 2);
    CU_ASSERT_EQUAL(a.active_count, 2);
    STEP;
    CU_ASSERT_EQUAL(beat(&f, &b), KERR_NONE);
    CU_ASSERT_EQUAL(b.active_count, 0);
    STEP;
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.epoch, 3);
    STEP;
    CU_ASSERT_EQUAL(beat(&f, &b), KERR_NONE);
    CU_ASSERT_EQUAL(b.active_count, 2);
    STEP;
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(beat(&f, &b), KERR_NONE);
    CU_ASSERT_TRUE(is_listed_as(&f, "streams", "Stable"));
    CU_ASSERT_EQUAL(described(&f).group_epoch, 3);
    CU_ASSERT_EQUAL(described(&f).assignment_epoch, 3);
    CU_ASSERT_EQUAL(described(&f).members_count, 2);
    CU_ASSERT_EQUAL(send(&f, &b, -1, NULL), KERR_NONE);
    STEP;
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.epoch, 4);
    CU_ASSERT_EQUAL(a.active_count, 4);
    must(step <= LAST_STEP);
#undef STEP
    fixture_fini(&f);
}

static void tasks_move_whenever_it_restarts(void)
{
    for (int restart_before = -1; restart_before < LAST_STEP; restart_before++)
        tasks_move(restart_before);
}

static void who_does_not_give_up_is_fenced(void)
{
    struct fixture f;
    struct member a = { .id = "a", .process = "p" }, b = { .id = "b", .process = "q" };
    kit_init(&f);
    join(&f, &a);
    join(&f, &b);
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.epoch, 2);
    a.active_count = 4; // says that it has all of them still
    for (int32_t i = 0; i < 4; i++)
        a.active[i] = i;
    testing_advance(&f.log, 20000);
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    beat(&f, &b);
    testing_advance(&f.log, 11000);
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_EQUAL(beat(&f, &b), KERR_NONE);
    CU_ASSERT_EQUAL(b.active_count, 4);
    fixture_fini(&f);
}

static void a_silent_member_goes(void)
{
    struct fixture f;
    struct member a = { .id = "a", .process = "p" };
    kit_init(&f);
    join(&f, &a);
    kit_restart(&f);
    testing_advance(&f.log, 44000);
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    testing_advance(&f.log, 46000);
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_TRUE(is_listed_as(&f, "streams", "Empty"));
    fixture_fini(&f);
}

static void the_first_assignment_waits(void)
{
    struct fixture f;
    struct member a = { .id = "a", .process = "p" }, b = { .id = "b", .process = "q" };
    kit_init(&f);
    fixture_setting(&f, "group.streams.initial.rebalance.delay.ms", "3000");
    CU_ASSERT_EQUAL(join(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.epoch, 1);
    CU_ASSERT_EQUAL(a.active_count, 0);
    CU_ASSERT_EQUAL_FATAL(a.last.status_count, 1);
    CU_ASSERT_EQUAL(a.last.status[0].status_code, 5);
    CU_ASSERT_EQUAL(join(&f, &b), KERR_NONE);
    CU_ASSERT_TRUE(is_listed_as(&f, "streams", "Assigning"));
    testing_advance(&f.log, 3000);
    CU_ASSERT_EQUAL(described(&f).assignment_epoch, 3);
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(beat(&f, &b), KERR_NONE);
    CU_ASSERT_EQUAL(a.active_count, 2);
    CU_ASSERT_EQUAL(b.active_count, 2);
    fixture_fini(&f);
}

static void missing_topics_are_to_be_made(void)
{
    struct fixture f;
    struct member a = { .id = "a", .process = "p" };
    kit_init(&f);
    CU_ASSERT_EQUAL(send(&f, &a, 0, "store"), KERR_NONE);
    CU_ASSERT_EQUAL_FATAL(a.topics.count, 1);
    CU_ASSERT_TRUE(str_eqz(a.topics.items[0].name, "store"));
    CU_ASSERT_EQUAL(a.topics.items[0].num_partitions, 4);
    CU_ASSERT_EQUAL(a.topics.items[0].replication_factor, -1);
    CU_ASSERT_TRUE(is_listed_as(&f, "streams", "NotReady"));
    struct uuid id = UUID_ZERO;
    id.bytes[15] = 2;
    topic_index_put(group_coordinator_topics(f.groups), id, str_of("store"), 4, 12, 2);
    CU_ASSERT_EQUAL(beat(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.last.status_count, 0);
    CU_ASSERT_EQUAL(a.topics.count, 0);
    CU_ASSERT_EQUAL(a.active_count, 4);
    CU_ASSERT_TRUE(is_listed_as(&f, "streams", "Stable"));
    fixture_fini(&f);
}

// Its members keep classic ones out; when it is empty it makes place, or is deleted whole. Offsets stay.
static void a_name_is_one_groups(void)
{
    struct fixture f;
    struct member a = { .id = "a", .process = "p" };
    struct join classic;
    kit_init(&f);
    commit_offset(&f, "g", "t", 0, 5); // a simple group, which makes place
    CU_ASSERT_EQUAL(join(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 5);
    CU_ASSERT_TRUE(is_in_state(&f, "g", "Dead"));
    CU_ASSERT_EQUAL(describe(&f, "g").error_code, KERR_GROUP_ID_NOT_FOUND);
    join_send(&f, &classic, "g", str_of(""));
    CU_ASSERT_EQUAL(classic.response.error_code, KERR_INCONSISTENT_GROUP_PROTOCOL);
    CU_ASSERT_EQUAL(commit_offset(&f, "g", "t", 0, 1), KERR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_EQUAL(delete_group(&f, "g"), KERR_NON_EMPTY_GROUP);
    CU_ASSERT_EQUAL(send(&f, &a, -1, NULL), KERR_NONE);
    kit_restart(&f);
    CU_ASSERT_TRUE(is_listed_as(&f, "streams", "Empty"));
    settle_one(&f, &classic, "g");
    CU_ASSERT_TRUE(is_listed_as(&f, "classic", "Stable"));
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 5);
    CU_ASSERT_EQUAL(join(&f, &a), KERR_GROUP_ID_NOT_FOUND);
    fixture_fini(&f);
}

static void it_is_deleted_whole(void)
{
    struct fixture f;
    struct member a = { .id = "a", .process = "p" };
    kit_init(&f);
    join(&f, &a);
    send(&f, &a, -1, NULL);
    CU_ASSERT_EQUAL(commit_offset(&f, "g", "t", 0, 5), KERR_NONE);
    CU_ASSERT_EQUAL(delete_group(&f, "g"), KERR_NONE);
    kit_restart(&f);
    CU_ASSERT_FALSE(is_listed_as(&f, "streams", "Empty"));
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), -1);
    CU_ASSERT_EQUAL(described(&f).error_code, KERR_GROUP_ID_NOT_FOUND);
    CU_ASSERT_EQUAL(join(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(a.epoch, 2);
    fixture_fini(&f);
}

TEST_MAIN("streams_group", TEST(tasks_move_whenever_it_restarts),
          TEST(who_does_not_give_up_is_fenced), TEST(a_silent_member_goes),
          TEST(the_first_assignment_waits), TEST(missing_topics_are_to_be_made),
          TEST(a_name_is_one_groups), TEST(it_is_deleted_whole))
