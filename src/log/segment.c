// SPDX-License-Identifier: Apache-2.0
#include "log/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/mem.h"
#include "base/must.h"
#include "log/partition_dir.h"

enum { SEGMENT_MAGIC = 0x5e67e471 };

static int64_t choose_jitter(const struct log_files *files, int64_t base_offset,
                             const struct log_config *config)
{
    int64_t most = config->segment_jitter_ms < config->segment_ms ? config->segment_jitter_ms
                                                                  : config->segment_ms;
    if (most <= 0)
        return 0;
    uint64_t hash =
        hash_bytes(files->dir, strlen(files->dir)) ^ hash_bytes(&base_offset, sizeof base_offset);
    return (int64_t)(hash % (uint64_t)most);
}

static int open_path(struct segment *s, int flags)
{
    char *path = log_file_path(s->files->dir, s->base_offset, ".log");
    int error = disk_open(s->files->disk, path, flags, &s->file);
    mem_free(path);
    return error;
}

struct segment *segment_new(const struct log_files *files, int64_t base_offset,
                            const struct log_config *config)
{
    struct segment *s = mem_new(struct segment);
    s->magic = SEGMENT_MAGIC;
    atomic_init(&s->_refs, 1);
    s->files = files;
    s->base_offset = base_offset;
    s->index_interval_bytes = config->index_interval_bytes;
    s->first_timestamp = INT64_MIN;
    s->created_ms = clock_wall_ms(files->clock);
    s->jitter_ms = choose_jitter(files, base_offset, config);
    offset_index_init(&s->offsets, files, base_offset, config->segment_index_bytes);
    time_index_init(&s->times, files, base_offset, config->segment_index_bytes);
    txn_index_init(&s->txns, files, base_offset);
    return s;
}

int segment_create_file(struct segment *s)
{
    return open_path(s, DISK_CREATE | DISK_TRUNCATE);
}

void segment_start_empty(struct segment *s)
{
    index_file_reset(&s->offsets);
    index_file_reset(&s->times);
    s->txns.is_loaded = true;
    s->has_max_timestamp = true;
    s->max_timestamp = (struct timestamp_offset){ NO_TIMESTAMP, s->base_offset };
}

int segment_open(const struct log_files *files, int64_t base_offset,
                 const struct log_config *config, bool create, struct segment **out)
{
    struct segment *s = segment_new(files, base_offset, config);
    int error;
    if (create) {
        error = segment_create_file(s);
        segment_start_empty(s);
    } else {
        char *path = log_file_path(files->dir, base_offset, ".log");
        struct disk_stat st;
        error = files->disk->ops->stat(files->disk, path, &st);
        mem_free(path);
        if (error == 0 && st.size_bytes > INT32_MAX)
            error = -EFBIG;
        if (error == 0)
            s->size_bytes = (int32_t)st.size_bytes;
    }
    if (error != 0)
        segment_unref(s);
    else
        *out = s;
    return error;
}

struct segment *segment_ref(struct segment *s)
{
    must_be(s, SEGMENT_MAGIC);
    atomic_fetch_add_explicit(&s->_refs, 1, memory_order_relaxed);
    return s;
}

void segment_unref(struct segment *s)
{
    if (s == NULL)
        return;
    must_be(s, SEGMENT_MAGIC);
    if (atomic_fetch_sub_explicit(&s->_refs, 1, memory_order_acq_rel) > 1)
        return;
    disk_file_unref(s->file);
    index_file_fini(&s->offsets);
    index_file_fini(&s->times);
    txn_index_fini(&s->txns);
    mem_free(s->recent);
    s->magic = 0;
    mem_free(s);
}

int segment_open_file(struct segment *s)
{
    s->is_used = true;
    return s->file != NULL ? 0 : open_path(s, DISK_WRITE);
}

int segment_load_offset_index(struct segment *s)
{
    struct offset_position last;
    int error = index_file_load(&s->offsets);
    if (error != 0 || s->offsets.count == 0)
        return error;
    error = offset_index_last(&s->offsets, &last);
    bool is_wrong = error == 0 && (last.offset < s->base_offset || last.position < 0 ||
                                   last.position >= s->size_bytes);
    return is_wrong ? -EBADMSG : error;
}

int segment_load_indexes(struct segment *s)
{
    int error = segment_load_offset_index(s);
    if (error == 0 || error == -ENOENT) {
        int other = index_file_load(&s->times);
        if (error == 0 && (other != -ENOENT || s->size_bytes > 0))
            error = other;
    }
    return error != 0 ? error : txn_index_load(&s->txns);
}

void segment_close_files(struct segment *s)
{
    if (s->is_used) {
        s->is_used = false;
        return;
    }
    disk_file_unref(s->file);
    s->file = NULL;
    index_file_close(&s->offsets);
    index_file_close(&s->times);
    txn_index_close(&s->txns);
}

int segment_reset(struct segment *s)
{
    index_file_reset(&s->offsets);
    index_file_reset(&s->times);
    s->offsets.max_entries = s->offsets.max_entries > 0 ? s->offsets.max_entries : 1;
    s->has_max_timestamp = true;
    s->max_timestamp = (struct timestamp_offset){ NO_TIMESTAMP, s->base_offset };
    s->first_timestamp = INT64_MIN;
    s->bytes_since_index = 0;
    s->recent_count = 0;
    return txn_index_reset(&s->txns);
}

// ---- appending --------------------------------------------------------------------------------------

static void remember(struct segment *s, const uint8_t *header, int32_t position)
{
    if (s->recent == NULL)
        s->recent = mem_alloc(SEGMENT_RECENT * sizeof *s->recent);
    s->recent[s->recent_count++ % SEGMENT_RECENT] =
        (struct segment_recent){ (int32_t)(batch_base_offset(header) - s->base_offset),
                                 (int32_t)(batch_last_offset(header) - s->base_offset), position };
}

int segment_note_batch(struct segment *s, const uint8_t *header, int32_t position)
{
    struct timestamp_offset so_far;
    int error = segment_max_timestamp(s, &so_far);
    if (error != 0)
        return error;
    int64_t last_offset = batch_last_offset(header);
    if (batch_max_timestamp(header) > so_far.timestamp)
        s->max_timestamp = (struct timestamp_offset){ batch_max_timestamp(header), last_offset };
    if (position == 0)
        s->first_timestamp = batch_max_timestamp(header);
    if (s->bytes_since_index > s->index_interval_bytes) {
        error = offset_index_append(&s->offsets, last_offset, position);
        if (error == 0)
            error =
                time_index_append(&s->times, s->max_timestamp.timestamp, s->max_timestamp.offset);
        if (error != 0)
            return error;
        s->bytes_since_index = 0;
    }
    s->bytes_since_index += (int32_t)batch_size(header);
    remember(s, header, position);
    return 0;
}

int segment_append(struct segment *s, const struct bytes *pieces, int count)
{
    struct iovec iov[SEGMENT_PIECES_MAX];
    size_t size = 0;
    must(count <= SEGMENT_PIECES_MAX);
    for (int i = 0; i < count; i++) {
        iov[i] = (struct iovec){ (void *)(uintptr_t)pieces[i].data, pieces[i].size };
        size += pieces[i].size;
    }
    must(size <= (size_t)(INT32_MAX - s->size_bytes));
    int error = segment_open_file(s);
    if (error == 0)
        error = disk_pwritev(s->file, iov, count, s->size_bytes);
    int32_t position = s->size_bytes;
    for (int i = 0; i < count; i++) {
        struct bytes rest = pieces[i], batch;
        while (error == 0 && batch_next(&rest, &batch) == BATCH_FOUND) {
            error = segment_note_batch(s, batch.data, position);
            position += (int32_t)batch.size;
        }
    }
    if (error == 0) {
        s->size_bytes = position;
        return 0;
    }
    if (s->file != NULL) {
        int again = s->files->disk->ops->truncate(s->file, s->size_bytes);
        if (again != 0)
            trace_error(s->files->trace,
                        "log append left bytes behind file=\"%s/%020" PRId64
                        ".log\" position=%" PRId32 " error=\"%s\"",
                        s->files->dir, s->base_offset, s->size_bytes, strerror(-again));
    }
    return error;
}

bool segment_can_hold(const struct segment *s, int64_t offset)
{
    return offset >= s->base_offset && offset - s->base_offset <= INT32_MAX;
}

static int load_first_timestamp(struct segment *s)
{
    if (s->first_timestamp != INT64_MIN || s->size_bytes == 0)
        return 0;
    int error = segment_open_file(s);
    if (error != 0)
        return error;
    struct batch_scan scan;
    batch_scan_init(&scan, s->file, 0, s->size_bytes);
    s->first_timestamp = batch_scan_next(&scan) ? batch_max_timestamp(scan.header) : NO_TIMESTAMP;
    error = scan.error;
    batch_scan_fini(&scan);
    return error;
}

int segment_first_timestamp(struct segment *s, int64_t *out)
{
    int error = load_first_timestamp(s);
    *out = s->first_timestamp;
    return error;
}

int segment_should_roll(struct segment *s, const struct log_config *config, int64_t now_ms,
                        size_t append_bytes, int64_t append_max_timestamp,
                        int64_t append_last_offset, bool *roll)
{
    int error = load_first_timestamp(s);
    if (error != 0)
        return error;
    // The age is counted in the records' own time as soon as there is a record with one.
    int64_t waited = s->first_timestamp >= 0
                         ? timestamp_minus(append_max_timestamp, s->first_timestamp)
                         : now_ms - s->created_ms;
    *roll = s->size_bytes > config->segment_bytes - (int64_t)append_bytes ||
            (s->size_bytes > 0 && waited > config->segment_ms - s->jitter_ms) ||
            offset_index_is_full(&s->offsets) || time_index_is_full(&s->times) ||
            !segment_can_hold(s, append_last_offset);
    return 0;
}

static int finish_time_index(struct segment *s)
{
    struct timestamp_offset max;
    int error = segment_max_timestamp(s, &max);
    return error != 0 ? error : time_index_append(&s->times, max.timestamp, max.offset);
}

int segment_become_inactive(struct segment *s)
{
    int error = finish_time_index(s);
    if (error == 0)
        error = index_file_write_out(&s->offsets);
    if (error == 0)
        error = index_file_write_out(&s->times);
    mem_free(s->recent);
    s->recent = NULL;
    s->recent_count = 0;
    return error;
}

// ---- looking up -------------------------------------------------------------------------------------

int segment_max_timestamp(struct segment *s, struct timestamp_offset *out)
{
    if (!s->has_max_timestamp) {
        int error = time_index_last(&s->times, &s->max_timestamp);
        if (error != 0)
            return error;
        s->has_max_timestamp = true;
    }
    *out = s->max_timestamp;
    return 0;
}

int64_t segment_modified_ms(struct segment *s)
{
    struct disk_stat st;
    char *path = log_file_path(s->files->dir, s->base_offset, ".log");
    int error = s->files->disk->ops->stat(s->files->disk, path, &st);
    mem_free(path);
    return error != 0 ? error : st.modified_ms;
}

int segment_next_offset(struct segment *s, int64_t *out)
{
    *out = s->base_offset;
    if (s->size_bytes == 0)
        return 0;
    if (s->recent_count > 0) {
        *out = s->base_offset + s->recent[(s->recent_count - 1) % SEGMENT_RECENT].last_delta + 1;
        return 0;
    }
    int64_t from;
    int error = segment_floor_position(s, INT64_MAX, &from);
    if (error == 0)
        error = segment_open_file(s);
    if (error != 0)
        return error;
    struct batch_scan scan;
    batch_scan_init(&scan, s->file, from, s->size_bytes);
    while (batch_scan_next(&scan)) {
        if (batch_next_offset(scan.header) <= *out) {
            scan.error = -EBADMSG;
            break;
        }
        *out = batch_next_offset(scan.header);
    }
    error = scan.error != 0 ? scan.error : scan.fault != NULL ? -EBADMSG : 0;
    batch_scan_fini(&scan);
    return error;
}

// Among the batches in memory: the first that ends at or after the offset. False: ask the index.
static bool find_recent(const struct segment *s, int64_t offset, struct batch_position *out)
{
    if (s->recent_count == 0)
        return false;
    uint32_t held = s->recent_count < SEGMENT_RECENT ? s->recent_count : SEGMENT_RECENT;
    uint32_t low = s->recent_count - held, high = s->recent_count;
    const struct segment_recent *oldest = &s->recent[low % SEGMENT_RECENT];
    int64_t delta = offset - s->base_offset;
    if (delta < oldest->first_delta && oldest->position != 0)
        return false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->recent[middle % SEGMENT_RECENT].last_delta < delta)
            low = middle + 1;
        else
            high = middle;
    }
    *out = (struct batch_position){ -1, -1, 0 };
    if (low < s->recent_count) {
        const struct segment_recent *found = &s->recent[low % SEGMENT_RECENT];
        int32_t end = low + 1 < s->recent_count ? s->recent[(low + 1) % SEGMENT_RECENT].position
                                                : s->size_bytes;
        *out = (struct batch_position){ s->base_offset + found->first_delta, found->position,
                                        end - found->position };
    }
    return true;
}

int segment_find(struct segment *s, int64_t offset, struct batch_position *out,
                 struct segment_search *search)
{
    if (find_recent(s, offset, out))
        return 0;
    memset(search, 0, sizeof *search);
    struct offset_position from;
    int result = offset_index_lookup(&s->offsets, offset, &from, &search->index);
    if (result < 0)
        return result;
    int error = segment_open_file(s);
    if (error != 0) {
        disk_file_unref(search->index.file);
        return error;
    }
    search->file = disk_file_ref(s->file);
    search->from_position = from.position;
    search->end_position = s->size_bytes;
    search->base_offset = s->base_offset;
    search->is_sparse = s->size_bytes / (s->offsets.count + 1) > BATCH_SCAN_AHEAD;
    return 1;
}

int segment_find_in_file(struct segment_search *search, int64_t offset, struct batch_position *out)
{
    int error = 0;
    *out = (struct batch_position){ -1, -1, 0 };
    if (search->index.file != NULL) {
        struct offset_position from;
        search->index.only_cached = search->only_cached;
        error = offset_index_search_file(&search->index, search->base_offset, offset, &from);
        search->from_position = from.position;
    }
    if (error == 0 && (search->from_position < 0 || search->from_position > search->end_position))
        error = -EBADMSG;
    if (error == 0) {
        struct batch_scan scan;
        batch_scan_init(&scan, search->file, search->from_position, search->end_position);
        scan.only_cached = search->only_cached;
        scan.is_sparse = search->is_sparse;
        while (batch_scan_next(&scan)) {
            if (batch_last_offset(scan.header) < offset)
                continue;
            *out = (struct batch_position){ batch_base_offset(scan.header), (int32_t)scan.position,
                                            (int32_t)scan.size };
            break;
        }
        error = scan.error != 0 ? scan.error : scan.fault != NULL ? -EBADMSG : 0;
        search->fault = scan.fault;
        search->from_position = (int32_t)scan.position;
        batch_scan_fini(&scan);
    }
    disk_file_unref(search->file);
    return error;
}

int segment_position_of(struct segment *s, int64_t offset, struct batch_position *out)
{
    struct segment_search search;
    int result = segment_find(s, offset, out, &search);
    return result == 1 ? segment_find_in_file(&search, offset, out) : result;
}

int segment_floor_position(struct segment *s, int64_t offset, int64_t *position)
{
    struct offset_position found;
    int error = offset_index_find(&s->offsets, offset, &found);
    *position = found.position;
    if (error == 0 && (found.position < 0 || found.position > s->size_bytes))
        error = -EBADMSG;
    return error;
}

// ---- cutting ----------------------------------------------------------------------------------------

// The largest timestamp of what is left: that of the index, or a batch behind its last entry.
static int reload_max_timestamp(struct segment *s)
{
    int64_t from = 0;
    s->has_max_timestamp = false;
    int error = segment_max_timestamp(s, &s->max_timestamp);
    if (error == 0)
        error = segment_floor_position(s, s->max_timestamp.offset, &from);
    if (error == 0)
        error = segment_open_file(s);
    if (error != 0)
        return error;
    struct batch_scan scan;
    batch_scan_init(&scan, s->file, from, s->size_bytes);
    while (batch_scan_next(&scan))
        if (batch_max_timestamp(scan.header) > s->max_timestamp.timestamp)
            s->max_timestamp = (struct timestamp_offset){ batch_max_timestamp(scan.header),
                                                          batch_last_offset(scan.header) };
    error = scan.error;
    batch_scan_fini(&scan);
    return error;
}

int segment_truncate(struct segment *s, int64_t offset)
{
    struct batch_position found;
    int error = segment_position_of(s, offset, &found);
    if (error == 0)
        error = segment_open_file(s);
    if (error == 0 && found.position >= 0)
        error = s->files->disk->ops->truncate(s->file, found.position);
    if (error != 0)
        return error;
    if (found.position >= 0)
        s->size_bytes = found.position;
    error = offset_index_truncate(&s->offsets, offset);
    if (error == 0)
        error = time_index_truncate(&s->times, offset);
    if (error == 0)
        error = txn_index_truncate(&s->txns, offset);
    s->recent_count = 0;
    s->bytes_since_index = 0;
    if (s->size_bytes == 0) {
        s->created_ms = clock_wall_ms(s->files->clock);
        s->first_timestamp = INT64_MIN;
    }
    return error != 0 ? error : reload_max_timestamp(s);
}

int segment_mark_deleted(struct segment *s)
{
    static const char *const suffixes[] = { ".log", ".index", ".timeindex", ".txnindex" };
    int error = 0;
    s->is_removed = true;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char *from = log_file_path(s->files->dir, s->base_offset, suffixes[i]);
        char *to = mem_printf("%s.deleted", from);
        int result = s->files->disk->ops->rename(s->files->disk, from, to);
        if (error == 0 && result != -ENOENT)
            error = result;
        mem_free(from);
        mem_free(to);
    }
    return error;
}
