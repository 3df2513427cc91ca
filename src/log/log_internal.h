// SPDX-License-Identifier: Apache-2.0
// What log.c, log_append.c, log_gather.c, log_flush.c, log_read.c, log_retention.c, log_truncate.c and log_recovery.c
// share; nobody else includes it.
//
// Invariants, under the lock: (1) segments is never empty; base offsets ascend; the last one is active
// (2) segments[0]->base_offset <= start_offset <= end_offset
// (3) start_offset <= high_watermark <= end_offset; recovery_point <= end_offset
// (4) end_offset is the offset behind the last batch of the active segment
// (5) once has_failed, no file changes any more
// (6) leader-epoch-checkpoint and partition.metadata are written by log_flush.c alone, under flush_lock
#ifndef LOG_LOG_INTERNAL_H
#define LOG_LOG_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/workers.h"
#include "log/leader_epochs.h"
#include "log/log.h"
#include "log/log_flusher.h"
#include "log/producer_state.h"
#include "log/segment.h"

enum { LOG_MAGIC = 0x106f11e5 };

struct log_garbage { // files of a segment that is out of the log
    int64_t base_offset;
    int64_t due_ms; // wall clock: when they may be unlinked
};

// Small files that are not on the disk as they should be.
enum log_unsynced {
    LOG_UNSYNCED_METADATA = 1,     // partition.metadata
    LOG_UNSYNCED_EPOCHS = 2,       // leader-epoch-checkpoint
    LOG_UNSYNCED_DIR = 4,          // the directory's entries, and its own in the one above
    LOG_UNSYNCED_DUE = 7,          // those: the next append waits for them
    LOG_UNSYNCED_EPOCHS_LATER = 8, // with the next flush, whenever that is
};

enum { LOG_FLUSHED = LOG_EVENT_CHANGED + 1 }; // of pending_events: who waits for a flush is called

// Memory that has its place in the log: a batch, or several.
struct log_piece {
    struct list link;
    struct bytes batches;
};

// log_gather.c: pieces that are not in the file yet; with them, the log goes on at end_offset.
struct log_gathered {
    struct list pieces;
    int count;
    size_t size_bytes;
    int64_t end_offset;
};

struct log {
    uint32_t magic;
    atomic_int _refs;
    pthread_mutex_t lock;
    pthread_mutex_t
        replace_lock; // held while segments are swapped, and by truncation; before the two others
    pthread_mutex_t flush_lock; // held while syncing; before `lock`
    struct log_files files;
    char *name;
    char **old_dirs; // what it was called before log_rename
    size_t old_dir_count, old_dir_capacity;
    struct log_config config;
    struct uuid topic_id;
    _Atomic int64_t start_offset;
    _Atomic int64_t end_offset;
    _Atomic int64_t recovery_point;
    _Atomic int64_t high_watermark;
    _Atomic int64_t first_unstable; // INT64_MAX: none
    _Atomic int64_t last_flush_ms;
    atomic_bool has_failed;
    atomic_bool has_unreplicated; // transactions wait for the high watermark
    struct segment **segments;
    size_t segment_count;
    size_t segment_capacity;
    struct log_gathered gathered; // empty under log_lock
    struct leader_epochs epochs;
    struct producer_state producers;
    uint64_t truncations;  // changes when the end may have moved, and with it positions
    uint64_t replacements; // changes when positions have moved to cleaned segments
    bool has_no_files;     // new: neither directory nor segment is there yet
    bool has_new_epoch; // the newest leader epoch has no records yet, and need not be in the file
    unsigned unsynced;  // bits of enum log_unsynced
    bool has_metadata_file;      // partition.metadata was there when the log was opened
    int64_t flush_due_offset;    // everything before it is to be synced
    size_t unsynced_bytes;       // written since the last flush began that is over
    _Atomic int64_t flush_limit; // log_flush_limit
    struct list flush_waits;     // struct log_flush_wait
    struct log_flusher *flusher; // NULL: who appends syncs
    struct work flush_work;      // the flusher's
    atomic_bool is_flush_queued;
    struct log_garbage *garbage; // .deleted files
    size_t garbage_count, garbage_capacity;
    unsigned pending_events; // bits of enum log_event and LOG_FLUSHED, told when the lock is let go
    void (*on_event)(void *arg, struct log *log, enum log_event event);
    void *arg;
    const atomic_bool *is_quiet;
};

void log_lock(struct log *log); // what is gathered is written first
void log_lock_gathering(
    struct log *log); // it is not: for appends, and who looks at neither file nor log end
// Lets go and tells on_event, and who waits for a flush, what has happened since log_lock.
void log_unlock(struct log *log);

static inline struct segment *log_active(struct log *log)
{
    return log->segments[log->segment_count - 1];
}

// All below: the lock is held.

// Offsets that a checkpoint holds have moved, or will when the lock is let go.
static inline void log_note_change(struct log *log)
{
    if (log->is_quiet != NULL && atomic_load_explicit(log->is_quiet, memory_order_relaxed))
        log->pending_events |= 1u << LOG_EVENT_CHANGED;
}

// A disk error: the log takes no more writes. Says so once. Returns KERR_KAFKA_STORAGE_ERROR.
enum kafka_error log_fail(struct log *log, const char *doing, int error);
// The index of the segment that would hold the offset; -1 before the first.
ptrdiff_t log_floor_segment(const struct log *log, int64_t offset);
// The offset behind the i-th segment.
int64_t log_segment_end(const struct log *log, size_t i);
void log_add_segment(struct log *log, struct segment *segment);
// Takes segments [from, to) out and renames their files, with their producer snapshots, to .deleted.
int log_remove_segments(struct log *log, size_t from, size_t to);
// The directory and the first segment are there.
int log_need_files(struct log *log);
// Indexes of any segment are there, rebuilt if need be.
int log_need_indexes(struct log *log, struct segment *segment);
int log_roll_at(struct log *log, int64_t base_offset);
void log_update_first_unstable(struct log *log);

// log_gather.c
void log_gather_init(struct log *log);
// Where the next append goes.
int64_t log_next_offset(const struct log *log);
// Puts a piece behind the others; it and its batches stay where they are until they are written.
void log_gather(struct log *log, struct log_piece *piece, int64_t end_offset);
// Whether one more may wait: there is room for its index entry, and for the next one's.
bool log_may_gather(struct log *log);
// One write for all; indexes and log end follow. KAFKA_STORAGE_ERROR: the log has failed.
enum kafka_error log_write_out(struct log *log);

// log_flush.c
// Before an append [first_offset, end_offset) shows: true when it may be acknowledged only after a flush, which the
// caller then demands with log_flush_demand, without the lock.
bool log_flush_is_due(struct log *log, int64_t first_offset, int64_t end_offset);
void log_flush_demand(struct log *log);
// The log ends at `offset` now.
void log_flush_truncated(struct log *log, int64_t offset);
// Does on this thread what is due. 0, or -errno when the log has failed.
int log_flush_now(struct log *log);

// log_retention.c
// Moves the log start forward, at most to the high watermark.
void log_move_start(struct log *log, int64_t offset);
// The .deleted files of a segment are to go file.delete.delay.ms from now.
void log_add_garbage(struct log *log, int64_t base_offset);

// log_recovery.c
int log_load(struct log *log, const struct log_options *options);
int log_rebuild_segment_index(struct log *log, struct segment *segment);
// Applies the batches in [producers.map_end_offset, upto) to the producer state.
int log_replay_producers(struct log *log, int64_t upto);

#endif
