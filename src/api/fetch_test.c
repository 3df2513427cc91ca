// SPDX-License-Identifier: Apache-2.0
// Fetch with real logs. Tests parked.c too, with threads that append while fetches park.
#include <errno.h>

#include "api/dispatch.h"
#include "api/testing_data.h"
#include "base/workers.h"
#include "protocol/messages/fetch.h"

void handle_fetch(struct request *request);

static struct data_request *new_request(struct data_kit *kit, int16_t version, int32_t max_wait_ms,
                                        int32_t min_bytes)
{
    struct data_request *r = data_request_new(kit, version, sizeof(struct fetch_request),
                                              &fetch_request_desc, &fetch_response_desc);
    struct fetch_request *body = r->request.body;
    body->max_wait_ms = max_wait_ms;
    body->min_bytes = min_bytes;
    return r;
}

// Partitions 0..count-1 of a topic from these offsets.
static void add(struct data_request *r, const char *topic, int32_t count, int64_t offset,
                int32_t max_bytes)
{
    struct fetch_request *body = r->request.body;
    body->topics = arena_new(&r->request.arena, struct fetch_request_fetch_topic);
    body->topics_count = 1;
    body->topics->topic = str_of(topic);
    body->topics->partitions =
        arena_array(&r->request.arena, struct fetch_request_fetch_partition, count);
    body->topics->partitions_count = count;
    for (int32_t i = 0; i < count; i++)
        body->topics->partitions[i] = (struct fetch_request_fetch_partition){
            .partition = i,
            .fetch_offset = offset,
            .partition_max_bytes = max_bytes,
            .current_leader_epoch = -1,
            .last_fetched_epoch = -1,
            .log_start_offset = -1,
        };
}

static const struct fetch_response *response_of(struct data_request *r)
{
    return r->request.response;
}

static const struct fetch_response_partition_data *answer_of(struct data_request *r, int32_t index)
{
    const struct fetch_response *response = response_of(r);
    for (int32_t t = 0; t < response->responses_count; t++)
        for (int32_t p = 0; p < response->responses[t].partitions_count; p++)
            if (response->responses[t].partitions[p].partition_index == index)
                return &response->responses[t].partitions[p];
    return NULL;
}

static void append(struct data_kit *kit, const char *topic, int32_t index, int count,
                   size_t value_size)
{
    struct partition *partition = replicas_find(kit->replicas, str_of(topic), index);
    struct arena arena;
    arena_init(&arena);
    struct records records = data_batch(&arena, count, value_size, NULL);
    struct log_append_result result;
    enum kafka_error error =
        partition_append(partition, (struct bytes){ records.data, (size_t)records.size }, 1, -1,
                         LOG_APPEND_CLIENT, &arena, &result, NULL);
    CU_ASSERT_EQUAL(error, KERR_NONE);
    arena_fini(&arena);
    partition_unref(partition);
}

static void an_empty_partition_is_empty(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 1, 1);
    for (int8_t isolation = 0; isolation < 2; isolation++) {
        struct data_request *r = new_request(&kit, 12, 0, 1);
        add(r, "t", 1, 0, 1000);
        ((struct fetch_request *)r->request.body)->isolation_level = isolation;
        handle_fetch(&r->request);
        CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
        const struct fetch_response_partition_data *got = answer_of(r, 0);
        CU_ASSERT_EQUAL(got->error_code, KERR_NONE);
        CU_ASSERT_EQUAL(got->high_watermark, 0);
        CU_ASSERT_EQUAL(got->records.size, 0);
        CU_ASSERT_PTR_NOT_NULL(got->records.data);
        CU_ASSERT_EQUAL(got->aborted_transactions_count, isolation == 0 ? -1 : 0);
        data_request_free(r);
    }
    data_end(&kit);
}

static void records_come_from_the_file(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 1, 1);
    append(&kit, "t", 0, 2, 10);
    append(&kit, "t", 0, 1, 10);
    struct data_request *r = new_request(&kit, 12, 1000, 1);
    add(r, "t", 1, 1, 1000);
    handle_fetch(&r->request);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    const struct fetch_response_partition_data *got = answer_of(r, 0);
    CU_ASSERT_EQUAL(got->high_watermark, 3);
    CU_ASSERT_PTR_NOT_NULL_FATAL(got->records.file);
    uint8_t bytes[400];
    CU_ASSERT_TRUE_FATAL(got->records.size < (int32_t)sizeof bytes);
    CU_ASSERT_EQUAL(
        disk_pread(got->records.file, bytes, (size_t)got->records.size, got->records.file_position),
        got->records.size);
    CU_ASSERT_EQUAL(batch_base_offset(bytes), 0);
    CU_ASSERT_EQUAL(batch_base_offset(bytes + batch_size(bytes)), 2);
    CU_ASSERT_EQUAL(2 * batch_size(bytes) > got->records.size, true);
    // The topic goes while the reply is on its way: the file stays until it has left.
    data_delete_topic(&kit, "t");
    CU_ASSERT_EQUAL(
        disk_pread(got->records.file, bytes, (size_t)got->records.size, got->records.file_position),
        got->records.size);
    data_request_free(r);
    data_end(&kit);
}

static struct data_request *park(struct data_kit *kit, int32_t count, int32_t min_bytes)
{
    struct data_request *r = new_request(kit, 12, 500, min_bytes);
    add(r, "t", count, 0, 100000);
    handle_fetch(&r->request);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    CU_ASSERT_EQUAL(r->deadline_us, kit->clock.monotonic_us + 500000);
    return r;
}

static void an_append_wakes_it(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 3, 1);
    struct data_request *r = park(&kit, 2, 1);
    append(&kit, "t", 2, 1, 10);
    CU_ASSERT_FALSE(r->is_posted);
    append(&kit, "t", 1, 1, 10);
    append(&kit, "t", 1, 1, 10);
    append(&kit, "t", 0, 1, 10);
    CU_ASSERT_EQUAL(r->posts, 1);
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_TRUE(answer_of(r, 0)->records.size > 0);
    CU_ASSERT_EQUAL(answer_of(r, 1)->records.size, 2 * answer_of(r, 0)->records.size);
    CU_ASSERT_EQUAL(r->deadline_us, INT64_MAX);
    data_request_free(r);
    data_end(&kit);
}

static void it_sleeps_until_min_bytes_are_there(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 1);
    struct data_request *r = park(&kit, 2, 1000);
    for (int i = 0; i < 9; i++) // of 100 and some bytes each
        append(&kit, "t", i % 2, 1, 40);
    CU_ASSERT_EQUAL(r->posts, 0);
    append(&kit, "t", 0, 1, 40);
    CU_ASSERT_EQUAL(r->posts, 1);
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_TRUE(answer_of(r, 0)->records.size + answer_of(r, 1)->records.size >= 1000);
    data_request_free(r);
    data_end(&kit);
}

// Bytes beyond partition_max_bytes wake it, but do not count: it parks again.
static void it_parks_again_when_woken_for_too_little(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 1);
    struct data_request *r = new_request(&kit, 12, 500, 300);
    add(r, "t", 2, 0, 150);
    handle_fetch(&r->request);
    for (int i = 0; i < 4; i++)
        append(&kit, "t", 0, 1, 40);
    CU_ASSERT_EQUAL(r->posts, 1);
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    append(&kit, "t", 1, 1, 200);
    CU_ASSERT_EQUAL(r->posts, 2);
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS); // 150 and nothing: a piece of a batch is not sent
    kit.clock.monotonic_us += 500000;
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->records.size, 150);
    CU_ASSERT_EQUAL(answer_of(r, 1)->records.size, 0);
    data_request_free(r);
    data_end(&kit);
}

static void in_the_end_it_replies_what_is_there(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 1);
    append(&kit, "t", 1, 1, 10);
    struct data_request *r = park(&kit, 2, 1000);
    kit.clock.monotonic_us += 499999;
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    kit.clock.monotonic_us += 1;
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->records.size, 0);
    CU_ASSERT_TRUE(answer_of(r, 1)->records.size > 0);
    append(&kit, "t", 0, 1, 10); // finds nobody
    CU_ASSERT_EQUAL(r->posts, 0);
    data_request_free(r);
    data_end(&kit);
}

static void a_client_that_goes_frees_it(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 1, 1);
    struct data_request *r = park(&kit, 1, 1);
    r->request.on_gone(&r->request);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    append(&kit, "t", 0, 1, 10);
    CU_ASSERT_EQUAL(r->posts, 0);
    data_request_free(r);
    data_end(&kit);
}

static void a_deleted_topic_wakes_it(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 1);
    struct data_request *r = park(&kit, 2, 1);
    data_delete_topic(&kit, "t");
    CU_ASSERT_EQUAL(r->posts, 1);
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_UNKNOWN_TOPIC_OR_PARTITION);
    data_request_free(r);
    data_end(&kit);
}

static void limits(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 3, 1);
    for (int32_t i = 1; i < 3; i++)
        for (int k = 0; k < 3; k++)
            append(&kit, "t", i, 1, 100);
    const struct {
        int32_t max_bytes, partition_max_bytes;
        int first, second; // batches, -1: a part of one behind a whole one
    } cases[] = {
        { 100000, 100000, 3, 3 }, { 1, 100000, 1, 0 }, { 100000, 1, 1, 0 }, { 0, 0, 1, 0 }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct data_request *r = new_request(&kit, 12, 0, 1);
        add(r, "t", 3, 0, cases[i].partition_max_bytes);
        ((struct fetch_request *)r->request.body)->max_bytes = cases[i].max_bytes;
        handle_fetch(&r->request);
        int32_t size = answer_of(r, 1)->records.size / cases[i].first;
        CU_ASSERT_TRUE(size > 100 && size < 200);
        CU_ASSERT_EQUAL(answer_of(r, 0)->records.size, 0);
        CU_ASSERT_EQUAL(answer_of(r, 2)->records.size, cases[i].second * size);
        data_request_free(r);
    }
    data_end(&kit);
}

static void what_does_not_exist_comes_last_and_makes_no_haste(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 1, 1);
    struct data_request *r = new_request(&kit, 12, 500, 1);
    add(r, "t", 2, 0, 1000);
    struct fetch_request *body = r->request.body;
    body->topics->partitions[0].partition = 7;
    body->topics->partitions[1].partition = 0;
    handle_fetch(&r->request);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    append(&kit, "t", 0, 1, 10);
    data_turn(&kit, r);
    CU_ASSERT_EQUAL_FATAL(response_of(r)->responses_count, 1);
    CU_ASSERT_EQUAL_FATAL(response_of(r)->responses->partitions_count, 2);
    CU_ASSERT_EQUAL(response_of(r)->responses->partitions[0].partition_index, 0);
    CU_ASSERT_EQUAL(response_of(r)->responses->partitions[1].error_code,
                    KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(response_of(r)->responses->partitions[1].aborted_transactions_count, 0);
    data_request_free(r);
    data_end(&kit);
}

static void a_session_by_id_learns_of_a_recreated_topic(void)
{
    struct data_kit kit;
    data_begin(&kit);
    struct uuid id = data_topic(&kit, "t", 1, 1);
    int32_t session_id = 0;
    enum kafka_error want[] = { KERR_NONE, KERR_UNKNOWN_TOPIC_OR_PARTITION,
                                KERR_INCONSISTENT_TOPIC_ID };
    for (int32_t epoch = 0; epoch < 3; epoch++) {
        struct data_request *r = new_request(&kit, 13, 0, 1);
        struct fetch_request *body = r->request.body;
        body->session_id = session_id;
        body->session_epoch = epoch;
        if (epoch == 0) {
            add(r, "", 1, 0, 1000);
            body->topics->topic_id = id;
        }
        handle_fetch(&r->request);
        CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
        session_id = response_of(r)->session_id;
        CU_ASSERT_NOT_EQUAL(session_id, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(answer_of(r, 0));
        CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, want[epoch]);
        data_request_free(r);
        if (epoch == 0)
            data_delete_topic(&kit, "t");
        else if (epoch == 1)
            data_topic(&kit, "t", 1, 1);
    }
    data_end(&kit);
}

// ---- threads ------------------------------------------------------------------------------------------------

enum { APPENDERS = 3, APPENDS = 400, PARTITIONS = 4 };

struct appender {
    struct data_kit *kit;
    int number;
    pthread_t thread;
};

static void *write_all(void *arg)
{
    struct appender *appender = arg;
    for (int i = 0; i < APPENDS; i++)
        append(appender->kit, "t", (appender->number + i) % PARTITIONS, 1, 10);
    return NULL;
}

// Fetches follow the ends of four partitions while three threads append: no wake-up may be lost, or it never ends,
// and all is read.
static void nothing_is_lost_between_threads(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", PARTITIONS, 1);
    struct appender appenders[APPENDERS];
    for (int i = 0; i < APPENDERS; i++) {
        appenders[i] = (struct appender){ .kit = &kit, .number = i };
        CU_ASSERT_EQUAL_FATAL(pthread_create(&appenders[i].thread, NULL, write_all, &appenders[i]),
                              0);
    }
    int64_t offsets[PARTITIONS] = { 0 }, got = 0;
    int32_t min_bytes = 1;
    while (got < APPENDERS * APPENDS) {
        struct data_request *r = new_request(&kit, 12, 1000000, min_bytes);
        add(r, "t", PARTITIONS, 0, 100000);
        for (int32_t i = 0; i < PARTITIONS; i++)
            ((struct fetch_request *)r->request.body)->topics->partitions[i].fetch_offset =
                offsets[i];
        handle_fetch(&r->request);
        while (data_fate_of(r) == DATA_WAITS)
            data_turn(&kit, r);
        got = 0;
        for (int32_t i = 0; i < PARTITIONS; i++) {
            offsets[i] = answer_of(r, i)->high_watermark;
            got += offsets[i];
        }
        data_request_free(r);
        // Sometimes for several batches, but never for more than are still to come.
        min_bytes = min_bytes == 1 && got < APPENDERS * APPENDS - 20 ? 500 : 1;
    }
    for (int i = 0; i < APPENDERS; i++)
        pthread_join(appenders[i].thread, NULL);
    CU_ASSERT_EQUAL(got, APPENDERS * APPENDS);
    data_end(&kit);
}

static ssize_t nothing_cached(struct disk_file *file, void *into, size_t size, int64_t position)
{
    (void)file, (void)into, (void)size, (void)position;
    return -EAGAIN;
}

// A loader asks the disk where the batches are; the reactor does not wait for it.
static void a_cold_fetch_is_looked_up_elsewhere(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 1, 1);
    for (int i = 0; i < 100; i++) // where the last of them are is known without asking
        append(&kit, "t", 0, 1, 10);
    struct data_request *warm = new_request(&kit, 12, 0, 1);
    add(warm, "t", 1, 0, 1000);
    handle_fetch(&warm->request);
    CU_ASSERT_EQUAL(data_fate_of(warm), DATA_REPLIED);
    struct disk_file *file = answer_of(warm, 0)->records.file;
    struct disk_ops ops = *disk_posix()->ops;
    struct disk cold_disk = { &ops };
    ops.pread_cached = nothing_cached;
    file->disk = &cold_disk;
    kit.node.loaders = workers_new("test", 1);
    for (int32_t max_wait_ms = 0; max_wait_ms <= 1000; max_wait_ms += 1000) {
        struct data_request *r = new_request(&kit, 12, max_wait_ms, 1);
        add(r, "t", 1, 3, 1000);
        handle_fetch(&r->request);
        CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
        workers_free(kit.node.loaders); // when it has done what it was given
        kit.node.loaders = workers_new("test", 1);
        CU_ASSERT_EQUAL(r->posts, 1);
        data_turn(&kit, r);
        CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
        CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NONE);
        CU_ASSERT_EQUAL(answer_of(r, 0)->records.size, 1000);
        data_request_free(r);
    }
    struct data_request *tail = new_request(&kit, 12, 1000, 1);
    add(tail, "t", 1, 99, 1000);
    handle_fetch(&tail->request);
    CU_ASSERT_EQUAL(data_fate_of(tail), DATA_REPLIED);
    data_request_free(tail);
    workers_free(kit.node.loaders);
    kit.node.loaders = NULL;
    file->disk = disk_posix();
    data_request_free(warm);
    data_end(&kit);
}

TEST_MAIN("fetch", TEST(an_empty_partition_is_empty), TEST(records_come_from_the_file),
          TEST(an_append_wakes_it), TEST(it_sleeps_until_min_bytes_are_there),
          TEST(it_parks_again_when_woken_for_too_little), TEST(in_the_end_it_replies_what_is_there),
          TEST(a_client_that_goes_frees_it), TEST(a_deleted_topic_wakes_it), TEST(limits),
          TEST(what_does_not_exist_comes_last_and_makes_no_haste),
          TEST(a_session_by_id_learns_of_a_recreated_topic), TEST(nothing_is_lost_between_threads),
          TEST(a_cold_fetch_is_looked_up_elsewhere))
