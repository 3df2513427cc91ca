// SPDX-License-Identifier: Apache-2.0
// Share groups over a log in memory and a persister that answers as it is told: joining, state being begun, assignments
// after restarts, leaving; and the assignor with random groups.
#include "group/share/share_groups.h"

#include "group/share/share_assignor.h"
#include "group/testing_groups.h"
#include "share_coordinator/persister.h"

// Answers every call at once with `error`.
struct testing_persister {
    struct persister persister;
    enum kafka_error error;
    int calls;
};

static void answer_at_once(struct persister *base, struct share_state_call *call)
{
    struct testing_persister *persister = container_of(base, struct testing_persister, persister);
    persister->calls++;
    call->error = persister->error;
    call->completion.complete(&call->completion);
}

struct share_kit {
    struct fixture f;
    struct testing_persister persister;
};

static struct uuid topic_id(uint8_t number)
{
    struct uuid id = UUID_ZERO;
    id.bytes[0] = 0x40;
    id.bytes[15] = number;
    return id;
}

static void give_topics(struct share_kit *kit)
{
    struct topic_index *topics = group_coordinator_topics(kit->f.groups);
    topic_index_put(topics, topic_id(1), str_of("t"), 3, 11, 1);
    topic_index_put(topics, topic_id(2), str_of("u"), 2, 12, 1);
}

static void kit_init(struct share_kit *kit)
{
    fixture_init(&kit->f, NULL);
    kit->persister = (struct testing_persister){ .persister = { answer_at_once } };
    kit->f.persister = &kit->persister.persister;
    fixture_restart(&kit->f);
    give_topics(kit);
}

static void kit_restart(struct share_kit *kit)
{
    fixture_restart(&kit->f);
    give_topics(kit);
}

static struct share_group_heartbeat_response beat(struct share_kit *kit, const char *member,
                                                  int32_t epoch, const char *topic)
{
    static const struct group_client client = { { "client", 6 }, "10.0.0.1" };
    struct str *topics = arena_array(&kit->f.arena, struct str, 1);
    struct share_group_heartbeat_request request;
    struct share_group_heartbeat_response response;
    struct call call;
    call_init(&call);
    message_init(&share_group_heartbeat_request_desc, &request);
    message_init(&share_group_heartbeat_response_desc, &response);
    request.group_id = str_of("g");
    request.member_id = str_of(member);
    request.member_epoch = epoch;
    topics[0] = str_of(topic != NULL ? topic : "");
    request.subscribed_topic_names = topics;
    request.subscribed_topic_names_count = topic != NULL ? 1 : -1;
    share_groups_heartbeat(kit->f.groups, &request, &client, &response, &kit->f.arena,
                           &call.completion);
    CU_ASSERT_EQUAL(call.done, 1);
    return response;
}

static int32_t partitions_of(const struct share_group_heartbeat_response *response)
{
    int32_t count = 0;
    for (int32_t i = 0;
         response->assignment != NULL && i < response->assignment->topic_partitions_count; i++)
        count += response->assignment->topic_partitions[i].partitions_count;
    return response->assignment != NULL ? count : -1;
}

static bool is_listed_as(struct fixture *f, const char *group, const char *type, const char *state)
{
    struct call call;
    struct list_groups_request request = { 0 };
    struct list_groups_response response = { 0 };
    call_init(&call);
    group_coordinator_list(f->groups, &request, &response, &f->arena, &call.completion);
    must(call.done == 1);
    for (int32_t i = 0; i < response.groups_count; i++)
        if (str_eqz(response.groups[i].group_id, group))
            return str_eqz(response.groups[i].group_type, type) &&
                   str_eqz(response.groups[i].group_state, state);
    return false;
}

static void a_member_gets_what_is_begun(void)
{
    struct share_kit kit;
    kit_init(&kit);
    struct share_group_heartbeat_response response = beat(&kit, "a", 0, "t");
    CU_ASSERT_EQUAL(response.error_code, 0);
    CU_ASSERT_EQUAL(response.member_epoch, 2);
    CU_ASSERT_EQUAL(partitions_of(&response), 0);
    CU_ASSERT_EQUAL(kit.persister.calls, 3); // one for each partition
    testing_advance(&kit.f.log, 1000);       // the assignment interval
    response = beat(&kit, "a", 2, NULL);
    CU_ASSERT_EQUAL(response.member_epoch, 3);
    CU_ASSERT_EQUAL(partitions_of(&response), 3);
    response = beat(&kit, "a", 3, NULL);
    CU_ASSERT_EQUAL(partitions_of(&response), -1); // nothing new
    kit_restart(&kit);
    response = beat(&kit, "a", 3, NULL);
    CU_ASSERT_EQUAL(response.error_code, 0);
    CU_ASSERT_EQUAL(response.member_epoch, 3);
    CU_ASSERT_EQUAL(kit.persister.calls, 3);
    fixture_fini(&kit.f);
}

static void state_that_cannot_be_begun_is_tried_again(void)
{
    struct share_kit kit;
    kit_init(&kit);
    kit.persister.error = KERR_NOT_COORDINATOR;
    beat(&kit, "a", 0, "u");
    CU_ASSERT_EQUAL(kit.persister.calls, 2);
    kit.persister.error = KERR_NONE;
    beat(&kit, "a", 2, NULL);
    CU_ASSERT_EQUAL(kit.persister.calls, 4);
    testing_advance(&kit.f.log, 1000);
    struct share_group_heartbeat_response response = beat(&kit, "a", 2, NULL);
    CU_ASSERT_EQUAL(partitions_of(&response), 2);
    fixture_fini(&kit.f);
}

static void members_leave_and_sessions_end(void)
{
    struct share_kit kit;
    kit_init(&kit);
    beat(&kit, "a", 0, "t");
    beat(&kit, "b", 0, "t");
    CU_ASSERT_EQUAL(beat(&kit, "c", 5, NULL).error_code, KERR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_EQUAL(beat(&kit, "b", 9, NULL).error_code, KERR_FENCED_MEMBER_EPOCH);
    CU_ASSERT_EQUAL(beat(&kit, "b", -1, NULL).error_code, 0);
    CU_ASSERT_EQUAL(beat(&kit, "b", 3, NULL).error_code, KERR_UNKNOWN_MEMBER_ID);
    kit_restart(&kit);
    CU_ASSERT(is_listed_as(&kit.f, "g", "share", "Stable"));
    testing_advance(&kit.f.log, 45000);
    CU_ASSERT(is_listed_as(&kit.f, "g", "share", "Empty"));
    kit_restart(&kit);
    CU_ASSERT(is_listed_as(&kit.f, "g", "share", "Empty"));
    CU_ASSERT_EQUAL(delete_group(&kit.f, "g"), KERR_NONE);
    kit_restart(&kit);
    CU_ASSERT_EQUAL(delete_group(&kit.f, "g"), KERR_GROUP_ID_NOT_FOUND);
    fixture_fini(&kit.f);
}

// ---- the assignor ----------------------------------------------------------------------------------

enum { MEMBERS_MAX = 12, TOPICS = 3 };

static const char *const names[MEMBERS_MAX] = { "a", "b", "c", "d", "e", "f",
                                                "g", "h", "i", "j", "k", "l" };

// Everybody has some, every partition has somebody, nobody has what it does not subscribe to, a second run moves
// nothing.
static void check_round(struct share_assignor_member *members, size_t count, bool is_homogeneous,
                        const struct share_topics *assignable, struct share_topics *held)
{
    for (size_t m = 0; m < count; m++) {
        members[m].former = &held[m];
        members[m].assigned = (struct share_topics){ 0 };
    }
    share_assign(members, count, is_homogeneous, assignable);
    for (size_t t = 0; t < assignable->count; t++)
        for (int32_t p = 0; p < assignable->items[t].count; p++) {
            bool is_wanted = false, is_given = false;
            for (size_t m = 0; m < count; m++) {
                bool wants = false;
                for (size_t i = 0; i < members[m].topics_count; i++)
                    wants |= uuid_eq(members[m].topics[i], assignable->items[t].id);
                bool has = share_topic_has(
                    share_topics_find(&members[m].assigned, assignable->items[t].id), p);
                CU_ASSERT_FATAL(wants || !has);
                is_wanted |= wants;
                is_given |= has;
            }
            CU_ASSERT_FATAL(is_given == is_wanted);
        }
    for (size_t m = 0; m < count; m++) {
        CU_ASSERT_FATAL(members[m].topics_count == 0 || members[m].assigned.count > 0);
        share_topics_fini(&held[m]);
        held[m] = members[m].assigned;
    }
}

static void random_groups_are_dealt_out_fairly(void)
{
    for (unsigned seed = 1; seed < 400; seed++) {
        struct share_assignor_member members[MEMBERS_MAX] = { 0 };
        struct share_topics held[MEMBERS_MAX] = { 0 }, assignable = { 0 };
        struct uuid subscribed[MEMBERS_MAX][TOPICS];
        srand(seed);
        bool is_homogeneous = rand() % 2;
        for (uint8_t t = 0; t < TOPICS; t++) {
            struct share_topic *topic = share_topics_get(&assignable, topic_id(t), STR_NULL);
            for (int32_t p = 1 + rand() % 5; p > 0; p--)
                share_topic_add(topic, p - 1);
        }
        size_t count = 1 + (size_t)(rand() % MEMBERS_MAX);
        for (size_t m = 0; m < count; m++) {
            members[m].id = str_of(names[m]);
            members[m].topics = subscribed[m];
            for (uint8_t t = 0; t < TOPICS; t++)
                if (is_homogeneous || rand() % 2)
                    subscribed[m][members[m].topics_count++] = topic_id(t);
        }
        for (int round = 0; round < 4; round++) {
            check_round(members, count, is_homogeneous, &assignable, held);
            if (round == 1 && count > 1) { // one leaves
                count--;
                share_topics_fini(&held[count]);
            }
        }
        for (size_t m = 0; m < count; m++)
            share_topics_fini(&held[m]);
        share_topics_fini(&assignable);
    }
}

TEST_MAIN("share_group", TEST(a_member_gets_what_is_begun),
          TEST(state_that_cannot_be_begun_is_tried_again), TEST(members_leave_and_sessions_end),
          TEST(random_groups_are_dealt_out_fairly))
