// SPDX-License-Identifier: Apache-2.0
// Tested by network_test.c.
#include "broker/glue_request.h"

#include <stdatomic.h>

#include "api/dispatch.h"
#include "api/share_acks.h"
#include "base/mem.h"
#include "base/must.h"

enum answer { ANSWER_NONE, ANSWER_REPLY, ANSWER_NOTHING, ANSWER_CLOSE };

struct call {
    struct exchange exchange; // must be first
    struct request request;
    _Atomic enum answer answer;
    const char *close_reason;
    struct message answer_message;
    struct message post_message;
    struct reactor_after turn_end;
    atomic_bool is_posted;
    bool is_ended; // the exchange has ended, only the posted message is still under way
};

static struct call *call_of(struct request *request)
{
    must_be(request, REQUEST_MAGIC);
    return container_of(request, struct call, request);
}

// ---- answers ---------------------------------------------------------------------------------------

static void answer(struct call *call)
{
    struct request *request = &call->request;
    reactor_cancel_timer(exchange_reactor(&call->exchange), &request->timer);
    switch (atomic_load(&call->answer)) {
    case ANSWER_REPLY: {
        struct writer writer;
        if (dispatch_encode(request, &writer)) {
            exchange_reply(&call->exchange, writer.pieces, writer.piece_count);
            return;
        }
        exchange_close(&call->exchange,
                       arena_printf(&request->arena,
                                    "the response to %s version %d cannot be encoded: %s",
                                    request->api->name, request->api_version, writer.reason));
        return;
    }
    case ANSWER_NOTHING:
        exchange_reply_nothing(&call->exchange);
        return;
    case ANSWER_CLOSE:
        exchange_close(&call->exchange, call->close_reason);
        return;
    case ANSWER_NONE:
        break;
    }
    must(!"an answer was given");
}

static void on_answer(struct message *message)
{
    answer(container_of(message, struct call, answer_message));
}

static void give_answer(struct request *request, enum answer how)
{
    struct call *call = call_of(request);
    must(atomic_exchange(&call->answer, how) == ANSWER_NONE); // (1)
    struct reactor *reactor = exchange_reactor(&call->exchange);
    if (reactor_is_current(reactor))
        answer(call);
    else
        reactor_post(reactor, &call->answer_message);
}

static void reply(struct request *request)
{
    give_answer(request, ANSWER_REPLY);
}

static void reply_nothing(struct request *request)
{
    give_answer(request, ANSWER_NOTHING);
}

static void close_connection(struct request *request, const char *why)
{
    call_of(request)->close_reason = why;
    give_answer(request, ANSWER_CLOSE);
}

static void on_completed(struct completion *completion)
{
    request_reply(container_of(completion, struct request, completion));
}

// ---- posts and timers ------------------------------------------------------------------------------

static void release(struct call *call)
{
    struct request *request = &call->request;
    struct arena arena = request->arena;
    arena_reset(&arena);
    *request = (struct request){ .arena = arena };
    call->is_ended = false;
}

static void on_posted(struct message *message)
{
    struct call *call = container_of(message, struct call, post_message);
    atomic_store(&call->is_posted, false);
    if (call->is_ended) {
        release(call);
        exchange_recycle(&call->exchange);
    } else if (atomic_load(&call->answer) == ANSWER_NONE) {
        call->request.on_post(&call->request);
    }
}

static void post(struct request *request)
{
    struct call *call = call_of(request);
    if (!atomic_exchange(&call->is_posted, true))
        reactor_post(exchange_reactor(&call->exchange), &call->post_message);
}

static void on_turn_end(struct reactor_after *after)
{
    struct call *call = container_of(after, struct call, turn_end);
    call->request.on_turn_end(&call->request);
}

static void at_turn_end(struct request *request)
{
    struct call *call = call_of(request);
    reactor_after_init(&call->turn_end, on_turn_end);
    reactor_after(exchange_reactor(&call->exchange), &call->turn_end);
}

static void set_timer(struct request *request, int64_t deadline_us)
{
    reactor_set_timer(exchange_reactor(&call_of(request)->exchange), &request->timer, deadline_us);
}

static void cancel_timer(struct request *request)
{
    reactor_cancel_timer(exchange_reactor(&call_of(request)->exchange), &request->timer);
}

static const struct request_ops ops = {
    .reply = reply,
    .reply_nothing = reply_nothing,
    .close = close_connection,
    .post = post,
    .at_turn_end = at_turn_end,
    .set_timer = set_timer,
    .cancel_timer = cancel_timer,
};

// ---- what the connections tell ---------------------------------------------------------------------

static void on_open(struct connection *connection)
{
    struct client *client = mem_new(struct client);
    client->connection_id = connection->id;
    client->listener_name = connection->endpoint->listener_name;
    client->on_controller_listener = connection->endpoint->is_controller;
    client->host = connection->host;
    client->principal_type = str_of("User");
    client->principal_name = str_of("ANONYMOUS");
    connection->user = client;
}

static void on_frame(struct exchange *exchange)
{
    struct call *call = container_of(exchange, struct call, exchange);
    struct connection *connection = exchange->connection;
    struct request *request = &call->request;
    call->answer_message.deliver = on_answer;
    call->post_message.deliver = on_posted;
    atomic_store(&call->answer, ANSWER_NONE);
    request->frame = exchange->frame;
    request->client = connection->user;
    request->node = connection_handler_of(connection)->user;
    request->received_us = clock_monotonic_us(request->node->clock);
    request->completion.complete = on_completed;
    request->is_followed = exchange->is_followed;
    request->ops = &ops;
    dispatch_request(request, exchange->data, exchange->size);
}

static void on_exchange_gone(struct exchange *exchange)
{
    struct request *request = &container_of(exchange, struct call, exchange)->request;
    if (request->on_gone != NULL)
        request->on_gone(request);
}

static bool on_exchange_end(struct exchange *exchange)
{
    struct call *call = container_of(exchange, struct call, exchange);
    struct request *request = &call->request;
    if (request->on_free != NULL)
        request->on_free(request);
    if (atomic_load(&call->is_posted)) { // (2)
        call->is_ended = true;
        return false;
    }
    release(call);
    return true;
}

static void on_exchange_free(struct exchange *exchange)
{
    arena_fini(&container_of(exchange, struct call, exchange)->request.arena);
}

static void on_close(struct connection *connection)
{
    // Its requests are told one by one. Members of share groups hold records by their connection.
    struct client *client = connection->user;
    share_client_gone(connection_handler_of(connection)->user, client->connection_id);
}

static void on_free(struct connection *connection)
{
    struct client *client = connection->user;
    mem_free((void *)(uintptr_t)client->software_name.data);
    mem_free((void *)(uintptr_t)client->software_version.data);
    mem_free(client);
}

struct connection_handler request_handler(struct node *node)
{
    return (struct connection_handler){
        .exchange_size = sizeof(struct call),
        .on_open = on_open,
        .on_frame = on_frame,
        .on_exchange_gone = on_exchange_gone,
        .on_exchange_end = on_exchange_end,
        .on_exchange_free = on_exchange_free,
        .on_close = on_close,
        .on_free = on_free,
        .user = node,
    };
}
