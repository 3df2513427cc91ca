// SPDX-License-Identifier: Apache-2.0
// What Kafka prints was seen from its own converters (compat-tests/wire-oracle); jansson says that
// whatever we print is JSON at all.
#include "protocol/json.h"

#include "base/testing.h"
#include "protocol/messages/alter_client_quotas.h"
#include "protocol/messages/describe_topic_partitions.h"
#include "protocol/messages/envelope.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/heartbeat.h"
#include "protocol/messages/metadata.h"
#include "protocol/records/no_op.h"

#include <jansson.h>
#include <math.h>

// The text lives until the next call.
static const char *print(const struct message_desc *desc, int16_t version,
                         enum json_records records, const void *in)
{
    static struct strbuf out;
    strbuf_fini(&out);
    out = STRBUF_EMPTY;
    json_print(desc, version, records, in, &out);
    json_t *parsed = json_loads(out.data, JSON_ALLOW_NUL, NULL);
    CU_ASSERT_PTR_NOT_NULL(parsed);
    json_decref(parsed);
    return out.data;
}

static void fields_come_in_the_schemas_order_at_their_versions(void)
{
    struct metadata_request_topic topic = { .name = str_of("a") };
    struct metadata_request req = { .topics = &topic, .topics_count = 1 };
    CU_ASSERT_STRING_EQUAL(print(&metadata_request_desc, 0, JSON_RECORDS_EMPTY, &req),
                           "{\"topics\":[{\"name\":\"a\"}]}");
    CU_ASSERT_STRING_EQUAL(
        print(&metadata_request_desc, 13, JSON_RECORDS_EMPTY, &req),
        "{\"topics\":[{\"topicId\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"name\":\"a\"}],"
        "\"allowAutoTopicCreation\":false,\"includeTopicAuthorizedOperations\":false}");
    req.topics_count = -1;
    CU_ASSERT_STRING_EQUAL(print(&metadata_request_desc, 1, JSON_RECORDS_EMPTY, &req),
                           "{\"topics\":null}");
}

static void nothing_is_an_empty_object(void)
{
    struct no_op_record record;
    message_init(&no_op_record_desc, &record);
    CU_ASSERT_STRING_EQUAL(print(&no_op_record_desc, 0, JSON_RECORDS_EMPTY, &record), "{}");
}

static const char *print_name(const char *bytes, size_t size)
{
    struct heartbeat_request req;
    message_init(&heartbeat_request_desc, &req);
    req.group_id = (struct str){ bytes, size };
    const char *text = print(&heartbeat_request_desc, 0, JSON_RECORDS_EMPTY, &req);
    char *end = strstr(text, ",\"generationId\"");
    *end = 0;
    return text + strlen("{\"groupId\":");
}

#define PRINTED(literal) print_name(literal, sizeof(literal) - 1)

static void strings_are_escaped_as_jackson_does(void)
{
    CU_ASSERT_STRING_EQUAL(PRINTED("a/b"), "\"a/b\"");
    CU_ASSERT_STRING_EQUAL(PRINTED("\"\\"), "\"\\\"\\\\\"");
    CU_ASSERT_STRING_EQUAL(PRINTED("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"");
    CU_ASSERT_STRING_EQUAL(PRINTED("\0\x1f\x7f"), "\"\\u0000\\u001F\x7f\"");
    CU_ASSERT_STRING_EQUAL(PRINTED("é中😀"), "\"é中😀\"");
}

// As `new String(bytes, UTF_8)` in Java 17, one U+FFFD for each beginning of a good sequence.
static void what_is_not_utf8_is_replaced_as_java_does(void)
{
    CU_ASSERT_STRING_EQUAL(PRINTED("a\xff"
                                   "b"),
                           "\"a\xef\xbf\xbd"
                           "b\"");
    CU_ASSERT_STRING_EQUAL(PRINTED("\xe4\xb8"), "\"\xef\xbf\xbd\"");             // cut short
    CU_ASSERT_STRING_EQUAL(PRINTED("\xf0\x9f\x98"), "\"\xef\xbf\xbd\"");         // cut short
    CU_ASSERT_STRING_EQUAL(PRINTED("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\""); // too long a form
    CU_ASSERT_STRING_EQUAL(PRINTED("\xed\xa0\x80"), "\"\xef\xbf\xbd\"");         // a surrogate
    CU_ASSERT_STRING_EQUAL(PRINTED("\xe4"
                                   "a"),
                           "\"\xef\xbf\xbd"
                           "a\"");
}

static void bytes_are_base64(void)
{
    struct envelope_request req;
    message_init(&envelope_request_desc, &req);
    req.request_data = (struct bytes){ (const uint8_t *)"\xff\xfe\xfd\xfc", 4 };
    req.client_host_address = (struct bytes){ (const uint8_t *)"ab", 2 };
    req.request_principal = BYTES_NULL;
    CU_ASSERT_STRING_EQUAL(print(&envelope_request_desc, 0, JSON_RECORDS_EMPTY, &req),
                           "{\"requestData\":\"//79/A==\",\"requestPrincipal\":null,"
                           "\"clientHostAddress\":\"YWI=\"}");
}

static void records_are_empty_or_a_size(void)
{
    struct fetch_response_partition_data p;
    struct fetch_response_fetchable_topic_response t = { .partitions = &p, .partitions_count = 1 };
    struct fetch_response resp = { .responses = &t, .responses_count = 1 };
    memset(&p, 0, sizeof p);
    p.records.size = 61;
    t.topic = str_of("");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(print(&fetch_response_desc, 4, JSON_RECORDS_EMPTY, &resp), "\"records\":\"\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(print(&fetch_response_desc, 4, JSON_RECORDS_SIZE, &resp),
                                  "\"recordsSizeInBytes\":61"));
    p.records.size = -1;
    CU_ASSERT_PTR_NOT_NULL(
        strstr(print(&fetch_response_desc, 4, JSON_RECORDS_SIZE, &resp), "\"records\":null"));
}

static void tagged_fields_are_there_if_not_the_default(void)
{
    struct fetch_request req;
    message_init(&fetch_request_desc, &req);
    CU_ASSERT_PTR_NULL(
        strstr(print(&fetch_request_desc, 17, JSON_RECORDS_EMPTY, &req), "replicaState"));
    req.replica_state.replica_id = 1;
    CU_ASSERT_PTR_NOT_NULL(strstr(print(&fetch_request_desc, 17, JSON_RECORDS_EMPTY, &req),
                                  "\"replicaState\":{\"replicaId\":1,\"replicaEpoch\":-1}"));
}

static void nullable_structs_are_null_or_there(void)
{
    struct describe_topic_partitions_request req;
    struct describe_topic_partitions_request_cursor cursor = { .topic_name = str_of("t") };
    message_init(&describe_topic_partitions_request_desc, &req);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(print(&describe_topic_partitions_request_desc, 0, JSON_RECORDS_EMPTY, &req),
               "\"cursor\":null}"));
    req.cursor = &cursor;
    CU_ASSERT_PTR_NOT_NULL(
        strstr(print(&describe_topic_partitions_request_desc, 0, JSON_RECORDS_EMPTY, &req),
               "\"cursor\":{\"topicName\":\"t\",\"partitionIndex\":0}}"));
}

static const char *print_double(double v)
{
    struct alter_client_quotas_request_op_data op = { .key = str_of("k"), .value = v };
    struct alter_client_quotas_request_entry_data entry = { .ops = &op, .ops_count = 1 };
    struct alter_client_quotas_request req = { .entries = &entry, .entries_count = 1 };
    const char *text = print(&alter_client_quotas_request_desc, 1, JSON_RECORDS_EMPTY, &req);
    char *value = strstr(text, "\"value\":") + strlen("\"value\":");
    value[strcspn(value, ",")] = 0;
    return value;
}

static void doubles_are_javas(void)
{
    CU_ASSERT_STRING_EQUAL(print_double(0), "0.0");
    CU_ASSERT_STRING_EQUAL(print_double(-0.0), "-0.0");
    CU_ASSERT_STRING_EQUAL(print_double(1), "1.0");
    CU_ASSERT_STRING_EQUAL(print_double(-1234.5), "-1234.5");
    CU_ASSERT_STRING_EQUAL(print_double(0.1), "0.1");
    CU_ASSERT_STRING_EQUAL(print_double(0.001), "0.001");
    CU_ASSERT_STRING_EQUAL(print_double(0.00099), "9.9E-4");
    CU_ASSERT_STRING_EQUAL(print_double(9999999), "9999999.0");
    CU_ASSERT_STRING_EQUAL(print_double(10000000), "1.0E7");
    CU_ASSERT_STRING_EQUAL(print_double(123456789), "1.23456789E8");
    CU_ASSERT_STRING_EQUAL(print_double(4.9e-324), "4.9E-324");
    CU_ASSERT_STRING_EQUAL(print_double(NAN), "\"NaN\"");
    CU_ASSERT_STRING_EQUAL(print_double(-INFINITY), "\"-Infinity\"");
}

TEST_MAIN("json", TEST(fields_come_in_the_schemas_order_at_their_versions),
          TEST(nothing_is_an_empty_object), TEST(strings_are_escaped_as_jackson_does),
          TEST(what_is_not_utf8_is_replaced_as_java_does), TEST(bytes_are_base64),
          TEST(records_are_empty_or_a_size), TEST(tagged_fields_are_there_if_not_the_default),
          TEST(nullable_structs_are_null_or_there), TEST(doubles_are_javas))
