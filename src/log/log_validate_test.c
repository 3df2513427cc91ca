// SPDX-License-Identifier: Apache-2.0
// What a producer may send, and what it is told: codes and texts as the real broker gives them.
#include "log/log_validate.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/testing.h"
#include "record/batch_builder.h"

#define B(z) ((struct bytes){ (const uint8_t *)(z), sizeof(z) - 1 })
#define NOW  INT64_C(1700000000000)

static struct log_config config;
static struct arena arena;
static struct log_validation v;
static struct log_append_result result;

static void begin(void)
{
    config = log_config_default;
    arena_init(&arena);
}

static void end(void)
{
    arena_fini(&arena);
}

static struct bytes build(const struct batch_options *options, int count, int64_t timestamp)
{
    struct batch_builder builder;
    batch_builder_init(&builder, options);
    for (int i = 0; i < count; i++)
        batch_builder_add(&builder, timestamp, i % 2 == 0 ? B("key") : BYTES_NULL, B("value"));
    struct bytes batch = arena_bytes(&arena, batch_builder_finish(&builder));
    batch_builder_fini(&builder);
    return batch;
}

static const struct batch_options plain = { BATCH_OPTIONS_DEFAULT };

static enum kafka_error validate(struct bytes batch)
{
    v = (struct log_validation){ .config = &config,
                                 .origin = LOG_APPEND_CLIENT,
                                 .now_ms = NOW,
                                 .log_name = "t-0",
                                 .arena = &arena,
                                 .batch = batch };
    result = (struct log_append_result){ 0 };
    return log_validate(&v, &result);
}

static void set_crc(struct bytes batch)
{
    // Sets the CRC as a side effect of a change, then takes the change back.
    int64_t max = batch_max_timestamp(batch.data);
    bool append_time = batch_is_log_append_time(batch.data);
    batch_set_max_timestamp(batch, append_time, max + 1);
    batch_set_max_timestamp(batch, append_time, max);
}

static enum kafka_error validate_changed(size_t position, uint8_t value, bool is_signed)
{
    struct bytes batch = build(&plain, 3, NOW);
    ((uint8_t *)batch.data)[position] = value;
    if (is_signed)
        set_crc(batch);
    return validate(batch);
}

static void a_sound_batch_is_left_alone(void)
{
    begin();
    struct bytes batch = build(&plain, 3, NOW - 5);
    CU_ASSERT_EQUAL(validate(batch), KERR_NONE);
    CU_ASSERT_PTR_EQUAL(v.batch.data, batch.data);
    CU_ASSERT_FALSE(v.is_rebuilt);
    CU_ASSERT_EQUAL(v.max_timestamp, NOW - 5);
    CU_ASSERT_EQUAL(v.record_count, 3);
    end();
}

static void headers_are_checked(void)
{
    begin();
    CU_ASSERT_EQUAL(validate_changed(30, 0x77, false), KERR_CORRUPT_MESSAGE); // a timestamp's bit
    CU_ASSERT_EQUAL(validate_changed(7, 1, false), KERR_INVALID_RECORD);      // base offset 1
    CU_ASSERT_EQUAL(validate_changed(60, 4, true), KERR_INVALID_RECORD);      // 4 records announced
    CU_ASSERT_EQUAL(validate_changed(60, 0, true), KERR_INVALID_RECORD);      // none
    CU_ASSERT_EQUAL(validate_changed(57, 0x80, true), KERR_INVALID_RECORD);   // a negative number
    CU_ASSERT_EQUAL(validate_changed(26, 9, true), KERR_INVALID_RECORD);      // last offset delta
    CU_ASSERT_EQUAL(validate_changed(22, BATCH_CONTROL, true), KERR_INVALID_RECORD);
    CU_ASSERT_EQUAL(validate_changed(22, 7, true), KERR_UNKNOWN_SERVER_ERROR); // no such codec
    CU_ASSERT_EQUAL(validate_changed(22, COMPRESSION_ZSTD, true),
                    KERR_UNKNOWN_SERVER_ERROR);                           // is none
    CU_ASSERT_EQUAL(validate_changed(61, 99, true), KERR_INVALID_RECORD); // a record's size
    config.max_message_bytes = 70;
    CU_ASSERT_EQUAL(validate(build(&plain, 3, NOW)), KERR_MESSAGE_TOO_LARGE);
    CU_ASSERT_PTR_NULL(result.error_message);
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.producer_id = 7;
    config.max_message_bytes = 10000;
    CU_ASSERT_EQUAL(validate(build(&options, 1, NOW)),
                    KERR_INVALID_RECORD); // a producer without sequence
    end();
}

static void records_without_key_are_named(void)
{
    begin();
    config.cleanup_compact = true;
    CU_ASSERT_EQUAL(validate(build(&plain, 4, NOW)), KERR_INVALID_RECORD);
    CU_ASSERT_EQUAL_FATAL(result.record_error_count, 2);
    CU_ASSERT_EQUAL(result.record_errors[0].batch_index, 1);
    CU_ASSERT_EQUAL(result.record_errors[1].batch_index, 3);
    CU_ASSERT_STRING_EQUAL(
        result.record_errors[1].message,
        "Compacted topic cannot accept message without key in topic partition t-0");
    CU_ASSERT_STRING_EQUAL(result.error_message,
                           "One or more records have been rejected due to 2 record errors in "
                           "total, and only showing the first three "
                           "errors at most: [RecordError(batchIndex=1, message='Compacted topic "
                           "cannot accept message without key in "
                           "topic partition t-0'), RecordError(batchIndex=3, message='Compacted "
                           "topic cannot accept message without "
                           "key in topic partition t-0')]");
    end();
}

static void timestamps_have_bounds(void)
{
    begin();
    config.message_timestamp_before_max_ms = 1000;
    config.message_timestamp_after_max_ms = 50;
    CU_ASSERT_EQUAL(validate(build(&plain, 1, NOW - 1000)), KERR_NONE);
    CU_ASSERT_EQUAL(validate(build(&plain, 1, NOW + 50)), KERR_NONE);
    CU_ASSERT_EQUAL(validate(build(&plain, 1, NO_TIMESTAMP)), KERR_NONE);
    CU_ASSERT_EQUAL(validate(build(&plain, 1, NOW - 1001)), KERR_INVALID_TIMESTAMP);
    CU_ASSERT_STRING_EQUAL(result.error_message,
                           "One or more records have been rejected due to invalid timestamp");
    CU_ASSERT_EQUAL(result.record_error_count, 1);
    CU_ASSERT_STRING_EQUAL(
        result.record_errors[0].message,
        "Timestamp 1699999998999 of message with offset 0 is out of range. The timestamp should "
        "be within [1699999999000, 1700000000050]");
    CU_ASSERT_EQUAL(validate(build(&plain, 1, NOW + 51)), KERR_INVALID_TIMESTAMP);
    config.message_timestamp_type = LOG_TIMESTAMP_LOG_APPEND_TIME;
    CU_ASSERT_EQUAL(validate(build(&plain, 1, NOW + 51)), KERR_NONE);
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .log_append_time = true,
                                     .append_time = NOW };
    CU_ASSERT_EQUAL(validate(build(&options, 1, NOW)), KERR_INVALID_TIMESTAMP);
    CU_ASSERT_STRING_EQUAL(
        result.record_errors[0].message,
        "Invalid timestamp type in message DefaultRecord(offset=0, timestamp=1700000000000, "
        "key=3 bytes, value=5 bytes). Producer should not set timestamp type to LogAppendTime.");
    end();
}

static void check_rebuilt(int codec, int64_t timestamp)
{
    struct record_iter it;
    struct record record;
    int count = 0;
    CU_ASSERT_TRUE(v.is_rebuilt);
    CU_ASSERT_EQUAL(batch_compression(v.batch.data), codec);
    CU_ASSERT_TRUE(batch_is_intact(v.batch));
    CU_ASSERT_EQUAL(batch_last_offset_delta(v.batch.data), 2);
    record_iter_init(&it, v.batch, RECORDS_WHOLE);
    for (; record_iter_next(&it, &record); count++) {
        CU_ASSERT_EQUAL(record.offset_delta, count);
        CU_ASSERT_EQUAL(record.timestamp, timestamp);
        CU_ASSERT_EQUAL(record.value.size, 5);
    }
    CU_ASSERT_EQUAL(it.error, RECORDS_OK);
    CU_ASSERT_EQUAL(count, 3);
    record_iter_fini(&it);
}

// compression.type of the topic other than the producer's: packed anew, with producer and sequence kept.
static void the_topics_codec_is_applied(void)
{
    begin();
    for (int from = COMPRESSION_NONE; from <= COMPRESSION_ZSTD; from++) {
        for (int to = COMPRESSION_NONE; to <= COMPRESSION_ZSTD; to++) {
            struct batch_options options = { BATCH_OPTIONS_DEFAULT,
                                             .compression = (enum compression)from };
            options.producer_id = 7;
            options.producer_epoch = 2;
            options.base_sequence = 40;
            config.compression_type = (enum log_compression)to;
            config.message_timestamp_type =
                to % 2 == 0 ? LOG_TIMESTAMP_CREATE_TIME : LOG_TIMESTAMP_LOG_APPEND_TIME;
            CU_ASSERT_EQUAL(validate(build(&options, 3, NOW - 9)), KERR_NONE);
            CU_ASSERT_EQUAL(v.is_rebuilt, from != to);
            if (from == to)
                continue;
            check_rebuilt(to, to % 2 == 0 ? NOW - 9 : NOW);
            CU_ASSERT_EQUAL(batch_producer_id(v.batch.data), 7);
            CU_ASSERT_EQUAL(batch_base_sequence(v.batch.data), 40);
        }
    }
    end();
}

// A small batch that unpacks to very much is refused before the memory is gone.
static void a_bomb_is_refused(void)
{
    begin();
    struct batch_builder builder;
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT,
                                                          .compression = COMPRESSION_ZSTD });
    size_t size = 8 << 20;
    uint8_t *zeros = mem_zalloc(size);
    batch_builder_add(&builder, NOW, BYTES_NULL, (struct bytes){ zeros, size });
    struct bytes batch = batch_builder_finish(&builder);
    CU_ASSERT_TRUE(batch.size < 10000);
    CU_ASSERT_EQUAL(validate(batch),
                    KERR_NONE); // kept as it is: consumers get what the producer sent
    config.compression_type = LOG_COMPRESSION_NONE;
    CU_ASSERT_EQUAL(validate(batch), KERR_MESSAGE_TOO_LARGE);
    batch_builder_fini(&builder);
    mem_free(zeros);
    end();
}

static void produce_takes_one_batch(void)
{
    begin();
    struct bytes one = build(&plain, 1, NOW);
    uint8_t *two = mem_alloc(2 * one.size);
    memcpy(two, one.data, one.size);
    memcpy(two + one.size, one.data, one.size);
    CU_ASSERT_EQUAL(batch_check_produce(one, 3), KERR_NONE);
    CU_ASSERT_EQUAL(batch_check_produce((struct bytes){ two, 2 * one.size }, 9),
                    KERR_INVALID_RECORD);
    CU_ASSERT_EQUAL(batch_check_produce((struct bytes){ two, 2 * one.size - 1 }, 9),
                    KERR_NONE); // a cut rest
    CU_ASSERT_EQUAL(batch_check_produce((struct bytes){ two, one.size - 1 }, 9),
                    KERR_INVALID_RECORD);
    CU_ASSERT_EQUAL(batch_check_produce(B(""), 9), KERR_INVALID_RECORD);
    two[16] = 1;
    CU_ASSERT_EQUAL(batch_check_produce((struct bytes){ two, one.size }, 9), KERR_INVALID_RECORD);
    two[16] = 3;
    CU_ASSERT_EQUAL(batch_check_produce((struct bytes){ two, one.size }, 9), KERR_CORRUPT_MESSAGE);
    two[16] = 2;
    two[22] = COMPRESSION_ZSTD;
    CU_ASSERT_EQUAL(batch_check_produce((struct bytes){ two, one.size }, 6),
                    KERR_UNSUPPORTED_COMPRESSION_TYPE);
    CU_ASSERT_EQUAL(batch_check_produce((struct bytes){ two, one.size }, 7), KERR_NONE);
    mem_free(two);
    end();
}

TEST_MAIN("log_validate", TEST(a_sound_batch_is_left_alone), TEST(headers_are_checked),
          TEST(records_without_key_are_named), TEST(timestamps_have_bounds),
          TEST(the_topics_codec_is_applied), TEST(a_bomb_is_refused), TEST(produce_takes_one_batch))
