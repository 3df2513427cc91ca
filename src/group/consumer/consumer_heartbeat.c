// SPDX-License-Identifier: Apache-2.0
// See the header. The texts of errors are Kafka's: administrators search for them.
// Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_heartbeat.h"

#include <inttypes.h>
#include <stdarg.h>

#include "group/consumer/consumer_migration.h"
#include "group/consumer/consumer_records.h"
#include "group/consumer/consumer_session.h"
#include "group/consumer/consumer_update.h"
#include "group/group_records.h"

enum { VERSION_MEMBER_ID_OF_CLIENT = 1 };

#define REFUSE(heartbeat, error, ...)                                                              \
    refuse((heartbeat), (error), arena_printf((heartbeat)->arena, __VA_ARGS__))

static bool refuse(const struct consumer_heartbeat *heartbeat, enum kafka_error error,
                   const char *message)
{
    message_init(&consumer_group_heartbeat_response_desc, heartbeat->response);
    heartbeat->response->error_code = (int16_t)error;
    heartbeat->response->error_message = str_of(message);
    return false;
}

// An error of the log has no text.
static void refuse_write(const struct consumer_heartbeat *heartbeat, enum kafka_error error)
{
    refuse(heartbeat, error, NULL);
}

// ---- what needs no state ---------------------------------------------------------------------------

static bool is_blank(struct str s)
{
    return !str_is_null(s) && str_trim(s).size == 0;
}

static bool invalid(const struct consumer_heartbeat *heartbeat, const char *message)
{
    return refuse(heartbeat, KERR_INVALID_REQUEST, message);
}

static bool check_epoch(const struct consumer_heartbeat *heartbeat)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    if (request->member_epoch == 0) {
        if (request->rebalance_timeout_ms == -1)
            return invalid(heartbeat, "RebalanceTimeoutMs must be provided in first request.");
        if (request->topic_partitions_count < 0 || request->topic_partitions_count > 0)
            return invalid(heartbeat, "TopicPartitions must be empty when (re-)joining.");
        if (request->subscribed_topic_names_count < 0 &&
            str_is_null(request->subscribed_topic_regex))
            return invalid(heartbeat, "Either SubscribedTopicNames or SubscribedTopicRegex must be "
                                      "non-null when (re-)joining.");
    } else if (request->member_epoch == LEAVE_GROUP_STATIC_MEMBER_EPOCH) {
        if (str_is_null(request->instance_id))
            return invalid(heartbeat, "InstanceId can't be null.");
    } else if (request->member_epoch < LEAVE_GROUP_STATIC_MEMBER_EPOCH) {
        return invalid(heartbeat, "MemberEpoch is invalid.");
    }
    return true;
}

static bool has_assignor(const struct group_config *config, struct str name)
{
    for (int i = 0; i < 2; i++)
        if (config->consumer_assignors[i] != NULL && str_eqz(name, config->consumer_assignors[i]))
            return true;
    return false;
}

bool consumer_heartbeat_check(const struct consumer_heartbeat *heartbeat,
                              const struct group_config *config)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    if ((heartbeat->version >= VERSION_MEMBER_ID_OF_CLIENT || request->member_epoch > 0 ||
         request->member_epoch == LEAVE_GROUP_MEMBER_EPOCH) &&
        is_blank(request->member_id))
        return invalid(heartbeat, "MemberId can't be empty.");
    if (is_blank(request->group_id))
        return invalid(heartbeat, "GroupId can't be empty.");
    if (is_blank(request->instance_id))
        return invalid(heartbeat, "InstanceId can't be empty.");
    if (is_blank(request->rack_id))
        return invalid(heartbeat, "RackId can't be empty.");
    if (!check_epoch(heartbeat))
        return false;
    if (!str_is_null(request->server_assignor) && !has_assignor(config, request->server_assignor)) {
        // Kafka lists them in the order of a set.
        bool has_both = config->consumer_assignors[1] != NULL;
        return REFUSE(heartbeat, KERR_UNSUPPORTED_ASSIGNOR,
                      "ServerAssignor %.*s is not supported. Supported assignors: %s.",
                      STR_ARG(request->server_assignor),
                      has_both ? "uniform, range" : config->consumer_assignors[0]);
    }
    return true;
}

// ---- leaving ---------------------------------------------------------------------------------------

static bool check_static_holder(const struct consumer_heartbeat *heartbeat,
                                const struct consumer_member *holder)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    if (holder == NULL)
        return REFUSE(heartbeat, KERR_UNKNOWN_MEMBER_ID, "Instance id %.*s is unknown.",
                      STR_ARG(request->instance_id));
    if (!str_eq(holder->id, request->member_id))
        return REFUSE(heartbeat, KERR_FENCED_INSTANCE_ID,
                      "Static member %.*s with instance id %.*s was fenced by member %s.",
                      STR_ARG(request->member_id), STR_ARG(request->instance_id), holder->id.data);
    return true;
}

static bool unknown_member(const struct consumer_heartbeat *heartbeat,
                           const struct consumer_group *group)
{
    return REFUSE(heartbeat, KERR_UNKNOWN_MEMBER_ID, "Member %.*s is not a member of group %s.",
                  STR_ARG(heartbeat->request->member_id), group->base.id.data);
}

// Its partitions wait for it, as if assigned from the beginning; what it was about to give up it has.
static enum kafka_error leave_for_a_while(struct consumer_member *member, struct arena *arena)
{
    struct member_draft draft = member_draft_of(member, member->id);
    int32_t count = draft.current.assigned_partitions_count;
    struct member_topic *topics = arena_array(arena, struct member_topic, count + 1);
    for (int32_t i = 0; i < count; i++) {
        topics[i] = draft.current.assigned_partitions[i];
        topics[i].assignment_epochs = arena_array(arena, int32_t, topics[i].partitions_count + 1);
    }
    draft.current.assigned_partitions = topics;
    draft.current.member_epoch = LEAVE_GROUP_STATIC_MEMBER_EPOCH;
    draft.current.partitions_pending_revocation_count = 0;
    consumer_add_current(member->group, member->id, &draft.current);
    return coordinator_append(member->group->shard->shard, true);
}

static void leave(const struct consumer_heartbeat *heartbeat, struct consumer_group *group)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    bool is_static = !str_is_null(request->instance_id);
    struct consumer_member *member = is_static
                                         ? consumer_group_find_static(group, request->instance_id)
                                         : consumer_group_find(group, request->member_id);
    if (is_static && !check_static_holder(heartbeat, member))
        return;
    if (member == NULL) {
        unknown_member(heartbeat, group);
        return;
    }
    bool is_back_soon = is_static && request->member_epoch == LEAVE_GROUP_STATIC_MEMBER_EPOCH;
    trace_info(group->shard->trace, "group member leaves group=\"%s\" member=\"%s\" epoch=%" PRId32,
               group->base.id.data, member->id.data, request->member_epoch);
    heartbeat->response->member_id = request->member_id;
    heartbeat->response->member_epoch = request->member_epoch;
    enum kafka_error error = is_back_soon ? leave_for_a_while(member, heartbeat->arena)
                                          : consumer_fence(group, &member, 1);
    if (error != KERR_NONE)
        refuse_write(heartbeat, error);
}

// ---- who it is -------------------------------------------------------------------------------------

static bool holds_only(const struct consumer_group_heartbeat_request *request,
                       const struct member_current_value *current)
{
    if (request->topic_partitions_count < 0)
        return false;
    for (int32_t t = 0; t < request->topic_partitions_count; t++) {
        const struct owned_topic *topic = &request->topic_partitions[t];
        if (member_find_topic(current->assigned_partitions, current->assigned_partitions_count,
                              topic->topic_id) == NULL)
            return false;
        for (int32_t p = 0; p < topic->partitions_count; p++)
            if (member_assignment_epoch(current->assigned_partitions,
                                        current->assigned_partitions_count, topic->topic_id,
                                        topic->partitions[p]) == -1)
                return false;
    }
    return true;
}

// The previous epoch is accepted from one who has no more than it was given: our last answer was lost.
static bool check_member_epoch(const struct consumer_heartbeat *heartbeat,
                               const struct member_current_value *current)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    int32_t epoch = request->member_epoch;
    if (epoch == 0 || epoch == current->member_epoch)
        return true;
    bool is_greater = epoch > current->member_epoch;
    if (!is_greater && epoch == current->previous_member_epoch && holds_only(request, current))
        return true;
    return REFUSE(heartbeat, KERR_FENCED_MEMBER_EPOCH,
                  "The consumer group member has a %s member epoch (%" PRId32
                  ") than the one known by the group coordinator (%" PRId32
                  "). The member must abandon all its partitions and rejoin.",
                  is_greater ? "greater" : "smaller", epoch, current->member_epoch);
}

static bool find_dynamic(const struct consumer_heartbeat *heartbeat,
                         const struct consumer_group *group, struct str member_id,
                         struct member_draft *draft)
{
    const struct consumer_member *member = consumer_group_find(group, member_id);
    if (member == NULL && heartbeat->request->member_epoch != 0)
        return unknown_member(heartbeat, group);
    *draft = member_draft_of(member, member != NULL ? member->id : member_id);
    return check_member_epoch(heartbeat, &draft->current);
}

static bool find_static(const struct consumer_heartbeat *heartbeat, struct group_shard *state,
                        const struct consumer_group *group, struct str member_id,
                        struct member_draft *draft)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    const struct consumer_member *holder = consumer_group_find_static(group, request->instance_id);
    if (request->member_epoch != 0) {
        if (!check_static_holder(heartbeat, holder))
            return false;
        *draft = member_draft_of(holder, holder->id);
        return check_member_epoch(heartbeat, &draft->current);
    }
    if (holder == NULL) {
        const struct consumer_member *member = consumer_group_find(group, member_id);
        *draft = member_draft_of(member, member_id);
        return true;
    }
    if (!member_is_classic(holder->metadata) &&
        holder->current->member_epoch != LEAVE_GROUP_STATIC_MEMBER_EPOCH)
        return REFUSE(heartbeat, KERR_UNRELEASED_INSTANCE_ID,
                      "Static member %.*s with instance id %.*s cannot join the group because the "
                      "instance id is owned by %s member.",
                      STR_ARG(member_id), STR_ARG(request->instance_id), holder->id.data);
    consumer_update_replace(state, group, holder, member_id, draft);
    return true;
}

// ---- a heartbeat -----------------------------------------------------------------------------------

static void take_news(const struct consumer_heartbeat *heartbeat, struct member_draft *draft)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    struct member_metadata_value *metadata = &draft->metadata;
    if (!str_is_null(request->instance_id))
        metadata->instance_id = request->instance_id;
    if (!str_is_null(request->rack_id))
        metadata->rack_id = request->rack_id;
    if (request->rebalance_timeout_ms != -1)
        metadata->rebalance_timeout_ms = request->rebalance_timeout_ms;
    if (!str_is_null(request->server_assignor))
        metadata->server_assignor = request->server_assignor;
    if (request->subscribed_topic_names_count >= 0)
        member_draft_set_names(draft, request->subscribed_topic_names,
                               request->subscribed_topic_names_count, heartbeat->arena);
    if (!str_is_null(request->subscribed_topic_regex))
        metadata->subscribed_topic_regex = request->subscribed_topic_regex;
    metadata->client_id = heartbeat->client_id;
    metadata->client_host = heartbeat->client_host;
    metadata->classic_member_metadata = NULL;
}

static struct consumer_group_heartbeat_response_assignment *
assignment_of(const struct member_current_value *current, struct arena *arena)
{
    struct consumer_group_heartbeat_response_assignment *assignment =
        arena_new(arena, struct consumer_group_heartbeat_response_assignment);
    int32_t count = current->assigned_partitions_count;
    assignment->topic_partitions =
        arena_array(arena, struct consumer_group_heartbeat_response_topic_partitions, count + 1);
    assignment->topic_partitions_count = count;
    for (int32_t i = 0; i < count; i++) {
        const struct member_topic *topic = &current->assigned_partitions[i];
        assignment->topic_partitions[i] =
            (struct consumer_group_heartbeat_response_topic_partitions){
                .topic_id = topic->topic_id,
                .partitions = arena_dup(arena, topic->partitions,
                                        (size_t)topic->partitions_count * sizeof(int32_t)),
                .partitions_count = topic->partitions_count,
            };
    }
    return assignment;
}

static void respond(const struct consumer_heartbeat *heartbeat,
                    const struct consumer_update *update)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    struct consumer_group_heartbeat_response *response = heartbeat->response;
    const struct member_current_value *before = &update->before.current;
    const struct member_current_value *now = &update->member.current;
    response->member_id = arena_str(heartbeat->arena, update->member.id);
    response->member_epoch = now->member_epoch;
    response->heartbeat_interval_ms = group_settings_int(update->state->settings, request->group_id,
                                                         GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS);
    bool is_full = request->rebalance_timeout_ms != -1 && request->topic_partitions_count >= 0 &&
                   (request->subscribed_topic_names_count >= 0 ||
                    !str_is_null(request->subscribed_topic_regex));
    bool has_changed =
        !member_topics_equal(before->assigned_partitions, before->assigned_partitions_count,
                             now->assigned_partitions, now->assigned_partitions_count);
    if (request->member_epoch == 0 || is_full || has_changed)
        response->assignment = assignment_of(now, heartbeat->arena);
}

static bool evaluate(struct group_shard *state, const struct consumer_heartbeat *heartbeat,
                     struct consumer_group *group, struct consumer_update *update)
{
    const struct consumer_group_heartbeat_request *request = heartbeat->request;
    struct str member_id = request->member_id;
    int32_t max_size = state->config->consumer_max_size;
    if (consumer_group_size(group) >= max_size && consumer_group_find(group, member_id) == NULL)
        return REFUSE(heartbeat, KERR_GROUP_MAX_SIZE_REACHED,
                      "The consumer group has reached its maximum capacity of %" PRId32 " members.",
                      max_size);
    if (member_id.size == 0) {
        char *text = arena_alloc(heartbeat->arena, UUID_TEXT_SIZE);
        uuid_format(uuid_random(), text);
        member_id = str_of(text);
    }
    struct member_draft draft;
    bool is_found = str_is_null(request->instance_id)
                        ? find_dynamic(heartbeat, group, member_id, &draft)
                        : find_static(heartbeat, state, group, member_id, &draft);
    if (!is_found)
        return false;
    consumer_update_init(update, state, group, &draft, heartbeat->arena);
    update->owned = request->topic_partitions;
    update->owned_count = request->topic_partitions_count;
    take_news(heartbeat, &update->member);
    consumer_update_metadata(update);
    struct str message;
    enum kafka_error error = consumer_update_regex(update, &message);
    if (error != KERR_NONE)
        return refuse(heartbeat, error, message.data);
    consumer_update_epoch(update, update->have_names_changed ||
                                      update->regex_change == REGEX_UPDATED_AND_RESOLVED);
    consumer_update_target(update);
    error = consumer_update_reconcile(update);
    if (error != KERR_NONE)
        return refuse(heartbeat, error,
                      "The consumer group member is in a unknown state. The member must abandon "
                      "all its partitions and rejoin.");
    return true;
}

// The group that the request is about; one that comes to be with it is in *made. NULL: refused.
static struct consumer_group *find_group(struct group_shard *state,
                                         const struct consumer_heartbeat *heartbeat,
                                         struct consumer_group **made)
{
    struct str id = heartbeat->request->group_id;
    bool creates = heartbeat->request->member_epoch == 0;
    struct group *any = group_shard_find(state, id);
    if (any != NULL && any->type == GROUP_CONSUMER)
        return container_of(any, struct consumer_group, base);
    if (any == NULL && !creates) {
        bool leaves = heartbeat->request->member_epoch < 0;
        REFUSE(heartbeat, KERR_GROUP_ID_NOT_FOUND,
               leaves ? "Group %.*s not found." : "Consumer group %.*s not found.", STR_ARG(id));
        return NULL;
    }
    if (any == NULL)
        return *made = consumer_group_new(state, id);
    if (any->type != GROUP_CLASSIC || !creates) {
        REFUSE(heartbeat, KERR_GROUP_ID_NOT_FOUND, "Group %.*s is not a consumer group.",
               STR_ARG(id));
        return NULL;
    }
    struct classic_group *classic = container_of(any, struct classic_group, base);
    if (classic->state == CLASSIC_EMPTY) {
        group_record_add_metadata_tombstone(state->shard, id);
        return *made = consumer_group_new(state, id);
    }
    struct str message;
    *made = consumer_upgrade(classic, heartbeat->arena, &message);
    if (*made == NULL)
        refuse(heartbeat,
               str_is_null(message) ? KERR_UNKNOWN_SERVER_ERROR : KERR_GROUP_ID_NOT_FOUND,
               message.data);
    return *made;
}

static void renew_sessions(struct consumer_group *group, bool was_upgraded, struct str member_id)
{
    struct consumer_member *member;
    if (was_upgraded) {
        for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
            consumer_renew_session(member);
        return;
    }
    member = consumer_group_find(group, member_id);
    if (member != NULL)
        consumer_renew_session(member);
}

static void commit(struct group_shard *state, const struct consumer_heartbeat *heartbeat,
                   struct consumer_update *update, bool is_made)
{
    struct str group_id = heartbeat->request->group_id;
    respond(heartbeat, update); // replay frees what the update points to
    enum kafka_error error = coordinator_append(state->shard, true);
    if (error != KERR_NONE) {
        refuse_write(heartbeat, error);
        return;
    }
    struct consumer_group *group = group_shard_find_consumer(state, group_id);
    consumer_update_finish(update, group);
    renew_sessions(group, is_made, update->member.id);
}

void consumer_heartbeat(struct group_shard *state, const struct consumer_heartbeat *heartbeat)
{
    struct consumer_group *made = NULL;
    struct consumer_group *group = find_group(state, heartbeat, &made);
    if (group == NULL) {
        coordinator_discard(state->shard);
        return;
    }
    if (heartbeat->request->member_epoch < 0) {
        leave(heartbeat, group);
        return;
    }
    struct consumer_update update;
    if (evaluate(state, heartbeat, group, &update))
        commit(state, heartbeat, &update, made != NULL);
    else
        coordinator_discard(state->shard);
    if (made != NULL)
        consumer_group_free(made);
}
