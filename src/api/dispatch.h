// SPDX-License-Identifier: Apache-2.0
// From a frame to the handler of its API, and from the filled response to the bytes of the reply.
//
//     frame ─> header ─> row of api.tbl ─> decode ─> api->handle(request) ─> … ─> dispatch_encode(request)
//
// What is no request is answered as Kafka does: by closing the connection, with one exception: ApiVersions of a version
// that is too new gets a reply of version 0 with UNSUPPORTED_VERSION, so that a newer client can step back (KIP-511).
// As in Kafka, bytes behind a request's last field are ignored, and so are unknown tagged fields.
#ifndef API_DISPATCH_H
#define API_DISPATCH_H

#include "api/request.h"
#include "protocol/codec.h"

struct api {
    enum api_key key;
    int16_t lowest_version;
    int16_t highest_version;
    const char *name; // "Metadata"
    const struct message_desc *request;
    const struct message_desc *response;
    void (*handle)(struct request *request);
};

// Every API that is served, by key; ends with a NULL handler.
const struct api *api_all(void);
// NULL when it is not served.
const struct api *api_find(int16_t key);
// Whether an API is there for the clients of this listener.
bool api_is_for(const struct api *api, const struct client *client);

// Takes a request whose frame, client, node, ops, arena, received_us are set and the rest is zero. Calls its handler or
// closes it. `frame` is the bytes behind the length; they stay as long as the request.
void dispatch_request(struct request *request, const uint8_t *frame, size_t size);
// All of it but the handler. False when the request was answered or closed.
bool dispatch_prepare(struct request *request, const uint8_t *frame, size_t size);

// Writes the reply with its length into a writer on the request's arena. False when the response cannot be expressed at
// the request's version, which is our bug: the connection has to be closed.
bool dispatch_encode(struct request *request, struct writer *writer);

// Every handler of api.tbl.
#define API(key, lowest, highest, handler) void handler(struct request *request);
#include "api/api.tbl"
#undef API

#endif
