// SPDX-License-Identifier: Apache-2.0
// The tree of a regular expression (topic_regex.h).
#ifndef GROUP_TOPIC_REGEX_PARSE_H
#define GROUP_TOPIC_REGEX_PARSE_H

#include "base/arena.h"
#include "group/topic_regex.h"

enum regex_kind {
    REGEX_EMPTY,
    REGEX_SET,
    REGEX_CONCAT,
    REGEX_ALTERNATE,
    REGEX_REPEAT, // min to max times the first child
    REGEX_BEGIN,
    REGEX_END,
    REGEX_WORD_BOUNDARY,
    REGEX_NO_WORD_BOUNDARY,
};

enum { REGEX_NO_LIMIT = -1 };

// A set of ASCII characters.
struct regex_set {
    uint64_t bits[2];
};

struct regex_node {
    enum regex_kind kind;
    struct regex_set set;
    int32_t min, max;
    struct regex_node *first, *last; // children
    struct regex_node *next;         // sibling
};

static inline bool regex_set_has(const struct regex_set *set, uint8_t c)
{
    return c < 128 && (set->bits[c / 64] >> (c % 64) & 1) != 0;
}

// NULL with the reason.
struct regex_node *topic_regex_parse(struct str pattern, struct arena *arena, const char **reason);

#endif
