// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include "base/bytes.h"
#include "base/testing.h"

static void is(size_t size, const char *expected)
{
    uint8_t secret[16], data[64];
    for (uint8_t i = 0; i < sizeof secret; i++)
        secret[i] = i;
    for (uint8_t i = 0; i < sizeof data; i++)
        data[i] = i;
    struct siphash hash = siphash_128(secret, data, size);
    char text[33];
    for (int i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x",
                 (unsigned)((i < 8 ? hash.low : hash.high) >> 8 * (i & 7) & 0xff));
    CU_ASSERT_STRING_EQUAL(text, expected);
}

// The authors' vectors, as OpenSSL's SIPHASH computes them, too: nothing, less than a word, a word, a word and more.
static void known_values(void)
{
    is(0, "a3817f04ba25a8e66df67214c7550293");
    is(1, "da87c1d86b99af44347659119b22fc45");
    is(8, "3b62a9ba6258f5610f83e264f31497b4");
    is(15, "5493e99933b0a8117e08ec0f97cfc3d9");
}

TEST_MAIN("siphash", TEST(known_values))
