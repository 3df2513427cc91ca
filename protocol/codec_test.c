// SPDX-License-Identifier: Apache-2.0
// testdata/golden has one message of every schema as Kafka's own classes write and print it (made
// by compat-tests/wire-oracle/run --golden, which compares all versions).
#include "protocol/codec.h"

#include "base/testing.h"
#include "protocol/json.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/api_versions.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/header.h"
#include "protocol/messages/metadata.h"
#include "protocol/messages/produce.h"
#include "protocol/messages/streams_group_heartbeat.h"
#include "protocol/records/consumer_group_member_metadata.h"
#include "protocol/records/partition.h"
#include "protocol/registry.h"

static struct arena arena;

static bool decode(const struct message_desc *desc, int16_t version, const void *data, size_t size,
                   void *out, const char **reason)
{
    struct reader r;
    reader_init(&r, data, size);
    bool ok = codec_decode(desc, version, &r, &arena, out);
    *reason = r.reason;
    return ok && reader_remaining(&r) == 0;
}

// ---- golden frames
// --------------------------------------------------------------------------------

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (unsigned byte; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
        out[n] = (uint8_t)byte;
    return n;
}

static void check_golden(char *line)
{
    static uint8_t frame[4096];
    const char *name = strtok_r(line, " ", &line), *version_text = strtok_r(NULL, " ", &line);
    const char *hex = strtok_r(NULL, " ", &line), *json = line, *reason;
    int16_t version = (int16_t)strtol(version_text, NULL, 10);
    size_t size = unhex(hex, frame);
    const struct message_desc *desc = message_find(name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(desc);
    void *message = arena_alloc(&arena, desc->struct_size);
    if (!decode(desc, version, frame, size, message, &reason)) {
        fprintf(stderr, "%s\n", reason);
        CU_FAIL("a frame of Kafka's cannot be decoded");
        return;
    }
    struct bytes again = codec_encode_bytes(desc, version, &arena, message);
    CU_ASSERT(again.size == size && memcmp(again.data, frame, size) == 0);

    struct strbuf ours = STRBUF_EMPTY;
    json_print(desc, version, JSON_RECORDS_SIZE, message, &ours);
    CU_ASSERT_STRING_EQUAL(ours.data, json);
    strbuf_fini(&ours);

    for (size_t shorter = 0; shorter < size; shorter++) {
        uint8_t *exact = malloc(shorter + 1); // so that a sanitizer sees a step too far
        memcpy(exact, frame, shorter);
        if (decode(desc, version, exact, shorter, message, &reason))
            CU_FAIL("a truncated frame was accepted");
        CU_ASSERT(strncmp(reason, name, strlen(name)) == 0);
        free(exact);
    }
    arena_reset(&arena);
}

static void kafkas_frames_come_back(void)
{
    static char line[16384];
    const char *srcdir = getenv("srcdir");
    snprintf(line, sizeof line, "%s/protocol/testdata/golden", srcdir ? srcdir : ".");
    FILE *f = fopen(line, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    int count = 0, expected = 0;
    for (; fgets(line, sizeof line, f) != NULL; count++) {
        line[strcspn(line, "\n")] = 0;
        check_golden(line);
    }
    fclose(f);
    while (message_descs[expected] != NULL)
        expected++;
    CU_ASSERT_EQUAL(count, expected);
}

// ---- rules
// ----------------------------------------------------------------------------------------

static void every_message_comes_back_with_its_defaults(void)
{
    const char *reason;
    for (const struct message_desc *const *at = message_descs; *at != NULL; at++) {
        const struct message_desc *desc = *at;
        for (int16_t v = desc->versions.first; v <= desc->versions.last; v++) {
            void *message = arena_alloc(&arena, desc->struct_size);
            message_init(desc, message);
            struct bytes bytes = codec_encode_bytes(desc, v, &arena, message);
            CU_ASSERT_PTR_NOT_NULL_FATAL(bytes.data);
            CU_ASSERT_EQUAL(bytes.size, desc->min_sizes[v - desc->versions.first]);
            CU_ASSERT(decode(desc, v, bytes.data, bytes.size, message, &reason));
            struct bytes again = codec_encode_bytes(desc, v, &arena, message);
            CU_ASSERT(again.size == bytes.size && memcmp(again.data, bytes.data, bytes.size) == 0);
        }
        arena_reset(&arena);
    }
}

static void init_sets_the_schemas_defaults(void)
{
    struct fetch_request fetch;
    memset(&fetch, 0xee, sizeof fetch);
    message_init(&fetch_request_desc, &fetch);
    CU_ASSERT_PTR_NULL(fetch.cluster_id.data);
    CU_ASSERT_EQUAL(fetch.replica_id, -1);
    CU_ASSERT_EQUAL(fetch.replica_state.replica_epoch, -1);
    CU_ASSERT_EQUAL(fetch.max_bytes, INT32_MAX);
    CU_ASSERT(fetch.rack_id.data != NULL && fetch.rack_id.size == 0);
    CU_ASSERT(fetch.topics == NULL && fetch.topics_count == 0);
    CU_ASSERT_EQUAL(fetch.unknown_tagged_fields.count, 0);

    struct consumer_group_member_metadata_value member;
    message_init(&consumer_group_member_metadata_value_desc, &member);
    CU_ASSERT_PTR_NOT_NULL(member.classic_member_metadata);
    struct fetch_response_partition_data *data =
        message_array(&fetch_response_partition_data_desc, &arena, 3);
    CU_ASSERT_EQUAL(data[2].records.size, -1);
    CU_ASSERT_EQUAL(data[2].preferred_read_replica, -1);
    CU_ASSERT_PTR_NULL(message_array(&fetch_response_partition_data_desc, &arena, 0));
    arena_reset(&arena);

    struct streams_group_heartbeat_request beat;
    message_init(&streams_group_heartbeat_request_desc, &beat);
    CU_ASSERT_PTR_NULL(beat.topology);
    CU_ASSERT_EQUAL(beat.active_tasks_count, -1);
}

static void absent_fields_get_their_defaults(void)
{
    const char *reason;
    struct metadata_request req;
    memset(&req, 0xee, sizeof req);
    // Version 3: an array of names, and nothing else.
    CU_ASSERT(decode(&metadata_request_desc, 3, "\0\0\0\1\0\1x", 7, &req, &reason));
    CU_ASSERT_EQUAL(req.topics_count, 1);
    CU_ASSERT(str_eqz(req.topics[0].name, "x"));
    CU_ASSERT(uuid_is_zero(req.topics[0].topic_id));
    CU_ASSERT(req.allow_auto_topic_creation);
    CU_ASSERT(!req.include_topic_authorized_operations);
    CU_ASSERT_EQUAL(req.unknown_tagged_fields.count, 0);
    arena_reset(&arena);
}

static const char *encode_reason(const struct message_desc *desc, int16_t version, const void *in)
{
    struct writer w;
    writer_init(&w, &arena);
    return codec_encode(desc, version, &w, in) ? "" : w.reason;
}

static void what_a_version_lacks_is_refused_or_dropped(void)
{
    struct metadata_request req;
    message_init(&metadata_request_desc, &req);
    req.allow_auto_topic_creation = false; // not ignorable
    CU_ASSERT_STRING_EQUAL(
        encode_reason(&metadata_request_desc, 3, &req),
        "MetadataRequest.allowAutoTopicCreation: a value that cannot be written at version 3");
    CU_ASSERT_EQUAL(codec_size(&metadata_request_desc, 3, &req), -1);
    CU_ASSERT_EQUAL(codec_size(&metadata_request_desc, 4, &req), 5);

    struct metadata_response resp;
    message_init(&metadata_response_desc, &resp);
    int64_t size = codec_size(&metadata_response_desc, 2, &resp);
    resp.throttle_time_ms = 5; // ignorable
    CU_ASSERT_EQUAL(codec_size(&metadata_response_desc, 2, &resp), size);

    CU_ASSERT_STRING_EQUAL(encode_reason(&metadata_request_desc, 99, &req),
                           "a version that the message does not have");
    arena_reset(&arena);
}

static void null_is_refused_where_it_must_not_be(void)
{
    struct metadata_request req;
    struct metadata_request_topic topic = { .name = STR_NULL };
    const char *reason;
    message_init(&metadata_request_desc, &req);
    req.topics_count = -1;
    CU_ASSERT_STRING_EQUAL(encode_reason(&metadata_request_desc, 0, &req),
                           "MetadataRequest.topics: null, but not nullable at version 0");
    CU_ASSERT_STRING_EQUAL(encode_reason(&metadata_request_desc, 1, &req), "");
    req.topics = &topic;
    req.topics_count = 1;
    CU_ASSERT_STRING_EQUAL(encode_reason(&metadata_request_desc, 9, &req),
                           "MetadataRequestTopic.name: null, but not nullable at version 9");
    CU_ASSERT_STRING_EQUAL(encode_reason(&metadata_request_desc, 10, &req), "");

    CU_ASSERT(!decode(&metadata_request_desc, 0, "\xff\xff\xff\xff", 4, &req, &reason));
    CU_ASSERT_STRING_EQUAL(reason,
                           "MetadataRequest v0.topics: null, but not nullable (byte 4 of 4)");
    CU_ASSERT(!decode(&metadata_request_desc, 0, "\0\0\0\2\0\0\xff\xff", 8, &req, &reason));
    CU_ASSERT_STRING_EQUAL(
        reason, "MetadataRequest v0.topics[1].name: null, but not nullable (byte 8 of 8)");
    arena_reset(&arena);
}

static void counts_that_lie_allocate_nothing(void)
{
    static const char lies[][5] = { "\x7f\xff\xff\xff", "\x00\x00\x00\x09", "\x00\x10\x00\x00" };
    const char *reason;
    struct metadata_request req;
    for (size_t i = 0; i < 3; i++) {
        char frame[20] = { 0 };
        memcpy(frame, lies[i], 4);
        CU_ASSERT(!decode(&metadata_request_desc, 3, frame, sizeof frame, &req, &reason));
        CU_ASSERT_STRING_EQUAL(reason, "MetadataRequest v3.topics: an array of more elements than "
                                       "the bytes can hold (byte 4 of 20)");
        CU_ASSERT(arena_footprint(&arena) < 64 * 1024);
    }
    CU_ASSERT(!decode(&metadata_request_desc, 14, "", 0, &req, &reason));
    CU_ASSERT_STRING_EQUAL(
        reason, "MetadataRequest v14: a version that the message does not have (byte 0 of 0)");
    arena_reset(&arena);
}

static void what_follows_a_message_is_left(void)
{
    struct reader r;
    struct request_header header;
    reader_init(&r, "\0\3\0\1\0\0\0\7\0\2idrest", 16);
    CU_ASSERT(codec_decode(&request_header_desc, 1, &r, &arena, &header));
    CU_ASSERT_EQUAL(header.request_api_key, API_METADATA);
    CU_ASSERT_EQUAL(header.correlation_id, 7);
    CU_ASSERT(str_eqz(header.client_id, "id"));
    CU_ASSERT_EQUAL(reader_remaining(&r), 4);
    arena_reset(&arena);
}

// ---- tagged fields
// --------------------------------------------------------------------------------

static void unknown_tagged_fields_are_kept_in_order(void)
{
    // ApiVersionsResponse v3: no error, no keys, no throttling; tags 0 (features), 1 (epoch), 7,
    // 300.
    static const uint8_t frame[] = { 0, 0, 1, 0, 0, 0,    0, 4, 1, 8, 0,    0, 0, 0,    0,
                                     0, 0, 5, 7, 1, 0xaa, 9, 2, 1, 2, 0xac, 2, 2, 0xbb, 0xcc };
    const char *reason;
    struct api_versions_response resp;
    bool ok = decode(&api_versions_response_desc, 3, frame, sizeof frame, &resp, &reason);
    CU_ASSERT_FATAL(ok);
    CU_ASSERT_EQUAL(resp.finalized_features_epoch, 5);
    CU_ASSERT_EQUAL(resp.unknown_tagged_fields.count, 3);
    CU_ASSERT_EQUAL(resp.unknown_tagged_fields.fields[2].tag, 300);
    CU_ASSERT_EQUAL(resp.unknown_tagged_fields.fields[2].data.size, 2);
    struct bytes again = codec_encode_bytes(&api_versions_response_desc, 3, &arena, &resp);
    CU_ASSERT(again.size == sizeof frame && memcmp(again.data, frame, sizeof frame) == 0);

    CU_ASSERT_STRING_EQUAL(encode_reason(&api_versions_response_desc, 0, &resp),
                           "unknown tagged fields at a version that has none");
    struct tagged_field wrong[] = { { 9, { (const uint8_t *)"", 0 } },
                                    { 7, { (const uint8_t *)"", 0 } } };
    resp.unknown_tagged_fields = (struct tagged_fields){ wrong, 2 };
    CU_ASSERT_STRING_EQUAL(encode_reason(&api_versions_response_desc, 3, &resp),
                           "unknown tagged fields are not in the order of their tags");
    wrong[0].tag = 1;
    CU_ASSERT_STRING_EQUAL(encode_reason(&api_versions_response_desc, 3, &resp),
                           "an unknown tagged field has the tag of a known one");
    arena_reset(&arena);
}

static void a_tagged_field_with_its_default_is_not_written(void)
{
    struct fetch_request req;
    message_init(&fetch_request_desc, &req);
    int64_t size = codec_size(&fetch_request_desc, 17, &req);
    CU_ASSERT_EQUAL(size, 25);
    req.replica_state.replica_id = 3; // tag, size, int32, int64, no tags
    CU_ASSERT_EQUAL(codec_size(&fetch_request_desc, 17, &req), size + 2 + 13);
    req.cluster_id = str_of("c");
    CU_ASSERT_EQUAL(codec_size(&fetch_request_desc, 17, &req), size + 2 + 13 + 2 + 2);
    CU_ASSERT_EQUAL(codec_size(&fetch_request_desc, 14, &req),
                    -1); // replica_state cannot be dropped
}

static void a_tag_of_another_version_is_refused(void)
{
    // PartitionRecord: tag 1 (eligible leader replicas) came with version 2.
    struct partition_record record;
    struct bytes bytes;
    const char *reason;
    int32_t elr[] = { 4 };
    message_init(&partition_record_desc, &record);
    record.eligible_leader_replicas = elr;
    record.eligible_leader_replicas_count = 1;
    bytes = codec_encode_bytes(&partition_record_desc, 2, &arena, &record);
    CU_ASSERT(decode(&partition_record_desc, 2, bytes.data, bytes.size, &record, &reason));
    CU_ASSERT(!decode(&partition_record_desc, 1, bytes.data, bytes.size, &record, &reason));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(reason, "eligibleLeaderReplicas: a tag that this version does not have"));
    arena_reset(&arena);
}

// ---- records
// --------------------------------------------------------------------------------------

static void records_of_a_request_point_into_it_and_out_again(void)
{
    static uint8_t batch[RECORDS_SPLICE_SIZE + 5];
    struct produce_request_partition_produce_data partition;
    struct produce_request_topic_produce_data topic = { .name = str_of("t"),
                                                        .partition_data = &partition,
                                                        .partition_data_count = 1 };
    struct produce_request req;
    const char *reason;
    message_init(&produce_request_desc, &req);
    partition = (struct produce_request_partition_produce_data){
        .index = 2, .records = { .data = batch, .size = sizeof batch }
    };
    req.topic_data = &topic;
    req.topic_data_count = 1;

    struct writer w;
    writer_init(&w, &arena);
    CU_ASSERT(codec_encode(&produce_request_desc, 9, &w, &req));
    CU_ASSERT_EQUAL(writer_finish(&w), 3);
    CU_ASSERT_PTR_EQUAL(w.pieces[1].data, batch);
    struct bytes frame = writer_flatten(&w, &arena);
    CU_ASSERT_EQUAL(frame.size, writer_size(&w));
    CU_ASSERT(decode(&produce_request_desc, 9, frame.data, frame.size, &req, &reason));
    const struct records *records = &req.topic_data[0].partition_data[0].records;
    CU_ASSERT_EQUAL(records->size, sizeof batch);
    CU_ASSERT(records->data > frame.data && records->data < frame.data + frame.size);
    CU_ASSERT_PTR_NULL(records->file);
    arena_reset(&arena);
}

// ---- registry
// -------------------------------------------------------------------------------------

static void messages_are_found(void)
{
    CU_ASSERT_PTR_EQUAL(message_request_desc(API_FETCH), &fetch_request_desc);
    CU_ASSERT_PTR_EQUAL(message_response_desc(API_FETCH), &fetch_response_desc);
    CU_ASSERT_PTR_NULL(message_request_desc(-1));
    CU_ASSERT_PTR_NULL(message_request_desc(4)); // LeaderAndIsr, gone since Kafka 4.0
    CU_ASSERT_PTR_NULL(message_request_desc(INT16_MAX));
    CU_ASSERT_STRING_EQUAL(api_name(API_FETCH), "Fetch");
    CU_ASSERT_PTR_EQUAL(record_desc(RECORD_DOMAIN_METADATA, METADATA_RECORD_PARTITION),
                        &partition_record_desc);
    CU_ASSERT_STRING_EQUAL(record_desc(RECORD_DOMAIN_GROUP, 1)->name, "OffsetCommitKey");
    CU_ASSERT_STRING_EQUAL(record_value_desc(RECORD_DOMAIN_GROUP, 1)->name, "OffsetCommitValue");
    CU_ASSERT_PTR_NULL(record_value_desc(RECORD_DOMAIN_METADATA, 1));
    CU_ASSERT_PTR_NULL(record_desc(RECORD_DOMAIN_GROUP, 1000));
    CU_ASSERT_PTR_NULL(message_find("LeaderAndIsrRequest"));
}

static void headers_have_their_versions(void)
{
    CU_ASSERT_EQUAL(message_request_header_version(API_METADATA, 8), 1);
    CU_ASSERT_EQUAL(message_request_header_version(API_METADATA, 9), 2);
    CU_ASSERT_EQUAL(message_response_header_version(API_METADATA, 8), 0);
    CU_ASSERT_EQUAL(message_response_header_version(API_METADATA, 9), 1);
    CU_ASSERT_EQUAL(message_request_header_version(API_API_VERSIONS, 4), 2);
    CU_ASSERT_EQUAL(message_response_header_version(API_API_VERSIONS, 4), 0);
    CU_ASSERT_EQUAL(message_request_header_version(API_SASL_HANDSHAKE, 1), 1);
}

static void errors_have_their_names(void)
{
    CU_ASSERT_STRING_EQUAL(kafka_error_name(KERR_UNKNOWN_SERVER_ERROR), "UNKNOWN_SERVER_ERROR");
    CU_ASSERT_STRING_EQUAL(kafka_error_name(0), "NONE");
    CU_ASSERT_STRING_EQUAL(kafka_error_name(16), "NOT_COORDINATOR");
    CU_ASSERT_PTR_NULL(kafka_error_name(-2));
    CU_ASSERT_PTR_NULL(kafka_error_name(10000));
    CU_ASSERT(kafka_error_is_retriable(KERR_NOT_LEADER_OR_FOLLOWER));
    CU_ASSERT(kafka_error_is_stale_metadata(KERR_NOT_LEADER_OR_FOLLOWER));
    CU_ASSERT(!kafka_error_is_retriable(KERR_OFFSET_OUT_OF_RANGE));
}

TEST_MAIN("codec", TEST(kafkas_frames_come_back), TEST(every_message_comes_back_with_its_defaults),
          TEST(init_sets_the_schemas_defaults), TEST(absent_fields_get_their_defaults),
          TEST(what_a_version_lacks_is_refused_or_dropped),
          TEST(null_is_refused_where_it_must_not_be), TEST(counts_that_lie_allocate_nothing),
          TEST(what_follows_a_message_is_left), TEST(unknown_tagged_fields_are_kept_in_order),
          TEST(a_tagged_field_with_its_default_is_not_written),
          TEST(a_tag_of_another_version_is_refused),
          TEST(records_of_a_request_point_into_it_and_out_again), TEST(messages_are_found),
          TEST(headers_have_their_versions), TEST(errors_have_their_names))
