// SPDX-License-Identifier: Apache-2.0
// What leaves a shard's state by itself: transactions whose producer took longer than its timeout are aborted, and the
// producer is fenced; transactional ids that nobody used for long are forgotten.
#ifndef TXN_TXN_EXPIRY_H
#define TXN_TXN_EXPIRY_H

#include "txn/txn_shard.h"

void txn_expiry_init_shard(struct txn_shard *state);
// All is loaded: watches what is open, and forgets ids from now on.
void txn_expiry_start(struct txn_shard *state);
// A transaction is open: looks at all of them after each cleanup interval as long as there are any.
void txn_expiry_watch(struct txn_shard *state);

#endif
