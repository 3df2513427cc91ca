// SPDX-License-Identifier: Apache-2.0
// A listening socket, watched by one reactor, whose connections go to all reactors by turns.
//
//     acceptor_open(&endpoint, &settings, …) ──> acceptor_start ──> accept4 … connection_adopt ──> acceptor_close
//
// It stops accepting while connection_limits say so (net/connection_limits.h), and for a moment when the process has no
// descriptor left.
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include "base/strbuf.h"
#include "net/connection.h"

struct acceptor;

struct acceptor_settings {
    int32_t backlog;             // socket.listen.backlog.size
    int32_t receive_buffer_size; // socket.receive.buffer.bytes; -1: the system's
};

// Binds and listens on endpoint->host and port; port 0 becomes the one that was bound. An empty host is every
// address, IPv6 included. NULL with `message` appended when that cannot be. The endpoint is borrowed.
struct acceptor *acceptor_open(struct endpoint *endpoint, const struct acceptor_settings *settings,
                               struct strbuf *message);
// Accepts from now on, on homes[0]'s reactor: before that starts or on its thread.
void acceptor_start(struct acceptor *acceptor, struct connections *homes, int home_count);
// A connection ended: accept again if that was missing. Any thread.
void acceptor_on_room(struct acceptor *acceptor);
// Stops accepting. On homes[0]'s thread, or when its reactor has stopped, or when it was never started.
void acceptor_close(struct acceptor *acceptor);
void acceptor_free(struct acceptor *acceptor); // closed, and its reactor has stopped; NULL is fine

#endif
