// SPDX-License-Identifier: Apache-2.0
// Many connections on one thread, each with one request in flight: what a crowd of clients does, each of which waits for
// its answer. Measures how many requests are answered a second, and how long each took.
#ifndef LOAD_CLIENTS_H
#define LOAD_CLIENTS_H

#include "wire.h"

struct clients {
    int count; // connections
    // The next request of a connection into `out`; false: it has none any more.
    bool (*next)(struct clients *clients, int connection, struct out *out);
    // An answer without its length; fail() when it is not as it should be.
    void (*check)(struct clients *clients, int connection, const uint8_t *answer, size_t size);
    void *arg;
    size_t request_size_max;
};

struct clients_figures {
    double seconds;
    size_t requests;
    double p50_ms, p99_ms;
};

// Until no connection has another request.
struct clients_figures clients_run(struct clients *clients, const char *address);

#endif
