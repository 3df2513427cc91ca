// SPDX-License-Identifier: Apache-2.0
// Sets of characters in a regular expression: classes, escapes, names of Unicode (topic_regex.h). Each function reads
// from the cursor and leaves it behind what it read.
#ifndef GROUP_TOPIC_REGEX_SET_H
#define GROUP_TOPIC_REGEX_SET_H

#include "group/topic_regex_parse.h"

struct regex_cursor {
    const char *at;
    const char *end;
    const char *reason; // set: it cannot be read
};

static inline bool regex_at_end(const struct regex_cursor *cursor)
{
    return cursor->at == cursor->end;
}
// Whether the text follows; then it is read.
bool regex_take(struct regex_cursor *cursor, const char *text);
uint32_t regex_take_point(struct regex_cursor *cursor); // one character

void regex_set_add(struct regex_set *set, uint32_t low, uint32_t high, bool folds_case);

// After the backslash was seen, at it: one character. Sets the reason if it is no escape.
uint32_t regex_read_escape(struct regex_cursor *cursor);
// \d \S \pL \p{^Greek}: adds the set, true; false when something else follows. May set the reason.
bool regex_read_group(struct regex_cursor *cursor, struct regex_set *set, bool folds_case);
// [^a-z[:digit:]\d], the cursor at its bracket.
struct regex_set regex_read_class(struct regex_cursor *cursor, bool folds_case);

#endif
