// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by group/group_coordinator_test.c, group/streams/streams_group_test.c and compat-tests/twin/groups.
#include "group/group_admin.h"

#include <strings.h>

#include "base/mem.h"
#include "group/consumer/consumer_subscription.h"
#include "group/group_records.h"
#include "group/streams/streams_group.h"

static const struct classic_group *as_classic(const struct group *group)
{
    return container_of((struct group *)(uintptr_t)group, struct classic_group, base);
}

static const char *state_name(const struct group *group)
{
    if (group->type == GROUP_CLASSIC)
        return classic_state_name(as_classic(group)->state);
    if (group->type == GROUP_CONSUMER)
        return consumer_group_state_name(
            container_of((struct group *)(uintptr_t)group, struct consumer_group, base));
    if (group->type == GROUP_STREAMS)
        return streams_group_state_name(streams_group_of((struct group *)(uintptr_t)group));
    return group_size(group) == 0 ? "Empty" : "Stable";
}

// The name by which ListGroups asks for the state.
static const char *state_filter(const struct group *group)
{
    const char *name = state_name(group);
    return strcmp(name, "NotReady") == 0 ? "not_ready" : name;
}

static struct str protocol_type(const struct group *group)
{
    switch (group->type) {
    case GROUP_CLASSIC:
        return str_is_null(as_classic(group)->protocol_type) ? str_of("")
                                                             : as_classic(group)->protocol_type;
    case GROUP_CONSUMER:
        return str_of("consumer");
    case GROUP_SHARE:
        return str_of("share");
    case GROUP_STREAMS:
        return str_of("streams");
    case GROUP_UNKNOWN:
        break;
    }
    return str_of("");
}

static bool has_state(const struct list_groups_request *request, const char *name)
{
    if (request->states_filter_count <= 0)
        return true;
    for (int32_t i = 0; i < request->states_filter_count; i++) {
        struct str wanted = str_trim(request->states_filter[i]);
        if (wanted.size == strlen(name) && strncasecmp(wanted.data, name, wanted.size) == 0)
            return true;
    }
    return false;
}

static bool has_type(const struct list_groups_request *request, enum group_type type)
{
    if (request->types_filter_count <= 0)
        return true;
    for (int32_t i = 0; i < request->types_filter_count; i++)
        if (group_type_parse(request->types_filter[i]) == type)
            return true;
    return false;
}

void group_list(const struct group_shard *state, const struct list_groups_request *request,
                struct list_groups_response *response, int32_t *capacity, struct arena *arena)
{
    struct group *group;
    for (size_t i = 0; (group = hashmap_next(&state->groups, &i)) != NULL;) {
        if (!has_state(request, state_filter(group)) || !has_type(request, group->type))
            continue;
        if (response->groups_count == *capacity) {
            *capacity = *capacity > 0 ? 2 * *capacity : 16;
            struct list_groups_response_listed_group *larger =
                arena_array(arena, struct list_groups_response_listed_group, *capacity);
            for (int32_t g = 0; g < response->groups_count; g++)
                larger[g] = response->groups[g];
            response->groups = larger;
        }
        response->groups[response->groups_count++] = (struct list_groups_response_listed_group){
            .group_id = arena_str(arena, group->id),
            .protocol_type = arena_str(arena, protocol_type(group)),
            .group_state = str_of(state_name(group)),
            .group_type = str_of(group_type_name(group->type)),
        };
    }
}

static void describe_classic(const struct classic_group *group,
                             struct describe_groups_response_described_group *out,
                             struct arena *arena)
{
    bool is_stable = group->state == CLASSIC_STABLE;
    out->group_state = str_of(classic_state_name(group->state));
    out->protocol_type = arena_str(arena, protocol_type(&group->base));
    if (is_stable)
        out->protocol_data = arena_str(arena, group->protocol_name);
    out->members = arena_array(arena, struct describe_groups_response_described_group_member,
                               classic_group_size(group) + 1);
    struct classic_member **members = classic_group_in_order(group, arena);
    for (int32_t i = 0; i < classic_group_size(group); i++) {
        const struct classic_member *member = members[i];
        struct bytes metadata = { (const uint8_t *)"", 0 };
        if (is_stable)
            metadata = arena_bytes(arena, classic_member_metadata(member, group->protocol_name));
        out->members[out->members_count++] =
            (struct describe_groups_response_described_group_member){
                .member_id = arena_str(arena, member->id),
                .group_instance_id = arena_str(arena, member->instance_id),
                .client_id = arena_str(arena, member->client_id),
                .client_host = arena_str(arena, member->client_host),
                .member_metadata = metadata,
                .member_assignment = arena_bytes(arena, member->assignment),
            };
    }
}

void group_describe(const struct group_shard *state, struct str id, int16_t version,
                    struct describe_groups_response_described_group *out, struct arena *arena)
{
    const struct group *group = group_shard_find(state, id);
    if (group != NULL && group->type == GROUP_CLASSIC) {
        describe_classic(as_classic(group), out, arena);
        return;
    }
    out->group_state = str_of(classic_state_name(CLASSIC_DEAD));
    if (version < 6)
        return;
    out->error_code = KERR_GROUP_ID_NOT_FOUND;
    out->error_message = str_of(arena_printf(
        arena, group == NULL ? "Group %.*s not found." : "Group %.*s is not a classic group.",
        STR_ARG(id)));
}

enum kafka_error group_delete(struct group_shard *state, struct str id)
{
    const struct group *group = group_shard_find(state, id);
    if (group == NULL)
        return KERR_GROUP_ID_NOT_FOUND;
    if (strcmp(state_name(group), classic_state_name(CLASSIC_EMPTY)) != 0)
        return KERR_NON_EMPTY_GROUP;
    group_shard_add_offset_tombstones(state, id);
    group_shard_add_tombstones(state, group);
    return KERR_NONE;
}

// ---- offsets ---------------------------------------------------------------------------------------

static enum kafka_error may_delete_offsets(const struct group *group)
{
    if (group == NULL || group->type == GROUP_SHARE)
        return KERR_GROUP_ID_NOT_FOUND;
    if (group->type != GROUP_CLASSIC)
        return KERR_NONE;
    const struct classic_group *classic = as_classic(group);
    // Members of another kind do not say which topics they use.
    bool is_known = classic->state == CLASSIC_EMPTY || classic_group_is_consumer(classic);
    return is_known ? KERR_NONE : KERR_NON_EMPTY_GROUP;
}

static bool is_subscribed(const struct group *group, struct str topic)
{
    if (group->type == GROUP_CONSUMER)
        return consumer_group_subscribes(
            container_of((struct group *)(uintptr_t)group, struct consumer_group, base), topic);
    if (group->type == GROUP_STREAMS)
        return streams_group_subscribes(streams_group_of((struct group *)(uintptr_t)group), topic);
    return group->type == GROUP_CLASSIC && as_classic(group)->state != CLASSIC_EMPTY &&
           classic_group_is_subscribed(as_classic(group), topic);
}

static void delete_topic(struct group_shard *state, const struct group *group,
                         const struct offset_delete_request_topic *topic,
                         struct offset_delete_response_topic *out, struct arena *arena)
{
    bool is_used = is_subscribed(group, topic->name);
    out->name = topic->name;
    out->partitions =
        arena_array(arena, struct offset_delete_response_partition, topic->partitions_count + 1);
    for (int32_t p = 0; p < topic->partitions_count; p++) {
        int32_t partition = topic->partitions[p].partition_index;
        out->partitions[out->partitions_count++] = (struct offset_delete_response_partition){
            .partition_index = partition,
            .error_code = is_used ? KERR_GROUP_SUBSCRIBED_TO_TOPIC : KERR_NONE,
        };
        if (!is_used &&
            (group_offsets_find(&state->offsets, group->id, topic->name, partition) != NULL ||
             group_shard_is_unstable(state, group->id, topic->name, partition)))
            group_record_add_offset_tombstone(state->shard, group->id, topic->name, partition);
    }
}

enum kafka_error group_delete_offsets(struct group_shard *state,
                                      const struct offset_delete_request *request,
                                      struct offset_delete_response *response, struct arena *arena)
{
    const struct group *group = group_shard_find(state, request->group_id);
    enum kafka_error error = may_delete_offsets(group);
    if (error != KERR_NONE)
        return error;
    response->topics =
        arena_array(arena, struct offset_delete_response_topic, request->topics_count + 1);
    for (int32_t t = 0; t < request->topics_count; t++)
        delete_topic(state, group, &request->topics[t], &response->topics[response->topics_count++],
                     arena);
    error = coordinator_append(state->shard, true);
    if (error != KERR_NONE)
        response->topics_count = 0;
    return error;
}
