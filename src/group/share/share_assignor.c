// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by group/share/share_group_test.c.
#include "group/share/share_assignor.h"

#include <math.h>

#include "base/mem.h"
#include "base/java_order.h"

// A partition that is or may be assigned.
struct target {
    struct uuid topic;
    int32_t partition;
    int32_t hash;   // by which Java orders it
    size_t sharers; // members that have it
};

// One dealing out: some members, some partitions, and who has which.
struct deal {
    struct share_assignor_member *members;
    const size_t *takers; // indexes of the members that take part
    size_t takers_count;
    struct target *targets;
    size_t count;    // of targets, former ones first
    size_t wanted;   // of those, may be assigned
    size_t *order;   // of targets, as Java iterates
    bool *has;       // [taker * count + target]
    size_t *held;    // by each taker
    size_t *desired; // by each taker
    bool *is_open;   // takers that may get more
    size_t sharing;  // members for each partition
    struct arena arena;
};

static bool *cell(struct deal *deal, size_t taker, size_t target)
{
    return &deal->has[taker * deal->count + target];
}

static void take(struct deal *deal, size_t taker, size_t target)
{
    *cell(deal, taker, target) = true;
    deal->held[taker]++;
    deal->targets[target].sharers++;
}

static void drop(struct deal *deal, size_t taker, size_t target)
{
    *cell(deal, taker, target) = false;
    deal->held[taker]--;
    deal->targets[target].sharers--;
}

// What exceeds a member's number goes, in the order of its set.
static void revoke_overfilled(struct deal *deal)
{
    int32_t *hashes = arena_array(&deal->arena, int32_t, deal->count + 1);
    size_t *which = arena_array(&deal->arena, size_t, deal->count + 1);
    for (size_t m = 0; m < deal->takers_count; m++) {
        size_t held = 0;
        for (size_t t = 0; t < deal->count; t++)
            if (*cell(deal, m, t)) {
                hashes[held] = deal->targets[t].hash;
                which[held++] = t;
            }
        if (held <= deal->desired[m])
            continue;
        const size_t *order = java_order(hashes, held, java_buckets_grown(held), &deal->arena);
        for (size_t i = 0; i < held && deal->held[m] > deal->desired[m]; i++)
            drop(deal, m, which[order[i]]);
    }
}

static void revoke_overshared(struct deal *deal)
{
    for (size_t i = 0; i < deal->count; i++) {
        size_t t = deal->order[i];
        for (size_t m = 0; m < deal->takers_count && deal->targets[t].sharers > deal->sharing;
             m++) {
            if (!*cell(deal, m, t))
                continue;
            drop(deal, m, t);
            deal->is_open[m] = true;
        }
    }
}

// The next open member after *at; false at the end of the round.
static bool next_open(const struct deal *deal, size_t *at)
{
    while (*at < deal->takers_count && !deal->is_open[*at])
        (*at)++;
    return *at < deal->takers_count;
}

static void assign_rest(struct deal *deal)
{
    size_t at = 0;
    bool has_assigned = false;
    for (size_t i = 0; i < deal->count; i++) {
        size_t t = deal->order[i];
        size_t missing =
            deal->targets[t].sharers < deal->sharing ? deal->sharing - deal->targets[t].sharers : 0;
        while (missing > 0) {
            if (!next_open(deal, &at)) {
                if (!has_assigned)
                    break;
                at = 0;
                has_assigned = false;
                if (!next_open(deal, &at))
                    return;
            }
            size_t m = at++;
            if (*cell(deal, m, t))
                continue;
            take(deal, m, t);
            missing--;
            has_assigned = true;
            if (deal->held[m] >= deal->desired[m])
                deal->is_open[m] = false;
        }
    }
}

static void set_desired(struct deal *deal)
{
    deal->sharing = deal->wanted == 0 ? 0 : (deal->takers_count + deal->wanted - 1) / deal->wanted;
    double each = (double)(deal->sharing * deal->wanted) / (double)deal->takers_count;
    for (size_t m = 0; m < deal->takers_count; m++)
        deal->desired[m] = (size_t)ceil(each * (double)(m + 1)) - (size_t)ceil(each * (double)m);
}

static size_t target_of(struct deal *deal, struct uuid topic, int32_t partition, int32_t hash)
{
    for (size_t t = 0; t < deal->count; t++)
        if (deal->targets[t].partition == partition && uuid_eq(deal->targets[t].topic, topic))
            return t;
    deal->targets[deal->count] = (struct target){ topic, partition, hash, 0 };
    return deal->count++;
}

static int32_t hash_of(struct uuid topic, int32_t partition, bool is_by_topic)
{
    return is_by_topic ? partition
                       : (int32_t)((uint32_t)java_hash_uuid(topic) * 31u + (uint32_t)partition);
}

// The targets: what members had of these topics, in their order, then what may be assigned.
static void collect(struct deal *deal, const struct uuid *topics, size_t topics_count,
                    const struct share_topics *assignable, bool is_by_topic)
{
    size_t most = 0;
    for (size_t i = 0; i < topics_count; i++) {
        const struct share_topic *topic = share_topics_find(assignable, topics[i]);
        deal->wanted += topic != NULL ? (size_t)topic->count : 0;
        for (size_t m = 0; m < deal->takers_count; m++) {
            const struct share_topic *had =
                share_topics_find(deal->members[deal->takers[m]].former, topics[i]);
            most += had != NULL ? (size_t)had->count : 0;
        }
    }
    deal->targets = arena_array(&deal->arena, struct target, most + deal->wanted + 1);
    for (size_t m = 0; m < deal->takers_count; m++)
        for (size_t i = 0; i < topics_count; i++) {
            const struct share_topic *had =
                share_topics_find(deal->members[deal->takers[m]].former, topics[i]);
            for (int32_t p = 0; had != NULL && p < had->count; p++)
                target_of(deal, topics[i], had->partitions[p],
                          hash_of(topics[i], had->partitions[p], is_by_topic));
        }
    for (size_t i = 0; i < topics_count; i++) {
        const struct share_topic *topic = share_topics_find(assignable, topics[i]);
        for (int32_t p = 0; topic != NULL && p < topic->count; p++)
            target_of(deal, topics[i], topic->partitions[p],
                      hash_of(topics[i], topic->partitions[p], is_by_topic));
    }
    int32_t *hashes = arena_array(&deal->arena, int32_t, deal->count + 1);
    size_t buckets = java_buckets_sized((size_t)ceil((double)deal->wanted / 0.75));
    for (size_t t = 0; t < deal->count; t++) {
        hashes[t] = deal->targets[t].hash;
        buckets = java_buckets_after(buckets, t + 1);
    }
    deal->order = java_order(hashes, deal->count, buckets, &deal->arena);
}

static void deal_out(struct share_assignor_member *members, const size_t *takers, size_t count,
                     const struct uuid *topics, size_t topics_count,
                     const struct share_topics *assignable, bool is_by_topic)
{
    struct deal deal = { .members = members, .takers = takers, .takers_count = count };
    arena_init(&deal.arena);
    collect(&deal, topics, topics_count, assignable, is_by_topic);
    deal.has = arena_array(&deal.arena, bool, count *deal.count + 1);
    deal.held = arena_array(&deal.arena, size_t, count + 1);
    deal.desired = arena_array(&deal.arena, size_t, count + 1);
    deal.is_open = arena_array(&deal.arena, bool, count + 1);
    set_desired(&deal);
    for (size_t m = 0; m < count; m++)
        for (size_t t = 0; t < deal.count; t++)
            if (share_topic_has(share_topics_find(members[takers[m]].former, deal.targets[t].topic),
                                deal.targets[t].partition))
                take(&deal, m, t);
    for (size_t m = 0; m < count && !is_by_topic; m++)
        deal.is_open[m] = deal.held[m] < deal.desired[m];
    revoke_overfilled(&deal);
    revoke_overshared(&deal);
    for (size_t m = 0; m < count && is_by_topic; m++)
        deal.is_open[m] = deal.held[m] < deal.desired[m];
    assign_rest(&deal);
    for (size_t m = 0; m < count; m++)
        for (size_t t = 0; t < deal.count; t++)
            if (*cell(&deal, m, t))
                share_topic_add(
                    share_topics_get(&members[takers[m]].assigned, deal.targets[t].topic, STR_NULL),
                    deal.targets[t].partition);
    arena_fini(&deal.arena);
}

static bool subscribes(const struct share_assignor_member *member, struct uuid topic)
{
    for (size_t i = 0; i < member->topics_count; i++)
        if (uuid_eq(member->topics[i], topic))
            return true;
    return false;
}

// Topic by topic, each among those who subscribe to it.
static void assign_by_topic(struct share_assignor_member *members, size_t count,
                            const struct share_topics *assignable, size_t *takers)
{
    struct share_topics topics = { 0 };
    for (size_t m = 0; m < count; m++)
        for (size_t i = 0; i < members[m].topics_count; i++)
            share_topics_get(&topics, members[m].topics[i], STR_NULL);
    for (size_t i = 0; i < topics.count; i++) {
        size_t takers_count = 0;
        for (size_t m = 0; m < count; m++)
            if (subscribes(&members[m], topics.items[i].id))
                takers[takers_count++] = m;
        deal_out(members, takers, takers_count, &topics.items[i].id, 1, assignable, true);
    }
    share_topics_fini(&topics);
}

void share_assign(struct share_assignor_member *members, size_t count, bool is_homogeneous,
                  const struct share_topics *assignable)
{
    if (count == 0)
        return;
    size_t *takers = mem_alloc(count * sizeof *takers);
    for (size_t m = 0; m < count; m++)
        takers[m] = m;
    if (!is_homogeneous)
        assign_by_topic(members, count, assignable, takers);
    else if (members[0].topics_count > 0)
        deal_out(members, takers, count, members[0].topics, members[0].topics_count, assignable,
                 false);
    mem_free(takers);
}

void share_assignor_sort(struct share_assignor_member *members, size_t count)
{
    struct arena arena;
    arena_init(&arena);
    int32_t *hashes = arena_array(&arena, int32_t, count + 1);
    for (size_t m = 0; m < count; m++)
        hashes[m] = str_java_hash(members[m].id);
    const size_t *order = java_order(hashes, count, java_buckets_grown(count), &arena);
    struct share_assignor_member *sorted = arena_dup(&arena, members, count * sizeof *members);
    for (size_t m = 0; m < count; m++)
        members[m] = sorted[order[m]];
    arena_fini(&arena);
}
