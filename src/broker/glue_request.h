// SPDX-License-Identifier: Apache-2.0
// The seam between net/ and api/: an exchange carries a request. A frame becomes a dispatched request on its reactor;
// whatever thread answers it, the response is encoded on that reactor and leaves through the exchange.
//
//     exchange ──on_frame──> dispatch_request ──> handler ──request_reply (any thread)──> [mailbox] ──> encode
//         ──> exchange_reply ──> … sent ──> on_exchange_end: on_free, arena reset
//
// (1) A request is answered once; a second answer is our bug.
// (2) request_post may cross with an answer: the call is not used again before the posted message was delivered;
//     on_post is not called for an answered request.
#ifndef BROKER_GLUE_REQUEST_H
#define BROKER_GLUE_REQUEST_H

#include "api/node.h"
#include "net/connection.h"

// A handler for connections whose requests go to this node's APIs. The node is borrowed.
struct connection_handler request_handler(struct node *node);

#endif
