// SPDX-License-Identifier: Apache-2.0
// flush.messages: nothing is acknowledged before it is synced, one sync serves many, and nobody who appends syncs.
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "log/disk_testing.h"
#include "log/log.h"
#include "log/log_flusher.h"
#include "log/partition_dir.h"
#include "record/batch_builder.h"

enum { BATCHES = 40, SEEDS = 4 };

static struct trace trace;
static struct log_config config;
static struct log_flusher *flusher;

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return 1700000000000;
}

static _Atomic int64_t now_us, step_us; // what the clock says next, and how long everything takes

static int64_t test_monotonic_us(struct clock *clock)
{
    (void)clock;
    return atomic_fetch_add(&now_us, step_us) + step_us;
}

static struct clock test_clock = { test_wall_ms, test_monotonic_us };

static struct log *open_log(struct disk *disk, const char *dir)
{
    struct log *log = NULL;
    CU_ASSERT_EQUAL_FATAL(
        log_open(&(struct log_options){ .disk = disk,
                                        .clock = &test_clock,
                                        .trace = &trace,
                                        .dir = dir,
                                        .config = &config,
                                        .topic_id = { { 9, 9, 9, 9, 9, 9, 0x49, 9, 0x89, 9 } },
                                        .flusher = flusher },
                 &log),
        0);
    return log;
}

static size_t value_size;

static enum kafka_error append(struct log *log, int32_t leader_epoch, bool *is_flush_due)
{
    static const uint8_t value[100000];
    struct arena arena;
    struct batch_builder builder;
    struct log_append_result result;
    arena_init(&arena);
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    batch_builder_add(&builder, 1700000000000, BYTES_NULL, (struct bytes){ value, value_size });
    enum kafka_error error = log_append_leader(log, batch_builder_finish(&builder), leader_epoch,
                                               LOG_APPEND_CLIENT, &arena, &result);
    *is_flush_due = result.is_flush_due;
    batch_builder_fini(&builder);
    arena_fini(&arena);
    return error;
}

static bool append_due(struct log *log)
{
    bool is_flush_due;
    CU_ASSERT_EQUAL(append(log, 0, &is_flush_due), KERR_NONE);
    return is_flush_due;
}

static struct memory_disk *begin(int64_t flush_messages)
{
    trace_init(&trace, &test_clock, TRACE_DEBUG, -1);
    config = log_config_default;
    config.flush_messages = flush_messages;
    value_size = 300;
    step_us = 0;
    flusher = log_flusher_new(0);
    struct memory_disk *disk = memory_disk_new(7);
    disk->disk.ops->mkdir(&disk->disk, "/data");
    disk->disk.ops->sync_dir(&disk->disk, "");
    return disk;
}

static void end(struct memory_disk *disk)
{
    log_flusher_free(flusher);
    if (disk != NULL)
        memory_disk_free(disk);
    trace_fini(&trace);
}

struct wait {
    struct log_flush_wait wait;
    int called;
};

static void on_flushed(struct log_flush_wait *wait)
{
    container_of(wait, struct wait, wait)->called++;
}

static void an_append_is_limited_until_it_is_synced(void)
{
    struct memory_disk *disk = begin(1);
    struct log *log = open_log(&disk->disk, "/data/t-0");
    struct wait wait = { { .on_flushed = on_flushed }, 0 };
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_FALSE(log_await_flush(log, &wait.wait));
    for (int64_t i = 0; i < 3; i++) {
        uint64_t syncs = disk->syncs;
        CU_ASSERT_TRUE(append_due(log));
        CU_ASSERT_EQUAL(disk->syncs, syncs); // not by who appends
        CU_ASSERT_EQUAL(log_flush_limit(log), i);
        CU_ASSERT_EQUAL(log_end_offset(log), i + 1);
        CU_ASSERT_EQUAL(log_recovery_point(log), i);
        CU_ASSERT_TRUE(log_await_flush(log, &wait.wait));
        CU_ASSERT_EQUAL(wait.called, i);
        log_flusher_run(flusher);
        CU_ASSERT_EQUAL(wait.called, i + 1);
        CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
        CU_ASSERT_EQUAL(log_recovery_point(log), i + 1);
    }
    CU_ASSERT_EQUAL(log_close(log), 0);
    end(disk);
}

static void one_sync_serves_many(void)
{
    struct memory_disk *disk = begin(1);
    struct log *log = open_log(&disk->disk, "/data/t-0");
    append_due(log);
    log_flusher_run(flusher);
    uint64_t syncs = disk->syncs;
    for (int i = 0; i < 50; i++)
        CU_ASSERT_TRUE(append_due(log));
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(disk->syncs, syncs + 1);
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_EQUAL(log_recovery_point(log), 51);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end(disk);
}

static void append_meanwhile(void *arg)
{
    struct log **log = arg;
    if (*log != NULL)
        append_due(*log);
}

// What comes while a sync runs waits for the next one, and that one serves all of it.
static void a_sync_takes_what_was_there_when_it_began(void)
{
    struct memory_disk *disk = begin(1);
    struct log *log = open_log(&disk->disk, "/data/t-0"), *busy = log;
    append_due(log);
    log_flusher_run(flusher);
    CU_ASSERT_TRUE(append_due(log));
    disk->on_sync = append_meanwhile;
    disk->sync_arg = &busy;
    CU_ASSERT_EQUAL(log_flush(log, INT64_MAX), 0);
    busy = NULL;
    CU_ASSERT_EQUAL(log_end_offset(log), 3);
    CU_ASSERT_EQUAL(log_recovery_point(log), 2);
    CU_ASSERT_EQUAL(log_flush_limit(log), 2);
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_recovery_point(log), 3);
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end(disk);
}

// Kafka counts what is not flushed; what comes while a flush is under way waits for it, as it would for its lock.
static void only_every_third_message_is_due(void)
{
    struct memory_disk *disk = begin(3);
    struct log *log = open_log(&disk->disk, "/data/t-0");
    append_due(log); // the small files
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_recovery_point(log), 0); // not the data
    CU_ASSERT_FALSE(append_due(log));
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_TRUE(append_due(log));
    CU_ASSERT_EQUAL(log_flush_limit(log), 2);
    CU_ASSERT_TRUE(append_due(log));
    CU_ASSERT_EQUAL(log_flush_limit(log), 2);
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_EQUAL(log_recovery_point(log), 4);
    CU_ASSERT_FALSE(append_due(log));
    CU_ASSERT_FALSE(append_due(log));
    CU_ASSERT_TRUE(append_due(log));
    CU_ASSERT_EQUAL(log_close(log), 0);
    end(disk);
}

static int count_due(struct log *log, int appends)
{
    int due = 0;
    while (appends-- > 0)
        due += append_due(log);
    return due;
}

// Else the kernel would let the reactors wait that write to it.
static void a_large_log_owes_a_sync_while_the_disk_is_behind(void)
{
    struct memory_disk *disk = begin(INT64_MAX);
    struct log *log = open_log(&disk->disk, "/data/t-0");
    CU_ASSERT_TRUE(append_due(log)); // its small files
    log_flusher_run(flusher);
    value_size = 100000;
    CU_ASSERT_EQUAL(count_due(log, 100), 0);
    step_us = 20000;
    append_due(log); // takes long, but not because of the disk
    disk->is_behind = true;
    CU_ASSERT_EQUAL(count_due(log, 1), 0); // this is the one that waits
    step_us = 0;
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_EQUAL(count_due(log, 66), 0); // it is synced, and nobody waits for that:
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_recovery_point(log), 169);
    CU_ASSERT_EQUAL(count_due(log, 160), 0); // of 16 MB,
    CU_ASSERT_EQUAL(count_due(log, 20), 12); // but of more
    CU_ASSERT_EQUAL(log_flush_limit(log), 337);
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_EQUAL(log_recovery_point(log), 349);
    now_us += 10000000; // no write has had to wait since
    CU_ASSERT_EQUAL(count_due(log, 180), 0);
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_recovery_point(log), 349);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end(disk);
}

static bool file_says(struct memory_disk *disk, const char *path, const char *text)
{
    struct strbuf content = STRBUF_EMPTY;
    int error = disk_read_whole(&disk->disk, path, &content);
    bool same = error == 0 && str_eqz(strbuf_str(&content), text);
    strbuf_fini(&content);
    return same;
}

// The ordinary log: its small files wait for nobody but the first of an epoch, and its data is never synced.
static void small_files_come_with_the_first_batch(void)
{
    struct memory_disk *disk = begin(INT64_MAX);
    struct log *log = open_log(&disk->disk, "/data/t-0");
    bool is_flush_due;
    log_assign_epoch_start(log, 4, 0);
    CU_ASSERT_FALSE(disk_exists(&disk->disk, "/data/t-0/partition.metadata"));
    CU_ASSERT_EQUAL(append(log, 4, &is_flush_due), KERR_NONE);
    CU_ASSERT_TRUE(is_flush_due);
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_EQUAL(log_recovery_point(log), 0);
    CU_ASSERT_TRUE(file_says(disk, "/data/t-0/leader-epoch-checkpoint", "0\n1\n4 0\n"));
    CU_ASSERT_TRUE(file_says(disk, "/data/t-0/partition.metadata",
                             "version: 0\ntopic_id: CQkJCQkJSQmJCQAAAAAAAA"));
    uint64_t calls = disk->calls;
    CU_ASSERT_EQUAL(append(log, 4, &is_flush_due), KERR_NONE);
    CU_ASSERT_FALSE(is_flush_due);
    CU_ASSERT_EQUAL(disk->calls, calls + 1); // one write
    log_assign_epoch_start(log, 6, 2);
    CU_ASSERT_EQUAL(append(log, 6, &is_flush_due), KERR_NONE);
    CU_ASSERT_TRUE(is_flush_due);
    log_flusher_run(flusher);
    CU_ASSERT_TRUE(file_says(disk, "/data/t-0/leader-epoch-checkpoint", "0\n2\n4 0\n6 2\n"));
    CU_ASSERT_EQUAL(log_close(log), 0);
    end(disk);
}

static void a_failed_sync_acknowledges_nothing(void)
{
    struct memory_disk *disk = begin(1);
    struct log *log = open_log(&disk->disk, "/data/t-0");
    struct wait wait = { { .on_flushed = on_flushed }, 0 };
    bool is_flush_due;
    append_due(log);
    log_flusher_run(flusher);
    append_due(log);
    CU_ASSERT_TRUE(log_await_flush(log, &wait.wait));
    disk->fail_at = disk->calls + 1;
    disk->fail_with = -EIO;
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(wait.called, 1);
    CU_ASSERT_TRUE(log_has_failed(log));
    CU_ASSERT_EQUAL(log_flush_limit(log), 1);
    CU_ASSERT_FALSE(log_await_flush(log, &wait.wait));
    CU_ASSERT_EQUAL(append(log, 0, &is_flush_due), KERR_KAFKA_STORAGE_ERROR);
    log_abandon(log);
    end(disk);
}

static void truncation_takes_the_demand_along(void)
{
    struct memory_disk *disk = begin(2);
    struct log *log = open_log(&disk->disk, "/data/t-0");
    append_due(log);
    log_flusher_run(flusher);
    CU_ASSERT_TRUE(append_due(log));
    CU_ASSERT_EQUAL(log_truncate(log, 0), 0);
    CU_ASSERT_EQUAL(log_flush_limit(log), 0);
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_flush_limit(log), INT64_MAX);
    CU_ASSERT_EQUAL(log_recovery_point(log), 0);
    CU_ASSERT_TRUE(append_due(log)); // the leader epochs have changed
    log_flusher_run(flusher);
    CU_ASSERT_TRUE(append_due(log)); // the second message again
    log_flusher_run(flusher);
    CU_ASSERT_EQUAL(log_recovery_point(log), 2);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end(disk);
}

// Who waits is told when the log goes away instead.
static void closing_ends_the_waiting(void)
{
    struct memory_disk *disk = begin(1);
    struct log *log = open_log(&disk->disk, "/data/t-0");
    struct wait wait = { { .on_flushed = on_flushed }, 0 };
    append_due(log);
    CU_ASSERT_TRUE(log_await_flush(log, &wait.wait));
    log_abandon(log);
    CU_ASSERT_EQUAL(wait.called, 1);
    end(disk);
}

// ---- power loss ---------------------------------------------------------------------------------------

// Appends and syncs by a plan of `seed`; what may have been acknowledged: all below the limit.
static int64_t run_until_power_fails(struct memory_disk *disk, uint64_t seed)
{
    struct log *log = NULL;
    int64_t acknowledged = 0;
    log_open(&(struct log_options){ .disk = &disk->disk,
                                    .clock = &test_clock,
                                    .trace = &trace,
                                    .dir = "/data/t-0",
                                    .config = &config,
                                    .topic_id = { { 9, 9, 9, 9, 9, 9, 0x49, 9, 0x89, 9 } },
                                    .flusher = flusher },
             &log);
    if (log == NULL)
        return 0;
    for (int32_t i = 0; i < BATCHES && !log_has_failed(log); i++) {
        bool is_flush_due;
        append(log, i / 15, &is_flush_due);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (seed >> 62 == 0)
            log_flusher_run(flusher);
        if (seed >> 58 == 7)
            log_roll(log);
        int64_t limit = log_flush_limit(log), end_offset = log_end_offset(log);
        acknowledged = limit < end_offset ? limit : end_offset;
    }
    log_abandon(log);
    log_flusher_run(flusher); // lets go of it
    return acknowledged;
}

static void power_loss_takes_nothing_acknowledged(void)
{
    struct memory_disk *disk = begin(1);
    config.segment_bytes = 5000;
    memory_disk_free(disk);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (uint64_t n = 1; n < 400; n++) {
            disk = memory_disk_new(seed * 1000 + n);
            disk->disk.ops->mkdir(&disk->disk, "/data");
            disk->disk.ops->sync_dir(&disk->disk, "");
            disk->calls = 0;
            disk->fail_at = n;
            disk->fail_with = -EIO;
            disk->stays_broken = true;
            int64_t acknowledged = run_until_power_fails(disk, seed);
            bool is_over = disk->calls < n;
            memory_disk_crash(disk);
            struct log *log = open_log(&disk->disk, "/data/t-0");
            if (log_end_offset(log) < acknowledged)
                printf("\nseed %" PRIu64 ", call %" PRIu64 ": log ends at %" PRId64 " not %" PRId64,
                       seed, n, log_end_offset(log), acknowledged);
            CU_ASSERT_TRUE(log_end_offset(log) >= acknowledged);
            log_abandon(log);
            memory_disk_free(disk);
            if (is_over)
                break;
        }
    }
    end(NULL);
}

// A log that was empty when it was closed has files that nobody synced; what then is acknowledged is kept all the same,
// and a state in which only some of it reached the disk is no damage.
static void a_log_closed_empty_is_as_safe_as_a_new_one(void)
{
    struct memory_disk *disk = begin(1);
    memory_disk_free(disk);
    for (uint64_t n = 0; n < 200; n++) {
        disk = memory_disk_new(n + 1);
        disk->disk.ops->mkdir(&disk->disk, "/data");
        disk->disk.ops->sync_dir(&disk->disk, "");
        CU_ASSERT_EQUAL(log_close(open_log(&disk->disk, "/data/t-0")), 0);
        memory_disk_restart(disk);
        struct log *log = open_log(&disk->disk, "/data/t-0");
        CU_ASSERT_FALSE(uuid_is_zero(log_topic_id(log)));
        disk->fail_at = n % 20 == 0 ? 0 : disk->calls + n % 20;
        disk->fail_with = -EIO;
        disk->stays_broken = true;
        bool is_flush_due;
        enum kafka_error error = append(log, 0, &is_flush_due);
        log_flusher_run(flusher);
        bool is_acknowledged = error == KERR_NONE && log_flush_limit(log) == INT64_MAX;
        CU_ASSERT_TRUE(is_acknowledged || disk->fail_at != 0);
        log_abandon(log);
        memory_disk_crash(disk);
        log = open_log(&disk->disk, "/data/t-0");
        CU_ASSERT_TRUE(log_end_offset(log) == 1 || !is_acknowledged);
        log_abandon(log);
        // Who was not told the topic's id knows it from the file.
        struct uuid topic_id = UUID_ZERO;
        if (is_acknowledged)
            CU_ASSERT_EQUAL(partition_metadata_read(&disk->disk, "/data/t-0", &topic_id), 0);
        memory_disk_free(disk);
    }
    end(NULL);
}

// ---- threads ------------------------------------------------------------------------------------------

enum { LOGS = 3, WRITERS = 6, APPENDS = 40 };

struct writer {
    struct log *logs[LOGS];
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct log_flush_wait wait;
    bool is_called;
    pthread_t thread;
};

static void on_writer_flushed(struct log_flush_wait *wait)
{
    struct writer *writer = container_of(wait, struct writer, wait);
    pthread_mutex_lock(&writer->lock);
    writer->is_called = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

static void *write_all(void *arg)
{
    struct writer *writer = arg;
    for (int i = 0; i < APPENDS; i++) {
        struct log *log = writer->logs[i % LOGS];
        append_due(log);
        int64_t end_offset = log_end_offset(log);
        while (log_flush_limit(log) < end_offset) {
            writer->is_called = false;
            if (!log_await_flush(log, &writer->wait))
                continue;
            pthread_mutex_lock(&writer->lock);
            while (!writer->is_called)
                pthread_cond_wait(&writer->wake, &writer->lock);
            pthread_mutex_unlock(&writer->lock);
        }
        CU_ASSERT_TRUE(log_recovery_point(log) >= end_offset);
    }
    return NULL;
}

static void many_writers_are_all_served(void)
{
    struct memory_disk *unused = begin(1);
    log_flusher_free(flusher);
    flusher = log_flusher_new(FLUSHER_THREADS_MAX);
    char folder[200], path[300];
    struct log *logs[LOGS];
    static struct writer writers[WRITERS];
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    for (int i = 0; i < LOGS; i++) {
        snprintf(path, sizeof path, "%s/t-%d", folder, i);
        logs[i] = open_log(disk_posix(), path);
    }
    for (int i = 0; i < WRITERS; i++) {
        struct writer *writer = &writers[i];
        memcpy(writer->logs, logs, sizeof logs);
        pthread_mutex_init(&writer->lock, NULL);
        pthread_cond_init(&writer->wake, NULL);
        writer->wait.on_flushed = on_writer_flushed;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&writer->thread, NULL, write_all, writer), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    int64_t total = 0;
    for (int i = 0; i < LOGS; i++) {
        total += log_recovery_point(logs[i]);
        CU_ASSERT_EQUAL(log_close(logs[i]), 0);
    }
    CU_ASSERT_EQUAL(total, WRITERS * APPENDS);
    disk_remove_tree(disk_posix(), folder);
    end(unused);
}

TEST_MAIN("log_flush", TEST(an_append_is_limited_until_it_is_synced), TEST(one_sync_serves_many),
          TEST(a_sync_takes_what_was_there_when_it_began), TEST(only_every_third_message_is_due),
          TEST(a_large_log_owes_a_sync_while_the_disk_is_behind),
          TEST(small_files_come_with_the_first_batch), TEST(a_failed_sync_acknowledges_nothing),
          TEST(truncation_takes_the_demand_along), TEST(closing_ends_the_waiting),
          TEST(power_loss_takes_nothing_acknowledged),
          TEST(a_log_closed_empty_is_as_safe_as_a_new_one), TEST(many_writers_are_all_served))
