// SPDX-License-Identifier: Apache-2.0
// What partition.c and partition_wait.c share; nobody else includes it. The role lock is held, for reading at least.
#ifndef REPLICA_PARTITION_INTERNAL_H
#define REPLICA_PARTITION_INTERNAL_H

#include "replica/partition.h"

enum { PARTITION_MAGIC = 0x50415254 };

// What a reader of this isolation may see the end of.
int64_t partition_visible_end(const struct log *log, enum partition_isolation isolation);
// All who wait, because the role or the log has changed.
void partition_wake_all(struct partition *partition, struct partition_woken *woken);
// Those whom it satisfies that the log grew by `bytes` (INT64_MAX: the high watermark moved for another reason).
void partition_wake_satisfied(struct partition *partition, struct log *log, int64_t bytes,
                              struct partition_woken *woken);

#endif
