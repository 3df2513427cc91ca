// SPDX-License-Identifier: Apache-2.0
// Tested by txn/txn_coordinator_test.c.
#include "txn/txn_markers.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/must.h"
#include "txn/txn_coordinator.h"

enum { RETRY_US = 100 * 1000 };

static void retry_later(struct txn_shard *state, struct transaction *transaction)
{
    list_remove(&transaction->retry_link);
    list_append(&state->retries, &transaction->retry_link);
    if (!timer_is_set(&state->retry_timer))
        coordinator_set_timer(state->shard, &state->retry_timer,
                              coordinator_now_us(state->shard) + RETRY_US);
}

static void complete(struct txn_shard *state, struct transaction *transaction)
{
    struct transaction_fields next =
        transaction_evaluate_complete(transaction, coordinator_wall_ms(state->shard));
    if (txn_shard_write(state, transaction, &next) != KERR_NONE)
        retry_later(state, transaction); // if the shard is resigned, that forgets it
}

// ---- markers ---------------------------------------------------------------------------------------

static void marker_free(struct txn_marker *marker)
{
    arena_fini(&marker->_arena);
    mem_free(marker);
}

// Kafka goes on after errors that pass; others stop it.
static bool is_refused(enum kafka_error error)
{
    return error == KERR_INVALID_PRODUCER_EPOCH || error == KERR_TRANSACTION_COORDINATOR_FENCED;
}

static void take_results(struct txn_shard *state, struct transaction *transaction,
                         const struct txn_marker *marker)
{
    for (int32_t i = 0; i < marker->count; i++) {
        const struct txn_marker_partition *partition = &marker->partitions[i];
        if (partition->error == KERR_NONE)
            transaction_partitions_remove(&transaction->partitions, partition->topic,
                                          partition->index);
        else
            trace_info(coordinator_trace(state->shard),
                       "transaction marker not written id=\"%.*s\" topic=%.*s partition=%" PRId32
                       " error=%s",
                       STR_ARG(transaction->id), STR_ARG(partition->topic), partition->index,
                       kafka_error_name(partition->error));
    }
}

static void on_written(struct txn_marker *marker)
{
    enum kafka_error error;
    struct coordinator_shard *shard = marker->_shard;
    struct txn_shard *state = coordinator_enter(shard, &error);
    if (state == NULL) { // whoever loads the shard begins anew
        marker_free(marker);
        return;
    }
    struct transaction *transaction = txn_shard_find(state, marker->_id);
    if (transaction != NULL && transaction->marker == marker) {
        bool is_stopped = false;
        for (int32_t i = 0; i < marker->count; i++)
            is_stopped |= is_refused(marker->partitions[i].error);
        transaction->marker = NULL;
        take_results(state, transaction, marker);
        if (transaction->partitions.count == 0)
            complete(state, transaction);
        else if (!is_stopped)
            retry_later(state, transaction);
    }
    marker_free(marker);
    coordinator_exit(shard);
}

static void send(struct completion *completion)
{
    struct txn_marker *marker = container_of(completion, struct txn_marker, _completion);
    struct txn_marker_sink *sink = txn_coordinator_sink(marker->_txns);
    sink->write(sink, marker);
}

static void write_markers(struct txn_shard *state, struct transaction *transaction)
{
    struct txn_marker *marker = mem_new(struct txn_marker);
    arena_init(&marker->_arena);
    *marker = (struct txn_marker){
        .producer_id = transaction->now.producer_id,
        .producer_epoch = transaction->now.producer_epoch,
        .transaction_version = transaction->now.client_version,
        .coordinator_epoch = coordinator_shard_epoch(state->shard),
        .is_commit = transaction->now.state == TRANSACTION_PREPARE_COMMIT,
        .on_written = on_written,
        ._completion.complete = send,
        ._shard = state->shard,
        ._txns = state->owner,
        ._arena = marker->_arena,
    };
    marker->_id = arena_str(&marker->_arena, transaction->id);
    marker->partitions = arena_array(&marker->_arena, struct txn_marker_partition,
                                     transaction_partitions_size(&transaction->partitions));
    for (size_t t = 0; t < transaction->partitions.count; t++) {
        const struct transaction_topic *topic = &transaction->partitions.topics[t];
        struct str name = arena_str(&marker->_arena, topic->name);
        for (size_t p = 0; p < topic->count; p++)
            marker->partitions[marker->count++] =
                (struct txn_marker_partition){ .topic = name, .index = topic->partitions[p] };
    }
    transaction->marker = marker;
    coordinator_complete(state->shard, &marker->_completion);
}

// ---- going on --------------------------------------------------------------------------------------

static void go_on(struct txn_shard *state, struct transaction *transaction)
{
    must(transaction_is_ending(transaction) && transaction->marker == NULL);
    if (transaction->partitions.count > 0)
        write_markers(state, transaction);
    else
        complete(state, transaction);
}

static void on_prepared(struct coordinator_wait *wait, enum kafka_error error);

void txn_markers_end(struct txn_shard *state, struct transaction *transaction)
{
    transaction->shard_state = state;
    coordinator_await_commit(state->shard, &transaction->wait, on_prepared);
}

static void on_prepared(struct coordinator_wait *wait, enum kafka_error error)
{
    struct transaction *transaction = container_of(wait, struct transaction, wait);
    if (error == KERR_NONE)
        go_on(transaction->shard_state, transaction);
    else if (error != KERR_NOT_COORDINATOR) // it took too long for the client, not for (1)
        txn_markers_end(transaction->shard_state, transaction);
}

static void on_retry(struct timer *timer)
{
    struct txn_shard *state = container_of(timer, struct txn_shard, retry_timer);
    struct list due;
    list_init(&due);
    list_splice(&due, &state->retries);
    struct list *link;
    while ((link = list_pop(&due)) != NULL) {
        struct transaction *transaction = container_of(link, struct transaction, retry_link);
        list_init(&transaction->retry_link);
        go_on(state, transaction);
    }
}

void txn_markers_init_shard(struct txn_shard *state)
{
    timer_init(&state->retry_timer, on_retry);
}
