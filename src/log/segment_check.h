// SPDX-License-Identifier: Apache-2.0
// The checksums of many segments of one log, by several threads: what recovery needs most of its time for, and can do
// without knowing what came before a segment.
#ifndef LOG_SEGMENT_CHECK_H
#define LOG_SEGMENT_CHECK_H

#include "log/segment.h"

// What was found at the start of a segment.
struct segment_checked {
    int64_t
        sound_bytes; // batches that have their checksums; less than all says that the rest is to be looked at
    uint8_t *headers;        // of the first of them, BATCH_HEADER_SIZE bytes each
    size_t header_count;     // few, or none, where they would take too much memory
    size_t _header_capacity; // bytes
    int64_t _header_bytes;   // of the batches that these are the headers of
};

// Fills checked[i] for segments[i], whose file is open. All headers together take at most headers_size_max bytes.
void segments_check(int threads, struct segment *const *segments, size_t count,
                    size_t headers_size_max, struct segment_checked *checked);
void segment_checked_fini(struct segment_checked *checked);

#endif
