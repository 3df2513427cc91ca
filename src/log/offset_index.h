// SPDX-License-Identifier: Apache-2.0
// Offset → position in the segment, sparse: one entry per index.interval.bytes of batches.
//
//     int32 last offset of a batch - base offset of the segment | int32 position of that batch
//
// Both columns ascend strictly; the first batch never has an entry.
// Tested by index_file_test.c.
#ifndef LOG_OFFSET_INDEX_H
#define LOG_OFFSET_INDEX_H

#include "log/index_file.h"

enum { OFFSET_INDEX_ENTRY_SIZE = 8 };

struct offset_position {
    int64_t offset;
    int32_t position;
};

void offset_index_init(struct index_file *index, const struct log_files *files, int64_t base_offset,
                       int32_t max_bytes);
// -EINVAL unless both are larger than the last entry's.
int offset_index_append(struct index_file *index, int64_t offset, int32_t position);
bool offset_index_is_full(const struct index_file *index);
// The last entry at or before `offset`, else {base offset, 0}. In memory, or 1: offset_index_search_file has the
// answer, needs no lock, and lets go of search->file.
int offset_index_lookup(struct index_file *index, int64_t offset, struct offset_position *out,
                        struct index_search *search);
int offset_index_search_file(struct index_search *search, int64_t base_offset, int64_t offset,
                             struct offset_position *out);
// Both of the above, under the lock.
int offset_index_find(struct index_file *index, int64_t offset, struct offset_position *out);
int offset_index_last(struct index_file *index,
                      struct offset_position *out); // {base offset, 0} if empty
// Drops the entries at and after `offset`.
int offset_index_truncate(struct index_file *index, int64_t offset);

#endif
