// SPDX-License-Identifier: Apache-2.0
// The seam between share partitions, share groups and the share coordinator: one call for one share partition. Today
// the coordinator behind it is this broker's own; a persister that sends the same calls to another broker's share
// coordinator (InitializeShareGroupState … ReadShareGroupStateSummary) can stand in its place.
//
//     share partition ── READ, WRITE ──────────────────┐
//     share group ── INITIALIZE, DELETE, SUMMARY ──────┼──> persister_call ──> share coordinator
//     the five APIs of the same names ── any ──────────┘
#ifndef SHARE_COORDINATOR_PERSISTER_H
#define SHARE_COORDINATOR_PERSISTER_H

#include "base/arena.h"
#include "base/completion.h"
#include "base/timers.h"
#include "base/uuid.h"
#include "coordinator/coordinator.h"
#include "share_coordinator/share_batches.h"

enum share_state_op {
    SHARE_STATE_INITIALIZE, // begin at start_offset, with state_epoch
    SHARE_STATE_READ,       // everything; leader_epoch fences older leaders
    SHARE_STATE_WRITE,      // start_offset, delivery_complete_count and batches
    SHARE_STATE_DELETE,
    SHARE_STATE_SUMMARY, // everything but the batches
};

// Owned by the caller until `completion` completes, which happens exactly once, perhaps within persister_call, never
// under a lock. The arena is used only within persister_call.
struct share_state_call {
    enum share_state_op op;
    struct str group;
    struct uuid topic_id;
    int32_t partition;
    int32_t state_epoch;  // in: INITIALIZE, WRITE (-1: any); out: READ, SUMMARY
    int32_t leader_epoch; // in: READ, WRITE (-1: any); out: SUMMARY
    int64_t start_offset; // in: INITIALIZE, WRITE (-1: unset, unchanged); out: READ, SUMMARY
    int32_t delivery_complete_count;   // in: WRITE; out: SUMMARY
    const struct share_batch *batches; // in: WRITE; out: READ, in the arena
    size_t batches_count;
    enum kafka_error error;
    struct str error_message; // static text, null without an error
    bool
        is_unavailable; // the error is the coordinator's own (not loaded, not here), not the call's
    struct arena *arena;
    struct completion completion;
    struct coordinator_wait _wait;
    struct persister_retry *_retry; // share_coordinator/persister_retry.h, and what follows
    int32_t _attempts;
    void (*_complete)(struct completion *completion);
    struct timer _timer;
    struct list _link;
};

struct persister {
    void (*call)(struct persister *persister, struct share_state_call *call);
};

// Starts the call. Safe from any thread that holds no lock of partitions or coordinators.
static inline void persister_call(struct persister *persister, struct share_state_call *call)
{
    persister->call(persister, call);
}

#endif
