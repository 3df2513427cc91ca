// SPDX-License-Identifier: Apache-2.0
// Borrowed views of memory, as the protocol's strings and bytes are: `data == NULL` is Kafka's
// null, an empty value has a non-NULL pointer. Nothing here owns or allocates, save str_dup.
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data;
    size_t size;
};

struct str {
    const char *data;
    size_t size;
};

#define STR_NULL   ((struct str){ NULL, 0 })
#define BYTES_NULL ((struct bytes){ NULL, 0 })

// For printf's "%.*s".
#define STR_ARG(s) (int)(s).size, (s).data == NULL ? "" : (s).data

static inline struct str str_of(const char *z)
{
    return z == NULL ? STR_NULL : (struct str){ z, strlen(z) };
}

static inline bool str_is_null(struct str s)
{
    return s.data == NULL;
}

// Null and empty are equal to themselves only.
static inline bool str_eq(struct str a, struct str b)
{
    if (a.data == NULL || b.data == NULL)
        return a.data == b.data;
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static inline bool str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

int str_compare(struct str a, struct str b); // bytewise, null first
bool str_starts_with(struct str s, const char *prefix);
struct str str_trim(struct str s);             // ASCII white space at both ends
char *str_dup(struct str s);                   // NUL-ended copy for mem_free; null gives NULL
bool str_to_int64(struct str s, int64_t *out); // whole string, decimal, optional sign
bool str_is_utf8(struct str s);

// Java's String.hashCode over the UTF-16 units of a UTF-8 string: how Kafka maps groups and
// transactional ids to partitions of its internal topics.
int32_t str_java_hash(struct str s);

static inline uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static inline uint64_t get_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, 8);
}

#endif
