// SPDX-License-Identifier: Apache-2.0
// A record batch, format v2 ("magic 2", KIP-98): the unit that producers send, logs keep and consumers read.
// All integers are big-endian.
//
//      0 int64 base offset               of the first record; assigned by the leader
//      8 int32 size of all that follows  so the batch is 12 + size bytes
//     12 int32 partition leader epoch    assigned by the leader
//     16 int8  magic = 2
//     17 uint32 CRC-32C of 21..end       (hence offset and epoch can change without a new one)
//     21 int16 attributes                compression:3, timestamp type:1, transactional:1, control:1,
//                                        delete horizon:1
//     23 int32 last offset delta         last offset - base offset; survives compaction
//     27 int64 base timestamp            (delete horizon when that bit is set)
//     35 int64 max timestamp             the append time when the timestamp type is LogAppendTime
//     43 int64 producer id, 51 int16 producer epoch, 53 int32 base sequence; -1 when there is none
//     57 int32 number of records
//     61 records, see record.h; compressed as a whole
//
// Functions here take a pointer to a whole header (61 bytes) and look at nothing else, unless said.
// Tested by record_test.c.
#ifndef RECORD_BATCH_H
#define RECORD_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "protocol/kafka_error.h"

enum {
    BATCH_HEADER_SIZE = 61,
    BATCH_SIZE_OVERHEAD = 12,  // bytes not counted in the size field
    BATCH_MIN_SIZE_FIELD = 14, // smaller size fields are no record of any format
    BATCH_CRC_POSITION = 17,
    BATCH_CRC_START = 21,
    BATCH_MAGIC = 2,
};

enum batch_attributes {
    BATCH_COMPRESSION_MASK = 0x07,
    BATCH_LOG_APPEND_TIME = 0x08,
    BATCH_TRANSACTIONAL = 0x10,
    BATCH_CONTROL = 0x20,
    BATCH_DELETE_HORIZON = 0x40,
};

enum compression {
    COMPRESSION_NONE = 0,
    COMPRESSION_GZIP = 1,
    COMPRESSION_SNAPPY = 2,
    COMPRESSION_LZ4 = 3,
    COMPRESSION_ZSTD = 4,
};

#define NO_PRODUCER_ID INT64_C(-1)
#define NO_TIMESTAMP   INT64_C(-1)

static inline int64_t batch_base_offset(const uint8_t *b)
{
    return (int64_t)get_be64(b);
}

static inline int32_t batch_size_field(const uint8_t *b)
{
    return (int32_t)get_be32(b + 8);
}

// Bytes of the whole batch; needs the first 12 bytes only.
static inline int64_t batch_size(const uint8_t *b)
{
    return (int64_t)batch_size_field(b) + BATCH_SIZE_OVERHEAD;
}

static inline int32_t batch_leader_epoch(const uint8_t *b)
{
    return (int32_t)get_be32(b + 12);
}

static inline int batch_magic(const uint8_t *b)
{
    return (int8_t)b[16];
}

static inline uint32_t batch_crc(const uint8_t *b)
{
    return get_be32(b + BATCH_CRC_POSITION);
}

static inline int batch_attributes(const uint8_t *b)
{
    return get_be16(b + 21);
}

static inline int batch_compression(const uint8_t *b)
{
    return batch_attributes(b) & BATCH_COMPRESSION_MASK; // may be a number that no codec has
}

static inline bool batch_is_transactional(const uint8_t *b)
{
    return (batch_attributes(b) & BATCH_TRANSACTIONAL) != 0;
}

static inline bool batch_is_control(const uint8_t *b)
{
    return (batch_attributes(b) & BATCH_CONTROL) != 0;
}

static inline bool batch_is_log_append_time(const uint8_t *b)
{
    return (batch_attributes(b) & BATCH_LOG_APPEND_TIME) != 0;
}

static inline int32_t batch_last_offset_delta(const uint8_t *b)
{
    return (int32_t)get_be32(b + 23);
}

static inline int64_t batch_last_offset(const uint8_t *b)
{
    return (int64_t)((uint64_t)batch_base_offset(b) +
                     (uint64_t)(int64_t)batch_last_offset_delta(b));
}

static inline int64_t batch_next_offset(const uint8_t *b)
{
    return (int64_t)((uint64_t)batch_last_offset(b) + 1);
}

static inline int64_t batch_base_timestamp(const uint8_t *b)
{
    return (int64_t)get_be64(b + 27);
}

static inline int64_t batch_max_timestamp(const uint8_t *b)
{
    return (int64_t)get_be64(b + 35);
}

static inline int64_t batch_producer_id(const uint8_t *b)
{
    return (int64_t)get_be64(b + 43);
}

static inline bool batch_has_producer_id(const uint8_t *b)
{
    return batch_producer_id(b) > NO_PRODUCER_ID;
}

static inline int16_t batch_producer_epoch(const uint8_t *b)
{
    return (int16_t)get_be16(b + 51);
}

static inline int32_t batch_base_sequence(const uint8_t *b)
{
    return (int32_t)get_be32(b + 53);
}

static inline int32_t batch_record_count(const uint8_t *b)
{
    return (int32_t)get_be32(b + 57);
}

// a - b as Java's long does it: timestamps are whatever a producer made of them.
static inline int64_t timestamp_minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

// Sequences of a producer count to 2^31-1 and go on with 0.
static inline int32_t sequence_add(int32_t sequence, int32_t increment)
{
    return (int32_t)(((uint32_t)sequence + (uint32_t)increment) & INT32_MAX);
}

// -1 when the batch has none.
static inline int32_t batch_last_sequence(const uint8_t *b)
{
    int32_t base = batch_base_sequence(b);
    return base == -1 ? -1 : sequence_add(base, batch_last_offset_delta(b));
}

// The records, still compressed, of a whole batch.
static inline struct bytes batch_records(struct bytes batch)
{
    return (struct bytes){ batch.data + BATCH_HEADER_SIZE, batch.size - BATCH_HEADER_SIZE };
}

// ---- assigning, in place: neither offset nor epoch is under the CRC --------------------------------

static inline void batch_set_base_offset(uint8_t *b, int64_t offset)
{
    put_be64(b, (uint64_t)offset);
}

static inline void batch_set_leader_epoch(uint8_t *b, int32_t epoch)
{
    put_be32(b + 12, (uint32_t)epoch);
}

// Sets timestamp type and max timestamp, and the CRC anew if that changes anything. `batch` is whole.
void batch_set_max_timestamp(struct bytes batch, bool log_append_time, int64_t max_timestamp);

// ---- walking and checking ---------------------------------------------------------------------------

enum batch_walk {
    BATCH_FOUND,
    BATCH_END,     // nothing more, or less than a whole batch
    BATCH_CORRUPT, // the bytes cannot be a batch: size field below 14, or a magic of no format
};

// The next batch of `rest`, which then begins behind it. Batches of the formats before v2 (magic 0 and 1)
// are found too, as bytes: look at batch_magic before anything else.
// A v2 batch that is BATCH_FOUND may still be shorter than its header: batch_is_intact tells.
enum batch_walk batch_next(struct bytes *rest, struct bytes *batch);

// Whole header, and the CRC is right. One pass over the bytes.
bool batch_is_intact(struct bytes batch);

// What a Produce request (v3 and later) may carry for one partition: exactly one batch, magic 2, and zstd
// only since v7. KERR_NONE, KERR_INVALID_RECORD, KERR_CORRUPT_MESSAGE or
// KERR_UNSUPPORTED_COMPRESSION_TYPE, as Kafka answers before it looks at the partition.
enum kafka_error batch_check_produce(struct bytes records, int16_t api_version);

#endif
