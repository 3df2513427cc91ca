// SPDX-License-Identifier: Apache-2.0
// One request of a client, from its frame to its reply. Made by dispatch (api/dispatch.c), freed when the reply has
// left or its connection is gone; everything decoded or answered lives in its arena or points into its frame.
//
//     frame ──> dispatch: header, version, row of api.tbl, decode ──> handle_x(request)
//                  handler fills request->response, then exactly one of
//                    request_reply            now or later, from any thread
//                    request_reply_nothing    Produce with acks=0
//                    request_close            what Kafka answers by closing the connection
//
// Threads: a request belongs to the reactor of its connection. Whoever it waits for (a group, the controller) owns
// response and arena until it completes `completion`, whose effect is request_reply. Work that has to look again
// (a parked fetch) is posted back to the reactor with request_post.
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/completion.h"
#include "base/timers.h"
#include "protocol/api_keys.h"
#include "protocol/kafka_error.h"

struct api;
struct node;
struct parked;
struct request;
struct txn_check;

// Who is at the other end; lives as long as the connection and its requests.
struct client {
    uint64_t connection_id;      // unique in this process
    const char *listener_name;   // "PLAINTEXT"
    const char *host;            // text of the peer's address, without the port
    bool on_controller_listener; // sees the APIs of controllers, not those of brokers
    struct str software_name;    // from ApiVersions v3+; owned by the connection
    struct str software_version;
    struct str principal_type; // "User"
    struct str principal_name; // "ANONYMOUS" on a plain listener
    bool authenticated_by_token;
};

// What a request asks of its reactor; the broker and the simulator each supply one.
struct request_ops {
    void (*reply)(struct request *request);                  // any thread
    void (*reply_nothing)(struct request *request);          // any thread
    void (*close)(struct request *request, const char *why); // any thread
    void (*post)(struct request *request); // any thread: run request->on_post there
    void (*at_turn_end)(
        struct request *request); // on its reactor: run request->on_turn_end after what runs now
    void (*set_timer)(struct request *request, int64_t deadline_us); // on its reactor
    void (*cancel_timer)(struct request *request);                   // on its reactor
};

struct request {
    uint32_t magic;
    struct arena arena;
    struct buf *frame; // holds a reference; strings, bytes and records of `body` point into it
    enum api_key api_key;
    int16_t api_version;
    int32_t correlation_id;
    struct str client_id;  // null when the client sent none
    const struct api *api; // its row of api.tbl
    void *body;            // the decoded request struct of api_key
    void *response; // the response struct of api_key with the schema's defaults; handlers fill it
    struct client *client;
    struct node *node;
    int64_t received_us; // monotonic
    int32_t throttle_time_ms;
    bool
        is_followed; // the next request of its connection is here already, and is handled in the same turn

    struct completion completion; // completing it is request_reply

    void (*on_post)(struct request *request); // set before request_post
    void (*on_turn_end)(
        struct request *request); // set before request_at_turn_end; answers it, or lets it wait
    struct timer timer;           // timer.on_expired set by the handler that uses it
    void *state;                  // the handler's own
    struct parked *parked;        // api/parked.h, while the request waits for partitions
    struct txn_check *txn_check;  // api/txn_check.h, while a transaction is checked

    // Both may be NULL. on_gone: on its reactor, once, when its connection is gone while the request waits; the
    // handler replies soon, to nobody. on_free: when the reply has left (or never will); releases what the handler
    // holds beyond the arena, e.g. the references to the files that `records` of the response point to.
    void (*on_gone)(struct request *request);
    void (*on_free)(struct request *request);

    const struct request_ops *ops;
};

#define REQUEST_MAGIC 0x52455155u

static inline void request_reply(struct request *request)
{
    request->ops->reply(request);
}

static inline void request_reply_nothing(struct request *request)
{
    request->ops->reply_nothing(request);
}

static inline void request_close(struct request *request, const char *why)
{
    request->ops->close(request, why);
}

static inline void request_post(struct request *request)
{
    request->ops->post(request);
}

static inline void request_at_turn_end(struct request *request)
{
    request->ops->at_turn_end(request);
}

static inline void request_set_timer(struct request *request, int64_t deadline_us)
{
    request->ops->set_timer(request, deadline_us);
}

static inline void request_cancel_timer(struct request *request)
{
    request->ops->cancel_timer(request);
}

#endif
