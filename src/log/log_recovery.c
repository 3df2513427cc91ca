// SPDX-License-Identifier: Apache-2.0
// From a directory to a log.
//
//     list files ─► finish what compaction began, drop leftovers ─► segments
//        │ clean stop                              │ unclean: from the recovery point on
//        ▼                                         ▼
//     log end: the batches behind                every batch: sound? ascending? ─► indexes, epochs, producers
//     the last index entry                       the first that is not: cut there, drop later segments
//        └──────────────────┬──────────────────────┘
//                           ▼
//     epochs cut to [log start, log end) ─► producers: newest snapshot, and the batches behind it
//
// After a clean stop only the last few KB of the active segment and the snapshot are read. An index that is
// missing or cannot be right is rebuilt from its segment whenever that is noticed.
//
// Messages of magic 0 and 1 are kept like batches: they have no epoch and no producer.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_internal.h"
#include "log/partition_dir.h"
#include "log/segment_check.h"
#include "record/batch.h"

// What the headers of batches that were checked ahead may take: those of 8 GB in batches of 16 KiB.
enum { KNOWN_HEADERS_SIZE = 32 * 1024 * 1024 };

struct names {
    char **items;
    size_t count, capacity;
};

static int collect(void *arg, const char *name)
{
    struct names *names = arg;
    vec_reserve(names->items, names->count + 1, names->capacity);
    names->items[names->count++] = mem_strdup(name);
    return 0;
}

static void names_fini(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        mem_free(names->items[i]);
    mem_free(names->items);
    *names = (struct names){ 0 };
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t size = strlen(name), end = strlen(suffix);
    return size > end && strcmp(name + size - end, suffix) == 0;
}

// The offset that any of a segment's file names begins with, or -1.
static int64_t leading_offset(const char *name)
{
    const char *dot = strchr(name, '.');
    int64_t offset;
    if (dot == NULL || !str_to_int64((struct str){ name, (size_t)(dot - name) }, &offset) ||
        offset < 0)
        return -1;
    return offset;
}

static int unlink_name(struct log *log, const char *name)
{
    char *path = mem_printf("%s/%s", log->files.dir, name);
    int error = log->files.disk->ops->unlink(log->files.disk, path);
    mem_free(path);
    return error == -ENOENT ? 0 : error;
}

// Removes names[i] from disk and list (its place becomes the last one's).
static int drop(struct log *log, struct names *names, size_t i)
{
    int error = unlink_name(log, names->items[i]);
    mem_free(names->items[i]);
    names->items[i] = names->items[--names->count];
    return error;
}

// ---- what compaction and deletion left ----------------------------------------------------------------

static int drop_leftovers(struct log *log, struct names *names)
{
    int64_t min_cleaned = INT64_MAX;
    int error = 0;
    for (size_t i = 0; i < names->count && error == 0;) {
        const char *name = names->items[i];
        bool is_cleaned = ends_with(name, ".cleaned");
        if (is_cleaned && leading_offset(name) >= 0 && leading_offset(name) < min_cleaned)
            min_cleaned = leading_offset(name);
        if (is_cleaned ||
            (ends_with(name, ".deleted") && !ends_with(name, ".checkpoint.deleted")) ||
            ends_with(name, ".tmp"))
            error = drop(log, names, i);
        else
            i++;
    }
    // A .swap beside a .cleaned is of a compaction that had not finished writing.
    for (size_t i = 0; i < names->count && error == 0;) {
        if (ends_with(names->items[i], ".swap") && leading_offset(names->items[i]) >= min_cleaned)
            error = drop(log, names, i);
        else
            i++;
    }
    return error;
}

// The offset behind the last batch of a finished compaction's segment.
static int swap_end(struct log *log, const char *name, int64_t *end)
{
    char *path = mem_printf("%s/%s", log->files.dir, name);
    struct disk_file *file;
    int error = disk_open(log->files.disk, path, DISK_READ, &file);
    mem_free(path);
    if (error != 0)
        return error;
    int64_t size = disk_file_size(file);
    struct batch_scan scan;
    batch_scan_init(&scan, file, 0, size < 0 ? 0 : size);
    // One that nothing was left of covers at least the segment of its own name.
    if (leading_offset(name) >= *end)
        *end = leading_offset(name) + 1;
    while (batch_scan_next(&scan))
        if (batch_next_offset(scan.header) > *end)
            *end = batch_next_offset(scan.header);
    error = size < 0 ? (int)size : scan.error;
    batch_scan_fini(&scan);
    disk_file_unref(file);
    return error;
}

// A compaction that had finished (.swap files) is completed: the segments it covers go, then it takes their names.
static int complete_swaps(struct log *log, struct names *names)
{
    int64_t from = INT64_MAX, to = INT64_MIN;
    int error = 0;
    for (size_t i = 0; i < names->count && error == 0; i++) {
        if (!ends_with(names->items[i], ".log.swap"))
            continue;
        int64_t base = leading_offset(names->items[i]);
        from = base >= 0 && base < from ? base : from;
        error = swap_end(log, names->items[i], &to);
    }
    for (size_t i = 0; i < names->count && error == 0;) {
        int64_t offset = leading_offset(names->items[i]);
        if (!ends_with(names->items[i], ".swap") && offset >= 0 && offset >= from && offset < to)
            error = drop(log, names, i);
        else
            i++;
    }
    for (size_t i = 0; i < names->count && error == 0; i++) {
        if (!ends_with(names->items[i], ".swap"))
            continue;
        char *path = mem_printf("%s/%s", log->files.dir, names->items[i]);
        names->items[i][strlen(names->items[i]) - strlen(".swap")] = '\0';
        char *target = mem_printf("%s/%s", log->files.dir, names->items[i]);
        trace_info(log->files.trace, "log compaction completed file=\"%s\"", target);
        error = log->files.disk->ops->rename(log->files.disk, path, target);
        mem_free(path);
        mem_free(target);
    }
    return error;
}

static int load_segments(struct log *log, struct names *names)
{
    if (names->count == 0)
        return 0;
    qsort(names->items, names->count, sizeof *names->items, compare_names);
    for (size_t i = 0; i < names->count; i++) {
        int64_t base = log_file_offset(names->items[i], ".log");
        if (base < 0)
            continue;
        struct segment *segment;
        int error = segment_open(&log->files, base, &log->config, false, &segment);
        if (error != 0)
            return error;
        segment->txns.is_loaded = true; // empty, unless its file is found below
        log_add_segment(log, segment);
    }
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        int64_t snapshot = log_file_offset(name, ".snapshot");
        if (snapshot >= 0)
            producer_state_add_snapshot(&log->producers, snapshot);
        if (log_file_offset(name, ".index") < 0 && log_file_offset(name, ".timeindex") < 0 &&
            log_file_offset(name, ".txnindex") < 0)
            continue;
        ptrdiff_t at = log_floor_segment(log, leading_offset(name));
        if (at >= 0 && log->segments[at]->base_offset == leading_offset(name)) {
            if (log_file_offset(name, ".txnindex") >= 0)
                log->segments[at]->txns.is_loaded = false;
            continue;
        }
        trace_warn(log->files.trace, "index without segment deleted file=\"%s/%s\"", log->files.dir,
                   name);
        int error = unlink_name(log, name);
        if (error != 0)
            return error;
    }
    return 0;
}

// ---- recovering a segment -----------------------------------------------------------------------------

static int note_recovered(struct log *log, struct segment *segment, struct batch_scan *scan,
                          struct bytes batch)
{
    if (scan->is_old_format)
        batch = (struct bytes){ scan->header, BATCH_HEADER_SIZE };
    int error = segment_note_batch(segment, scan->header, (int32_t)scan->position);
    if (error != 0)
        return error;
    int32_t epoch = batch_leader_epoch(scan->header);
    if (epoch > leader_epochs_latest(&log->epochs) &&
        leader_epochs_assign(&log->epochs, epoch, batch_base_offset(scan->header)))
        log->unsynced |= LOG_UNSYNCED_EPOCHS;
    struct completed_txn completed;
    if (producer_state_apply(&log->producers, batch, &completed)) {
        struct aborted_txn aborted = { completed.producer_id, completed.first_offset,
                                       completed.last_offset,
                                       producer_state_stable_after(&log->producers, &completed) };
        if (completed.is_aborted)
            error = txn_index_append(&segment->txns, &aborted);
        producer_state_complete(&log->producers, &completed);
    }
    return error;
}

// Whether more of a batch than its header is to be read: to check it, or because it ends a transaction.
static bool needs_load(const struct batch_scan *scan, bool is_checked)
{
    return !is_checked || (batch_is_control(scan->header) && batch_has_producer_id(scan->header));
}

// Checks every batch that was not checked before and builds the indexes anew. *next_offset: in, what the first batch
// may begin with; out, the offset behind the last sound one. *cut_bytes were not sound and are gone.
static int recover_segment(struct log *log, struct segment *segment,
                           const struct segment_checked *checked, int64_t *next_offset,
                           int64_t *cut_bytes)
{
    int error = segment_reset(segment);
    if (error != 0)
        return error;
    struct batch_scan scan;
    const char *fault = NULL;
    int64_t sound = 0;
    if (checked->sound_bytes > 0)
        batch_scan_init(&scan, segment->file, 0, segment->size_bytes);
    else
        batch_scan_init_whole(&scan, segment->file, 0, segment->size_bytes);
    batch_scan_know(&scan, checked->headers, checked->header_count);
    while (error == 0 && batch_scan_next(&scan)) {
        bool is_checked = scan.position + scan.size <= checked->sound_bytes;
        struct bytes batch = { scan.header, BATCH_HEADER_SIZE };
        if (needs_load(&scan, is_checked) && !batch_scan_load(&scan, &batch))
            break;
        if (!is_checked && !batch_scan_is_intact(&scan, batch))
            fault = "wrong checksum";
        else if (batch_base_offset(scan.header) < *next_offset ||
                 !segment_can_hold(segment, batch_last_offset(scan.header)))
            fault = "offset out of order";
        if (fault != NULL)
            break;
        error = note_recovered(log, segment, &scan, batch);
        *next_offset = batch_next_offset(scan.header);
        sound = scan.position + scan.size;
    }
    if (error == 0)
        error = scan.error;
    if (error == 0 && scan.fault != NULL) {
        must(fault == NULL);
        fault = scan.fault;
    }
    batch_scan_fini(&scan);
    *cut_bytes = segment->size_bytes - sound;
    if (fault != NULL)
        trace_warn(log->files.trace,
                   "log recovery found damage file=\"%s/%020" PRId64 ".log\" position=%" PRId64
                   " fault=\"%s\" "
                   "cut_bytes=%" PRId64 " next_offset=%" PRId64,
                   log->files.dir, segment->base_offset, sound, fault, error != 0 ? 0 : *cut_bytes,
                   *next_offset);
    if (error == 0 && *cut_bytes > 0) {
        error = log->files.disk->ops->truncate(segment->file, sound);
        segment->size_bytes = (int32_t)sound;
    }
    return error;
}

static int finish_indexes(struct segment *segment)
{
    struct timestamp_offset max;
    int error = segment_max_timestamp(segment, &max);
    if (error == 0)
        error = time_index_append(&segment->times, max.timestamp, max.offset);
    if (error == 0)
        error = index_file_write_out(&segment->offsets);
    return error != 0 ? error : index_file_write_out(&segment->times);
}

int log_rebuild_segment_index(struct log *log, struct segment *segment)
{
    trace_info(log->files.trace, "log index rebuilt file=\"%s/%020" PRId64 ".index\"",
               log->files.dir, segment->base_offset);
    int error = segment_open_file(segment);
    if (error != 0)
        return error;
    // The aborted transactions cannot be told from this segment alone; what the file says is kept.
    int32_t txns = txn_index_load(&segment->txns) == 0 ? segment->txns.count : 0;
    index_file_reset(&segment->offsets);
    index_file_reset(&segment->times);
    segment->txns.count = txns;
    segment->txns.is_loaded = true;
    segment->has_max_timestamp = true;
    segment->max_timestamp = (struct timestamp_offset){ NO_TIMESTAMP, segment->base_offset };
    segment->bytes_since_index = 0;
    segment->recent_count = 0;
    struct batch_scan scan;
    batch_scan_init(&scan, segment->file, 0, segment->size_bytes);
    while (error == 0 && batch_scan_next(&scan)) {
        if (!segment_can_hold(segment, batch_base_offset(scan.header)) ||
            !segment_can_hold(segment, batch_last_offset(scan.header)))
            error = -EBADMSG;
        else
            error = segment_note_batch(segment, scan.header, (int32_t)scan.position);
    }
    if (error == 0)
        error = scan.error;
    // Behind damage there may be more batches than we have seen: the newest are not known.
    segment->recent_count = 0;
    batch_scan_fini(&scan);
    if (error == -EINVAL)
        error = -EBADMSG; // offsets that do not ascend
    return error != 0 ? error : finish_indexes(segment);
}

// ---- producers ----------------------------------------------------------------------------------------

static int replay_segment(struct log *log, struct segment *segment, int64_t upto)
{
    struct batch_position from;
    int error = log_need_indexes(log, segment);
    if (error == 0)
        error = segment_position_of(segment, log->producers.map_end_offset, &from);
    if (error != 0 || from.position < 0)
        return error;
    error = segment_open_file(segment);
    if (error != 0)
        return error;
    struct batch_scan scan;
    batch_scan_init(&scan, segment->file, from.position, segment->size_bytes);
    while (batch_scan_next(&scan) && batch_base_offset(scan.header) < upto) {
        struct bytes batch = { scan.header, BATCH_HEADER_SIZE };
        if (batch_is_control(scan.header) && batch_has_producer_id(scan.header) &&
            !batch_scan_load(&scan, &batch))
            break;
        if (batch.size > BATCH_HEADER_SIZE && !batch_is_intact(batch))
            continue; // its reader will be told
        struct completed_txn completed;
        if (producer_state_apply(&log->producers, batch, &completed))
            producer_state_complete(&log->producers, &completed);
    }
    error = scan.error;
    batch_scan_fini(&scan);
    return error;
}

int log_replay_producers(struct log *log, int64_t upto)
{
    int error = 0;
    ptrdiff_t first = log_floor_segment(log, log->producers.map_end_offset);
    for (size_t i = first < 0 ? 0 : (size_t)first; i < log->segment_count && error == 0; i++) {
        struct segment *segment = log->segments[i];
        if (segment->base_offset >= upto || log->producers.map_end_offset >= upto)
            break;
        if (log->producers.map_end_offset < segment->base_offset)
            log->producers.map_end_offset = segment->base_offset;
        if (segment->size_bytes > 0)
            error = replay_segment(log, segment, upto);
    }
    log->producers.map_end_offset = upto;
    return error != 0 ? error : producer_state_take_snapshot(&log->producers, false);
}

// Snapshots that end at no segment's base offset are leftovers, save the newest one if it is newer than all
// segments: that one is of a clean stop.
static int drop_stray_snapshots(struct log *log)
{
    for (size_t i = 0; i < log->producers.snapshot_count;) {
        int64_t offset = log->producers.snapshot_offsets[i];
        ptrdiff_t at = log_floor_segment(log, offset);
        bool is_base = at >= 0 && log->segments[at]->base_offset == offset;
        bool is_last =
            i + 1 == log->producers.snapshot_count && offset > log_active(log)->base_offset;
        if (is_base || is_last) {
            i++;
            continue;
        }
        int error = producer_state_delete_snapshot(&log->producers, offset);
        if (error != 0)
            return error;
    }
    return 0;
}

// ---- the whole log ------------------------------------------------------------------------------------

static int open_files(struct log *log, size_t first)
{
    int error = 0;
    for (size_t i = first; i < log->segment_count && error == 0; i++)
        error = segment_open_file(log->segments[i]);
    return error;
}

// What can be checked before it is known what comes before it, by several threads.
static struct segment_checked *check_ahead(struct log *log, size_t first, int threads)
{
    size_t count = log->segment_count - first;
    struct segment_checked *checked = mem_zalloc(count * sizeof *checked);
    if (threads > 1 && count > 1)
        segments_check(threads, log->segments + first, count, KNOWN_HEADERS_SIZE, checked);
    return checked;
}

// Recovers the segments from the recovery point on, and the state that goes with them.
static int recover_log(struct log *log, int64_t recovery_point, int64_t log_start, int threads,
                       int64_t *end_offset)
{
    ptrdiff_t floor = log_floor_segment(log, recovery_point);
    size_t first = floor < 0 ? 0 : (size_t)floor;
    int64_t next = log->segments[first]->base_offset, cut = 0;
    int error = drop_stray_snapshots(log);
    if (error == 0)
        error = producer_state_reload(&log->producers, log_start, next,
                                      clock_wall_ms(log->files.clock));
    if (error == 0 && log->producers.map_end_offset < next)
        error = log_replay_producers(log, next);
    if (error == 0)
        error = open_files(log, first);
    size_t i, count = log->segment_count;
    struct segment_checked *checked = error == 0 ? check_ahead(log, first, threads) : NULL;
    for (i = first; i < log->segment_count && error == 0 && cut == 0; i++) {
        struct segment *segment = log->segments[i];
        if (segment->base_offset > next)
            next = segment->base_offset; // a gap that deletion or compaction left
        log->producers.map_end_offset = next;
        error = recover_segment(log, segment, &checked[i - first], &next, &cut);
        if (error == 0 && i + 1 < log->segment_count)
            error = finish_indexes(segment);
        if (error == 0)
            error = producer_state_take_snapshot(&log->producers, false);
    }
    for (size_t n = 0; checked != NULL && n < count - first; n++)
        segment_checked_fini(&checked[n]);
    mem_free(checked);
    if (error == 0 && i < log->segment_count) {
        trace_warn(log->files.trace,
                   "log recovery drops later segments dir=\"%s\" from_offset=%" PRId64 " count=%zu",
                   log->files.dir, log->segments[i]->base_offset, log->segment_count - i);
        error = log_remove_segments(log, i, log->segment_count);
    }
    *end_offset = next;
    return error;
}

// The other indexes wait until somebody needs them: with thousands of logs most are not needed soon.
static int find_log_end(struct log *log, int64_t *end_offset)
{
    struct segment *active = log_active(log);
    struct offset_position last;
    int error = segment_load_offset_index(active);
    if (error == -ENOENT || error == -EBADMSG)
        error = log_rebuild_segment_index(log, active);
    if (error == 0)
        error = segment_next_offset(active, end_offset);
    if (error == 0)
        error = offset_index_last(&active->offsets, &last);
    // An index that knows of more than the segment has is of another one.
    if (error == 0 && active->offsets.count > 0 && last.offset >= *end_offset)
        error = -EBADMSG;
    return error;
}

static int create(struct log *log, int64_t base_offset)
{
    struct segment *segment;
    int error = segment_open(&log->files, base_offset, &log->config, true, &segment);
    if (error == 0)
        log_add_segment(log, segment);
    return error;
}

static bool is_empty(const struct log *log)
{
    for (size_t i = 0; i < log->segment_count; i++)
        if (log->segments[i]->size_bytes > 0)
            return false;
    return true;
}

// partition.metadata is written with the first batch, which is not acknowledged before (log_flush.c): a log without it
// holds nothing that anybody was promised. One that is there and unreadable is damage, unless the log is empty. Nobody
// synced that of a log that was empty when it was closed: its first batch writes it once more.
static int load_metadata(struct log *log, bool is_new)
{
    struct uuid topic_id = UUID_ZERO;
    int error =
        is_new ? -ENOENT : partition_metadata_read(log->files.disk, log->files.dir, &topic_id);
    if (error == -ENOENT || (error == -EBADMSG && is_empty(log))) {
        if (uuid_is_zero(log->topic_id))
            return 0;
        log->unsynced |= LOG_UNSYNCED_METADATA;
        return 0;
    }
    if (error == -EBADMSG)
        trace_error(log->files.trace, "partition.metadata unreadable dir=\"%s\"", log->files.dir);
    if (error != 0)
        return error;
    if (!uuid_is_zero(log->topic_id) && !uuid_eq(log->topic_id, topic_id))
        return -EEXIST;
    log->topic_id = topic_id;
    log->has_metadata_file = true;
    if (is_empty(log))
        log->unsynced |= LOG_UNSYNCED_METADATA | LOG_UNSYNCED_DIR;
    return 0;
}

static void set_offsets(struct log *log, int64_t start, int64_t end, int64_t recovery_point)
{
    atomic_store(&log->start_offset, start);
    atomic_store(&log->end_offset, end);
    atomic_store(&log->high_watermark, start);
    atomic_store(&log->recovery_point, recovery_point < end ? recovery_point : end);
    if (log_recovery_point(log) < start)
        atomic_store(&log->recovery_point, start);
}

static int load_files(struct log *log, const struct log_options *options, struct names *names)
{
    bool epochs_good;
    int error = drop_leftovers(log, names);
    if (error == 0)
        error = complete_swaps(log, names);
    if (error == 0)
        error = load_segments(log, names);
    if (error == 0)
        error = leader_epochs_load(&log->epochs, &epochs_good);
    if (error == 0 && log->segment_count == 0)
        error = create(log, options->log_start_offset);
    if (error != 0)
        return error;
    int64_t first_base = log->segments[0]->base_offset;
    int64_t start = options->log_start_offset > first_base ? options->log_start_offset : first_base,
            end = 0;
    bool is_clean = options->is_clean;
    if (is_clean) {
        error = find_log_end(log, &end);
        if (error == -EBADMSG) {
            trace_warn(log->files.trace, "log not as a clean stop leaves it: recovering dir=\"%s\"",
                       log->files.dir);
            is_clean = false;
        }
    }
    // A lost epoch file is made anew by reading all batches.
    bool has_batches = log_active(log)->size_bytes > 0 || log->segment_count > 1;
    int64_t from = !epochs_good && has_batches ? 0 : options->recovery_point;
    if (!is_clean || (!epochs_good && has_batches))
        error = recover_log(log, from, start, options->check_threads, &end);
    int64_t recovery_point = options->recovery_point;
    if (error == 0 && !is_clean && end < recovery_point) {
        // The checkpoint speaks of more than there is: of an earlier log of this name, or from before a truncation.
        trace_warn(
            log->files.trace,
            "log ends before its recovery point: all of it is checked dir=\"%s\" end=%" PRId64
            " recovery_point=%" PRId64,
            log->files.dir, end, recovery_point);
        recovery_point = start;
        if (from > first_base)
            error = recover_log(log, first_base, start, options->check_threads, &end);
    }
    if (error != 0)
        return error;
    if (end < start) {
        trace_warn(log->files.trace,
                   "log ends before its start: emptied dir=\"%s\" end=%" PRId64 " start=%" PRId64,
                   log->files.dir, end, start);
        error = log_remove_segments(log, 0, log->segment_count);
        leader_epochs_clear(&log->epochs);
        if (error == 0)
            error = producer_state_truncate_fully(&log->producers, start);
        if (error == 0)
            error = create(log, start);
        if (error != 0)
            return error;
        end = start;
    }
    set_offsets(log, start, end, is_clean ? end : recovery_point);
    bool changed = leader_epochs_truncate_end(&log->epochs, end);
    changed |= leader_epochs_truncate_start(&log->epochs, start);
    if (!epochs_good)
        log->unsynced |= LOG_UNSYNCED_EPOCHS;
    else if (changed)
        log->unsynced |= LOG_UNSYNCED_EPOCHS_LATER;
    if (!is_clean)
        log->unsynced |= LOG_UNSYNCED_DIR;
    error = drop_stray_snapshots(log);
    if (error == 0)
        error = producer_state_reload(&log->producers, start, end, clock_wall_ms(log->files.clock));
    if (error == 0 && log->producers.map_end_offset < end)
        error = log_replay_producers(log, end);
    return error;
}

int log_load(struct log *log, const struct log_options *options)
{
    struct disk *disk = log->files.disk;
    struct names names = { 0 };
    int error = options->is_new ? -ENOENT : disk->ops->list(disk, log->files.dir, collect, &names);
    bool is_new = error == -ENOENT;
    if (is_new)
        error = options->is_new ? 0 : disk->ops->mkdir(disk, log->files.dir);
    if (error != 0) {
        names_fini(&names);
        return error;
    }
    if (is_new) {
        struct segment *segment = segment_new(&log->files, options->log_start_offset, &log->config);
        segment_start_empty(segment);
        log_add_segment(log, segment);
        log->has_no_files = options->is_new;
        error = options->is_new ? 0 : segment_create_file(segment);
        if (error == 0)
            error = load_metadata(log, true);
        set_offsets(log, options->log_start_offset, options->log_start_offset,
                    options->log_start_offset);
        log->producers.map_end_offset = log->producers.last_snapshot_offset =
            options->log_start_offset;
        log->unsynced |= LOG_UNSYNCED_DIR;
        return error;
    }
    error = load_files(log, options, &names);
    names_fini(&names);
    return error != 0 ? error : load_metadata(log, false);
}
