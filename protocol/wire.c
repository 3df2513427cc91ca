// SPDX-License-Identifier: Apache-2.0
#include "protocol/wire.h"

#include "base/must.h"

enum { BLOCK_SIZE_MIN = 512, BLOCK_SIZE_MAX = 65536, STRING_SIZE_MAX = INT16_MAX };

// ---- reader
// ---------------------------------------------------------------------------------------

void reader_init(struct reader *r, const void *data, size_t size)
{
    static const uint8_t nothing[1];
    r->start = r->position = data != NULL ? data : nothing;
    r->end = r->start + size;
    r->reason = NULL;
    r->failed_at = 0;
}

void reader_fail(struct reader *r, const char *reason)
{
    if (r->reason != NULL)
        return;
    r->reason = reason;
    r->failed_at = (size_t)(r->position - r->start);
    r->position = r->end;
}

double reader_float64(struct reader *r)
{
    uint64_t bits = (uint64_t)reader_int64(r);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

struct uuid reader_uuid(struct reader *r)
{
    struct uuid v = { { 0 } };
    const uint8_t *p = reader_take(r, sizeof v.bytes);
    if (p != NULL)
        memcpy(v.bytes, p, sizeof v.bytes);
    return v;
}

static uint64_t read_base128(struct reader *r, int bytes_max)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes_max; i++) {
        if (r->position == r->end) {
            reader_fail(r, "the bytes end inside a varint");
            return 0;
        }
        uint8_t byte = *r->position++;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return v;
    }
    reader_fail(r, bytes_max == 5 ? "a varint of more than 5 bytes"
                                  : "a varlong of more than 10 bytes");
    return 0;
}

uint32_t reader_uvarint(struct reader *r)
{
    if (r->position != r->end && *r->position < 0x80)
        return *r->position++;
    return (uint32_t)read_base128(r, 5);
}

uint64_t reader_uvarlong(struct reader *r)
{
    return read_base128(r, 10);
}

int32_t reader_varint(struct reader *r)
{
    uint32_t v = reader_uvarint(r);
    return (int32_t)((v >> 1) ^ (0u - (v & 1)));
}

int64_t reader_varlong(struct reader *r)
{
    uint64_t v = reader_uvarlong(r);
    return (int64_t)((v >> 1) ^ (0u - (v & 1)));
}

int32_t reader_length16(struct reader *r)
{
    return reader_int16(r);
}

int32_t reader_length32(struct reader *r)
{
    return reader_int32(r);
}

int32_t reader_length_compact(struct reader *r)
{
    return (int32_t)(reader_uvarint(r) - 1u);
}

struct str reader_string(struct reader *r, bool compact)
{
    int32_t length = compact ? reader_length_compact(r) : reader_length16(r);
    if (length < 0 || reader_failed(r))
        return (struct str){ NULL, 0 };
    if (length > STRING_SIZE_MAX) {
        reader_fail(r, "a string of more than 32767 bytes");
        return (struct str){ NULL, 0 };
    }
    const uint8_t *p = reader_take(r, (size_t)length);
    return (struct str){ (const char *)p, p ? (size_t)length : 0 };
}

struct bytes reader_bytes(struct reader *r, bool compact)
{
    int32_t length = compact ? reader_length_compact(r) : reader_length32(r);
    if (length < 0 || reader_failed(r))
        return (struct bytes){ NULL, 0 };
    const uint8_t *p = reader_take(r, (size_t)length);
    return (struct bytes){ p, p ? (size_t)length : 0 };
}

struct records reader_records(struct reader *r, bool compact)
{
    struct bytes b = reader_bytes(r, compact);
    return (struct records){ .data = b.data, .size = b.data ? (int32_t)b.size : -1 };
}

// ---- writer
// ---------------------------------------------------------------------------------------

void writer_init(struct writer *w, struct arena *arena)
{
    *w = (struct writer){ .arena = arena, .next_block_size = BLOCK_SIZE_MIN };
}

void writer_init_fixed(struct writer *w, void *data, size_t size)
{
    *w = (struct writer){ .position = data, .begin = data, .end = (uint8_t *)data + size };
}

void writer_init_counting(struct writer *w)
{
    *w = (struct writer){ .is_counting = true };
    w->position = w->begin = w->scratch;
    w->end = w->scratch + sizeof w->scratch;
}

// From here on the writer only counts, so that writer_take always has a place to give.
void writer_fail(struct writer *w, const char *reason)
{
    if (w->reason != NULL)
        return;
    w->reason = reason;
    w->is_counting = true;
    w->piece_bytes += (size_t)(w->position - w->begin);
    w->position = w->begin = w->scratch;
    w->end = w->scratch + sizeof w->scratch;
}

static void add_piece(struct writer *w, struct piece piece)
{
    w->piece_bytes += piece.size;
    if (piece.size == 0)
        return;
    if (w->piece_count == w->piece_capacity) {
        uint32_t capacity = w->piece_capacity ? 2 * w->piece_capacity : 8;
        struct piece *pieces = arena_alloc(w->arena, capacity * sizeof *pieces);
        if (w->piece_count > 0)
            memcpy(pieces, w->pieces, w->piece_count * sizeof *pieces);
        w->pieces = pieces;
        w->piece_capacity = capacity;
    }
    w->pieces[w->piece_count++] = piece;
}

// What the block holds so far becomes a piece; the rest of the block stays in use.
static void end_piece(struct writer *w)
{
    add_piece(w, (struct piece){ .data = w->begin, .size = (size_t)(w->position - w->begin) });
    w->begin = w->position;
}

void writer_grow(struct writer *w, size_t size)
{
    if (!w->is_counting && w->arena == NULL)
        writer_fail(w, "the place to write to is too small");
    if (w->is_counting) {
        must(size <= sizeof w->scratch);
        w->piece_bytes += (size_t)(w->position - w->begin);
        w->position = w->begin = w->scratch;
        return;
    }
    end_piece(w);
    size_t block_size = size > w->next_block_size ? size : w->next_block_size;
    w->position = w->begin = arena_alloc(w->arena, block_size);
    w->end = w->begin + block_size;
    if (w->next_block_size < BLOCK_SIZE_MAX)
        w->next_block_size *= 2;
}

void writer_float64(struct writer *w, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    writer_int64(w, (int64_t)bits);
}

void writer_uuid(struct writer *w, struct uuid v)
{
    memcpy(writer_take(w, sizeof v.bytes), v.bytes, sizeof v.bytes);
}

void writer_uvarint(struct writer *w, uint32_t v)
{
    writer_uvarlong(w, v);
}

void writer_uvarlong(struct writer *w, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    memcpy(writer_take(w, n), bytes, n);
}

void writer_varint(struct writer *w, int32_t v)
{
    writer_uvarint(w, ((uint32_t)v << 1) ^ (uint32_t) - (v < 0));
}

void writer_varlong(struct writer *w, int64_t v)
{
    writer_uvarlong(w, ((uint64_t)v << 1) ^ (uint64_t) - (int64_t)(v < 0));
}

void writer_raw(struct writer *w, const void *data, size_t size)
{
    if (size == 0)
        return;
    if ((size_t)(w->end - w->position) < size) {
        if (!w->is_counting && w->arena == NULL)
            writer_fail(w, "the place to write to is too small");
        if (w->is_counting) {
            w->piece_bytes += size;
            return;
        }
        // Fill the block first, so that a frame of many small strings stays in few pieces.
        size_t fits = (size_t)(w->end - w->position);
        if (fits > 0) {
            memcpy(w->position, data, fits);
            w->position += fits;
        }
        data = (const uint8_t *)data + fits;
        size -= fits;
        writer_grow(w, size);
    }
    memcpy(w->position, data, size);
    w->position += size;
}

void writer_splice(struct writer *w, const void *data, size_t size)
{
    if (w->arena == NULL || w->is_counting) {
        writer_raw(w, data, size);
        return;
    }
    end_piece(w);
    add_piece(w, (struct piece){ .data = data, .size = size });
}

void writer_splice_file(struct writer *w, struct disk_file *file, int64_t position, size_t size)
{
    if (w->arena == NULL && !w->is_counting)
        writer_fail(w, "records in a file cannot be written to memory");
    if (w->is_counting) {
        w->piece_bytes += size;
        return;
    }
    end_piece(w);
    add_piece(w, (struct piece){ .file = file, .file_position = position, .size = size });
}

void writer_length32(struct writer *w, int32_t length, bool compact)
{
    if (compact)
        writer_uvarint(w, (uint32_t)length + 1);
    else
        writer_int32(w, length);
}

void writer_string(struct writer *w, struct str s, bool compact)
{
    if (s.size > STRING_SIZE_MAX) {
        writer_fail(w, "a string of more than 32767 bytes");
        return;
    }
    int32_t length = s.data == NULL ? -1 : (int32_t)s.size;
    if (compact)
        writer_uvarint(w, (uint32_t)length + 1);
    else
        writer_int16(w, (int16_t)length);
    if (s.data != NULL)
        writer_raw(w, s.data, s.size);
}

void writer_bytes(struct writer *w, struct bytes b, bool compact)
{
    if (b.size > INT32_MAX) {
        writer_fail(w, "more than 2 GiB of bytes");
        return;
    }
    writer_length32(w, b.data == NULL ? -1 : (int32_t)b.size, compact);
    if (b.data != NULL)
        writer_raw(w, b.data, b.size);
}

void writer_records(struct writer *w, struct records r, bool compact)
{
    writer_length32(w, r.size, compact);
    if (r.size <= 0)
        return;
    if (r.file != NULL)
        writer_splice_file(w, r.file, r.file_position, (size_t)r.size);
    else if (r.size >= RECORDS_SPLICE_SIZE)
        writer_splice(w, r.data, (size_t)r.size);
    else
        writer_raw(w, r.data, (size_t)r.size);
}

uint32_t writer_finish(struct writer *w)
{
    if (!w->is_counting && w->arena != NULL)
        end_piece(w);
    return w->piece_count;
}

struct bytes writer_flatten(struct writer *w, struct arena *arena)
{
    if (writer_failed(w))
        return (struct bytes){ NULL, 0 };
    must(w->arena != NULL);
    writer_finish(w);
    uint8_t *out = arena_alloc(arena, w->piece_bytes);
    size_t at = 0;
    for (uint32_t i = 0; i < w->piece_count; i++) {
        const struct piece *piece = &w->pieces[i];
        if (piece->file != NULL) {
            writer_fail(w, "records in a file cannot be written to memory");
            return (struct bytes){ NULL, 0 };
        }
        memcpy(out + at, piece->data, piece->size);
        at += piece->size;
    }
    return (struct bytes){ out, at };
}
