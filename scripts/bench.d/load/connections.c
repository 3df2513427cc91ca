// SPDX-License-Identifier: Apache-2.0
// connections HOST:PORT COUNT INTERVAL_MS SECONDS: so many connections, each of which has been answered once. Then a line
// "connected=COUNT". With INTERVAL_MS 0 they stay as they are until standard input ends. Else each asks for the brokers
// (Metadata without topics) once an interval, at times spread evenly, whether or not it was answered before (open loop: a
// delay counts from when its request was due), and figures follow.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire.h"

enum { ANSWER_MAX = 4096, GIVE_UP_MS = 10000 };

struct chatter {
    int *sockets;
    size_t count, sent, total, answered;
    double begin_ms, interval_ms;
    double *delays;
    size_t *turns; // answers that a connection had
    int epoll;
};

static struct out ask(void)
{
    static uint8_t bytes[64];
    struct out out = { bytes, 0 };
    begin_request(&out, METADATA, 1);
    add_int(&out, 0, 4);
    end_request(&out);
    return out;
}

// Request n is of connection n mod count.
static double due_ms(const struct chatter *chatter, size_t n)
{
    return chatter->begin_ms + (double)n * chatter->interval_ms / (double)chatter->count;
}

// Answers are short: one read has all that are there, and each is whole unless the kernel cut it.
static void take_answers(struct chatter *chatter, size_t i)
{
    uint8_t bytes[ANSWER_MAX];
    ssize_t size = recv(chatter->sockets[i], bytes, sizeof bytes, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size < 4)
        fail("connections:", "a connection closed");
    for (size_t at = 0; at < (size_t)size; chatter->answered++) {
        at += 4 + get_be32(bytes + at);
        if (at > (size_t)size && read_all(chatter->sockets[i], bytes, at - (size_t)size) != 0)
            fail("connections:", "a connection closed");
        chatter->delays[chatter->answered] = now_ms() - due_ms(chatter, i + chatter->count * chatter->turns[i]++);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void talk(struct chatter *chatter)
{
    struct out request = ask();
    struct epoll_event events[256];
    chatter->begin_ms = now_ms();
    double give_up_ms = due_ms(chatter, chatter->total) + GIVE_UP_MS;
    while (chatter->answered < chatter->total) {
        for (; chatter->sent < chatter->total && due_ms(chatter, chatter->sent) <= now_ms(); chatter->sent++)
            if (write_all(chatter->sockets[chatter->sent % chatter->count], request.data, request.size) != 0)
                fail("connections:", "a connection closed");
        if (now_ms() > give_up_ms)
            fail("connections:", "answers did not come in time");
        int n = epoll_wait(chatter->epoll, events, 256, 1);
        for (int e = 0; e < n; e++)
            take_answers(chatter, events[e].data.u64);
    }
    qsort(chatter->delays, chatter->answered, sizeof *chatter->delays, compare);
    printf("requests=%zu requests_per_second=%.0f p50_ms=%.3f p99_ms=%.3f p999_ms=%.3f\n", chatter->answered,
           (double)chatter->answered / (now_ms() - chatter->begin_ms) * 1e3, chatter->delays[chatter->answered / 2],
           chatter->delays[chatter->answered * 99 / 100], chatter->delays[chatter->answered * 999 / 1000]);
}

int run_connections(const char *address, char **args)
{
    struct chatter chatter = { .count = strtoul(args[0], NULL, 10), .interval_ms = strtod(args[1], NULL) };
    struct out request = ask();
    allow_connections(chatter.count);
    chatter.epoll = epoll_create1(0);
    chatter.sockets = calloc(chatter.count, sizeof *chatter.sockets);
    chatter.turns = calloc(chatter.count, sizeof *chatter.turns);
    for (size_t i = 0; i < chatter.count; i++) {
        chatter.sockets[i] = try_connect(address);
        if (chatter.sockets[i] < 0)
            fail("connections: cannot connect to", address);
        if (get_be32(call(chatter.sockets[i], &request) + 4) == 0)
            fail("connections:", "an answer that names no broker");
        epoll_ctl(chatter.epoll, EPOLL_CTL_ADD, chatter.sockets[i], &(struct epoll_event){ .events = EPOLLIN, .data.u64 = i });
    }
    printf("connected=%zu\n", chatter.count);
    fflush(stdout);
    char byte;
    if (chatter.interval_ms <= 0) {
        while (read(STDIN_FILENO, &byte, 1) > 0)
            ;
        return 0;
    }
    chatter.total = (size_t)(strtod(args[2], NULL) * 1e3 / chatter.interval_ms * (double)chatter.count);
    chatter.delays = calloc(chatter.total + 1, sizeof *chatter.delays);
    talk(&chatter);
    return 0;
}
