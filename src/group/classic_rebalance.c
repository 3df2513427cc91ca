// SPDX-License-Identifier: Apache-2.0
// Rebalances, sessions and timers of classic groups; see the header.
#include "group/classic_rebalance.h"

#include <inttypes.h>

#include "base/must.h"
#include "group/group_records.h"

static struct coordinator_shard *shard_of(const struct classic_group *group)
{
    return group->shard->shard;
}

static int64_t wall_ms(const struct classic_group *group)
{
    return coordinator_wall_ms(shard_of(group));
}

static void set_timer(struct classic_group *group, struct timer *timer,
                      void (*on_expired)(struct timer *), int64_t in_ms)
{
    timer->on_expired = on_expired;
    coordinator_set_timer(shard_of(group), timer,
                          coordinator_now_us(shard_of(group)) + in_ms * 1000);
}

static void cancel_timer(struct classic_group *group, struct timer *timer)
{
    coordinator_cancel_timer(shard_of(group), timer);
}

// ---- answers ---------------------------------------------------------------------------------------

void classic_join_refuse(struct classic_group *group, struct classic_join *join,
                         enum kafka_error error, struct str member_id)
{
    join->response->error_code = (int16_t)error;
    join->response->member_id = arena_str(join->arena, member_id);
    coordinator_complete(shard_of(group), join->completion);
}

static void list_members(struct classic_group *group, struct classic_join *join)
{
    struct join_group_response *response = join->response;
    response->members =
        arena_array(join->arena, struct join_group_response_member, classic_group_size(group));
    struct classic_member **members = classic_group_in_order(group, join->arena);
    for (int32_t i = 0; i < classic_group_size(group); i++) {
        struct classic_member *member = members[i];
        response->members[response->members_count++] = (struct join_group_response_member){
            .member_id = arena_str(join->arena, member->id),
            .group_instance_id = arena_str(join->arena, member->instance_id),
            .metadata =
                arena_bytes(join->arena, classic_member_metadata(member, group->protocol_name)),
        };
    }
}

void classic_join_answer(struct classic_group *group, struct classic_member *member,
                         struct classic_join *join, bool with_members)
{
    struct join_group_response *response = join->response;
    response->generation_id = group->generation;
    response->protocol_type = arena_str(join->arena, group->protocol_type);
    if (group->protocol_name.size > 0) // else as if there were none: null where null can be said
        response->protocol_name = arena_str(join->arena, group->protocol_name);
    response->leader = arena_str(join->arena, group->leader->id);
    response->member_id = arena_str(join->arena, member->id);
    if (with_members)
        list_members(group, join);
    coordinator_complete(shard_of(group), join->completion);
}

void classic_sync_answer(struct classic_group *group, struct classic_sync *sync,
                         enum kafka_error error, struct bytes assignment)
{
    struct sync_group_response *response = sync->response;
    response->error_code = (int16_t)error;
    response->assignment = arena_bytes(sync->arena, assignment);
    if (error == KERR_NONE) {
        response->protocol_type = arena_str(sync->arena, group->protocol_type);
        response->protocol_name = arena_str(sync->arena, group->protocol_name);
    }
    coordinator_complete(shard_of(group), sync->completion);
}

static void refuse_member(struct classic_group *group, struct classic_member *member,
                          enum kafka_error error, struct str join_member_id)
{
    struct classic_join *join = member->join;
    struct classic_sync *sync = member->sync;
    classic_group_set_join(group, member, NULL);
    member->sync = NULL;
    if (join != NULL)
        classic_join_refuse(group, join, error, join_member_id);
    if (sync != NULL)
        classic_sync_answer(group, sync, error, (struct bytes){ (const uint8_t *)"", 0 });
}

// ---- the record ------------------------------------------------------------------------------------

struct bytes classic_present_assignment(const struct classic_member *member)
{
    return member->assignment;
}

void classic_add_record(struct classic_group *group,
                        struct bytes (*assignment_of)(const struct classic_member *member))
{
    struct arena arena;
    arena_init(&arena);
    struct group_metadata_value value = {
        .protocol_type = str_is_null(group->protocol_type) ? str_of("") : group->protocol_type,
        .generation = group->generation,
        .protocol = group->protocol_name,
        .leader = group->leader != NULL ? group->leader->id : STR_NULL,
        .current_state_timestamp = group->state_timestamp_ms,
        .members = arena_array(&arena, struct group_metadata_value_member_metadata,
                               classic_group_size(group) + 1),
    };
    struct classic_member **members = classic_group_in_order(group, &arena);
    for (int32_t i = 0; i < classic_group_size(group); i++) {
        struct classic_member *member = members[i];
        value.members[value.members_count++] = (struct group_metadata_value_member_metadata){
            .member_id = member->id,
            .group_instance_id = member->instance_id,
            .client_id = member->client_id,
            .client_host = member->client_host,
            .rebalance_timeout = member->rebalance_timeout_ms,
            .session_timeout = member->session_timeout_ms,
            .subscription = classic_member_metadata(member, group->protocol_name),
            .assignment = assignment_of(member),
        };
    }
    group_record_add_metadata(shard_of(group), group->base.id, &value);
    arena_fini(&arena);
}

static bool is_taken(const struct classic_group *group, const struct classic_member *member)
{
    return classic_group_find(group, member->id) != NULL ||
           (!str_is_null(member->instance_id) &&
            classic_group_find_static(group, member->instance_id) != NULL);
}

bool classic_replay(struct classic_group *group, const struct group_metadata_value *value)
{
    struct join_group_request_protocol protocol = { .name = value->protocol };
    for (int32_t i = 0; i < value->members_count; i++) {
        const struct group_metadata_value_member_metadata *m = &value->members[i];
        protocol.metadata = m->subscription;
        struct classic_member *member = classic_member_new(
            m->member_id, m->group_instance_id, m->client_id, m->client_host,
            m->rebalance_timeout == -1 ? m->session_timeout : m->rebalance_timeout,
            m->session_timeout, &protocol, str_is_null(value->protocol) ? 0 : 1);
        classic_member_set_assignment(member, m->assignment);
        if (str_is_null(value->protocol) || is_taken(group, member)) {
            classic_member_free(member);
            return false;
        }
        classic_group_add(group, member, value->protocol_type);
        if (str_eq(member->id, value->leader))
            group->leader = member;
    }
    group->state = value->members_count == 0 ? CLASSIC_EMPTY : CLASSIC_STABLE;
    group->generation = value->generation;
    classic_group_set_protocol_type(group, value->protocol_type.size == 0 ? STR_NULL
                                                                          : value->protocol_type);
    classic_group_set_protocol_name(group, value->protocol);
    group->state_timestamp_ms = value->current_state_timestamp;
    classic_group_read_subscription(group);
    return true;
}

// ---- sessions --------------------------------------------------------------------------------------

enum kafka_error classic_validate_member(const struct classic_group *group, struct str member_id,
                                         struct str instance_id)
{
    if (!str_is_null(instance_id)) {
        struct classic_member *holder = classic_group_find_static(group, instance_id);
        if (holder == NULL)
            return KERR_UNKNOWN_MEMBER_ID;
        if (!str_eq(holder->id, member_id))
            return KERR_FENCED_INSTANCE_ID;
    }
    return classic_group_find(group, member_id) != NULL ? KERR_NONE : KERR_UNKNOWN_MEMBER_ID;
}

void classic_rebalance_drop(struct classic_group *group, struct classic_member *member)
{
    cancel_timer(group, &member->session_timer);
    refuse_member(group, member, KERR_UNKNOWN_MEMBER_ID, str_of(""));
    classic_group_remove(group, member);
    classic_member_free(member);
}

static void complete(struct classic_group *group);

// A member that waits for an answer of ours is alive; a new one is not to be trusted with that for ever.
static void on_session_expired(struct timer *timer)
{
    struct classic_member *member = container_of(timer, struct classic_member, session_timer);
    struct classic_group *group = member->group;
    if (!member->is_new && (member->join != NULL || member->sync != NULL))
        return;
    trace_info(group->shard->trace, "group member failed group=\"%s\" member=\"%s\" reason=session",
               group->base.id.data, member->id.data);
    classic_rebalance_drop(group, member);
    if (group->state == CLASSIC_STABLE || group->state == CLASSIC_COMPLETING_REBALANCE)
        classic_rebalance(group, "a member's session expired");
    else if (classic_group_has_all_joined(group))
        complete(group);
}

static void start_session(struct classic_group *group, struct classic_member *member,
                          int32_t timeout_ms)
{
    set_timer(group, &member->session_timer, on_session_expired, timeout_ms);
}

void classic_renew_session(struct classic_group *group, struct classic_member *member)
{
    start_session(group, member, member->session_timeout_ms);
}

void classic_rebalance_drop_pending(struct classic_group *group, struct pending_member *pending)
{
    cancel_timer(group, &pending->timer);
    classic_group_remove_pending(group, pending);
}

static void on_pending_expired(struct timer *timer)
{
    struct pending_member *pending = container_of(timer, struct pending_member, timer);
    struct classic_group *group = pending->group;
    trace_info(group->shard->trace, "group pending member expired group=\"%s\" member=\"%s\"",
               group->base.id.data, pending->id.data);
    classic_rebalance_drop_pending(group, pending);
    if (group->state == CLASSIC_PREPARING_REBALANCE && classic_group_has_all_joined(group))
        complete(group);
}

void classic_rebalance_add_pending(struct classic_group *group, struct str id,
                                   int32_t session_timeout_ms)
{
    struct pending_member *pending = classic_group_add_pending(group, id);
    set_timer(group, &pending->timer, on_pending_expired, session_timeout_ms);
}

void classic_rebalance_add(struct classic_group *group, struct classic_member *member,
                           struct str protocol_type, struct classic_join *join)
{
    member->is_new = true;
    if (group->state == CLASSIC_PREPARING_REBALANCE && group->previous_state == CLASSIC_EMPTY)
        group->new_member_added = true;
    classic_group_add(group, member, protocol_type);
    classic_group_set_join(group, member, join);
    start_session(group, member, CLASSIC_NEW_MEMBER_JOIN_TIMEOUT_MS);
}

// ---- assignments -----------------------------------------------------------------------------------

void classic_assign(struct classic_group *group, enum kafka_error error)
{
    must(group->state == CLASSIC_COMPLETING_REBALANCE);
    list_for_each(at, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        if (error != KERR_NONE)
            classic_member_set_assignment(member, BYTES_NULL);
        struct classic_sync *sync = member->sync;
        if (sync == NULL)
            continue;
        member->sync = NULL;
        classic_sync_answer(group, sync, error, member->assignment);
        classic_renew_session(group, member);
    }
}

void classic_synced(struct classic_group *group, struct classic_member *member)
{
    classic_group_set_sync_pending(group, member, false);
    if (group->sync_pending_count == 0)
        cancel_timer(group, &group->sync_timer);
}

static void forget_pending_syncs(struct classic_group *group)
{
    list_for_each(at, &group->members)
        classic_group_set_sync_pending(group, container_of(at, struct classic_member, link), false);
    cancel_timer(group, &group->sync_timer);
}

static void on_sync_timeout(struct timer *timer)
{
    struct classic_group *group = container_of(timer, struct classic_group, sync_timer);
    must(group->state == CLASSIC_COMPLETING_REBALANCE || group->state == CLASSIC_STABLE);
    int32_t dropped = 0;
    list_for_each_safe(at, following, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        if (member->sync_pending) {
            classic_rebalance_drop(group, member);
            dropped++;
        }
    }
    if (dropped > 0)
        classic_rebalance_prepare(group, "members did not ask for their assignment");
}

// ---- rebalances ------------------------------------------------------------------------------------

static void on_join_timeout(struct timer *timer)
{
    complete(container_of(timer, struct classic_group, join_timer));
}

static void drop_absent_dynamic_members(struct classic_group *group)
{
    list_for_each_safe(at, following, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        if (member->join == NULL && str_is_null(member->instance_id)) {
            trace_info(group->shard->trace,
                       "group member failed group=\"%s\" member=\"%s\" reason=rebalance",
                       group->base.id.data, member->id.data);
            classic_rebalance_drop(group, member);
        }
    }
}

static void become_empty(struct classic_group *group)
{
    trace_info(group->shard->trace, "group is empty group=\"%s\" generation=%" PRId32,
               group->base.id.data, group->generation);
    classic_add_record(group, classic_present_assignment);
    coordinator_append(shard_of(group),
                       false); // a failure is logged there; memory is right all the same
}

static void open_generation(struct classic_group *group)
{
    trace_info(group->shard->trace,
               "group generation group=\"%s\" generation=%" PRId32 " members=%" PRId32,
               group->base.id.data, group->generation, classic_group_size(group));
    list_for_each(at, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        struct classic_join *join = member->join;
        classic_group_set_join(group, member, NULL);
        if (join != NULL)
            classic_join_answer(group, member, join, member == group->leader);
        classic_renew_session(group, member);
        member->is_new = false;
        classic_group_set_sync_pending(group, member, true);
    }
    set_timer(group, &group->sync_timer, on_sync_timeout,
              classic_group_rebalance_timeout_ms(group));
}

// The join phase ends. Static members who have not joined stay, and keep their partitions if they return in
// time (KIP-345); if nobody at all has joined the group waits on.
static void complete(struct classic_group *group)
{
    cancel_timer(group, &group->join_timer);
    drop_absent_dynamic_members(group);
    if (!classic_group_elect_joined_leader(group) && !list_is_empty(&group->members)) {
        int32_t timeout_ms = classic_group_rebalance_timeout_ms(group);
        set_timer(group, &group->join_timer, on_join_timeout, timeout_ms > 0 ? timeout_ms : 1);
        return;
    }
    classic_group_next_generation(group, wall_ms(group));
    if (group->state == CLASSIC_EMPTY)
        become_empty(group);
    else
        open_generation(group);
}

// group.initial.rebalance.delay.ms (KIP-134): as long as members keep arriving, wait for more, up to the
// rebalance timeout.
static void on_initial_delay(struct timer *timer)
{
    struct classic_group *group = container_of(timer, struct classic_group, join_timer);
    if (!group->new_member_added || group->initial_remaining_ms == 0) {
        complete(group);
        return;
    }
    int32_t configured = group->shard->config->initial_rebalance_delay_ms;
    int32_t remaining = group->initial_remaining_ms;
    int32_t delay = configured < remaining ? configured : remaining;
    group->new_member_added = false;
    group->initial_remaining_ms =
        remaining > group->initial_delay_ms ? remaining - group->initial_delay_ms : 0;
    group->initial_delay_ms = delay;
    set_timer(group, &group->join_timer, on_initial_delay, delay);
}

void classic_rebalance_prepare(struct classic_group *group, const char *reason)
{
    if (group->state == CLASSIC_COMPLETING_REBALANCE)
        classic_assign(group, KERR_REBALANCE_IN_PROGRESS);
    forget_pending_syncs(group);
    bool is_initial = group->state == CLASSIC_EMPTY;
    if (is_initial) {
        int32_t delay = group->shard->config->initial_rebalance_delay_ms;
        int32_t timeout = classic_group_rebalance_timeout_ms(group);
        group->initial_delay_ms = delay;
        group->initial_remaining_ms = timeout > delay ? timeout - delay : 0;
        set_timer(group, &group->join_timer, on_initial_delay, delay);
    }
    trace_info(group->shard->trace,
               "group rebalance group=\"%s\" state=%s generation=%" PRId32 " reason=\"%s\"",
               group->base.id.data, classic_state_name(group->state), group->generation, reason);
    classic_group_transition(group, CLASSIC_PREPARING_REBALANCE, wall_ms(group));
    if (is_initial)
        return;
    if (classic_group_has_all_joined(group))
        complete(group);
    else
        set_timer(group, &group->join_timer, on_join_timeout,
                  classic_group_rebalance_timeout_ms(group));
}

void classic_rebalance_try_complete(struct classic_group *group)
{
    if (group->state == CLASSIC_PREPARING_REBALANCE && group->previous_state != CLASSIC_EMPTY &&
        classic_group_has_all_joined(group))
        complete(group);
}

void classic_rebalance(struct classic_group *group, const char *reason)
{
    if (classic_group_can_rebalance(group))
        classic_rebalance_prepare(group, reason);
    else
        classic_rebalance_try_complete(group);
}

// ---- life of the shard -----------------------------------------------------------------------------

void classic_on_loaded(struct classic_group *group)
{
    list_for_each(at, &group->members)
        classic_renew_session(group, container_of(at, struct classic_member, link));
    if (classic_group_size(group) > group->shard->config->max_size)
        classic_rebalance_prepare(group, "over capacity after loading");
}

void classic_refuse_all(struct classic_group *group, enum kafka_error error)
{
    list_for_each(at, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        refuse_member(group, member, error, member->id);
    }
}

void classic_on_unloaded(struct classic_group *group)
{
    classic_group_transition(group, CLASSIC_DEAD, wall_ms(group));
    classic_refuse_all(group, KERR_NOT_COORDINATOR);
}

void classic_cancel_timers(struct classic_group *group)
{
    cancel_timer(group, &group->join_timer);
    cancel_timer(group, &group->sync_timer);
    list_for_each(at, &group->members)
        cancel_timer(group, &container_of(at, struct classic_member, link)->session_timer);
    struct pending_member *pending;
    for (size_t i = 0; (pending = hashmap_next(&group->pending, &i)) != NULL;)
        cancel_timer(group, &pending->timer);
}
