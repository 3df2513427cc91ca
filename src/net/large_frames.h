// SPDX-License-Identifier: Apache-2.0
// Memory of large requests: kept while they come, given back to the kernel a second or two after the last one. A
// reactor has one of these; it sets a timer only while there is something to give back.
#ifndef NET_LARGE_FRAMES_H
#define NET_LARGE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/timers.h"

struct reactor;

struct large_frames {
    struct reactor *_reactor;
    struct timer _quiet_timer;
    bool _came; // since the timer was set
    void (*_give_back)(void);
};

// `give_back` is called on the reactor's thread: mem_give_back.
void large_frames_init(struct large_frames *frames, void (*give_back)(void));
// A frame of `size` bytes was given memory of its own, on the reactor's thread.
void large_frames_note(struct large_frames *frames, struct reactor *reactor, size_t size);

#endif
