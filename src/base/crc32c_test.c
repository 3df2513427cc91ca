// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"
#include "base/testing.h"

// The check values of RFC 3720, appendix B.4, and the usual "123456789".
static void known_values(void)
{
    unsigned char zeros[32] = { 0 }, ones[32];
    memset(ones, 0xff, sizeof ones);
    CU_ASSERT_EQUAL(crc32c(zeros, 32), 0x8a9136aa);
    CU_ASSERT_EQUAL(crc32c(ones, 32), 0x62a8ab43);
    CU_ASSERT_EQUAL(crc32c("123456789", 9), 0xe3069283);
    CU_ASSERT_EQUAL(crc32c("", 0), 0);
}

// In pieces or at once, at any split, the sum is the same.
static void extending_equals_whole(void)
{
    static unsigned char data[5000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * i >> 3);
    uint32_t whole = crc32c(data, sizeof data);
    for (size_t split = 0; split <= sizeof data; split += 61)
        CU_ASSERT_EQUAL(crc32c_extend(crc32c(data, split), data + split, sizeof data - split),
                        whole);
}

TEST_MAIN("crc32c", TEST(known_values), TEST(extending_equals_whole))
