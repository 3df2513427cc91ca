// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "log/disk_testing.h"
#include "record/batch_builder.h"

enum { LOGS = 3 };

static const int64_t BEGAN_MS = 1700000000000;
static const char *const memory_dirs[] = { "/data" };
static char folder[256];
static const char *real_dirs[1];
static const char *const *the_dirs;
static struct disk *the_disk;

static struct memory_disk *disk;
static struct trace trace;
static struct arena arena;
static struct log_config config;
static struct log *logs[LOGS]; // "a-0", "b-0", "c-0"; NULL: not there
static struct cleaner_manager *manager;
static struct clock *the_clock;
static int64_t now_ms;
static int failed_dirs;
static atomic_int looks; // at all logs

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

static void on_event(void *arg, struct log *log, enum log_event event)
{
    (void)arg;
    if (event == LOG_EVENT_TRUNCATED && manager != NULL)
        cleaner_manager_truncated(manager, log);
    if (event == LOG_EVENT_ROLLED || event == LOG_EVENT_START)
        cleaner_manager_notice(manager);
}

static void open_log(int i)
{
    char dir[300];
    snprintf(dir, sizeof dir, "%s/%c-0", the_dirs[0], 'a' + i);
    struct log_options options = { .disk = the_disk,
                                   .clock = the_clock,
                                   .trace = &trace,
                                   .dir = dir,
                                   .config = &config,
                                   .on_event = on_event };
    CU_ASSERT_EQUAL_FATAL(log_open(&options, &logs[i]), 0);
}

static struct log *next_log(void *arg, size_t *position)
{
    (void)arg;
    if (*position == 0)
        looks++;
    while (*position < LOGS) {
        struct log *log = logs[(*position)++];
        if (log != NULL)
            return log_ref(log);
    }
    return NULL;
}

static bool log_exists(void *arg, struct str topic, int32_t partition)
{
    (void)arg;
    return partition == 0 && topic.size == 1 && topic.data[0] - 'a' < LOGS &&
           logs[topic.data[0] - 'a'] != NULL;
}

static void on_dir_failed(void *arg, size_t dir, int error)
{
    (void)arg;
    CU_ASSERT_TRUE(dir == 0 && error < 0);
    failed_dirs++;
}

static void open_manager(struct cleaner_settings settings, bool has_threads)
{
    manager =
        cleaner_manager_new(&(struct cleaner_manager_options){ .disk = the_disk,
                                                               .clock = the_clock,
                                                               .trace = &trace,
                                                               .dirs = the_dirs,
                                                               .dir_count = 1,
                                                               .settings = settings,
                                                               .has_threads = has_threads,
                                                               .next_log = next_log,
                                                               .log_exists = log_exists,
                                                               .on_dir_failed = on_dir_failed });
    cleaner_manager_start(manager);
}

static void close_manager(void)
{
    cleaner_manager_stop(manager);
    cleaner_manager_free(manager);
    manager = NULL;
}

static void begin_logs(void)
{
    failed_dirs = 0;
    trace_init(&trace, the_clock, TRACE_DEBUG, -1);
    arena_init(&arena);
    config = log_config_default;
    config.cleanup_compact = true;
    config.cleanup_delete = false;
    for (int i = 0; i < LOGS; i++)
        logs[i] = NULL;
    open_log(0);
    open_log(1);
}

static void begin(void)
{
    the_clock = &test_clock;
    now_ms = BEGAN_MS;
    disk = memory_disk_new(1);
    disk->disk.ops->mkdir(&disk->disk, "/data");
    the_disk = &disk->disk;
    the_dirs = memory_dirs;
    begin_logs();
    open_manager((struct cleaner_settings)CLEANER_SETTINGS_DEFAULT, false);
}

static void end_logs(void)
{
    close_manager();
    for (int i = 0; i < LOGS; i++)
        if (logs[i] != NULL)
            log_abandon(logs[i]);
    arena_fini(&arena);
    trace_fini(&trace);
}

static void end(void)
{
    end_logs();
    memory_disk_free(disk);
}

// `count` batches of one record each, all of one key, in a segment of their own.
static void fill(struct log *log, int count)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    for (int i = 0; i < count; i++) {
        struct batch_builder builder;
        struct log_append_result result;
        batch_builder_init(&builder, &options);
        batch_builder_add(&builder, now_ms, (struct bytes){ (const uint8_t *)"key", 3 },
                          (struct bytes){ (const uint8_t *)"value", 5 });
        CU_ASSERT_EQUAL(log_append_leader(log, batch_builder_finish(&builder), 0, LOG_APPEND_CLIENT,
                                          &arena, &result),
                        KERR_NONE);
        batch_builder_fini(&builder);
        arena_reset(&arena);
    }
    log_set_high_watermark(log, log_end_offset(log));
    CU_ASSERT_EQUAL(log_roll(log), 0);
}

// The lines of the checkpoint file behind its two head lines, blanks for line ends.
static const char *checkpoint(void)
{
    static char text[256];
    size_t size;
    const uint8_t *content = memory_disk_content(disk, "/data/cleaner-offset-checkpoint", &size);
    if (content == NULL)
        return "none";
    snprintf(text, sizeof text, "%.*s", (int)size, (const char *)content);
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '\n' ? ' ' : *c;
    return text;
}

static void the_dirtiest_comes_first(void)
{
    begin();
    fill(logs[0], 10);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 a 0 10 ");
    int64_t clean = log_size_bytes(logs[0]);
    CU_ASSERT_TRUE(clean > 0 && clean < 100);
    fill(logs[0], 3);
    fill(logs[1], 1);
    // b is dirty through and through, a has a clean part.
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_TRUE(strstr(checkpoint(), "b 0 1 ") != NULL &&
                   strstr(checkpoint(), "a 0 10 ") != NULL);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_TRUE(strstr(checkpoint(), "a 0 13 ") != NULL);
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    // Not more than half dirty: it waits.
    fill(logs[1], 1);
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    end();
}

// KIP-58 and KIP-354.
static void lags_hold_back_and_hurry(void)
{
    begin();
    config.min_compaction_lag_ms = 1000;
    config.min_cleanable_dirty_ratio = 0.9;
    config.max_compaction_lag_ms = 5000;
    log_set_config(logs[0], &config);
    fill(logs[0], 10);
    now_ms += 999;
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    now_ms += 1;
    fill(logs[0], 10);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 a 0 10 ");
    fill(logs[0], 1);
    now_ms += 4999;
    CU_ASSERT_TRUE(cleaner_manager_run(manager)); // 11 of 12 are dirty
    fill(logs[0], 1);
    now_ms += 5000;
    CU_ASSERT_FALSE(cleaner_manager_run(manager)); // half
    now_ms += 1;
    CU_ASSERT_TRUE(cleaner_manager_run(manager)); // but overdue
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 a 0 22 ");
    end();
}

// What another start finds: the offsets of logs that are there.
static void checkpoints_outlive_the_process(void)
{
    begin();
    open_log(2);
    for (int i = 0; i < LOGS; i++)
        fill(logs[i], 10);
    while (cleaner_manager_run(manager)) {
    }
    close_manager();
    log_abandon(logs[2]);
    logs[2] = NULL;
    open_manager((struct cleaner_settings)CLEANER_SETTINGS_DEFAULT, false);
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    fill(logs[0], 20);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_TRUE(strstr(checkpoint(), "a 0 30 ") != NULL &&
                   strstr(checkpoint(), "b 0 10 ") != NULL);
    CU_ASSERT_PTR_NULL(strstr(checkpoint(), "c 0"));
    end();
}

// A truncation takes the claim back at once; one that nobody saw is noticed by its offset.
static void a_truncated_log_is_dirty_again(void)
{
    begin();
    fill(logs[0], 10);
    fill(logs[0], 10);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 a 0 20 ");
    CU_ASSERT_EQUAL(log_truncate(logs[0], 5), 0);
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 a 0 0 ");
    fill(logs[0], 15);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 a 0 20 ");
    struct cleaner_manager *held = manager;
    manager = NULL;
    CU_ASSERT_EQUAL(log_truncate_fully(logs[0], 3), 0);
    manager = held;
    fill(logs[0], 4);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 a 0 7 ");
    end();
}

static void a_deleted_log_is_forgotten(void)
{
    begin();
    fill(logs[0], 10);
    fill(logs[1], 10);
    while (cleaner_manager_run(manager)) {
    }
    cleaner_manager_deleted(manager, logs[0]);
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 b 0 10 ");
    end();
}

// One log's damage is its own: it is set aside and served, the others are cleaned, no directory fails.
static void a_damaged_log_is_set_aside(void)
{
    begin();
    fill(logs[0], 10);
    size_t size;
    uint8_t *bytes = memory_disk_content(disk, "/data/a-0/00000000000000000000.log", &size);
    bytes[BATCH_HEADER_SIZE + 2] ^= 1;
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    fill(logs[1], 5);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 b 0 5 ");
    fill(logs[0], 10);
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    CU_ASSERT_EQUAL(failed_dirs, 0);
    end();
}

// A disk without room costs the attempt, not the log.
static void a_full_disk_is_waited_out(void)
{
    begin();
    fill(logs[0], 10);
    for (uint64_t n = 1; n < 5; n++) {
        disk->fail_at = disk->calls + n;
        disk->fail_with = -ENOSPC;
        CU_ASSERT_FALSE(cleaner_manager_run(manager));
    }
    disk->fail_at = 0;
    fill(logs[0], 1);
    CU_ASSERT_TRUE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "0 1 a 0 11 ");
    CU_ASSERT_EQUAL(failed_dirs, 0);
    end();
}

static void a_disk_that_fails_takes_its_directory(void)
{
    begin();
    fill(logs[0], 10);
    disk->fail_at = disk->calls + 1;
    disk->fail_with = -EIO;
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    CU_ASSERT_EQUAL(log_roll(logs[0]), -EIO);
    cleaner_manager_fail_dir(manager, "/data");
    fill(logs[1], 10);
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "none");
    end();
}

// cleanup.policy=compact,delete; and with compact alone, what lies before the log start.
static void compacted_logs_are_retained_by_the_cleaner(void)
{
    begin();
    config.cleanup_delete = true;
    config.retention_ms = 1000;
    log_set_config(logs[0], &config);
    fill(logs[0], 10);
    fill(logs[1], 10);
    CU_ASSERT_EQUAL(log_set_start_offset(logs[1], 10), KERR_NONE);
    now_ms += 2000;
    while (cleaner_manager_run(manager)) {
    }
    CU_ASSERT_EQUAL(log_start_offset(logs[0]), 10);
    CU_ASSERT_EQUAL(log_size_bytes(logs[0]), 0);
    CU_ASSERT_EQUAL(log_first_segment_offset(logs[1]), 10);
    end();
}

static void what_is_not_compacted_is_left_alone(void)
{
    begin();
    config.cleanup_compact = false;
    log_set_config(logs[0], &config);
    fill(logs[0], 10);
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    struct cleaner_settings settings = CLEANER_SETTINGS_DEFAULT;
    settings.is_enabled = false;
    fill(logs[1], 10);
    cleaner_manager_reconfigure(manager, &settings);
    CU_ASSERT_FALSE(cleaner_manager_run(manager));
    CU_ASSERT_STRING_EQUAL(checkpoint(), "none");
    end();
}

static void begin_real(void)
{
    real_dirs[0] = test_folder(folder, sizeof folder);
    the_clock = clock_posix();
    the_disk = disk_posix();
    the_dirs = real_dirs;
    begin_logs();
}

static void end_real(void)
{
    CU_ASSERT_EQUAL(failed_dirs, 0);
    end_logs();
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), folder), 0);
}

static void await_looks(int count)
{
    while (looks < count)
        poll(NULL, 0, 1);
}

// With nothing that time could make due a thread sleeps until a segment is rolled or a log start moves.
static void a_thread_with_nothing_to_come_sleeps(void)
{
    enum { ROUND = 2, ENOUGH_MS = 50 }; // a round looks at the logs twice
    struct cleaner_settings settings = CLEANER_SETTINGS_DEFAULT;
    settings.backoff_ms = 1;
    begin_real();
    looks = 0;
    open_manager(settings, true);
    await_looks(ROUND);
    poll(NULL, 0, ENOUGH_MS);
    CU_ASSERT_EQUAL(looks, ROUND);
    fill(logs[0], 500); // and rolled
    while (log_size_bytes(logs[0]) > 200)
        poll(NULL, 0, 1);
    fill(logs[1], 1);
    while (log_size_bytes(logs[1]) == 0)
        poll(NULL, 0, 1);
    CU_ASSERT_EQUAL(log_set_start_offset(logs[1], 1), KERR_NONE);
    while (log_size_bytes(logs[1]) > 0)
        poll(NULL, 0, 1);
    end_real();
}

// A log that is deleted from, too, is looked at again and again: its records grow old.
static void a_thread_with_something_to_come_looks_again(void)
{
    struct cleaner_settings settings = CLEANER_SETTINGS_DEFAULT;
    settings.backoff_ms = 1;
    begin_real();
    config.cleanup_delete = true;
    config.retention_ms = INT64_C(1) << 50;
    log_set_config(logs[0], &config);
    fill(logs[0], 1);
    looks = 0;
    open_manager(settings, true);
    await_looks(10);
    end_real();
}

// Threads come and go with the settings, in the middle of rounds; in the end every log is clean.
static void threads_follow_the_settings(void)
{
    begin_real();
    struct cleaner_settings settings = CLEANER_SETTINGS_DEFAULT;
    settings.backoff_ms = 1;
    settings.threads = 2;
    settings.io_max_bytes_per_second = 1e6;
    open_log(2);
    for (int i = 0; i < LOGS; i++)
        for (int n = 0; n < 4; n++)
            fill(logs[i], 500);
    open_manager(settings, true);
    for (int n = 0; n < 20; n++) {
        settings.threads = 1 + n % 4;
        settings.io_max_bytes_per_second = 1e6 * (1 + n);
        cleaner_manager_reconfigure(manager, &settings);
    }
    settings.io_max_bytes_per_second = 1e300;
    cleaner_manager_reconfigure(manager, &settings);
    for (int i = 0; i < LOGS; i++)
        while (log_size_bytes(logs[i]) > 200)
            poll(NULL, 0, 1);
    cleaner_manager_stop(manager);
    for (int i = 0; i < LOGS; i++)
        CU_ASSERT_FALSE(cleaner_manager_run(manager));
    end_real();
}

TEST_MAIN("cleaner_manager", TEST(the_dirtiest_comes_first), TEST(lags_hold_back_and_hurry),
          TEST(checkpoints_outlive_the_process), TEST(a_truncated_log_is_dirty_again),
          TEST(a_deleted_log_is_forgotten), TEST(a_damaged_log_is_set_aside),
          TEST(a_full_disk_is_waited_out), TEST(a_disk_that_fails_takes_its_directory),
          TEST(compacted_logs_are_retained_by_the_cleaner),
          TEST(what_is_not_compacted_is_left_alone), TEST(a_thread_with_nothing_to_come_sleeps),
          TEST(a_thread_with_something_to_come_looks_again), TEST(threads_follow_the_settings))
