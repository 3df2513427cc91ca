// SPDX-License-Identifier: Apache-2.0
// See batch.h for the format.
#include "record/batch.h"

#include "base/crc32c.h"
#include "base/must.h"

void batch_set_max_timestamp(struct bytes batch, bool log_append_time, int64_t max_timestamp)
{
    uint8_t *b = (uint8_t *)batch.data;
    if (batch_is_log_append_time(b) == log_append_time && batch_max_timestamp(b) == max_timestamp)
        return;
    // Written anew they have the known bits alone.
    int attributes = batch_attributes(b) & (BATCH_COMPRESSION_MASK | BATCH_TRANSACTIONAL |
                                            BATCH_CONTROL | BATCH_DELETE_HORIZON);
    if (log_append_time)
        attributes |= BATCH_LOG_APPEND_TIME;
    put_be16(b + 21, (uint16_t)attributes);
    put_be64(b + 35, (uint64_t)max_timestamp);
    put_be32(b + BATCH_CRC_POSITION, crc32c(b + BATCH_CRC_START, batch.size - BATCH_CRC_START));
}

enum batch_walk batch_next(struct bytes *rest, struct bytes *batch)
{
    if (rest->size < BATCH_SIZE_OVERHEAD)
        return BATCH_END;
    if (batch_size_field(rest->data) < BATCH_MIN_SIZE_FIELD)
        return BATCH_CORRUPT;
    if (rest->size < 17)
        return BATCH_END;
    int magic = batch_magic(rest->data);
    if (magic < 0 || magic > BATCH_MAGIC)
        return BATCH_CORRUPT;
    int64_t size = batch_size(rest->data);
    if ((uint64_t)size > rest->size)
        return BATCH_END;
    *batch = (struct bytes){ rest->data, (size_t)size };
    rest->data += size;
    rest->size -= (size_t)size;
    return BATCH_FOUND;
}

bool batch_is_intact(struct bytes batch)
{
    if (batch.size < BATCH_HEADER_SIZE || batch_size(batch.data) != (int64_t)batch.size)
        return false;
    return batch_crc(batch.data) ==
           crc32c(batch.data + BATCH_CRC_START, batch.size - BATCH_CRC_START);
}

enum kafka_error batch_check_produce(struct bytes records, int16_t api_version)
{
    struct bytes batch;
    switch (batch_next(&records, &batch)) {
    case BATCH_CORRUPT:
        return KERR_CORRUPT_MESSAGE;
    case BATCH_END:
        return KERR_INVALID_RECORD;
    case BATCH_FOUND:
        break;
    }
    if (batch_magic(batch.data) != BATCH_MAGIC)
        return KERR_INVALID_RECORD;
    // The compression bits lie within the smallest batch that batch_next finds (26 bytes).
    if (api_version < 7 && batch_compression(batch.data) == COMPRESSION_ZSTD)
        return KERR_UNSUPPORTED_COMPRESSION_TYPE;
    switch (batch_next(&records, &batch)) {
    case BATCH_CORRUPT:
        return KERR_CORRUPT_MESSAGE;
    case BATCH_END:
        return KERR_NONE;
    case BATCH_FOUND:
        break;
    }
    return KERR_INVALID_RECORD;
}
