// SPDX-License-Identifier: Apache-2.0
// Membership, votes and generations of a classic group. No requests, timers or records here.
#include "group/classic_group.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/java_order.h"
#include "protocol/records/consumer_protocol.h"

static const char *const state_names[] = {
    [CLASSIC_EMPTY] = "Empty",
    [CLASSIC_PREPARING_REBALANCE] = "PreparingRebalance",
    [CLASSIC_COMPLETING_REBALANCE] = "CompletingRebalance",
    [CLASSIC_STABLE] = "Stable",
    [CLASSIC_DEAD] = "Dead",
};

static void str_set(struct str *owned, struct str s)
{
    const char *old = owned->data;
    *owned = (struct str){ str_dup(s), s.size };
    mem_free((void *)(uintptr_t)old);
}

struct classic_group *classic_group_new(struct group_shard *shard, struct str id, int64_t now_ms)
{
    struct classic_group *group = mem_new(struct classic_group);
    group->base.type = GROUP_CLASSIC;
    str_set(&group->base.id, id);
    group->shard = shard;
    group->state = CLASSIC_EMPTY;
    group->previous_state = CLASSIC_DEAD;
    group->state_timestamp_ms = now_ms;
    list_init(&group->members);
    group->buckets = java_buckets_grown(0);
    hashmap_init(&group->by_id);
    hashmap_init(&group->by_instance);
    hashmap_init(&group->pending);
    hashmap_init(&group->subscribed);
    return group;
}

static void forget_subscription(struct classic_group *group)
{
    char *topic;
    for (size_t i = 0; (topic = hashmap_next(&group->subscribed, &i)) != NULL;)
        mem_free(topic);
    hashmap_fini(&group->subscribed);
    hashmap_init(&group->subscribed);
    group->subscription_known = false;
}

void classic_group_free(struct classic_group *group)
{
    must(!timer_is_set(&group->join_timer) && !timer_is_set(&group->sync_timer));
    struct list *link;
    while ((link = list_pop(&group->members)) != NULL) {
        struct classic_member *member = container_of(link, struct classic_member, link);
        must(!timer_is_set(&member->session_timer) && member->join == NULL && member->sync == NULL);
        classic_member_free(member);
    }
    struct pending_member *pending;
    for (size_t i = 0; (pending = hashmap_next(&group->pending, &i)) != NULL;) {
        must(!timer_is_set(&pending->timer));
        mem_free((void *)(uintptr_t)pending->id.data);
        mem_free(pending);
    }
    forget_subscription(group);
    hashmap_fini(&group->by_id);
    hashmap_fini(&group->by_instance);
    hashmap_fini(&group->pending);
    hashmap_fini(&group->subscribed);
    for (int32_t i = 0; i < group->protocol_count; i++)
        mem_free((void *)(uintptr_t)group->protocols[i].name.data);
    mem_free(group->protocols);
    mem_free((void *)(uintptr_t)group->protocol_type.data);
    mem_free((void *)(uintptr_t)group->protocol_name.data);
    mem_free((void *)(uintptr_t)group->base.id.data);
    mem_free(group);
}

const char *classic_state_name(enum classic_state state)
{
    return state_names[state];
}

bool classic_group_can_rebalance(const struct classic_group *group)
{
    return group->state == CLASSIC_EMPTY || group->state == CLASSIC_COMPLETING_REBALANCE ||
           group->state == CLASSIC_STABLE;
}

static bool may_follow(enum classic_state from, enum classic_state to)
{
    switch (to) {
    case CLASSIC_EMPTY:
    case CLASSIC_COMPLETING_REBALANCE:
        return from == CLASSIC_PREPARING_REBALANCE;
    case CLASSIC_PREPARING_REBALANCE:
        return from == CLASSIC_EMPTY || from == CLASSIC_COMPLETING_REBALANCE ||
               from == CLASSIC_STABLE;
    case CLASSIC_STABLE:
        return from == CLASSIC_COMPLETING_REBALANCE;
    case CLASSIC_DEAD:
        return true;
    }
    return false;
}

void classic_group_transition(struct classic_group *group, enum classic_state state, int64_t now_ms)
{
    must(may_follow(group->state, state));
    group->previous_state = group->state;
    group->state = state;
    group->state_timestamp_ms = now_ms;
}

// ---- members ---------------------------------------------------------------------------------------

struct classic_member *classic_group_find(const struct classic_group *group, struct str member_id)
{
    return hashmap_find(&group->by_id, member_id.data, member_id.size);
}

struct classic_member *classic_group_find_static(const struct classic_group *group,
                                                 struct str instance_id)
{
    return hashmap_find(&group->by_instance, instance_id.data, instance_id.size);
}

static void count_protocols(struct classic_group *group, const struct classic_member *member,
                            int32_t change)
{
    for (int32_t i = 0; i < member->protocol_count; i++) {
        int32_t at = 0;
        while (at < group->protocol_count &&
               !str_eq(group->protocols[at].name, member->protocols[i].name))
            at++;
        if (at == group->protocol_count) {
            vec_reserve(group->protocols, at + 1, group->protocol_capacity);
            struct str name = member->protocols[i].name;
            group->protocols[at] = (struct protocol_count){ { str_dup(name), name.size }, 0 };
            group->protocol_count++;
        }
        group->protocols[at].members += change;
        if (group->protocols[at].members == 0) {
            mem_free((void *)(uintptr_t)group->protocols[at].name.data);
            group->protocols[at] = group->protocols[--group->protocol_count];
        }
    }
}

struct classic_member **classic_group_in_order(const struct classic_group *group,
                                               struct arena *arena)
{
    size_t count = 0;
    struct classic_member **members =
        arena_array(arena, struct classic_member *, group->by_id.count + 1);
    struct str *ids = arena_array(arena, struct str, group->by_id.count + 1);
    list_for_each(at, &group->members)
    {
        members[count] = container_of(at, struct classic_member, link);
        ids[count] = members[count]->id;
        count++;
    }
    struct classic_member **ordered = arena_array(arena, struct classic_member *, count + 1);
    const size_t *order = java_order_texts(ids, count, group->buckets, arena);
    for (size_t i = 0; i < count; i++)
        ordered[i] = members[order[i]];
    return ordered;
}

// The first in that order, of those who wait in JoinGroup or of all; NULL when there is none.
static struct classic_member *first_in_order(const struct classic_group *group, bool only_joined)
{
    struct classic_member *first = NULL;
    uint32_t first_bucket = 0;
    list_for_each(at, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        uint32_t bucket = java_bucket(str_java_hash(member->id), group->buckets);
        if ((only_joined && member->join == NULL) || (first != NULL && bucket >= first_bucket))
            continue;
        first = member;
        first_bucket = bucket;
    }
    return first;
}

void classic_group_add(struct classic_group *group, struct classic_member *member,
                       struct str protocol_type)
{
    must(member->group == NULL);
    if (list_is_empty(&group->members))
        classic_group_set_protocol_type(group, protocol_type);
    if (!str_is_null(member->instance_id))
        must(hashmap_put(&group->by_instance, member->instance_id.data, member->instance_id.size,
                         member) == NULL);
    must(hashmap_put(&group->by_id, member->id.data, member->id.size, member) == NULL);
    list_append(&group->members, &member->link);
    group->buckets = java_buckets_after(group->buckets, group->by_id.count);
    member->group = group;
    if (group->leader == NULL)
        group->leader = member;
    count_protocols(group, member, 1);
}

void classic_group_remove(struct classic_group *group, struct classic_member *member)
{
    must(member->group == group);
    classic_group_set_join(group, member, NULL);
    classic_group_set_sync_pending(group, member, false);
    count_protocols(group, member, -1);
    hashmap_remove(&group->by_id, member->id.data, member->id.size);
    if (!str_is_null(member->instance_id))
        hashmap_remove(&group->by_instance, member->instance_id.data, member->instance_id.size);
    list_remove(&member->link);
    member->group = NULL;
    if (group->leader == member)
        group->leader = first_in_order(group, false);
}

void classic_group_rename(struct classic_group *group, struct classic_member *member, struct str id)
{
    hashmap_remove(&group->by_id, member->id.data, member->id.size);
    classic_member_set_id(member, id);
    list_remove(&member->link);
    list_append(&group->members, &member->link);
    must(hashmap_put(&group->by_id, member->id.data, member->id.size, member) == NULL);
}

struct member_protocol *classic_group_swap_protocols(struct classic_group *group,
                                                     struct classic_member *member,
                                                     struct member_protocol *protocols,
                                                     int32_t *count)
{
    count_protocols(group, member, -1);
    struct member_protocol *old = classic_member_swap_protocols(member, protocols, count);
    count_protocols(group, member, 1);
    return old;
}

void classic_group_set_join(struct classic_group *group, struct classic_member *member,
                            struct classic_join *join)
{
    group->awaiting_join_count += (join != NULL) - (member->join != NULL);
    member->join = join;
}

void classic_group_set_sync_pending(struct classic_group *group, struct classic_member *member,
                                    bool pending)
{
    group->sync_pending_count += pending - member->sync_pending;
    member->sync_pending = pending;
}

struct pending_member *classic_group_add_pending(struct classic_group *group, struct str id)
{
    struct pending_member *pending = mem_new(struct pending_member);
    pending->group = group;
    pending->id = (struct str){ str_dup(id), id.size };
    must(hashmap_put(&group->pending, pending->id.data, pending->id.size, pending) == NULL);
    return pending;
}

struct pending_member *classic_group_find_pending(const struct classic_group *group, struct str id)
{
    return hashmap_find(&group->pending, id.data, id.size);
}

void classic_group_remove_pending(struct classic_group *group, struct pending_member *pending)
{
    must(!timer_is_set(&pending->timer));
    hashmap_remove(&group->pending, pending->id.data, pending->id.size);
    mem_free((void *)(uintptr_t)pending->id.data);
    mem_free(pending);
}

bool classic_group_has_all_joined(const struct classic_group *group)
{
    return group->awaiting_join_count == classic_group_size(group) && group->pending.count == 0;
}

bool classic_group_elect_joined_leader(struct classic_group *group)
{
    if (group->leader == NULL)
        return false;
    if (group->leader->join != NULL)
        return true;
    struct classic_member *joined = first_in_order(group, true);
    if (joined == NULL)
        return false;
    group->leader = joined;
    return true;
}

int32_t classic_group_rebalance_timeout_ms(const struct classic_group *group)
{
    int32_t longest = 0;
    list_for_each(at, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        if (member->rebalance_timeout_ms > longest)
            longest = member->rebalance_timeout_ms;
    }
    return longest;
}

// ---- protocols -------------------------------------------------------------------------------------

static bool all_support(const struct classic_group *group, struct str name)
{
    for (int32_t i = 0; i < group->protocol_count; i++)
        if (str_eq(group->protocols[i].name, name))
            return group->protocols[i].members == classic_group_size(group);
    return classic_group_size(group) == 0; // as in Kafka, where 0 of 0 members support it
}

bool classic_group_supports(const struct classic_group *group, struct str protocol_type,
                            const struct join_group_request_protocol *protocols, int32_t count)
{
    bool is_empty = group->state == CLASSIC_EMPTY;
    if (is_empty ? protocol_type.size == 0 : !str_eq(group->protocol_type, protocol_type))
        return false;
    for (int32_t i = 0; i < count; i++)
        if ((is_empty || all_support(group, protocols[i].name)) &&
            member_protocol_counts(protocols, count, i))
            return true;
    return false;
}

// Kafka counts votes in a Java HashMap of 16 buckets and takes the first with the most: a tie goes to the
// lower bucket.
static uint32_t bucket_of(struct str name)
{
    return java_bucket(str_java_hash(name), java_buckets_grown(0));
}

struct str classic_group_select_protocol(const struct classic_group *group)
{
    must(!list_is_empty(&group->members));
    struct str best = STR_NULL;
    int32_t best_votes = 0;
    for (int32_t i = 0; i < group->protocol_count; i++) {
        struct str candidate = group->protocols[i].name;
        if (!all_support(group, candidate))
            continue;
        int32_t votes = 0;
        list_for_each(at, &group->members)
        {
            struct classic_member *member = container_of(at, struct classic_member, link);
            int32_t first = 0;
            while (!all_support(group, member->protocols[first].name))
                first++;
            votes += str_eq(member->protocols[first].name, candidate);
        }
        if (votes > best_votes || (votes == best_votes && bucket_of(candidate) < bucket_of(best))) {
            best = candidate;
            best_votes = votes;
        }
    }
    must(!str_is_null(best)); // (4): nobody was let in without a protocol that all support
    return best;
}

void classic_group_set_protocol_name(struct classic_group *group, struct str name)
{
    str_set(&group->protocol_name, name);
}

void classic_group_set_protocol_type(struct classic_group *group, struct str type)
{
    str_set(&group->protocol_type, type);
}

void classic_group_next_generation(struct classic_group *group, int64_t now_ms)
{
    group->generation = (int32_t)((uint32_t)group->generation + 1);
    bool is_empty = list_is_empty(&group->members);
    classic_group_set_protocol_name(group,
                                    is_empty ? STR_NULL : classic_group_select_protocol(group));
    classic_group_read_subscription(group);
    classic_group_transition(group, is_empty ? CLASSIC_EMPTY : CLASSIC_COMPLETING_REBALANCE,
                             now_ms);
    list_for_each(at, &group->members)
        classic_group_set_sync_pending(group, container_of(at, struct classic_member, link), false);
}

// ---- subscription ----------------------------------------------------------------------------------

bool classic_group_is_consumer(const struct classic_group *group)
{
    return str_eqz(group->protocol_type, "consumer");
}

// Any version of a consumer's subscription begins as version 0 does.
static bool add_topics(struct classic_group *group, struct bytes metadata, struct arena *arena)
{
    struct reader reader;
    struct consumer_protocol_subscription subscription;
    reader_init(&reader, metadata.data, metadata.size);
    int16_t version = reader_int16(&reader);
    if (reader_failed(&reader) || version < 0 ||
        !codec_decode(&consumer_protocol_subscription_desc, 0, &reader, arena, &subscription))
        return false;
    for (int32_t i = 0; i < subscription.topics_count; i++) {
        struct str topic = subscription.topics[i];
        if (hashmap_find(&group->subscribed, topic.data, topic.size) == NULL) {
            char *owned = str_dup(topic);
            hashmap_put(&group->subscribed, owned, topic.size, owned);
        }
    }
    return true;
}

void classic_group_read_subscription(struct classic_group *group)
{
    forget_subscription(group);
    if (!classic_group_is_consumer(group))
        return;
    group->subscription_known = true;
    if (list_is_empty(&group->members))
        return;
    bool is_readable = !str_is_null(group->protocol_name);
    struct arena arena;
    arena_init(&arena);
    list_for_each(at, &group->members)
    {
        struct classic_member *member = container_of(at, struct classic_member, link);
        if (is_readable)
            is_readable =
                add_topics(group, classic_member_metadata(member, group->protocol_name), &arena);
    }
    arena_fini(&arena);
    if (!is_readable)
        forget_subscription(group);
}

bool classic_group_is_subscribed(const struct classic_group *group, struct str topic)
{
    if (!group->subscription_known)
        return classic_group_is_consumer(group);
    return hashmap_find(&group->subscribed, topic.data, topic.size) != NULL;
}
