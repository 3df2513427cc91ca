// SPDX-License-Identifier: Apache-2.0
#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"
#include "base/must.h"

enum { STEPS_MAX = 100000, DEPTH_MAX = 1000, HEAP_MAX_KIB = 1024, MESSAGE_MAX = 256 };

struct pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

struct pattern *pattern_compile(struct str expression, struct strbuf *why)
{
    int error;
    size_t at;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)expression.data, expression.size,
                      PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C,
                      &error, &at, NULL);
    if (code == NULL) {
        PCRE2_UCHAR message[MESSAGE_MAX];
        pcre2_get_error_message(error, message, sizeof message);
        if (why != NULL)
            strbuf_printf(why, "%s near index %zu", (const char *)message, at);
        return NULL;
    }
    struct pattern *pattern = mem_new(struct pattern);
    pattern->code = code;
    pattern->data = pcre2_match_data_create(1, NULL);
    pattern->limits = pcre2_match_context_create(NULL);
    must(pattern->data != NULL && pattern->limits != NULL);
    pcre2_set_match_limit(pattern->limits, STEPS_MAX);
    pcre2_set_depth_limit(pattern->limits, DEPTH_MAX);
    pcre2_set_heap_limit(pattern->limits, HEAP_MAX_KIB);
    return pattern;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_match_data_free(pattern->data);
    pcre2_code_free(pattern->code);
    mem_free(pattern);
}

bool pattern_matches(struct pattern *pattern, struct str text)
{
    return pcre2_match(pattern->code, (PCRE2_SPTR)text.data, text.size, 0, 0, pattern->data,
                       pattern->limits) >= 0;
}
