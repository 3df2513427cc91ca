// SPDX-License-Identifier: Apache-2.0
// Any bytes as a client's frame, up to where a handler would take over. The request is answered once, or its empty
// response can be written.
#include "api/dispatch.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int answers;

static void check_reply(struct request *request)
{
    struct writer writer;
    must(dispatch_encode(request, &writer));
    struct bytes reply = writer_flatten(&writer, &request->arena);
    must(reply.data != NULL && reply.size == get_be32(reply.data) + 4);
}

static void on_reply(struct request *request)
{
    answers++;
    check_reply(request);
}

static void on_close(struct request *request, const char *why)
{
    (void)request;
    must(why != NULL);
    answers++;
}

static const struct request_ops ops = { .reply = on_reply, .close = on_close };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int i = 0; i < 2; i++) {
        struct client client = { .listener_name = "FUZZ", .on_controller_listener = i == 1 };
        struct request request = { .client = &client, .ops = &ops };
        arena_init(&request.arena);
        answers = 0;
        bool is_ready = dispatch_prepare(&request, data, size);
        must(answers == !is_ready);
        if (is_ready)
            check_reply(&request);
        arena_fini(&request.arena);
    }
    return 0;
}
