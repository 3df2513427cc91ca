// SPDX-License-Identifier: Apache-2.0
#include "net/reactor.h"

#include <semaphore.h>
#include <sys/socket.h>

#include "base/clock_posix.h"
#include "base/testing.h"

static struct reactor *make(void)
{
    int error;
    struct reactor *reactor = reactor_new(0, clock_posix(), &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reactor);
    return reactor;
}

static char story[64];

static void tell(char c)
{
    size_t size = strlen(story);
    if (size + 1 < sizeof story) {
        story[size] = c;
        story[size + 1] = '\0';
    }
}

static void on_timer_a(struct timer *timer)
{
    (void)timer;
    tell('a');
}

static void on_timer_b(struct timer *timer)
{
    (void)timer;
    tell('b');
}

static void turn_until(struct reactor *reactor, const char *wanted)
{
    for (int i = 0; i < 1000 && strcmp(story, wanted) != 0; i++)
        reactor_turn(reactor, clock_monotonic_us(clock_posix()) + 100000);
}

static void timers_fire_by_deadline_and_cancelled_ones_do_not(void)
{
    struct reactor *reactor = make();
    struct timer a, b, c;
    timer_init(&a, on_timer_a);
    timer_init(&b, on_timer_b);
    timer_init(&c, on_timer_b);
    story[0] = '\0';
    int64_t now_us = reactor_now_us(reactor);
    reactor_set_timer(reactor, &b, now_us + 3000);
    reactor_set_timer(reactor, &c, now_us + 1500);
    reactor_set_timer(reactor, &a, now_us + 1000); // earlier than what the kernel was told
    reactor_cancel_timer(reactor, &c);
    turn_until(reactor, "ab");
    CU_ASSERT_STRING_EQUAL(story, "ab");
    CU_ASSERT_TRUE(reactor_now_us(reactor) >= now_us + 3000);
    reactor_free(reactor);
}

static struct reactor_after after;
static struct reactor *after_reactor;

static void on_after(struct reactor_after *a)
{
    (void)a;
    tell('.');
}

static void on_message_that_asks(struct message *message)
{
    (void)message;
    tell('m');
    reactor_after(after_reactor, &after);
}

static void what_is_asked_for_after_a_batch_runs_once(void)
{
    struct reactor *reactor = after_reactor = make();
    reactor_after_init(&after, on_after);
    story[0] = '\0';
    struct message one = { .deliver = on_message_that_asks },
                   two = { .deliver = on_message_that_asks };
    reactor_post(reactor, &one);
    reactor_post(reactor, &two);
    turn_until(reactor, "mm.");
    CU_ASSERT_STRING_EQUAL(story, "mm.");
    reactor_free(reactor);
}

static int sockets[2];

static void on_socket(struct watch *watch, bool readable, bool writable)
{
    char byte;
    if (readable && recv(watch->fd, &byte, 1, MSG_DONTWAIT) == 1)
        tell(byte);
    if (writable) {
        tell('w');
        watch_want(watch, true, false);
    }
}

static void a_watch_tells_what_it_was_asked_for(void)
{
    struct reactor *reactor = make();
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    struct watch watch;
    watch_open(&watch, reactor, sockets[0], on_socket);
    story[0] = '\0';
    CU_ASSERT_EQUAL(send(sockets[1], "xy", 2, 0), 2);
    reactor_turn(reactor, 0);
    CU_ASSERT_STRING_EQUAL(story, ""); // wants nothing yet
    watch_want(&watch, true, false);
    turn_until(reactor, "xy"); // level-triggered: what was not read is told again
    CU_ASSERT_STRING_EQUAL(story, "xy");
    watch_want(&watch, true, true);
    turn_until(reactor, "xyw");
    CU_ASSERT_STRING_EQUAL(story, "xyw");
    watch_close(&watch);
    watch_close(&watch);
    close(sockets[1]);
    reactor_free(reactor);
}

static sem_t done;
static bool was_current;
static struct reactor *threaded;

static void on_far_message(struct message *message)
{
    (void)message;
    was_current = reactor_is_current(threaded);
    sem_post(&done);
}

static void a_thread_sleeps_until_it_gets_a_message(void)
{
    threaded = make();
    sem_init(&done, 0, 0);
    CU_ASSERT_EQUAL_FATAL(reactor_start(threaded), 0);
    struct message message = { .deliver = on_far_message };
    reactor_post(threaded, &message);
    sem_wait(&done);
    CU_ASSERT_TRUE(was_current);
    CU_ASSERT_FALSE(reactor_is_current(threaded));
    reactor_stop(threaded);
    reactor_free(threaded);
    sem_destroy(&done);
}

static void the_read_block_is_used_again_when_nobody_else_has_it(void)
{
    struct reactor *reactor = make();
    struct buf *block = reactor_read_block(reactor);
    CU_ASSERT_EQUAL(block->capacity, REACTOR_READ_SIZE);
    CU_ASSERT_PTR_EQUAL(reactor_read_block(reactor), block);
    struct buf *kept = buf_ref(block);
    struct buf *other = reactor_read_block(reactor);
    CU_ASSERT_PTR_NOT_EQUAL(other, block);
    buf_unref(kept);
    CU_ASSERT_PTR_EQUAL(reactor_read_block(reactor), other);
    reactor_free(reactor);
}

TEST_MAIN("reactor", TEST(timers_fire_by_deadline_and_cancelled_ones_do_not),
          TEST(what_is_asked_for_after_a_batch_runs_once),
          TEST(a_watch_tells_what_it_was_asked_for), TEST(a_thread_sleeps_until_it_gets_a_message),
          TEST(the_read_block_is_used_again_when_nobody_else_has_it))
