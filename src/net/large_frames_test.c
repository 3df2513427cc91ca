// SPDX-License-Identifier: Apache-2.0
#include "net/large_frames.h"

#include "base/clock.h"
#include "base/testing.h"
#include "net/reactor.h"

enum { LARGE = 1 << 20, SMALL = 1000, SECOND_US = 1000000 };

static int64_t now_us = SECOND_US;
static int given_back;

static int64_t tell_us(struct clock *clock)
{
    (void)clock;
    return now_us;
}

static struct clock fake = { .monotonic_us = tell_us, .wall_ms = tell_us };
static struct reactor *reactor;
static struct large_frames frames;

static void start(void)
{
    int error;
    reactor = reactor_new(0, &fake, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reactor);
    given_back = 0;
}

static void give_back(void)
{
    given_back++;
}

// The kernel wakes a reactor by its own clock; so what is due is called here.
static void pass_us(int64_t us)
{
    now_us += us;
    struct timer *timer = &frames._quiet_timer;
    if (timer_is_set(timer) && timer->deadline_us <= now_us) {
        reactor_cancel_timer(reactor, timer);
        timer->on_expired(timer);
    }
}

static void memory_stays_while_frames_come_and_goes_once_when_none_do(void)
{
    start();
    large_frames_init(&frames, give_back);
    large_frames_note(&frames, reactor, LARGE);
    for (int i = 0; i < 10; i++) {
        pass_us(SECOND_US - 1);
        large_frames_note(&frames, reactor, LARGE);
    }
    CU_ASSERT_EQUAL(given_back, 0);
    pass_us(2 * SECOND_US); // some came since the timer was set
    CU_ASSERT_EQUAL(given_back, 0);
    pass_us(SECOND_US);
    CU_ASSERT_EQUAL(given_back, 1);
    CU_ASSERT_FALSE(timer_is_set(&frames._quiet_timer));
    large_frames_note(&frames, reactor, LARGE);
    CU_ASSERT_TRUE(timer_is_set(&frames._quiet_timer));
    reactor_free(reactor);
}

static void small_frames_set_no_timer(void)
{
    start();
    large_frames_init(&frames, give_back);
    large_frames_note(&frames, reactor, SMALL);
    CU_ASSERT_FALSE(timer_is_set(&frames._quiet_timer));
    reactor_free(reactor);
}

TEST_MAIN("large_frames", TEST(memory_stays_while_frames_come_and_goes_once_when_none_do),
          TEST(small_frames_set_no_timer))
