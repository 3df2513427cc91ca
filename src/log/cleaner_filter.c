// SPDX-License-Identifier: Apache-2.0
// The keys of a whole batch are hashed and their slots fetched from memory before the first is looked up: the misses of
// a large map overlap. What stays of a batch whose timestamps' base does not change is copied, record by record.
#include "log/cleaner_filter.h"

#include <errno.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/must.h"
#include "record/batch_builder.h"

struct filter_record {
    struct siphash key; // unless it has none
    struct record record;
    const uint8_t *encoded; // record.size bytes
    bool is_kept;
};

void cleaner_filter_fini(struct cleaner_filter *f)
{
    mem_free(f->_records);
    strbuf_fini(&f->_flat);
    strbuf_fini(&f->_packed);
    f->_records = NULL;
}

static int damaged(struct cleaner_filter *f, const char *reason)
{
    f->fault = reason;
    return -EBADMSG;
}

// ---- reading a batch --------------------------------------------------------------------------------

// The batch without compression, so that pointers into it stay valid together.
static int flatten(struct cleaner_filter *f, struct bytes batch, struct bytes *flat)
{
    *flat = batch;
    if (batch_compression(batch.data) == COMPRESSION_NONE)
        return 0;
    f->_flat.size = 0;
    strbuf_add(&f->_flat, batch.data, BATCH_HEADER_SIZE);
    struct bytes piece;
    // An emptied batch has nothing that a codec could read.
    if (batch_record_count(batch.data) > 0) {
        struct decompressor *d =
            decompressor_open(batch_compression(batch.data), batch_records(batch));
        while (f->_flat.size <= INT32_MAX && decompressor_next(d, &piece))
            strbuf_add(&f->_flat, piece.data, piece.size);
        bool has_failed = decompressor_failed(d) || f->_flat.size > INT32_MAX;
        decompressor_close(d);
        if (has_failed)
            return damaged(f, "damaged compressed data");
    }
    uint8_t *header = (uint8_t *)f->_flat.data;
    int attributes = batch_attributes(header) & ~BATCH_COMPRESSION_MASK;
    put_be16(header + 21, (uint16_t)attributes);
    *flat = (struct bytes){ header, f->_flat.size };
    return 0;
}

// All records into f->_records, with hashed keys; how many, or -EBADMSG.
static int64_t read_records(struct cleaner_filter *f, struct bytes batch, bool with_keys)
{
    struct bytes flat;
    int error = flatten(f, batch, &flat);
    if (error != 0)
        return error;
    struct record_iter it;
    const uint8_t *at = flat.data + BATCH_HEADER_SIZE;
    size_t count = 0;
    record_iter_init(&it, flat, RECORDS_WHOLE);
    for (;;) {
        vec_reserve(f->_records, count + 1, f->_capacity);
        struct filter_record *r = &f->_records[count];
        if (!record_iter_next(&it, &r->record))
            break;
        r->encoded = at;
        at += r->record.size;
        if (with_keys && r->record.key_size >= 0) {
            r->key = offset_map_key(f->map, r->record.key);
            offset_map_prefetch(f->map, &r->key);
        }
        count++;
    }
    const char *reason = it.reason;
    bool is_good = it.error == RECORDS_OK;
    record_iter_fini(&it);
    return is_good ? (int64_t)count : damaged(f, reason);
}

// The type of a control batch's record; -1 when it was emptied, INT16_MAX for what is no type.
static int marker_type(struct cleaner_filter *f, struct bytes batch, int *type)
{
    *type = -1;
    int64_t count = read_records(f, batch, false);
    if (count < 0)
        return (int)count;
    if (count > 0) {
        int known = control_key_type(f->_records[0].record.key);
        *type = known < 0 ? INT16_MAX : known;
    }
    return 0;
}

// ---- the map ----------------------------------------------------------------------------------------

int cleaner_filter_map(struct cleaner_filter *f, struct bytes batch, int64_t from)
{
    const uint8_t *header = batch.data;
    int64_t last_offset = batch_last_offset(header);
    if (batch_is_control(header)) {
        struct aborted_txn kept;
        int type, error = marker_type(f, batch, &type);
        if (error != 0)
            return error;
        cleaner_txns_on_marker(f->txns, header, type, &kept);
    } else if (!cleaner_txns_on_batch(f->txns, header)) {
        int64_t count = read_records(f, batch, true);
        if (count < 0)
            return (int)count;
        for (int64_t i = 0; i < count; i++) {
            const struct filter_record *r = &f->_records[i];
            if (r->record.key_size < 0 || r->record.offset < from)
                continue;
            if (!offset_map_put(f->map, &r->key, r->record.offset))
                return 1;
            f->map->latest_offset = r->record.offset;
        }
    }
    if (last_offset >= from)
        f->map->latest_offset = last_offset;
    return 0;
}

// ---- deciding ---------------------------------------------------------------------------------------

static int by_producer_id(const void *key, const void *item)
{
    int64_t id = *(const int64_t *)key;
    const struct last_record *record = item;
    return (id > record->producer_id) - (id < record->producer_id);
}

// Its last batch tells where an active producer's sequence goes on; without data, its last marker tells the epoch.
static bool is_last_of_producer(const struct cleaner_filter *f, const uint8_t *header)
{
    int64_t producer_id = batch_producer_id(header);
    if (!batch_has_producer_id(header) || f->producer_count == 0)
        return false;
    const struct last_record *last = bsearch(&producer_id, f->producers, f->producer_count,
                                             sizeof *f->producers, by_producer_id);
    if (last == NULL)
        return false;
    if (last->last_data_offset >= 0)
        return batch_last_offset(header) == last->last_data_offset;
    return batch_is_control(header) && batch_producer_epoch(header) == last->producer_epoch;
}

static bool has_horizon(const uint8_t *header)
{
    return (batch_attributes(header) & BATCH_DELETE_HORIZON) != 0;
}

static bool keeps(struct cleaner_filter *f, const uint8_t *header, const struct filter_record *r)
{
    if (r->record.offset > f->map->latest_offset)
        return true;
    if (r->record.key_size < 0) {
        f->keyless_records++;
        return false;
    }
    bool is_latest = r->record.offset >= offset_map_find(f->map, &r->key);
    if (f->is_old)
        return is_latest && (r->record.value_size >= 0 || !f->drops_old_tombstones);
    return is_latest && (r->record.value_size >= 0 || !has_horizon(header) ||
                         f->now_ms < batch_base_timestamp(header));
}

// ---- writing ----------------------------------------------------------------------------------------

static void finish_header(struct strbuf *out, size_t start, const uint8_t *old, int attributes,
                          int64_t base_timestamp, int64_t max_timestamp, int32_t count)
{
    uint8_t *b = (uint8_t *)out->data + start;
    size_t size = out->size - start;
    must(size <= INT32_MAX);
    // Offsets, epoch, producer and sequence are the old ones.
    memcpy(b, old, BATCH_HEADER_SIZE);
    put_be32(b + 8, (uint32_t)(size - BATCH_SIZE_OVERHEAD));
    put_be16(b + 21, (uint16_t)attributes);
    put_be64(b + 27, (uint64_t)base_timestamp);
    put_be64(b + 35, (uint64_t)max_timestamp);
    put_be32(b + 57, (uint32_t)count);
    put_be32(b + BATCH_CRC_POSITION, crc32c(b + BATCH_CRC_START, size - BATCH_CRC_START));
}

static void write_empty(const uint8_t *header, struct strbuf *out)
{
    enum { KEPT = BATCH_LOG_APPEND_TIME | BATCH_TRANSACTIONAL | BATCH_CONTROL };
    size_t start = out->size;
    strbuf_add(out, header, BATCH_HEADER_SIZE);
    finish_header(out, start, header, batch_attributes(header) & KEPT, NO_TIMESTAMP,
                  batch_max_timestamp(header), 0);
}

// `skipped`: offsets that the new batch begins later than the old one.
static void add_kept(struct cleaner_filter *f, int64_t count, bool same_base, int64_t base,
                     int32_t skipped, struct strbuf *out)
{
    for (int64_t i = 0; i < count; i++) {
        const struct filter_record *r = &f->_records[i];
        if (!r->is_kept)
            continue;
        if (same_base)
            strbuf_add(out, r->encoded, (size_t)r->record.size);
        else
            record_encode(out, r->record.offset_delta - skipped,
                          timestamp_minus(r->record.timestamp, base), r->record.key,
                          r->record.value, r->record.header_count, r->record.headers);
    }
}

static void write_rebuilt(struct cleaner_filter *f, struct bytes batch, int64_t count,
                          int64_t kept_count, int64_t horizon, struct strbuf *out)
{
    const uint8_t *header = batch.data;
    int attributes = batch_attributes(header) & ~BATCH_DELETE_HORIZON;
    attributes |= f->is_old ? f->old_attributes : 0;
    bool append_time = (attributes & BATCH_LOG_APPEND_TIME) != 0;
    int64_t base = horizon, max_timestamp = NO_TIMESTAMP;
    int32_t first_delta = -1, last_delta = -1;
    bool is_first = horizon < 0;
    for (int64_t i = 0; i < count; i++) {
        const struct filter_record *r = &f->_records[i];
        if (!r->is_kept)
            continue;
        first_delta = first_delta < 0 ? r->record.offset_delta : first_delta;
        last_delta = r->record.offset_delta;
        if (is_first)
            base = r->record.timestamp;
        is_first = false;
        if (r->record.timestamp > max_timestamp)
            max_timestamp = r->record.timestamp;
    }
    if (append_time)
        max_timestamp = batch_max_timestamp(header);
    // With the append time, what records say of their own time is written anew, as Kafka does.
    bool same_base = base == batch_base_timestamp(header) && !append_time;
    // Of old messages no offsets but those of records are to be remembered.
    uint8_t narrowed[BATCH_HEADER_SIZE];
    int32_t skipped = f->is_old ? first_delta : 0;
    if (f->is_old) {
        memcpy(narrowed, header, sizeof narrowed);
        batch_set_base_offset(narrowed, batch_base_offset(header) + skipped);
        put_be32(narrowed + 23, (uint32_t)(last_delta - skipped));
        header = narrowed;
        same_base = same_base && skipped == 0;
    }
    enum compression codec = (enum compression)(attributes & BATCH_COMPRESSION_MASK);
    size_t start = out->size;
    strbuf_add(out, header, BATCH_HEADER_SIZE);
    if (codec == COMPRESSION_NONE) {
        add_kept(f, count, same_base, base, skipped, out);
    } else {
        f->_packed.size = 0;
        add_kept(f, count, same_base, base, skipped, &f->_packed);
        struct bytes raw = { (const uint8_t *)f->_packed.data, f->_packed.size };
        compress_bytes(codec, COMPRESSION_LEVEL_DEFAULT, raw, out);
    }
    attributes |= horizon < 0 ? 0 : BATCH_DELETE_HORIZON;
    finish_header(out, start, header, attributes, base, max_timestamp, (int32_t)kept_count);
}

// ---- one batch --------------------------------------------------------------------------------------

static int filter(struct cleaner_filter *f, struct bytes batch, bool drops_all,
                  bool is_empty_marker, bool keeps_empty, struct strbuf *out)
{
    const uint8_t *header = batch.data;
    bool is_control = batch_is_control(header), has_tombstones = false;
    int64_t count = read_records(f, batch, !is_control && !drops_all), kept_count = 0;
    if (count < 0)
        return (int)count;
    for (int64_t i = 0; i < count; i++) {
        struct filter_record *r = &f->_records[i];
        r->is_kept = !drops_all && (is_control || keeps(f, header, r));
        kept_count += r->is_kept;
        has_tombstones |= r->is_kept && r->record.value_size < 0;
    }
    f->records_read += count;
    f->records_kept += kept_count;
    bool sets_horizon = (has_tombstones || is_empty_marker) && !has_horizon(header);
    if (kept_count == 0) {
        if (keeps_empty)
            write_empty(header, out);
    } else if (kept_count == count && !sets_horizon && !f->is_old) {
        strbuf_add(out, batch.data, batch.size);
    } else {
        int64_t horizon = sets_horizon          ? f->now_ms + f->delete_retention_ms
                          : has_horizon(header) ? batch_base_timestamp(header)
                                                : NO_TIMESTAMP;
        write_rebuilt(f, batch, count, kept_count, horizon, out);
    }
    return 0;
}

int cleaner_filter_batch(struct cleaner_filter *f, struct bytes batch, struct strbuf *out)
{
    const uint8_t *header = batch.data;
    bool is_control = batch_is_control(header), can_go;
    f->kept.producer_id = NO_PRODUCER_ID;
    if (is_control) {
        int type, error = marker_type(f, batch, &type);
        if (error != 0)
            return error;
        can_go = cleaner_txns_on_marker(f->txns, header, type, &f->kept);
    } else {
        can_go = cleaner_txns_on_batch(f->txns, header);
    }
    bool drops_all = can_go && (!is_control ||
                                (has_horizon(header) && batch_base_timestamp(header) <= f->now_ms));
    bool keeps_empty =
        is_last_of_producer(f, header) || batch_next_offset(header) == f->first_uncleanable_offset;
    if (drops_all && !keeps_empty) {
        f->records_read += batch_record_count(header);
        return 0;
    }
    return filter(f, batch, drops_all, can_go && is_control, keeps_empty, out);
}
