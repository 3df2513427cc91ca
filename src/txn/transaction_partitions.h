// SPDX-License-Identifier: Apache-2.0
// The partitions that take part in a transaction: a set, by topic, in the order in which they came. Names are copied.
// Tested by txn_coordinator_test.c.
#ifndef TXN_TRANSACTION_PARTITIONS_H
#define TXN_TRANSACTION_PARTITIONS_H

#include <stdbool.h>

#include "base/bytes.h"

struct transaction_topic {
    struct str name; // owned
    int32_t *partitions;
    size_t count, capacity;
};

struct transaction_partitions {
    struct transaction_topic *topics; // each has at least one partition
    size_t count, capacity;
};

void transaction_partitions_fini(struct transaction_partitions *set); // empty then
// False: it was in there.
bool transaction_partitions_add(struct transaction_partitions *set, struct str topic,
                                int32_t partition);
void transaction_partitions_remove(struct transaction_partitions *set, struct str topic,
                                   int32_t partition);
bool transaction_partitions_has(const struct transaction_partitions *set, struct str topic,
                                int32_t partition);
size_t transaction_partitions_size(const struct transaction_partitions *set);

#endif
