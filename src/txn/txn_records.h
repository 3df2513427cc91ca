// SPDX-License-Identifier: Apache-2.0
// The records of __transaction_state: a key with the transactional id, a value with all that is known of it, or none
// when it has expired. Byte for byte Kafka's:
//
//     key    int16 type = 0 | string transactional id
//     value  int16 version, 0 or 1 (transaction.version 1 and up) | TransactionLogValue
#ifndef TXN_TXN_RECORDS_H
#define TXN_TXN_RECORDS_H

#include "base/arena.h"
#include "txn/transaction.h"

enum txn_record_kind { TXN_RECORD_VALUE, TXN_RECORD_TOMBSTONE, TXN_RECORD_UNKNOWN };

struct txn_record {
    enum txn_record_kind kind;
    struct str id; // points into the key
    struct transaction_fields fields;
    struct transaction_partitions partitions; // the caller's, of VALUE
};

// False for bytes that are none. UNKNOWN: of a type or version that a later release wrote.
bool txn_record_decode(struct bytes key, struct bytes value, struct arena *arena,
                       struct txn_record *record);
// Arena memory. `version` is the cluster's transaction.version.
struct bytes txn_record_key(struct str id, struct arena *arena);
struct bytes txn_record_value(const struct transaction_fields *fields,
                              const struct transaction_partitions *partitions, int16_t version,
                              struct arena *arena);

#endif
