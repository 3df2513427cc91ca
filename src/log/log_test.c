// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

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

static int check_threads; // of open_with

static struct log *open_with(const struct log_config *config, bool is_clean, int64_t recovery_point)
{
    struct log_options options = { .disk = disk_posix(),
                                   .clock = &test_clock,
                                   .trace = &trace,
                                   .dir = dir,
                                   .config = config,
                                   .is_clean = is_clean,
                                   .recovery_point = recovery_point,
                                   .check_threads = check_threads };
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
static struct bytes make_batch(int count, const char *value, int64_t timestamp,
                               enum compression compression, const struct producer *producer)
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
    enum kafka_error error =
        log_append_leader(log, batch, epoch, LOG_APPEND_CLIENT, &arena, result);
    log_set_high_watermark(log, log_end_offset(log));
    mem_free((void *)batch.data);
    return error;
}

static void append(struct log *log, int count, const char *value, int64_t timestamp)
{
    struct log_append_result result;
    int64_t before = log_end_offset(log);
    CU_ASSERT_EQUAL(
        append_batch(log, make_batch(count, value, timestamp, COMPRESSION_NONE, NULL), 5, &result),
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
        append(log, 1 + i % 3,
               "some value that takes a little room, so that index entries are made", now_ms + i);
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
    CU_ASSERT_EQUAL_FATAL(log_read(log, 3, (int32_t)second + 10, false, INT64_MAX, &slice),
                          KERR_NONE);
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

static char *file_of(int64_t offset, const char *suffix)
{
    return log_file_path(dir, offset, suffix);
}

static bool has_file(int64_t offset, const char *suffix)
{
    char *path = file_of(offset, suffix);
    bool found = disk_exists(disk_posix(), path);
    mem_free(path);
    return found;
}

static struct log_config small_segments(void)
{
    struct log_config config = log_config_default;
    config.segment_bytes = 1000;
    config.index_interval_bytes = 200;
    return config;
}

// Segments roll by size; each has its own files; reads go on from one to the next.
static void segments_roll_by_size(void)
{
    begin();
    struct log_config config = small_segments();
    struct log *log = open_with(&config, false, 0);
    for (int i = 0; i < 100; i++)
        append(log, 2, "a value", now_ms + i);
    CU_ASSERT_TRUE(log_active_segment_offset(log) > 100);
    CU_ASSERT_EQUAL(check_all(log, 0), 100);
    int64_t size = log_size_bytes(log);
    CU_ASSERT_TRUE(has_file(log_active_segment_offset(log), ".snapshot"));
    log_close_idle_files(log);
    log_close_idle_files(log);
    CU_ASSERT_EQUAL(check_all(log, 57), 72);
    CU_ASSERT_EQUAL(log_close(log), 0);
    log = open_with(&config, true, 200);
    CU_ASSERT_EQUAL(log_size_bytes(log), size);
    CU_ASSERT_EQUAL(check_all(log, 0), 100);
    CU_ASSERT_EQUAL(log_close(log), 0);
    log = open_with(&config, false, 0);
    CU_ASSERT_EQUAL(check_all(log, 0), 100);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// By time of the records as soon as they have one, by the clock else; and when a batch would not fit the indexes.
static void segments_roll_by_time_and_index(void)
{
    begin();
    struct log_config config = log_config_default;
    config.segment_ms = 1000;
    struct log *log = open_with(&config, false, 0);
    append(log, 1, "a", now_ms);
    append(log, 1, "a", now_ms + 1000);
    CU_ASSERT_EQUAL(log_active_segment_offset(log), 0);
    append(log, 1, "a", now_ms + 1001);
    CU_ASSERT_EQUAL(log_active_segment_offset(log), 2);
    append(log, 1, "a", NO_TIMESTAMP); // in no hurry: its segment begins with a later time
    CU_ASSERT_EQUAL(log_active_segment_offset(log), 2);
    CU_ASSERT_EQUAL(log_close(log), 0);
    disk_remove_tree(disk_posix(), dir);

    config = log_config_default;
    config.segment_index_bytes = 36; // three time entries, the last kept free
    config.index_interval_bytes = 0;
    log = open_with(&config, false, 0);
    for (int i = 0; i < 20; i++)
        append(log, 1, "a", now_ms + i);
    CU_ASSERT_EQUAL(log_active_segment_offset(log), 18);
    CU_ASSERT_EQUAL(check_all(log, 0), 20);
    CU_ASSERT_EQUAL(log_close(log), 0);
    CU_ASSERT_TRUE(has_file(18, ".timeindex"));
    end();
}

// The same batch again is answered with the first offsets, also across a restart; a gap is refused.
static void retries_are_recognized(void)
{
    begin();
    struct log *log = open_with(&log_config_default, false, 0);
    struct log_append_result result;
    struct producer p = { 77, 0, 0 };
    CU_ASSERT_EQUAL(append_batch(log, make_batch(3, "v", now_ms, COMPRESSION_NONE, &p), 0, &result),
                    KERR_NONE);
    append(log, 5, "other", now_ms);
    CU_ASSERT_EQUAL(append_batch(log, make_batch(3, "v", now_ms, COMPRESSION_NONE, &p), 0, &result),
                    KERR_NONE);
    CU_ASSERT_TRUE(result.is_duplicate);
    CU_ASSERT_EQUAL(result.first_offset, 0);
    CU_ASSERT_EQUAL(result.last_offset, 2);
    CU_ASSERT_EQUAL(log_end_offset(log), 8);
    p.sequence = 5;
    CU_ASSERT_EQUAL(append_batch(log, make_batch(1, "v", now_ms, COMPRESSION_NONE, &p), 0, &result),
                    KERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(result.first_offset, -1);
    CU_ASSERT_EQUAL(result.log_start_offset, 0);
    for (int unclean = 0; unclean < 2; unclean++) {
        if (unclean) {
            log_abandon(log);
        } else {
            CU_ASSERT_EQUAL(log_close(log), 0);
        }
        log = open_with(&log_config_default, !unclean, 0);
        p.sequence = 0;
        CU_ASSERT_EQUAL(
            append_batch(log, make_batch(3, "v", now_ms, COMPRESSION_NONE, &p), 0, &result),
            KERR_NONE);
        CU_ASSERT_TRUE(result.is_duplicate);
        CU_ASSERT_EQUAL(result.first_offset, 0);
    }
    struct log_producer *producers;
    CU_ASSERT_EQUAL(log_producers(log, &arena, &producers), 1);
    CU_ASSERT_EQUAL(producers[0].producer_id, 77);
    CU_ASSERT_EQUAL(producers[0].last_sequence, 2);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

static void append_time_is_the_brokers(void)
{
    begin();
    struct log_config config = log_config_default;
    config.message_timestamp_type = LOG_TIMESTAMP_LOG_APPEND_TIME;
    struct log *log = open_with(&config, false, 0);
    struct log_append_result result;
    CU_ASSERT_EQUAL(append_batch(log, make_batch(3, "v", 5, COMPRESSION_GZIP, NULL), 0, &result),
                    KERR_NONE);
    CU_ASSERT_EQUAL(result.log_append_time, now_ms);
    struct log_timestamp_offset found;
    CU_ASSERT_EQUAL(log_offset_for_time(log, now_ms, &found), KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, 0);
    CU_ASSERT_EQUAL(found.timestamp, now_ms);
    CU_ASSERT_EQUAL(check_all(log, 0), 1);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

static void expect_time(struct log *log, int64_t timestamp, int64_t offset, int64_t found_timestamp)
{
    struct log_timestamp_offset found;
    CU_ASSERT_EQUAL(log_offset_for_time(log, timestamp, &found), KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, offset);
    CU_ASSERT_EQUAL(found.timestamp, found_timestamp);
    CU_ASSERT_EQUAL(found.leader_epoch, offset < 0 ? -1 : 5);
}

// Records by time: the first one not older; across batches, segments and a restart; the newest of all.
static void records_are_found_by_time(void)
{
    begin();
    struct log_config config = small_segments();
    struct log *log = open_with(&config, false, 0);
    struct log_timestamp_offset found;
    CU_ASSERT_EQUAL(log_max_timestamp_offset(log, &found), KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, -1);
    expect_time(log, 0, -1, -1);
    for (int i = 0; i < 100; i++)
        append(log, 3, "value", 1000 + 10 * i);
    append(log, 1, "late", 500);
    for (int round = 0; round < 2; round++) {
        expect_time(log, 0, 0, 1000);
        expect_time(log, 1001, 1, 1001);
        expect_time(log, 1003, 3, 1010);
        expect_time(log, 1500, 150, 1500);
        expect_time(log, 1992, 299, 1992);
        expect_time(log, 1993, -1, -1);
        CU_ASSERT_EQUAL(log_max_timestamp_offset(log, &found), KERR_NONE);
        CU_ASSERT_EQUAL(found.offset, 299);
        CU_ASSERT_EQUAL(found.timestamp, 1992);
        CU_ASSERT_EQUAL(found.leader_epoch, 5);
        CU_ASSERT_EQUAL(log_close(log), 0);
        log = open_with(&config, true, 301);
    }
    CU_ASSERT_EQUAL(log_set_high_watermark(log, 301), 301);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 100), KERR_NONE);
    expect_time(log, 1320, 100, 1331);
    CU_ASSERT_EQUAL(log_set_start_offset(log, 302), KERR_OFFSET_OUT_OF_RANGE);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// A follower cuts back to where it parted: offsets, producers, epochs and indexes go with the batches.
static void truncation_takes_everything_along(void)
{
    begin();
    struct log_config config = small_segments();
    struct log *log = open_with(&config, false, 0);
    struct log_append_result result;
    struct producer p = { 77, 0, 0 };
    for (int i = 0; i < 60; i++) {
        p.sequence = i;
        CU_ASSERT_EQUAL(append_batch(log, make_batch(1, "v", now_ms + i, COMPRESSION_NONE, &p),
                                     i / 10, &result),
                        KERR_NONE);
    }
    CU_ASSERT_EQUAL(log_flush(log, INT64_MAX), 0);
    static const int64_t cuts[] = { 55, 41, 40, 13, 1, 0 };
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        CU_ASSERT_EQUAL(log_truncate(log, cuts[i]), 0);
        CU_ASSERT_EQUAL(log_end_offset(log), cuts[i]);
        CU_ASSERT_EQUAL(log_high_watermark(log), cuts[i]);
        CU_ASSERT_TRUE(log_recovery_point(log) <= cuts[i]);
        CU_ASSERT_EQUAL(check_all(log, 0), cuts[i]);
        CU_ASSERT_EQUAL(log_latest_epoch(log), cuts[i] == 0 ? -1 : (cuts[i] - 1) / 10);
        p.sequence = (int32_t)cuts[i];
        struct log_timestamp_offset found;
        CU_ASSERT_EQUAL(log_max_timestamp_offset(log, &found), KERR_NONE);
        CU_ASSERT_EQUAL(found.offset, cuts[i] - 1);
        CU_ASSERT_EQUAL(append_batch(log,
                                     make_batch(1, "v", now_ms + cuts[i], COMPRESSION_NONE, &p), 9,
                                     &result),
                        KERR_NONE);
        CU_ASSERT_FALSE(result.is_duplicate);
        CU_ASSERT_EQUAL(result.first_offset, cuts[i]);
    }
    CU_ASSERT_EQUAL(log_close(log), 0);
    log = open_with(&config, false, 0);
    CU_ASSERT_EQUAL(check_all(log, 0), 1);
    CU_ASSERT_EQUAL(log_truncate_fully(log, 500), 0);
    CU_ASSERT_EQUAL(log_start_offset(log), 500);
    CU_ASSERT_EQUAL(log_end_offset(log), 500);
    append(log, 2, "anew", now_ms);
    CU_ASSERT_EQUAL(check_all(log, 500), 1);
    now_ms = log_garbage_due_ms(log);
    CU_ASSERT_EQUAL(log_delete_garbage(log), 0);
    CU_ASSERT_FALSE(has_file(0, ".log.deleted"));
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

static void append_marker(struct log *log, int64_t producer_id, enum control_type type)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .is_transactional = true,
                                     .is_control = true };
    options.producer_id = producer_id;
    options.producer_epoch = 0;
    uint8_t key[CONTROL_KEY_SIZE], value[END_TXN_MARKER_SIZE];
    control_key_encode(key, type);
    end_txn_marker_encode(value, 1);
    struct batch_builder builder;
    struct log_append_result result;
    batch_builder_init(&builder, &options);
    batch_builder_add(&builder, now_ms, (struct bytes){ key, sizeof key },
                      (struct bytes){ value, sizeof value });
    CU_ASSERT_EQUAL(log_append_leader(log, batch_builder_finish(&builder), 5,
                                      LOG_APPEND_COORDINATOR, &arena, &result),
                    KERR_NONE);
    batch_builder_fini(&builder);
}

static void append_transactional(struct log *log, int64_t producer_id, int32_t sequence)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .is_transactional = true };
    options.producer_id = producer_id;
    options.producer_epoch = 0;
    options.base_sequence = sequence;
    struct batch_builder builder;
    struct log_append_result result;
    batch_builder_init(&builder, &options);
    batch_builder_add(&builder, now_ms, B("k"), B("v"));
    CU_ASSERT_EQUAL(log_append_leader(log, batch_builder_finish(&builder), 5, LOG_APPEND_CLIENT,
                                      &arena, &result),
                    KERR_NONE);
    batch_builder_fini(&builder);
}

// The last stable offset stays at the oldest open transaction; aborted ones are listed; also after a crash.
static void open_transactions_hold_readers_back(void)
{
    begin();
    struct log *log = open_with(&log_config_default, false, 0);
    append(log, 2, "plain", now_ms);
    append_transactional(log, 7, 0); // 2
    append_transactional(log, 8, 0); // 3
    log_set_high_watermark(log, 4);
    CU_ASSERT_EQUAL(log_last_stable_offset(log), 2);
    append_marker(log, 7, CONTROL_ABORT);            // 4
    CU_ASSERT_EQUAL(log_last_stable_offset(log), 2); // the marker is not replicated yet
    log_set_high_watermark(log, 5);
    CU_ASSERT_EQUAL(log_last_stable_offset(log), 3);
    append_marker(log, 8, CONTROL_COMMIT); // 5
    log_set_high_watermark(log, 6);
    CU_ASSERT_EQUAL(log_last_stable_offset(log), 6);
    append_transactional(log, 8, 1); // 6
    log_set_high_watermark(log, 7);
    CU_ASSERT_EQUAL(log_last_stable_offset(log), 6);
    for (int round = 0; round < 3; round++) {
        struct log_aborted_transaction *aborted;
        size_t count;
        CU_ASSERT_EQUAL(log_aborted_transactions(log, 0, 7, &arena, &aborted, &count), KERR_NONE);
        CU_ASSERT_EQUAL_FATAL(count, 1);
        CU_ASSERT_EQUAL(aborted[0].producer_id, 7);
        CU_ASSERT_EQUAL(aborted[0].first_offset, 2);
        CU_ASSERT_EQUAL(log_aborted_transactions(log, 5, 7, &arena, &aborted, &count), KERR_NONE);
        CU_ASSERT_EQUAL(count, 0);
        if (round == 0) {
            CU_ASSERT_EQUAL(log_close(log), 0);
        } else {
            log_abandon(log);
        }
        log = open_with(&log_config_default, round == 0, 0);
        log_set_high_watermark(log, 7);
        CU_ASSERT_EQUAL(log_last_stable_offset(log), 6);
    }
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// Batches from a leader come as they are; those of a newer epoch, a gap's start and damage are told apart.
static void followers_take_what_the_leader_has(void)
{
    begin();
    struct log *log = open_with(&log_config_default, false, 0);
    struct strbuf wire = STRBUF_EMPTY;
    static const int64_t offsets[] = { 10, 13, 20 }; // three records each; a gap before the last
    for (int i = 0; i < 3; i++) {
        struct bytes batch = make_batch(3, "v", now_ms, COMPRESSION_LZ4, NULL);
        batch_set_base_offset((uint8_t *)batch.data, offsets[i]);
        batch_set_leader_epoch((uint8_t *)batch.data, 4 + i);
        strbuf_add(&wire, batch.data, batch.size);
        mem_free((void *)batch.data);
    }
    struct bytes all = { (const uint8_t *)wire.data, wire.size };
    int64_t appended;
    CU_ASSERT_EQUAL(log_truncate_fully(log, 10), 0);
    CU_ASSERT_EQUAL(log_append_follower(log, all, 5, &appended), KERR_NONE);
    CU_ASSERT_EQUAL(log_end_offset(log), 16);
    CU_ASSERT_EQUAL(log_append_follower(log, all, 6, &appended),
                    KERR_UNKNOWN_SERVER_ERROR); // again
    struct bytes last = { all.data + appended, all.size - (size_t)appended };
    last = (struct bytes){ all.data + all.size / 3 * 2, all.size / 3 };
    wire.data[wire.size - 1] ^= 1;
    CU_ASSERT_EQUAL(log_append_follower(log, last, 6, &appended), KERR_CORRUPT_MESSAGE);
    wire.data[wire.size - 1] ^= 1;
    last.size--; // cut: nothing whole
    CU_ASSERT_EQUAL(log_append_follower(log, last, 6, &appended), KERR_NONE);
    CU_ASSERT_EQUAL(appended, 0);
    last.size++;
    CU_ASSERT_EQUAL(log_append_follower(log, last, 6, &appended), KERR_NONE);
    CU_ASSERT_EQUAL(appended, (int64_t)last.size);
    CU_ASSERT_EQUAL(log_end_offset(log), 23);
    CU_ASSERT_EQUAL(log_latest_epoch(log), 6);
    CU_ASSERT_EQUAL(log_epoch_end_offset(log, 5).end_offset, 20);
    // An offset in the gap is answered with the batch behind it.
    for (int round = 0; round < 2; round++) {
        struct log_slice slice;
        CU_ASSERT_EQUAL(log_read(log, 17, 1000, true, INT64_MAX, &slice), KERR_NONE);
        CU_ASSERT_EQUAL(slice.first_offset, 20);
        disk_file_unref(slice.slice.file);
        CU_ASSERT_EQUAL(log_read(log, 12, 1000, true, 16, &slice), KERR_NONE);
        CU_ASSERT_EQUAL(slice.first_offset, 10);
        CU_ASSERT_EQUAL(slice.slice.size, (int64_t)(all.size / 3 * 2));
        disk_file_unref(slice.slice.file);
        CU_ASSERT_EQUAL(log_close(log), 0);
        log = open_with(&log_config_default, true, 23);
    }
    CU_ASSERT_EQUAL(log_close(log), 0);
    strbuf_fini(&wire);
    end();
}

static void damage(int64_t offset, const char *suffix, int64_t position, uint8_t with)
{
    char *path = file_of(offset, suffix);
    struct disk_file *file;
    CU_ASSERT_EQUAL_FATAL(disk_open(disk_posix(), path, DISK_WRITE, &file), 0);
    CU_ASSERT_EQUAL(disk_pwrite(file, &with, 1, position), 0);
    disk_file_unref(file);
    mem_free(path);
}

static void remove_file(int64_t offset, const char *suffix)
{
    char *path = file_of(offset, suffix);
    CU_ASSERT_EQUAL(disk_posix()->ops->unlink(disk_posix(), path), 0);
    mem_free(path);
}

static void remove_epochs(void)
{
    char *path = mem_printf("%s/leader-epoch-checkpoint", dir);
    CU_ASSERT_EQUAL(disk_posix()->ops->unlink(disk_posix(), path), 0);
    mem_free(path);
}

// One entry, of an offset that the segment does not reach.
static void put_foreign_time_index(int64_t base_offset)
{
    static const uint8_t entry[12] = { 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0 };
    char *path = file_of(base_offset, ".timeindex");
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), path, entry, sizeof entry), 0);
    mem_free(path);
}

// Whatever side files are missing, torn or another log's after a clean stop, the log is the same.
static void side_files_are_made_again(void)
{
    begin();
    struct log_config config = small_segments();
    struct log *log = open_with(&config, false, 0);
    struct log_append_result result;
    struct producer p = { 5, 0, 0 };
    for (int i = 0; i < 40; i++) {
        p.sequence = i;
        CU_ASSERT_EQUAL(append_batch(log, make_batch(1, "value", now_ms + i, COMPRESSION_NONE, &p),
                                     i / 30, &result),
                        KERR_NONE);
    }
    int64_t active = log_active_segment_offset(log);
    CU_ASSERT_EQUAL(log_close(log), 0);
    static const char *const suffixes[] = { ".index", ".timeindex", ".snapshot" };
    for (int i = 0; i < 7; i++) {
        if (i >= 5)
            put_foreign_time_index(i == 5 ? active : 0);
        else if (i < 3)
            remove_file(i == 2 ? 40 : active, suffixes[i]);
        else if (i == 3)
            remove_file(0, ".index");
        else
            remove_epochs();
        log = open_with(&config, true, 40);
        CU_ASSERT_EQUAL(log_end_offset(log), 40);
        CU_ASSERT_EQUAL(log_latest_epoch(log), 1);
        CU_ASSERT_EQUAL(check_all(log, 0), 40);
        struct log_timestamp_offset found;
        CU_ASSERT_EQUAL(log_max_timestamp_offset(log, &found), KERR_NONE);
        CU_ASSERT_EQUAL(found.offset, 39);
        CU_ASSERT_EQUAL(append_batch(log, make_batch(1, "value", now_ms + 39, COMPRESSION_NONE, &p),
                                     1, &result),
                        KERR_NONE);
        CU_ASSERT_TRUE(result.is_duplicate);
        CU_ASSERT_EQUAL(log_close(log), 0);
    }
    end();
}

// A flipped bit before the end: recovery cuts there, drops what follows, and says where.
static void damage_is_cut_away(void)
{
    begin();
    struct log_config config = small_segments();
    struct log *log = open_with(&config, false, 0);
    for (int i = 0; i < 40; i++)
        append(log, 1, "value", now_ms + i);
    int64_t batch_size_here = log_size_bytes(log) / 40;
    log_abandon(log);
    damage(0, ".log", batch_size_here * 5 + 70, 0xff);
    log = open_with(&config, false, 0);
    CU_ASSERT_EQUAL(log_end_offset(log), 5);
    CU_ASSERT_EQUAL(check_all(log, 0), 5);
    append(log, 1, "value", now_ms);
    CU_ASSERT_EQUAL(log_close(log), 0);

    // Behind the recovery point nothing is read: the reader is told, the rest of the log stays in service.
    damage(0, ".log", batch_size_here * 2 + 16, 9);
    log = open_with(&config, true, 6);
    struct log_slice slice;
    CU_ASSERT_EQUAL(log_read(log, 2, 100, true, INT64_MAX, &slice), KERR_CORRUPT_MESSAGE);
    append(log, 1, "value", now_ms);
    CU_ASSERT_EQUAL(log_read(log, 6, 100, true, INT64_MAX, &slice), KERR_NONE);
    disk_file_unref(slice.slice.file);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// In whichever segment it is, and also when other threads have checked the segments behind it.
static void damage_is_cut_away_in_any_segment(void)
{
    static const int64_t at[] = { 0, 1, 13, 28, 39, 40 };
    enum { COUNT = 40 };
    for (check_threads = 0; check_threads < 4; check_threads += 3)
        for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
            begin();
            struct log_config config = small_segments();
            struct log *log = open_with(&config, false, 0);
            struct producer p = { 5, 0, 0 };
            struct log_append_result result;
            for (; p.sequence < COUNT; p.sequence++)
                CU_ASSERT_EQUAL(append_batch(log,
                                             make_batch(1, "value", now_ms, COMPRESSION_NONE, &p),
                                             p.sequence / 10, &result),
                                KERR_NONE);
            int64_t batch_bytes = log_size_bytes(log) / COUNT, base = at[i];
            log_abandon(log);
            while (base > 0 && !has_file(base, ".log"))
                base--;
            if (at[i] < COUNT)
                damage(base, ".log", batch_bytes * (at[i] - base) + 70, 0xff);
            log = open_with(&config, false, 0);
            CU_ASSERT_EQUAL(log_end_offset(log), at[i]);
            CU_ASSERT_EQUAL(check_all(log, 0), at[i]);
            CU_ASSERT_EQUAL(log_latest_epoch(log), at[i] == 0 ? -1 : (at[i] - 1) / 10);
            p.sequence = (int32_t)at[i]; // its producer is known up to there
            CU_ASSERT_EQUAL(
                append_batch(log, make_batch(1, "value", now_ms, COMPRESSION_NONE, &p), 4, &result),
                KERR_NONE);
            CU_ASSERT_FALSE(result.is_duplicate);
            CU_ASSERT_EQUAL(log_close(log), 0);
            end();
        }
    check_threads = 0;
}

// What an interrupted compaction of a JVM broker leaves is finished or undone.
static void interrupted_compaction_is_settled(void)
{
    begin();
    struct log_config config = small_segments();
    struct log *log = open_with(&config, false, 0);
    for (int i = 0; i < 30; i++)
        append(log, 1, "value", now_ms + i);
    int64_t second = 0;
    for (int64_t offset = 1; offset < 30 && second == 0; offset++)
        second = has_file(offset, ".log") ? offset : 0;
    CU_ASSERT_EQUAL(log_close(log), 0);
    // The first segment was compacted (here: to the same) and waits under its .swap name; then came a crash.
    char *from = file_of(0, ".log"), *to = file_of(0, ".log.swap");
    CU_ASSERT_EQUAL(disk_posix()->ops->rename(disk_posix(), from, to), 0);
    mem_free(from);
    mem_free(to);
    char *cleaned = file_of(second, ".log.cleaned"), *deleted = file_of(second, ".index.deleted");
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), cleaned, "x", 1), 0);
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), deleted, "x", 1), 0);
    log = open_with(&config, false, 0);
    CU_ASSERT_EQUAL(check_all(log, 0), 30);
    CU_ASSERT_FALSE(disk_exists(disk_posix(), cleaned));
    CU_ASSERT_FALSE(disk_exists(disk_posix(), deleted));
    mem_free(cleaned);
    mem_free(deleted);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// A compaction of which nothing was left has an empty .swap: it takes the place of the segment of its name.
static void an_emptied_segment_takes_its_place(void)
{
    begin();
    struct log_config config = small_segments();
    struct log *log = open_with(&config, false, 0);
    for (int i = 0; i < 30; i++)
        append(log, 1, "value", now_ms + i);
    int64_t second = 0;
    for (int64_t offset = 1; offset < 30 && second == 0; offset++)
        second = has_file(offset, ".log") ? offset : 0;
    CU_ASSERT_EQUAL(log_close(log), 0);
    char *swap = file_of(0, ".log.swap");
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), swap, "", 0), 0);
    mem_free(swap);
    log = open_with(&config, false, 0);
    CU_ASSERT_EQUAL(check_all(log, second), 30 - (int)second);
    struct log_slice slice;
    CU_ASSERT_EQUAL(log_read(log, 0, 1000, true, INT64_MAX, &slice), KERR_NONE);
    CU_ASSERT_EQUAL(slice.first_offset, second);
    disk_file_unref(slice.slice.file);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

// Messages of magic 0 and 1, alone and compressed, are kept, found and read; damage behind them is cut away.
static void old_formats_are_served(void)
{
    // offsets 0 (magic 0) and 1 (magic 1, timestamp 1); both with key and value null
    static const uint8_t old[] = { 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
                                   0,    14,   0xa7, 0xec, 0x68, 0x03, 0,    0,    0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,
                                   0,    0,    0,    1,    0,    0,    0,    22,   0xdb, 0x54,
                                   0x6d, 0x9a, 1,    0,    0,    0,    0,    0,    0,    0,
                                   0,    1,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    begin();
    struct log *log = open_with(&log_config_default, false, 0);
    append(log, 1, "value", now_ms);
    CU_ASSERT_EQUAL(log_close(log), 0);
    uint8_t *damaged = mem_zalloc(sizeof old + 40);
    memcpy(damaged, old, sizeof old);
    char *path = file_of(0, ".log");
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), path, damaged, sizeof old + 40), 0);
    mem_free(path);
    mem_free(damaged);
    for (int i = 0; i < 2; i++) { // after a crash, and after a clean stop
        log = open_with(&log_config_default, i == 1, 0);
        CU_ASSERT_EQUAL(log_end_offset(log), 2 + i);
        CU_ASSERT_EQUAL(log_size_bytes(log) == (int64_t)sizeof old, i == 0);
        log_set_high_watermark(log, log_end_offset(log));
        struct log_slice slice;
        CU_ASSERT_EQUAL(log_read(log, 1, 10, true, INT64_MAX, &slice), KERR_NONE);
        CU_ASSERT_EQUAL(slice.slice.position, 26);
        CU_ASSERT_EQUAL(slice.slice.size, 34);
        disk_file_unref(slice.slice.file);
        struct log_timestamp_offset found;
        CU_ASSERT_EQUAL(log_offset_for_time(log, 0, &found), KERR_NONE);
        CU_ASSERT_EQUAL(found.offset, 1);
        CU_ASSERT_EQUAL(found.timestamp, 1);
        CU_ASSERT_EQUAL(found.leader_epoch, -1);
        CU_ASSERT_EQUAL(check_all(log, 0), 2 + i); // as batches, for who reads them in memory
        if (i == 0)
            append(log, 1, "value", now_ms);
        CU_ASSERT_EQUAL(log_close(log), 0);
    }
    end();
}

static void topic_ids_are_kept(void)
{
    begin();
    struct log *log = open_with(&log_config_default, false, 0);
    struct uuid id = { { 1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16 } };
    struct uuid other = { { 2, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16 } };
    CU_ASSERT_TRUE(uuid_is_zero(log_topic_id(log)));
    CU_ASSERT_EQUAL(log_assign_topic_id(log, id), 0);
    CU_ASSERT_EQUAL(log_assign_topic_id(log, other), -EEXIST);
    CU_ASSERT_STRING_EQUAL(log_name(log), "some-topic-3");
    CU_ASSERT_EQUAL(log_close(log), 0);
    log = open_with(&log_config_default, true, 0);
    CU_ASSERT_TRUE(uuid_eq(log_topic_id(log), id));
    CU_ASSERT_EQUAL(log_close(log), 0);
    struct log_options options = { .disk = disk_posix(),
                                   .clock = &test_clock,
                                   .trace = &trace,
                                   .dir = dir,
                                   .config = &log_config_default,
                                   .topic_id = other };
    CU_ASSERT_EQUAL(log_open(&options, &log), -EEXIST);
    end();
}

enum { WRITERS = 2, READERS = 2, BATCHES_EACH = 2000 };

static void *write_some(void *arg)
{
    struct log *log = arg;
    struct arena mine;
    struct bytes batch = make_batch(2, "some value", now_ms, COMPRESSION_LZ4, NULL);
    arena_init(&mine);
    for (int i = 0; i < BATCHES_EACH; i++) {
        struct log_append_result result;
        batch_set_base_offset((uint8_t *)batch.data, 0);
        CU_ASSERT_EQUAL(log_append_leader(log, batch, 5, LOG_APPEND_CLIENT, &mine, &result),
                        KERR_NONE);
        log_set_high_watermark(log, result.last_offset + 1);
    }
    arena_fini(&mine);
    mem_free((void *)batch.data);
    return NULL;
}

static void *read_some(void *arg)
{
    struct log *log = arg;
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t offset = 0;
    while (offset < WRITERS * BATCHES_EACH * 2) {
        int64_t size = log_read_batches(log, offset, 3000, INT64_MAX, &buffer, &capacity);
        CU_ASSERT_TRUE_FATAL(size >= 0);
        struct bytes rest = { buffer, (size_t)size }, batch;
        while (batch_next(&rest, &batch) == BATCH_FOUND) {
            CU_ASSERT_EQUAL(batch_base_offset(batch.data), offset);
            offset = batch_next_offset(batch.data);
        }
        struct log_timestamp_offset found;
        log_offset_for_time(log, now_ms, &found);
    }
    mem_free(buffer);
    return NULL;
}

static void *keep_up(void *arg)
{
    struct log *log = arg;
    while (log_end_offset(log) < WRITERS * BATCHES_EACH * 2) {
        CU_ASSERT_EQUAL(log_flush(log, INT64_MAX), 0);
        log_close_idle_files(log);
        log_set_start_offset(log, 0);
        log_expire_producers(log);
    }
    return NULL;
}

// Writers, readers and upkeep at the same time: every offset once, in order, in whole batches.
static void threads_do_not_disturb_each_other(void)
{
    begin();
    struct log_config config = log_config_default;
    config.segment_bytes = 30000;
    config.index_interval_bytes = 300;
    struct log *log = open_with(&config, false, 0);
    pthread_t threads[WRITERS + READERS + 1];
    for (int i = 0; i < WRITERS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, write_some, log), 0);
    for (int i = 0; i < READERS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[WRITERS + i], NULL, read_some, log), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[WRITERS + READERS], NULL, keep_up, log), 0);
    for (int i = 0; i < WRITERS + READERS + 1; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(check_all(log, 0), WRITERS * BATCHES_EACH);
    CU_ASSERT_EQUAL(log_close(log), 0);
    end();
}

TEST_MAIN("log", TEST(appended_batches_are_read_back), TEST(a_read_ends_at_its_limits),
          TEST(segments_roll_by_size), TEST(segments_roll_by_time_and_index),
          TEST(retries_are_recognized), TEST(append_time_is_the_brokers),
          TEST(records_are_found_by_time), TEST(truncation_takes_everything_along),
          TEST(open_transactions_hold_readers_back), TEST(followers_take_what_the_leader_has),
          TEST(side_files_are_made_again), TEST(damage_is_cut_away),
          TEST(damage_is_cut_away_in_any_segment), TEST(interrupted_compaction_is_settled),
          TEST(an_emptied_segment_takes_its_place), TEST(old_formats_are_served),
          TEST(topic_ids_are_kept), TEST(threads_do_not_disturb_each_other))
