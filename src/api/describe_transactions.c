// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// DescribeTransactions, version 0: each transactional id with its producer, state and partitions (KIP-664).
#include "api/dispatch.h"
#include "api/node.h"
#include "txn/txn_coordinator.h"

void handle_describe_transactions(struct request *request);

void handle_describe_transactions(struct request *request)
{
    const struct describe_transactions_request *body = request->body;
    struct describe_transactions_response *response = request->response;
    response->transaction_states =
        message_array(&describe_transactions_response_transaction_state_desc, &request->arena,
                      body->transactional_ids_count);
    response->transaction_states_count = body->transactional_ids_count;
    for (int32_t i = 0; i < body->transactional_ids_count; i++)
        txn_coordinator_describe(request->node->txns, body->transactional_ids[i],
                                 &response->transaction_states[i], &request->arena);
    request_reply(request);
}
