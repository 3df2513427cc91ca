// SPDX-License-Identifier: Apache-2.0
// What makes a log survive a power loss, and who has to wait for it.
//
//     append [f, e) ── a flush is due: flush.messages, small files that are not on the disk, ────┐
//        │             or the disk is behind and much of this log is not on it                   │
//        │                                                                                       │
//        │  limit = f, unless there is one; log end = e (readers of the log end see it)          │
//        v                                                                                       v
//     acknowledged, and counted as committed, only below the limit              flusher (log_flusher.h), other thread
//        ^                                                                                       │
//        │  nothing due any more: no limit; else limit = what was gathered                       │
//        └── log_flush_wait is called ◄── gather everything up to now ─► small files ─► data ────┘
//
// One sync takes along what was appended until it began, whoever appended it: while it runs, others append, and the
// next one serves all of them (group commit).
//
// The small files are leader-epoch-checkpoint and partition.metadata, each replaced whole: with the first batch of an
// epoch, and with the first of the log. The directory's entry in the one above comes before them and the directory's
// own entries last, so a partition.metadata that can be read is in a directory that lasts.
//
// Where the disk is behind (log_flusher.h) a log is synced from OWED_BYTES_SYNCED on, without a limit; only from
// OWED_BYTES_AWAITED on is there one. So the disk is never idle, and who writes faster than it waits for it.
//
// What truncation takes from the epochs' start may stay in the file: loading cuts it off again.
//
// Invariants, under the lock: (1) the limit moves before the log end does, so who reads the log end and then the limit
// never takes unsynced bytes for committed (2) while there is a limit, the log is in the flusher's queue or a flush
// runs (3) flush_due_offset and `unsynced` say what is due; both are nothing without a limit, save for what is owed and
// not awaited, and that a log without batches leaves its small files for later.
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/checkpoint.h"
#include "log/log_internal.h"
#include "log/partition_dir.h"

enum {
    SYNC_FILES_PER_SEGMENT = 4,
    OWED_BYTES_SYNCED = 8 << 20,   // while the disk is behind: from here on a log is synced,
    OWED_BYTES_AWAITED = 16 << 20, // and from here on who appends waits for that
    UNSYNCED_EPOCHS_ANY = LOG_UNSYNCED_EPOCHS | LOG_UNSYNCED_EPOCHS_LATER,
};

// What one flush does, gathered under the lock and carried out without it.
struct flush {
    int64_t upto; // the data before it; what was flushed already when none
    int64_t end_offset;
    int64_t due_offset;
    uint64_t truncations;
    size_t unsynced_bytes;
    unsigned small_files; // bits of enum log_unsynced
    struct strbuf epochs;
    struct uuid topic_id;
    char *dir;
    bool with_dir; // its entries
    struct disk_file **files;
    size_t file_count;
};

int64_t log_flush_limit(const struct log *log)
{
    return atomic_load_explicit(&log->flush_limit, memory_order_acquire);
}

bool log_has_failed(const struct log *log)
{
    return atomic_load(&log->has_failed);
}

int64_t log_last_flush_ms(const struct log *log)
{
    return atomic_load(&log->last_flush_ms);
}

// ---- when -------------------------------------------------------------------------------------------

// Whether the disk is behind, and this log has a good part in that.
static bool owes_sync(const struct log *log)
{
    return log->unsynced_bytes >= OWED_BYTES_SYNCED && log->flusher != NULL &&
           log_flusher_is_behind(log->flusher, log->files.clock);
}

bool log_flush_is_due(struct log *log, int64_t first_offset, int64_t end_offset)
{
    int64_t synced = log_recovery_point(log);
    if (log->flush_due_offset > synced)
        synced = log->flush_due_offset; // as good as done
    bool is_owed = owes_sync(log);
    bool is_data_due = end_offset - synced >= log->config.flush_messages ||
                       (is_owed && log->unsynced_bytes >= OWED_BYTES_AWAITED);
    bool is_awaited = is_data_due || (log->unsynced & LOG_UNSYNCED_DUE) != 0;
    if (!is_awaited && !is_owed)
        return false;
    if (is_data_due || is_owed)
        log->flush_due_offset = end_offset;
    if (is_awaited && log->flusher != NULL && log_flush_limit(log) == INT64_MAX)
        atomic_store_explicit(&log->flush_limit, first_offset, memory_order_release);
    return true;
}

void log_flush_demand(struct log *log)
{
    if (log->flusher != NULL)
        log_flusher_submit(log->flusher, log);
    else
        log_flush_now(log); // a failure is the log's
}

void log_flush_truncated(struct log *log, int64_t offset)
{
    if (log->flush_due_offset > offset)
        log->flush_due_offset = offset;
    if (log_flush_limit(log) != INT64_MAX && log_flush_limit(log) > offset)
        atomic_store(&log->flush_limit, offset);
}

bool log_await_flush(struct log *log, struct log_flush_wait *wait)
{
    log_lock(log);
    bool waits = log_flush_limit(log) != INT64_MAX && !atomic_load(&log->has_failed);
    if (waits)
        list_append(&log->flush_waits, &wait->_link);
    log_unlock(log);
    return waits;
}

// ---- gathering: under the lock ------------------------------------------------------------------------

static void add_file(struct flush *flush, struct disk_file *file)
{
    if (file != NULL)
        flush->files[flush->file_count++] = disk_file_ref(file);
}

// The active segment's indexes need no sync: recovery rebuilds them, since the recovery point never lies behind the
// active segment.
static int gather_data(struct log *log, int64_t upto, struct flush *flush)
{
    int64_t recovery_point = log_recovery_point(log);
    ptrdiff_t first = log_floor_segment(log, recovery_point);
    first = first < 0 ? 0 : first;
    flush->upto = upto;
    flush->files = mem_alloc((log->segment_count - (size_t)first) * SYNC_FILES_PER_SEGMENT *
                             sizeof *flush->files);
    int error = 0;
    for (size_t i = (size_t)first; i < log->segment_count && error == 0; i++) {
        struct segment *segment = log->segments[i];
        if (segment->base_offset >= upto)
            break;
        error = segment_open_file(segment);
        if (error != 0)
            break;
        if (segment->base_offset >= recovery_point)
            flush->with_dir = true;
        add_file(flush, segment->file);
        if (segment == log_active(log))
            break;
        error = log_need_indexes(log, segment);
        if (error == 0)
            error = index_file_write_out(&segment->offsets);
        if (error == 0)
            error = index_file_write_out(&segment->times);
        if (error != 0)
            break;
        add_file(flush, segment->offsets.file);
        add_file(flush, segment->times.file);
        add_file(flush, segment->txns.file);
    }
    return error;
}

static bool has_batches(const struct log *log)
{
    return log->segment_count > 1 || log->segments[0]->base_offset > 0 ||
           log->segments[0]->size_bytes > 0;
}

static void gather_small_files(struct log *log, struct flush *flush)
{
    flush->small_files = log->unsynced;
    log->unsynced = 0;
    if ((flush->small_files & UNSYNCED_EPOCHS_ANY) != 0)
        leader_epochs_print(&log->epochs, &flush->epochs);
    flush->topic_id = log->topic_id;
    flush->with_dir = flush->with_dir || flush->small_files != 0;
}

// False when there is nothing to do.
static bool gather(struct log *log, int64_t upto_offset, struct flush *flush, int *error)
{
    *flush = (struct flush){ .end_offset = log_end_offset(log),
                             .due_offset = log->flush_due_offset,
                             .upto = log_recovery_point(log),
                             .truncations = log->truncations,
                             .unsynced_bytes = log->unsynced_bytes,
                             .epochs = STRBUF_EMPTY };
    *error = atomic_load(&log->has_failed) ? -EIO : 0;
    if (*error != 0)
        return false;
    int64_t upto = upto_offset < flush->end_offset ? upto_offset : flush->end_offset;
    // Somebody who asked before us may have synced our bytes too.
    bool is_data_needed = upto > flush->upto;
    if (is_data_needed && upto > log_active(log)->base_offset)
        upto = flush->end_offset;
    if (is_data_needed)
        *error = gather_data(log, upto, flush);
    if (has_batches(log))
        gather_small_files(log, flush);
    flush->dir = mem_strdup(log->files.dir);
    return is_data_needed || flush->small_files != 0;
}

// ---- carrying out: without the lock -------------------------------------------------------------------

static int sync_parent(struct disk *disk, const char *dir)
{
    const char *slash = strrchr(dir, '/');
    if (slash == NULL || slash == dir)
        return 0;
    char *parent = mem_printf("%.*s", (int)(slash - dir), dir);
    int error = disk->ops->sync_dir(disk, parent);
    mem_free(parent);
    return error;
}

static int carry_out(struct disk *disk, const struct flush *flush)
{
    int error = 0;
    if ((flush->small_files & LOG_UNSYNCED_DIR) != 0)
        error = sync_parent(disk, flush->dir);
    if (error == 0 && (flush->small_files & UNSYNCED_EPOCHS_ANY) != 0) {
        char *path = mem_printf("%s/" LEADER_EPOCHS_FILE, flush->dir);
        error = disk_replace(disk, path, flush->epochs.data, flush->epochs.size, true);
        mem_free(path);
    }
    if (error == 0 && (flush->small_files & LOG_UNSYNCED_METADATA) != 0 &&
        !uuid_is_zero(flush->topic_id))
        error = partition_metadata_write(disk, flush->dir, flush->topic_id, true);
    for (size_t i = 0; i < flush->file_count && error == 0; i++)
        error = disk->ops->sync(flush->files[i]);
    if (error == 0 && flush->with_dir)
        error = disk->ops->sync_dir(disk, flush->dir);
    return error;
}

static void flush_fini(struct flush *flush)
{
    for (size_t i = 0; i < flush->file_count; i++)
        disk_file_unref(flush->files[i]);
    mem_free(flush->files);
    mem_free(flush->dir);
    strbuf_fini(&flush->epochs);
}

// ---- what has become true: under the lock -------------------------------------------------------------

// Returns whether more is due.
static bool settle(struct log *log, const struct flush *flush)
{
    bool was_cut = flush->truncations != log->truncations;
    if (!was_cut && flush->upto > log_recovery_point(log)) {
        atomic_store(&log->recovery_point, flush->upto);
        if (flush->upto == flush->end_offset)
            log->unsynced_bytes -= flush->unsynced_bytes;
        atomic_store(&log->last_flush_ms, clock_wall_ms(log->files.clock));
    }
    if (log_flush_limit(log) == INT64_MAX)
        return false;
    bool is_data_due = log->flush_due_offset > log_recovery_point(log);
    bool is_more_due = is_data_due || ((log->unsynced & LOG_UNSYNCED_DUE) != 0 && has_batches(log));
    // Of what was there when it began all that was due is done, unless it was a flush of older segments only.
    int64_t done = flush->due_offset > flush->upto ? flush->upto : flush->end_offset;
    if (!is_more_due)
        atomic_store_explicit(&log->flush_limit, INT64_MAX, memory_order_release);
    else if (!was_cut && done > log_flush_limit(log))
        atomic_store_explicit(&log->flush_limit, done, memory_order_release);
    log->pending_events |= 1u << LOG_FLUSHED;
    return is_more_due;
}

static int flush_upto(struct log *log, int64_t upto_offset, bool only_due)
{
    struct flush flush;
    int error;
    bool is_more_due = false;
    pthread_mutex_lock(&log->flush_lock);
    log_lock(log);
    if (only_due)
        upto_offset = log->flush_due_offset > log_recovery_point(log) ? INT64_MAX : 0;
    bool is_needed = gather(log, upto_offset, &flush, &error);
    log_unlock(log);
    if (is_needed && error == 0)
        error = carry_out(log->files.disk, &flush);
    log_lock(log);
    if (is_needed && error != 0)
        // What a failed sync left on the disk is unknown, whatever a second one says.
        log_fail(log, "sync", error);
    else if (error == 0)
        is_more_due = settle(log, &flush);
    if (error != 0)
        log->pending_events |=
            1u << LOG_FLUSHED;              // (2): whatever made it fail, who waits is told here
    pthread_mutex_unlock(&log->flush_lock); // first: log_unlock calls others
    log_unlock(log);
    flush_fini(&flush);
    if (is_more_due && log->flusher != NULL)
        log_flusher_submit(log->flusher, log); // (2), also when a truncation came between
    return error;
}

int log_flush(struct log *log, int64_t upto_offset)
{
    return flush_upto(log, upto_offset, false);
}

int log_flush_now(struct log *log)
{
    return flush_upto(log, 0, true);
}

int log_write_metadata(struct log *log)
{
    int error = 0;
    pthread_mutex_lock(&log->flush_lock);
    log_lock(log);
    bool is_wanted = (log->unsynced & LOG_UNSYNCED_METADATA) != 0 && !uuid_is_zero(log->topic_id) &&
                     !log->has_metadata_file && !atomic_load(&log->has_failed);
    log_unlock(log);
    // Still not synced: the first batch writes it again.
    if (is_wanted)
        error = partition_metadata_write(log->files.disk, log->files.dir, log->topic_id, false);
    pthread_mutex_unlock(&log->flush_lock);
    return error;
}
