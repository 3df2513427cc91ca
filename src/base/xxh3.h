// SPDX-License-Identifier: Apache-2.0
// XXH3, 64 bits, seed 0: what Kafka takes as the hash of topics' metadata. By libxxhash.
#ifndef BASE_XXH3_H
#define BASE_XXH3_H

#include <stddef.h>
#include <stdint.h>

uint64_t xxh3_64(const void *data, size_t size);

#endif
