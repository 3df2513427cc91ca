// SPDX-License-Identifier: Apache-2.0
// The entry points. Each checks what needs no state, enters the shard of the transactional id, lets transaction.c
// decide, writes, and answers when that is committed. Who needs a producer id leaves the shard for it and comes again.
#include "txn/txn_coordinator.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "txn/txn_expiry.h"

const struct txn_config txn_config_defaults = {
    .max_timeout_ms = 900000,
    .abort_interval_ms = 10000,
    .id_expiration_ms = 604800000,
    .expiry_interval_ms = 3600000,
    .request_timeout_ms = 30000,
    .load_buffer_bytes = 5242880,
};

struct txn_coordinator {
    struct txn_coordinator_options options;
    atomic_int version;
    struct coordinator *engine;
};

static const struct transaction_producer nobody = { -1, -1 };

struct txn_coordinator *txn_coordinator_new(const struct txn_coordinator_options *options)
{
    struct txn_coordinator *txns = mem_new(struct txn_coordinator);
    txns->options = *options;
    atomic_init(&txns->version, options->version);
    txns->engine = coordinator_new(&(struct coordinator_options){
        .topic = TXN_STATE_TOPIC,
        .partition_count = options->partition_count,
        .log = options->log,
        .state_ops = &txn_shard_ops,
        .owner = txns,
        .clock = options->clock,
        .alarms = options->alarms,
        .trace = options->trace,
        .load_buffer_bytes = options->config.load_buffer_bytes,
        .commit_timeout_ms = options->config.request_timeout_ms,
    });
    return txns;
}

void txn_coordinator_free(struct txn_coordinator *txns)
{
    if (txns == NULL)
        return;
    coordinator_free(txns->engine);
    mem_free(txns);
}

struct coordinator *txn_coordinator_engine(struct txn_coordinator *txns)
{
    return txns->engine;
}

void txn_coordinator_set_version(struct txn_coordinator *txns, int16_t version)
{
    atomic_store(&txns->version, version);
}

int16_t txn_coordinator_version(struct txn_coordinator *txns)
{
    return (int16_t)atomic_load(&txns->version);
}

const struct txn_config *txn_coordinator_config(const struct txn_coordinator *txns)
{
    return &txns->options.config;
}

struct txn_marker_sink *txn_coordinator_sink(struct txn_coordinator *txns)
{
    return txns->options.sink;
}

struct producer_ids *txn_coordinator_producer_ids(struct txn_coordinator *txns)
{
    return txns->options.producer_ids;
}

// ---- answering -------------------------------------------------------------------------------------

static void finish(struct txn_call *call, enum kafka_error error)
{
    call->error = error;
    call->completion->complete(call->completion);
}

// The shard of the id, entered; NULL with *error.
static struct txn_shard *enter(struct txn_coordinator *txns, struct txn_call *call, struct str id,
                               enum kafka_error *error)
{
    call->_txns = txns;
    call->_shard = coordinator_shard_at(txns->engine, coordinator_partition_for(txns->engine, id));
    return coordinator_enter(call->_shard, error);
}

// Leaves the shard and answers with what rests on nothing that was written.
static void leave(struct txn_call *call, enum kafka_error error)
{
    coordinator_exit(call->_shard);
    finish(call, error);
}

// Leaves the shard and answers when what was written is committed, or what became of it.
static void leave_when_committed(struct txn_call *call,
                                 void (*on_committed)(struct coordinator_wait *, enum kafka_error))
{
    coordinator_await_commit(call->_shard, &call->_wait, on_committed);
    coordinator_exit(call->_shard);
}

static struct txn_call *call_of(struct coordinator_wait *wait)
{
    return container_of(wait, struct txn_call, _wait);
}

static void on_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct txn_call *call = call_of(wait);
    call->error = error;
    coordinator_complete(wait->shard, call->completion);
}

static void leave_for_producer_id(struct txn_call *call, void (*come_again)(struct completion *))
{
    coordinator_exit(call->_shard);
    call->_id_wait.completion.complete = come_again;
    producer_ids_take(call->_txns->options.producer_ids, &call->_id_wait);
}

struct transaction_decision txn_coordinator_fence(struct txn_shard *state,
                                                  struct transaction *transaction,
                                                  int64_t new_producer_id)
{
    struct transaction_decision decision =
        transaction_evaluate_fence(transaction, txn_coordinator_version(state->owner),
                                   new_producer_id, coordinator_wall_ms(state->shard));
    if (decision.verdict != TRANSACTION_WRITE)
        return decision;
    decision.error = txn_shard_write(state, transaction, &decision.next);
    if (decision.error == KERR_NONE)
        txn_markers_end(state, transaction);
    return decision;
}

// ---- InitProducerId --------------------------------------------------------------------------------

static void on_init_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    if (error != KERR_NONE)
        container_of(call_of(wait), struct txn_init, call)->answer = nobody;
    on_committed(wait, error);
}

// An open transaction was aborted: the client comes again until that is done.
static void on_fence_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    on_committed(wait, error == KERR_NONE ? KERR_CONCURRENT_TRANSACTIONS : error);
}

static void init_with(struct txn_init *init, int64_t new_producer_id);

static void on_init_id(struct completion *completion)
{
    struct txn_init *init = container_of(completion, struct txn_init, call._id_wait.completion);
    if (init->call._id_wait.error != KERR_NONE)
        finish(&init->call, init->call._id_wait.error);
    else
        init_with(init, init->call._id_wait.producer_id);
}

static void init_write(struct txn_shard *state, struct transaction *transaction,
                       struct txn_init *init, const struct transaction_fields *next)
{
    bool is_new = transaction->now.producer_epoch == -1;
    init->answer = (struct transaction_producer){ next->producer_id, next->producer_epoch };
    enum kafka_error error = txn_shard_write(state, transaction, next);
    if (error == KERR_NONE) {
        leave_when_committed(&init->call, on_init_committed);
        return;
    }
    if (is_new)
        txn_shard_remove(state, transaction);
    init->answer = nobody;
    leave(&init->call, error);
}

static void init_with(struct txn_init *init, int64_t new_producer_id)
{
    enum kafka_error error;
    struct txn_shard *state = enter(init->call._txns, &init->call, init->transactional_id, &error);
    if (state == NULL) {
        finish(&init->call, error);
        return;
    }
    struct transaction *transaction = txn_shard_find(state, init->transactional_id);
    if (transaction == NULL && new_producer_id == -1) {
        leave_for_producer_id(&init->call, on_init_id);
        return;
    }
    if (transaction == NULL) {
        transaction = txn_shard_create(state, init->transactional_id);
        transaction->now.producer_id = new_producer_id;
    }
    if (txn_shard_is_pending(state, transaction)) {
        leave(&init->call, KERR_CONCURRENT_TRANSACTIONS);
        return;
    }
    struct transaction_decision decision =
        transaction_evaluate_init(transaction, init->expected, init->timeout_ms, new_producer_id,
                                  coordinator_wall_ms(state->shard));
    bool is_fence = decision.verdict == TRANSACTION_FENCE;
    if (is_fence)
        decision = txn_coordinator_fence(state, transaction, new_producer_id);
    if (decision.verdict == TRANSACTION_NEEDS_PRODUCER_ID)
        leave_for_producer_id(&init->call, on_init_id);
    else if (is_fence && decision.error == KERR_NONE)
        leave_when_committed(&init->call, on_fence_committed);
    else if (decision.verdict == TRANSACTION_WRITE && !is_fence)
        init_write(state, transaction, init, &decision.next);
    else
        leave(&init->call, decision.error);
}

static enum kafka_error check_init(const struct txn_config *config, const struct txn_init *init)
{
    if (init->transactional_id.size == 0)
        return KERR_INVALID_REQUEST;
    if (init->enable_two_phase_commit && !config->two_phase_commit)
        return KERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    if (init->keep_prepared) // as Kafka 4.3.1 says
        return KERR_UNSUPPORTED_VERSION;
    if (!init->enable_two_phase_commit &&
        (init->timeout_ms <= 0 || init->timeout_ms > config->max_timeout_ms))
        return KERR_INVALID_TRANSACTION_TIMEOUT;
    return KERR_NONE;
}

void txn_coordinator_init(struct txn_coordinator *txns, struct txn_init *init)
{
    init->answer = nobody;
    init->call._txns = txns;
    enum kafka_error error = check_init(&txns->options.config, init);
    if (error != KERR_NONE) {
        finish(&init->call, error);
        return;
    }
    if (init->enable_two_phase_commit)
        init->timeout_ms = INT32_MAX;
    init_with(init, -1);
}

// ---- AddPartitionsToTxn ----------------------------------------------------------------------------

static bool are_known(const struct transaction *transaction, const struct txn_add *add)
{
    for (int32_t t = 0; t < add->topics_count; t++)
        for (int32_t p = 0; p < add->topics[t].count; p++)
            if (!transaction_partitions_has(&transaction->partitions, add->topics[t].name,
                                            add->topics[t].partitions[p]))
                return false;
    return true;
}

// They are part of the record that is written; when that fails they go again.
static enum kafka_error add_and_write(struct txn_shard *state, struct transaction *transaction,
                                      const struct txn_add *add,
                                      const struct transaction_fields *next)
{
    size_t total = 0;
    for (int32_t t = 0; t < add->topics_count; t++)
        total += (size_t)add->topics[t].count;
    bool *is_new = arena_array(add->arena, bool, total + 1);
    size_t at = 0;
    for (int32_t t = 0; t < add->topics_count; t++)
        for (int32_t p = 0; p < add->topics[t].count; p++)
            is_new[at++] = transaction_partitions_add(&transaction->partitions, add->topics[t].name,
                                                      add->topics[t].partitions[p]);
    enum kafka_error error = txn_shard_write(state, transaction, next);
    at = 0;
    for (int32_t t = 0; error != KERR_NONE && t < add->topics_count; t++)
        for (int32_t p = 0; p < add->topics[t].count; p++)
            if (is_new[at++])
                transaction_partitions_remove(&transaction->partitions, add->topics[t].name,
                                              add->topics[t].partitions[p]);
    return error;
}

void txn_coordinator_add(struct txn_coordinator *txns, struct txn_add *add)
{
    enum kafka_error error = KERR_INVALID_REQUEST;
    struct txn_shard *state = NULL;
    if (add->transactional_id.size > 0)
        state = enter(txns, &add->call, add->transactional_id, &error);
    if (state == NULL) {
        finish(&add->call, error);
        return;
    }
    struct transaction *transaction = txn_shard_find(state, add->transactional_id);
    if (transaction == NULL) {
        leave(&add->call, KERR_INVALID_PRODUCER_ID_MAPPING);
        return;
    }
    if (txn_shard_is_pending(state, transaction)) {
        leave(&add->call, KERR_CONCURRENT_TRANSACTIONS);
        return;
    }
    struct transaction_decision decision =
        transaction_evaluate_add(transaction, add->producer, are_known(transaction, add),
                                 add->client_version, coordinator_wall_ms(state->shard));
    if (decision.verdict == TRANSACTION_WRITE)
        decision.error = add_and_write(state, transaction, add, &decision.next);
    if (decision.verdict == TRANSACTION_WRITE && decision.error == KERR_NONE)
        leave_when_committed(&add->call, on_committed);
    else
        leave(&add->call, decision.error);
}

static void fail_all(const struct txn_add *add, enum kafka_error error)
{
    for (int32_t t = 0; t < add->topics_count; t++)
        for (int32_t p = 0; p < add->topics[t].count; p++)
            add->topics[t].errors[p] = error;
}

void txn_coordinator_verify(struct txn_coordinator *txns, struct txn_add *add)
{
    enum kafka_error error = KERR_INVALID_REQUEST;
    struct txn_shard *state = NULL;
    if (add->transactional_id.size > 0)
        state = enter(txns, &add->call, add->transactional_id, &error);
    if (state == NULL) {
        fail_all(add, error);
        return;
    }
    const struct transaction *transaction = txn_shard_find(state, add->transactional_id);
    error = transaction == NULL ? KERR_INVALID_PRODUCER_ID_MAPPING
                                : transaction_check_producer(transaction, add->producer);
    if (error != KERR_NONE)
        fail_all(add, error);
    for (int32_t t = 0; error == KERR_NONE && t < add->topics_count; t++)
        for (int32_t p = 0; p < add->topics[t].count; p++)
            add->topics[t].errors[p] =
                transaction_partitions_has(&transaction->partitions, add->topics[t].name,
                                           add->topics[t].partitions[p])
                    ? KERR_NONE
                    : KERR_TRANSACTION_ABORTABLE;
    coordinator_exit(add->call._shard);
}

// ---- EndTxn ----------------------------------------------------------------------------------------

static void on_end_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    if (error != KERR_NONE)
        container_of(call_of(wait), struct txn_end, call)->answer = nobody;
    on_committed(wait, error);
}

static void end_with(struct txn_end *end, int64_t new_producer_id);

static void on_end_id(struct completion *completion)
{
    struct txn_end *end = container_of(completion, struct txn_end, call._id_wait.completion);
    if (end->call._id_wait.error != KERR_NONE)
        finish(&end->call, end->call._id_wait.error);
    else
        end_with(end, end->call._id_wait.producer_id);
}

static void end_write(struct txn_shard *state, struct transaction *transaction, struct txn_end *end,
                      const struct transaction_fields *next)
{
    enum kafka_error error = txn_shard_write(state, transaction, next);
    if (error != KERR_NONE) {
        leave(&end->call, error);
        return;
    }
    if (end->client_version >= 2) {
        struct transaction_fields after =
            transaction_evaluate_complete(transaction, coordinator_wall_ms(state->shard));
        end->answer = (struct transaction_producer){ after.producer_id, after.producer_epoch };
    }
    txn_markers_end(state, transaction);
    leave_when_committed(&end->call, on_end_committed);
}

static void end_with(struct txn_end *end, int64_t new_producer_id)
{
    enum kafka_error error;
    struct txn_shard *state = enter(end->call._txns, &end->call, end->transactional_id, &error);
    if (state == NULL) {
        finish(&end->call, error);
        return;
    }
    struct transaction *transaction = txn_shard_find(state, end->transactional_id);
    if (transaction == NULL) {
        leave(&end->call, KERR_INVALID_PRODUCER_ID_MAPPING);
        return;
    }
    struct transaction_decision decision =
        transaction_evaluate_end(transaction, end->producer, end->is_commit, end->client_version,
                                 txn_shard_is_pending(state, transaction), new_producer_id,
                                 coordinator_wall_ms(state->shard));
    if (decision.verdict == TRANSACTION_NEEDS_PRODUCER_ID) {
        leave_for_producer_id(&end->call, on_end_id);
    } else if (decision.verdict == TRANSACTION_WRITE) {
        end_write(state, transaction, end, &decision.next);
    } else {
        if (decision.error == KERR_NONE && end->client_version >= 2)
            end->answer = (struct transaction_producer){ transaction->now.producer_id,
                                                         transaction->now.producer_epoch };
        leave(&end->call, decision.error);
    }
}

void txn_coordinator_end(struct txn_coordinator *txns, struct txn_end *end)
{
    end->answer = nobody;
    end->call._txns = txns;
    if (end->transactional_id.size == 0)
        finish(&end->call, KERR_INVALID_REQUEST);
    else
        end_with(end, -1);
}
