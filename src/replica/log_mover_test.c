// SPDX-License-Identifier: Apache-2.0
// Replicas move between three directories of a real disk while they are written, and directories fail; the controller
// is a function that writes into the image.
#include "replica/log_mover.h"

#include <pthread.h>
#include <time.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "config/config.h"
#include "log/log_dirs.h"
#include "log/log_future.h"
#include "log/log_manager.h"
#include "metadata/image.h"
#include "record/batch_builder.h"
#include "replica/log_dir_control.h"
#include "replica/move_throttle.h"

enum { ME = 1, DIRS = 3, LIMIT_S = 60 };

struct fixture {
    char folder[200];
    char *dirs[DIRS];
    struct uuid ids[DIRS];
    struct trace trace;
    struct config *config;
    struct metadata *metadata;
    struct log_manager *logs;
    struct replicas *replicas;
    struct log_mover *mover;
    struct log_dir_control *control;
    struct uuid topic_id;
    atomic_int assignments;
    atomic_int reports;
    atomic_int fatal;
    atomic_bool refuses;
};

static void config_of(void *arg, struct str topic, struct log_config *out)
{
    replicas_topic_config(((struct fixture *)arg)->replicas, topic, out);
}

static void set_directory(struct fixture *f, struct uuid directory)
{
    static int32_t epoch;
    const int32_t me = ME;
    image_lock(f->metadata);
    if (metadata_find_topic(f->metadata, str_of("t")) == NULL)
        f->topic_id = image_topic_add(f->metadata, str_of("t"), uuid_random())->id;
    image_partition_set(f->metadata, image_topic(f->metadata, f->topic_id), 0,
                        &(struct metadata_partition){ .replicas = &me,
                                                      .replicas_count = 1,
                                                      .isr = &me,
                                                      .isr_count = 1,
                                                      .directories = &directory,
                                                      .directories_count = 1,
                                                      .leader = ME,
                                                      .leader_epoch = 0,
                                                      .partition_epoch = ++epoch });
    metadata_unlock(f->metadata);
}

static struct uuid directory_of(struct fixture *f)
{
    metadata_lock_read(f->metadata);
    struct uuid id = metadata_find_topic(f->metadata, str_of("t"))->partitions[0].directories[0];
    metadata_unlock(f->metadata);
    return id;
}

static enum kafka_error assign(void *arg, const struct replica_directory *items, size_t count)
{
    struct fixture *f = arg;
    if (atomic_load(&f->refuses))
        return KERR_NOT_CONTROLLER;
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_TRUE(uuid_eq(items->topic_id, f->topic_id));
    set_directory(f, items->directory);
    int32_t index = 0;
    struct metadata_topic_change change = { .change = METADATA_CHANGED,
                                            .id = f->topic_id,
                                            .name = str_of("t"),
                                            .partitions = &index,
                                            .partitions_count = 1 };
    metadata_tell(f->metadata, &(struct metadata_delta){ .topics = &change, .topics_count = 1 });
    atomic_fetch_add(&f->assignments, 1);
    return KERR_NONE;
}

static enum kafka_error report(void *arg)
{
    struct fixture *f = arg;
    atomic_fetch_add(&f->reports, 1);
    return atomic_load(&f->refuses) ? KERR_NOT_CONTROLLER : KERR_NONE;
}

static void on_fatal(void *arg)
{
    atomic_fetch_add(&((struct fixture *)arg)->fatal, 1);
}

static void on_dir_failed(void *arg, size_t dir, int error)
{
    (void)error;
    log_dir_control_failed(((struct fixture *)arg)->control, dir);
}

static void on_misplaced(void *arg, const struct replica_directory *items, size_t count)
{
    log_dir_control_assign(((struct fixture *)arg)->control, items, count);
}

static bool is_moving_to(void *arg, struct str topic, int32_t index, struct uuid directory)
{
    return log_mover_is_moving_to(((struct fixture *)arg)->mover, topic, index, directory);
}

static void start(struct fixture *f)
{
    struct log_manager_options options = log_manager_options_default;
    options.disk = disk_posix();
    options.clock = clock_posix();
    options.trace = &f->trace;
    options.dirs = (const char *const *)f->dirs;
    options.dir_ids = f->ids;
    options.dir_count = DIRS;
    options.recovery_threads_per_dir = 0;
    options.has_thread = false;
    options.config_of = config_of;
    options.on_dir_failed = on_dir_failed;
    options.arg = f;
    CU_ASSERT_EQUAL_FATAL(log_manager_open(&options, &f->logs), 0);
    f->replicas = replicas_new(&(struct replicas_options){ .clock = clock_posix(),
                                                           .trace = &f->trace,
                                                           .config = f->config,
                                                           .metadata = f->metadata,
                                                           .logs = f->logs,
                                                           .node_id = ME,
                                                           .on_misplaced = on_misplaced,
                                                           .is_moving_to = is_moving_to,
                                                           .arg = f });
    f->mover = log_mover_new(&(struct log_mover_options){ .clock = clock_posix(),
                                                          .trace = &f->trace,
                                                          .logs = f->logs,
                                                          .replicas = f->replicas,
                                                          .metadata = f->metadata,
                                                          .node_id = ME,
                                                          .threads_max = 2,
                                                          .piece_bytes = 5000,
                                                          .backoff_ms = 5,
                                                          .window_count = 11,
                                                          .window_ms = 1000,
                                                          .assign = assign,
                                                          .arg = f });
    f->control = log_dir_control_new(&(struct log_dir_control_options){ .clock = clock_posix(),
                                                                        .trace = &f->trace,
                                                                        .logs = f->logs,
                                                                        .replicas = f->replicas,
                                                                        .mover = f->mover,
                                                                        .metadata_dir = -1,
                                                                        .failure_timeout_ms = 20,
                                                                        .retry_ms = 1,
                                                                        .assign = assign,
                                                                        .report = report,
                                                                        .on_fatal = on_fatal,
                                                                        .arg = f });
    CU_ASSERT_EQUAL_FATAL(log_manager_load(f->logs, NULL, f), 0);
    replicas_start(f->replicas);
    log_mover_start(f->mover);
    log_dir_control_start(f->control);
}

static void stop(struct fixture *f)
{
    log_dir_control_stop(f->control);
    log_mover_stop(f->mover);
    replicas_stop(f->replicas);
    log_manager_close(f->logs, 1);
    log_dir_control_free(f->control);
    log_mover_free(f->mover);
    replicas_free(f->replicas);
}

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(f->folder, sizeof f->folder));
    trace_init(&f->trace, clock_posix(), TRACE_ERROR, -1);
    f->config = config_new();
    f->metadata = metadata_new();
    image_lock(f->metadata);
    image_feature_set(f->metadata, str_of("metadata.version"), 30);
    metadata_unlock(f->metadata);
    for (int i = 0; i < DIRS; i++) {
        f->dirs[i] = mem_printf("%s/%d", f->folder, i);
        f->ids[i] = uuid_random();
    }
    set_directory(f, f->ids[0]);
    start(f);
}

static void end(struct fixture *f)
{
    stop(f);
    metadata_free(f->metadata);
    config_free(f->config);
    trace_fini(&f->trace);
    for (int i = 0; i < DIRS; i++)
        mem_free(f->dirs[i]);
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), f->folder), 0);
}

static void pause_shortly(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t deadline_us = clock_monotonic_us(clock_posix()) + LIMIT_S * INT64_C(1000000);      \
        while (!(condition) && clock_monotonic_us(clock_posix()) < deadline_us)                    \
            pause_shortly();                                                                       \
        CU_ASSERT_TRUE(condition);                                                                 \
    } while (0)

static bool is_in(struct fixture *f, ptrdiff_t dir)
{
    struct log *future = log_future_find(f->logs, str_of("t"), 0, NULL);
    log_unref(future);
    return future == NULL && log_manager_dir_of(f->logs, str_of("t"), 0) == dir;
}

static enum kafka_error move(struct fixture *f, int dir)
{
    return log_mover_move(f->mover, str_of("t"), 0, str_of(f->dirs[dir]));
}

static enum kafka_error append(struct fixture *f, uint32_t number)
{
    struct arena arena;
    arena_init(&arena);
    struct batch_builder builder;
    uint8_t value[100] = { 0 };
    put_be32(value, number);
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    batch_builder_add(&builder, clock_wall_ms(clock_posix()), BYTES_NULL,
                      (struct bytes){ value, sizeof value });
    struct log_append_result result;
    struct partition_woken woken;
    partition_woken_init(&woken);
    struct partition *partition = replicas_find(f->replicas, str_of("t"), 0);
    enum kafka_error error = partition_append(partition, batch_builder_finish(&builder), -1, -1,
                                              LOG_APPEND_CLIENT, &arena, &result, &woken);
    if (error == KERR_NONE)
        CU_ASSERT_EQUAL(result.first_offset, number);
    partition_wake(&woken);
    partition_unref(partition);
    batch_builder_fini(&builder);
    arena_fini(&arena);
    return error;
}

// Every record from 0 to `count` is its own number.
static void check_records(struct fixture *f, uint32_t count)
{
    struct partition *partition = replicas_find(f->replicas, str_of("t"), 0);
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    uint32_t next = 0;
    int64_t got;
    while ((got = partition_read_batches(partition, next, 1, &buffer, &capacity)) > 0) {
        struct record_iter it;
        struct record record;
        record_iter_init(&it, (struct bytes){ buffer, (size_t)got }, RECORDS_WHOLE);
        while (record_iter_next(&it, &record)) {
            CU_ASSERT_EQUAL(get_be32(record.value.data), next);
            next++;
        }
        record_iter_fini(&it);
    }
    CU_ASSERT_EQUAL(next, count);
    CU_ASSERT_EQUAL(partition_high_watermark(partition), count);
    mem_free(buffer);
    partition_unref(partition);
}

struct writer {
    struct fixture *f;
    atomic_bool is_done;
    uint32_t count;
};

static void *write_on(void *arg)
{
    struct writer *writer = arg;
    while (!atomic_load(&writer->is_done))
        CU_ASSERT_EQUAL(append(writer->f, writer->count++), KERR_NONE);
    return NULL;
}

// ---- moves ----------------------------------------------------------------------------------------------------

static void a_replica_moves_while_it_is_written(void)
{
    struct fixture f;
    begin(&f);
    CU_ASSERT_TRUE(is_in(&f, 0));
    struct writer writer = { .f = &f };
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, write_on, &writer), 0);
    for (int round = 1; round <= 6; round++) {
        int target = round % DIRS;
        CU_ASSERT_EQUAL(move(&f, target), KERR_NONE);
        WAIT_UNTIL(is_in(&f, target));
        CU_ASSERT_TRUE(uuid_eq(directory_of(&f), f.ids[target]));
    }
    atomic_store(&writer.is_done, true);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(atomic_load(&f.assignments), 6);
    check_records(&f, writer.count);
    stop(&f);
    start(&f);
    check_records(&f, writer.count);
    end(&f);
}

static void a_move_is_sent_elsewhere_and_cancelled(void)
{
    struct fixture f;
    begin(&f);
    for (uint32_t i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(append(&f, i), KERR_NONE);
    log_mover_limit(f.mover, 1);
    CU_ASSERT_EQUAL(move(&f, 0), KERR_NONE); // where it is
    CU_ASSERT_TRUE(is_in(&f, 0));
    CU_ASSERT_EQUAL(move(&f, 1), KERR_NONE);
    size_t dir = 99;
    struct log *future = log_future_find(f.logs, str_of("t"), 0, &dir);
    CU_ASSERT_EQUAL(dir, 1);
    CU_ASSERT_TRUE(log_mover_is_moving_to(f.mover, str_of("t"), 0, f.ids[1]));
    WAIT_UNTIL(log_end_offset(future) > 0); // the first piece always goes
    CU_ASSERT_TRUE(log_end_offset(future) < 200);
    CU_ASSERT_EQUAL(move(&f, 1), KERR_NONE); // still the same
    struct log *same = log_future_find(f.logs, str_of("t"), 0, &dir);
    CU_ASSERT_PTR_EQUAL(same, future);
    CU_ASSERT_EQUAL(move(&f, 2), KERR_NONE);
    log_unref(same);
    same = log_future_find(f.logs, str_of("t"), 0, &dir);
    CU_ASSERT_EQUAL(dir, 2);
    CU_ASSERT_PTR_NOT_EQUAL(same, future);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_dir(future), "-delete"));
    log_unref(same);
    log_unref(future);
    // A start goes on with it.
    stop(&f);
    start(&f);
    WAIT_UNTIL(is_in(&f, 2));
    check_records(&f, 200);

    log_mover_limit(f.mover, 1);
    CU_ASSERT_EQUAL(move(&f, 0), KERR_NONE);
    CU_ASSERT_EQUAL(move(&f, 2), KERR_NONE); // back: nothing is left of it
    CU_ASSERT_TRUE(is_in(&f, 2));
    log_mover_limit(f.mover, INT64_MAX);
    CU_ASSERT_EQUAL(move(&f, 1), KERR_NONE);
    WAIT_UNTIL(is_in(&f, 1));
    check_records(&f, 200);
    end(&f);
}

// Until the controller knows, the log stays where it is; a cancelled move takes back what it was told.
static void the_metadata_come_first(void)
{
    struct fixture f;
    begin(&f);
    CU_ASSERT_EQUAL(append(&f, 0), KERR_NONE);
    atomic_store(&f.refuses, true);
    CU_ASSERT_EQUAL(move(&f, 1), KERR_NONE);
    struct log *future = log_future_find(f.logs, str_of("t"), 0, NULL);
    WAIT_UNTIL(log_end_offset(future) == 1);
    CU_ASSERT_EQUAL(log_manager_dir_of(f.logs, str_of("t"), 0), 0);
    atomic_store(&f.refuses, false);
    WAIT_UNTIL(is_in(&f, 1));
    log_unref(future);
    CU_ASSERT_TRUE(uuid_eq(directory_of(&f), f.ids[1]));

    // Left by a broker that died between the two: the metadata name a directory where the log is not.
    stop(&f);
    set_directory(&f, f.ids[2]);
    start(&f);
    WAIT_UNTIL(uuid_eq(directory_of(&f), f.ids[1]));
    check_records(&f, 1);
    end(&f);
}

static void what_cannot_be_moved_is_answered(void)
{
    struct fixture f;
    begin(&f);
    char name[250];
    memset(name, 't', sizeof name);
    CU_ASSERT_EQUAL(log_mover_move(f.mover, (struct str){ name, 214 }, 0, str_of(f.dirs[0])),
                    KERR_INVALID_TOPIC_EXCEPTION);
    CU_ASSERT_EQUAL(log_mover_move(f.mover, (struct str){ name, 213 }, 0, str_of(f.dirs[0])),
                    KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(log_mover_move(f.mover, str_of("t"), 0, str_of("/nowhere")),
                    KERR_LOG_DIR_NOT_FOUND);
    CU_ASSERT_EQUAL(log_mover_move(f.mover, str_of("t"), 1, str_of(f.dirs[0])),
                    KERR_UNKNOWN_TOPIC_OR_PARTITION);
    const char *const cordoned[] = { f.dirs[1] };
    log_dirs_cordon(f.logs, cordoned, 1);
    CU_ASSERT_EQUAL(move(&f, 1), KERR_INVALID_REPLICA_ASSIGNMENT);
    end(&f);
}

// ---- directories fail -------------------------------------------------------------------------------------------

// A folder in the way of the checkpoint's new file.
static void fail_dir(struct fixture *f, int dir)
{
    char *path = mem_printf("%s/replication-offset-checkpoint.tmp/x", f->dirs[dir]);
    CU_ASSERT_EQUAL(disk_mkdirs(disk_posix(), path), 0);
    mem_free(path);
    CU_ASSERT_NOT_EQUAL(log_manager_checkpoint(f->logs), 0);
}

static void a_directory_fails_alone(void)
{
    struct fixture f;
    begin(&f);
    CU_ASSERT_EQUAL(append(&f, 0), KERR_NONE);
    log_mover_limit(f.mover, 0);
    for (uint32_t i = 1; i < 100; i++)
        CU_ASSERT_EQUAL(append(&f, i), KERR_NONE);
    CU_ASSERT_EQUAL(move(&f, 1), KERR_NONE);
    // Where it was to go: the replica stays.
    fail_dir(&f, 1);
    WAIT_UNTIL(atomic_load(&f.reports) == 1);
    WAIT_UNTIL(is_in(&f, 0));
    CU_ASSERT_EQUAL(append(&f, 100), KERR_NONE);
    CU_ASSERT_EQUAL(move(&f, 1), KERR_KAFKA_STORAGE_ERROR);
    // A future could be in the directory that is gone.
    CU_ASSERT_EQUAL(move(&f, 2), KERR_KAFKA_STORAGE_ERROR);
    check_records(&f, 101);
    // Where it is.
    fail_dir(&f, 0);
    CU_ASSERT_EQUAL(append(&f, 101), KERR_KAFKA_STORAGE_ERROR);
    WAIT_UNTIL(atomic_load(&f.reports) == 2);
    CU_ASSERT_EQUAL(append(&f, 101), KERR_KAFKA_STORAGE_ERROR);
    CU_ASSERT_EQUAL(move(&f, 2), KERR_KAFKA_STORAGE_ERROR);
    CU_ASSERT_EQUAL(atomic_load(&f.fatal), 0);
    // The last one.
    struct log *log;
    CU_ASSERT_EQUAL(log_manager_create(f.logs, str_of("u"), 0, uuid_random(), UUID_ZERO, &log), 0);
    log_unref(log);
    fail_dir(&f, 2);
    WAIT_UNTIL(atomic_load(&f.fatal) == 1);
    end(&f);
}

static void a_failure_that_cannot_be_told_stops_the_broker(void)
{
    struct fixture f;
    begin(&f);
    atomic_store(&f.refuses, true);
    fail_dir(&f, 0);
    WAIT_UNTIL(atomic_load(&f.fatal) == 1);
    CU_ASSERT_TRUE(atomic_load(&f.reports) > 1);
    end(&f);
}

// ---- the throttle -----------------------------------------------------------------------------------------------

static void the_rate_sinks_to_the_limit(void)
{
    struct move_throttle throttle;
    move_throttle_init(&throttle, 11, 1000);
    move_throttle_record(&throttle, 5000, 1 << 20);
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 5000), 0); // no limit
    throttle.limit = 1 << 20;
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 5000), 0); // one second counts at least
    move_throttle_record(&throttle, 5100, 1 << 20);
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 5100), 1000); // 2 MiB are due at 7000
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 7000), 0);
    throttle.limit = 1;
    // Far too much for so little: until the windows count no more.
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 7000), 9000);
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 15999), 1);
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 16000), 0);
    throttle.limit = 0;
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 16000), 0);
    move_throttle_record(&throttle, 16000, 1);
    CU_ASSERT_EQUAL(move_throttle_delay_ms(&throttle, 16000), 11000);
}

TEST_MAIN("log_mover", TEST(a_replica_moves_while_it_is_written),
          TEST(a_move_is_sent_elsewhere_and_cancelled), TEST(the_metadata_come_first),
          TEST(what_cannot_be_moved_is_answered), TEST(a_directory_fails_alone),
          TEST(a_failure_that_cannot_be_told_stops_the_broker), TEST(the_rate_sinks_to_the_limit))
