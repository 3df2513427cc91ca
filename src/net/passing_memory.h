// SPDX-License-Identifier: Apache-2.0
// Memory of requests and connections, which come and go by the megabyte: kept for the next ones while they
// come, given back to the kernel a second or two after. A reactor has one of these; its timer runs only
// while there may be something to give back.
#ifndef NET_PASSING_MEMORY_H
#define NET_PASSING_MEMORY_H

#include <stddef.h>

#include "base/timers.h"

struct reactor;

struct passing_memory {
    struct timer _quiet_timer;
    struct reactor *_reactor;
    size_t _bytes;  // since memory was given back
    size_t _recent; // since the timer was set
    void (*_give_back)(void);
};

// `give_back` is called on the reactor's thread: mem_give_back.
void passing_memory_init(struct passing_memory *memory, void (*give_back)(void));
// `size` bytes come or go, on the reactor's thread.
void passing_memory_note(struct passing_memory *memory, struct reactor *reactor, size_t size);

#endif
