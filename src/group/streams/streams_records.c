// SPDX-License-Identifier: Apache-2.0
// Encoding. Tasks stand sorted, as Kafka sorts them.
// Tested by group/streams/streams_group_test.c.
#include "group/streams/streams_records.h"

#include "coordinator/coordinator_record.h"
#include "protocol/records/streams_group_current_member_assignment.h"
#include "protocol/records/streams_group_target_assignment_member.h"
#include "protocol/records/streams_group_target_assignment_metadata.h"

// Keys are a group's id, or a group's and a member's. A NULL value is a tombstone.
static void add(struct coordinator_shard *shard, int16_t type, struct str group, struct str member,
                const struct message_desc *desc, const void *value)
{
    if (str_is_null(member)) {
        struct streams_group_metadata_key key = { group };
        coordinator_record_add(shard, type, &streams_group_metadata_key_desc, &key, 0, desc, value);
    } else {
        struct streams_group_member_metadata_key key = { group, member };
        coordinator_record_add(shard, type, &streams_group_member_metadata_key_desc, &key, 0, desc,
                               value);
    }
}

void streams_record_tombstone(struct coordinator_shard *shard, int16_t type, struct str group,
                              struct str member)
{
    add(shard, type, group, member, NULL, NULL);
}

void streams_record_member(struct coordinator_shard *shard, struct str group, struct str member,
                           const struct streams_metadata *metadata)
{
    add(shard, GROUP_RECORD_STREAMS_GROUP_MEMBER_METADATA, group, member,
        &streams_group_member_metadata_value_desc, metadata);
}

void streams_record_epoch(struct coordinator_shard *shard, struct str group, int32_t epoch,
                          int64_t hash, int32_t validated_topology_epoch,
                          const char *standby_replicas)
{
    struct streams_group_metadata_value_last_assignment_config config = {
        .key = str_of(STREAMS_STANDBY_KEY), .value = str_of(standby_replicas)
    };
    struct streams_group_metadata_value value = {
        .epoch = epoch,
        .metadata_hash = hash,
        .validated_topology_epoch = validated_topology_epoch,
        .last_assignment_configs = &config,
        .last_assignment_configs_count = standby_replicas != NULL,
    };
    add(shard, GROUP_RECORD_STREAMS_GROUP_METADATA, group, STR_NULL,
        &streams_group_metadata_value_desc, &value);
}

void streams_record_topology(struct coordinator_shard *shard, struct str group,
                             const struct streams_topology_value *topology)
{
    add(shard, GROUP_RECORD_STREAMS_GROUP_TOPOLOGY, group, STR_NULL,
        &streams_group_topology_value_desc, topology);
}

void streams_record_target_epoch(struct coordinator_shard *shard, struct str group, int32_t epoch,
                                 int64_t now_ms)
{
    struct streams_group_target_assignment_metadata_value value = { .assignment_epoch = epoch,
                                                                    .assignment_timestamp =
                                                                        now_ms };
    add(shard, GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA, group, STR_NULL,
        &streams_group_target_assignment_metadata_value_desc, &value);
}

#define TARGET_TASKS(field, kind)                                                                  \
    STREAMS_TASKS_INTO(value.field, value.field##_count,                                           \
                       struct streams_group_target_assignment_member_value_task_ids,               \
                       &target->kinds[kind], &arena)

void streams_record_target(struct coordinator_shard *shard, struct str group, struct str member,
                           const struct streams_assignment *target)
{
    struct arena arena;
    arena_init(&arena);
    struct streams_group_target_assignment_member_value value = { 0 };
    TARGET_TASKS(active_tasks, STREAMS_ACTIVE);
    TARGET_TASKS(standby_tasks, STREAMS_STANDBY);
    TARGET_TASKS(warmup_tasks, STREAMS_WARMUP);
    add(shard, GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER, group, member,
        &streams_group_target_assignment_member_value_desc, &value);
    arena_fini(&arena);
}

// Active tasks carry their epochs; the others have none.
static struct streams_group_current_member_assignment_value_task_ids *
current_tasks(const struct streams_tasks *tasks, bool with_epochs, int32_t *count,
              struct arena *arena)
{
    const struct streams_task_ids *ids = streams_tasks_group(tasks, count, arena);
    struct streams_group_current_member_assignment_value_task_ids *out = arena_array(
        arena, struct streams_group_current_member_assignment_value_task_ids, *count + 1);
    for (int32_t i = 0; i < *count; i++) {
        out[i].subtopology_id = ids[i].subtopology;
        out[i].partitions = ids[i].partitions;
        out[i].partitions_count = ids[i].count;
        out[i].assignment_epochs = with_epochs ? ids[i].epochs : NULL;
        out[i].assignment_epochs_count = with_epochs ? ids[i].count : 0;
    }
    return out;
}

#define CURRENT_TASKS(field, from, kind)                                                           \
    (value.field = current_tasks(&(from)->kinds[kind], (kind) == STREAMS_ACTIVE,                   \
                                 &value.field##_count, &arena))

void streams_record_current(struct coordinator_shard *shard, struct str group, struct str member,
                            const struct streams_current *current)
{
    struct arena arena;
    arena_init(&arena);
    struct streams_group_current_member_assignment_value value = {
        .member_epoch = current->epoch,
        .previous_member_epoch = current->previous_epoch,
        .state = current->state,
    };
    CURRENT_TASKS(active_tasks, current->assigned, STREAMS_ACTIVE);
    CURRENT_TASKS(standby_tasks, current->assigned, STREAMS_STANDBY);
    CURRENT_TASKS(warmup_tasks, current->assigned, STREAMS_WARMUP);
    CURRENT_TASKS(active_tasks_pending_revocation, current->pending, STREAMS_ACTIVE);
    CURRENT_TASKS(standby_tasks_pending_revocation, current->pending, STREAMS_STANDBY);
    CURRENT_TASKS(warmup_tasks_pending_revocation, current->pending, STREAMS_WARMUP);
    add(shard, GROUP_RECORD_STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT, group, member,
        &streams_group_current_member_assignment_value_desc, &value);
    arena_fini(&arena);
}
