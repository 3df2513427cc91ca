// SPDX-License-Identifier: Apache-2.0
// See record.h. All reading goes through read_byte and skip_bytes, which take the next piece of a compressed
// batch when the present one ends and never pass the end of the record (_left).
#include "record/record.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/old_records.h"

void record_iter_init(struct record_iter *it, struct bytes batch, enum records_mode mode)
{
    const uint8_t *b = batch.data;
    memset(it, 0, sizeof *it);
    it->_mode = mode;
    if (batch.size > 16 && batch_magic(b) < BATCH_MAGIC) {
        it->_old = old_records_open(batch);
        return;
    }
    must(batch.size >= BATCH_HEADER_SIZE);
    it->_base_offset = batch_base_offset(b);
    it->_base_timestamp = batch_base_timestamp(b);
    it->_has_append_time = batch_is_log_append_time(b);
    it->_append_time = batch_max_timestamp(b);
    it->_count = batch_record_count(b);
    if (it->_count < 0) {
        it->error = RECORDS_MALFORMED;
        it->reason = "negative record count";
        return;
    }
    struct bytes records = batch_records(batch);
    if (batch_compression(b) == COMPRESSION_NONE) {
        it->_at = records.data;
        it->_end = records.data + records.size;
    } else {
        it->_decompressor = decompressor_open(batch_compression(b), records);
    }
}

void record_iter_fini(struct record_iter *it)
{
    decompressor_close(it->_decompressor);
    old_records_close(it->_old);
    mem_free(it->_gathered);
    it->_old = NULL;
    it->_decompressor = NULL;
    it->_gathered = NULL;
}

static bool fail(struct record_iter *it, enum records_error error, const char *reason)
{
    if (it->error == RECORDS_OK) {
        it->error = error;
        it->reason = reason;
    }
    return false;
}

static bool malformed(struct record_iter *it, const char *reason)
{
    return fail(it, RECORDS_MALFORMED, reason);
}

static bool ignores_size(const struct record_iter *it)
{
    return it->_mode == RECORDS_PARTIAL && it->_decompressor != NULL;
}

// The next piece; false at the end of the batch and after damage.
static bool refill(struct record_iter *it)
{
    struct bytes piece;
    if (it->_decompressor == NULL)
        return false;
    if (!decompressor_next(it->_decompressor, &piece)) {
        if (decompressor_failed(it->_decompressor))
            fail(it, RECORDS_UNREADABLE, "damaged compressed data");
        return false;
    }
    it->_at = piece.data;
    it->_end = piece.data + piece.size;
    return true;
}

static bool read_byte(struct record_iter *it, uint8_t *out)
{
    if (it->_left == 0)
        return malformed(it, "record ends within a field");
    if (it->_at == it->_end && !refill(it))
        return malformed(it, "batch ends within a record");
    it->_left--;
    *out = *it->_at++;
    return true;
}

// What most varints are: a byte or two that are here.
static inline bool read_short(struct record_iter *it, uint32_t *out)
{
    const uint8_t *at = it->_at;
    if (it->_left < 2 || it->_end - at < 2)
        return false;
    int size = at[0] < 0x80 ? 1 : 2;
    if (at[size - 1] >= 0x80)
        return false;
    *out = size == 1 ? at[0] : (at[0] & 0x7fU) | (uint32_t)at[1] << 7;
    it->_at += size;
    it->_left -= size;
    return true;
}

static bool read_long_varint(struct record_iter *it, uint32_t *out)
{
    uint32_t v = 0;
    uint8_t byte;
    for (int shift = 0;; shift += 7) {
        if (!read_byte(it, &byte))
            return false;
        v |= (uint32_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
        if (shift == 28)
            return malformed(it, "varint is too long");
    }
    *out = v;
    return true;
}

static inline bool read_varint(struct record_iter *it, int32_t *out)
{
    uint32_t v;
    if (!read_short(it, &v) && !read_long_varint(it, &v))
        return false;
    *out = (int32_t)(v >> 1) ^ -(int32_t)(v & 1);
    return true;
}

static bool read_varlong(struct record_iter *it, int64_t *out)
{
    uint64_t v = 0;
    uint8_t byte;
    for (int shift = 0;; shift += 7) {
        if (!read_byte(it, &byte))
            return false;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
        if (shift == 63)
            return malformed(it, "varlong is too long");
    }
    *out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    return true;
}

static bool skip_pieces(struct record_iter *it, int64_t left)
{
    while (left > it->_end - it->_at) {
        left -= it->_end - it->_at;
        it->_at = it->_end;
        if (!refill(it))
            return malformed(it, "batch ends within a record");
    }
    it->_at += left;
    return true;
}

// Null and empty pass over nothing.
static inline bool skip_bytes(struct record_iter *it, int32_t size)
{
    if (size <= 0)
        return true;
    if (size > it->_left)
        return malformed(it, "field is larger than its record");
    it->_left -= size;
    if (size > it->_end - it->_at)
        return skip_pieces(it, size);
    it->_at += size;
    return true;
}

enum { GATHER_MAX = 512 << 20 };

// Makes the record's `size` bytes contiguous, in _gathered.
static bool gather(struct record_iter *it, int64_t size)
{
    size_t have = 0;
    if (it->_decompressor == NULL)
        return malformed(it, "batch ends within a record");
    if (size > GATHER_MAX)
        return malformed(it, "record is too large");
    do {
        size_t part = (size_t)(it->_end - it->_at);
        if ((int64_t)(have + part) > size)
            part = (size_t)(size - (int64_t)have);
        vec_reserve(it->_gathered, have + part, it->_gathered_capacity);
        if (part > 0)
            memcpy(it->_gathered + have, it->_at, part);
        have += part;
        it->_at += part;
    } while ((int64_t)have < size && refill(it));
    return (int64_t)have == size || malformed(it, "batch ends within a record");
}

static bool read_headers(struct record_iter *it, struct record *record)
{
    if (!read_varint(it, &record->header_count))
        return false;
    // A header takes two bytes at least.
    if (record->header_count < 0 || record->header_count > it->_left)
        return malformed(it, "invalid number of headers");
    const uint8_t *start = it->_at;
    for (int32_t i = 0; i < record->header_count; i++) {
        int32_t size;
        if (!read_varint(it, &size))
            return false;
        if (size < 0)
            return malformed(it, "negative size of a header key");
        if (!skip_bytes(it, size) || !read_varint(it, &size) || !skip_bytes(it, size))
            return false;
    }
    record->headers = it->_mode != RECORDS_WHOLE
                          ? BYTES_NULL
                          : (struct bytes){ start, (size_t)(it->_at - start) };
    return true;
}

static inline bool read_sized(struct record_iter *it, int32_t *size, struct bytes *bytes)
{
    if (!read_varint(it, size))
        return false;
    if (*size < 0)
        *size = -1;
    *bytes = *size < 0 || it->_mode != RECORDS_WHOLE ? BYTES_NULL
                                                     : (struct bytes){ it->_at, (size_t)*size };
    return skip_bytes(it, *size);
}

static bool read_body(struct record_iter *it, struct record *record)
{
    int64_t timestamp_delta;
    if (!read_byte(it, &record->attributes) || !read_varlong(it, &timestamp_delta) ||
        !read_varint(it, &record->offset_delta) ||
        !read_sized(it, &record->key_size, &record->key) ||
        !read_sized(it, &record->value_size, &record->value) || !read_headers(it, record))
        return false;
    if (it->_left != 0 && !ignores_size(it))
        return malformed(it, "record is shorter than its size");
    record->offset =
        (int64_t)((uint64_t)it->_base_offset + (uint64_t)(int64_t)record->offset_delta);
    record->timestamp = it->_has_append_time
                            ? it->_append_time
                            : (int64_t)((uint64_t)it->_base_timestamp + (uint64_t)timestamp_delta);
    return true;
}

static bool next_old(struct record_iter *it, struct record *record)
{
    if (!old_records_next(it->_old, record, &it->error, &it->reason))
        return false;
    if (it->_mode != RECORDS_WHOLE)
        record->key = record->value = BYTES_NULL;
    return true;
}

bool record_iter_next(struct record_iter *it, struct record *record)
{
    if (it->_old != NULL)
        return next_old(it, record);
    if (it->error != RECORDS_OK || it->_read == it->_count)
        return false;
    int32_t size;
    it->_left = 5;
    if (!read_varint(it, &size))
        return false;
    record->size = (int32_t)((uint32_t)size + 5 - (uint32_t)it->_left);
    if (size < 0 && !ignores_size(it))
        return malformed(it, "negative record size");
    it->_left = ignores_size(it) ? INT64_MAX : size;
    // Gathered bytes are walked as if they were the piece, then the piece goes on.
    const uint8_t *piece_at = NULL, *piece_end = NULL;
    if (it->_mode == RECORDS_WHOLE && it->_end - it->_at < size) {
        if (!gather(it, size))
            return false;
        piece_at = it->_at;
        piece_end = it->_end;
        it->_at = it->_gathered;
        it->_end = it->_gathered + size;
    }
    if (!read_body(it, record))
        return false;
    if (piece_at != NULL) {
        it->_at = piece_at;
        it->_end = piece_end;
    }
    if (++it->_read == it->_count && (it->_at < it->_end || refill(it)))
        return malformed(it, "bytes behind the last record");
    // The end of the last piece may still hide damage, e.g. a wrong checksum.
    return it->error == RECORDS_OK;
}

// ---- headers and encoding ---------------------------------------------------------------------------

static int32_t take_varint(struct bytes *rest)
{
    uint32_t v = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        must(rest->size > 0);
        uint8_t byte = *rest->data++;
        rest->size--;
        v |= (uint32_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    return (int32_t)(v >> 1) ^ -(int32_t)(v & 1);
}

static struct bytes take_bytes(struct bytes *rest, int32_t size)
{
    if (size < 0)
        return BYTES_NULL;
    must((size_t)size <= rest->size);
    struct bytes taken = { rest->data, (size_t)size };
    rest->data += size;
    rest->size -= (size_t)size;
    return taken;
}

bool record_header_next(struct bytes *rest, struct record_header *header)
{
    if (rest->size == 0)
        return false;
    struct bytes key = take_bytes(rest, take_varint(rest));
    header->key = (struct str){ (const char *)key.data, key.size };
    header->value = take_bytes(rest, take_varint(rest));
    return true;
}

static size_t varlong_size(int64_t v)
{
    uint64_t z = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    size_t size = 1;
    while (z > 0x7f) {
        z >>= 7;
        size++;
    }
    return size;
}

static void add_varlong(struct strbuf *out, int64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    uint64_t z = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    while (z > 0x7f) {
        bytes[n++] = (uint8_t)(z | 0x80);
        z >>= 7;
    }
    bytes[n++] = (uint8_t)z;
    strbuf_add(out, bytes, n);
}

static size_t sized_size(struct bytes b)
{
    return b.data == NULL ? 1 : varlong_size((int64_t)b.size) + b.size;
}

static void add_sized(struct strbuf *out, struct bytes b)
{
    add_varlong(out, b.data == NULL ? -1 : (int64_t)b.size);
    if (b.data != NULL)
        strbuf_add(out, b.data, b.size);
}

void record_encode(struct strbuf *out, int32_t offset_delta, int64_t timestamp_delta,
                   struct bytes key, struct bytes value, int32_t header_count, struct bytes headers)
{
    size_t size = 1 + varlong_size(timestamp_delta) + varlong_size(offset_delta) + sized_size(key) +
                  sized_size(value) + varlong_size(header_count) + headers.size;
    must(size <= INT32_MAX);
    add_varlong(out, (int64_t)size);
    strbuf_add_char(out, 0);
    add_varlong(out, timestamp_delta);
    add_varlong(out, offset_delta);
    add_sized(out, key);
    add_sized(out, value);
    add_varlong(out, header_count);
    if (headers.size > 0)
        strbuf_add(out, headers.data, headers.size);
}

void record_header_encode(struct strbuf *out, struct str key, struct bytes value)
{
    must(!str_is_null(key));
    add_sized(out, (struct bytes){ (const uint8_t *)key.data, key.size });
    add_sized(out, value);
}
