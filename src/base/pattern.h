// SPDX-License-Identifier: Apache-2.0
// Regular expressions that clients send, matched against whole names. The syntax is Perl's as PCRE2 has it, which for
// what people write is Java's. A hostile expression costs a bounded number of steps, and then does not match.
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/strbuf.h"

struct pattern;

// NULL when it is no expression, with what is wrong appended to `why`, which may be NULL.
struct pattern *pattern_compile(struct str expression, struct strbuf *why);
void pattern_free(struct pattern *pattern); // NULL is fine
// Whether all of `text` matches. One thread at a time.
bool pattern_matches(struct pattern *pattern, struct str text);

#endif
