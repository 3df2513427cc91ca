// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include "base/testing.h"

static void what_is_printed_may_have_any_length(void)
{
    static const int lengths[] = { 0, 1, 255, 256, 257, 10000 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *text = mem_printf("%*s", lengths[i], "");
        CU_ASSERT_EQUAL(strlen(text), (size_t)lengths[i]);
        CU_ASSERT_EQUAL(strspn(text, " "), (size_t)lengths[i]);
        mem_free(text);
    }
}

#ifndef __SANITIZE_ADDRESS__ // whose heap keeps what is freed

enum { FRAMES = 8, FRAME_SIZE = 900 << 10, PAGE_SIZE = 4096 };

static long resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    long pages = 0;
    CU_ASSERT_EQUAL(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * PAGE_SIZE;
}

// As of requests of 900 KiB that were there at once: more than the C library would keep by itself.
static void freed_frames_stay_until_they_are_given_back(void)
{
    mem_set_up_heaps();
    long before = resident_bytes();
    void *frames[FRAMES];
    for (int i = 0; i < FRAMES; i++)
        frames[i] = memset(mem_alloc(FRAME_SIZE), 1, FRAME_SIZE);
    for (int i = 0; i < FRAMES; i++)
        mem_free(frames[i]);
    CU_ASSERT_TRUE(resident_bytes() - before > (FRAMES - 1) * FRAME_SIZE);
    mem_give_back();
    CU_ASSERT_TRUE(resident_bytes() - before < FRAME_SIZE);
}

// The heap's end is short after it was given back: a larger piece must not go past the heap for good.
static void what_unpacking_took_stays_too(void)
{
    enum { STATE_SIZE = 2500 << 10 };
    mem_set_up_heaps();
    mem_give_back();
    long before = resident_bytes();
    mem_free(memset(mem_alloc(STATE_SIZE), 1, STATE_SIZE));
    CU_ASSERT_TRUE(resident_bytes() - before > STATE_SIZE / 2);
    mem_give_back();
    CU_ASSERT_TRUE(resident_bytes() - before < STATE_SIZE / 2);
}

TEST_MAIN("mem", TEST(what_is_printed_may_have_any_length),
          TEST(freed_frames_stay_until_they_are_given_back), TEST(what_unpacking_took_stays_too))

#else

TEST_MAIN("mem", TEST(what_is_printed_may_have_any_length))

#endif
