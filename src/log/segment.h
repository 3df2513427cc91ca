// SPDX-License-Identifier: Apache-2.0
// A run of batches in one file, with its indexes. Only the last segment of a log is appended to.
//
//     base offset B:  B.log  [batch][batch][batch]…        offsets B … B + 2^31-1
//                     B.index, B.timeindex, B.txnindex
//
// Positions of the newest batches and of the newest index entries are in memory, so that an append costs one
// pwrite and a read near the end costs no system call before the sendfile.
//
// Files are opened when first used and may be closed at any time (segment_close_files). The segment is
// counted: a reader that looks something up without the log's lock holds a reference, and the file one of its own.
//
// Under the log's lock, except segment_unref and what is said to be lock-free.
// Tested by log_test.c and log_faults_test.c.
#ifndef LOG_SEGMENT_H
#define LOG_SEGMENT_H

#include <stdatomic.h>

#include "config/log_config.h"
#include "log/batch_scan.h"
#include "log/offset_index.h"
#include "log/time_index.h"
#include "log/txn_index.h"

enum { SEGMENT_RECENT = 64 };

// A batch that is known without reading: offsets less the segment's base offset.
struct segment_recent {
    int32_t first_delta;
    int32_t last_delta;
    int32_t position;
};

struct segment {
    uint32_t magic;
    atomic_int _refs;
    const struct log_files *files;
    int64_t base_offset;
    struct disk_file *file; // NULL until used
    int32_t size_bytes;
    struct index_file offsets;
    struct index_file times;
    struct txn_index txns;
    int32_t bytes_since_index;
    int32_t index_interval_bytes;
    bool has_max_timestamp; // the two below are known
    bool is_removed;        // no longer part of the log
    bool is_damage_told;    // one line for people about it is enough
    bool was_rebuilt;       // its indexes, because they were wrong; that helps once
    bool is_used;           // since the last segment_close_files
    bool is_told_of_future; // a warning about its timestamps was given
    struct timestamp_offset max_timestamp;
    int64_t first_timestamp; // of the first batch, INT64_MIN: not read yet
    int64_t created_ms;
    int64_t jitter_ms;
    struct segment_recent *recent; // the last batches appended: a ring, made with the first append
    uint32_t recent_count;         // ever put into it
};

// A segment whose .log is there or is made now (`create`).
int segment_open(const struct log_files *files, int64_t base_offset,
                 const struct log_config *config, bool create, struct segment **out);
// In two steps: one in memory, empty once started so, and its .log later.
struct segment *segment_new(const struct log_files *files, int64_t base_offset,
                            const struct log_config *config);
void segment_start_empty(struct segment *segment);
int segment_create_file(struct segment *segment);
struct segment *segment_ref(struct segment *segment);
void segment_unref(struct segment *segment);

int segment_open_file(struct segment *segment); // makes sure that file is set
// Indexes from their files; -ENOENT, -EBADMSG: rebuild.
int segment_load_indexes(struct segment *segment);
int segment_load_offset_index(struct segment *segment); // that one alone
void segment_close_files(
    struct segment *segment); // of an active segment only when nothing is unwritten
// Starts the indexes and the knowledge about batches anew, for recovery.
int segment_reset(struct segment *segment);

// The batches of all pieces at the end: one write, then the indexes. When the write fails the file is cut back to what
// it was, if that works.
enum { SEGMENT_PIECES_MAX = 64 };
int segment_append(struct segment *segment, const struct bytes *pieces, int count);
// What an append does to memory and indexes, for a batch that is in the file already.
int segment_note_batch(struct segment *segment, const uint8_t *header, int32_t position);
bool segment_can_hold(const struct segment *segment, int64_t offset);
int segment_should_roll(struct segment *segment, const struct log_config *config, int64_t now_ms,
                        size_t append_bytes, int64_t append_max_timestamp,
                        int64_t append_last_offset, bool *roll);
// No more appends: the last time index entry, indexes written out.
int segment_become_inactive(struct segment *segment);

// Largest timestamp; offset is the last one of its batch. {-1, base offset} without any.
int segment_max_timestamp(struct segment *segment, struct timestamp_offset *out);
int64_t segment_modified_ms(struct segment *segment);
// The largest timestamp of the first batch; INT64_MIN of an empty segment.
int segment_first_timestamp(struct segment *segment, int64_t *out);
// The offset behind the last batch; the base offset of an empty one.
int segment_next_offset(struct segment *segment, int64_t *out);

// Where the first batch is that ends at or after `offset`. position -1: in no batch of this segment.
struct batch_position {
    int64_t base_offset;
    int32_t position;
    int32_t size;
};

// 0 with the answer from memory, 1 when `from` tells where segment_find_in_file is to start, or -errno.
struct segment_search {
    struct disk_file *file; // a counted reference
    struct index_search index;
    int32_t from_position;
    int32_t end_position;
    int64_t base_offset;
    bool is_sparse;   // most batches are larger than what a scan reads ahead
    bool only_cached; // set by the caller: -EAGAIN where the device would have to be waited for
    const char
        *fault; // what is wrong at from_position, when the answer is -EBADMSG; NULL: the index is
};

int segment_find(struct segment *segment, int64_t offset, struct batch_position *out,
                 struct segment_search *search);
// Lock-free. Lets go of the references. What truncation does meanwhile may show as any answer or error.
int segment_find_in_file(struct segment_search *search, int64_t offset, struct batch_position *out);
// Both, under the lock.
int segment_position_of(struct segment *segment, int64_t offset, struct batch_position *out);

// A position at or before the batch that holds `offset`, by the index. -EBADMSG: the index cannot be right.
int segment_floor_position(struct segment *segment, int64_t offset, int64_t *position);

// Drops all at and after `offset`.
int segment_truncate(struct segment *segment, int64_t offset);
// Renames the files to NAME.deleted; the caller takes the segment out of the log.
int segment_mark_deleted(struct segment *segment);

#endif
