// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// EndTxn, versions 0 to 5: commits or aborts a transaction. A client of version 5 is of transaction version 2 and gets
// the producer id and epoch of its next transaction (KIP-890).
#include "api/dispatch.h"
#include "api/node.h"
#include "protocol/messages/end_txn.h"
#include "txn/txn_coordinator.h"

enum { VERSION_FENCED = 2, VERSION_TRANSACTIONS_V2 = 5 };

struct end_txn_state {
    struct completion completion;
    struct request *request;
    struct txn_end end;
};

static void on_ended(struct completion *completion)
{
    struct end_txn_state *state = container_of(completion, struct end_txn_state, completion);
    struct request *request = state->request;
    struct end_txn_response *response = request->response;
    enum kafka_error error = state->end.call.error;
    if (error == KERR_PRODUCER_FENCED && request->api_version < VERSION_FENCED)
        error = KERR_INVALID_PRODUCER_EPOCH;
    response->error_code = (int16_t)error;
    response->producer_id = state->end.answer.id;
    response->producer_epoch = state->end.answer.epoch;
    request_reply(request);
}

void handle_end_txn(struct request *request);

void handle_end_txn(struct request *request)
{
    const struct end_txn_request *body = request->body;
    struct end_txn_state *state = arena_new(&request->arena, struct end_txn_state);
    state->request = request;
    state->completion.complete = on_ended;
    state->end = (struct txn_end){
        .call = { .completion = &state->completion },
        .transactional_id = body->transactional_id,
        .producer = { body->producer_id, body->producer_epoch },
        .is_commit = body->committed,
        .client_version = request->api_version >= VERSION_TRANSACTIONS_V2 ? 2 : 0,
    };
    txn_coordinator_end(request->node->txns, &state->end);
}
