// SPDX-License-Identifier: Apache-2.0
// ISA-L picks the fastest routine of the machine (SSE4.2, PCLMUL, AVX-512, ARMv8) at run time.
#include "base/crc32c.h"

#include <isa-l/crc.h>

uint32_t crc32c_extend(uint32_t crc_of_a, const void *b, size_t size)
{
    uint32_t state = ~crc_of_a;
    const unsigned char *at = b;
    while (size > 0) { // the library counts in int
        size_t part = size > 1u << 30 ? 1u << 30 : size;
        state = crc32_iscsi((unsigned char *)at, (int)part, state);
        at += part;
        size -= part;
    }
    return ~state;
}

uint32_t crc32c(const void *data, size_t size)
{
    return crc32c_extend(0, data, size);
}
