// SPDX-License-Identifier: Apache-2.0
// Tested by share_coordinator/share_coordinator_test.c.
#include "share_coordinator/persister_retry.h"

#include <pthread.h>

#include "base/mem.h"

enum { ATTEMPTS_MAX = 10, FIRST_DELAY_MS = 50, LONGEST_DELAY_MS = 1000 };

struct persister_retry {
    struct persister persister;
    struct persister *inner;
    struct clock *clock;
    struct alarms *alarms;
    void (*on_missing)(void *owner);
    void *owner;
    pthread_mutex_t lock; // leaf
    struct timers timers;
    struct alarm alarm;
    struct list *ringing; // while timers run
    bool is_stopped;
};

static void attempt(struct persister_retry *retry, struct share_state_call *call);

static void on_timer(struct timer *timer)
{
    struct share_state_call *call = container_of(timer, struct share_state_call, _timer);
    list_append(call->_retry->ringing, &call->_link);
}

static void on_alarm(void *owner)
{
    struct persister_retry *retry = owner;
    struct list due, *link;
    list_init(&due);
    pthread_mutex_lock(&retry->lock);
    retry->ringing = &due;
    timers_run(&retry->timers, retry->is_stopped ? INT64_MAX : clock_monotonic_us(retry->clock));
    int64_t next = timers_next_us(&retry->timers);
    pthread_mutex_unlock(&retry->lock);
    alarm_set(retry->alarms, &retry->alarm, next);
    while ((link = list_pop(&due)) != NULL)
        attempt(retry, container_of(link, struct share_state_call, _link));
}

// False: it is answered as it is.
static bool try_again(struct persister_retry *retry, struct share_state_call *call)
{
    int64_t delay_ms = (int64_t)FIRST_DELAY_MS << (call->_attempts < 6 ? call->_attempts - 1 : 5);
    if (delay_ms > LONGEST_DELAY_MS)
        delay_ms = LONGEST_DELAY_MS;
    pthread_mutex_lock(&retry->lock);
    bool is_tried = !retry->is_stopped && call->_attempts < ATTEMPTS_MAX;
    if (is_tried)
        timer_set(&retry->timers, &call->_timer,
                  clock_monotonic_us(retry->clock) + delay_ms * 1000);
    int64_t next = timers_next_us(&retry->timers);
    pthread_mutex_unlock(&retry->lock);
    if (is_tried) // it may be over and gone by now
        alarm_set(retry->alarms, &retry->alarm, next);
    return is_tried;
}

static void on_answered(struct completion *completion)
{
    struct share_state_call *call = container_of(completion, struct share_state_call, completion);
    struct persister_retry *retry = call->_retry;
    bool is_lost = call->is_unavailable && (call->error == KERR_NOT_COORDINATOR ||
                                            call->error == KERR_COORDINATOR_NOT_AVAILABLE ||
                                            call->error == KERR_COORDINATOR_LOAD_IN_PROGRESS);
    if (is_lost && call->error == KERR_NOT_COORDINATOR && retry->on_missing != NULL)
        retry->on_missing(retry->owner);
    if (is_lost && try_again(retry, call))
        return;
    call->completion.complete = call->_complete;
    call->completion.complete(&call->completion);
}

static void attempt(struct persister_retry *retry, struct share_state_call *call)
{
    call->_attempts++;
    persister_call(retry->inner, call);
}

static void call_again(struct persister *persister, struct share_state_call *call)
{
    struct persister_retry *retry = container_of(persister, struct persister_retry, persister);
    call->_retry = retry;
    call->_attempts = 0;
    call->_complete = call->completion.complete;
    call->completion.complete = on_answered;
    timer_init(&call->_timer, on_timer);
    attempt(retry, call);
}

struct persister_retry *persister_retry_new(struct persister *inner, struct clock *clock,
                                            struct alarms *alarms, void (*on_missing)(void *owner),
                                            void *owner)
{
    struct persister_retry *retry = mem_new(struct persister_retry);
    *retry = (struct persister_retry){ .persister = { call_again },
                                       .inner = inner,
                                       .clock = clock,
                                       .alarms = alarms,
                                       .on_missing = on_missing,
                                       .owner = owner };
    pthread_mutex_init(&retry->lock, NULL);
    timers_init(&retry->timers);
    alarm_init(&retry->alarm, on_alarm, retry);
    return retry;
}

struct persister *persister_retry_persister(struct persister_retry *retry)
{
    return &retry->persister;
}

void persister_retry_stop(struct persister_retry *retry)
{
    pthread_mutex_lock(&retry->lock);
    retry->is_stopped = true;
    pthread_mutex_unlock(&retry->lock);
    on_alarm(retry);
}

void persister_retry_free(struct persister_retry *retry)
{
    if (retry == NULL)
        return;
    timers_fini(&retry->timers);
    pthread_mutex_destroy(&retry->lock);
    mem_free(retry);
}
