// SPDX-License-Identifier: Apache-2.0
// Deadlines in a binary heap, for one owner (a reactor, a coordinator shard under its lock).
// Not thread-safe; nothing happens by itself: the owner asks timers_next_us and calls timers_run.
//
//     static void on_expired(struct timer *timer) { struct member *m = container_of(timer, …); … }
//     timer_init(&m->timer, on_expired);
//     timer_set(&shard->timers, &m->timer, now_us + 45000000);   // moves it if it was set
//     timer_cancel(&shard->timers, &m->timer);                   // fine when not set
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    void (*on_expired)(struct timer *timer);
    int64_t deadline_us;
    size_t _index; // place in the heap + 1; 0 = not set
};

struct timers {
    struct timer **_heap;
    size_t _capacity;
    size_t count;
};

void timers_init(struct timers *timers);
void timers_fini(struct timers *timers);
void timer_init(struct timer *timer, void (*on_expired)(struct timer *timer));
void timer_set(struct timers *timers, struct timer *timer, int64_t deadline_us);
void timer_cancel(struct timers *timers, struct timer *timer);
static inline bool timer_is_set(const struct timer *timer)
{
    return timer->_index != 0;
}
// The earliest deadline, INT64_MAX when none.
int64_t timers_next_us(const struct timers *timers);
// Takes out and calls every timer due at now_us, earliest first. A callback may set and cancel any
// timer; one that it sets for now or earlier waits for the next run.
void timers_run(struct timers *timers, int64_t now_us);

#endif
