// SPDX-License-Identifier: Apache-2.0
// Takes a member one step from what it has towards its target, by what it says that it still holds:
//
//     assigned    = what it has and shall have
//     to revoke   = what it has and shall not have        -> UNREVOKED_PARTITIONS, in its epoch, until it gave them up
//     to assign   = what it shall have and nobody has     -> assigned, in the target's epoch
//     unreleased  = what it shall have and another has    -> UNRELEASED_PARTITIONS until that one gave them up
//
// A topic that the member no longer subscribes to is not in its target, even if the target still says so.
#ifndef GROUP_CONSUMER_CONSUMER_RECONCILE_H
#define GROUP_CONSUMER_CONSUMER_RECONCILE_H

#include "group/consumer/consumer_draft.h"
#include "group/group_shard.h"
#include "protocol/messages/consumer_group_heartbeat.h"

#define owned_topic consumer_group_heartbeat_request_topic_partitions

struct reconcile_request {
    const struct consumer_group *group;
    int32_t target_epoch;
    const struct member_target_value *target;
    bool has_subscription_changed;
    const struct owned_topic *owned; // what the member holds
    int32_t owned_count;             // -1: it did not say
    struct arena *arena;
};

// Changes the draft and adds its record, if there is anything to change. FENCED_MEMBER_EPOCH for a member whose state
// is of a newer release, unless it holds nothing.
enum kafka_error consumer_reconcile(const struct reconcile_request *request,
                                    struct member_draft *draft);

#endif
