// SPDX-License-Identifier: Apache-2.0
//
// Messages: what goes in comes out, where and when it should.
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "kit.h"

enum {
    MESSAGE_MAX_BYTES = 1048588, // message.max.bytes, by default
    BATCH_OVERHEAD = 61,         // of a v2 batch's header
    // A lone record of a null key and no headers: length 3, attributes 1, deltas 1 + 1,
    // key length 1, value length 3, header count 1.
    RECORD_OVERHEAD = 11,
    LARGEST_VALUE = MESSAGE_MAX_BYTES - BATCH_OVERHEAD - RECORD_OVERHEAD,
};

void test_produce(void)
{
    const char *topic = kit_topic("produce", 3);
    const char *settings[] = {"acks", "all", NULL};
    rd_kafka_t *producer = kit_producer(settings);
    struct kit_message reports[90];
    char value[32];

    for (int i = 0; i < 90; i++) {
        int size = snprintf(value, sizeof value, "value-%d", i);
        // A report's address stays put, so all may be on their way at once.
        memset(&reports[i], 0, sizeof reports[i]);
        kit_produce(producer, topic, i % 3, "key", 3, value, (size_t)size, 0, NULL,
                    i % 30 == 29 ? &reports[i] : NULL);
    }
    CU_ASSERT_EQUAL(kit_flush(producer), 0);
    for (int i = 29; i < 90; i += 30) {
        CU_ASSERT_EQUAL(reports[i].err, RD_KAFKA_RESP_ERR_NO_ERROR);
        CU_ASSERT_EQUAL(reports[i].partition, i % 3);
        CU_ASSERT_EQUAL(reports[i].offset, i / 3);
    }
    rd_kafka_destroy(producer);
}

void test_consume_from_beginning(void)
{
    const char *topic = kit_topic("beginning", 1);
    kit_fill(NULL, topic, 1000, 100);
    CU_ASSERT_EQUAL(kit_check_filled(topic, 0, 1000, 100), 1000);
    CU_ASSERT_EQUAL(kit_check_filled(topic, 700, 1000, 100), 300);
}

void test_consume_from_time(void)
{
    const char *topic = kit_topic("time", 1);
    const int64_t base = 1700000000000;
    rd_kafka_t *producer = kit_producer(NULL);
    char value[32];

    for (int i = 0; i < 100; i++) {
        int size = snprintf(value, sizeof value, "%d", i);
        kit_produce(producer, topic, 0, NULL, 0, value, (size_t)size, base + i * 1000, NULL, NULL);
        if (i % 10 == 9) // ten batches, so that the answer lies within one of several
            CU_ASSERT_EQUAL(kit_flush(producer), 0);
    }
    rd_kafka_destroy(producer);

    const struct {
        int64_t time, offset;
    } cases[] = {{base - 5, 0},          {base, 0},           {base + 44500, 45},
                 {base + 45000, 45},     {base + 99000, 99},  {base + 99001, RD_KAFKA_OFFSET_END}};
    const char *settings[] = {"group.id", "unused", NULL};
    rd_kafka_t *consumer = kit_consumer(settings);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, topic, 0)->offset = cases[i].time;
        CU_ASSERT_EQUAL(rd_kafka_offsets_for_times(consumer, list, KIT_LIMIT_MS), 0);
        CU_ASSERT_EQUAL(list->elems[0].err, RD_KAFKA_RESP_ERR_NO_ERROR);
        CU_ASSERT_EQUAL(list->elems[0].offset, cases[i].offset);
        rd_kafka_topic_partition_list_destroy(list);
    }
    struct kit_message m;
    kit_assign(consumer, topic, 0, 45);
    CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
    CU_ASSERT_EQUAL(m.offset, 45);
    CU_ASSERT_EQUAL(m.timestamp_ms, base + 45000);
    CU_ASSERT_STRING_EQUAL(m.value, "45");
    kit_message_free(&m);
    kit_consumer_close(consumer);
}

static void check_compression(const char *codec)
{
    char what[32];
    snprintf(what, sizeof what, "compression-%s", codec);
    const char *topic = kit_topic(what, 1);
    const char *settings[] = {"compression.codec", codec, "linger.ms", "50", NULL};
    kit_fill(settings, topic, 2000, 500);
    CU_ASSERT_EQUAL(kit_check_filled(topic, 0, 2000, 500), 2000);
    CU_ASSERT_EQUAL(kit_check_filled(topic, 1234, 2000, 500), 2000 - 1234);
}

void test_compression_gzip(void)
{
    check_compression("gzip");
}

void test_compression_snappy(void)
{
    check_compression("snappy");
}

void test_compression_lz4(void)
{
    check_compression("lz4");
}

void test_compression_zstd(void)
{
    check_compression("zstd");
}

void test_headers(void)
{
    const char *topic = kit_topic("headers", 1);
    const struct {
        const char *name, *value;
        ssize_t size;
    } want[] = {{"first", "one", 3},    {"binary", "\0\1\xff", 3}, {"empty", "", 0},
                {"null", NULL, 0},      {"first", "again", 5},     {"\xc3\xbcnicode", "x", 1}};
    const size_t count = sizeof want / sizeof *want;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(count);
    rd_kafka_t *producer = kit_producer(NULL);
    struct kit_message m;

    for (size_t i = 0; i < count; i++)
        rd_kafka_header_add(headers, want[i].name, -1, want[i].value, want[i].size);
    kit_produce(producer, topic, 0, "k", 1, "v", 1, 0, headers, &m);
    CU_ASSERT_EQUAL(m.err, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);

    const char *settings[] = {"group.id", "unused", NULL};
    rd_kafka_t *consumer = kit_consumer(settings);
    kit_assign(consumer, topic, 0, RD_KAFKA_OFFSET_BEGINNING);
    CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m.headers);
    CU_ASSERT_EQUAL_FATAL(rd_kafka_header_cnt(m.headers), count);
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const void *value;
        size_t size;
        CU_ASSERT_EQUAL(rd_kafka_header_get_all(m.headers, i, &name, &value, &size), 0);
        CU_ASSERT_STRING_EQUAL(name, want[i].name);
        CU_ASSERT_EQUAL_FATAL(size, (size_t)want[i].size);
        CU_ASSERT_EQUAL((value == NULL), (want[i].value == NULL));
        CU_ASSERT(size == 0 || memcmp(value, want[i].value, size) == 0);
    }
    kit_message_free(&m);
    kit_consumer_close(consumer);
}

void test_null_key_value(void)
{
    const char *topic = kit_topic("null", 1);
    const struct {
        const char *key, *value;
    } want[] = {{NULL, "v"}, {"k", NULL}, {NULL, NULL}, {"", ""}, {"k", "v"}};
    const size_t count = sizeof want / sizeof *want;
    rd_kafka_t *producer = kit_producer(NULL);
    struct kit_message m;

    for (size_t i = 0; i < count; i++)
        kit_produce(producer, topic, 0, want[i].key, want[i].key ? strlen(want[i].key) : 0,
                    want[i].value, want[i].value ? strlen(want[i].value) : 0, 0, NULL, NULL);
    CU_ASSERT_EQUAL(kit_flush(producer), 0);
    rd_kafka_destroy(producer);

    const char *settings[] = {"group.id", "unused", NULL};
    rd_kafka_t *consumer = kit_consumer(settings);
    kit_assign(consumer, topic, 0, RD_KAFKA_OFFSET_BEGINNING);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
        CU_ASSERT_EQUAL_FATAL((m.key == NULL), (want[i].key == NULL));
        CU_ASSERT_EQUAL_FATAL((m.value == NULL), (want[i].value == NULL));
        CU_ASSERT(m.key == NULL || strcmp(m.key, want[i].key) == 0);
        CU_ASSERT(m.value == NULL || strcmp(m.value, want[i].value) == 0);
        kit_message_free(&m);
    }
    kit_consumer_close(consumer);
}

static struct kit_message produce_large(const char *topic, size_t size)
{
    const char *settings[] = {"message.max.bytes", "3000000", "compression.codec", "none", NULL};
    rd_kafka_t *producer = kit_producer(settings);
    struct kit_message report;
    char *value = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    for (size_t i = 0; i < size; i++)
        value[i] = (char)(i * 31 + i / 251);
    kit_produce(producer, topic, 0, NULL, 0, value, size, 0, NULL, &report);
    free(value);
    rd_kafka_destroy(producer);
    return report;
}

void test_message_1mb(void)
{
    const char *topic = kit_topic("1mb", 1);
    const char *settings[] = {"group.id", "unused", NULL};
    struct kit_message m;

    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(produce_large(topic, LARGEST_VALUE).err, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_t *consumer = kit_consumer(settings);
    kit_assign(consumer, topic, 0, RD_KAFKA_OFFSET_BEGINNING);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
        CU_ASSERT_EQUAL(m.offset, i);
        CU_ASSERT_EQUAL_FATAL(m.value_size, LARGEST_VALUE);
        size_t wrong = 0;
        for (size_t b = 0; b < m.value_size; b++)
            wrong += m.value[b] != (char)(b * 31 + b / 251);
        CU_ASSERT_EQUAL(wrong, 0);
        kit_message_free(&m);
    }
    kit_consumer_close(consumer);
}

void test_message_too_large(void)
{
    const char *topic = kit_topic("too-large", 1);
    struct kit_message report = produce_large(topic, LARGEST_VALUE + 1);
    CU_ASSERT_EQUAL(report.err, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    report = produce_large(topic, 2500000);
    CU_ASSERT_EQUAL(report.err, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    // Nothing of them is in the log.
    report = produce_large(topic, 10);
    CU_ASSERT_EQUAL(report.err, RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(report.offset, 0);
}

void test_idempotent_produce(void)
{
    const char *topic = kit_topic("idempotent", 1);
    const char *settings[] = {"enable.idempotence", "true", "linger.ms", "0", NULL};
    kit_fill(settings, topic, 1000, 50);
    CU_ASSERT_EQUAL(kit_check_filled(topic, 0, 1000, 50), 1000);
    // A second producer, with an id of its own.
    struct kit_message report;
    rd_kafka_t *producer = kit_producer(settings);
    kit_produce(producer, topic, 0, NULL, 0, "last", 4, 0, NULL, &report);
    CU_ASSERT_EQUAL(report.err, RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(report.offset, 1000);
    rd_kafka_destroy(producer);
}

void test_acks_0(void)
{
    const char *topic = kit_topic("acks-0", 1);
    const char *settings[] = {"acks", "0", NULL};
    kit_fill(settings, topic, 500, 50);
    CU_ASSERT_EQUAL(kit_check_filled(topic, 0, 500, 50), 500);
}

void test_auto_create_topic(void)
{
    const char *topic = kit_name("auto");
    kit_fill(NULL, topic, 10, 10);
    CU_ASSERT_EQUAL(kit_check_filled(topic, 0, 10, 10), 10);
    // A consumer asks that nothing be created, and is told that there is nothing.
    const char *settings[] = {"group.id", "unused", "allow.auto.create.topics", "false",
                              "topic.metadata.propagation.max.ms", "100", NULL};
    rd_kafka_t *consumer = kit_consumer(settings);
    const char *missing = kit_name("missing");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, missing, RD_KAFKA_PARTITION_UA);
    CU_ASSERT_EQUAL(rd_kafka_subscribe(consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, KIT_LIMIT_MS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT_EQUAL(m->err, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    rd_kafka_message_destroy(m);
    kit_consumer_close(consumer);
}
