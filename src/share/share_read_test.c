// SPDX-License-Identifier: Apache-2.0
// What a share fetch reads of a log, and what is cut away of it. Of aborted transactions
// compat-tests/twin/share/e_committed.py knows.
#include "share/share_read.h"

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/testing.h"
#include "record/batch_builder.h"

enum { ME = 1, MOST = 1 << 20 };

static char folder[200];
static struct trace trace;
static struct arena arena;
static struct log *log_here;
static struct partition *partition;
static struct partition_woken woken;

static void begin(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    trace_init(&trace, clock_posix(), TRACE_ERROR, -1);
    arena_init(&arena);
    partition_woken_init(&woken);
    struct uuid id = uuid_random();
    struct log_options options = { .disk = disk_posix(),
                                   .clock = clock_posix(),
                                   .trace = &trace,
                                   .dir = arena_printf(&arena, "%s/t-0", folder),
                                   .config = &log_config_default,
                                   .topic_id = id };
    CU_ASSERT_EQUAL_FATAL(log_open(&options, &log_here), 0);
    partition = partition_new(str_of("t"), id, 0, ME, false);
    int32_t alone[] = { ME };
    partition_apply(partition, log_here, &(struct partition_state){ ME, 0, 1, alone, 1, alone, 1 },
                    &woken);
}

static void end(void)
{
    CU_ASSERT_PTR_EQUAL(partition_close(partition, PARTITION_DELETED, &woken), log_here);
    partition_wake(&woken);
    partition_unref(partition);
    CU_ASSERT_EQUAL(log_close(log_here), 0);
    arena_fini(&arena);
    trace_fini(&trace);
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), folder), 0);
}

static int32_t append(int records)
{
    struct batch_builder builder;
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    for (int i = 0; i < records; i++)
        batch_builder_add(&builder, 1000, BYTES_NULL, (struct bytes){ (const uint8_t *)"v", 1 });
    struct log_append_result result;
    struct bytes batch = batch_builder_finish(&builder);
    CU_ASSERT_EQUAL(
        partition_append(partition, batch, 1, -1, LOG_APPEND_CLIENT, &arena, &result, &woken),
        KERR_NONE);
    batch_builder_fini(&builder);
    return (int32_t)batch.size;
}

static struct share_read read_from(int64_t offset, int32_t max_bytes, int64_t last_wanted)
{
    static const struct share_reader reader = { 0 };
    struct share_read read;
    share_read(partition, &reader, offset, max_bytes, &read);
    CU_ASSERT_EQUAL(read.read.error, KERR_NONE);
    CU_ASSERT_TRUE(share_read_batches(partition, &reader, offset, last_wanted, &arena, &read));
    return read;
}

static void batches_are_found_up_to_what_is_wanted(void)
{
    begin();
    int32_t five = append(5), one = append(1), three = append(3);
    struct share_read read = read_from(0, MOST, INT64_MAX);
    CU_ASSERT_EQUAL_FATAL(read.spans_count, 3);
    CU_ASSERT_EQUAL(read.spans[0].base_offset, 0);
    CU_ASSERT_EQUAL(read.spans[0].last_offset, 4);
    CU_ASSERT_EQUAL(read.spans[2].base_offset, 6);
    CU_ASSERT_EQUAL(read.spans[2].last_offset, 8);
    CU_ASSERT_FALSE(read.spans[2].is_aborted);
    CU_ASSERT_EQUAL(read.positions[2], five + one);
    CU_ASSERT_EQUAL(read.positions[3], five + one + three);
    CU_ASSERT_EQUAL(read.read.slice.size, five + one + three);
    disk_file_unref(read.read.slice.file);

    static const struct {
        int64_t from, last_wanted;
        size_t spans;
    } wanted[] = { { 0, 0, 1 }, { 0, 4, 1 }, { 0, 5, 2 }, { 0, 6, 3 },
                   { 5, 5, 1 }, { 5, 6, 2 }, { 8, 9, 1 } };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        read = read_from(wanted[i].from, MOST, wanted[i].last_wanted);
        CU_ASSERT_EQUAL_FATAL(read.spans_count, wanted[i].spans);
        CU_ASSERT_EQUAL(read.read.slice.size, read.positions[read.spans_count]);
        disk_file_unref(read.read.slice.file);
    }
    end();
}

// A batch that the limit cuts is none, unless it is the first.
static void bytes_are_limited(void)
{
    begin();
    int32_t five = append(5);
    append(3);
    struct share_read read = read_from(0, five + 10, INT64_MAX);
    CU_ASSERT_EQUAL(read.spans_count, 1);
    CU_ASSERT_EQUAL(read.read.slice.size, five);
    disk_file_unref(read.read.slice.file);
    read = read_from(0, 1, INT64_MAX);
    CU_ASSERT_EQUAL(read.spans_count, 1);
    disk_file_unref(read.read.slice.file);
    read = read_from(8, MOST, INT64_MAX); // the end
    CU_ASSERT_EQUAL(read.spans_count, 0);
    CU_ASSERT_EQUAL(read.read.slice.size, 0);
    share_read(partition, &(struct share_reader){ 0 }, 9, MOST, &read);
    CU_ASSERT_EQUAL(read.read.error, KERR_OFFSET_OUT_OF_RANGE);
    end();
}

static void what_is_given_is_cut_to_what_was_acquired(void)
{
    begin();
    int32_t sizes[4], total = 0;
    for (int i = 0; i < 4; i++)
        total += sizes[i] = append(2);
    static const struct {
        int64_t first, last;
        int from, count; // batches
    } cuts[] = { { 0, 7, 0, 4 }, { 0, 0, 0, 1 }, { 1, 1, 0, 1 },
                 { 1, 2, 0, 2 }, { 2, 5, 1, 2 }, { 7, 7, 3, 1 } };
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct share_read read = read_from(0, MOST, INT64_MAX);
        CU_ASSERT_EQUAL(read.read.slice.size, total);
        share_read_cut(&read, cuts[i].first, cuts[i].last);
        CU_ASSERT_EQUAL(read.read.slice.position, cuts[i].from * sizes[0]);
        CU_ASSERT_EQUAL(read.read.slice.size, cuts[i].count * sizes[0]);
        disk_file_unref(read.read.slice.file);
    }
    end();
}

TEST_MAIN("share_read", TEST(batches_are_found_up_to_what_is_wanted), TEST(bytes_are_limited),
          TEST(what_is_given_is_cut_to_what_was_acquired))
