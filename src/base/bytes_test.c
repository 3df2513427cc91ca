// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"
#include "base/mem.h"
#include "base/testing.h"

static void null_and_empty_differ(void)
{
    CU_ASSERT_FALSE(str_eq(STR_NULL, str_of("")));
    CU_ASSERT_TRUE(str_eq(STR_NULL, STR_NULL));
    CU_ASSERT_TRUE(str_compare(STR_NULL, str_of("")) < 0);
    CU_ASSERT_TRUE(str_compare(str_of("ab"), str_of("b")) < 0);
}

static void integers_are_whole_and_bounded(void)
{
    int64_t v = 0;
    CU_ASSERT_TRUE(str_to_int64(str_of("-9223372036854775808"), &v) && v == INT64_MIN);
    CU_ASSERT_TRUE(str_to_int64(str_of("+12"), &v) && v == 12);
    CU_ASSERT_FALSE(str_to_int64(str_of("9223372036854775808"), &v));
    CU_ASSERT_FALSE(str_to_int64(str_of("1x"), &v));
    CU_ASSERT_FALSE(str_to_int64(str_of("-"), &v));
    CU_ASSERT_FALSE(str_to_int64(str_of(""), &v));
}

// The expected numbers are what Java's "…".hashCode() gives.
static void hash_is_javas(void)
{
    CU_ASSERT_EQUAL(str_java_hash(str_of("")), 0);
    CU_ASSERT_EQUAL(str_java_hash(str_of("polygenelubricants")), INT32_MIN);
    CU_ASSERT_EQUAL(str_java_hash(str_of("hello")), 99162322);
    CU_ASSERT_EQUAL(str_java_hash(str_of("\xf0\x9f\x98\x80")),
                    0xd83d * 31 + 0xde00); // a surrogate pair
}

static void utf8_is_checked(void)
{
    CU_ASSERT_TRUE(str_is_utf8(str_of("Gr\xc3\xbc\xc3\x9f")));
    CU_ASSERT_FALSE(str_is_utf8(str_of("\xc3")));
    CU_ASSERT_FALSE(str_is_utf8(str_of("\xc0\x80")));         // over-long
    CU_ASSERT_FALSE(str_is_utf8(str_of("\xed\xa0\x80")));     // a lone surrogate
    CU_ASSERT_FALSE(str_is_utf8(str_of("\xf4\x90\x80\x80"))); // past U+10FFFF
}

static void trim_takes_both_ends(void)
{
    CU_ASSERT_TRUE(str_eqz(str_trim(str_of(" \ta b\r\n")), "a b"));
    char *copy = str_dup(str_trim(str_of("   ")));
    CU_ASSERT_STRING_EQUAL(copy, "");
    mem_free(copy);
}

TEST_MAIN("bytes", TEST(null_and_empty_differ), TEST(integers_are_whole_and_bounded),
          TEST(hash_is_javas), TEST(utf8_is_checked), TEST(trim_takes_both_ends))
