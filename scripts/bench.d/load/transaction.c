// SPDX-License-Identifier: Apache-2.0
// transaction HOST:PORT TOPIC ID COUNT RECORDS RECORD_BYTES: COUNT transactions one after the other as clients of
// transaction version 2 make them: Produce with a batch of RECORDS to partition 0, EndTxn. The coordinator is there.
// What is answered CONCURRENT_TRANSACTIONS is sent again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "wire.h"

enum { INIT_PRODUCER_ID = 22, END_TXN = 26, CONCURRENT_TRANSACTIONS = 51, TRANSACTIONAL = 16 };
enum { BATCH_CRC = 17, BATCH_ATTRIBUTES = 21, BATCH_PRODUCER_ID = 43 };

struct producer {
    int fd;
    const char *id;
    int64_t producer_id;
    int16_t epoch;
};

static void fail_with(const char *what, int error)
{
    char text[16];
    snprintf(text, sizeof text, "%d", error);
    fail(what, text);
}

static uint8_t *call(struct producer *producer, const struct out *request)
{
    size_t size;
    uint8_t *answer = NULL;
    if (write_all(producer->fd, request->data, request->size) == 0)
        answer = read_answer(producer->fd, &size);
    if (answer == NULL)
        fail("transaction:", "the connection closed");
    return answer;
}

static void add_compact(struct out *out, const char *s)
{
    add_int(out, (int64_t)strlen(s) + 1, 1);
    memcpy(out->data + out->size, s, strlen(s));
    out->size += strlen(s);
}

static void add_uvarint(struct out *out, size_t v)
{
    for (; v >= 0x80; v >>= 7)
        out->data[out->size++] = (uint8_t)(v | 0x80);
    out->data[out->size++] = (uint8_t)v;
}

static void init(struct producer *producer)
{
    uint8_t bytes[512];
    struct out out = { bytes, 0 };
    begin_request(&out, INIT_PRODUCER_ID, 1);
    add_string(&out, producer->id);
    add_int(&out, 60000, 4);
    end_request(&out);
    uint8_t *answer = call(producer, &out);
    int error = (int16_t)get_be16(answer + 8);
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
        uint8_t *answer = call(producer, request);
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
        uint8_t *answer = call(producer, &out);
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

int run_transaction(const char *address, char **args)
{
    const char *topic = args[0];
    size_t count = strtoul(args[2], NULL, 10), records = strtoul(args[3], NULL, 10),
           record_bytes = strtoul(args[4], NULL, 10);
    struct producer producer = { .fd = try_connect(address), .id = args[1] };
    if (producer.fd < 0)
        fail("cannot connect to", address);
    init(&producer);

    size_t batch_bytes = records == 1 ? 1 : records * (record_bytes + 10);
    uint8_t *batch = malloc(2 * batch_bytes + record_bytes + 1024);
    int in_batch = 0;
    size_t batch_size = encode_batch(batch, record_bytes, batch_bytes, &in_batch);
    put_be16(batch + BATCH_ATTRIBUTES, TRANSACTIONAL);
    struct out out = { malloc(batch_size + 1024), 0 };
    begin_request(&out, PRODUCE, 12);
    add_int(&out, 0, 1); // no tags
    add_compact(&out, producer.id);
    add_int(&out, -1, 2);
    add_int(&out, 30000, 4);
    add_int(&out, 2, 1); // one topic
    add_compact(&out, topic);
    add_int(&out, 2, 1); // one partition
    add_int(&out, 0, 4);
    add_uvarint(&out, batch_size + 1);
    uint8_t *place = out.data + out.size;
    memcpy(place, batch, batch_size);
    out.size += batch_size;
    add_int(&out, 0, 3); // no tags
    end_request(&out);

    double begin = now_ms();
    for (size_t i = 0; i < count; i++) {
        produce(&producer, &out, place, batch_size, strlen(topic));
        end(&producer);
    }
    double ms = now_ms() - begin;
    printf("seconds=%.3f transactions=%zu records=%zu transactions_per_second=%.1f\n", ms / 1e3, count,
           count * (size_t)in_batch, (double)count / ms * 1e3);
    return 0;
}
