// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// ListTransactions, versions 0 to 2: the transactional ids that this broker coordinates, by state, producer id,
// duration (KIP-994) and a pattern (KIP-1152). What is no expression of RE2/J is refused, as Kafka does.
#include "api/dispatch.h"
#include "api/node.h"
#include "group/topic_regex.h"
#include "txn/txn_coordinator.h"

// Ids may have any characters, so another library matches them (base/pattern.h); it takes more than Kafka does.
static bool is_expression(struct str pattern)
{
    const char *reason;
    struct topic_regex *regex = topic_regex_compile(pattern, &reason);
    topic_regex_free(regex);
    return regex != NULL || pattern.size == 0;
}

void handle_list_transactions(struct request *request);

void handle_list_transactions(struct request *request)
{
    const struct list_transactions_request *body = request->body;
    struct list_transactions_response *response = request->response;
    if (is_expression(body->transactional_id_pattern))
        txn_coordinator_list(request->node->txns, body, response, &request->arena);
    else
        response->error_code = KERR_INVALID_REGULAR_EXPRESSION;
    request_reply(request);
}
