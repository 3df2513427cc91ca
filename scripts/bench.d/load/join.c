// SPDX-License-Identifier: Apache-2.0
// join HOST:PORT GROUP TOPIC MEMBERS PARTITIONS: members of one consumer group (KIP-848) on one connection, from the first heartbeat
// to the one after which all are in one epoch and hold the topic's partitions together.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire.h"

enum {
    REQUEST_MAX = 16384,
    PARTITIONS_MAX = 2048, // of the topic: the first member has them all for a while
    ROUNDS_MAX = 10000,
    FLEXIBLE_HEADER = 5, // correlation id, and no tagged fields
};

struct joining {
    char id[32];
    int epoch;
    uint8_t topic_id[16];
    int32_t partitions[PARTITIONS_MAX]; // held
    int count;
    int has_news;
};

static void beat(int fd, const char *group, const char *topic, struct joining *m)
{
    uint8_t buffer[REQUEST_MAX];
    struct out out = { buffer, 0 };
    begin_request(&out, CONSUMER_GROUP_HEARTBEAT, 1);
    add_int(&out, 0, 1); // flexible header
    add_compact(&out, group);
    add_compact(&out, m->id);
    add_int(&out, m->epoch, 4);
    add_int(&out, 0, 1); // instance
    add_int(&out, 0, 1); // rack
    add_int(&out, m->epoch == 0 ? 60000 : -1, 4);
    add_int(&out, m->epoch == 0 ? 2 : 0, 1); // topics
    if (m->epoch == 0)
        add_compact(&out, topic);
    add_int(&out, 0, 1); // expression
    add_int(&out, 0, 1); // assignor
    if (m->epoch != 0 && !m->has_news) {
        add_int(&out, 0, 1);
    } else if (m->count == 0) {
        add_int(&out, 1, 1);
    } else {
        add_int(&out, 2, 1);
        memcpy(out.data + out.size, m->topic_id, 16);
        out.size += 16;
        add_uvarint(&out, (size_t)m->count + 1);
        for (int i = 0; i < m->count; i++)
            add_int(&out, m->partitions[i], 4);
        add_int(&out, 0, 1);
    }
    add_int(&out, 0, 1);
    end_request(&out);
    m->has_news = 0;
    if (write_all(fd, out.data, out.size) != 0)
        fail("join", "the connection closed");
}

static void take(int fd, struct joining *m)
{
    size_t size;
    const uint8_t *at = read_answer(fd, &size);
    if (at == NULL)
        fail("join", "the connection closed");
    at += FLEXIBLE_HEADER + 4;
    if (get_be16(at) != 0)
        fail_with("a heartbeat was answered with error", get_be16(at));
    at += 2;
    at += *at == 0 ? 1 : *at; // message
    at += *at == 0 ? 1 : *at; // member id
    m->epoch = (int)get_be32(at);
    at += 8;
    if (*at++ != 1)
        return;
    m->has_news = 1;
    m->count = 0;
    if (*at++ < 2)
        return;
    memcpy(m->topic_id, at, 16);
    at += 16;
    m->count = (int)take_uvarint(&at) - 1;
    if (m->count > PARTITIONS_MAX)
        fail("join", "more partitions than expected");
    for (int i = 0; i < m->count; i++, at += 4)
        m->partitions[i] = (int32_t)get_be32(at);
}

static int is_stable(const struct joining *members, int count, int partitions)
{
    int held = 0;
    for (int i = 0; i < count; i++) {
        held += members[i].count;
        if (members[i].epoch != members[0].epoch || members[i].has_news)
            return 0;
    }
    return held == partitions;
}

int run_join(const char *address, char **args)
{
    int count = (int)strtol(args[2], NULL, 10), partitions = (int)strtol(args[3], NULL, 10);
    struct joining *members = calloc((size_t)count, sizeof *members);
    int fd = try_connect(address);
    if (fd < 0)
        fail("connect", address);
    for (int i = 0; i < count; i++)
        snprintf(members[i].id, sizeof members[i].id, "member-%d", i);
    double begin = now_ms();
    int rounds = 0;
    do {
        if (++rounds > ROUNDS_MAX)
            fail("join", "the group does not become stable");
        for (int i = 0; i < count; i++)
            beat(fd, args[0], args[1], &members[i]);
        for (int i = 0; i < count; i++)
            take(fd, &members[i]);
    } while (!is_stable(members, count, partitions));
    printf("stable_ms=%.1f rounds=%d\n", now_ms() - begin, rounds);
    return 0;
}
