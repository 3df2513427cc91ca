// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by compat-tests/twin/consumer.
#include "group/consumer/consumer_migration.h"

#include "base/mem.h"
#include "base/must.h"
#include "group/classic_rebalance.h"
#include "group/consumer/consumer_records.h"
#include "group/consumer/consumer_session.h"
#include "group/consumer/consumer_subscription.h"
#include "group/consumer/embedded_protocol.h"
#include "group/group_records.h"

// ---- upgrade ---------------------------------------------------------------------------------------

static struct str refusal(const struct classic_group *classic, struct arena *arena, const char *why)
{
    return str_of(arena_printf(arena,
                               "Cannot upgrade classic group %s to consumer group because %s",
                               classic->base.id.data, why));
}

static bool may_upgrade(const struct classic_group *classic, struct arena *arena,
                        struct str *message)
{
    const struct group_config *config = classic->shard->config;
    const char *why = NULL;
    if (!config->can_upgrade)
        why = "online upgrade is disabled.";
    else if (!classic_group_is_consumer(classic))
        why = "the group does not use the consumer embedded protocol.";
    else if (classic_group_size(classic) > config->consumer_max_size)
        why = "the group size exceeds the consumer group maximum size.";
    if (why != NULL)
        *message = refusal(classic, arena, why);
    return why == NULL;
}

// What the leader assigned, by topic ids.
static const char *read_assignment(const struct classic_group *classic,
                                   const struct classic_member *member, struct arena *arena,
                                   struct member_target_value *target)
{
    struct consumer_protocol_assignment assignment;
    struct topic_index *topics = classic->shard->topics;
    *target = (struct member_target_value){ 0 };
    if (member->assignment.size == 0)
        return NULL; // it has just joined
    if (!embedded_assignment_read(member->assignment, arena, &assignment))
        return "the embedded consumer protocol is malformed.";
    if (assignment.user_data.size > 0)
        return "an unsupported custom assignor is in use. Please refer to the documentation or "
               "switch to a default assignor before re-attempting the upgrade.";
    target->topic_partitions =
        arena_array(arena, struct target_topic, assignment.assigned_partitions_count + 1);
    topic_index_lock_read(topics);
    for (int32_t i = 0; i < assignment.assigned_partitions_count; i++) {
        const struct indexed_topic *topic =
            topic_index_find(topics, assignment.assigned_partitions[i].topic);
        if (topic != NULL)
            target->topic_partitions[target->topic_partitions_count++] = (struct target_topic){
                .topic_id = topic->id,
                .partitions = assignment.assigned_partitions[i].partitions,
                .partitions_count = assignment.assigned_partitions[i].partitions_count,
            };
    }
    topic_index_unlock(topics);
    return NULL;
}

static struct member_current_value current_of(const struct member_target_value *target,
                                              int32_t epoch, struct arena *arena)
{
    struct member_current_value current = { .member_epoch = epoch, .previous_member_epoch = epoch };
    current.assigned_partitions =
        arena_array(arena, struct member_topic, target->topic_partitions_count + 1);
    for (int32_t i = 0; i < target->topic_partitions_count; i++) {
        const struct target_topic *from = &target->topic_partitions[i];
        struct member_topic *topic =
            &current.assigned_partitions[current.assigned_partitions_count++];
        *topic = (struct member_topic){
            .topic_id = from->topic_id,
            .partitions = from->partitions,
            .partitions_count = from->partitions_count,
            .assignment_epochs = arena_array(arena, int32_t, from->partitions_count + 1),
            .assignment_epochs_count = from->partitions_count,
        };
        for (int32_t p = 0; p < from->partitions_count; p++)
            topic->assignment_epochs[p] = epoch;
    }
    return current;
}

static struct consumer_group_member_metadata_value_classic_member_metadata *
classic_metadata_of(const struct classic_member *member, struct arena *arena)
{
    struct consumer_group_member_metadata_value_classic_member_metadata *classic =
        arena_new(arena, struct consumer_group_member_metadata_value_classic_member_metadata);
    classic->session_timeout_ms = member->session_timeout_ms;
    classic->supported_protocols =
        arena_array(arena, struct consumer_group_member_metadata_value_classic_protocol,
                    member->protocol_count + 1);
    classic->supported_protocols_count = member->protocol_count;
    for (int32_t i = 0; i < member->protocol_count; i++)
        classic->supported_protocols[i] =
            (struct consumer_group_member_metadata_value_classic_protocol){
                .name = member->protocols[i].name, .metadata = member->protocols[i].metadata
            };
    return classic;
}

static const char *add_member(struct consumer_group *group, const struct classic_group *classic,
                              const struct classic_member *member, struct arena *arena)
{
    struct consumer_protocol_subscription subscription;
    struct member_target_value target;
    const char *why = read_assignment(classic, member, arena, &target);
    if (why != NULL)
        return why;
    if (!embedded_subscription_read(classic_member_metadata(member, classic->protocol_name), arena,
                                    &subscription))
        return "the embedded consumer protocol is malformed.";
    struct member_draft draft = member_draft_of(NULL, member->id);
    draft.metadata.instance_id = member->instance_id;
    draft.metadata.rack_id = subscription.rack_id.size > 0 ? subscription.rack_id : STR_NULL;
    draft.metadata.rebalance_timeout_ms = member->rebalance_timeout_ms;
    draft.metadata.client_id = member->client_id;
    draft.metadata.client_host = member->client_host;
    draft.metadata.classic_member_metadata = classic_metadata_of(member, arena);
    member_draft_set_names(&draft, subscription.topics, subscription.topics_count, arena);
    draft.current = current_of(&target, classic->generation, arena);
    consumer_group_set_target(group, member->id, &target);
    consumer_group_set_metadata(group, member->id, &draft.metadata);
    consumer_group_set_current(group, member->id, &draft.current);
    return NULL;
}

static void add_records(struct consumer_group *group)
{
    const struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        consumer_add_metadata(group, member->id, member->metadata);
    consumer_add_epoch(group, group->epoch, group->metadata_hash);
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        consumer_add_target(group, member->id, consumer_group_target(group, member->id));
    consumer_add_target_epoch(group, group->assignment_epoch, group->assignment_timestamp_ms);
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        consumer_add_current(group, member->id, member->current);
}

static int64_t hash_of(const struct consumer_group *group, struct arena *arena)
{
    struct consumer_subscription subscription;
    consumer_subscription_count(&subscription, group, arena);
    int64_t hash = consumer_subscription_hash(&subscription, group->shard->topics);
    consumer_subscription_fini(&subscription);
    return hash;
}

struct consumer_group *consumer_upgrade(struct classic_group *classic, struct arena *arena,
                                        struct str *message)
{
    if (!may_upgrade(classic, arena, message))
        return NULL;
    classic_refuse_all(classic, KERR_REBALANCE_IN_PROGRESS);
    if (str_is_null(classic->protocol_name)) { // nobody knows which subscriptions count
        *message = STR_NULL;
        return NULL;
    }
    struct consumer_group *group = consumer_group_new(classic->shard, classic->base.id);
    group->epoch = group->assignment_epoch = classic->generation;
    const char *why = NULL;
    list_for_each(at, &classic->members)
    {
        if (why == NULL)
            why = add_member(group, classic, container_of(at, struct classic_member, link), arena);
    }
    if (why != NULL) {
        *message = refusal(classic, arena, why);
        consumer_group_free(group);
        return NULL;
    }
    group->metadata_hash = hash_of(group, arena);
    group_record_add_metadata_tombstone(classic->shard->shard, classic->base.id);
    add_records(group);
    trace_info(classic->shard->trace, "group upgraded group=\"%s\" from=classic to=consumer",
               classic->base.id.data);
    return group;
}

// ---- downgrade -------------------------------------------------------------------------------------

static bool is_among(struct consumer_member *const *members, int32_t count,
                     const struct consumer_member *member)
{
    for (int32_t i = 0; i < count; i++)
        if (members[i] == member)
            return true;
    return false;
}

bool consumer_can_downgrade(const struct consumer_group *group,
                            struct consumer_member *const *leaving, int32_t count)
{
    const struct group_config *config = group->shard->config;
    int32_t classic = group->classic_count, left = consumer_group_size(group) - count;
    for (int32_t i = 0; i < count; i++)
        classic -= member_is_classic(leaving[i]->metadata);
    return classic == left && left > 0 && config->can_downgrade && left <= config->max_size;
}

bool consumer_can_downgrade_by(const struct consumer_group *group,
                               const struct consumer_member *replaced)
{
    const struct group_config *config = group->shard->config;
    return group->classic_count == consumer_group_size(group) - 1 &&
           !member_is_classic(replaced->metadata) && config->can_downgrade &&
           consumer_group_size(group) <= config->max_size;
}

static void add_classic(struct classic_group *classic, struct str id,
                        const struct member_metadata_value *metadata, struct arena *arena)
{
    const struct consumer_group_member_metadata_value_classic_member_metadata *said =
        metadata->classic_member_metadata;
    int32_t count = said->supported_protocols_count;
    struct join_group_request_protocol *protocols =
        arena_array(arena, struct join_group_request_protocol, count + 1);
    for (int32_t i = 0; i < count; i++) {
        protocols[i].name = said->supported_protocols[i].name;
        protocols[i].metadata = said->supported_protocols[i].metadata;
    }
    classic_group_add(classic,
                      classic_member_new(id, metadata->instance_id, metadata->client_id,
                                         metadata->client_host, metadata->rebalance_timeout_ms,
                                         said->session_timeout_ms, protocols, count),
                      str_of("consumer"));
}

// What the member shall have is what it is told that it has. False if its protocol cannot be read.
static bool assign(struct classic_group *classic, struct classic_member *member,
                   const struct member_target_value *target, struct arena *arena)
{
    int16_t version;
    if (!embedded_version_read(classic_member_metadata(member, classic->protocol_name), &version))
        return false;
    classic_member_set_assignment(
        member, embedded_assignment_write(target, version, classic->shard->topics, arena));
    return true;
}

// The consumer group as a classic one, Stable in a generation that is its epoch.
static struct classic_group *convert(const struct consumer_group *group,
                                     struct consumer_member *const *leaving, int32_t count,
                                     const struct member_draft *joining, struct arena *arena)
{
    struct classic_group *classic =
        classic_group_new(group->shard, group->base.id, coordinator_wall_ms(group->shard->shard));
    const struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (!is_among(leaving, count, member))
            add_classic(classic, member->id, member->metadata, arena);
    if (joining != NULL)
        add_classic(classic, joining->id, &joining->metadata, arena);
    classic->state = CLASSIC_STABLE;
    classic->generation = group->epoch;
    classic_group_set_protocol_name(classic, classic_group_select_protocol(classic));
    classic_group_read_subscription(classic);
    bool is_good = true;
    list_for_each(at, &classic->members)
    {
        struct classic_member *converted = container_of(at, struct classic_member, link);
        struct str id =
            joining != NULL && str_eq(converted->id, joining->id) ? leaving[0]->id : converted->id;
        is_good = is_good && assign(classic, converted, consumer_group_target(group, id), arena);
    }
    if (is_good)
        return classic;
    classic_group_free(classic);
    return NULL;
}

static void replace(struct consumer_group *group, struct classic_group *classic, bool rebalances)
{
    struct group_shard *state = group->shard;
    trace_info(state->trace, "group downgraded group=\"%s\" from=consumer to=classic",
               group->base.id.data);
    group_shard_remove(state, &group->base);
    group_shard_put(state, &classic->base);
    list_for_each(at, &classic->members)
        classic_renew_session(classic, container_of(at, struct classic_member, link));
    if (rebalances)
        classic_rebalance_prepare(classic, "the group was downgraded to the classic protocol");
}

static enum kafka_error write_and_replace(struct consumer_group *group,
                                          struct classic_group *classic, bool rebalances)
{
    classic_add_record(classic, classic_present_assignment);
    enum kafka_error error = coordinator_append(group->shard->shard, false);
    if (error == KERR_NONE)
        replace(group, classic, rebalances);
    else
        classic_group_free(classic);
    return error;
}

enum kafka_error consumer_downgrade(struct consumer_group *group,
                                    struct consumer_member *const *leaving, int32_t count)
{
    struct arena arena;
    arena_init(&arena);
    struct classic_group *classic = convert(group, leaving, count, NULL, &arena);
    arena_fini(&arena);
    if (classic == NULL) {
        coordinator_discard(group->shard->shard);
        return KERR_GROUP_ID_NOT_FOUND;
    }
    consumer_add_tombstones(group, STR_NULL, STR_NULL);
    return write_and_replace(group, classic, true);
}

enum kafka_error consumer_downgrade_by(struct consumer_group *group,
                                       const struct consumer_member *replaced,
                                       const struct member_draft *joining, bool rebalances)
{
    struct arena arena;
    struct consumer_member *leaving = consumer_group_find(group, replaced->id);
    arena_init(&arena);
    struct classic_group *classic = convert(group, &leaving, 1, joining, &arena);
    arena_fini(&arena);
    if (classic == NULL) {
        coordinator_discard(group->shard->shard);
        return KERR_GROUP_ID_NOT_FOUND;
    }
    consumer_add_tombstones(group, replaced->id, joining->id);
    return write_and_replace(group, classic, rebalances);
}
