// SPDX-License-Identifier: Apache-2.0
// The target assignment of a consumer group: the input of the assignor from what the group is and a member will be,
// and the records of what the assignor changed.
//
//     members, subscriptions, targets ──> assignor_input (in Java's order) ──> assignor ──> type 7 for each target
//                                                                                          that changed, then type 6
#ifndef GROUP_CONSUMER_CONSUMER_TARGET_H
#define GROUP_CONSUMER_CONSUMER_TARGET_H

#include "group/consumer/consumer_draft.h"
#include "group/group_shard.h"
#include "group/partition_assignor.h"

struct consumer_target_request {
    const struct consumer_group *group;
    const struct member_draft *member; // as it will be
    int32_t epoch;                     // of the group, which the target shall have
    bool is_homogeneous;
    struct arena *arena;
};

// Adds the records; the member's target, in the arena.
const struct member_target_value *
consumer_target_compute(const struct consumer_target_request *request);

// The assignor that most members ask for, else the broker's first.
struct str consumer_target_assignor(const struct consumer_group *group,
                                    const struct member_metadata_value *before,
                                    const struct member_metadata_value *after);

#endif
