// SPDX-License-Identifier: Apache-2.0
// A partition on this broker, as its leader: appends, reads, what is committed, and who waits for either.
//
//     Produce ──> partition_append ──> log (log/log.h) ──> high watermark = the least end of the in-sync replicas
//                      │ waiters that this satisfies, into the caller's list
//                      └──> partition_wake, when the caller holds no lock and has made all its appends
//     Fetch   ──> partition_read ──> a slice of a file, up to log end, high watermark or last stable offset
//                      │ too few bytes
//                      └──> partition_wait, on each of its partitions
//
// (1) Role, epochs and in-sync replicas are under a rwlock that appends and reads share; only a change of metadata
//     takes it alone. The order is partition → log; a waiter's lock is a leaf.
// (2) The high watermark is kept by the log. It never goes back while this broker leads, and nobody but the leader's
//     appends and its followers' progress moves it. With one replica it is the log end after every append.
// (3) A waiter is linked or not under the waiters' lock. Whoever takes it off the list owns its one wake-up: either
//     an append or a change of role, which then calls `wake`, or partition_unwait, after which it is never called.
// (4) No wake-up is lost: an append moves the end and then looks for waiters, a waiter links itself and then looks at
//     the end, both in one total order.
// (5) Appending takes two uncontended locks and no memory. Reading takes one of each and none.
// (6) What flush.messages wants synced is neither committed nor acknowledged before it is (log_flush_limit): whoever
//     appended waits, no thread does.
#ifndef REPLICA_PARTITION_H
#define REPLICA_PARTITION_H

#include <pthread.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/disk.h"
#include "base/list.h"
#include "base/uuid.h"
#include "log/log.h"
#include "protocol/kafka_error.h"

struct partition;

// Told about the partitions of a topic that a module of this broker keeps its state in (replicas_observe). All may be
// NULL; none is called under a lock of partitions or replicas. on_high_watermark comes on any thread, also from within
// partition_append.
struct partition_observer {
    void (*on_leader)(struct partition_observer *observer, int32_t index, int32_t leader_epoch);
    void (*on_resigned)(struct partition_observer *observer, int32_t index,
                        int32_t leader_epoch); // -1: deleted
    void (*on_high_watermark)(struct partition_observer *observer, int32_t index,
                              int64_t high_watermark);
};

// Another replica's progress, as far as its fetches told.
struct partition_follower {
    int32_t id;
    bool is_in_sync;
    atomic_llong end_offset; // -1: it has not fetched since this broker leads
};

struct partition {
    uint32_t magic;
    atomic_int _refs;
    atomic_bool _is_gone; // deleted: look the topic up again
    struct str topic;
    struct uuid topic_id;
    int32_t index;
    bool is_internal;
    struct partition_observer *observer; // or NULL
    atomic_int min_insync_replicas;      // as configured

    pthread_rwlock_t _lock; // guards what follows down to the waiters
    struct log *log;        // NULL: none here, or its directory failed
    bool is_offline;        // its directory failed
    int32_t leader;         // -1: none
    int32_t leader_epoch;
    int32_t partition_epoch;
    int32_t local_id;
    int32_t replicas_count;
    int32_t isr_count;
    int64_t leader_epoch_start_offset;
    struct partition_follower *followers; // the assigned replicas but this one
    int32_t followers_count;

    pthread_mutex_t _waiters_lock;
    struct list _data_waiters;
    struct list _commit_waiters;
    atomic_int _waiters_count;
    atomic_uint _changes; // of role, epoch or log
    struct log_flush_wait _flush_wait;
    atomic_bool _awaits_flush; // _flush_wait is linked, and holds a reference
};

// A rwlock whose writer does not starve behind readers that follow each other without a gap. It must not be taken for
// reading twice by one thread.
void role_lock_init(pthread_rwlock_t *lock);

// ---- life, by replicas.c ------------------------------------------------------------------------------------

// A partition without a log and a role, with one reference. The name is copied.
struct partition *partition_new(struct str topic, struct uuid topic_id, int32_t index,
                                int32_t local_id, bool is_internal);
struct partition *partition_ref(struct partition *partition);
void partition_unref(struct partition *partition); // NULL is fine

// Waiters that a change satisfied, on their way to partition_wake.
struct partition_woken {
    struct list waiters;
};

// What the committed metadata say about a partition.
struct partition_state {
    int32_t leader;
    int32_t leader_epoch;
    int32_t partition_epoch;
    const int32_t *replicas;
    int32_t replicas_count;
    const int32_t *isr;
    int32_t isr_count;
};

enum partition_change {
    PARTITION_ELECTED = 1, // this broker leads, at a new epoch
    PARTITION_RESIGNED = 2,
    PARTITION_COMMITTED = 4, // the high watermark moved
};

// Takes over a new state; `log` is borrowed and stays until partition_close. Becoming leader, it notes where its
// epoch begins. Whoever waits is woken when leader or epoch changed. Returns what happened, for partition_tell.
unsigned partition_apply(struct partition *partition, struct log *log,
                         const struct partition_state *state, struct partition_woken *woken);
// Tells the observer, if there is one, once the partition can be found.
void partition_tell(struct partition *partition, unsigned changes);

enum partition_end {
    PARTITION_DELETED, // its topic is gone
    PARTITION_FAILED, // its directory failed, or its log could not be opened: KAFKA_STORAGE_ERROR from now on
    PARTITION_STOPPED, // the broker stops
};

// Puts another log, which holds the same, in the place of the partition's. `exchange` runs while nobody appends or
// reads: it gets the present log (never NULL) and returns a reference to the new one, or NULL to leave all as it is.
// Returns the old log's reference, or NULL.
struct log *partition_exchange_log(struct partition *partition,
                                   struct log *(*exchange)(void *arg, struct log *log), void *arg);
// A reference to its log, or NULL.
struct log *partition_log(struct partition *partition);

// No more appends and reads; wakes everybody. Returns the log, which nobody uses any more; may be NULL.
struct log *partition_close(struct partition *partition, enum partition_end end,
                            struct partition_woken *woken);

static inline bool partition_is_gone(struct partition *partition)
{
    return atomic_load_explicit(&partition->_is_gone, memory_order_acquire);
}

// ---- appending ----------------------------------------------------------------------------------------------

// Appends one batch as leader. acks is the producer's; -1 needs enough in-sync replicas. expected_leader_epoch -1: any.
// Errors: NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, FENCED_LEADER_EPOCH, NOT_ENOUGH_REPLICAS and those of
// log_append_leader, whose rules for `records`, `arena` and `result` hold.
enum kafka_error partition_append(struct partition *partition, struct bytes records, int16_t acks,
                                  int32_t expected_leader_epoch, enum log_append_origin origin,
                                  struct arena *arena, struct log_append_result *result,
                                  struct partition_woken *woken);

// The same for a batch of a transaction (log/log.h); partition_append requires no verification.
enum kafka_error partition_append_transactional(
    struct partition *partition, struct bytes records, int16_t acks, int32_t expected_leader_epoch,
    enum log_append_origin origin, const struct log_append_transaction *transaction,
    struct arena *arena, struct log_append_result *result, struct partition_woken *woken);
// log_begin_verification, when this broker leads.
enum kafka_error partition_begin_verification(struct partition *partition, int64_t producer_id,
                                              int16_t epoch, int32_t sequence, bool adds_partition,
                                              uint64_t *guard);

// Of what LOG_APPEND_GATHERED left in memory, `size_bytes` that end before `end_offset`: writes it, with whatever else
// is gathered, so that it shows and counts. NONE, KAFKA_STORAGE_ERROR, or NOT_LEADER_OR_FOLLOWER when the log is gone.
enum kafka_error partition_write_gathered(struct partition *partition, int64_t end_offset,
                                          int32_t size_bytes, struct partition_woken *woken);

// Whether everything before `offset`, as far as flush.messages wants it synced, is. NONE with *is_flushed,
// KAFKA_STORAGE_ERROR, or NOT_LEADER_OR_FOLLOWER when the log is gone.
enum kafka_error partition_check_flushed(struct partition *partition, int64_t offset,
                                         bool *is_flushed);
// Whether everything before `offset` is on all in-sync replicas. NONE with *is_committed, NOT_LEADER_OR_FOLLOWER, or
// NOT_ENOUGH_REPLICAS_AFTER_APPEND, or KAFKA_STORAGE_ERROR.
enum kafka_error partition_check_committed(struct partition *partition, int64_t offset,
                                           bool *is_committed);

// ---- reading ------------------------------------------------------------------------------------------------

enum partition_isolation {
    READ_UNCOMMITTED, // up to the high watermark
    READ_COMMITTED,   // up to the last stable offset
    READ_TO_LOG_END,  // followers, and the debugging consumer
};

struct partition_reader {
    int32_t replica_id; // a follower's, negative for consumers
    enum partition_isolation isolation;
    bool is_leader_required;
    bool only_cached; // rather learn that it is cold than wait for the device
};

struct partition_fetch {
    int64_t fetch_offset;
    int64_t log_start_offset;     // of a follower
    int32_t current_leader_epoch; // that the reader knows, -1: did not say
    int32_t last_fetched_epoch;   // of the record before fetch_offset, -1: did not say (KIP-595)
    int32_t max_bytes;
};

struct partition_read {
    enum kafka_error error;
    int64_t high_watermark; // -1 with an error
    int64_t last_stable_offset;
    int64_t log_start_offset;
    int32_t diverging_epoch; // -1: does not diverge
    int64_t diverging_end_offset;
    struct file_slice slice; // size 0: nothing there yet. A counted reference to the file
    int64_t end_offset;      // that the isolation let it see
    bool is_cold;            // only_cached: there may be more than the empty slice
    unsigned changes;        // for partition_wait
};

// Reads at most max_bytes, or a whole first batch if at_least_one_batch. Fills `out` in any case; with an error all
// its numbers are -1. `woken`: a follower's fetch tells its progress, which may commit what others wait for.
void partition_read(struct partition *partition, const struct partition_reader *reader,
                    const struct partition_fetch *fetch, int32_t max_bytes, bool at_least_one_batch,
                    struct partition_read *out, struct partition_woken *woken);
void partition_read_failed(struct partition_read *out, enum kafka_error error);

// ---- offsets ------------------------------------------------------------------------------------------------

enum partition_time_query {
    PARTITION_LATEST,
    PARTITION_EARLIEST,
    PARTITION_MAX_TIMESTAMP,
    PARTITION_AT_TIME,
    PARTITION_NOWHERE, // checks the reader, finds nothing
};

// ListOffsets. is_client: bound by what `isolation` lets a consumer see, OFFSET_NOT_AVAILABLE when a new leader does
// not know yet what is committed. Nothing found: NONE with offset -1.
enum kafka_error partition_offset_for_time(struct partition *partition,
                                           enum partition_time_query query, int64_t timestamp,
                                           bool is_client, enum partition_isolation isolation,
                                           int32_t current_leader_epoch, bool is_leader_required,
                                           struct log_timestamp_offset *out);

// OffsetForLeaderEpoch: the end of the largest epoch not above the asked one; -1 and -1 when unknown.
enum kafka_error partition_epoch_end_offset(struct partition *partition,
                                            int32_t current_leader_epoch, int32_t leader_epoch,
                                            struct log_epoch_end *out);

int64_t partition_high_watermark(struct partition *partition); // -1 without a log
int64_t partition_log_start_offset(struct partition *partition);
int64_t partition_log_end_offset(struct partition *partition);
// Whole batches into memory, see log_read_batches; -EAGAIN when this broker does not lead.
int64_t partition_read_batches(struct partition *partition, int64_t offset, int32_t max_bytes,
                               uint8_t **buffer, size_t *capacity);
// Transactions aborted in [offset, end_offset), arena memory.
enum kafka_error partition_aborted_transactions(struct partition *partition, int64_t offset,
                                                int64_t end_offset, struct arena *arena,
                                                struct log_aborted_transaction **out,
                                                size_t *count);
// The producers that it remembers, arena memory; NOT_LEADER_OR_FOLLOWER without a log, KAFKA_STORAGE_ERROR offline.
enum kafka_error partition_producers(struct partition *partition, struct arena *arena,
                                     struct log_producer **out, size_t *count);
// Who leads, for replies that name it.
void partition_leader(struct partition *partition, int32_t *leader, int32_t *leader_epoch);

// ---- deleting (partition_delete.c) ---------------------------------------------------------------------------

// DeleteRecords: the log starts at `offset`, -1: at the high watermark; never before where it starts already.
// *low_watermark: where it starts now, -1 with an error. NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, POLICY_VIOLATION
// (cleanup.policy=compact), OFFSET_OUT_OF_RANGE (negative, or above the high watermark).
enum kafka_error partition_delete_records(struct partition *partition, int64_t offset,
                                          int64_t *low_watermark);

// ---- waiting ------------------------------------------------------------------------------------------------

enum partition_wait {
    PARTITION_WAIT_FOR_DATA,
    PARTITION_WAIT_FOR_COMMIT,
    PARTITION_WAIT_FOR_FLUSH,
};

// One wish, for one wake-up. Embedded in something counted: the owner holds a reference for a waiter that waits, which
// passes to `wake`, unless partition_unwait gives it back.
struct partition_waiter {
    struct partition *partition; // borrowed
    enum partition_wait kind;
    enum partition_isolation isolation; // of a reader
    int64_t
        offset; // DATA: the end that it has seen. COMMIT, FLUSH: what is to be committed, or synced, before it
    unsigned changes; // DATA: from partition_read. Others: from partition_changes
    // DATA: bytes that are still missing on all partitions of the fetch; shared by its waiters. One is woken when it
    // falls to 0. NULL: by anything new.
    atomic_llong *missing_bytes;
    void (*wake)(
        struct partition_waiter *waiter); // any thread, no lock held; may wait again from within
    struct list _link;
    atomic_int _state;
};

enum partition_wait_result {
    PARTITION_WAITS,       // from now on
    PARTITION_WAITS_STILL, // since an earlier call, or its wake-up is on the way
    PARTITION_SATISFIED,   // does not wait: what it waits for is there
};

// By the owner only.
enum partition_wait_result partition_wait(struct partition_waiter *waiter);
// Takes it off. False: it does not wait, or `wake` is about to be called.
bool partition_unwait(struct partition_waiter *waiter);
unsigned partition_changes(struct partition *partition);

static inline void partition_woken_init(struct partition_woken *woken)
{
    list_init(&woken->waiters);
}
// Calls `wake` of each, once. The caller holds no lock.
void partition_wake(struct partition_woken *woken);

#endif
