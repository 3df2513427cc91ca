// SPDX-License-Identifier: Apache-2.0
//
// A consumer group that reads a whole topic, each member a thread with a consumer of its own, with
// rebalances in the middle: after a third of all messages a member leaves, after two thirds
// another one joins.
//
//     three members ──1/3──▸ two ──2/3──▸ three ──all──▸ closed
//
// A member commits the exact positions of the partitions that are taken from it, before it lets go
// of them. So, as long as the broker keeps its word,
//   1. each offset of a partition arrives exactly once, in order, with no gap, whoever reads it;
//   2. the messages of one key arrive in the order of their sequence numbers;
//   3. when all have left, the committed offsets are the ends of the partitions.
#ifndef GROUP_H
#define GROUP_H

#include "index.h"

enum { GROUP_PARTITIONS = 6, GROUP_LIMIT_S = 100 };

// What a read of the whole topic came to.
struct group_result {
    int received;       // messages
    int missing;        // sequence numbers that never came
    int twice;          // that came again
    int out_of_order;   // of a partition's offsets, or of a key's sequence numbers
    int different;      // key, value or sequence header other than what was produced
    int rebalances;     // assignments that members got
    int failed_commits; // positions that could not be committed
    int timed_out;      // the limit passed before all was there
};

// Reads `topic` from its beginning as a new group.
struct group_result group_read(const struct index *index, const char *topic, const char *group);

// The sum of the group's committed offsets over all partitions; -1 when one has none.
long long group_committed(const char *topic, const char *group);

#endif
