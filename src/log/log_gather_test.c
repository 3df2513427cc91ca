// SPDX-License-Identifier: Apache-2.0
// Appends that wait for each other: one write, the same log as one by one, nothing shown before it is in the file.
#include <errno.h>
#include <inttypes.h>

#include "base/mem.h"
#include "base/testing.h"
#include "log/disk_testing.h"
#include "log/log.h"
#include "log/log_validate.h"
#include "record/batch.h"
#include "record/batch_builder.h"

enum { VALUE_BYTES = 300 };

static struct trace trace;
static struct log_config config;
static struct arena arena; // of all requests of a test

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return 1700000000000;
}

static struct clock test_clock = { test_wall_ms, test_wall_ms };

static struct log *open_log(struct memory_disk *disk, const char *dir)
{
    struct log *log = NULL;
    CU_ASSERT_EQUAL_FATAL(log_open(&(struct log_options){ .disk = &disk->disk,
                                                          .clock = &test_clock,
                                                          .trace = &trace,
                                                          .dir = dir,
                                                          .config = &config },
                                   &log),
                          0);
    return log;
}

static struct memory_disk *begin(void)
{
    trace_init(&trace, &test_clock, TRACE_DEBUG, -1);
    config = log_config_default;
    arena_init(&arena);
    struct memory_disk *disk = memory_disk_new(7);
    disk->disk.ops->mkdir(&disk->disk, "/data");
    return disk;
}

static void end(struct memory_disk *disk, struct log *log)
{
    log_abandon(log);
    memory_disk_free(disk);
    arena_fini(&arena);
    trace_fini(&trace);
}

static struct log_append_result append_of(struct log *log, enum log_append_origin origin,
                                          const struct batch_options *options,
                                          enum kafka_error expected)
{
    static const uint8_t value[VALUE_BYTES];
    struct batch_builder builder;
    struct log_append_result result;
    batch_builder_init(&builder, options);
    batch_builder_add(&builder, 1700000000000, BYTES_NULL, (struct bytes){ value, sizeof value });
    struct bytes batch = arena_bytes(&arena, batch_builder_finish(&builder));
    batch_builder_fini(&builder);
    CU_ASSERT_EQUAL(log_append_leader(log, batch, 0, origin, &arena, &result), expected);
    return result;
}

static struct log_append_result append(struct log *log, enum log_append_origin origin)
{
    return append_of(log, origin, &(struct batch_options){ BATCH_OPTIONS_DEFAULT }, KERR_NONE);
}

// Reads the log from the start: the batches follow each other up to `end`.
static void check_reads(struct log *log, int64_t end_offset)
{
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t next = 0, size;
    while ((size = log_read_batches(log, next, 1 << 20, INT64_MAX, &buffer, &capacity)) > 0) {
        struct bytes rest = { buffer, (size_t)size }, batch;
        CU_ASSERT_EQUAL(log_check_batches(rest), KERR_NONE);
        while (batch_next(&rest, &batch) == BATCH_FOUND) {
            CU_ASSERT_EQUAL(batch_base_offset(batch.data), next);
            next = batch_next_offset(batch.data);
        }
    }
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_EQUAL(next, end_offset);
    mem_free(buffer);
}

static void several_appends_are_one_write(void)
{
    struct memory_disk *disk = begin();
    struct log *log = open_log(disk, "/data/t-0");
    CU_ASSERT_FALSE(append(log, LOG_APPEND_GATHERED).is_gathered); // the first of a segment
    uint64_t calls = disk->calls;
    for (int64_t n = 1; n <= 3; n++) {
        struct log_append_result result = append(log, LOG_APPEND_GATHERED);
        CU_ASSERT_TRUE(result.is_gathered);
        CU_ASSERT_EQUAL(result.first_offset, n);
        CU_ASSERT_EQUAL(log_end_offset(log), 1);
    }
    CU_ASSERT_EQUAL(disk->calls, calls);
    CU_ASSERT_FALSE(append(log, LOG_APPEND_CLIENT).is_gathered); // takes them along
    CU_ASSERT_EQUAL(disk->calls, calls + 1);
    CU_ASSERT_EQUAL(log_end_offset(log), 5);
    CU_ASSERT_TRUE(append(log, LOG_APPEND_GATHERED).is_gathered);
    log_write_gathered(log);
    CU_ASSERT_EQUAL(disk->calls, calls + 2);
    CU_ASSERT_EQUAL(log_end_offset(log), 6);
    log_write_gathered(log);
    CU_ASSERT_EQUAL(disk->calls, calls + 2);
    check_reads(log, 6);
    end(disk, log);
}

// Whatever needs the log first gets a log that is whole.
static void who_needs_the_log_writes(void)
{
    struct memory_disk *disk = begin();
    struct log *log = open_log(disk, "/data/t-0");
    append(log, LOG_APPEND_CLIENT);
    for (int how = 0; how < 5; how++) {
        int64_t end_offset = append(log, LOG_APPEND_GATHERED).last_offset + 1;
        CU_ASSERT_EQUAL(log_end_offset(log), end_offset - 1);
        struct log_slice slice;
        switch (how) {
        case 0:
            CU_ASSERT_EQUAL(log_read(log, 0, 1000, true, INT64_MAX, &slice), KERR_NONE);
            disk_file_unref(slice.slice.file);
            break;
        case 1:
            CU_ASSERT_EQUAL(log_flush(log, INT64_MAX), 0);
            CU_ASSERT_EQUAL(log_recovery_point(log), end_offset);
            break;
        case 2:
            CU_ASSERT_EQUAL(log_roll(log), 0);
            CU_ASSERT_EQUAL(log_active_segment_offset(log), end_offset);
            append(log, LOG_APPEND_CLIENT);
            end_offset++;
            break;
        case 3:
            CU_ASSERT_EQUAL(append(log, LOG_APPEND_COORDINATOR).first_offset, end_offset);
            end_offset++;
            break;
        default:
            CU_ASSERT_EQUAL(log_truncate(log, end_offset - 1), 0);
            end_offset--;
        }
        CU_ASSERT_EQUAL(log_end_offset(log), end_offset);
    }
    check_reads(log, log_end_offset(log));
    end(disk, log);
}

// Segments and indexes are those of the same appends one by one.
static void gathering_changes_no_file(void)
{
    struct memory_disk *disk = begin();
    config.segment_bytes = 20000;
    config.index_interval_bytes = 1000;
    struct log *one = open_log(disk, "/data/one-0"), *many = open_log(disk, "/data/many-0");
    for (int n = 0; n < 500; n++) {
        append(one, LOG_APPEND_CLIENT);
        append(many, n % 7 == 6 ? LOG_APPEND_CLIENT : LOG_APPEND_GATHERED);
    }
    CU_ASSERT_EQUAL(log_close(one), 0);
    CU_ASSERT_EQUAL(log_close(many), 0);
    int files = 0;
    for (int64_t base = 0; base < 500; base++) {
        static const char *const suffixes[] = { ".log", ".index", ".timeindex" };
        for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
            char path[100];
            size_t size[2];
            snprintf(path, sizeof path, "/data/one-0/%020" PRId64 "%s", base, suffixes[i]);
            const uint8_t *first = memory_disk_content(disk, path, &size[0]);
            snprintf(path, sizeof path, "/data/many-0/%020" PRId64 "%s", base, suffixes[i]);
            const uint8_t *second = memory_disk_content(disk, path, &size[1]);
            CU_ASSERT_EQUAL_FATAL(first == NULL, second == NULL);
            if (first == NULL)
                continue;
            files++;
            CU_ASSERT_EQUAL_FATAL(size[0], size[1]);
            CU_ASSERT_EQUAL(memcmp(first, second, size[0]), 0);
        }
    }
    CU_ASSERT_TRUE(files > 20);
    one = open_log(disk, "/data/many-0");
    check_reads(one, 500);
    end(disk, one);
}

// More than one write can take; and so many that the limit of what waits is reached.
static void what_waits_has_a_limit(void)
{
    struct memory_disk *disk = begin();
    struct log *log = open_log(disk, "/data/t-0");
    int written = 0;
    for (int n = 0; n < 1000; n++)
        written += !append(log, LOG_APPEND_GATHERED).is_gathered;
    CU_ASSERT_TRUE(written >= 1000 / 64 && written < 30);
    log_write_gathered(log);
    check_reads(log, 1000);
    end(disk, log);
}

static void a_failed_write_fails_all(void)
{
    struct memory_disk *disk = begin();
    struct log *log = open_log(disk, "/data/t-0");
    append(log, LOG_APPEND_CLIENT);
    append(log, LOG_APPEND_GATHERED);
    append(log, LOG_APPEND_GATHERED);
    disk->fail_at = disk->calls + 1;
    disk->fail_with = -ENOSPC;
    log_write_gathered(log);
    CU_ASSERT_TRUE(log_has_failed(log));
    CU_ASSERT_EQUAL(log_end_offset(log), 1);
    append_of(log, LOG_APPEND_GATHERED, &(struct batch_options){ BATCH_OPTIONS_DEFAULT },
              KERR_KAFKA_STORAGE_ERROR);
    log_abandon(log);
    memory_disk_restart(disk);
    log = open_log(disk, "/data/t-0");
    check_reads(log, 1);
    end(disk, log);
}

// An idempotent producer's sequence goes on among what waits. The answer to a batch sent again says that the first is
// there.
static void a_duplicate_of_what_waits(void)
{
    struct memory_disk *disk = begin();
    struct log *log = open_log(disk, "/data/t-0");
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.producer_id = 5;
    options.producer_epoch = 0;
    for (options.base_sequence = 0; options.base_sequence < 3; options.base_sequence++)
        append_of(log, LOG_APPEND_GATHERED, &options, KERR_NONE);
    CU_ASSERT_EQUAL(log_end_offset(log), 1);
    options.base_sequence = 7;
    append_of(log, LOG_APPEND_GATHERED, &options, KERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(log_end_offset(log), 1);
    options.base_sequence = 2;
    struct log_append_result result = append_of(log, LOG_APPEND_GATHERED, &options, KERR_NONE);
    CU_ASSERT_TRUE(result.is_duplicate);
    CU_ASSERT_FALSE(result.is_gathered);
    CU_ASSERT_EQUAL(result.last_offset, 2);
    CU_ASSERT_EQUAL(log_end_offset(log), 3);
    end(disk, log);
}

TEST_MAIN("log_gather", TEST(several_appends_are_one_write), TEST(who_needs_the_log_writes),
          TEST(gathering_changes_no_file), TEST(what_waits_has_a_limit),
          TEST(a_failed_write_fails_all), TEST(a_duplicate_of_what_waits))
