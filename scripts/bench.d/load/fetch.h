// SPDX-License-Identifier: Apache-2.0
// Fetch requests of version 11 and their answers, for all loads that read.
#ifndef LOAD_FETCH_H
#define LOAD_FETCH_H

#include "wire.h"

// A Fetch of partitions 0 … count-1 from these offsets, waiting 500 ms at most for a byte; out->data holds 1024 + 32 * count.
void encode_fetch(struct out *out, const char *topic, size_t count, const int64_t *offsets, size_t max_bytes);

// Calls `take` for the records of each partition that has some; fail() upon an error.
void walk_fetched(const uint8_t *answer, void (*take)(void *arg, uint32_t partition, const uint8_t *records, size_t size),
                  void *arg);

// The offset after the last whole batch of a run of batches, or `offset` when there is none.
int64_t next_offset(const uint8_t *records, size_t size, int64_t offset);

#endif
