// SPDX-License-Identifier: Apache-2.0
// The state of a share group, by replay. See the header.
// Tested by group/share/share_group_test.c.
#include "group/share/share_group.h"

#include <stdlib.h>

#include "base/mem.h"
#include "coordinator/coordinator_record.h"
#include "group/group_shard.h"
#include "group/metadata_hash.h"
#include "group/share/share_group_beat.h"
#include "group/share/share_group_records.h"
#include "protocol/records/share_group_current_member_assignment.h"
#include "protocol/records/share_group_member_metadata.h"
#include "protocol/records/share_group_metadata.h"
#include "protocol/records/share_group_state_partition_metadata.h"
#include "protocol/records/share_group_target_assignment_member.h"
#include "protocol/records/share_group_target_assignment_metadata.h"

enum { EPOCH_LEFT = -1, FIRST_EPOCH = 1 };

// ---- members ---------------------------------------------------------------------------------------

struct share_member *share_group_find(const struct share_group *group, struct str id)
{
    return hashmap_find(&group->members, id.data, id.size);
}

struct share_member *share_group_get(struct share_group *group, struct str id)
{
    struct share_member *member = share_group_find(group, id);
    if (member != NULL)
        return member;
    member = mem_new(struct share_member);
    member->group = group;
    member->id = str_dup(id);
    member->client_id = mem_strdup("");
    member->client_host = mem_strdup("");
    timer_init(&member->session, share_group_session_over);
    hashmap_put(&group->members, member->id, id.size, member);
    return member;
}

static void forget_topics(struct share_member *member)
{
    for (int32_t i = 0; i < member->topics_count; i++)
        mem_free(member->topics[i]);
    mem_free(member->topics);
    member->topics = NULL;
    member->topics_count = 0;
}

static int by_name(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

void share_member_subscribe(struct share_member *member, const struct str *topics, int32_t count)
{
    struct str *sorted = mem_alloc((size_t)count * sizeof *sorted + 1);
    for (int32_t i = 0; i < count; i++)
        sorted[i] = topics[i];
    if (count > 1)
        qsort(sorted, (size_t)count, sizeof *sorted, by_name);
    forget_topics(member);
    member->topics = mem_alloc((size_t)count * sizeof *member->topics + 1);
    for (int32_t i = 0; i < count; i++)
        if (i == 0 || !str_eq(sorted[i], sorted[i - 1]))
            member->topics[member->topics_count++] = str_dup(sorted[i]);
    mem_free(sorted);
}

static void member_free(struct share_member *member)
{
    coordinator_cancel_timer(member->group->shard->shard, &member->session);
    forget_topics(member);
    share_topics_fini(&member->assigned);
    share_topics_fini(&member->target);
    mem_free(member->rack);
    mem_free(member->client_id);
    mem_free(member->client_host);
    mem_free(member->id);
    mem_free(member);
}

static void set_known(struct share_member *member, bool is_known)
{
    struct share_group *group = member->group;
    if (is_known)
        member->place = timeline_put(&group->order, (size_t)group->members_count, !member->is_known,
                                     member->place);
    group->members_count += is_known - member->is_known;
    member->is_known = is_known;
}

static void drop_if_gone(struct share_member *member)
{
    if (member->is_known || member->has_target)
        return;
    hashmap_remove(&member->group->members, member->id, strlen(member->id));
    member_free(member);
}

// ---- the group -------------------------------------------------------------------------------------

struct share_group *share_group_new(struct group_shard *shard, struct str id)
{
    struct share_group *group = mem_new(struct share_group);
    group->base.type = GROUP_SHARE;
    group->base.id = (struct str){ str_dup(id), id.size };
    group->shard = shard;
    group->epoch = FIRST_EPOCH;
    group->assignment_epoch = FIRST_EPOCH;
    group->seen_version = -1;
    hashmap_init(&group->members);
    group->order = TIMELINE_INIT;
    return group;
}

void share_group_free(struct share_group *group)
{
    struct share_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        member_free(member);
    hashmap_fini(&group->members);
    share_topics_fini(&group->initializing);
    share_topics_fini(&group->initialized);
    share_topics_fini(&group->deleting);
    mem_free((void *)(uintptr_t)group->base.id.data);
    mem_free(group);
}

const char *share_group_state_name(const struct share_group *group)
{
    return group->members_count == 0 ? "Empty" : "Stable";
}

void share_group_on_loaded(struct share_group *group)
{
    struct share_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (member->is_known)
            share_group_renew_session(member);
}

void share_group_cancel_timers(struct share_group *group)
{
    struct share_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        coordinator_cancel_timer(group->shard->shard, &member->session);
}

void share_group_add_tombstones(const struct share_group *group)
{
    static const int16_t of_members[] = { GROUP_RECORD_SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT,
                                          GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER,
                                          GROUP_RECORD_SHARE_GROUP_MEMBER_METADATA };
    struct coordinator_shard *shard = group->shard->shard;
    struct str id = group->base.id;
    for (int kind = 0; kind < 3; kind++) {
        struct share_member *member;
        if (kind == 2)
            share_group_record_tombstone(shard, GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_METADATA,
                                         id, STR_NULL);
        for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
            share_group_record_tombstone(shard, of_members[kind], id, str_of(member->id));
    }
    share_group_record_tombstone(shard, GROUP_RECORD_SHARE_GROUP_STATE_PARTITION_METADATA, id,
                                 STR_NULL);
    share_group_record_tombstone(shard, GROUP_RECORD_SHARE_GROUP_METADATA, id, STR_NULL);
}

struct str *share_group_subscriptions(const struct share_group *group,
                                      const struct share_member *member,
                                      const struct share_member *instead, struct arena *arena,
                                      int32_t *count)
{
    struct share_member *at;
    int32_t most = instead != NULL ? instead->topics_count : 0;
    for (size_t i = 0; (at = hashmap_next(&group->members, &i)) != NULL;)
        most += at->topics_count;
    struct str *names = arena_array(arena, struct str, most + 1);
    int32_t used = 0;
    for (size_t i = 0; (at = hashmap_next(&group->members, &i)) != NULL;)
        for (int32_t t = 0; at != member && at->is_known && t < at->topics_count; t++)
            names[used++] = str_of(at->topics[t]);
    for (int32_t t = 0; instead != NULL && t < instead->topics_count; t++)
        names[used++] = str_of(instead->topics[t]);
    if (used > 1)
        qsort(names, (size_t)used, sizeof *names, by_name);
    *count = 0;
    for (int32_t i = 0; i < used; i++)
        if (*count == 0 || !str_eq(names[i], names[*count - 1]))
            names[(*count)++] = names[i];
    return names;
}

int64_t share_group_hash(const struct share_group *group, const struct str *names, int32_t count,
                         struct arena *arena)
{
    struct topic_index *topics = group->shard->topics;
    int64_t *hashes = arena_array(arena, int64_t, count + 1);
    size_t found = 0;
    topic_index_lock_read(topics);
    for (int32_t i = 0; i < count; i++) {
        const struct indexed_topic *topic = topic_index_find(topics, names[i]);
        if (topic != NULL)
            hashes[found++] = topic->hash;
    }
    topic_index_unlock(topics);
    return metadata_hash_group(hashes, found);
}

// ---- replay ----------------------------------------------------------------------------------------

static void set_text(char **text, struct str value)
{
    mem_free(*text);
    *text = str_dup(value);
}

static void fill(struct share_topics *topics, struct uuid id, struct str name,
                 const int32_t *partitions, int32_t count, int64_t now_ms)
{
    struct share_topic *topic = share_topics_get(topics, id, name);
    topic->since_ms = now_ms;
    for (int32_t p = 0; p < count; p++)
        share_topic_add(topic, partitions[p]);
}

static bool replay_member(struct share_group *group, struct str id, struct bytes bytes,
                          struct arena *arena)
{
    struct share_group_member_metadata_value value;
    if (bytes.data == NULL) {
        struct share_member *member = share_group_find(group, id);
        if (member != NULL) {
            set_known(member, false);
            drop_if_gone(member);
        }
        return true;
    }
    if (!coordinator_record_decode(&share_group_member_metadata_value_desc, bytes, arena, &value))
        return false;
    struct share_member *member = share_group_get(group, id);
    set_known(member, true);
    set_text(&member->rack, value.rack_id);
    set_text(&member->client_id, value.client_id);
    set_text(&member->client_host, value.client_host);
    share_member_subscribe(member, value.subscribed_topic_names,
                           value.subscribed_topic_names_count);
    return true;
}

static bool replay_current(struct share_group *group, struct str id, struct bytes bytes,
                           struct arena *arena)
{
    struct share_group_current_member_assignment_value value;
    if (bytes.data == NULL) {
        struct share_member *member = share_group_find(group, id);
        if (member != NULL) {
            member->epoch = member->previous_epoch = EPOCH_LEFT;
            share_topics_fini(&member->assigned);
        }
        return true;
    }
    if (!coordinator_record_decode(&share_group_current_member_assignment_value_desc, bytes, arena,
                                   &value))
        return false;
    struct share_member *member = share_group_get(group, id);
    set_known(member, true);
    member->epoch = value.member_epoch;
    member->previous_epoch = value.previous_member_epoch;
    member->state = value.state;
    share_topics_fini(&member->assigned);
    for (int32_t i = 0; i < value.assigned_partitions_count; i++)
        fill(&member->assigned, value.assigned_partitions[i].topic_id, STR_NULL,
             value.assigned_partitions[i].partitions, value.assigned_partitions[i].partitions_count,
             0);
    return true;
}

static bool replay_target(struct share_group *group, struct str id, struct bytes bytes,
                          struct arena *arena)
{
    struct share_group_target_assignment_member_value value;
    struct share_member *member = share_group_find(group, id);
    if (bytes.data == NULL) {
        if (member != NULL) {
            share_topics_fini(&member->target);
            member->has_target = false;
            drop_if_gone(member);
        }
        return true;
    }
    if (!coordinator_record_decode(&share_group_target_assignment_member_value_desc, bytes, arena,
                                   &value))
        return false;
    member = share_group_get(group, id);
    member->has_target = true;
    share_topics_fini(&member->target);
    for (int32_t i = 0; i < value.topic_partitions_count; i++)
        fill(&member->target, value.topic_partitions[i].topic_id, STR_NULL,
             value.topic_partitions[i].partitions, value.topic_partitions[i].partitions_count, 0);
    return true;
}

static bool replay_state(struct share_group *group, struct bytes bytes, struct arena *arena)
{
    struct share_group_state_partition_metadata_value value = { 0 };
    int64_t now_ms = coordinator_wall_ms(group->shard->shard);
    if (bytes.data != NULL &&
        !coordinator_record_decode(&share_group_state_partition_metadata_value_desc, bytes, arena,
                                   &value))
        return false;
    group->has_state = bytes.data != NULL;
    share_topics_fini(&group->initializing);
    share_topics_fini(&group->initialized);
    share_topics_fini(&group->deleting);
    for (int32_t i = 0; i < value.initializing_topics_count; i++)
        fill(&group->initializing, value.initializing_topics[i].topic_id,
             value.initializing_topics[i].topic_name, value.initializing_topics[i].partitions,
             value.initializing_topics[i].partitions_count, now_ms);
    for (int32_t i = 0; i < value.initialized_topics_count; i++)
        fill(&group->initialized, value.initialized_topics[i].topic_id,
             value.initialized_topics[i].topic_name, value.initialized_topics[i].partitions,
             value.initialized_topics[i].partitions_count, now_ms);
    for (int32_t i = 0; i < value.deleting_topics_count; i++)
        fill(&group->deleting, value.deleting_topics[i].topic_id,
             value.deleting_topics[i].topic_name, NULL, 0, now_ms);
    return true;
}

static bool replay_epochs(struct share_group *group, int16_t type, struct bytes bytes,
                          struct arena *arena, bool *is_gone)
{
    struct share_group_metadata_value epoch;
    struct share_group_target_assignment_metadata_value target;
    if (type == GROUP_RECORD_SHARE_GROUP_METADATA) {
        *is_gone = bytes.data == NULL;
        if (*is_gone)
            return true;
        if (!coordinator_record_decode(&share_group_metadata_value_desc, bytes, arena, &epoch))
            return false;
        group->epoch = epoch.epoch;
        group->metadata_hash = epoch.metadata_hash;
        return true;
    }
    group->assignment_epoch = -1;
    group->assignment_ms = 0;
    if (bytes.data == NULL)
        return true;
    if (!coordinator_record_decode(&share_group_target_assignment_metadata_value_desc, bytes, arena,
                                   &target))
        return false;
    group->assignment_epoch = target.assignment_epoch;
    group->assignment_ms = target.assignment_timestamp;
    return true;
}

bool share_group_replay(struct share_group *group, int16_t record_type, struct bytes key,
                        struct bytes value, bool *is_gone)
{
    struct arena arena;
    struct reader reader;
    struct share_group_member_metadata_key of_member = { .member_id = STR_NULL };
    *is_gone = false;
    arena_init(&arena);
    reader_init(&reader, key.data, key.size);
    reader_int16(&reader);
    bool has_member = record_type == GROUP_RECORD_SHARE_GROUP_MEMBER_METADATA ||
                      record_type == GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER ||
                      record_type == GROUP_RECORD_SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT;
    bool is_good = !has_member || codec_decode(&share_group_member_metadata_key_desc, 0, &reader,
                                               &arena, &of_member);
    if (!is_good)
        ;
    else if (record_type == GROUP_RECORD_SHARE_GROUP_MEMBER_METADATA)
        is_good = replay_member(group, of_member.member_id, value, &arena);
    else if (record_type == GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER)
        is_good = replay_target(group, of_member.member_id, value, &arena);
    else if (record_type == GROUP_RECORD_SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT)
        is_good = replay_current(group, of_member.member_id, value, &arena);
    else if (record_type == GROUP_RECORD_SHARE_GROUP_STATE_PARTITION_METADATA)
        is_good = replay_state(group, value, &arena);
    else
        is_good = replay_epochs(group, record_type, value, &arena, is_gone);
    arena_fini(&arena);
    return is_good;
}
