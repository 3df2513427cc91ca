// SPDX-License-Identifier: Apache-2.0
// Retention and the log start, on a disk in memory; at the end with that disk failing at every single call.
#include <errno.h>
#include <inttypes.h>

#include "base/mem.h"
#include "base/testing.h"
#include "log/disk_testing.h"
#include "log/log.h"
#include "log/partition_dir.h"
#include "record/batch_builder.h"

#define DIR "/data/t-0"

enum { NOW = 1000000000, PER_SEGMENT = 10 };

static struct trace trace;
static struct arena arena;
static struct log_config config;
static struct memory_disk *disk;
static int64_t now_ms;

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return now_ms;
}

static struct clock test_clock = { test_wall_ms, test_wall_ms };

static struct memory_disk *new_disk(uint64_t seed)
{
    struct memory_disk *made = memory_disk_new(seed);
    made->disk.ops->mkdir(&made->disk, "/data");
    made->disk.ops->sync_dir(&made->disk, "");
    made->calls = 0;
    return made;
}

static void begin(void)
{
    now_ms = NOW;
    trace_init(&trace, &test_clock, TRACE_DEBUG, -1);
    arena_init(&arena);
    config = log_config_default;
    config.segment_bytes = PER_SEGMENT * 372; // ten batches of append_one
    config.index_interval_bytes = 700;
    config.message_timestamp_before_max_ms = INT64_MAX;
    config.message_timestamp_after_max_ms = INT64_MAX;
    disk = new_disk(1);
}

static void end(void)
{
    memory_disk_free(disk);
    arena_fini(&arena);
    trace_fini(&trace);
}

static int open_log(bool is_clean, int64_t recovery_point, int64_t log_start, struct log **log)
{
    struct log_options options = { .disk = &disk->disk,
                                   .clock = &test_clock,
                                   .trace = &trace,
                                   .dir = DIR,
                                   .config = &config,
                                   .is_clean = is_clean,
                                   .recovery_point = recovery_point,
                                   .log_start_offset = log_start };
    return log_open(&options, log);
}

static struct log *open_new(void)
{
    struct log *log;
    CU_ASSERT_EQUAL_FATAL(open_log(false, 0, 0, &log), 0);
    return log;
}

// One record; its number is its offset.
static enum kafka_error append_one(struct log *log, int64_t timestamp, int32_t epoch)
{
    uint8_t value[296] = { 0 };
    struct batch_builder builder;
    struct log_append_result result;
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    int64_t number = log_end_offset(log);
    options.producer_id = 1000;
    options.producer_epoch = 0;
    options.base_sequence = (int32_t)number;
    batch_builder_init(&builder, &options);
    put_be64(value, (uint64_t)number);
    batch_builder_add(&builder, timestamp, BYTES_NULL, (struct bytes){ value, sizeof value });
    enum kafka_error error = log_append_leader(log, batch_builder_finish(&builder), epoch,
                                               LOG_APPEND_CLIENT, &arena, &result);
    batch_builder_fini(&builder);
    arena_reset(&arena);
    return error;
}

static void append(struct log *log, int count, int64_t timestamp)
{
    for (int i = 0; i < count; i++)
        CU_ASSERT_EQUAL(append_one(log, timestamp, (int32_t)log_end_offset(log) / 20), KERR_NONE);
    log_set_high_watermark(log, log_end_offset(log));
}

static bool has_file(int64_t offset, const char *suffix)
{
    char *path = log_file_path(DIR, offset, suffix);
    struct disk_stat st;
    bool found = disk->disk.ops->stat(&disk->disk, path, &st) == 0;
    mem_free(path);
    return found;
}

// Everything from the log start to the log end is there, and nothing before.
static void check_whole(struct log *log)
{
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t offset = log_start_offset(log), size;
    if (offset > 0)
        CU_ASSERT_EQUAL(log_read_batches(log, offset - 1, 1, INT64_MAX, &buffer, &capacity),
                        -ERANGE);
    while ((size = log_read_batches(log, offset, 2000, INT64_MAX, &buffer, &capacity)) > 0) {
        struct bytes rest = { buffer, (size_t)size }, batch;
        while (batch_next(&rest, &batch) == BATCH_FOUND) {
            struct record_iter it;
            struct record record;
            CU_ASSERT_TRUE_FATAL(batch_is_intact(batch));
            CU_ASSERT_EQUAL_FATAL(batch_base_offset(batch.data), offset);
            record_iter_init(&it, batch, RECORDS_WHOLE);
            CU_ASSERT_TRUE_FATAL(record_iter_next(&it, &record));
            CU_ASSERT_EQUAL_FATAL((int64_t)get_be64(record.value.data), offset);
            record_iter_fini(&it);
            offset++;
        }
    }
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_EQUAL(offset, log_end_offset(log));
    mem_free(buffer);
}

// ---- size -------------------------------------------------------------------------------------------

// As many of the oldest go as leave at least retention.bytes.
static void too_many_bytes_go_by_segments(void)
{
    begin();
    struct log *log = open_new();
    append(log, 45, NOW);
    int64_t size = log_size_bytes(log), segment = size / 45 * PER_SEGMENT;
    config.retention_bytes = size;
    log_set_config(log, &config);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 0);
    config.retention_bytes = size - segment + 1; // one byte too few to go
    log_set_config(log, &config);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 0);
    config.retention_bytes = size - segment;
    log_set_config(log, &config);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    CU_ASSERT_EQUAL(log_start_offset(log), 10);
    CU_ASSERT_EQUAL(log_first_segment_offset(log), 10);
    CU_ASSERT_EQUAL(log_size_bytes(log), size - segment);
    check_whole(log);
    config.retention_bytes = 0; // all, the active one too: a new one is begun
    log_set_config(log, &config);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 4);
    CU_ASSERT_EQUAL(log_start_offset(log), 45);
    CU_ASSERT_EQUAL(log_end_offset(log), 45);
    CU_ASSERT_EQUAL(log_active_segment_offset(log), 45);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 0); // an empty active segment stays
    append(log, 3, NOW);
    check_whole(log);
    CU_ASSERT_EQUAL(log_close(log), 0);
    CU_ASSERT_EQUAL_FATAL(open_log(true, 0, 0, &log), 0);
    CU_ASSERT_EQUAL(log_start_offset(log), 45);
    check_whole(log);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// ---- time -------------------------------------------------------------------------------------------

static void what_is_too_old_goes(void)
{
    begin();
    config.retention_ms = 1000;
    struct log *log = open_new();
    append(log, 10, NOW - 3000);
    append(log, 10, NOW - 1000); // exactly retention.ms old: stays
    append(log, 5, NOW);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    CU_ASSERT_EQUAL(log_start_offset(log), 10);
    now_ms++;
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    CU_ASSERT_EQUAL(log_start_offset(log), 20);
    CU_ASSERT_EQUAL(log_epoch_for_offset(log, 20), 1);
    CU_ASSERT_EQUAL(log_epoch_for_offset(log, 19), -1);
    check_whole(log);
    now_ms = NOW + 1001;
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    CU_ASSERT_EQUAL(log_start_offset(log), 25);
    CU_ASSERT_EQUAL(log_active_segment_offset(log), 25);
    CU_ASSERT_EQUAL(log_latest_epoch(log), 1);
    // Producers go on where they were.
    append(log, 1, now_ms);
    CU_ASSERT_EQUAL(log_close(log), 0);
    // Segments that nobody has looked into since the start count by what their index says.
    now_ms += 1002;
    CU_ASSERT_EQUAL_FATAL(open_log(true, 0, 0, &log), 0);
    log_set_high_watermark(log, log_end_offset(log));
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    CU_ASSERT_EQUAL(log_start_offset(log), 26);
    append(log, 1, now_ms);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// The order of the segments counts: a young one protects those behind it.
static void a_young_segment_protects_older_ones_behind_it(void)
{
    begin();
    config.retention_ms = 1000;
    struct log *log = open_new();
    append(log, 10, NOW + 100000); // of the future
    append(log, 10, NOW - 100000);
    append(log, 1, NOW);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 0);
    now_ms = NOW + 101001;
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 3);
    CU_ASSERT_EQUAL(log_start_offset(log), 21);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

static void retention_ends_where_it_is_told_to(void)
{
    begin();
    struct log *log = open_new();
    append(log, 25, NOW - 1000);
    // Without delete in the policy nothing but the log start counts.
    config.retention_ms = 0;
    config.retention_bytes = 0;
    config.cleanup_delete = false;
    log_set_config(log, &config);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 0);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 13), KERR_NONE);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    CU_ASSERT_EQUAL(log_start_offset(log), 13);
    CU_ASSERT_EQUAL(log_first_segment_offset(log), 10);
    // -1: without limit.
    config.cleanup_delete = true;
    config.retention_ms = -1;
    config.retention_bytes = -1;
    log_set_config(log, &config);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 0);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// What is not on all replicas yet stays, however old.
static void nothing_goes_beyond_the_high_watermark(void)
{
    begin();
    config.retention_ms = 10;
    struct log *log = open_new();
    append(log, 20, NOW - 1000);
    CU_ASSERT_EQUAL(append_one(log, NOW - 1000, 1), KERR_NONE);
    log_set_high_watermark(log, 19);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    CU_ASSERT_EQUAL(log_start_offset(log), 10);
    log_set_high_watermark(log, 20);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    CU_ASSERT_EQUAL(log_start_offset(log), 20);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 0);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 21), KERR_OFFSET_OUT_OF_RANGE);
    check_whole(log);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// ---- the log start ----------------------------------------------------------------------------------

// The checkpoint says it after a restart; without one it is the first segment's base again, as Kafka's is.
static void the_log_start_comes_back_from_its_checkpoint(void)
{
    begin();
    struct log *log = open_new();
    append(log, 25, NOW);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 17), KERR_NONE);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 3), KERR_NONE); // never back
    CU_ASSERT_EQUAL(log_start_offset(log), 17);
    check_whole(log);
    log_abandon(log);
    CU_ASSERT_EQUAL_FATAL(open_log(false, 0, 17, &log), 0);
    CU_ASSERT_EQUAL(log_start_offset(log), 17);
    check_whole(log);
    log_abandon(log);
    CU_ASSERT_EQUAL_FATAL(open_log(false, 0, 0, &log), 0);
    CU_ASSERT_EQUAL(log_start_offset(log), 0);
    log_set_high_watermark(log, 25);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 25), KERR_NONE); // the end: nothing is left to read
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 2);          // the active one has no next
    CU_ASSERT_EQUAL(log_first_segment_offset(log), 20);
    check_whole(log);
    append(log, 1, NOW);
    check_whole(log);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// ---- files ------------------------------------------------------------------------------------------

static void files_stay_for_a_while_as_deleted(void)
{
    static const char *const suffixes[] = { ".log", ".index", ".timeindex", ".snapshot" };
    begin();
    config.file_delete_delay_ms = 500;
    config.retention_bytes = 0;
    struct log *log = open_new();
    append(log, 10, NOW);
    CU_ASSERT_EQUAL(log_roll(log), 0);
    append(log, 10, NOW);
    // A reader has the file; it may read on however long it takes.
    struct log_slice slice;
    CU_ASSERT_EQUAL(log_read(log, 11, 100, true, INT64_MAX, &slice), KERR_NONE);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 2);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char *deleted = mem_printf("%s.deleted", suffixes[i]);
        CU_ASSERT_FALSE(has_file(10, suffixes[i]));
        CU_ASSERT_TRUE(has_file(10, deleted));
        mem_free(deleted);
    }
    CU_ASSERT_EQUAL(log_garbage_due_ms(log), NOW + 500);
    now_ms += 300;
    append(log, 10, NOW);
    CU_ASSERT_EQUAL(log_delete_old_segments(log), 1);
    now_ms += 200; // 500 for the first, 200 for the second
    CU_ASSERT_EQUAL(log_delete_garbage(log), 0);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char *deleted = mem_printf("%s.deleted", suffixes[i]);
        CU_ASSERT_FALSE(has_file(10, deleted));
        CU_ASSERT_TRUE(has_file(20, deleted));
        mem_free(deleted);
    }
    uint8_t header[BATCH_HEADER_SIZE];
    CU_ASSERT_EQUAL(disk_pread(slice.slice.file, header, sizeof header, slice.slice.position),
                    BATCH_HEADER_SIZE);
    CU_ASSERT_EQUAL(batch_base_offset(header), 11);
    disk_file_unref(slice.slice.file);
    CU_ASSERT_EQUAL(log_close(log), 0);
    CU_ASSERT_TRUE(has_file(20, ".log.deleted"));
    CU_ASSERT_EQUAL_FATAL(open_log(true, 0, 0, &log), 0); // a start tidies up
    CU_ASSERT_FALSE(has_file(20, ".log.deleted"));
    CU_ASSERT_FALSE(has_file(20, ".snapshot.deleted"));
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// ---- a disk that fails ------------------------------------------------------------------------------

struct outcome {
    int64_t acknowledged; // log end after the last acknowledged append
    int64_t flushed;
    int64_t started; // the log start after the last pass
    bool is_clean;
};

static void run_workload(struct outcome *outcome)
{
    struct log *log;
    *outcome = (struct outcome){ 0 };
    if (open_log(false, 0, 0, &log) != 0)
        return;
    for (int i = 0; i < 70; i++) {
        if (append_one(log, NOW + i, i / 15) != KERR_NONE)
            break;
        outcome->acknowledged = log_end_offset(log);
        log_set_high_watermark(log, log_end_offset(log));
        if (i % 9 == 8 && log_flush(log, INT64_MAX) == 0)
            outcome->flushed = log_recovery_point(log);
        if (i == 33)
            log_set_start_offset(log, 25);
        if (i == 54) { // all that is there
            config.retention_bytes = 0;
            log_set_config(log, &config);
        }
        if (i % 11 == 10 && log_delete_old_segments(log) >= 0)
            outcome->started = log_start_offset(log);
        if (i % 13 == 12)
            log_delete_garbage(log);
    }
    config.retention_bytes = 5000;
    if (log_close(log) == 0) {
        outcome->is_clean = true;
        outcome->flushed = outcome->acknowledged;
    }
}

static void check_reopened(const struct outcome *outcome, int64_t end_at_least, uint64_t n)
{
    struct log *log;
    int error = open_log(outcome->is_clean, outcome->flushed, 0, &log);
    if (error != 0)
        printf("\nopen failed after a fault at call %" PRIu64 ": %s", n, strerror(-error));
    CU_ASSERT_EQUAL_FATAL(error, 0);
    if (log_end_offset(log) < end_at_least)
        printf("\nfault at call %" PRIu64 ": log ends at %" PRId64 " instead of %" PRId64, n,
               log_end_offset(log), end_at_least);
    CU_ASSERT_TRUE_FATAL(log_end_offset(log) >= end_at_least);
    log_set_high_watermark(log, log_end_offset(log));
    check_whole(log);
    // It is in service, and tidies up what was left half done.
    CU_ASSERT_EQUAL(append_one(log, NOW, 9), KERR_NONE);
    CU_ASSERT_TRUE(log_delete_old_segments(log) >= 0);
    check_whole(log);
    CU_ASSERT_EQUAL(log_close(log), 0);
}

enum { FAULT_ONE_CALL, FAULT_KILL, FAULT_POWER };

static void every_call(int kind)
{
    begin();
    config.retention_bytes = 5000;
    config.file_delete_delay_ms = 0;
    struct outcome outcome;
    run_workload(&outcome);
    CU_ASSERT_TRUE(outcome.is_clean);
    CU_ASSERT_EQUAL(outcome.acknowledged, 70);
    CU_ASSERT_TRUE(outcome.started >= 55);
    uint64_t calls = disk->calls;
    for (uint64_t n = 1; n <= calls; n++) {
        memory_disk_free(disk);
        disk = new_disk(n);
        disk->fail_at = n;
        disk->fail_with = n % 2 == 0 ? -ENOSPC : -EIO;
        disk->stays_broken = kind != FAULT_ONE_CALL;
        run_workload(&outcome);
        if (kind != FAULT_ONE_CALL)
            outcome.is_clean = false;
        if (kind == FAULT_POWER)
            memory_disk_crash(disk);
        else
            memory_disk_restart(disk);
        check_reopened(&outcome, kind == FAULT_POWER ? outcome.flushed : outcome.acknowledged, n);
    }
    end();
}

static void one_failed_call_loses_nothing(void)
{
    every_call(FAULT_ONE_CALL);
}

static void a_killed_process_loses_nothing(void)
{
    every_call(FAULT_KILL);
}

static void power_loss_keeps_what_was_flushed(void)
{
    every_call(FAULT_POWER);
}

TEST_MAIN("log_retention", TEST(too_many_bytes_go_by_segments), TEST(what_is_too_old_goes),
          TEST(a_young_segment_protects_older_ones_behind_it),
          TEST(retention_ends_where_it_is_told_to), TEST(nothing_goes_beyond_the_high_watermark),
          TEST(the_log_start_comes_back_from_its_checkpoint),
          TEST(files_stay_for_a_while_as_deleted), TEST(one_failed_call_loses_nothing),
          TEST(a_killed_process_loses_nothing), TEST(power_loss_keeps_what_was_flushed))
