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

TEST_MAIN("mem", TEST(what_is_printed_may_have_any_length))
