// SPDX-License-Identifier: Apache-2.0
// Tested by group/metadata_hash_test.c, with Kafka's own numbers.
#include "base/xxh3.h"

#include <xxhash.h>

uint64_t xxh3_64(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}
