// SPDX-License-Identifier: Apache-2.0
// The range assignor: of each topic every subscriber gets a run of consecutive partitions, in the order of members
// (static ones by instance id first, then by member id). Topics with as many partitions are so assigned alike, as
// joins need it. What members had does not count.
#include <stdlib.h>

#include "base/must.h"
#include "base/java_order.h"
#include "group/partition_assignor.h"

struct ranged_topic {
    int32_t subscribers;
    int32_t next; // the first partition that is not given yet
    int32_t left; // subscribers that have not been given theirs
};

static int compare_ids(struct str a, struct str b)
{
    return str_compare(a, b);
}

static int by_place(const void *a, const void *b)
{
    const struct assignor_member *first = *(struct assignor_member *const *)a;
    const struct assignor_member *second = *(struct assignor_member *const *)b;
    bool is_first_static = !str_is_null(first->instance_id);
    bool is_second_static = !str_is_null(second->instance_id);
    if (is_first_static != is_second_static)
        return is_first_static ? -1 : 1;
    return is_first_static ? compare_ids(first->instance_id, second->instance_id)
                           : compare_ids(first->id, second->id);
}

// The next run: the earlier ones of a topic that does not divide evenly are longer by one.
static bool take_run(struct ranged_topic *ranged, const struct assignor_topic *topic, int32_t place,
                     struct assigned_topic *out, struct arena *arena)
{
    int32_t quota = topic->partitions_count / ranged->subscribers;
    int32_t given = ranged->subscribers - ranged->left--;
    quota += given < topic->partitions_count % ranged->subscribers;
    if (quota == 0)
        return false;
    *out = (struct assigned_topic){ place, arena_array(arena, int32_t, quota), quota };
    for (int32_t i = 0; i < quota; i++)
        out->partitions[i] = ranged->next++;
    return true;
}

static void assign_member(const struct assignor_input *input, struct assignor_member *member,
                          struct ranged_topic *ranged, size_t buckets, struct arena *arena)
{
    struct assigned_topic *given =
        arena_array(arena, struct assigned_topic, member->subscribed_count + 1);
    int32_t *hashes = arena_array(arena, int32_t, member->subscribed_count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < member->subscribed_count; i++) {
        int32_t place = member->subscribed[i];
        const struct assignor_topic *topic = &input->topics[place];
        hashes[count] = java_hash_uuid(topic->id);
        count += take_run(&ranged[place], topic, place, &given[count], arena);
    }
    size_t *order =
        java_order(hashes, (size_t)count, java_buckets_after(buckets, (size_t)count), arena);
    member->target =
        (struct assignment){ .topics = arena_array(arena, struct assigned_topic, count + 1),
                             .count = count };
    for (int32_t i = 0; i < count; i++)
        member->target.topics[i] = given[order[i]];
}

void assignor_range(struct assignor_input *input, struct arena *arena)
{
    if (input->member_count == 0)
        return;
    struct assignor_member **sorted =
        arena_array(arena, struct assignor_member *, input->member_count);
    struct ranged_topic *ranged = arena_array(arena, struct ranged_topic, input->topic_count + 1);
    for (int32_t m = 0; m < input->member_count; m++)
        sorted[m] = &input->members[m];
    qsort(sorted, (size_t)input->member_count, sizeof(struct assignor_member *), by_place);
    for (int32_t m = 0; m < input->member_count; m++)
        for (int32_t i = 0; i < sorted[m]->subscribed_count; i++)
            ranged[sorted[m]->subscribed[i]].subscribers++;
    for (int32_t t = 0; t < input->topic_count; t++)
        ranged[t].left = ranged[t].subscribers;
    for (int32_t m = 0; m < input->member_count; m++) {
        int32_t expected =
            input->is_homogeneous ? sorted[0]->subscribed_count : sorted[m]->subscribed_names;
        size_t capacity = (size_t)((float)expected / 0.75f) + 1;
        assign_member(input, sorted[m], ranged, java_buckets_sized(capacity), arena);
    }
}
