// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_target.h"

#include <stdlib.h>

#include "base/must.h"
#include "group/consumer/consumer_records.h"
#include "base/java_order.h"

struct builder {
    const struct consumer_target_request *request;
    struct arena *arena;
    struct topic_index *topics; // locked
    struct assignor_input input;
    int32_t topic_capacity;
    struct hashmap places;                         // struct placed_topic by id
    const struct member_metadata_value **metadata; // by place of the member
    const struct member_target_value **before;     // what stands under its id now; NULL: nothing
};

struct placed_topic {
    struct uuid id;
    int32_t place;
};

// ---- topics ----------------------------------------------------------------------------------------

static int32_t place_of(struct builder *b, struct uuid id)
{
    struct placed_topic *placed = hashmap_find(&b->places, &id, sizeof id);
    if (placed != NULL)
        return placed->place;
    if (b->input.topic_count == b->topic_capacity) {
        int32_t larger = b->topic_capacity > 0 ? 2 * b->topic_capacity : 16;
        struct assignor_topic *topics = arena_array(b->arena, struct assignor_topic, larger);
        if (b->input.topic_count > 0)
            memcpy(topics, b->input.topics, (size_t)b->input.topic_count * sizeof *topics);
        b->input.topics = topics;
        b->topic_capacity = larger;
    }
    const struct indexed_topic *indexed = topic_index_find_by_id(b->topics, id);
    int32_t partitions = indexed != NULL ? indexed->partitions_count : 0;
    placed = arena_new(b->arena, struct placed_topic);
    *placed = (struct placed_topic){ id, b->input.topic_count++ };
    hashmap_put(&b->places, &placed->id, sizeof placed->id, placed);
    b->input.topics[placed->place] = (struct assignor_topic){
        .id = id,
        .partitions_count = partitions,
        .is_assigned = arena_array(b->arena, uint8_t, partitions + 1),
    };
    return placed->place;
}

static void mark_assigned(struct builder *b)
{
    const struct consumer_target *target;
    const struct hashmap *targets = &b->request->group->targets;
    for (size_t i = 0; (target = hashmap_next(targets, &i)) != NULL;) {
        for (int32_t t = 0; t < target->value->topic_partitions_count; t++) {
            const struct target_topic *from = &target->value->topic_partitions[t];
            int32_t place = place_of(b, from->topic_id);
            struct assignor_topic *topic = &b->input.topics[place];
            for (int32_t p = 0; p < from->partitions_count; p++)
                if (from->partitions[p] >= 0 && from->partitions[p] < topic->partitions_count)
                    topic->is_assigned[from->partitions[p]] = 1;
        }
    }
}

// ---- subscriptions ---------------------------------------------------------------------------------

// Names in the order of a HashSet made of the list.
static const struct str *order_names(const struct str *names, int32_t count, struct arena *arena)
{
    int32_t *hashes = arena_array(arena, int32_t, count + 1);
    for (int32_t i = 0; i < count; i++)
        hashes[i] = str_java_hash(names[i]);
    size_t *order = java_order(hashes, (size_t)count, java_buckets_copied((size_t)count), arena);
    struct str *ordered = arena_array(arena, struct str, count + 1);
    for (int32_t i = 0; i < count; i++)
        ordered[i] = names[order[i]];
    return ordered;
}

static bool has_name(const struct str *names, int32_t count, struct str name)
{
    for (int32_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

// Adds the topics of the names, but of those that are in `except`.
static int32_t subscribe(struct builder *b, int32_t *places, const struct str *names, int32_t count,
                         const struct str *except, int32_t except_count, int32_t *names_count)
{
    const struct str *ordered = order_names(names, count, b->arena);
    int32_t added = 0;
    for (int32_t i = 0; i < count; i++) {
        if (has_name(except, except_count, ordered[i]))
            continue;
        const struct indexed_topic *topic = topic_index_find(b->topics, ordered[i]);
        if (topic != NULL)
            places[added++] = place_of(b, topic->id);
        ++*names_count;
    }
    return added;
}

// Names, and what the expression matches: the larger of the two goes first.
static void set_subscription(struct builder *b, struct assignor_member *member,
                             const struct member_metadata_value *metadata)
{
    const struct str *first = metadata->subscribed_topic_names, *second = NULL;
    int32_t first_count = metadata->subscribed_topic_names_count, second_count = 0;
    const struct resolved_regex *regex =
        member_has_regex(metadata)
            ? consumer_group_regex(b->request->group, metadata->subscribed_topic_regex)
            : NULL;
    if (regex != NULL && regex->value->topics_count >= first_count) {
        second = first;
        second_count = first_count;
        first = regex->value->topics;
        first_count = regex->value->topics_count;
    } else if (regex != NULL) {
        second = regex->value->topics;
        second_count = regex->value->topics_count;
    }
    int32_t *places = arena_array(b->arena, int32_t, first_count + second_count + 1);
    int32_t count = subscribe(b, places, first, first_count, NULL, 0, &member->subscribed_names);
    count += subscribe(b, places + count, second, second_count, first, first_count,
                       &member->subscribed_names);
    member->subscribed = places;
    member->subscribed_count = count;
}

static bool has_same_subscription(const struct member_metadata_value *a,
                                  const struct member_metadata_value *b)
{
    return str_eq(a->subscribed_topic_regex, b->subscribed_topic_regex) && member_names_equal(a, b);
}

// Most members subscribe to what their neighbour subscribes to.
static void set_subscriptions(struct builder *b)
{
    for (int32_t m = 0; m < b->input.member_count; m++) {
        struct assignor_member *member = &b->input.members[m];
        if (m > 0 && has_same_subscription(b->metadata[m - 1], b->metadata[m])) {
            member->subscribed = member[-1].subscribed;
            member->subscribed_count = member[-1].subscribed_count;
            member->subscribed_names = member[-1].subscribed_names;
        } else {
            set_subscription(b, member, b->metadata[m]);
        }
    }
}

// ---- what members have -----------------------------------------------------------------------------

// The record's lists as the HashMap and HashSets that Kafka keeps of them.
static struct assignment assignment_of(struct builder *b, const struct member_target_value *value)
{
    int32_t count = value->topic_partitions_count;
    struct assignment out = { .topics = arena_array(b->arena, struct assigned_topic, count + 1) };
    int32_t *hashes = arena_array(b->arena, int32_t, count + 1);
    for (int32_t i = 0; i < count; i++)
        hashes[i] = java_hash_uuid(value->topic_partitions[i].topic_id);
    size_t *order = java_order(hashes, (size_t)count, java_buckets_grown((size_t)count), b->arena);
    for (int32_t i = 0; i < count; i++) {
        const struct target_topic *from = &value->topic_partitions[order[i]];
        struct assigned_topic *topic = &out.topics[out.count];
        topic->topic = place_of(b, from->topic_id);
        topic->partitions = arena_array(b->arena, int32_t, from->partitions_count + 1);
        topic->count = 0;
        int32_t limit = b->input.topics[topic->topic].partitions_count;
        for (int32_t p = 0; p < from->partitions_count; p++)
            if (limit == 0 || (from->partitions[p] >= 0 && from->partitions[p] < limit))
                topic->partitions[topic->count++] = from->partitions[p];
        java_order_ints(topic->partitions, (size_t)topic->count,
                        java_buckets_copied((size_t)from->partitions_count), b->arena);
        out.count += topic->count > 0;
    }
    return out;
}

static void set_member(struct builder *b, int32_t place, struct str id,
                       const struct member_metadata_value *metadata)
{
    const struct consumer_group *group = b->request->group;
    const struct consumer_target *target = hashmap_find(&group->targets, id.data, id.size);
    const struct member_target_value *current = target != NULL ? target->value : NULL;
    b->metadata[place] = metadata;
    b->before[place] = current;
    // A static member that takes the place of another begins with what that one had.
    const struct consumer_member *holder = consumer_group_find_static(group, metadata->instance_id);
    if (id.data == b->request->member->id.data && holder != NULL && !str_eq(holder->id, id))
        current = consumer_group_target(group, holder->id);
    b->input.members[place].id = id;
    b->input.members[place].instance_id = metadata->instance_id;
    if (current != NULL)
        b->input.members[place].current = assignment_of(b, current);
}

struct listed {
    struct str id;
    const struct member_metadata_value *metadata;
};

static int by_id(const void *a, const void *b)
{
    return str_compare(((const struct listed *)a)->id, ((const struct listed *)b)->id);
}

// Who will be in the group: all of it, with the member as it will be and without the one that it replaces.
static int32_t list_members(const struct builder *b, struct listed *list, bool *is_new)
{
    const struct consumer_group *group = b->request->group;
    const struct member_draft *draft = b->request->member;
    const struct consumer_member *replaced =
        consumer_group_find_static(group, draft->metadata.instance_id);
    const struct consumer_member *member;
    int32_t count = 0;
    *is_new = consumer_group_find(group, draft->id) == NULL;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (!str_eq(member->id, draft->id) && member != replaced)
            list[count++] = (struct listed){ member->id, member->metadata };
    list[count++] = (struct listed){ draft->id, &draft->metadata };
    qsort(list, (size_t)count, sizeof *list, by_id);
    return count;
}

static void set_members(struct builder *b)
{
    int32_t most = consumer_group_size(b->request->group) + 1;
    struct listed *list = arena_array(b->arena, struct listed, most);
    bool is_new;
    int32_t count = list_members(b, list, &is_new);
    int32_t *hashes = arena_array(b->arena, int32_t, count);
    for (int32_t i = 0; i < count; i++)
        hashes[i] = str_java_hash(list[i].id);
    size_t *order =
        java_order(hashes, (size_t)count, java_buckets_grown((size_t)most - !is_new), b->arena);
    b->input.members = arena_array(b->arena, struct assignor_member, count);
    b->input.member_count = count;
    b->metadata = arena_array(b->arena, const struct member_metadata_value *, count);
    b->before = arena_array(b->arena, const struct member_target_value *, count);
    for (int32_t i = 0; i < count; i++)
        set_member(b, i, list[order[i]].id, list[order[i]].metadata);
}

// ---- the result ------------------------------------------------------------------------------------

static struct member_target_value *value_of(const struct builder *b,
                                            const struct assignment *assignment)
{
    struct member_target_value *value = arena_new(b->arena, struct member_target_value);
    value->topic_partitions = arena_array(b->arena, struct target_topic, assignment->count + 1);
    value->topic_partitions_count = assignment->count;
    for (int32_t i = 0; i < assignment->count; i++)
        value->topic_partitions[i] = (struct target_topic){
            .topic_id = b->input.topics[assignment->topics[i].topic].id,
            .partitions = assignment->topics[i].partitions,
            .partitions_count = assignment->topics[i].count,
        };
    return value;
}

static int by_number(const void *a, const void *b)
{
    int32_t first = *(const int32_t *)a, second = *(const int32_t *)b;
    return first < second ? -1 : first > second;
}

static bool has_same_partitions(const struct target_topic *a, const struct target_topic *b,
                                struct arena *arena)
{
    size_t size = (size_t)a->partitions_count * sizeof(int32_t);
    if (a->partitions_count != b->partitions_count)
        return false;
    if (memcmp(a->partitions, b->partitions, size) == 0)
        return true;
    int32_t *first = arena_dup(arena, a->partitions, size);
    int32_t *second = arena_dup(arena, b->partitions, size);
    qsort(first, (size_t)a->partitions_count, sizeof *first, by_number);
    qsort(second, (size_t)a->partitions_count, sizeof *second, by_number);
    return memcmp(first, second, size) == 0;
}

static bool target_equals(const struct member_target_value *a, const struct member_target_value *b,
                          struct arena *arena)
{
    if (a->topic_partitions_count != b->topic_partitions_count)
        return false;
    for (int32_t i = 0; i < a->topic_partitions_count; i++) {
        int32_t k = 0;
        while (k < b->topic_partitions_count &&
               !uuid_eq(a->topic_partitions[i].topic_id, b->topic_partitions[k].topic_id))
            k++;
        if (k == b->topic_partitions_count ||
            !has_same_partitions(&a->topic_partitions[i], &b->topic_partitions[k], arena))
            return false;
    }
    return true;
}

static const struct member_target_value *add_changes(struct builder *b)
{
    const struct consumer_target_request *request = b->request;
    const struct member_target_value *of_member = NULL;
    for (int32_t m = 0; m < b->input.member_count; m++) {
        const struct assignor_member *member = &b->input.members[m];
        const struct member_target_value *value = value_of(b, &member->target);
        if (b->before[m] == NULL || !target_equals(value, b->before[m], b->arena))
            consumer_add_target(request->group, member->id, value);
        if (str_eq(member->id, request->member->id))
            of_member = value;
    }
    consumer_add_target_epoch(request->group, request->epoch,
                              coordinator_wall_ms(request->group->shard->shard));
    return of_member;
}

const struct member_target_value *
consumer_target_compute(const struct consumer_target_request *request)
{
    const struct consumer_group *group = request->group;
    const struct consumer_member *present = consumer_group_find(group, request->member->id);
    struct builder b = { .request = request,
                         .arena = request->arena,
                         .topics = group->shard->topics,
                         .input.is_homogeneous = request->is_homogeneous };
    struct str name = consumer_target_assignor(group, present != NULL ? present->metadata : NULL,
                                               &request->member->metadata);
    assignor_function *assign = assignor_find(name);
    must(assign != NULL);
    hashmap_init(&b.places);
    topic_index_lock_read(b.topics);
    set_members(&b);
    set_subscriptions(&b);
    mark_assigned(&b);
    topic_index_unlock(b.topics);
    assign(&b.input, b.arena);
    hashmap_fini(&b.places);
    return add_changes(&b);
}

// ---- which assignor --------------------------------------------------------------------------------

struct str consumer_target_assignor(const struct consumer_group *group,
                                    const struct member_metadata_value *before,
                                    const struct member_metadata_value *after)
{
    const struct group_config *config = group->shard->config;
    int32_t counts[2] = { 0 };
    const struct consumer_member *member;
    for (int i = 0; i < 2 && config->consumer_assignors[i] != NULL; i++) {
        struct str name = str_of(config->consumer_assignors[i]);
        for (size_t at = 0; (member = hashmap_next(&group->members, &at)) != NULL;)
            counts[i] += str_eq(member->metadata->server_assignor, name);
        counts[i] -= before != NULL && str_eq(before->server_assignor, name);
        counts[i] += after != NULL && str_eq(after->server_assignor, name);
    }
    if (counts[0] > 0 && counts[0] == counts[1])
        return str_of("uniform"); // the first in Java's order
    return str_of(config->consumer_assignors[counts[1] > counts[0]]);
}
