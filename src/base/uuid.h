// SPDX-License-Identifier: Apache-2.0
// Kafka's ids of topics, directories and incarnations: 16 raw bytes on the wire, 22 characters of
// URL-safe base64 without padding in text.
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

struct uuid {
    uint8_t bytes[16];
};

enum { UUID_TEXT_SIZE = 23 }; // with the NUL

#define UUID_ZERO ((struct uuid){ { 0 } })

static inline bool uuid_eq(struct uuid a, struct uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static inline bool uuid_is_zero(struct uuid u)
{
    return uuid_eq(u, UUID_ZERO);
}

// The first hundred values (0..99 as a number) are Kafka's own: 0 none, 1 the metadata topic.
bool uuid_is_reserved(struct uuid u);
// Version 4 from 16 random bytes; as Kafka, never reserved and never with a leading '-' in text.
struct uuid uuid_from_random(const uint8_t random[16]);
struct uuid uuid_random(void); // from the system's random source
void uuid_format(struct uuid u, char out[UUID_TEXT_SIZE]);
bool uuid_parse(struct str text, struct uuid *out); // false unless a canonical 22-character text
int uuid_compare(struct uuid a, struct uuid b);     // Java's order: two signed 64-bit halves

#endif
