// SPDX-License-Identifier: Apache-2.0
// See the header. A member that asks again while its first SyncGroup still waits has the first answered with
// REBALANCE_IN_PROGRESS.
// Tested by group/classic_rebalance_test.c and compat-tests/twin/groups.
#include "group/classic_sync.h"

#include "base/mem.h"
#include "group/consumer/consumer_classic.h"

// A leader's assignment on its way to being committed. It outlives the request that brought it.
struct assignment_write {
    struct coordinator_wait wait;
    struct group_shard *state;
    struct arena arena;
    struct str group_id;
    int32_t generation;
    struct assigned {
        struct str member_id;
        struct bytes assignment;
    } * assigned;
    int32_t count;
};

static void refuse(struct group_shard *state, struct classic_sync *sync, enum kafka_error error)
{
    sync->response->error_code = (int16_t)error;
    coordinator_complete(state->shard, sync->completion);
}

static void finish_assignment(struct assignment_write *write, enum kafka_error error)
{
    struct classic_group *group = group_shard_find_classic(write->state, write->group_id);
    bool is_current = group != NULL && group->state == CLASSIC_COMPLETING_REBALANCE &&
                      group->generation == write->generation;
    if (is_current && error != KERR_NONE) {
        classic_assign(group, error);
        classic_rebalance(group, "the assignment could not be written");
    } else if (is_current) {
        for (int32_t i = 0; i < write->count; i++) {
            struct classic_member *member = classic_group_find(group, write->assigned[i].member_id);
            if (member != NULL)
                classic_member_set_assignment(member, write->assigned[i].assignment);
        }
        classic_assign(group, KERR_NONE);
        classic_group_transition(group, CLASSIC_STABLE, coordinator_wall_ms(write->state->shard));
    }
    arena_fini(&write->arena);
    mem_free(write);
}

static void on_assignment_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    finish_assignment(container_of(wait, struct assignment_write, wait), error);
}

static struct bytes proposed_assignment(const struct classic_member *member)
{
    return member->proposed.data != NULL ? member->proposed
                                         : (struct bytes){ (const uint8_t *)"", 0 };
}

// Members that the leader forgot get an empty assignment; one it names twice gets the last.
static void write_assignment(struct group_shard *state, struct classic_group *group,
                             const struct sync_group_request *request)
{
    struct assignment_write *write = mem_new(struct assignment_write);
    arena_init(&write->arena);
    write->state = state;
    write->group_id = arena_str(&write->arena, group->base.id);
    write->generation = group->generation;
    write->assigned = arena_array(&write->arena, struct assigned, classic_group_size(group));
    for (int32_t i = 0; i < request->assignments_count; i++) {
        struct classic_member *member =
            classic_group_find(group, request->assignments[i].member_id);
        if (member != NULL)
            member->proposed = request->assignments[i].assignment;
    }
    classic_add_record(group, proposed_assignment);
    list_for_each(at, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        write->assigned[write->count++] =
            (struct assigned){ arena_str(&write->arena, member->id),
                               arena_bytes(&write->arena, proposed_assignment(member)) };
        member->proposed = BYTES_NULL;
    }
    enum kafka_error error = coordinator_append(state->shard, false);
    if (error == KERR_NONE)
        coordinator_await_commit(state->shard, &write->wait, on_assignment_committed);
    else
        finish_assignment(write, error);
}

// What neither side knows is not compared (before v5 clients did not say).
static bool is_other(struct str asked, struct str present)
{
    return !str_is_null(asked) && !str_is_null(present) && !str_eq(asked, present);
}

static enum kafka_error validate(const struct classic_group *group,
                                 const struct sync_group_request *request)
{
    enum kafka_error error =
        classic_validate_member(group, request->member_id, request->group_instance_id);
    if (error != KERR_NONE)
        return error;
    if (request->generation_id != group->generation)
        return KERR_ILLEGAL_GENERATION;
    if (is_other(request->protocol_type, group->protocol_type) ||
        is_other(request->protocol_name, group->protocol_name))
        return KERR_INCONSISTENT_GROUP_PROTOCOL;
    return group->state == CLASSIC_PREPARING_REBALANCE ? KERR_REBALANCE_IN_PROGRESS : KERR_NONE;
}

void classic_sync(struct group_shard *state, struct classic_sync *sync)
{
    const struct sync_group_request *request = sync->request;
    struct consumer_group *consumer = group_shard_find_consumer(state, request->group_id);
    if (consumer != NULL && consumer_group_size(consumer) > 0) {
        consumer_classic_sync(state, consumer, sync);
        return;
    }
    struct classic_group *group = group_shard_find_classic(state, request->group_id);
    if (group == NULL || group->state == CLASSIC_EMPTY) {
        refuse(state, sync, KERR_UNKNOWN_MEMBER_ID);
        return;
    }
    enum kafka_error error = validate(group, request);
    if (error != KERR_NONE) {
        refuse(state, sync, error);
        return;
    }
    struct classic_member *member = classic_group_find(group, request->member_id);
    classic_synced(group, member);
    if (group->state == CLASSIC_STABLE) {
        classic_sync_answer(group, sync, KERR_NONE, member->assignment);
        return;
    }
    struct classic_sync *earlier = member->sync;
    member->sync = sync;
    if (earlier != NULL)
        refuse(state, earlier, KERR_REBALANCE_IN_PROGRESS);
    if (group->leader == member)
        write_assignment(state, group, request);
}

enum kafka_error classic_heartbeat(struct group_shard *state,
                                   const struct heartbeat_request *request)
{
    struct consumer_group *consumer = group_shard_find_consumer(state, request->group_id);
    if (consumer != NULL)
        return consumer_classic_heartbeat(consumer, request);
    struct classic_group *group = group_shard_find_classic(state, request->group_id);
    if (group == NULL)
        return KERR_UNKNOWN_MEMBER_ID;
    enum kafka_error error =
        classic_validate_member(group, request->member_id, request->group_instance_id);
    if (error != KERR_NONE)
        return error;
    if (request->generation_id != group->generation)
        return KERR_ILLEGAL_GENERATION;
    classic_renew_session(group, classic_group_find(group, request->member_id));
    return group->state == CLASSIC_PREPARING_REBALANCE ? KERR_REBALANCE_IN_PROGRESS : KERR_NONE;
}
