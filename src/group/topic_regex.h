// SPDX-License-Identifier: Apache-2.0
// Regular expressions over the names of topics, with the syntax of RE2 as Kafka 4.3.1 takes it (com.google.re2j 1.8):
// what that accepts is accepted and matches the same names, what it refuses is refused with its words. An expression
// matches a name as a whole, in time linear in the name's length.
//
//     pattern ──parse──> tree ──> program (sets of characters, splits, assertions) ──simulate──> yes or no
//
// Names of topics are ASCII, so sets are 128 bits; other characters of a pattern match nothing. Which alternative is
// preferred, groups and laziness make no difference to whether a whole name matches.
//
// Narrower than RE2/J, for an expression is a stranger's: a program has at most TOPIC_REGEX_MAX_SIZE steps (RE2/J
// takes ((a{100}){100}){100} and a million), groups nest at most TOPIC_REGEX_MAX_DEPTH deep.
#ifndef GROUP_TOPIC_REGEX_H
#define GROUP_TOPIC_REGEX_H

#include <stdbool.h>

#include "base/bytes.h"

enum { TOPIC_REGEX_MAX_SIZE = 10000, TOPIC_REGEX_MAX_DEPTH = 500 };

struct topic_regex;

// NULL with *reason set to a constant when it is no expression.
struct topic_regex *topic_regex_compile(struct str pattern, const char **reason);
void topic_regex_free(struct topic_regex *regex);

// Not const: it uses memory of the expression.
bool topic_regex_matches(struct topic_regex *regex, struct str name);

#endif
