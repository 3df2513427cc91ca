// SPDX-License-Identifier: Apache-2.0
// Replay of __consumer_offsets into groups and offsets, and what has to be taken out of it again.
// Tested by group/group_coordinator_test.c.
#include "group/group_shard.h"

#include <errno.h>

#include "base/mem.h"
#include "group/classic_rebalance.h"
#include "group/consumer/consumer_records.h"
#include "group/consumer/consumer_session.h"
#include "group/consumer/consumer_subscription.h"
#include "group/group_expiry.h"
#include "group/group_records.h"
#include "group/share/share_group.h"
#include "group/streams/streams_group.h"
#include "group/streams/streams_session.h"

// ---- groups ----------------------------------------------------------------------------------------

struct group *group_shard_find(const struct group_shard *state, struct str id)
{
    return hashmap_find(&state->groups, id.data, id.size);
}

struct classic_group *group_shard_find_classic(const struct group_shard *state, struct str id)
{
    struct group *group = group_shard_find(state, id);
    if (group == NULL || group->type != GROUP_CLASSIC)
        return NULL;
    return container_of(group, struct classic_group, base);
}

void group_shard_put(struct group_shard *state, struct group *group)
{
    hashmap_put(&state->groups, group->id.data, group->id.size, group);
}

struct classic_group *group_shard_create_classic(struct group_shard *state, struct str id)
{
    struct classic_group *group = classic_group_new(state, id, coordinator_wall_ms(state->shard));
    group_shard_put(state, &group->base);
    return group;
}

struct consumer_group *group_shard_find_consumer(const struct group_shard *state, struct str id)
{
    struct group *group = group_shard_find(state, id);
    if (group == NULL || group->type != GROUP_CONSUMER)
        return NULL;
    return container_of(group, struct consumer_group, base);
}

struct consumer_group *group_shard_create_consumer(struct group_shard *state, struct str id)
{
    struct consumer_group *group = consumer_group_new(state, id);
    group_shard_put(state, &group->base);
    return group;
}

int32_t group_size(const struct group *group)
{
    struct group *any = (struct group *)(uintptr_t)group;
    if (group->type == GROUP_CLASSIC)
        return classic_group_size(container_of(any, struct classic_group, base));
    if (group->type == GROUP_CONSUMER)
        return consumer_group_size(container_of(any, struct consumer_group, base));
    if (group->type == GROUP_SHARE)
        return share_group_of(any)->members_count;
    return streams_group_of(any)->members_count;
}

static void free_group(struct group *group)
{
    if (group->type == GROUP_CONSUMER) {
        struct consumer_group *consumer = container_of(group, struct consumer_group, base);
        consumer_cancel_group_timers(consumer);
        consumer_group_free(consumer);
    } else if (group->type == GROUP_CLASSIC) {
        struct classic_group *classic = container_of(group, struct classic_group, base);
        classic_cancel_timers(classic);
        classic_group_free(classic);
    } else if (group->type == GROUP_SHARE) {
        share_group_free(share_group_of(group));
    } else {
        streams_group_free(streams_group_of(group));
    }
}

void group_shard_remove(struct group_shard *state, struct group *group)
{
    hashmap_remove(&state->groups, group->id.data, group->id.size);
    free_group(group);
}

void group_shard_add_tombstones(struct group_shard *state, const struct group *group)
{
    if (group->type == GROUP_CLASSIC) {
        group_record_add_metadata_tombstone(state->shard, group->id);
        return;
    }
    if (group->type == GROUP_CONSUMER) {
        consumer_add_tombstones(
            container_of((struct group *)(uintptr_t)group, struct consumer_group, base), STR_NULL,
            STR_NULL);
        return;
    }
    if (group->type == GROUP_SHARE) {
        share_group_add_tombstones(share_group_of((struct group *)(uintptr_t)group));
        return;
    }
    streams_group_add_tombstones(streams_group_of((struct group *)(uintptr_t)group));
}

void group_shard_topic_changed(struct group_shard *state, struct str topic)
{
    struct group *group;
    for (size_t i = 0; (group = hashmap_next(&state->groups, &i)) != NULL;) {
        if (group->type != GROUP_CONSUMER)
            continue;
        struct consumer_group *consumer = container_of(group, struct consumer_group, base);
        if (consumer_group_subscribes(consumer, topic))
            consumer->refresh_deadline_ms = 0;
    }
}

// ---- transactions ----------------------------------------------------------------------------------

bool group_shard_is_unstable(const struct group_shard *state, struct str group, struct str topic,
                             int32_t partition)
{
    struct transaction_offsets *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;)
        if (group_offsets_find(&transaction->offsets, group, topic, partition) != NULL)
            return true;
    return false;
}

bool group_shard_has_transaction(const struct group_shard *state, struct str group)
{
    struct transaction_offsets *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;)
        if (group_offsets_group(&transaction->offsets, group) != NULL)
            return true;
    return false;
}

static struct transaction_offsets *transaction_of(struct group_shard *state, int64_t producer_id)
{
    struct transaction_offsets *transaction =
        hashmap_find(&state->transactions, &producer_id, sizeof producer_id);
    if (transaction == NULL) {
        transaction = mem_new(struct transaction_offsets);
        transaction->producer_id = producer_id;
        group_offsets_init(&transaction->offsets);
        hashmap_put(&state->transactions, &transaction->producer_id, sizeof producer_id,
                    transaction);
    }
    return transaction;
}

// A commit made outside the transaction, after the transaction's, stays.
static void merge(struct group_shard *state, const struct offset_group *group)
{
    struct offset_topic *topic;
    for (size_t i = 0; (topic = hashmap_next(&group->topics, &i)) != NULL;) {
        for (size_t p = 0; p < topic->count; p++) {
            const struct offset_partition *pending = &topic->partitions[p];
            const struct committed_offset *present =
                group_offsets_find(&state->offsets, group->id, topic->name, pending->partition);
            if (present == NULL || pending->committed.record_offset > present->record_offset)
                group_offsets_put(&state->offsets, group->id, topic->name, pending->partition,
                                  &pending->committed);
        }
    }
}

static void replay_end_transaction(void *object, int64_t producer_id, bool committed)
{
    struct group_shard *state = object;
    struct transaction_offsets *transaction =
        hashmap_remove(&state->transactions, &producer_id, sizeof producer_id);
    if (transaction == NULL)
        return;
    struct offset_group *group;
    for (size_t i = 0;
         committed && (group = hashmap_next(&transaction->offsets.groups, &i)) != NULL;)
        merge(state, group);
    group_offsets_fini(&transaction->offsets);
    mem_free(transaction);
}

static int32_t add_tombstones_of(struct group_shard *state, const struct offset_group *group,
                                 bool only_uncommitted)
{
    int32_t added = 0;
    struct offset_topic *topic;
    for (size_t i = 0; (topic = hashmap_next(&group->topics, &i)) != NULL;) {
        for (size_t p = 0; p < topic->count; p++) {
            int32_t partition = topic->partitions[p].partition;
            if (only_uncommitted &&
                group_offsets_find(&state->offsets, group->id, topic->name, partition) != NULL)
                continue;
            group_record_add_offset_tombstone(state->shard, group->id, topic->name, partition);
            added++;
        }
    }
    return added;
}

int32_t group_shard_add_offset_tombstones(struct group_shard *state, struct str id)
{
    int32_t added = 0;
    const struct offset_group *group = group_offsets_group(&state->offsets, id);
    if (group != NULL)
        added += add_tombstones_of(state, group, false);
    struct transaction_offsets *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;) {
        group = group_offsets_group(&transaction->offsets, id);
        if (group != NULL)
            added += add_tombstones_of(state, group, true);
    }
    return added;
}

// ---- replay ----------------------------------------------------------------------------------------

static void replay_offset(struct group_shard *state, int64_t producer_id,
                          struct group_log_record *record)
{
    const struct offset_commit_key *key = &record->offset_key;
    if (record->is_tombstone) {
        group_offsets_remove(&state->offsets, key->group, key->topic, key->partition);
        struct transaction_offsets *transaction;
        for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;)
            group_offsets_remove(&transaction->offsets, key->group, key->topic, key->partition);
        return;
    }
    if (group_shard_find(state, key->group) == NULL)
        group_shard_create_classic(state, key->group);
    struct group_offsets *into =
        producer_id < 0 ? &state->offsets : &transaction_of(state, producer_id)->offsets;
    group_offsets_put(into, key->group, key->topic, key->partition, &record->offset);
}

static bool replay_metadata(struct group_shard *state, const struct group_log_record *record)
{
    struct group *present = group_shard_find(state, record->group);
    if (present != NULL)
        group_shard_remove(state, present);
    return record->is_tombstone ||
           classic_replay(group_shard_create_classic(state, record->group), &record->metadata);
}

// A tombstone of a group that is not there says nothing.
static bool replay_share(struct group_shard *state, const struct group_log_record *record,
                         struct bytes key, struct bytes value)
{
    struct group *group = group_shard_find(state, record->group);
    bool is_gone;
    if (group == NULL || group->type != GROUP_SHARE) {
        if (record->is_tombstone)
            return true;
        if (group != NULL) // most often a simple group that an earlier offset commit made
            group_shard_remove(state, group);
        group = &share_group_new(state, record->group)->base;
        group_shard_put(state, group);
    }
    bool is_good = share_group_replay(share_group_of(group), record->type, key, value, &is_gone);
    if (is_gone)
        group_shard_remove(state, group);
    return is_good;
}

static bool replay_streams(struct group_shard *state, const struct group_log_record *record,
                           struct bytes key, struct bytes value)
{
    struct group *group = group_shard_find(state, record->group);
    bool is_gone;
    if (group == NULL || group->type != GROUP_STREAMS) {
        if (record->is_tombstone)
            return true;
        if (group != NULL) // most often a simple group that an earlier offset commit made
            group_shard_remove(state, group);
        group = &streams_group_new(state, record->group)->base;
        group_shard_put(state, group);
    }
    bool is_good =
        streams_group_replay(streams_group_of(group), record->type, key, value, &is_gone);
    if (is_gone)
        group_shard_remove(state, group);
    return is_good;
}

static int replay(void *object, int64_t offset, int64_t producer_id, struct bytes key,
                  struct bytes value)
{
    struct group_shard *state = object;
    struct group_log_record record;
    struct arena arena;
    arena_init(&arena);
    bool is_good = group_record_decode(key, value, &arena, &record);
    if (is_good && !record.is_known) {
        trace_warn(state->trace, "group record of unknown type ignored shard=%.*s type=%d",
                   STR_ARG(coordinator_shard_name(state->shard)), record.type);
    } else if (is_good && record.type <= GROUP_RECORD_OFFSET_COMMIT) {
        record.offset.record_offset = offset;
        replay_offset(state, producer_id, &record);
    } else if (is_good && record.type == GROUP_RECORD_GROUP_METADATA) {
        is_good = replay_metadata(state, &record);
    } else if (is_good && consumer_record_is(record.type)) {
        is_good = consumer_replay(state, record.type, key, value);
    } else if (is_good && record.type < GROUP_RECORD_STREAMS_GROUP_METADATA) {
        is_good = replay_share(state, &record, key, value);
    } else if (is_good) {
        is_good = replay_streams(state, &record, key, value);
    }
    arena_fini(&arena);
    return is_good ? 0 : -EINVAL;
}

// ---- life ------------------------------------------------------------------------------------------

static void *create(struct coordinator_shard *shard, void *owner)
{
    struct group_shard *state = mem_new(struct group_shard);
    state->shard = shard;
    struct group_context *context = owner;
    state->config = &context->config;
    state->topics = context->topics;
    state->settings = context->settings;
    state->background = &context->background;
    state->persister = context->persister;
    state->trace = coordinator_trace(shard);
    hashmap_init(&state->groups);
    group_offsets_init(&state->offsets);
    hashmap_init(&state->transactions);
    return state;
}

static void cancel_timers(struct group_shard *state)
{
    coordinator_cancel_timer(state->shard, &state->expiry_timer);
    struct group *group;
    for (size_t i = 0; (group = hashmap_next(&state->groups, &i)) != NULL;) {
        if (group->type == GROUP_CLASSIC)
            classic_cancel_timers(container_of(group, struct classic_group, base));
        else if (group->type == GROUP_CONSUMER)
            consumer_cancel_group_timers(container_of(group, struct consumer_group, base));
        else if (group->type == GROUP_SHARE)
            share_group_cancel_timers(share_group_of(group));
        else
            streams_session_cancel_group(streams_group_of(group));
    }
}

static void on_loaded(void *object)
{
    struct group_shard *state = object;
    struct group *group;
    for (size_t i = 0; (group = hashmap_next(&state->groups, &i)) != NULL;) {
        if (group->type == GROUP_CLASSIC)
            classic_on_loaded(container_of(group, struct classic_group, base));
        else if (group->type == GROUP_CONSUMER)
            consumer_on_loaded(container_of(group, struct consumer_group, base));
        else if (group->type == GROUP_SHARE)
            share_group_on_loaded(share_group_of(group));
        else
            streams_session_on_loaded(streams_group_of(group));
    }
    group_expiry_schedule(state);
}

static void on_unloaded(void *object)
{
    struct group_shard *state = object;
    cancel_timers(state);
    struct group *group;
    for (size_t i = 0; (group = hashmap_next(&state->groups, &i)) != NULL;)
        if (group->type == GROUP_CLASSIC)
            classic_on_unloaded(container_of(group, struct classic_group, base));
}

// Of a shard that is thrown away while members wait (the end of the process, or of a test).
static void forget_waiting(struct classic_group *group)
{
    list_for_each(at, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        classic_group_set_join(group, member, NULL);
        member->sync = NULL;
    }
}

static void destroy(void *object)
{
    struct group_shard *state = object;
    cancel_timers(state);
    struct group *group;
    for (size_t i = 0; (group = hashmap_next(&state->groups, &i)) != NULL;) {
        if (group->type == GROUP_CLASSIC)
            forget_waiting(container_of(group, struct classic_group, base));
        free_group(group);
    }
    hashmap_fini(&state->groups);
    group_offsets_fini(&state->offsets);
    struct transaction_offsets *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;) {
        group_offsets_fini(&transaction->offsets);
        mem_free(transaction);
    }
    hashmap_fini(&state->transactions);
    mem_free(state);
}

const struct coordinator_state_ops group_shard_ops = {
    .create = create,
    .destroy = destroy,
    .replay = replay,
    .replay_end_transaction = replay_end_transaction,
    .on_loaded = on_loaded,
    .on_unloaded = on_unloaded,
};
