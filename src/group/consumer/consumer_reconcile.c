// SPDX-License-Identifier: Apache-2.0
// See the header. Lists are made in the order in which Kafka's HashMaps would give them, so that the records are
// the same (java_order.h).
// Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_reconcile.h"

#include "group/consumer/consumer_records.h"
#include "base/java_order.h"

// Partitions of topics with epochs, in the making.
struct topic_list {
    struct member_topic *topics;
    int32_t count;
};

struct reconciler {
    const struct reconcile_request *request;
    struct member_draft *draft;
    struct arena *arena;
    struct topic_list assigned;
    struct topic_list pending_revocation;
    struct topic_list extended; // topics of which something is to be assigned
    struct topic_list fresh;    // those of them of which the member had nothing
    bool has_unreleased;        // something is another's
};

// ---- what the member says --------------------------------------------------------------------------

static bool has_partition(const struct member_topic *topic, int32_t partition)
{
    for (int32_t i = 0; topic != NULL && i < topic->partitions_count; i++)
        if (topic->partitions[i] == partition)
            return true;
    return false;
}

// Whether it still holds any of these. One that does not say may.
static bool owns_any_of(const struct reconcile_request *request, const struct member_topic *topics,
                        int32_t count)
{
    if (request->owned_count < 0)
        return true;
    for (int32_t t = 0; t < request->owned_count; t++) {
        const struct member_topic *topic =
            member_find_topic(topics, count, request->owned[t].topic_id);
        for (int32_t p = 0; p < request->owned[t].partitions_count; p++)
            if (has_partition(topic, request->owned[t].partitions[p]))
                return true;
    }
    return false;
}

static bool is_subscribed(const struct reconciler *r, struct uuid topic_id)
{
    const struct member_metadata_value *metadata = &r->draft->metadata;
    const struct indexed_topic *topic =
        topic_index_find_by_id(r->request->group->shard->topics, topic_id);
    if (topic == NULL)
        return false;
    for (int32_t i = 0; i < metadata->subscribed_topic_names_count; i++)
        if (str_eq(metadata->subscribed_topic_names[i], topic->name))
            return true;
    const struct resolved_regex *regex =
        member_has_regex(metadata)
            ? consumer_group_regex(r->request->group, metadata->subscribed_topic_regex)
            : NULL;
    for (int32_t i = 0; regex != NULL && i < regex->value->topics_count; i++)
        if (str_eq(regex->value->topics[i], topic->name))
            return true;
    return false;
}

// ---- lists -----------------------------------------------------------------------------------------

static struct member_topic *new_topic(struct reconciler *r, struct topic_list *list,
                                      struct uuid topic_id, int32_t capacity)
{
    struct member_topic *topic = &list->topics[list->count++];
    *topic = (struct member_topic){
        .topic_id = topic_id,
        .partitions = arena_array(r->arena, int32_t, capacity + 1),
        .assignment_epochs = arena_array(r->arena, int32_t, capacity + 1),
    };
    return topic;
}

static void add_partition(struct member_topic *topic, int32_t partition, int32_t epoch)
{
    topic->partitions[topic->partitions_count++] = partition;
    topic->assignment_epochs[topic->assignment_epochs_count++] = epoch;
}

static void order_partitions(struct reconciler *r, struct member_topic *topic, size_t buckets)
{
    size_t count = (size_t)topic->partitions_count;
    size_t *order = java_order(topic->partitions, count, buckets, r->arena);
    int32_t *partitions = arena_array(r->arena, int32_t, count + 1);
    int32_t *epochs = arena_array(r->arena, int32_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        partitions[i] = topic->partitions[order[i]];
        epochs[i] = topic->assignment_epochs[order[i]];
    }
    topic->partitions = partitions;
    topic->assignment_epochs = epochs;
}

static void order_topics_in(struct reconciler *r, struct topic_list *list, size_t buckets)
{
    size_t count = (size_t)list->count;
    int32_t *hashes = arena_array(r->arena, int32_t, count + 1);
    for (size_t i = 0; i < count; i++)
        hashes[i] = java_hash_uuid(list->topics[i].topic_id);
    size_t *order = java_order(hashes, count, buckets, r->arena);
    struct member_topic *ordered = arena_array(r->arena, struct member_topic, count + 1);
    for (size_t i = 0; i < count; i++)
        ordered[i] = list->topics[order[i]];
    list->topics = ordered;
}

static void order_topics(struct reconciler *r, struct topic_list *list)
{
    order_topics_in(r, list, java_buckets_grown((size_t)list->count));
}

static void prepend(struct topic_list *list, const struct member_topic *topic)
{
    memmove(list->topics + 1, list->topics, (size_t)list->count++ * sizeof *topic);
    list->topics[0] = *topic;
}

// Topics of which the member had nothing come to the others by computeIfAbsent, in the order of a map of their own.
static void add_fresh(struct reconciler *r)
{
    size_t buckets = java_buckets_grown((size_t)r->assigned.count);
    order_topics(r, &r->extended);
    for (int32_t i = 0; i < r->extended.count; i++) {
        const struct member_topic *fresh =
            member_find_topic(r->fresh.topics, r->fresh.count, r->extended.topics[i].topic_id);
        buckets = java_buckets_before_compute(buckets, (size_t)r->assigned.count);
        if (fresh != NULL)
            prepend(&r->assigned, fresh);
    }
    order_topics_in(r, &r->assigned, buckets);
}

// Buckets of new HashMap<>(map): it has room for what is in the map and a third more.
static size_t buckets_of_copy(int32_t count)
{
    return count == 0 ? java_buckets_grown(0)
                      : java_buckets_sized((size_t)((float)count / 0.75f + 1.0f));
}

// ---- one topic -------------------------------------------------------------------------------------

static const struct target_topic *find_target(const struct reconciler *r, struct uuid topic_id)
{
    const struct member_target_value *target = r->request->target;
    for (int32_t i = 0; i < target->topic_partitions_count; i++)
        if (uuid_eq(target->topic_partitions[i].topic_id, topic_id))
            return &target->topic_partitions[i];
    return NULL;
}

static int compare_numbers(int32_t a, int32_t b)
{
    return a < b ? -1 : a > b;
}

// Sorted copy, for looking up: topics may have very many partitions.
static int32_t *sorted_copy(struct reconciler *r, const int32_t *numbers, int32_t count)
{
    int32_t *sorted = arena_dup(r->arena, numbers, (size_t)count * sizeof *sorted);
    for (int32_t gap = count / 2; gap > 0; gap /= 2) // Shell's sort
        for (int32_t i = gap; i < count; i++)
            for (int32_t k = i; k >= gap && compare_numbers(sorted[k - gap], sorted[k]) > 0;
                 k -= gap) {
                int32_t swap = sorted[k];
                sorted[k] = sorted[k - gap];
                sorted[k - gap] = swap;
            }
    return sorted;
}

static bool is_among(const int32_t *sorted, int32_t count, int32_t number)
{
    int32_t low = 0, high = count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (sorted[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && sorted[low] == number;
}

// What the member has of the topic, parted into what it keeps and what it must give up.
static struct member_topic *part(struct reconciler *r, const struct member_topic *current,
                                 const struct target_topic *target)
{
    int32_t wanted_count = target != NULL ? target->partitions_count : 0;
    int32_t *wanted = sorted_copy(r, target != NULL ? target->partitions : NULL, wanted_count);
    struct member_topic *kept =
        new_topic(r, &r->assigned, current->topic_id, current->partitions_count + wanted_count);
    struct member_topic *lost =
        new_topic(r, &r->pending_revocation, current->topic_id, current->partitions_count);
    for (int32_t i = 0; i < current->partitions_count; i++)
        add_partition(is_among(wanted, wanted_count, current->partitions[i]) ? kept : lost,
                      current->partitions[i], current->assignment_epochs[i]);
    order_partitions(r, lost, buckets_of_copy(current->partitions_count));
    r->pending_revocation.count -= lost->partitions_count == 0;
    return kept;
}

// What the member shall have in addition: free partitions, and those that it is itself about to give up.
// The number of partitions that were added.
static int32_t add_wanted(struct reconciler *r, struct member_topic *kept,
                          const struct target_topic *target)
{
    const struct member_current_value *was = &r->draft->current;
    const struct member_topic *own_pending =
        member_find_topic(was->partitions_pending_revocation,
                          was->partitions_pending_revocation_count, target->topic_id);
    int32_t had = kept->partitions_count;
    int32_t *present = sorted_copy(r, kept->partitions, had);
    for (int32_t i = 0; i < target->partitions_count; i++) {
        int32_t partition = target->partitions[i];
        if (is_among(present, had, partition))
            continue;
        bool is_others =
            consumer_group_partition_epoch(r->request->group, target->topic_id, partition) != -1;
        if (is_others && !has_partition(own_pending, partition)) {
            r->has_unreleased = true;
            continue;
        }
        add_partition(kept, partition, r->request->target_epoch);
    }
    return kept->partitions_count - had;
}

static void reconcile_topic(struct reconciler *r, struct uuid topic_id)
{
    const struct member_current_value *was = &r->draft->current;
    const struct target_topic *target =
        is_subscribed(r, topic_id) ? find_target(r, topic_id) : NULL;
    const struct member_topic *current =
        member_find_topic(was->assigned_partitions, was->assigned_partitions_count, topic_id);
    struct member_topic none = { .topic_id = topic_id };
    struct member_topic *kept = part(r, current != NULL ? current : &none, target);
    bool is_fresh = kept->partitions_count == 0;
    size_t buckets = is_fresh ? java_buckets_grown(0) : buckets_of_copy(current->partitions_count);
    if (target != NULL && add_wanted(r, kept, target) > 0)
        r->extended.topics[r->extended.count++].topic_id = topic_id;
    order_partitions(r, kept, java_buckets_after(buckets, (size_t)kept->partitions_count));
    if (!is_fresh)
        return;
    if (kept->partitions_count > 0)
        r->fresh.topics[r->fresh.count++] = *kept;
    r->assigned.count--;
}

// ---- the whole -------------------------------------------------------------------------------------

static void set_state(struct reconciler *r, enum consumer_member_state state, int32_t epoch,
                      bool keeps_pending)
{
    struct member_current_value *current = &r->draft->current;
    current->state = (int8_t)state;
    member_draft_move(r->draft, epoch);
    current->assigned_partitions = r->assigned.topics;
    current->assigned_partitions_count = r->assigned.count;
    current->partitions_pending_revocation = keeps_pending ? r->pending_revocation.topics : NULL;
    current->partitions_pending_revocation_count = keeps_pending ? r->pending_revocation.count : 0;
}

// Without the new partitions of the target: those wait until what is too much was given up.
static void forget_new(struct reconciler *r)
{
    const struct member_current_value *was = &r->draft->current;
    for (int32_t t = 0; t < r->assigned.count; t++) {
        struct member_topic *topic = &r->assigned.topics[t];
        const struct member_topic *before = member_find_topic(
            was->assigned_partitions, was->assigned_partitions_count, topic->topic_id);
        int32_t kept = 0;
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            if (!has_partition(before, topic->partitions[p]))
                continue;
            topic->partitions[kept] = topic->partitions[p];
            topic->assignment_epochs[kept++] = topic->assignment_epochs[p];
        }
        topic->partitions_count = topic->assignment_epochs_count = kept;
    }
}

static void compute_next(struct reconciler *r, int32_t member_epoch)
{
    const struct member_current_value *was = &r->draft->current;
    const struct member_target_value *target = r->request->target;
    int32_t most = target->topic_partitions_count + was->assigned_partitions_count;
    r->assigned.topics = arena_array(r->arena, struct member_topic, most + 1);
    r->pending_revocation.topics = arena_array(r->arena, struct member_topic, most + 1);
    r->extended.topics = arena_array(r->arena, struct member_topic, most + 1);
    r->fresh.topics = arena_array(r->arena, struct member_topic, most + 1);
    for (int32_t i = 0; i < target->topic_partitions_count; i++)
        reconcile_topic(r, target->topic_partitions[i].topic_id);
    for (int32_t i = 0; i < was->assigned_partitions_count; i++)
        if (find_target(r, was->assigned_partitions[i].topic_id) == NULL)
            reconcile_topic(r, was->assigned_partitions[i].topic_id);
    order_topics(r, &r->pending_revocation);
    if (r->pending_revocation.count > 0 &&
        owns_any_of(r->request, r->pending_revocation.topics, r->pending_revocation.count)) {
        forget_new(r);
        order_topics(r, &r->assigned);
        set_state(r, MEMBER_UNREVOKED_PARTITIONS, member_epoch, true);
        return;
    }
    add_fresh(r);
    set_state(r, r->has_unreleased ? MEMBER_UNRELEASED_PARTITIONS : MEMBER_STABLE,
              r->request->target_epoch, false);
}

static void merge_pending(struct reconciler *r, const struct member_topic *gone)
{
    struct member_topic *pending = NULL;
    for (int32_t i = 0; i < r->pending_revocation.count; i++)
        if (uuid_eq(r->pending_revocation.topics[i].topic_id, gone->topic_id))
            pending = &r->pending_revocation.topics[i];
    if (pending == NULL) {
        r->pending_revocation.topics[r->pending_revocation.count++] = *gone;
        return;
    }
    struct member_topic before = *pending;
    r->pending_revocation.count--;
    *pending = r->pending_revocation.topics[r->pending_revocation.count];
    struct member_topic *merged = new_topic(r, &r->pending_revocation, gone->topic_id,
                                            before.partitions_count + gone->partitions_count);
    for (int32_t i = 0; i < before.partitions_count; i++)
        add_partition(merged, before.partitions[i], before.assignment_epochs[i]);
    for (int32_t i = 0; i < gone->partitions_count; i++)
        if (!has_partition(&before, gone->partitions[i]))
            add_partition(merged, gone->partitions[i], gone->assignment_epochs[i]);
    order_partitions(r, merged, buckets_of_copy(merged->partitions_count));
}

// The target stays; but what the member has must be of topics that it subscribes to.
static void drop_unsubscribed(struct reconciler *r, int32_t member_epoch)
{
    struct member_current_value *current = &r->draft->current;
    int32_t most =
        current->assigned_partitions_count + current->partitions_pending_revocation_count;
    r->assigned.topics = arena_array(r->arena, struct member_topic, most + 1);
    r->pending_revocation.topics = arena_array(r->arena, struct member_topic, most + 1);
    for (int32_t i = 0; i < current->partitions_pending_revocation_count; i++)
        r->pending_revocation.topics[r->pending_revocation.count++] =
            current->partitions_pending_revocation[i];
    for (int32_t i = 0; i < current->assigned_partitions_count; i++) {
        if (is_subscribed(r, current->assigned_partitions[i].topic_id))
            r->assigned.topics[r->assigned.count++] = current->assigned_partitions[i];
        else
            merge_pending(r, &current->assigned_partitions[i]);
    }
    if (r->assigned.count == current->assigned_partitions_count)
        return;
    order_topics(r, &r->assigned);
    order_topics(r, &r->pending_revocation);
    if (owns_any_of(r->request, r->pending_revocation.topics, r->pending_revocation.count)) {
        set_state(r, MEMBER_UNREVOKED_PARTITIONS, member_epoch, true);
        return;
    }
    // They were given up already: only what is assigned shrinks.
    member_draft_move(r->draft, member_epoch);
    current->assigned_partitions = r->assigned.topics;
    current->assigned_partitions_count = r->assigned.count;
}

static enum kafka_error step(struct reconciler *r)
{
    const struct reconcile_request *request = r->request;
    const struct member_current_value *current = &r->draft->current;
    switch ((enum consumer_member_state)current->state) {
    case MEMBER_STABLE:
        if (current->member_epoch != request->target_epoch)
            compute_next(r, current->member_epoch);
        else if (request->has_subscription_changed)
            drop_unsubscribed(r, current->member_epoch);
        return KERR_NONE;
    case MEMBER_UNREVOKED_PARTITIONS:
        if (!owns_any_of(request, current->partitions_pending_revocation,
                         current->partitions_pending_revocation_count))
            compute_next(r, current->member_epoch);
        else if (request->has_subscription_changed)
            drop_unsubscribed(r, current->member_epoch);
        return KERR_NONE;
    case MEMBER_UNRELEASED_PARTITIONS:
        compute_next(r, current->member_epoch);
        return KERR_NONE;
    case MEMBER_UNKNOWN:
        break;
    }
    if (request->owned_count < 0 || request->owned_count > 0)
        return KERR_FENCED_MEMBER_EPOCH;
    compute_next(r, request->target_epoch);
    return KERR_NONE;
}

enum kafka_error consumer_reconcile(const struct reconcile_request *request,
                                    struct member_draft *draft)
{
    if (!request->has_subscription_changed &&
        member_is_reconciled(&draft->current, request->target_epoch))
        return KERR_NONE;
    struct member_current_value before = draft->current;
    struct reconciler r = { .request = request, .draft = draft, .arena = request->arena };
    topic_index_lock_read(request->group->shard->topics);
    enum kafka_error error = step(&r);
    topic_index_unlock(request->group->shard->topics);
    if (error == KERR_NONE && !member_current_equals(&before, &draft->current))
        consumer_add_current(request->group, draft->id, &draft->current);
    return error;
}
