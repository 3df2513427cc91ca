// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by group/streams/streams_group_test.c.
#include "group/streams/streams_group.h"

#include "base/mem.h"
#include "base/must.h"
#include "coordinator/coordinator_record.h"
#include "group/group_shard.h"
#include "group/streams/streams_records.h"
#include "group/streams/streams_session.h"
#include "protocol/records/streams_group_current_member_assignment.h"
#include "protocol/records/streams_group_target_assignment_member.h"
#include "protocol/records/streams_group_target_assignment_metadata.h"

enum { FIRST_EPOCH = 1, FIRST_ASSIGNMENT_EPOCH = 1, NO_EPOCH = -1 };

// ---- members ---------------------------------------------------------------------------------------

static struct streams_member *find_any(const struct streams_group *group, struct str id)
{
    return hashmap_find(&group->members, id.data, id.size);
}

struct streams_member *streams_group_find(const struct streams_group *group, struct str id)
{
    struct streams_member *member = find_any(group, id);
    return member != NULL && member->is_known ? member : NULL;
}

static struct streams_member *get(struct streams_group *group, struct str id)
{
    struct streams_member *member = find_any(group, id);
    if (member != NULL)
        return member;
    member = mem_new(struct streams_member);
    member->group = group;
    member->id = (struct str){ str_dup(id), id.size };
    arena_init(&member->arena);
    message_init(&streams_group_member_metadata_value_desc, &member->metadata);
    member->current.state = STREAMS_STABLE;
    member->current.assigned = &streams_assignment_none;
    member->current.pending = &streams_assignment_none;
    streams_session_init(member);
    hashmap_put(&group->members, member->id.data, member->id.size, member);
    return member;
}

static void drop_assignment(const struct streams_assignment **assignment)
{
    if (*assignment != &streams_assignment_none)
        mem_free((void *)(uintptr_t)*assignment);
    *assignment = &streams_assignment_none;
}

static void member_free(struct streams_member *member)
{
    streams_session_cancel(member);
    drop_assignment(&member->current.assigned);
    drop_assignment(&member->current.pending);
    mem_free(member->target);
    arena_fini(&member->arena);
    mem_free((void *)(uintptr_t)member->id.data);
    mem_free(member);
}

static void set_known(struct streams_member *member, bool is_known)
{
    struct streams_group *group = member->group;
    if (is_known)
        member->place = timeline_put(&group->order, (size_t)group->members_count, !member->is_known,
                                     member->place);
    group->members_count += is_known - member->is_known;
    member->is_known = is_known;
    if (group->members_count == 0) {
        mem_free(group->shutdown_member);
        group->shutdown_member = NULL;
    }
}

static void drop_if_gone(struct streams_member *member)
{
    if (member->is_known || member->target != NULL)
        return;
    hashmap_remove(&member->group->members, member->id.data, member->id.size);
    member_free(member);
}

bool streams_metadata_equal(const struct streams_metadata *a, const struct streams_metadata *b)
{
    if (!str_eq(a->instance_id, b->instance_id) || !str_eq(a->rack_id, b->rack_id) ||
        !str_eq(a->client_id, b->client_id) || !str_eq(a->client_host, b->client_host) ||
        a->rebalance_timeout_ms != b->rebalance_timeout_ms ||
        a->topology_epoch != b->topology_epoch || !str_eq(a->process_id, b->process_id) ||
        a->client_tags_count != b->client_tags_count ||
        (a->user_endpoint == NULL) != (b->user_endpoint == NULL))
        return false;
    if (a->user_endpoint != NULL && (!str_eq(a->user_endpoint->host, b->user_endpoint->host) ||
                                     a->user_endpoint->port != b->user_endpoint->port))
        return false;
    for (int32_t i = 0; i < a->client_tags_count; i++) // sorted
        if (!str_eq(a->client_tags[i].key, b->client_tags[i].key) ||
            !str_eq(a->client_tags[i].value, b->client_tags[i].value))
            return false;
    return true;
}

// ---- the group -------------------------------------------------------------------------------------

struct streams_group *streams_group_new(struct group_shard *shard, struct str id)
{
    struct streams_group *group = mem_new(struct streams_group);
    group->base.type = GROUP_STREAMS;
    group->base.id = (struct str){ str_dup(id), id.size };
    group->shard = shard;
    group->epoch = FIRST_EPOCH;
    group->assignment_epoch = FIRST_ASSIGNMENT_EPOCH;
    group->seen_version = -1;
    hashmap_init(&group->members);
    group->order = TIMELINE_INIT;
    arena_init(&group->topology_arena);
    streams_session_init_group(group);
    return group;
}

void streams_group_free(struct streams_group *group)
{
    struct streams_member *member;
    streams_session_cancel_group(group);
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        member_free(member);
    hashmap_fini(&group->members);
    streams_configured_free(group->configured);
    arena_fini(&group->topology_arena);
    mem_free(group->standby_replicas);
    mem_free(group->shutdown_member);
    mem_free((void *)(uintptr_t)group->base.id.data);
    mem_free(group);
}

const char *streams_group_state_name(const struct streams_group *group)
{
    if (group->members_count == 0)
        return "Empty";
    if (group->topology == NULL || group->topology->epoch != group->validated_topology_epoch)
        return "NotReady";
    if (group->epoch > group->assignment_epoch)
        return "Assigning";
    struct streams_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (member->is_known &&
            !streams_current_is_reconciled(&member->current, group->assignment_epoch))
            return "Reconciling";
    return "Stable";
}

bool streams_group_subscribes(const struct streams_group *group, struct str topic)
{
    return group->members_count > 0 && group->topology != NULL &&
           streams_topology_reader(group->topology, topic) != NULL;
}

void streams_group_add_tombstones(const struct streams_group *group)
{
    static const int16_t of_members[] = { GROUP_RECORD_STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT,
                                          GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER,
                                          GROUP_RECORD_STREAMS_GROUP_MEMBER_METADATA };
    struct coordinator_shard *shard = group->shard->shard;
    struct str id = group->base.id;
    for (int kind = 0; kind < 3; kind++) {
        struct streams_member *member;
        if (kind == 2)
            streams_record_tombstone(shard, GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA,
                                     id, STR_NULL);
        for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
            if (member->is_known || kind == 1)
                streams_record_tombstone(shard, of_members[kind], id, member->id);
    }
    streams_record_tombstone(shard, GROUP_RECORD_STREAMS_GROUP_METADATA, id, STR_NULL);
    streams_record_tombstone(shard, GROUP_RECORD_STREAMS_GROUP_TOPOLOGY, id, STR_NULL);
}

// ---- replay ----------------------------------------------------------------------------------------

static bool replay_member(struct streams_group *group, struct str id, struct bytes bytes)
{
    if (bytes.data == NULL) {
        struct streams_member *member = find_any(group, id);
        if (member != NULL) {
            set_known(member, false);
            streams_session_cancel(member);
            drop_if_gone(member);
        }
        return true;
    }
    struct streams_member *member = get(group, id);
    set_known(member, true);
    arena_reset(&member->arena);
    message_init(&streams_group_member_metadata_value_desc, &member->metadata);
    return coordinator_record_decode(&streams_group_member_metadata_value_desc,
                                     arena_bytes(&member->arena, bytes), &member->arena,
                                     &member->metadata);
}

// Those of older records, without epochs, have the member's.
static void take_tasks(struct streams_tasks *into,
                       const struct streams_group_current_member_assignment_value_task_ids *from,
                       int32_t count, int32_t epoch, struct arena *arena)
{
    struct streams_task_ids *ids = arena_array(arena, struct streams_task_ids, count + 1);
    for (int32_t i = 0; i < count; i++)
        ids[i] =
            (struct streams_task_ids){ from[i].subtopology_id, from[i].partitions,
                                       from[i].assignment_epochs_count == from[i].partitions_count
                                           ? from[i].assignment_epochs
                                           : NULL,
                                       from[i].partitions_count };
    *into = streams_tasks_of(ids, count, epoch, arena);
}

static bool replay_current(struct streams_group *group, struct str id, struct bytes bytes,
                           struct arena *arena)
{
    struct streams_group_current_member_assignment_value value;
    if (bytes.data == NULL) {
        struct streams_member *member = find_any(group, id);
        if (member != NULL) {
            member->current.epoch = member->current.previous_epoch = NO_EPOCH;
            member->current.state = STREAMS_STABLE;
            drop_assignment(&member->current.assigned);
            drop_assignment(&member->current.pending);
        }
        return true;
    }
    if (!coordinator_record_decode(&streams_group_current_member_assignment_value_desc, bytes,
                                   arena, &value))
        return false;
    struct streams_member *member = get(group, id);
    struct streams_assignment assigned, pending;
    int32_t epoch = value.member_epoch;
    take_tasks(&assigned.kinds[STREAMS_ACTIVE], value.active_tasks, value.active_tasks_count, epoch,
               arena);
    take_tasks(&assigned.kinds[STREAMS_STANDBY], value.standby_tasks, value.standby_tasks_count,
               epoch, arena);
    take_tasks(&assigned.kinds[STREAMS_WARMUP], value.warmup_tasks, value.warmup_tasks_count, epoch,
               arena);
    take_tasks(&pending.kinds[STREAMS_ACTIVE], value.active_tasks_pending_revocation,
               value.active_tasks_pending_revocation_count, epoch, arena);
    take_tasks(&pending.kinds[STREAMS_STANDBY], value.standby_tasks_pending_revocation,
               value.standby_tasks_pending_revocation_count, epoch, arena);
    take_tasks(&pending.kinds[STREAMS_WARMUP], value.warmup_tasks_pending_revocation,
               value.warmup_tasks_pending_revocation_count, epoch, arena);
    set_known(member, true);
    member->current.epoch = epoch;
    member->current.previous_epoch = value.previous_member_epoch;
    bool is_known_state = value.state >= STREAMS_STABLE && value.state <= STREAMS_UNRELEASED_TASKS;
    member->current.state = is_known_state ? value.state : STREAMS_UNKNOWN;
    drop_assignment(&member->current.assigned);
    drop_assignment(&member->current.pending);
    member->current.assigned = streams_assignment_dup(&assigned);
    member->current.pending = streams_assignment_dup(&pending);
    return true;
}

static bool replay_target(struct streams_group *group, struct str id, struct bytes bytes,
                          struct arena *arena)
{
    struct streams_group_target_assignment_member_value value;
    struct streams_member *member = find_any(group, id);
    if (bytes.data == NULL) {
        if (member != NULL) {
            mem_free(member->target);
            member->target = NULL;
            drop_if_gone(member);
        }
        return true;
    }
    if (!coordinator_record_decode(&streams_group_target_assignment_member_value_desc, bytes, arena,
                                   &value))
        return false;
    struct streams_assignment target;
    STREAMS_TASKS_FROM(target.kinds[STREAMS_ACTIVE], value.active_tasks, value.active_tasks_count,
                       arena);
    STREAMS_TASKS_FROM(target.kinds[STREAMS_STANDBY], value.standby_tasks,
                       value.standby_tasks_count, arena);
    STREAMS_TASKS_FROM(target.kinds[STREAMS_WARMUP], value.warmup_tasks, value.warmup_tasks_count,
                       arena);
    member = get(group, id);
    mem_free(member->target);
    member->target = streams_assignment_dup(&target);
    return true;
}

static bool replay_topology(struct streams_group *group, struct bytes bytes)
{
    arena_reset(&group->topology_arena);
    group->topology = NULL;
    if (bytes.data == NULL)
        return true;
    struct streams_topology_value *value =
        arena_new(&group->topology_arena, struct streams_topology_value);
    if (!coordinator_record_decode(&streams_group_topology_value_desc,
                                   arena_bytes(&group->topology_arena, bytes),
                                   &group->topology_arena, value))
        return false;
    group->topology = value;
    return true;
}

static bool replay_epoch(struct streams_group *group, struct bytes bytes, struct arena *arena,
                         bool *is_gone)
{
    struct streams_group_metadata_value value;
    *is_gone = bytes.data == NULL;
    if (*is_gone)
        return true;
    if (!coordinator_record_decode(&streams_group_metadata_value_desc, bytes, arena, &value))
        return false;
    group->epoch = value.epoch;
    group->metadata_hash = value.metadata_hash;
    group->validated_topology_epoch = value.validated_topology_epoch;
    mem_free(group->standby_replicas);
    group->standby_replicas = NULL;
    group->has_other_configs = false;
    for (int32_t i = 0; i < value.last_assignment_configs_count; i++) {
        if (str_eqz(value.last_assignment_configs[i].key, STREAMS_STANDBY_KEY) &&
            group->standby_replicas == NULL)
            group->standby_replicas = str_dup(value.last_assignment_configs[i].value);
        else
            group->has_other_configs = true;
    }
    return true;
}

static bool replay_target_epoch(struct streams_group *group, struct bytes bytes,
                                struct arena *arena)
{
    struct streams_group_target_assignment_metadata_value value;
    group->assignment_epoch = NO_EPOCH;
    group->assignment_ms = 0;
    if (bytes.data == NULL)
        return true;
    if (!coordinator_record_decode(&streams_group_target_assignment_metadata_value_desc, bytes,
                                   arena, &value))
        return false;
    group->assignment_epoch = value.assignment_epoch;
    group->assignment_ms = value.assignment_timestamp;
    return true;
}

static bool replay_of_member(struct streams_group *group, int16_t type, struct bytes key,
                             struct bytes value, struct arena *arena)
{
    struct streams_group_member_metadata_key of_member = { .member_id = STR_NULL };
    struct reader reader;
    reader_init(&reader, key.data, key.size);
    reader_int16(&reader);
    if (!codec_decode(&streams_group_member_metadata_key_desc, 0, &reader, arena, &of_member))
        return false;
    switch (type) {
    case GROUP_RECORD_STREAMS_GROUP_MEMBER_METADATA:
        return replay_member(group, of_member.member_id, value);
    case GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER:
        return replay_target(group, of_member.member_id, value, arena);
    default:
        return replay_current(group, of_member.member_id, value, arena);
    }
}

bool streams_group_replay(struct streams_group *group, int16_t record_type, struct bytes key,
                          struct bytes value, bool *is_gone)
{
    struct arena arena;
    bool is_good;
    *is_gone = false;
    arena_init(&arena);
    if (record_type == GROUP_RECORD_STREAMS_GROUP_METADATA)
        is_good = replay_epoch(group, value, &arena, is_gone);
    else if (record_type == GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA)
        is_good = replay_target_epoch(group, value, &arena);
    else if (record_type == GROUP_RECORD_STREAMS_GROUP_TOPOLOGY)
        is_good = replay_topology(group, value);
    else
        is_good = replay_of_member(group, record_type, key, value, &arena);
    arena_fini(&arena);
    return is_good;
}
