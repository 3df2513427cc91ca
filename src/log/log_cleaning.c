// SPDX-License-Identifier: Apache-2.0
#include "log/log_cleaning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_internal.h"
#include "log/partition_dir.h"

// ---- what there is to clean -------------------------------------------------------------------------

// The first of the segments that Kafka means by "from an offset on": the one that holds it, or the very first.
static size_t first_from(const struct log *log, int64_t offset)
{
    ptrdiff_t floor = log_floor_segment(log, offset);
    return floor < 0 ? 0 : (size_t)floor;
}

static void choose_first_dirty(const struct log *log, int64_t checkpoint, struct log_cleanable *out)
{
    int64_t start = log_start_offset(log);
    out->is_checkpoint_wrong =
        checkpoint >= 0 && (checkpoint < start || checkpoint > log_end_offset(log));
    out->first_dirty_offset = checkpoint < 0 || out->is_checkpoint_wrong ? start : checkpoint;
}

// The largest timestamp of a segment; of one without any, when it was written last.
static int largest_timestamp(struct log *log, struct segment *segment, int64_t *out)
{
    struct timestamp_offset max;
    int error = log_need_indexes(log, segment);
    if (error == 0)
        error = segment_max_timestamp(segment, &max);
    if (error != 0)
        return error;
    *out = max.timestamp >= 0 ? max.timestamp : segment_modified_ms(segment);
    return *out < -1 ? (int)*out : 0;
}

// KIP-58: nothing from the first segment on that has a record younger than min.compaction.lag.ms.
static int apply_min_lag(struct log *log, int64_t now_ms, int64_t *uncleanable)
{
    int64_t lag_ms = log->config.min_compaction_lag_ms;
    for (size_t i = first_from(log, *uncleanable); lag_ms > 0 && i + 1 < log->segment_count; i++) {
        int64_t largest;
        int error = largest_timestamp(log, log->segments[i], &largest);
        if (error != 0)
            return error;
        if (largest > now_ms - lag_ms) {
            *uncleanable = log->segments[i]->base_offset;
            return 0;
        }
    }
    *uncleanable = INT64_MAX;
    return 0;
}

// KIP-354: how long ago max.compaction.lag.ms was over for the oldest record that is not cleaned.
static int apply_max_lag(struct log *log, int64_t now_ms, struct log_cleanable *out)
{
    int64_t oldest = INT64_MAX, lag_ms = log->config.max_compaction_lag_ms;
    out->overdue_ms = 0;
    if (lag_ms >= now_ms)
        return 0;
    for (size_t i = first_from(log, out->first_dirty_offset); i + 1 < log->segment_count; i++) {
        int64_t first;
        int error = segment_first_timestamp(log->segments[i], &first);
        if (error != 0)
            return error;
        if (first > 0 && first < oldest)
            oldest = first;
    }
    out->overdue_ms = oldest < now_ms - lag_ms ? now_ms - lag_ms - oldest : 0;
    return 0;
}

static void count_bytes(const struct log *log, int64_t uncleanable, struct log_cleanable *out)
{
    size_t end = log->segment_count - 1;
    if (uncleanable < log->segments[end]->base_offset)
        end = first_from(log, uncleanable);
    out->first_uncleanable_offset = log->segments[end]->base_offset;
    for (size_t i = first_from(log, out->first_dirty_offset); i < end; i++)
        out->cleanable_bytes += log->segments[i]->size_bytes;
    for (size_t i = 0; i < log->segment_count; i++)
        if (log->segments[i]->base_offset < out->first_dirty_offset)
            out->clean_bytes += log->segments[i]->size_bytes;
    int64_t total = out->clean_bytes + out->cleanable_bytes;
    out->ratio = total > 0 ? (double)out->cleanable_bytes / (double)total : 0;
}

// All is clean save what is in the active segment, and no segment lies before the log start.
static bool is_settled(const struct log *log, int64_t first_dirty_offset)
{
    return first_dirty_offset >= log->segments[log->segment_count - 1]->base_offset &&
           (log_start_offset(log) < log_segment_end(log, 0) || log->segments[0]->size_bytes == 0);
}

int log_cleanable(struct log *log, int64_t checkpoint, int64_t now_ms, struct log_cleanable *out)
{
    *out = (struct log_cleanable){ 0 };
    log_lock(log);
    int error = atomic_load(&log->has_failed) ? -ECANCELED : 0;
    if (error == 0) {
        choose_first_dirty(log, checkpoint, out);
        out->is_settled = is_settled(log, out->first_dirty_offset);
        int64_t uncleanable = log_last_stable_offset(log);
        int64_t young = out->first_dirty_offset;
        if (log_active(log)->base_offset < uncleanable)
            uncleanable = log_active(log)->base_offset;
        error = apply_min_lag(log, now_ms, &young);
        if (young < uncleanable)
            uncleanable = young;
        if (uncleanable < out->first_dirty_offset)
            uncleanable = out->first_dirty_offset;
        count_bytes(log, uncleanable, out);
        if (error == 0)
            error = apply_max_lag(log, now_ms, out);
    }
    log_unlock(log);
    return error;
}

// Not failed, and not on its way out: what is deleted must not get new files.
static bool is_in_service(const struct log *log)
{
    const char *slash = strrchr(log->files.dir, '/');
    const char *name = slash == NULL ? log->files.dir : slash + 1;
    return !atomic_load(&log->has_failed) && partition_dir_parse(name).kind != PARTITION_DIR_DELETE;
}

char *log_copy_dir(struct log *log)
{
    log_lock(log);
    char *dir = mem_strdup(log->files.dir);
    log_unlock(log);
    return dir;
}

// ---- lending ----------------------------------------------------------------------------------------

// Nobody reads it just now: its indexes were opened for a number only.
static void close_if_idle(struct segment *segment)
{
    if (segment->file != NULL)
        return;
    index_file_close(&segment->offsets);
    index_file_close(&segment->times);
    txn_index_close(&segment->txns);
}

// Locked. Lends one; 1 at the end.
static int lend(struct log *log, size_t i, int64_t upto, struct lent_segments *out)
{
    if (!is_in_service(log))
        return -ECANCELED;
    if (i + 1 >= log->segment_count || log->segments[i]->base_offset >= upto)
        return 1;
    struct segment *segment = log->segments[i];
    int error = log_need_indexes(log, segment);
    if (error != 0)
        return error;
    vec_reserve(out->items, out->count + 1, out->capacity);
    out->items[out->count++] =
        (struct lent_segment){ segment_ref(segment), segment->base_offset, segment->size_bytes,
                               (int64_t)segment->offsets.count * OFFSET_INDEX_ENTRY_SIZE,
                               (int64_t)segment->times.count * TIME_INDEX_ENTRY_SIZE };
    close_if_idle(segment);
    return 0;
}

int log_lend_segments(struct log *log, int64_t from, int64_t upto, struct lent_segments *out)
{
    int result = 0;
    *out = (struct lent_segments){ 0 };
    // The lock is let go between any two: there may be thousands, each with indexes to open.
    while (result == 0) {
        log_lock(log);
        size_t i = out->count == 0 ? first_from(log, from)
                                   : first_from(log, out->items[out->count - 1].base_offset) + 1;
        result = lend(log, i, upto, out);
        log_unlock(log);
    }
    if (result == 1)
        return 0;
    lent_segments_fini(out);
    return result;
}

void lent_segments_fini(struct lent_segments *lent)
{
    for (size_t i = 0; i < lent->count; i++)
        segment_unref(lent->items[i].segment);
    mem_free(lent->items);
    *lent = (struct lent_segments){ 0 };
}

static bool is_as_lent(struct log *log, const struct lent_segment *lent)
{
    return is_in_service(log) && !lent->segment->is_removed &&
           lent->segment->size_bytes == lent->size_bytes && lent->segment != log_active(log);
}

int log_open_lent(struct log *log, const struct lent_segment *lent, int64_t offset,
                  struct disk_file **file, int64_t *position)
{
    log_lock(log);
    struct segment *segment = lent->segment;
    int error = is_as_lent(log, lent) ? 0 : -ECANCELED;
    *position = 0;
    if (error == 0 && offset > lent->base_offset) {
        error = log_need_indexes(log, segment);
        if (error == 0)
            error = segment_floor_position(segment, offset, position);
    }
    if (error == 0)
        error = segment_open_file(segment);
    if (error == 0)
        *file = disk_file_ref(segment->file);
    log_unlock(log);
    return error;
}

bool log_has_lent(struct log *log, const struct lent_segment *lent)
{
    log_lock(log);
    bool has = is_as_lent(log, lent);
    log_unlock(log);
    return has;
}

int64_t log_lent_modified_ms(struct log *log, const struct lent_segment *lent)
{
    log_lock(log);
    int64_t modified_ms = is_as_lent(log, lent) ? segment_modified_ms(lent->segment) : -ECANCELED;
    log_unlock(log);
    return modified_ms;
}

// ---- transactions and producers ---------------------------------------------------------------------

// Reads entries [0, count) of a .txnindex, without the lock.
static int read_txns(struct disk_file *file, int32_t count, int64_t from, int64_t upto,
                     struct aborted_txns *out, bool *is_complete)
{
    size_t size = (size_t)count * TXN_INDEX_ENTRY_SIZE;
    uint8_t *entries = mem_alloc(size);
    ssize_t n = disk_pread(file, entries, size, 0);
    int error = n < 0 ? (int)n : n < (ssize_t)size ? -ECANCELED : 0;
    for (int32_t i = 0; i < count && error == 0 && !*is_complete; i++) {
        struct aborted_txn txn;
        error = txn_index_decode(entries + (size_t)i * TXN_INDEX_ENTRY_SIZE, &txn);
        if (error != 0)
            break;
        // Behind this last stable offset no earlier transaction was open.
        *is_complete = txn.last_stable_offset >= upto;
        if (txn.last_offset < from || txn.first_offset >= upto)
            continue;
        vec_reserve(out->items, out->count + 1, out->capacity);
        out->items[out->count++] = txn;
    }
    mem_free(entries);
    return error;
}

int log_collect_aborted(struct log *log, int64_t from, int64_t upto, struct aborted_txns *out)
{
    int error = 0;
    bool is_complete = false, is_last = false;
    int64_t after = from;
    *out = (struct aborted_txns){ 0 };
    for (size_t n = 0; error == 0 && !is_complete && !is_last; n++) {
        struct disk_file *file = NULL;
        int32_t count = 0;
        log_lock(log);
        size_t i = first_from(log, after) + (n > 0);
        is_last = i >= log->segment_count;
        if (!is_in_service(log)) {
            error = -ECANCELED;
        } else if (!is_last) {
            struct segment *segment = log->segments[i];
            after = segment->base_offset;
            error = txn_index_load(&segment->txns);
            count = segment->txns.count;
            if (error == 0 && count > 0)
                error = txn_index_open(&segment->txns);
            if (error == 0 && count > 0)
                file = disk_file_ref(segment->txns.file);
        }
        log_unlock(log);
        if (file != NULL)
            error = read_txns(file, count, from, upto, out, &is_complete);
        disk_file_unref(file);
    }
    if (error != 0) {
        mem_free(out->items);
        *out = (struct aborted_txns){ 0 };
    }
    return error;
}

static int by_producer_id(const void *a, const void *b)
{
    const struct last_record *x = a, *y = b;
    return (x->producer_id > y->producer_id) - (x->producer_id < y->producer_id);
}

void log_last_records(struct log *log, struct last_record **out, size_t *count)
{
    log_lock(log);
    *out = mem_alloc((log->producers.entries.count + 1) * sizeof **out);
    *count = 0;
    struct producer_entry *entry;
    for (size_t i = 0; (entry = hashmap_next(&log->producers.entries, &i)) != NULL;)
        (*out)[(*count)++] = (struct last_record){
            entry->producer_id,
            entry->batch_count == 0 ? -1 : entry->batches[entry->batch_count - 1].last_offset,
            entry->epoch,
        };
    log_unlock(log);
    qsort(*out, *count, sizeof **out, by_producer_id);
}

// ---- files ------------------------------------------------------------------------------------------

static const char *const suffixes[] = { ".log", ".index", ".timeindex", ".txnindex" };
enum { SUFFIXES = sizeof suffixes / sizeof *suffixes };

static char *path_of(const struct log *log, int64_t base_offset, const char *suffix,
                     const char *stage)
{
    char *plain = log_file_path(log->files.dir, base_offset, suffix);
    char *path = mem_printf("%s%s", plain, stage);
    mem_free(plain);
    return path;
}

int log_create_cleaned(struct log *log, int64_t base_offset, const char *suffix,
                       struct disk_file **out)
{
    log_lock(log);
    int error = -ECANCELED;
    if (is_in_service(log)) {
        char *path = path_of(log, base_offset, suffix, ".cleaned");
        error = disk_open(log->files.disk, path, DISK_CREATE | DISK_TRUNCATE, out);
        mem_free(path);
    }
    log_unlock(log);
    return error;
}

// Locked. In a directory that is being deleted they go with the rest.
static void discard(struct log *log, int64_t base_offset, const char *stage)
{
    if (!is_in_service(log))
        return;
    for (size_t i = 0; i < SUFFIXES; i++) {
        char *path = path_of(log, base_offset, suffixes[i], stage);
        log->files.disk->ops->unlink(log->files.disk, path);
        mem_free(path);
    }
}

void log_discard_cleaned(struct log *log, int64_t base_offset)
{
    log_lock(log);
    discard(log, base_offset, ".cleaned");
    log_unlock(log);
}

// Locked. The .log goes first in both steps. Until the last .cleaned is a .swap, recovery drops them all; once the
// .log has its own name, it keeps what is there.
static int rename_stage(struct log *log, int64_t base_offset, const char *from, const char *to)
{
    int error = 0;
    for (size_t i = 0; i < SUFFIXES && error == 0; i++) {
        char *old = path_of(log, base_offset, suffixes[i], from);
        char *new = path_of(log, base_offset, suffixes[i], to);
        error = log->files.disk->ops->rename(log->files.disk, old, new);
        if (error == -ENOENT && i > 0)
            error = 0; // most have no .txnindex
        mem_free(old);
        mem_free(new);
    }
    return error;
}

static int sync_dir_unlocked(struct log *log)
{
    char *dir = mem_strdup(log->files.dir);
    log_unlock(log);
    int error = log->files.disk->ops->sync_dir(log->files.disk, dir);
    log_lock(log);
    // Renamed meanwhile, which synced it.
    if (error == -ENOENT && strcmp(dir, log->files.dir) != 0)
        error = 0;
    mem_free(dir);
    return error;
}

// Locked. Where the lent ones are in the log, all of them; -1 when they are not.
static ptrdiff_t find_lent(struct log *log, const struct lent_segment *lent, size_t count)
{
    ptrdiff_t at = log_floor_segment(log, lent[0].base_offset);
    if (at < 0 || (size_t)at + count >= log->segment_count)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (log->segments[(size_t)at + i] != lent[i].segment || !is_as_lent(log, &lent[i]))
            return -1;
    return at;
}

// Locked. .swap files are there and last.
static int swap_in(struct log *log, size_t at, size_t count, int64_t base_offset)
{
    int error = 0;
    for (size_t i = at; i < at + count && error == 0; i++) {
        error = segment_mark_deleted(log->segments[i]);
        if (error == 0 && log->segments[i]->base_offset != base_offset)
            error = producer_state_mark_snapshot_deleted(&log->producers,
                                                         log->segments[i]->base_offset);
    }
    if (error == 0)
        error = rename_stage(log, base_offset, ".swap", "");
    struct segment *cleaned;
    if (error == 0)
        error = segment_open(&log->files, base_offset, &log->config, false, &cleaned);
    if (error != 0)
        return error;
    for (size_t i = at; i < at + count; i++) {
        log_add_garbage(log, log->segments[i]->base_offset);
        segment_unref(log->segments[i]);
    }
    log->segments[at] = cleaned;
    memmove(log->segments + at + 1, log->segments + at + count,
            (log->segment_count - at - count) * sizeof *log->segments);
    log->segment_count -= count - 1;
    log->replacements++;
    return 0;
}

int log_replace_segments(struct log *log, const struct lent_segment *lent, size_t count,
                         int64_t base_offset)
{
    must(count > 0 && lent[0].base_offset == base_offset);
    pthread_mutex_lock(&log->replace_lock);
    log_lock(log);
    int error = 0;
    ptrdiff_t at = find_lent(log, lent, count);
    if (at < 0) {
        error = -ECANCELED;
        discard(log, base_offset, ".cleaned");
    }
    if (error == 0)
        error = rename_stage(log, base_offset, ".cleaned", ".swap");
    if (error == 0)
        error = sync_dir_unlocked(log);
    if (error == 0) {
        at = find_lent(log, lent, count);
        if (at >= 0) {
            error = swap_in(log, (size_t)at, count, base_offset);
        } else {
            error = -ECANCELED; // retention took one
            discard(log, base_offset, ".swap");
        }
    }
    pthread_mutex_unlock(&log->replace_lock);
    if (error == 0)
        error = sync_dir_unlocked(log);
    if (error != 0 && error != -ECANCELED)
        log_fail(log, "swap in a cleaned segment", error);
    log_unlock(log);
    return error;
}

void log_fail_cleaning(struct log *log, int error)
{
    log_lock(log);
    log_fail(log, "clean", error);
    log_unlock(log);
}
