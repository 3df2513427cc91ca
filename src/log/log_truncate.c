// SPDX-License-Identifier: Apache-2.0
// Cutting the end off: a follower whose log parted from the leader's, or that starts over.
#include <errno.h>
#include <inttypes.h>

#include "base/must.h"
#include "log/log_internal.h"

static void lower(_Atomic int64_t *value, int64_t most)
{
    if (atomic_load(value) > most)
        atomic_store(value, most);
}

// Locked. The log is empty and goes on at `offset`.
static int start_over(struct log *log, int64_t offset)
{
    int error = log_need_files(log);
    if (error == 0)
        error = log_remove_segments(log, 0, log->segment_count);
    struct segment *segment;
    log->pending_events |= 1u << LOG_EVENT_TRUNCATED;
    log_note_change(log);
    if (error == 0)
        error = segment_open(&log->files, offset, &log->config, true, &segment);
    if (error == 0)
        log_add_segment(log, segment);
    leader_epochs_clear(&log->epochs);
    log->unsynced |= LOG_UNSYNCED_EPOCHS | LOG_UNSYNCED_DIR;
    if (error == 0)
        error = producer_state_truncate_fully(&log->producers, offset);
    atomic_store(&log->end_offset, offset);
    atomic_store(&log->start_offset, offset);
    atomic_store(&log->high_watermark, offset);
    lower(&log->recovery_point, offset);
    log_flush_truncated(log, offset);
    return error;
}

static int cut(struct log *log, int64_t offset)
{
    if (offset < log->segments[0]->base_offset)
        return start_over(log, offset);
    size_t keep = (size_t)log_floor_segment(log, offset) + 1;
    if (keep < log->segment_count)
        log->pending_events |= 1u << LOG_EVENT_TRUNCATED;
    int error = log_remove_segments(log, keep, log->segment_count);
    if (error == 0)
        error = log_need_indexes(log, log_active(log));
    if (error == 0)
        error = segment_truncate(log_active(log), offset);
    if (error != 0)
        return error;
    log->truncations++;
    log_note_change(log);
    atomic_store(&log->end_offset, offset);
    lower(&log->recovery_point, offset);
    lower(&log->start_offset, offset);
    lower(&log->high_watermark, offset);
    log_flush_truncated(log, offset);
    if (leader_epochs_truncate_end(&log->epochs, offset))
        log->unsynced |= LOG_UNSYNCED_EPOCHS;
    error = producer_state_reload(&log->producers, log_start_offset(log), offset,
                                  clock_wall_ms(log->files.clock));
    return error != 0 ? error : log_replay_producers(log, offset);
}

int log_truncate(struct log *log, int64_t offset)
{
    must(offset >= 0);
    int error = 0;
    pthread_mutex_lock(&log->replace_lock);
    log_lock(log);
    if (atomic_load(&log->has_failed)) {
        error = -EIO;
    } else if (offset < log_end_offset(log)) {
        if (offset < log_high_watermark(log))
            trace_warn(log->files.trace,
                       "log truncated below the high watermark dir=\"%s\" offset=%" PRId64
                       " high_watermark=%" PRId64,
                       log->files.dir, offset, log_high_watermark(log));
        error = cut(log, offset);
    } else if (leader_epochs_truncate_end(&log->epochs, log_end_offset(log))) {
        log->unsynced |= LOG_UNSYNCED_EPOCHS;
    }
    if (error != 0)
        log_fail(log, "truncate", error);
    log_update_first_unstable(log);
    pthread_mutex_unlock(&log->replace_lock);
    log_unlock(log); // calls back
    return error;
}

int log_truncate_fully(struct log *log, int64_t offset)
{
    must(offset >= 0);
    pthread_mutex_lock(&log->replace_lock);
    log_lock(log);
    int error = atomic_load(&log->has_failed) ? -EIO : start_over(log, offset);
    if (error != 0)
        log_fail(log, "truncate", error);
    log_update_first_unstable(log);
    pthread_mutex_unlock(&log->replace_lock);
    log_unlock(log); // calls back
    return error;
}
