// SPDX-License-Identifier: Apache-2.0
// What an assignor of the server gets and gives (KIP-848): members, what they subscribe to, what they had; what they
// shall have. Pure: the same input always gives the same output, and it is what Kafka 4.3.1's class of that name
// gives for the same input, the order of lists included (java_order.h).
//
//     uniform   assignor_uniform.c (all subscribe to the same), assignor_uniform_mixed.c (they do not)
//     range     assignor_range.c
//
// Topics are numbered here: members speak of places in `topics`.
#ifndef GROUP_PARTITION_ASSIGNOR_H
#define GROUP_PARTITION_ASSIGNOR_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/uuid.h"

struct assignor_topic {
    struct uuid id;
    int32_t partitions_count; // 0: it is gone, but somebody had partitions of it
    uint8_t *is_assigned;     // by partition: somebody's target has it now
};

struct assigned_topic {
    int32_t topic;       // a place in the input's topics
    int32_t *partitions; // in Java's order of iteration
    int32_t count;       // above 0
};

struct assignment {
    struct assigned_topic *topics; // in Java's order of iteration
    int32_t count;
};

struct assignor_member {
    struct str id;
    struct str instance_id;    // null: none
    const int32_t *subscribed; // topics that exist, in Java's order
    int32_t subscribed_count;
    int32_t subscribed_names; // names it subscribes to, those without a topic counted too
    struct assignment current;
    struct assignment target; // out
};

struct assignor_input {
    struct assignor_topic *topics;
    int32_t topic_count;
    struct assignor_member *members; // in Java's order
    int32_t member_count;
    bool is_homogeneous; // all subscribe to the same topics
};

// Fills each member's target; all of it is in the arena, or borrowed from `current`.
typedef void assignor_function(struct assignor_input *input, struct arena *arena);

void assignor_uniform(struct assignor_input *input, struct arena *arena);
void assignor_uniform_mixed(struct assignor_input *input, struct arena *arena);
void assignor_range(struct assignor_input *input, struct arena *arena);

// By the name that clients and settings use; NULL if there is none.
assignor_function *assignor_find(struct str name);

#endif
