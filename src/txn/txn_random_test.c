// SPDX-License-Identifier: Apache-2.0
// Transactions are all or nothing: random producers of a few transactional ids, with zombies, failing writes, slow and
// failing markers, time that passes, and coordinators that start anew over the same log at any moment.
//
// Of each transaction (a producer id and the epoch that its markers have, as version 2 gives each its own) is noted
// what clients asked for and were told. In the end, when all is settled:
// (1) its markers all say the same;
// (2) what was told to be committed has commit markers on all partitions that were told to be in it;
// (3) what nobody asked to commit has no commit marker, and what was told to be aborted neither.
#include "txn/testing_txns.h"

enum { IDS = 3, PRODUCERS = 6, PARTITIONS = 6, STEPS = 3000, SEEDS = 20, SEEN_MAX = 4000 };

struct seen_transaction {
    struct transaction_producer producer; // with the epoch of its markers
    unsigned partitions;                  // told to be in it
    bool asked_commit, asked_abort;
    bool told_commit, told_abort;
};

struct world {
    struct txn_fixture f;
    struct txn_tester producers[PRODUCERS]; // producer i has transactional id i % IDS
    struct seen_transaction seen[SEEN_MAX];
    int count;
    unsigned random;
};

static unsigned rnd(struct world *w, unsigned below)
{
    w->random = w->random * 1103515245u + 12345u;
    return (w->random >> 16) % below;
}

static struct seen_transaction *seen_of(struct world *w, struct transaction_producer producer)
{
    producer.epoch++;
    for (int i = w->count; i-- > 0;)
        if (w->seen[i].producer.id == producer.id && w->seen[i].producer.epoch == producer.epoch)
            return &w->seen[i];
    must(w->count < SEEN_MAX);
    w->seen[w->count] = (struct seen_transaction){ .producer = producer };
    return &w->seen[w->count++];
}

static void end_one(struct world *w, struct txn_tester *p)
{
    struct transaction_producer producer = p->now;
    bool is_commit = rnd(w, 3) > 0;
    struct seen_transaction *seen = seen_of(w, producer);
    seen->asked_commit |= is_commit;
    seen->asked_abort |= !is_commit;
    enum kafka_error error = tester_end(p, is_commit);
    CU_ASSERT_EQUAL(p->last.done, 1);
    seen->told_commit |= error == KERR_NONE && is_commit;
    seen->told_abort |= error == KERR_NONE && !is_commit;
    // Its answer is lost: it will come again.
    if (error == KERR_NONE && rnd(w, 8) == 0)
        p->now = producer;
}

static void add_one(struct world *w, struct txn_tester *p)
{
    int32_t partition = (int32_t)rnd(w, PARTITIONS);
    struct transaction_producer producer = p->now;
    if (tester_add(p, "t", partition) == KERR_NONE)
        seen_of(w, producer)->partitions |= 1u << partition;
}

static void deliver_held(struct world *w)
{
    struct txn_marker *held = w->f.held;
    w->f.held = NULL;
    if (held != NULL)
        fixture_deliver(&w->f, held);
}

// The markers of coordinators that are gone come to nothing.
static void restart(struct world *w)
{
    struct txn_marker *held = w->f.held;
    w->f.held = NULL;
    if (held != NULL) {
        struct coordinator *engine = txn_coordinator_engine(w->f.txns);
        for (int32_t i = 0; i < TESTING_PARTITIONS; i++)
            coordinator_resigned(engine, i, -1);
        held->on_written(held);
    }
    w->f.holds_markers = false;
    txn_fixture_restart(&w->f);
}

static void step(struct world *w)
{
    struct txn_tester *p = &w->producers[rnd(w, PRODUCERS)];
    switch (rnd(w, 24)) {
    case 0:
        tester_init(p);
        break;
    case 1:
        if (p->now.id != -1)
            tester_init_as(p, p->now);
        break;
    case 2:
        testing_advance(&w->f.log, rnd(w, 4) == 0 ? 80000 : 300);
        break;
    case 3:
        if (rnd(w, 4) == 0)
            restart(w);
        break;
    case 4:
        w->f.log.fail_next = rnd(w, 2) ? KERR_NOT_ENOUGH_REPLICAS : KERR_NOT_LEADER_OR_FOLLOWER;
        break;
    case 5:
        w->f.marker_error = rnd(w, 2) ? KERR_NOT_LEADER_OR_FOLLOWER : KERR_NONE;
        break;
    case 6:
        if (w->f.held == NULL)
            w->f.holds_markers = !w->f.holds_markers;
        break;
    case 7:
    case 8:
        deliver_held(w);
        break;
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
        if (w->f.held == NULL || !w->f.holds_markers)
            end_one(w, p);
        break;
    default:
        add_one(w, p);
    }
    if (w->f.held != NULL)
        w->f.holds_markers = false; // one at a time
}

static void settle(struct world *w)
{
    w->f.marker_error = KERR_NONE;
    w->f.log.fail_next = KERR_NONE;
    w->f.holds_markers = false;
    deliver_held(w);
    testing_advance(&w->f.log, 1000);
    restart(w);
    testing_advance(&w->f.log, 100000); // what is open is aborted
    testing_advance(&w->f.log, 1000);
}

static void check(struct world *w)
{
    unsigned committed[SEEN_MAX] = { 0 }, aborted[SEEN_MAX] = { 0 };
    for (size_t i = 0; i < w->f.marker_count; i++) {
        const struct seen_marker *marker = &w->f.markers[i];
        struct seen_transaction *seen =
            seen_of(w, (struct transaction_producer){ marker->producer_id,
                                                      (int16_t)(marker->producer_epoch - 1) });
        (marker->is_commit ? committed : aborted)[seen - w->seen] |= 1u << marker->partition;
    }
    for (int i = 0; i < w->count; i++) {
        const struct seen_transaction *seen = &w->seen[i];
        CU_ASSERT_FALSE(committed[i] != 0 && aborted[i] != 0);
        if (seen->told_commit) {
            CU_ASSERT_EQUAL(committed[i] & seen->partitions, seen->partitions);
        }
        if (committed[i] != 0) {
            CU_ASSERT_TRUE(seen->asked_commit && !seen->told_abort);
        }
        if (seen->partitions != 0) // nothing hangs
            CU_ASSERT_EQUAL((committed[i] | aborted[i]) & seen->partitions, seen->partitions);
    }
}

static void transactions_are_all_or_nothing(void)
{
    static struct world w;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        memset(&w, 0, sizeof w);
        w.random = seed;
        txn_fixture_init(&w.f, 2);
        for (int i = 0; i < PRODUCERS; i++) {
            char name[4] = { 'i', (char)('0' + i % IDS), '\0' };
            w.producers[i] = tester_new(&w.f, name);
        }
        for (int i = 0; i < STEPS; i++)
            step(&w);
        settle(&w);
        check(&w);
        CU_ASSERT_TRUE(w.f.marker_count > 100);
        if (CU_get_number_of_failures() > 0) {
            printf("seed %u\n", seed);
            break;
        }
        txn_fixture_fini(&w.f);
    }
}

TEST_MAIN("txn_random", TEST(transactions_are_all_or_nothing))
