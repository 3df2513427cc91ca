// SPDX-License-Identifier: Apache-2.0
// Frames in, frames out, through dispatch and ApiVersions (Tested here too: api_versions.c). Expected bytes are those
// that Kafka 4.3.1 sends.
#include "api/dispatch.h"

#include "api/node.h"
#include "base/mem.h"
#include "base/testing.h"
#include "metadata/metadata.h"

static struct {
    int replies, closes;
    char why[200];
    uint8_t bytes[4096];
    size_t size;
} seen;

static void on_reply(struct request *request)
{
    seen.replies++;
    struct writer writer;
    CU_ASSERT_TRUE_FATAL(dispatch_encode(request, &writer));
    struct bytes flat = writer_flatten(&writer, &request->arena);
    CU_ASSERT_PTR_NOT_NULL_FATAL(flat.data);
    seen.size = flat.size < sizeof seen.bytes ? flat.size : sizeof seen.bytes;
    memcpy(seen.bytes, flat.data, seen.size);
}

static void on_close(struct request *request, const char *why)
{
    (void)request;
    seen.closes++;
    snprintf(seen.why, sizeof seen.why, "%s", why);
}

static const struct request_ops ops = { .reply = on_reply, .close = on_close };
static struct client client;
static struct node node;

static void send_frame(const void *frame, size_t size)
{
    memset(&seen, 0, sizeof seen);
    struct request request = { .client = &client, .node = &node, .ops = &ops };
    arena_init(&request.arena);
    void *exact = mem_dup(frame, size); // a sanitizer sees reads behind it
    dispatch_request(&request, exact, size);
    mem_free(exact);
    arena_fini(&request.arena);
}

#define SEND(literal) send_frame(literal, sizeof(literal) - 1)

static bool is_answer(const void *wanted, size_t size)
{
    return seen.replies == 1 && seen.closes == 0 && seen.size == size &&
           memcmp(seen.bytes, wanted, size) == 0;
}

#define ANSWER(literal) is_answer(literal, sizeof(literal) - 1)

static bool is_closed_for(const char *word)
{
    return seen.closes == 1 && seen.replies == 0 && strstr(seen.why, word) != NULL;
}

static void start(void)
{
    memset(&client, 0, sizeof client);
    client.listener_name = "TEST";
    node.metadata = metadata_new();
}

static void stop(void)
{
    metadata_free(node.metadata);
    mem_free((void *)(uintptr_t)client.software_name.data);
    mem_free((void *)(uintptr_t)client.software_version.data);
}

static void api_versions_of_all_versions_tell_all_rows(void)
{
    start();
    size_t count = 0;
    for (const struct api *api = api_all(); api->handle != NULL; api++)
        count += api_is_for(api, &client);
    SEND("\0\22\0\0\0\0\0\7\0\1x");
    CU_ASSERT_EQUAL(seen.replies, 1);
    CU_ASSERT_EQUAL(get_be32(seen.bytes), seen.size - 4);
    CU_ASSERT_EQUAL(get_be32(seen.bytes + 4), 7);
    CU_ASSERT_EQUAL(get_be16(seen.bytes + 8), 0);
    CU_ASSERT_EQUAL(get_be32(seen.bytes + 10), count);
    CU_ASSERT_EQUAL(seen.size, 14 + 6 * count);
    SEND("\0\22\0\2\0\0\0\7\0\1x");
    CU_ASSERT_EQUAL(seen.size, 18 + 6 * count); // and the throttle time
    SEND("\0\22\0\4\0\0\0\7\0\1x\0\4abc\4def\0");
    CU_ASSERT_EQUAL(seen.replies, 1);
    CU_ASSERT_EQUAL(seen.bytes[10], count + 1); // header version 0: no tagged fields before this
    stop();
}

// KIP-511: the answer is of version 0, whatever was asked.
static void a_newer_api_versions_is_answered_in_version_0(void)
{
    static const char wanted[] = "\0\0\0\20\0\0\0\7\0\43\0\0\0\1\0\22\0\0\0\4";
    start();
    SEND("\0\22\0\5\0\0\0\7\0\1x\0\5name\0040.1\0");
    CU_ASSERT_TRUE(ANSWER(wanted));
    SEND("\0\22\177\377\0\0\0\7\0\1x\0 what is this");
    CU_ASSERT_TRUE(ANSWER(wanted));
    SEND("\0\22\377\377\0\0\0\7\0\1x");
    CU_ASSERT_TRUE(ANSWER(wanted));
    SEND("\0\22\0\144\0\0\0\7\0\1x"); // a flexible header without tagged fields
    CU_ASSERT_TRUE(is_closed_for("malformed request header"));
    stop();
}

static void software_names_are_checked_and_kept(void)
{
    static const char refused[] = "\0\0\0\14\0\0\0\7\0\52\1\0\0\0\0\0";
    start();
    SEND("\0\22\0\3\0\0\0\7\0\1x\0\5a.-b\0041.0\0");
    CU_ASSERT_EQUAL(seen.replies, 1);
    CU_ASSERT_TRUE(str_eqz(client.software_name, "a.-b"));
    CU_ASSERT_TRUE(str_eqz(client.software_version, "1.0"));
    SEND("\0\22\0\3\0\0\0\7\0\1x\0\5a.b-\0041.0\0");
    CU_ASSERT_TRUE(ANSWER(refused));
    SEND("\0\22\0\3\0\0\0\7\0\1x\0\1\0041.0\0");
    CU_ASSERT_TRUE(ANSWER(refused));
    SEND("\0\22\0\3\0\0\0\7\0\1x\0\4abc\0041 0\0");
    CU_ASSERT_TRUE(ANSWER(refused));
    CU_ASSERT_TRUE(str_eqz(client.software_name, "a.-b"));
    stop();
}

static void what_is_no_request_closes_the_connection(void)
{
    start();
    SEND("");
    CU_ASSERT_TRUE(is_closed_for("malformed request header"));
    SEND("\0\22\0");
    CU_ASSERT_TRUE(is_closed_for("malformed request header"));
    SEND("\0\22\0\0\0\0\0\7"); // no client id
    CU_ASSERT_TRUE(is_closed_for("malformed request header"));
    SEND("\0\22\0\0\0\0\0\7\0\11x");
    CU_ASSERT_TRUE(is_closed_for("malformed request header"));
    SEND("\3\347\0\0\0\0\0\7\0\1x");
    CU_ASSERT_TRUE(is_closed_for("unknown api key 999"));
    SEND("\377\377\0\0\0\0\0\7\0\1x");
    CU_ASSERT_TRUE(is_closed_for("unknown api key -1"));
    SEND("\0\64\0\0\0\0\0\7\0\1x\0"); // Vote
    CU_ASSERT_TRUE(is_closed_for("not served"));
    SEND("\0\22\0\3\0\0\0\7\0\1x\0\12abc");
    CU_ASSERT_TRUE(is_closed_for("malformed ApiVersions request of version 3"));
    stop();
}

static void what_follows_a_request_is_ignored(void)
{
    start();
    SEND("\0\22\0\0\0\0\0\7\0\1x and so on");
    CU_ASSERT_EQUAL(seen.replies, 1);
    SEND("\0\22\0\0\0\0\0\7\377\376"); // any negative length is a null client id
    CU_ASSERT_EQUAL(seen.replies, 1);
    stop();
}

static void rows_are_versions_that_the_schema_has(void)
{
    for (const struct api *api = api_all(); api->handle != NULL; api++) {
        CU_ASSERT_PTR_EQUAL(api_find((int16_t)api->key), api);
        CU_ASSERT_EQUAL(api->lowest_version, api->request->versions.first);
        CU_ASSERT_EQUAL(api->highest_version, api->request->last_stable);
    }
    CU_ASSERT_PTR_NULL(api_find(-1));
    CU_ASSERT_PTR_NULL(api_find(INT16_MAX));
}

TEST_MAIN("dispatch", TEST(api_versions_of_all_versions_tell_all_rows),
          TEST(a_newer_api_versions_is_answered_in_version_0),
          TEST(software_names_are_checked_and_kept), TEST(what_is_no_request_closes_the_connection),
          TEST(what_follows_a_request_is_ignored), TEST(rows_are_versions_that_the_schema_has))
