// SPDX-License-Identifier: Apache-2.0
// The uniform assignor for members with one and the same subscription: each gets its share of all partitions, give
// or take one, and keeps what it has as far as that allows.
//
//     quota = partitions / members; the first members that want more than that take one more, while there are such
//     1. members give up what is no longer subscribed to, and what is above their quota
//     2. partitions that nobody has go, topic by topic, to members below their quota
#include "base/must.h"
#include "group/assignor_draft.h"
#include "base/java_order.h"

struct free_partition {
    int32_t topic;
    int32_t partition;
};

struct hungry_member {
    int32_t member;
    int32_t quota;
};

struct uniform {
    struct assignor_input *input;
    struct arena *arena;
    struct assignor_draft *drafts; // by member
    bool *is_subscribed;           // by topic
    struct free_partition *free;
    int32_t free_count;
    struct hungry_member *hungry;
    int32_t hungry_count;
    int32_t min_quota;
    int32_t extra; // members that may still have one more
};

assignor_function *assignor_find(struct str name)
{
    if (str_eqz(name, "uniform"))
        return assignor_uniform;
    return str_eqz(name, "range") ? assignor_range : NULL;
}

// The subscribed topics as a HashSet made of the first member's.
static size_t *order_topics(const struct assignor_input *input, struct arena *arena)
{
    const struct assignor_member *first = &input->members[0];
    int32_t *hashes = arena_array(arena, int32_t, first->subscribed_count + 1);
    for (int32_t i = 0; i < first->subscribed_count; i++)
        hashes[i] = java_hash_uuid(input->topics[first->subscribed[i]].id);
    return java_order(hashes, (size_t)first->subscribed_count,
                      java_buckets_copied((size_t)first->subscribed_names), arena);
}

// Collects what nobody has; returns the number of all partitions.
static int32_t collect_free(struct uniform *u)
{
    const struct assignor_member *first = &u->input->members[0];
    size_t *order = order_topics(u->input, u->arena);
    int64_t total = 0, held = 0;
    for (int32_t i = 0; i < first->subscribed_count; i++)
        total += u->input->topics[first->subscribed[i]].partitions_count;
    for (int32_t m = 0; m < u->input->member_count; m++)
        for (int32_t t = 0; t < u->input->members[m].current.count; t++)
            held += u->input->members[m].current.topics[t].count;
    u->free = arena_array(u->arena, struct free_partition, total + held + 1);
    for (int32_t i = 0; i < first->subscribed_count; i++) {
        int32_t place = first->subscribed[order[i]];
        const struct assignor_topic *topic = &u->input->topics[place];
        u->is_subscribed[place] = true;
        for (int32_t p = 0; p < topic->partitions_count; p++)
            if (!topic->is_assigned[p])
                u->free[u->free_count++] = (struct free_partition){ place, p };
    }
    return (int32_t)total;
}

// What the member keeps of one topic; returns what is left of its quota.
static int32_t keep_topic(struct uniform *u, struct assignor_draft *draft,
                          const struct assigned_topic *topic, int32_t quota)
{
    if (!u->is_subscribed[topic->topic]) {
        assignor_draft_remove_topic(draft, topic->topic);
        return quota;
    }
    if (topic->count <= quota)
        return quota - topic->count;
    for (int32_t i = quota; i < topic->count; i++)
        u->free[u->free_count++] = (struct free_partition){ topic->topic, topic->partitions[i] };
    assignor_draft_truncate(draft, topic->topic, quota);
    return 0;
}

static void revoke_from(struct uniform *u, int32_t place)
{
    const struct assignor_member *member = &u->input->members[place];
    struct assignor_draft *draft = &u->drafts[place];
    assignor_draft_init(draft, u->input, member->current, u->arena);
    bool has_extra = u->extra > 0;
    int32_t quota = u->min_quota + has_extra;
    for (int32_t t = 0; t < member->current.count; t++)
        quota = keep_topic(u, draft, &member->current.topics[t], quota);
    // One more is left for those behind, unless so few are behind that each must take one.
    if (quota > 0 && has_extra && u->input->member_count - place > u->extra) {
        quota--;
        has_extra = false;
    }
    if (quota > 0)
        u->hungry[u->hungry_count++] = (struct hungry_member){ place, quota };
    u->extra -= has_extra;
}

static void feed(struct uniform *u)
{
    int32_t next = 0;
    for (int32_t i = 0; i < u->hungry_count; i++) {
        struct assignor_draft *draft = &u->drafts[u->hungry[i].member];
        assignor_draft_copy(draft);
        for (int32_t k = 0; k < u->hungry[i].quota && next < u->free_count; k++, next++)
            assignor_draft_add(draft, u->free[next].topic, u->free[next].partition,
                               java_buckets_grown(0));
    }
}

void assignor_uniform(struct assignor_input *input, struct arena *arena)
{
    if (input->member_count == 0)
        return;
    if (!input->is_homogeneous) {
        assignor_uniform_mixed(input, arena);
        return;
    }
    if (input->members[0].subscribed_count == 0)
        return; // nobody subscribes to anything
    struct uniform u = {
        .input = input,
        .arena = arena,
        .drafts = arena_array(arena, struct assignor_draft, input->member_count),
        .is_subscribed = arena_array(arena, bool, input->topic_count + 1),
        .hungry = arena_array(arena, struct hungry_member, input->member_count),
    };
    int32_t total = collect_free(&u);
    u.min_quota = total / input->member_count;
    u.extra = total % input->member_count;
    for (int32_t i = 0; i < input->member_count; i++)
        revoke_from(&u, i);
    feed(&u);
    for (int32_t i = 0; i < input->member_count; i++)
        input->members[i].target = assignor_draft_finish(&u.drafts[i]);
}
