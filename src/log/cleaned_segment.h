// SPDX-License-Identifier: Apache-2.0
// The segment that a cleaning writes: one, in place of a group of old ones, under names that no reader looks at.
//
//     B.log.cleaned  B.index.cleaned  B.timeindex.cleaned  [B.txnindex.cleaned]     (log_replace_segments goes on)
//
// Batches come in order and go out by large writes; index entries, at most segment.index.bytes a file, wait in memory.
//
//     cleaned_segment_open(&cleaned, log, base_offset, &config, buffer_bytes)
//     … append one batch to cleaned.out, then cleaned_segment_note(&cleaned) …
//     cleaned_segment_finish(&cleaned, modified_ms)                     // all of it lasts
//     cleaned_segment_fini(&cleaned)                                    // is_finished: the files stay
// Tested by cleaner_test.c.
#ifndef LOG_CLEANED_SEGMENT_H
#define LOG_CLEANED_SEGMENT_H

#include "base/strbuf.h"
#include "log/log.h"
#include "log/txn_index.h"

struct cleaned_segment {
    struct log *log; // borrowed
    int64_t base_offset;
    int64_t size_bytes; // of the batches noted
    struct strbuf out;  // the tail, not yet written; a new batch is appended here
    bool is_finished;
    struct disk_file *_file;
    size_t _buffer_bytes;
    size_t _noted; // bytes of out that are noted
    int64_t _written;
    int32_t _index_interval_bytes;
    int32_t _index_bytes_max;
    int32_t _bytes_since_index;
    int64_t _max_timestamp;
    int64_t _max_timestamp_offset;
    int64_t _last_time;                    // of the last time index entry
    struct strbuf _offsets, _times, _txns; // the index files
};

int cleaned_segment_open(struct cleaned_segment *cleaned, struct log *log, int64_t base_offset,
                         const struct log_config *config, size_t buffer_bytes);
// What was appended to out since the last call is one batch. 0, or the disk's error; -EOVERFLOW: its offsets are too
// far from the base offset, or the file would pass 2 GB.
int cleaned_segment_note(struct cleaned_segment *cleaned);
void cleaned_segment_add_txn(struct cleaned_segment *cleaned, const struct aborted_txn *txn);
// modified_ms: what the files say about their age; retention may ask.
int cleaned_segment_finish(struct cleaned_segment *cleaned, int64_t modified_ms);
// Removes the files, unless finished.
void cleaned_segment_fini(struct cleaned_segment *cleaned);

#endif
