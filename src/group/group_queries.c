// SPDX-License-Identifier: Apache-2.0
// The entry points that concern many groups: listing, describing, deleting. Each shard answers for its groups, one
// after the other; the whole is complete when what each answered from is committed.
// Tested by group/group_coordinator_test.c and compat-tests/twin/groups.
#include <stdatomic.h>

#include "base/java_order.h"
#include "group/consumer/consumer_describe.h"
#include "group/group_admin.h"
#include "group/group_coordinator_private.h"

// ---- requests to many shards -----------------------------------------------------------------------

// The answer is whole when every shard's part of it is committed.
struct gather {
    atomic_int left; // parts, and one for the entry point itself
    struct completion *completion;
    struct gather_part *parts;
    int32_t part_count;
};

struct gather_part {
    struct coordinator_wait wait;
    struct gather *gather;
    void (*on_error)(struct gather_part *part, enum kafka_error error);
    const int32_t *indexes; // which of the request's groups this part is about
    int32_t count;
    void *response;
};

static struct gather *gather_new(struct arena *arena, int32_t parts, struct completion *completion)
{
    struct gather *gather = arena_new(arena, struct gather);
    gather->completion = completion;
    gather->parts = arena_array(arena, struct gather_part, parts + 1);
    atomic_init(&gather->left, 1);
    return gather;
}

static void on_part_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct gather_part *part = container_of(wait, struct gather_part, wait);
    struct gather *gather = part->gather;
    if (error != KERR_NONE)
        part->on_error(part, error);
    if (atomic_fetch_sub(&gather->left, 1) == 1)
        coordinator_complete(wait->shard, gather->completion);
}

// Under the lock of the part's shard.
static void gather_await(struct gather *gather, struct coordinator_shard *shard,
                         struct gather_part part)
{
    struct gather_part *placed = &gather->parts[gather->part_count++];
    *placed = part;
    placed->gather = gather;
    atomic_fetch_add(&gather->left, 1);
    coordinator_await_commit(shard, &placed->wait, on_part_committed);
}

static void gather_end(struct gather *gather)
{
    if (atomic_fetch_sub(&gather->left, 1) == 1)
        gather->completion->complete(gather->completion);
}

// ---- the order of answers --------------------------------------------------------------------------

// Kafka's TopicPartition.hashCode.
static int32_t java_hash_partition(struct str topic, int32_t partition)
{
    return (int32_t)(31U * (31U + (uint32_t)partition) + (uint32_t)str_java_hash(topic));
}

static void order_as_set(struct str *ids, size_t count, struct arena *arena)
{
    const struct str *before = arena_dup(arena, ids, count * sizeof *ids);
    const size_t *order = java_order_texts(before, count, java_buckets_copied(count), arena);
    for (size_t i = 0; i < count; i++)
        ids[i] = before[order[i]];
}

const struct str *group_coordinator_order(struct group_coordinator *groups,
                                          const struct str *group_ids, int32_t count,
                                          enum group_order kind, struct arena *arena)
{
    enum { REFUSED = -1 };
    if (count < 2)
        return group_ids;
    struct str *ordered = arena_array(arena, struct str, count);
    int32_t *partition_of = arena_array(arena, int32_t, count); // of each group
    int32_t *keys = arena_array(arena, int32_t, count),
            *hashes = arena_array(arena, int32_t, count);
    size_t buckets = java_buckets_grown(0);
    int32_t done = 0, first = count; // of the keys
    for (int32_t i = 0; i < count; i++) {
        partition_of[i] = REFUSED;
        if (kind == GROUP_ORDER_NAMED && group_ids[i].size == 0) {
            ordered[done++] = group_ids[i];
            continue;
        }
        partition_of[i] = coordinator_partition_for(groups->engine, group_ids[i]);
        buckets = java_buckets_before_compute(buckets, (size_t)(count - first));
        int32_t at = first;
        while (at < count && keys[at] != partition_of[i])
            at++;
        if (at < count)
            continue;
        // Java's computeIfAbsent puts a new key before those of its bucket.
        keys[--first] = partition_of[i];
        hashes[first] = java_hash_partition(str_of(GROUP_OFFSETS_TOPIC), partition_of[i]);
    }
    size_t *order = java_order(hashes + first, (size_t)(count - first), buckets, arena);
    for (int32_t k = 0; k < count - first; k++) {
        int32_t begin = done;
        for (int32_t i = 0; i < count; i++)
            if (partition_of[i] == keys[(size_t)first + order[k]])
                ordered[done++] = group_ids[i];
        if (kind == GROUP_ORDER_SETS)
            order_as_set(ordered + begin, (size_t)(done - begin), arena);
    }
    return ordered;
}

static void list_failed(struct gather_part *part, enum kafka_error error)
{
    struct list_groups_response *response = part->response;
    if (error != KERR_NOT_COORDINATOR) // then its groups are another broker's to list
        response->error_code = (int16_t)error;
}

void group_coordinator_list(struct group_coordinator *groups,
                            const struct list_groups_request *request,
                            struct list_groups_response *response, struct arena *arena,
                            struct completion *completion)
{
    int32_t capacity = 0;
    int32_t partitions = coordinator_partition_count(groups->engine);
    struct gather *gather = gather_new(arena, partitions, completion);
    for (int32_t i = 0; i < partitions; i++) {
        struct coordinator_shard *shard = coordinator_shard_at(groups->engine, i);
        struct gather_part part = { .on_error = list_failed, .response = response };
        enum kafka_error error;
        struct group_shard *state = coordinator_enter(shard, &error);
        if (state == NULL) {
            list_failed(&part, error);
            continue;
        }
        group_list(state, request, response, &capacity, arena);
        gather_await(gather, shard, part);
        coordinator_exit(shard);
    }
    if (response->error_code != KERR_NONE)
        response->groups_count = 0;
    gather_end(gather);
}

static void describe_failed(struct gather_part *part, enum kafka_error error)
{
    struct describe_groups_response *response = part->response;
    for (int32_t i = 0; i < part->count; i++) {
        struct describe_groups_response_described_group *group =
            &response->groups[part->indexes[i]];
        *group = (struct describe_groups_response_described_group){
            .error_code = (int16_t)error,
            .group_id = group->group_id,
            .group_state = str_of(""),
            .protocol_type = str_of(""),
            .protocol_data = str_of(""),
            .authorized_operations = INT32_MIN,
        };
    }
}

void group_coordinator_describe(struct group_coordinator *groups, const struct str *group_ids,
                                int32_t count, int16_t version,
                                struct describe_groups_response *response, struct arena *arena,
                                struct completion *completion)
{
    response->groups =
        arena_array(arena, struct describe_groups_response_described_group, count + 1);
    response->groups_count = count;
    struct gather *gather = gather_new(arena, count, completion);
    int32_t *indexes = arena_array(arena, int32_t, count + 1);
    for (int32_t i = 0; i < count; i++) {
        struct coordinator_shard *shard = group_coordinator_shard_of(groups, group_ids[i]);
        indexes[i] = i;
        struct gather_part part = {
            .on_error = describe_failed, .response = response, .indexes = &indexes[i], .count = 1
        };
        response->groups[i].group_id = group_ids[i];
        describe_failed(&part, KERR_NONE); // sets the defaults
        enum kafka_error error;
        struct group_shard *state = coordinator_enter(shard, &error);
        if (state == NULL) {
            describe_failed(&part, error);
            continue;
        }
        group_describe(state, group_ids[i], version, &response->groups[i], arena);
        gather_await(gather, shard, part);
        coordinator_exit(shard);
    }
    gather_end(gather);
}

static void consumer_describe_failed(struct gather_part *part, enum kafka_error error)
{
    struct consumer_group_describe_response *response = part->response;
    struct consumer_group_describe_response_described_group *group =
        &response->groups[part->indexes[0]];
    struct str id = group->group_id;
    message_init(&consumer_group_describe_response_described_group_desc, group);
    group->group_id = id;
    group->error_code = (int16_t)error;
}

void group_coordinator_consumer_describe(struct group_coordinator *groups,
                                         const struct str *group_ids, int32_t count,
                                         struct consumer_group_describe_response *response,
                                         struct arena *arena, struct completion *completion)
{
    response->groups =
        arena_array(arena, struct consumer_group_describe_response_described_group, count + 1);
    response->groups_count = count;
    struct gather *gather = gather_new(arena, count, completion);
    int32_t *indexes = arena_array(arena, int32_t, count + 1);
    for (int32_t i = 0; i < count; i++) {
        struct coordinator_shard *shard = group_coordinator_shard_of(groups, group_ids[i]);
        indexes[i] = i;
        struct gather_part part = { .on_error = consumer_describe_failed,
                                    .response = response,
                                    .indexes = &indexes[i],
                                    .count = 1 };
        response->groups[i].group_id = group_ids[i];
        enum kafka_error error = group_ids[i].size == 0 ? KERR_INVALID_GROUP_ID : KERR_NONE;
        consumer_describe_failed(&part, error); // sets the defaults
        struct group_shard *state = error == KERR_NONE ? coordinator_enter(shard, &error) : NULL;
        if (state == NULL) {
            consumer_describe_failed(&part, error);
            continue;
        }
        consumer_describe(state, group_ids[i], &response->groups[i], arena);
        gather_await(gather, shard, part);
        coordinator_exit(shard);
    }
    gather_end(gather);
}

static void delete_failed(struct gather_part *part, enum kafka_error error)
{
    struct delete_groups_response *response = part->response;
    for (int32_t i = 0; i < part->count; i++)
        response->results[part->indexes[i]].error_code = (int16_t)error;
}

// All groups of a partition go in one batch.
static void delete_in(struct coordinator_shard *shard, struct gather *gather,
                      struct gather_part part)
{
    struct delete_groups_response *response = part.response;
    enum kafka_error error;
    struct group_shard *state = coordinator_enter(shard, &error);
    if (state == NULL) {
        delete_failed(&part, error);
        return;
    }
    for (int32_t i = 0; i < part.count; i++) {
        struct delete_groups_response_deletable_group_result *result =
            &response->results[part.indexes[i]];
        result->error_code = (int16_t)group_delete(state, result->group_id);
    }
    error = coordinator_append(shard, true);
    if (error != KERR_NONE)
        delete_failed(&part, error);
    gather_await(gather, shard, part);
    coordinator_exit(shard);
}

void group_coordinator_delete(struct group_coordinator *groups, const struct str *group_ids,
                              int32_t count, struct delete_groups_response *response,
                              struct arena *arena, struct completion *completion)
{
    int32_t partitions = coordinator_partition_count(groups->engine);
    response->results =
        arena_array(arena, struct delete_groups_response_deletable_group_result, count + 1);
    response->results_count = count;
    struct gather *gather = gather_new(arena, partitions, completion);
    // Sorted by partition: those of partition p are indexes[ends[p - 1]] up to indexes[ends[p]].
    int32_t *indexes = arena_array(arena, int32_t, count + 1);
    int32_t *ends = arena_array(arena, int32_t, partitions + 1);
    for (int32_t i = 0; i < count; i++) {
        response->results[i].group_id = group_ids[i];
        ends[coordinator_partition_for(groups->engine, group_ids[i]) + 1]++;
    }
    for (int32_t p = 0; p < partitions; p++)
        ends[p + 1] += ends[p];
    for (int32_t i = 0; i < count; i++)
        indexes[ends[coordinator_partition_for(groups->engine, group_ids[i])]++] = i;
    for (int32_t p = 0; p < partitions; p++) {
        int32_t first = p > 0 ? ends[p - 1] : 0;
        if (ends[p] > first)
            delete_in(coordinator_shard_at(groups->engine, p), gather,
                      (struct gather_part){ .on_error = delete_failed,
                                            .response = response,
                                            .indexes = &indexes[first],
                                            .count = ends[p] - first });
    }
    gather_end(gather);
}
