// SPDX-License-Identifier: Apache-2.0
// A log moves from one directory to another: by itself, resumed, cancelled; and with every call of the disk gone wrong.
//
// For every n the n-th changing call of a move fails, or is the last before the process or the power goes. Opened
// again, the directories hold one log of the partition, or its future alone, with everything in it that was
// acknowledged (flushed, after a loss of power), and nothing else; where the log starts does not go back.
#include "log/log_future.h"

#include <errno.h>
#include <inttypes.h>

#include "base/mem.h"
#include "base/testing.h"
#include "log/disk_testing.h"
#include "log/log_copy.h"
#include "log/log_dirs.h"
#include "record/batch_builder.h"

enum { BATCHES = 40, START = 7, CHUNK = 900, SEEDS = 3 };

static const char *const dirs[] = { "/a", "/b", "/c" };
static const struct uuid dir_ids[] = { { { 1, 1, 1, 1, 1, 1, 0x41, 1, 0x81 } },
                                       { { 2, 2, 2, 2, 2, 2, 0x42, 2, 0x82 } },
                                       { { 3, 3, 3, 3, 3, 3, 0x43, 3, 0x83 } } };
static const struct uuid topic_id = { { 9, 9, 9, 9, 9, 9, 0x49, 9, 0x89, 9 } };
static struct trace trace;
static struct arena arena;
static struct log_config config;
static int failed_dirs;

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return 1700000000000;
}

static struct clock test_clock = { test_wall_ms, test_wall_ms };

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
    config = log_config_default;
    config.segment_bytes = 4000;
    config.index_interval_bytes = 400;
    failed_dirs = 0;
    trace_init(&trace, &test_clock, TRACE_ERROR, -1);
    arena_init(&arena);
}

static void end(struct memory_disk *disk)
{
    memory_disk_free(disk);
    arena_fini(&arena);
    trace_fini(&trace);
}

static int open_manager(struct memory_disk *disk, struct log_manager **manager)
{
    struct log_manager_options options = log_manager_options_default;
    options.disk = &disk->disk;
    options.clock = &test_clock;
    options.trace = &trace;
    options.dirs = dirs;
    options.dir_count = sizeof dirs / sizeof *dirs;
    options.dir_ids = dir_ids;
    options.recovery_threads_per_dir = 0;
    options.has_thread = false;
    options.config_of = config_of;
    options.on_dir_failed = on_dir_failed;
    int error = log_manager_open(&options, manager);
    if (error != 0)
        return error;
    error = log_manager_load(*manager, NULL, NULL);
    if (error != 0)
        log_manager_abandon(*manager);
    return error;
}

static struct memory_disk *new_disk(uint64_t seed)
{
    struct memory_disk *disk = memory_disk_new(seed);
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        disk->disk.ops->mkdir(&disk->disk, dirs[i]);
    disk->disk.ops->sync_dir(&disk->disk, "");
    disk->calls = 0;
    return disk;
}

static struct log *current(struct log_manager *manager)
{
    return log_manager_find(manager, str_of("t"), 0);
}

static struct log *future(struct log_manager *manager)
{
    return log_future_find(manager, str_of("t"), 0, NULL);
}

static enum kafka_error append(struct log *log, int32_t number)
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
    enum kafka_error error = log_append_leader(log, batch_builder_finish(&builder), number / 15,
                                               LOG_APPEND_CLIENT, &arena, &result);
    batch_builder_fini(&builder);
    arena_reset(&arena);
    if (error == KERR_NONE)
        log_set_high_watermark(log, log_end_offset(log));
    return error;
}

// The log holds the batches from its start to its end, each its own number.
static int64_t check_numbers(struct log *log)
{
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t offset = log_start_offset(log), got;
    while ((got = log_read_batches(log, offset, 1, INT64_MAX, &buffer, &capacity)) > 0) {
        struct record_iter it;
        struct record record;
        record_iter_init(&it, (struct bytes){ buffer, (size_t)got }, RECORDS_WHOLE);
        while (record_iter_next(&it, &record)) {
            CU_ASSERT_EQUAL(get_be32(record.value.data), record.offset);
            if (record.offset >= START) // what was below may be back after a failed checkpoint
                CU_ASSERT_EQUAL(log_epoch_for_offset(log, record.offset), record.offset / 15);
        }
        record_iter_fini(&it);
        offset = batch_next_offset(buffer);
    }
    CU_ASSERT_EQUAL(got, 0);
    CU_ASSERT_EQUAL(offset, log_end_offset(log));
    mem_free(buffer);
    return offset;
}

struct outcome {
    int64_t acknowledged;
    int64_t flushed;
    int64_t start;
    bool is_moved;
};

// Copies all, in small pieces; true when there is nothing left.
static bool copy_all(struct log *from, struct log *to)
{
    struct log_copy copy;
    log_copy_init(&copy, from, to);
    int64_t got = log_copy_align(&copy);
    while (got >= 0 && (got = log_copy_some(&copy, CHUNK)) > 0)
        ;
    log_copy_fini(&copy);
    return got == 0;
}

static bool promote(struct log_manager *manager)
{
    struct log *log;
    if (log_future_promote(manager, str_of("t"), 0, &log) != 0)
        return false;
    log_unref(log);
    return true;
}

// Appends and moves; whatever fails ends it, as a broker whose partition is offline.
static void run_move(struct log_manager *manager, struct outcome *outcome)
{
    struct log *log, *copy;
    if (log_manager_create(manager, str_of("t"), 0, topic_id, dir_ids[0], &log) != 0)
        return;
    for (int32_t i = 0; i < BATCHES; i++) {
        if (i == BATCHES / 2 && log_flush(log, INT64_MAX) == 0)
            outcome->flushed = log_recovery_point(log);
        if (append(log, i) != KERR_NONE)
            break;
        outcome->acknowledged = log_end_offset(log);
    }
    if (log_set_start_offset(log, START) == KERR_NONE && log_manager_checkpoint(manager) == 0)
        outcome->start = START;
    if (log_future_create(manager, str_of("t"), 0, topic_id, 1, &copy) == 0) {
        if (copy_all(log, copy) && log_flush(copy, INT64_MAX) == 0)
            outcome->is_moved = promote(manager);
        log_unref(copy);
    }
    if (outcome->is_moved) {
        struct log *moved = current(manager);
        if (append(moved, BATCHES) == KERR_NONE)
            outcome->acknowledged = log_end_offset(moved);
        if (log_flush(moved, INT64_MAX) == 0)
            outcome->flushed = log_recovery_point(moved);
        log_unref(moved);
    }
    log_unref(log);
}

// Everything that must be there is, in one log.
static void check_after(struct memory_disk *disk, const struct outcome *outcome, int64_t least)
{
    struct log_manager *manager;
    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    struct log *log = current(manager);
    if (log == NULL) { // died between the two names
        struct log *other = future(manager);
        if (other == NULL) {
            CU_ASSERT_EQUAL(least, 0);
        } else {
            CU_ASSERT_TRUE(promote(manager));
            log_unref(other);
            log = current(manager);
        }
    }
    if (log != NULL) {
        CU_ASSERT_TRUE(check_numbers(log) >= least);
        CU_ASSERT_TRUE(log_start_offset(log) >= outcome->start);
        log_unref(log);
    }
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
}

enum fault { CALL_FAILS, DISK_BREAKS, PROCESS_DIES, POWER_GOES };

static bool move_with_fault(uint64_t seed, enum fault fault, uint64_t n)
{
    struct memory_disk *disk = new_disk(seed);
    struct log_manager *manager;
    struct outcome outcome = { 0 };
    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    disk->fail_at = disk->calls + n;
    disk->fail_with = fault == CALL_FAILS ? -ENOSPC : -EIO;
    disk->stays_broken = fault != CALL_FAILS;
    run_move(manager, &outcome);
    bool was_reached = disk->calls >= disk->fail_at;
    if (!was_reached)
        CU_ASSERT_TRUE(outcome.is_moved);
    if (fault == POWER_GOES)
        memory_disk_crash(disk);
    else
        memory_disk_restart(disk);
    log_manager_abandon(manager);
    check_after(disk, &outcome, fault == POWER_GOES ? outcome.flushed : outcome.acknowledged);
    memory_disk_free(disk);
    return was_reached;
}

static void a_fault_at_any_call_loses_nothing(void)
{
    begin();
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int fault = CALL_FAILS; fault <= POWER_GOES; fault++)
            for (uint64_t n = 1; move_with_fault(seed, (enum fault)fault, n); n++)
                ;
    end(memory_disk_new(1));
}

static void fill(struct log *log, int32_t from, int32_t upto)
{
    for (int32_t i = from; i < upto; i++)
        CU_ASSERT_EQUAL(append(log, i), KERR_NONE);
}

static void a_copy_is_resumed_after_a_restart(void)
{
    begin();
    struct memory_disk *disk = new_disk(1);
    struct log_manager *manager;
    struct log *log, *copy;
    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    CU_ASSERT_EQUAL(log_manager_create(manager, str_of("t"), 0, topic_id, dir_ids[0], &log), 0);
    fill(log, 0, 30);
    CU_ASSERT_EQUAL(log_future_create(manager, str_of("t"), 0, topic_id, 0, &copy), -EXDEV);
    CU_ASSERT_EQUAL(log_future_create(manager, str_of("t"), 0, topic_id, 1, &copy), 0);
    struct log *second;
    CU_ASSERT_EQUAL(log_future_create(manager, str_of("t"), 0, topic_id, 2, &second), -EEXIST);
    CU_ASSERT_TRUE(copy_all(log, copy));
    CU_ASSERT_EQUAL(log_end_offset(copy), 30);
    CU_ASSERT_EQUAL(log_high_watermark(copy), 30);
    fill(log, 30, 35);
    log_unref(log);
    log_unref(copy);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);

    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    size_t dir = 99;
    log = current(manager);
    copy = log_future_find(manager, str_of("t"), 0, &dir);
    CU_ASSERT_EQUAL(dir, 1);
    CU_ASSERT_EQUAL(log_end_offset(copy), 30);
    CU_ASSERT_TRUE(copy_all(log, copy));
    CU_ASSERT_TRUE(promote(manager));
    CU_ASSERT_EQUAL(log_manager_dir_of(manager, str_of("t"), 0), 1);
    CU_ASSERT_PTR_NULL(future(manager));
    CU_ASSERT_EQUAL(check_numbers(copy), 35);
    log_unref(log);
    log_unref(copy);
    CU_ASSERT_EQUAL(log_manager_close(manager, 2), 0);
    end(disk);
}

// What the copy has that the original has lost meanwhile goes.
static void a_copy_that_differs_is_cut(void)
{
    begin();
    struct memory_disk *disk = new_disk(1);
    struct log_manager *manager;
    struct log *log, *copy;
    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    CU_ASSERT_EQUAL(log_manager_create(manager, str_of("t"), 0, topic_id, dir_ids[0], &log), 0);
    CU_ASSERT_EQUAL(log_future_create(manager, str_of("t"), 0, topic_id, 1, &copy), 0);
    fill(log, 0, 20); // epochs 0 and 1
    CU_ASSERT_TRUE(copy_all(log, copy));
    CU_ASSERT_EQUAL(log_truncate(log, 12), 0);
    CU_ASSERT_TRUE(copy_all(log, copy));
    CU_ASSERT_EQUAL(check_numbers(copy), 12);
    fill(log, 12, 25);
    CU_ASSERT_TRUE(copy_all(log, copy));
    CU_ASSERT_EQUAL(check_numbers(copy), 25);
    // The original begins behind the copy's end.
    CU_ASSERT_EQUAL(log_truncate_fully(log, 45), 0);
    fill(log, 45, 50);
    CU_ASSERT_TRUE(copy_all(log, copy));
    CU_ASSERT_EQUAL(log_start_offset(copy), 45);
    CU_ASSERT_EQUAL(check_numbers(copy), 50);
    log_unref(log);
    log_unref(copy);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end(disk);
}

static void a_cancelled_copy_is_removed(void)
{
    begin();
    struct memory_disk *disk = new_disk(1);
    struct log_manager *manager;
    struct log *log, *copy;
    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    CU_ASSERT_EQUAL(log_manager_create(manager, str_of("t"), 0, topic_id, dir_ids[0], &log), 0);
    CU_ASSERT_EQUAL(log_future_create(manager, str_of("t"), 0, topic_id, 1, &copy), 0);
    fill(log, 0, 5);
    CU_ASSERT_TRUE(copy_all(log, copy));
    CU_ASSERT_EQUAL(log_future_discard(manager, str_of("t"), 0), 0);
    CU_ASSERT_EQUAL(log_future_discard(manager, str_of("t"), 0), -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_dir(copy), "-delete"));
    log_unref(copy);
    // The topic is deleted while it moves: both go.
    CU_ASSERT_EQUAL(log_future_create(manager, str_of("t"), 0, topic_id, 2, &copy), 0);
    CU_ASSERT_EQUAL(log_manager_delete(manager, str_of("t"), 0), 0);
    CU_ASSERT_PTR_NULL(future(manager));
    CU_ASSERT_PTR_NULL(current(manager));
    log_unref(copy);
    log_unref(log);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end(disk);
}

// ---- directories ----------------------------------------------------------------------------------------------

static size_t made_in(struct log_manager *manager, const char *topic, struct uuid directory_id)
{
    struct log *log;
    CU_ASSERT_EQUAL_FATAL(
        log_manager_create(manager, str_of(topic), 0, UUID_ZERO, directory_id, &log), 0);
    log_unref(log);
    return (size_t)log_manager_dir_of(manager, str_of(topic), 0);
}

static void logs_go_where_they_are_to_be(void)
{
    begin();
    struct memory_disk *disk = new_disk(1);
    struct log_manager *manager;
    const struct uuid unassigned = { .bytes = { [15] = 1 } };
    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    CU_ASSERT_EQUAL(made_in(manager, "a", unassigned), 0); // the fewest, the first of them
    CU_ASSERT_EQUAL(made_in(manager, "b", unassigned), 1);
    CU_ASSERT_EQUAL(made_in(manager, "c", unassigned), 2);
    CU_ASSERT_EQUAL(made_in(manager, "d", dir_ids[2]), 2); // as the metadata say
    CU_ASSERT_EQUAL(made_in(manager, "e", topic_id), 0);   // which name none of ours
    log_dirs_prefer(manager, str_of("f"), 0, 2);
    log_dirs_prefer(manager, str_of("f"), 0, 1);
    CU_ASSERT_EQUAL(made_in(manager, "f", dir_ids[0]), 1); // a wish goes first
    const char *const cordoned[] = { "/b", "/elsewhere" };
    CU_ASSERT_TRUE(log_dirs_cordon(manager, cordoned, 2));
    CU_ASSERT_FALSE(log_dirs_cordon(manager, cordoned, 2));
    CU_ASSERT_TRUE(log_dirs_state(manager, 1).is_cordoned);
    for (char name[] = "g"; name[0] <= 'p'; name[0]++)
        CU_ASSERT_NOT_EQUAL(made_in(manager, name, unassigned), 1);
    const char *const all[] = { "*" };
    CU_ASSERT_TRUE(log_dirs_cordon(manager, all, 1));
    CU_ASSERT_EQUAL(made_in(manager, "q", unassigned), 0);
    CU_ASSERT_EQUAL(log_dirs_find(manager, str_of("/b")), 1);
    CU_ASSERT_EQUAL(log_dirs_find(manager, str_of("/b/")), -1);
    CU_ASSERT_EQUAL(log_dirs_find_id(manager, dir_ids[2]), 2);
    CU_ASSERT_EQUAL(log_dirs_find_id(manager, topic_id), -1);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end(disk);
}

static void a_directory_fails_alone(void)
{
    begin();
    struct memory_disk *disk = new_disk(1);
    struct log_manager *manager;
    struct log *log, *other, *copy;
    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    CU_ASSERT_EQUAL(log_manager_create(manager, str_of("t"), 0, topic_id, dir_ids[0], &log), 0);
    CU_ASSERT_EQUAL(log_manager_create(manager, str_of("u"), 0, UUID_ZERO, dir_ids[1], &other), 0);
    CU_ASSERT_EQUAL(log_future_create(manager, str_of("u"), 0, UUID_ZERO, 0, &copy), 0);
    disk->fail_at = disk->calls + 1;
    disk->fail_with = -EIO;
    CU_ASSERT_EQUAL(append(log, 0), KERR_KAFKA_STORAGE_ERROR);
    CU_ASSERT_EQUAL(failed_dirs, 1);
    CU_ASSERT_TRUE(log_dirs_state(manager, 0).is_offline);
    CU_ASSERT_TRUE(log_dirs_any_offline(manager));
    CU_ASSERT_PTR_NULL(current(manager));
    CU_ASSERT_PTR_NULL(log_future_find(manager, str_of("u"), 0, NULL));
    CU_ASSERT_EQUAL(log_append_follower(copy, (struct bytes){ (const uint8_t *)"", 0 }, 0, NULL),
                    KERR_NONE);
    CU_ASSERT_EQUAL(append(other, 0), KERR_NONE);
    struct log *none;
    CU_ASSERT_EQUAL(log_manager_create(manager, str_of("t"), 0, topic_id, dir_ids[0], &none),
                    -ENODEV);
    CU_ASSERT_EQUAL(log_future_create(manager, str_of("u"), 0, UUID_ZERO, 0, &none), -ENODEV);
    CU_ASSERT_EQUAL(made_in(manager, "v", UUID_ZERO), 2);
    struct log_dir_entry *entries;
    CU_ASSERT_EQUAL(log_dirs_list(manager, 0, &entries), 0);
    log_dir_entries_free(entries, 0);
    CU_ASSERT_EQUAL(log_dirs_list(manager, 1, &entries), 1);
    log_dir_entries_free(entries, 1);
    log_unref(log);
    log_unref(other);
    log_unref(copy);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    // Not marked clean, the others are.
    CU_ASSERT_FALSE(disk_exists(&disk->disk, "/a/.kafka_cleanshutdown"));
    CU_ASSERT_TRUE(disk_exists(&disk->disk, "/b/.kafka_cleanshutdown"));
    memory_disk_restart(disk);
    CU_ASSERT_EQUAL_FATAL(open_manager(disk, &manager), 0);
    CU_ASSERT_EQUAL(log_manager_previous_broker_epoch(manager), -1);
    CU_ASSERT_EQUAL(log_manager_dir_of(manager, str_of("t"), 0), 0);
    CU_ASSERT_EQUAL(log_manager_close(manager, 1), 0);
    end(disk);
}

static void two_logs_of_one_partition_are_refused(void)
{
    static const char *const names[] = { "t-0", "t-0.00112233445566778899aabbccddeeff-future" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        begin();
        struct memory_disk *disk = new_disk(1);
        struct log_manager *manager;
        for (size_t d = 0; d < 2; d++) {
            char *path = mem_printf("%s/%s", dirs[d], names[i]);
            CU_ASSERT_EQUAL(disk->disk.ops->mkdir(&disk->disk, path), 0);
            mem_free(path);
        }
        CU_ASSERT_EQUAL(open_manager(disk, &manager), -EBADMSG);
        end(disk);
    }
}

TEST_MAIN("log_future", TEST(a_copy_is_resumed_after_a_restart), TEST(a_copy_that_differs_is_cut),
          TEST(a_cancelled_copy_is_removed), TEST(logs_go_where_they_are_to_be),
          TEST(a_directory_fails_alone), TEST(two_logs_of_one_partition_are_refused),
          TEST(a_fault_at_any_call_loses_nothing))
