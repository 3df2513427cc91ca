// SPDX-License-Identifier: Apache-2.0
// ShareAcknowledge, versions 1 and 2: what became of records that a member was given (KIP-932; 2: renewals, KIP-1222).
// With the final epoch the session ends afterwards, and what its member still holds is given back.
#include "api/current_leader.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "api/share_acks.h"
#include "protocol/messages/share_acknowledge.h"

enum { VERSION_RENEW = 2 };

static void tell_leader(struct request *request, const struct share_ack *ack, int32_t most,
                        struct share_acknowledge_response_partition_data *out)
{
    struct share_acknowledge_response *response = request->response;
    struct current_leader leader =
        current_leader_of(request, NULL, STR_NULL, ack->topic_id, ack->index);
    out->current_leader.leader_id = leader.leader_id;
    out->current_leader.leader_epoch = leader.leader_epoch;
    bool is_told = !leader.has_node;
    for (int32_t i = 0; i < response->node_endpoints_count; i++)
        is_told |= response->node_endpoints[i].node_id == leader.leader_id;
    if (is_told)
        return;
    if (response->node_endpoints == NULL)
        response->node_endpoints =
            arena_array(&request->arena, struct share_acknowledge_response_node_endpoint, most);
    response->node_endpoints[response->node_endpoints_count++] =
        (struct share_acknowledge_response_node_endpoint){ .node_id = leader.leader_id,
                                                           .host = leader.host,
                                                           .port = leader.port,
                                                           .rack = leader.rack };
}

static struct share_acknowledge_response_share_acknowledge_topic_response *
topic_of(struct request *request, struct uuid topic_id, int32_t most)
{
    struct share_acknowledge_response *response = request->response;
    struct share_acknowledge_response_share_acknowledge_topic_response *topic = NULL;
    for (int32_t i = 0; i < response->responses_count && topic == NULL; i++)
        if (uuid_eq(response->responses[i].topic_id, topic_id))
            topic = &response->responses[i];
    if (topic != NULL)
        return topic;
    topic = &response->responses[response->responses_count++];
    topic->topic_id = topic_id;
    topic->partitions =
        arena_array(&request->arena, struct share_acknowledge_response_partition_data, most);
    return topic;
}

static void end_session(struct request *request)
{
    const struct share_acknowledge_request *body = request->body;
    struct share_session_end end;
    if (body->share_session_epoch == SHARE_SESSION_FINAL_EPOCH &&
        share_sessions_end(request->node->share_sessions, body->group_id, body->member_id,
                           &request->arena, &end))
        share_session_release(request->node->shares, &end);
}

static void on_acknowledged(struct share_acks *acks)
{
    struct request *request = acks->request;
    const struct share_acknowledge_request *body = request->body;
    struct share_acknowledge_response *response = request->response;
    struct share_settings settings;
    share_manager_settings(request->node->shares, body->group_id, &settings);
    response->acquisition_lock_timeout_ms = settings.limits.lock_ms;
    response->responses = arena_array(
        &request->arena, struct share_acknowledge_response_share_acknowledge_topic_response,
        acks->count);
    for (int32_t i = 0; i < acks->count; i++) {
        const struct share_ack *ack = &acks->items[i];
        if (!ack->is_answered)
            continue;
        struct share_acknowledge_response_share_acknowledge_topic_response *topic =
            topic_of(request, ack->topic_id, acks->count);
        struct share_acknowledge_response_partition_data *out =
            &topic->partitions[topic->partitions_count++];
        out->partition_index = ack->index;
        out->error_code = (int16_t)ack->result.error;
        out->error_message = str_of(ack->result.message);
        if (ack->result.error == KERR_NOT_LEADER_OR_FOLLOWER ||
            ack->result.error == KERR_FENCED_LEADER_EPOCH)
            tell_leader(request, ack, acks->count, out);
    }
    end_session(request);
    request_reply(request);
}

void handle_share_acknowledge(struct request *request);

void handle_share_acknowledge(struct request *request)
{
    const struct share_acknowledge_request *body = request->body;
    struct share_acknowledge_response *response = request->response;
    enum kafka_error error = share_request_check(request, body->group_id, body->member_id);
    if (error == KERR_NONE)
        error = share_sessions_acknowledge(request->node->share_sessions, body->group_id,
                                           body->member_id, body->share_session_epoch);
    if (error != KERR_NONE) {
        response->error_code = (int16_t)error;
        request_reply(request);
        return;
    }
    int32_t most = 0;
    for (int32_t t = 0; t < body->topics_count; t++)
        most += body->topics[t].partitions_count;
    struct share_acks *acks = arena_new(&request->arena, struct share_acks);
    share_acks_init(acks, request, most);
    for (int32_t t = 0; t < body->topics_count; t++) {
        for (int32_t p = 0; p < body->topics[t].partitions_count; p++) {
            const struct share_acknowledge_request_acknowledge_partition *partition =
                &body->topics[t].partitions[p];
            struct share_ack *ack =
                share_acks_add(acks, body->topics[t].topic_id, partition->partition_index,
                               partition->acknowledgement_batches_count);
            for (int32_t b = 0; b < partition->acknowledgement_batches_count; b++) {
                const struct share_acknowledge_request_acknowledgement_batch *batch =
                    &partition->acknowledgement_batches[b];
                ack->batches[ack->batches_count++] =
                    (struct share_acknowledgement){ batch->first_offset, batch->last_offset,
                                                    batch->acknowledge_types,
                                                    batch->acknowledge_types_count };
            }
        }
    }
    share_acks_start(acks, body->group_id, body->member_id, request->api_version >= VERSION_RENEW,
                     body->is_renew_ack, on_acknowledged);
}
