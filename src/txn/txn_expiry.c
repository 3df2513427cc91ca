// SPDX-License-Identifier: Apache-2.0
// Tested by txn/txn_coordinator_test.c.
#include "txn/txn_expiry.h"

#include <inttypes.h>

#include "base/mem.h"
#include "txn/txn_coordinator.h"
#include "txn/txn_records.h"

static int64_t after_ms(struct txn_shard *state, int32_t ms)
{
    return coordinator_now_us(state->shard) + (int64_t)ms * 1000;
}

// ---- transactions that took too long ---------------------------------------------------------------

static bool has_timed_out(const struct txn_shard *state, const struct transaction *transaction,
                          int64_t now_ms)
{
    return transaction->now.state == TRANSACTION_ONGOING &&
           transaction->now.timeout_ms != INT32_MAX && // two-phase commit
           transaction->now.start_ms + transaction->now.timeout_ms < now_ms &&
           !txn_shard_is_pending(state, transaction);
}

static void abort_one(struct txn_shard *state, struct transaction *transaction,
                      int64_t new_producer_id);

// One whose epochs are exhausted needs another producer id first, from outside the shard.
struct abort_wait {
    struct producer_id_wait wait;
    struct coordinator_shard *shard;
    struct str id;
    struct completion start;
    struct producer_ids *producer_ids;
};

static void on_producer_id(struct completion *completion)
{
    struct abort_wait *abort = container_of(completion, struct abort_wait, wait.completion);
    enum kafka_error error;
    struct txn_shard *state = NULL;
    if (abort->wait.error == KERR_NONE) // else the next round tries again
        state = coordinator_enter(abort->shard, &error);
    if (state != NULL) {
        struct transaction *transaction = txn_shard_find(state, abort->id);
        if (transaction != NULL &&
            has_timed_out(state, transaction, coordinator_wall_ms(state->shard)))
            abort_one(state, transaction, abort->wait.producer_id);
        coordinator_exit(abort->shard);
    }
    mem_free((void *)(uintptr_t)abort->id.data);
    mem_free(abort);
}

static void take_producer_id(struct completion *completion)
{
    struct abort_wait *abort = container_of(completion, struct abort_wait, start);
    abort->wait.completion.complete = on_producer_id;
    producer_ids_take(abort->producer_ids, &abort->wait);
}

static void abort_one(struct txn_shard *state, struct transaction *transaction,
                      int64_t new_producer_id)
{
    struct transaction_decision decision =
        txn_coordinator_fence(state, transaction, new_producer_id);
    if (decision.verdict != TRANSACTION_NEEDS_PRODUCER_ID) {
        trace_info(coordinator_trace(state->shard),
                   "transaction aborted after its timeout id=\"%.*s\" producer_id=%" PRId64
                   " error=%s",
                   STR_ARG(transaction->id), transaction->now.producer_id,
                   kafka_error_name(decision.error));
        return;
    }
    struct abort_wait *abort = mem_new(struct abort_wait);
    abort->shard = state->shard;
    abort->id = (struct str){ str_dup(transaction->id), transaction->id.size };
    abort->producer_ids = txn_coordinator_producer_ids(state->owner);
    abort->start.complete = take_producer_id;
    coordinator_complete(state->shard, &abort->start);
}

static void on_abort_timer(struct timer *timer)
{
    struct txn_shard *state = container_of(timer, struct txn_shard, abort_timer);
    int64_t now_ms = coordinator_wall_ms(state->shard);
    bool is_any_open = false;
    struct transaction *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;) {
        if (has_timed_out(state, transaction, now_ms))
            abort_one(state, transaction, -1);
        is_any_open |= transaction->now.state == TRANSACTION_ONGOING;
    }
    if (is_any_open)
        txn_expiry_watch(state);
}

void txn_expiry_watch(struct txn_shard *state)
{
    if (!timer_is_set(&state->abort_timer))
        coordinator_set_timer(
            state->shard, &state->abort_timer,
            after_ms(state, txn_coordinator_config(state->owner)->abort_interval_ms));
}

// ---- ids that nobody used --------------------------------------------------------------------------

static bool has_expired(const struct txn_shard *state, const struct transaction *transaction,
                        int64_t now_ms)
{
    bool is_idle = transaction->now.state == TRANSACTION_EMPTY ||
                   transaction->now.state == TRANSACTION_COMPLETE_COMMIT ||
                   transaction->now.state == TRANSACTION_COMPLETE_ABORT;
    return is_idle && !txn_shard_is_pending(state, transaction) &&
           transaction->now.last_update_ms <=
               now_ms - txn_coordinator_config(state->owner)->id_expiration_ms;
}

static void on_expiry_timer(struct timer *timer)
{
    struct txn_shard *state = container_of(timer, struct txn_shard, expiry_timer);
    int64_t now_ms = coordinator_wall_ms(state->shard);
    struct arena arena;
    arena_init(&arena);
    struct transaction *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;)
        if (has_expired(state, transaction, now_ms))
            coordinator_add(state->shard, txn_record_key(transaction->id, &arena), BYTES_NULL);
    arena_fini(&arena);
    coordinator_append_each(state->shard); // what could not be written is found again next time
    txn_expiry_start(state);
}

void txn_expiry_start(struct txn_shard *state)
{
    coordinator_set_timer(
        state->shard, &state->expiry_timer,
        after_ms(state, txn_coordinator_config(state->owner)->expiry_interval_ms));
    struct transaction *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;)
        if (transaction->now.state == TRANSACTION_ONGOING)
            txn_expiry_watch(state);
}

void txn_expiry_init_shard(struct txn_shard *state)
{
    timer_init(&state->abort_timer, on_abort_timer);
    timer_init(&state->expiry_timer, on_expiry_timer);
}
