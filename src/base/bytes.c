// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include "base/mem.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "get_be/put_be assume a little-endian machine"
#endif

int str_compare(struct str a, struct str b)
{
    if (a.data == NULL || b.data == NULL)
        return (a.data != NULL) - (b.data != NULL);
    size_t common = a.size < b.size ? a.size : b.size;
    int c = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return c != 0 ? c : (a.size > b.size) - (a.size < b.size);
}

bool str_starts_with(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.data != NULL && s.size >= n && memcmp(s.data, prefix, n) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.size > 0 && is_space(s.data[0]))
        s.data++, s.size--;
    while (s.size > 0 && is_space(s.data[s.size - 1]))
        s.size--;
    return s;
}

char *str_dup(struct str s)
{
    if (s.data == NULL)
        return NULL;
    char *z = mem_alloc(s.size + 1);
    memcpy(z, s.data, s.size);
    z[s.size] = '\0';
    return z;
}

bool str_to_int64(struct str s, int64_t *out)
{
    size_t i = 0;
    bool negative = false;
    if (s.size > 0 && (s.data[0] == '-' || s.data[0] == '+'))
        negative = s.data[i++] == '-';
    if (i == s.size)
        return false;
    int64_t v = 0;
    for (; i < s.size; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        // Accumulate towards the sign so that INT64_MIN fits.
        if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
            __builtin_add_overflow(v, (int64_t)(negative ? '0' - s.data[i] : s.data[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

// Reads one code point at *i and moves past it; UINT32_MAX when the bytes are not UTF-8.
static uint32_t utf8_next(struct str s, size_t *i)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = (uint8_t)s.data[*i];
    size_t length = first < 0x80       ? 1
                    : first >> 5 == 6  ? 2
                    : first >> 4 == 14 ? 3
                    : first >> 3 == 30 ? 4
                                       : 0;
    if (length == 0 || *i + length > s.size)
        return UINT32_MAX;
    uint32_t point = length == 1 ? first : first & (0x7fu >> length);
    for (size_t k = 1; k < length; k++) {
        uint8_t next = (uint8_t)s.data[*i + k];
        if (next >> 6 != 2)
            return UINT32_MAX;
        point = point << 6 | (next & 0x3f);
    }
    if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return UINT32_MAX;
    *i += length;
    return point;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0; i < s.size;)
        if (utf8_next(s, &i) == UINT32_MAX)
            return false;
    return true;
}

int32_t str_java_hash(struct str s)
{
    uint32_t h = 0;
    for (size_t i = 0; i < s.size;) {
        uint32_t point = utf8_next(s, &i);
        if (point == UINT32_MAX) { // Java decodes a bad byte as U+FFFD
            point = 0xfffd;
            i++;
        }
        if (point >= 0x10000) {
            h = 31 * h + (0xd800 + ((point - 0x10000) >> 10));
            point = 0xdc00 + ((point - 0x10000) & 0x3ff);
        }
        h = 31 * h + point;
    }
    return (int32_t)h;
}
