// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_session.h"

#include <inttypes.h>

#include "group/consumer/consumer_migration.h"
#include "group/consumer/consumer_records.h"
#include "group/consumer/consumer_subscription.h"

enum { RETRY_MS = 500 }; // when fencing could not be written

static struct coordinator_shard *shard_of(const struct consumer_member *member)
{
    return member->group->shard->shard;
}

static void set_timer(struct consumer_member *member, struct timer *timer,
                      void (*on_expired)(struct timer *), int64_t in_ms)
{
    timer->on_expired = on_expired;
    coordinator_set_timer(shard_of(member), timer,
                          coordinator_now_us(shard_of(member)) + in_ms * 1000);
}

// ---- fencing ---------------------------------------------------------------------------------------

// Members of these that subscribe to the expression.
static int32_t count_subscribers(struct consumer_member *const *members, int32_t count,
                                 struct str pattern)
{
    int32_t found = 0;
    for (int32_t i = 0; i < count; i++)
        found += str_eq(members[i]->metadata->subscribed_topic_regex, pattern);
    return found;
}

// Expressions that nobody else subscribes to go with them.
static void add_regex_tombstones(const struct consumer_group *group,
                                 const struct consumer_subscription *subscription,
                                 struct consumer_member *const *members, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        struct str pattern = members[i]->metadata->subscribed_topic_regex;
        if (!member_has_regex(members[i]->metadata) || count_subscribers(members, i, pattern) > 0)
            continue;
        const struct subscribed_regex *regex =
            hashmap_find(&subscription->regexes, pattern.data, pattern.size);
        if (regex != NULL && regex->members == count_subscribers(members, count, pattern))
            consumer_add_regex(group, pattern, NULL);
    }
}

enum kafka_error consumer_fence(struct consumer_group *group,
                                struct consumer_member *const *members, int32_t count)
{
    if (count == 0)
        return KERR_NONE;
    struct group_shard *state = group->shard;
    if (consumer_can_downgrade(group, members, count))
        return consumer_downgrade(group, members, count);
    struct arena arena;
    struct consumer_subscription subscription;
    arena_init(&arena);
    consumer_subscription_count(&subscription, group, &arena);
    for (int32_t i = 0; i < count; i++)
        consumer_add_member_tombstones(group, members[i]->id);
    add_regex_tombstones(group, &subscription, members, count);
    for (int32_t i = 0; i < count; i++)
        consumer_subscription_change(&subscription, group, members[i]->metadata, NULL);
    int64_t hash = consumer_subscription_hash(&subscription, state->topics);
    consumer_subscription_fini(&subscription);
    consumer_add_epoch(group, group->epoch + 1, hash);
    arena_fini(&arena);
    return coordinator_append(state->shard, true);
}

static void fence_one(struct consumer_member *member, struct timer *timer, const char *reason)
{
    struct consumer_group *group = member->group;
    trace_info(group->shard->trace, "group member fenced group=\"%s\" member=\"%s\" reason=\"%s\"",
               group->base.id.data, member->id.data, reason);
    void (*again)(struct timer *) = timer->on_expired;
    if (consumer_fence(group, &member, 1) != KERR_NONE)
        set_timer(member, timer, again, RETRY_MS);
}

// ---- timers ----------------------------------------------------------------------------------------

static void on_session_expired(struct timer *timer)
{
    fence_one(container_of(timer, struct consumer_member, session_timer), timer,
              "the session expired");
}

static void on_rebalance_expired(struct timer *timer)
{
    struct consumer_member *member = container_of(timer, struct consumer_member, rebalance_timer);
    if (member->current->member_epoch == member->rebalance_timer_epoch)
        fence_one(member, timer, "partitions were not given up in time");
}

static void on_join_expired(struct timer *timer)
{
    fence_one(container_of(timer, struct consumer_member, join_timer), timer,
              "a classic member did not rejoin in time");
}

static void on_sync_expired(struct timer *timer)
{
    fence_one(container_of(timer, struct consumer_member, sync_timer), timer,
              "a classic member did not sync in time");
}

void consumer_renew_session(struct consumer_member *member)
{
    const struct consumer_group *group = member->group;
    int32_t timeout_ms = member_is_classic(member->metadata)
                             ? member->metadata->classic_member_metadata->session_timeout_ms
                             : group_settings_int(group->shard->settings, group->base.id,
                                                  GROUP_CONSUMER_SESSION_TIMEOUT_MS);
    set_timer(member, &member->session_timer, on_session_expired, timeout_ms);
}

void consumer_watch_revocation(struct consumer_member *member)
{
    if (member->current->state != MEMBER_UNREVOKED_PARTITIONS) {
        coordinator_cancel_timer(shard_of(member), &member->rebalance_timer);
        return;
    }
    member->rebalance_timer_epoch = member->current->member_epoch;
    set_timer(member, &member->rebalance_timer, on_rebalance_expired,
              member->metadata->rebalance_timeout_ms);
}

void consumer_expect_join(struct consumer_member *member)
{
    if (!timer_is_set(&member->join_timer))
        set_timer(member, &member->join_timer, on_join_expired,
                  member->metadata->rebalance_timeout_ms);
}

void consumer_expect_sync(struct consumer_member *member, int32_t timeout_ms)
{
    set_timer(member, &member->sync_timer, on_sync_expired, timeout_ms);
}

void consumer_cancel_join(struct consumer_member *member)
{
    coordinator_cancel_timer(shard_of(member), &member->join_timer);
}

void consumer_cancel_sync(struct consumer_member *member)
{
    coordinator_cancel_timer(shard_of(member), &member->sync_timer);
}

void consumer_cancel_timers(struct consumer_member *member)
{
    coordinator_cancel_timer(shard_of(member), &member->session_timer);
    coordinator_cancel_timer(shard_of(member), &member->rebalance_timer);
    coordinator_cancel_timer(shard_of(member), &member->join_timer);
    coordinator_cancel_timer(shard_of(member), &member->sync_timer);
}

// ---- life of the shard -----------------------------------------------------------------------------

void consumer_on_loaded(struct consumer_group *group)
{
    struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;) {
        // With the group's timeout for classic members too, as Kafka does until they are heard of.
        set_timer(member, &member->session_timer, on_session_expired,
                  group_settings_int(group->shard->settings, group->base.id,
                                     GROUP_CONSUMER_SESSION_TIMEOUT_MS));
        consumer_watch_revocation(member);
    }
}

void consumer_cancel_group_timers(struct consumer_group *group)
{
    struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        consumer_cancel_timers(member);
}
