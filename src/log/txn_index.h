// SPDX-License-Identifier: Apache-2.0
// The aborted transactions that ended in a segment; no file as long as there are none.
//
//     int16 version = 0 | int64 producer id | int64 first offset | int64 last offset (the marker's) |
//     int64 last stable offset once the marker was there
//
// Last offsets ascend.
// Tested by index_file_test.c.
#ifndef LOG_TXN_INDEX_H
#define LOG_TXN_INDEX_H

#include "log/log_files.h"

enum { TXN_INDEX_ENTRY_SIZE = 34 };

struct aborted_txn {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset;
    int64_t last_stable_offset;
};

struct txn_index {
    const struct log_files *files;
    int64_t base_offset;
    struct disk_file *file;
    int32_t count;
    bool is_loaded;
    bool is_dirty;
};

void txn_index_init(struct txn_index *index, const struct log_files *files, int64_t base_offset);
void txn_index_fini(struct txn_index *index);
void txn_index_encode(uint8_t entry[TXN_INDEX_ENTRY_SIZE], const struct aborted_txn *txn);
// -EBADMSG: of a newer version.
int txn_index_decode(const uint8_t entry[TXN_INDEX_ENTRY_SIZE], struct aborted_txn *out);
// -EBADMSG: the file is damaged (also when an entry ends before the segment's base offset).
int txn_index_load(struct txn_index *index);
int txn_index_open(struct txn_index *index); // makes sure that file is set; -ENOENT without entries
int txn_index_append(struct txn_index *index, const struct aborted_txn *txn);
int txn_index_read(struct txn_index *index, int32_t n, struct aborted_txn *out);
int txn_index_reset(struct txn_index *index);
int txn_index_truncate(struct txn_index *index,
                       int64_t offset); // drops those that ended at or after it
int txn_index_sync(struct txn_index *index);
void txn_index_close(struct txn_index *index);

#endif
