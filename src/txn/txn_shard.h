// SPDX-License-Identifier: Apache-2.0
// The state of one partition of __transaction_state: its transactional ids. All under the shard's lock
// (coordinator/coordinator.h).
//
// (1) What a transaction holds is what its last record says, but for last_producer_epoch, and for partitions whose
//     marker is written already.
// (2) Unlike a replay, a write takes the new state over itself: what is not in the record must not be lost.
#ifndef TXN_TXN_SHARD_H
#define TXN_TXN_SHARD_H

#include "base/hashmap.h"
#include "coordinator/coordinator.h"
#include "txn/transaction.h"

struct txn_coordinator;

struct txn_shard {
    struct coordinator_shard *shard;
    struct txn_coordinator *owner;
    struct hashmap transactions; // struct transaction
    struct list retries;         // transactions whose end could not go on
    struct timer retry_timer;    // set while there are any
    struct timer abort_timer;    // set while any is ONGOING
    struct timer expiry_timer;
};

extern const struct coordinator_state_ops txn_shard_ops; // owner: struct txn_coordinator *

struct transaction *txn_shard_find(const struct txn_shard *state, struct str id);
struct transaction *txn_shard_create(struct txn_shard *state, struct str id);
void txn_shard_remove(struct txn_shard *state, struct transaction *transaction);

// Its last record is not committed, or its markers are under way.
bool txn_shard_is_pending(const struct txn_shard *state, const struct transaction *transaction);

// Writes a record and takes over what it says. After an error nothing has changed. UNSUPPORTED_VERSION: the cluster's
// transaction.version has no room for it.
enum kafka_error txn_shard_write(struct txn_shard *state, struct transaction *transaction,
                                 const struct transaction_fields *next);

#endif
