// SPDX-License-Identifier: Apache-2.0
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

static int failed_deliveries; // of messages without a report

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void die(const char *what, const char *why)
{
    printf("# %s: %s\n", what, why);
    exit(1);
}

static void *copy(const void *data, size_t size)
{
    if (data == NULL)
        return NULL;
    char *out = malloc(size + 1);
    if (out == NULL)
        die("malloc", "no memory");
    memcpy(out, data, size);
    out[size] = '\0';
    return out;
}

// Fills the report whose address the producer was given; without one it only counts failures.
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct kit_message *report = m->_private;
    (void)rk, (void)opaque;

    if (report == NULL) {
        failed_deliveries += m->err != 0;
    } else {
        report->err = m->err;
        report->partition = m->partition;
        report->offset = m->offset;
    }
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *const *settings)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *common[] = {"bootstrap.servers", getenv("BOOTSTRAP"), "log_level", "4", NULL};

    for (int pass = 0; pass < 2; pass++) {
        for (const char *const *s = pass ? settings : common; s != NULL && *s != NULL; s += 2) {
            if (rd_kafka_conf_set(conf, s[0], s[1], why, sizeof why) != RD_KAFKA_CONF_OK)
                die(s[0], why);
        }
    }
    if (type == RD_KAFKA_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (rk == NULL)
        die("rd_kafka_new", why);
    return rk;
}

rd_kafka_t *kit_producer(const char *const *settings)
{
    return client(RD_KAFKA_PRODUCER, settings);
}

rd_kafka_t *kit_consumer(const char *const *settings)
{
    rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, settings);
    rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

void kit_consumer_close(rd_kafka_t *consumer)
{
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

const char *kit_name(const char *what)
{
    char *name = NULL;
    if (asprintf(&name, "%s-%s", getenv("RUN_ID"), what) < 0)
        die("asprintf", "no memory");
    return name;
}

const char *kit_topic(const char *what, int partitions)
{
    const char *name = kit_name(what);
    char why[512];
    rd_kafka_t *rk = kit_producer(NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, why, sizeof why);

    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, KIT_LIMIT_MS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_EQUAL_FATAL(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT_EQUAL_FATAL(rd_kafka_topic_result_error(results[0]), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    // The creation is answered when the metadata log has it; a partition is served once the broker
    // has replayed that, a moment later.
    for (int32_t p = 0; p < partitions; p++) {
        int64_t low, high, end = now_ms() + KIT_LIMIT_MS;
        rd_kafka_resp_err_t err;
        while ((err = rd_kafka_query_watermark_offsets(rk, name, p, &low, &high, KIT_LIMIT_MS)) &&
               now_ms() < end)
            usleep(10000);
        CU_ASSERT_EQUAL_FATAL(err, RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    rd_kafka_destroy(rk);
    return name;
}

void kit_produce(rd_kafka_t *producer, const char *topic, int32_t partition, const void *key,
                 size_t key_size, const void *value, size_t value_size, int64_t timestamp_ms,
                 rd_kafka_headers_t *headers, struct kit_message *report)
{
    rd_kafka_resp_err_t err;
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {.ptr = (void *)key, .size = key_size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {.ptr = (void *)value, .size = value_size}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = report},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };

    if (report != NULL) {
        memset(report, 0, sizeof *report);
        report->err = RD_KAFKA_RESP_ERR__IN_PROGRESS;
    }
    rd_kafka_error_t *error =
        rd_kafka_produceva(producer, vus, sizeof vus / sizeof *vus - (headers == NULL));
    err = error != NULL ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error != NULL)
        rd_kafka_error_destroy(error);
    CU_ASSERT_EQUAL_FATAL(err, RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int64_t end = now_ms() + KIT_LIMIT_MS;
         report != NULL && report->err == RD_KAFKA_RESP_ERR__IN_PROGRESS && now_ms() < end;)
        rd_kafka_poll(producer, 100);
}

int kit_flush(rd_kafka_t *producer)
{
    CU_ASSERT_EQUAL_FATAL(rd_kafka_flush(producer, KIT_LIMIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    int failed = failed_deliveries;
    failed_deliveries = 0;
    return failed;
}

void kit_assign(rd_kafka_t *consumer, const char *topic, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    CU_ASSERT_EQUAL_FATAL(rd_kafka_assign(consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
}

int kit_next(rd_kafka_t *consumer, struct kit_message *message)
{
    memset(message, 0, sizeof *message);
    for (int64_t end = now_ms() + KIT_LIMIT_MS; now_ms() < end;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, 500);
        if (m == NULL)
            continue;
        if (m->err) {
            printf("# consumer: %s\n", rd_kafka_message_errstr(m));
            rd_kafka_message_destroy(m);
            continue;
        }
        message->partition = m->partition;
        message->offset = m->offset;
        message->timestamp_ms = rd_kafka_message_timestamp(m, NULL);
        message->key = copy(m->key, m->key_len);
        message->key_size = m->key_len;
        message->value = copy(m->payload, m->len);
        message->value_size = m->len;
        rd_kafka_headers_t *headers;
        if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
            message->headers = rd_kafka_headers_copy(headers);
        rd_kafka_message_destroy(m);
        return 0;
    }
    return -1;
}

void kit_message_free(struct kit_message *message)
{
    free(message->key);
    free(message->value);
    if (message->headers != NULL)
        rd_kafka_headers_destroy(message->headers);
    memset(message, 0, sizeof *message);
}

// The value of message i: its number, then letters that compress well but differ with i.
static size_t filled_value(char *out, size_t size, int i, size_t pad)
{
    size_t length = (size_t)snprintf(out, size, "%d.", i);
    for (size_t p = 0; p < pad && length < size; p++)
        out[length++] = (char)('a' + (i + (int)(p / 8)) % 26);
    return length;
}

void kit_fill(const char *const *settings, const char *topic, int count, size_t pad)
{
    char value[4096];
    rd_kafka_t *producer = kit_producer(settings);

    for (int i = 0; i < count; i++) {
        size_t size = filled_value(value, sizeof value, i, pad);
        kit_produce(producer, topic, 0, NULL, 0, value, size, 0, NULL, NULL);
    }
    CU_ASSERT_EQUAL(kit_flush(producer), 0);
    rd_kafka_destroy(producer);
}

int kit_check_filled(const char *topic, int from, int count, size_t pad)
{
    char value[4096];
    int good = 0;
    const char *settings[] = {"group.id", "unused", "check.crcs", "true", NULL};
    rd_kafka_t *consumer = kit_consumer(settings);

    kit_assign(consumer, topic, 0, from == 0 ? RD_KAFKA_OFFSET_BEGINNING : from);
    for (int i = from; i < count; i++) {
        struct kit_message m;
        if (kit_next(consumer, &m) != 0)
            break;
        size_t size = filled_value(value, sizeof value, i, pad);
        int same = m.offset == i && m.value_size == size && memcmp(m.value, value, size) == 0;
        kit_message_free(&m);
        if (!same)
            break;
        good++;
    }
    kit_consumer_close(consumer);
    return good;
}
