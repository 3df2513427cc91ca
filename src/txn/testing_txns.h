// SPDX-License-Identifier: Apache-2.0
// For tests: a transaction coordinator over an internal topic in memory, a controller that hands out producer ids at
// once, a sink that keeps the markers, and clients that speak to the entry points.
//
//     struct txn_fixture f;
//     txn_fixture_init(&f, 2);                        // transaction.version
//     struct txn_tester p = tester_new(&f, "id");
//     CU_ASSERT_EQUAL(tester_init(&p), KERR_NONE); … tester_add(&p, "t", 0); tester_end(&p, true);
//     txn_fixture_restart(&f);                        // a new coordinator over the same log
//     txn_fixture_fini(&f);
#ifndef TXN_TESTING_TXNS_H
#define TXN_TESTING_TXNS_H

#include "base/must.h"
#include "base/testing.h"
#include "controller/controller.h"
#include "coordinator/testing_log.h"
#include "metadata/metadata.h"
#include "protocol/messages/allocate_producer_ids.h"
#include "txn/txn_coordinator.h"

struct controller {
    int64_t next;
};

// A marker as it was written.
struct seen_marker {
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t coordinator_epoch;
    bool is_commit;
    char topic[20];
    int32_t partition;
};

struct txn_fixture {
    struct testing_log log;
    struct txn_config config;
    int16_t version;
    struct controller controller;
    struct metadata *metadata;
    struct producer_ids *ids;
    struct txn_marker_sink sink;
    struct txn_coordinator *txns;
    struct seen_marker *markers;
    size_t marker_count, marker_capacity;
    enum kafka_error marker_error; // of partitions, until it is set to NONE
    bool holds_markers;            // one is kept in `held`
    struct txn_marker *held;
    int32_t epoch;
    struct arena arena;
};

static inline void fixture_submit(struct controller *controller, struct controller_call *call)
{
    struct allocate_producer_ids_response *response = call->response;
    response->producer_id_start = controller->next;
    response->producer_id_len = 1000;
    controller->next += 1000;
    call->completion->complete(call->completion);
}

static inline void fixture_deliver(struct txn_fixture *f, struct txn_marker *marker)
{
    for (int32_t i = 0; i < marker->count; i++) {
        struct txn_marker_partition *partition = &marker->partitions[i];
        partition->error = f->marker_error;
        if (f->marker_error != KERR_NONE)
            continue;
        vec_reserve(f->markers, f->marker_count + 1, f->marker_capacity);
        struct seen_marker *seen = &f->markers[f->marker_count++];
        *seen = (struct seen_marker){ .producer_id = marker->producer_id,
                                      .producer_epoch = marker->producer_epoch,
                                      .coordinator_epoch = marker->coordinator_epoch,
                                      .is_commit = marker->is_commit,
                                      .partition = partition->index };
        snprintf(seen->topic, sizeof seen->topic, "%.*s", STR_ARG(partition->topic));
    }
    marker->on_written(marker);
}

static inline void fixture_sink(struct txn_marker_sink *sink, struct txn_marker *marker)
{
    struct txn_fixture *f = container_of(sink, struct txn_fixture, sink);
    if (f->holds_markers && f->held == NULL)
        f->held = marker;
    else
        fixture_deliver(f, marker);
}

static inline void txn_fixture_open(struct txn_fixture *f)
{
    f->txns = txn_coordinator_new(
        &(struct txn_coordinator_options){ .config = f->config,
                                           .partition_count = TESTING_PARTITIONS,
                                           .version = f->version,
                                           .log = &f->log.log,
                                           .sink = &f->sink,
                                           .producer_ids = f->ids,
                                           .clock = &f->log.clock,
                                           .alarms = &f->log.alarms,
                                           .trace = &f->log.trace });
    struct coordinator *engine = txn_coordinator_engine(f->txns);
    for (int32_t i = 0; i < coordinator_partition_count(engine); i++)
        coordinator_elected(engine, i, f->epoch);
    coordinator_load(engine);
}

static inline void txn_fixture_init(struct txn_fixture *f, int16_t version)
{
    *f = (struct txn_fixture){ .config = txn_config_defaults, .version = version };
    testing_log_init(&f->log);
    arena_init(&f->arena);
    f->sink.write = fixture_sink;
    f->metadata = metadata_new();
    f->controller.next = 1000;
    f->ids = producer_ids_new(&f->controller, f->metadata, 1, fixture_submit);
    txn_fixture_open(f);
}

static inline void txn_fixture_restart(struct txn_fixture *f)
{
    txn_coordinator_free(f->txns);
    f->epoch++;
    txn_fixture_open(f);
}

static inline void txn_fixture_fini(struct txn_fixture *f)
{
    txn_coordinator_free(f->txns);
    producer_ids_free(f->ids);
    metadata_free(f->metadata);
    testing_log_fini(&f->log);
    arena_fini(&f->arena);
    mem_free(f->markers);
}

// ---- clients ---------------------------------------------------------------------------------------

struct txn_tester_done {
    struct completion completion;
    int done;
};

static inline void tester_done(struct completion *completion)
{
    container_of(completion, struct txn_tester_done, completion)->done++;
}

struct txn_tester {
    struct txn_fixture *f;
    struct str name;
    struct transaction_producer now;
    bool is_v2;
    struct txn_tester_done last; // whether the last call was answered
};

static inline struct txn_tester tester_new(struct txn_fixture *f, const char *name)
{
    return (struct txn_tester){
        .f = f, .name = arena_strz(&f->arena, name), .now = { -1, -1 }, .is_v2 = f->version >= 2
    };
}

static inline struct completion *tester_begin(struct txn_tester *c)
{
    c->last = (struct txn_tester_done){ .completion = { .complete = tester_done } };
    return &c->last.completion;
}

static inline enum kafka_error tester_init_as(struct txn_tester *c,
                                              struct transaction_producer expected)
{
    struct txn_init *init = arena_new(&c->f->arena, struct txn_init);
    init->call.completion = tester_begin(c);
    init->transactional_id = c->name;
    init->timeout_ms = 60000;
    init->expected = expected;
    txn_coordinator_init(c->f->txns, init);
    if (c->last.done == 1 && init->call.error == KERR_NONE)
        c->now = init->answer;
    return init->call.error;
}

static inline enum kafka_error tester_init(struct txn_tester *c)
{
    return tester_init_as(c, (struct transaction_producer){ -1, -1 });
}

static inline struct txn_add *tester_add_of(struct txn_tester *c, const char *topic,
                                            int32_t partition)
{
    struct arena *arena = &c->f->arena;
    struct txn_topic *asked = arena_new(arena, struct txn_topic);
    *asked = (struct txn_topic){ .name = arena_strz(arena, topic),
                                 .partitions = arena_dup(arena, &partition, sizeof partition),
                                 .count = 1,
                                 .errors = arena_new(arena, enum kafka_error) };
    struct txn_add *add = arena_new(arena, struct txn_add);
    *add = (struct txn_add){ .call = { .completion = tester_begin(c) },
                             .transactional_id = c->name,
                             .producer = c->now,
                             .topics = asked,
                             .topics_count = 1,
                             .client_version = c->is_v2 ? 2 : 0,
                             .arena = arena };
    return add;
}

static inline enum kafka_error tester_add(struct txn_tester *c, const char *topic,
                                          int32_t partition)
{
    struct txn_add *add = tester_add_of(c, topic, partition);
    txn_coordinator_add(c->f->txns, add);
    return add->call.error;
}

static inline enum kafka_error tester_verify(struct txn_tester *c, const char *topic,
                                             int32_t partition)
{
    struct txn_add *add = tester_add_of(c, topic, partition);
    txn_coordinator_verify(c->f->txns, add);
    return add->topics[0].errors[0];
}

static inline enum kafka_error tester_end(struct txn_tester *c, bool is_commit)
{
    struct txn_end *end = arena_new(&c->f->arena, struct txn_end);
    *end = (struct txn_end){ .call = { .completion = tester_begin(c) },
                             .transactional_id = c->name,
                             .producer = c->now,
                             .is_commit = is_commit,
                             .client_version = c->is_v2 ? 2 : 0 };
    txn_coordinator_end(c->f->txns, end);
    if (c->is_v2 && c->last.done == 1 && end->call.error == KERR_NONE)
        c->now = end->answer;
    return end->call.error;
}

static inline struct describe_transactions_response_transaction_state
tester_describe(struct txn_tester *c)
{
    struct describe_transactions_response_transaction_state state;
    message_init(&describe_transactions_response_transaction_state_desc, &state);
    txn_coordinator_describe(c->f->txns, c->name, &state, &c->f->arena);
    return state;
}

static inline bool tester_is(struct txn_tester *c, const char *state)
{
    return str_eqz(tester_describe(c).transaction_state, state);
}

#endif
