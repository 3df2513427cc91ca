// SPDX-License-Identifier: Apache-2.0
// What a log keeps when the disk fails at any one call, and when the power goes at any one call.
//
// The workload appends batches (each holds its own number), rolls, flushes and truncates by a fixed plan. For every
// n the n-th changing call of the disk goes wrong; then the log is opened again and must hold
//   after a failed call, or a killed process: every batch whose append was acknowledged;
//   after a power loss: every batch that was flushed.
// Whatever else it holds must be a whole prefix of what was appended: no gap, no damage, no invention.
#include <errno.h>
#include <inttypes.h>

#include "base/mem.h"
#include "base/testing.h"
#include "log/disk_testing.h"
#include "log/log.h"
#include "record/batch_builder.h"

enum { BATCHES = 60, SEEDS = 3 };

static struct trace trace;
static struct arena arena;
static struct log_config config;

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return 1700000000000;
}

static struct clock test_clock = { test_wall_ms, test_wall_ms };

static int open_log(struct memory_disk *disk, bool is_clean, int64_t recovery_point,
                    struct log **log)
{
    struct log_options options = { .disk = &disk->disk,
                                   .clock = &test_clock,
                                   .trace = &trace,
                                   .dir = "/data/t-0",
                                   .config = &config,
                                   .topic_id = { { 9, 9, 9, 9, 9, 9, 0x49, 9, 0x89, 9 } },
                                   .is_clean = is_clean,
                                   .recovery_point = recovery_point };
    return log_open(&options, log);
}

// A disk with an empty, durable log directory.
static struct memory_disk *new_disk(uint64_t seed)
{
    struct memory_disk *disk = memory_disk_new(seed);
    disk->disk.ops->mkdir(&disk->disk, "/data");
    disk->disk.ops->sync_dir(&disk->disk, "");
    disk->calls = 0;
    return disk;
}

struct outcome {
    int64_t acknowledged; // log end after the last acknowledged append
    int64_t flushed;      // recovery point after the last flush that succeeded
    bool is_clean;        // closed without an error
};

// is_gathered: the next one that is not writes it.
static enum kafka_error append_number(struct log *log, int32_t number, bool is_gathered)
{
    uint8_t value[300] = { 0 };
    struct batch_builder builder;
    struct log_append_result result;
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.producer_id = 1000 + number % 3;
    options.producer_epoch = 0;
    options.base_sequence = number / 3;
    batch_builder_init(&builder, &options);
    put_be32(value, (uint32_t)number);
    batch_builder_add(&builder, 1700000000000 + number, BYTES_NULL,
                      (struct bytes){ value, sizeof value });
    struct bytes batch = arena_bytes(&arena, batch_builder_finish(&builder));
    batch_builder_fini(&builder);
    enum kafka_error error =
        log_append_leader(log, batch, number / 20,
                          is_gathered ? LOG_APPEND_GATHERED : LOG_APPEND_CLIENT, &arena, &result);
    if (error == KERR_NONE && !is_gathered)
        arena_reset(&arena); // nothing of it is needed any more
    return error;
}

static void run_workload(struct memory_disk *disk, struct outcome *outcome)
{
    struct log *log;
    *outcome = (struct outcome){ 0 };
    if (open_log(disk, false, 0, &log) != 0)
        return;
    for (int32_t i = 0; i < BATCHES; i++) {
        if (append_number(log, i, i % 4 != 3) != KERR_NONE)
            break;
        outcome->acknowledged = log_end_offset(log);
        if (i % 7 == 6 && log_flush(log, INT64_MAX) == 0)
            outcome->flushed = log_recovery_point(log);
        if (i % 25 == 24)
            log_roll(log);
        if (i % 10 == 9)
            log_close_idle_files(log);
    }
    if (log_close(log) == 0) {
        outcome->is_clean = true;
        outcome->flushed = outcome->acknowledged;
    }
}

// The log holds the batches 0, 1, … up to its end and nothing else.
static void check_prefix(struct log *log)
{
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t offset = 0, size;
    while ((size = log_read_batches(log, offset, 2000, INT64_MAX, &buffer, &capacity)) > 0) {
        struct bytes rest = { buffer, (size_t)size }, batch;
        while (batch_next(&rest, &batch) == BATCH_FOUND) {
            struct record_iter it;
            struct record record;
            CU_ASSERT_TRUE_FATAL(batch_is_intact(batch));
            CU_ASSERT_EQUAL_FATAL(batch_base_offset(batch.data), offset);
            record_iter_init(&it, batch, RECORDS_WHOLE);
            CU_ASSERT_TRUE_FATAL(record_iter_next(&it, &record));
            CU_ASSERT_EQUAL_FATAL(get_be32(record.value.data), (uint32_t)offset);
            record_iter_fini(&it);
            offset++;
        }
    }
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_EQUAL(offset, log_end_offset(log));
    mem_free(buffer);
}

static void check_reopened(struct memory_disk *disk, const struct outcome *outcome,
                           int64_t at_least, uint64_t n)
{
    struct log *log;
    int error = open_log(disk, outcome->is_clean, outcome->flushed, &log);
    if (error != 0)
        printf("\nopen failed after a fault at call %" PRIu64 ": %s", n, strerror(-error));
    CU_ASSERT_EQUAL_FATAL(error, 0);
    if (log_end_offset(log) < at_least)
        printf("\nfault at call %" PRIu64 ": log ends at %" PRId64 " instead of %" PRId64, n,
               log_end_offset(log), at_least);
    CU_ASSERT_TRUE_FATAL(log_end_offset(log) >= at_least);
    CU_ASSERT_TRUE_FATAL(log_end_offset(log) <= BATCHES);
    check_prefix(log);
    // Producers are known as far as the log goes: the next in sequence is taken.
    int32_t next = (int32_t)log_end_offset(log);
    if (next > 0 && next < BATCHES)
        CU_ASSERT_EQUAL(append_number(log, next, false), KERR_NONE);
    CU_ASSERT_EQUAL(log_close(log), 0);
}

static uint64_t count_calls(void)
{
    struct memory_disk *disk = new_disk(1);
    struct outcome outcome;
    run_workload(disk, &outcome);
    CU_ASSERT_TRUE(outcome.is_clean);
    CU_ASSERT_EQUAL(outcome.acknowledged, BATCHES);
    uint64_t calls = disk->calls;
    check_reopened(disk, &outcome, BATCHES, 0);
    memory_disk_free(disk);
    return calls;
}

static void begin(void)
{
    trace_init(&trace, &test_clock, TRACE_DEBUG, -1);
    arena_init(&arena);
    config = log_config_default;
    config.index_interval_bytes = 700;
    config.segment_bytes = 9000;
}

static void end(void)
{
    arena_fini(&arena);
    trace_fini(&trace);
}

// One call answers EIO or ENOSPC, the process goes on until it closes; then it starts again.
static void one_failed_call_loses_nothing_acknowledged(void)
{
    begin();
    uint64_t calls = count_calls();
    for (uint64_t n = 1; n <= calls; n++) {
        for (int kind = 0; kind < 3; kind++) {
            struct memory_disk *disk = new_disk(n);
            struct outcome outcome;
            disk->fail_at = n;
            disk->fail_with = kind == 1 ? -ENOSPC : -EIO;
            disk->stays_broken = kind == 2;
            run_workload(disk, &outcome);
            memory_disk_restart(disk);
            check_reopened(disk, &outcome, outcome.acknowledged, n);
            memory_disk_free(disk);
        }
    }
    end();
}

// The process is killed after any call: the page cache stays.
static void a_killed_process_loses_nothing_acknowledged(void)
{
    begin();
    uint64_t calls = count_calls();
    for (uint64_t n = 1; n <= calls; n++) {
        struct memory_disk *disk = new_disk(n);
        struct outcome outcome;
        disk->fail_at = n;
        disk->fail_with = -EIO;
        disk->stays_broken = true;
        run_workload(disk, &outcome);
        outcome.is_clean = false;
        outcome.flushed = 0; // the checkpoint was never written
        memory_disk_restart(disk);
        check_reopened(disk, &outcome, outcome.acknowledged, n);
        memory_disk_free(disk);
    }
    end();
}

// The power goes after any call: what was flushed is there, however the rest was torn.
static void power_loss_keeps_what_was_flushed(void)
{
    begin();
    uint64_t calls = count_calls();
    for (uint64_t n = 1; n <= calls + 1; n++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct memory_disk *disk = new_disk(n * 31 + seed);
            struct outcome outcome;
            disk->fail_at = n;
            disk->fail_with = -EIO;
            disk->stays_broken = true;
            run_workload(disk, &outcome);
            memory_disk_crash(disk);
            check_reopened(disk, &outcome, outcome.flushed, n);
            memory_disk_free(disk);
        }
    }
    end();
}

static void short_writes_are_continued(void)
{
    begin();
    struct memory_disk *disk = new_disk(5);
    struct outcome outcome;
    disk->short_writes = true;
    run_workload(disk, &outcome);
    CU_ASSERT_TRUE(outcome.is_clean);
    memory_disk_restart(disk);
    check_reopened(disk, &outcome, BATCHES, 0);
    memory_disk_free(disk);
    end();
}

// After a failure everything is refused, at once and with one line for people.
static void a_failed_log_says_so(void)
{
    begin();
    struct memory_disk *disk = new_disk(5);
    struct log *log;
    CU_ASSERT_EQUAL_FATAL(open_log(disk, false, 0, &log), 0);
    CU_ASSERT_EQUAL(append_number(log, 0, false), KERR_NONE);
    disk->fail_at = disk->calls + 1;
    disk->fail_with = -ENOSPC;
    CU_ASSERT_EQUAL(append_number(log, 1, false), KERR_KAFKA_STORAGE_ERROR);
    CU_ASSERT_EQUAL(log_end_offset(log), 1);
    CU_ASSERT_EQUAL(append_number(log, 1, false), KERR_KAFKA_STORAGE_ERROR);
    CU_ASSERT_EQUAL(log_roll(log), -EIO);
    CU_ASSERT_EQUAL(log_truncate(log, 0), -EIO);
    CU_ASSERT_EQUAL(log_close(log), -EIO);
    memory_disk_restart(disk);
    CU_ASSERT_EQUAL_FATAL(open_log(disk, false, 0, &log), 0);
    CU_ASSERT_EQUAL(log_end_offset(log), 1);
    CU_ASSERT_EQUAL(log_close(log), 0);
    memory_disk_free(disk);
    end();
}

TEST_MAIN("log_faults", TEST(one_failed_call_loses_nothing_acknowledged),
          TEST(a_killed_process_loses_nothing_acknowledged),
          TEST(power_loss_keeps_what_was_flushed), TEST(short_writes_are_continued),
          TEST(a_failed_log_says_so))
