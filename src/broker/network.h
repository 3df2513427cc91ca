// SPDX-License-Identifier: Apache-2.0
// The net side of a broker: its reactors, its listeners and what they share, made from the configuration.
//
//     network_open (binds; ports are known) ─> network_start (threads run, timers and messages work)
//         ─> network_accept (clients get in) ─> network_refuse ─> network_close
//
// A reactor does what Kafka's network and I/O threads do: there are as many as cores, but no more than
// num.network.threads + num.io.threads.
#ifndef BROKER_NETWORK_H
#define BROKER_NETWORK_H

#include "config/listeners.h"
#include "net/connection.h"

struct network;

struct network_options {
    const struct config *config;
    struct clock *clock;
    struct trace *trace;
    struct connection_handler handler;
    const struct listeners *listeners; // borrowed
    struct workers *loaders;           // borrowed; may be NULL (net/connection.h)
};

int network_reactor_count(const struct config *config);

// NULL with `message` appended.
struct network *network_open(const struct network_options *options, struct strbuf *message);
// The port that listeners->items[index] is bound to.
int network_port(const struct network *network, size_t index);
struct reactor *network_reactor(struct network *network, int index);
int network_start(struct network *network); // 0 or -errno
void network_accept(struct network *network);
// No new connections; waits until that is so.
void network_refuse(struct network *network);
// Closes every connection and stops the reactors. Whoever answers requests must still do so: it waits for them, for
// `patience_ms` at most. False when some were never answered; then the memory is left to the end of the process.
bool network_close(struct network *network, int patience_ms);
// max.connections, max.connections.per.ip, its overrides or max.connection.creation.rate changed.
void network_update_limits(struct network *network);

#endif
