// SPDX-License-Identifier: Apache-2.0
// A request that waits for partitions: a Fetch for bytes, a Produce for its commit. It is looked at again on its own
// reactor, when a partition woke it, its time is up, or its client has gone.
//
//     reactor                                  a thread that appends
//     parked_new
//     parked_wait: partition_wait on each ──>  takes a waiter off, unlocks, wake: the first one posts the request
//     … look(request, PARKED_WOKEN)       <──  (on its reactor)
//         parked_wait again, or parked_end and reply
//
// (1) While the request waits, `posted` says whether a post is on its way. Whoever turns it from false to true may
//     touch the request: a waker to post it, the reactor (timer, client gone) to end it. So a request is posted once
//     however many partitions wake it, and never after it has ended.
// (2) The object outlives the request: each linked waiter holds a reference, which its waker drops after looking at
//     `posted`. One allocation for each time that a request waits.
// (3) All but the wakers' part runs on the request's reactor.
#ifndef API_PARKED_H
#define API_PARKED_H

#include "api/request.h"
#include "replica/partition.h"

enum parked_reason {
    PARKED_WOKEN,
    PARKED_EXPIRED, // or its client has gone: end it
};

struct parked {
    atomic_int _refs;
    atomic_bool _posted;
    bool _is_expired;
    struct request *request;
    void (*_look)(struct request *request, enum parked_reason reason);
    atomic_llong missing_bytes; // for waiters of a Fetch
    int32_t waiters_count;
    struct partition_waiter waiters[];
};

// For a request, until deadline_us (monotonic). The caller fills the waiters (partition, kind, offset, …) before
// parked_wait. Uses the request's timer, on_post and on_gone, and keeps itself in request->parked.
struct parked *parked_new(struct request *request, int32_t waiters_count, int64_t deadline_us,
                          void (*look)(struct request *request, enum parked_reason reason));
// Waits for the waiters that have a partition. False: one of them is satisfied already; then nothing will be
// posted, and the caller looks again itself (and may call parked_wait again or end).
bool parked_wait(struct parked *parked);
// No waiter is linked any more, so that their fields may be set anew before parked_wait.
void parked_take_off(struct parked *parked);
// For other things that may wake it: each that is set on it holds a reference, which parked_poke gives back after
// posting the request, if it still waits; or parked_unref, when it was taken off.
void parked_ref(struct parked *parked);
void parked_unref(struct parked *parked);
void parked_poke(struct parked *parked); // any thread
// After parked_wait said true: ends the wait. False: a post is on its way, and that is as good.
bool parked_claim(struct parked *parked);
// One waiter has what it waited for; the others go on.
void parked_drop(struct parked *parked, int32_t waiter);
// In `look`, or after parked_wait said false: takes all waiters off, cancels the timer. The object may be gone.
void parked_end(struct parked *parked);

#endif
