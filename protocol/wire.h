// SPDX-License-Identifier: Apache-2.0
// The primitives of Kafka's wire: a reader over bytes that are there, and a writer that makes a
// frame. Integers are big-endian. Classic strings carry an int16 length, bytes and arrays an int32
// (-1 is null); since KIP-482 "flexible" versions have the compact forms, an unsigned varint of the
// length plus one (0 is null), and tagged fields: a count, then tag, size and that many bytes each.
//
// The reader never copies: strings, bytes and records point into the frame. It trusts nothing:
// (1) No read leaves [start, end).
// (2) The first failure sticks: `reason` says what, `failed_at` where; all later reads give zeros,
//     so that the caller checks once.
//
// The writer makes a list of pieces for writev and sendfile:
//
//     |len|corr|... topic|part| records in a file |part| records in memory |tags|
//     [--- memory -----------][-- file ---------- ][mem][-- memory, not copied][mem]
//
// (3) Bytes in one of its blocks never move, so a place returned by writer_take may be filled
// later. (4) Records of RECORDS_SPLICE_SIZE or more and those in files are referred to, not copied:
// they
//     must live until the frame has been sent.
// (5) Its failures stick as the reader's do.
#ifndef PROTOCOL_WIRE_H
#define PROTOCOL_WIRE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct disk_file;

// Record batches: in memory, or (file set, data NULL) still in a file. size -1 is null.
struct records {
    const uint8_t *data;
    struct disk_file *file;
    int64_t file_position;
    int32_t size;
};

// Fields that came with a tag this schema does not know; kept, and written again (KIP-482).
struct tagged_field {
    uint32_t tag;
    struct bytes data;
};

struct tagged_fields {
    const struct tagged_field *fields; // by tag, ascending
    uint32_t count;
};

// ---- reader
// ---------------------------------------------------------------------------------------

struct reader {
    const uint8_t *position;
    const uint8_t *end;
    const uint8_t *start;
    const char *reason; // NULL as long as all is well
    size_t failed_at;
};

void reader_init(struct reader *r, const void *data, size_t size);

// Notes a failure at the present position, unless there is one already. Empties the reader.
void reader_fail(struct reader *r, const char *reason);

static inline bool reader_failed(const struct reader *r)
{
    return r->reason != NULL;
}

static inline size_t reader_remaining(const struct reader *r)
{
    return (size_t)(r->end - r->position);
}

// The next `size` bytes, or NULL if there are not so many.
static inline const uint8_t *reader_take(struct reader *r, size_t size)
{
    if (__builtin_expect(reader_remaining(r) < size, 0)) {
        reader_fail(r, "the bytes end here");
        return NULL;
    }
    const uint8_t *p = r->position;
    r->position += size;
    return p;
}

static inline int8_t reader_int8(struct reader *r)
{
    const uint8_t *p = reader_take(r, 1);
    return p ? (int8_t)*p : 0;
}

static inline int16_t reader_int16(struct reader *r)
{
    const uint8_t *p = reader_take(r, 2);
    return p ? (int16_t)get_be16(p) : 0;
}

static inline uint16_t reader_uint16(struct reader *r)
{
    return (uint16_t)reader_int16(r);
}

static inline int32_t reader_int32(struct reader *r)
{
    const uint8_t *p = reader_take(r, 4);
    return p ? (int32_t)get_be32(p) : 0;
}

static inline uint32_t reader_uint32(struct reader *r)
{
    return (uint32_t)reader_int32(r);
}

static inline int64_t reader_int64(struct reader *r)
{
    const uint8_t *p = reader_take(r, 8);
    return p ? (int64_t)get_be64(p) : 0;
}

// Any byte but 0 is true, as in Kafka.
static inline bool reader_bool(struct reader *r)
{
    return reader_int8(r) != 0;
}

double reader_float64(struct reader *r);
struct uuid reader_uuid(struct reader *r);

// At most 5 and 10 bytes; bits that do not fit are dropped, as Kafka does. The plain names are
// zig-zag encoded.
uint32_t reader_uvarint(struct reader *r);
uint64_t reader_uvarlong(struct reader *r);
int32_t reader_varint(struct reader *r);
int64_t reader_varlong(struct reader *r);

// A length or count in front of something; negative if that is null.
int32_t reader_length16(struct reader *r);
int32_t reader_length32(struct reader *r);
int32_t reader_length_compact(struct reader *r);

// Null has a NULL `data`; what is empty has not. Strings are limited to 32767 bytes, as in Kafka.
struct str reader_string(struct reader *r, bool compact);
struct bytes reader_bytes(struct reader *r, bool compact);
struct records reader_records(struct reader *r, bool compact);

// ---- writer
// ---------------------------------------------------------------------------------------

enum { RECORDS_SPLICE_SIZE = 4096 };

// A part of a frame: `size` bytes at `data`, or in `file` from `file_position`.
struct piece {
    const uint8_t *data;
    struct disk_file *file;
    int64_t file_position;
    size_t size;
};

struct writer {
    uint8_t *position;  // next free byte of the block
    uint8_t *end;       // of the block
    uint8_t *begin;     // first byte of the block that no piece has yet
    const char *reason; // NULL as long as all is well
    struct arena *arena;
    struct piece *pieces;
    uint32_t piece_count;
    uint32_t piece_capacity;
    size_t piece_bytes; // in all pieces
    size_t next_block_size;
    bool is_counting;
    uint8_t scratch[32];
};

// Writes a frame in pieces; blocks and the list come from the arena.
void writer_init(struct writer *w, struct arena *arena);

// Writes into memory of the caller's; more than `size` bytes is a failure. Records are copied, and
// those in a file are a failure.
void writer_init_fixed(struct writer *w, void *data, size_t size);

// Writes nowhere: only writer_size is of use.
void writer_init_counting(struct writer *w);

void writer_fail(struct writer *w, const char *reason);

static inline bool writer_failed(const struct writer *w)
{
    return w->reason != NULL;
}

// All bytes written so far, spliced ones included.
static inline size_t writer_size(const struct writer *w)
{
    return w->piece_bytes + (size_t)(w->position - w->begin);
}

// Makes room; for writer_take.
void writer_grow(struct writer *w, size_t size);

// Room for `size` bytes (at most 16) in one place, to be filled by the caller, now or later.
static inline uint8_t *writer_take(struct writer *w, size_t size)
{
    if (__builtin_expect((size_t)(w->end - w->position) < size, 0))
        writer_grow(w, size);
    uint8_t *p = w->position;
    w->position += size;
    return p;
}

static inline void writer_int8(struct writer *w, int8_t v)
{
    *writer_take(w, 1) = (uint8_t)v;
}

static inline void writer_bool(struct writer *w, bool v)
{
    *writer_take(w, 1) = v;
}

static inline void writer_int16(struct writer *w, int16_t v)
{
    put_be16(writer_take(w, 2), (uint16_t)v);
}

static inline void writer_uint16(struct writer *w, uint16_t v)
{
    put_be16(writer_take(w, 2), v);
}

static inline void writer_int32(struct writer *w, int32_t v)
{
    put_be32(writer_take(w, 4), (uint32_t)v);
}

static inline void writer_uint32(struct writer *w, uint32_t v)
{
    put_be32(writer_take(w, 4), v);
}

static inline void writer_int64(struct writer *w, int64_t v)
{
    put_be64(writer_take(w, 8), (uint64_t)v);
}

void writer_float64(struct writer *w, double v);
void writer_uuid(struct writer *w, struct uuid v);
void writer_uvarint(struct writer *w, uint32_t v);
void writer_uvarlong(struct writer *w, uint64_t v);
void writer_varint(struct writer *w, int32_t v);
void writer_varlong(struct writer *w, int64_t v);

// Copies.
void writer_raw(struct writer *w, const void *data, size_t size);

// The same bytes without a copy, if this writer has pieces: (4).
void writer_splice(struct writer *w, const void *data, size_t size);
void writer_splice_file(struct writer *w, struct disk_file *file, int64_t position, size_t size);

// A count or length, -1 for null, in front of something.
void writer_length32(struct writer *w, int32_t length, bool compact);

void writer_string(struct writer *w, struct str s, bool compact);
void writer_bytes(struct writer *w, struct bytes b, bool compact);
void writer_records(struct writer *w, struct records r, bool compact);

// Ends the frame: the pieces are then complete. Gives their number.
uint32_t writer_finish(struct writer *w);

// The whole frame in one place in the arena; pieces in a file are a failure. {NULL, 0} if failed.
struct bytes writer_flatten(struct writer *w, struct arena *arena);

#endif
