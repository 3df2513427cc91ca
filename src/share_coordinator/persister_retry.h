// SPDX-License-Identifier: Apache-2.0
// A persister in front of another: what the coordinator could not take (its topic is not there yet, its shard is being
// loaded) is tried again, a few times, each later than the one before, as a broker does that asks another one.
//
//     call ──> inner ── answered ─────────────────────────> completion
//                └── unavailable ── 50 ms, 100 ms, … ──┐
//                    on_missing: the topic may have to   └──> inner again, up to 10 times
//                    be made
#ifndef SHARE_COORDINATOR_PERSISTER_RETRY_H
#define SHARE_COORDINATOR_PERSISTER_RETRY_H

#include "base/alarm.h"
#include "base/clock.h"
#include "share_coordinator/persister.h"

struct persister_retry;

// `on_missing` may be NULL; called without a lock, from any thread.
struct persister_retry *persister_retry_new(struct persister *inner, struct clock *clock,
                                            struct alarms *alarms, void (*on_missing)(void *owner),
                                            void *owner);
struct persister *persister_retry_persister(struct persister_retry *retry);
// From now on nothing is tried again; what waits is answered with its error.
void persister_retry_stop(struct persister_retry *retry);
void persister_retry_free(struct persister_retry *retry);

#endif
