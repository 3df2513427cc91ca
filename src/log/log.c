// SPDX-License-Identifier: Apache-2.0
// A log's life, its offsets and upkeep. The rest: log_append.c, log_flush.c, log_read.c, log_retention.c,
// log_truncate.c, log_recovery.c.
//
// What the hot paths cost:
//   append   2 uncontended locks (one to copy the few settings that validation needs, one to append), 1 pwrite, or one
//            for all that came together (log_gather.c); no copy, no allocation. CRC and records are read before the
//            lock, while in cache. Every 4 KB an index entry goes to memory, every 512th of them to a file by a pwrite
//            of 4 KB.
//   read     1 lock; no system call when the batch is among the last 64 of the active segment (1 atomic for the
//            file's reference). Within the last 256 index entries (1 MB and more): 1 pread of 8 KB, lock-free; colder:
//            about 10 preads of the index first, lock-free too.
//   offsets  log end, log start, high watermark, last stable: an atomic load.
//   memory   an empty log is about 2 KB and no descriptor.
//   create   mkdir, one open for the segment; partition.metadata and the first leader epoch are written and synced with
//            the first append, which waits for that without holding a thread (log_flush.c).
#include "log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_internal.h"
#include "log/partition_dir.h"

enum { PRODUCER_ID_EXPIRATION_MS = 86400000 };

void log_lock_gathering(struct log *log)
{
    must_be(log, LOG_MAGIC);
    pthread_mutex_lock(&log->lock);
}

void log_lock(struct log *log)
{
    log_lock_gathering(log);
    if (log->gathered.count > 0)
        log_write_out(log); // a failure is the log's
}

void log_unlock(struct log *log)
{
    unsigned events = log->pending_events;
    log->pending_events = 0;
    if (events == 0) {
        pthread_mutex_unlock(&log->lock);
        return;
    }
    struct list waits, *link;
    list_init(&waits);
    if ((events & 1u << LOG_FLUSHED) != 0)
        list_splice(&waits, &log->flush_waits);
    void (*on_event)(void *, struct log *, enum log_event) = log->on_event;
    void *arg = log->arg;
    pthread_mutex_unlock(&log->lock);
    for (int event = LOG_EVENT_ROLLED; event < LOG_FLUSHED && on_event != NULL; event++)
        if ((events & 1u << event) != 0)
            on_event(arg, log, (enum log_event)event);
    while ((link = list_pop(&waits)) != NULL) {
        struct log_flush_wait *wait = container_of(link, struct log_flush_wait, _link);
        wait->on_flushed(wait);
    }
}

enum kafka_error log_fail(struct log *log, const char *doing, int error)
{
    must(error < 0);
    if (!atomic_exchange(&log->has_failed, true)) {
        trace_error(log->files.trace, "log failed dir=\"%s\" doing=\"%s\" error=\"%s\"",
                    log->files.dir, doing, strerror(-error));
        log->pending_events |= 1u << LOG_EVENT_FAILED;
    }
    return KERR_KAFKA_STORAGE_ERROR;
}

ptrdiff_t log_floor_segment(const struct log *log, int64_t offset)
{
    size_t low = 0, high = log->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->segments[middle]->base_offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return (ptrdiff_t)low - 1;
}

void log_add_segment(struct log *log, struct segment *segment)
{
    must(log->segment_count == 0 || log_active(log)->base_offset < segment->base_offset);
    vec_reserve(log->segments, log->segment_count + 1, log->segment_capacity);
    log->segments[log->segment_count++] = segment;
}

int log_remove_segments(struct log *log, size_t from, size_t to)
{
    int error = 0;
    for (size_t i = from; i < to; i++) {
        // After a failure the others keep their names: no hole between files that a restart finds.
        if (error == 0)
            error = segment_mark_deleted(log->segments[i]);
        if (error == 0)
            error = producer_state_mark_snapshot_deleted(&log->producers,
                                                         log->segments[i]->base_offset);
        log_add_garbage(log, log->segments[i]->base_offset);
        segment_unref(log->segments[i]);
    }
    memmove(log->segments + from, log->segments + to,
            (log->segment_count - to) * sizeof *log->segments);
    log->segment_count -= to - from;
    log->truncations++;
    return error;
}

int log_need_files(struct log *log)
{
    if (!log->has_no_files)
        return 0;
    int error = log->files.disk->ops->mkdir(log->files.disk, log->files.dir);
    if (error == 0)
        error = segment_create_file(log_active(log));
    log->has_no_files = error != 0;
    return error;
}

int log_make_files(struct log *log)
{
    log_lock(log);
    int error = atomic_load(&log->has_failed) ? 0 : log_need_files(log);
    if (error != 0)
        log_fail(log, "make the directory", error);
    segment_close_files(log_active(log));
    log_unlock(log);
    return error;
}

int64_t log_segment_end(const struct log *log, size_t i)
{
    return i + 1 < log->segment_count ? log->segments[i + 1]->base_offset : log_end_offset(log);
}

// A time index that knows of more than its segment has is of another one.
static int check_times(const struct log *log, struct segment *segment)
{
    struct timestamp_offset last;
    int64_t end = log_segment_end(log, (size_t)log_floor_segment(log, segment->base_offset));
    int error = time_index_last(&segment->times, &last);
    return error == 0 && segment->times.count > 0 && last.offset >= end ? -EBADMSG : error;
}

int log_need_indexes(struct log *log, struct segment *segment)
{
    if (segment->offsets.is_loaded && segment->times.is_loaded && segment->txns.is_loaded)
        return 0;
    int error = segment_load_indexes(segment);
    if (error == 0)
        error = check_times(log, segment);
    return error == -ENOENT || error == -EBADMSG ? log_rebuild_segment_index(log, segment) : error;
}

void log_update_first_unstable(struct log *log)
{
    int64_t first = producer_state_first_unstable(&log->producers);
    int64_t start = atomic_load_explicit(&log->start_offset, memory_order_relaxed);
    if (first >= 0 && first < start)
        first = start;
    atomic_store(&log->first_unstable, first < 0 ? INT64_MAX : first);
    atomic_store(&log->has_unreplicated, log->producers.unreplicated.count > 0);
}

// ---- open and close ---------------------------------------------------------------------------------

static void log_free(struct log *log)
{
    for (size_t i = 0; i < log->segment_count; i++)
        segment_unref(log->segments[i]);
    mem_free(log->segments);
    mem_free(log->garbage);
    leader_epochs_fini(&log->epochs);
    producer_state_fini(&log->producers);
    pthread_mutex_destroy(&log->lock);
    pthread_mutex_destroy(&log->replace_lock);
    pthread_mutex_destroy(&log->flush_lock);
    for (size_t i = 0; i < log->old_dir_count; i++)
        mem_free(log->old_dirs[i]);
    mem_free(log->old_dirs);
    mem_free(log->files.dir);
    mem_free(log->name);
    log->magic = 0;
    mem_free(log);
}

struct log *log_ref(struct log *log)
{
    must_be(log, LOG_MAGIC);
    atomic_fetch_add_explicit(&log->_refs, 1, memory_order_relaxed);
    return log;
}

void log_unref(struct log *log)
{
    if (log == NULL)
        return;
    must_be(log, LOG_MAGIC);
    if (atomic_fetch_sub_explicit(&log->_refs, 1, memory_order_acq_rel) == 1)
        log_free(log);
}

// No more service; others may still hold it.
static void log_retire(struct log *log)
{
    log_lock(log);
    log->on_event = NULL;
    atomic_store(&log->has_failed, true);
    log->pending_events |= 1u << LOG_FLUSHED;
    log_unlock(log);
    log_unref(log);
}

static char *name_of_dir(const char *dir)
{
    const char *slash = strrchr(dir, '/');
    struct partition_dir parsed = partition_dir_parse(slash == NULL ? dir : slash + 1);
    if (parsed.kind == PARTITION_DIR_NONE)
        return mem_strdup(slash == NULL ? dir : slash + 1);
    return mem_printf("%.*s-%" PRId32, STR_ARG(parsed.topic), parsed.partition);
}

int log_open(const struct log_options *options, struct log **out)
{
    struct log *log = mem_new(struct log);
    log->magic = LOG_MAGIC;
    atomic_init(&log->_refs, 1);
    pthread_mutex_init(&log->lock, NULL);
    pthread_mutex_init(&log->replace_lock, NULL);
    pthread_mutex_init(&log->flush_lock, NULL);
    log->files = (struct log_files){ options->disk, options->clock, options->trace,
                                     mem_strdup(options->dir) };
    log->name = name_of_dir(options->dir);
    log->config = *options->config;
    log->topic_id = options->topic_id;
    log->on_event = options->on_event;
    log->arg = options->arg;
    log->is_quiet = options->is_quiet;
    log->flusher = options->flusher;
    list_init(&log->flush_waits);
    log_gather_init(log);
    atomic_init(&log->flush_limit, INT64_MAX);
    atomic_init(&log->first_unstable, INT64_MAX);
    atomic_init(&log->last_flush_ms, clock_wall_ms(options->clock));
    leader_epochs_init(&log->epochs, &log->files);
    producer_state_init(&log->producers, &log->files,
                        options->producer_id_expiration_ms > 0 ? options->producer_id_expiration_ms
                                                               : PRODUCER_ID_EXPIRATION_MS);
    int error = log_load(log, options);
    if (error != 0) {
        log_free(log);
        return error;
    }
    for (size_t i = 0; i < log->segment_count; i++) {
        log->segments[i]->is_used = false;
        segment_close_files(log->segments[i]);
    }
    log_update_first_unstable(log);
    *out = log;
    return 0;
}

static int close_segment(struct segment *segment)
{
    if (!segment->times.is_loaded)
        return 0; // never touched, or only asked where it ends
    struct timestamp_offset max;
    int error = segment_max_timestamp(segment, &max);
    if (error == 0)
        error = time_index_append(&segment->times, max.timestamp, max.offset);
    if (error == 0)
        error = index_file_sync(&segment->offsets);
    if (error == 0)
        error = index_file_sync(&segment->times);
    return error != 0 ? error : txn_index_sync(&segment->txns);
}

int log_close(struct log *log)
{
    int error = 0;
    if (!atomic_load(&log->has_failed)) {
        error = log_make_files(log);
        if (error == 0)
            error = log_flush(log, INT64_MAX);
        if (error == 0)
            error = log_write_metadata(log);
        log_lock(log);
        log->on_event = NULL;
        if (error == 0)
            error = producer_state_take_snapshot(&log->producers, true);
        for (size_t i = 0; i < log->segment_count && error == 0; i++)
            error = close_segment(log->segments[i]);
        if (error != 0)
            log_fail(log, "close", error);
        log_unlock(log);
    } else {
        error = -EIO;
    }
    log_retire(log);
    return error;
}

void log_abandon(struct log *log)
{
    log_retire(log);
}

int log_delete(struct log *log)
{
    must_be(log, LOG_MAGIC);
    pthread_mutex_lock(&log->flush_lock); // a sync makes files
    atomic_store(&log->has_failed, true);
    int error = disk_remove_tree(log->files.disk, log->files.dir);
    pthread_mutex_unlock(&log->flush_lock);
    log_retire(log);
    return error;
}

int log_rename(struct log *log, const char *dir, bool is_synced)
{
    pthread_mutex_lock(&log->flush_lock); // a sync has the old path
    log_lock(log);
    struct disk *disk = log->files.disk;
    int error = log->has_no_files ? 0
                : is_synced       ? disk_rename_synced(disk, log->files.dir, dir)
                                  : disk->ops->rename(disk, log->files.dir, dir);
    if (error == 0) {
        // Who asked for the path may still hold it.
        vec_reserve(log->old_dirs, log->old_dir_count + 1, log->old_dir_capacity);
        log->old_dirs[log->old_dir_count++] = log->files.dir;
        log->files.dir = mem_strdup(dir);
    } else {
        log_fail(log, "rename", error);
    }
    pthread_mutex_unlock(&log->flush_lock); // first: log_unlock calls others
    log_unlock(log);
    return error;
}

void log_set_config(struct log *log, const struct log_config *config)
{
    log_lock(log);
    log->config = *config;
    log_unlock(log);
}

void log_get_config(struct log *log, struct log_config *out)
{
    log_lock_gathering(log);
    *out = log->config;
    log_unlock(log);
}

const char *log_dir(const struct log *log)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&log->lock;
    pthread_mutex_lock(lock);
    const char *dir = log->files.dir;
    pthread_mutex_unlock(lock);
    return dir;
}

const char *log_name(const struct log *log)
{
    return log->name;
}

struct uuid log_topic_id(const struct log *log)
{
    return log->topic_id;
}

int log_assign_topic_id(struct log *log, struct uuid topic_id)
{
    must(!uuid_is_zero(topic_id));
    int error = 0;
    log_lock(log);
    if (uuid_is_zero(log->topic_id)) {
        log->topic_id = topic_id;
        log->unsynced |= LOG_UNSYNCED_METADATA;
    } else if (!uuid_eq(log->topic_id, topic_id)) {
        error = -EEXIST;
    }
    log_unlock(log);
    return error;
}

// ---- offsets ----------------------------------------------------------------------------------------

int64_t log_start_offset(const struct log *log)
{
    return atomic_load_explicit(&log->start_offset, memory_order_acquire);
}

int64_t log_end_offset(const struct log *log)
{
    return atomic_load_explicit(&log->end_offset, memory_order_acquire);
}

int64_t log_first_segment_offset(struct log *log)
{
    log_lock(log);
    int64_t offset = log->segment_count > 0 ? log->segments[0]->base_offset : log_start_offset(log);
    log_unlock(log);
    return offset;
}

int64_t log_active_segment_offset(struct log *log)
{
    log_lock(log);
    int64_t offset = log->segment_count > 0 ? log_active(log)->base_offset : log_end_offset(log);
    log_unlock(log);
    return offset;
}

int64_t log_recovery_point(const struct log *log)
{
    return atomic_load_explicit(&log->recovery_point, memory_order_acquire);
}

int64_t log_high_watermark(const struct log *log)
{
    return atomic_load_explicit(&log->high_watermark, memory_order_acquire);
}

int64_t log_last_stable_offset(const struct log *log)
{
    int64_t high_watermark = log_high_watermark(log);
    int64_t unstable = atomic_load_explicit(&log->first_unstable, memory_order_acquire);
    return unstable < high_watermark ? unstable : high_watermark;
}

int64_t log_set_high_watermark(struct log *log, int64_t offset)
{
    int64_t start = log_start_offset(log), end = log_end_offset(log);
    offset = offset < start ? start : offset > end ? end : offset;
    atomic_store_explicit(&log->high_watermark, offset, memory_order_release);
    if (atomic_load_explicit(&log->has_unreplicated, memory_order_acquire)) {
        log_lock(log);
        producer_state_on_high_watermark(&log->producers, offset);
        log_update_first_unstable(log);
        log_unlock(log);
    }
    return offset;
}

// ---- leader epochs ----------------------------------------------------------------------------------

void log_assign_epoch_start(struct log *log, int32_t leader_epoch, int64_t start_offset)
{
    log_lock(log);
    if (!atomic_load(&log->has_failed) &&
        leader_epochs_assign(&log->epochs, leader_epoch, start_offset))
        log->has_new_epoch = true;
    log_unlock(log);
}

struct log_epoch_end log_epoch_end_offset(struct log *log, int32_t leader_epoch)
{
    log_lock(log);
    struct log_epoch_end end =
        leader_epochs_end_offset(&log->epochs, leader_epoch, log_end_offset(log));
    log_unlock(log);
    return end;
}

int32_t log_epoch_for_offset(struct log *log, int64_t offset)
{
    log_lock(log);
    int32_t epoch = leader_epochs_for_offset(&log->epochs, offset);
    log_unlock(log);
    return epoch;
}

int32_t log_latest_epoch(struct log *log)
{
    log_lock(log);
    int32_t epoch = leader_epochs_latest(&log->epochs);
    log_unlock(log);
    return epoch;
}

// ---- upkeep -----------------------------------------------------------------------------------------

int log_roll_at(struct log *log, int64_t base_offset)
{
    static const char *const stale[] = { ".index", ".timeindex", ".txnindex" };
    struct segment *active = log_active(log), *segment;
    must(base_offset >= log_end_offset(log));
    if (active->base_offset == base_offset)
        return 0; // nothing in it
    int error = segment_become_inactive(active);
    for (size_t i = 0; i < sizeof stale / sizeof *stale && error == 0; i++) {
        char *path = log_file_path(log->files.dir, base_offset, stale[i]);
        error = log->files.disk->ops->unlink(log->files.disk, path);
        error = error == -ENOENT ? 0 : error;
        mem_free(path);
    }
    if (error == 0)
        error = segment_open(&log->files, base_offset, &log->config, true, &segment);
    if (error != 0)
        return error;
    log_add_segment(log, segment);
    log->producers.map_end_offset = base_offset;
    log->pending_events |= 1u << LOG_EVENT_ROLLED;
    return producer_state_take_snapshot(&log->producers, false);
}

int log_roll(struct log *log)
{
    int error = 0;
    log_lock(log);
    if (atomic_load(&log->has_failed))
        error = -EIO;
    else if (log_active(log)->size_bytes > 0)
        error = log_need_indexes(log, log_active(log));
    if (error == 0 && log_active(log)->size_bytes > 0)
        error = log_roll_at(log, log_end_offset(log));
    if (error != 0)
        log_fail(log, "roll", error);
    log_unlock(log);
    return error;
}

void log_set_producer_id_expiration(struct log *log, int64_t expiration_ms)
{
    log_lock(log);
    log->producers.expiration_ms = expiration_ms;
    log_unlock(log);
}

void log_expire_producers(struct log *log)
{
    log_lock(log);
    if (log->producers.entries.count > 0)
        producer_state_expire(&log->producers, clock_wall_ms(log->files.clock));
    log_unlock(log);
}

void log_close_idle_files(struct log *log)
{
    log_lock(log);
    for (size_t i = 0; i < log->segment_count; i++)
        segment_close_files(log->segments[i]);
    log_unlock(log);
}

size_t log_producers(struct log *log, struct arena *arena, struct log_producer **out)
{
    log_lock(log);
    size_t count = 0;
    *out = arena_array(arena, struct log_producer, log->producers.entries.count);
    struct producer_entry *entry;
    for (size_t i = 0; (entry = hashmap_next(&log->producers.entries, &i)) != NULL;)
        (*out)[count++] = (struct log_producer){
            .producer_id = entry->producer_id,
            .producer_epoch = entry->epoch,
            .last_sequence =
                entry->batch_count == 0 ? -1 : entry->batches[entry->batch_count - 1].last_sequence,
            .last_timestamp = entry->last_timestamp,
            .coordinator_epoch = entry->coordinator_epoch,
            .current_txn_start_offset = entry->txn_first_offset,
        };
    log_unlock(log);
    return count;
}
