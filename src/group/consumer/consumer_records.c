// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_records.h"

#include "coordinator/coordinator_record.h"
#include "group/consumer/consumer_session.h"
#include "group/group_records.h"
#include "protocol/records/consumer_group_metadata.h"
#include "protocol/records/consumer_group_partition_metadata.h"
#include "protocol/records/consumer_group_target_assignment_metadata.h"

// ---- replay ----------------------------------------------------------------------------------------

bool consumer_record_is(int16_t type)
{
    return (type >= GROUP_RECORD_CONSUMER_GROUP_METADATA &&
            type <= GROUP_RECORD_CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT) ||
           type == GROUP_RECORD_CONSUMER_GROUP_REGULAR_EXPRESSION;
}

// Key and value of one record, whichever it is.
struct replayed {
    struct group_shard *state;
    struct arena arena;
    struct str group_id;
    struct str part; // member or expression
    union {
        struct consumer_group_metadata_value epoch;
        struct consumer_group_partition_metadata_value partitions;
        struct member_metadata_value metadata;
        struct consumer_group_target_assignment_metadata_value target_epoch;
        struct member_target_value target;
        struct member_current_value current;
        struct consumer_group_regular_expression_value regex;
    } value;
};

static const struct message_desc *value_desc_of(int16_t type)
{
    switch (type) {
    case GROUP_RECORD_CONSUMER_GROUP_METADATA:
        return &consumer_group_metadata_value_desc;
    case GROUP_RECORD_CONSUMER_GROUP_PARTITION_METADATA:
        return &consumer_group_partition_metadata_value_desc;
    case GROUP_RECORD_CONSUMER_GROUP_MEMBER_METADATA:
        return &consumer_group_member_metadata_value_desc;
    case GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA:
        return &consumer_group_target_assignment_metadata_value_desc;
    case GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER:
        return &consumer_group_target_assignment_member_value_desc;
    case GROUP_RECORD_CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT:
        return &consumer_group_current_member_assignment_value_desc;
    default:
        return &consumer_group_regular_expression_value_desc;
    }
}

static bool has_part(int16_t type)
{
    return type != GROUP_RECORD_CONSUMER_GROUP_METADATA &&
           type != GROUP_RECORD_CONSUMER_GROUP_PARTITION_METADATA &&
           type != GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA;
}

static bool decode(struct replayed *r, int16_t type, struct bytes key, struct bytes value)
{
    struct reader reader;
    reader_init(&reader, key.data, key.size);
    reader_int16(&reader);
    r->group_id = reader_string(&reader, false);
    if (has_part(type))
        r->part = reader_string(&reader, false);
    if (reader_failed(&reader))
        return false;
    if (value.data == NULL)
        return true;
    return coordinator_record_decode(value_desc_of(type), value, &r->arena, &r->value);
}

// The group, made if a value asks for it; a group of another type, most often a simple one that an earlier offset
// commit made, gives way.
static struct consumer_group *group_for(struct replayed *r, bool is_tombstone)
{
    struct group *present = group_shard_find(r->state, r->group_id);
    if (present != NULL && present->type == GROUP_CONSUMER)
        return container_of(present, struct consumer_group, base);
    if (is_tombstone)
        return NULL;
    if (present != NULL)
        group_shard_remove(r->state, present);
    return group_shard_create_consumer(r->state, r->group_id);
}

static void replay_metadata(struct consumer_group *group, const struct replayed *r,
                            bool is_tombstone)
{
    if (!is_tombstone) {
        consumer_group_set_metadata(group, r->part, &r->value.metadata);
        return;
    }
    struct consumer_member *member = consumer_group_find(group, r->part);
    if (member == NULL)
        return;
    consumer_cancel_timers(member);
    consumer_group_remove_member(group, member);
}

static void replay_into(struct consumer_group *group, int16_t type, const struct replayed *r,
                        bool is_tombstone)
{
    switch (type) {
    case GROUP_RECORD_CONSUMER_GROUP_METADATA:
        if (is_tombstone) {
            group_shard_remove(r->state, &group->base);
            return;
        }
        group->epoch = r->value.epoch.epoch;
        group->metadata_hash = r->value.epoch.metadata_hash;
        return;
    case GROUP_RECORD_CONSUMER_GROUP_PARTITION_METADATA:
        group->has_partition_metadata = !is_tombstone;
        return;
    case GROUP_RECORD_CONSUMER_GROUP_MEMBER_METADATA:
        replay_metadata(group, r, is_tombstone);
        return;
    case GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA:
        group->assignment_epoch = is_tombstone ? -1 : r->value.target_epoch.assignment_epoch;
        group->assignment_timestamp_ms =
            is_tombstone ? 0 : r->value.target_epoch.assignment_timestamp;
        return;
    case GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER:
        consumer_group_set_target(group, r->part, is_tombstone ? NULL : &r->value.target);
        return;
    case GROUP_RECORD_CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT:
        consumer_group_set_current(group, r->part, is_tombstone ? NULL : &r->value.current);
        return;
    default:
        consumer_group_set_regex(group, r->part, is_tombstone ? NULL : &r->value.regex);
    }
}

bool consumer_replay(struct group_shard *state, int16_t type, struct bytes key, struct bytes value)
{
    struct replayed r = { .state = state };
    arena_init(&r.arena);
    bool is_good = decode(&r, type, key, value);
    if (is_good) {
        struct consumer_group *group = group_for(&r, value.data == NULL);
        if (group != NULL)
            replay_into(group, type, &r, value.data == NULL);
    }
    arena_fini(&r.arena);
    return is_good;
}

// ---- adding ----------------------------------------------------------------------------------------

static struct coordinator_shard *shard_of(const struct consumer_group *group)
{
    return group->shard->shard;
}

void consumer_add_epoch(const struct consumer_group *group, int32_t epoch, int64_t metadata_hash)
{
    struct consumer_group_metadata_key key = { group->base.id };
    struct consumer_group_metadata_value value = { .epoch = epoch, .metadata_hash = metadata_hash };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_METADATA,
                           &consumer_group_metadata_key_desc, &key, 0,
                           &consumer_group_metadata_value_desc, &value);
}

void consumer_add_epoch_tombstone(const struct consumer_group *group)
{
    struct consumer_group_metadata_key key = { group->base.id };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_METADATA,
                           &consumer_group_metadata_key_desc, &key, 0, NULL, NULL);
}

void consumer_add_partition_metadata_tombstone(const struct consumer_group *group)
{
    struct consumer_group_partition_metadata_key key = { group->base.id };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_PARTITION_METADATA,
                           &consumer_group_partition_metadata_key_desc, &key, 0, NULL, NULL);
}

void consumer_add_metadata(const struct consumer_group *group, struct str member_id,
                           const struct member_metadata_value *value)
{
    struct consumer_group_member_metadata_key key = { group->base.id, member_id };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_MEMBER_METADATA,
                           &consumer_group_member_metadata_key_desc, &key, 0,
                           &consumer_group_member_metadata_value_desc, value);
}

void consumer_add_target_epoch(const struct consumer_group *group, int32_t epoch,
                               int64_t timestamp_ms)
{
    struct consumer_group_target_assignment_metadata_key key = { group->base.id };
    struct consumer_group_target_assignment_metadata_value value = { .assignment_epoch = epoch,
                                                                     .assignment_timestamp =
                                                                         timestamp_ms };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA,
                           &consumer_group_target_assignment_metadata_key_desc, &key, 0,
                           &consumer_group_target_assignment_metadata_value_desc, &value);
}

void consumer_add_target_epoch_tombstone(const struct consumer_group *group)
{
    struct consumer_group_target_assignment_metadata_key key = { group->base.id };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA,
                           &consumer_group_target_assignment_metadata_key_desc, &key, 0, NULL,
                           NULL);
}

void consumer_add_target(const struct consumer_group *group, struct str member_id,
                         const struct member_target_value *value)
{
    struct consumer_group_target_assignment_member_key key = { group->base.id, member_id };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER,
                           &consumer_group_target_assignment_member_key_desc, &key, 0,
                           &consumer_group_target_assignment_member_value_desc, value);
}

void consumer_add_current(const struct consumer_group *group, struct str member_id,
                          const struct member_current_value *value)
{
    struct consumer_group_current_member_assignment_key key = { group->base.id, member_id };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT,
                           &consumer_group_current_member_assignment_key_desc, &key, 0,
                           &consumer_group_current_member_assignment_value_desc, value);
}

void consumer_add_regex(const struct consumer_group *group, struct str pattern,
                        const struct consumer_group_regular_expression_value *value)
{
    struct consumer_group_regular_expression_key key = { group->base.id, pattern };
    coordinator_record_add(shard_of(group), GROUP_RECORD_CONSUMER_GROUP_REGULAR_EXPRESSION,
                           &consumer_group_regular_expression_key_desc, &key, 0,
                           &consumer_group_regular_expression_value_desc, value);
}

void consumer_add_member_tombstones(const struct consumer_group *group, struct str member_id)
{
    consumer_add_current(group, member_id, NULL);
    consumer_add_target(group, member_id, NULL);
    consumer_add_metadata(group, member_id, NULL);
}

void consumer_add_tombstones(const struct consumer_group *group, struct str instead_of,
                             struct str other)
{
    const struct consumer_member *member;
    const struct resolved_regex *regex;
#define CALLED(m) (str_eq((m)->id, instead_of) ? other : (m)->id)
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        consumer_add_current(group, CALLED(member), NULL);
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        consumer_add_target(group, CALLED(member), NULL);
    consumer_add_target_epoch_tombstone(group);
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        consumer_add_metadata(group, CALLED(member), NULL);
#undef CALLED
    for (size_t i = 0; (regex = hashmap_next(&group->regexes, &i)) != NULL;)
        consumer_add_regex(group, regex->pattern, NULL);
    consumer_add_partition_metadata_tombstone(group);
    consumer_add_epoch_tombstone(group);
}
