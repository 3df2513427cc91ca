// SPDX-License-Identifier: Apache-2.0
// The share partitions of this broker: loads each when it is first asked for, and puts lock, log, time and persister
// around the state machine of share/share_partition.h. Overview of the folder:
//
//     share_manager      the share partitions in use; fetch, acknowledge, release, locks that end
//     share_sessions     which partitions a member fetches, and the epoch of its requests
//     share_partition    the decisions, without I/O (share_acquire, share_let_go)
//     in_flight          the records in flight
//     share_read         what is read of the log
//     share_start        where a group begins that has not begun
//
//        first use          READ of the persister
//     ───────────> LOADING ──────────────────────> ACTIVE ──> GONE: fenced, deleted, no member left
//                     └── failed: GONE, the error is told to who waits
//
// (1) A share partition has one lock, which is held while it reads and acquires, so what is read is what is acquired.
//     Order: share partition → partition → log. Nothing is held while the persister or a waiter is called.
// (2) Writes of one share partition reach the persister in the order in which they were decided.
// (3) What may give a waiting fetch its records counts up `changes` and calls those who wait: loaded, released, lock
//     ended, start moved, gone. New data is the partition's to tell (replica/partition.h).
// Safe from any thread.
#ifndef SHARE_SHARE_MANAGER_H
#define SHARE_SHARE_MANAGER_H

#include "base/alarm.h"
#include "base/completion.h"
#include "base/trace.h"
#include "replica/replicas.h"
#include "share/share_read.h"
#include "share/share_start.h"
#include "share_coordinator/persister.h"

struct share_manager;
struct shared_partition;

// The settings of a group at the moment.
struct share_settings {
    struct share_limits limits;
    bool is_read_committed;   // share.isolation.level
    struct share_start start; // share.auto.offset.reset
};

struct share_manager_options {
    struct persister *persister;
    struct replicas *replicas;
    struct clock *clock;
    struct alarms *alarms;
    struct trace *trace;
    void (*settings)(void *owner, struct str group, struct share_settings *out); // any thread
    void *owner;
};

struct share_manager *share_manager_new(const struct share_manager_options *options);
// No alarm rings and nobody calls any more.
void share_manager_free(struct share_manager *manager);
void share_manager_settings(struct share_manager *manager, struct str group,
                            struct share_settings *out);

// The share partition, which is loaded if it is new; counted. NULL with the error that its partition has here.
struct shared_partition *share_manager_get(struct share_manager *manager, struct str group,
                                           struct uuid topic_id, int32_t index,
                                           enum kafka_error *error);
// Only if it is in use; NULL otherwise.
struct shared_partition *share_manager_find(struct share_manager *manager, struct str group,
                                            struct uuid topic_id, int32_t index);
void shared_partition_unref(struct shared_partition *shared);                // NULL is fine
struct partition *shared_partition_replica(struct shared_partition *shared); // borrowed

// No member has a session with this broker any more: forgets the group's share partitions.
void share_manager_group_is_empty(struct share_manager *manager, struct str group);
// Share groups were switched off (share.version 0): forgets all.
void share_manager_switched_off(struct share_manager *manager);
// Forgets those of deleted topics.
void share_manager_topics_deleted(struct share_manager *manager, const struct uuid *ids,
                                  size_t count);

// ---- fetching ---------------------------------------------------------------------------------------

struct share_fetch_how {
    struct str member;
    const struct share_settings *settings;
    bool is_record_limit;
    int32_t batch_size;
    int32_t max_records;
    int32_t max_bytes;
    bool only_look;   // how much there would be; acquires nothing
    bool only_cached; // rather learn that it is cold than wait for the device
};

struct share_fetched {
    enum kafka_error error;
    bool was_read; // it was there to be read, even if it gave nothing
    bool is_gone;  // the share partition is not in use any more; without an error, get it anew
    bool is_moved; // its start was before the log's, and has moved: answer at once
    bool
        is_cold; // only_cached: nothing was acquired, share_read_load of what was wanted comes first
    int64_t offset, last_wanted;
    struct share_read data;              // its slice is the caller's to let go
    struct share_acquired_list acquired; // arena memory
    int64_t count;
    unsigned changes; // for shared_partition_wait
};

// Whether records may be had of it at all, for sharing out the bytes of a fetch.
bool shared_partition_can_acquire(struct shared_partition *shared,
                                  const struct share_settings *settings);
void shared_partition_fetch(struct shared_partition *shared, const struct share_fetch_how *how,
                            struct arena *arena, struct share_fetched *out);

struct share_waiter {
    void (*wake)(struct share_waiter *waiter); // any thread, no lock held; at most once
    struct list _link;
    bool _is_linked;
};
// Waits for the next change. False when there was one since `changes`: then it does not wait.
bool shared_partition_wait(struct shared_partition *shared, struct share_waiter *waiter,
                           unsigned changes);
// False: it does not wait, or is about to be woken.
bool shared_partition_unwait(struct shared_partition *shared, struct share_waiter *waiter);

// ---- acknowledging ----------------------------------------------------------------------------------

// Owned by the caller until it completes, perhaps at once, never under a lock.
struct share_result {
    struct completion completion;
    enum kafka_error error;
    const char *message; // static text, or NULL
};

void shared_partition_acknowledge(struct shared_partition *shared, struct str member,
                                  const struct share_acknowledgement *acknowledgements,
                                  size_t count, struct share_result *result);
// What the member has is given back. `result` may be NULL.
void shared_partition_release(struct shared_partition *shared, struct str member,
                              struct share_result *result);

#endif
