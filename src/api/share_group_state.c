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

// ---- what each API takes from a partition of its request, and tells in one of its response ----------------

static void take_initialize(struct arena *arena,
                            const struct initialize_share_group_state_request_partition_data *from,
                            struct share_state_call *call)
{
    (void)arena;
    call->state_epoch = from->state_epoch;
    call->start_offset = from->start_offset;
}

static void take_read(struct arena *arena,
                      const struct read_share_group_state_request_partition_data *from,
                      struct share_state_call *call)
{
    (void)arena;
    call->leader_epoch = from->leader_epoch;
}

static void tell_read(struct arena *arena, const struct share_state_call *call,
                      struct read_share_group_state_response_partition_result *to)
{
    to->state_epoch = call->state_epoch;
    to->start_offset = call->start_offset;
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

static void take_write(struct arena *arena,
                       const struct write_share_group_state_request_partition_data *from,
                       struct share_state_call *call)
{
    call->state_epoch = from->state_epoch;
    call->leader_epoch = from->leader_epoch;
    call->start_offset = from->start_offset;
    call->delivery_complete_count = from->delivery_complete_count;
    struct share_batch *batches = arena_array(arena, struct share_batch, from->state_batches_count);
    for (int32_t b = 0; b < from->state_batches_count; b++)
        batches[b] = (struct share_batch){
            .first_offset = from->state_batches[b].first_offset,
            .last_offset = from->state_batches[b].last_offset,
            .delivery_count = from->state_batches[b].delivery_count,
            .state = from->state_batches[b].delivery_state,
        };
    call->batches = batches;
    call->batches_count = (size_t)from->state_batches_count;
}

static void take_summary(struct arena *arena,
                         const struct read_share_group_state_summary_request_partition_data *from,
                         struct share_state_call *call)
{
    (void)arena;
    call->leader_epoch = from->leader_epoch;
}

static void tell_summary(struct arena *arena, const struct share_state_call *call,
                         struct read_share_group_state_summary_response_partition_result *to)
{
    (void)arena;
    to->state_epoch = call->state_epoch;
    to->leader_epoch = call->leader_epoch;
    to->start_offset = call->start_offset;
    to->delivery_complete_count = call->delivery_complete_count;
}

#define NOTHING(arena, from, to) ((void)(from), (void)(to))

// ---- the APIs ------------------------------------------------------------------------------------------

// Their messages have one shape under different names. topic_result: the name of the response's topics;
// needs_partitions: a topic without any makes the request one without an answer.
#define SHARE_STATE_API(api, topic_result, operation, what, needs_partitions, take, tell)          \
    static void answer_##api(struct state_calls *calls)                                            \
    {                                                                                              \
        struct arena *arena = &calls->request->arena;                                              \
        const struct api##_request *body = calls->request->body;                                   \
        struct api##_response *response = calls->request->response;                                \
        const struct state_part *part = calls->parts;                                              \
        response->results =                                                                        \
            arena_array(arena, struct api##_response_##topic_result, body->topics_count);          \
        for (int32_t t = 0; t < body->topics_count; t++) {                                         \
            int32_t count = body->topics[t].partitions_count;                                      \
            if (count == 0)                                                                        \
                continue;                                                                          \
            struct api##_response_##topic_result *topic =                                          \
                &response->results[response->results_count++];                                     \
            topic->topic_id = body->topics[t].topic_id;                                            \
            topic->partitions_count = count;                                                       \
            topic->partitions = arena_array(arena, struct api##_response_partition_result, count); \
            for (int32_t p = 0; p < count; p++) {                                                  \
                const struct share_state_call *call = &(part++)->call;                             \
                topic->partitions[p].partition = call->partition;                                  \
                topic->partitions[p].error_code = (int16_t)call->error;                            \
                topic->partitions[p].error_message = message_of(calls, call);                      \
                if (call->error == KERR_NONE)                                                      \
                    tell(arena, call, &topic->partitions[p]);                                      \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    void handle_##api(struct request *request);                                                    \
                                                                                                   \
    void handle_##api(struct request *request)                                                     \
    {                                                                                              \
        const struct api##_request *body = request->body;                                          \
        int32_t most = 0;                                                                          \
        bool is_empty = body->group_id.size == 0 || body->topics_count == 0;                       \
        for (int32_t t = 0; t < body->topics_count; t++) {                                         \
            most += body->topics[t].partitions_count;                                              \
            is_empty |= (needs_partitions) && body->topics[t].partitions_count == 0;               \
        }                                                                                          \
        if (is_empty) {                                                                            \
            request_reply(request);                                                                \
            return;                                                                                \
        }                                                                                          \
        struct state_calls *calls = calls_new(request, what, most, answer_##api);                  \
        for (int32_t t = 0; t < body->topics_count; t++) {                                         \
            for (int32_t p = 0; p < body->topics[t].partitions_count; p++) {                       \
                struct share_state_call *call =                                                    \
                    calls_add(calls, operation, body->group_id, body->topics[t].topic_id,          \
                              body->topics[t].partitions[p].partition);                            \
                take(&request->arena, &body->topics[t].partitions[p], call);                       \
            }                                                                                      \
        }                                                                                          \
        calls_start(calls);                                                                        \
    }

SHARE_STATE_API(initialize_share_group_state, initialize_state_result, SHARE_STATE_INITIALIZE,
                "initialize share group state", false, take_initialize, NOTHING)
SHARE_STATE_API(read_share_group_state, read_state_result, SHARE_STATE_READ,
                "read share group state", true, take_read, tell_read)
SHARE_STATE_API(write_share_group_state, write_state_result, SHARE_STATE_WRITE,
                "write share group state", true, take_write, NOTHING)
SHARE_STATE_API(delete_share_group_state, delete_state_result, SHARE_STATE_DELETE,
                "delete share group state", true, NOTHING, NOTHING)
SHARE_STATE_API(read_share_group_state_summary, read_state_summary_result, SHARE_STATE_SUMMARY,
                "read share group state summary", true, take_summary, tell_summary)
