// SPDX-License-Identifier: Apache-2.0
#include "base/timers.h"
#include "base/alarm.h"
#include "base/list.h"
#include "base/testing.h"

enum { COUNT = 500 };

static struct timers timers;
static struct timer all[COUNT];
static int64_t fired[COUNT * 2];
static int fired_count;

static void note(struct timer *timer)
{
    fired[fired_count++] = timer->deadline_us;
}

// Whatever was set, moved and cancelled, the rest fires once each, in order, and only when due.
static void fire_in_order(void)
{
    timers_init(&timers);
    fired_count = 0;
    uint32_t random = 99;
    for (int i = 0; i < COUNT; i++)
        timer_init(&all[i], note);
    for (int step = 0; step < 5000; step++) {
        random = random * 1664525 + 1013904223;
        struct timer *t = &all[(random >> 8) % COUNT];
        if (random >> 30 == 0)
            timer_cancel(&timers, t);
        else
            timer_set(&timers, t, (random >> 5) % 1000);
    }
    int due = 0, set = (int)timers.count;
    for (int i = 0; i < COUNT; i++)
        due += timer_is_set(&all[i]) && all[i].deadline_us <= 500;
    timers_run(&timers, 500);
    CU_ASSERT_EQUAL(fired_count, due);
    CU_ASSERT_TRUE(timers_next_us(&timers) > 500);
    timers_run(&timers, 1000);
    CU_ASSERT_EQUAL(fired_count, set);
    for (int i = 1; i < fired_count; i++)
        CU_ASSERT_TRUE(fired[i - 1] <= fired[i]);
    CU_ASSERT_EQUAL(timers_next_us(&timers), INT64_MAX);
    timers_fini(&timers);
}

static void set_again(struct timer *timer)
{
    note(timer);
    timer_set(&timers, timer, timer->deadline_us);
}

// A timer that sets itself for the same moment fires once a run, so that a run ends.
static void a_timer_may_set_itself(void)
{
    timers_init(&timers);
    fired_count = 0;
    timer_init(&all[0], set_again);
    timer_set(&timers, &all[0], 5);
    timers_run(&timers, 10);
    CU_ASSERT_EQUAL(fired_count, 1);
    timers_run(&timers, 10);
    CU_ASSERT_EQUAL(fired_count, 2);
    timer_cancel(&timers, &all[0]);
    timers_fini(&timers);
}

static int earlier_calls;

static void on_earlier(void *driver)
{
    (void)driver;
    earlier_calls++;
}

static void ring(void *owner)
{
    ++*(int *)owner;
}

// The driver is told only when the earliest moves forward.
static void alarms_wake_their_driver(void)
{
    struct alarms alarms;
    struct alarm a, b;
    int rung = 0;
    alarms_init(&alarms, on_earlier, NULL);
    alarm_init(&a, ring, &rung);
    alarm_init(&b, ring, &rung);
    alarm_set(&alarms, &a, 100);
    alarm_set(&alarms, &b, 200);
    CU_ASSERT_EQUAL(earlier_calls, 1);
    alarm_set(&alarms, &b, 50);
    CU_ASSERT_EQUAL(earlier_calls, 2);
    alarms_run(&alarms, 60);
    CU_ASSERT_EQUAL(rung, 1);
    alarm_set(&alarms, &a, INT64_MAX);
    CU_ASSERT_EQUAL(alarms_next_us(&alarms), INT64_MAX);
    alarms_fini(&alarms);
}

TEST_MAIN("timers", TEST(fire_in_order), TEST(a_timer_may_set_itself),
          TEST(alarms_wake_their_driver))
