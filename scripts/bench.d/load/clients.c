// SPDX-License-Identifier: Apache-2.0
#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/bytes.h"

struct connection {
    int fd;
    uint8_t *answer;
    size_t got, capacity;
    double sent_ms;
};

struct delays {
    double *items;
    size_t count, capacity;
};

static void send_next(struct clients *clients, struct connection *all, int i, struct out *out,
                      int *busy)
{
    out->size = 0;
    if (!clients->next(clients, i, out)) {
        --*busy;
        return;
    }
    all[i].got = 0;
    all[i].sent_ms = now_ms();
    if (write_all(all[i].fd, out->data, out->size) != 0)
        fail("clients:", "the connection closed");
}

// Reads what is there; true when the answer is whole.
static bool read_some(struct connection *connection)
{
    size_t wanted =
        connection->got < 4 ? connection->capacity : 4 + (size_t)get_be32(connection->answer);
    if (wanted > connection->capacity) {
        connection->capacity = wanted;
        connection->answer = realloc(connection->answer, wanted);
    }
    ssize_t n = recv(connection->fd, connection->answer + connection->got,
                     wanted - connection->got, MSG_DONTWAIT);
    if (n <= 0 && !(n < 0 && errno == EAGAIN))
        fail("clients:", "the connection closed");
    connection->got += n > 0 ? (size_t)n : 0;
    return connection->got >= 4 && connection->got >= 4 + (size_t)get_be32(connection->answer);
}

static void note_delay(struct delays *delays, double ms)
{
    if (delays->count == delays->capacity) {
        delays->capacity = delays->capacity == 0 ? 4096 : 2 * delays->capacity;
        delays->items = realloc(delays->items, delays->capacity * sizeof *delays->items);
    }
    delays->items[delays->count++] = ms;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct clients_figures clients_run(struct clients *clients, const char *address)
{
    struct connection *all = calloc((size_t)clients->count, sizeof *all);
    struct out out = { malloc(clients->request_size_max), 0 };
    struct delays delays = { 0 };
    int epoll = epoll_create1(0), busy = clients->count;
    for (int i = 0; i < clients->count; i++) {
        all[i].fd = try_connect(address);
        if (all[i].fd < 0)
            fail("cannot connect to", address);
        all[i].capacity = 256;
        all[i].answer = malloc(all[i].capacity);
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd,
                  &(struct epoll_event){ .events = EPOLLIN, .data.u32 = (uint32_t)i });
    }
    double begin = now_ms();
    for (int i = 0; i < clients->count; i++)
        send_next(clients, all, i, &out, &busy);
    while (busy > 0) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, 60000);
        if (n == 0)
            fail("clients:", "no answer for a minute");
        for (int e = 0; e < n; e++) {
            int i = (int)events[e].data.u32;
            if (!read_some(&all[i]))
                continue;
            note_delay(&delays, now_ms() - all[i].sent_ms);
            clients->check(clients, i, all[i].answer + 4, all[i].got - 4);
            send_next(clients, all, i, &out, &busy);
        }
    }
    struct clients_figures figures = { (now_ms() - begin) / 1e3, delays.count, 0, 0 };
    if (delays.count > 0) {
        qsort(delays.items, delays.count, sizeof *delays.items, compare);
        figures.p50_ms = delays.items[delays.count / 2];
        figures.p99_ms = delays.items[delays.count * 99 / 100];
    }
    return figures;
}
