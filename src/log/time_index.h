// SPDX-License-Identifier: Apache-2.0
// Timestamp → offset, sparse, beside the offset index, with a last entry when the segment is done.
//
//     int64 largest timestamp so far in the segment | int32 last offset of its batch - base offset
//
// Timestamps ascend strictly, offsets never fall.
// Tested by index_file_test.c.
#ifndef LOG_TIME_INDEX_H
#define LOG_TIME_INDEX_H

#include "log/index_file.h"

enum { TIME_INDEX_ENTRY_SIZE = 12 };

struct timestamp_offset {
    int64_t timestamp;
    int64_t offset;
};

void time_index_init(struct index_file *index, const struct log_files *files, int64_t base_offset,
                     int32_t max_bytes);
// Nothing happens unless the timestamp is larger than the last one. -EINVAL when the offset fell.
int time_index_append(struct index_file *index, int64_t timestamp, int64_t offset);
bool time_index_is_full(const struct index_file *index);
// The last entry with a timestamp <= the given, else {-1, base offset}.
int time_index_find(struct index_file *index, int64_t timestamp, struct timestamp_offset *out);
int time_index_last(struct index_file *index,
                    struct timestamp_offset *out); // {-1, base offset} if empty
int time_index_truncate(struct index_file *index, int64_t offset);

#endif
