// SPDX-License-Identifier: Apache-2.0
// The records of a batch. v = zigzag varint, V = zigzag varint of 64 bits, [n] = n bytes, -1 = null:
//
//     v size of what follows | int8 attributes (unused) | V timestamp - base timestamp | v offset - base offset |
//     v key size [key] | v value size [value] | v number of headers | (v size [key] | v size [value])*
//
// Walking a batch, compressed or not, with everything in it:
//
//     struct record_iter it;
//     record_iter_init(&it, batch, RECORDS_WHOLE);
//     struct record record;
//     while (record_iter_next(&it, &record)) { … }    // record's bytes are valid until the next call
//     if (it.error != RECORDS_OK) …
//     record_iter_fini(&it);
//
// With RECORDS_SKIP keys, values and headers are checked and passed over: sizes and numbers are there, the
// bytes are not, and memory stays at a piece (64 KB to 4 MB) whatever the records claim. With RECORDS_WHOLE a
// compressed record is gathered if it spans pieces; memory grows with bytes seen, never with bytes claimed.
//
// Checked in every record: each size fits the record and the record fits the batch; the record ends where its
// size says; the batch holds as many as its header says and nothing behind them. The offsets are not: a
// compacted batch has gaps.
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "record/batch.h"
#include "record/compress.h"

struct record {
    int64_t offset;
    int64_t timestamp; // the append time when the batch has that type
    int32_t offset_delta;
    uint8_t attributes;
    int32_t size;       // bytes of the record with its size field
    int32_t key_size;   // -1: null
    int32_t value_size; // -1: null
    struct bytes key;   // RECORDS_WHOLE only
    struct bytes value;
    int32_t header_count;
    struct bytes headers; // encoded; see record_header_next
};

struct record_header {
    struct str key;
    struct bytes value;
};

enum records_mode {
    RECORDS_WHOLE,
    RECORDS_SKIP,
    // As RECORDS_SKIP; but in a compressed batch the sizes that records claim for themselves are not looked at.
    // So Kafka's broker checks what it does not have to pack anew, and what it takes we take.
    RECORDS_PARTIAL,
};

enum records_error {
    RECORDS_OK,
    RECORDS_MALFORMED,  // Kafka's InvalidRecordException
    RECORDS_UNREADABLE, // the compressed bytes are damaged, or of no known codec
};

struct record_iter {
    enum records_error error;
    const char *reason; // what was wrong
    enum records_mode _mode;
    const uint8_t *_at;
    const uint8_t *_end;
    struct decompressor *_decompressor; // NULL: not compressed
    uint8_t *_gathered;
    size_t _gathered_capacity;
    int64_t _left; // bytes of the present record not yet read
    int64_t _base_offset;
    int64_t _base_timestamp;
    int64_t _append_time;
    bool _has_append_time;
    int32_t _count;
    int32_t _read;
    struct old_records *_old; // a message of magic 0 or 1; else NULL
};

// `batch` is whole and has a header (batch_is_intact), or is a message of magic 0 or 1 (old_records.h); it is borrowed
// until fini.
void record_iter_init(struct record_iter *it, struct bytes batch, enum records_mode mode);
// False at the end, and when something is wrong: then error says so.
bool record_iter_next(struct record_iter *it, struct record *record);
void record_iter_fini(struct record_iter *it);

// Takes the next header off `rest` (record.headers at first). The bytes were checked by the iterator.
bool record_header_next(struct bytes *rest, struct record_header *header);

// Appends a record's encoding, size included. `headers` are as in struct record: already encoded.
struct strbuf;
void record_encode(struct strbuf *out, int32_t offset_delta, int64_t timestamp_delta,
                   struct bytes key, struct bytes value, int32_t header_count,
                   struct bytes headers);
void record_header_encode(struct strbuf *out, struct str key, struct bytes value);

#endif
