// SPDX-License-Identifier: Apache-2.0
#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/bytes.h"

enum { READ_SIZE = 16384 };

struct connection {
    int fd;
    uint8_t *data; // what came, from the begin of an answer on
    size_t size, capacity;
    double *sent_ms; // a ring of `depth`, of those in flight
    int oldest, in_flight;
};

struct delays {
    double *items;
    size_t count, capacity;
};

struct run {
    struct clients *clients;
    struct connection *all;
    struct out out;
    uint8_t *buffer; // where requests are written that were not made before
    struct delays delays;
    int busy;        // connections that wait for something
    size_t requests; // sent
};

void allow_connections(size_t count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t wanted = (rlim_t)count + 64;
    if (limit.rlim_cur >= wanted)
        return;
    if (limit.rlim_max < wanted)
        limit.rlim_max = wanted; // root may, if anybody
    limit.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("so many descriptors are not allowed,", "see ulimit -n");
}

static void send_what_fits(struct run *run, int i)
{
    struct clients *clients = run->clients;
    struct connection *connection = &run->all[i];
    while (connection->in_flight < clients->depth) {
        run->out = (struct out){ run->buffer, 0 };
        if (!clients->next(clients, i, &run->out))
            return;
        connection->sent_ms[(connection->oldest + connection->in_flight) % clients->depth] = now_ms();
        if (write_all(connection->fd, run->out.data, run->out.size) != 0)
            fail("clients:", "the connection closed");
        run->requests++;
        if (clients->unanswered)
            continue;
        if (connection->in_flight++ == 0)
            run->busy++;
    }
}

static void note_delay(struct delays *delays, double ms)
{
    if (delays->count == delays->capacity) {
        delays->capacity = delays->capacity == 0 ? 4096 : 2 * delays->capacity;
        delays->items = realloc(delays->items, delays->capacity * sizeof *delays->items);
    }
    delays->items[delays->count++] = ms;
}

static void take_answer(struct run *run, int i, const uint8_t *answer, size_t size)
{
    struct connection *connection = &run->all[i];
    if (connection->in_flight == 0)
        fail("clients:", "an answer to nothing");
    note_delay(&run->delays, now_ms() - connection->sent_ms[connection->oldest]);
    connection->oldest = (connection->oldest + 1) % run->clients->depth;
    if (--connection->in_flight == 0)
        run->busy--;
    run->clients->check(run->clients, i, answer, size);
}

// Reads once, and takes the answers that are whole.
static void read_some(struct run *run, int i)
{
    struct connection *connection = &run->all[i];
    size_t wanted = connection->size < 4 ? 0 : 4 + (size_t)get_be32(connection->data);
    wanted = (wanted > connection->size ? wanted : connection->size) + READ_SIZE;
    if (wanted > connection->capacity) {
        connection->capacity = wanted;
        connection->data = realloc(connection->data, wanted);
    }
    ssize_t n = recv(connection->fd, connection->data + connection->size, connection->capacity - connection->size, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        fail("clients:", "the connection closed");
    connection->size += (size_t)n;
    size_t at = 0;
    while (connection->size - at >= 4 && connection->size - at - 4 >= get_be32(connection->data + at)) {
        size_t size = get_be32(connection->data + at);
        take_answer(run, i, connection->data + at + 4, size);
        at += 4 + size;
    }
    connection->size -= at;
    memmove(connection->data, connection->data + at, connection->size);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct clients_figures sum_up(struct run *run)
{
    struct delays *delays = &run->delays;
    struct clients_figures figures = { .seconds = (now_ms() - run->clients->begin_ms) / 1e3, .requests = run->requests };
    if (delays->count > 0) {
        qsort(delays->items, delays->count, sizeof *delays->items, compare);
        figures.p50_ms = delays->items[delays->count / 2];
        figures.p99_ms = delays->items[delays->count * 99 / 100];
        figures.p999_ms = delays->items[delays->count * 999 / 1000];
    }
    return figures;
}

struct clients_figures clients_run(struct clients *clients, const char *address)
{
    struct run run = { .clients = clients,
                       .all = calloc((size_t)clients->count, sizeof *run.all),
                       .buffer = malloc(clients->request_size_max) };
    int epoll = epoll_create1(0);
    clients->depth = clients->depth > 0 ? clients->depth : 1;
    allow_connections((size_t)clients->count);
    for (int i = 0; i < clients->count; i++) {
        run.all[i].fd = try_connect(address);
        if (run.all[i].fd < 0)
            fail("cannot connect to", address);
        run.all[i].sent_ms = calloc((size_t)clients->depth, sizeof *run.all[i].sent_ms);
        epoll_ctl(epoll, EPOLL_CTL_ADD, run.all[i].fd,
                  &(struct epoll_event){ .events = EPOLLIN, .data.u32 = (uint32_t)i });
    }
    clients->begin_ms = now_ms();
    for (int i = 0; i < clients->count; i++)
        send_what_fits(&run, i);
    while (run.busy > 0) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, 60000);
        if (n == 0)
            fail("clients:", "no answer for a minute");
        for (int e = 0; e < n; e++) {
            int i = (int)events[e].data.u32;
            read_some(&run, i);
            send_what_fits(&run, i);
        }
    }
    return sum_up(&run);
}
