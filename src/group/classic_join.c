// SPDX-License-Identifier: Apache-2.0
// See the header. A member that asks again while its first JoinGroup still waits (it lost its connection)
// has the first answered with REBALANCE_IN_PROGRESS.
// Tested by group/classic_rebalance_test.c, group/group_coordinator_test.c and compat-tests/twin/groups.
#include "group/classic_join.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/uuid.h"
#include "group/consumer/consumer_classic.h"

enum { VERSION_MEMBER_ID_REQUIRED = 4, VERSION_SKIP_ASSIGNMENT = 9 };

static const struct str no_id = { "", 0 };

static void refuse(struct group_shard *state, struct classic_join *join, enum kafka_error error,
                   struct str member_id)
{
    join->response->error_code = (int16_t)error;
    join->response->member_id = arena_str(join->arena, member_id);
    coordinator_complete(state->shard, join->completion);
}

// client id or instance id, '-', a random UUID in its usual text.
static struct str make_member_id(struct arena *arena, struct str prefix)
{
    struct uuid uuid = uuid_random();
    const uint8_t *b = uuid.bytes;
    char *text = arena_printf(
        arena, "%.*s-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        STR_ARG(prefix), b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
        b[12], b[13], b[14], b[15]);
    return str_of(text);
}

static void wait_in(struct classic_group *group, struct classic_member *member,
                    struct classic_join *join)
{
    struct classic_join *earlier = member->join;
    classic_group_set_join(group, member, join);
    if (earlier != NULL)
        classic_join_refuse(group, earlier, KERR_REBALANCE_IN_PROGRESS, member->id);
}

static void add_member(struct classic_group *group, struct classic_join *join, struct str member_id)
{
    const struct join_group_request *request = join->request;
    struct classic_member *member = classic_member_new(
        member_id, request->group_instance_id, join->client_id, join->client_host,
        request->rebalance_timeout_ms, request->session_timeout_ms, request->protocols,
        request->protocols_count);
    classic_rebalance_add(group, member, request->protocol_type, join);
    classic_rebalance(group, "a member joins");
}

// The member waits for the next generation with what it now says about itself.
static void rejoin(struct classic_group *group, struct classic_member *member,
                   struct classic_join *join, const char *reason)
{
    const struct join_group_request *request = join->request;
    int32_t count;
    struct member_protocol *protocols =
        member_protocols_copy(request->protocols, request->protocols_count, &count);
    mem_free(classic_group_swap_protocols(group, member, protocols, &count));
    member->rebalance_timeout_ms = request->rebalance_timeout_ms;
    member->session_timeout_ms = request->session_timeout_ms;
    wait_in(group, member, join);
    classic_rebalance(group, reason);
}

// ---- static members who return without their id ----------------------------------------------------

// A replacement in a Stable group that needs no rebalance: only the record has to be written.
struct replacement {
    struct coordinator_wait wait;
    struct group_shard *state;
    struct arena arena; // of the strings
    struct str group_id;
    struct str old_id;
    struct str new_id;
    struct str leader_before;
    int32_t old_rebalance_timeout_ms;
    int32_t old_session_timeout_ms;
    struct member_protocol *old_protocols;
    int32_t old_protocol_count;
    struct classic_join *join;
};

static void answer_replaced(struct classic_group *group, struct classic_member *member,
                            struct replacement *replacement)
{
    struct classic_join *join = replacement->join;
    bool is_leader = group->leader == member;
    classic_group_set_join(group, member, NULL);
    if (join->version >= VERSION_SKIP_ASSIGNMENT) { // KIP-814: the leader must not assign anew
        join->response->skip_assignment = is_leader;
        classic_join_answer(group, member, join, is_leader);
        return;
    }
    // Before, a returning leader is told of its former self as the leader, and just syncs.
    classic_join_answer(group, member, join, false);
    join->response->leader = arena_str(join->arena, replacement->leader_before);
}

static void undo_replacement(struct classic_group *group, struct classic_member *member,
                             struct replacement *replacement, enum kafka_error error)
{
    struct classic_join *join = replacement->join;
    classic_group_set_join(group, member, NULL);
    mem_free(classic_group_swap_protocols(group, member, replacement->old_protocols,
                                          &replacement->old_protocol_count));
    replacement->old_protocols = NULL;
    member->rebalance_timeout_ms = replacement->old_rebalance_timeout_ms;
    member->session_timeout_ms = replacement->old_session_timeout_ms;
    classic_group_rename(group, member, replacement->old_id);
    classic_renew_session(group, member);
    classic_join_answer(group, member, join, false);
    join->response->error_code = (int16_t)error;
    join->response->member_id = no_id;
    join->response->leader = arena_str(join->arena, replacement->leader_before);
}

static void finish_replacement(struct replacement *replacement, enum kafka_error error)
{
    struct classic_group *group =
        group_shard_find_classic(replacement->state, replacement->group_id);
    struct classic_member *member =
        group != NULL ? classic_group_find(group, replacement->new_id) : NULL;
    if (member != NULL &&
        member->join == replacement->join) { // else somebody has answered it meanwhile
        if (error == KERR_NONE)
            answer_replaced(group, member, replacement);
        else
            undo_replacement(group, member, replacement, error);
    }
    mem_free(replacement->old_protocols);
    arena_fini(&replacement->arena);
    mem_free(replacement);
}

static void on_replacement_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    finish_replacement(container_of(wait, struct replacement, wait), error);
}

// The old holder of the instance id is fenced: its requests are answered so, its id is no more.
static void fence(struct classic_group *group, struct classic_member *member)
{
    struct classic_join *join = member->join;
    struct classic_sync *sync = member->sync;
    classic_group_set_join(group, member, NULL);
    member->sync = NULL;
    if (join != NULL)
        classic_join_refuse(group, join, KERR_FENCED_INSTANCE_ID, member->id);
    if (sync != NULL)
        classic_sync_answer(group, sync, KERR_FENCED_INSTANCE_ID,
                            (struct bytes){ (const uint8_t *)"", 0 });
}

static struct replacement *replace(struct group_shard *state, struct classic_group *group,
                                   struct classic_member *member, struct str new_id,
                                   struct classic_join *join)
{
    const struct join_group_request *request = join->request;
    struct replacement *replacement = mem_new(struct replacement);
    arena_init(&replacement->arena);
    replacement->state = state;
    replacement->join = join;
    replacement->group_id = arena_str(&replacement->arena, group->base.id);
    replacement->old_id = arena_str(&replacement->arena, member->id);
    replacement->new_id = arena_str(&replacement->arena, new_id);
    replacement->leader_before = arena_str(&replacement->arena, group->leader->id);
    replacement->old_rebalance_timeout_ms = member->rebalance_timeout_ms;
    replacement->old_session_timeout_ms = member->session_timeout_ms;

    fence(group, member);
    classic_group_set_sync_pending(group, member, false);
    classic_group_rename(group, member, new_id);
    member->is_new = false;
    classic_renew_session(group, member); // with the old timeout, as Kafka does
    replacement->old_protocols = member_protocols_copy(request->protocols, request->protocols_count,
                                                       &replacement->old_protocol_count);
    replacement->old_protocols = classic_group_swap_protocols(
        group, member, replacement->old_protocols, &replacement->old_protocol_count);
    member->rebalance_timeout_ms = request->rebalance_timeout_ms;
    member->session_timeout_ms = request->session_timeout_ms;
    classic_group_set_join(group, member, join);
    return replacement;
}

static void return_static_member(struct group_shard *state, struct classic_group *group,
                                 struct classic_member *member, struct str new_id,
                                 struct classic_join *join)
{
    trace_info(state->trace,
               "group static member replaced group=\"%s\" instance=\"%s\" old=\"%s\" new=\"%s\"",
               group->base.id.data, member->instance_id.data, member->id.data, new_id.data);
    struct replacement *replacement = replace(state, group, member, new_id, join);
    if (group->state == CLASSIC_STABLE &&
        str_eq(classic_group_select_protocol(group), group->protocol_name)) {
        classic_add_record(group, classic_present_assignment);
        enum kafka_error error = coordinator_append(state->shard, false);
        if (error == KERR_NONE)
            coordinator_await_commit(state->shard, &replacement->wait, on_replacement_committed);
        else
            finish_replacement(replacement, error);
        return;
    }
    if (group->state == CLASSIC_STABLE)
        classic_rebalance(group, "a static member returns with other protocols");
    else if (group->state == CLASSIC_COMPLETING_REBALANCE)
        classic_rebalance_prepare(group, "a static member returns");
    else
        classic_rebalance_try_complete(group);
    mem_free(replacement->old_protocols);
    arena_fini(&replacement->arena);
    mem_free(replacement);
}

// ---- the two ways to come --------------------------------------------------------------------------

static void join_unknown(struct group_shard *state, struct classic_group *group,
                         struct classic_join *join)
{
    const struct join_group_request *request = join->request;
    if (!classic_group_supports(group, request->protocol_type, request->protocols,
                                request->protocols_count)) {
        classic_join_refuse(group, join, KERR_INCONSISTENT_GROUP_PROTOCOL, no_id);
        return;
    }
    bool is_static = !str_is_null(request->group_instance_id);
    struct str member_id =
        make_member_id(join->arena, is_static ? request->group_instance_id : join->client_id);
    struct classic_member *holder =
        is_static ? classic_group_find_static(group, request->group_instance_id) : NULL;
    if (holder != NULL) {
        return_static_member(state, group, holder, member_id, join);
    } else if (is_static || join->version < VERSION_MEMBER_ID_REQUIRED) {
        add_member(group, join, member_id);
    } else {
        classic_rebalance_add_pending(group, member_id, request->session_timeout_ms);
        classic_join_refuse(group, join, KERR_MEMBER_ID_REQUIRED, member_id);
    }
}

static void join_member(struct classic_group *group, struct classic_member *member,
                        struct classic_join *join)
{
    const struct join_group_request *request = join->request;
    bool is_same = classic_member_matches(member, request->protocols, request->protocols_count);
    bool is_leader = group->leader == member;
    switch (group->state) {
    case CLASSIC_PREPARING_REBALANCE:
        rejoin(group, member, join, "a member rejoins");
        return;
    case CLASSIC_COMPLETING_REBALANCE: // it did not get our answer
        if (is_same)
            classic_join_answer(group, member, join, is_leader);
        else
            rejoin(group, member, join, "a member changes its protocols");
        return;
    case CLASSIC_STABLE: // a leader that joins wants a rebalance
        if (is_leader || !is_same)
            rejoin(group, member, join,
                   is_leader ? "the leader rejoins" : "a member changes its protocols");
        else
            classic_join_answer(group, member, join, false);
        return;
    case CLASSIC_EMPTY:
    case CLASSIC_DEAD:
        must(!"a member of a group that has none");
    }
}

static void join_known(struct classic_group *group, struct classic_join *join)
{
    const struct join_group_request *request = join->request;
    struct str member_id = request->member_id;
    if (!classic_group_supports(group, request->protocol_type, request->protocols,
                                request->protocols_count)) {
        classic_join_refuse(group, join, KERR_INCONSISTENT_GROUP_PROTOCOL, member_id);
        return;
    }
    struct pending_member *pending = classic_group_find_pending(group, member_id);
    if (pending != NULL) {
        if (!str_is_null(request->group_instance_id)) { // ids of static members are never pending
            classic_join_refuse(group, join, KERR_UNKNOWN_SERVER_ERROR, no_id);
            return;
        }
        classic_rebalance_drop_pending(group, pending);
        add_member(group, join, member_id);
        return;
    }
    enum kafka_error error = classic_validate_member(group, member_id, request->group_instance_id);
    if (error != KERR_NONE) {
        classic_join_refuse(group, join, error, member_id);
        return;
    }
    join_member(group, classic_group_find(group, member_id), join);
}

// group.max.size. While members rejoin, the first to come have the places.
static bool has_room_for(const struct classic_group *group, struct str member_id)
{
    const struct classic_member *member = classic_group_find(group, member_id);
    int32_t max_size = group->shard->config->max_size;
    switch (group->state) {
    case CLASSIC_PREPARING_REBALANCE:
        return (member != NULL && member->join != NULL) || group->awaiting_join_count < max_size;
    case CLASSIC_COMPLETING_REBALANCE:
    case CLASSIC_STABLE:
        return member != NULL || classic_group_size(group) < max_size;
    case CLASSIC_EMPTY:
    case CLASSIC_DEAD:
        break;
    }
    return true;
}

// ---- entry -----------------------------------------------------------------------------------------

// A group comes to be with a record, so that it is there after a restart.
static struct classic_group *create(struct group_shard *state, struct str id,
                                    enum kafka_error *error)
{
    struct classic_group *group = group_shard_create_classic(state, id);
    classic_add_record(group, classic_present_assignment);
    *error = coordinator_append(state->shard, false);
    if (*error == KERR_NONE)
        return group;
    group_shard_remove(state, &group->base);
    return NULL;
}

// An empty group of another type makes place for a classic one, when a new member comes; any other keeps its name.
static enum kafka_error give_way(struct group_shard *state, struct group *group, bool is_new)
{
    if (group->type == GROUP_SHARE || group_size(group) > 0)
        return KERR_INCONSISTENT_GROUP_PROTOCOL;
    if (!is_new)
        return KERR_NONE;
    group_shard_add_tombstones(state, group);
    return coordinator_append(state->shard, true);
}

void classic_join(struct group_shard *state, struct classic_join *join)
{
    const struct join_group_request *request = join->request;
    bool is_unknown = request->member_id.size == 0;
    enum kafka_error error = KERR_NONE;
    struct group *any = group_shard_find(state, request->group_id);
    if (any != NULL && any->type == GROUP_CONSUMER && group_size(any) > 0) {
        consumer_classic_join(state, container_of(any, struct consumer_group, base), join);
        return;
    }
    if (any != NULL && any->type != GROUP_CLASSIC)
        error = give_way(state, any, is_unknown);
    struct classic_group *group = group_shard_find_classic(state, request->group_id);
    if (group == NULL && error == KERR_NONE) {
        if (is_unknown)
            group = create(state, request->group_id, &error);
        else
            error = KERR_UNKNOWN_MEMBER_ID;
    }
    if (group == NULL) {
        refuse(state, join, error, error == KERR_UNKNOWN_MEMBER_ID ? request->member_id : no_id);
        return;
    }
    if (has_room_for(group, request->member_id)) {
        if (is_unknown)
            join_unknown(state, group, join);
        else
            join_known(group, join);
        return;
    }
    struct classic_member *member = classic_group_find(group, request->member_id);
    struct pending_member *pending = classic_group_find_pending(group, request->member_id);
    if (member != NULL)
        classic_rebalance_drop(group, member);
    if (pending != NULL)
        classic_rebalance_drop_pending(group, pending);
    classic_join_refuse(group, join, KERR_GROUP_MAX_SIZE_REACHED, no_id);
}
