// SPDX-License-Identifier: Apache-2.0
// Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_draft.h"

#include <stdlib.h>

struct member_draft member_draft_of(const struct consumer_member *member, struct str id)
{
    struct member_draft draft = { .id = id };
    draft.metadata = member != NULL ? *member->metadata : member_metadata_none;
    draft.current = member != NULL ? *member->current : member_current_none;
    return draft;
}

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

void member_draft_set_names(struct member_draft *draft, const struct str *names, int32_t count,
                            struct arena *arena)
{
    struct str *sorted = arena_array(arena, struct str, count + 1);
    int32_t kept = 0;
    if (count > 0)
        memcpy(sorted, names, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_text);
    for (int32_t i = 0; i < count; i++)
        if (kept == 0 || !str_eq(sorted[kept - 1], sorted[i]))
            sorted[kept++] = sorted[i];
    draft->metadata.subscribed_topic_names = sorted;
    draft->metadata.subscribed_topic_names_count = kept;
}

void member_draft_move(struct member_draft *draft, int32_t member_epoch)
{
    draft->current.previous_member_epoch = draft->current.member_epoch;
    draft->current.member_epoch = member_epoch;
}

// ---- equality --------------------------------------------------------------------------------------

bool member_names_equal(const struct member_metadata_value *a,
                        const struct member_metadata_value *b)
{
    if (a->subscribed_topic_names_count != b->subscribed_topic_names_count)
        return false;
    for (int32_t i = 0; i < a->subscribed_topic_names_count; i++) // both are sorted
        if (!str_eq(a->subscribed_topic_names[i], b->subscribed_topic_names[i]))
            return false;
    return true;
}

static bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool
classic_equals(const struct consumer_group_member_metadata_value_classic_member_metadata *a,
               const struct consumer_group_member_metadata_value_classic_member_metadata *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->session_timeout_ms != b->session_timeout_ms ||
        a->supported_protocols_count != b->supported_protocols_count)
        return false;
    for (int32_t i = 0; i < a->supported_protocols_count; i++)
        if (!str_eq(a->supported_protocols[i].name, b->supported_protocols[i].name) ||
            !bytes_equal(a->supported_protocols[i].metadata, b->supported_protocols[i].metadata))
            return false;
    return true;
}

bool member_metadata_equals(const struct member_metadata_value *a,
                            const struct member_metadata_value *b)
{
    return str_eq(a->instance_id, b->instance_id) && str_eq(a->rack_id, b->rack_id) &&
           str_eq(a->client_id, b->client_id) && str_eq(a->client_host, b->client_host) &&
           str_eq(a->subscribed_topic_regex, b->subscribed_topic_regex) &&
           a->rebalance_timeout_ms == b->rebalance_timeout_ms &&
           str_eq(a->server_assignor, b->server_assignor) && member_names_equal(a, b) &&
           classic_equals(a->classic_member_metadata, b->classic_member_metadata);
}

static bool topic_equals(const struct member_topic *a, const struct member_topic *b)
{
    if (b == NULL || a->partitions_count != b->partitions_count)
        return false;
    bool same_order = memcmp(a->partitions, b->partitions,
                             (size_t)a->partitions_count * sizeof *a->partitions) == 0;
    for (int32_t i = 0; i < a->partitions_count; i++) {
        int32_t epoch = same_order ? b->assignment_epochs[i]
                                   : member_assignment_epoch(b, 1, a->topic_id, a->partitions[i]);
        if (a->assignment_epochs[i] != epoch)
            return false;
    }
    return true;
}

bool member_topics_equal(const struct member_topic *a, int32_t a_count,
                         const struct member_topic *b, int32_t b_count)
{
    if (a_count != b_count)
        return false;
    for (int32_t i = 0; i < a_count; i++)
        if (!topic_equals(&a[i], member_find_topic(b, b_count, a[i].topic_id)))
            return false;
    return true;
}

bool member_current_equals(const struct member_current_value *a,
                           const struct member_current_value *b)
{
    return a->member_epoch == b->member_epoch &&
           a->previous_member_epoch == b->previous_member_epoch && a->state == b->state &&
           member_topics_equal(a->assigned_partitions, a->assigned_partitions_count,
                               b->assigned_partitions, b->assigned_partitions_count) &&
           member_topics_equal(
               a->partitions_pending_revocation, a->partitions_pending_revocation_count,
               b->partitions_pending_revocation, b->partitions_pending_revocation_count);
}
