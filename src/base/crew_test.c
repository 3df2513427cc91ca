// SPDX-License-Identifier: Apache-2.0
#include "base/crew.h"

#include <stdatomic.h>

#include "base/testing.h"

enum { PIECES = 1000 };

static void count_piece(void *arg, size_t piece)
{
    atomic_fetch_add(&((atomic_int *)arg)[piece], 1);
}

static void every_piece_is_done_once(void)
{
    static const int threads[] = { 0, 1, 2, 7, CREW_THREADS_MAX, 1000 };
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        for (size_t count = 0; count <= PIECES; count = count * 10 + 1) {
            atomic_int done[PIECES] = { 0 };
            crew_run(threads[t], count, count_piece, done);
            for (size_t i = 0; i < PIECES; i++)
                CU_ASSERT_EQUAL(atomic_load(&done[i]), i < count ? 1 : 0);
        }
    }
}

TEST_MAIN("crew", TEST(every_piece_is_done_once))
