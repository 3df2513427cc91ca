// SPDX-License-Identifier: Apache-2.0
// Alarms: "call me at this time", set from any thread, rung on the one thread that drives the
// alarms (reactor 0 in the broker, the simulator's loop). For long-lived owners such as a
// coordinator shard, which keeps its own timers under its own lock and needs only to be woken at
// the earliest.
//
// The callback runs without the alarms' lock; it takes its owner's lock itself. An alarm is never
// freed while the broker runs (that is why setting and ringing cannot race with its end).
#ifndef BASE_ALARM_H
#define BASE_ALARM_H

#include <pthread.h>

#include "base/timers.h"

struct alarm {
    struct timer _timer;
    void (*_ring)(void *owner);
    void *_owner;
};

struct alarms {
    pthread_mutex_t _lock;
    struct timers _timers;
    void (*_on_earlier)(void *driver); // the earliest deadline moved forward: re-arm
    void *_driver;
};

void alarms_init(struct alarms *alarms, void (*on_earlier)(void *driver), void *driver);
void alarms_fini(struct alarms *alarms);
void alarm_init(struct alarm *alarm, void (*ring)(void *owner), void *owner);
void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t deadline_us); // INT64_MAX: unset
int64_t alarms_next_us(struct alarms *alarms);
void alarms_run(struct alarms *alarms, int64_t now_us); // by the driver only

#endif
