// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// AddOffsetsToTxn, versions 0 to 4: the partition of __consumer_offsets that a group's offsets go to joins a
// transaction. Clients of transaction version 2 have TxnOffsetCommit do that.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/group_coordinator.h"
#include "protocol/messages/add_offsets_to_txn.h"
#include "txn/txn_coordinator.h"

enum { VERSION_FENCED = 2 };

struct add_offsets_state {
    struct completion completion;
    struct request *request;
    int32_t partition;
    struct txn_topic topic;
    struct txn_add add;
};

static void on_added(struct completion *completion)
{
    struct add_offsets_state *state =
        container_of(completion, struct add_offsets_state, completion);
    struct add_offsets_to_txn_response *response = state->request->response;
    enum kafka_error error = state->add.call.error;
    if (error == KERR_PRODUCER_FENCED && state->request->api_version < VERSION_FENCED)
        error = KERR_INVALID_PRODUCER_EPOCH;
    response->error_code = (int16_t)error;
    request_reply(state->request);
}

void handle_add_offsets_to_txn(struct request *request);

void handle_add_offsets_to_txn(struct request *request)
{
    const struct add_offsets_to_txn_request *body = request->body;
    struct add_offsets_state *state = arena_new(&request->arena, struct add_offsets_state);
    state->request = request;
    state->completion.complete = on_added;
    state->partition =
        coordinator_partition_for(group_coordinator_engine(request->node->groups), body->group_id);
    state->topic = (struct txn_topic){ .name = str_of(GROUP_OFFSETS_TOPIC),
                                       .partitions = &state->partition,
                                       .count = 1 };
    state->add = (struct txn_add){ .call = { .completion = &state->completion },
                                   .transactional_id = body->transactional_id,
                                   .producer = { body->producer_id, body->producer_epoch },
                                   .topics = &state->topic,
                                   .topics_count = 1,
                                   .arena = &request->arena };
    txn_coordinator_add(request->node->txns, &state->add);
}
