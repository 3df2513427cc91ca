// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/share.
#include "api/share_acks.h"

#include "api/node.h"
#include "metadata/metadata.h"
#include "protocol/error_message.h"

enum { MEMBER_ID_MAX = 36, TYPE_MAX = SHARE_REJECT };

bool share_groups_are_enabled(const struct request *request)
{
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    bool is_enabled = metadata_feature_level(metadata, "share.version") >= 1;
    metadata_unlock(metadata);
    return is_enabled;
}

enum kafka_error share_request_check(const struct request *request, struct str group,
                                     struct str member)
{
    if (!share_groups_are_enabled(request))
        return KERR_UNSUPPORTED_VERSION;
    if (str_is_null(group) || member.size == 0 || member.size > MEMBER_ID_MAX)
        return KERR_INVALID_REQUEST;
    return KERR_NONE;
}

enum kafka_error share_partition_known(const struct request *request, struct uuid topic_id,
                                       int32_t index)
{
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *topic = metadata_find_topic_by_id(metadata, topic_id);
    bool has_partition = topic != NULL && metadata_topic_partition(topic, index) != NULL;
    metadata_unlock(metadata);
    return topic == NULL   ? KERR_UNKNOWN_TOPIC_ID
           : has_partition ? KERR_NONE
                           : KERR_UNKNOWN_TOPIC_OR_PARTITION;
}

// ---- acknowledgements ------------------------------------------------------------------------------

void share_acks_init(struct share_acks *acks, struct request *request, int32_t most)
{
    *acks = (struct share_acks){ .request = request,
                                 .items = arena_array(&request->arena, struct share_ack, most) };
}

struct share_ack *share_acks_add(struct share_acks *acks, struct uuid topic_id, int32_t index,
                                 int32_t batches)
{
    int32_t at = 0; // named twice: the last counts
    while (at < acks->count &&
           (acks->items[at].index != index || !uuid_eq(acks->items[at].topic_id, topic_id)))
        at++;
    acks->count += at == acks->count;
    struct share_ack *ack = &acks->items[at];
    *ack = (struct share_ack){ .acks = acks, .topic_id = topic_id, .index = index };
    ack->batches = arena_array(&acks->request->arena, struct share_acknowledgement, batches);
    return ack;
}

static bool has_type_beyond(const struct share_acknowledgement *batch, int8_t most)
{
    for (int32_t i = 0; i < batch->types_count; i++)
        if (batch->types[i] < 0 || batch->types[i] > most)
            return true;
    return false;
}

static bool is_valid(const struct share_ack *ack, bool may_renew, bool is_renew)
{
    int64_t before = -1;
    int8_t most = may_renew && is_renew ? SHARE_RENEW : TYPE_MAX;
    for (int32_t i = 0; i < ack->batches_count; i++) {
        const struct share_acknowledgement *batch = &ack->batches[i];
        if (batch->first_offset > batch->last_offset || batch->first_offset < before ||
            batch->types_count <= 0 || has_type_beyond(batch, most) ||
            (batch->types_count > 1 &&
             batch->last_offset - batch->first_offset != batch->types_count - 1))
            return false;
        before = batch->last_offset;
    }
    return true;
}

static void release_one(struct share_acks *acks)
{
    if (atomic_fetch_sub(&acks->_left, 1) == 1)
        acks->done(acks);
}

static void on_result(struct completion *completion)
{
    struct share_ack *ack = container_of(completion, struct share_ack, result.completion);
    shared_partition_unref(ack->shared);
    release_one(ack->acks);
}

// The errors that are known before any share partition is asked.
static enum kafka_error check(const struct share_acks *acks, const struct share_ack *ack,
                              bool may_renew, bool is_renew)
{
    enum kafka_error error = share_partition_known(acks->request, ack->topic_id, ack->index);
    if (error == KERR_UNKNOWN_TOPIC_ID)
        return error;
    return is_valid(ack, may_renew, is_renew) ? error : KERR_INVALID_REQUEST;
}

void share_acks_start(struct share_acks *acks, struct str group, struct str member, bool may_renew,
                      bool is_renew, void (*done)(struct share_acks *acks))
{
    struct share_manager *shares = acks->request->node->shares;
    bool is_any = false;
    acks->done = done;
    atomic_init(&acks->_left, acks->count + 1);
    for (int32_t i = 0; i < acks->count; i++) {
        struct share_ack *ack = &acks->items[i];
        ack->result.error = check(acks, ack, may_renew, is_renew);
        ack->result.completion.complete = on_result;
        is_any |= ack->result.error == KERR_NONE && ack->batches_count > 0;
    }
    for (int32_t i = 0; i < acks->count; i++) {
        struct share_ack *ack = &acks->items[i];
        bool has_batches = ack->batches_count > 0;
        ack->is_answered = ack->result.error != KERR_NONE || has_batches || is_any;
        if (ack->result.error == KERR_NONE && has_batches) {
            ack->shared = share_manager_find(shares, group, ack->topic_id, ack->index);
            if (ack->shared != NULL) {
                shared_partition_acknowledge(ack->shared, member, ack->batches,
                                             (size_t)ack->batches_count, &ack->result);
                continue;
            }
            ack->result.error = KERR_UNKNOWN_TOPIC_OR_PARTITION;
            ack->result.message = kafka_error_message(ack->result.error);
        }
        release_one(acks);
    }
    release_one(acks);
}

// ---- sessions that end -----------------------------------------------------------------------------

void share_session_release(struct share_manager *shares, const struct share_session_end *end)
{
    for (size_t i = 0; i < end->partitions_count; i++) {
        const struct share_session_partition *partition = &end->partitions[i];
        struct shared_partition *shared =
            share_manager_find(shares, end->group, partition->topic_id, partition->index);
        if (shared == NULL)
            continue;
        shared_partition_release(shared, end->member, NULL);
        shared_partition_unref(shared);
    }
}

void share_client_gone(struct node *node, uint64_t connection_id)
{
    struct arena arena;
    struct share_session_end end;
    bool has_ended, is_empty;
    if (node->share_sessions == NULL)
        return;
    arena_init(&arena);
    if (share_sessions_disconnect(node->share_sessions, connection_id, &arena, &end, &has_ended,
                                  &is_empty)) {
        if (has_ended)
            share_session_release(node->shares, &end);
        if (is_empty)
            share_manager_group_is_empty(node->shares, end.group);
    }
    arena_fini(&arena);
}
