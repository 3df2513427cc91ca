// SPDX-License-Identifier: Apache-2.0
// Encoding. Lists stand in the order in which Java's HashMaps give them, as Kafka writes them.
// Tested by group/share/share_group_test.c.
#include "group/share/share_group_records.h"

#include "coordinator/coordinator_record.h"
#include "protocol/records/share_group_current_member_assignment.h"
#include "protocol/records/share_group_member_metadata.h"
#include "protocol/records/share_group_metadata.h"
#include "protocol/records/share_group_state_partition_metadata.h"
#include "protocol/records/share_group_target_assignment_member.h"
#include "protocol/records/share_group_target_assignment_metadata.h"

// Keys are a group's id, or a group's and a member's. A NULL value is a tombstone.
static void add(struct coordinator_shard *shard, int16_t type, struct str group, struct str member,
                const struct message_desc *desc, const void *value)
{
    if (str_is_null(member)) {
        struct share_group_metadata_key key = { group };
        coordinator_record_add(shard, type, &share_group_metadata_key_desc, &key, 0, desc, value);
    } else {
        struct share_group_member_metadata_key key = { group, member };
        coordinator_record_add(shard, type, &share_group_member_metadata_key_desc, &key, 0, desc,
                               value);
    }
}

void share_group_record_tombstone(struct coordinator_shard *shard, int16_t type, struct str group,
                                  struct str member)
{
    add(shard, type, group, member, NULL, NULL);
}

void share_group_record_member(struct coordinator_shard *shard, struct str group,
                               const struct share_member *member)
{
    struct arena arena;
    arena_init(&arena);
    struct share_group_member_metadata_value value = {
        .rack_id = str_of(member->rack),
        .client_id = str_of(member->client_id),
        .client_host = str_of(member->client_host),
        .subscribed_topic_names = arena_array(&arena, struct str, member->topics_count),
        .subscribed_topic_names_count = member->topics_count,
    };
    for (int32_t i = 0; i < member->topics_count; i++)
        value.subscribed_topic_names[i] = str_of(member->topics[i]);
    add(shard, GROUP_RECORD_SHARE_GROUP_MEMBER_METADATA, group, str_of(member->id),
        &share_group_member_metadata_value_desc, &value);
    arena_fini(&arena);
}

void share_group_record_epoch(struct coordinator_shard *shard, struct str group, int32_t epoch,
                              int64_t hash)
{
    struct share_group_metadata_value value = { .epoch = epoch, .metadata_hash = hash };
    add(shard, GROUP_RECORD_SHARE_GROUP_METADATA, group, STR_NULL, &share_group_metadata_value_desc,
        &value);
}

void share_group_record_target_epoch(struct coordinator_shard *shard, struct str group,
                                     int32_t epoch, int64_t now_ms)
{
    struct share_group_target_assignment_metadata_value value = { .assignment_epoch = epoch,
                                                                  .assignment_timestamp = now_ms };
    add(shard, GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_METADATA, group, STR_NULL,
        &share_group_target_assignment_metadata_value_desc, &value);
}

void share_group_record_target(struct coordinator_shard *shard, struct str group, struct str member,
                               const struct share_topics *target)
{
    struct arena arena;
    arena_init(&arena);
    struct share_group_target_assignment_member_value value = {
        .topic_partitions =
            arena_array(&arena, struct share_group_target_assignment_member_value_topic_partition,
                        target->count),
        .topic_partitions_count = (int32_t)target->count,
    };
    const size_t *order = share_topics_order(target, &arena);
    for (size_t i = 0; i < target->count; i++) {
        const struct share_topic *topic = &target->items[order[i]];
        value.topic_partitions[i].topic_id = topic->id;
        value.topic_partitions[i].partitions = topic->partitions;
        value.topic_partitions[i].partitions_count = topic->count;
    }
    add(shard, GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER, group, member,
        &share_group_target_assignment_member_value_desc, &value);
    arena_fini(&arena);
}

void share_group_record_current(struct coordinator_shard *shard, struct str group,
                                const struct share_member *member)
{
    struct arena arena;
    arena_init(&arena);
    const struct share_topics *assigned = &member->assigned;
    struct share_group_current_member_assignment_value value = {
        .member_epoch = member->epoch,
        .previous_member_epoch = member->previous_epoch,
        .state = member->state,
        .assigned_partitions =
            arena_array(&arena, struct share_group_current_member_assignment_value_topic_partitions,
                        assigned->count),
        .assigned_partitions_count = (int32_t)assigned->count,
    };
    const size_t *order = share_topics_order(assigned, &arena);
    for (size_t i = 0; i < assigned->count; i++) {
        const struct share_topic *topic = &assigned->items[order[i]];
        value.assigned_partitions[i].topic_id = topic->id;
        value.assigned_partitions[i].partitions = topic->partitions;
        value.assigned_partitions[i].partitions_count = topic->count;
    }
    add(shard, GROUP_RECORD_SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT, group, str_of(member->id),
        &share_group_current_member_assignment_value_desc, &value);
    arena_fini(&arena);
}

static struct share_group_state_partition_metadata_value_topic_partitions_info *
infos_of(const struct share_topics *topics, struct arena *arena)
{
    struct share_group_state_partition_metadata_value_topic_partitions_info *infos =
        arena_array(arena, struct share_group_state_partition_metadata_value_topic_partitions_info,
                    topics->count);
    const size_t *order = share_topics_order(topics, arena);
    for (size_t i = 0; i < topics->count; i++) {
        const struct share_topic *topic = &topics->items[order[i]];
        infos[i].topic_id = topic->id;
        infos[i].topic_name = str_of(topic->name != NULL ? topic->name : "<UNKNOWN>");
        infos[i].partitions = topic->partitions;
        infos[i].partitions_count = topic->count;
    }
    return infos;
}

void share_group_record_state(struct coordinator_shard *shard, struct str group,
                              const struct share_topics *initializing,
                              const struct share_topics *initialized,
                              const struct share_topics *deleting)
{
    struct arena arena;
    arena_init(&arena);
    struct share_group_state_partition_metadata_value value = {
        .initializing_topics = infos_of(initializing, &arena),
        .initializing_topics_count = (int32_t)initializing->count,
        .initialized_topics = infos_of(initialized, &arena),
        .initialized_topics_count = (int32_t)initialized->count,
        .deleting_topics = arena_array(
            &arena, struct share_group_state_partition_metadata_value_topic_info, deleting->count),
        .deleting_topics_count = (int32_t)deleting->count,
    };
    const size_t *order = share_topics_order(deleting, &arena);
    for (size_t i = 0; i < deleting->count; i++) {
        const struct share_topic *topic = &deleting->items[order[i]];
        value.deleting_topics[i].topic_id = topic->id;
        value.deleting_topics[i].topic_name =
            str_of(topic->name != NULL ? topic->name : "<UNKNOWN>");
    }
    add(shard, GROUP_RECORD_SHARE_GROUP_STATE_PARTITION_METADATA, group, STR_NULL,
        &share_group_state_partition_metadata_value_desc, &value);
    arena_fini(&arena);
}
