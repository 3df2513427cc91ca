// SPDX-License-Identifier: Apache-2.0
// What message number n of a partition says: anybody can tell from the number, so nothing need be remembered.
#ifndef WITNESS_CONTENT_H
#define WITNESS_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum topic_kind {
    TOPIC_FULL,      // all messages are kept: from number 0 on, each once
    TOPIC_RETAINED,  // the oldest may have gone by retention: from some number on, each once
    TOPIC_COMPACTED, // keyed, of each key the newest at least
};

struct topic {
    char *name;
    int partitions;
    char *codec;
    enum topic_kind kind;
};

enum { CONTENT_MAX = 40000, CONTENT_KEYS = 64 };

// "name:partitions:codec:kind" into a topic; ends the program when it is none.
struct topic topic_parse(const char *text);
// Fills `value` (CONTENT_MAX bytes) and `key` (32 bytes; "" without); the size of the value.
size_t content_make(int topic, int partition, int64_t number, enum topic_kind kind, uint8_t *value,
                    char *key);
// The number that a value says it is, -1 when it says none; it may still differ from what content_make makes of it.
int64_t content_number(const void *value, size_t size);
uint64_t content_random(uint64_t *state);

#endif
