// SPDX-License-Identifier: Apache-2.0
// The uniform assignor for members with different subscriptions.
//
//     1. members give up what they are not subscribed to
//     2. free partitions, topic by topic (those with most partitions for a subscriber first), to the subscriber with
//        the fewest partitions
//     3. topic by topic, partitions move from the subscriber with most to the one with fewest, until a whole round
//        has moved nothing, or 16 rounds
//
// The ranges of the balancer over a topic's subscribers, sorted by how many partitions they have. The first grows to
// the right as its members are given partitions one each, the second to the left as they are taken one each; in
// balance when the two levels differ by one or less. Members behind the second have nothing left to give.
//
//     partitions |                 ##| xx
//                |       ......####  | xx
//                | least ......      | xx
//                +------------------------> members
#include <stdlib.h>

#include "base/must.h"
#include "group/assignor_draft.h"
#include "base/java_order.h"

enum { MAX_ROUNDS = 16 };

struct balancer {
    int32_t *sorted; // members
    int32_t count;
    int32_t least_end;
    int32_t least_level;
    int32_t next_least;
    int32_t most_start;
    int32_t most_end;
    int32_t most_level;
    int32_t next_most;
};

struct mixed {
    struct assignor_input *input;
    struct arena *arena;
    struct assignor_draft *drafts; // by member
    int32_t *sizes;                // by member: partitions in its target
    int32_t **subscribers;         // by topic: members, ascending
    int32_t *subscriber_counts;
    int32_t **owners; // by topic and partition: a member or -1
    struct balancer balancer;
};

// ---- who has what ----------------------------------------------------------------------------------

static void collect_subscribers(struct mixed *x)
{
    const struct assignor_input *input = x->input;
    for (int32_t m = 0; m < input->member_count; m++)
        for (int32_t i = 0; i < input->members[m].subscribed_count; i++)
            x->subscriber_counts[input->members[m].subscribed[i]]++;
    for (int32_t t = 0; t < input->topic_count; t++) {
        int32_t partitions = input->topics[t].partitions_count;
        x->subscribers[t] = arena_array(x->arena, int32_t, x->subscriber_counts[t] + 1);
        x->subscriber_counts[t] = 0;
        x->owners[t] = arena_array(x->arena, int32_t, partitions + 1);
        for (int32_t p = 0; p < partitions; p++)
            x->owners[t][p] = -1;
    }
    for (int32_t m = 0; m < input->member_count; m++)
        for (int32_t i = 0; i < input->members[m].subscribed_count; i++) {
            int32_t topic = input->members[m].subscribed[i];
            x->subscribers[topic][x->subscriber_counts[topic]++] = m;
        }
}

static bool is_subscriber(const struct assignor_member *member, int32_t topic)
{
    for (int32_t i = 0; i < member->subscribed_count; i++)
        if (member->subscribed[i] == topic)
            return true;
    return false;
}

static void keep_subscribed(struct mixed *x, int32_t m)
{
    const struct assignor_member *member = &x->input->members[m];
    assignor_draft_init(&x->drafts[m], x->input, member->current, x->arena);
    for (int32_t t = 0; t < member->current.count; t++) {
        const struct assigned_topic *topic = &member->current.topics[t];
        if (!is_subscriber(member, topic->topic)) {
            assignor_draft_remove_topic(&x->drafts[m], topic->topic);
            continue;
        }
        x->sizes[m] += topic->count;
        for (int32_t p = 0; p < topic->count; p++)
            x->owners[topic->topic][topic->partitions[p]] = m;
    }
}

static void give(struct mixed *x, int32_t topic, int32_t partition, int32_t member)
{
    int32_t *owner = &x->owners[topic][partition];
    if (*owner >= 0) {
        assignor_draft_remove(&x->drafts[*owner], topic, partition);
        x->sizes[*owner]--;
    }
    int32_t share = (x->input->topics[topic].partitions_count + x->subscriber_counts[topic] - 1) /
                    x->subscriber_counts[topic];
    assignor_draft_add(&x->drafts[member], topic, partition,
                       java_buckets_sized((size_t)((float)share / 0.75f) + 1));
    *owner = member;
    x->sizes[member]++;
}

// ---- order -----------------------------------------------------------------------------------------

static int compare_topics(const void *a, const void *b, void *arg)
{
    const struct mixed *x = arg;
    int32_t first = *(const int32_t *)a, second = *(const int32_t *)b;
    const struct assignor_topic *topics = x->input->topics;
    double first_share = (double)topics[first].partitions_count / x->subscriber_counts[first];
    double second_share = (double)topics[second].partitions_count / x->subscriber_counts[second];
    if (first_share != second_share)
        return first_share > second_share ? -1 : 1;
    if (x->subscriber_counts[first] != x->subscriber_counts[second])
        return x->subscriber_counts[first] < x->subscriber_counts[second] ? -1 : 1;
    return uuid_compare(topics[first].id, topics[second].id);
}

static int compare_members(const void *a, const void *b, void *arg)
{
    const struct mixed *x = arg;
    int32_t first = *(const int32_t *)a, second = *(const int32_t *)b;
    if (x->sizes[first] != x->sizes[second])
        return x->sizes[first] < x->sizes[second] ? -1 : 1;
    return first < second ? -1 : first > second;
}

struct by_owner {
    int32_t owner;
    int32_t partition;
};

static int compare_owned(const void *a, const void *b)
{
    const struct by_owner *first = a, *second = b;
    if (first->owner != second->owner)
        return first->owner < second->owner ? -1 : 1;
    return first->partition < second->partition ? -1 : first->partition > second->partition;
}

// ---- the balancer ----------------------------------------------------------------------------------

static int32_t size_at(const struct mixed *x, int32_t place)
{
    return x->sizes[x->balancer.sorted[place]];
}

// Returns how far the subscribers are apart.
static int32_t balancer_start(struct mixed *x, int32_t topic)
{
    struct balancer *b = &x->balancer;
    b->count = x->subscriber_counts[topic];
    memcpy(b->sorted, x->subscribers[topic], (size_t)b->count * sizeof(int32_t));
    qsort_r(b->sorted, (size_t)b->count, sizeof(int32_t), compare_members, x);
    b->least_end = b->next_least = 0;
    b->least_level = size_at(x, 0) - 1;
    b->most_start = b->most_end = b->count;
    b->most_level = size_at(x, b->count - 1) + 1;
    b->next_most = b->count - 1;
    return size_at(x, b->count - 1) - size_at(x, 0);
}

static int32_t balancer_next_least(struct mixed *x)
{
    struct balancer *b = &x->balancer;
    if (b->next_least >= b->least_end) {
        b->least_level++;
        while (b->least_end < b->count && size_at(x, b->least_end) == b->least_level)
            b->least_end++;
        b->next_least = 0;
    }
    return b->sorted[b->next_least++];
}

// -1: nobody has partitions to give.
static int32_t balancer_next_most(struct mixed *x)
{
    struct balancer *b = &x->balancer;
    if (b->next_most < b->most_start) {
        if (b->most_end <= b->most_start && b->most_start > 0)
            b->most_level = size_at(x, b->most_start - 1);
        else
            b->most_level--;
        while (b->most_start > 0 && size_at(x, b->most_start - 1) == b->most_level)
            b->most_start--;
        b->next_most = b->most_end - 1;
    }
    return b->next_most < 0 ? -1 : b->sorted[b->next_most--];
}

static void balancer_exclude_most(struct balancer *b)
{
    int32_t excluded = b->sorted[b->next_most + 1];
    b->sorted[b->next_most + 1] = b->sorted[b->most_end - 1];
    b->sorted[--b->most_end] = excluded;
}

static bool balancer_is_done(const struct balancer *b)
{
    return b->most_level - b->least_level <= 1;
}

// ---- the three steps -------------------------------------------------------------------------------

static void assign_free(struct mixed *x, const int32_t *topics, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        int32_t topic = topics[i];
        bool is_started = false;
        for (int32_t p = 0; p < x->input->topics[topic].partitions_count; p++) {
            if (x->owners[topic][p] >= 0)
                continue;
            if (!is_started)
                balancer_start(x, topic);
            is_started = true;
            give(x, topic, p, balancer_next_least(x));
        }
    }
}

// The partitions of a topic by owner: those of member m are order[starts[m]] up to order[ends[m]].
struct owned_ranges {
    struct by_owner *order;
    int32_t *starts;
    int32_t *ends;
};

static void sort_by_owner(const struct mixed *x, int32_t topic, struct owned_ranges *ranges)
{
    int32_t partitions = x->input->topics[topic].partitions_count;
    for (int32_t p = 0; p < partitions; p++)
        ranges->order[p] = (struct by_owner){ x->owners[topic][p], p };
    qsort(ranges->order, (size_t)partitions, sizeof *ranges->order, compare_owned);
    for (int32_t m = 0; m < x->input->member_count; m++)
        ranges->starts[m] = ranges->ends[m] = 0;
    for (int32_t p = partitions - 1; p >= 0; p--) {
        int32_t owner = ranges->order[p].owner;
        if (ranges->ends[owner] == 0)
            ranges->ends[owner] = p + 1;
        ranges->starts[owner] = p;
    }
}

// The most loaded member that still has a partition of the topic, or -1.
static int32_t find_giver(struct mixed *x, const struct owned_ranges *ranges)
{
    for (;;) {
        int32_t member = balancer_next_most(x);
        if (member < 0 || ranges->ends[member] > ranges->starts[member])
            return member;
        balancer_exclude_most(&x->balancer);
    }
}

static bool balance_topic(struct mixed *x, int32_t topic, struct owned_ranges *ranges)
{
    if (balancer_start(x, topic) <= 1)
        return false;
    sort_by_owner(x, topic, ranges);
    bool has_moved = false;
    while (!balancer_is_done(&x->balancer)) {
        int32_t from = find_giver(x, ranges);
        if (from < 0)
            break;
        int32_t partition = ranges->order[--ranges->ends[from]].partition;
        int32_t to = balancer_next_least(x);
        if (balancer_is_done(&x->balancer))
            break;
        give(x, topic, partition, to);
        has_moved = true;
    }
    return has_moved;
}

static void balance(struct mixed *x, const int32_t *topics, int32_t count)
{
    int32_t partitions = 0;
    for (int32_t i = 0; i < count; i++)
        if (x->input->topics[topics[i]].partitions_count > partitions)
            partitions = x->input->topics[topics[i]].partitions_count;
    struct owned_ranges ranges = {
        .order = arena_array(x->arena, struct by_owner, partitions + 1),
        .starts = arena_array(x->arena, int32_t, x->input->member_count),
        .ends = arena_array(x->arena, int32_t, x->input->member_count),
    };
    int32_t last = -1; // the topic that moved last
    for (int round = 0; round < MAX_ROUNDS; round++) {
        for (int32_t i = 0; i < count; i++) {
            if (i == last)
                return;
            if (balance_topic(x, topics[i], &ranges) || last == -1)
                last = i;
        }
    }
}

void assignor_uniform_mixed(struct assignor_input *input, struct arena *arena)
{
    size_t topics = (size_t)input->topic_count + 1;
    struct mixed x = {
        .input = input,
        .arena = arena,
        .drafts = arena_array(arena, struct assignor_draft, input->member_count),
        .sizes = arena_array(arena, int32_t, input->member_count),
        .subscribers = arena_array(arena, int32_t *, topics),
        .subscriber_counts = arena_array(arena, int32_t, topics),
        .owners = arena_array(arena, int32_t *, topics),
        .balancer.sorted = arena_array(arena, int32_t, input->member_count),
    };
    collect_subscribers(&x);
    int32_t *sorted = arena_array(arena, int32_t, topics);
    int32_t count = 0, shared = 0;
    for (int32_t t = 0; t < input->topic_count; t++)
        if (x.subscriber_counts[t] > 0)
            sorted[count++] = t;
    if (count == 0)
        return;
    for (int32_t m = 0; m < input->member_count; m++)
        keep_subscribed(&x, m);
    qsort_r(sorted, (size_t)count, sizeof(int32_t), compare_topics, &x);
    assign_free(&x, sorted, count);
    for (int32_t i = 0; i < count; i++) // a topic with one subscriber cannot move
        if (x.subscriber_counts[sorted[i]] >= 2)
            sorted[shared++] = sorted[i];
    balance(&x, sorted, shared);
    for (int32_t m = 0; m < input->member_count; m++)
        input->members[m].target = assignor_draft_finish(&x.drafts[m]);
}
