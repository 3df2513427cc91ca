// SPDX-License-Identifier: Apache-2.0
#include "api/dispatch.h"

#include <inttypes.h>
#include <pthread.h>

#include "base/must.h"
#include "protocol/messages/api_versions.h"
#include "protocol/messages/header.h"
#include "protocol/registry.h"

// ---- the rows of api.tbl ---------------------------------------------------------------------------

static struct api rows[] = {
#define API(api, lowest, highest, handler)                                                         \
    { .key = API_##api, .lowest_version = lowest, .highest_version = highest, .handle = handler },
#include "api/api.tbl"
#undef API
    { .handle = NULL },
};

static const struct api *rows_by_key[API_COUNT];
static pthread_once_t rows_once = PTHREAD_ONCE_INIT;

static void index_rows(void)
{
    for (struct api *row = rows; row->handle != NULL; row++) {
        row->name = api_name((int16_t)row->key);
        row->request = message_request_desc((int16_t)row->key);
        row->response = message_response_desc((int16_t)row->key);
        must(row->request != NULL && row->response != NULL);
        must(version_in(row->request->versions, row->lowest_version));
        must(row->highest_version <= row->request->last_stable);
        must(row == rows || row->key > row[-1].key);
        rows_by_key[row->key] = row;
    }
}

const struct api *api_all(void)
{
    pthread_once(&rows_once, index_rows);
    return rows;
}

const struct api *api_find(int16_t key)
{
    pthread_once(&rows_once, index_rows);
    return key >= 0 && key < API_COUNT ? rows_by_key[key] : NULL;
}

bool api_is_for(const struct api *api, const struct client *client)
{
    if (!client->on_controller_listener)
        return (api->request->listeners & LISTENER_BROKER) != 0;
    // A controller's Fetch is of the metadata log, for its followers: a quorum of one has none.
    return (api->request->listeners & LISTENER_CONTROLLER) != 0 && api->key != API_FETCH;
}

// ---- requests --------------------------------------------------------------------------------------

static const char *malformed(struct request *request, const struct reader *reader, const char *what)
{
    return arena_printf(&request->arena, "malformed %s: %s", what, reader->reason);
}

static void make_response(struct request *request)
{
    const struct message_desc *desc = request->api->response;
    request->response = arena_alloc(&request->arena, desc->struct_size);
    message_init(desc, request->response);
}

// ApiVersions of another age: not parsed any further, answered in version 0.
static void answer_unsupported_api_versions(struct request *request)
{
    request->api_version = 0;
    make_response(request);
    struct api_versions_response *response = request->response;
    response->error_code = KERR_UNSUPPORTED_VERSION;
    response->api_keys = arena_new(&request->arena, struct api_versions_response_api_version);
    response->api_keys_count = 1;
    response->api_keys[0].api_key = API_API_VERSIONS;
    response->api_keys[0].min_version = request->api->lowest_version;
    response->api_keys[0].max_version = request->api->highest_version;
    request_reply(request);
}

// Fills the request from its header. NULL, or why the connection is to be closed.
static const char *parse_header(struct request *request, struct reader *reader)
{
    struct reader ahead = *reader;
    int16_t key = reader_int16(&ahead);
    int16_t version = reader_int16(&ahead);
    if (reader_failed(&ahead))
        return malformed(request, &ahead, "request header");
    if (message_request_desc(key) == NULL)
        return arena_printf(&request->arena, "unknown api key %d", key);
    request->api_key = (enum api_key)key;
    request->api_version = version;
    struct request_header header;
    if (!codec_decode(&request_header_desc, message_request_header_version(key, version), reader,
                      &request->arena, &header))
        return malformed(request, reader, "request header");
    request->correlation_id = header.correlation_id;
    request->client_id = header.client_id;
    request->api = api_find(key);
    if (request->api == NULL || !api_is_for(request->api, request->client))
        return arena_printf(&request->arena, "api %s (%d) is not served on this listener",
                            api_name(key), key);
    return NULL;
}

static bool is_version_served(const struct request *request)
{
    return request->api_version >= request->api->lowest_version &&
           request->api_version <= request->api->highest_version;
}

bool dispatch_prepare(struct request *request, const uint8_t *frame, size_t size)
{
    must(request->ops != NULL && request->client != NULL);
    request->magic = REQUEST_MAGIC;
    struct reader reader;
    reader_init(&reader, frame, size);
    const char *why = parse_header(request, &reader);
    if (why != NULL) {
        request_close(request, why);
        return false;
    }
    if (!is_version_served(request)) {
        if (request->api_key == API_API_VERSIONS)
            answer_unsupported_api_versions(request);
        else
            request_close(request,
                          arena_printf(&request->arena, "api %s does not support version %d",
                                       request->api->name, request->api_version));
        return false;
    }
    const struct message_desc *desc = request->api->request;
    request->body = arena_alloc(&request->arena, desc->struct_size);
    if (!codec_decode(desc, request->api_version, &reader, &request->arena, request->body)) {
        request_close(request,
                      arena_printf(&request->arena, "malformed %s request of version %d: %s",
                                   request->api->name, request->api_version, reader.reason));
        return false;
    }
    make_response(request);
    return true;
}

void dispatch_request(struct request *request, const uint8_t *frame, size_t size)
{
    if (dispatch_prepare(request, frame, size))
        request->api->handle(request);
}

// ---- replies ---------------------------------------------------------------------------------------

bool dispatch_encode(struct request *request, struct writer *writer)
{
    must_be(request, REQUEST_MAGIC);
    writer_init(writer, &request->arena);
    uint8_t *length = writer_take(writer, 4);
    struct response_header header = { .correlation_id = request->correlation_id };
    int16_t key = (int16_t)request->api_key;
    if (!codec_encode(&response_header_desc,
                      message_response_header_version(key, request->api_version), writer,
                      &header) ||
        !codec_encode(request->api->response, request->api_version, writer, request->response))
        return false;
    size_t size = writer_size(writer) - 4;
    if (size > INT32_MAX) {
        writer_fail(writer, "the response is larger than a frame can be");
        return false;
    }
    put_be32(length, (uint32_t)size);
    writer_finish(writer);
    return true;
}
