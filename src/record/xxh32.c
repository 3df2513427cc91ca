// SPDX-License-Identifier: Apache-2.0
// Four lanes eat 16 bytes a round; the rest is mixed in by fours and ones; then an avalanche.
#include "record/xxh32.h"

static const uint32_t P1 = 2654435761u, P2 = 2246822519u, P3 = 3266489917u, P4 = 668265263u,
                      P5 = 374761393u;

static uint32_t rotate(uint32_t v, int by)
{
    return v << by | v >> (32 - by);
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t round_of(uint32_t lane, const uint8_t *p)
{
    return rotate(lane + word(p) * P2, 13) * P1;
}

uint32_t xxh32(const void *data, size_t size)
{
    const uint8_t *p = data, *end = p + size;
    uint32_t hash = P5;
    if (size >= 16) {
        uint32_t a = P1 + P2, b = P2, c = 0, d = 0 - P1;
        for (; end - p >= 16; p += 16) {
            a = round_of(a, p);
            b = round_of(b, p + 4);
            c = round_of(c, p + 8);
            d = round_of(d, p + 12);
        }
        hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    }
    hash += (uint32_t)size;
    for (; end - p >= 4; p += 4)
        hash = rotate(hash + word(p) * P3, 17) * P4;
    for (; p < end; p++)
        hash = rotate(hash + *p * P5, 11) * P1;
    hash ^= hash >> 15;
    hash *= P2;
    hash ^= hash >> 13;
    hash *= P3;
    return hash ^ hash >> 16;
}
