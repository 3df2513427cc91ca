// SPDX-License-Identifier: Apache-2.0
// What Kafka's share partition does, case by case.
#include "share/share_partition.h"

#include "share/testing_share_partition.h"

#define EXPECT_ACQUIRED(index, first, last, deliveries)                                            \
    do {                                                                                           \
        CU_ASSERT_FATAL(f.acquired.count > (index));                                               \
        CU_ASSERT_EQUAL(f.acquired.items[index].first_offset, first);                              \
        CU_ASSERT_EQUAL(f.acquired.items[index].last_offset, last);                                \
        CU_ASSERT_EQUAL(f.acquired.items[index].delivery_count, deliveries);                       \
    } while (0)

static void whole_batches_are_acquired_and_acknowledged(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 100, 10);
    CU_ASSERT_TRUE(share_partition_load(&f.partition, 0, 1, NULL, 0));
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 5, 3), 10); // more than 5: to the end of the batch
    EXPECT_ACQUIRED(0, 0, 9, 1);
    CU_ASSERT_EQUAL(acquire_as(&f, "b", 500, 2), 20);
    EXPECT_ACQUIRED(0, 10, 29, 1);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "b", 10, 29, SHARE_ACCEPT), KERR_NONE);
    CU_ASSERT_EQUAL(f.partition.start_offset, 0);
    CU_ASSERT_EQUAL(f.partition.delivery_complete_count, 20);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 9, SHARE_ACCEPT), KERR_NONE);
    CU_ASSERT_EQUAL(f.partition.start_offset, 30);
    CU_ASSERT_EQUAL(f.partition.end_offset, 30);
    CU_ASSERT_EQUAL(f.partition.delivery_complete_count, 0);
    CU_ASSERT_EQUAL(f.partition.flight.count, 0);
    partition_fixture_fini(&f);
}

static void batches_in_flight_begin_where_those_of_the_log_do(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 100, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    f.batch_size = 25;
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 10), 100);
    CU_ASSERT_EQUAL(f.acquired.count, 4);
    EXPECT_ACQUIRED(0, 0, 29, 1);
    EXPECT_ACQUIRED(3, 90, 99, 1);
    partition_fixture_fini(&f);
}

static void record_limit_gives_no_more_than_was_asked(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 100, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    f.is_record_limit = true;
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 4, 3), 4);
    EXPECT_ACQUIRED(0, 0, 3, 1);
    CU_ASSERT_EQUAL(share_partition_next_offset(&f.partition), 4);
    CU_ASSERT_EQUAL(acquire_as(&f, "b", 8, 3), 8);
    EXPECT_ACQUIRED(0, 4, 9, 1);
    EXPECT_ACQUIRED(1, 10, 11, 1);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "b", 0, 3, SHARE_ACCEPT), KERR_INVALID_RECORD_STATE);
    CU_ASSERT_STRING_EQUAL(f.message, "Member is not the owner of offset");
    partition_fixture_fini(&f);
}

static void wrong_acknowledgements_change_nothing(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 100, 10);
    share_partition_load(&f.partition, 5, 1, NULL, 0);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 3, SHARE_ACCEPT), KERR_NONE); // before the start
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 6, 8, SHARE_ACCEPT), KERR_INVALID_RECORD_STATE);
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 1), 5);
    EXPECT_ACQUIRED(0, 5, 9, 1);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "b", 5, 9, SHARE_ACCEPT), KERR_INVALID_RECORD_STATE);
    CU_ASSERT_STRING_EQUAL(f.message, "Member is not the owner of batch record");
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 5, 12, SHARE_ACCEPT), KERR_INVALID_REQUEST);
    CU_ASSERT_STRING_EQUAL(
        f.message, "Batch record not found. The last offset in request is past acquired records.");
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 20, 22, SHARE_ACCEPT), KERR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 5, 6, SHARE_ACCEPT), KERR_NONE);
    CU_ASSERT_EQUAL(f.partition.start_offset, 7);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 8, 8, SHARE_ACCEPT), KERR_NONE);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 7, 9, SHARE_ACCEPT), KERR_INVALID_RECORD_STATE);
    CU_ASSERT_STRING_EQUAL(f.message,
                           "The offset cannot be acknowledged. The offset is not acquired.");
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 7, 7, SHARE_ACCEPT), KERR_NONE); // 7 was taken back
    CU_ASSERT_EQUAL(f.partition.start_offset, 9);
    partition_fixture_fini(&f);
}

static void released_records_are_delivered_again_until_the_limit(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 10, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    f.limits.max_delivery_count = 2;
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 1), 10);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 9, SHARE_RELEASE), KERR_NONE);
    CU_ASSERT_EQUAL(share_partition_next_offset(&f.partition), 0);
    CU_ASSERT_EQUAL(acquire_as(&f, "b", 500, 1), 10);
    EXPECT_ACQUIRED(0, 0, 9, 2);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "b", 0, 9, SHARE_RELEASE), KERR_NONE);
    CU_ASSERT_EQUAL(f.partition.start_offset, 10); // archived
    partition_fixture_fini(&f);
}

static void records_often_delivered_come_with_few_others(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 16, 16);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    for (int delivery = 1; delivery <= 3; delivery++) {
        CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 1), 16);
        EXPECT_ACQUIRED(0, 0, 15, delivery);
        CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 15, SHARE_RELEASE), KERR_NONE);
    }
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 1), 8); // half
    EXPECT_ACQUIRED(0, 0, 7, 4);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 7, SHARE_RELEASE), KERR_NONE);
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 1), 1); // its last delivery: alone
    EXPECT_ACQUIRED(0, 0, 0, 5);
    partition_fixture_fini(&f);
}

static void locks_end_and_are_renewed(void)
{
    struct partition_fixture f;
    struct share_change change;
    partition_fixture_init(&f, 20, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    acquire_as(&f, "a", 500, 1);
    acquire_as(&f, "b", 500, 1);
    CU_ASSERT_EQUAL(share_partition_next_expiry_ms(&f.partition), 31000);
    f.now_ms = 30000;
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 9, SHARE_RENEW), KERR_NONE);
    f.now_ms = 31000;
    share_partition_expire(&f.partition, &f.limits, f.now_ms, &change);
    CU_ASSERT_EQUAL_FATAL(change.batches.count, 1);
    CU_ASSERT_EQUAL(change.batches.items[0].first_offset, 10);
    CU_ASSERT_EQUAL(change.batches.items[0].state, SHARE_AVAILABLE);
    CU_ASSERT_EQUAL(share_partition_next_offset(&f.partition), 10); // at once
    share_partition_settle(&f.partition, &f.limits, &change, true, f.now_ms);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "b", 10, 19, SHARE_ACCEPT), KERR_INVALID_RECORD_STATE);
    CU_ASSERT_EQUAL(share_partition_next_expiry_ms(&f.partition), 60000);
    f.limits.is_renew_enabled = false;
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 9, SHARE_RENEW), KERR_INVALID_RECORD_STATE);
    partition_fixture_fini(&f);
}

static void what_could_not_be_persisted_is_taken_back(void)
{
    struct partition_fixture f;
    struct share_change change, other;
    partition_fixture_init(&f, 20, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    acquire_as(&f, "a", 500, 2);
    CU_ASSERT_EQUAL(acknowledge_as(&f, "a", 0, 4, SHARE_ACCEPT, &change), KERR_NONE);
    CU_ASSERT_EQUAL(f.partition.delivery_complete_count, 5);
    CU_ASSERT_EQUAL(acknowledge_as(&f, "a", 0, 4, SHARE_ACCEPT, &other), KERR_INVALID_RECORD_STATE);
    CU_ASSERT_FALSE(share_partition_settle(&f.partition, &f.limits, &change, false, f.now_ms));
    CU_ASSERT_EQUAL(f.partition.delivery_complete_count, 0);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 4, SHARE_ACCEPT), KERR_NONE);
    CU_ASSERT_EQUAL(f.partition.start_offset, 5);
    CU_ASSERT_EQUAL(acknowledge_as(&f, "a", 5, 9, SHARE_ACCEPT, &change), KERR_NONE);
    f.now_ms = 40000; // the lock ends meanwhile
    share_partition_settle(&f.partition, &f.limits, &change, false, f.now_ms);
    CU_ASSERT_EQUAL(share_partition_next_offset(&f.partition), 5);
    partition_fixture_fini(&f);
}

static void a_session_that_ends_gives_back_what_it_has(void)
{
    struct partition_fixture f;
    struct share_change change;
    partition_fixture_init(&f, 20, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    acquire_as(&f, "a", 500, 1);
    acquire_as(&f, "b", 500, 1);
    share_partition_release(&f.partition, &f.limits, str_of("a"), &change);
    CU_ASSERT_EQUAL(change.batches.count, 1);
    share_partition_settle(&f.partition, &f.limits, &change, true, f.now_ms);
    CU_ASSERT_EQUAL(acquire_as(&f, "b", 500, 1), 10);
    EXPECT_ACQUIRED(0, 0, 9, 2);
    share_partition_release(&f.partition, &f.limits, str_of("nobody"), &change);
    CU_ASSERT_EQUAL(change.batches.count, 0);
    share_partition_settle(&f.partition, &f.limits, &change, true, f.now_ms);
    partition_fixture_fini(&f);
}

static void gaps_in_what_was_persisted_are_acquired(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 100, 10);
    struct share_batch persisted[] = { { 5, 9, 1, SHARE_ACKNOWLEDGED },
                                       { 20, 29, 1, SHARE_AVAILABLE },
                                       { 40, 49, 1, SHARE_ACKNOWLEDGED } };
    CU_ASSERT_TRUE(share_partition_load(&f.partition, 0, 3, persisted, 3));
    CU_ASSERT_EQUAL(f.partition.end_offset, 49);
    CU_ASSERT_EQUAL(f.partition.delivery_complete_count, 15);
    CU_ASSERT_EQUAL(share_partition_next_offset(&f.partition), 0);
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 4), 5 + 10 + 10 + 10);
    EXPECT_ACQUIRED(0, 0, 4, 1);
    EXPECT_ACQUIRED(1, 10, 19, 1);
    EXPECT_ACQUIRED(2, 20, 29, 2);
    EXPECT_ACQUIRED(3, 30, 39, 1);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 4, SHARE_ACCEPT), KERR_NONE);
    CU_ASSERT_EQUAL(f.partition.start_offset, 10);
    CU_ASSERT_EQUAL(share_partition_next_offset(&f.partition), 50);
    struct share_batch wrong[] = { { 5, 9, 1, SHARE_ACKNOWLEDGED } };
    struct share_partition other;
    share_partition_init(&other);
    CU_ASSERT_FALSE(share_partition_load(&other, 7, 3, wrong, 1));
    share_partition_fini(&other);
    partition_fixture_fini(&f);
}

static void the_log_start_takes_records_away(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 100, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    acquire_as(&f, "a", 500, 3);
    acknowledged_as(&f, "a", 10, 19, SHARE_RELEASE);
    share_partition_move_log_start(&f.partition, 25);
    CU_ASSERT_EQUAL(f.partition.start_offset, 25);
    CU_ASSERT_EQUAL(share_partition_next_offset(&f.partition), 30);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 0, 9, SHARE_ACCEPT), KERR_NONE); // nobody minds
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 20, 29, SHARE_ACCEPT), KERR_NONE);
    CU_ASSERT_EQUAL(f.partition.start_offset, 25); // until the locks of 0 to 9 have ended
    struct share_change change;
    f.now_ms += 30000;
    share_partition_expire(&f.partition, &f.limits, f.now_ms, &change);
    CU_ASSERT_EQUAL(change.batches.items[0].state, SHARE_ARCHIVED);
    share_partition_settle(&f.partition, &f.limits, &change, true, f.now_ms);
    CU_ASSERT_EQUAL(f.partition.start_offset, 30);
    partition_fixture_fini(&f);
}

static void records_of_aborted_transactions_are_passed_over(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 30, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    f.aborted_base = 10;
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 3), 20);
    EXPECT_ACQUIRED(0, 0, 9, 1);
    EXPECT_ACQUIRED(1, 20, 29, 1);
    acknowledged_as(&f, "a", 0, 9, SHARE_ACCEPT);
    CU_ASSERT_EQUAL(f.partition.start_offset, 20);
    partition_fixture_fini(&f);
}

static void only_so_many_are_in_flight(void)
{
    struct partition_fixture f;
    partition_fixture_init(&f, 500, 10);
    share_partition_load(&f.partition, 0, 1, NULL, 0);
    f.limits.max_in_flight = 100;
    CU_ASSERT_EQUAL(acquire_as(&f, "a", 500, 20), 100);
    CU_ASSERT_EQUAL(acquire_as(&f, "b", 500, 20), 0);
    CU_ASSERT_EQUAL(acknowledged_as(&f, "a", 40, 49, SHARE_RELEASE), KERR_NONE);
    CU_ASSERT_EQUAL(acquire_as(&f, "b", 500, 20), 10); // only what is in flight
    EXPECT_ACQUIRED(0, 40, 49, 2);
    partition_fixture_fini(&f);
}

TEST_MAIN("share_partition", TEST(whole_batches_are_acquired_and_acknowledged),
          TEST(batches_in_flight_begin_where_those_of_the_log_do),
          TEST(record_limit_gives_no_more_than_was_asked),
          TEST(wrong_acknowledgements_change_nothing),
          TEST(released_records_are_delivered_again_until_the_limit),
          TEST(records_often_delivered_come_with_few_others), TEST(locks_end_and_are_renewed),
          TEST(what_could_not_be_persisted_is_taken_back),
          TEST(a_session_that_ends_gives_back_what_it_has),
          TEST(gaps_in_what_was_persisted_are_acquired), TEST(the_log_start_takes_records_away),
          TEST(records_of_aborted_transactions_are_passed_over), TEST(only_so_many_are_in_flight))
