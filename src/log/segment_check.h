// SPDX-License-Identifier: Apache-2.0
// The checksums of many segments of one log, by several threads: what recovery needs most of its time for, and can do
// without knowing what came before a segment.
#ifndef LOG_SEGMENT_CHECK_H
#define LOG_SEGMENT_CHECK_H

#include "log/segment.h"

// sound[i]: how many bytes at the start of segments[i], whose file is open, are batches that have their checksums. Less
// than all says no more than that the rest is to be looked at.
void segments_check(int threads, struct segment *const *segments, size_t count, int64_t *sound);

#endif
