// SPDX-License-Identifier: Apache-2.0
// create-topics HOST:PORT PREFIX COUNT PARTITIONS BATCH CONNECTIONS, and delete-topics with the same: topics PREFIX-0 …
// PREFIX-(COUNT-1), so many in one request, each connection with one request in flight.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "clients.h"

struct topics {
    const char *prefix;
    long next, count;
    long batch;
    int partitions;
    bool deletes;
};

static void add_name(struct out *out, const struct topics *topics, long i)
{
    char name[256];
    snprintf(name, sizeof name, "%s-%ld", topics->prefix, i);
    add_string(out, name);
}

static bool next(struct clients *clients, int connection, struct out *out)
{
    struct topics *topics = clients->arg;
    (void)connection;
    long end = topics->next + topics->batch < topics->count ? topics->next + topics->batch
                                                            : topics->count;
    if (topics->next == end)
        return false;
    begin_request(out, topics->deletes ? DELETE_TOPICS : CREATE_TOPICS, topics->deletes ? 3 : 4);
    add_int(out, end - topics->next, 4);
    for (long i = topics->next; i < end; i++) {
        add_name(out, topics, i);
        if (topics->deletes)
            continue;
        add_int(out, topics->partitions, 4);
        add_int(out, 1, 2); // replicas
        add_int(out, 0, 4); // assignments
        add_int(out, 0, 4); // configs
    }
    add_int(out, 60000, 4);
    if (!topics->deletes)
        add_int(out, 0, 1); // validate only
    end_request(out);
    topics->next = end;
    return true;
}

// Both answers: correlation id, throttle time, an array of (name, error code, …).
static void check(struct clients *clients, int connection, const uint8_t *answer, size_t size)
{
    const struct topics *topics = clients->arg;
    (void)connection;
    const uint8_t *at = answer + 12, *end = answer + size;
    for (uint32_t left = get_be32(answer + 8); left > 0; left--) {
        at += 2 + get_be16(at);
        if (at + 2 > end || get_be16(at) != 0)
            fail("topics were answered with an error", "");
        at += 2;
        if (topics->deletes)
            continue;
        int16_t message = (int16_t)get_be16(at);
        at += 2 + (message > 0 ? message : 0);
    }
}

static int run(const char *address, char **args, bool deletes)
{
    struct topics topics = { .prefix = args[0],
                             .count = strtol(args[1], NULL, 10),
                             .partitions = (int)strtol(args[2], NULL, 10),
                             .batch = strtol(args[3], NULL, 10),
                             .deletes = deletes };
    struct clients clients = { .count = (int)strtol(args[4], NULL, 10),
                               .next = next,
                               .check = check,
                               .arg = &topics,
                               .request_size_max = 256 + 300 * (size_t)topics.batch };
    struct clients_figures figures = clients_run(&clients, address);
    printf("seconds=%.3f topics_per_second=%.0f p50_ms=%.3f p99_ms=%.3f\n", figures.seconds,
           (double)topics.count / figures.seconds, figures.p50_ms, figures.p99_ms);
    return 0;
}

int run_create_topics(const char *address, char **args)
{
    return run(address, args, false);
}

int run_delete_topics(const char *address, char **args)
{
    return run(address, args, true);
}
