// SPDX-License-Identifier: Apache-2.0
// Each case of two ranges, and random lists against one answer per offset.
#include "share_coordinator/share_batches.h"

#include "base/testing.h"

// Two ranges and what they say together: (first, last, delivery count, state).
static const struct {
    int64_t start_offset;
    struct share_batch so_far, newer, wanted[3];
    size_t wanted_count;
} pairs[] = {
    // the same range, a higher state
    { -1, { 100, 110, 1, 0 }, { 100, 110, 1, 2 }, { { 100, 110, 1, 2 } }, 1 },
    // neighbours that say the same, and others
    { -1, { 100, 110, 1, 0 }, { 111, 119, 1, 0 }, { { 100, 119, 1, 0 } }, 1 },
    { -1, { 100, 110, 1, 0 }, { 112, 119, 1, 0 }, { { 100, 110, 1, 0 }, { 112, 119, 1, 0 } }, 2 },
    // the newer one begins inside
    { -1, { 100, 110, 1, 0 }, { 105, 119, 2, 0 }, { { 100, 104, 1, 0 }, { 105, 119, 2, 0 } }, 2 },
    { -1, { 100, 110, 3, 0 }, { 105, 119, 2, 0 }, { { 100, 110, 3, 0 }, { 111, 119, 2, 0 } }, 2 },
    // within
    { -1,
      { 100, 130, 1, 0 },
      { 105, 119, 1, 2 },
      { { 100, 104, 1, 0 }, { 105, 119, 1, 2 }, { 120, 130, 1, 0 } },
      3 },
    { -1, { 100, 130, 2, 2 }, { 105, 119, 1, 0 }, { { 100, 130, 2, 2 } }, 1 },
    // the same first offset
    { -1, { 100, 110, 2, 0 }, { 100, 119, 1, 0 }, { { 100, 110, 2, 0 }, { 111, 119, 1, 0 } }, 2 },
    // what lies below the start is gone
    { 105, { 100, 110, 2, 0 }, { 90, 104, 1, 0 }, { { 105, 110, 2, 0 } }, 1 },
};

static void two_ranges_are_combined_as_kafka_does(void)
{
    for (size_t c = 0; c < sizeof pairs / sizeof *pairs; c++) {
        struct share_batches got = SHARE_BATCHES_EMPTY;
        share_batches_combine(&got, &pairs[c].so_far, 1, &pairs[c].newer, 1, pairs[c].start_offset);
        CU_ASSERT_EQUAL_FATAL(got.count, pairs[c].wanted_count);
        for (size_t i = 0; i < got.count; i++) {
            CU_ASSERT_EQUAL(got.items[i].first_offset, pairs[c].wanted[i].first_offset);
            CU_ASSERT_EQUAL(got.items[i].last_offset, pairs[c].wanted[i].last_offset);
            CU_ASSERT_EQUAL(got.items[i].delivery_count, pairs[c].wanted[i].delivery_count);
            CU_ASSERT_EQUAL(got.items[i].state, pairs[c].wanted[i].state);
        }
        share_batches_fini(&got);
    }
}

enum { OFFSETS = 40, LIST = 8 };

struct answer {
    int16_t count;
    int8_t state;
};

static void say(struct answer *answers, const struct share_batch *batch)
{
    for (int64_t o = batch->first_offset; o <= batch->last_offset; o++) {
        struct answer *a = &answers[o];
        if (batch->delivery_count > a->count ||
            (batch->delivery_count == a->count && batch->state > a->state))
            *a = (struct answer){ batch->delivery_count, batch->state };
    }
}

static void random_lists_say_the_same_for_each_offset(void)
{
    srand(7);
    for (int round = 0; round < 20000; round++) {
        struct share_batch lists[2][LIST];
        struct answer wanted[OFFSETS], said[OFFSETS];
        for (int o = 0; o < OFFSETS; o++)
            wanted[o] = said[o] = (struct answer){ -1, -1 };
        for (int i = 0; i < 2 * LIST; i++) {
            int64_t first = rand() % OFFSETS, last = first + rand() % (OFFSETS - first);
            lists[i / LIST][i % LIST] = (struct share_batch){ first, last, (int16_t)(rand() % 3),
                                                              (int8_t)(rand() % 2 * 2) };
            say(wanted, &lists[i / LIST][i % LIST]);
        }
        struct share_batches got = SHARE_BATCHES_EMPTY;
        share_batches_combine(&got, lists[0], LIST, lists[1], LIST, -1);
        for (size_t i = 0; i < got.count; i++) {
            const struct share_batch *b = &got.items[i];
            say(said, b);
            if (i > 0)
                CU_ASSERT_FATAL(b->first_offset > b[-1].last_offset);
        }
        CU_ASSERT_FATAL(memcmp(wanted, said, sizeof wanted) == 0);
        share_batches_fini(&got);
    }
}

TEST_MAIN("share_batches", TEST(two_ranges_are_combined_as_kafka_does),
          TEST(random_lists_say_the_same_for_each_offset))
