// SPDX-License-Identifier: Apache-2.0
// A listening socket, watched by one reactor, whose connections go to all reactors by turns.
//
//     listener_open(&endpoint, &settings, …) ──> listener_start ──> accept4 … connection_adopt ──> listener_close
//
// It stops accepting while connection_limits say so (net/connection_limits.h), and for a moment when the process has no
// descriptor left.
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/strbuf.h"
#include "net/connection.h"

struct listener;

struct listener_settings {
    int32_t backlog;             // socket.listen.backlog.size
    int32_t receive_buffer_size; // socket.receive.buffer.bytes; -1: the system's
};

// Binds and listens on endpoint->host and port; port 0 becomes the one that was bound. An empty host is every
// address, IPv6 included. NULL with `message` appended when that cannot be. The endpoint is borrowed.
struct listener *listener_open(struct endpoint *endpoint, const struct listener_settings *settings,
                               struct strbuf *message);
// Accepts from now on, on homes[0]'s reactor: before that starts or on its thread.
void listener_start(struct listener *listener, struct connections *homes, int home_count);
// A connection ended: accept again if that was missing. Any thread.
void listener_on_room(struct listener *listener);
// Stops accepting. On homes[0]'s thread, or when its reactor has stopped, or when it was never started.
void listener_close(struct listener *listener);
void listener_free(struct listener *listener); // closed, and its reactor has stopped; NULL is fine

#endif
