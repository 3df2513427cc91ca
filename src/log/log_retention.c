// SPDX-License-Identifier: Apache-2.0
// The front of a log: where it starts, which of its oldest segments go, and when their files do.
//
//     base 0     base 40    base 90    base 130      log start 95, high watermark 150, log end 150
//     [.......]  [.......]  [..|....]  [.......]
//      start       start     ├ size: the log would still have retention.bytes without it
//      breached    breached  └ time: its largest timestamp is older than retention.ms
//
// Three passes, each from the oldest segment on until one is not breached: by log start (any cleanup.policy), then,
// with cleanup.policy=delete, by size and by time. A segment goes only as a whole and only below the high watermark;
// the active one too, when all of it is too old or too much: then a new empty one is made first. An empty active
// segment stays. The log start moves to the next segment before the files are renamed, so that no reader is sent into
// what is going:
//
//     log start, producers ──► B.log, .index, .timeindex, .txnindex, .snapshot renamed to *.deleted
//         ──► file.delete.delay.ms later: unlinked (log_delete_garbage); after a restart: at once (log_recovery.c)
//
// A crash between any two steps leaves whole segments at the front that are dropped again by the next pass, for the
// oldest is renamed first.
#include <errno.h>
#include <inttypes.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_internal.h"
#include "log/partition_dir.h"

// ---- the log start ----------------------------------------------------------------------------------

void log_move_start(struct log *log, int64_t offset)
{
    must(offset <= log_high_watermark(log));
    if (offset <= log_start_offset(log))
        return;
    log_note_change(log);
    log->pending_events |= 1u << LOG_EVENT_START;
    atomic_store(&log->start_offset, offset);
    if (log_recovery_point(log) < offset)
        atomic_store(&log->recovery_point, offset);
    producer_state_on_log_start(&log->producers, offset);
    log_update_first_unstable(log);
    // Not worth a sync that others would wait for: what the file says of epochs before the log start, a start drops.
    if (leader_epochs_truncate_start(&log->epochs, offset))
        log->unsynced |= LOG_UNSYNCED_EPOCHS_LATER;
}

enum kafka_error log_set_start_offset(struct log *log, int64_t offset)
{
    enum kafka_error answer = KERR_NONE;
    log_lock(log);
    if (atomic_load(&log->has_failed))
        answer = KERR_KAFKA_STORAGE_ERROR;
    else if (offset > log_high_watermark(log))
        answer = KERR_OFFSET_OUT_OF_RANGE;
    else
        log_move_start(log, offset);
    log_unlock(log);
    return answer;
}

// ---- what is too old or too much --------------------------------------------------------------------

struct retention {
    const char *reason;
    int64_t limit;  // retention.ms or retention.bytes
    int64_t now_ms; // by time
    int64_t excess; // by size: bytes that may go
    // Whether the segment, which holds batches, goes; `next` is NULL for the active one. 0 or -errno.
    int (*is_breached)(struct retention *retention, struct log *log, struct segment *segment,
                       const struct segment *next, bool *breached);
};

static int breaches_start(struct retention *retention, struct log *log, struct segment *segment,
                          const struct segment *next, bool *breached)
{
    (void)retention;
    (void)segment;
    *breached = next != NULL && next->base_offset <= log_start_offset(log);
    return 0;
}

static int breaches_size(struct retention *retention, struct log *log, struct segment *segment,
                         const struct segment *next, bool *breached)
{
    (void)log;
    (void)next;
    *breached = retention->excess >= segment->size_bytes;
    if (*breached)
        retention->excess -= segment->size_bytes;
    return 0;
}

// The segment's largest timestamp, or when its file was last written if no record has one. What is loaded for it is
// let go again: a pass over thousands of logs must not hold the indexes of all.
static int largest_timestamp(struct log *log, struct segment *segment, int64_t *timestamp)
{
    struct timestamp_offset max;
    bool is_idle = segment->file == NULL && segment->offsets.file == NULL;
    int error = segment->has_max_timestamp ? 0 : log_need_indexes(log, segment);
    if (error == 0)
        error = segment_max_timestamp(segment, &max);
    if (is_idle) {
        segment->is_used = false;
        segment_close_files(segment);
    }
    if (error != 0)
        return error;
    *timestamp = max.timestamp >= 0 ? max.timestamp : segment_modified_ms(segment);
    return *timestamp < 0 ? (int)*timestamp : 0;
}

static int breaches_time(struct retention *retention, struct log *log, struct segment *segment,
                         const struct segment *next, bool *breached)
{
    (void)next;
    int64_t largest = 0;
    int error = largest_timestamp(log, segment, &largest);
    if (error == 0 && retention->now_ms < largest && !segment->is_told_of_future) {
        segment->is_told_of_future = true;
        trace_warn(
            log->files.trace,
            "log segment has timestamps of the future, it stays dir=\"%s\" base_offset=%" PRId64
            " largest_timestamp=%" PRId64,
            log->files.dir, segment->base_offset, largest);
    }
    *breached = error == 0 && retention->now_ms - largest > retention->limit;
    return error;
}

// ---- a pass -----------------------------------------------------------------------------------------

// Locked. How many of the oldest segments go.
static int count_breached(struct log *log, struct retention *retention, size_t *count)
{
    int64_t high_watermark = log_high_watermark(log);
    int error = 0;
    for (*count = 0; *count < log->segment_count; ++*count) {
        struct segment *segment = log->segments[*count];
        const struct segment *next = segment == log_active(log) ? NULL : log->segments[*count + 1];
        int64_t end = next != NULL ? next->base_offset : log_end_offset(log);
        bool breached = false;
        if ((next == NULL && segment->size_bytes == 0) || high_watermark < end)
            break;
        error = retention->is_breached(retention, log, segment, next, &breached);
        if (error != 0 || !breached)
            break;
    }
    return error;
}

// Locked. A new active segment, since every one there is goes. Its name lasts before the others are renamed: were it
// lost alone, the log would begin at 0 again.
static int roll_last(struct log *log)
{
    int error = log_need_indexes(log, log_active(log));
    if (error == 0)
        error = log_roll_at(log, log_end_offset(log));
    if (error == 0)
        error = log->files.disk->ops->sync_dir(log->files.disk, log->files.dir);
    return error;
}

// Locked. Returns how many segments went, or -errno.
static int run_pass(struct log *log, struct retention *retention)
{
    size_t count;
    int error = count_breached(log, retention, &count);
    if (error != 0 || count == 0)
        return error;
    if (count == log->segment_count)
        error = roll_last(log);
    if (error != 0)
        return error;
    for (size_t i = 0; i < count; i++)
        trace_info(log->files.trace,
                   "log segment deleted dir=\"%s\" base_offset=%" PRId64 " size_bytes=%" PRId32
                   " because=\"%s\"",
                   log->files.dir, log->segments[i]->base_offset, log->segments[i]->size_bytes,
                   retention->reason);
    log_move_start(log, log->segments[count]->base_offset);
    error = log_remove_segments(log, 0, count);
    return error != 0 ? error : (int)count;
}

static int64_t size_of(const struct log *log)
{
    int64_t size = 0;
    for (size_t i = 0; i < log->segment_count; i++)
        size += log->segments[i]->size_bytes;
    return size;
}

int64_t log_size_bytes(struct log *log)
{
    log_lock(log);
    int64_t size = size_of(log);
    log_unlock(log);
    return size;
}

// Locked.
static int run_passes(struct log *log)
{
    const struct log_config *config = &log->config;
    struct retention by_start = { .reason = "log start offset", .is_breached = breaches_start };
    int total = run_pass(log, &by_start), result = total;
    if (!config->cleanup_delete)
        return total;
    if (result >= 0 && config->retention_bytes >= 0) {
        struct retention by_size = { .reason = "retention.bytes",
                                     .limit = config->retention_bytes,
                                     .excess = size_of(log) - config->retention_bytes,
                                     .is_breached = breaches_size };
        result = by_size.excess < 0 ? 0 : run_pass(log, &by_size);
        total += result;
    }
    if (result >= 0 && config->retention_ms >= 0) {
        struct retention by_time = { .reason = "retention.ms",
                                     .limit = config->retention_ms,
                                     .now_ms = clock_wall_ms(log->files.clock),
                                     .is_breached = breaches_time };
        result = run_pass(log, &by_time);
        total += result;
    }
    return result < 0 ? result : total;
}

int log_delete_old_segments(struct log *log)
{
    log_lock(log);
    int result = atomic_load(&log->has_failed) ? -EIO : run_passes(log);
    if (result < 0)
        log_fail(log, "delete old segments", result);
    log_unlock(log);
    return result;
}

// ---- files on their way out -------------------------------------------------------------------------

void log_add_garbage(struct log *log, int64_t base_offset)
{
    int64_t now = clock_wall_ms(log->files.clock), delay = log->config.file_delete_delay_ms;
    vec_reserve(log->garbage, log->garbage_count + 1, log->garbage_capacity);
    log->garbage[log->garbage_count++] =
        (struct log_garbage){ base_offset, delay > INT64_MAX - now ? INT64_MAX : now + delay };
    log->pending_events |= 1u << LOG_EVENT_FILES;
}

static int unlink_garbage(struct disk *disk, const char *dir, int64_t base_offset)
{
    static const char *const suffixes[] = { ".log.deleted", ".index.deleted", ".timeindex.deleted",
                                            ".txnindex.deleted", ".snapshot.deleted" };
    int error = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char *path = log_file_path(dir, base_offset, suffixes[i]);
        int result = disk->ops->unlink(disk, path);
        if (error == 0 && result != -ENOENT)
            error = result;
        mem_free(path);
    }
    return error;
}

int64_t log_garbage_due_ms(struct log *log)
{
    log_lock(log);
    int64_t due = log->garbage_count > 0 ? log->garbage[log->garbage_count - 1].due_ms : INT64_MIN;
    log_unlock(log);
    return due;
}

int log_delete_garbage(struct log *log)
{
    int64_t now = clock_wall_ms(log->files.clock);
    int64_t *due = NULL;
    size_t count = 0, capacity = 0, kept = 0;
    log_lock(log);
    for (size_t i = 0; i < log->garbage_count; i++) {
        if (log->garbage[i].due_ms > now) {
            log->garbage[kept++] = log->garbage[i];
            continue;
        }
        vec_reserve(due, count + 1, capacity);
        due[count++] = log->garbage[i].base_offset;
    }
    log->garbage_count = kept;
    // The directory may be renamed or removed meanwhile; then there is nothing to do.
    char *dir = mem_strdup(log->files.dir);
    log_unlock(log);
    int error = 0;
    for (size_t i = 0; i < count; i++) {
        int result = unlink_garbage(log->files.disk, dir, due[i]);
        error = error == 0 ? result : error;
    }
    mem_free(dir);
    mem_free(due);
    return error;
}
