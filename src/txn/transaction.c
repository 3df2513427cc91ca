// SPDX-License-Identifier: Apache-2.0
// Tested by txn/txn_coordinator_test.c and compat-tests/twin/transactions.
#include "txn/transaction.h"

#include "base/mem.h"
#include "base/must.h"

const char *transaction_state_name(enum transaction_state state)
{
    static const char *const names[TRANSACTION_STATES] = {
        "Empty",          "Ongoing",       "PrepareCommit", "PrepareAbort",
        "CompleteCommit", "CompleteAbort", "Dead",          "PrepareEpochFence",
    };
    must((unsigned)state < TRANSACTION_STATES);
    return names[state];
}

struct transaction *transaction_new(struct str id)
{
    struct transaction *transaction = mem_new(struct transaction);
    transaction->id = (struct str){ str_dup(id), id.size };
    transaction->now = (struct transaction_fields){ .state = TRANSACTION_EMPTY,
                                                    .producer_id = -1,
                                                    .previous_producer_id = -1,
                                                    .next_producer_id = -1,
                                                    .producer_epoch = -1,
                                                    .last_producer_epoch = -1,
                                                    .start_ms = -1 };
    list_init(&transaction->retry_link);
    return transaction;
}

void transaction_free(struct transaction *transaction)
{
    transaction_partitions_fini(&transaction->partitions);
    mem_free((void *)(uintptr_t)transaction->id.data);
    mem_free(transaction);
}

static struct transaction_decision answer(enum kafka_error error)
{
    return (struct transaction_decision){ .verdict = TRANSACTION_ANSWER, .error = error };
}

// The record after the present one, as yet without a change but (1).
static struct transaction_decision write(const struct transaction *transaction,
                                         enum transaction_state state, int64_t now_ms)
{
    struct transaction_decision decision = { .verdict = TRANSACTION_WRITE,
                                             .next = transaction->now };
    decision.next.state = state;
    decision.next.previous_producer_id = transaction->now.producer_id;
    decision.next.last_update_ms = now_ms;
    return decision;
}

// ---- InitProducerId --------------------------------------------------------------------------------

// A producer that names itself goes on after an error (KIP-360), unless another one has come since.
static bool is_expected(const struct transaction_fields *now, struct transaction_producer expected)
{
    return now->producer_epoch == -1 || expected.id == now->producer_id ||
           (expected.id == now->previous_producer_id && expected.epoch >= EPOCH_EXHAUSTED);
}

struct transaction_decision transaction_evaluate_init(const struct transaction *transaction,
                                                      struct transaction_producer expected,
                                                      int32_t timeout_ms, int64_t new_producer_id,
                                                      int64_t now_ms)
{
    const struct transaction_fields *now = &transaction->now;
    bool is_named = expected.id != -1;
    if (is_named && !is_expected(now, expected))
        return answer(KERR_PRODUCER_FENCED);
    if (now->state == TRANSACTION_ONGOING)
        return (struct transaction_decision){ .verdict = TRANSACTION_FENCE };
    struct transaction_decision decision = write(transaction, TRANSACTION_EMPTY, now_ms);
    struct transaction_fields *next = &decision.next;
    next->timeout_ms = timeout_ms;
    next->start_ms = -1;
    if (transaction_is_exhausted(transaction) &&
        (!is_named || expected.epoch == now->producer_epoch)) {
        if (new_producer_id == -1)
            return (struct transaction_decision){ .verdict = TRANSACTION_NEEDS_PRODUCER_ID };
        next->producer_id = new_producer_id;
        next->producer_epoch = 0;
        next->last_producer_epoch = is_named ? now->producer_epoch : -1;
    } else if (transaction_is_exhausted(transaction)) {
        return answer(KERR_UNKNOWN_SERVER_ERROR); // Kafka's exception: no epoch is left to raise
    } else if (!is_named) {
        next->producer_epoch++;
        next->last_producer_epoch = -1;
    } else if (now->producer_epoch == -1 || expected.epoch == now->producer_epoch) {
        next->producer_epoch++;
        next->last_producer_epoch = now->producer_epoch;
    } else if (expected.epoch !=
               now->last_producer_epoch) { // else a retry, which gets the same again
        return answer(KERR_PRODUCER_FENCED);
    }
    return decision;
}

// ---- AddPartitionsToTxn ----------------------------------------------------------------------------

enum kafka_error transaction_check_producer(const struct transaction *transaction,
                                            struct transaction_producer producer)
{
    if (transaction->now.producer_id != producer.id)
        return KERR_INVALID_PRODUCER_ID_MAPPING;
    if (transaction->now.producer_epoch != producer.epoch)
        return KERR_PRODUCER_FENCED;
    return transaction_is_ending(transaction) ? KERR_CONCURRENT_TRANSACTIONS : KERR_NONE;
}

struct transaction_decision transaction_evaluate_add(const struct transaction *transaction,
                                                     struct transaction_producer producer,
                                                     bool are_known, int16_t client_version,
                                                     int64_t now_ms)
{
    enum kafka_error error = transaction_check_producer(transaction, producer);
    bool is_ongoing = transaction->now.state == TRANSACTION_ONGOING;
    if (error != KERR_NONE || (is_ongoing && are_known))
        return answer(error);
    struct transaction_decision decision = write(transaction, TRANSACTION_ONGOING, now_ms);
    if (!is_ongoing)
        decision.next.start_ms = now_ms;
    decision.next.client_version = client_version;
    return decision;
}

// ---- EndTxn ----------------------------------------------------------------------------------------

static struct transaction_decision prepare(const struct transaction *transaction, bool is_commit,
                                           int16_t version, int64_t new_producer_id, int64_t now_ms)
{
    struct transaction_decision decision = write(
        transaction, is_commit ? TRANSACTION_PREPARE_COMMIT : TRANSACTION_PREPARE_ABORT, now_ms);
    struct transaction_fields *next = &decision.next;
    next->client_version = version;
    next->next_producer_id = -1;
    if (version < 2)
        return decision;
    if (transaction_is_exhausted(transaction)) {
        if (new_producer_id == -1)
            return (struct transaction_decision){ .verdict = TRANSACTION_NEEDS_PRODUCER_ID };
        next->next_producer_id = new_producer_id;
    }
    if (transaction->now.producer_epoch < INT16_MAX)
        next->producer_epoch++;
    next->last_producer_epoch = transaction->now.producer_epoch;
    if (transaction->now.state != TRANSACTION_ONGOING) // an abort of what never began
        next->start_ms = now_ms;
    return decision;
}

static struct transaction_decision end_before_v2(const struct transaction *transaction,
                                                 struct transaction_producer producer,
                                                 bool is_commit, bool is_pending, int64_t now_ms)
{
    if (transaction->now.producer_id != producer.id)
        return answer(KERR_INVALID_PRODUCER_ID_MAPPING);
    if (transaction->now.producer_epoch != producer.epoch)
        return answer(KERR_PRODUCER_FENCED);
    if (is_pending)
        return answer(KERR_CONCURRENT_TRANSACTIONS);
    switch (transaction->now.state) {
    case TRANSACTION_ONGOING:
        return prepare(transaction, is_commit, 0, -1, now_ms);
    case TRANSACTION_COMPLETE_COMMIT:
        return answer(is_commit ? KERR_NONE : KERR_INVALID_TXN_STATE);
    case TRANSACTION_COMPLETE_ABORT:
        return answer(is_commit ? KERR_INVALID_TXN_STATE : KERR_NONE);
    default:
        return answer(KERR_INVALID_TXN_STATE);
    }
}

// Kafka's table, for "retry" (the epoch before the present one, which is what a lost answer leaves) and "current":
//
//                    abort: retry   current    commit: retry   current
//     EMPTY                fenced   write              fenced  INVALID_TXN_STATE
//     COMPLETE_ABORT       NONE     write      INVALID_TXN_STATE  "
//     COMPLETE_COMMIT INVALID_TXN_STATE write            NONE     "
static struct transaction_decision end_v2(const struct transaction *transaction,
                                          struct transaction_producer producer, bool is_commit,
                                          int16_t version, int64_t new_producer_id, int64_t now_ms)
{
    const struct transaction_fields *now = &transaction->now;
    bool is_complete =
        now->state == TRANSACTION_COMPLETE_COMMIT || now->state == TRANSACTION_COMPLETE_ABORT;
    bool is_retry_of_overflow = now->previous_producer_id == producer.id &&
                                producer.epoch == EPOCH_EXHAUSTED && now->producer_epoch == 0;
    bool is_retry = is_retry_of_overflow || now->producer_epoch == producer.epoch + 1;
    if (now->producer_id != producer.id && !is_retry_of_overflow)
        return answer(KERR_INVALID_PRODUCER_ID_MAPPING);
    if (producer.epoch != now->producer_epoch && !(is_complete && is_retry))
        return answer(KERR_PRODUCER_FENCED);
    if (now->state == TRANSACTION_ONGOING)
        return prepare(transaction, is_commit, version, new_producer_id, now_ms);
    if (is_complete && is_retry)
        return answer(is_commit == (now->state == TRANSACTION_COMPLETE_COMMIT)
                          ? KERR_NONE
                          : KERR_INVALID_TXN_STATE);
    if (is_commit)
        return answer(KERR_INVALID_TXN_STATE);
    return prepare(transaction, false, version, new_producer_id, now_ms);
}

struct transaction_decision transaction_evaluate_end(const struct transaction *transaction,
                                                     struct transaction_producer producer,
                                                     bool is_commit, int16_t client_version,
                                                     bool is_pending, int64_t new_producer_id,
                                                     int64_t now_ms)
{
    if (client_version < 2)
        return end_before_v2(transaction, producer, is_commit, is_pending, now_ms);
    if (is_pending)
        return answer(KERR_CONCURRENT_TRANSACTIONS);
    return end_v2(transaction, producer, is_commit, client_version, new_producer_id, now_ms);
}

struct transaction_decision transaction_evaluate_fence(const struct transaction *transaction,
                                                       int16_t version, int64_t new_producer_id,
                                                       int64_t now_ms)
{
    must(transaction->now.state == TRANSACTION_ONGOING);
    struct transaction_decision decision =
        prepare(transaction, false, version >= 2 ? version : 0, new_producer_id, now_ms);
    if (version < 2) {
        if (transaction->now.producer_epoch < INT16_MAX)
            decision.next.producer_epoch++;
        decision.next.last_producer_epoch = -1;
    }
    return decision;
}

struct transaction_fields transaction_evaluate_complete(const struct transaction *transaction,
                                                        int64_t now_ms)
{
    must(transaction_is_ending(transaction));
    struct transaction_fields next =
        write(transaction,
              transaction->now.state == TRANSACTION_PREPARE_COMMIT ? TRANSACTION_COMPLETE_COMMIT
                                                                   : TRANSACTION_COMPLETE_ABORT,
              now_ms)
            .next;
    if (transaction->now.client_version >= 2 && transaction->now.next_producer_id != -1) {
        next.producer_id = transaction->now.next_producer_id;
        next.producer_epoch = 0;
    }
    next.next_producer_id = -1;
    return next;
}
