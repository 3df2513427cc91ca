// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by compat-tests/twin/consumer.
#include "group/consumer/consumer_classic.h"

#include "base/mem.h"
#include "group/consumer/consumer_migration.h"
#include "group/consumer/consumer_session.h"
#include "group/consumer/consumer_update.h"
#include "group/consumer/embedded_protocol.h"

enum { VERSION_MEMBER_ID_REQUIRED = 4 };

// ---- JoinGroup -------------------------------------------------------------------------------------

// An answer on its way to being committed; in the request's arena.
struct join_write {
    struct coordinator_wait wait;
    struct group_shard *state;
    struct classic_join *join;
};

static void answer_join(struct group_shard *state, struct classic_join *join,
                        enum kafka_error error)
{
    if (error != KERR_NONE) {
        struct str member_id =
            error == KERR_MEMBER_ID_REQUIRED ? join->response->member_id : str_of("");
        message_init(&join_group_response_desc, join->response);
        join->response->error_code = (int16_t)error;
        join->response->member_id = member_id;
        join->response->protocol_name = join->version < 7 ? str_of("") : STR_NULL;
    }
    coordinator_complete(state->shard, join->completion);
}

static void on_join_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct join_write *write = container_of(wait, struct join_write, wait);
    struct str group_id = write->join->request->group_id;
    struct consumer_group *group = group_shard_find_consumer(write->state, group_id);
    struct consumer_member *member =
        group != NULL ? consumer_group_find(group, write->join->response->member_id) : NULL;
    if (error == KERR_NONE && member != NULL && member_is_classic(member->metadata)) {
        consumer_cancel_join(member);
        consumer_renew_session(member);
        consumer_expect_sync(member, write->join->request->rebalance_timeout_ms);
    }
    answer_join(write->state, write->join, error);
}

static bool supports(const struct consumer_group *group, const struct join_group_request *request)
{
    if (!str_eqz(request->protocol_type, "consumer"))
        return false;
    for (int32_t i = 0; i < request->protocols_count; i++) {
        int32_t supporters = 0;
        const struct consumer_member *member;
        for (size_t at = 0; (member = hashmap_next(&group->members, &at)) != NULL;) {
            const struct consumer_group_member_metadata_value_classic_member_metadata *classic =
                member->metadata->classic_member_metadata;
            for (int32_t p = 0; classic != NULL && p < classic->supported_protocols_count; p++)
                supporters +=
                    str_eq(classic->supported_protocols[p].name, request->protocols[i].name);
        }
        if (supporters == group->classic_count)
            return true;
    }
    return false;
}

static enum kafka_error check_join(const struct consumer_group *group, struct classic_join *join)
{
    const struct join_group_request *request = join->request;
    const struct group_config *config = group->shard->config;
    bool is_unknown = request->member_id.size == 0;
    if (!config->can_upgrade && !config->can_downgrade)
        return KERR_INCONSISTENT_GROUP_PROTOCOL;
    if (consumer_group_size(group) >= config->consumer_max_size &&
        (is_unknown || consumer_group_find(group, request->member_id) == NULL))
        return KERR_GROUP_MAX_SIZE_REACHED;
    if (!supports(group, request))
        return KERR_INCONSISTENT_GROUP_PROTOCOL;
    if (is_unknown) {
        char *text = arena_alloc(join->arena, UUID_TEXT_SIZE);
        uuid_format(uuid_random(), text);
        join->response->member_id = str_of(text);
    } else {
        join->response->member_id = request->member_id;
    }
    bool must_return = is_unknown && str_is_null(request->group_instance_id) &&
                       join->version >= VERSION_MEMBER_ID_REQUIRED;
    return must_return ? KERR_MEMBER_ID_REQUIRED : KERR_NONE;
}

static enum kafka_error find_member(struct group_shard *state, struct consumer_group *group,
                                    struct classic_join *join, struct member_draft *draft)
{
    const struct join_group_request *request = join->request;
    struct str id = join->response->member_id;
    const struct consumer_member *holder =
        consumer_group_find_static(group, request->group_instance_id);
    if (str_is_null(request->group_instance_id) ||
        (holder == NULL && request->member_id.size == 0)) {
        const struct consumer_member *member = consumer_group_find(group, id);
        *draft = member_draft_of(member, id);
        return KERR_NONE;
    }
    if (request->member_id.size == 0) { // comes back, or takes over, under a new id
        consumer_update_replace(state, group, holder, id, draft);
        return KERR_NONE;
    }
    if (holder == NULL)
        return KERR_UNKNOWN_MEMBER_ID;
    if (!str_eq(holder->id, request->member_id))
        return KERR_FENCED_INSTANCE_ID;
    *draft = member_draft_of(holder, id);
    return KERR_NONE;
}

static struct consumer_group_member_metadata_value_classic_member_metadata *
classic_metadata_of(const struct join_group_request *request, struct arena *arena)
{
    struct consumer_group_member_metadata_value_classic_member_metadata *classic =
        arena_new(arena, struct consumer_group_member_metadata_value_classic_member_metadata);
    classic->session_timeout_ms = request->session_timeout_ms;
    classic->supported_protocols =
        arena_array(arena, struct consumer_group_member_metadata_value_classic_protocol,
                    request->protocols_count + 1);
    classic->supported_protocols_count = request->protocols_count;
    for (int32_t i = 0; i < request->protocols_count; i++)
        classic->supported_protocols[i] =
            (struct consumer_group_member_metadata_value_classic_protocol){
                .name = request->protocols[i].name, .metadata = request->protocols[i].metadata
            };
    return classic;
}

static void take_news(struct classic_join *join, struct member_draft *draft,
                      const struct consumer_protocol_subscription *subscription)
{
    const struct join_group_request *request = join->request;
    struct member_metadata_value *metadata = &draft->metadata;
    if (!str_is_null(request->group_instance_id))
        metadata->instance_id = request->group_instance_id;
    if (subscription->rack_id.size > 0)
        metadata->rack_id = subscription->rack_id;
    if (request->rebalance_timeout_ms != -1)
        metadata->rebalance_timeout_ms = request->rebalance_timeout_ms;
    member_draft_set_names(draft, subscription->topics, subscription->topics_count, join->arena);
    metadata->subscribed_topic_regex = str_of("");
    metadata->client_id = join->client_id;
    metadata->client_host = join->client_host;
    metadata->classic_member_metadata = classic_metadata_of(request, join->arena);
}

// The steps of an update; with a downgrade the target stays what it is.
static enum kafka_error evaluate(struct consumer_update *update, bool is_downgrade,
                                 bool *rebalances)
{
    struct str message;
    consumer_update_metadata(update);
    enum kafka_error error = consumer_update_regex(update, &message);
    if (error != KERR_NONE)
        return error;
    consumer_update_epoch(update, consumer_update_has_subscription_changed(update));
    *rebalances = is_downgrade && update->group->assignment_epoch < update->group_epoch;
    if (*rebalances)
        return KERR_NONE;
    consumer_update_target(update);
    return consumer_update_reconcile(update);
}

static enum kafka_error write(struct consumer_update *update, struct classic_join *join,
                              const struct consumer_member *replaced, bool rebalances)
{
    struct group_shard *state = update->state;
    join->response->generation_id = update->member.current.member_epoch;
    join->response->protocol_type = str_of("consumer");
    join->response->protocol_name = join->request->protocols[0].name;
    if (replaced != NULL)
        return consumer_downgrade_by(update->group, replaced, &update->member, rebalances);
    enum kafka_error error = coordinator_append(state->shard, true);
    if (error == KERR_NONE)
        consumer_update_finish(update, group_shard_find_consumer(state, join->request->group_id));
    return error;
}

static enum kafka_error update_member(struct group_shard *state, struct consumer_group *group,
                                      struct classic_join *join)
{
    struct consumer_protocol_subscription subscription;
    struct member_draft draft;
    struct consumer_update update;
    bool rebalances;
    enum kafka_error error = check_join(group, join);
    if (error == KERR_NONE)
        error = find_member(state, group, join, &draft);
    if (error != KERR_NONE)
        return error;
    if (!embedded_subscription_read(join->request->protocols[0].metadata, join->arena,
                                    &subscription))
        return KERR_UNKNOWN_SERVER_ERROR;
    const struct consumer_member *replaced =
        consumer_group_find_static(group, join->request->group_instance_id);
    if (replaced != NULL && !consumer_can_downgrade_by(group, replaced))
        replaced = NULL;
    consumer_update_init(&update, state, group, &draft, join->arena);
    take_news(join, &update.member, &subscription);
    update.owned = embedded_owned(&subscription, state->topics, join->arena, &update.owned_count);
    error = evaluate(&update, replaced != NULL, &rebalances);
    return error == KERR_NONE ? write(&update, join, replaced, rebalances) : error;
}

void consumer_classic_join(struct group_shard *state, struct consumer_group *group,
                           struct classic_join *join)
{
    enum kafka_error error = update_member(state, group, join);
    if (error != KERR_NONE) {
        coordinator_discard(state->shard);
        answer_join(state, join, error);
        return;
    }
    struct join_write *write = arena_new(join->arena, struct join_write);
    write->state = state;
    write->join = join;
    coordinator_await_commit(state->shard, &write->wait, on_join_committed);
}

// ---- SyncGroup, Heartbeat --------------------------------------------------------------------------

static enum kafka_error find_classic(const struct consumer_group *group, struct str member_id,
                                     struct str instance_id, int32_t generation,
                                     struct consumer_member **found)
{
    struct consumer_member *member = str_is_null(instance_id)
                                         ? consumer_group_find(group, member_id)
                                         : consumer_group_find_static(group, instance_id);
    if (member == NULL)
        return KERR_UNKNOWN_MEMBER_ID;
    if (!str_eq(member->id, member_id))
        return KERR_FENCED_INSTANCE_ID;
    if (!member_is_classic(member->metadata))
        return KERR_UNKNOWN_MEMBER_ID;
    *found = member;
    return member->current->member_epoch == generation ? KERR_NONE : KERR_ILLEGAL_GENERATION;
}

static enum kafka_error check_sync(const struct consumer_group *group,
                                   const struct sync_group_request *request,
                                   struct consumer_member **found)
{
    enum kafka_error error = find_classic(group, request->member_id, request->group_instance_id,
                                          request->generation_id, found);
    if (error != KERR_NONE)
        return error;
    struct consumer_member *member = *found;
    struct str protocol = member->metadata->classic_member_metadata->supported_protocols[0].name;
    if ((!str_is_null(request->protocol_type) && !str_eqz(request->protocol_type, "consumer")) ||
        (!str_is_null(request->protocol_name) && !str_eq(request->protocol_name, protocol)))
        return KERR_INCONSISTENT_GROUP_PROTOCOL;
    // One that has partitions to give up has rejoined already: it first finishes that.
    if (group->assignment_epoch > member->current->member_epoch &&
        member->current->state != MEMBER_UNREVOKED_PARTITIONS) {
        consumer_expect_join(member);
        return KERR_REBALANCE_IN_PROGRESS;
    }
    return KERR_NONE;
}

static struct member_target_value as_target(const struct member_current_value *current,
                                            struct arena *arena)
{
    struct member_target_value target = {
        .topic_partitions =
            arena_array(arena, struct target_topic, current->assigned_partitions_count + 1),
        .topic_partitions_count = current->assigned_partitions_count,
    };
    for (int32_t i = 0; i < target.topic_partitions_count; i++)
        target.topic_partitions[i] = (struct target_topic){
            .topic_id = current->assigned_partitions[i].topic_id,
            .partitions = current->assigned_partitions[i].partitions,
            .partitions_count = current->assigned_partitions[i].partitions_count,
        };
    return target;
}

struct sync_write {
    struct coordinator_wait wait;
    struct classic_sync *sync;
};

static void on_sync_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct classic_sync *sync = container_of(wait, struct sync_write, wait)->sync;
    if (error != KERR_NONE) {
        message_init(&sync_group_response_desc, sync->response);
        sync->response->error_code = (int16_t)error;
    }
    coordinator_complete(wait->shard, sync->completion);
}

void consumer_classic_sync(struct group_shard *state, struct consumer_group *group,
                           struct classic_sync *sync)
{
    struct consumer_member *member;
    enum kafka_error error = check_sync(group, sync->request, &member);
    int16_t version = 0;
    if (error == KERR_NONE &&
        !embedded_version_read(
            member->metadata->classic_member_metadata->supported_protocols[0].metadata, &version))
        error = KERR_UNKNOWN_SERVER_ERROR;
    if (error == KERR_NONE) {
        struct member_target_value target = as_target(member->current, sync->arena);
        sync->response->protocol_type = sync->request->protocol_type;
        sync->response->protocol_name = sync->request->protocol_name;
        sync->response->assignment =
            embedded_assignment_write(&target, version, state->topics, sync->arena);
        consumer_cancel_sync(member);
        consumer_renew_session(member);
    }
    sync->response->error_code = (int16_t)error;
    struct sync_write *write = arena_new(sync->arena, struct sync_write);
    write->sync = sync;
    coordinator_await_commit(state->shard, &write->wait, on_sync_committed);
}

// Whether something that the member shall have is still another's.
static bool waits_for_others(const struct consumer_group *group,
                             const struct consumer_member *member)
{
    const struct member_target_value *target = consumer_group_target(group, member->id);
    const struct member_current_value *current = member->current;
    for (int32_t t = 0; t < target->topic_partitions_count; t++) {
        const struct target_topic *topic = &target->topic_partitions[t];
        for (int32_t p = 0; p < topic->partitions_count; p++)
            if (member_assignment_epoch(current->assigned_partitions,
                                        current->assigned_partitions_count, topic->topic_id,
                                        topic->partitions[p]) == -1 &&
                consumer_group_partition_epoch(group, topic->topic_id, topic->partitions[p]) != -1)
                return true;
    }
    return false;
}

enum kafka_error consumer_classic_heartbeat(struct consumer_group *group,
                                            const struct heartbeat_request *request)
{
    struct consumer_member *member;
    enum kafka_error error = find_classic(group, request->member_id, request->group_instance_id,
                                          request->generation_id, &member);
    if (error != KERR_NONE)
        return error;
    consumer_renew_session(member);
    const struct member_current_value *current = member->current;
    if (current->member_epoch < group->assignment_epoch ||
        current->state == MEMBER_UNREVOKED_PARTITIONS ||
        (current->state == MEMBER_UNRELEASED_PARTITIONS && !waits_for_others(group, member))) {
        consumer_expect_join(member);
        return KERR_REBALANCE_IN_PROGRESS;
    }
    return KERR_NONE;
}

// ---- LeaveGroup ------------------------------------------------------------------------------------

static enum kafka_error find_leaving(const struct consumer_group *group,
                                     const struct leave_group_request_member_identity *identity,
                                     struct consumer_member **member)
{
    bool is_static = !str_is_null(identity->group_instance_id);
    *member = is_static ? consumer_group_find_static(group, identity->group_instance_id)
                        : consumer_group_find(group, identity->member_id);
    if (*member == NULL)
        return KERR_UNKNOWN_MEMBER_ID;
    // An administrator removes static members by their instance alone.
    if (is_static && identity->member_id.size > 0 && !str_eq((*member)->id, identity->member_id))
        return KERR_FENCED_INSTANCE_ID;
    return KERR_NONE;
}

static bool is_among(struct consumer_member **members, int32_t count,
                     const struct consumer_member *member)
{
    for (int32_t i = 0; i < count; i++)
        if (members[i] == member)
            return true;
    return false;
}

void consumer_classic_leave(struct consumer_group *group, const struct leave_group_request *request,
                            struct leave_group_response *response, struct arena *arena)
{
    struct consumer_member **leaving =
        arena_array(arena, struct consumer_member *, request->members_count + 1);
    int32_t count = 0;
    response->members =
        arena_array(arena, struct leave_group_response_member_response, request->members_count + 1);
    for (int32_t i = 0; i < request->members_count; i++) {
        const struct leave_group_request_member_identity *identity = &request->members[i];
        struct consumer_member *member;
        enum kafka_error error = find_leaving(group, identity, &member);
        if (error == KERR_NONE && !is_among(leaving, count, member))
            leaving[count++] = member;
        response->members[response->members_count++] =
            (struct leave_group_response_member_response){
                .member_id = identity->member_id,
                .group_instance_id = identity->group_instance_id,
                .error_code = (int16_t)error,
            };
    }
    enum kafka_error error = consumer_fence(group, leaving, count);
    if (error == KERR_NONE)
        return;
    response->error_code = (int16_t)error;
    response->members_count = 0;
}
