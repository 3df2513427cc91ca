// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/consumer.
#include "group/consumer/consumer_describe.h"

#include "group/consumer/consumer_target.h"

#define described_topic consumer_group_describe_response_topic_partitions

// Adds partitions to the topic's entry, which is made if it is not there.
static void add_partitions(const struct group_shard *state,
                           struct consumer_group_describe_response_assignment *assignment,
                           struct uuid topic_id, const int32_t *partitions, int32_t count,
                           struct arena *arena)
{
    const struct indexed_topic *topic = topic_index_find_by_id(state->topics, topic_id);
    if (topic == NULL)
        return;
    int32_t place = 0;
    while (place < assignment->topic_partitions_count &&
           !uuid_eq(assignment->topic_partitions[place].topic_id, topic_id))
        place++;
    struct described_topic *out = &assignment->topic_partitions[place];
    if (place == assignment->topic_partitions_count) {
        assignment->topic_partitions_count++;
        *out = (struct described_topic){ .topic_id = topic_id,
                                         .topic_name = arena_str(arena, topic->name) };
    }
    int32_t *both = arena_array(arena, int32_t, out->partitions_count + count + 1);
    if (out->partitions_count > 0)
        memcpy(both, out->partitions, (size_t)out->partitions_count * sizeof *both);
    if (count > 0)
        memcpy(both + out->partitions_count, partitions, (size_t)count * sizeof *both);
    out->partitions = both;
    out->partitions_count += count;
}

static void add_topics(const struct group_shard *state,
                       struct consumer_group_describe_response_assignment *assignment,
                       const struct member_topic *topics, int32_t count, struct arena *arena)
{
    for (int32_t i = 0; i < count; i++)
        add_partitions(state, assignment, topics[i].topic_id, topics[i].partitions,
                       topics[i].partitions_count, arena);
}

// What it has is what it was assigned and what it has still to give up.
static void describe_assignments(const struct group_shard *state,
                                 const struct consumer_member *member,
                                 struct consumer_group_describe_response_member *out,
                                 struct arena *arena)
{
    const struct member_current_value *current = member->current;
    const struct member_target_value *target = consumer_group_target(member->group, member->id);
    int32_t most =
        current->assigned_partitions_count + current->partitions_pending_revocation_count;
    out->assignment.topic_partitions = arena_array(arena, struct described_topic, most + 1);
    add_topics(state, &out->assignment, current->assigned_partitions,
               current->assigned_partitions_count, arena);
    add_topics(state, &out->assignment, current->partitions_pending_revocation,
               current->partitions_pending_revocation_count, arena);
    out->target_assignment.topic_partitions =
        arena_array(arena, struct described_topic, target->topic_partitions_count + 1);
    for (int32_t i = 0; i < target->topic_partitions_count; i++)
        add_partitions(state, &out->target_assignment, target->topic_partitions[i].topic_id,
                       target->topic_partitions[i].partitions,
                       target->topic_partitions[i].partitions_count, arena);
}

static void describe_member(const struct group_shard *state, const struct consumer_member *member,
                            struct consumer_group_describe_response_member *out,
                            struct arena *arena)
{
    const struct member_metadata_value *metadata = member->metadata;
    message_init(&consumer_group_describe_response_member_desc, out);
    out->member_id = arena_str(arena, member->id);
    out->instance_id = arena_str(arena, metadata->instance_id);
    out->rack_id = arena_str(arena, metadata->rack_id);
    out->member_epoch = member->current->member_epoch;
    out->client_id = arena_str(arena, metadata->client_id);
    out->client_host = arena_str(arena, metadata->client_host);
    out->subscribed_topic_names =
        arena_array(arena, struct str, metadata->subscribed_topic_names_count + 1);
    for (int32_t i = 0; i < metadata->subscribed_topic_names_count; i++)
        out->subscribed_topic_names[out->subscribed_topic_names_count++] =
            arena_str(arena, metadata->subscribed_topic_names[i]);
    out->subscribed_topic_regex = arena_str(arena, metadata->subscribed_topic_regex);
    out->member_type = member_is_classic(metadata) ? 0 : 1;
    describe_assignments(state, member, out, arena);
}

void consumer_describe(const struct group_shard *state, struct str id,
                       struct consumer_group_describe_response_described_group *out,
                       struct arena *arena)
{
    const struct group *any = group_shard_find(state, id);
    const struct consumer_group *group = group_shard_find_consumer(state, id);
    if (group == NULL) {
        out->error_code = KERR_GROUP_ID_NOT_FOUND;
        out->error_message = str_of(arena_printf(
            arena, any == NULL ? "Group %.*s not found." : "Group %.*s is not a consumer group.",
            STR_ARG(id)));
        return;
    }
    out->group_state = str_of(consumer_group_state_name(group));
    out->group_epoch = group->epoch;
    out->assignment_epoch = group->assignment_epoch;
    out->assignor_name = arena_str(arena, consumer_target_assignor(group, NULL, NULL));
    out->members = arena_array(arena, struct consumer_group_describe_response_member,
                               consumer_group_size(group) + 1);
    topic_index_lock_read(state->topics);
    struct timeline_entry *entries =
        arena_array(arena, struct timeline_entry, group->members.count + 1);
    size_t count = 0;
    struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        entries[count++] =
            (struct timeline_entry){ str_java_hash(member->id), member->place, member };
    timeline_sort(&group->order, entries, count);
    for (size_t i = 0; i < count; i++)
        describe_member(state, entries[i].value, &out->members[out->members_count++], arena);
    topic_index_unlock(state->topics);
}
