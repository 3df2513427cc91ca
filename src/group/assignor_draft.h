// SPDX-License-Identifier: Apache-2.0
// An assignment in the making: Kafka's Map<Uuid, Set<Integer>> of one member, which is copied when it is first
// changed, and whose order of iteration is Java's.
#ifndef GROUP_ASSIGNOR_DRAFT_H
#define GROUP_ASSIGNOR_DRAFT_H

#include "group/partition_assignor.h"

struct draft_set {
    int32_t topic;
    int32_t *partitions; // by insertion
    int32_t count;
    int32_t capacity;
    size_t buckets;
};

struct assignor_draft {
    const struct assignor_input *input;
    struct arena *arena;
    struct assignment original; // what it is, until it is copied
    bool is_copied;
    struct draft_set *sets; // by insertion
    int32_t count;
    int32_t capacity;
    size_t buckets;
};

void assignor_draft_init(struct assignor_draft *draft, const struct assignor_input *input,
                         struct assignment original, struct arena *arena);
// Makes it changeable, as Kafka does even when nothing comes of it.
void assignor_draft_copy(struct assignor_draft *draft);
// set_buckets: of a set that this partition begins.
void assignor_draft_add(struct assignor_draft *draft, int32_t topic, int32_t partition,
                        size_t set_buckets);
void assignor_draft_remove(struct assignor_draft *draft, int32_t topic, int32_t partition);
void assignor_draft_remove_topic(struct assignor_draft *draft, int32_t topic);
// Keeps the first `count` partitions, in the order of iteration of the original.
void assignor_draft_truncate(struct assignor_draft *draft, int32_t topic, int32_t count);
struct assignment assignor_draft_finish(struct assignor_draft *draft);

#endif
