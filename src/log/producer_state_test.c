// SPDX-License-Identifier: Apache-2.0
#include "log/producer_state.h"

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/testing.h"
#include "log/disk_testing.h"
#include "record/batch_builder.h"

#define B(z) ((struct bytes){ (const uint8_t *)(z), sizeof(z) - 1 })

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return 1700000000000;
}

static struct clock test_clock = { test_wall_ms, test_wall_ms };
static struct trace trace;
static struct memory_disk *disk;
static struct log_files files;
static struct producer_state state;
static struct batch_builder builder;

enum { EXPIRATION_MS = 1000 };

static void begin(void)
{
    trace_init(&trace, &test_clock, TRACE_DEBUG, -1);
    disk = memory_disk_new(1);
    files = (struct log_files){ &disk->disk, &test_clock, &trace, (char *)"/t-0" };
    disk->disk.ops->mkdir(&disk->disk, "/t-0");
    producer_state_init(&state, &files, EXPIRATION_MS);
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
}

static void end(void)
{
    batch_builder_fini(&builder);
    producer_state_fini(&state);
    memory_disk_free(disk);
    trace_fini(&trace);
}

// A batch of `count` records from producer 7, valid until the next one.
static struct bytes make(int16_t epoch, int32_t sequence, int count, int64_t offset,
                         bool is_transactional)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .base_offset = offset,
                                     .is_transactional = is_transactional };
    options.producer_id = 7;
    options.producer_epoch = epoch;
    options.base_sequence = sequence;
    batch_builder_reset(&builder, &options);
    for (int i = 0; i < count; i++)
        batch_builder_add(&builder, 1700000000000, B("k"), B("v"));
    return batch_builder_finish(&builder);
}

static struct bytes marker(int64_t producer_id, int16_t epoch, enum control_type type,
                           int32_t coordinator_epoch, int64_t offset)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .base_offset = offset,
                                     .is_transactional = true, .is_control = true };
    options.producer_id = producer_id;
    options.producer_epoch = epoch;
    uint8_t key[CONTROL_KEY_SIZE], value[END_TXN_MARKER_SIZE];
    control_key_encode(key, type);
    end_txn_marker_encode(value, coordinator_epoch);
    batch_builder_reset(&builder, &options);
    batch_builder_add(&builder, 1700000000000, (struct bytes){ key, sizeof key },
                      (struct bytes){ value, sizeof value });
    return batch_builder_finish(&builder);
}

static enum kafka_error check(struct bytes batch)
{
    return producer_state_check(&state, batch, true, 0, VERIFICATION_NOT_REQUIRED);
}

static void apply(struct bytes batch)
{
    struct completed_txn completed;
    CU_ASSERT_EQUAL(check(batch), KERR_NONE);
    CU_ASSERT_FALSE(producer_state_apply(&state, batch, &completed));
}

// An unknown producer may begin anywhere; then each batch follows the last, and a new epoch begins with 0.
static void sequences_are_held(void)
{
    begin();
    apply(make(0, 100, 10, 0, false));
    CU_ASSERT_EQUAL(check(make(0, 109, 1, 10, false)), KERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(check(make(0, 111, 1, 10, false)), KERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(producer_state_check(&state, make(0, 111, 1, 10, false), false, 0,
                                         VERIFICATION_NOT_REQUIRED),
                    KERR_NONE);
    apply(make(0, 110, 1, 10, false));
    CU_ASSERT_EQUAL(check(make(1, 1, 1, 11, false)), KERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    apply(make(1, 0, 1, 11, false));
    CU_ASSERT_EQUAL(check(make(0, 111, 1, 12, false)), KERR_INVALID_PRODUCER_EPOCH);
    CU_ASSERT_EQUAL(state.map_end_offset, 12);
    end();
}

// After 2^31-1 comes 0, also in the middle of a batch.
static void sequences_wrap(void)
{
    begin();
    apply(make(0, INT32_MAX - 1, 4, 0, false)); // …, 2^31-1, 0, 1
    CU_ASSERT_EQUAL(check(make(0, 3, 1, 4, false)), KERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_PTR_NOT_NULL(
        producer_state_duplicate(&state, make(0, INT32_MAX - 1, 4, 4, false).data));
    apply(make(0, 2, 1, 4, false));
    apply(make(1, 0, 1, 5, false));
    apply(make(2, 0, 1, 6, false));
    state.map_end_offset = 7;
    end();
}

// The last five batches are remembered, by first and last sequence.
static void five_batches_are_recognized(void)
{
    begin();
    for (int32_t i = 0; i < 7; i++)
        apply(make(0, i * 2, 2, i * 2, false));
    for (int32_t i = 0; i < 7; i++) {
        const struct producer_batch *found =
            producer_state_duplicate(&state, make(0, i * 2, 2, 14, false).data);
        CU_ASSERT_EQUAL(found != NULL, i >= 2);
        CU_ASSERT_TRUE(found == NULL || found->last_offset - found->offset_delta == i * 2);
    }
    CU_ASSERT_PTR_NULL(producer_state_duplicate(&state, make(0, 12, 1, 14, false).data));
    CU_ASSERT_PTR_NULL(producer_state_duplicate(&state, make(1, 12, 2, 14, false).data));
    end();
}

// A transaction holds the stable offset from its first batch until its marker is below the high watermark.
static void transactions_hold_the_stable_offset(void)
{
    begin();
    struct completed_txn completed;
    apply(make(3, 0, 1, 10, true));
    apply(make(3, 1, 1, 11, true));
    CU_ASSERT_EQUAL(producer_state_first_unstable(&state), 10);
    CU_ASSERT_EQUAL(check(make(3, 2, 1, 12, false)), KERR_INVALID_TXN_STATE);
    CU_ASSERT_EQUAL(check(marker(7, 2, CONTROL_COMMIT, 5, 12)), KERR_INVALID_PRODUCER_EPOCH);
    CU_ASSERT_EQUAL(check(marker(7, 3, CONTROL_ABORT, 5, 12)), KERR_NONE);
    CU_ASSERT_TRUE_FATAL(
        producer_state_apply(&state, marker(7, 3, CONTROL_ABORT, 5, 12), &completed));
    CU_ASSERT_EQUAL(completed.first_offset, 10);
    CU_ASSERT_EQUAL(completed.last_offset, 12);
    CU_ASSERT_TRUE(completed.is_aborted);
    CU_ASSERT_EQUAL(producer_state_stable_after(&state, &completed), 13);
    producer_state_complete(&state, &completed);
    CU_ASSERT_EQUAL(producer_state_first_unstable(&state), 10);
    producer_state_on_high_watermark(&state, 12);
    CU_ASSERT_EQUAL(producer_state_first_unstable(&state), 10);
    producer_state_on_high_watermark(&state, 13);
    CU_ASSERT_EQUAL(producer_state_first_unstable(&state), -1);
    CU_ASSERT_EQUAL(check(marker(7, 3, CONTROL_ABORT, 4, 13)), KERR_TRANSACTION_COORDINATOR_FENCED);
    // Transactions of version 2: the marker brings a newer epoch, or is a retry after the end (KIP-890).
    CU_ASSERT_EQUAL(producer_state_check(&state, marker(7, 3, CONTROL_ABORT, 5, 13), false, 2,
                                         VERIFICATION_NOT_REQUIRED),
                    KERR_NONE);
    apply(make(3, 2, 1, 13, true));
    CU_ASSERT_EQUAL(producer_state_check(&state, marker(7, 3, CONTROL_ABORT, 5, 14), false, 2,
                                         VERIFICATION_NOT_REQUIRED),
                    KERR_INVALID_PRODUCER_EPOCH);
    CU_ASSERT_EQUAL(producer_state_check(&state, marker(7, 4, CONTROL_ABORT, 5, 14), false, 2,
                                         VERIFICATION_NOT_REQUIRED),
                    KERR_NONE);
    end();
}

static void a_snapshot_brings_back_the_last_batch(void)
{
    begin();
    for (int32_t i = 0; i < 3; i++)
        apply(make(4, i, 1, i, true));
    CU_ASSERT_EQUAL(producer_state_take_snapshot(&state, true), 0);
    size_t size;
    uint8_t *content = memory_disk_content(disk, "/t-0/00000000000000000003.snapshot", &size);
    CU_ASSERT_EQUAL_FATAL(size, 10 + 46);
    CU_ASSERT_EQUAL(get_be16(content), 1);
    CU_ASSERT_EQUAL(get_be32(content + 2), crc32c(content + 6, size - 6));
    CU_ASSERT_EQUAL(get_be64(content + 10), 7);
    CU_ASSERT_EQUAL(get_be32(content + 20), 2); // last sequence
    producer_state_fini(&state);

    producer_state_init(&state, &files, EXPIRATION_MS);
    producer_state_add_snapshot(&state, 3);
    CU_ASSERT_EQUAL(producer_state_reload(&state, 0, 5, 1700000000000), 0);
    CU_ASSERT_EQUAL(state.map_end_offset, 3);
    CU_ASSERT_EQUAL(producer_state_first_unstable(&state), 0);
    CU_ASSERT_PTR_NOT_NULL(producer_state_duplicate(&state, make(4, 2, 1, 3, true).data));
    CU_ASSERT_PTR_NULL(producer_state_duplicate(&state, make(4, 1, 1, 3, true).data));
    apply(make(4, 3, 1, 3, true));
    end();
}

// A damaged snapshot is deleted and the one before it taken; one behind the log's end goes.
static void damaged_snapshots_are_passed_over(void)
{
    begin();
    apply(make(0, 0, 1, 0, false));
    CU_ASSERT_EQUAL(producer_state_take_snapshot(&state, true), 0);
    apply(make(0, 1, 1, 1, false));
    CU_ASSERT_EQUAL(producer_state_take_snapshot(&state, true), 0);
    apply(make(0, 2, 1, 2, false));
    CU_ASSERT_EQUAL(producer_state_take_snapshot(&state, true), 0);
    size_t size;
    memory_disk_content(disk, "/t-0/00000000000000000002.snapshot", &size)[20] ^= 1;
    state.map_end_offset = -1;
    CU_ASSERT_EQUAL(producer_state_reload(&state, 0, 2, 1700000000000), 0);
    CU_ASSERT_EQUAL(state.map_end_offset, 1);
    CU_ASSERT_EQUAL(state.snapshot_count, 1);
    CU_ASSERT_FALSE(disk_exists(&disk->disk, "/t-0/00000000000000000003.snapshot"));
    CU_ASSERT_FALSE(disk_exists(&disk->disk, "/t-0/00000000000000000002.snapshot"));
    CU_ASSERT_TRUE(disk_exists(&disk->disk, "/t-0/00000000000000000001.snapshot"));
    end();
}

// The silent are forgotten, unless a transaction is open.
static void silent_producers_expire(void)
{
    begin();
    apply(make(0, 0, 1, 0, false));
    producer_state_expire(&state, 1700000000000 + EXPIRATION_MS - 1);
    CU_ASSERT_EQUAL(state.entries.count, 1);
    producer_state_expire(&state, 1700000000000 + EXPIRATION_MS);
    CU_ASSERT_EQUAL(state.entries.count, 0);
    apply(make(0, 5, 1, 1, true));
    producer_state_expire(&state, 1700000000000 + 10 * EXPIRATION_MS);
    CU_ASSERT_EQUAL(state.entries.count, 1);
    end();
}

TEST_MAIN("producer_state", TEST(sequences_are_held), TEST(sequences_wrap),
          TEST(five_batches_are_recognized), TEST(transactions_hold_the_stable_offset),
          TEST(a_snapshot_brings_back_the_last_batch), TEST(damaged_snapshots_are_passed_over),
          TEST(silent_producers_expire))
