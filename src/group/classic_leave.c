// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by compat-tests/twin/groups.
#include "group/classic_leave.h"

#include "group/consumer/consumer_classic.h"

static enum kafka_error remove_member(struct group_shard *state, struct classic_group *group,
                                      const struct leave_group_request_member_identity *identity)
{
    struct classic_member *member;
    if (identity->member_id.size == 0) {
        member = str_is_null(identity->group_instance_id)
                     ? NULL
                     : classic_group_find_static(group, identity->group_instance_id);
        if (member == NULL)
            return KERR_UNKNOWN_MEMBER_ID;
    } else {
        struct pending_member *pending = classic_group_find_pending(group, identity->member_id);
        if (pending != NULL) {
            classic_rebalance_drop_pending(group, pending);
            return KERR_NONE;
        }
        enum kafka_error error =
            classic_validate_member(group, identity->member_id, identity->group_instance_id);
        if (error != KERR_NONE)
            return error;
        member = classic_group_find(group, identity->member_id);
    }
    struct str reason =
        str_is_null(identity->reason) ? str_of("not provided") : identity->reason; // KIP-800
    trace_info(state->trace, "group member leaves group=\"%s\" member=\"%s\" reason=\"%.*s\"",
               group->base.id.data, member->id.data, STR_ARG(reason));
    classic_rebalance_drop(group, member);
    return KERR_NONE;
}

void classic_leave(struct group_shard *state, const struct leave_group_request *request,
                   struct leave_group_response *response, struct arena *arena)
{
    struct consumer_group *consumer = group_shard_find_consumer(state, request->group_id);
    if (consumer != NULL) {
        consumer_classic_leave(consumer, request, response, arena);
        return;
    }
    struct classic_group *group = group_shard_find_classic(state, request->group_id);
    response->members =
        arena_array(arena, struct leave_group_response_member_response, request->members_count + 1);
    bool is_changed = false;
    for (int32_t i = 0; i < request->members_count; i++) {
        const struct leave_group_request_member_identity *identity = &request->members[i];
        enum kafka_error error =
            group != NULL ? remove_member(state, group, identity) : KERR_UNKNOWN_MEMBER_ID;
        response->members[response->members_count++] =
            (struct leave_group_response_member_response){
                .member_id = identity->member_id,
                .group_instance_id = identity->group_instance_id,
                .error_code = (int16_t)error,
            };
        is_changed = is_changed || error == KERR_NONE;
    }
    if (is_changed && group->state != CLASSIC_EMPTY) // there it was a pending member
        classic_rebalance(group, "members leave");
}
