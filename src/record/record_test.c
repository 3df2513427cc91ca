// SPDX-License-Identifier: Apache-2.0
#include "record/record.h"

#include "base/mem.h"
#include "base/testing.h"
#include "record/batch_builder.h"

#define B(z) ((struct bytes){ (const uint8_t *)(z), sizeof(z) - 1 })

static struct bytes random_bytes(uint8_t *into, size_t size)
{
    uint32_t state = 12345;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        into[i] = (uint8_t)(state >> 24);
    }
    return (struct bytes){ into, size };
}

// A batch as Kafka 4.3.1's own classes print it: one record, key "k", value "v", a header "h"="x", timestamp 1000.
static const uint8_t kafka_batch[] = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x3e, 0xff, 0xff, 0xff,
    0xff, 2,    0x85, 0xd4, 0x93, 0x6f, 0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    3,    0xe8, 0,    0,    0,    0,    0,    0,    3,    0xe8, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    0,    0,
    1,    24,   0,    0,    0,    2,    'k',  2,    'v',  2,    2,    'h',  2,    'x',
};

static void the_layout_is_kafkas(void)
{
    struct batch_builder builder;
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    struct strbuf headers = STRBUF_EMPTY;
    record_header_encode(&headers, str_of("h"), B("x"));
    batch_builder_add_record(&builder, 0, 1000, B("k"), B("v"), 1,
                             (struct bytes){ (const uint8_t *)headers.data, headers.size });
    struct bytes batch = batch_builder_finish(&builder);
    CU_ASSERT_EQUAL_FATAL(batch.size, sizeof kafka_batch);
    CU_ASSERT_EQUAL(memcmp(batch.data, kafka_batch, sizeof kafka_batch), 0);
    CU_ASSERT_TRUE(batch_is_intact(batch));
    strbuf_fini(&headers);
    batch_builder_fini(&builder);
}

static void walk_whole(struct bytes batch, struct bytes big)
{
    struct record_iter it;
    struct record r;
    record_iter_init(&it, batch, RECORDS_WHOLE);
    CU_ASSERT_TRUE_FATAL(record_iter_next(&it, &r));
    CU_ASSERT_EQUAL(r.offset, 70);
    CU_ASSERT_EQUAL(r.timestamp, 5000);
    CU_ASSERT_PTR_NULL(r.key.data);
    CU_ASSERT_EQUAL(r.key_size, -1);
    CU_ASSERT_EQUAL(r.value.size, big.size);
    CU_ASSERT_EQUAL(memcmp(r.value.data, big.data, big.size), 0);
    CU_ASSERT_TRUE_FATAL(record_iter_next(&it, &r));
    CU_ASSERT_EQUAL(r.offset, 71);
    CU_ASSERT_EQUAL(r.timestamp, 4000);
    CU_ASSERT_EQUAL(r.key.size, 0);
    CU_ASSERT_PTR_NOT_NULL(r.key.data);
    CU_ASSERT_PTR_NULL(r.value.data);
    CU_ASSERT_TRUE_FATAL(record_iter_next(&it, &r));
    CU_ASSERT_EQUAL(r.offset, 75);
    CU_ASSERT_EQUAL(r.header_count, 2);
    struct record_header h;
    CU_ASSERT_TRUE_FATAL(record_header_next(&r.headers, &h));
    CU_ASSERT_TRUE(str_eqz(h.key, "a"));
    CU_ASSERT_PTR_NULL(h.value.data);
    CU_ASSERT_TRUE_FATAL(record_header_next(&r.headers, &h));
    CU_ASSERT_TRUE(str_eqz(h.key, ""));
    CU_ASSERT_EQUAL(h.value.size, 3);
    CU_ASSERT_FALSE(record_header_next(&r.headers, &h));
    CU_ASSERT_FALSE(record_iter_next(&it, &r));
    CU_ASSERT_EQUAL(it.error, RECORDS_OK);
    record_iter_fini(&it);
}

static void walk_skipping(struct bytes batch, struct bytes big)
{
    struct record_iter it;
    struct record r;
    record_iter_init(&it, batch, RECORDS_SKIP);
    CU_ASSERT_TRUE_FATAL(record_iter_next(&it, &r));
    CU_ASSERT_EQUAL(r.key_size, -1);
    CU_ASSERT_EQUAL(r.value_size, (int32_t)big.size);
    CU_ASSERT_TRUE(record_iter_next(&it, &r));
    CU_ASSERT_TRUE(record_iter_next(&it, &r));
    CU_ASSERT_EQUAL(r.offset_delta, 5);
    CU_ASSERT_FALSE(record_iter_next(&it, &r));
    CU_ASSERT_EQUAL(it.error, RECORDS_OK);
    record_iter_fini(&it);
}

// What the builder writes, the iterator reads, with every codec; a value spans several pieces.
static void every_codec_round_trips(void)
{
    static uint8_t noise[300000];
    struct bytes big = random_bytes(noise, sizeof noise);
    memset(noise + 1000, 'x', 200000);
    struct strbuf headers = STRBUF_EMPTY;
    record_header_encode(&headers, str_of("a"), BYTES_NULL);
    record_header_encode(&headers, str_of(""), B("abc"));
    for (int codec = COMPRESSION_NONE; codec <= COMPRESSION_ZSTD; codec++) {
        struct batch_builder builder;
        batch_builder_init(&builder,
                           &(struct batch_options){ BATCH_OPTIONS_DEFAULT, .base_offset = 70,
                                                    .compression = (enum compression)codec });
        batch_builder_add(&builder, 5000, BYTES_NULL, big);
        batch_builder_add(&builder, 4000, B(""), BYTES_NULL);
        batch_builder_add_record(&builder, 5, 6000, B("k"), B("v"), 2,
                                 (struct bytes){ (const uint8_t *)headers.data, headers.size });
        struct bytes batch = batch_builder_finish(&builder);
        CU_ASSERT_EQUAL(batch_compression(batch.data), codec);
        CU_ASSERT_EQUAL(batch_max_timestamp(batch.data), 6000);
        CU_ASSERT_EQUAL(batch_last_offset(batch.data), 75);
        CU_ASSERT_TRUE(codec == COMPRESSION_NONE || batch.size < 150000);
        walk_whole(batch, big);
        walk_skipping(batch, big);
        batch_builder_fini(&builder);
    }
    strbuf_fini(&headers);
}

// Every prefix of the compressed bytes is refused or gives no wrong record; none crashes.
static void every_truncation_is_noticed(void)
{
    for (int codec = COMPRESSION_NONE; codec <= COMPRESSION_ZSTD; codec++) {
        struct batch_builder builder;
        batch_builder_init(&builder,
                           &(struct batch_options){ BATCH_OPTIONS_DEFAULT,
                                                    .compression = (enum compression)codec });
        batch_builder_add(&builder, 1, B("key"), B("the value of the first record"));
        batch_builder_add(&builder, 1, B("key"), B("the value of the second record"));
        struct bytes batch = batch_builder_finish(&builder);
        for (size_t size = BATCH_HEADER_SIZE; size < batch.size; size++) {
            uint8_t *copy = mem_dup(batch.data, size);
            struct record_iter it;
            struct record r;
            record_iter_init(&it, (struct bytes){ copy, size }, RECORDS_WHOLE);
            int count = 0;
            while (record_iter_next(&it, &r))
                count++;
            // The end marks of lz4 and gzip carry nothing: without them the records may all be there.
            CU_ASSERT_TRUE(it.error != RECORDS_OK || count == 2);
            record_iter_fini(&it);
            mem_free(copy);
        }
        batch_builder_fini(&builder);
    }
}

static enum records_error error_of(struct bytes records, int32_t count)
{
    uint8_t *batch = mem_zalloc(BATCH_HEADER_SIZE + records.size);
    memcpy(batch + BATCH_HEADER_SIZE, records.data, records.size);
    batch[16] = BATCH_MAGIC;
    put_be32(batch + 57, (uint32_t)count);
    struct record_iter it;
    struct record r;
    record_iter_init(&it, (struct bytes){ batch, BATCH_HEADER_SIZE + records.size }, RECORDS_WHOLE);
    while (record_iter_next(&it, &r)) {
    }
    enum records_error error = it.error;
    record_iter_fini(&it);
    mem_free(batch);
    return error;
}

static void lying_records_are_malformed(void)
{
    // size 6: attributes, timestamp, offset, key -1, value -1, no headers
    CU_ASSERT_EQUAL(error_of(B("\x0c\0\0\0\x01\x01\0"), 1), RECORDS_OK);
    CU_ASSERT_EQUAL(error_of(B("\x0c\0\0\0\x01\x01\0"), 2), RECORDS_MALFORMED);  // one too few
    CU_ASSERT_EQUAL(error_of(B("\x0c\0\0\0\x01\x01\0."), 1), RECORDS_MALFORMED); // bytes behind
    CU_ASSERT_EQUAL(error_of(B("\x0e\0\0\0\x01\x01\0."), 1), RECORDS_MALFORMED); // size too large
    CU_ASSERT_EQUAL(error_of(B("\x0a\0\0\0\x01\x01\0"), 1), RECORDS_MALFORMED);  // size too small
    CU_ASSERT_EQUAL(error_of(B("\x0c\0\0\0\x0a\x01\0"), 1),
                    RECORDS_MALFORMED); // key past the record
    CU_ASSERT_EQUAL(error_of(B("\x0c\0\0\0\x01\x01\x01"), 1), RECORDS_MALFORMED); // -1 headers
    CU_ASSERT_EQUAL(error_of(B("\x0c\0\0\0\x01\x01\x04"), 1), RECORDS_MALFORMED); // headers missing
    CU_ASSERT_EQUAL(error_of(B("\x01\0\0\0\x01\x01\0"), 1), RECORDS_MALFORMED);   // negative size
    CU_ASSERT_EQUAL(error_of(B("\xff\xff\xff\xff\xff\xff"), 1), RECORDS_MALFORMED);
    CU_ASSERT_EQUAL(error_of(B(""), -1), RECORDS_MALFORMED);
    CU_ASSERT_EQUAL(error_of(B(""), 0), RECORDS_OK);
}

static void snappy_without_framing_is_read(void)
{
    // A bare block: length 5, a literal of 5 bytes.
    struct decompressor *d = decompressor_open(COMPRESSION_SNAPPY, B("\x05\x10hello"));
    struct bytes piece;
    CU_ASSERT_TRUE_FATAL(decompressor_next(d, &piece));
    CU_ASSERT_EQUAL(piece.size, 5);
    CU_ASSERT_EQUAL(memcmp(piece.data, "hello", 5), 0);
    CU_ASSERT_FALSE(decompressor_next(d, &piece));
    CU_ASSERT_FALSE(decompressor_failed(d));
    decompressor_close(d);
    // One that claims 4 GB is not believed.
    d = decompressor_open(COMPRESSION_SNAPPY, B("\xff\xff\xff\xff\x0f\x10hello"));
    CU_ASSERT_FALSE(decompressor_next(d, &piece));
    CU_ASSERT_TRUE(decompressor_failed(d));
    decompressor_close(d);
}

// Two decompressors of one thread at a time do not share state.
static void decompressors_nest(void)
{
    struct strbuf packed = STRBUF_EMPTY;
    compress_bytes(COMPRESSION_ZSTD, 3, B("abc"), &packed);
    struct bytes in = { (const uint8_t *)packed.data, packed.size };
    struct decompressor *a = decompressor_open(COMPRESSION_ZSTD, in);
    struct decompressor *b = decompressor_open(COMPRESSION_ZSTD, in);
    struct bytes pa, pb;
    CU_ASSERT_TRUE_FATAL(decompressor_next(a, &pa));
    CU_ASSERT_TRUE_FATAL(decompressor_next(b, &pb));
    CU_ASSERT_PTR_NOT_EQUAL(pa.data, pb.data);
    CU_ASSERT_EQUAL(memcmp(pa.data, "abc", 3), 0);
    decompressor_close(a);
    decompressor_close(b);
    strbuf_fini(&packed);
}

// What the real broker's codecs make of bytes behind a frame, and of a record that lies about its size.
static void leniency_is_kafkas(void)
{
    struct strbuf packed = STRBUF_EMPTY;
    struct bytes piece;
    compress_bytes(COMPRESSION_ZSTD, 3, B("abc"), &packed);
    size_t frame_size = packed.size;
    // Nothing; what might begin another frame, which is then taken for the end; what cannot.
    static const char *const behind[] = { "", "\x55", "\x28\xb5\x2f", "x" };
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        packed.size = frame_size;
        strbuf_addz(&packed, behind[i]);
        struct decompressor *d = decompressor_open(
            COMPRESSION_ZSTD, (struct bytes){ (const uint8_t *)packed.data, packed.size });
        CU_ASSERT_TRUE(decompressor_next(d, &piece));
        CU_ASSERT_FALSE(decompressor_next(d, &piece));
        CU_ASSERT_EQUAL(decompressor_failed(d), i == 3);
        decompressor_close(d);
    }
    packed.size = 0;
    compress_bytes(COMPRESSION_GZIP, -1, B("abc"), &packed);
    packed.data[packed.size - 8] ^= 1; // the checksum: known only after the data was seen
    struct decompressor *d = decompressor_open(
        COMPRESSION_GZIP, (struct bytes){ (const uint8_t *)packed.data, packed.size });
    CU_ASSERT_TRUE(decompressor_next(d, &piece));
    CU_ASSERT_FALSE(decompressor_next(d, &piece));
    CU_ASSERT_TRUE(decompressor_failed(d));
    decompressor_close(d);
    packed.size = 0;
    uint8_t header[BATCH_HEADER_SIZE] = { 0 };
    header[16] = BATCH_MAGIC;
    header[22] = COMPRESSION_LZ4;
    header[60] = 1;
    strbuf_add(&packed, header, sizeof header);
    compress_bytes(COMPRESSION_LZ4, COMPRESSION_LEVEL_DEFAULT, B("\x0e\0\0\0\x01\x01\0"), &packed);
    for (int mode = RECORDS_WHOLE; mode <= RECORDS_PARTIAL; mode++) {
        struct record_iter it;
        struct record r;
        record_iter_init(&it, (struct bytes){ (const uint8_t *)packed.data, packed.size },
                         (enum records_mode)mode);
        CU_ASSERT_EQUAL(record_iter_next(&it, &r), mode == RECORDS_PARTIAL);
        CU_ASSERT_EQUAL(it.error, mode == RECORDS_PARTIAL ? RECORDS_OK : RECORDS_MALFORMED);
        record_iter_fini(&it);
    }
    strbuf_fini(&packed);
}

static void lz4_flags_are_kafkas(void)
{
    static const struct {
        const char *frame;
        size_t size;
        bool good;
    } cases[] = {
        { "\x04\x22\x4d\x18\x60\x40\x82\x03\x00\x00\x80"
          "abc\0\0\0\0",
          18, true }, // as Kafka writes
        { "\x04\x22\x4d\x18\x60\x40\x83\x03\x00\x00\x80"
          "abc\0\0\0\0",
          18, false }, // header checksum
        { "\x04\x22\x4d\x18\x40\x40\xc0\x03\x00\x00\x80"
          "abc\0\0\0\0",
          18, false }, // dependent blocks
        { "\x04\x22\x4d\x18\x60\x40\x82\x03\x00\x00\x80"
          "ab",
          13, false }, // ends early
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decompressor *d = decompressor_open(
            COMPRESSION_LZ4, (struct bytes){ (const uint8_t *)cases[i].frame, cases[i].size });
        struct bytes piece;
        size_t total = 0;
        while (decompressor_next(d, &piece))
            total += piece.size;
        CU_ASSERT_EQUAL(!decompressor_failed(d), cases[i].good);
        CU_ASSERT_TRUE(!cases[i].good || total == 3);
        decompressor_close(d);
    }
}

TEST_MAIN("record", TEST(the_layout_is_kafkas), TEST(every_codec_round_trips),
          TEST(every_truncation_is_noticed), TEST(lying_records_are_malformed),
          TEST(snappy_without_framing_is_read), TEST(decompressors_nest),
          TEST(lz4_flags_are_kafkas), TEST(leniency_is_kafkas))
