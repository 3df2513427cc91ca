// SPDX-License-Identifier: Apache-2.0
// Random clients of one classic group, with time, restarts, lost partitions and appends that fail in between. Believed:
//   - every request is answered once, or lost with a restart
//   - a generation has one leader and one protocol, and only the leader hears of the members
//   - who is given an assignment gets the one that the leader made for it
//   - an offset is what was last acknowledged, whatever happened meanwhile
// A failure names its seed; the same seed does the same again.
#include "group/group_coordinator.h"

#include "group/testing_groups.h"

enum { CLIENTS = 6, STEPS = 4000, SEEDS = 12, PARTITIONS = 3 };

struct actor {
    struct join *join; // the request that waits, or the last answer
    struct sync *sync;
    bool is_joining, is_syncing, is_member;
    const char *instance; // NULL: a dynamic member
    struct str id;
};

struct play {
    struct fixture f;
    uint64_t random;
    struct actor actors[CLIENTS];
    int64_t offsets[PARTITIONS];
    int32_t generation; // the last one seen, and its leader
    struct str leader;
};

static uint32_t pick(struct play *p, uint32_t below)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (uint32_t)(p->random >> 33) % below;
}

static void check_join(struct play *p, struct actor *actor)
{
    const struct join_group_response *r = &actor->join->response;
    actor->is_joining = false;
    must(actor->join->call.done == 1);
    if (r->error_code == KERR_MEMBER_ID_REQUIRED)
        actor->id = r->member_id;
    else if (r->error_code == KERR_UNKNOWN_MEMBER_ID || r->error_code == KERR_FENCED_INSTANCE_ID)
        actor->id = str_of("");
    actor->is_member = r->error_code == KERR_NONE;
    if (!actor->is_member)
        return;
    actor->id = r->member_id;
    must(r->generation_id >= p->generation);
    if (r->generation_id > p->generation) {
        p->generation = r->generation_id;
        p->leader = r->leader;
    }
    // A static leader returns as another, under its new id.
    must(str_eq(r->leader, p->leader) || !str_is_null(actor->join->request.group_instance_id) ||
         r->members_count == 0);
    must(r->members_count == 0 || str_eq(r->leader, r->member_id));
    must(str_eqz(r->protocol_name, "range"));
}

static void check_sync(struct play *p, struct actor *actor)
{
    (void)p;
    const struct sync_group_response *r = &actor->sync->response;
    actor->is_syncing = false;
    must(actor->sync->call.done == 1);
    if (r->error_code != KERR_NONE)
        return;
    // sync_send gives everyone its own id; a static member that returned has its predecessor's.
    struct str given = { (const char *)r->assignment.data, r->assignment.size };
    must(given.size == 0 || actor->instance != NULL ||
         str_eq(given, actor->sync->request.member_id));
}

static void look(struct play *p)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct actor *actor = &p->actors[i];
        must(actor->join == NULL || actor->join->call.done <= 1);
        must(actor->sync == NULL || actor->sync->call.done <= 1);
        if (actor->is_joining && actor->join->call.done > 0)
            check_join(p, actor);
        if (actor->is_syncing && actor->sync->call.done > 0)
            check_sync(p, actor);
    }
}

static void join_some(struct play *p, struct actor *actor)
{
    if (actor->is_joining || actor->is_syncing)
        return;
    actor->join = arena_new(&p->f.arena, struct join);
    join_prepare(&p->f, actor->join, "g", actor->id, "range", pick(p, 3) == 0 ? "other" : NULL);
    if (actor->instance != NULL) {
        actor->join->request.group_instance_id = str_of(actor->instance);
        if (pick(p, 2) == 0)
            actor->join->request.member_id = str_of(""); // it forgot who it was
    }
    actor->join->request.rebalance_timeout_ms = (int32_t)(5000 + pick(p, 5000));
    actor->is_joining = true;
    actor->is_member = false;
    join_go(&p->f, actor->join, pick(p, 4) == 0 ? 3 : 9);
}

static void sync_some(struct play *p, struct actor *actor)
{
    if (!actor->is_member || actor->is_joining || actor->is_syncing)
        return;
    actor->sync = arena_new(&p->f.arena, struct sync);
    actor->is_syncing = true;
    sync_send(&p->f, actor->sync, actor->join);
}

static void commit_some(struct play *p, const struct actor *actor)
{
    struct commit commit;
    int32_t partition = (int32_t)pick(p, PARTITIONS);
    int64_t offset = pick(p, 1000000);
    memset(&commit, 0, sizeof commit);
    commit_send(&p->f, &commit, "simple", "t", partition, offset);
    if (commit_error(&commit) == KERR_NONE)
        p->offsets[partition] = offset;
    if (actor->is_member) { // members of the other group may or may not
        commit_send(&p->f, &commit, "g", "t", partition, offset);
        must(commit.call.done == 1);
    }
}

static void check_offsets(struct play *p)
{
    for (int32_t i = 0; i < PARTITIONS; i++)
        must(committed_offset_of(&p->f, "simple", "t", i) == p->offsets[i]);
}

// A generation counts from its assignment on: before that it is in no record, and a new coordinator does not know it.
static void forget_generation(struct play *p)
{
    p->generation = 0;
    p->leader = str_of("");
}

static void lose_requests(struct play *p)
{
    forget_generation(p);
    for (int i = 0; i < CLIENTS; i++)
        p->actors[i].is_joining = p->actors[i].is_syncing = false;
}

static void change_hands(struct play *p, int32_t epoch)
{
    struct coordinator *engine = group_coordinator_engine(p->f.groups);
    for (int32_t i = 0; i < TESTING_PARTITIONS; i++)
        coordinator_resigned(engine, i, epoch);
    for (int i = 0; i < CLIENTS; i++) // nobody is left without an answer
        must((!p->actors[i].is_joining || p->actors[i].join->call.done == 1) &&
             (!p->actors[i].is_syncing || p->actors[i].sync->call.done == 1));
    look(p);
    forget_generation(p);
    for (int32_t i = 0; i < TESTING_PARTITIONS; i++)
        coordinator_elected(engine, i, epoch + 1);
    coordinator_load(engine);
}

static void step(struct play *p, int32_t *epoch)
{
    struct actor *actor = &p->actors[pick(p, CLIENTS)];
    switch (pick(p, 40)) {
    case 0:
        lose_requests(p);
        fixture_restart(&p->f);
        *epoch = 0;
        check_offsets(p);
        return;
    case 1:
        change_hands(p, *epoch);
        ++*epoch;
        check_offsets(p);
        return;
    case 2:
        p->f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
        return;
    case 3:
    case 4:
        if (actor->id.size > 0)
            leave(&p->f, "g", actor->id);
        actor->is_member = false;
        return;
    case 5:
        testing_advance(&p->f.log, pick(p, 9000));
        return;
    default:
        break;
    }
    switch (pick(p, 5)) {
    case 0:
        join_some(p, actor);
        return;
    case 1:
        sync_some(p, actor);
        return;
    case 2:
        if (actor->is_member && heartbeat(&p->f, actor->join) == KERR_REBALANCE_IN_PROGRESS)
            join_some(p, actor);
        return;
    case 3:
        commit_some(p, actor);
        return;
    default:
        testing_advance(&p->f.log, pick(p, 1500));
    }
}

static int32_t play(uint64_t seed)
{
    struct play p = { .random = seed * UINT64_C(0x9e3779b97f4a7c15) };
    struct group_config config = group_config_defaults;
    config.initial_rebalance_delay_ms = 500;
    config.max_size = 5;
    fixture_init(&p.f, &config);
    for (int i = 0; i < CLIENTS; i++)
        p.actors[i] = (struct actor){ .id = str_of(""),
                                      .instance = i == 0   ? "i0"
                                                  : i == 1 ? "i1"
                                                           : NULL };
    for (int i = 0; i < PARTITIONS; i++)
        p.offsets[i] = -1;
    int32_t epoch = 0;
    for (int i = 0; i < STEPS; i++) {
        step(&p, &epoch);
        look(&p);
    }
    check_offsets(&p);
    testing_advance(&p.f.log, 200000); // all sessions end
    look(&p);
    bool is_at_rest = is_in_state(&p.f, "g", "Empty") || is_in_state(&p.f, "g", "Dead");
    CU_ASSERT_TRUE(is_at_rest);
    fixture_fini(&p.f);
    return p.generation;
}

static void random_clients_are_served_right(void)
{
    int32_t generations = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        printf(" %d", (int)seed);
        fflush(stdout);
        generations += play(seed);
    }
    CU_ASSERT(generations > 10 * SEEDS); // it did get somewhere
}

TEST_MAIN("group_random", TEST(random_clients_are_served_right))
