// SPDX-License-Identifier: Apache-2.0
// Subscriptions by expression: resolved in the background, again when topics come, not after the group is gone.
#include "group/consumer/consumer_regex.h"

#include "group/testing_groups.h"

static void begin(struct fixture *f, struct consumer *a)
{
    fixture_init(f, NULL);
    fixture_setting(f, "group.consumer.assignment.interval.ms", "0");
    fixture_topic(f, "ta", 2);
    fixture_topic(f, "x", 3);
    consumer_init(a, "g", "member-a", NULL);
    a->regex = str_of("t.*");
}

static void resolved_in_the_background(void)
{
    struct fixture f;
    struct consumer a;
    begin(&f, &a);
    CU_ASSERT_EQUAL(consumer_beat(&f, &a), KERR_NONE);
    CU_ASSERT(a.epoch == 1 && consumer_load(&a) == 0);
    group_coordinator_run(f.groups);
    CU_ASSERT_EQUAL(consumer_beat(&f, &a), KERR_NONE);
    CU_ASSERT(a.epoch == 2 && consumer_load(&a) == 2);
    fixture_fini(&f);
}

// A new topic that matches is found when ten seconds have passed since the last look; after a restart, too.
static void a_new_topic(void)
{
    struct fixture f;
    struct consumer a;
    begin(&f, &a);
    consumer_beat(&f, &a);
    group_coordinator_run(f.groups);
    consumer_beat(&f, &a);
    fixture_restart(&f);
    fixture_topic(&f, "ta", 2);
    topic_index_put(group_coordinator_topics(f.groups), (struct uuid){ { 9 } }, str_of("tb"), 3, 5,
                    20);
    consumer_beat(&f, &a);
    group_coordinator_run(f.groups);
    consumer_beat(&f, &a);
    CU_ASSERT_EQUAL(consumer_load(&a), 2);
    testing_advance(&f.log, 10001);
    consumer_beat(&f, &a);
    group_coordinator_run(f.groups);
    consumer_beat(&f, &a);
    consumer_beat(&f, &a);
    CU_ASSERT_EQUAL(consumer_load(&a), 5);
    fixture_fini(&f);
}

static void the_group_is_gone_meanwhile(void)
{
    struct fixture f;
    struct consumer a;
    begin(&f, &a);
    consumer_beat(&f, &a);
    CU_ASSERT_EQUAL(consumer_leave(&f, &a), KERR_NONE);
    CU_ASSERT_EQUAL(delete_group(&f, "g"), KERR_NONE);
    group_coordinator_run(f.groups);
    CU_ASSERT_EQUAL(consumer_described(&f, "g").error_code, KERR_GROUP_ID_NOT_FOUND);
    consumer_init(&a, "h", "member-a", NULL);
    a.regex = str_of("t.*");
    consumer_beat(&f, &a); // and work that nobody runs any more is dropped
    fixture_fini(&f);
}

static void not_an_expression(void)
{
    struct fixture f;
    struct consumer a;
    begin(&f, &a);
    a.regex = str_of("t(");
    CU_ASSERT_EQUAL(consumer_beat(&f, &a), KERR_INVALID_REGULAR_EXPRESSION);
    CU_ASSERT(
        str_eqz(a.response.error_message,
                "SubscribedTopicRegex `t(` is not a valid regular expression: missing closing )."));
    CU_ASSERT_EQUAL(consumer_described(&f, "g").error_code, KERR_GROUP_ID_NOT_FOUND);
    fixture_fini(&f);
}

TEST_MAIN("consumer_regex", TEST(resolved_in_the_background), TEST(a_new_topic),
          TEST(the_group_is_gone_meanwhile), TEST(not_an_expression))
