// SPDX-License-Identifier: Apache-2.0
// Reading: finding positions, slices for sendfile, records by time.
//
// A lookup that memory cannot answer reads index and segment without the log's lock, on counted references, then
// takes the lock again and starts over if a truncation or a cleaned segment came between.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_internal.h"
#include "record/old_records.h"

enum { CHANGED = 1 }; // the log was truncated meanwhile, or an index rebuilt: start over

// Where and why, once for a segment: the reader is told again and again, as often as it asks.
static void tell_damage(struct log *log, struct segment *segment,
                        const struct segment_search *search)
{
    if (segment->is_damage_told || search->fault == NULL)
        return;
    segment->is_damage_told = true;
    trace_error(log->files.trace,
                "log damaged file=\"%s/%020" PRId64 ".log\" position=%" PRId32 " fault=\"%s\"",
                log->files.dir, segment->base_offset, search->from_position, search->fault);
}

// Locked; lets go of the lock while it reads files. The segment stays alive. 0, CHANGED or -errno.
static int find_position(struct log *log, struct segment *segment, int64_t offset, bool only_cached,
                         struct batch_position *found)
{
    struct segment_search search;
    int result = log_need_indexes(log, segment);
    if (result == 0)
        result = segment_find(segment, offset, found, &search);
    if (result != 1)
        return result;
    uint64_t moves = log->truncations + log->replacements;
    search.only_cached = only_cached;
    segment_ref(segment);
    log_unlock(log);
    result = segment_find_in_file(&search, offset, found);
    log_lock(log);
    bool was_rebuilt = segment->was_rebuilt;
    segment->was_rebuilt |= result == -EBADMSG;
    if (result == -EBADMSG && was_rebuilt && moves == log->truncations + log->replacements)
        tell_damage(log, segment, &search);
    segment_unref(segment);
    if (moves != log->truncations + log->replacements)
        return CHANGED;
    // An index that leads to no batch is made anew, once; if that is not it, the segment is damaged.
    if (result != -EBADMSG || was_rebuilt)
        return result;
    result = log_rebuild_segment_index(log, segment);
    return result == 0 ? CHANGED : result;
}

// Locked as above. Where in the segment that holds `position` a read up to `limit` has to end.
static int find_end(struct log *log, struct segment *segment, int64_t limit, bool only_cached,
                    int32_t *end)
{
    ptrdiff_t holder = log_floor_segment(log, limit);
    *end = segment->size_bytes;
    if (limit >= log_end_offset(log) || log->segments[holder] != segment)
        return 0;
    struct batch_position found;
    int32_t size = segment->size_bytes;
    int result = find_position(log, segment, limit, only_cached, &found);
    *end = result == 0 && found.position >= 0 ? found.position : size;
    return result;
}

static int find_slice(struct log *log, int64_t offset, int64_t limit, bool only_cached,
                      struct segment **segment, struct batch_position *found, int32_t *end)
{
    ptrdiff_t at = log_floor_segment(log, offset);
    must(at >= 0);
    for (size_t i = (size_t)at; i < log->segment_count; i++) {
        *segment = log->segments[i];
        if ((*segment)->base_offset >= limit)
            break;
        int result = find_position(log, *segment, offset, only_cached, found);
        if (result != 0)
            return result;
        if (found->position >= 0) {
            result = find_end(log, *segment, limit, only_cached, end);
            return result != 0 ? result : segment_open_file(*segment);
        }
    }
    *segment = NULL;
    return 0;
}

// Damage in one place leaves the rest of the log in service; a disk that does not answer does not.
static enum kafka_error read_failed(struct log *log, int error)
{
    return error == -EBADMSG ? KERR_CORRUPT_MESSAGE : log_fail(log, "read", error);
}

static enum kafka_error read_slice(struct log *log, int64_t offset, int32_t max_bytes,
                                   bool at_least_one_batch, int64_t end_offset_limit,
                                   bool only_cached, struct log_slice *out)
{
    memset(out, 0, sizeof *out);
    out->first_offset = offset;
    enum kafka_error answer = KERR_NONE;
    int result = 0;
    log_lock(log);
    do {
        int64_t end_offset = log_end_offset(log);
        int64_t limit = end_offset_limit < end_offset ? end_offset_limit : end_offset;
        if (atomic_load_explicit(&log->has_failed, memory_order_relaxed)) {
            answer = KERR_KAFKA_STORAGE_ERROR;
            break;
        }
        if (offset < log_start_offset(log) || offset > end_offset) {
            answer = KERR_OFFSET_OUT_OF_RANGE;
            break;
        }
        // Nothing may be given: a reader of many partitions has what it wanted already, and no place is looked up.
        if (offset >= limit || (max_bytes <= 0 && !at_least_one_batch))
            break;
        struct segment *segment;
        struct batch_position found;
        int32_t end;
        result = find_slice(log, offset, limit, only_cached, &segment, &found, &end);
        if (result != 0 || segment == NULL || found.position >= end)
            continue;
        int64_t size = max_bytes;
        if (at_least_one_batch && size < found.size)
            size = found.size;
        out->is_first_incomplete = size < found.size;
        if (size > end - found.position)
            size = end - found.position;
        if (size <= 0)
            continue;
        out->first_offset = found.base_offset;
        out->segment_base_offset = segment->base_offset;
        out->slice = (struct file_slice){ disk_file_ref(segment->file), found.position, size };
    } while (result == CHANGED);
    out->is_cold = only_cached && result == -EAGAIN;
    if (result < 0 && !out->is_cold)
        answer = read_failed(log, result);
    log_unlock(log);
    return answer;
}

enum kafka_error log_read(struct log *log, int64_t offset, int32_t max_bytes,
                          bool at_least_one_batch, int64_t end_offset_limit, struct log_slice *out)
{
    return read_slice(log, offset, max_bytes, at_least_one_batch, end_offset_limit, false, out);
}

enum kafka_error log_read_cached(struct log *log, int64_t offset, int32_t max_bytes,
                                 bool at_least_one_batch, int64_t end_offset_limit,
                                 struct log_slice *out)
{
    return read_slice(log, offset, max_bytes, at_least_one_batch, end_offset_limit, true, out);
}

// Bytes of the whole batches at the start of `data`.
static int64_t whole_batches(struct bytes data)
{
    struct bytes rest = data, batch;
    while (batch_next(&rest, &batch) == BATCH_FOUND) {
    }
    return rest.data - data.data;
}

static bool has_old_format(const uint8_t *data, size_t size)
{
    struct bytes rest = { data, size }, batch;
    while (batch_next(&rest, &batch) == BATCH_FOUND)
        if (batch_magic(batch.data) < BATCH_MAGIC)
            return true;
    return false;
}

// Who reads batches in memory need not know of messages of magic 0 and 1.
static int64_t convert_old(uint8_t **buffer, size_t *capacity, size_t size)
{
    struct bytes rest = { *buffer, size }, batch;
    struct strbuf out = STRBUF_EMPTY;
    bool is_good = true;
    while (is_good && batch_next(&rest, &batch) == BATCH_FOUND) {
        if (batch_magic(batch.data) < BATCH_MAGIC)
            is_good = old_records_convert(batch, &out);
        else
            strbuf_add(&out, batch.data, batch.size);
    }
    if (is_good) {
        vec_reserve(*buffer, out.size, *capacity);
        memcpy(*buffer, out.data, out.size);
    }
    int64_t result = is_good ? (int64_t)out.size : -EIO;
    strbuf_fini(&out);
    return result;
}

int64_t log_read_batches(struct log *log, int64_t offset, int32_t max_bytes,
                         int64_t end_offset_limit, uint8_t **buffer, size_t *capacity)
{
    struct log_slice slice;
    switch (log_read(log, offset, max_bytes, true, end_offset_limit, &slice)) {
    case KERR_NONE:
        break;
    case KERR_OFFSET_OUT_OF_RANGE:
        return -ERANGE;
    default:
        return -EIO;
    }
    if (slice.slice.file == NULL)
        return 0;
    vec_reserve(*buffer, (size_t)slice.slice.size, *capacity);
    ssize_t n =
        disk_pread(slice.slice.file, *buffer, (size_t)slice.slice.size, slice.slice.position);
    disk_file_unref(slice.slice.file);
    if (n < 0)
        return n;
    int64_t size = whole_batches((struct bytes){ *buffer, (size_t)n });
    return size <= 0                               ? -EIO
           : has_old_format(*buffer, (size_t)size) ? convert_old(buffer, capacity, (size_t)size)
                                                   : size;
}

// ---- by time ----------------------------------------------------------------------------------------

struct time_search {
    struct disk_file *file;
    int64_t from;
    int64_t end;
};

// Looks into one batch for the first record with timestamp >= wanted (or == when exact), from start_offset on.
static bool search_batch(const struct batch_scan *scan, struct bytes batch, int64_t wanted,
                         bool exact, int64_t start_offset, struct log_timestamp_offset *out)
{
    struct record_iter it;
    struct record record;
    bool found = false;
    record_iter_init(&it, batch, RECORDS_SKIP);
    while (!found && record_iter_next(&it, &record))
        found = record.offset >= start_offset &&
                (exact ? record.timestamp == wanted : record.timestamp >= wanted);
    record_iter_fini(&it);
    if (found)
        *out = (struct log_timestamp_offset){ record.timestamp, record.offset,
                                              batch_leader_epoch(scan->header) };
    return found;
}

// Without the lock. Lets go of the file.
static int search_file(struct time_search *search, int64_t wanted, bool exact, int64_t start_offset,
                       struct log_timestamp_offset *out)
{
    struct batch_scan scan;
    struct bytes batch;
    batch_scan_init(&scan, search->file, search->from, search->end);
    while (batch_scan_next(&scan)) {
        int64_t max = batch_max_timestamp(scan.header);
        if (exact ? max != wanted : max < wanted)
            continue;
        if (!batch_scan_load(&scan, &batch) ||
            search_batch(&scan, batch, wanted, exact, start_offset, out))
            break;
        if (exact)
            break;
    }
    int error = scan.error;
    batch_scan_fini(&scan);
    disk_file_unref(search->file);
    return error;
}

// Locked. The first segment whose largest timestamp is not below the wanted one, and where to begin in it.
static int find_time_segment(struct log *log, int64_t timestamp, struct time_search *search)
{
    search->file = NULL;
    for (size_t i = 0; i < log->segment_count; i++) {
        struct segment *segment = log->segments[i];
        struct timestamp_offset max;
        int error = log_need_indexes(log, segment);
        if (error == 0)
            error = segment_max_timestamp(segment, &max);
        if (error != 0)
            return error;
        int64_t largest = max.timestamp >= 0 ? max.timestamp : segment_modified_ms(segment);
        if (largest < timestamp)
            continue;
        struct timestamp_offset at;
        int64_t start = log_start_offset(log), position = 0;
        error = time_index_find(&segment->times, timestamp, &at);
        if (error == 0)
            error =
                segment_floor_position(segment, at.offset > start ? at.offset : start, &position);
        if (error == 0)
            error = segment_open_file(segment);
        if (error == 0)
            *search =
                (struct time_search){ disk_file_ref(segment->file), position, segment->size_bytes };
        return error;
    }
    return 0;
}

enum kafka_error log_offset_for_time(struct log *log, int64_t timestamp,
                                     struct log_timestamp_offset *out)
{
    *out = (struct log_timestamp_offset){ -1, -1, -1 };
    struct time_search search;
    log_lock(log);
    int64_t start = log_start_offset(log);
    int error = atomic_load(&log->has_failed) ? -EIO : find_time_segment(log, timestamp, &search);
    log_unlock(log);
    if (error == 0 && search.file != NULL)
        error = search_file(&search, timestamp, false, start, out);
    return error == 0          ? KERR_NONE
           : error == -EBADMSG ? KERR_CORRUPT_MESSAGE
                               : KERR_KAFKA_STORAGE_ERROR;
}

enum kafka_error log_max_timestamp_offset(struct log *log, struct log_timestamp_offset *out)
{
    *out = (struct log_timestamp_offset){ -1, -1, -1 };
    struct time_search search = { NULL, 0, 0 };
    struct timestamp_offset largest = { -1, -1 };
    struct segment *holder = NULL;
    log_lock(log);
    int error = atomic_load(&log->has_failed) ? -EIO : 0;
    for (size_t i = 0; i < log->segment_count && error == 0; i++) {
        struct timestamp_offset max;
        error = log_need_indexes(log, log->segments[i]);
        if (error == 0)
            error = segment_max_timestamp(log->segments[i], &max);
        if (error == 0 && max.timestamp > largest.timestamp) {
            largest = max;
            holder = log->segments[i];
        }
    }
    if (error == 0 && holder != NULL) {
        int64_t position = 0;
        error = segment_floor_position(holder, largest.offset, &position);
        if (error == 0)
            error = segment_open_file(holder);
        if (error == 0)
            search =
                (struct time_search){ disk_file_ref(holder->file), position, holder->size_bytes };
    }
    log_unlock(log);
    if (error == 0 && search.file != NULL)
        error = search_file(&search, largest.timestamp, true, 0, out);
    return error == 0 ? KERR_NONE : KERR_KAFKA_STORAGE_ERROR;
}

// ---- aborted transactions ---------------------------------------------------------------------------

enum kafka_error log_aborted_transactions(struct log *log, int64_t offset, int64_t end_offset,
                                          struct arena *arena, struct log_aborted_transaction **out,
                                          size_t *count)
{
    size_t capacity = 0;
    bool is_complete = false;
    *out = NULL;
    *count = 0;
    log_lock(log);
    int error = atomic_load(&log->has_failed) ? -EIO : 0;
    ptrdiff_t first = log_floor_segment(log, offset);
    for (size_t i = first < 0 ? 0 : (size_t)first;
         i < log->segment_count && error == 0 && !is_complete; i++) {
        struct txn_index *index = &log->segments[i]->txns;
        error = txn_index_load(index);
        for (int32_t n = 0; error == 0 && n < index->count && !is_complete; n++) {
            struct aborted_txn txn;
            error = txn_index_read(index, n, &txn);
            if (error != 0)
                break;
            // Behind this last stable offset no earlier transaction was open.
            is_complete = txn.last_stable_offset >= end_offset;
            if (txn.last_offset < offset || txn.first_offset >= end_offset)
                continue;
            if (*count == capacity) {
                capacity = capacity == 0 ? 8 : capacity * 2;
                struct log_aborted_transaction *grown =
                    arena_array(arena, struct log_aborted_transaction, capacity);
                if (*count > 0)
                    memcpy(grown, *out, *count * sizeof *grown);
                *out = grown;
            }
            (*out)[(*count)++] =
                (struct log_aborted_transaction){ txn.producer_id, txn.first_offset };
        }
    }
    log_unlock(log);
    return error == 0 ? KERR_NONE : KERR_KAFKA_STORAGE_ERROR;
}
