// SPDX-License-Identifier: Apache-2.0
// XXH32 with seed 0, the checksum inside LZ4 frames (github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
// Tested by record_test.c.
#ifndef RECORD_XXH32_H
#define RECORD_XXH32_H

#include <stddef.h>
#include <stdint.h>

uint32_t xxh32(const void *data, size_t size);

#endif
