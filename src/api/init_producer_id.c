// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// InitProducerId, versions 0 to 5. With a transactional id the transaction coordinator says which producer id and epoch
// it has from now on. Without one a new producer id with epoch 0, whatever id and epoch the producer had (half of them
// given is INVALID_REQUEST).
#include "api/dispatch.h"
#include "api/node.h"
#include "protocol/messages/init_producer_id.h"
#include "txn/txn_coordinator.h"

struct init_producer_id_state {
    struct completion completion;
    struct request *request;
    struct producer_id_wait wait;
    struct txn_init init;
};

static void answer(struct request *request, enum kafka_error error,
                   struct transaction_producer producer)
{
    struct init_producer_id_response *response = request->response;
    // Older clients do not know the newer error.
    if (error == KERR_PRODUCER_FENCED && request->api_version < 4)
        error = KERR_INVALID_PRODUCER_EPOCH;
    response->error_code = (int16_t)error;
    response->producer_id = producer.id;
    response->producer_epoch = producer.epoch;
    request_reply(request);
}

static void on_id(struct completion *completion)
{
    struct init_producer_id_state *state =
        container_of(completion, struct init_producer_id_state, wait.completion);
    struct transaction_producer producer = { -1, -1 };
    if (state->wait.error == KERR_NONE)
        producer = (struct transaction_producer){ state->wait.producer_id, 0 };
    answer(state->request, state->wait.error, producer);
}

static void on_init(struct completion *completion)
{
    struct init_producer_id_state *state =
        container_of(completion, struct init_producer_id_state, completion);
    answer(state->request, state->init.call.error, state->init.answer);
}

void handle_init_producer_id(struct request *request);

void handle_init_producer_id(struct request *request)
{
    const struct init_producer_id_request *body = request->body;
    bool has_id = body->producer_id != -1, has_epoch = body->producer_epoch != -1;
    if (has_id != has_epoch) {
        answer(request, KERR_INVALID_REQUEST, (struct transaction_producer){ -1, -1 });
        return;
    }
    struct init_producer_id_state *state =
        arena_new(&request->arena, struct init_producer_id_state);
    state->request = request;
    if (str_is_null(body->transactional_id)) {
        state->wait.completion.complete = on_id;
        producer_ids_take(request->node->producer_ids, &state->wait);
        return;
    }
    state->completion.complete = on_init;
    state->init = (struct txn_init){
        .call = { .completion = &state->completion },
        .transactional_id = body->transactional_id,
        .timeout_ms = body->transaction_timeout_ms,
        .enable_two_phase_commit = body->enable2_pc,
        .keep_prepared = body->keep_prepared_txn,
        .expected = { body->producer_id, body->producer_epoch },
    };
    txn_coordinator_init(request->node->txns, &state->init);
}
