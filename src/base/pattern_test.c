// SPDX-License-Identifier: Apache-2.0
#include "base/pattern.h"

#include "base/mem.h"
#include "base/testing.h"

static bool matches(const char *expression, const char *text)
{
    struct pattern *pattern = pattern_compile(str_of(expression), NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pattern);
    bool is_match = pattern_matches(pattern, str_of(text));
    pattern_free(pattern);
    return is_match;
}

static void the_whole_text_has_to_match(void)
{
    CU_ASSERT_TRUE(matches("a.*c", "abbc"));
    CU_ASSERT_FALSE(matches("b+", "abbc"));
    CU_ASSERT_TRUE(matches("", ""));
    CU_ASSERT_TRUE(matches("x|xy", "xy"));
    CU_ASSERT_TRUE(matches("caf\\p{L}", "caf\303\251"));
}

static void what_is_no_expression_is_explained(void)
{
    struct strbuf why = STRBUF_EMPTY;
    CU_ASSERT_PTR_NULL(pattern_compile(str_of("a(b"), &why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why.data, "near index 3"));
    strbuf_fini(&why);
    CU_ASSERT_PTR_NULL(pattern_compile(str_of("[z-a]"), NULL));
}

// Each would take longer than anybody waits.
static void hostile_expressions_end(void)
{
    char text[5001];
    memset(text, 'a', 5000);
    text[5000] = '\0';
    CU_ASSERT_FALSE(matches("(a+)+b", text));
    CU_ASSERT_FALSE(matches("(a|aa)+b", text));
    CU_ASSERT_FALSE(matches("(.*)*(.*)*(.*)*b", text));
}

TEST_MAIN("pattern", TEST(the_whole_text_has_to_match), TEST(what_is_no_expression_is_explained),
          TEST(hostile_expressions_end))
