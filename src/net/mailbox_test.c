// SPDX-License-Identifier: Apache-2.0
#include "net/mailbox.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/testing.h"

enum { POSTS = 20000, THREADS = 3, LIVES = 1000 };

struct note {
    struct message message;
    int number;
    struct mailbox *again; // post it once more when delivered
};

static int delivered[POSTS * THREADS];
static int delivered_count;

static void on_note(struct message *message)
{
    struct note *note = container_of(message, struct note, message);
    delivered[delivered_count++] = note->number;
    if (note->again != NULL) {
        struct mailbox *mailbox = note->again;
        note->again = NULL;
        mailbox_post(mailbox, message);
    }
}

static bool is_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return poll(&p, 1, 0) == 1;
}

static void messages_arrive_in_order_and_one_wake_up_serves_them_all(void)
{
    struct mailbox mailbox;
    CU_ASSERT_EQUAL_FATAL(mailbox_init(&mailbox), 0);
    struct note notes[3] = { { { NULL, on_note }, 1, NULL },
                             { { NULL, on_note }, 2, NULL },
                             { { NULL, on_note }, 3, NULL } };
    CU_ASSERT_FALSE(is_readable(mailbox.fd));
    for (int i = 0; i < 3; i++)
        mailbox_post(&mailbox, &notes[i].message);
    CU_ASSERT_TRUE(is_readable(mailbox.fd));
    delivered_count = 0;
    mailbox_drain(&mailbox);
    CU_ASSERT_EQUAL(delivered_count, 3);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(delivered[i], i + 1);
    CU_ASSERT_FALSE(is_readable(mailbox.fd));
    mailbox_fini(&mailbox);
}

static void what_a_delivery_posts_waits_for_the_next_turn(void)
{
    struct mailbox mailbox;
    CU_ASSERT_EQUAL_FATAL(mailbox_init(&mailbox), 0);
    struct note note = { { NULL, on_note }, 7, &mailbox };
    mailbox_post(&mailbox, &note.message);
    delivered_count = 0;
    mailbox_drain(&mailbox);
    CU_ASSERT_EQUAL(delivered_count, 1);
    CU_ASSERT_TRUE(is_readable(mailbox.fd));
    mailbox_drain(&mailbox);
    CU_ASSERT_EQUAL(delivered_count, 2);
    mailbox_fini(&mailbox);
}

struct poster {
    struct mailbox *mailbox;
    struct note *notes;
};

static void *post_all(void *arg)
{
    struct poster *poster = arg;
    for (int i = 0; i < POSTS; i++)
        mailbox_post(poster->mailbox, &poster->notes[i].message);
    return NULL;
}

static void nothing_is_lost_between_threads(void)
{
    struct mailbox mailbox;
    CU_ASSERT_EQUAL_FATAL(mailbox_init(&mailbox), 0);
    static struct note notes[THREADS][POSTS];
    struct poster posters[THREADS];
    pthread_t threads[THREADS];
    delivered_count = 0;
    for (int t = 0; t < THREADS; t++) {
        for (int i = 0; i < POSTS; i++)
            notes[t][i] = (struct note){ { NULL, on_note }, t * POSTS + i, NULL };
        posters[t] = (struct poster){ &mailbox, notes[t] };
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[t], NULL, post_all, &posters[t]), 0);
    }
    // Sleeps in poll as a reactor does: a lost wake-up would be the end of this test.
    while (delivered_count < POSTS * THREADS) {
        struct pollfd p = { .fd = mailbox.fd, .events = POLLIN };
        CU_ASSERT_EQUAL_FATAL(poll(&p, 1, 60000), 1);
        mailbox_drain(&mailbox);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    int next[THREADS] = { 0 };
    bool in_order = true;
    for (int i = 0; i < delivered_count; i++) {
        int t = delivered[i] / POSTS;
        in_order &= delivered[i] % POSTS == next[t]++;
    }
    CU_ASSERT_TRUE(in_order);
    mailbox_fini(&mailbox);
}

static _Atomic(struct mailbox *) living;

static void *post_to_each_life(void *arg)
{
    struct note *note = arg;
    for (int i = 0; i < LIVES; i++) {
        struct mailbox *mailbox;
        while ((mailbox = atomic_exchange(&living, NULL)) == NULL)
            sched_yield();
        mailbox_post(mailbox, &note->message);
    }
    return NULL;
}

static void a_mailbox_may_end_once_the_last_message_was_delivered(void)
{
    struct note note = { { NULL, on_note }, 1, NULL };
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, post_to_each_life, &note), 0);
    for (int i = 0; i < LIVES; i++) {
        struct mailbox mailbox;
        CU_ASSERT_EQUAL_FATAL(mailbox_init(&mailbox), 0);
        delivered_count = 0;
        atomic_store(&living, &mailbox);
        while (delivered_count == 0) // as a reactor that is awake for another reason
            mailbox_drain(&mailbox);
        mailbox_fini(&mailbox);
    }
    pthread_join(thread, NULL);
}

TEST_MAIN("mailbox", TEST(messages_arrive_in_order_and_one_wake_up_serves_them_all),
          TEST(what_a_delivery_posts_waits_for_the_next_turn),
          TEST(nothing_is_lost_between_threads),
          TEST(a_mailbox_may_end_once_the_last_message_was_delivered))
