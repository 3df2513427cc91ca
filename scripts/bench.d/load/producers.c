// SPDX-License-Identifier: Apache-2.0
// producers HOST:PORT TOPIC PARTITIONS CONNECTIONS REQUESTS RECORD_BYTES ACKS: so many producers, each of which sends
// one record and waits for its acknowledgement before it sends the next; connection i to partition i mod PARTITIONS.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"

struct producers {
    struct out *requests; // of each partition
    int partitions;
    long left;
    size_t topic_size;
};

static bool next(struct clients *clients, int connection, struct out *out)
{
    struct producers *producers = clients->arg;
    if (producers->left-- <= 0)
        return false;
    const struct out *request = &producers->requests[connection % producers->partitions];
    *out = *request;
    return true;
}

static void check(struct clients *clients, int connection, const uint8_t *answer, size_t size)
{
    const struct producers *producers = clients->arg;
    (void)connection;
    (void)size;
    check_produced(answer, producers->topic_size);
}

int run_producers(const char *address, char **args)
{
    struct producers producers = { .partitions = (int)strtol(args[1], NULL, 10),
                                   .left = strtol(args[3], NULL, 10),
                                   .topic_size = strlen(args[0]) };
    size_t record_bytes = strtoul(args[4], NULL, 10);
    producers.requests = calloc((size_t)producers.partitions, sizeof *producers.requests);
    for (int i = 0; i < producers.partitions; i++)
        encode_produce(&producers.requests[i], args[0], i, record_bytes, 1,
                       (int)strtol(args[5], NULL, 10), 0);
    struct clients clients = { .count = (int)strtol(args[2], NULL, 10),
                               .next = next,
                               .check = check,
                               .arg = &producers,
                               .request_size_max = record_bytes + 2048 };
    struct clients_figures figures = clients_run(&clients, address);
    printf("seconds=%.3f requests=%zu requests_per_second=%.0f p50_ms=%.3f p99_ms=%.3f p999_ms=%.3f\n",
           figures.seconds, figures.requests, (double)figures.requests / figures.seconds,
           figures.p50_ms, figures.p99_ms, figures.p999_ms);
    return 0;
}
