// SPDX-License-Identifier: Apache-2.0
// InitializeShareGroupState, ReadShareGroupState, WriteShareGroupState, DeleteShareGroupState and
// ReadShareGroupStateSummary: what brokers ask the share coordinator (KIP-932). Each names partitions of topics for one
// group; each partition is one call of the persister, and the answer is made when all are answered.
//
// A request without a group, without topics, or (reads and writes, deletions) with a topic without partitions is
// answered with nothing at all, as Kafka does.
// Tested by compat-tests/twin/share.
#include <stdatomic.h>

#include "api/dispatch.h"
#include "api/node.h"
#include "protocol/error_message.h"
#include "protocol/messages/delete_share_group_state.h"
#include "protocol/messages/initialize_share_group_state.h"
#include "protocol/messages/read_share_group_state.h"
#include "protocol/messages/read_share_group_state_summary.h"
#include "protocol/messages/write_share_group_state.h"
#include "share_coordinator/share_coordinator.h"

struct state_calls;

struct state_part {
    struct share_state_call call;
    struct state_calls *calls;
};

struct state_calls {
    struct request *request;
    const char *words; // what could not be done
    struct state_part *parts;
    int32_t count;
    atomic_int left;
    void (*answer)(struct state_calls *calls);
};

static struct state_calls *calls_new(struct request *request, const char *words, int32_t most,
                                     void (*answer)(struct state_calls *))
{
    struct state_calls *calls = arena_new(&request->arena, struct state_calls);
    *calls = (struct state_calls){ .request = request,
                                   .words = words,
                                   .parts = arena_array(&request->arena, struct state_part, most),
                                   .answer = answer };
    request->state = calls;
    return calls;
}

static struct share_state_call *calls_add(struct state_calls *calls, enum share_state_op op,
                                          struct str group, struct uuid topic_id, int32_t partition)
{
    struct state_part *part = &calls->parts[calls->count++];
    part->calls = calls;
    part->call = (struct share_state_call){ .op = op,
                                            .group = group,
                                            .topic_id = topic_id,
                                            .partition = partition,
                                            .leader_epoch = -1,
                                            .state_epoch = -1,
                                            .arena = &calls->request->arena };
    return &part->call;
}

static void one_less(struct state_calls *calls)
{
    if (atomic_fetch_sub(&calls->left, 1) > 1)
        return;
    calls->answer(calls);
    request_reply(calls->request);
}

static void on_answered(struct completion *completion)
{
    one_less(container_of(completion, struct state_part, call.completion)->calls);
}

static void calls_start(struct state_calls *calls)
{
    struct persister *persister =
        share_coordinator_persister(calls->request->node->share_coordinator);
    atomic_init(&calls->left, calls->count + 1);
    for (int32_t i = 0; i < calls->count; i++) {
        calls->parts[i].call.completion.complete = on_answered;
        persister_call(persister, &calls->parts[i].call);
    }
    one_less(calls);
}

// Kafka's words for a call that the coordinator could not take.
static struct str message_of(const struct state_calls *calls, const struct share_state_call *call)
{
    if (!call->is_unavailable)
        return call->error_message;
    bool is_coordinators = call->error == KERR_NOT_COORDINATOR ||
                           call->error == KERR_COORDINATOR_LOAD_IN_PROGRESS ||
                           call->error == KERR_COORDINATOR_NOT_AVAILABLE;
    const char *why =
        kafka_error_message(is_coordinators ? call->error : KERR_UNKNOWN_SERVER_ERROR);
    return str_of(arena_printf(&calls->request->arena, "Unable to %s: %s", calls->words, why));
}

// ---- initialize_share_group_state ----------------------------------------------------------------

static void answer_initialize(struct state_calls *calls)
{
    struct request *request = calls->request;
    const struct initialize_share_group_state_request *body = request->body;
    struct initialize_share_group_state_response *response = request->response;
    const struct state_part *part = calls->parts;
    response->results = arena_array(
        &request->arena, struct initialize_share_group_state_response_initialize_state_result,
        body->topics_count);
    for (int32_t t = 0; t < body->topics_count; t++) {
        if (body->topics[t].partitions_count == 0)
            continue;
        struct initialize_share_group_state_response_initialize_state_result *topic =
            &response->results[response->results_count++];
        topic->topic_id = body->topics[t].topic_id;
        topic->partitions_count = body->topics[t].partitions_count;
        topic->partitions = arena_array(
            &request->arena, struct initialize_share_group_state_response_partition_result,
            topic->partitions_count);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            const struct share_state_call *call = &(part++)->call;
            struct initialize_share_group_state_response_partition_result *to =
                &topic->partitions[p];
            to->partition = call->partition;
            to->error_code = (int16_t)call->error;
            to->error_message = message_of(calls, call);
        }
    }
}

void handle_initialize_share_group_state(struct request *request);

void handle_initialize_share_group_state(struct request *request)
{
    const struct initialize_share_group_state_request *body = request->body;
    int32_t most = 0;
    bool is_empty = body->group_id.size == 0;
    for (int32_t t = 0; t < body->topics_count; t++) {
        most += body->topics[t].partitions_count;
    }
    if (is_empty || body->topics_count == 0) {
        request_reply(request);
        return;
    }
    struct state_calls *calls =
        calls_new(request, "initialize share group state", most, answer_initialize);
    for (int32_t t = 0; t < body->topics_count; t++) {
        for (int32_t p = 0; p < body->topics[t].partitions_count; p++) {
            const struct initialize_share_group_state_request_partition_data *partition =
                &body->topics[t].partitions[p];
            struct share_state_call *call =
                calls_add(calls, SHARE_STATE_INITIALIZE, body->group_id, body->topics[t].topic_id,
                          partition->partition);
            call->state_epoch = partition->state_epoch;
            call->start_offset = partition->start_offset;
        }
    }
    calls_start(calls);
}

// ---- read_share_group_state ----------------------------------------------------------------------

static void tell_batches(struct arena *arena, const struct share_state_call *call,
                         struct read_share_group_state_response_partition_result *to)
{
    to->state_batches =
        arena_array(arena, struct read_share_group_state_response_state_batch, call->batches_count);
    to->state_batches_count = (int32_t)call->batches_count;
    for (size_t b = 0; b < call->batches_count; b++) {
        to->state_batches[b].first_offset = call->batches[b].first_offset;
        to->state_batches[b].last_offset = call->batches[b].last_offset;
        to->state_batches[b].delivery_state = call->batches[b].state;
        to->state_batches[b].delivery_count = call->batches[b].delivery_count;
    }
}

static void answer_read(struct state_calls *calls)
{
    struct request *request = calls->request;
    const struct read_share_group_state_request *body = request->body;
    struct read_share_group_state_response *response = request->response;
    const struct state_part *part = calls->parts;
    response->results =
        arena_array(&request->arena, struct read_share_group_state_response_read_state_result,
                    body->topics_count);
    for (int32_t t = 0; t < body->topics_count; t++) {
        if (body->topics[t].partitions_count == 0)
            continue;
        struct read_share_group_state_response_read_state_result *topic =
            &response->results[response->results_count++];
        topic->topic_id = body->topics[t].topic_id;
        topic->partitions_count = body->topics[t].partitions_count;
        topic->partitions =
            arena_array(&request->arena, struct read_share_group_state_response_partition_result,
                        topic->partitions_count);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            const struct share_state_call *call = &(part++)->call;
            struct read_share_group_state_response_partition_result *to = &topic->partitions[p];
            to->partition = call->partition;
            to->error_code = (int16_t)call->error;
            to->error_message = message_of(calls, call);
            if (call->error != KERR_NONE)
                continue;
            to->state_epoch = call->state_epoch;
            to->start_offset = call->start_offset;
            tell_batches(&request->arena, call, to);
        }
    }
}

void handle_read_share_group_state(struct request *request);

void handle_read_share_group_state(struct request *request)
{
    const struct read_share_group_state_request *body = request->body;
    int32_t most = 0;
    bool is_empty = body->group_id.size == 0;
    for (int32_t t = 0; t < body->topics_count; t++) {
        most += body->topics[t].partitions_count;
        is_empty |= body->topics[t].partitions_count == 0;
    }
    if (is_empty || body->topics_count == 0) {
        request_reply(request);
        return;
    }
    struct state_calls *calls = calls_new(request, "read share group state", most, answer_read);
    for (int32_t t = 0; t < body->topics_count; t++) {
        for (int32_t p = 0; p < body->topics[t].partitions_count; p++) {
            const struct read_share_group_state_request_partition_data *partition =
                &body->topics[t].partitions[p];
            struct share_state_call *call =
                calls_add(calls, SHARE_STATE_READ, body->group_id, body->topics[t].topic_id,
                          partition->partition);
            call->leader_epoch = partition->leader_epoch;
        }
    }
    calls_start(calls);
}

// ---- write_share_group_state ---------------------------------------------------------------------

static void fill_batches(struct arena *arena,
                         const struct write_share_group_state_request_partition_data *partition,
                         struct share_state_call *call)
{
    struct share_batch *batches =
        arena_array(arena, struct share_batch, partition->state_batches_count);
    for (int32_t b = 0; b < partition->state_batches_count; b++)
        batches[b] = (struct share_batch){
            .first_offset = partition->state_batches[b].first_offset,
            .last_offset = partition->state_batches[b].last_offset,
            .delivery_count = partition->state_batches[b].delivery_count,
            .state = partition->state_batches[b].delivery_state,
        };
    call->batches = batches;
    call->batches_count = (size_t)partition->state_batches_count;
}

static void answer_write(struct state_calls *calls)
{
    struct request *request = calls->request;
    const struct write_share_group_state_request *body = request->body;
    struct write_share_group_state_response *response = request->response;
    const struct state_part *part = calls->parts;
    response->results =
        arena_array(&request->arena, struct write_share_group_state_response_write_state_result,
                    body->topics_count);
    for (int32_t t = 0; t < body->topics_count; t++) {
        if (body->topics[t].partitions_count == 0)
            continue;
        struct write_share_group_state_response_write_state_result *topic =
            &response->results[response->results_count++];
        topic->topic_id = body->topics[t].topic_id;
        topic->partitions_count = body->topics[t].partitions_count;
        topic->partitions =
            arena_array(&request->arena, struct write_share_group_state_response_partition_result,
                        topic->partitions_count);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            const struct share_state_call *call = &(part++)->call;
            struct write_share_group_state_response_partition_result *to = &topic->partitions[p];
            to->partition = call->partition;
            to->error_code = (int16_t)call->error;
            to->error_message = message_of(calls, call);
        }
    }
}

void handle_write_share_group_state(struct request *request);

void handle_write_share_group_state(struct request *request)
{
    const struct write_share_group_state_request *body = request->body;
    int32_t most = 0;
    bool is_empty = body->group_id.size == 0;
    for (int32_t t = 0; t < body->topics_count; t++) {
        most += body->topics[t].partitions_count;
        is_empty |= body->topics[t].partitions_count == 0;
    }
    if (is_empty || body->topics_count == 0) {
        request_reply(request);
        return;
    }
    struct state_calls *calls = calls_new(request, "write share group state", most, answer_write);
    for (int32_t t = 0; t < body->topics_count; t++) {
        for (int32_t p = 0; p < body->topics[t].partitions_count; p++) {
            const struct write_share_group_state_request_partition_data *partition =
                &body->topics[t].partitions[p];
            struct share_state_call *call =
                calls_add(calls, SHARE_STATE_WRITE, body->group_id, body->topics[t].topic_id,
                          partition->partition);
            call->state_epoch = partition->state_epoch;
            call->leader_epoch = partition->leader_epoch;
            call->start_offset = partition->start_offset;
            call->delivery_complete_count = partition->delivery_complete_count;
            fill_batches(&request->arena, partition, call);
        }
    }
    calls_start(calls);
}

// ---- delete_share_group_state --------------------------------------------------------------------

static void answer_delete(struct state_calls *calls)
{
    struct request *request = calls->request;
    const struct delete_share_group_state_request *body = request->body;
    struct delete_share_group_state_response *response = request->response;
    const struct state_part *part = calls->parts;
    response->results =
        arena_array(&request->arena, struct delete_share_group_state_response_delete_state_result,
                    body->topics_count);
    for (int32_t t = 0; t < body->topics_count; t++) {
        if (body->topics[t].partitions_count == 0)
            continue;
        struct delete_share_group_state_response_delete_state_result *topic =
            &response->results[response->results_count++];
        topic->topic_id = body->topics[t].topic_id;
        topic->partitions_count = body->topics[t].partitions_count;
        topic->partitions =
            arena_array(&request->arena, struct delete_share_group_state_response_partition_result,
                        topic->partitions_count);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            const struct share_state_call *call = &(part++)->call;
            struct delete_share_group_state_response_partition_result *to = &topic->partitions[p];
            to->partition = call->partition;
            to->error_code = (int16_t)call->error;
            to->error_message = message_of(calls, call);
        }
    }
}

void handle_delete_share_group_state(struct request *request);

void handle_delete_share_group_state(struct request *request)
{
    const struct delete_share_group_state_request *body = request->body;
    int32_t most = 0;
    bool is_empty = body->group_id.size == 0;
    for (int32_t t = 0; t < body->topics_count; t++) {
        most += body->topics[t].partitions_count;
        is_empty |= body->topics[t].partitions_count == 0;
    }
    if (is_empty || body->topics_count == 0) {
        request_reply(request);
        return;
    }
    struct state_calls *calls = calls_new(request, "delete share group state", most, answer_delete);
    for (int32_t t = 0; t < body->topics_count; t++) {
        for (int32_t p = 0; p < body->topics[t].partitions_count; p++) {
            const struct delete_share_group_state_request_partition_data *partition =
                &body->topics[t].partitions[p];

            calls_add(calls, SHARE_STATE_DELETE, body->group_id, body->topics[t].topic_id,
                      partition->partition);
        }
    }
    calls_start(calls);
}

// ---- read_share_group_state_summary --------------------------------------------------------------

static void answer_read_summary(struct state_calls *calls)
{
    struct request *request = calls->request;
    const struct read_share_group_state_summary_request *body = request->body;
    struct read_share_group_state_summary_response *response = request->response;
    const struct state_part *part = calls->parts;
    response->results = arena_array(
        &request->arena, struct read_share_group_state_summary_response_read_state_summary_result,
        body->topics_count);
    for (int32_t t = 0; t < body->topics_count; t++) {
        if (body->topics[t].partitions_count == 0)
            continue;
        struct read_share_group_state_summary_response_read_state_summary_result *topic =
            &response->results[response->results_count++];
        topic->topic_id = body->topics[t].topic_id;
        topic->partitions_count = body->topics[t].partitions_count;
        topic->partitions = arena_array(
            &request->arena, struct read_share_group_state_summary_response_partition_result,
            topic->partitions_count);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            const struct share_state_call *call = &(part++)->call;
            struct read_share_group_state_summary_response_partition_result *to =
                &topic->partitions[p];
            to->partition = call->partition;
            to->error_code = (int16_t)call->error;
            to->error_message = message_of(calls, call);
            if (call->error != KERR_NONE)
                continue;
            to->state_epoch = call->state_epoch;
            to->leader_epoch = call->leader_epoch;
            to->start_offset = call->start_offset;
            to->delivery_complete_count = call->delivery_complete_count;
        }
    }
}

void handle_read_share_group_state_summary(struct request *request);

void handle_read_share_group_state_summary(struct request *request)
{
    const struct read_share_group_state_summary_request *body = request->body;
    int32_t most = 0;
    bool is_empty = body->group_id.size == 0;
    for (int32_t t = 0; t < body->topics_count; t++) {
        most += body->topics[t].partitions_count;
        is_empty |= body->topics[t].partitions_count == 0;
    }
    if (is_empty || body->topics_count == 0) {
        request_reply(request);
        return;
    }
    struct state_calls *calls =
        calls_new(request, "read share group state summary", most, answer_read_summary);
    for (int32_t t = 0; t < body->topics_count; t++) {
        for (int32_t p = 0; p < body->topics[t].partitions_count; p++) {
            const struct read_share_group_state_summary_request_partition_data *partition =
                &body->topics[t].partitions[p];
            struct share_state_call *call =
                calls_add(calls, SHARE_STATE_SUMMARY, body->group_id, body->topics[t].topic_id,
                          partition->partition);
            call->leader_epoch = partition->leader_epoch;
        }
    }
    calls_start(calls);
}
