// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// DescribeProducers, version 0: the idempotent and transactional producers that partitions remember (KIP-664).
#include "api/dispatch.h"
#include "api/node.h"
#include "controller/topic_names.h"
#include "metadata/metadata.h"
#include "protocol/error_message.h"
#include "protocol/messages/describe_producers.h"
#include "replica/replicas.h"

static void describe(struct request *request, struct partition *partition,
                     struct describe_producers_response_partition_response *out)
{
    struct log_producer *producers;
    size_t count;
    enum kafka_error error = partition_producers(partition, &request->arena, &producers, &count);
    out->error_code = (int16_t)error;
    out->active_producers =
        arena_array(&request->arena, struct describe_producers_response_producer_state, count + 1);
    out->active_producers_count = (int32_t)count;
    for (size_t i = 0; i < count; i++)
        out->active_producers[i] = (struct describe_producers_response_producer_state){
            .producer_id = producers[i].producer_id,
            .producer_epoch = producers[i].producer_epoch,
            .last_sequence = producers[i].last_sequence,
            .last_timestamp = producers[i].last_timestamp,
            .coordinator_epoch = producers[i].coordinator_epoch,
            .current_txn_start_offset = producers[i].current_txn_start_offset,
        };
}

// What is wrong with a topic as a whole; NULL when nothing is.
static const char *topic_fault(struct request *request, struct str topic, enum kafka_error *error)
{
    const char *fault = topic_name_fault(topic, &request->arena);
    if (fault != NULL) {
        *error = KERR_INVALID_TOPIC_EXCEPTION;
        return arena_printf(&request->arena, "Topic name is invalid: %s", fault);
    }
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    bool exists = metadata_find_topic(metadata, topic) != NULL;
    metadata_unlock(metadata);
    *error = exists ? KERR_NONE : KERR_UNKNOWN_TOPIC_OR_PARTITION;
    return exists ? NULL : kafka_error_message(*error);
}

void handle_describe_producers(struct request *request);

void handle_describe_producers(struct request *request)
{
    const struct describe_producers_request *body = request->body;
    struct describe_producers_response *response = request->response;
    struct replicas *replicas = request->node->replicas;
    response->topics = arena_array(
        &request->arena, struct describe_producers_response_topic_response, body->topics_count + 1);
    response->topics_count = body->topics_count;
    for (int32_t t = 0; t < body->topics_count; t++) {
        const struct describe_producers_request_topic_request *asked = &body->topics[t];
        struct describe_producers_response_topic_response *topic = &response->topics[t];
        topic->name = asked->name;
        topic->partitions_count = asked->partition_indexes_count;
        topic->partitions =
            arena_array(&request->arena, struct describe_producers_response_partition_response,
                        asked->partition_indexes_count + 1);
        enum kafka_error error;
        struct str message = str_of(topic_fault(request, asked->name, &error));
        for (int32_t p = 0; p < asked->partition_indexes_count; p++) {
            struct describe_producers_response_partition_response *out = &topic->partitions[p];
            *out = (struct describe_producers_response_partition_response){
                .partition_index = asked->partition_indexes[p],
                .error_code = (int16_t)error,
                .error_message = message,
            };
            if (error != KERR_NONE)
                continue;
            struct partition *partition =
                replicas_find(replicas, asked->name, asked->partition_indexes[p]);
            if (partition != NULL)
                describe(request, partition, out);
            else
                out->error_code = (int16_t)replicas_why_not_found(replicas, asked->name,
                                                                  asked->partition_indexes[p]);
            partition_unref(partition);
        }
    }
    request_reply(request);
}
