// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "log/partition_dir.h"
#include "record/batch_builder.h"

#define B(z) ((struct bytes){ (const uint8_t *)(z), sizeof(z) - 1 })

static char folder[256], dir[300];
static struct trace trace;
static struct arena arena;
static int64_t now_ms;

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return now_ms;
}

static int64_t test_monotonic_us(struct clock *clock)
{
    (void)clock;
    return now_ms * 1000;
}

static struct clock test_clock = { test_wall_ms, test_monotonic_us };

static void begin(void)
{
    now_ms = 1700000000000;
    trace_init(&trace, &test_clock, TRACE_DEBUG, -1);
    arena_init(&arena);
    test_folder(folder, sizeof folder);
    snprintf(dir, sizeof dir, "%s/some-topic-3", folder);
}

static void end(void)
{
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), folder), 0);
    arena_fini(&arena);
    trace_fini(&trace);
}

static struct log *open_with(const struct log_config *config, bool is_clean, int64_t recovery_point)
{
    struct log_options options = { .disk = disk_posix(),
                                   .clock = &test_clock,
                                   .trace = &trace,
                                   .dir = dir,
                                   .config = config,
                                   .is_clean = is_clean,
                                   .recovery_point = recovery_point };
    struct log *log = NULL;
    CU_ASSERT_EQUAL_FATAL(log_open(&options, &log), 0);
    return log;
}

struct producer {
    int64_t id;
    int16_t epoch;
    int32_t sequence;
};

// A batch of `count` records with value `value`; the caller frees it.
static struct bytes make_batch(int count, const char *value, int64_t timestamp, enum compression compression,
                               const struct producer *producer)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .compression = compression };
    if (producer != NULL) {
        options.producer_id = producer->id;
        options.producer_epoch = producer->epoch;
        options.base_sequence = producer->sequence;
    }
    struct batch_builder builder;
    batch_builder_init(&builder, &options);
    for (int i = 0; i < count; i++)
        batch_builder_add(&builder, timestamp + i, B("key"),
                          (struct bytes){ (const uint8_t *)value, strlen(value) });
    struct bytes batch = batch_builder_finish(&builder);
    batch.data = mem_dup(batch.data, batch.size);
    batch_builder_fini(&builder);
    return batch;
}

static enum kafka_error append_batch(struct log *log, struct bytes batch, int32_t epoch,
                                     struct log_append_result *result)
{
    enum kafka_error error = log_append_leader(log, batch, epoch, LOG_APPEND_CLIENT, &arena, result);
    log_set_high_watermark(log, log_end_offset(log));
    mem_free((void *)batch.data);
    return error;
}

static void append(struct log *log, int count, const char *value, int64_t timestamp)
{
    struct log_append_result result;
    int64_t before = log_end_offset(log);
    CU_ASSERT_EQUAL(append_batch(log, make_batch(count, value, timestamp, COMPRESSION_NONE, NULL), 5, &result),
                    KERR_NONE);
    CU_ASSERT_EQUAL(result.first_offset, before);
    CU_ASSERT_EQUAL(result.last_offset, before + count - 1);
}

// Every offset in [from, log end) is read once, in order, and belongs to an intact batch. Returns the batches seen.
static int check_all(struct log *log, int64_t from)
{
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t offset = from, size;
    int batches = 0;
    while ((size = log_read_batches(log, offset, 4096, INT64_MAX, &buffer, &capacity)) > 0) {
        struct bytes rest = { buffer, (size_t)size }, batch;
        while (batch_next(&rest, &batch) == BATCH_FOUND) {
            CU_ASSERT_TRUE_FATAL(batch_is_intact(batch));
            CU_ASSERT_TRUE_FATAL(batch_base_offset(batch.data) <= offset);
            CU_ASSERT_TRUE_FATAL(batch_last_offset(batch.data) >= offset);
            offset = batch_next_offset(batch.data);
            batches++;
        }
    }
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_EQUAL(offset, log_end_offset(log));
    mem_free(buffer);
    return batches;
}

// What is appended is read back, before and after a clean stop, and after a crash that kept the page cache.
static void appended_batches_are_read_back(void)
{
    begin();
    struct log *log = open_with(&log_config_default, false, 0);
    CU_ASSERT_EQUAL(log_end_offset(log), 0);
    for (int i = 0; i < 300; i++)
        append(log, 1 + i % 3, "some value that takes a little room, so that index entries are made", now_ms + i);
    CU_ASSERT_EQUAL(log_end_offset(log), 600);
    CU_ASSERT_EQUAL(check_all(log, 0), 300);
    CU_ASSERT_EQUAL(check_all(log, 299), 151);
    CU_ASSERT_EQUAL(log_close(log), 0);

    log = open_with(&log_config_default, true, 600);
    CU_ASSERT_EQUAL(log_end_offset(log), 600);
    CU_ASSERT_EQUAL(log_recovery_point(log), 600);
    CU_ASSERT_EQUAL(check_all(log, 0), 300);
    append(log, 5, "more", now_ms);
    CU_ASSERT_EQUAL(log_latest_epoch(log), 5);
    log_abandon(log);

    log = open_with(&log_config_default, false, 0);
    CU_ASSERT_EQUAL(log_end_offset(log), 605);
    CU_ASSERT_EQUAL(check_all(log, 0), 301);
    CU_ASSERT_EQUAL(log_latest_epoch(log), 5);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

static void a_read_ends_at_its_limits(void)
{
    begin();
    struct log *log = open_with(&log_config_default, false, 0);
    append(log, 2, "first", now_ms);
    append(log, 2, "second", now_ms);
    append(log, 2, "third", now_ms);
    struct log_slice slice;
    CU_ASSERT_EQUAL(log_read(log, 6, 1000, true, INT64_MAX, &slice), KERR_NONE);
    CU_ASSERT_PTR_NULL(slice.slice.file);
    CU_ASSERT_EQUAL(log_read(log, 7, 1000, true, INT64_MAX, &slice), KERR_OFFSET_OUT_OF_RANGE);
    CU_ASSERT_EQUAL(log_read(log, -1, 1000, true, INT64_MAX, &slice), KERR_OFFSET_OUT_OF_RANGE);
    // The batch that holds the offset comes whole; the limit cuts behind batches, max_bytes anywhere.
    CU_ASSERT_EQUAL_FATAL(log_read(log, 3, 1000, false, 4, &slice), KERR_NONE);
    CU_ASSERT_EQUAL(slice.first_offset, 2);
    int64_t second = slice.slice.size;
    disk_file_unref(slice.slice.file);
    CU_ASSERT_EQUAL_FATAL(log_read(log, 3, (int32_t)second + 10, false, INT64_MAX, &slice), KERR_NONE);
    CU_ASSERT_EQUAL(slice.slice.size, second + 10);
    CU_ASSERT_FALSE(slice.is_first_incomplete);
    disk_file_unref(slice.slice.file);
    CU_ASSERT_EQUAL_FATAL(log_read(log, 3, 10, true, INT64_MAX, &slice), KERR_NONE);
    CU_ASSERT_EQUAL(slice.slice.size, second);
    disk_file_unref(slice.slice.file);
    CU_ASSERT_EQUAL_FATAL(log_read(log, 3, 10, false, INT64_MAX, &slice), KERR_NONE);
    CU_ASSERT_EQUAL(slice.slice.size, 10);
    CU_ASSERT_TRUE(slice.is_first_incomplete);
    disk_file_unref(slice.slice.file);
    CU_ASSERT_EQUAL(log_read(log, 2, 1000, true, 2, &slice), KERR_NONE);
    CU_ASSERT_PTR_NULL(slice.slice.file);
    log_close(log);
    end();
}

TEST_MAIN("log", TEST(appended_batches_are_read_back), TEST(a_read_ends_at_its_limits))
