// SPDX-License-Identifier: Apache-2.0
#include "protocol/wire.h"

#include "base/testing.h"

static struct arena arena;

static struct reader reader_of(const char *bytes, size_t size)
{
    struct reader r;
    reader_init(&r, bytes, size);
    return r;
}

#define READER(literal) reader_of(literal, sizeof(literal) - 1)

static void integers_are_big_endian(void)
{
    struct reader r =
        READER("\x80\xff\xfe\xff\xff\xff\xfd\x00\x00\x00\x00\x00\x00\x01\x00\x01\xff\xff");
    CU_ASSERT_EQUAL(reader_int8(&r), -128);
    CU_ASSERT_EQUAL(reader_int16(&r), -2);
    CU_ASSERT_EQUAL(reader_int32(&r), -3);
    CU_ASSERT_EQUAL(reader_int64(&r), 256);
    CU_ASSERT(reader_bool(&r));
    CU_ASSERT_EQUAL(reader_uint16(&r), 0xffff);
    CU_ASSERT_EQUAL(reader_remaining(&r), 0);
    CU_ASSERT(!reader_failed(&r));
}

static void the_first_failure_sticks(void)
{
    struct reader r = READER("\x01\x02\x03\x04\x05");
    CU_ASSERT_EQUAL(reader_int8(&r), 1);
    CU_ASSERT_EQUAL(reader_int64(&r), 0);
    const char *reason = r.reason;
    CU_ASSERT_PTR_NOT_NULL(reason);
    CU_ASSERT_EQUAL(r.failed_at, 1);
    CU_ASSERT_EQUAL(reader_int8(&r), 0); // though a byte was there
    reader_fail(&r, "another");
    CU_ASSERT_PTR_EQUAL(r.reason, reason);
    CU_ASSERT_EQUAL(r.failed_at, 1);
}

static void an_empty_reader_may_have_no_memory(void)
{
    struct reader r;
    reader_init(&r, NULL, 0);
    CU_ASSERT_EQUAL(reader_remaining(&r), 0);
    CU_ASSERT_EQUAL(reader_uvarint(&r), 0);
    CU_ASSERT(reader_failed(&r));
}

static void varints_come_back(void)
{
    static const uint64_t values[] = { 0,         1,           127,       128,
                                       16383,     16384,       0x7ffffff, 0x8000000,
                                       INT32_MAX, 0x80000000u, 1 << 28,   UINT32_MAX };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t out[64];
        struct writer w;
        writer_init_fixed(&w, out, sizeof out);
        writer_uvarint(&w, (uint32_t)values[i]);
        writer_varint(&w, (int32_t)values[i]);
        writer_varint(&w, -(int32_t)(values[i] & INT32_MAX));
        writer_uvarlong(&w, values[i] << 32 | 5);
        writer_varlong(&w, (int64_t)(values[i] << 32));
        writer_varlong(&w, INT64_MIN);
        struct reader r;
        reader_init(&r, out, writer_size(&w));
        CU_ASSERT_EQUAL(reader_uvarint(&r), values[i]);
        CU_ASSERT_EQUAL(reader_varint(&r), (int32_t)values[i]);
        CU_ASSERT_EQUAL(reader_varint(&r), -(int32_t)(values[i] & INT32_MAX));
        CU_ASSERT_EQUAL(reader_uvarlong(&r), values[i] << 32 | 5);
        CU_ASSERT_EQUAL(reader_varlong(&r), (int64_t)(values[i] << 32));
        CU_ASSERT_EQUAL(reader_varlong(&r), INT64_MIN);
        CU_ASSERT(!reader_failed(&r) && reader_remaining(&r) == 0);
    }
}

// Bytes as Kafka's ByteUtils gives them.
static void varints_have_kafkas_bytes(void)
{
    uint8_t out[32];
    struct writer w;
    writer_init_fixed(&w, out, sizeof out);
    writer_varint(&w, -1);
    writer_varint(&w, 64);
    writer_varint(&w, INT32_MIN);
    writer_uvarint(&w, 300);
    CU_ASSERT_EQUAL(writer_size(&w), 10);
    CU_ASSERT(memcmp(out, "\x01\x80\x01\xff\xff\xff\xff\x0f\xac\x02", 10) == 0);
}

static void bad_varints_are_refused(void)
{
    struct reader r = READER("\x80\x80\x80\x80\x80\x01");
    reader_uvarint(&r);
    CU_ASSERT_STRING_EQUAL(r.reason, "a varint of more than 5 bytes");
    r = READER("\xff\xff");
    reader_uvarint(&r);
    CU_ASSERT_STRING_EQUAL(r.reason, "the bytes end inside a varint");
    r = READER("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
    reader_uvarlong(&r);
    CU_ASSERT_STRING_EQUAL(r.reason, "a varlong of more than 10 bytes");
    // Longer than needed is well-formed, and what does not fit into 32 bits is dropped.
    r = READER("\x81\x80\x80\x80\x00");
    CU_ASSERT_EQUAL(reader_uvarint(&r), 1);
    r = READER("\xff\xff\xff\xff\x7f");
    CU_ASSERT_EQUAL(reader_uvarint(&r), UINT32_MAX);
    CU_ASSERT(!reader_failed(&r));
}

static void strings_point_into_the_frame(void)
{
    static const char frame[] = "\x00\x03"
                                "abc"
                                "\x00\x00"
                                "\xff\xff"
                                "\x04"
                                "def"
                                "\x01"
                                "\x00";
    struct reader r = READER(frame);
    struct str s = reader_string(&r, false);
    CU_ASSERT(str_eqz(s, "abc"));
    CU_ASSERT_PTR_EQUAL(s.data, frame + 2);
    s = reader_string(&r, false);
    CU_ASSERT(s.data != NULL && s.size == 0);
    CU_ASSERT_PTR_NULL(reader_string(&r, false).data);
    CU_ASSERT(str_eqz(reader_string(&r, true), "def"));
    s = reader_string(&r, true);
    CU_ASSERT(s.data != NULL && s.size == 0);
    CU_ASSERT_PTR_NULL(reader_string(&r, true).data);
    CU_ASSERT(!reader_failed(&r) && reader_remaining(&r) == 0);
}

static void lengths_that_lie_are_refused(void)
{
    struct reader r = READER("\x00\x05"
                             "abcd");
    CU_ASSERT_PTR_NULL(reader_string(&r, false).data);
    CU_ASSERT(reader_failed(&r));
    r = READER("\x7f\xff\xff\xff"
               "abcd");
    CU_ASSERT_PTR_NULL(reader_bytes(&r, false).data);
    CU_ASSERT(reader_failed(&r));
    r = READER("\xff\xff\xff\xff\x07"
               "abcd");
    CU_ASSERT_PTR_NULL(reader_bytes(&r, true).data);
    CU_ASSERT(reader_failed(&r));
}

static void a_string_has_at_most_32767_bytes(void)
{
    static char frame[40000];
    uint8_t *head = (uint8_t *)frame;
    struct writer w;
    writer_init_fixed(&w, head, 3);
    writer_uvarint(&w, 32768);
    struct reader r = reader_of(frame, sizeof frame);
    CU_ASSERT_EQUAL(reader_string(&r, true).size, 32767);
    writer_init_fixed(&w, head, 3);
    writer_uvarint(&w, 32769);
    r = reader_of(frame, sizeof frame);
    reader_string(&r, true);
    CU_ASSERT_STRING_EQUAL(r.reason, "a string of more than 32767 bytes");

    writer_init(&w, &arena);
    writer_string(&w, (struct str){ frame, 32767 }, false);
    CU_ASSERT(!writer_failed(&w));
    writer_string(&w, (struct str){ frame, 32768 }, false);
    CU_ASSERT_STRING_EQUAL(w.reason, "a string of more than 32767 bytes");
}

static void a_fixed_place_that_is_too_small_fails(void)
{
    uint8_t out[6] = { 0, 0, 0, 0, 0, 9 };
    struct writer w;
    writer_init_fixed(&w, out, 5);
    writer_int32(&w, 7);
    CU_ASSERT(!writer_failed(&w));
    writer_int32(&w, 7);
    writer_raw(&w, "0123456789", 10);
    CU_ASSERT(writer_failed(&w));
    CU_ASSERT_EQUAL(out[5], 9);
}

static void counting_counts(void)
{
    struct writer w;
    writer_init_counting(&w);
    for (int i = 0; i < 100; i++)
        writer_int64(&w, i);
    writer_raw(&w, NULL, 0);
    writer_string(&w, str_of("twelve chars"), true);
    writer_records(&w, (struct records){ .file = (void *)&w, .size = 1 << 20 }, false);
    CU_ASSERT_EQUAL(writer_size(&w), 800 + 13 + 4 + (1 << 20));
}

static void a_frame_grows_over_many_blocks(void)
{
    struct writer w;
    writer_init(&w, &arena);
    uint8_t *length = writer_take(&w, 4);
    for (uint32_t i = 0; i < 100000; i++)
        writer_uint32(&w, i);
    put_be32(length, (uint32_t)writer_size(&w) - 4); // (3): it has not moved
    struct bytes all = writer_flatten(&w, &arena);
    CU_ASSERT_EQUAL(all.size, 400004);
    CU_ASSERT_EQUAL(get_be32(all.data), 400000);
    for (uint32_t i = 0; i < 100000; i++)
        if (get_be32(all.data + 4 + 4 * i) != i) {
            CU_FAIL("a number is wrong");
            break;
        }
}

// |1234|records in a file|56|large records in memory|small records, copied|
static void records_are_spliced(void)
{
    static uint8_t large[RECORDS_SPLICE_SIZE];
    struct disk_file *file = (void *)large; // opaque here
    struct writer w;
    writer_init(&w, &arena);
    writer_raw(&w, "1234", 4);
    writer_records(&w, (struct records){ .file = file, .file_position = 77, .size = 10 }, true);
    writer_raw(&w, "56", 2);
    writer_records(&w, (struct records){ .data = large, .size = sizeof large }, false);
    writer_records(&w, (struct records){ .data = large, .size = 3 }, false);
    writer_records(&w, (struct records){ .size = -1 }, false);
    writer_records(&w, (struct records){ .data = large, .size = 0 }, true);
    CU_ASSERT_EQUAL(writer_size(&w), 4 + 1 + 10 + 2 + 4 + sizeof large + 4 + 3 + 4 + 1);
    CU_ASSERT_EQUAL(writer_finish(&w), 5);
    CU_ASSERT(w.pieces[0].size == 5 && memcmp(w.pieces[0].data, "1234\x0b", 5) == 0);
    CU_ASSERT_PTR_EQUAL(w.pieces[1].file, file);
    CU_ASSERT_EQUAL(w.pieces[1].file_position, 77);
    CU_ASSERT_EQUAL(w.pieces[1].size, 10);
    CU_ASSERT(w.pieces[2].size == 6 && memcmp(w.pieces[2].data, "56\0\0\x10\0", 6) == 0);
    CU_ASSERT_PTR_EQUAL(w.pieces[3].data, large);
    CU_ASSERT_EQUAL(w.pieces[3].size, sizeof large);
    CU_ASSERT(w.pieces[4].size == 12 &&
              memcmp(w.pieces[4].data, "\0\0\0\x03\0\0\0\xff\xff\xff\xff\x01", 12) == 0);

    CU_ASSERT_PTR_NULL(writer_flatten(&w, &arena).data);
    CU_ASSERT(writer_failed(&w));
}

static void more_pieces_than_the_first_list_holds(void)
{
    static uint8_t large[RECORDS_SPLICE_SIZE];
    struct writer w;
    writer_init(&w, &arena);
    for (uint32_t i = 0; i < 100; i++)
        writer_records(&w, (struct records){ .data = large, .size = sizeof large }, false);
    CU_ASSERT_EQUAL(writer_finish(&w), 200);
    for (uint32_t i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(w.pieces[i].size, i % 2 ? sizeof large : 4);
}

static void doubles_and_uuids_come_back(void)
{
    uint8_t out[24];
    struct writer w;
    struct uuid u;
    for (int i = 0; i < 16; i++)
        u.bytes[i] = (uint8_t)(i * 17);
    writer_init_fixed(&w, out, sizeof out);
    writer_float64(&w, -0.1);
    writer_uuid(&w, u);
    struct reader r;
    reader_init(&r, out, sizeof out);
    CU_ASSERT_EQUAL(reader_float64(&r), -0.1);
    CU_ASSERT(uuid_eq(reader_uuid(&r), u));
    CU_ASSERT(uuid_is_zero(reader_uuid(&r)));
    CU_ASSERT(reader_failed(&r));
}

TEST_MAIN("wire", TEST(integers_are_big_endian), TEST(the_first_failure_sticks),
          TEST(an_empty_reader_may_have_no_memory), TEST(varints_come_back),
          TEST(varints_have_kafkas_bytes), TEST(bad_varints_are_refused),
          TEST(strings_point_into_the_frame), TEST(lengths_that_lie_are_refused),
          TEST(a_string_has_at_most_32767_bytes), TEST(a_fixed_place_that_is_too_small_fails),
          TEST(counting_counts), TEST(a_frame_grows_over_many_blocks), TEST(records_are_spliced),
          TEST(more_pieces_than_the_first_list_holds), TEST(doubles_and_uuids_come_back))
