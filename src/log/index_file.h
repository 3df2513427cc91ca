// SPDX-License-Identifier: Apache-2.0
// A file of entries of one size, ascending, appended to: what offset and time index have in common.
//
//     file     [0 ........................ written)
//     memory                 [tail_start ............. count)
//
// Entries are gathered in memory and written 4 KB at a time, when synced and when closed: an append costs no
// system call, and lookups near the end no read. What a killed process did not write is rebuilt by recovery,
// which rebuilds the active segment's indexes in any case.
//
// Kafka's file of an active segment is preallocated with zeros, which it cuts off on roll and close; ours
// never has them. Read, a zero tail is left out: entries are valid up to the first that is all zero.
//
// Invariants: (1) 0 <= tail_start <= written <= count <= max_entries
//             (2) an entry below `written` never changes until a truncation
// Under the log's lock, except index_file_search.
#ifndef LOG_INDEX_FILE_H
#define LOG_INDEX_FILE_H

#include "log/log_files.h"

enum { INDEX_ENTRY_SIZE_MAX = 12 };

struct index_file {
    const struct log_files *files;
    const char *suffix; // static
    int64_t base_offset;
    struct disk_file *file; // NULL until needed
    uint8_t *tail;
    int32_t tail_start;
    int32_t tail_capacity;
    int32_t written;
    int32_t count;
    int32_t max_entries;
    uint16_t entry_size;
    bool is_loaded; // count is known
    bool is_dirty;  // written since the last sync
    bool has_last;  // `last` is the entry count - 1, which is in no tail
    uint8_t last[INDEX_ENTRY_SIZE_MAX];
};

void index_file_init(struct index_file *index, const struct log_files *files, int64_t base_offset,
                     const char *suffix, int entry_size, int32_t max_bytes);
void index_file_fini(struct index_file *index); // lets go of file and memory, writes nothing

// Finds out what the file holds; once. -ENOENT when there is none: count is 0 then. -EBADMSG: its size is not
// a multiple of entries.
int index_file_load(struct index_file *index);
// The index is new, or to be rebuilt: empty, whatever the file holds.
void index_file_reset(struct index_file *index);

// Loaded; room is there. May fail only when the tail has to be written.
int index_file_append(struct index_file *index, const void *entry);
int index_file_read(struct index_file *index, int32_t n, void *entry);
int index_file_truncate(struct index_file *index, int32_t count);
// Brings the file up to date: all entries, nothing behind them; made when missing.
int index_file_write_out(struct index_file *index);
int index_file_sync(struct index_file *index);
void index_file_close(
    struct index_file *index); // the descriptor and, if all is written, the memory

// What entries are in the order of: an offset less the base, a time.
typedef int64_t (*index_key)(const uint8_t *entry);

#define INDEX_NO_ORIGIN INT64_MIN

// What is left to be looked up in the file, without any lock.
struct index_search {
    struct disk_file *file; // a counted reference; NULL: nothing is left
    int32_t count;
    int entry_size;
    index_key key;
    int64_t origin;   // the least key there could be, or INDEX_NO_ORIGIN
    int64_t upper;    // the key of the last of `count` entries, or of the one behind it
    bool only_cached; // *error is -EAGAIN where the device would have to be waited for
};

// The slot of the last entry whose key is <= target, or -1. Where memory cannot tell, search->file is set, and
// index_file_search_file has the answer.
int32_t index_file_search(struct index_file *index, int64_t target, index_key key, int64_t origin,
                          void *entry, struct index_search *search, int *error);
int32_t index_file_search_file(const struct index_search *search, int64_t target, void *entry,
                               int *error);

#endif
