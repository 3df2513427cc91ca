// SPDX-License-Identifier: Apache-2.0
#include "net/passing_memory.h"

#include "base/clock.h"
#include "base/testing.h"
#include "net/reactor.h"

enum { MUCH = 1 << 20, LITTLE = 1000, SECOND_US = 1000000 };

static int64_t now_us = SECOND_US;
static int given_back;

static int64_t tell_us(struct clock *clock)
{
    (void)clock;
    return now_us;
}

static struct clock fake = { .monotonic_us = tell_us, .wall_ms = tell_us };
static struct reactor *reactor;
static struct passing_memory memory;

static void give_back(void)
{
    given_back++;
}

static void start(void)
{
    int error;
    reactor = reactor_new(0, &fake, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reactor);
    given_back = 0;
    passing_memory_init(&memory, give_back);
}

// The kernel wakes a reactor by its own clock; so what is due is called here.
static void pass_us(int64_t us)
{
    now_us += us;
    struct timer *timer = &memory._quiet_timer;
    if (timer_is_set(timer) && timer->deadline_us <= now_us) {
        reactor_cancel_timer(reactor, timer);
        timer->on_expired(timer);
    }
}

static void it_stays_while_much_comes_and_goes_once_when_little_does(void)
{
    start();
    for (int i = 0; i < 10; i++) {
        passing_memory_note(&memory, reactor, MUCH);
        pass_us(SECOND_US);
    }
    CU_ASSERT_EQUAL(given_back, 0);
    passing_memory_note(&memory, reactor, LITTLE);
    pass_us(SECOND_US);
    CU_ASSERT_EQUAL(given_back, 1);
    CU_ASSERT_FALSE(timer_is_set(&memory._quiet_timer));
    passing_memory_note(&memory, reactor, LITTLE);
    CU_ASSERT_FALSE(timer_is_set(&memory._quiet_timer));
    passing_memory_note(&memory, reactor, MUCH);
    CU_ASSERT_TRUE(timer_is_set(&memory._quiet_timer));
    reactor_free(reactor);
}

static void little_by_little_becomes_much(void)
{
    start();
    for (int i = 0; i < MUCH / LITTLE; i++) {
        passing_memory_note(&memory, reactor, LITTLE);
        CU_ASSERT_FALSE(timer_is_set(&memory._quiet_timer));
    }
    passing_memory_note(&memory, reactor, LITTLE);
    CU_ASSERT_TRUE(timer_is_set(&memory._quiet_timer));
    pass_us(SECOND_US);
    CU_ASSERT_EQUAL(given_back, 1);
    reactor_free(reactor);
}

TEST_MAIN("passing_memory", TEST(it_stays_while_much_comes_and_goes_once_when_little_does),
          TEST(little_by_little_becomes_much))
