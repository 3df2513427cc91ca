// SPDX-License-Identifier: Apache-2.0
// transaction HOST:PORT TOPIC ID COUNT RECORDS RECORD_BYTES: COUNT transactions one after the other as clients of
// transaction version 2 make them: Produce with a batch of RECORDS to partition 0, EndTxn. The coordinator is there.
// What is answered CONCURRENT_TRANSACTIONS is sent again.
//
// open-transactions HOST:PORT TOPIC COUNT: COUNT producers, ids TOPIC-0 … , each with a record in a transaction that stays open.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "wire.h"

enum { CONCURRENT_TRANSACTIONS = 51, TRANSACTIONAL = 16, OPEN_TIMEOUT_MS = 900000 };

struct producer {
    int fd;
    const char *id;
    int64_t producer_id;
    int16_t epoch;
};

static void init(struct producer *producer, int timeout_ms)
{
    uint8_t bytes[512];
    struct out out = { bytes, 0 };
    begin_request(&out, INIT_PRODUCER_ID, 1);
    add_string(&out, producer->id);
    add_int(&out, timeout_ms, 4);
    end_request(&out);
    uint8_t *answer;
    int error;
    do {
        answer = call(producer->fd, &out);
        error = (int16_t)get_be16(answer + 8);
    } while (error == CONCURRENT_TRANSACTIONS);
    if (error != 0)
        fail_with("InitProducerId was answered with error", error);
    producer->producer_id = (int64_t)get_be64(answer + 10);
    producer->epoch = (int16_t)get_be16(answer + 18);
}

static void produce(struct producer *producer, struct out *request, uint8_t *batch,
                    size_t batch_size, size_t topic_size)
{
    put_be64(batch + BATCH_PRODUCER_ID, (uint64_t)producer->producer_id);
    put_be16(batch + BATCH_PRODUCER_ID + 8, (uint16_t)producer->epoch);
    put_be32(batch + BATCH_PRODUCER_ID + 10, 0); // base sequence
    put_be32(batch + BATCH_CRC, crc32c(batch + BATCH_ATTRIBUTES, batch_size - BATCH_ATTRIBUTES));
    for (;;) {
        uint8_t *answer = call(producer->fd, request);
        int error = (int16_t)get_be16(answer + 5 + 1 + 1 + topic_size + 1 + 4);
        if (error == 0)
            return;
        if (error != CONCURRENT_TRANSACTIONS)
            fail_with("Produce was answered with error", error);
    }
}

static void end(struct producer *producer)
{
    uint8_t bytes[512];
    struct out out = { bytes, 0 };
    begin_request(&out, END_TXN, 5);
    add_int(&out, 0, 1); // no tags
    add_compact(&out, producer->id);
    add_int(&out, producer->producer_id, 8);
    add_int(&out, producer->epoch, 2);
    add_int(&out, 1, 1);
    add_int(&out, 0, 1);
    end_request(&out);
    for (;;) {
        uint8_t *answer = call(producer->fd, &out);
        int error = (int16_t)get_be16(answer + 9);
        if (error == CONCURRENT_TRANSACTIONS)
            continue;
        if (error != 0)
            fail_with("EndTxn was answered with error", error);
        producer->producer_id = (int64_t)get_be64(answer + 11);
        producer->epoch = (int16_t)get_be16(answer + 19);
        return;
    }
}

// A Produce of one batch in a transaction, without the numbers that produce() fills in.
struct request {
    struct out out;
    uint8_t *batch;
    size_t batch_size;
    int records;
};

static struct request make_request(const char *topic, const char *id, size_t records, size_t record_bytes)
{
    size_t batch_bytes = records == 1 ? 1 : records * (record_bytes + 10);
    uint8_t *batch = malloc(2 * batch_bytes + record_bytes + 1024);
    struct request request = { 0 };
    request.batch_size = encode_batch(batch, record_bytes, batch_bytes, &request.records);
    put_be16(batch + BATCH_ATTRIBUTES, TRANSACTIONAL);
    struct out *out = &request.out;
    out->data = malloc(request.batch_size + 1024);
    begin_request(out, PRODUCE, 12);
    add_int(out, 0, 1); // no tags
    add_compact(out, id);
    add_int(out, -1, 2);
    add_int(out, 30000, 4);
    add_int(out, 2, 1); // one topic
    add_compact(out, topic);
    add_int(out, 2, 1); // one partition
    add_int(out, 0, 4);
    add_uvarint(out, request.batch_size + 1);
    request.batch = out->data + out->size;
    memcpy(request.batch, batch, request.batch_size);
    out->size += request.batch_size;
    add_int(out, 0, 3); // no tags
    end_request(out);
    free(batch);
    return request;
}

int run_transaction(const char *address, char **args)
{
    const char *topic = args[0];
    size_t count = strtoul(args[2], NULL, 10);
    struct producer producer = { .fd = try_connect(address), .id = args[1] };
    if (producer.fd < 0)
        fail("cannot connect to", address);
    init(&producer, 60000);
    struct request request = make_request(topic, producer.id, strtoul(args[3], NULL, 10), strtoul(args[4], NULL, 10));
    double begin = now_ms();
    for (size_t i = 0; i < count; i++) {
        produce(&producer, &request.out, request.batch, request.batch_size, strlen(topic));
        end(&producer);
    }
    double ms = now_ms() - begin;
    printf("seconds=%.3f transactions=%zu records=%zu transactions_per_second=%.1f\n", ms / 1e3, count,
           count * (size_t)request.records, (double)count / ms * 1e3);
    return 0;
}

int run_open_transactions(const char *address, char **args)
{
    const char *topic = args[0];
    long count = strtol(args[1], NULL, 10);
    int fd = try_connect(address);
    if (fd < 0)
        fail("cannot connect to", address);
    double begin = now_ms();
    for (long i = 0; i < count; i++) {
        char id[300];
        snprintf(id, sizeof id, "%s-%ld", topic, i);
        struct producer producer = { .fd = fd, .id = id };
        init(&producer, OPEN_TIMEOUT_MS);
        struct request request = make_request(topic, id, 1, 100);
        produce(&producer, &request.out, request.batch, request.batch_size, strlen(topic));
        free(request.out.data);
    }
    printf("transactions=%ld transactions_per_second=%.1f\n", count, (double)count / (now_ms() - begin) * 1e3);
    return 0;
}
