// SPDX-License-Identifier: Apache-2.0
// An event loop with a thread of its own: sockets that are ready, timers that are due, messages of other threads.
// There is one per core; a connection lives on one for its whole life. libevent is seen in reactor.c only.
//
//     struct reactor *reactor = reactor_new(index, clock, &error);
//     reactor_start(reactor);
//     reactor_post(reactor, &thing->message);             // any thread
//     …
//     reactor_stop(reactor); reactor_free(reactor);
//
// (1) Everything but reactor_post, reactor_is_current and start/stop is called on the reactor's thread, or before it
//     starts, or after it has stopped.
// (2) With nothing to do it sleeps without a timeout: zero wake-ups. The kernel's timer is re-armed only when the
//     earliest deadline moves forward, or has passed.
// (3) Each callback (a socket, the timers, a batch of messages) is followed by what it asked to be done after it
//     (reactor_after): several replies to one connection become one write.
#ifndef NET_REACTOR_H
#define NET_REACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/timers.h"
#include "net/mailbox.h"

enum { REACTOR_READ_SIZE = 65536, REACTOR_GATHER_SIZE = 65536 };

struct reactor;

// A descriptor that a reactor watches; embedded in its owner.
struct watch {
    int fd; // -1 when closed
    void (*on_ready)(struct watch *watch, bool readable, bool writable);
    bool wants_read;
    bool wants_write;
    struct reactor *_reactor;
    void *_event;
};

// NULL and *error (-errno) when the machine lacks descriptors. `index` names the thread.
struct reactor *reactor_new(int index, struct clock *clock, int *error);
void reactor_free(struct reactor *reactor);
int reactor_start(struct reactor *reactor); // 0 or -errno
void reactor_stop(struct reactor *reactor); // ends the loop and waits for its thread
// Runs the loop in the calling thread until `deadline_us` at the latest; for tests. Returns after one turn.
void reactor_turn(struct reactor *reactor, int64_t deadline_us);

void reactor_post(struct reactor *reactor, struct message *message);
bool reactor_is_current(const struct reactor *reactor); // is this its thread?
int64_t reactor_now_us(struct reactor *reactor);

// After the callback that is running now; once however often it is asked for.
struct reactor_after {
    struct list _link;
    void (*run)(struct reactor_after *after);
};
void reactor_after_init(struct reactor_after *after, void (*run)(struct reactor_after *after));
void reactor_after(struct reactor *reactor, struct reactor_after *after);
void reactor_after_cancel(struct reactor_after *after);

void reactor_set_timer(struct reactor *reactor, struct timer *timer, int64_t deadline_us);
void reactor_cancel_timer(struct reactor *reactor, struct timer *timer);

// Takes over the descriptor, which must not block.
void watch_open(struct watch *watch, struct reactor *reactor, int fd,
                void (*on_ready)(struct watch *watch, bool readable, bool writable));
void watch_want(struct watch *watch, bool read, bool write);
void watch_close(struct watch *watch); // fine when closed

// The block into which sockets are read: empty, REACTOR_READ_SIZE of capacity. Whoever needs a frame in it keeps a
// reference; the block is used again when nobody does.
struct buf *reactor_read_block(struct reactor *reactor);
// REACTOR_GATHER_SIZE bytes for the time of one callback.
uint8_t *reactor_gather_block(struct reactor *reactor);
// Objects of one size that wait for reuse; the reactor frees them at its end.
struct list *reactor_free_list(struct reactor *reactor);

#endif
