// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner.h"

#include <errno.h>

#include "base/mem.h"
#include "base/testing.h"
#include "log/cleaner_testing.h"
#include "record/record.h"

enum { SEEDS = 40, DAY_MS = 86400000, FIRST_TIME_MS = 1000 };

// Whatever was written, in whatever order rounds come and with whatever memory: of each key the last committed record
// stays, what was aborted goes, producers and transactions are known as before.
static void random_logs_keep_the_last_of_each_key(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct workload w;
        workload_init(&w, seed);
        w.has_keyless = seed % 4 == 0;
        w.has_open = seed % 3 == 0;
        w.keys = seed % 5 == 0 ? 60 : 12;
        int64_t checkpoint = -1, end;
        for (int round = 0; round < 6; round++) {
            workload_append(&w, 60);
            // Sometimes the map holds a few keys only.
            int64_t map_bytes = seed % 2 == 0 ? 24 * (10 + (int64_t)workload_random(&w, 20)) : 0;
            CU_ASSERT_EQUAL_FATAL(workload_clean(&w, checkpoint, map_bytes, FIRST_TIME_MS, &end),
                                  0);
            CU_ASSERT_TRUE(end >= checkpoint);
            checkpoint = end;
            workload_check(&w, end, TOMBSTONES_STAY, false);
            if (round % 2 == 1) {
                CU_ASSERT_EQUAL_FATAL(workload_reopen(&w, round == 5), 0);
                workload_check(&w, end, TOMBSTONES_STAY, false);
            }
        }
        workload_fini(&w);
    }
}

// A tombstone gets its time with the first cleaning that sees it, and goes with the first one after that (KIP-534);
// so do markers, and no record that is still there becomes older or younger by it.
static void tombstones_go_when_their_time_is_over(void)
{
    for (uint64_t seed = 100; seed < 110; seed++) {
        struct workload w;
        int64_t end, again;
        workload_init(&w, seed);
        workload_append(&w, 150);
        log_roll(w.log);
        CU_ASSERT_EQUAL_FATAL(workload_clean(&w, -1, 0, FIRST_TIME_MS, &end), 0);
        CU_ASSERT_EQUAL(end, log_end_offset(w.log));
        workload_check(&w, end, TOMBSTONES_STAY, false);
        // Just before.
        CU_ASSERT_EQUAL_FATAL(workload_clean(&w, end, 0, FIRST_TIME_MS + DAY_MS - 1, &again), 0);
        workload_check(&w, end, TOMBSTONES_STAY, false);
        workload_append(&w, 1);
        log_roll(w.log);
        CU_ASSERT_EQUAL_FATAL(workload_clean(&w, end, 0, FIRST_TIME_MS + DAY_MS, &again), 0);
        CU_ASSERT_TRUE(again > end);
        workload_check(&w, again, TOMBSTONES_MAY_GO, false);
        workload_fini(&w);
    }
}

static struct lent_segments lent_of(struct lent_segment *items, size_t count)
{
    return (struct lent_segments){ items, count, count };
}

// Groups end where one more segment would be too much in bytes, index entries or offsets.
static void groups_respect_the_limits(void)
{
    struct log_config config = log_config_default;
    config.segment_bytes = 1000;
    config.segment_index_bytes = 100;
    struct lent_segment s[] = { { NULL, 0, 400, 8, 12 },
                                { NULL, 10, 600, 8, 12 },
                                { NULL, 20, 1, 8, 12 },
                                { NULL, 30, 1, 92, 12 },
                                { NULL, 40, 1, 8, 12 },
                                { NULL, INT64_C(1) << 31, 0, 0, 0 },
                                { NULL, (INT64_C(1) << 31) + 41, 5, 8, 12 },
                                { NULL, (INT64_C(1) << 31) + 42, 5, 8, 12 } };
    int64_t upto = (INT64_C(1) << 31) + 50;
    struct lent_segments lent = lent_of(s, 8);
    CU_ASSERT_EQUAL(cleaner_group(&lent, 0, &config, upto), 2); // bytes
    CU_ASSERT_EQUAL(cleaner_group(&lent, 2, &config, upto), 2); // 8 + 92 index bytes, not more
    CU_ASSERT_EQUAL(cleaner_group(&lent, 4, &config, upto), 2); // an empty one counts for nothing
    CU_ASSERT_EQUAL(cleaner_group(&lent, 6, &config, upto), 2);
    lent.count = 1;
    CU_ASSERT_EQUAL(cleaner_group(&lent, 0, &config, 10), 1);
}

struct interruption {
    struct workload *w;
    int after;
    void (*what)(struct workload *w);
};

static bool interrupt(void *arg)
{
    struct interruption *interruption = arg;
    if (interruption->after-- != 0)
        return false;
    if (interruption->what == NULL)
        return true;
    interruption->what(interruption->w);
    return false;
}

static void truncate_low(struct workload *w)
{
    CU_ASSERT_EQUAL(log_truncate(w->log, 5), 0);
}

static void rename_for_deletion(struct workload *w)
{
    CU_ASSERT_EQUAL(log_rename(w->log, "/data/t-0.0123456789abcdef0123456789abcdef-delete", true),
                    0);
}

static int clean_interrupted(struct workload *w, int after, void (*what)(struct workload *w))
{
    struct interruption interruption = { w, after, what };
    struct cleaning cleaning = { .log = w->log,
                                 .trace = &w->trace,
                                 .clock = w->trace.clock,
                                 .map_bytes = 1 << 20,
                                 .map_load_factor = 0.9,
                                 .buffer_bytes = 4096,
                                 .now_ms = WORKLOAD_TIME_MS,
                                 .is_over = interrupt,
                                 .arg = &interruption };
    CU_ASSERT_EQUAL_FATAL(log_cleanable(w->log, -1, cleaning.now_ms, &cleaning.what), 0);
    int error = cleaner_clean(&cleaning);
    CU_ASSERT_EQUAL(cleaning.end_offset, error == 0 ? cleaning.end_offset : 0);
    return error;
}

// Given up at any moment, the log is sound, and the next cleaning does it all.
static void a_cleaning_may_be_given_up_at_any_moment(void)
{
    for (int after = 0; after < 12; after++) {
        struct workload w;
        int64_t end;
        workload_init(&w, 7);
        w.config.segment_bytes = 70000;
        log_set_config(w.log, &w.config);
        workload_append(&w, 1500);
        int error = clean_interrupted(&w, after, NULL);
        CU_ASSERT_TRUE(error == 0 || error == -ECANCELED);
        workload_check(&w, log_end_offset(w.log), TOMBSTONES_STAY, true);
        CU_ASSERT_EQUAL_FATAL(workload_reopen(&w, false), 0);
        CU_ASSERT_EQUAL_FATAL(workload_clean(&w, -1, 0, 0, &end), 0);
        workload_check(&w, end, TOMBSTONES_STAY, false);
        workload_fini(&w);
    }
}

// Nobody waits for the cleaner: what is truncated or on its way out under it makes it give up.
static void a_log_that_changes_makes_the_cleaning_give_up(void)
{
    static void (*const changes[])(struct workload *) = { truncate_low, rename_for_deletion };
    for (size_t i = 0; i < 2; i++) {
        for (int after = 0; after < 6; after++) {
            struct workload w;
            workload_init(&w, 8);
            workload_append(&w, 1500);
            int error = clean_interrupted(&w, after, changes[i]);
            CU_ASSERT_EQUAL(error, -ECANCELED);
            if (i == 0)
                CU_ASSERT_EQUAL(log_end_offset(w.log), 5);
            workload_fini(&w);
        }
    }
}

// Damage is told with its place, and left as it is; nothing is lost for it.
static void damage_sets_the_log_aside(void)
{
    struct workload w;
    int64_t end;
    size_t size;
    workload_init(&w, 9);
    workload_append(&w, 100);
    uint8_t *bytes = memory_disk_content(w.disk, "/data/t-0/00000000000000000000.log", &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    bytes[BATCH_HEADER_SIZE + 3] ^= 1;
    CU_ASSERT_EQUAL(workload_clean(&w, -1, 0, 0, &end), -EBADMSG);
    bytes = memory_disk_content(w.disk, "/data/t-0/00000000000000000000.log", &size);
    bytes[BATCH_HEADER_SIZE + 3] ^= 1;
    workload_check(&w, 0, TOMBSTONES_STAY, false);
    CU_ASSERT_EQUAL(workload_clean(&w, -1, 0, 0, &end), 0);
    workload_check(&w, end, TOMBSTONES_STAY, false);
    workload_fini(&w);
}

// Messages of magic 0 and 1 leave as batches, with offsets, times and codec of their own; a tombstone gets its horizon.
static void old_messages_become_batches(void)
{
    // Made by Kafka's own classes: magic 0, gzip; offset 100 "key" → "value", 101 null → "only value", 102 "tombstone".
    static const uint8_t old[] =
        "\x00\x00\x00\x00\x00\x00\x00\x66\x00\x00\x00\x68\x44\x65\x93\x55\x00\x01\xff\xff\xff\xff"
        "\x00\x00\x00\x5a\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x63\x60\x00\x83\x14\x20\x16\x53"
        "\x0e\x3b\x68\x0e\xe6\x31\x67\xa7\x56\x02\x29\xd6\xb2\xc4\x9c\xd2\x54\x88\x02\x06\x10\x2d"
        "\xf1\x78\x5e\x4d\x32\x03\xc3\x7f\x20\x00\xf2\xb8\xf2\xf3\x72\x2a\x15\x90\xd5\xa4\x01\xb1"
        "\xb8\xf5\x2d\xb3\x2d\x60\x1e\x67\x49\x7e\x6e\x52\x71\x49\x7e\x5e\x2a\x48\x03\x00\xf9\x75"
        "\xcb\x49\x69\x00\x00\x00";
    struct workload w;
    struct disk_file *file;
    int64_t end;
    workload_init(&w, 11);
    struct disk *disk = &w.disk->disk;
    CU_ASSERT_EQUAL_FATAL(disk_open(disk, "/data/t-0/00000000000000000000.log", DISK_WRITE, &file),
                          0);
    CU_ASSERT_EQUAL(disk_pwrite(file, old, sizeof old - 1, 0), 0);
    disk_file_unref(file);
    CU_ASSERT_EQUAL_FATAL(workload_reopen(&w, false), 0);
    CU_ASSERT_EQUAL(log_end_offset(w.log), 103);
    CU_ASSERT_EQUAL(log_roll(w.log), 0);
    CU_ASSERT_EQUAL_FATAL(workload_clean(&w, -1, 0, 0, &end), 0);
    CU_ASSERT_EQUAL(end, 103);
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t size = log_read_batches(w.log, 0, 4096, INT64_MAX, &buffer, &capacity);
    CU_ASSERT_TRUE_FATAL(size > BATCH_HEADER_SIZE);
    struct bytes batch = { buffer, (size_t)size };
    struct record_iter it;
    struct record record;
    CU_ASSERT_TRUE_FATAL(batch_is_intact(batch));
    CU_ASSERT_EQUAL(batch_compression(buffer), COMPRESSION_GZIP);
    CU_ASSERT_EQUAL(batch_last_offset(buffer), 102);
    CU_ASSERT_TRUE((batch_attributes(buffer) & BATCH_DELETE_HORIZON) != 0);
    CU_ASSERT_EQUAL(batch_base_timestamp(buffer), WORKLOAD_TIME_MS + w.config.delete_retention_ms);
    record_iter_init(&it, batch, RECORDS_WHOLE);
    CU_ASSERT_TRUE(record_iter_next(&it, &record));
    CU_ASSERT_TRUE(record.offset == 100 && record.timestamp == -1 && record.value_size == 5);
    CU_ASSERT_TRUE(record_iter_next(&it, &record));
    CU_ASSERT_TRUE(record.offset == 102 && record.timestamp == -1 && record.value_size == -1);
    CU_ASSERT_FALSE(record_iter_next(&it, &record));
    CU_ASSERT_EQUAL(it.error, RECORDS_OK);
    record_iter_fini(&it);
    mem_free(buffer);
    workload_fini(&w);
}

TEST_MAIN("cleaner", TEST(random_logs_keep_the_last_of_each_key),
          TEST(tombstones_go_when_their_time_is_over), TEST(groups_respect_the_limits),
          TEST(a_cleaning_may_be_given_up_at_any_moment),
          TEST(a_log_that_changes_makes_the_cleaning_give_up), TEST(damage_sets_the_log_aside),
          TEST(old_messages_become_batches))
