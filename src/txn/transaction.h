// SPDX-License-Identifier: Apache-2.0
// A transactional id: its producer, and where its transaction is (KIP-98, KIP-360, KIP-890). Here are the rules;
// nothing is written. Each evaluate function looks at the transaction and a request, and says what the next record
// holds, or which error the request gets.
//
//                  init                    add                  end(commit)
//        (none) ────────> EMPTY ─────────────────> ONGOING ──────────────────> PREPARE_COMMIT ─┐
//                          ^ ^  \ end(abort), v2     │ end(abort), init,                       │ markers written
//                     init │ │   \                   │ timeout                                 v
//                          │ │    └────────────────> PREPARE_ABORT ──markers──> COMPLETE_ABORT, COMPLETE_COMMIT
//                          │ │                           ^                        │  │  add: ONGOING
//                          │ └───────────────────────────│────────────────────────┘  │  expired: (none)
//                          └ end(abort), v2 ─────────────┴───────────────────────────┘
//
// Epochs. With transaction version 2 a client's end of a transaction raises the epoch in the PREPARE record: the marker
// has it, and so has the next transaction. Before, markers have the producer's own epoch. Whoever fences a producer
// (init, timeout) raises it once more. At 32766 the epoch is exhausted: the next record takes a new producer id, so
// that 32767 is left to fence with.
//
// (1) previous_producer_id in a record is the producer id before it, whether or not it changed.
// (2) last_producer_epoch is not in the log: retries of InitProducerId across a restart are fenced, as Kafka's are.
// (3) While a record is not committed, or markers are under way, the id is pending: requests get
//     CONCURRENT_TRANSACTIONS. The caller checks that where Kafka does.
#ifndef TXN_TRANSACTION_H
#define TXN_TRANSACTION_H

#include "base/list.h"
#include "coordinator/coordinator.h"
#include "protocol/kafka_error.h"
#include "txn/transaction_partitions.h"

enum transaction_state { // as in the log
    TRANSACTION_EMPTY,
    TRANSACTION_ONGOING,
    TRANSACTION_PREPARE_COMMIT,
    TRANSACTION_PREPARE_ABORT,
    TRANSACTION_COMPLETE_COMMIT,
    TRANSACTION_COMPLETE_ABORT,
    TRANSACTION_DEAD,                // never stored
    TRANSACTION_PREPARE_EPOCH_FENCE, // never stored
};
enum { TRANSACTION_STATES = 8 };

// Kafka's names: "Empty", "PrepareEpochFence" …
const char *transaction_state_name(enum transaction_state state);

// Epochs from here on are not given to a producer.
enum { EPOCH_EXHAUSTED = INT16_MAX - 1 };

// What a record says, but for the partitions.
struct transaction_fields {
    enum transaction_state state;
    int64_t producer_id;
    int64_t previous_producer_id; // -1: none
    int64_t next_producer_id;     // -1: none; else what completing takes over
    int16_t producer_epoch;       // -1: new, nothing is written yet
    int16_t last_producer_epoch;  // -1: none
    int16_t client_version;       // transaction.version of who moved it here
    int32_t timeout_ms;           // INT32_MAX: two-phase commit, never
    int64_t start_ms;             // -1: none
    int64_t last_update_ms;
};

struct txn_marker; // txn_markers.h
struct txn_shard;

struct transaction {
    struct str id; // owned; key of the shard's map
    struct transaction_fields now;
    struct transaction_partitions
        partitions;                // ONGOING: all. PREPARE_…: those without their marker yet
    int64_t written_offset;        // what has to be committed before it is not pending
    struct txn_marker *marker;     // under way, or NULL
    struct list retry_link;        // in the shard's list when something has to be tried again
    struct coordinator_wait wait;  // for PREPARE_… to be committed
    struct txn_shard *shard_state; // set with it
};

struct transaction *transaction_new(struct str id);
void transaction_free(struct transaction *transaction); // it is in no list

static inline bool transaction_is_ending(const struct transaction *transaction)
{
    return transaction->now.state == TRANSACTION_PREPARE_COMMIT ||
           transaction->now.state == TRANSACTION_PREPARE_ABORT;
}

static inline bool transaction_is_exhausted(const struct transaction *transaction)
{
    return transaction->now.producer_epoch >= EPOCH_EXHAUSTED;
}

// The producer that asks; -1 and -1 when InitProducerId names none.
struct transaction_producer {
    int64_t id;
    int16_t epoch;
};

// What to do with a request.
enum transaction_verdict {
    TRANSACTION_WRITE,             // the next record
    TRANSACTION_ANSWER,            // the error (perhaps NONE) at once, nothing is written
    TRANSACTION_NEEDS_PRODUCER_ID, // ask again with one
    TRANSACTION_FENCE, // of init: abort the open transaction; the client is to come again
};

struct transaction_decision {
    enum transaction_verdict verdict;
    enum kafka_error error;         // ANSWER
    struct transaction_fields next; // WRITE, FENCE
};

// `new_producer_id` -1: there is none at hand. The transaction is not pending.
struct transaction_decision transaction_evaluate_init(const struct transaction *transaction,
                                                      struct transaction_producer expected,
                                                      int32_t timeout_ms, int64_t new_producer_id,
                                                      int64_t now_ms);
// are_known: all partitions are in it already.
struct transaction_decision transaction_evaluate_add(const struct transaction *transaction,
                                                     struct transaction_producer producer,
                                                     bool are_known, int16_t client_version,
                                                     int64_t now_ms);
// The error that concerns all partitions when a broker asks whether they are part of the transaction.
enum kafka_error transaction_check_producer(const struct transaction *transaction,
                                            struct transaction_producer producer);
// A client's EndTxn. client_version < 2: `is_pending` is checked here, where Kafka does.
struct transaction_decision transaction_evaluate_end(const struct transaction *transaction,
                                                     struct transaction_producer producer,
                                                     bool is_commit, int16_t client_version,
                                                     bool is_pending, int64_t new_producer_id,
                                                     int64_t now_ms);
// The broker's own abort of an ONGOING transaction whose producer is fenced by it.
struct transaction_decision transaction_evaluate_fence(const struct transaction *transaction,
                                                       int16_t version, int64_t new_producer_id,
                                                       int64_t now_ms);
// All markers are written.
struct transaction_fields transaction_evaluate_complete(const struct transaction *transaction,
                                                        int64_t now_ms);

#endif
