// SPDX-License-Identifier: Apache-2.0
// See log_validate.h. The texts of record errors are Kafka's: clients show them to people.
#include "log/log_validate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "record/batch_builder.h"

enum {
    RECORD_ERRORS_MAX = 10000, // kept of one batch; Kafka keeps all, whatever memory that takes
    RECORD_ERRORS_SHOWN = 3,
    REBUILD_MAX = 256 << 20, // uncompressed bytes that a batch may have which has to be packed anew
};

struct record_errors {
    struct log_record_error *items;
    size_t count;
    size_t kept;
    size_t capacity;
    bool is_timestamp; // one of them is about a timestamp: that decides the code
};

static void add_error(struct log_validation *v, struct record_errors *errors, int32_t index,
                      const char *message)
{
    errors->count++;
    if (errors->kept == RECORD_ERRORS_MAX)
        return;
    if (errors->kept == errors->capacity) {
        size_t capacity = errors->capacity == 0 ? 8 : errors->capacity * 2;
        struct log_record_error *items = arena_array(v->arena, struct log_record_error, capacity);
        if (errors->kept > 0)
            memcpy(items, errors->items, errors->kept * sizeof *items);
        errors->items = items;
        errors->capacity = capacity;
    }
    errors->items[errors->kept++] = (struct log_record_error){ index, message };
}

static bool keeps_codec(const struct log_validation *v)
{
    return v->config->compression_type == LOG_COMPRESSION_PRODUCER ||
           (int)v->config->compression_type == batch_compression(v->batch.data);
}

static void check_record(struct log_validation *v, const struct record *record, int32_t index,
                         bool batch_has_append_time, struct record_errors *errors)
{
    const struct log_config *config = v->config;
    if (config->cleanup_compact && record->key_size < 0) {
        add_error(
            v, errors, index,
            arena_printf(v->arena,
                         "Compacted topic cannot accept message without key in topic partition %s",
                         v->log_name));
        return;
    }
    if (config->message_timestamp_type == LOG_TIMESTAMP_CREATE_TIME &&
        record->timestamp != NO_TIMESTAMP) {
        int64_t age = timestamp_minus(v->now_ms, record->timestamp);
        if (age <= config->message_timestamp_before_max_ms &&
            timestamp_minus(0, age) <= config->message_timestamp_after_max_ms)
            return;
        errors->is_timestamp = true;
        add_error(v, errors, index,
                  arena_printf(
                      v->arena,
                      "Timestamp %" PRId64 " of message with offset %" PRId64
                      " is out of range. The timestamp should be within [%" PRId64 ", %" PRId64 "]",
                      record->timestamp, record->offset,
                      timestamp_minus(v->now_ms, config->message_timestamp_before_max_ms),
                      timestamp_minus(v->now_ms,
                                      timestamp_minus(0, config->message_timestamp_after_max_ms))));
    } else if (batch_has_append_time) {
        errors->is_timestamp = true;
        // How Java names a record tells whether its key and value were unpacked.
        bool is_partial = batch_compression(v->batch.data) != COMPRESSION_NONE && keeps_codec(v);
        int least = is_partial ? -1 : 0;
        add_error(v, errors, index,
                  arena_printf(v->arena,
                               "Invalid timestamp type in message %sDefaultRecord(offset=%" PRId64
                               ", timestamp=%" PRId64
                               ", key=%d bytes, value=%d bytes). Producer should not set "
                               "timestamp type to LogAppendTime.",
                               is_partial ? "Partial" : "", record->offset, record->timestamp,
                               record->key_size < 0 ? least : record->key_size,
                               record->value_size < 0 ? least : record->value_size));
    }
}

static enum kafka_error report(struct log_validation *v, const struct record_errors *errors,
                               struct log_append_result *result)
{
    if (errors->count == 0)
        return KERR_NONE;
    result->record_errors = errors->items;
    result->record_error_count = errors->kept;
    if (errors->is_timestamp) {
        result->error_message = "One or more records have been rejected due to invalid timestamp";
        return KERR_INVALID_TIMESTAMP;
    }
    char *shown = arena_printf(v->arena, "%s", "");
    for (size_t i = 0; i < errors->kept && i < RECORD_ERRORS_SHOWN; i++)
        shown = arena_printf(v->arena, "%s%sRecordError(batchIndex=%" PRId32 ", message='%s')",
                             shown, i == 0 ? "" : ", ", errors->items[i].batch_index,
                             errors->items[i].message);
    result->error_message = arena_printf(v->arena,
                                         "One or more records have been rejected due to %zu record "
                                         "errors in total, and only showing "
                                         "the first three errors at most: [%s]",
                                         errors->count, shown);
    return KERR_INVALID_RECORD;
}

// ---- the batch --------------------------------------------------------------------------------------

static enum kafka_error check_batch(struct log_validation *v)
{
    if (v->batch.size < BATCH_HEADER_SIZE)
        return KERR_CORRUPT_MESSAGE;
    const uint8_t *b = v->batch.data;
    bool is_client = v->origin == LOG_APPEND_CLIENT;
    if (batch_magic(b) != BATCH_MAGIC)
        return KERR_INVALID_RECORD;
    if (is_client && batch_base_offset(b) != 0)
        return KERR_INVALID_RECORD;
    if (v->batch.size > (size_t)v->config->max_message_bytes)
        return KERR_MESSAGE_TOO_LARGE;
    if (!batch_is_intact(v->batch))
        return KERR_CORRUPT_MESSAGE;
    if (batch_compression(b) > COMPRESSION_ZSTD)
        return KERR_UNKNOWN_SERVER_ERROR;
    if (!is_client)
        return KERR_NONE;
    int32_t count = batch_record_count(b);
    if (batch_last_offset_delta(b) < 0 || count <= 0 || count - 1 != batch_last_offset_delta(b))
        return KERR_INVALID_RECORD;
    if (batch_is_control(b))
        return KERR_INVALID_RECORD;
    if (batch_has_producer_id(b) && batch_base_sequence(b) < 0)
        return KERR_INVALID_RECORD;
    return KERR_NONE;
}

enum kafka_error log_check_batches(struct bytes records)
{
    struct bytes batch;
    enum batch_walk walk;
    while ((walk = batch_next(&records, &batch)) == BATCH_FOUND)
        if (batch_magic(batch.data) != BATCH_MAGIC || !batch_is_intact(batch) ||
            batch_last_offset_delta(batch.data) < 0 || batch_base_offset(batch.data) < 0)
            return KERR_CORRUPT_MESSAGE;
    return walk == BATCH_CORRUPT ? KERR_CORRUPT_MESSAGE : KERR_NONE;
}

// ---- its records ------------------------------------------------------------------------------------

static enum kafka_error error_of(const struct record_iter *it)
{
    switch (it->error) {
    case RECORDS_OK:
        return KERR_NONE;
    case RECORDS_MALFORMED:
        return KERR_INVALID_RECORD;
    case RECORDS_UNREADABLE:
        break;
    }
    return KERR_UNKNOWN_SERVER_ERROR; // Kafka has no answer of its own for this either
}

static enum kafka_error check_records(struct log_validation *v, bool *in_order,
                                      struct log_append_result *result)
{
    const uint8_t *b = v->batch.data;
    bool has_append_time = batch_is_log_append_time(b);
    struct record_errors errors = { 0 };
    struct record_iter it;
    struct record record;
    int32_t index = 0;
    v->max_timestamp = NO_TIMESTAMP;
    *in_order = true;
    record_iter_init(&it, v->batch, keeps_codec(v) ? RECORDS_PARTIAL : RECORDS_WHOLE);
    for (; record_iter_next(&it, &record); index++) {
        check_record(v, &record, index, has_append_time, &errors);
        if (record.timestamp > v->max_timestamp)
            v->max_timestamp = record.timestamp;
        if (record.offset_delta != index)
            *in_order = false;
    }
    enum kafka_error error = error_of(&it);
    record_iter_fini(&it);
    v->record_count = index;
    return error != KERR_NONE ? error : report(v, &errors, result);
}

static int32_t level_of(const struct log_config *config, enum compression compression)
{
    switch (compression) {
    case COMPRESSION_GZIP:
        return config->compression_gzip_level;
    case COMPRESSION_LZ4:
        return config->compression_lz4_level;
    case COMPRESSION_ZSTD:
        return config->compression_zstd_level;
    case COMPRESSION_NONE:
    case COMPRESSION_SNAPPY:
        break;
    }
    return COMPRESSION_LEVEL_DEFAULT;
}

// What Kafka's builder does not let pass: it has no code of its own for that.
static bool can_be_rebuilt(const uint8_t *b)
{
    if (batch_producer_id(b) == NO_PRODUCER_ID)
        return !batch_is_transactional(b);
    return batch_producer_epoch(b) != -1 && (batch_base_sequence(b) >= 0 || batch_is_control(b));
}

static enum kafka_error rebuild(struct log_validation *v, enum compression compression)
{
    const uint8_t *b = v->batch.data;
    if (!can_be_rebuilt(b))
        return KERR_UNKNOWN_SERVER_ERROR;
    bool append_time = v->config->message_timestamp_type == LOG_TIMESTAMP_LOG_APPEND_TIME;
    struct batch_builder builder;
    batch_builder_init(
        &builder, &(struct batch_options){ .compression = compression,
                                           .compression_level = level_of(v->config, compression),
                                           .log_append_time = append_time,
                                           .append_time = v->now_ms,
                                           .producer_id = batch_producer_id(b),
                                           .producer_epoch = batch_producer_epoch(b),
                                           .base_sequence = batch_base_sequence(b),
                                           .is_transactional = batch_is_transactional(b) });
    struct record_iter it;
    struct record record;
    record_iter_init(&it, v->batch, RECORDS_WHOLE);
    size_t most =
        compression == COMPRESSION_NONE ? (size_t)v->config->max_message_bytes : REBUILD_MAX;
    enum kafka_error error = KERR_NONE;
    while (error == KERR_NONE && record_iter_next(&it, &record)) {
        if (record.timestamp < 0 && record.timestamp != NO_TIMESTAMP) {
            error = KERR_UNKNOWN_SERVER_ERROR; // as above
            break;
        }
        batch_builder_add_record(&builder, builder.count, record.timestamp, record.key,
                                 record.value, record.header_count, record.headers);
        if (batch_builder_size(&builder) > most)
            error = KERR_MESSAGE_TOO_LARGE;
    }
    if (error == KERR_NONE)
        error = error_of(&it);
    record_iter_fini(&it);
    if (error == KERR_NONE && builder.count > 0) {
        v->batch = arena_bytes(v->arena, batch_builder_finish(&builder));
        v->is_rebuilt = true;
        if (v->batch.size > (size_t)v->config->max_message_bytes)
            error = KERR_MESSAGE_TOO_LARGE;
    }
    batch_builder_fini(&builder);
    return error;
}

enum kafka_error log_validate(struct log_validation *v, struct log_append_result *result)
{
    v->is_rebuilt = false;
    enum kafka_error error = check_batch(v);
    bool in_order;
    if (error == KERR_NONE)
        error = check_records(v, &in_order, result);
    if (error != KERR_NONE)
        return error;
    int source = batch_compression(v->batch.data);
    int target = v->config->compression_type == LOG_COMPRESSION_PRODUCER
                     ? source
                     : (int)v->config->compression_type;
    // Offsets inside a batch that is not compressed on either side are taken as they are, as Kafka takes them;
    // those of a compressed one it would assign anew, and fails over that.
    bool keep = source == target || (source == COMPRESSION_NONE && batch_is_control(v->batch.data));
    if (keep && !in_order && source != COMPRESSION_NONE)
        return KERR_UNKNOWN_SERVER_ERROR;
    return keep ? KERR_NONE : rebuild(v, (enum compression)target);
}
