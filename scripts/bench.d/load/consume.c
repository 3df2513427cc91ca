// SPDX-License-Identifier: Apache-2.0
// consume HOST:PORT TOPIC PARTITIONS MEGABYTES FETCH_BYTES [READERS]: fetches from offset 0 on until so much was got; with
// several readers, each on a connection of its own reads all of it.
#include <stdio.h>
#include <stdlib.h>

#include "clients.h"
#include "fetch.h"

struct reader {
    int64_t *offsets;
    size_t got;
};

struct consume {
    const char *topic;
    size_t partitions, total, fetch_bytes;
    struct reader *readers;
};

static bool next(struct clients *clients, int connection, struct out *out)
{
    struct consume *consume = clients->arg;
    const struct reader *reader = &consume->readers[connection];
    if (reader->got >= consume->total)
        return false;
    encode_fetch(out, consume->topic, consume->partitions, reader->offsets, consume->fetch_bytes);
    return true;
}

static void take(void *arg, uint32_t partition, const uint8_t *records, size_t size)
{
    struct reader *reader = arg;
    reader->offsets[partition] = next_offset(records, size, reader->offsets[partition]);
    reader->got += size;
}

static void check(struct clients *clients, int connection, const uint8_t *answer, size_t size)
{
    struct consume *consume = clients->arg;
    struct reader *reader = &consume->readers[connection];
    size_t before = reader->got;
    (void)size;
    walk_fetched(answer, take, reader);
    if (reader->got == before)
        fail("fetch:", "there is less to read than was asked for");
}

int run_consume(const char *address, char **args)
{
    int readers = args[4] != NULL ? (int)strtol(args[4], NULL, 10) : 1;
    struct consume consume = { .topic = args[0],
                               .partitions = strtoul(args[1], NULL, 10),
                               .total = strtoul(args[2], NULL, 10) * 1000000,
                               .fetch_bytes = strtoul(args[3], NULL, 10),
                               .readers = calloc((size_t)readers, sizeof *consume.readers) };
    for (int i = 0; i < readers; i++)
        consume.readers[i].offsets = calloc(consume.partitions, sizeof *consume.readers[i].offsets);
    struct clients clients = { .count = readers,
                               .next = next,
                               .check = check,
                               .arg = &consume,
                               .request_size_max = 1024 + 32 * consume.partitions };
    struct clients_figures figures = clients_run(&clients, address);
    double got = 0;
    for (int i = 0; i < readers; i++)
        got += (double)consume.readers[i].got;
    printf("seconds=%.3f megabytes=%.1f requests=%zu megabytes_per_second=%.1f\n", figures.seconds, got / 1e6,
           figures.requests, got / 1e6 / figures.seconds);
    return 0;
}
