// SPDX-License-Identifier: Apache-2.0
// See the header. All that is to go is collected first: replaying a tombstone changes the tables.
#include "group/group_expiry.h"

#include <inttypes.h>

#include "group/consumer/consumer_subscription.h"
#include "group/group_records.h"
#include "group/share/share_group_admin.h"
#include "group/streams/streams_group.h"

// Whether offsets of the group expire at all; if so from when.
struct expiry_rule {
    bool expires;
    int64_t since_ms; // -1: each from its own commit
};

static struct expiry_rule rule_of(const struct group *group)
{
    if (group->type != GROUP_CLASSIC)
        return (struct expiry_rule){ true, -1 };
    const struct classic_group *classic =
        container_of((struct group *)(uintptr_t)group, struct classic_group, base);
    if (str_is_null(classic->protocol_type))
        return (struct expiry_rule){ true, -1 };
    if (classic->state == CLASSIC_EMPTY)
        return (struct expiry_rule){ true, classic->state_timestamp_ms };
    return (struct expiry_rule){ classic->state == CLASSIC_STABLE &&
                                     classic_group_is_consumer(classic) &&
                                     classic->subscription_known,
                                 -1 };
}

static bool is_subscribed(const struct group *group, struct str topic)
{
    if (group->type == GROUP_CONSUMER)
        return consumer_group_subscribes(
            container_of((struct group *)(uintptr_t)group, struct consumer_group, base), topic);
    if (group->type == GROUP_STREAMS)
        return streams_group_subscribes(streams_group_of((struct group *)(uintptr_t)group), topic);
    return group->type == GROUP_CLASSIC &&
           classic_group_is_subscribed(
               container_of((struct group *)(uintptr_t)group, struct classic_group, base), topic);
}

static bool is_expired(const struct group_shard *state, struct expiry_rule rule,
                       const struct committed_offset *committed, int64_t now_ms)
{
    if (committed->expire_timestamp_ms != -1)
        return now_ms >= committed->expire_timestamp_ms;
    int64_t since_ms = rule.since_ms != -1 ? rule.since_ms : committed->commit_timestamp_ms;
    return since_ms <= now_ms - state->config->offsets_retention_ms;
}

// Adds tombstones of what has expired; true if that is all the group has.
static bool expire_offsets(struct group_shard *state, const struct group *group, int64_t now_ms)
{
    const struct offset_group *offsets = group_offsets_group(&state->offsets, group->id);
    bool is_all = !group_shard_has_transaction(state, group->id);
    if (offsets == NULL)
        return is_all;
    struct expiry_rule rule = rule_of(group);
    if (!rule.expires)
        return false;
    struct offset_topic *topic;
    for (size_t i = 0; (topic = hashmap_next(&offsets->topics, &i)) != NULL;) {
        bool is_used = is_subscribed(group, topic->name);
        for (size_t p = 0; p < topic->count; p++) {
            const struct offset_partition *at = &topic->partitions[p];
            if (!is_used && is_expired(state, rule, &at->committed, now_ms) &&
                !group_shard_is_unstable(state, group->id, topic->name, at->partition))
                group_record_add_offset_tombstone(state->shard, group->id, topic->name,
                                                  at->partition);
            else
                is_all = false;
        }
    }
    return is_all;
}

static bool is_empty(const struct group *group)
{
    if (group->type == GROUP_CLASSIC)
        return container_of((struct group *)(uintptr_t)group, struct classic_group, base)->state ==
               CLASSIC_EMPTY;
    return group_size(group) == 0;
}

void group_expiry_run(struct group_shard *state)
{
    int64_t now_ms = coordinator_wall_ms(state->shard);
    struct group *group;
    for (size_t i = 0; (group = hashmap_next(&state->groups, &i)) != NULL;)
        if (group->type != GROUP_SHARE && expire_offsets(state, group, now_ms) && is_empty(group))
            group_shard_add_tombstones(state, group);
    coordinator_append_each(state->shard); // what could not be written is found again next time
}

static void on_timer(struct timer *timer)
{
    struct group_shard *state = container_of(timer, struct group_shard, expiry_timer);
    group_expiry_run(state);
    group_expiry_schedule(state);
}

void group_expiry_schedule(struct group_shard *state)
{
    state->expiry_timer.on_expired = on_timer;
    coordinator_set_timer(state->shard, &state->expiry_timer,
                          coordinator_now_us(state->shard) +
                              state->config->retention_check_interval_ms * 1000);
}

static int32_t add_deleted(struct group_shard *state, const struct group_offsets *offsets,
                           const struct deleted_topic *deleted)
{
    int32_t added = 0;
    struct offset_group *group;
    for (size_t i = 0; (group = hashmap_next(&offsets->groups, &i)) != NULL;) {
        const struct offset_topic *topic = offset_group_topic(group, deleted->name);
        for (size_t p = 0; topic != NULL && p < topic->count; p++) {
            struct uuid id = topic->partitions[p].committed.topic_id;
            if (!uuid_is_zero(id) && !uuid_eq(id, deleted->id))
                continue; // of a newer topic of the same name
            group_record_add_offset_tombstone(state->shard, group->id, topic->name,
                                              topic->partitions[p].partition);
            added++;
        }
    }
    return added;
}

void group_expiry_topics_deleted(struct group_shard *state, const struct deleted_topic *topics,
                                 int32_t count)
{
    int32_t added = 0;
    for (int32_t t = 0; t < count; t++) {
        added += add_deleted(state, &state->offsets, &topics[t]);
        struct transaction_offsets *transaction;
        for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;)
            added += add_deleted(state, &transaction->offsets, &topics[t]);
    }
    struct group *group;
    for (size_t i = 0; (group = hashmap_next(&state->groups, &i)) != NULL;)
        if (group->type == GROUP_SHARE)
            share_group_forget_topics(share_group_of(group), topics, count);
    if (added > 0)
        trace_info(state->trace,
                   "group offsets of deleted topics removed shard=%.*s offsets=%" PRId32,
                   STR_ARG(coordinator_shard_name(state->shard)), added);
    coordinator_append_each(state->shard);
}
