// SPDX-License-Identifier: Apache-2.0
#include "log/segment_check.h"

#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/testing.h"
#include "record/batch_builder.h"

enum { BATCHES = 12, ALL = 1 << 20 };

// A message of magic 1, with key and value null.
static const uint8_t old_message[] = { 0,    0,    0,    0,    0,    0,    0,    1, 0,
                                       0,    0,    22,   0xdb, 0x54, 0x6d, 0x9a, 1, 0,
                                       0,    0,    0,    0,    0,    0,    0,    1, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static char folder[256];
static struct segment segments[2]; // no more of them than is asked for

static void put_batch(struct strbuf *out, int64_t offset, size_t value_size)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .base_offset = offset };
    struct batch_builder builder;
    uint8_t *value = mem_zalloc(value_size);
    batch_builder_init(&builder, &options);
    batch_builder_add(&builder, 1, BYTES_NULL, (struct bytes){ value, value_size });
    struct bytes batch = batch_builder_finish(&builder);
    strbuf_add(out, batch.data, batch.size);
    batch_builder_fini(&builder);
    mem_free(value);
}

// Two segments of batches of many sizes. The second has a message of an old format before the batch at `old_at`, and
// damage in the batch at `damage_at`.
static void begin(int old_at, int damage_at)
{
    test_folder(folder, sizeof folder);
    for (int s = 0; s < 2; s++) {
        struct strbuf all = { 0 };
        for (int i = 0; i < BATCHES; i++) {
            if (s == 1 && i == old_at)
                strbuf_add(&all, old_message, sizeof old_message);
            put_batch(&all, 10 + i, (size_t)i * 977);
            if (s == 1 && i == damage_at)
                all.data[all.size - 1] ^= 1;
        }
        char *path = mem_printf("%s/%d", folder, s);
        CU_ASSERT_EQUAL_FATAL(disk_open(disk_posix(), path, DISK_CREATE, &segments[s].file), 0);
        CU_ASSERT_EQUAL(disk_pwrite(segments[s].file, all.data, all.size, 0), 0);
        segments[s].size_bytes = (int32_t)all.size;
        mem_free(path);
        strbuf_fini(&all);
    }
}

static void end(void)
{
    for (int s = 0; s < 2; s++)
        disk_file_unref(segments[s].file);
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), folder), 0);
}

static size_t check(size_t headers_size_max, struct segment_checked checked[2])
{
    struct segment *const both[] = { &segments[0], &segments[1] };
    segments_check(2, both, 2, headers_size_max, checked);
    return checked[0].header_count + checked[1].header_count;
}

// A scan that knows some headers sees what one sees that reads them all.
static void expect_same(const struct segment *segment, struct segment_checked *checked)
{
    struct batch_scan plain, knowing;
    batch_scan_init(&plain, segment->file, 0, segment->size_bytes);
    batch_scan_init(&knowing, segment->file, 0, segment->size_bytes);
    batch_scan_know(&knowing, checked->headers, checked->header_count);
    int count = 0;
    for (; batch_scan_next(&plain); count++) {
        struct bytes batch;
        CU_ASSERT_TRUE_FATAL(batch_scan_next(&knowing));
        CU_ASSERT_EQUAL(plain.position, knowing.position);
        CU_ASSERT_EQUAL(plain.size, knowing.size);
        CU_ASSERT_EQUAL(memcmp(plain.header, knowing.header, BATCH_HEADER_SIZE), 0);
        CU_ASSERT_TRUE(batch_scan_load(&knowing, &batch));
        CU_ASSERT_EQUAL((int64_t)batch.size, plain.size);
        if (plain.position + plain.size <= checked->sound_bytes)
            CU_ASSERT_TRUE(batch_scan_is_intact(&knowing, batch));
    }
    CU_ASSERT_FALSE(batch_scan_next(&knowing));
    CU_ASSERT_TRUE(count >= BATCHES);
    batch_scan_fini(&plain);
    batch_scan_fini(&knowing);
    segment_checked_fini(checked);
}

static void sound_segments_are_known_whole(void)
{
    struct segment_checked checked[2];
    begin(-1, -1);
    CU_ASSERT_EQUAL(check(ALL, checked), 2 * BATCHES);
    for (int s = 0; s < 2; s++) {
        CU_ASSERT_EQUAL(checked[s].sound_bytes, segments[s].size_bytes);
        expect_same(&segments[s], &checked[s]);
    }
    end();
}

static void headers_end_where_their_memory_does(void)
{
    struct segment_checked checked[2];
    begin(-1, -1);
    for (size_t most = 0; most <= 2 * BATCHES; most++) {
        CU_ASSERT_EQUAL(check(most * BATCH_HEADER_SIZE + BATCH_HEADER_SIZE / 2, checked), most);
        for (int s = 0; s < 2; s++) {
            CU_ASSERT_EQUAL(checked[s].sound_bytes, segments[s].size_bytes);
            expect_same(&segments[s], &checked[s]);
        }
    }
    end();
}

static void headers_end_at_an_old_message(void)
{
    struct segment_checked checked[2];
    begin(5, -1);
    CU_ASSERT_EQUAL(check(ALL, checked), BATCHES + 5);
    CU_ASSERT_EQUAL(checked[1].sound_bytes, segments[1].size_bytes);
    expect_same(&segments[0], &checked[0]);
    expect_same(&segments[1], &checked[1]);
    end();
}

static void nothing_behind_damage_is_known(void)
{
    struct segment_checked checked[2];
    begin(-1, 7);
    CU_ASSERT_EQUAL(check(ALL, checked), BATCHES + 7);
    CU_ASSERT_TRUE(checked[1].sound_bytes < segments[1].size_bytes);
    expect_same(&segments[0], &checked[0]);
    expect_same(&segments[1], &checked[1]);
    end();
}

TEST_MAIN("segment_check", TEST(sound_segments_are_known_whole),
          TEST(headers_end_where_their_memory_does), TEST(headers_end_at_an_old_message),
          TEST(nothing_behind_damage_is_known))
