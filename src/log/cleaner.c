// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/batch_reader.h"
#include "log/cleaned_segment.h"
#include "log/cleaner_filter.h"
#include "record/old_records.h"

enum { ASK_BYTES = 64 << 10 };

struct work {
    struct cleaning *c;
    struct log_config config;
    struct offset_map map;
    struct cleaner_filter filter;
    struct batch_reader reader;
    struct strbuf converted;         // of a message of magic 0 or 1: the batches
    int64_t old_tombstones_until_ms; // files modified up to here have lost theirs
    int64_t unasked_bytes;           // since the caller was told
};

// Tells the caller what was read and written. -ECANCELED when it wants no more.
static int account(struct work *w, int64_t bytes)
{
    w->unasked_bytes += bytes;
    if (w->unasked_bytes < ASK_BYTES)
        return 0;
    if (w->c->throttle != NULL)
        w->c->throttle(w->c->arg, w->unasked_bytes);
    w->unasked_bytes = 0;
    return w->c->is_over != NULL && w->c->is_over(w->c->arg) ? -ECANCELED : 0;
}

// What is wrong with a segment, unless it was truncated while it was read.
static int cannot(struct work *w, const struct lent_segment *lent, int error, const char *reason)
{
    if (!log_has_lent(w->c->log, lent))
        return -ECANCELED;
    trace_error(w->c->trace,
                "log cannot be cleaned file=\"%s/%020" PRId64 ".log\" position=%" PRId64
                " fault=\"%s\"",
                log_name(w->c->log), lent->base_offset, w->reader.position, reason);
    return error;
}

// Calls `each` for the batch that was read; for a message of magic 0 or 1, for what it is as batches.
static int for_batch(struct work *w, const struct lent_segment *lent, struct bytes batch,
                     struct cleaned_segment *cleaned,
                     int (*each)(struct work *w, const struct lent_segment *lent,
                                 struct bytes batch, struct cleaned_segment *cleaned))
{
    w->filter.is_old = w->reader.is_old;
    if (!w->reader.is_old)
        return each(w, lent, batch, cleaned);
    w->converted.size = 0;
    w->filter.old_attributes = old_records_attributes(batch.data);
    if (!old_records_convert(batch, &w->converted))
        return cannot(w, lent, -EBADMSG, "damaged message");
    struct bytes rest = { (const uint8_t *)w->converted.data, w->converted.size };
    int result = 0;
    while (result == 0 && batch_next(&rest, &batch) == BATCH_FOUND)
        result = each(w, lent, batch, cleaned);
    return result;
}

// ---- 1. the map -------------------------------------------------------------------------------------

static int map_batch(struct work *w, const struct lent_segment *lent, struct bytes batch,
                     struct cleaned_segment *unused)
{
    (void)unused;
    int result = cleaner_filter_map(&w->filter, batch, w->c->what.first_dirty_offset);
    if (result == -EBADMSG)
        return cannot(w, lent, result, w->filter.fault);
    w->c->bytes_mapped += (int64_t)batch.size;
    return result == 0 ? account(w, (int64_t)batch.size) : result;
}

// 1: the map is full.
static int map_segment(struct work *w, const struct lent_segment *lent, int64_t next_base)
{
    int64_t from = w->c->what.first_dirty_offset, position;
    struct disk_file *file;
    struct bytes batch;
    int error = log_open_lent(w->c->log, lent, from, &file, &position);
    if (error != 0)
        return error;
    batch_reader_open(&w->reader, file, position, lent->size_bytes);
    int result;
    while ((result = batch_reader_next(&w->reader, &batch)) == 1) {
        result = for_batch(w, lent, batch, NULL, map_batch);
        if (result != 0)
            break;
    }
    if (w->reader.fault != NULL)
        result = cannot(w, lent, result, w->reader.fault);
    disk_file_unref(file);
    // Offsets that earlier cleanings took out are known, too.
    if (result == 0)
        w->map.latest_offset = next_base - 1;
    return result;
}

static int fill_map(struct work *w)
{
    const struct log_cleanable *what = &w->c->what;
    struct aborted_txns aborted;
    struct lent_segments lent;
    struct cleaner_txns txns;
    int result = log_collect_aborted(w->c->log, what->first_dirty_offset,
                                     what->first_uncleanable_offset, &aborted);
    if (result != 0)
        return result;
    cleaner_txns_init(&txns, &aborted);
    w->filter.txns = &txns;
    result = log_lend_segments(w->c->log, what->first_dirty_offset, what->first_uncleanable_offset,
                               &lent);
    for (size_t i = 0; i < lent.count && result == 0; i++)
        result = map_segment(w, &lent.items[i],
                             i + 1 < lent.count ? lent.items[i + 1].base_offset
                                                : what->first_uncleanable_offset);
    lent_segments_fini(&lent);
    cleaner_txns_fini(&txns);
    w->filter.txns = NULL;
    return result == 1 ? 0 : result;
}

// ---- 2. groups --------------------------------------------------------------------------------------

size_t cleaner_group(const struct lent_segments *lent, size_t first,
                     const struct log_config *config, int64_t upto_offset)
{
    const struct lent_segment *s = lent->items;
    int64_t size = s[first].size_bytes, offsets = s[first].offset_index_bytes,
            times = s[first].time_index_bytes;
    size_t end = first + 1;
    for (; end < lent->count; end++) {
        int64_t next_base = end + 1 < lent->count ? s[end + 1].base_offset : upto_offset;
        size += s[end].size_bytes;
        offsets += s[end].offset_index_bytes;
        times += s[end].time_index_bytes;
        if (size > config->segment_bytes || offsets > config->segment_index_bytes ||
            times > config->segment_index_bytes ||
            (s[end].size_bytes > 0 && next_base - 1 - s[first].base_offset > INT32_MAX))
            break;
    }
    return end - first;
}

// ---- 3. rewriting -----------------------------------------------------------------------------------

static int filter_batch(struct work *w, const struct lent_segment *lent, struct bytes batch,
                        struct cleaned_segment *cleaned)
{
    size_t before = cleaned->out.size;
    int64_t size_before = cleaned->size_bytes;
    int error = cleaner_filter_batch(&w->filter, batch, &cleaned->out);
    if (error == -EBADMSG)
        return cannot(w, lent, error, w->filter.fault);
    if (error == 0 && w->filter.kept.producer_id >= 0)
        cleaned_segment_add_txn(cleaned, &w->filter.kept);
    if (error == 0 && cleaned->out.size > before)
        error = cleaned_segment_note(cleaned);
    if (error == -EOVERFLOW)
        return cannot(w, lent, error, "offsets or bytes beyond what a segment can hold");
    if (error == 0)
        error = account(w, (int64_t)batch.size + cleaned->size_bytes - size_before);
    return error;
}

static int filter_segment(struct work *w, const struct lent_segment *lent,
                          struct cleaned_segment *cleaned)
{
    int64_t position;
    struct disk_file *file;
    struct bytes batch;
    int error = log_open_lent(w->c->log, lent, lent->base_offset, &file, &position);
    if (error != 0)
        return error;
    int64_t modified_ms = log_lent_modified_ms(w->c->log, lent);
    w->filter.drops_old_tombstones = modified_ms <= w->old_tombstones_until_ms;
    batch_reader_open(&w->reader, file, position, lent->size_bytes);
    int result;
    while ((result = batch_reader_next(&w->reader, &batch)) == 1) {
        result = for_batch(w, lent, batch, cleaned, filter_batch);
        if (result != 0)
            break;
    }
    if (w->reader.fault != NULL)
        result = cannot(w, lent, result, w->reader.fault);
    disk_file_unref(file);
    w->c->bytes_read += lent->size_bytes;
    return result;
}

static int clean_group(struct work *w, const struct lent_segment *lent, size_t count)
{
    struct log *log = w->c->log;
    struct cleaned_segment cleaned;
    int64_t modified_ms = log_lent_modified_ms(log, &lent[count - 1]);
    if (modified_ms < 0)
        return (int)modified_ms;
    int error =
        cleaned_segment_open(&cleaned, log, lent[0].base_offset, &w->config, w->c->buffer_bytes);
    for (size_t i = 0; i < count && error == 0; i++)
        error = filter_segment(w, &lent[i], &cleaned);
    if (error == 0)
        error = cleaned_segment_finish(&cleaned, modified_ms);
    w->c->bytes_kept += cleaned.size_bytes;
    cleaned_segment_fini(&cleaned);
    if (error == 0)
        error = log_replace_segments(log, lent, count, lent[0].base_offset);
    w->c->segments_read += count;
    w->c->segments_kept++;
    return error;
}

static int rewrite(struct work *w, int64_t end_offset)
{
    struct log *log = w->c->log;
    struct last_record *producers;
    struct aborted_txns aborted;
    struct cleaner_txns txns;
    struct lent_segments lent;
    int error = log_lend_segments(log, 0, end_offset, &lent);
    if (error != 0)
        return error;
    // Segments are cleaned whole: transactions count up to where the last one ends.
    error = log_collect_aborted(log, 0, w->c->what.first_uncleanable_offset, &aborted);
    if (error != 0) {
        lent_segments_fini(&lent);
        return error;
    }
    cleaner_txns_init(&txns, &aborted);
    for (size_t i = 0; i < lent.count; i++)
        if (lent.items[i].base_offset < w->c->what.first_dirty_offset)
            w->old_tombstones_until_ms =
                log_lent_modified_ms(log, &lent.items[i]) - w->config.delete_retention_ms;
    log_last_records(log, &producers, &w->filter.producer_count);
    w->filter.producers = producers;
    w->filter.txns = &txns;
    for (size_t i = 0, count; i < lent.count && error == 0; i += count) {
        count = cleaner_group(&lent, i, &w->config, w->c->what.first_uncleanable_offset);
        error = clean_group(w, &lent.items[i], count);
        // What was read is let go of early: these files are deleted.
        for (size_t n = i; n < i + count; n++) {
            segment_unref(lent.items[n].segment);
            lent.items[n].segment = NULL;
        }
    }
    mem_free(producers);
    cleaner_txns_fini(&txns);
    lent_segments_fini(&lent);
    return error;
}

// ---- the whole --------------------------------------------------------------------------------------

static void tell(const struct work *w, int64_t mapped_us, int64_t done_us)
{
    const struct cleaning *c = w->c;
    trace_info(c->trace,
               "log cleaned log=%s from_offset=%" PRId64 " to_offset=%" PRId64
               " segments=%zu/%zu bytes=%" PRId64 "/%" PRId64 " records=%" PRId64 "/%" PRId64
               " keys=%zu map_ms=%" PRId64 " rewrite_ms=%" PRId64,
               log_name(c->log), c->what.first_dirty_offset, c->end_offset, c->segments_kept,
               c->segments_read, c->bytes_kept, c->bytes_read, c->records_kept, c->records_read,
               w->map.count, mapped_us / 1000, done_us / 1000);
    if (c->keyless_records > 0)
        trace_warn(c->trace, "log cleaning dropped records without key log=%s count=%" PRId64,
                   log_name(c->log), c->keyless_records);
}

int cleaner_clean(struct cleaning *c)
{
    const struct log_cleanable *what = &c->what;
    must(what->first_dirty_offset <= what->first_uncleanable_offset);
    struct work w = { .c = c };
    log_get_config(c->log, &w.config);
    c->end_offset = what->first_dirty_offset;
    offset_map_init(&w.map, c->map_bytes, c->map_load_factor,
                    what->first_uncleanable_offset - what->first_dirty_offset);
    batch_reader_init(&w.reader, c->buffer_bytes);
    w.filter = (struct cleaner_filter){
        .map = &w.map,
        .now_ms = c->now_ms,
        .delete_retention_ms = w.config.delete_retention_ms,
        .first_uncleanable_offset = what->first_uncleanable_offset,
    };
    int64_t began_us = clock_monotonic_us(c->clock);
    int error = fill_map(&w);
    int64_t mapped_us = clock_monotonic_us(c->clock);
    int64_t end_offset = w.map.latest_offset + 1;
    if (error == 0 && end_offset > what->first_dirty_offset)
        error = rewrite(&w, end_offset);
    c->records_read = w.filter.records_read;
    c->records_kept = w.filter.records_kept;
    c->keyless_records = w.filter.keyless_records;
    if (error == 0) {
        if (end_offset > c->end_offset)
            c->end_offset = end_offset;
        tell(&w, mapped_us - began_us, clock_monotonic_us(c->clock) - mapped_us);
    }
    cleaner_filter_fini(&w.filter);
    batch_reader_fini(&w.reader);
    strbuf_fini(&w.converted);
    offset_map_fini(&w.map);
    return error;
}
