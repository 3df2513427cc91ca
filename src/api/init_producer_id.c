// SPDX-License-Identifier: Apache-2.0
// InitProducerId, versions 0 to 5. Without a transactional id a new producer id with epoch 0, whatever id and epoch the
// producer had (those serve transactions; half of them given is INVALID_REQUEST).
//
// With a transactional id this would begin transactions, whose coordinator this release has not: after the checks that
// Kafka makes first, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which all clients take as final
// (doc/decisions/0006-no-transactions.md).
#include "api/dispatch.h"
#include "api/node.h"
#include "api/producer_ids.h"
#include "config/config.h"
#include "protocol/messages/init_producer_id.h"

struct init_producer_id_state {
    struct producer_id_wait wait;
    struct request *request;
};

static void refuse(struct request *request, enum kafka_error error)
{
    struct init_producer_id_response *response = request->response;
    response->error_code = (int16_t)error;
    response->producer_id = -1;
    response->producer_epoch = -1;
    request_reply(request);
}

static void on_id(struct completion *completion)
{
    struct init_producer_id_state *state =
        container_of(completion, struct init_producer_id_state, wait.completion);
    struct init_producer_id_response *response = state->request->response;
    if (state->wait.error != KERR_NONE) {
        refuse(state->request, state->wait.error);
        return;
    }
    response->producer_id = state->wait.producer_id;
    response->producer_epoch = 0;
    request_reply(state->request);
}

void handle_init_producer_id(struct request *request);

void handle_init_producer_id(struct request *request)
{
    const struct init_producer_id_request *body = request->body;
    bool has_id = body->producer_id != -1, has_epoch = body->producer_epoch != -1;
    if (has_id != has_epoch) {
        refuse(request, KERR_INVALID_REQUEST);
    } else if (str_is_null(body->transactional_id)) {
        struct init_producer_id_state *state =
            arena_new(&request->arena, struct init_producer_id_state);
        state->request = request;
        state->wait.completion.complete = on_id;
        producer_ids_take(request->node->producer_ids, &state->wait);
    } else if (body->transactional_id.size == 0) {
        refuse(request, KERR_INVALID_REQUEST);
    } else if (body->transaction_timeout_ms <= 0 ||
               body->transaction_timeout_ms >
                   config_int(request->node->config, CONFIG_TRANSACTION_MAX_TIMEOUT_MS)) {
        refuse(request, KERR_INVALID_TRANSACTION_TIMEOUT);
    } else {
        refuse(request, KERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
}
