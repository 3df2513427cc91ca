// SPDX-License-Identifier: Apache-2.0
// Produce inside transactions, and their markers, over real partitions and a coordinator whose log is in memory.
#include "api/marker_writer.h"
#include "api/testing_data.h"
#include "protocol/messages/produce.h"
#include "txn/testing_txns.h"

void handle_produce(struct request *request);

struct kit {
    struct data_kit data;
    struct txn_fixture txns;
    struct marker_writer writer;
};

static void begin(struct kit *kit, int32_t replicas)
{
    memset(kit, 0, sizeof *kit);
    data_begin(&kit->data);
    data_topic(&kit->data, "t", 2, replicas);
    txn_fixture_init(&kit->txns, 2);
    kit->data.node.txns = kit->txns.txns;
    marker_writer_init(&kit->writer, &kit->data.node);
}

static void end(struct kit *kit)
{
    txn_fixture_fini(&kit->txns);
    data_end(&kit->data);
}

static struct data_request *produce(struct kit *kit, const struct txn_tester *client,
                                    int16_t version, int32_t index, int32_t sequence)
{
    struct data_request *r = data_request_new(&kit->data, version, sizeof(struct produce_request),
                                              &produce_request_desc, &produce_response_desc);
    struct arena *arena = &r->request.arena;
    struct produce_request *body = r->request.body;
    body->acks = 1;
    body->timeout_ms = 1000;
    body->transactional_id = client->name;
    body->topic_data = arena_new(arena, struct produce_request_topic_produce_data);
    body->topic_data_count = 1;
    body->topic_data->name = str_of("t");
    body->topic_data->partition_data =
        arena_new(arena, struct produce_request_partition_produce_data);
    body->topic_data->partition_data_count = 1;
    body->topic_data->partition_data->index = index;
    body->topic_data->partition_data->records =
        data_batch(arena, 1, 10,
                   &(struct batch_options){ .leader_epoch = -1,
                                            .compression_level = COMPRESSION_LEVEL_DEFAULT,
                                            .producer_id = client->now.id,
                                            .producer_epoch = client->now.epoch,
                                            .base_sequence = sequence,
                                            .is_transactional = true });
    handle_produce(&r->request);
    return r;
}

static struct produce_response_partition_produce_response *answer_of(struct data_request *r)
{
    return ((struct produce_response *)r->request.response)->responses[0].partition_responses;
}

static enum kafka_error produce_once(struct kit *kit, const struct txn_tester *client,
                                     int16_t version, int32_t index, int32_t sequence)
{
    struct data_request *r = produce(kit, client, version, index, sequence);
    CU_ASSERT_EQUAL_FATAL(data_fate_of(r), DATA_REPLIED);
    enum kafka_error error = answer_of(r)->error_code;
    data_request_free(r);
    return error;
}

static int64_t end_offset(struct kit *kit, int32_t index)
{
    struct partition *partition = replicas_find(kit->data.replicas, str_of("t"), index);
    int64_t offset = partition_log_end_offset(partition);
    partition_unref(partition);
    return offset;
}

static void a_new_client_adds_by_producing(void)
{
    struct kit kit;
    begin(&kit, 1);
    struct txn_tester p = tester_new(&kit.txns, "id");
    tester_init(&p);
    CU_ASSERT_EQUAL(produce_once(&kit, &p, 12, 0, 0), KERR_NONE);
    CU_ASSERT_EQUAL(tester_describe(&p).topics_count, 1);
    CU_ASSERT_EQUAL(produce_once(&kit, &p, 12, 0, 1), KERR_NONE);
    CU_ASSERT_EQUAL(produce_once(&kit, &p, 12, 1, 0), KERR_NONE);
    CU_ASSERT_EQUAL(tester_end(&p, true), KERR_NONE);
    end(&kit);
}

static void an_old_client_has_to_add_before(void)
{
    struct kit kit;
    begin(&kit, 1);
    struct txn_tester p = tester_new(&kit.txns, "id");
    p.is_v2 = false;
    tester_init(&p);
    struct data_request *r = produce(&kit, &p, 10, 0, 0);
    CU_ASSERT_EQUAL(answer_of(r)->error_code, KERR_INVALID_TXN_STATE);
    CU_ASSERT_TRUE(
        str_eqz(answer_of(r)->error_message, "Partition was not added to the transaction"));
    data_request_free(r);
    CU_ASSERT_EQUAL(produce_once(&kit, &p, 11, 0, 0), KERR_TRANSACTION_ABORTABLE);
    CU_ASSERT_EQUAL(end_offset(&kit, 0), 0);
    tester_add(&p, "t", 0);
    CU_ASSERT_EQUAL(produce_once(&kit, &p, 10, 0, 0), KERR_NONE);
    CU_ASSERT_EQUAL(produce_once(&kit, &p, 10, 1, 0), KERR_INVALID_TXN_STATE);
    end(&kit);
}

// The next transaction's first batch comes while markers of the last one are on their way.
static void a_new_client_waits_for_the_transaction_before(void)
{
    struct kit kit;
    begin(&kit, 1);
    struct txn_tester p = tester_new(&kit.txns, "id");
    tester_init(&p);
    produce_once(&kit, &p, 12, 0, 0);
    kit.txns.holds_markers = true;
    tester_end(&p, true);
    struct data_request *r = produce(&kit, &p, 12, 1, 0);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    kit.data.clock.monotonic_us += 20000;
    data_turn(&kit.data, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    fixture_deliver(&kit.txns, kit.txns.held);
    kit.txns.held = NULL;
    kit.data.clock.monotonic_us += 20000;
    data_turn(&kit.data, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r)->error_code, KERR_NONE);
    data_request_free(r);
    // It does not wait for ever.
    tester_end(&p, true);
    r = produce(&kit, &p, 12, 1, 0);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    kit.data.clock.monotonic_us += 200000;
    data_turn(&kit.data, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r)->error_code, KERR_CONCURRENT_TRANSACTIONS);
    data_request_free(r);
    fixture_deliver(&kit.txns, kit.txns.held);
    end(&kit);
}

// Nothing may be written that belongs to no open transaction.
static void a_stale_guard_writes_nothing(void)
{
    struct kit kit;
    begin(&kit, 1);
    struct partition *partition = replicas_find(kit.data.replicas, str_of("t"), 0);
    uint64_t guard, later;
    CU_ASSERT_EQUAL(partition_begin_verification(partition, 7, 0, 0, false, &guard), KERR_NONE);
    CU_ASSERT_NOT_EQUAL(guard, 0);
    CU_ASSERT_EQUAL(partition_begin_verification(partition, 7, 0, 0, false, &later), KERR_NONE);
    CU_ASSERT_EQUAL(later, guard);
    struct arena arena;
    arena_init(&arena);
    struct log_append_result result;
    struct log_append_transaction with = { 12345, 0 };
    struct batch_options options = { .leader_epoch = -1,
                                     .compression_level = COMPRESSION_LEVEL_DEFAULT,
                                     .producer_id = 7,
                                     .is_transactional = true };
    struct records records = data_batch(&arena, 1, 3, &options);
    struct bytes batch = { records.data, (size_t)records.size };
    CU_ASSERT_EQUAL(partition_append_transactional(partition, batch, 1, -1, LOG_APPEND_CLIENT,
                                                   &with, &arena, &result, NULL),
                    KERR_INVALID_TXN_STATE);
    with.verification_guard = guard;
    CU_ASSERT_EQUAL(partition_append_transactional(partition, batch, 1, -1, LOG_APPEND_CLIENT,
                                                   &with, &arena, &result, NULL),
                    KERR_NONE);
    CU_ASSERT_EQUAL(partition_begin_verification(partition, 7, 0, 1, false, &later), KERR_NONE);
    CU_ASSERT_EQUAL(later, 0); // it is open now
    arena_fini(&arena);
    partition_unref(partition);
    end(&kit);
}

static int markers_written;

static void on_marker_written(struct txn_marker *marker)
{
    (void)marker;
    markers_written++;
}

static void a_marker_is_written_when_all_replicas_have_it(void)
{
    struct kit kit;
    begin(&kit, 2);
    struct txn_marker_partition targets[] = { { str_of("t"), 0, KERR_NONE },
                                              { str_of("t"), 1, KERR_NONE },
                                              { str_of("t"), 9, KERR_NONE } };
    struct txn_marker marker = { .producer_id = 7,
                                 .is_commit = true,
                                 .partitions = targets,
                                 .count = 3,
                                 .on_written = on_marker_written };
    markers_written = 0;
    kit.writer.sink.write(&kit.writer.sink, &marker);
    CU_ASSERT_EQUAL(markers_written, 0);
    for (int32_t index = 0; index < 2; index++) {
        struct partition *partition = replicas_find(kit.data.replicas, str_of("t"), index);
        struct partition_reader follower = { .replica_id = 2,
                                             .isolation = READ_TO_LOG_END,
                                             .is_leader_required = true };
        struct partition_fetch fetch = { .fetch_offset = 1,
                                         .current_leader_epoch = -1,
                                         .last_fetched_epoch = -1 };
        struct partition_read read;
        struct partition_woken woken;
        partition_woken_init(&woken);
        partition_read(partition, &follower, &fetch, 1000, true, &read, &woken);
        partition_wake(&woken);
        CU_ASSERT_EQUAL(markers_written, index == 1);
        partition_unref(partition);
    }
    CU_ASSERT_EQUAL(targets[0].error, KERR_NONE);
    CU_ASSERT_EQUAL(targets[2].error, KERR_NONE); // it does not exist
    end(&kit);
}

TEST_MAIN("txn", TEST(a_new_client_adds_by_producing), TEST(an_old_client_has_to_add_before),
          TEST(a_new_client_waits_for_the_transaction_before), TEST(a_stale_guard_writes_nothing),
          TEST(a_marker_is_written_when_all_replicas_have_it))
