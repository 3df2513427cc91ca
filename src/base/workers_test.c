// SPDX-License-Identifier: Apache-2.0
#include "base/workers.h"

#include <pthread.h>

#include "base/must.h"
#include "base/testing.h"

enum { PIECES = 500, THREADS = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int done, together;

struct piece {
    struct work work;
    int runs;
};

static void run_piece(struct work *work)
{
    struct piece *piece = container_of(work, struct piece, work);
    pthread_mutex_lock(&lock);
    piece->runs++;
    done++;
    pthread_mutex_unlock(&lock);
}

static void all_is_run_once_before_the_end(void)
{
    static struct piece pieces[PIECES];
    struct workers *workers = workers_new("test", THREADS);
    for (int i = 0; i < PIECES; i++) {
        pieces[i].work.run = run_piece;
        workers_submit(workers, &pieces[i].work);
    }
    workers_free(workers);
    CU_ASSERT_EQUAL(done, PIECES);
    for (int i = 0; i < PIECES; i++)
        CU_ASSERT_EQUAL(pieces[i].runs, 1);
}

// Returns only when so many are at work together: a thread for each.
static void run_together(struct work *work)
{
    (void)work;
    pthread_mutex_lock(&lock);
    together++;
    pthread_cond_broadcast(&changed);
    while (together < THREADS)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void work_that_waits_does_not_keep_other_work_from_beginning(void)
{
    struct piece pieces[THREADS] = { 0 };
    struct workers *workers = workers_new("test", THREADS);
    for (int i = 0; i < THREADS; i++) {
        pieces[i].work.run = run_together;
        workers_submit(workers, &pieces[i].work);
    }
    workers_free(workers);
    CU_ASSERT_EQUAL(together, THREADS);
}

static struct workers *chain;

static void run_again(struct work *work)
{
    struct piece *piece = container_of(work, struct piece, work);
    if (++piece->runs < 3)
        workers_submit(chain, work);
}

static void work_may_submit_itself_also_at_the_end(void)
{
    for (int threads = 0; threads <= 1; threads++) {
        struct piece piece = { .work.run = run_again };
        chain = workers_new("test", threads);
        workers_submit(chain, &piece.work);
        workers_free(chain);
        CU_ASSERT_EQUAL(piece.runs, 3);
    }
}

static void without_threads_it_waits_to_be_run(void)
{
    struct piece piece = { .work.run = run_piece };
    struct workers *workers = workers_new("test", 0);
    workers_submit(workers, &piece.work);
    CU_ASSERT_EQUAL(piece.runs, 0);
    workers_run(workers);
    CU_ASSERT_EQUAL(piece.runs, 1);
    workers_run(workers);
    CU_ASSERT_EQUAL(piece.runs, 1);
    workers_free(workers);
}

static void workers_without_work_are_no_threads(void)
{
    workers_free(workers_new("test", THREADS));
    workers_free(NULL);
}

TEST_MAIN("workers", TEST(all_is_run_once_before_the_end),
          TEST(work_that_waits_does_not_keep_other_work_from_beginning),
          TEST(workers_without_work_are_no_threads), TEST(work_may_submit_itself_also_at_the_end),
          TEST(without_threads_it_waits_to_be_run))
