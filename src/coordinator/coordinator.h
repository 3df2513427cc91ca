// SPDX-License-Identifier: Apache-2.0
// The engine under group (and later transaction) state. A coordinator owns an internal topic; each partition
// of it is a shard: a state object that is nothing but the replay of that partition's log.
//
//     client ──> coordinator_enter ──> evaluate (the caller's code: reads the state, adds records)
//                                        │ coordinator_append: one batch, all records or none
//                                        v
//                                      the partition's log ──> replay(key, value) into the state
//                                        │
//                coordinator_await_commit: `on_committed` once the high watermark has passed the batch
//                coordinator_exit: unlocks, then runs the completions that were collected
//
//     A shard's life:
//
//        ABSENT ──elected──> LOADING ──load──> ACTIVE
//          ^                    │ │ fail          │
//          │                    │ └──> FAILED     │
//          └────── resigned ────┴────────┴────────┘
//
// (1) Everything of a shard is touched under its lock only, from any thread; timers' callbacks and
//     on_committed run under it too. The lock is never held while a completion runs.
// (2) The records of one evaluation are one batch: after a crash all are there, or none.
// (3) When append fails the state is as before: evaluate has changed nothing yet, or the caller reverts.
// (4) Nothing is answered from a write before it is committed. A read waits for what was written before it,
//     so it never shows what a new leader might not know.
// (5) Completions of one shard run in the order in which they became ready.
#ifndef COORDINATOR_COORDINATOR_H
#define COORDINATOR_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alarm.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/completion.h"
#include "base/strbuf.h"
#include "base/timers.h"
#include "base/trace.h"
#include "protocol/kafka_error.h"

struct coordinator;
struct coordinator_shard;

// ---- what the broker supplies ----------------------------------------------------------------------

// The partitions of the internal topic. Calls come under the lock of the shard, so none may call back into
// the coordinator except coordinator_on_high_watermark, which may come from anywhere at any time.
struct coordinator_log {
    const struct coordinator_log_ops *ops;
};

// A transaction that a module's records are part of (offsets committed by a transactional producer).
struct coordinator_transaction {
    int64_t producer_id;
    int16_t producer_epoch;
    uint64_t verification_guard; // of records: log_begin_verification's (log/log.h)
    int version;                 // of a marker: transaction.version of who has it written
};

struct coordinator_log_ops {
    // Appends one v2 batch as the leader of the partition; offsets and epoch are assigned in place. Sets
    // *end_offset to the offset after the batch. Any error of a produce with acks=all may be returned
    // (NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS, MESSAGE_TOO_LARGE, KAFKA_STORAGE_ERROR …).
    enum kafka_error (*append)(struct coordinator_log *log, int32_t partition, uint8_t *batch,
                               size_t size, int64_t *end_offset);
    // The same for a batch inside a transaction, or its marker. Also INVALID_TXN_STATE, INVALID_PRODUCER_EPOCH,
    // TRANSACTION_COORDINATOR_FENCED. NULL for topics that have no transactions.
    enum kafka_error (*append_transactional)(struct coordinator_log *log, int32_t partition,
                                             uint8_t *batch, size_t size,
                                             const struct coordinator_transaction *transaction,
                                             int64_t *end_offset);
    // Adds to `into` whole batches, the first being the one that holds `offset`, about max_bytes of them but
    // at least one; none when offset is the log's end. 0 or -errno.
    int (*read)(struct coordinator_log *log, int32_t partition, int64_t offset, size_t max_bytes,
                struct strbuf *into);
    int64_t (*start_offset)(struct coordinator_log *log, int32_t partition);
    int64_t (*end_offset)(struct coordinator_log *log, int32_t partition);
    int64_t (*high_watermark)(struct coordinator_log *log, int32_t partition);
};

// ---- what the module above supplies ----------------------------------------------------------------

// The state of a shard, e.g. the groups of one partition of __consumer_offsets. All under the shard's lock.
struct coordinator_state_ops {
    void *(*create)(struct coordinator_shard *shard, void *owner);
    void (*destroy)(void *state);
    // One record of the log. A tombstone has a null value; producer_id is -1 outside a transaction.
    // 0, or -errno for a record that cannot be understood though its type is known: loading fails.
    int (*replay)(void *state, int64_t offset, int64_t producer_id, struct bytes key,
                  struct bytes value);
    // A transaction of this producer ended.
    void (*replay_end_transaction)(void *state, int64_t producer_id, bool committed);
    void (*on_loaded)(void *state);   // all is replayed: start timers
    void (*on_unloaded)(void *state); // answer whoever waits (NOT_COORDINATOR); destroy follows
};

// ---- coordinator -----------------------------------------------------------------------------------

struct coordinator_options {
    const char *topic; // for messages
    int32_t partition_count;
    struct coordinator_log *log;
    const struct coordinator_state_ops *state_ops;
    void *owner; // passed to create
    struct clock *clock;
    struct alarms *alarms;
    struct trace *trace;
    size_t load_buffer_bytes; // offsets.load.buffer.size
    int compression;          // of batches, as in their attributes: offsets.topic.compression.codec
    int64_t
        commit_timeout_ms; // offsets.commit.timeout.ms: then a wait ends with COORDINATOR_NOT_AVAILABLE
};

struct coordinator *coordinator_new(const struct coordinator_options *options);
// Everything that could call into it has stopped, alarms included. Whoever still waits is not answered.
void coordinator_free(struct coordinator *coordinator);

// This broker became leader of a partition: its shard is LOADING from now on (cheap, any thread). A lower
// or equal epoch than the present one is ignored.
void coordinator_elected(struct coordinator *coordinator, int32_t partition, int32_t leader_epoch);
// Loads every shard that is LOADING, one after the other; takes as long as reading their logs. On a thread
// that may wait. Several threads may load at once.
void coordinator_load(struct coordinator *coordinator);
// This broker is no longer its leader: answers all who wait with NOT_COORDINATOR and forgets the state.
// leader_epoch -1: whatever it was (the topic is deleted).
void coordinator_resigned(struct coordinator *coordinator, int32_t partition, int32_t leader_epoch);
// The partition's high watermark moved. Any thread, also from within append.
void coordinator_on_high_watermark(struct coordinator *coordinator, int32_t partition,
                                   int64_t high_watermark);

int32_t coordinator_partition_count(const struct coordinator *coordinator);
// abs(Java hash of the id) mod count: the partition, and so the broker, in charge of a group.
int32_t coordinator_partition_for(const struct coordinator *coordinator, struct str id);
struct coordinator_shard *coordinator_shard_at(struct coordinator *coordinator, int32_t partition);

// ---- a shard, by the module above ------------------------------------------------------------------

// Locks the shard and returns its state. NULL, unlocked, with *error COORDINATOR_LOAD_IN_PROGRESS or
// NOT_COORDINATOR when it is not ACTIVE.
void *coordinator_enter(struct coordinator_shard *shard, enum kafka_error *error);
// Unlocks, then runs what coordinator_complete collected.
void coordinator_exit(struct coordinator_shard *shard);

// Adds a record to the batch under construction; key and value are copied. A null value is a tombstone.
void coordinator_add(struct coordinator_shard *shard, struct bytes key, struct bytes value);
// Forgets what was added: the evaluation came to nothing.
void coordinator_discard(struct coordinator_shard *shard);
// Appends the batch that was added, if any, and empties it. With `replay`, replays the records that were
// written into the state, else the caller has brought the state there itself. An error is already what a
// client gets: NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE …
enum kafka_error coordinator_append(struct coordinator_shard *shard, bool replay);
// The same with replay for records that do not belong together (expiry): in as many batches as it takes to
// keep each small. After an error the later ones were not written.
enum kafka_error coordinator_append_each(struct coordinator_shard *shard);

// coordinator_append with replay for records that count only if the transaction commits.
enum kafka_error
coordinator_append_transactional(struct coordinator_shard *shard,
                                 const struct coordinator_transaction *transaction);
// Writes the marker that ends a transaction and replays it. Nothing was added.
enum kafka_error coordinator_end_transaction(struct coordinator_shard *shard,
                                             const struct coordinator_transaction *transaction,
                                             int32_t coordinator_epoch, bool is_commit);

// Waits for all that was written up to now to be committed. Owned by the caller until on_committed.
struct coordinator_wait {
    void (*on_committed)(struct coordinator_wait *wait, enum kafka_error error); // under the lock
    struct coordinator_shard *shard;
    struct list _link;
    int64_t _offset;
    int64_t _deadline_us;
};
// Calls on_committed, at once if there is nothing to wait for.
void coordinator_await_commit(struct coordinator_shard *shard, struct coordinator_wait *wait,
                              void (*on_committed)(struct coordinator_wait *, enum kafka_error));
// Runs the completion after the shard is unlocked.
void coordinator_complete(struct coordinator_shard *shard, struct completion *completion);

// Timers of the shard, under its lock; callbacks run under it and may do all that is done after enter.
void coordinator_set_timer(struct coordinator_shard *shard, struct timer *timer,
                           int64_t deadline_us);
void coordinator_cancel_timer(struct coordinator_shard *shard, struct timer *timer);
int64_t coordinator_now_us(struct coordinator_shard *shard);
int64_t coordinator_wall_ms(struct coordinator_shard *shard);
int32_t coordinator_shard_partition(const struct coordinator_shard *shard);
struct trace *coordinator_trace(const struct coordinator_shard *shard);
struct str coordinator_shard_name(const struct coordinator_shard *shard); // "__consumer_offsets-7"
int32_t coordinator_shard_epoch(const struct coordinator_shard *shard);   // of its leader
// The offset after what was written last, and whether all before an offset is committed.
int64_t coordinator_written_offset(const struct coordinator_shard *shard);
bool coordinator_is_committed(struct coordinator_shard *shard, int64_t offset);

// How an error of the log is told to a client.
enum kafka_error coordinator_client_error(enum kafka_error log_error);

#endif
