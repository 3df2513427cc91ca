// SPDX-License-Identifier: Apache-2.0
// Random members against one share partition, with writes that fail, locks that end, a log whose start moves and
// restarts from what was persisted. After each step: no record is held by two, none is acknowledged by who does not
// hold it or twice without a release, deliveries are counted one by one, the start passes only what is done.
#include "share/testing_share_partition.h"

enum { LOG_END = 400, MEMBERS = 4, STEPS = 3000, PENDING = 3 };

struct model_record {
    int holder; // -1: nobody
    int deliveries;
    bool is_done;    // acknowledged or archived, and persisted
    bool is_leaving; // a change is under way
};

struct pending {
    bool is_used;
    struct share_change change;
    int member;
};

struct world {
    struct partition_fixture f;
    struct model_record records[LOG_END];
    struct pending pending[PENDING];
    struct share_batches persisted; // what the coordinator has
    int64_t persisted_start;
    int64_t log_start;
};

static const char *const names[MEMBERS] = { "a", "b", "c", "d" };

static void persist(struct world *w, const struct share_change *change)
{
    struct share_batches combined = SHARE_BATCHES_EMPTY;
    w->persisted_start = w->f.partition.start_offset;
    share_batches_combine(&combined, w->persisted.items, w->persisted.count, change->batches.items,
                          change->batches.count, w->persisted_start);
    share_batches_fini(&w->persisted);
    w->persisted = combined;
}

static void acquire_step(struct world *w, int member)
{
    w->f.is_record_limit = rand() % 2;
    w->f.batch_size = 1 + rand() % 30;
    int64_t total = acquire_as(&w->f, names[member], 1 + rand() % 40, 1 + (size_t)(rand() % 6));
    for (size_t i = 0; i < w->f.acquired.count; i++) {
        const struct share_acquired *got = &w->f.acquired.items[i];
        for (int64_t o = got->first_offset; o <= got->last_offset; o++, total--) {
            struct model_record *r = &w->records[o];
            CU_ASSERT_EQUAL_FATAL(r->holder, -1);
            CU_ASSERT_FALSE_FATAL(r->is_done);
            CU_ASSERT_EQUAL_FATAL(got->delivery_count, r->deliveries + 1);
            r->holder = member;
            r->deliveries++;
        }
    }
    CU_ASSERT_EQUAL_FATAL(total, 0);
}

static struct pending *free_slot(struct world *w)
{
    for (int i = 0; i < PENDING; i++)
        if (!w->pending[i].is_used)
            return &w->pending[i];
    return NULL;
}

static void note_change(struct world *w, struct pending *p, int member)
{
    *p = (struct pending){ true, p->change, member };
    for (size_t b = 0; b < p->change.batches.count; b++) {
        const struct share_batch *batch = &p->change.batches.items[b];
        for (int64_t o = batch->first_offset; o <= batch->last_offset; o++) {
            struct model_record *r = &w->records[o];
            if (o < w->f.partition.start_offset)
                continue; // passed by the log's start
            CU_ASSERT_FALSE_FATAL(r->is_leaving);
            CU_ASSERT_FALSE_FATAL(r->is_done);
            CU_ASSERT_FATAL(member == -1 || r->holder == member);
            CU_ASSERT_EQUAL_FATAL(batch->delivery_count, r->deliveries);
            r->is_leaving = true;
        }
    }
}

static void acknowledge_step(struct world *w, int member)
{
    struct pending *p = free_slot(w);
    if (p == NULL)
        return;
    int64_t first = rand() % LOG_END, last = first + rand() % 12;
    int8_t types[12];
    for (int i = 0; i < 12; i++)
        types[i] = (int8_t)(rand() % 5);
    struct share_acknowledgement ack = { first, last, types,
                                         rand() % 2 ? 1 : (int32_t)(last - first + 1) };
    bool may = last < LOG_END;
    for (int64_t o = first; may && o <= last; o++)
        may = o < w->f.partition.start_offset ||
              (w->records[o].holder == member && !w->records[o].is_leaving);
    enum kafka_error error =
        share_partition_acknowledge(&w->f.partition, &w->f.limits, str_of(names[member]), &ack, 1,
                                    w->f.now_ms, &p->change, &w->f.message);
    CU_ASSERT_FATAL(may == (error == KERR_NONE) || last < w->f.partition.start_offset);
    if (error == KERR_NONE)
        note_change(w, p, member);
}

static void settle_step(struct world *w, struct pending *p, bool is_persisted)
{
    if (!p->is_used)
        return;
    if (is_persisted)
        persist(w, &p->change);
    for (size_t b = 0; b < p->change.batches.count; b++) {
        const struct share_batch *batch = &p->change.batches.items[b];
        for (int64_t o = batch->first_offset; o <= batch->last_offset; o++) {
            struct model_record *r = &w->records[o];
            r->is_leaving = false;
            if (is_persisted || p->change.transition == 0) {
                r->holder = -1;
                r->is_done = share_state_is_terminal(batch->state);
            }
        }
    }
    share_partition_settle(&w->f.partition, &w->f.limits, &p->change, is_persisted, w->f.now_ms);
    p->is_used = false;
}

// A change whose write fails after the lock ended leaves the record free.
static void note_ended_locks(struct world *w)
{
    for (int64_t o = 0; o < LOG_END; o++) {
        size_t at = in_flight_floor(&w->f.partition.flight, o);
        if (at == SIZE_MAX || w->f.partition.flight.batches[at].last_offset < o)
            continue;
        const struct in_flight_state *s = in_flight_at(&w->f.partition.flight.batches[at], o);
        if (w->records[o].holder != -1 && s->transition == 0 && s->state != SHARE_ACQUIRED) {
            w->records[o].holder = -1;
            w->records[o].is_done = share_state_is_terminal(s->state);
        }
    }
}

static void expire_step(struct world *w)
{
    struct pending *p = free_slot(w);
    if (p == NULL)
        return;
    w->f.now_ms += 20000;
    share_partition_expire(&w->f.partition, &w->f.limits, w->f.now_ms, &p->change);
    note_change(w, p, -1);
    settle_step(w, p, true);
}

static void release_step(struct world *w, int member)
{
    struct pending *p = free_slot(w);
    if (p == NULL)
        return;
    share_partition_release(&w->f.partition, &w->f.limits, str_of(names[member]), &p->change);
    note_change(w, p, member);
    for (int64_t o = w->f.partition.start_offset; o < LOG_END; o++)
        CU_ASSERT_FATAL(w->records[o].holder != member || w->records[o].is_leaving);
}

static void restart_step(struct world *w)
{
    for (int i = 0; i < PENDING; i++)
        settle_step(w, &w->pending[i], rand() % 2); // written or lost: either way forgotten here
    share_partition_fini(&w->f.partition);
    share_partition_init(&w->f.partition);
    CU_ASSERT_TRUE_FATAL(share_partition_load(&w->f.partition, w->persisted_start, 1,
                                              w->persisted.items, w->persisted.count));
    for (int64_t o = 0; o < LOG_END;
         o++) { // what was acquired is free, with the count as persisted
        struct model_record *r = &w->records[o];
        if (o < w->persisted_start)
            continue;
        *r = (struct model_record){ .holder = -1 };
        for (size_t b = 0; b < w->persisted.count; b++) {
            const struct share_batch *batch = &w->persisted.items[b];
            if (batch->first_offset > o || batch->last_offset < o)
                continue;
            r->deliveries = batch->delivery_count;
            r->is_done = share_state_is_terminal(batch->state);
        }
    }
    share_partition_move_log_start(&w->f.partition, w->log_start);
}

static void check(struct world *w)
{
    const struct share_partition *p = &w->f.partition;
    note_ended_locks(w);
    int32_t done = 0;
    for (size_t i = 0; i < p->flight.count; i++) {
        struct in_flight_batch *batch = &p->flight.batches[i];
        CU_ASSERT_FATAL(i == 0 || batch->first_offset > batch[-1].last_offset);
        for (int64_t o = batch->first_offset; o <= batch->last_offset; o++)
            done += o >= p->start_offset && share_state_is_terminal(in_flight_at(batch, o)->state);
    }
    CU_ASSERT_EQUAL_FATAL(done, p->delivery_complete_count);
    for (int64_t o = w->log_start; o < p->start_offset && o < LOG_END; o++)
        CU_ASSERT_FATAL(w->records[o].is_done);
}

static void nothing_is_held_twice_nor_acknowledged_twice(void)
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct world w = { .persisted_start = 0 };
        srand(seed);
        partition_fixture_init(&w.f, LOG_END, 1 + rand() % 12);
        w.f.log_end -= w.f.log_end % w.f.log_batch;
        w.f.limits.max_in_flight = 100;
        for (int o = 0; o < LOG_END; o++)
            w.records[o].holder = -1;
        share_partition_load(&w.f.partition, 0, 1, NULL, 0);
        for (int step = 0; step < STEPS; step++) {
            int member = rand() % MEMBERS, what = rand() % 100;
            if (what < 20)
                acquire_step(&w, member);
            else if (what < 75)
                acknowledge_step(&w, member);
            else if (what < 93)
                settle_step(&w, &w.pending[rand() % PENDING], rand() % 5 != 0);
            else if (what < 95)
                expire_step(&w);
            else if (what < 98)
                release_step(&w, member);
            else if (what == 98 && rand() % 4 == 0)
                restart_step(&w);
            else if (what == 99 && rand() % 8 == 0 && w.log_start + 5 < LOG_END) {
                w.log_start += rand() % 5;
                share_partition_move_log_start(&w.f.partition, w.log_start);
            }
            check(&w);
        }
        for (int i = 0; i < PENDING; i++)
            settle_step(&w, &w.pending[i], true);
        share_batches_fini(&w.persisted);
        partition_fixture_fini(&w.f);
    }
}

TEST_MAIN("share_random", TEST(nothing_is_held_twice_nor_acknowledged_twice))
