// SPDX-License-Identifier: Apache-2.0
// Random clients of consumer groups against time, failing appends and restarts. What must hold after each step:
//
//     (1) no partition is owned by two members at a time, as the broker describes them
//     (2) no member was assigned what another still holds, as the clients know it
//     (3) a committed offset is neither lost nor goes back, except by a commit that was answered
//     (4) a restart changes nothing that was answered
//     (5) left alone, every group becomes stable, and all partitions are owned
#include "group/consumer/consumer_group.h"

#include "group/testing_groups.h"

enum { CONSUMERS = 6, PARTITIONS = 9, STEPS = 600, SEEDS = 12 };

struct world {
    struct fixture f;
    uint32_t seed;
    struct consumer consumers[CONSUMERS];
    bool is_in[CONSUMERS];
    int64_t committed[PARTITIONS];
};

static uint32_t next_random(struct world *w, uint32_t limit)
{
    w->seed = w->seed * 1664525 + 1013904223;
    return (w->seed >> 8) % limit;
}

static void topics(struct world *w)
{
    fixture_topic(&w->f, "t", PARTITIONS);
}

static void begin(struct world *w, uint32_t seed)
{
    memset(w, 0, sizeof *w);
    fixture_init(&w->f, NULL);
    fixture_setting(&w->f, "group.consumer.assignment.interval.ms", seed % 2 == 0 ? "0" : "1000");
    topics(w);
    w->seed = seed;
    for (int i = 0; i < CONSUMERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "member-%d", i);
        consumer_init(&w->consumers[i], "g", id, "t");
    }
    for (int p = 0; p < PARTITIONS; p++)
        w->committed[p] = -1;
}

// ---- what must hold --------------------------------------------------------------------------------

static void check_described(struct world *w)
{
    struct consumer_group_describe_response_described_group group = consumer_described(&w->f, "g");
    int owners[PARTITIONS] = { 0 };
    for (int32_t m = 0; m < group.members_count; m++) {
        const struct consumer_group_describe_response_assignment *has =
            &group.members[m].assignment;
        for (int32_t t = 0; t < has->topic_partitions_count; t++)
            for (int32_t p = 0; p < has->topic_partitions[t].partitions_count; p++)
                owners[has->topic_partitions[t].partitions[p]]++;
    }
    for (int p = 0; p < PARTITIONS; p++)
        must(owners[p] <= 1);
}

static void check_held(const struct world *w)
{
    int holders[PARTITIONS] = { 0 };
    for (int i = 0; i < CONSUMERS; i++)
        for (int32_t t = 0; w->is_in[i] && t < w->consumers[i].held_count; t++)
            for (int32_t p = 0; p < w->consumers[i].held[t].partitions_count; p++)
                holders[w->consumers[i].held[t].partitions[p]]++;
    for (int p = 0; p < PARTITIONS; p++)
        must(holders[p] <= 1);
}

static void check_offsets(struct world *w)
{
    for (int p = 0; p < PARTITIONS; p++)
        must(committed_offset_of(&w->f, "g", "t", p) == w->committed[p]);
}

// ---- what happens ----------------------------------------------------------------------------------

// A client that is fenced lets go of everything and joins again.
static void beat(struct world *w, int i)
{
    struct consumer *c = &w->consumers[i];
    int16_t error = consumer_beat(&w->f, c);
    if (error == KERR_NONE) {
        w->is_in[i] = true;
    } else if (error == KERR_UNKNOWN_MEMBER_ID || error == KERR_FENCED_MEMBER_EPOCH ||
               error == KERR_GROUP_ID_NOT_FOUND) {
        w->is_in[i] = false;
        c->epoch = c->held_count = 0;
    } else {
        must(error == KERR_COORDINATOR_NOT_AVAILABLE);
        c->has_news = c->has_news || c->epoch > 0; // says it again
    }
}

static void leave_group(struct world *w, int i)
{
    struct consumer *c = &w->consumers[i];
    if (!w->is_in[i] || consumer_leave(&w->f, c) != KERR_NONE)
        return;
    w->is_in[i] = false;
    c->epoch = c->held_count = 0;
}

static void commit_held(struct world *w, int i)
{
    struct consumer *c = &w->consumers[i];
    if (!w->is_in[i] || c->held_count == 0)
        return;
    int32_t partition = c->held[0].partitions[0];
    struct commit commit;
    memset(&commit, 0, sizeof commit);
    call_init(&commit.call);
    message_init(&offset_commit_request_desc, &commit.request);
    int64_t offset = w->committed[partition] + 1 + next_random(w, 3);
    commit.partition = (struct offset_commit_request_partition){ .partition_index = partition,
                                                                 .committed_offset = offset,
                                                                 .committed_leader_epoch = -1,
                                                                 .committed_metadata = str_of("") };
    commit.topic = (struct offset_commit_request_topic){ .name = str_of("t"),
                                                         .topic_id = c->held[0].topic_id,
                                                         .partitions = &commit.partition,
                                                         .partitions_count = 1 };
    commit.request.group_id = str_of("g");
    commit.request.member_id = str_of(c->id);
    commit.request.generation_id_or_member_epoch = c->epoch;
    commit.request.topics = &commit.topic;
    commit.request.topics_count = 1;
    group_coordinator_commit_offsets(w->f.groups, &commit.request, 9, &commit.response, &w->f.arena,
                                     &commit.call.completion);
    int16_t error = commit_error(&commit);
    if (error == KERR_NONE)
        w->committed[partition] = offset;
    else
        must(error == KERR_COORDINATOR_NOT_AVAILABLE || error == KERR_UNKNOWN_MEMBER_ID ||
             error == KERR_STALE_MEMBER_EPOCH);
}

static void restart(struct world *w)
{
    struct consumer_group_describe_response_described_group before = consumer_described(&w->f, "g");
    fixture_restart(&w->f);
    topics(w);
    struct consumer_group_describe_response_described_group after = consumer_described(&w->f, "g");
    must(before.error_code == after.error_code && before.group_epoch == after.group_epoch);
    must(before.assignment_epoch == after.assignment_epoch);
    must(before.members_count == after.members_count);
    must(str_eq(before.group_state, after.group_state));
}

static void step(struct world *w)
{
    int i = (int)next_random(w, CONSUMERS);
    switch (next_random(w, 12)) {
    case 0:
        leave_group(w, i);
        break;
    case 1:
        restart(w);
        break;
    case 2:
        testing_advance(&w->f.log, next_random(w, 30) == 0 ? 50000 : 700);
        break;
    case 3:
        w->f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
        beat(w, i);
        w->f.log.fail_next = KERR_NONE;
        break;
    case 4:
    case 5:
        commit_held(w, i);
        break;
    default:
        beat(w, i);
    }
}

// A member whose session ended knows it at its next heartbeat only; until then it holds what is another's.
static void forget_fenced(struct world *w)
{
    struct consumer_group_describe_response_described_group group = consumer_described(&w->f, "g");
    for (int i = 0; i < CONSUMERS; i++) {
        bool is_there = false;
        for (int32_t m = 0; m < group.members_count; m++)
            is_there |= str_eqz(group.members[m].member_id, w->consumers[i].id);
        if (!is_there && w->is_in[i])
            beat(w, i);
    }
}

static void settle(struct world *w)
{
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < CONSUMERS; i++)
            beat(w, i);
        testing_advance(&w->f.log, 1000);
    }
    int32_t load = 0;
    for (int i = 0; i < CONSUMERS; i++)
        load += consumer_load(&w->consumers[i]);
    CU_ASSERT_EQUAL(load, PARTITIONS);
    CU_ASSERT(str_eqz(consumer_described(&w->f, "g").group_state, "Stable"));
}

static void random_clients(void)
{
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        begin(&w, seed);
        for (int i = 0; i < STEPS; i++) {
            step(&w);
            forget_fenced(&w);
            check_described(&w);
            check_held(&w);
            check_offsets(&w);
        }
        settle(&w);
        fixture_fini(&w.f);
    }
}

TEST_MAIN("consumer_random", TEST(random_clients))
