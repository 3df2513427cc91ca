// SPDX-License-Identifier: Apache-2.0
// A generator as most programs in the world are: librdkafka with its defaults but those named.
//
//     bench-rdkafka produce HOST:PORT TOPIC MEGABYTES RECORD_BYTES ACKS CODEC CLIENTS
//     bench-rdkafka consume HOST:PORT TOPIC RECORDS GROUP CLIENTS
//
// CLIENTS instances, each in a thread of its own; consumers share a group. Prints one line of name=value pairs; exits non-zero
// when a record is refused or lost. Consuming counts from the first record on: a group needs seconds to form.
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { POLL_MS = 100, FLUSH_MS = 120000, SILENCE_MS = 30000, CLIENTS_MAX = 64 };

static struct {
    const char *address, *topic, *acks, *codec, *group;
    size_t record_bytes, each;
} run;
static atomic_size_t delivered, consumed;
static atomic_ullong consumed_bytes, first_ns;

static _Noreturn void fail(const char *what, const char *detail)
{
    fprintf(stderr, "bench-rdkafka: %s %s\n", what, detail);
    exit(1);
}

static unsigned long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long long)t.tv_sec * 1000000000 + (unsigned long long)t.tv_nsec;
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, key, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        fail(key, reason);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char reason[256];
    set(conf, "bootstrap.servers", run.address);
    rd_kafka_t *kafka = rd_kafka_new(type, conf, reason, sizeof reason);
    if (kafka == NULL)
        fail("cannot make a client:", reason);
    return kafka;
}

static void on_delivered(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *arg)
{
    (void)kafka;
    (void)arg;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("a record was refused:", rd_kafka_err2str(message->err));
    atomic_fetch_add(&delivered, 1);
}

static void *produce(void *arg)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)arg;
    set(conf, "acks", run.acks);
    set(conf, "compression.codec", run.codec);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, conf);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, run.topic, NULL);
    char *value = malloc(run.record_bytes);
    for (size_t i = 0; i < run.record_bytes; i++)
        value[i] = "record after record, as it comes; "[i % 34];
    for (size_t sent = 0; sent < run.each;) {
        if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, run.record_bytes, NULL, 0, NULL) == 0) {
            sent++;
            if (sent % 1000 == 0)
                rd_kafka_poll(kafka, 0);
        } else if (rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(kafka, POLL_MS);
        } else {
            fail("produce:", rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
    if (rd_kafka_flush(kafka, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("not all records were delivered", "");
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(kafka);
    free(value);
    return NULL;
}

static void *consume(void *arg)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)arg;
    set(conf, "group.id", run.group);
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "queued.min.messages", "1000000");
    rd_kafka_t *kafka = client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(kafka);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, run.topic, RD_KAFKA_PARTITION_UA);
    if (rd_kafka_subscribe(kafka, topics) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("cannot subscribe to", run.topic);
    for (unsigned long long heard_ns = now_ns(); atomic_load(&consumed) < run.each;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, POLL_MS);
        if (message == NULL) {
            if (now_ns() - heard_ns > SILENCE_MS * 1000000ull)
                fail("nothing comes any more", "");
            continue;
        }
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            fail("consume:", rd_kafka_message_errstr(message));
        heard_ns = now_ns();
        unsigned long long none = 0;
        atomic_compare_exchange_strong(&first_ns, &none, heard_ns);
        atomic_fetch_add(&consumed, 1);
        atomic_fetch_add(&consumed_bytes, message->len);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(topics);
    rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    return NULL;
}

static void in_threads(void *(*work)(void *), size_t clients)
{
    pthread_t threads[CLIENTS_MAX];
    if (clients == 0 || clients > CLIENTS_MAX)
        fail("at most 64 clients", "");
    for (size_t i = 0; i < clients; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            fail("cannot make a thread", "");
    for (size_t i = 0; i < clients; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    unsigned long long begin_ns = now_ns();
    if (argc == 9 && strcmp(argv[1], "produce") == 0) {
        size_t clients = strtoul(argv[8], NULL, 10), record_bytes = strtoul(argv[5], NULL, 10);
        run.address = argv[2], run.topic = argv[3], run.acks = argv[6], run.codec = argv[7];
        run.record_bytes = record_bytes;
        run.each = strtoul(argv[4], NULL, 10) * 1000000 / record_bytes / (clients > 0 ? clients : 1);
        in_threads(produce, clients);
        double seconds = (double)(now_ns() - begin_ns) / 1e9;
        size_t records = atomic_load(&delivered);
        if (records != run.each * clients)
            fail("records are missing", "");
        printf("seconds=%.3f records=%zu megabytes=%.1f megabytes_per_second=%.1f records_per_second=%.0f\n", seconds, records,
               (double)(records * record_bytes) / 1e6, (double)(records * record_bytes) / 1e6 / seconds,
               (double)records / seconds);
        return 0;
    }
    if (argc == 7 && strcmp(argv[1], "consume") == 0) {
        run.address = argv[2], run.topic = argv[3], run.group = argv[5];
        run.each = strtoul(argv[4], NULL, 10);
        in_threads(consume, strtoul(argv[6], NULL, 10));
        unsigned long long end_ns = now_ns();
        double seconds = (double)(end_ns - atomic_load(&first_ns)) / 1e9, megabytes = (double)atomic_load(&consumed_bytes) / 1e6;
        printf("seconds=%.3f records=%zu megabytes=%.1f megabytes_per_second=%.1f records_per_second=%.0f\n", seconds,
               atomic_load(&consumed), megabytes, megabytes / seconds, (double)atomic_load(&consumed) / seconds);
        return 0;
    }
    fail("usage: bench-rdkafka produce|consume …, see the head of", "scripts/bench.d/rdkafka.c");
}
