// SPDX-License-Identifier: Apache-2.0
// Transactions (KIP-98): the state behind partitions of __transaction_state, on the coordinator engine. Overview of the
// folder:
//
//     txn_coordinator      the entry points below: checks that need no state, finds the shard, answers
//     transaction          a transactional id as data, and the rules that move it from state to state
//     transaction_partitions   the partitions in it
//     txn_shard            the state of one partition of the topic; replay, writing
//     txn_markers          ending a transaction on its partitions
//     txn_expiry           transactions that took too long, ids that nobody used
//     txn_admin            listing and describing
//     txn_records          keys and values as they stand in the log
//     producer_ids         producer ids from the controller's blocks
//
// Every entry point takes a struct that it owns until its completion, which is completed exactly once, perhaps later
// and on another thread (base/completion.h), or before the call returns. Safe from any thread.
#ifndef TXN_TXN_COORDINATOR_H
#define TXN_TXN_COORDINATOR_H

#include "base/arena.h"
#include "protocol/messages/describe_transactions.h"
#include "protocol/messages/list_transactions.h"
#include "txn/producer_ids.h"
#include "txn/transaction.h"
#include "txn/txn_markers.h"

struct txn_coordinator;

#define TXN_STATE_TOPIC "__transaction_state"

// The broker's settings, all read-only while it runs.
struct txn_config {
    int32_t max_timeout_ms;     // transaction.max.timeout.ms
    int32_t abort_interval_ms;  // transaction.abort.timed.out.transaction.cleanup.interval.ms
    int32_t id_expiration_ms;   // transactional.id.expiration.ms
    int32_t expiry_interval_ms; // transaction.remove.expired.transaction.cleanup.interval.ms
    bool two_phase_commit;      // transaction.two.phase.commit.enable
    int32_t
        request_timeout_ms; // request.timeout.ms: how long an answer waits for its record to be committed
    size_t load_buffer_bytes; // transaction.state.log.load.buffer.size
};

// Kafka's defaults, for tests.
extern const struct txn_config txn_config_defaults;

struct txn_coordinator_options {
    struct txn_config config;
    int32_t
        partition_count; // of __transaction_state if it exists, else transaction.state.log.num.partitions
    int16_t version; // transaction.version, as the cluster has agreed
    struct coordinator_log *log;
    struct txn_marker_sink *sink;
    struct producer_ids *producer_ids;
    struct clock *clock;
    struct alarms *alarms;
    struct trace *trace;
};

struct txn_coordinator *txn_coordinator_new(const struct txn_coordinator_options *options);
void txn_coordinator_free(struct txn_coordinator *txns);
// Its engine, for coordinator_elected, _load, _resigned, _on_high_watermark, _partition_for.
struct coordinator *txn_coordinator_engine(struct txn_coordinator *txns);
// The cluster agreed upon another transaction.version. It counts for what is written from now on.
void txn_coordinator_set_version(struct txn_coordinator *txns, int16_t version);

// What every call has. In the request's arena, zero but for what the caller sets.
struct txn_call {
    struct completion *completion;
    enum kafka_error error; // the answer
    struct coordinator_wait _wait;
    struct txn_coordinator *_txns;
    struct coordinator_shard *_shard;
    struct producer_id_wait _id_wait;
};

struct txn_init {
    struct txn_call call;
    struct str transactional_id; // not null
    int32_t timeout_ms;
    bool enable_two_phase_commit;         // KIP-939
    bool keep_prepared;                   // KIP-939
    struct transaction_producer expected; // -1 and -1: none
    struct transaction_producer answer;   // -1 and -1 with an error
};
void txn_coordinator_init(struct txn_coordinator *txns, struct txn_init *init);

struct txn_topic {
    struct str name;
    const int32_t *partitions;
    int32_t count;
    enum kafka_error *errors; // of txn_coordinator_verify: one for each
};

struct txn_add {
    struct txn_call call;
    struct str transactional_id;
    struct transaction_producer producer;
    const struct txn_topic *topics;
    int32_t topics_count;
    int16_t client_version; // transaction.version that the client shows: 2 or 0
    struct arena *arena;
};
// Adds the partitions to the transaction, which begins if there is none.
void txn_coordinator_add(struct txn_coordinator *txns, struct txn_add *add);
// Only asks whether they are part of it: errors go to each partition. Nothing waits, the completion is not used.
void txn_coordinator_verify(struct txn_coordinator *txns, struct txn_add *add);

struct txn_end {
    struct txn_call call;
    struct str transactional_id;
    struct transaction_producer producer;
    bool is_commit;
    int16_t client_version;
    struct transaction_producer answer; // of the next transaction, version 2; else -1 and -1
};
void txn_coordinator_end(struct txn_coordinator *txns, struct txn_end *end);

// Under no lock: one answer, at once.
void txn_coordinator_describe(struct txn_coordinator *txns, struct str transactional_id,
                              struct describe_transactions_response_transaction_state *response,
                              struct arena *arena);
void txn_coordinator_list(struct txn_coordinator *txns,
                          const struct list_transactions_request *request,
                          struct list_transactions_response *response, struct arena *arena);

// ---- for the folder's other units ------------------------------------------------------------------

int16_t txn_coordinator_version(struct txn_coordinator *txns);
const struct txn_config *txn_coordinator_config(const struct txn_coordinator *txns);
struct txn_marker_sink *txn_coordinator_sink(struct txn_coordinator *txns);
struct producer_ids *txn_coordinator_producer_ids(struct txn_coordinator *txns);
// Under the shard's lock: writes the abort of an ONGOING transaction and sees to its end. NEEDS_PRODUCER_ID or the
// error of writing it in the decision; with NONE the producer is fenced.
struct transaction_decision txn_coordinator_fence(struct txn_shard *state,
                                                  struct transaction *transaction,
                                                  int64_t new_producer_id);

#endif
