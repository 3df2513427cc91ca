// SPDX-License-Identifier: Apache-2.0
// Sessions of members: epochs, limits, what is told, how they end.
#include "share/share_sessions.h"

#include "base/testing.h"

static struct share_session_partition partition_of(int32_t index)
{
    struct share_session_partition partition = { .index = index, .is_known = true };
    partition.topic_id.bytes[0] = 7;
    return partition;
}

static enum kafka_error fetch(struct share_sessions *sessions, const char *member, int32_t epoch,
                              uint64_t connection_id, int32_t index, size_t *count)
{
    static struct arena arena;
    arena_init(&arena);
    struct share_session_partition partition = partition_of(index), *out;
    struct share_session_request request = { .group = str_of("g"),
                                             .member = str_of(member),
                                             .epoch = epoch,
                                             .connection_id = connection_id,
                                             .partitions = &partition,
                                             .partitions_count = index >= 0 };
    enum kafka_error error = share_sessions_fetch(sessions, &request, &arena, &out, count);
    arena_fini(&arena);
    return error;
}

static void epochs_count_up(void)
{
    struct share_sessions *sessions = share_sessions_new(2);
    size_t count;
    CU_ASSERT_EQUAL(fetch(sessions, "a", 1, 1, 0, &count), KERR_SHARE_SESSION_NOT_FOUND);
    CU_ASSERT_EQUAL(fetch(sessions, "a", -1, 1, 0, &count), KERR_SHARE_SESSION_NOT_FOUND);
    CU_ASSERT_EQUAL(fetch(sessions, "a", 0, 1, 0, &count), KERR_NONE);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(fetch(sessions, "a", 1, 1, 1, &count), KERR_NONE);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_EQUAL(fetch(sessions, "a", 1, 1, 1, &count), KERR_INVALID_SHARE_SESSION_EPOCH);
    CU_ASSERT_EQUAL(share_sessions_acknowledge(sessions, str_of("g"), str_of("a"), 0),
                    KERR_INVALID_SHARE_SESSION_EPOCH);
    CU_ASSERT_EQUAL(share_sessions_acknowledge(sessions, str_of("g"), str_of("a"), 2), KERR_NONE);
    CU_ASSERT_EQUAL(share_sessions_acknowledge(sessions, str_of("g"), str_of("a"), -1), KERR_NONE);
    CU_ASSERT_EQUAL(fetch(sessions, "a", 3, 1, -1, &count), KERR_NONE);
    CU_ASSERT_EQUAL(fetch(sessions, "a", 0, 1, 1, &count), KERR_NONE); // anew
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(fetch(sessions, "b", 0, 1, 1, &count), KERR_NONE);
    CU_ASSERT_EQUAL(fetch(sessions, "c", 0, 1, 1, &count), KERR_SHARE_SESSION_LIMIT_REACHED);
    share_sessions_free(sessions);
}

static void only_news_are_told(void)
{
    struct share_sessions *sessions = share_sessions_new(2);
    struct share_session_answer answers[2] = { { .topic_id = partition_of(0).topic_id, .index = 0 },
                                               { .topic_id = partition_of(0).topic_id,
                                                 .index = 1 } };
    size_t count;
    fetch(sessions, "a", 0, 1, 0, &count);
    fetch(sessions, "a", 1, 1, 1, &count);
    CU_ASSERT_EQUAL(share_sessions_answer(sessions, str_of("g"), str_of("a"), 1, answers, 2),
                    KERR_NONE);
    CU_ASSERT_FALSE(answers[0].is_told);
    CU_ASSERT_TRUE(answers[1].is_told); // was added by this request
    fetch(sessions, "a", 2, 1, -1, &count);
    answers[0].has_records = true;
    share_sessions_answer(sessions, str_of("g"), str_of("a"), 2, answers, 2);
    CU_ASSERT_TRUE(answers[0].is_told);
    CU_ASSERT_FALSE(answers[1].is_told);
    CU_ASSERT_EQUAL(share_sessions_answer(sessions, str_of("g"), str_of("a"), 1, answers, 2),
                    KERR_INVALID_SHARE_SESSION_EPOCH);
    share_sessions_free(sessions);
}

static void a_connection_takes_its_session_along(void)
{
    struct share_sessions *sessions = share_sessions_new(2);
    struct share_session_end end;
    struct arena arena;
    bool has_ended, is_empty;
    size_t count;
    arena_init(&arena);
    fetch(sessions, "a", 0, 1, 0, &count);
    fetch(sessions, "b", 0, 2, 0, &count);
    CU_ASSERT_FALSE(share_sessions_disconnect(sessions, 3, &arena, &end, &has_ended, &is_empty));
    CU_ASSERT_TRUE(share_sessions_disconnect(sessions, 1, &arena, &end, &has_ended, &is_empty));
    CU_ASSERT_TRUE(has_ended);
    CU_ASSERT_FALSE(is_empty);
    CU_ASSERT_EQUAL(end.partitions_count, 1);
    CU_ASSERT_TRUE(share_sessions_end(sessions, str_of("g"), str_of("b"), &arena, &end));
    CU_ASSERT_FALSE(share_sessions_end(sessions, str_of("g"), str_of("b"), &arena, &end));
    CU_ASSERT_TRUE(share_sessions_disconnect(sessions, 2, &arena, &end, &has_ended, &is_empty));
    CU_ASSERT_FALSE(has_ended);
    CU_ASSERT_TRUE(is_empty);
    CU_ASSERT_TRUE(str_eqz(end.group, "g"));
    arena_fini(&arena);
    share_sessions_free(sessions);
}

TEST_MAIN("share_sessions", TEST(epochs_count_up), TEST(only_news_are_told),
          TEST(a_connection_takes_its_session_along))
