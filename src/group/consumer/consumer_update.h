// SPDX-License-Identifier: Apache-2.0
// What a heartbeat of the consumer protocol and a JoinGroup of the classic one have in common: a member that comes, or
// says something new, in four steps that read the group and add records, and a fifth when those are written.
//
//     metadata   the member's record, if it says something new
//     regex      its expression: valid? known? to be resolved?
//     epoch      a new group epoch, if the subscription changed or the topics did
//     target     a new target assignment, if the group epoch is ahead of it and the last one is old enough
//     reconcile  the member's next step towards the target
//     finish     after the records were replayed: timers, deadlines, work for the background
#ifndef GROUP_CONSUMER_CONSUMER_UPDATE_H
#define GROUP_CONSUMER_CONSUMER_UPDATE_H

#include "base/strbuf.h"
#include "group/consumer/consumer_draft.h"
#include "group/consumer/consumer_reconcile.h"

enum regex_change { REGEX_UNCHANGED, REGEX_UPDATED, REGEX_UPDATED_AND_RESOLVED };

struct consumer_update {
    struct group_shard *state;
    struct consumer_group *group; // may be one that is not in the shard yet
    struct member_draft before; // of a static member that returns: its former self under the new id
    struct member_draft member;
    const struct owned_topic *owned;
    int32_t owned_count; // -1: it did not say
    struct arena *arena;

    bool have_names_changed;
    enum regex_change regex_change;
    bool must_resolve;
    int32_t group_epoch; // from here on what the steps find
    bool is_homogeneous;
    bool has_refreshed; // topics were looked at
    int32_t target_epoch;
    const struct member_target_value *target;
    bool has_current_changed;
};

// Sets group, before (and member, as a copy of it) and what the steps need.
void consumer_update_init(struct consumer_update *update, struct group_shard *state,
                          struct consumer_group *group, const struct member_draft *member,
                          struct arena *arena);
void consumer_update_metadata(struct consumer_update *update);
// INVALID_REGULAR_EXPRESSION with its message.
enum kafka_error consumer_update_regex(struct consumer_update *update, struct str *message);
void consumer_update_epoch(struct consumer_update *update, bool must_bump);
void consumer_update_target(struct consumer_update *update);
// FENCED_MEMBER_EPOCH, see consumer_reconcile.
enum kafka_error consumer_update_reconcile(struct consumer_update *update);
// The group in the shard, whose member this is now.
void consumer_update_finish(struct consumer_update *update, struct consumer_group *group);

static inline bool consumer_update_has_subscription_changed(const struct consumer_update *update)
{
    return update->have_names_changed || update->regex_change != REGEX_UNCHANGED;
}

// ---- finding the member ----------------------------------------------------------------------------

// A new static member takes the place of one of that instance that is gone: records that remove the old one and make
// a new one of the same. `draft` is the new one as of then.
void consumer_update_replace(struct group_shard *state, const struct consumer_group *group,
                             const struct consumer_member *old, struct str new_id,
                             struct member_draft *draft);

#endif
