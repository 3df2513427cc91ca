// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <sys/random.h>

#include "base/must.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool uuid_is_reserved(struct uuid u)
{
    return get_be64(u.bytes) == 0 && get_be64(u.bytes + 8) < 100;
}

struct uuid uuid_from_random(const uint8_t random[16])
{
    struct uuid u;
    memcpy(u.bytes, random, sizeof u.bytes);
    u.bytes[6] = (uint8_t)((u.bytes[6] & 0x0f) | 0x40);
    u.bytes[8] = (uint8_t)((u.bytes[8] & 0x3f) | 0x80);
    return u;
}

struct uuid uuid_random(void)
{
    for (;;) {
        uint8_t random[16];
        must(getrandom(random, sizeof random, 0) == sizeof random);
        struct uuid u = uuid_from_random(random);
        if (u.bytes[0] >> 2 != 62) // 62 is '-', which tools would take for an option
            return u;
    }
}

void uuid_format(struct uuid u, char out[UUID_TEXT_SIZE])
{
    int n = 0;
    for (int i = 0; i < 15; i += 3) {
        uint32_t v = (uint32_t)u.bytes[i] << 16 | (uint32_t)u.bytes[i + 1] << 8 | u.bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            out[n++] = alphabet[v >> shift & 63];
    }
    out[n++] = alphabet[u.bytes[15] >> 2];
    out[n++] = alphabet[(u.bytes[15] & 3) << 4];
    out[n] = '\0';
}

bool uuid_parse(struct str text, struct uuid *out)
{
    if (text.data == NULL || text.size != 22)
        return false;
    uint32_t value = 0;
    int bits = 0, n = 0;
    for (size_t i = 0; i < 22; i++) {
        const char *at = memchr(alphabet, text.data[i], 64);
        if (at == NULL)
            return false;
        value = value << 6 | (uint32_t)(at - alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out->bytes[n++] = (uint8_t)(value >> bits);
        }
    }
    return (value & 15) == 0; // the four left-over bits of the last character
}

int uuid_compare(struct uuid a, struct uuid b)
{
    for (int i = 0; i < 16; i += 8) {
        int64_t x = (int64_t)get_be64(a.bytes + i), y = (int64_t)get_be64(b.bytes + i);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}
