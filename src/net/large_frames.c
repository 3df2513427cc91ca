// SPDX-License-Identifier: Apache-2.0
#include "net/large_frames.h"

#include "base/must.h"
#include "net/reactor.h"

enum { LARGE_SIZE = 64 << 10, QUIET_US = 1000000 };

static void wait_for_quiet(struct large_frames *frames)
{
    frames->_came = false;
    reactor_set_timer(frames->_reactor, &frames->_quiet_timer,
                      reactor_now_us(frames->_reactor) + QUIET_US);
}

static void on_quiet_timer(struct timer *timer)
{
    struct large_frames *frames = container_of(timer, struct large_frames, _quiet_timer);
    if (frames->_came)
        wait_for_quiet(frames);
    else
        frames->_give_back();
}

void large_frames_init(struct large_frames *frames, void (*give_back)(void))
{
    *frames = (struct large_frames){ ._give_back = give_back };
    timer_init(&frames->_quiet_timer, on_quiet_timer);
}

void large_frames_note(struct large_frames *frames, struct reactor *reactor, size_t size)
{
    if (size < LARGE_SIZE)
        return;
    frames->_came = true;
    frames->_reactor = reactor;
    if (!timer_is_set(&frames->_quiet_timer))
        wait_for_quiet(frames);
}
