// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// ListTransactions, versions 0 to 2: the transactional ids that this broker coordinates, by state, producer id,
// duration (KIP-994) and a pattern (KIP-1152).
#include "api/dispatch.h"
#include "api/node.h"
#include "txn/txn_coordinator.h"

void handle_list_transactions(struct request *request);

void handle_list_transactions(struct request *request)
{
    txn_coordinator_list(request->node->txns, request->body, request->response, &request->arena);
    request_reply(request);
}
