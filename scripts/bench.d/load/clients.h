// SPDX-License-Identifier: Apache-2.0
// Many connections on one thread, each with DEPTH requests in flight: what a crowd of clients does, each of which waits for
// its answers. Measures how many requests are answered a second, and how long each took.
#ifndef LOAD_CLIENTS_H
#define LOAD_CLIENTS_H

#include "wire.h"

struct clients {
    int count; // connections
    int depth; // requests in flight on each; 0 counts as 1
    // The next request of a connection: written into `out`, or out->data pointed at one made before. False: it has none any
    // more, now; it is asked again after its next answer.
    bool (*next)(struct clients *clients, int connection, struct out *out);
    // An answer without its length, in the order of the requests; fail() when it is not as it should be.
    void (*check)(struct clients *clients, int connection, const uint8_t *answer, size_t size);
    void *arg;
    size_t request_size_max;
    bool unanswered; // acks=0: nothing is answered, so nothing is waited for
    double begin_ms; // filled: when the first request left, all being connected
};

struct clients_figures {
    double seconds;
    size_t requests;
    double p50_ms, p99_ms, p999_ms;
};

// Until no connection has another request, nor waits for an answer.
struct clients_figures clients_run(struct clients *clients, const char *address);

#endif
