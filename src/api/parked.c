// SPDX-License-Identifier: Apache-2.0
// Tested by produce_test.c and fetch_test.c.
#include "api/parked.h"

#include "base/mem.h"
#include "base/must.h"

void parked_ref(struct parked *parked)
{
    atomic_fetch_add(&parked->_refs, 1);
}

void parked_unref(struct parked *parked)
{
    if (atomic_fetch_sub(&parked->_refs, 1) == 1)
        mem_free(parked);
}

// The counter that all waiters share tells whose they are.
static struct parked *waiter_owner(struct partition_waiter *waiter)
{
    return container_of(waiter->missing_bytes, struct parked, missing_bytes);
}

void parked_poke(struct parked *parked)
{
    if (!atomic_exchange(&parked->_posted, true))
        request_post(parked->request);
    parked_unref(parked);
}

bool parked_claim(struct parked *parked)
{
    return !atomic_exchange(&parked->_posted, true);
}

static void on_wake(struct partition_waiter *waiter)
{
    parked_poke(waiter_owner(waiter));
}

static void on_post(struct request *request)
{
    struct parked *parked = request->parked;
    must(atomic_load(&parked->_posted));
    parked->_look(request, parked->_is_expired ? PARKED_EXPIRED : PARKED_WOKEN);
}

static void expire(struct request *request)
{
    struct parked *parked = request->parked;
    parked->_is_expired = true;
    if (!atomic_exchange(&parked->_posted, true))
        parked->_look(request, PARKED_EXPIRED);
    // Else a post is on its way, and finds it expired.
}

static void on_timer(struct timer *timer)
{
    expire(container_of(timer, struct request, timer));
}

struct parked *parked_new(struct request *request, int32_t waiters_count, int64_t deadline_us,
                          void (*look)(struct request *request, enum parked_reason reason))
{
    struct parked *parked =
        mem_zalloc(sizeof *parked + (size_t)waiters_count * sizeof parked->waiters[0]);
    atomic_init(&parked->_refs, 1);
    atomic_init(&parked->_posted, true); // ours until it waits
    parked->request = request;
    parked->_look = look;
    parked->waiters_count = waiters_count;
    for (int32_t i = 0; i < waiters_count; i++) {
        parked->waiters[i].wake = on_wake;
        parked->waiters[i].missing_bytes = &parked->missing_bytes;
        list_init(&parked->waiters[i]._link);
    }
    request->parked = parked;
    request->on_post = on_post;
    request->on_gone = expire;
    request->timer.on_expired = on_timer;
    request_set_timer(request, deadline_us);
    return parked;
}

bool parked_wait(struct parked *parked)
{
    atomic_store(&parked->_posted, false);
    for (int32_t i = 0; i < parked->waiters_count; i++) {
        struct partition_waiter *waiter = &parked->waiters[i];
        if (waiter->partition == NULL)
            continue;
        atomic_fetch_add(&parked->_refs, 1);
        enum partition_wait_result result = partition_wait(waiter);
        if (result == PARTITION_WAITS)
            continue;
        atomic_fetch_sub(&parked->_refs, 1); // never the last: ours is there
        if (result == PARTITION_SATISFIED)
            return atomic_exchange(&parked->_posted,
                                   true); // true: a post is on its way, and that is as good
    }
    return true;
}

static void take_off(struct parked *parked, int32_t waiter)
{
    if (parked->waiters[waiter].partition != NULL && partition_unwait(&parked->waiters[waiter]))
        atomic_fetch_sub(&parked->_refs, 1);
}

void parked_drop(struct parked *parked, int32_t waiter)
{
    take_off(parked, waiter);
    parked->waiters[waiter].partition = NULL;
}

void parked_take_off(struct parked *parked)
{
    for (int32_t i = 0; i < parked->waiters_count; i++)
        take_off(parked, i);
}

void parked_end(struct parked *parked)
{
    must(atomic_load(&parked->_posted)); // (1): nobody posts it any more
    request_cancel_timer(parked->request);
    parked->request->parked = NULL;
    parked->request->on_gone = NULL;
    parked_take_off(parked);
    parked_unref(parked);
}
