// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"
#include "base/testing.h"

// Allocations of any size are aligned and do not overlap: each keeps the pattern written to it.
static void allocations_do_not_overlap(void)
{
    enum { COUNT = 2000 };
    static unsigned char *at[COUNT];
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < COUNT; i++) {
        at[i] = arena_alloc(&arena, i * 7 % 9000);
        CU_ASSERT_EQUAL((size_t)at[i] % 16, 0);
        memset(at[i], (int)(i & 255), i * 7 % 9000);
    }
    int wrong = 0;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < i * 7 % 9000; k++)
            wrong += at[i][k] != (i & 255);
    CU_ASSERT_EQUAL(wrong, 0);
    arena_fini(&arena);
}

// After a reset the same small requests need no further heap: the footprint is one block again.
static void reset_keeps_one_small_block(void)
{
    struct arena arena;
    arena_init(&arena);
    arena_alloc(&arena, 100);
    size_t small = arena_footprint(&arena);
    for (int i = 0; i < 100; i++)
        arena_alloc(&arena, 50000);
    CU_ASSERT_TRUE(arena_footprint(&arena) > 100 * 50000);
    arena_reset(&arena);
    CU_ASSERT_EQUAL(arena_footprint(&arena), small);
    void *first = arena_alloc(&arena, 10);
    arena_reset(&arena);
    CU_ASSERT_PTR_EQUAL(arena_alloc(&arena, 10), first);
    arena_fini(&arena);
}

// Moved allocations live on in their new arena.
static void move_keeps_pointers(void)
{
    struct arena a, b;
    arena_init(&a);
    arena_init(&b);
    char *kept = arena_printf(&b, "kept %d", 7);
    arena_alloc(&a, 1);
    arena_move(&a, &b);
    arena_fini(&b);
    CU_ASSERT_STRING_EQUAL(kept, "kept 7");
    arena_fini(&a);
}

TEST_MAIN("arena", TEST(allocations_do_not_overlap), TEST(reset_keeps_one_small_block),
          TEST(move_keeps_pointers))
