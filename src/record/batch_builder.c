// SPDX-License-Identifier: Apache-2.0
#include "record/batch_builder.h"

#include "base/crc32c.h"
#include "base/must.h"

void batch_builder_reset(struct batch_builder *builder, const struct batch_options *options)
{
    static const uint8_t empty_header[BATCH_HEADER_SIZE];
    builder->_options = *options;
    builder->_batch.size = 0;
    builder->_packed.size = 0;
    builder->_base_timestamp = NO_TIMESTAMP;
    builder->_max_timestamp = NO_TIMESTAMP;
    builder->_last_offset_delta = -1;
    builder->count = 0;
    strbuf_add(&builder->_batch, empty_header, sizeof empty_header);
}

void batch_builder_init(struct batch_builder *builder, const struct batch_options *options)
{
    builder->_batch = builder->_packed = STRBUF_EMPTY;
    batch_builder_reset(builder, options);
}

void batch_builder_fini(struct batch_builder *builder)
{
    strbuf_fini(&builder->_batch);
    strbuf_fini(&builder->_packed);
}

void batch_builder_add_record(struct batch_builder *builder, int32_t offset_delta,
                              int64_t timestamp, struct bytes key, struct bytes value,
                              int32_t header_count, struct bytes headers)
{
    must(offset_delta > builder->_last_offset_delta);
    if (builder->count == 0)
        builder->_base_timestamp = timestamp;
    if (timestamp > builder->_max_timestamp)
        builder->_max_timestamp = timestamp;
    record_encode(&builder->_batch, offset_delta,
                  timestamp_minus(timestamp, builder->_base_timestamp), key, value, header_count,
                  headers);
    builder->_last_offset_delta = offset_delta;
    builder->count++;
}

void batch_builder_add(struct batch_builder *builder, int64_t timestamp, struct bytes key,
                       struct bytes value)
{
    batch_builder_add_record(builder, builder->_last_offset_delta + 1, timestamp, key, value, 0,
                             BYTES_NULL);
}

size_t batch_builder_size(const struct batch_builder *builder)
{
    return builder->_batch.size;
}

struct bytes batch_builder_finish(struct batch_builder *builder)
{
    must(builder->count > 0);
    const struct batch_options *options = &builder->_options;
    struct strbuf *whole = &builder->_batch;
    if (options->compression != COMPRESSION_NONE) {
        whole = &builder->_packed;
        whole->size = 0;
        strbuf_add(whole, builder->_batch.data, BATCH_HEADER_SIZE);
        struct bytes raw = { (const uint8_t *)builder->_batch.data + BATCH_HEADER_SIZE,
                             builder->_batch.size - BATCH_HEADER_SIZE };
        compress_bytes(options->compression, options->compression_level, raw, whole);
    }
    int attributes = (int)options->compression;
    attributes |= options->log_append_time ? BATCH_LOG_APPEND_TIME : 0;
    attributes |= options->is_transactional ? BATCH_TRANSACTIONAL : 0;
    attributes |= options->is_control ? BATCH_CONTROL : 0;
    uint8_t *b = (uint8_t *)whole->data;
    must(whole->size <= INT32_MAX);
    put_be64(b, (uint64_t)options->base_offset);
    put_be32(b + 8, (uint32_t)(whole->size - BATCH_SIZE_OVERHEAD));
    put_be32(b + 12, (uint32_t)options->leader_epoch);
    b[16] = BATCH_MAGIC;
    put_be16(b + 21, (uint16_t)attributes);
    put_be32(b + 23, (uint32_t)builder->_last_offset_delta);
    put_be64(b + 27, (uint64_t)builder->_base_timestamp);
    put_be64(b + 35,
             (uint64_t)(options->log_append_time ? options->append_time : builder->_max_timestamp));
    put_be64(b + 43, (uint64_t)options->producer_id);
    put_be16(b + 51, (uint16_t)options->producer_epoch);
    put_be32(b + 53, (uint32_t)options->base_sequence);
    put_be32(b + 57, (uint32_t)builder->count);
    put_be32(b + BATCH_CRC_POSITION, crc32c(b + BATCH_CRC_START, whole->size - BATCH_CRC_START));
    return (struct bytes){ b, whole->size };
}

void control_key_encode(uint8_t key[CONTROL_KEY_SIZE], enum control_type type)
{
    put_be16(key, 0);
    put_be16(key + 2, (uint16_t)type);
}

int control_key_type(struct bytes key)
{
    if (key.size < CONTROL_KEY_SIZE || (int16_t)get_be16(key.data) < 0)
        return -1;
    return (int16_t)get_be16(key.data + 2);
}

void end_txn_marker_encode(uint8_t value[END_TXN_MARKER_SIZE], int32_t coordinator_epoch)
{
    put_be16(value, 0);
    put_be32(value + 2, (uint32_t)coordinator_epoch);
}
