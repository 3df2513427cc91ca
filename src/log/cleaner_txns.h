// SPDX-License-Identifier: Apache-2.0
// The transactions that a cleaning meets while it walks a log. All before the last stable offset are decided; which
// were aborted is known beforehand, from the .txnindex files.
//
//     first batch of a producer's transaction:  aborted? ─ yes ─► aborting: its batches go
//                                                        └ no ──► committing: judged by their keys
//     marker: nothing of its transaction was met ─► it may go, once consumers have had their time (KIP-534)
//             else it stays, with its entry in the cleaned .txnindex
//
// As Kafka's CleanedTransactionMetadata.
// Tested by cleaner_filter_test.c.
#ifndef LOG_CLEANER_TXNS_H
#define LOG_CLEANER_TXNS_H

#include "base/hashmap.h"
#include "log/txn_index.h"
#include "record/batch.h"

struct aborted_txns {
    struct aborted_txn *items; // mem_free
    size_t count, capacity;
};

struct cleaner_txns {
    struct aborted_txns _aborted; // by first offset
    size_t _next;                 // those before it are consumed
    struct hashmap _ongoing;      // producer id → struct ongoing_txn
};

// Takes the list's memory.
void cleaner_txns_init(struct cleaner_txns *txns, struct aborted_txns *aborted);
void cleaner_txns_fini(struct cleaner_txns *txns);
// A batch of data comes by, given its header: true when it belongs to an aborted transaction.
bool cleaner_txns_on_batch(struct cleaner_txns *txns, const uint8_t *header);
// A control batch comes by. type: of its record (record/batch_builder.h), -1 when it has none any more. True when it
// may go; false and *kept (producer id -1: none): it is an abort marker that stays.
bool cleaner_txns_on_marker(struct cleaner_txns *txns, const uint8_t *header, int type,
                            struct aborted_txn *kept);

#endif
