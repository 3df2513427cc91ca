// SPDX-License-Identifier: Apache-2.0
// Kafka's SimpleAssignor of share groups: every partition goes to as many members as it takes for each member to have
// some, and moves as little as it can.
//
//     6 members, 4 partitions: each partition to 2 members, which makes 8 assignments, 1 or 2 for each member
//
// When all members subscribe to the same topics their partitions are dealt out together, otherwise topic by topic.
// Ties fall as in Kafka, which iterates over Java's hash maps (base/java_order.h).
#ifndef GROUP_SHARE_SHARE_ASSIGNOR_H
#define GROUP_SHARE_SHARE_ASSIGNOR_H

#include "base/arena.h"
#include "group/share/share_topics.h"

struct share_assignor_member {
    struct str id;
    const struct uuid *topics; // that it subscribes to, of those that exist
    size_t topics_count;
    const struct share_topics *former;
    struct share_topics assigned; // out, empty before; share_topics_fini
};

// Members in the order of Java's HashMap by id. `assignable`: partitions whose state is begun.
void share_assign(struct share_assignor_member *members, size_t count, bool is_homogeneous,
                  const struct share_topics *assignable);
// Puts members into that order.
void share_assignor_sort(struct share_assignor_member *members, size_t count);

#endif
