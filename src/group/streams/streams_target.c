// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/streams/streams_group_test.c and compat-tests/twin/streams.
#include "group/streams/streams_target.h"

#include "group/group_shard.h"
#include "group/streams/streams_assignor.h"
#include "group/streams/streams_records.h"

bool streams_target_is_due(const struct streams_group *group)
{
    int64_t interval_ms = group_settings_int(group->shard->settings, group->base.id,
                                             GROUP_STREAMS_ASSIGNMENT_INTERVAL_MS);
    return group->assignment_ms == 0 || interval_ms == 0 ||
           coordinator_wall_ms(group->shard->shard) >= group->assignment_ms + interval_ms;
}

static const struct streams_assignment *target_of(const struct streams_group *group, struct str id)
{
    const struct streams_member *member = hashmap_find(&group->members, id.data, id.size);
    return member != NULL ? member->target : NULL;
}

static struct streams_assignor_member *members_of(const struct streams_target *input,
                                                  int32_t *count, struct arena *arena)
{
    const struct streams_group *group = input->group;
    struct streams_assignor_member *members =
        arena_array(arena, struct streams_assignor_member, group->members_count + 1);
    struct streams_member *member;
    *count = 0;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (member->is_known && !str_eq(member->id, input->member_id))
            members[(*count)++] =
                (struct streams_assignor_member){ .id = member->id,
                                                  .process_id = member->metadata.process_id };
    if (!str_is_null(input->member_id))
        members[(*count)++] =
            (struct streams_assignor_member){ .id = input->member_id,
                                              .process_id = input->metadata->process_id };
    for (int32_t i = 0; i < *count; i++) {
        members[i].former = target_of(group, members[i].id);
        if (members[i].former == NULL)
            members[i].former = &streams_assignment_none;
    }
    streams_assignor_sort(members, *count, arena);
    return members;
}

static void assign(const struct streams_target *input, struct streams_assignor_member *members,
                   int32_t count, struct arena *arena)
{
    const struct streams_configured *configured = input->configured;
    int32_t topology_count = configured->subtopologies_count;
    struct streams_assignor_topology *topology =
        arena_array(arena, struct streams_assignor_topology, topology_count + 1);
    for (int32_t i = 0; i < topology_count; i++) {
        const struct streams_configured_subtopology *at = &configured->subtopologies[i];
        topology[i] = (struct streams_assignor_topology){
            .id = at->subtopology->subtopology_id,
            .tasks_count = at->tasks_count,
            .is_stateful = at->subtopology->state_changelog_topics_count > 0,
        };
    }
    streams_assign(members, count, topology, topology_count, input->standby_replicas, arena);
}

const struct streams_assignment *streams_target_update(const struct streams_target *input,
                                                       struct arena *arena)
{
    const struct streams_group *group = input->group;
    struct coordinator_shard *shard = group->shard->shard;
    const struct streams_assignment *wanted = &streams_assignment_none;
    int32_t count;
    struct streams_assignor_member *members = members_of(input, &count, arena);
    if (input->configured->is_ready)
        assign(input, members, count, arena);
    for (int32_t i = 0; i < count; i++) {
        const struct streams_assignment *before = target_of(group, members[i].id);
        if (before == NULL || !streams_assignment_equal(before, &members[i].assigned, false))
            streams_record_target(shard, group->base.id, members[i].id, &members[i].assigned);
        if (str_eq(members[i].id, input->member_id))
            wanted = &members[i].assigned;
    }
    streams_record_target_epoch(shard, group->base.id, input->epoch, coordinator_wall_ms(shard));
    return wanted;
}

void streams_target_after_delay(struct streams_group *group)
{
    if (group->members_count == 0 || group->epoch <= group->assignment_epoch ||
        group->configured == NULL || !streams_target_is_due(group))
        return;
    int64_t standby_replicas = 0;
    if (group->standby_replicas != NULL)
        str_to_int64(str_of(group->standby_replicas), &standby_replicas);
    struct arena arena;
    arena_init(&arena);
    streams_target_update(&(struct streams_target){ .group = group,
                                                    .epoch = group->epoch,
                                                    .configured = group->configured,
                                                    .standby_replicas = (int32_t)standby_replicas,
                                                    .member_id = STR_NULL },
                          &arena);
    coordinator_append(group->shard->shard, true); // an error: the next heartbeat assigns
    arena_fini(&arena);
}
