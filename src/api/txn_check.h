// SPDX-License-Identifier: Apache-2.0
// Before the first batch of a transaction goes to a partition, its coordinator is asked (KIP-890): whether the
// partition is in the transaction, or, for clients of transaction version 2, to add it. For Produce and
// TxnOffsetCommit.
//
//     partition_begin_verification ──> open here already: nothing to ask
//                                  └─> a guard ──> coordinator: verify | add ──> answer for each, with its guard
//                                                      ^      │ CONCURRENT_TRANSACTIONS (add only)
//                                                      └ 20 ms┘ at most 100 ms
//
// (1) Requests without a transactional id never come here.
// (2) The coordinator is this broker's. Where another one leads the partition of __transaction_state, it will be asked
//     over the network at this place.
#ifndef API_TXN_CHECK_H
#define API_TXN_CHECK_H

#include "api/request.h"
#include "replica/partition.h"
#include "txn/transaction.h"

struct txn_check_item {
    struct partition *partition; // the caller's reference, or NULL: skipped
    int32_t base_sequence;       // of its batch; -1 for a coordinator's
    enum kafka_error error;      // answer; set before: skipped
    uint64_t guard;              // answer: for log_append_transaction
};

// How much the client understands, by the version of its request.
enum txn_client {
    TXN_CLIENT_OLD,       // INVALID_TXN_STATE for a partition that is not in the transaction
    TXN_CLIENT_ABORTABLE, // TRANSACTION_ABORTABLE
    TXN_CLIENT_ADDS,      // transaction version 2: partitions are added
};

// Items live in the request's arena. Calls on_checked on the request's reactor, perhaps before it returns. Errors:
// what the log says of the producer, the coordinator's (NOT_COORDINATOR, CONCURRENT_TRANSACTIONS …),
// INVALID_PRODUCER_EPOCH for a fenced producer. Uses the request's timer and on_post.
void txn_check(struct request *request, struct str transactional_id,
               struct transaction_producer producer, enum txn_client client,
               struct txn_check_item *items, int32_t count,
               void (*on_checked)(struct request *request));

#endif
