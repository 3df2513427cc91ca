// SPDX-License-Identifier: Apache-2.0
// Tested by txn/txn_coordinator_test.c.
#include "txn/txn_shard.h"

#include <errno.h>

#include "base/mem.h"
#include "txn/txn_coordinator.h"
#include "txn/txn_expiry.h"
#include "txn/txn_markers.h"
#include "txn/txn_records.h"

struct transaction *txn_shard_find(const struct txn_shard *state, struct str id)
{
    return hashmap_find(&state->transactions, id.data, id.size);
}

struct transaction *txn_shard_create(struct txn_shard *state, struct str id)
{
    struct transaction *transaction = transaction_new(id);
    hashmap_put(&state->transactions, transaction->id.data, transaction->id.size, transaction);
    return transaction;
}

void txn_shard_remove(struct txn_shard *state, struct transaction *transaction)
{
    hashmap_remove(&state->transactions, transaction->id.data, transaction->id.size);
    list_remove(&transaction->retry_link);
    transaction_free(transaction);
}

bool txn_shard_is_pending(const struct txn_shard *state, const struct transaction *transaction)
{
    return transaction_is_ending(transaction) ||
           !coordinator_is_committed(state->shard, transaction->written_offset);
}

enum kafka_error txn_shard_write(struct txn_shard *state, struct transaction *transaction,
                                 const struct transaction_fields *next)
{
    static const struct transaction_partitions none = { 0 };
    int16_t version = txn_coordinator_version(state->owner);
    // Records of version 0 cannot say that the client ends its transactions by the second protocol. A transaction whose
    // markers are written already completes all the same.
    if (version < 1 && next->client_version > 0 && !transaction_is_ending(transaction))
        return KERR_UNSUPPORTED_VERSION;
    bool has_partitions = next->state == TRANSACTION_ONGOING ||
                          next->state == TRANSACTION_PREPARE_COMMIT ||
                          next->state == TRANSACTION_PREPARE_ABORT;
    struct arena arena;
    arena_init(&arena);
    coordinator_add(
        state->shard, txn_record_key(transaction->id, &arena),
        txn_record_value(next, has_partitions ? &transaction->partitions : &none, version, &arena));
    arena_fini(&arena);
    enum kafka_error error = coordinator_append(state->shard, false);
    if (error != KERR_NONE)
        return error;
    transaction->now = *next;
    transaction->written_offset = coordinator_written_offset(state->shard);
    if (!has_partitions)
        transaction_partitions_fini(&transaction->partitions);
    if (next->state == TRANSACTION_ONGOING)
        txn_expiry_watch(state);
    return KERR_NONE;
}

// ---- replay ----------------------------------------------------------------------------------------

static int replay(void *object, int64_t offset, int64_t producer_id, struct bytes key,
                  struct bytes value)
{
    (void)offset;
    (void)producer_id;
    struct txn_shard *state = object;
    struct arena arena;
    arena_init(&arena);
    struct txn_record record;
    bool is_good = txn_record_decode(key, value, &arena, &record);
    if (!is_good || record.kind == TXN_RECORD_UNKNOWN) {
        if (is_good)
            trace_warn(coordinator_trace(state->shard),
                       "transaction record of unknown type ignored shard=%.*s",
                       STR_ARG(coordinator_shard_name(state->shard)));
        transaction_partitions_fini(&record.partitions);
        arena_fini(&arena);
        return is_good ? 0 : -EINVAL;
    }
    struct transaction *transaction = txn_shard_find(state, record.id);
    if (record.kind == TXN_RECORD_TOMBSTONE) {
        if (transaction != NULL)
            txn_shard_remove(state, transaction);
    } else {
        if (transaction == NULL)
            transaction = txn_shard_create(state, record.id);
        transaction_partitions_fini(&transaction->partitions);
        transaction->now = record.fields;
        transaction->partitions = record.partitions;
    }
    arena_fini(&arena);
    return 0;
}

// Transactions do not have their own records inside transactions.
static void replay_end_transaction(void *object, int64_t producer_id, bool committed)
{
    (void)object;
    (void)producer_id;
    (void)committed;
}

// ---- life ------------------------------------------------------------------------------------------

static void *create(struct coordinator_shard *shard, void *owner)
{
    struct txn_shard *state = mem_new(struct txn_shard);
    state->shard = shard;
    state->owner = owner;
    hashmap_init(&state->transactions);
    list_init(&state->retries);
    txn_markers_init_shard(state);
    txn_expiry_init_shard(state);
    return state;
}

static void on_loaded(void *object)
{
    struct txn_shard *state = object;
    struct transaction *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;)
        if (transaction_is_ending(transaction))
            txn_markers_end(state, transaction);
    txn_expiry_start(state);
}

static void on_unloaded(void *object)
{
    struct txn_shard *state = object;
    coordinator_cancel_timer(state->shard, &state->retry_timer);
    coordinator_cancel_timer(state->shard, &state->abort_timer);
    coordinator_cancel_timer(state->shard, &state->expiry_timer);
}

static void destroy(void *object)
{
    struct txn_shard *state = object;
    on_unloaded(state);
    struct transaction *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;)
        transaction_free(transaction);
    hashmap_fini(&state->transactions);
    mem_free(state);
}

const struct coordinator_state_ops txn_shard_ops = {
    .create = create,
    .destroy = destroy,
    .replay = replay,
    .replay_end_transaction = replay_end_transaction,
    .on_loaded = on_loaded,
    .on_unloaded = on_unloaded,
};
