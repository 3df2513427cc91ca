// SPDX-License-Identifier: Apache-2.0
// DescribeShareGroupOffsets, versions 0 and 1: where share groups go on reading, and how much is left (1), as the
// share coordinator knows it. Without topics: all partitions whose state the group has begun.
#include <stdatomic.h>

#include "api/dispatch.h"
#include "api/node.h"
#include "api/share_acks.h"
#include "group/share/share_groups.h"
#include "metadata/metadata.h"
#include "protocol/error_message.h"
#include "protocol/messages/describe_share_group_offsets.h"
#include "replica/replicas.h"
#include "share_coordinator/share_coordinator.h"

struct offsets_call {
    struct share_state_call call;
    struct share_offsets *offsets;
    struct describe_share_group_offsets_response_partition *out;
};

struct share_offsets {
    struct request *request;
    atomic_int left;
};

// ---- one partition ---------------------------------------------------------------------------------

static enum kafka_error end_offset(struct request *request, struct uuid topic_id, int32_t index,
                                   int64_t *offset)
{
    struct replicas *replicas = request->node->replicas;
    replicas_lock_read(replicas);
    struct partition *partition =
        replica_topic_partition(replicas_find_topic_by_id(replicas, topic_id), index);
    if (partition != NULL)
        partition_ref(partition);
    replicas_unlock(replicas);
    if (partition == NULL)
        return replicas_why_not_found_by_id(replicas, topic_id, index);
    struct log_timestamp_offset found;
    enum kafka_error error = partition_offset_for_time(partition, PARTITION_LATEST, 0, true,
                                                       READ_UNCOMMITTED, -1, true, &found);
    *offset = found.offset;
    partition_unref(partition);
    return error;
}

static void answer(struct request *request, const struct offsets_call *part)
{
    const struct share_state_call *call = &part->call;
    bool is_there = call->error == KERR_NONE;
    part->out->start_offset = is_there ? call->start_offset : -1;
    part->out->leader_epoch = is_there ? call->leader_epoch : 0;
    part->out->lag = -1;
    if (!is_there || call->start_offset == -1 || call->delivery_complete_count == -1)
        return;
    int64_t end = 0;
    enum kafka_error error = end_offset(request, call->topic_id, call->partition, &end);
    if (error == KERR_NONE) {
        part->out->lag = end - call->start_offset - call->delivery_complete_count;
        return;
    }
    part->out->error_code = (int16_t)error;
    part->out->start_offset = 0;
    part->out->leader_epoch = 0;
}

static void one_less(struct share_offsets *offsets)
{
    if (atomic_fetch_sub(&offsets->left, 1) == 1)
        request_reply(offsets->request);
}

static void on_summed_up(struct completion *completion)
{
    struct offsets_call *part = container_of(completion, struct offsets_call, call.completion);
    answer(part->offsets->request, part);
    one_less(part->offsets);
}

static void ask(struct share_offsets *offsets, struct str group, struct uuid topic_id,
                int32_t partition, struct describe_share_group_offsets_response_partition *out)
{
    struct arena *arena = &offsets->request->arena;
    struct offsets_call *part = arena_new(arena, struct offsets_call);
    out->partition_index = partition;
    *part = (struct offsets_call){ .offsets = offsets, .out = out };
    part->call = (struct share_state_call){ .op = SHARE_STATE_SUMMARY,
                                            .group = group,
                                            .topic_id = topic_id,
                                            .partition = partition,
                                            .leader_epoch = -1,
                                            .arena = arena,
                                            .completion = { .complete = on_summed_up } };
    atomic_fetch_add(&offsets->left, 1);
    persister_call(offsets->request->node->share_persister, &part->call);
}

// ---- one group -------------------------------------------------------------------------------------

static struct describe_share_group_offsets_response_topic *
add_topic(struct request *request, struct describe_share_group_offsets_response_group *out,
          struct str name, struct uuid id, int32_t partitions)
{
    struct describe_share_group_offsets_response_topic *topic = &out->topics[out->topics_count++];
    topic->topic_name = name;
    topic->topic_id = id;
    topic->partitions = message_array(&describe_share_group_offsets_response_partition_desc,
                                      &request->arena, partitions);
    return topic;
}

static bool find_name(struct request *request, struct uuid id, struct str *name)
{
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *topic = metadata_find_topic_by_id(metadata, id);
    if (topic != NULL)
        *name = arena_strz(&request->arena, topic->name);
    metadata_unlock(metadata);
    return topic != NULL;
}

static bool find_id(struct request *request, struct str name, struct uuid *id)
{
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *topic = metadata_find_topic(metadata, name);
    if (topic != NULL)
        *id = topic->id;
    metadata_unlock(metadata);
    return topic != NULL;
}

// Asks for each, once, in the order in which Kafka's maps give them. `more`: room for so many other topics.
static void describe(struct share_offsets *offsets, struct str group,
                     const struct share_topics *topics, int32_t more,
                     struct describe_share_group_offsets_response_group *out)
{
    struct request *request = offsets->request;
    const size_t *order = share_topics_order(topics, &request->arena);
    out->topics = arena_array(&request->arena, struct describe_share_group_offsets_response_topic,
                              (int32_t)topics->count + more);
    for (size_t i = 0; i < topics->count; i++) {
        const struct share_topic *from = &topics->items[order[i]];
        struct str name;
        if (!find_name(request, from->id, &name))
            continue;
        struct describe_share_group_offsets_response_topic *topic =
            add_topic(request, out, name, from->id, from->count);
        topic->partitions_count = from->count;
        for (int32_t p = 0; p < from->count; p++)
            ask(offsets, group, from->id, from->partitions[p], &topic->partitions[p]);
    }
}

static void describe_all(struct share_offsets *offsets, struct str group,
                         struct describe_share_group_offsets_response_group *out)
{
    struct share_topics topics;
    out->error_code =
        (int16_t)share_groups_initialized(offsets->request->node->groups, group, &topics);
    describe(offsets, group, &topics, 0, out);
    share_topics_fini(&topics);
}

// The topics that there are. False: Kafka's persister would not take them.
static bool take_known(struct request *request,
                       const struct describe_share_group_offsets_request_group *group,
                       struct share_topics *known)
{
    struct uuid id;
    bool is_good = true;
    for (int32_t t = 0; t < group->topics_count; t++) {
        const struct describe_share_group_offsets_request_topic *asked = &group->topics[t];
        if (!find_id(request, asked->topic_name, &id))
            continue;
        struct share_topic *topic = share_topics_get(known, id, asked->topic_name);
        is_good = is_good && group->group_id.size > 0 && asked->partitions_count > 0;
        for (int32_t p = 0; p < asked->partitions_count; p++) {
            is_good = is_good && asked->partitions[p] >= 0;
            share_topic_add(topic, asked->partitions[p]);
        }
    }
    return is_good;
}

static void answer_unknown(struct request *request,
                           const struct describe_share_group_offsets_request_topic *asked,
                           struct describe_share_group_offsets_response_group *out)
{
    struct describe_share_group_offsets_response_topic *topic =
        add_topic(request, out, asked->topic_name, UUID_ZERO, asked->partitions_count);
    topic->partitions_count = asked->partitions_count;
    for (int32_t p = 0; p < asked->partitions_count; p++) {
        topic->partitions[p].partition_index = asked->partitions[p];
        topic->partitions[p].start_offset = -1;
    }
}

// Those that are known come first.
static void describe_some(struct share_offsets *offsets,
                          const struct describe_share_group_offsets_request_group *group,
                          struct describe_share_group_offsets_response_group *out)
{
    struct share_topics known = { 0 };
    if (take_known(offsets->request, group, &known)) {
        struct uuid id;
        describe(offsets, group->group_id, &known, group->topics_count, out);
        for (int32_t t = 0; t < group->topics_count; t++)
            if (!find_id(offsets->request, group->topics[t].topic_name, &id))
                answer_unknown(offsets->request, &group->topics[t], out);
    } else {
        out->error_code = KERR_UNKNOWN_SERVER_ERROR;
        out->error_message = str_of(kafka_error_message(KERR_UNKNOWN_SERVER_ERROR));
    }
    share_topics_fini(&known);
}

void handle_describe_share_group_offsets(struct request *request);

void handle_describe_share_group_offsets(struct request *request)
{
    const struct describe_share_group_offsets_request *body = request->body;
    struct describe_share_group_offsets_response *response = request->response;
    bool is_enabled = share_groups_are_enabled(request);
    response->groups = message_array(&describe_share_group_offsets_response_group_desc,
                                     &request->arena, body->groups_count);
    response->groups_count = body->groups_count;
    struct share_offsets *offsets = arena_new(&request->arena, struct share_offsets);
    offsets->request = request;
    atomic_init(&offsets->left, 1);
    for (int32_t i = 0; i < body->groups_count; i++) {
        struct describe_share_group_offsets_response_group *out = &response->groups[i];
        out->group_id = body->groups[i].group_id;
        if (!is_enabled)
            out->error_code = KERR_UNSUPPORTED_VERSION;
        else if (body->groups[i].topics_count < 0)
            describe_all(offsets, out->group_id, out);
        else
            describe_some(offsets, &body->groups[i], out);
    }
    one_less(offsets);
}
