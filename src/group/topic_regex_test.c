// SPDX-License-Identifier: Apache-2.0
// What com.google.re2j 1.8 said of the same patterns; many more, at random, in compat-tests/group-oracle.
#include "group/topic_regex.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/testing.h"

struct refused {
    const char *pattern;
    const char *reason;
};

static void what_is_refused(void)
{
    static const struct refused cases[] = {
        { "(", "missing closing )" },
        { "a)", "regexp/syntax: internal error" },
        { "a**", "invalid nested repetition operator" },
        { "a++", "invalid nested repetition operator" },
        { "x{2}{2}", "invalid nested repetition operator" },
        { "{{2}", "invalid nested repetition operator" },
        { "*a", "missing argument to repetition operator" },
        { "\\Q\\E*", "missing argument to repetition operator" },
        { "a{1001}", "invalid repeat count" },
        { "a{2,1}", "invalid repeat count" },
        { "[a", "missing closing ]" },
        { "[]", "missing closing ]" },
        { "[b-a]", "invalid character class range" },
        { "[[:foo:]]", "invalid character class range" },
        { "\\pX", "invalid character class range" },
        { "\\", "trailing backslash at end of expression" },
        { "\\8", "invalid escape sequence" },
        { "\\1", "invalid escape sequence" },
        { "\\Z", "invalid escape sequence" },
        { "\\C", "invalid escape sequence" },
        { "[a-\\d]", "invalid escape sequence" },
        { "\\x{110000}", "invalid escape sequence" },
        { "\\xg", "invalid escape sequence" },
        { "(?=a)", "invalid or unsupported Perl syntax" },
        { "(?P=n)", "invalid or unsupported Perl syntax" },
        { "(?i", "invalid or unsupported Perl syntax" },
        { "(?i-)", "invalid or unsupported Perl syntax" },
        { "(?P<n", "invalid named capture" },
        { "(?P<a-b>a)", "invalid named capture" },
        { "(?P<n>a)(?P<n>b)", "duplicate capture group name" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *reason = "";
        CU_ASSERT_PTR_NULL(topic_regex_compile(str_of(cases[i].pattern), &reason));
        CU_ASSERT_STRING_EQUAL(reason, cases[i].reason);
    }
}

struct matched {
    const char *pattern;
    const char *yes; // names, ' ' between
    const char *no;
};

static bool matches(struct topic_regex *regex, const char *name, size_t size)
{
    return topic_regex_matches(regex, (struct str){ name, size });
}

static void each(struct topic_regex *regex, const char *names, bool expected)
{
    while (*names != '\0') {
        size_t size = strcspn(names, " ");
        CU_ASSERT_EQUAL(matches(regex, names, size), expected);
        names += size + (names[size] == ' ');
    }
}

static void what_matches(void)
{
    static const struct matched cases[] = {
        { "foo", "foo", "foox xfoo fo" },
        { "foo.*", "foo foobar foo-1", "fo xfoo" },
        { "a|b|cd", "a b cd", "ab c d" },
        { "(a|b)*c", "c abbac", "abba" },
        { "a{2,3}", "aa aaa", "a aaaa" },
        { "a{2,}", "aa aaaaa", "a" },
        { "a{0}b", "b", "ab" },
        { "a{,2}", "", "a aa" },
        { "[a-c_]+", "abc_ _", "d" },
        { "[^a-c]+", "d.-", "a da" },
        { "[]a]+", "a", "b" },
        { "\\d\\D", "1a", "11 aa" },
        { "[[:alpha:]-]+", "a-b", "1" },
        { "\\pL+\\pN", "ab1", "a" },
        { "\\P{Lu}+", "ab1-", "A" },
        { "(?i)aB", "ab AB Ab", "ac" },
        { "a(?i)b", "ab aB", "AB" },
        { "(?i:a)b", "ab Ab", "aB" },
        { "(?i)\\x{17f}\\x{212a}", "sk SK", "ab" },
        { "^a$", "a", "aa" },
        { "\\Aa\\z", "a", "b" },
        { "a\\b-b", "a-b", "ab" },
        { "a\\Bb", "ab", "a-b" },
        { "\\Qa.b\\E", "a.b", "acb" },
        { "\\x61\\142", "ab", "ba" },
        { "()*", "", "a" },
        { "(a*)*b", "b aab", "a" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *reason;
        struct topic_regex *regex = topic_regex_compile(str_of(cases[i].pattern), &reason);
        CU_ASSERT_PTR_NOT_NULL_FATAL(regex);
        each(regex, cases[i].yes, true);
        each(regex, cases[i].no, false);
        topic_regex_free(regex);
    }
}

// What would take a machine's memory or days is refused or linear.
static void hostile_patterns(void)
{
    const char *reason;
    CU_ASSERT_PTR_NULL(topic_regex_compile(str_of("((a{100}){100}){100}"), &reason));
    CU_ASSERT_STRING_EQUAL(reason, "expression is too large");
    struct strbuf deep = STRBUF_EMPTY;
    for (int i = 0; i < 20000; i++)
        strbuf_add_char(&deep, '(');
    CU_ASSERT_PTR_NULL(topic_regex_compile(strbuf_str(&deep), &reason));
    CU_ASSERT_STRING_EQUAL(reason, "expression nests too deeply");
    strbuf_fini(&deep);
    struct topic_regex *regex = topic_regex_compile(str_of("(a*)*(a|aa)*(a?){200}b"), &reason);
    CU_ASSERT_PTR_NOT_NULL_FATAL(regex);
    char name[249];
    memset(name, 'a', sizeof name);
    CU_ASSERT_FALSE(matches(regex, name, sizeof name));
    topic_regex_free(regex);
}

TEST_MAIN("topic_regex", TEST(what_is_refused), TEST(what_matches), TEST(hostile_patterns))
