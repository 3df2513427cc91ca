// SPDX-License-Identifier: Apache-2.0
#include "base/timers.h"

#include "base/mem.h"
#include "base/must.h"

void timers_init(struct timers *timers)
{
    *timers = (struct timers){ 0 };
}

void timers_fini(struct timers *timers)
{
    mem_free(timers->_heap);
    timers_init(timers);
}

void timer_init(struct timer *timer, void (*on_expired)(struct timer *timer))
{
    *timer = (struct timer){ .on_expired = on_expired };
}

static void place(struct timers *timers, size_t at, struct timer *timer)
{
    timers->_heap[at] = timer;
    timer->_index = at + 1;
}

static void sift_up(struct timers *timers, size_t at, struct timer *timer)
{
    while (at > 0 && timers->_heap[(at - 1) / 2]->deadline_us > timer->deadline_us) {
        place(timers, at, timers->_heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(timers, at, timer);
}

static void sift_down(struct timers *timers, size_t at, struct timer *timer)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count &&
            timers->_heap[child + 1]->deadline_us < timers->_heap[child]->deadline_us)
            child++;
        if (timers->_heap[child]->deadline_us >= timer->deadline_us)
            break;
        place(timers, at, timers->_heap[child]);
        at = child;
    }
    place(timers, at, timer);
}

void timer_set(struct timers *timers, struct timer *timer, int64_t deadline_us)
{
    if (timer->_index == 0) {
        vec_reserve(timers->_heap, timers->count + 1, timers->_capacity);
        timer->deadline_us = deadline_us;
        sift_up(timers, timers->count++, timer);
        return;
    }
    size_t at = timer->_index - 1;
    bool earlier = deadline_us < timer->deadline_us;
    timer->deadline_us = deadline_us;
    if (earlier)
        sift_up(timers, at, timer);
    else
        sift_down(timers, at, timer);
}

void timer_cancel(struct timers *timers, struct timer *timer)
{
    if (timer->_index == 0)
        return;
    size_t at = timer->_index - 1;
    must(at < timers->count && timers->_heap[at] == timer);
    timer->_index = 0;
    struct timer *last = timers->_heap[--timers->count];
    if (last == timer)
        return;
    if (at > 0 && timers->_heap[(at - 1) / 2]->deadline_us > last->deadline_us)
        sift_up(timers, at, last);
    else
        sift_down(timers, at, last);
}

int64_t timers_next_us(const struct timers *timers)
{
    return timers->count == 0 ? INT64_MAX : timers->_heap[0]->deadline_us;
}

void timers_run(struct timers *timers, int64_t now_us)
{
    // Bounded by what was there at the start, so that a timer set for "now" in a callback waits a
    // turn.
    for (size_t left = timers->count; left > 0 && timers_next_us(timers) <= now_us; left--) {
        struct timer *timer = timers->_heap[0];
        timer_cancel(timers, timer);
        timer->on_expired(timer);
    }
}
