// SPDX-License-Identifier: Apache-2.0
// One cleaning of one log (compaction): of every key only the last record stays.
//
//     log start        first dirty          end of the map      first uncleanable          active
//     ────┬─────────────────┬───────────────────┬───────────────────┬────────────────────────┬────
//         │ cleaned before  │ keys ► map        │ (map was full)    │ too young, undecided   │
//         └──────────── rewritten, in groups ───┘ … and what shares a segment, untouched
//
//     1. the keys of the dirty part with their last offsets, as many as memory allows (offset_map.h)
//     2. segments from the log start to the map's end in groups that make one segment each: at most segment.bytes,
//        segment.index.bytes, and 2^31 offsets
//     3. each group: what stays of every batch (cleaner_filter.h) into one new segment (cleaned_segment.h), which
//        takes the group's place (log_cleaning.h)
//
// Nothing is held while reading and writing. A cleaning that is given up leaves a sound log: each group is complete or
// untouched.
#ifndef LOG_CLEANER_H
#define LOG_CLEANER_H

#include "log/log_cleaning.h"

struct cleaning {
    // Set by the caller.
    struct log *log;
    struct log_cleanable what;
    struct trace *trace;
    struct clock *clock;
    int64_t map_bytes;
    double map_load_factor;
    size_t buffer_bytes; // of reads, and of writes
    int64_t now_ms;      // wall clock, for tombstones and markers
    // Asked every so many bytes: whether to give up. May be NULL.
    bool (*is_over)(void *arg);
    // Told of bytes read or written; may wait. May be NULL.
    void (*throttle)(void *arg, int64_t bytes);
    void *arg;
    // Results.
    int64_t end_offset; // clean before it; the first dirty offset unless 0 was returned
    int64_t bytes_mapped, bytes_read, bytes_kept;
    int64_t records_read, records_kept, keyless_records;
    size_t segments_read, segments_kept;
};

// 0; -ECANCELED: given up, or the log changed under it; -EBADMSG, -EOVERFLOW: this log cannot be cleaned, a
// line says where and why; any other is the disk's.
int cleaner_clean(struct cleaning *cleaning);

// How many of `lent`, from the first on, make one segment. upto_offset: an offset behind the last one.
size_t cleaner_group(const struct lent_segments *lent, size_t first,
                     const struct log_config *config, int64_t upto_offset);

#endif
