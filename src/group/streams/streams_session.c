// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/streams/streams_group_test.c and compat-tests/twin/streams.
#include "group/streams/streams_session.h"

#include "group/group_shard.h"
#include "group/streams/streams_records.h"
#include "group/streams/streams_target.h"

enum { RETRY_MS = 500 }; // when fencing could not be written

static void set_timer(struct group_shard *shard, struct timer *timer, int64_t in_ms)
{
    coordinator_set_timer(shard->shard, timer, coordinator_now_us(shard->shard) + in_ms * 1000);
}

enum kafka_error streams_session_fence(struct streams_member *member)
{
    struct streams_group *group = member->group;
    struct coordinator_shard *shard = group->shard->shard;
    struct str id = group->base.id;
    streams_record_tombstone(shard, GROUP_RECORD_STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT, id,
                             member->id);
    streams_record_tombstone(shard, GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER, id,
                             member->id);
    streams_record_tombstone(shard, GROUP_RECORD_STREAMS_GROUP_MEMBER_METADATA, id, member->id);
    streams_record_epoch(shard, id, group->epoch + 1, group->metadata_hash,
                         group->validated_topology_epoch, group->standby_replicas);
    return coordinator_append(shard, true);
}

static void fence(struct streams_member *member, struct timer *timer, const char *reason)
{
    struct group_shard *shard = member->group->shard;
    trace_info(shard->trace, "streams group member fenced group=\"%s\" member=\"%s\" reason=\"%s\"",
               member->group->base.id.data, member->id.data, reason);
    if (streams_session_fence(member) != KERR_NONE)
        set_timer(shard, timer, RETRY_MS);
}

static void on_session_expired(struct timer *timer)
{
    fence(container_of(timer, struct streams_member, session), timer, "the session expired");
}

static void on_rebalance_expired(struct timer *timer)
{
    struct streams_member *member = container_of(timer, struct streams_member, rebalance);
    if (member->current.epoch == member->rebalance_epoch)
        fence(member, timer, "tasks were not given up in time");
}

static void on_delay_over(struct timer *timer)
{
    streams_target_after_delay(container_of(timer, struct streams_group, initial_delay));
}

void streams_session_init(struct streams_member *member)
{
    timer_init(&member->session, on_session_expired);
    timer_init(&member->rebalance, on_rebalance_expired);
}

void streams_session_init_group(struct streams_group *group)
{
    timer_init(&group->initial_delay, on_delay_over);
}

void streams_session_renew(struct streams_member *member)
{
    struct group_shard *shard = member->group->shard;
    set_timer(shard, &member->session,
              group_settings_int(shard->settings, member->group->base.id,
                                 GROUP_STREAMS_SESSION_TIMEOUT_MS));
}

void streams_session_watch_revocation(struct streams_member *member)
{
    struct group_shard *shard = member->group->shard;
    if (member->current.state != STREAMS_UNREVOKED_TASKS) {
        coordinator_cancel_timer(shard->shard, &member->rebalance);
        return;
    }
    member->rebalance_epoch = member->current.epoch;
    set_timer(shard, &member->rebalance, member->metadata.rebalance_timeout_ms);
}

void streams_session_cancel(struct streams_member *member)
{
    struct coordinator_shard *shard = member->group->shard->shard;
    coordinator_cancel_timer(shard, &member->session);
    coordinator_cancel_timer(shard, &member->rebalance);
}

void streams_session_delay(struct streams_group *group, int32_t delay_ms)
{
    if (!timer_is_set(&group->initial_delay))
        set_timer(group->shard, &group->initial_delay, delay_ms);
}

void streams_session_on_loaded(struct streams_group *group)
{
    struct streams_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;) {
        if (!member->is_known)
            continue;
        streams_session_renew(member);
        streams_session_watch_revocation(member);
    }
}

void streams_session_cancel_group(struct streams_group *group)
{
    struct streams_member *member;
    coordinator_cancel_timer(group->shard->shard, &group->initial_delay);
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        streams_session_cancel(member);
}
