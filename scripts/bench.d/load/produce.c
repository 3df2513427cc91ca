// SPDX-License-Identifier: Apache-2.0
// produce HOST:PORT TOPIC PARTITIONS MEGABYTES RECORD_BYTES BATCH_BYTES ACKS DEPTH [CODEC [CONNECTIONS [IDEMPOTENT]]]: one
// request for each batch, by turns over the partitions, DEPTH of them in flight on each connection. Batches are made before
// the clock starts. CODEC: the number that a batch's attributes have. MEGABYTES are of values, before they were compressed.
// IDEMPOTENT=1: a producer id for each connection, which has partitions of its own then; the generator numbers and sums
// each batch anew.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "clients.h"

enum { COORDINATOR_LOAD_IN_PROGRESS = 14 };

struct prepared {
    struct out out;
    size_t batch_at;
    int32_t sequence;
};

struct produce {
    struct prepared *requests; // of each partition
    int64_t *producer_ids;     // of each connection; NULL: not idempotent
    long *turns;               // of each connection
    long partitions, connections;
    size_t total, sent, topic_size;
    int records; // in a batch
    size_t record_bytes;
};

static void number(struct prepared *prepared, int64_t producer_id, int records)
{
    uint8_t *batch = prepared->out.data + prepared->batch_at;
    put_be64(batch + BATCH_PRODUCER_ID, (uint64_t)producer_id);
    put_be16(batch + BATCH_PRODUCER_ID + 8, 0);
    put_be32(batch + BATCH_PRODUCER_ID + 10, (uint32_t)prepared->sequence);
    put_be32(batch + BATCH_CRC, crc32c(batch + BATCH_ATTRIBUTES, prepared->out.size - prepared->batch_at - BATCH_ATTRIBUTES));
    prepared->sequence = (int32_t)(((int64_t)prepared->sequence + records) & INT32_MAX);
}

static bool next(struct clients *clients, int connection, struct out *out)
{
    struct produce *produce = clients->arg;
    if (produce->sent >= produce->total)
        return false;
    long turn = produce->turns[connection]++;
    struct prepared *prepared = &produce->requests[(connection + turn * produce->connections) % produce->partitions];
    if (produce->producer_ids != NULL)
        number(prepared, produce->producer_ids[connection], produce->records);
    *out = prepared->out;
    produce->sent += (size_t)produce->records * produce->record_bytes;
    return true;
}

static void check(struct clients *clients, int connection, const uint8_t *answer, size_t size)
{
    (void)connection;
    (void)size;
    check_produced(answer, ((struct produce *)clients->arg)->topic_size);
}

// Those of acks=0 are behind us when one that is answered, on the same connection, is; but each has its own connection here,
// so a topic's end is asked for instead: the offset after the last record.
static void await_unanswered(const char *address, const char *topic, long partitions, size_t records)
{
    struct out out = { malloc(1024 + 16 * (size_t)partitions), 0 };
    begin_request(&out, LIST_OFFSETS, 1);
    add_int(&out, -1, 4);
    add_int(&out, 1, 4);
    add_string(&out, topic);
    add_int(&out, partitions, 4);
    for (long i = 0; i < partitions; i++) {
        add_int(&out, i, 4);
        add_int(&out, -1, 8);
    }
    end_request(&out);
    int fd = try_connect(address);
    for (double give_up_ms = now_ms() + 60000;;) {
        const uint8_t *answer = call(fd, &out), *at = answer + 4 + 4 + 2 + strlen(topic) + 4;
        int64_t there = 0;
        for (long i = 0; i < partitions; i++, at += 4 + 2 + 8 + 8) {
            if (get_be16(at + 4) != 0)
                fail_with("ListOffsets was answered with error", get_be16(at + 4));
            there += (int64_t)get_be64(at + 14);
        }
        if (there == (int64_t)records)
            return;
        if (now_ms() > give_up_ms)
            fail("produce:", "records of acks=0 did not arrive");
    }
}

static int64_t producer_id(const char *address)
{
    uint8_t bytes[64];
    struct out out = { bytes, 0 };
    begin_request(&out, INIT_PRODUCER_ID, 1);
    add_int(&out, -1, 2);
    add_int(&out, 60000, 4);
    end_request(&out);
    int fd = try_connect(address);
    const uint8_t *answer;
    do { // the first one of all waits for a block of ids
        answer = call(fd, &out);
    } while (get_be16(answer + 8) == COORDINATOR_LOAD_IN_PROGRESS);
    if (get_be16(answer + 8) != 0)
        fail_with("InitProducerId was answered with error", get_be16(answer + 8));
    return (int64_t)get_be64(answer + 10);
}

static void prepare(struct produce *produce, const char *address, char **args, int acks, int codec)
{
    size_t record_bytes = produce->record_bytes, batch_bytes = strtoul(args[4], NULL, 10);
    produce->requests = calloc((size_t)produce->partitions, sizeof *produce->requests);
    produce->turns = calloc((size_t)produce->connections, sizeof *produce->turns);
    for (long i = 0; i < produce->partitions; i++) {
        struct prepared *prepared = &produce->requests[i];
        produce->records = encode_produce(&prepared->out, args[0], (int)i, record_bytes, batch_bytes, acks, codec);
        prepared->batch_at = produce_batch_at(args[0]);
    }
    if (args[9] == NULL || strtol(args[9], NULL, 10) == 0)
        return;
    if (produce->partitions % produce->connections != 0)
        fail("produce:", "idempotent connections have partitions of their own");
    produce->producer_ids = calloc((size_t)produce->connections, sizeof *produce->producer_ids);
    for (long i = 0; i < produce->connections; i++)
        produce->producer_ids[i] = producer_id(address);
}

int run_produce(const char *address, char **args)
{
    int acks = (int)strtol(args[5], NULL, 10), codec = args[7] != NULL ? (int)strtol(args[7], NULL, 10) : 0;
    struct produce produce = { .partitions = strtol(args[1], NULL, 10),
                               .connections = args[8] != NULL ? strtol(args[8], NULL, 10) : 1,
                               .total = strtoul(args[2], NULL, 10) * 1000000,
                               .topic_size = strlen(args[0]),
                               .record_bytes = strtoul(args[3], NULL, 10) };
    prepare(&produce, address, args, acks, codec);
    struct clients clients = { .count = (int)produce.connections,
                               .depth = (int)strtol(args[6], NULL, 10),
                               .next = next,
                               .check = check,
                               .arg = &produce,
                               .request_size_max = 1,
                               .unanswered = acks == 0 };
    struct clients_figures figures = clients_run(&clients, address);
    size_t records = figures.requests * (size_t)produce.records;
    if (acks == 0)
        await_unanswered(address, args[0], produce.partitions, records);
    double seconds = (now_ms() - clients.begin_ms) / 1e3;
    printf("seconds=%.3f megabytes=%.1f records=%zu requests=%zu requests_per_second=%.0f megabytes_per_second=%.1f "
           "sent_megabytes=%.1f p50_ms=%.3f p99_ms=%.3f p999_ms=%.3f\n",
           seconds, (double)produce.sent / 1e6, records, figures.requests, (double)figures.requests / seconds,
           (double)produce.sent / 1e6 / seconds, (double)figures.requests * (double)produce.requests[0].out.size / 1e6,
           figures.p50_ms, figures.p99_ms, figures.p999_ms);
    return 0;
}
