// SPDX-License-Identifier: Apache-2.0
// The three indexes over a disk in memory.
#include "log/index_file.h"

#include <errno.h>

#include "base/testing.h"
#include "log/disk_testing.h"
#include "log/offset_index.h"
#include "log/time_index.h"
#include "log/txn_index.h"

enum { BASE = 1000 };

static struct memory_disk *disk;
static struct log_files files;

static void begin(void)
{
    disk = memory_disk_new(1);
    files = (struct log_files){ &disk->disk, NULL, NULL, (char *)"/t-0" };
    disk->disk.ops->mkdir(&disk->disk, "/t-0");
}

static void end(void)
{
    memory_disk_free(disk);
}

static void fill(struct index_file *index, int count)
{
    for (int i = 1; i <= count; i++)
        CU_ASSERT_EQUAL_FATAL(offset_index_append(index, BASE + 10 * i, 5000 * i), 0);
}

static int32_t position_of(struct index_file *index, int64_t offset)
{
    struct offset_position found;
    CU_ASSERT_EQUAL(offset_index_find(index, offset, &found), 0);
    return found.position;
}

// The floor entry is found wherever it lies: in memory, in the file, before the first.
static void lookups_find_the_floor(void)
{
    static const int counts[] = { 0, 1, 2, 511, 512, 513, 5000 };
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        begin();
        struct index_file index;
        offset_index_init(&index, &files, BASE, 10 << 20);
        index_file_reset(&index);
        int count = counts[n];
        fill(&index, count);
        CU_ASSERT_EQUAL(position_of(&index, BASE), 0);
        CU_ASSERT_EQUAL(position_of(&index, BASE + 9), 0);
        for (int i = 1; i <= count; i += i < 20 || i > count - 20 ? 1 : 37) {
            CU_ASSERT_EQUAL(position_of(&index, BASE + 10 * i), 5000 * i);
            CU_ASSERT_EQUAL(position_of(&index, BASE + 10 * i + 9), 5000 * i);
        }
        CU_ASSERT_EQUAL(index_file_write_out(&index), 0);
        index_file_close(&index);
        for (int i = 1; i <= count; i += 41)
            CU_ASSERT_EQUAL(position_of(&index, BASE + 10 * i + 3), 5000 * i);
        index_file_fini(&index);
        end();
    }
}

enum { UNEVEN_COUNT = 5000, UNEVEN_JUMP = 100000000 };

static void expect_uneven(struct index_file *index, int count, int jump_at)
{
    CU_ASSERT_EQUAL(position_of(index, BASE + 9), 0);
    if (count > jump_at) {
        CU_ASSERT_EQUAL(position_of(index, BASE + UNEVEN_JUMP / 2), 5000 * jump_at);
    }
    CU_ASSERT_EQUAL(position_of(index, BASE + 2 * UNEVEN_JUMP), 5000 * count);
    for (int i = 1; i <= count; i++) {
        int64_t offset = BASE + 10 * i + (i > jump_at ? UNEVEN_JUMP : 0);
        CU_ASSERT_EQUAL(position_of(index, offset), 5000 * i);
        CU_ASSERT_EQUAL(position_of(index, offset + 9), 5000 * i);
    }
}

// Where offsets do not go up evenly, so that a place that is reckoned is wrong: with the newest entries in memory, with
// all in the file, found there by another process, and cut.
static void lookups_find_the_floor_of_uneven_entries(void)
{
    static const int jump_at[] = { 0, 100, 2500, 4600, 4990 };
    for (size_t n = 0; n < sizeof jump_at / sizeof *jump_at; n++) {
        begin();
        struct index_file index;
        offset_index_init(&index, &files, BASE, 10 << 20);
        index_file_reset(&index);
        for (int i = 1; i <= UNEVEN_COUNT; i++)
            CU_ASSERT_EQUAL_FATAL(
                offset_index_append(&index, BASE + 10 * i + (i > jump_at[n] ? UNEVEN_JUMP : 0),
                                    5000 * i),
                0);
        expect_uneven(&index, UNEVEN_COUNT, jump_at[n]);
        CU_ASSERT_EQUAL(index_file_write_out(&index), 0);
        index_file_close(&index);
        expect_uneven(&index, UNEVEN_COUNT, jump_at[n]);
        index_file_fini(&index);
        offset_index_init(&index, &files, BASE, 10 << 20);
        CU_ASSERT_EQUAL(index_file_load(&index), 0);
        expect_uneven(&index, UNEVEN_COUNT, jump_at[n]);
        CU_ASSERT_EQUAL(index_file_truncate(&index, 4800), 0);
        expect_uneven(&index, 4800, jump_at[n]);
        index_file_fini(&index);
        end();
    }
}

// What was written comes back, also behind the zeros of an index that Kafka preallocated.
static void a_preallocated_tail_is_left_out(void)
{
    static const int counts[] = { 0, 1, 7, 600 };
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        begin();
        struct index_file index;
        offset_index_init(&index, &files, BASE, 10 << 20);
        index_file_reset(&index);
        fill(&index, counts[n]);
        CU_ASSERT_EQUAL(index_file_write_out(&index), 0);
        CU_ASSERT_EQUAL(disk->disk.ops->truncate(index.file, 10485760), 0);
        index_file_fini(&index);

        offset_index_init(&index, &files, BASE, 10 << 20);
        CU_ASSERT_EQUAL(index_file_load(&index), 0);
        CU_ASSERT_EQUAL(index.count, counts[n]);
        CU_ASSERT_EQUAL(index_file_write_out(&index), 0);
        CU_ASSERT_EQUAL(disk_file_size(index.file), counts[n] * 8);
        index_file_fini(&index);
        end();
    }
}

static void entries_must_ascend_and_fit(void)
{
    begin();
    struct index_file index;
    offset_index_init(&index, &files, BASE, 17); // two entries
    index_file_reset(&index);
    CU_ASSERT_EQUAL(offset_index_append(&index, BASE + 5, 100), 0);
    CU_ASSERT_EQUAL(offset_index_append(&index, BASE + 5, 200), -EINVAL);
    CU_ASSERT_EQUAL(offset_index_append(&index, BASE + 6, 100), -EINVAL);
    CU_ASSERT_FALSE(offset_index_is_full(&index));
    CU_ASSERT_EQUAL(offset_index_append(&index, BASE + 6, 200), 0);
    CU_ASSERT_TRUE(offset_index_is_full(&index));
    index_file_fini(&index);

    CU_ASSERT_EQUAL(index_file_load(&index), 0); // still marked as loaded
    offset_index_init(&index, &files, BASE, 17);
    CU_ASSERT_EQUAL(index_file_load(&index), -ENOENT);
    CU_ASSERT_EQUAL(
        disk_write_atomic(&disk->disk, "/t-0/00000000000000001000.index", "123456789", 9), 0);
    offset_index_init(&index, &files, BASE, 17);
    CU_ASSERT_EQUAL(index_file_load(&index), -EBADMSG);
    index_file_fini(&index);
    end();
}

static void truncation_drops_what_is_behind(void)
{
    begin();
    struct index_file index;
    offset_index_init(&index, &files, BASE, 10 << 20);
    index_file_reset(&index);
    fill(&index, 2000);
    CU_ASSERT_EQUAL(offset_index_truncate(&index, BASE + 10 * 1999), 0);
    CU_ASSERT_EQUAL(index.count, 1998);
    CU_ASSERT_EQUAL(offset_index_truncate(&index, BASE + 10 * 77 + 1), 0);
    CU_ASSERT_EQUAL(index.count, 77);
    CU_ASSERT_EQUAL(position_of(&index, BASE + 100000), 77 * 5000);
    CU_ASSERT_EQUAL(offset_index_append(&index, BASE + 10 * 78, 78 * 5000), 0);
    CU_ASSERT_EQUAL(index_file_sync(&index), 0);
    CU_ASSERT_EQUAL(disk_file_size(index.file), 78 * 8);
    index_file_fini(&index);
    end();
}

static void times_are_found(void)
{
    begin();
    struct index_file index;
    struct timestamp_offset found;
    time_index_init(&index, &files, BASE, 1200);
    index_file_reset(&index);
    CU_ASSERT_EQUAL(time_index_find(&index, 5, &found), 0);
    CU_ASSERT_EQUAL(found.timestamp, -1);
    CU_ASSERT_EQUAL(found.offset, BASE);
    CU_ASSERT_EQUAL(time_index_append(&index, 100, BASE + 3), 0);
    CU_ASSERT_EQUAL(time_index_append(&index, 100, BASE + 4), 0); // nothing new
    CU_ASSERT_EQUAL(index.count, 1);
    CU_ASSERT_EQUAL(time_index_append(&index, 200, BASE + 2), -EINVAL);
    CU_ASSERT_EQUAL(time_index_append(&index, 200, BASE + 30), 0);
    CU_ASSERT_EQUAL(time_index_find(&index, 99, &found), 0);
    CU_ASSERT_EQUAL(found.offset, BASE);
    CU_ASSERT_EQUAL(time_index_find(&index, 199, &found), 0);
    CU_ASSERT_EQUAL(found.offset, BASE + 3);
    CU_ASSERT_EQUAL(time_index_find(&index, 1000, &found), 0);
    CU_ASSERT_EQUAL(found.timestamp, 200);
    CU_ASSERT_EQUAL(time_index_truncate(&index, BASE + 30), 0);
    CU_ASSERT_EQUAL(time_index_last(&index, &found), 0);
    CU_ASSERT_EQUAL(found.offset, BASE + 3);
    index_file_fini(&index);
    end();
}

static void aborted_transactions_are_kept(void)
{
    begin();
    struct txn_index index;
    struct aborted_txn txn = { 7, BASE + 1, BASE + 5, BASE + 6 }, got;
    txn_index_init(&index, &files, BASE);
    CU_ASSERT_EQUAL(txn_index_load(&index), 0);
    CU_ASSERT_FALSE(disk_exists(&disk->disk, "/t-0/00000000000000001000.txnindex"));
    CU_ASSERT_EQUAL(txn_index_append(&index, &txn), 0);
    txn.last_offset = BASE + 9;
    CU_ASSERT_EQUAL(txn_index_append(&index, &txn), 0);
    txn_index_fini(&index);

    txn_index_init(&index, &files, BASE);
    CU_ASSERT_EQUAL(txn_index_load(&index), 0);
    CU_ASSERT_EQUAL_FATAL(index.count, 2);
    CU_ASSERT_EQUAL(txn_index_read(&index, 1, &got), 0);
    CU_ASSERT_EQUAL(got.last_offset, BASE + 9);
    CU_ASSERT_EQUAL(got.last_stable_offset, BASE + 6);
    CU_ASSERT_EQUAL(txn_index_truncate(&index, BASE + 9), 0);
    CU_ASSERT_EQUAL(index.count, 1);
    txn_index_fini(&index);
    txn_index_init(&index, &files, BASE + 100); // another segment's
    CU_ASSERT_EQUAL(disk->disk.ops->rename(&disk->disk, "/t-0/00000000000000001000.txnindex",
                                           "/t-0/00000000000000001100.txnindex"),
                    0);
    CU_ASSERT_EQUAL(txn_index_load(&index), -EBADMSG);
    txn_index_fini(&index);
    end();
}

TEST_MAIN("index_file", TEST(lookups_find_the_floor),
          TEST(lookups_find_the_floor_of_uneven_entries), TEST(a_preallocated_tail_is_left_out),
          TEST(entries_must_ascend_and_fit), TEST(truncation_drops_what_is_behind),
          TEST(times_are_found), TEST(aborted_transactions_are_kept))
