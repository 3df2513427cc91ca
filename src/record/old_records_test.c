// SPDX-License-Identifier: Apache-2.0
#include "record/old_records.h"

#include <zlib.h>

#include "base/mem.h"
#include "base/testing.h"

// Made by Kafka's own classes: MemoryRecords.builder with this magic and compression, first offset 100.
#define SAMPLE(magic, compression, text)                                                           \
    {                                                                                              \
        magic, compression,                                                                        \
        {                                                                                          \
            (const uint8_t *)(text), sizeof(text) - 1                                              \
        }                                                                                          \
    }
static const struct sample {
    int magic;
    enum compression compression;
    struct bytes bytes;
} samples[] = {
    SAMPLE(
        0, COMPRESSION_NONE,
        "\x00\x00\x00\x00\x00\x00\x00\x64\x00\x00\x00\x16\x23\x56\xc1\x37\x00\x00\x00\x00\x00\x03"
        "\x6b\x65\x79\x00\x00\x00\x05\x76\x61\x6c\x75\x65\x00\x00\x00\x00\x00\x00\x00\x65\x00\x00"
        "\x00\x18\xe3\x9e\x7c\x63\x00\x00\xff\xff\xff\xff\x00\x00\x00\x0a\x6f\x6e\x6c\x79\x20\x76"
        "\x61\x6c\x75\x65\x00\x00\x00\x00\x00\x00\x00\x66\x00\x00\x00\x17\x3b\xda\x36\xb4\x00\x00"
        "\x00\x00\x00\x09\x74\x6f\x6d\x62\x73\x74\x6f\x6e\x65\xff\xff\xff\xff"),
    SAMPLE(
        0, COMPRESSION_GZIP,
        "\x00\x00\x00\x00\x00\x00\x00\x66\x00\x00\x00\x68\x44\x65\x93\x55\x00\x01\xff\xff\xff\xff"
        "\x00\x00\x00\x5a\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x63\x60\x00\x83\x14\x20\x16\x53"
        "\x0e\x3b\x68\x0e\xe6\x31\x67\xa7\x56\x02\x29\xd6\xb2\xc4\x9c\xd2\x54\x88\x02\x06\x10\x2d"
        "\xf1\x78\x5e\x4d\x32\x03\xc3\x7f\x20\x00\xf2\xb8\xf2\xf3\x72\x2a\x15\x90\xd5\xa4\x01\xb1"
        "\xb8\xf5\x2d\xb3\x2d\x60\x1e\x67\x49\x7e\x6e\x52\x71\x49\x7e\x5e\x2a\x48\x03\x00\xf9\x75"
        "\xcb\x49\x69\x00\x00\x00"),
    SAMPLE(
        0, COMPRESSION_SNAPPY,
        "\x00\x00\x00\x00\x00\x00\x00\x66\x00\x00\x00\x7b\x9a\xdc\xe0\x09\x00\x02\xff\xff\xff\xff"
        "\x00\x00\x00\x6d\x82\x53\x4e\x41\x50\x50\x59\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"
        "\x00\x59\x69\x00\x00\x09\x01\x20\x64\x00\x00\x00\x16\x23\x56\xc1\x37\x05\x0f\x30\x03\x6b"
        "\x65\x79\x00\x00\x00\x05\x76\x61\x6c\x75\x65\x05\x12\x04\x00\x00\x01\x08\x4c\x18\xe3\x9e"
        "\x7c\x63\x00\x00\xff\xff\xff\xff\x00\x00\x00\x0a\x6f\x6e\x6c\x79\x20\x2e\x24\x00\x20\x66"
        "\x00\x00\x00\x17\x3b\xda\x36\xb4\x05\x34\x34\x09\x74\x6f\x6d\x62\x73\x74\x6f\x6e\x65\xff"
        "\xff\xff\xff"),
    SAMPLE(
        0, COMPRESSION_LZ4,
        "\x00\x00\x00\x00\x00\x00\x00\x66\x00\x00\x00\x77\x61\x6f\xb3\x42\x00\x03\xff\xff\xff\xff"
        "\x00\x00\x00\x69\x04\x22\x4d\x18\x60\x40\x1a\x5a\x00\x00\x00\x12\x00\x01\x00\x91\x64\x00"
        "\x00\x00\x16\x23\x56\xc1\x37\x0f\x00\xd1\x03\x6b\x65\x79\x00\x00\x00\x05\x76\x61\x6c\x75"
        "\x65\x12\x00\x20\x00\x00\x08\x00\xf8\x05\x18\xe3\x9e\x7c\x63\x00\x00\xff\xff\xff\xff\x00"
        "\x00\x00\x0a\x6f\x6e\x6c\x79\x20\x24\x00\x90\x66\x00\x00\x00\x17\x3b\xda\x36\xb4\x31\x00"
        "\xf0\x00\x00\x09\x74\x6f\x6d\x62\x73\x74\x6f\x6e\x65\xff\xff\xff\xff\x00\x00\x00\x00"),
    SAMPLE(
        1, COMPRESSION_NONE,
        "\x00\x00\x00\x00\x00\x00\x00\x64\x00\x00\x00\x1e\x94\x05\x13\xd3\x01\x00\x00\x00\x00\x00"
        "\x00\x00\x13\x88\x00\x00\x00\x03\x6b\x65\x79\x00\x00\x00\x05\x76\x61\x6c\x75\x65\x00\x00"
        "\x00\x00\x00\x00\x00\x65\x00\x00\x00\x20\x66\xb3\xce\x78\x01\x00\x00\x00\x00\x00\x00\x00"
        "\x13\x89\xff\xff\xff\xff\x00\x00\x00\x0a\x6f\x6e\x6c\x79\x20\x76\x61\x6c\x75\x65\x00\x00"
        "\x00\x00\x00\x00\x00\x66\x00\x00\x00\x1f\x99\xde\x28\x84\x01\x00\x00\x00\x00\x00\x00\x00"
        "\x13\x8a\x00\x00\x00\x09\x74\x6f\x6d\x62\x73\x74\x6f\x6e\x65\xff\xff\xff\xff"),
    SAMPLE(
        1, COMPRESSION_GZIP,
        "\x00\x00\x00\x00\x00\x00\x00\x66\x00\x00\x00\x75\x45\xc4\xda\xa3\x01\x01\x00\x00\x00\x00"
        "\x00\x00\x13\x8a\xff\xff\xff\xff\x00\x00\x00\x5f\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
        "\x63\x60\x80\x03\xb9\x29\xac\xc2\x97\x19\xa1\x1c\xe1\x0e\x20\xc1\x9c\x9d\x5a\x09\xa4\x58"
        "\xcb\x12\x73\x4a\x53\xa1\x12\x20\x05\x0a\x69\x9b\xcf\x55\xc0\x55\x76\xfe\x07\x02\x20\x83"
        "\x2b\x3f\x2f\xa7\x52\x01\x59\x2d\x13\x10\xcb\xcf\xbc\xa7\xd1\x02\x57\xdb\x05\x24\x38\x4b"
        "\xf2\x73\x93\x8a\x4b\xf2\xf3\x52\x41\x1a\x01\x31\x70\x9e\xc8\x81\x00\x00\x00"),
    SAMPLE(
        1, COMPRESSION_SNAPPY,
        "\x00\x00\x00\x00\x00\x00\x00\x66\x00\x00\x00\x8e\x3b\x9c\xe2\x7a\x01\x02\x00\x00\x00\x00"
        "\x00\x00\x13\x8a\xff\xff\xff\xff\x00\x00\x00\x78\x82\x53\x4e\x41\x50\x50\x59\x00\x00\x00"
        "\x00\x01\x00\x00\x00\x01\x00\x00\x00\x64\x81\x01\x00\x00\x19\x01\x14\x1e\x94\x05\x13\xd3"
        "\x01\x0d\x10\x44\x13\x88\x00\x00\x00\x03\x6b\x65\x79\x00\x00\x00\x05\x76\x61\x6c\x75\x65"
        "\x0d\x19\x20\x01\x00\x00\x00\x20\x66\xb3\xce\x78\x01\x09\x01\x01\x38\x13\x89\xff\xff\xff"
        "\xff\x00\x00\x00\x0a\x6f\x6e\x6c\x79\x20\x2e\x2c\x00\x20\x02\x00\x00\x00\x1f\x99\xde\x28"
        "\x84\x15\x2c\x44\x8a\x00\x00\x00\x09\x74\x6f\x6d\x62\x73\x74\x6f\x6e\x65\xff\xff\xff\xff"),
    SAMPLE(
        1, COMPRESSION_LZ4,
        "\x00\x00\x00\x00\x00\x00\x00\x66\x00\x00\x00\x89\xc8\xf3\xeb\x3b\x01\x03\x00\x00\x00\x00"
        "\x00\x00\x13\x8a\xff\xff\xff\xff\x00\x00\x00\x73\x04\x22\x4d\x18\x60\x40\x82\x64\x00\x00"
        "\x00\x16\x00\x01\x00\x63\x1e\x94\x05\x13\xd3\x01\x10\x00\xf3\x03\x13\x88\x00\x00\x00\x03"
        "\x6b\x65\x79\x00\x00\x00\x05\x76\x61\x6c\x75\x65\x19\x00\x00\x21\x00\x50\x20\x66\xb3\xce"
        "\x78\x09\x00\x00\x02\x00\xf8\x00\x13\x89\xff\xff\xff\xff\x00\x00\x00\x0a\x6f\x6e\x6c\x79"
        "\x20\x2c\x00\x95\x02\x00\x00\x00\x1f\x99\xde\x28\x84\x2c\x00\xf0\x03\x8a\x00\x00\x00\x09"
        "\x74\x6f\x6d\x62\x73\x74\x6f\x6e\x65\xff\xff\xff\xff\x00\x00\x00\x00"),
};

static const struct expected {
    int64_t timestamp;
    const char *key;
    const char *value;
} expected[] = { { 5000, "key", "value" },
                 { 5001, NULL, "only value" },
                 { 5002, "tombstone", NULL } };

static bool is_text(struct bytes b, int32_t size, const char *text)
{
    if (text == NULL)
        return b.data == NULL && size == -1;
    return b.data != NULL && size == (int32_t)strlen(text) && b.size == strlen(text) &&
           memcmp(b.data, text, b.size) == 0;
}

// All three records, from the messages or batches in `all`.
static void check_records(struct bytes all, bool has_timestamps)
{
    struct bytes batch;
    size_t n = 0;
    while (batch_next(&all, &batch) == BATCH_FOUND) {
        struct record_iter it;
        struct record record;
        record_iter_init(&it, batch, RECORDS_WHOLE);
        for (; record_iter_next(&it, &record) && n < 3; n++) {
            CU_ASSERT_EQUAL(record.offset, 100 + (int64_t)n);
            CU_ASSERT_EQUAL(record.timestamp,
                            has_timestamps ? expected[n].timestamp : NO_TIMESTAMP);
            CU_ASSERT_TRUE(is_text(record.key, record.key_size, expected[n].key));
            CU_ASSERT_TRUE(is_text(record.value, record.value_size, expected[n].value));
            CU_ASSERT_EQUAL(record.header_count, 0);
        }
        CU_ASSERT_EQUAL(it.error, RECORDS_OK);
        record_iter_fini(&it);
    }
    CU_ASSERT_EQUAL(all.size, 0);
    CU_ASSERT_EQUAL(n, 3);
}

static void what_kafka_wrote_is_read(void)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct sample *s = &samples[i];
        struct bytes rest = s->bytes, message;
        struct strbuf converted = STRBUF_EMPTY;
        check_records(s->bytes, s->magic == 1);
        int64_t last = -1;
        while (batch_next(&rest, &message) == BATCH_FOUND) {
            uint8_t header[BATCH_HEADER_SIZE];
            CU_ASSERT_TRUE(old_records_is_intact(message));
            CU_ASSERT_TRUE(old_records_is_message(message.data));
            old_records_header(message.data, header);
            CU_ASSERT_EQUAL(batch_magic(header), s->magic);
            CU_ASSERT_EQUAL(batch_size(header), (int64_t)message.size);
            CU_ASSERT_EQUAL(batch_compression(header), (int)s->compression);
            CU_ASSERT_EQUAL(batch_leader_epoch(header), -1);
            CU_ASSERT_FALSE(batch_has_producer_id(header));
            CU_ASSERT_FALSE(batch_is_control(header) || batch_is_transactional(header));
            last = batch_last_offset(header);
            int64_t last_timestamp = s->magic == 0 ? NO_TIMESTAMP : 4900 + last;
            CU_ASSERT_EQUAL(batch_max_timestamp(header), last_timestamp);
            CU_ASSERT_TRUE(old_records_convert(message, &converted));
        }
        CU_ASSERT_EQUAL(last, 102);
        struct bytes batches = { (const uint8_t *)converted.data, converted.size };
        check_records(batches, s->magic == 1);
        CU_ASSERT_EQUAL(batch_magic(batches.data), BATCH_MAGIC);
        strbuf_fini(&converted);
    }
}

// Every byte flipped, every length: an answer, never a crash; the checksum tells all but the first twelve bytes.
static void damage_is_told(void)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct bytes rest = samples[i].bytes, message;
        CU_ASSERT_EQUAL_FATAL(batch_next(&rest, &message), BATCH_FOUND);
        for (size_t at = 0; at < message.size; at++) {
            uint8_t *copy = mem_dup(message.data, message.size);
            struct record_iter it;
            struct record record;
            copy[at] ^= 0x41;
            CU_ASSERT_EQUAL(old_records_is_intact((struct bytes){ copy, message.size }), at < 8);
            if (batch_magic(copy) < BATCH_MAGIC) {
                record_iter_init(&it, (struct bytes){ copy, message.size }, RECORDS_WHOLE);
                while (record_iter_next(&it, &record)) {
                }
                record_iter_fini(&it);
            }
            mem_free(copy);
            copy = mem_dup(message.data, at + 1);
            CU_ASSERT_EQUAL(old_records_is_intact((struct bytes){ copy, at + 1 }),
                            at + 1 == message.size);
            mem_free(copy);
        }
    }
}

static size_t put_message(uint8_t *at, int64_t offset, int attributes, int64_t timestamp,
                          struct bytes value)
{
    size_t size = 34 + value.size;
    put_be64(at, (uint64_t)offset);
    put_be32(at + 8, (uint32_t)(size - 12));
    at[16] = 1;
    at[17] = (uint8_t)attributes;
    put_be64(at + 18, (uint64_t)timestamp);
    put_be32(at + 26, (uint32_t)-1);
    put_be32(at + 30, (uint32_t)value.size);
    if (value.size > 0)
        memcpy(at + 34, value.data, value.size);
    put_be32(at + 12, (uint32_t)crc32(0, at + 16, (uInt)(size - 16)));
    return size;
}

static int64_t first_offset_of(struct bytes message, int64_t *timestamp, enum records_error *error)
{
    struct record_iter it;
    struct record record;
    record_iter_init(&it, message, RECORDS_SKIP);
    bool found = record_iter_next(&it, &record);
    *timestamp = found ? record.timestamp : -7;
    *error = it.error;
    record_iter_fini(&it);
    return found ? record.offset : -7;
}

// Offsets within magic 1 hang on the last one; time of the append is that of all; what cannot be is refused.
static void the_wrapper_rules(void)
{
    uint8_t inner[200], outer[400];
    size_t size = put_message(inner, 0, 0, 11, BYTES_NULL);
    size += put_message(inner + size, 5, 0, 12, BYTES_NULL);
    static const struct {
        int64_t offset;
        int attributes;
        int64_t first_offset, timestamp;
        enum records_error error;
    } cases[] = {
        { 20, 1, 15, 11, RECORDS_OK },         { 20, 9, 15, 99, RECORDS_OK },
        { 5, 1, 0, 11, RECORDS_OK },           { 0, 1, 0, 11, RECORDS_OK },
        { 4, 1, -7, -7, RECORDS_MALFORMED },   { 20, 4, -7, -7, RECORDS_MALFORMED },
        { 20, 5, -7, -7, RECORDS_UNREADABLE },
    };
    struct strbuf packed = STRBUF_EMPTY;
    compress_bytes(COMPRESSION_GZIP, COMPRESSION_LEVEL_DEFAULT, (struct bytes){ inner, size },
                   &packed);
    struct bytes value = { (const uint8_t *)packed.data, packed.size };
    int64_t timestamp;
    enum records_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes message = { outer, put_message(outer, cases[i].offset, cases[i].attributes, 99,
                                                    value) };
        CU_ASSERT_EQUAL(first_offset_of(message, &timestamp, &error), cases[i].first_offset);
        CU_ASSERT_EQUAL(timestamp, cases[i].timestamp);
        CU_ASSERT_EQUAL(error, cases[i].error);
    }
    // One within that is compressed itself; none at all.
    packed.size = 0;
    size = put_message(inner, 0, 1, 11, BYTES_NULL);
    compress_bytes(COMPRESSION_GZIP, COMPRESSION_LEVEL_DEFAULT, (struct bytes){ inner, size },
                   &packed);
    value = (struct bytes){ (const uint8_t *)packed.data, packed.size };
    struct bytes message = { outer, put_message(outer, 3, 1, 99, value) };
    CU_ASSERT_EQUAL(first_offset_of(message, &timestamp, &error), -7);
    CU_ASSERT_EQUAL(error, RECORDS_MALFORMED);
    packed.size = 0;
    compress_bytes(COMPRESSION_GZIP, COMPRESSION_LEVEL_DEFAULT, (struct bytes){ inner, 0 },
                   &packed);
    value = (struct bytes){ (const uint8_t *)packed.data, packed.size };
    message = (struct bytes){ outer, put_message(outer, 3, 1, 99, value) };
    CU_ASSERT_EQUAL(first_offset_of(message, &timestamp, &error), -7);
    CU_ASSERT_EQUAL(error, RECORDS_MALFORMED);
    strbuf_fini(&packed);
}

TEST_MAIN("old_records", TEST(what_kafka_wrote_is_read), TEST(damage_is_told),
          TEST(the_wrapper_rules))
