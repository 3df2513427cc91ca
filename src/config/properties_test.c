// SPDX-License-Identifier: Apache-2.0
// What java.util.Properties makes of a file; the expected lines were printed by Java 17 for the same
// bytes.
#include "config/properties.h"

#include "base/testing.h"

// "name=value|name=value", or "! message".
static const char *read_all(struct str text)
{
    static char shown[1024];
    struct properties p = PROPERTIES_EMPTY;
    struct strbuf message = STRBUF_EMPTY;
    size_t size = 0;
    shown[0] = '\0';
    if (!properties_parse(&p, text, &message))
        snprintf(shown, sizeof shown, "! %s", message.data);
    else
        for (size_t i = 0; i < p.count; i++)
            size += (size_t)snprintf(shown + size, sizeof shown - size, "%s%s=%s", i > 0 ? "|" : "",
                                     p.items[i].name, p.items[i].value);
    strbuf_fini(&message);
    properties_fini(&p);
    return shown;
}

#define READS(text, expected) CU_ASSERT_STRING_EQUAL(read_all(str_of(text)), expected)

static void a_line_is_split_at_its_first_separator(void)
{
    READS("a=1", "a=1");
    READS("a:1", "a=1");
    READS("a 1", "a=1");
    READS("a\t=  1 ", "a=1 ");
    READS("a = b = c", "a=b = c");
    READS("a  : = c", "a== c");
    READS("a", "a=");
    READS("=x", "=x");
    READS("a\\ b\\=c\\:d=1", "a b=c:d=1");
}

static void comments_and_blank_lines_do_not_count(void)
{
    READS("", "");
    READS("# a=1\n! b=2\n\n   \n  # c\nd=4", "d=4");
    READS("#a\\\nb=1", "b=1"); // a comment does not go on
    READS("a=1 # no comment", "a=1 # no comment");
}

static void a_backslash_at_the_end_goes_on(void)
{
    READS("a=1,\\\n   2,\\\r\n\t3\nb=4", "a=1,2,3|b=4");
    READS("a=1\\\\\nb=2", "a=1\\|b=2"); // an escaped backslash ends the line
    READS("a=1\\\n\nb=2", "a=1|b=2");
    READS("a=1\\\n#x", "a=1#x");
    READS("\\\n#x\na=1", "a=1");
    READS("a=1\\", "a=1");
    READS("a\\\n=1", "a=1");
}

static void escapes(void)
{
    READS("a=\\t\\n\\r\\f\\q\\\\", "a=\t\n\r\fq\\");
    READS("a=\\u0041\\u00e9\\u20AC", "a=A\xc3\xa9\xe2\x82\xac");
    READS("a=\\ud83d\\ude00", "a=\xf0\x9f\x98\x80");
    READS("a=\\ud83dx\\ude00", "a=?x?");
    READS("a=1\nb=\\u00g1\nc=2", "! line 2: Malformed \\uxxxx encoding.");
    READS("a=\\u12", "! line 1: Malformed \\uxxxx encoding.");
    READS("path=C:\\dir\\tmp", "path=C:dir\tmp");
}

static void bytes_are_latin_1(void)
{
    READS("a=\xe9", "a=\xc3\xa9");
    READS("a=\xc3\xa9", "a=\xc3\x83\xc2\xa9");
}

static void the_last_value_of_a_name_counts(void)
{
    READS("a=1\nb=2\na=3", "a=3|b=2");
}

static void what_is_written_reads_back(void)
{
    struct properties p = PROPERTIES_EMPTY;
    struct strbuf out = STRBUF_EMPTY;
    properties_set(&p, str_of("a b"), str_of("  x: y=z\\\t#"));
    properties_set(&p, str_of("k"), str_of("\xc3\xa9\xf0\x9f\x98\x80"));
    properties_format(&p, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "a\\ b=\\  x\\: y\\=z\\\\\\t\\#\nk=\\u00E9\\uD83D\\uDE00\n");
    CU_ASSERT_STRING_EQUAL(read_all(strbuf_str(&out)),
                           "a b=  x: y=z\\\t#|k=\xc3\xa9\xf0\x9f\x98\x80");
    CU_ASSERT_STRING_EQUAL(properties_get(&p, "k"), "\xc3\xa9\xf0\x9f\x98\x80");
    CU_ASSERT_PTR_NULL(properties_get(&p, "K"));
    strbuf_fini(&out);
    properties_fini(&p);
}

TEST_MAIN("properties", TEST(a_line_is_split_at_its_first_separator),
          TEST(comments_and_blank_lines_do_not_count), TEST(a_backslash_at_the_end_goes_on),
          TEST(escapes), TEST(bytes_are_latin_1), TEST(the_last_value_of_a_name_counts),
          TEST(what_is_written_reads_back))
