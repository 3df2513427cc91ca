// SPDX-License-Identifier: Apache-2.0
// Produce with real logs. Tests parked.c and current_leader.c too.
#include "api/dispatch.h"
#include "api/testing_data.h"
#include "protocol/messages/produce.h"

void handle_produce(struct request *request);

static struct data_request *new_request(struct data_kit *kit, int16_t version, int16_t acks)
{
    struct data_request *r = data_request_new(kit, version, sizeof(struct produce_request),
                                              &produce_request_desc, &produce_response_desc);
    struct produce_request *body = r->request.body;
    body->acks = acks;
    body->timeout_ms = 1000;
    return r;
}

// One more partition, of a topic of its own in the request.
static void add(struct data_request *r, const char *topic, int32_t index, struct records records)
{
    struct produce_request *body = r->request.body;
    struct produce_request_topic_produce_data *topics = arena_array(
        &r->request.arena, struct produce_request_topic_produce_data, body->topic_data_count + 1);
    if (body->topic_data_count > 0)
        memcpy(topics, body->topic_data, (size_t)body->topic_data_count * sizeof *topics);
    struct produce_request_topic_produce_data *added = &topics[body->topic_data_count++];
    added->name = str_of(topic);
    added->partition_data =
        arena_new(&r->request.arena, struct produce_request_partition_produce_data);
    added->partition_data_count = 1;
    added->partition_data->index = index;
    added->partition_data->records = records;
    body->topic_data = topics;
}

static const struct produce_response_partition_produce_response *answer_of(struct data_request *r,
                                                                           int32_t topic)
{
    const struct produce_response *response = r->request.response;
    CU_ASSERT_TRUE_FATAL(topic < response->responses_count);
    CU_ASSERT_EQUAL_FATAL(response->responses[topic].partition_responses_count, 1);
    return response->responses[topic].partition_responses;
}

static enum kafka_error produce_once(struct data_kit *kit, const char *topic, int32_t index,
                                     int16_t acks, struct records (*make)(struct arena *arena))
{
    struct data_request *r = new_request(kit, 9, acks);
    add(r, topic, index, make(&r->request.arena));
    handle_produce(&r->request);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    enum kafka_error error = (enum kafka_error)answer_of(r, 0)->error_code;
    data_request_free(r);
    return error;
}

static struct records good(struct arena *arena)
{
    return data_batch(arena, 2, 10, NULL);
}

static struct records transactional(struct arena *arena)
{
    return data_batch(arena, 1, 10,
                      &(struct batch_options){ .leader_epoch = -1,
                                               .compression_level = COMPRESSION_LEVEL_DEFAULT,
                                               .producer_id = 7,
                                               .is_transactional = true });
}

static struct records nothing(struct arena *arena)
{
    (void)arena;
    return (struct records){ .size = -1 };
}

static void acks_1_and_all_are_answered_at_once(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 1);
    for (int16_t acks = -1; acks <= 1; acks = (int16_t)(acks + 2)) {
        struct data_request *r = new_request(&kit, 9, acks);
        add(r, "t", 0, good(&r->request.arena));
        add(r, "t", 1, good(&r->request.arena));
        handle_produce(&r->request);
        CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
        for (int32_t i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL(answer_of(r, i)->error_code, KERR_NONE);
            CU_ASSERT_EQUAL(answer_of(r, i)->index, i);
            CU_ASSERT_EQUAL(answer_of(r, i)->base_offset, acks == -1 ? 0 : 2);
            CU_ASSERT_EQUAL(answer_of(r, i)->log_append_time_ms, -1);
            CU_ASSERT_EQUAL(answer_of(r, i)->log_start_offset, 0);
        }
        data_request_free(r);
    }
    data_end(&kit);
}

static void acks_0_is_silent_or_closes(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 1, 1);
    for (int32_t index = 0; index < 2; index++) {
        struct data_request *r = new_request(&kit, 9, 0);
        add(r, "t", index, good(&r->request.arena));
        handle_produce(&r->request);
        CU_ASSERT_EQUAL(data_fate_of(r), index == 0 ? DATA_REPLIED_NOTHING : DATA_CLOSED);
        data_request_free(r);
    }
    data_end(&kit);
}

static void each_partition_fails_alone(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 1, 1);
    CU_ASSERT_EQUAL(produce_once(&kit, "t", 1, 1, good), KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(produce_once(&kit, "u", 0, 1, good), KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(produce_once(&kit, "t", 0, 2, good), KERR_INVALID_REQUIRED_ACKS);
    CU_ASSERT_EQUAL(produce_once(&kit, "t", 0, 1, nothing), KERR_INVALID_RECORD);
    CU_ASSERT_EQUAL(produce_once(&kit, "t", 0, 1, transactional),
                    KERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    struct data_request *r = new_request(&kit, 9, 1);
    add(r, "t", 0, good(&r->request.arena));
    add(r, "u", 0, good(&r->request.arena));
    handle_produce(&r->request);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NONE);
    CU_ASSERT_EQUAL(answer_of(r, 1)->error_code, KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(answer_of(r, 1)->base_offset, -1);
    data_request_free(r);
    data_end(&kit);
}

static void internal_topics_are_for_the_admin_client(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "__consumer_offsets", 1, 1);
    CU_ASSERT_EQUAL(produce_once(&kit, "__consumer_offsets", 0, 1, good),
                    KERR_INVALID_TOPIC_EXCEPTION);
    struct data_request *r = new_request(&kit, 9, 1);
    r->request.client_id = str_of("__admin_client");
    add(r, "__consumer_offsets", 0, good(&r->request.arena));
    handle_produce(&r->request);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NONE);
    data_request_free(r);
    data_end(&kit);
}

// In the moment after a topic's creation in which its partitions are not here, an internal one is refused as ever.
static void internal_topics_are_refused_before_they_are_here(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic_untold(&kit, "__consumer_offsets");
    data_topic_untold(&kit, "t");
    CU_ASSERT_EQUAL(produce_once(&kit, "__consumer_offsets", 0, 1, good),
                    KERR_INVALID_TOPIC_EXCEPTION);
    CU_ASSERT_EQUAL(produce_once(&kit, "__consumer_offsets", 0, 2, good),
                    KERR_INVALID_REQUIRED_ACKS);
    CU_ASSERT_EQUAL(produce_once(&kit, "__consumer_offsets", 1, 1, good),
                    KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(produce_once(&kit, "t", 0, 1, good), KERR_NOT_LEADER_OR_FOLLOWER);
    struct data_request *r = new_request(&kit, 13, 1);
    add(r, "", 0, good(&r->request.arena));
    ((struct produce_request *)r->request.body)->topic_data[0].topic_id =
        metadata_find_topic(kit.metadata, str_of("__consumer_offsets"))->id;
    handle_produce(&r->request);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_INVALID_TOPIC_EXCEPTION);
    data_request_free(r);
    data_end(&kit);
}

static void topics_by_id(void)
{
    struct data_kit kit;
    data_begin(&kit);
    struct uuid id = data_topic(&kit, "t", 1, 1);
    for (int i = 0; i < 2; i++) {
        struct data_request *r = new_request(&kit, 13, 1);
        add(r, "", 0, good(&r->request.arena));
        ((struct produce_request *)r->request.body)->topic_data[0].topic_id =
            i == 0 ? id : uuid_random();
        handle_produce(&r->request);
        CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, i == 0 ? KERR_NONE : KERR_UNKNOWN_TOPIC_ID);
        data_request_free(r);
    }
    data_end(&kit);
}

// ---- with a second replica, which does not fetch by itself ----------------------------------------------------

static void follower_fetches(struct data_kit *kit, int32_t index, int64_t offset)
{
    struct partition *partition = replicas_find(kit->replicas, str_of("t"), index);
    struct partition_reader reader = { 2, READ_TO_LOG_END, true, false };
    struct partition_fetch fetch = { .fetch_offset = offset,
                                     .current_leader_epoch = -1,
                                     .last_fetched_epoch = -1 };
    struct partition_read out;
    struct partition_woken woken;
    partition_woken_init(&woken);
    partition_read(partition, &reader, &fetch, 1000000, true, &out, &woken);
    CU_ASSERT_EQUAL(out.error, KERR_NONE);
    disk_file_unref(out.slice.file);
    partition_wake(&woken);
    partition_unref(partition);
}

static struct data_request *produce_two(struct data_kit *kit)
{
    struct data_request *r = new_request(kit, 10, -1);
    add(r, "t", 0, good(&r->request.arena));
    add(r, "t", 1, good(&r->request.arena));
    handle_produce(&r->request);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    return r;
}

static void acks_all_waits_for_all_partitions(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 2);
    struct data_request *r = produce_two(&kit);
    follower_fetches(&kit, 0, 2);
    CU_ASSERT_EQUAL(r->posts, 1);
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    follower_fetches(&kit, 1, 2);
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NONE);
    CU_ASSERT_EQUAL(answer_of(r, 1)->error_code, KERR_NONE);
    CU_ASSERT_EQUAL(r->posts, 2);
    data_request_free(r);
    data_end(&kit);
}

static void what_is_not_committed_in_time_times_out(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 2);
    struct data_request *r = produce_two(&kit);
    CU_ASSERT_EQUAL(r->deadline_us, kit.clock.monotonic_us + 1000000);
    follower_fetches(&kit, 1, 2);
    data_turn(&kit, r);
    kit.clock.monotonic_us += 999999;
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    kit.clock.monotonic_us += 1;
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_REQUEST_TIMED_OUT);
    CU_ASSERT_EQUAL(answer_of(r, 1)->error_code, KERR_NONE);
    data_request_free(r);
    data_end(&kit);
}

// The time is up while a wake-up is on its way: one reply all the same.
static void late_and_woken_at_once(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 2);
    struct data_request *r = produce_two(&kit);
    follower_fetches(&kit, 0, 2);
    CU_ASSERT_TRUE(r->is_posted);
    r->request.timer.on_expired(&r->request.timer);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS); // the post will find it late
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NONE);
    CU_ASSERT_EQUAL(answer_of(r, 1)->error_code, KERR_REQUEST_TIMED_OUT);
    data_request_free(r);
    data_end(&kit);
}

static void a_lost_lead_is_told_with_the_new_one(void)
{
    struct data_kit kit;
    data_begin(&kit);
    struct uuid id = data_topic(&kit, "t", 2, 2);
    struct data_request *r = produce_two(&kit);
    follower_fetches(&kit, 1, 2);
    data_turn(&kit, r);
    int32_t index = 0;
    image_lock(kit.metadata);
    image_partition_set(kit.metadata, image_topic(kit.metadata, id), 0,
                        &(struct metadata_partition){ .replicas = data_replicas,
                                                      .replicas_count = 2,
                                                      .isr = data_replicas + 1,
                                                      .isr_count = 1,
                                                      .leader = 2,
                                                      .leader_epoch = 1,
                                                      .partition_epoch = 1000 });
    metadata_unlock(kit.metadata);
    data_tell(&kit, (struct metadata_topic_change){ .change = METADATA_CHANGED,
                                                    .id = id,
                                                    .name = str_of("t"),
                                                    .partitions = &index,
                                                    .partitions_count = 1 });
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_EQUAL(answer_of(r, 0)->current_leader.leader_id, 2);
    CU_ASSERT_EQUAL(answer_of(r, 0)->current_leader.leader_epoch, 1);
    CU_ASSERT_EQUAL(answer_of(r, 1)->error_code, KERR_NONE);
    // Broker 2 is not registered, so nobody can say where it listens.
    CU_ASSERT_EQUAL(((struct produce_response *)r->request.response)->node_endpoints_count, 0);
    data_request_free(r);
    data_end(&kit);
}

// The first batch of a log waits for its small files, as each does with flush.messages=1.
static void acks_wait_for_the_disk(void)
{
    struct data_kit kit;
    data_begin_flushing(&kit, true);
    data_topic(&kit, "t", 4, 1);
    for (int16_t acks = -1; acks <= 1; acks++) {
        struct data_request *r = new_request(&kit, 9, acks);
        add(r, "t", acks + 1, good(&r->request.arena));
        add(r, "t", 3, good(&r->request.arena));
        handle_produce(&r->request);
        CU_ASSERT_EQUAL(data_fate_of(r), acks == 0 ? DATA_REPLIED_NOTHING : DATA_WAITS);
        if (acks == 1) {
            CU_ASSERT_EQUAL(r->deadline_us, INT64_MAX); // the timeout is for replicas
            data_turn(&kit, r);
            CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
        }
        log_manager_run(kit.logs);
        if (acks != 0) {
            data_turn(&kit, r);
            CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
            CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NONE);
            CU_ASSERT_EQUAL(answer_of(r, 0)->base_offset, 0);
            CU_ASSERT_EQUAL(answer_of(r, 1)->error_code, KERR_NONE);
        }
        data_request_free(r);
    }
    data_end(&kit);
}

static void a_log_that_goes_away_answers_who_waits_for_the_disk(void)
{
    struct data_kit kit;
    data_begin_flushing(&kit, true);
    data_topic(&kit, "t", 1, 1);
    struct data_request *r = new_request(&kit, 9, 1);
    add(r, "t", 0, good(&r->request.arena));
    handle_produce(&r->request);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    data_delete_topic(&kit, "t");
    data_turn(&kit, r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NOT_LEADER_OR_FOLLOWER);
    data_request_free(r);
    data_end(&kit);
}

// Requests of one turn are written together: answered when its end comes, as if each had been alone.
static void followed_requests_wait_for_the_turns_end(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 2, 1);
    CU_ASSERT_EQUAL(produce_once(&kit, "t", 0, 1, good), KERR_NONE);
    struct data_request *turn[3];
    for (int i = 0; i < 3; i++) {
        struct data_request *r = turn[i] = new_request(&kit, 9, (int16_t)(i - 1));
        r->request.is_followed = true;
        add(r, "t", 0, good(&r->request.arena));
        add(r, "t", 1, good(&r->request.arena)); // the first of its log is written at once
        handle_produce(&r->request);
        CU_ASSERT_EQUAL(data_fate_of(r), DATA_WAITS);
    }
    struct partition *partition = replicas_find(kit.replicas, str_of("t"), 0);
    CU_ASSERT_EQUAL(partition_high_watermark(partition), 2);
    data_end_turn(turn[0]);
    CU_ASSERT_EQUAL(partition_high_watermark(partition), 8); // one write took all of them
    partition_unref(partition);
    for (int i = 0; i < 3; i++) {
        data_end_turn(turn[i]);
        CU_ASSERT_EQUAL(data_fate_of(turn[i]), i == 1 ? DATA_REPLIED_NOTHING : DATA_REPLIED);
        for (int32_t p = 0; p < 2; p++) {
            CU_ASSERT_EQUAL(answer_of(turn[i], p)->error_code, KERR_NONE);
            CU_ASSERT_EQUAL(answer_of(turn[i], p)->base_offset, 2 * i + (p == 0 ? 2 : 0));
        }
        data_request_free(turn[i]);
    }
    data_end(&kit);
}

static void a_topic_deleted_before_the_turns_end(void)
{
    struct data_kit kit;
    data_begin(&kit);
    data_topic(&kit, "t", 1, 1);
    CU_ASSERT_EQUAL(produce_once(&kit, "t", 0, 1, good), KERR_NONE);
    struct data_request *r = new_request(&kit, 9, 1);
    r->request.is_followed = true;
    add(r, "t", 0, good(&r->request.arena));
    handle_produce(&r->request);
    data_delete_topic(&kit, "t");
    data_end_turn(r);
    CU_ASSERT_EQUAL(data_fate_of(r), DATA_REPLIED);
    CU_ASSERT_EQUAL(answer_of(r, 0)->error_code, KERR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_EQUAL(answer_of(r, 0)->base_offset, -1);
    data_request_free(r);
    data_end(&kit);
}

TEST_MAIN("produce", TEST(acks_1_and_all_are_answered_at_once), TEST(acks_0_is_silent_or_closes),
          TEST(each_partition_fails_alone), TEST(internal_topics_are_for_the_admin_client),
          TEST(internal_topics_are_refused_before_they_are_here), TEST(topics_by_id),
          TEST(acks_all_waits_for_all_partitions), TEST(what_is_not_committed_in_time_times_out),
          TEST(late_and_woken_at_once), TEST(a_lost_lead_is_told_with_the_new_one),
          TEST(acks_wait_for_the_disk), TEST(a_log_that_goes_away_answers_who_waits_for_the_disk),
          TEST(followed_requests_wait_for_the_turns_end),
          TEST(a_topic_deleted_before_the_turns_end))
