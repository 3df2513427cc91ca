// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): short keys to numbers that nobody without the secret can
// make collide, at the price of an ordinary hash. For tables that keep the hash instead of the key.
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash {
    uint64_t low;
    uint64_t high;
};

struct siphash siphash_128(const uint8_t secret[16], const void *data, size_t size);

#endif
