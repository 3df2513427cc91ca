// SPDX-License-Identifier: Apache-2.0
#include "api/fetch_sessions.h"

#include "base/testing.h"

// A clock that stands until it is told.
struct stopped_clock {
    struct clock clock;
    int64_t now_ms;
};

static int64_t stopped_wall_ms(struct clock *clock)
{
    return container_of(clock, struct stopped_clock, clock)->now_ms;
}

static int64_t stopped_monotonic_us(struct clock *clock)
{
    return stopped_wall_ms(clock) * 1000;
}

struct fixture {
    struct stopped_clock clock;
    struct fetch_sessions *sessions;
    struct arena arena;
    struct fetch_context context;
    enum kafka_error error;
    bool *must_reply;
};

static void begin(struct fixture *f, int32_t slots)
{
    f->clock = (struct stopped_clock){ { stopped_wall_ms, stopped_monotonic_us }, 1000000 };
    f->sessions = fetch_sessions_new(&f->clock.clock, slots);
    arena_init(&f->arena);
}

static void end(struct fixture *f)
{
    fetch_sessions_free(f->sessions);
    arena_fini(&f->arena);
}

// A request for partitions 0..count-1 of a topic (by name, or by an id made of its first letter), from offset 0.
static void ask(struct fixture *f, int16_t version, int32_t session_id, int32_t epoch,
                const char *topic, int32_t count, bool is_follower)
{
    struct fetch_request request;
    message_init(&fetch_request_desc, &request);
    request.session_id = session_id;
    request.session_epoch = epoch;
    struct fetch_request_fetch_topic *topics =
        arena_new(&f->arena, struct fetch_request_fetch_topic);
    if (topic != NULL) {
        topics->topic = version < 13 ? arena_strz(&f->arena, topic) : (struct str){ "", 0 };
        if (version >= 13)
            topics->topic_id.bytes[0] = (uint8_t)topic[0];
        topics->partitions = arena_array(&f->arena, struct fetch_request_fetch_partition, count);
        topics->partitions_count = count;
        for (int32_t i = 0; i < count; i++)
            topics->partitions[i] =
                (struct fetch_request_fetch_partition){ .partition = i,
                                                        .partition_max_bytes = 1000,
                                                        .current_leader_epoch = -1,
                                                        .last_fetched_epoch = -1 };
        request.topics = topics;
        request.topics_count = 1;
    }
    fetch_context_open(&f->context, f->sessions, &request, version, is_follower, &f->arena);
}

// The reply: every partition has this high watermark and so many bytes. Returns the session id.
static int32_t answer(struct fixture *f, int64_t high_watermark, int64_t bytes)
{
    for (int32_t i = 0; i < f->context.items_count; i++) {
        partition_read_failed(&f->context.items[i].result, KERR_NONE);
        f->context.items[i].result.high_watermark = high_watermark;
        f->context.items[i].result.log_start_offset = 0;
        f->context.items[i].result.slice.size = bytes;
    }
    int32_t id;
    fetch_context_close(&f->context, f->sessions, &f->arena, &id, &f->error, &f->must_reply);
    return id;
}

static int told(const struct fixture *f)
{
    int count = 0;
    for (int32_t i = 0; i < f->context.items_count; i++)
        count += f->must_reply[i];
    return count;
}

static int32_t open_session(struct fixture *f, int16_t version, const char *topic, int32_t count,
                            bool is_follower)
{
    ask(f, version, 0, 0, topic, count, is_follower);
    CU_ASSERT_EQUAL(f->context.kind, FETCH_CONTEXT_FULL);
    CU_ASSERT_EQUAL(f->context.items_count, count);
    int32_t id = answer(f, 0, 0);
    CU_ASSERT_EQUAL(told(f), count);
    fetch_context_release(&f->context);
    return id;
}

static void only_what_changed_is_told(void)
{
    for (int16_t version = 7; version <= 18; version = (int16_t)(version + 6)) {
        struct fixture f;
        begin(&f, 1000);
        int32_t id = open_session(&f, version, "t", 3, false);
        CU_ASSERT_NOT_EQUAL(id, 0);
        CU_ASSERT_EQUAL(fetch_sessions_partitions_count(f.sessions), 3);
        ask(&f, version, id, 1, NULL, 0, false);
        CU_ASSERT_EQUAL(f.context.kind, FETCH_CONTEXT_INCREMENTAL);
        CU_ASSERT_EQUAL(f.context.items_count, 3);
        CU_ASSERT_EQUAL(f.context.items[2].name.index, 2);
        CU_ASSERT_EQUAL(f.context.items[2].fetch.max_bytes, 1000);
        CU_ASSERT_EQUAL(answer(&f, 0, 0), id);
        CU_ASSERT_EQUAL(told(&f), 0);
        fetch_context_release(&f.context);
        ask(&f, version, id, 2, NULL, 0, false);
        answer(&f, 5, 0);
        CU_ASSERT_EQUAL(told(&f), 3); // the high watermark moved
        fetch_context_release(&f.context);
        ask(&f, version, id, 3, NULL, 0, false);
        answer(&f, 5, 100);
        CU_ASSERT_EQUAL(told(&f), 3); // records
        fetch_context_release(&f.context);
        ask(&f, version, id, 4, NULL, 0, false);
        answer(&f, 5, 0);
        CU_ASSERT_EQUAL(told(&f), 0);
        fetch_context_release(&f.context);
        end(&f);
    }
}

static void errors_are_told_until_they_end(void)
{
    struct fixture f;
    begin(&f, 1000);
    int32_t id = open_session(&f, 12, "t", 1, false);
    for (int32_t epoch = 1; epoch <= 4; epoch++) {
        ask(&f, 12, id, epoch, NULL, 0, false);
        if (epoch <= 2) {
            partition_read_failed(&f.context.items[0].result, KERR_OFFSET_OUT_OF_RANGE);
            int32_t same_id;
            fetch_context_close(&f.context, f.sessions, &f.arena, &same_id, &f.error,
                                &f.must_reply);
        } else {
            answer(&f, 0, 0);
        }
        CU_ASSERT_EQUAL(told(&f), epoch <= 3);
        fetch_context_release(&f.context);
    }
    end(&f);
}

static void epochs_and_ids_are_checked(void)
{
    struct fixture f;
    begin(&f, 1000);
    int32_t id = open_session(&f, 12, "t", 2, false);
    const struct {
        int16_t version;
        int32_t id, epoch;
        enum kafka_error want;
    } cases[] = { { 12, id, 2, KERR_INVALID_FETCH_SESSION_EPOCH },
                  { 13, id, 2, KERR_INVALID_FETCH_SESSION_EPOCH },
                  { 13, id, 1, KERR_FETCH_SESSION_TOPIC_ID_ERROR },
                  { 12, id ^ 1, 1, KERR_FETCH_SESSION_ID_NOT_FOUND },
                  { 12, 0, 1, KERR_FETCH_SESSION_ID_NOT_FOUND },
                  { 12, -5, 1, KERR_FETCH_SESSION_ID_NOT_FOUND },
                  { 12, INT32_MAX, 1, KERR_UNKNOWN_SERVER_ERROR },
                  { 12, INT32_MAX, 0, KERR_UNKNOWN_SERVER_ERROR } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask(&f, cases[i].version, cases[i].id, cases[i].epoch, NULL, 0, false);
        CU_ASSERT_EQUAL(f.context.kind, FETCH_CONTEXT_REFUSED);
        CU_ASSERT_EQUAL(f.context.error, cases[i].want);
        CU_ASSERT_EQUAL(answer(&f, 0, 0), 0);
        CU_ASSERT_EQUAL(f.error, cases[i].want);
    }
    ask(&f, 12, id, 1, NULL, 0, false);
    CU_ASSERT_EQUAL(f.context.kind, FETCH_CONTEXT_INCREMENTAL);
    // While it is parked another request takes the session over.
    struct fetch_context overtaken = f.context;
    ask(&f, 12, id, 2, NULL, 0, false);
    answer(&f, 0, 0);
    fetch_context_release(&f.context);
    f.context = overtaken;
    CU_ASSERT_EQUAL(answer(&f, 9, 9), id);
    CU_ASSERT_EQUAL(f.error, KERR_INVALID_FETCH_SESSION_EPOCH);
    CU_ASSERT_EQUAL(told(&f), 0);
    fetch_context_release(&f.context);
    end(&f);
}

static void epochs_go_round(void)
{
    struct fixture f;
    begin(&f, 1000);
    int32_t id = open_session(&f, 12, "t", 1, false);
    for (int32_t epoch = 1; epoch < 1000; epoch++) {
        ask(&f, 12, id, epoch, NULL, 0, false);
        CU_ASSERT_EQUAL(f.context.kind, FETCH_CONTEXT_INCREMENTAL);
        CU_ASSERT_EQUAL(f.context.epoch, epoch + 1);
        fetch_context_release(&f.context);
        arena_reset(&f.arena);
    }
    end(&f);
}

static void forget(struct fixture *f, int32_t id, int32_t epoch, int32_t partition, int32_t count)
{
    struct fetch_request request;
    message_init(&fetch_request_desc, &request);
    request.session_id = id;
    request.session_epoch = epoch;
    int32_t *partitions = arena_array(&f->arena, int32_t, count);
    for (int32_t i = 0; i < count; i++)
        partitions[i] = partition + i;
    struct fetch_request_forgotten_topic topic = { .topic = str_of("t"),
                                                   .partitions = partitions,
                                                   .partitions_count = count };
    request.forgotten_topics_data = &topic;
    request.forgotten_topics_data_count = 1;
    fetch_context_open(&f->context, f->sessions, &request, 12, false, &f->arena);
}

static void what_is_forgotten_is_not_read(void)
{
    struct fixture f;
    begin(&f, 1000);
    int32_t id = open_session(&f, 12, "t", 4, false);
    forget(&f, id, 1, 1, 2);
    CU_ASSERT_EQUAL(f.context.items_count, 2);
    CU_ASSERT_EQUAL(f.context.items[0].name.index, 0);
    CU_ASSERT_EQUAL(f.context.items[1].name.index, 3);
    fetch_context_release(&f.context);
    ask(&f, 12, id, 2, "u", 1, false); // a partition more, of another topic
    CU_ASSERT_EQUAL(f.context.items_count, 3);
    CU_ASSERT_TRUE(str_eqz(f.context.items[2].name.topic, "u"));
    CU_ASSERT_TRUE(str_eqz(f.context.items[0].name.topic, "t"));
    fetch_context_release(&f.context);
    end(&f);
}

static void an_emptied_session_is_closed(void)
{
    struct fixture f;
    begin(&f, 1000);
    int32_t id = open_session(&f, 12, "t", 2, false);
    forget(&f, id, 1, 0, 2);
    CU_ASSERT_EQUAL(f.context.kind, FETCH_CONTEXT_SESSIONLESS);
    CU_ASSERT_EQUAL(answer(&f, 0, 0), 0);
    CU_ASSERT_EQUAL(f.error, KERR_NONE);
    CU_ASSERT_EQUAL(fetch_sessions_count(f.sessions), 0);
    CU_ASSERT_EQUAL(fetch_sessions_partitions_count(f.sessions), 0);
    end(&f);
}

static void a_full_fetch_replaces_the_session(void)
{
    struct fixture f;
    begin(&f, 1000);
    int32_t id = open_session(&f, 12, "t", 2, false);
    ask(&f, 12, id, 0, "t", 2, false);
    int32_t other = answer(&f, 0, 0);
    CU_ASSERT_NOT_EQUAL(other, id);
    CU_ASSERT_EQUAL(fetch_sessions_count(f.sessions), 1);
    ask(&f, 12, other, -1, "t", 2, false);
    CU_ASSERT_EQUAL(f.context.kind, FETCH_CONTEXT_SESSIONLESS);
    CU_ASSERT_EQUAL(answer(&f, 0, 0), 0);
    CU_ASSERT_EQUAL(told(&f), 2);
    CU_ASSERT_EQUAL(fetch_sessions_count(f.sessions), 0);
    end(&f);
}

static void who_sent_goes_last(void)
{
    struct fixture f;
    begin(&f, 1000);
    int32_t id = open_session(&f, 12, "t", 3, false);
    ask(&f, 12, id, 1, NULL, 0, false);
    for (int32_t i = 0; i < 3; i++) {
        partition_read_failed(&f.context.items[i].result, KERR_NONE);
        f.context.items[i].result.slice.size = i == 0 ? 50 : 0;
    }
    int32_t same_id;
    fetch_context_close(&f.context, f.sessions, &f.arena, &same_id, &f.error, &f.must_reply);
    fetch_context_release(&f.context);
    ask(&f, 12, id, 2, NULL, 0, false);
    CU_ASSERT_EQUAL(f.context.items[0].name.index, 1);
    CU_ASSERT_EQUAL(f.context.items[1].name.index, 2);
    CU_ASSERT_EQUAL(f.context.items[2].name.index, 0);
    fetch_context_release(&f.context);
    end(&f);
}

static void a_partition_named_twice_is_read_once(void)
{
    struct fixture f;
    begin(&f, 1000);
    struct fetch_request request;
    message_init(&fetch_request_desc, &request);
    request.session_epoch = -1;
    struct fetch_request_fetch_partition partitions[] = { { .partition = 1, .fetch_offset = 5 },
                                                          { .partition = 0, .fetch_offset = 6 },
                                                          { .partition = 1, .fetch_offset = 7 } };
    struct fetch_request_fetch_topic topics[] = {
        { .topic = str_of("t"), .partitions = partitions, .partitions_count = 3 },
        { .topic = str_of("u"), .partitions = partitions, .partitions_count = 1 },
        { .topic = str_of("t"), .partitions = partitions, .partitions_count = 2 },
    };
    request.topics = topics;
    request.topics_count = 3;
    fetch_context_open(&f.context, f.sessions, &request, 12, false, &f.arena);
    CU_ASSERT_EQUAL(f.context.items_count, 3);
    CU_ASSERT_EQUAL(f.context.items[0].name.index, 1);
    CU_ASSERT_EQUAL(f.context.items[0].fetch.fetch_offset, 5); // as it was named last
    CU_ASSERT_EQUAL(f.context.items[1].name.index, 0);
    CU_ASSERT_TRUE(str_eqz(f.context.items[2].name.topic, "u"));
    end(&f);
}

// Eight shards with one session each.
static void who_may_evict_whom(void)
{
    struct fixture f;
    begin(&f, 8);
    int32_t ids[8];
    for (int i = 0; i < 8; i++)
        CU_ASSERT_NOT_EQUAL(ids[i] = open_session(&f, 12, "t", 2, false), 0);
    CU_ASSERT_EQUAL(open_session(&f, 12, "t", 50, false),
                    0); // all are in use, and none is two minutes old
    CU_ASSERT_EQUAL(fetch_sessions_count(f.sessions), 8);
    for (int i = 0; i < 7; i++) // the turn goes round the shards
        CU_ASSERT_EQUAL(open_session(&f, 12, "t", 50, false), 0);
    CU_ASSERT_NOT_EQUAL(open_session(&f, 12, "t", 1, true), 0); // a follower may always
    CU_ASSERT_EQUAL(fetch_sessions_count(f.sessions), 8);

    f.clock.now_ms += FETCH_SESSION_EVICTION_MS + 1;
    // Old but in use: only for one that has more.
    for (int i = 1; i < 8; i++) {
        ask(&f, 12, ids[i], 1, NULL, 0, false);
        CU_ASSERT_EQUAL(f.context.kind, FETCH_CONTEXT_INCREMENTAL);
        fetch_context_release(&f.context);
    }
    CU_ASSERT_EQUAL(open_session(&f, 12, "t", 2, false), 0);
    CU_ASSERT_NOT_EQUAL(open_session(&f, 12, "t", 3, false), 0);
    // Silent for two minutes: for anyone.
    f.clock.now_ms += FETCH_SESSION_EVICTION_MS + 1;
    CU_ASSERT_NOT_EQUAL(open_session(&f, 12, "t", 1, false), 0);
    CU_ASSERT_EQUAL(fetch_sessions_count(f.sessions), 8);
    end(&f);
}

static void no_slots_no_sessions(void)
{
    struct fixture f;
    begin(&f, 7); // an eighth of it is none
    CU_ASSERT_EQUAL(open_session(&f, 12, "t", 2, false), 0);
    end(&f);
}

TEST_MAIN("fetch_sessions", TEST(only_what_changed_is_told), TEST(errors_are_told_until_they_end),
          TEST(epochs_and_ids_are_checked), TEST(epochs_go_round),
          TEST(what_is_forgotten_is_not_read), TEST(an_emptied_session_is_closed),
          TEST(a_full_fetch_replaces_the_session), TEST(who_sent_goes_last),
          TEST(a_partition_named_twice_is_read_once), TEST(who_may_evict_whom),
          TEST(no_slots_no_sessions))
