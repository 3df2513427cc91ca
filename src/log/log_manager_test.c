// SPDX-License-Identifier: Apache-2.0
#include "log/log_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/wait.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "log/disk_testing.h"
#include "record/batch_builder.h"

#define B(z) ((struct bytes){ (const uint8_t *)(z), sizeof(z) - 1 })

static char folder[256], dir_a[300], dir_b[300];
static const char *dirs[2] = { dir_a, dir_b };
static struct trace trace;
static struct arena arena;
static int64_t now_ms;
static struct log_config config;
static int failed_dirs;

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

static void config_of(void *arg, struct str topic, struct log_config *out)
{
    (void)arg;
    (void)topic;
    *out = config;
}

static void on_dir_failed(void *arg, size_t dir, int error)
{
    (void)arg;
    (void)dir;
    (void)error;
    failed_dirs++;
}

static void begin(void)
{
    now_ms = 1700000000000;
    config = log_config_default;
    failed_dirs = 0;
    trace_init(&trace, &test_clock, TRACE_DEBUG, -1);
    arena_init(&arena);
    test_folder(folder, sizeof folder);
    snprintf(dir_a, sizeof dir_a, "%s/a", folder);
    snprintf(dir_b, sizeof dir_b, "%s/b/", folder);
}

static void end(void)
{
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), folder), 0);
    arena_fini(&arena);
    trace_fini(&trace);
}

static struct log_manager *open_manager(size_t dir_count, log_is_stray is_stray)
{
    struct log_manager_options options = log_manager_options_default;
    options.disk = disk_posix();
    options.clock = &test_clock;
    options.trace = &trace;
    options.dirs = dirs;
    options.dir_count = dir_count;
    options.has_thread = false;
    options.config_of = config_of;
    options.on_dir_failed = on_dir_failed;
    struct log_manager *manager = NULL;
    CU_ASSERT_EQUAL_FATAL(log_manager_open(&options, &manager), 0);
    CU_ASSERT_EQUAL_FATAL(log_manager_load(manager, is_stray, NULL), 0);
    return manager;
}

static struct uuid some_id(uint8_t n)
{
    struct uuid id = { { 1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, n } };
    return id;
}

static void append(struct log *log, int count)
{
    struct batch_builder builder;
    struct log_append_result result;
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    for (int i = 0; i < count; i++)
        batch_builder_add(&builder, now_ms, B("k"), B("v"));
    CU_ASSERT_EQUAL(log_append_leader(log, batch_builder_finish(&builder), 0, LOG_APPEND_CLIENT,
                                      &arena, &result),
                    KERR_NONE);
    batch_builder_fini(&builder);
    log_set_high_watermark(log, log_end_offset(log));
}

static struct log *create(struct log_manager *manager, const char *topic, int32_t partition,
                          uint8_t id)
{
    struct log *log = NULL;
    CU_ASSERT_EQUAL_FATAL(
        log_manager_create(manager, str_of(topic), partition, some_id(id), UUID_ZERO, &log), 0);
    return log;
}

static void check_file(const char *path, const char *expected)
{
    struct strbuf text = STRBUF_EMPTY;
    CU_ASSERT_EQUAL(disk_read_whole(disk_posix(), path, &text), 0);
    if (text.data == NULL || strcmp(text.data, expected) != 0)
        printf("\n%s: %s", path, text.data == NULL ? "empty" : text.data);
    CU_ASSERT_TRUE(text.data != NULL && strcmp(text.data, expected) == 0);
    strbuf_fini(&text);
}

// Offsets, ids and checkpoints come back after a clean stop; the marker is there only in between.
static void a_clean_stop_is_remembered(void)
{
    begin();
    struct log_manager *manager = open_manager(1, NULL);
    CU_ASSERT_EQUAL(log_manager_previous_broker_epoch(manager), -1);
    struct log *log = create(manager, "to-pic", 2, 7);
    append(log, 3);
    append(log, 4);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 3), KERR_NONE);
    log_unref(log);
    CU_ASSERT_EQUAL(log_manager_close(manager, 42), 0);

    char path[600];
    snprintf(path, sizeof path, "%s/.kafka_cleanshutdown", dir_a);
    check_file(path, "{\"version\":0,\"brokerEpoch\":42}");
    snprintf(path, sizeof path, "%s/recovery-point-offset-checkpoint", dir_a);
    check_file(path, "0\n1\nto-pic 2 7\n");
    snprintf(path, sizeof path, "%s/log-start-offset-checkpoint", dir_a);
    check_file(path, "0\n1\nto-pic 2 3\n");
    snprintf(path, sizeof path, "%s/replication-offset-checkpoint", dir_a);
    check_file(path, "0\n1\nto-pic 2 7\n");

    manager = open_manager(1, NULL);
    CU_ASSERT_EQUAL(log_manager_previous_broker_epoch(manager), 42);
    snprintf(path, sizeof path, "%s/.kafka_cleanshutdown", dir_a);
    CU_ASSERT_FALSE(disk_exists(disk_posix(), path));
    log = log_manager_find(manager, str_of("to-pic"), 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    CU_ASSERT_EQUAL(log_start_offset(log), 3);
    CU_ASSERT_EQUAL(log_end_offset(log), 7);
    CU_ASSERT_EQUAL(log_high_watermark(log), 7);
    CU_ASSERT_TRUE(uuid_eq(log_topic_id(log), some_id(7)));
    append(log, 1);
    log_unref(log);
    log_manager_abandon(manager);

    // A crash: no marker, the checkpoints are older than the log.
    manager = open_manager(1, NULL);
    CU_ASSERT_EQUAL(log_manager_previous_broker_epoch(manager), -1);
    log = log_manager_find(manager, str_of("to-pic"), 2);
    CU_ASSERT_EQUAL(log_end_offset(log), 8);
    CU_ASSERT_EQUAL(log_high_watermark(log), 7);
    CU_ASSERT_EQUAL(log_recovery_point(log), 7);
    log_unref(log);
    CU_ASSERT_EQUAL(log_manager_close(manager, 43), 0);
    end();
}

// New logs go where the fewest are; a topic that was made again is another one.
static void logs_are_spread_and_ids_are_held(void)
{
    begin();
    struct log_manager *manager = open_manager(2, NULL);
    for (int32_t i = 0; i < 6; i++)
        log_unref(create(manager, "t", i, 1));
    size_t in_a = 0;
    struct log *log;
    for (size_t i = 0; (log = log_manager_next(manager, &i)) != NULL; log_unref(log))
        in_a += strncmp(log_dir(log), dir_a, strlen(dir_a)) == 0;
    CU_ASSERT_EQUAL(in_a, 3);
    CU_ASSERT_EQUAL(log_manager_create(manager, str_of("t"), 0, some_id(2), UUID_ZERO, &log),
                    -EEXIST);
    CU_ASSERT_PTR_NULL(log);
    log = create(manager, "t", 0, 1);
    log_unref(log);
    CU_ASSERT_EQUAL(log_manager_count(manager), 6);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    manager = open_manager(2, NULL);
    CU_ASSERT_EQUAL(log_manager_count(manager), 6);
    CU_ASSERT_EQUAL(log_manager_previous_broker_epoch(manager), 1);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end();
}

static int count_name(void *arg, const char *name)
{
    int *counts = arg;
    counts[strstr(name, "-delete") != NULL ? 1 : strstr(name, "-stray") != NULL ? 2 : 0]++;
    return 0;
}

static void count_dirs(int counts[3])
{
    counts[0] = counts[1] = counts[2] = 0;
    disk_posix()->ops->list(disk_posix(), dir_a, count_name, counts);
}

// The directory goes file.delete.delay.ms after the log; who holds the log is told so by its answers.
static void deletion_is_delayed(void)
{
    begin();
    int counts[3];
    struct log_manager *manager = open_manager(1, NULL);
    struct log *log = create(manager, "t", 0, 1);
    append(log, 1);
    CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("t"), 0), 0);
    CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("t"), 0), -ENOENT);
    CU_ASSERT_PTR_NULL(log_manager_find(manager, str_of("t"), 0));
    count_dirs(counts);
    CU_ASSERT_EQUAL(counts[1], 1);
    log_unref(create(manager, "t", 0, 2)); // the name is free at once
    log_manager_run(manager);
    count_dirs(counts);
    CU_ASSERT_EQUAL(counts[1], 1);
    now_ms += config.file_delete_delay_ms;
    log_manager_run(manager);
    count_dirs(counts);
    CU_ASSERT_EQUAL(counts[1], 0);
    struct log_slice slice;
    CU_ASSERT_EQUAL(log_read(log, 0, 100, true, INT64_MAX, &slice), KERR_KAFKA_STORAGE_ERROR);
    log_unref(log);

    // A stop in between: after the next start it waits anew.
    CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("t"), 0), 0);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    count_dirs(counts);
    CU_ASSERT_EQUAL(counts[1], 1);
    manager = open_manager(1, NULL);
    CU_ASSERT_EQUAL(log_manager_count(manager), 0);
    now_ms += config.file_delete_delay_ms - 1;
    log_manager_run(manager);
    count_dirs(counts);
    CU_ASSERT_EQUAL(counts[1], 1);
    now_ms++;
    log_manager_run(manager);
    count_dirs(counts);
    CU_ASSERT_EQUAL(counts[1], 0);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end();
}

// Retention comes first after log.initial.task.delay.ms and leaves alone what is compacted.
static void retention_runs_in_the_background(void)
{
    begin();
    config.retention_ms = 1000;
    config.segment_bytes = 100;
    struct log_manager *manager = open_manager(1, NULL);
    struct log *log = create(manager, "t", 0, 1);
    append(log, 1);
    append(log, 1);
    now_ms += log_manager_options_default.initial_delay_ms - 1;
    log_manager_run(manager);
    CU_ASSERT_EQUAL(log_start_offset(log), 0);
    now_ms++;
    config.cleanup_compact = true;
    log_manager_config_changed(manager, str_of("t"));
    log_manager_run(manager);
    CU_ASSERT_EQUAL(log_start_offset(log), 0);
    config.cleanup_compact = false;
    log_manager_config_changed(manager, str_of("t"));
    now_ms += log_manager_options_default.retention_check_ms;
    log_manager_run(manager);
    CU_ASSERT_EQUAL(log_start_offset(log), 2);

    // The checkpoint of a deleted log is not taken for that of the next one of its name.
    append(log, 3);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 4), KERR_NONE);
    CU_ASSERT_EQUAL(log_manager_checkpoint(manager), 0);
    char path[600];
    snprintf(path, sizeof path, "%s/log-start-offset-checkpoint", dir_a);
    check_file(path, "0\n1\nt 0 4\n");
    log_unref(log);
    CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("t"), 0), 0);
    log_unref(create(manager, "t", 0, 2));
    log_manager_run(manager); // its files come in the background
    log_manager_abandon(manager);
    manager = open_manager(1, NULL);
    log = log_manager_find(manager, str_of("t"), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    CU_ASSERT_EQUAL(log_start_offset(log), 0);
    CU_ASSERT_EQUAL(log_end_offset(log), 0);
    log_unref(log);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end();
}

// Every call that deleting a log makes fails once: the directory fails then, or what is left goes after a restart; and
// the name is free in any case.
static void deletion_survives_a_failing_disk(void)
{
    begin();
    for (uint64_t n = 1; n < 20; n++) {
        for (int kind = 0; kind < 2; kind++) { // a crash after the failure; a clean stop
            struct memory_disk *disk = memory_disk_new(n);
            struct log_manager_options options = log_manager_options_default;
            options.disk = &disk->disk;
            options.clock = &test_clock;
            options.trace = &trace;
            options.dirs = (const char *const[]){ "/data" };
            options.dir_count = 1;
            options.recovery_threads_per_dir = 0;
            options.has_thread = false;
            options.config_of = config_of;
            options.on_dir_failed = on_dir_failed;
            struct log_manager *manager;
            CU_ASSERT_EQUAL_FATAL(log_manager_open(&options, &manager), 0);
            CU_ASSERT_EQUAL_FATAL(log_manager_load(manager, NULL, NULL), 0);
            struct log *log = create(manager, "t", 0, 1);
            append(log, 3);
            CU_ASSERT_EQUAL(log_set_start_offset(log, 2), KERR_NONE);
            log_unref(log);
            CU_ASSERT_EQUAL(log_manager_checkpoint(manager), 0);
            failed_dirs = 0;
            disk->fail_at = disk->calls + n;
            disk->fail_with = -EIO;
            int error = log_manager_delete(manager, str_of("t"), 0);
            now_ms += config.file_delete_delay_ms;
            log_manager_run(manager);
            bool has_failed = disk->calls >= disk->fail_at;
            CU_ASSERT_EQUAL(has_failed, error != 0 || failed_dirs > 0);
            if (kind == 0)
                log_manager_abandon(manager);
            else
                log_manager_close(manager, 1);
            memory_disk_restart(disk);
            CU_ASSERT_EQUAL_FATAL(log_manager_open(&options, &manager), 0);
            CU_ASSERT_EQUAL_FATAL(log_manager_load(manager, NULL, NULL), 0);
            now_ms += config.file_delete_delay_ms;
            log_manager_run(manager);
            log = log_manager_find(manager, str_of("t"), 0);
            if (log != NULL) { // the rename is what failed
                CU_ASSERT_EQUAL(log_end_offset(log), 3);
                log_unref(log);
                CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("t"), 0), 0);
            }
            log = create(manager, "t", 0, 2);
            CU_ASSERT_EQUAL(log_start_offset(log), 0);
            CU_ASSERT_EQUAL(log_end_offset(log), 0);
            append(log, 1);
            log_unref(log);
            CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
            memory_disk_free(disk);
        }
    }
    end();
}

static bool all_but_t(void *arg, struct str topic, int32_t partition, struct uuid topic_id)
{
    (void)arg;
    return !str_eqz(topic, "t") || partition != 0 || !uuid_eq(topic_id, some_id(1));
}

static void strays_are_set_aside(void)
{
    begin();
    int counts[3];
    struct log_manager *manager = open_manager(1, NULL);
    log_unref(create(manager, "t", 0, 1));
    log_unref(create(manager, "gone", 0, 2));
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    manager = open_manager(1, all_but_t);
    CU_ASSERT_EQUAL(log_manager_count(manager), 1);
    count_dirs(counts);
    CU_ASSERT_EQUAL(counts[2], 1);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    manager = open_manager(1, all_but_t);
    CU_ASSERT_EQUAL(log_manager_count(manager), 1);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end();
}

static void a_directory_serves_one_process(void)
{
    begin();
    struct log_manager *manager = open_manager(1, NULL);
    pid_t child = fork();
    if (child == 0) {
        struct log_manager_options options = log_manager_options_default;
        options.disk = disk_posix();
        options.clock = &test_clock;
        options.trace = &trace;
        options.dirs = dirs;
        options.dir_count = 1;
        options.config_of = config_of;
        struct log_manager *other;
        _exit(log_manager_open(&options, &other) == -EAGAIN ? 0 : 1);
    }
    int status = -1;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end();
}

// Folders that are not Kafka's stop the start, the metadata log and files do not.
static void foreign_names_are_judged(void)
{
    begin();
    struct log_manager *manager = open_manager(1, NULL);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    char path[600];
    snprintf(path, sizeof path, "%s/__cluster_metadata-0", dir_a);
    CU_ASSERT_EQUAL(disk_mkdirs(disk_posix(), path), 0);
    snprintf(path, sizeof path, "%s/meta.properties", dir_a);
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), path, "x", 1), 0);
    manager = open_manager(1, NULL);
    CU_ASSERT_EQUAL(log_manager_count(manager), 0);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    snprintf(path, sizeof path, "%s/whatever", dir_a);
    CU_ASSERT_EQUAL(disk_mkdirs(disk_posix(), path), 0);
    struct log_manager_options options = log_manager_options_default;
    options.disk = disk_posix();
    options.clock = &test_clock;
    options.trace = &trace;
    options.dirs = dirs;
    options.dir_count = 1;
    options.config_of = config_of;
    CU_ASSERT_EQUAL_FATAL(log_manager_open(&options, &manager), 0);
    CU_ASSERT_EQUAL(log_manager_load(manager, NULL, NULL), -EBADMSG);
    log_manager_abandon(manager);
    end();
}

static bool exists(const char *dir, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return disk_exists(disk_posix(), path);
}

// A log can be used before it has files; they come with its first batch, or in the background, or when it closes.
static void files_come_later(void)
{
    begin();
    struct log_manager *manager = open_manager(1, NULL);
    struct log *used = create(manager, "used", 0, 1), *idle = create(manager, "idle", 0, 2);
    CU_ASSERT_FALSE(exists(dir_a, "used-0"));
    CU_ASSERT_EQUAL(log_end_offset(used), 0);
    append(used, 1);
    CU_ASSERT_TRUE(exists(dir_a, "used-0/00000000000000000000.log"));
    CU_ASSERT_FALSE(exists(dir_a, "idle-0"));
    log_manager_run(manager);
    CU_ASSERT_TRUE(exists(dir_a, "idle-0/00000000000000000000.log"));
    CU_ASSERT_TRUE(exists(dir_a, "idle-0/partition.metadata"));
    // One that never got any leaves none behind.
    log_unref(create(manager, "gone", 0, 3));
    CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("gone"), 0), 0);
    log_unref(create(manager, "late", 0, 4));
    log_unref(used);
    log_unref(idle);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    CU_ASSERT_FALSE(exists(dir_a, "gone-0"));
    CU_ASSERT_TRUE(exists(dir_a, "late-0/partition.metadata"));
    manager = open_manager(1, NULL);
    CU_ASSERT_EQUAL(log_manager_count(manager), 3);
    log_manager_abandon(manager);
    end();
}

// What the checkpoint says of a deleted log says nothing of the next one of its name.
static void a_recovery_point_is_of_one_log(void)
{
    begin();
    struct log_manager *manager = open_manager(1, NULL);
    struct log *log = create(manager, "t", 0, 1);
    append(log, 10);
    CU_ASSERT_EQUAL(log_flush(log, INT64_MAX), 0);
    CU_ASSERT_EQUAL(log_manager_checkpoint(manager), 0);
    log_unref(log);
    CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("t"), 0), 0);
    log = create(manager, "t", 0, 2);
    append(log, 2);
    CU_ASSERT_EQUAL(log_roll(log), 0);
    append(log, 1);
    log_unref(log);
    log_manager_abandon(manager);
    manager = open_manager(1, NULL);
    log = log_manager_find(manager, str_of("t"), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    CU_ASSERT_EQUAL(log_end_offset(log), 3);
    CU_ASSERT_EQUAL(log_recovery_point(log), 0);
    log_unref(log);
    // The chores tell the checkpoint, too.
    CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("t"), 0), 0);
    log_manager_run(manager);
    char path[600];
    snprintf(path, sizeof path, "%s/recovery-point-offset-checkpoint", dir_a);
    check_file(path, "0\n0\n");
    log_manager_abandon(manager);
    end();
}

// The manager's own thread syncs what was rolled.
static void rolled_segments_are_flushed_in_the_background(void)
{
    begin();
    struct log_manager_options options = log_manager_options_default;
    options.disk = disk_posix();
    options.clock = clock_posix();
    options.trace = &trace;
    options.dirs = dirs;
    options.dir_count = 1;
    options.config_of = config_of;
    struct log_manager *manager;
    CU_ASSERT_EQUAL_FATAL(log_manager_open(&options, &manager), 0);
    CU_ASSERT_EQUAL_FATAL(log_manager_load(manager, NULL, NULL), 0);
    struct log *log = create(manager, "t", 0, 1);
    now_ms = clock_wall_ms(clock_posix());
    append(log, 5);
    CU_ASSERT_EQUAL(log_roll(log), 0);
    append(log, 5);
    int64_t deadline_us = clock_monotonic_us(clock_posix()) + 10000000;
    while (log_recovery_point(log) < 5 && clock_monotonic_us(clock_posix()) < deadline_us)
        sched_yield();
    CU_ASSERT_EQUAL(log_recovery_point(log), 5);
    log_unref(log);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end();
}

// While nothing changes only what is seldom due wakes anybody; what changes is in the checkpoint five seconds later.
static void an_idle_broker_sleeps(void)
{
    begin();
    struct log_manager *manager = open_manager(1, NULL);
    struct log *log = create(manager, "t", 0, 1);
    append(log, 3);
    int64_t until = now_ms + 60000, next = log_manager_run(manager);
    while (next - now_ms <= 5000 && now_ms < until) {
        now_ms = next;
        next = log_manager_run(manager);
    }
    CU_ASSERT_TRUE(now_ms < until);
    char path[600];
    snprintf(path, sizeof path, "%s/replication-offset-checkpoint", dir_a);
    check_file(path, "0\n1\nt 0 3\n");
    append(log, 2);
    CU_ASSERT_EQUAL(log_manager_run(manager), now_ms + 5000);
    now_ms += 5000;
    log_manager_run(manager);
    check_file(path, "0\n1\nt 0 5\n");
    log_unref(log);
    log_manager_abandon(manager);
    end();
}

TEST_MAIN("log_manager", TEST(a_clean_stop_is_remembered), TEST(logs_are_spread_and_ids_are_held),
          TEST(deletion_is_delayed), TEST(retention_runs_in_the_background),
          TEST(deletion_survives_a_failing_disk), TEST(strays_are_set_aside),
          TEST(a_directory_serves_one_process), TEST(foreign_names_are_judged),
          TEST(files_come_later), TEST(a_recovery_point_is_of_one_log),
          TEST(rolled_segments_are_flushed_in_the_background), TEST(an_idle_broker_sleeps))
