// SPDX-License-Identifier: Apache-2.0
// The coordinator over a log in memory: what each step answers is Kafka's (the twin area `transactions` has the same
// against the real broker); here are the things that need a clock, faults or restarts in the right place.
#include "txn/testing_txns.h"

static void one_transaction_after_the_other(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    CU_ASSERT_EQUAL(tester_init(&p), KERR_NONE);
    CU_ASSERT_EQUAL(p.now.id, 1000);
    CU_ASSERT_EQUAL(p.now.epoch, 0);
    CU_ASSERT_EQUAL(tester_verify(&p, "t", 0), KERR_TRANSACTION_ABORTABLE);
    CU_ASSERT_EQUAL(tester_add(&p, "t", 0), KERR_NONE);
    CU_ASSERT_EQUAL(tester_add(&p, "t", 0), KERR_NONE);
    CU_ASSERT_EQUAL(tester_add(&p, "u", 3), KERR_NONE);
    CU_ASSERT_EQUAL(tester_verify(&p, "u", 3), KERR_NONE);
    CU_ASSERT_TRUE(tester_is(&p, "Ongoing"));
    CU_ASSERT_EQUAL(tester_describe(&p).topics_count, 2);
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NONE);
    CU_ASSERT_EQUAL(p.now.epoch, 1);
    CU_ASSERT_TRUE(tester_is(&p, "CompleteCommit"));
    CU_ASSERT_EQUAL_FATAL(f.marker_count, 2);
    CU_ASSERT_EQUAL(f.markers[1].producer_epoch, 1);
    CU_ASSERT_TRUE(f.markers[1].is_commit);
    CU_ASSERT_STRING_EQUAL(f.markers[1].topic, "u");
    CU_ASSERT_EQUAL(f.markers[1].partition, 3);
    // An abort of what never began is fine, once for each epoch.
    CU_ASSERT_EQUAL(tester_end(&p, false), KERR_NONE);
    CU_ASSERT_EQUAL(p.now.epoch, 2);
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_INVALID_TXN_STATE);
    CU_ASSERT_EQUAL(f.marker_count, 2);
    txn_fixture_fini(&f);
}

static void markers_on_their_way_hold_everything_up(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    tester_add(&p, "t", 0);
    f.holds_markers = true;
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.held);
    CU_ASSERT_TRUE(tester_is(&p, "PrepareCommit"));
    CU_ASSERT_EQUAL(tester_add(&p, "t", 0), KERR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_EQUAL(tester_verify(&p, "t", 0), KERR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_EQUAL(tester_init(&p), KERR_CONCURRENT_TRANSACTIONS);
    fixture_deliver(&f, f.held);
    CU_ASSERT_TRUE(tester_is(&p, "CompleteCommit"));
    CU_ASSERT_EQUAL(tester_init(&p), KERR_NONE);
    txn_fixture_fini(&f);
}

static void an_unready_partition_is_asked_again(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    tester_add(&p, "t", 0);
    f.marker_error = KERR_NOT_LEADER_OR_FOLLOWER;
    CU_ASSERT_EQUAL(tester_end(&p, false), KERR_NONE);
    testing_advance(&f.log, 1000);
    CU_ASSERT_TRUE(tester_is(&p, "PrepareAbort"));
    f.marker_error = KERR_NONE;
    testing_advance(&f.log, 1000);
    CU_ASSERT_TRUE(tester_is(&p, "CompleteAbort"));
    CU_ASSERT_EQUAL(f.marker_count, 1);
    txn_fixture_fini(&f);
}

static void a_refusing_partition_stops_the_end(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    tester_add(&p, "t", 0);
    f.marker_error = KERR_TRANSACTION_COORDINATOR_FENCED;
    tester_end(&p, false);
    f.marker_error = KERR_NONE;
    testing_advance(&f.log, 60000);
    CU_ASSERT_TRUE(tester_is(&p, "PrepareAbort"));
    txn_fixture_restart(&f); // until somebody else leads the partition
    CU_ASSERT_TRUE(tester_is(&p, "CompleteAbort"));
    txn_fixture_fini(&f);
}

static void a_restart_carries_out_what_was_prepared(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    tester_add(&p, "t", 7);
    f.holds_markers = true;
    tester_end(&p, true);
    struct txn_marker *lost = f.held;
    f.held = NULL;
    f.holds_markers = false;
    struct txn_coordinator *old = f.txns;
    f.epoch++;
    txn_fixture_open(&f);
    CU_ASSERT_TRUE(tester_is(&p, "CompleteCommit"));
    CU_ASSERT_EQUAL_FATAL(f.marker_count, 1);
    CU_ASSERT_EQUAL(f.markers[0].coordinator_epoch, 1);
    CU_ASSERT_EQUAL(f.markers[0].partition, 7);
    // The old coordinator has resigned when the answer to its marker comes.
    for (int32_t i = 0; i < TESTING_PARTITIONS; i++)
        coordinator_resigned(txn_coordinator_engine(old), i, -1);
    lost->on_written(lost);
    txn_coordinator_free(old);
    txn_fixture_fini(&f);
}

static void an_open_transaction_survives_a_restart(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    tester_add(&p, "t", 0);
    txn_fixture_restart(&f);
    CU_ASSERT_TRUE(tester_is(&p, "Ongoing"));
    CU_ASSERT_EQUAL(tester_add(&p, "u", 0), KERR_NONE);
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NONE);
    CU_ASSERT_EQUAL(f.marker_count, 2);
    txn_fixture_fini(&f);
}

static void whoever_takes_too_long_is_aborted_and_fenced(void)
{
    for (int16_t version = 0; version <= 2; version++) {
        struct txn_fixture f;
        txn_fixture_init(&f, version);
        struct txn_tester p = tester_new(&f, "id");
        tester_init(&p);
        tester_add(&p, "t", 0);
        testing_advance(&f.log, 59000);
        CU_ASSERT_TRUE(tester_is(&p, "Ongoing"));
        testing_advance(&f.log, 12000);
        CU_ASSERT_TRUE(tester_is(&p, "CompleteAbort"));
        CU_ASSERT_EQUAL_FATAL(f.marker_count, 1);
        CU_ASSERT_FALSE(f.markers[0].is_commit);
        CU_ASSERT_EQUAL(f.markers[0].producer_epoch, 1);
        CU_ASSERT_EQUAL(tester_add(&p, "t", 0), KERR_PRODUCER_FENCED);
        // With version 2 its commit looks like the retry of an end that has another outcome.
        CU_ASSERT_EQUAL(tester_end(&p, true),
                        version >= 2 ? KERR_INVALID_TXN_STATE : KERR_PRODUCER_FENCED);
        txn_fixture_fini(&f);
    }
}

static void a_newcomer_aborts_and_fences(void)
{
    for (int16_t version = 0; version <= 2; version++) {
        struct txn_fixture f;
        txn_fixture_init(&f, version);
        struct txn_tester p = tester_new(&f, "id"), q = tester_new(&f, "id");
        tester_init(&p);
        tester_add(&p, "t", 0);
        CU_ASSERT_EQUAL(tester_init(&q), KERR_CONCURRENT_TRANSACTIONS);
        CU_ASSERT_EQUAL(tester_init(&q), KERR_NONE);
        CU_ASSERT_EQUAL(q.now.id, p.now.id);
        CU_ASSERT_EQUAL(q.now.epoch, 2);
        CU_ASSERT_EQUAL(tester_add(&p, "t", 0), KERR_PRODUCER_FENCED);
        CU_ASSERT_EQUAL(tester_end(&p, true), KERR_PRODUCER_FENCED);
        CU_ASSERT_EQUAL(tester_add(&q, "t", 0), KERR_NONE);
        CU_ASSERT_EQUAL(tester_end(&q, true), KERR_NONE);
        txn_fixture_fini(&f);
    }
}

static void exhausted_epochs_take_another_producer_id(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    int64_t first = p.now.id;
    while (p.now.epoch < EPOCH_EXHAUSTED) {
        CU_ASSERT_EQUAL_FATAL(tester_end(&p, false), KERR_NONE);
        arena_reset(&f.arena);
        p.name = str_of("id");
    }
    CU_ASSERT_EQUAL(p.now.id, first);
    CU_ASSERT_EQUAL(tester_add(&p, "t", 0), KERR_NONE);
    struct txn_tester again = p;
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NONE);
    CU_ASSERT_NOT_EQUAL(p.now.id, first);
    CU_ASSERT_EQUAL(p.now.epoch, 0);
    CU_ASSERT_EQUAL(f.markers[f.marker_count - 1].producer_id, first);
    CU_ASSERT_EQUAL(f.markers[f.marker_count - 1].producer_epoch, INT16_MAX);
    // Its answer was lost: it comes again with the old id.
    CU_ASSERT_EQUAL(tester_end(&again, true), KERR_NONE);
    CU_ASSERT_EQUAL(again.now.id, p.now.id);
    CU_ASSERT_EQUAL(again.now.epoch, 0);
    CU_ASSERT_EQUAL(tester_add(&p, "t", 0), KERR_NONE);
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NONE);
    txn_fixture_fini(&f);
}

static void exhausted_epochs_of_old_clients_do_too(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 1);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    int64_t first = p.now.id;
    while (p.now.epoch < EPOCH_EXHAUSTED) {
        CU_ASSERT_EQUAL_FATAL(tester_init(&p), KERR_NONE);
        arena_reset(&f.arena);
        p.name = str_of("id");
    }
    CU_ASSERT_EQUAL(p.now.id, first);
    tester_add(&p, "t", 0);
    CU_ASSERT_EQUAL(tester_init(&p), KERR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_EQUAL(f.markers[0].producer_epoch, INT16_MAX);
    CU_ASSERT_EQUAL(tester_init(&p), KERR_NONE);
    CU_ASSERT_NOT_EQUAL(p.now.id, first);
    CU_ASSERT_EQUAL(p.now.epoch, 0);
    txn_fixture_fini(&f);
}

static void nothing_is_answered_before_it_is_committed(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    f.log.told = txn_coordinator_engine(f.txns);
    struct txn_tester p = tester_new(&f, "id"), q = tester_new(&f, "id");
    f.log.holds_back = true;
    tester_init(&p);
    CU_ASSERT_EQUAL(p.last.done, 0);
    CU_ASSERT_EQUAL(tester_init(&q), KERR_CONCURRENT_TRANSACTIONS);
    testing_commit(&f.log, txn_coordinator_engine(f.txns));
    CU_ASSERT_EQUAL(p.last.done, 1);
    p.now = (struct transaction_producer){ 1000, 0 };
    f.log.holds_back = false;
    tester_add(&p, "t", 0);
    f.log.holds_back = true;
    tester_end(&p, true);
    CU_ASSERT_EQUAL(p.last.done, 0);
    CU_ASSERT_EQUAL(f.marker_count, 0);
    testing_commit(&f.log, txn_coordinator_engine(f.txns));
    CU_ASSERT_EQUAL(p.last.done, 1);
    CU_ASSERT_EQUAL(f.marker_count, 1);
    txn_fixture_fini(&f);
}

// The client was told that the coordinator is not available; what is in the log is carried out all the same.
static void a_late_commit_is_carried_out(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    tester_add(&p, "t", 0);
    f.log.holds_back = true;
    tester_end(&p, true);
    testing_advance(&f.log, 31000);
    CU_ASSERT_EQUAL(p.last.done, 1);
    CU_ASSERT_EQUAL(f.marker_count, 0);
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_CONCURRENT_TRANSACTIONS);
    f.log.holds_back = false;
    testing_commit(&f.log, txn_coordinator_engine(f.txns));
    CU_ASSERT_EQUAL(f.marker_count, 1);
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NONE);
    CU_ASSERT_EQUAL(p.now.epoch, 1);
    txn_fixture_fini(&f);
}

static void a_failed_write_changes_nothing(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
    CU_ASSERT_EQUAL(tester_init(&p), KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(tester_describe(&p).error_code, KERR_TRANSACTIONAL_ID_NOT_FOUND);
    tester_init(&p);
    tester_add(&p, "t", 0);
    f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
    CU_ASSERT_EQUAL(tester_add(&p, "u", 0), KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(tester_describe(&p).topics_count, 1);
    f.log.fail_next = KERR_NOT_LEADER_OR_FOLLOWER;
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NOT_COORDINATOR);
    CU_ASSERT_TRUE(tester_is(&p, "Ongoing"));
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NONE);
    CU_ASSERT_EQUAL(f.marker_count, 1);
    txn_fixture_fini(&f);
}

static void a_completion_that_cannot_be_written_is_tried_again(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    tester_add(&p, "t", 0);
    f.holds_markers = true;
    tester_end(&p, true);
    f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
    fixture_deliver(&f, f.held);
    CU_ASSERT_TRUE(tester_is(&p, "PrepareCommit"));
    testing_advance(&f.log, 200);
    CU_ASSERT_TRUE(tester_is(&p, "CompleteCommit"));
    CU_ASSERT_EQUAL(f.marker_count, 1);
    txn_fixture_fini(&f);
}

static void ids_that_nobody_uses_are_forgotten(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester p = tester_new(&f, "id"), q = tester_new(&f, "other");
    tester_init(&p);
    tester_init(&q);
    testing_advance(&f.log, INT64_C(6) * 24 * 3600000);
    tester_end(&q, false);
    testing_advance(&f.log, INT64_C(2) * 24 * 3600000);
    CU_ASSERT_EQUAL(tester_describe(&p).error_code, KERR_TRANSACTIONAL_ID_NOT_FOUND);
    CU_ASSERT_EQUAL(tester_describe(&q).error_code, KERR_NONE);
    txn_fixture_restart(&f);
    CU_ASSERT_EQUAL(tester_describe(&p).error_code, KERR_TRANSACTIONAL_ID_NOT_FOUND);
    CU_ASSERT_EQUAL(tester_add(&p, "t", 0), KERR_INVALID_PRODUCER_ID_MAPPING);
    CU_ASSERT_EQUAL(tester_describe(&q).error_code, KERR_NONE);
    txn_fixture_fini(&f);
}

static void a_producer_may_go_on_after_an_error(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 1);
    struct txn_tester p = tester_new(&f, "id");
    tester_init(&p);
    struct transaction_producer before = p.now;
    CU_ASSERT_EQUAL(tester_init_as(&p, before), KERR_NONE);
    CU_ASSERT_EQUAL(p.now.epoch, 1);
    CU_ASSERT_EQUAL(tester_init_as(&p, before), KERR_NONE); // a retry
    CU_ASSERT_EQUAL(p.now.epoch, 1);
    CU_ASSERT_EQUAL(tester_init_as(&p, (struct transaction_producer){ 5, 0 }),
                    KERR_PRODUCER_FENCED);
    struct txn_tester q = tester_new(&f, "id");
    tester_init(&q);
    CU_ASSERT_EQUAL(tester_init_as(&p, p.now), KERR_PRODUCER_FENCED);
    txn_fixture_fini(&f);
}

static size_t list(struct txn_fixture *f, struct list_transactions_request *request,
                   struct list_transactions_response *response)
{
    message_init(&list_transactions_response_desc, response);
    txn_coordinator_list(f->txns, request, response, &f->arena);
    return (size_t)response->transaction_states_count;
}

static void lists_are_filtered(void)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct txn_tester a = tester_new(&f, "a-1"), b = tester_new(&f, "a-2"), c = tester_new(&f, "c");
    tester_init(&a);
    tester_init(&b);
    tester_init(&c);
    tester_add(&b, "t", 0);
    testing_advance(&f.log, 2000);
    tester_add(&c, "t", 0);
    struct list_transactions_request request;
    struct list_transactions_response response;
    message_init(&list_transactions_request_desc, &request);
    CU_ASSERT_EQUAL(list(&f, &request, &response), 3);
    request.transactional_id_pattern = str_of("a-.*");
    CU_ASSERT_EQUAL(list(&f, &request, &response), 2);
    struct str states[] = { str_of("Ongoing"), str_of("Nonsense") };
    request.state_filters = states;
    request.state_filters_count = 2;
    CU_ASSERT_EQUAL_FATAL(list(&f, &request, &response), 1);
    CU_ASSERT_TRUE(str_eqz(response.transaction_states[0].transactional_id, "a-2"));
    CU_ASSERT_EQUAL_FATAL(response.unknown_state_filters_count, 1);
    CU_ASSERT_TRUE(str_eqz(response.unknown_state_filters[0], "Nonsense"));
    request.transactional_id_pattern = STR_NULL;
    request.duration_filter = 1000;
    CU_ASSERT_EQUAL(list(&f, &request, &response), 1);
    request.duration_filter = 2000;
    CU_ASSERT_EQUAL(list(&f, &request, &response), 0);
    request.duration_filter = -1;
    request.producer_id_filters = &c.now.id;
    request.producer_id_filters_count = 1;
    CU_ASSERT_EQUAL(list(&f, &request, &response), 1);
    request.transactional_id_pattern = str_of("(");
    CU_ASSERT_EQUAL(list(&f, &request, &response), 0);
    CU_ASSERT_EQUAL(response.error_code, KERR_INVALID_REGULAR_EXPRESSION);
    txn_fixture_fini(&f);
}

TEST_MAIN("txn_coordinator", TEST(one_transaction_after_the_other),
          TEST(markers_on_their_way_hold_everything_up), TEST(an_unready_partition_is_asked_again),
          TEST(a_refusing_partition_stops_the_end), TEST(a_restart_carries_out_what_was_prepared),
          TEST(an_open_transaction_survives_a_restart),
          TEST(whoever_takes_too_long_is_aborted_and_fenced), TEST(a_newcomer_aborts_and_fences),
          TEST(exhausted_epochs_take_another_producer_id),
          TEST(exhausted_epochs_of_old_clients_do_too),
          TEST(nothing_is_answered_before_it_is_committed), TEST(a_late_commit_is_carried_out),
          TEST(a_failed_write_changes_nothing),
          TEST(a_completion_that_cannot_be_written_is_tried_again),
          TEST(ids_that_nobody_uses_are_forgotten), TEST(a_producer_may_go_on_after_an_error),
          TEST(lists_are_filtered))
