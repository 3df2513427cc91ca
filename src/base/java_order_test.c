// SPDX-License-Identifier: Apache-2.0
// What jshell 17 printed for the same sets.
#include "base/java_order.h"

#include "base/testing.h"

// new HashSet<>(List.of(33, 1, 17, 2, 16)) gives 16, 33, 1, 17, 2: buckets of 16, insertion within.
static void ints_in_sixteen_buckets(void)
{
    struct arena arena;
    arena_init(&arena);
    int32_t values[] = { 33, 1, 17, 2, 16 };
    java_order_ints(values, 5, java_buckets_copied(5), &arena);
    int32_t expected[] = { 16, 33, 1, 17, 2 };
    CU_ASSERT_EQUAL(memcmp(values, expected, sizeof values), 0);
    arena_fini(&arena);
}

// tableSizeFor and the growth at three quarters.
static void sizes_of_tables(void)
{
    CU_ASSERT_EQUAL(java_buckets_grown(12), 16);
    CU_ASSERT_EQUAL(java_buckets_grown(13), 32);
    CU_ASSERT_EQUAL(java_buckets_copied(12), 32); // (int) (12 / .75f) + 1 = 17
    CU_ASSERT_EQUAL(java_buckets_copied(11), 16);
    CU_ASSERT_EQUAL(java_buckets_sized(3), 4);
    CU_ASSERT_EQUAL(java_buckets_after(4, 4), 8);
    CU_ASSERT_EQUAL(java_buckets_after(1, 1), 2);
    CU_ASSERT_EQUAL(java_buckets_after(2, 1), 2);
}

// Set.of("a", …) as HashSet: a=97 … lie in buckets 1 …; "Aa" and "BB" have one hash and keep their order.
static void texts(void)
{
    struct arena arena;
    arena_init(&arena);
    struct str texts_[] = { str_of("BB"), str_of("a"), str_of("Aa") };
    size_t *order = java_order_texts(texts_, 3, 16, &arena);
    CU_ASSERT(order[0] == 0 && order[1] == 2 && order[2] == 1);
    arena_fini(&arena);
}

TEST_MAIN("java_order", TEST(ints_in_sixteen_buckets), TEST(sizes_of_tables), TEST(texts))
