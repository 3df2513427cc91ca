// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_update.h"

#include <inttypes.h>

#include "group/consumer/consumer_records.h"
#include "group/consumer/consumer_regex.h"
#include "group/consumer/consumer_session.h"
#include "group/consumer/consumer_subscription.h"
#include "group/consumer/consumer_target.h"

void consumer_update_init(struct consumer_update *update, struct group_shard *state,
                          struct consumer_group *group, const struct member_draft *member,
                          struct arena *arena)
{
    *update = (struct consumer_update){ .state = state,
                                        .group = group,
                                        .before = *member,
                                        .member = *member,
                                        .arena = arena,
                                        .group_epoch = group->epoch };
}

void consumer_update_metadata(struct consumer_update *update)
{
    if (member_metadata_equals(&update->before.metadata, &update->member.metadata))
        return;
    consumer_add_metadata(update->group, update->member.id, &update->member.metadata);
    update->have_names_changed =
        !member_names_equal(&update->before.metadata, &update->member.metadata);
}

enum kafka_error consumer_update_regex(struct consumer_update *update, struct str *message)
{
    return consumer_regex_update(update, message);
}

// ---- epoch -----------------------------------------------------------------------------------------

static bool has_expired(const struct consumer_group *group, int64_t now_ms)
{
    return now_ms >= group->refresh_deadline_ms || group->epoch < group->refresh_epoch;
}

static void count(const struct consumer_update *update, struct consumer_subscription *subscription)
{
    consumer_subscription_count(subscription, update->group, update->arena);
}

// Members once this one is there. One that takes the place of another does not add to them.
static int32_t count_members(const struct consumer_update *update)
{
    const struct consumer_group *group = update->group;
    bool is_there = consumer_group_find(group, update->member.id) != NULL ||
                    consumer_group_find_static(group, update->member.metadata.instance_id) != NULL;
    return consumer_group_size(group) + !is_there;
}

static void refresh(struct consumer_update *update, bool must_bump)
{
    struct consumer_group *group = update->group;
    struct consumer_subscription subscription;
    count(update, &subscription);
    consumer_subscription_change(&subscription, group, &update->before.metadata,
                                 &update->member.metadata);
    int64_t hash = consumer_subscription_hash(&subscription, update->state->topics);
    update->is_homogeneous =
        consumer_subscription_is_homogeneous(&subscription, count_members(update));
    consumer_subscription_fini(&subscription);
    if (must_bump || hash != group->metadata_hash) {
        update->group_epoch++;
        consumer_add_epoch(group, update->group_epoch, hash);
        trace_info(update->state->trace, "group epoch group=\"%s\" epoch=%" PRId32,
                   group->base.id.data, update->group_epoch);
    }
    update->has_refreshed = true;
    if (group->has_partition_metadata)
        consumer_add_partition_metadata_tombstone(group);
}

void consumer_update_epoch(struct consumer_update *update, bool must_bump)
{
    if (must_bump || has_expired(update->group, coordinator_wall_ms(update->state->shard)))
        refresh(update, must_bump);
}

// ---- target ----------------------------------------------------------------------------------------

// The interval between two target assignments of a group, so that many who come at once cost one.
static bool may_compute(const struct consumer_update *update)
{
    const struct consumer_group *group = update->group;
    int32_t interval_ms = group_settings_int(update->state->settings, group->base.id,
                                             GROUP_CONSUMER_ASSIGNMENT_INTERVAL_MS);
    if (group->assignment_timestamp_ms == 0 || interval_ms == 0)
        return true;
    return coordinator_wall_ms(update->state->shard) >=
           group->assignment_timestamp_ms + interval_ms;
}

static const struct member_target_value *last_target(const struct consumer_update *update)
{
    struct str instance_id = update->member.metadata.instance_id;
    if (str_is_null(instance_id))
        return consumer_group_target(update->group, update->member.id);
    const struct consumer_member *holder = consumer_group_find_static(update->group, instance_id);
    return consumer_group_target(update->group, holder != NULL ? holder->id : update->member.id);
}

void consumer_update_target(struct consumer_update *update)
{
    struct consumer_group *group = update->group;
    update->target_epoch = group->assignment_epoch;
    if (group->assignment_epoch >= update->group_epoch || !may_compute(update)) {
        update->target = last_target(update);
        return;
    }
    if (!update->has_refreshed) {
        struct consumer_subscription subscription;
        count(update, &subscription);
        update->is_homogeneous =
            consumer_subscription_is_homogeneous(&subscription, consumer_group_size(group));
        consumer_subscription_fini(&subscription);
    }
    update->target_epoch = update->group_epoch;
    update->target = consumer_target_compute(
        &(struct consumer_target_request){ .group = group,
                                           .member = &update->member,
                                           .epoch = update->group_epoch,
                                           .is_homogeneous = update->is_homogeneous,
                                           .arena = update->arena });
}

// ---- reconcile, finish -----------------------------------------------------------------------------

enum kafka_error consumer_update_reconcile(struct consumer_update *update)
{
    struct reconcile_request request = {
        .group = update->group,
        .target_epoch = update->target_epoch,
        .target = update->target,
        .has_subscription_changed = consumer_update_has_subscription_changed(update),
        .owned = update->owned,
        .owned_count = update->owned_count,
        .arena = update->arena,
    };
    struct member_current_value before = update->member.current;
    enum kafka_error error = consumer_reconcile(&request, &update->member);
    update->has_current_changed = !member_current_equals(&before, &update->member.current);
    return error;
}

void consumer_update_finish(struct consumer_update *update, struct consumer_group *group)
{
    if (update->has_refreshed) {
        group->refresh_deadline_ms = coordinator_wall_ms(update->state->shard) + INT32_MAX;
        group->refresh_epoch = update->group_epoch;
    }
    struct consumer_member *member = consumer_group_find(group, update->member.id);
    if (member != NULL && update->has_current_changed && !member_is_classic(member->metadata))
        consumer_watch_revocation(member);
    if (update->must_resolve)
        consumer_regex_schedule(group);
}

void consumer_update_replace(struct group_shard *state, const struct consumer_group *group,
                             const struct consumer_member *old, struct str new_id,
                             struct member_draft *draft)
{
    *draft = member_draft_of(old, new_id);
    draft->current.member_epoch = 0;
    draft->current.previous_member_epoch = 0;
    consumer_add_member_tombstones(group, old->id);
    consumer_add_metadata(group, new_id, &draft->metadata);
    consumer_add_target(group, new_id, consumer_group_target(group, old->id));
    consumer_add_current(group, new_id, &draft->current);
    trace_info(state->trace, "group static member replaced group=\"%s\" old=\"%s\" new=\"%.*s\"",
               group->base.id.data, old->id.data, STR_ARG(new_id));
}
