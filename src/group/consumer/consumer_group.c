// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/consumer/consumer_group_test.c.
#include "group/consumer/consumer_group.h"

#include "base/mem.h"
#include "base/must.h"
#include "protocol/message_dup.h"

const struct member_metadata_value member_metadata_none = {
    .client_id = { "", 0 },
    .client_host = { "", 0 },
    .subscribed_topic_regex = { "", 0 },
    .rebalance_timeout_ms = -1,
};
const struct member_current_value member_current_none = { .previous_member_epoch = -1 };

static const struct member_target_value no_target;

static struct str own(struct str s)
{
    return (struct str){ str_dup(s), s.size };
}

static void disown(struct str s)
{
    mem_free((void *)(uintptr_t)s.data);
}

// ---- life ------------------------------------------------------------------------------------------

struct consumer_group *consumer_group_new(struct group_shard *shard, struct str id)
{
    struct consumer_group *group = mem_new(struct consumer_group);
    group->base = (struct group){ GROUP_CONSUMER, own(id) };
    group->shard = shard;
    group->epoch = 1;
    group->assignment_epoch = 1;
    hashmap_init(&group->members);
    group->order = TIMELINE_INIT;
    hashmap_init(&group->static_members);
    hashmap_init(&group->targets);
    hashmap_init(&group->regexes);
    hashmap_init(&group->partition_epochs);
    return group;
}

static void member_free(struct consumer_member *member)
{
    must(!timer_is_set(&member->session_timer) && !timer_is_set(&member->rebalance_timer));
    must(!timer_is_set(&member->join_timer) && !timer_is_set(&member->sync_timer));
    mem_free(member->metadata);
    mem_free(member->current);
    disown(member->id);
    mem_free(member);
}

static void target_free(struct consumer_target *target)
{
    mem_free(target->value);
    disown(target->member_id);
    mem_free(target);
}

static void regex_free(struct resolved_regex *regex)
{
    mem_free(regex->value);
    disown(regex->pattern);
    mem_free(regex);
}

void consumer_group_free(struct consumer_group *group)
{
    struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        member_free(member);
    struct consumer_target *target;
    for (size_t i = 0; (target = hashmap_next(&group->targets, &i)) != NULL;)
        target_free(target);
    struct resolved_regex *regex;
    for (size_t i = 0; (regex = hashmap_next(&group->regexes, &i)) != NULL;)
        regex_free(regex);
    struct owned_partition *owned;
    for (size_t i = 0; (owned = hashmap_next(&group->partition_epochs, &i)) != NULL;)
        mem_free(owned);
    hashmap_fini(&group->members);
    hashmap_fini(&group->static_members);
    hashmap_fini(&group->targets);
    hashmap_fini(&group->regexes);
    hashmap_fini(&group->partition_epochs);
    disown(group->base.id);
    mem_free(group);
}

// ---- questions -------------------------------------------------------------------------------------

const char *consumer_group_state_name(const struct consumer_group *group)
{
    if (group->members.count == 0)
        return "Empty";
    if (group->epoch > group->assignment_epoch)
        return "Assigning";
    struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (!member_is_reconciled(member->current, group->assignment_epoch))
            return "Reconciling";
    return "Stable";
}

struct consumer_member *consumer_group_find(const struct consumer_group *group,
                                            struct str member_id)
{
    return hashmap_find(&group->members, member_id.data, member_id.size);
}

struct consumer_member *consumer_group_find_static(const struct consumer_group *group,
                                                   struct str instance_id)
{
    return str_is_null(instance_id)
               ? NULL
               : hashmap_find(&group->static_members, instance_id.data, instance_id.size);
}

const struct member_target_value *consumer_group_target(const struct consumer_group *group,
                                                        struct str member_id)
{
    const struct consumer_target *target =
        hashmap_find(&group->targets, member_id.data, member_id.size);
    return target != NULL ? target->value : &no_target;
}

const struct resolved_regex *consumer_group_regex(const struct consumer_group *group,
                                                  struct str pattern)
{
    return hashmap_find(&group->regexes, pattern.data, pattern.size);
}

enum { PARTITION_KEY_SIZE = sizeof(struct uuid) + sizeof(int32_t) };

static void partition_key(uint8_t key[PARTITION_KEY_SIZE], struct uuid topic_id, int32_t partition)
{
    memcpy(key, &topic_id, sizeof topic_id);
    memcpy(key + sizeof topic_id, &partition, sizeof partition);
}

int32_t consumer_group_partition_epoch(const struct consumer_group *group, struct uuid topic_id,
                                       int32_t partition)
{
    uint8_t key[PARTITION_KEY_SIZE];
    partition_key(key, topic_id, partition);
    const struct owned_partition *owned =
        hashmap_find(&group->partition_epochs, key, PARTITION_KEY_SIZE);
    return owned != NULL ? owned->epoch : -1;
}

const struct member_topic *member_find_topic(const struct member_topic *topics, int32_t count,
                                             struct uuid topic_id)
{
    for (int32_t i = 0; i < count; i++)
        if (uuid_eq(topics[i].topic_id, topic_id))
            return &topics[i];
    return NULL;
}

int32_t member_assignment_epoch(const struct member_topic *topics, int32_t count,
                                struct uuid topic_id, int32_t partition)
{
    const struct member_topic *topic = member_find_topic(topics, count, topic_id);
    for (int32_t i = 0; topic != NULL && i < topic->partitions_count; i++)
        if (topic->partitions[i] == partition)
            return topic->assignment_epochs[i];
    return -1;
}

// ---- who owns what ---------------------------------------------------------------------------------

// A log in which two members own a partition is not Kafka's; the later owner counts.
static void own_partitions(struct consumer_group *group, const struct member_topic *topics,
                           int32_t count, int32_t epoch)
{
    for (int32_t t = 0; t < count; t++) {
        for (int32_t p = 0; p < topics[t].partitions_count; p++) {
            uint8_t key[PARTITION_KEY_SIZE];
            partition_key(key, topics[t].topic_id, topics[t].partitions[p]);
            struct owned_partition *owned =
                hashmap_find(&group->partition_epochs, key, PARTITION_KEY_SIZE);
            if (owned == NULL) {
                owned = mem_new(struct owned_partition);
                owned->topic_id = topics[t].topic_id;
                owned->partition = topics[t].partitions[p];
                hashmap_put(&group->partition_epochs, owned, PARTITION_KEY_SIZE, owned);
            }
            owned->epoch = epoch;
        }
    }
}

// One that is owned at another epoch has found a new owner.
static void disown_partitions(struct consumer_group *group, const struct member_topic *topics,
                              int32_t count, int32_t epoch)
{
    for (int32_t t = 0; t < count; t++) {
        for (int32_t p = 0; p < topics[t].partitions_count; p++) {
            uint8_t key[PARTITION_KEY_SIZE];
            partition_key(key, topics[t].topic_id, topics[t].partitions[p]);
            struct owned_partition *owned =
                hashmap_find(&group->partition_epochs, key, PARTITION_KEY_SIZE);
            if (owned == NULL || owned->epoch != epoch)
                continue;
            hashmap_remove(&group->partition_epochs, key, PARTITION_KEY_SIZE);
            mem_free(owned);
        }
    }
}

static void own_all(struct consumer_group *group, const struct member_current_value *current)
{
    own_partitions(group, current->assigned_partitions, current->assigned_partitions_count,
                   current->member_epoch);
    own_partitions(group, current->partitions_pending_revocation,
                   current->partitions_pending_revocation_count, current->member_epoch);
}

static void disown_all(struct consumer_group *group, const struct member_current_value *current)
{
    disown_partitions(group, current->assigned_partitions, current->assigned_partitions_count,
                      current->member_epoch);
    disown_partitions(group, current->partitions_pending_revocation,
                      current->partitions_pending_revocation_count, current->member_epoch);
}

// ---- replay ----------------------------------------------------------------------------------------

static void count_metadata(struct consumer_group *group,
                           const struct member_metadata_value *metadata, int32_t change)
{
    group->classic_count += member_is_classic(metadata) ? change : 0;
    group->regex_count += member_has_regex(metadata) ? change : 0;
}

static struct consumer_member *find_or_make(struct consumer_group *group, struct str member_id)
{
    struct consumer_member *member = consumer_group_find(group, member_id);
    uint64_t place = timeline_put(&group->order, group->members.count, member == NULL,
                                  member != NULL ? member->place : 0);
    if (member != NULL)
        return member;
    member = mem_new(struct consumer_member);
    member->id = own(member_id);
    member->place = place;
    member->group = group;
    member->metadata =
        message_dup(&consumer_group_member_metadata_value_desc, &member_metadata_none);
    member->current =
        message_dup(&consumer_group_current_member_assignment_value_desc, &member_current_none);
    hashmap_put(&group->members, member->id.data, member->id.size, member);
    return member;
}

// While one static member replaces another both are there for a moment; the instance is the newer one's.
static void forget_instance(struct consumer_group *group, const struct consumer_member *member)
{
    struct str instance_id = member->metadata->instance_id;
    if (consumer_group_find_static(group, instance_id) == member)
        hashmap_remove(&group->static_members, instance_id.data, instance_id.size);
}

void consumer_group_set_metadata(struct consumer_group *group, struct str member_id,
                                 const struct member_metadata_value *value)
{
    struct consumer_member *member = find_or_make(group, member_id);
    forget_instance(group, member);
    count_metadata(group, member->metadata, -1);
    mem_free(member->metadata);
    member->metadata = message_dup(&consumer_group_member_metadata_value_desc, value);
    count_metadata(group, member->metadata, 1);
    struct str instance_id = member->metadata->instance_id;
    if (!str_is_null(instance_id)) {
        // The key is borrowed from the holder: the former one gives the whole entry up.
        hashmap_remove(&group->static_members, instance_id.data, instance_id.size);
        hashmap_put(&group->static_members, instance_id.data, instance_id.size, member);
    }
}

// Epochs are of old records only: those of before 4.3 had none, and all partitions are of the member's epoch.
static void complete_epochs(struct member_topic *topics, int32_t count, int32_t member_epoch,
                            struct arena *arena)
{
    for (int32_t t = 0; t < count; t++) {
        struct member_topic *topic = &topics[t];
        if (topic->assignment_epochs != NULL &&
            topic->assignment_epochs_count == topic->partitions_count)
            continue;
        topic->assignment_epochs = arena_array(arena, int32_t, topic->partitions_count + 1);
        topic->assignment_epochs_count = topic->partitions_count;
        for (int32_t p = 0; p < topic->partitions_count; p++)
            topic->assignment_epochs[p] = member_epoch > 0 ? member_epoch : 0;
    }
}

static struct member_topic *copy_topics(const struct member_topic *topics, int32_t count,
                                        int32_t member_epoch, struct arena *arena)
{
    struct member_topic *copy = arena_array(arena, struct member_topic, count + 1);
    if (count > 0)
        memcpy(copy, topics, (size_t)count * sizeof *copy);
    complete_epochs(copy, count, member_epoch, arena);
    return copy;
}

static struct member_current_value *dup_current(const struct member_current_value *value)
{
    struct arena arena;
    arena_init(&arena);
    struct member_current_value complete = *value;
    complete.assigned_partitions = copy_topics(
        value->assigned_partitions, value->assigned_partitions_count, value->member_epoch, &arena);
    complete.partitions_pending_revocation =
        copy_topics(value->partitions_pending_revocation,
                    value->partitions_pending_revocation_count, value->member_epoch, &arena);
    void *copy = message_dup(&consumer_group_current_member_assignment_value_desc, &complete);
    arena_fini(&arena);
    return copy;
}

void consumer_group_set_current(struct consumer_group *group, struct str member_id,
                                const struct member_current_value *value)
{
    static const struct member_current_value left = { .member_epoch = LEAVE_GROUP_MEMBER_EPOCH,
                                                      .previous_member_epoch =
                                                          LEAVE_GROUP_MEMBER_EPOCH };
    struct consumer_member *member =
        value != NULL ? find_or_make(group, member_id) : consumer_group_find(group, member_id);
    if (member == NULL)
        return;
    disown_all(group, member->current);
    mem_free(member->current);
    member->current = dup_current(value != NULL ? value : &left);
    own_all(group, member->current);
}

void consumer_group_remove_member(struct consumer_group *group, struct consumer_member *member)
{
    disown_all(group, member->current);
    forget_instance(group, member);
    count_metadata(group, member->metadata, -1);
    hashmap_remove(&group->members, member->id.data, member->id.size);
    member_free(member);
}

void consumer_group_set_target(struct consumer_group *group, struct str member_id,
                               const struct member_target_value *value)
{
    struct consumer_target *target =
        hashmap_remove(&group->targets, member_id.data, member_id.size);
    if (target != NULL)
        target_free(target);
    if (value == NULL)
        return;
    target = mem_new(struct consumer_target);
    target->member_id = own(member_id);
    target->value = message_dup(&consumer_group_target_assignment_member_value_desc, value);
    hashmap_put(&group->targets, target->member_id.data, target->member_id.size, target);
}

void consumer_group_set_regex(struct consumer_group *group, struct str pattern,
                              const struct consumer_group_regular_expression_value *value)
{
    struct resolved_regex *regex = hashmap_remove(&group->regexes, pattern.data, pattern.size);
    if (regex != NULL)
        regex_free(regex);
    if (value == NULL)
        return;
    regex = mem_new(struct resolved_regex);
    regex->pattern = own(pattern);
    regex->value = message_dup(&consumer_group_regular_expression_value_desc, value);
    hashmap_put(&group->regexes, regex->pattern.data, regex->pattern.size, regex);
}
