// SPDX-License-Identifier: Apache-2.0
#include "base/strbuf.h"
#include "base/testing.h"

static void grows_and_stays_ended(void)
{
    struct strbuf s = STRBUF_EMPTY;
    CU_ASSERT_EQUAL(strbuf_str(&s).size, 0);
    for (int i = 0; i < 1000; i++)
        strbuf_printf(&s, "%d,", i);
    CU_ASSERT_EQUAL(s.size, 3890);
    CU_ASSERT_EQUAL(strlen(s.data), s.size);
    strbuf_add_char(&s, '!');
    CU_ASSERT_STRING_EQUAL(s.data + s.size - 5, "999,!");
    strbuf_fini(&s);
}

TEST_MAIN("strbuf", TEST(grows_and_stays_ended))
