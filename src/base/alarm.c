// SPDX-License-Identifier: Apache-2.0
// Tested by timers_test.c.
#include "base/alarm.h"

#include "base/list.h"
#include "base/must.h"

static void never_called(struct timer *timer)
{
    (void)timer;
    must(!"alarms are taken out by alarms_run");
}

void alarms_init(struct alarms *alarms, void (*on_earlier)(void *driver), void *driver)
{
    pthread_mutex_init(&alarms->_lock, NULL);
    timers_init(&alarms->_timers);
    alarms->_on_earlier = on_earlier;
    alarms->_driver = driver;
}

void alarms_fini(struct alarms *alarms)
{
    timers_fini(&alarms->_timers);
    pthread_mutex_destroy(&alarms->_lock);
}

void alarm_init(struct alarm *alarm, void (*ring)(void *owner), void *owner)
{
    timer_init(&alarm->_timer, never_called);
    alarm->_ring = ring;
    alarm->_owner = owner;
}

void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t deadline_us)
{
    pthread_mutex_lock(&alarms->_lock);
    int64_t before = timers_next_us(&alarms->_timers);
    if (deadline_us == INT64_MAX)
        timer_cancel(&alarms->_timers, &alarm->_timer);
    else
        timer_set(&alarms->_timers, &alarm->_timer, deadline_us);
    bool earlier = timers_next_us(&alarms->_timers) < before;
    pthread_mutex_unlock(&alarms->_lock);
    if (earlier && alarms->_on_earlier != NULL)
        alarms->_on_earlier(alarms->_driver);
}

int64_t alarms_next_us(struct alarms *alarms)
{
    pthread_mutex_lock(&alarms->_lock);
    int64_t next = timers_next_us(&alarms->_timers);
    pthread_mutex_unlock(&alarms->_lock);
    return next;
}

void alarms_run(struct alarms *alarms, int64_t now_us)
{
    for (;;) {
        struct alarm *due = NULL;
        pthread_mutex_lock(&alarms->_lock);
        if (timers_next_us(&alarms->_timers) <= now_us) {
            due = container_of(alarms->_timers._heap[0], struct alarm, _timer);
            timer_cancel(&alarms->_timers, &due->_timer);
        }
        pthread_mutex_unlock(&alarms->_lock);
        if (due == NULL)
            return;
        due->_ring(due->_owner);
    }
}
