// SPDX-License-Identifier: Apache-2.0
// One partition's log: segments of record batches with their indexes, who produced them, and under which
// leader epochs. Kafka's files, so that a JVM broker can take the directory over at any time.
//
//     topic-N/                          partition_dir.h  names, partition.metadata
//         00000000000000000000.log      segment.h        batches (record/batch.h), appended to the last one only
//         00000000000000000000.index    offset_index.h   offset → position in the .log
//         00000000000000000000.timeindex time_index.h    timestamp → offset
//         00000000000000000000.txnindex txn_index.h      aborted transactions
//         00000000000000012345.snapshot producer_state.h producers up to that offset
//         leader-epoch-checkpoint       leader_epochs.h  epoch → first offset
//
//         log start        recovery point         last stable   high watermark    log end
//     ────┬────────────────┬──────────────────────┬─────────────┬─────────────────┬
//         │ deleted before │ synced before        │ read_committed              │ next offset
//
// Everything here may be called from any thread; one mutex per log, which is a leaf: nothing of others is
// called under it, save the disk. Offsets of the picture are read without it.
//
// After a failed write the log takes no more appends: everything answers KERR_KAFKA_STORAGE_ERROR.
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/list.h"
#include "base/trace.h"
#include "base/uuid.h"
#include "config/log_config.h"
#include "protocol/kafka_error.h"

struct log;
struct log_flusher; // log_flusher.h

enum log_event {
    LOG_EVENT_ROLLED,    // the segments before the active one want log_flush, in the background
    LOG_EVENT_FAILED,    // a write failed; once per log
    LOG_EVENT_FILES,     // files became garbage: log_delete_garbage at log_garbage_due_ms
    LOG_EVENT_TRUNCATED, // the end was cut off: nothing behind log_active_segment_offset is clean
    LOG_EVENT_START,     // the log start moved: segments may lie before it
    LOG_EVENT_CHANGED,   // offsets have moved, while log_options.is_quiet
};

struct log_options {
    struct disk *disk;
    struct clock *clock;
    struct trace *trace;
    const char *dir;                 // the partition's directory; made when missing
    const struct log_config *config; // copied
    struct uuid topic_id;            // zero: as partition.metadata says, which is then not written
    bool is_new;   // there is no directory, and it is made with the first batch or log_make_files
    bool is_clean; // the last stop was clean: nothing needs to be checked
    int64_t recovery_point; // from the checkpoints, 0 when they do not name it
    int64_t log_start_offset;
    int64_t producer_id_expiration_ms; // 0: Kafka's default, a day
    int check_threads; // at most so many check the segments of a log that was not closed; 0: this one alone
    // Syncs what flush.messages demands (log_flush_limit). NULL: log_append_* do so before they return.
    struct log_flusher *flusher;
    // Called without the log's lock, on the thread that made it happen. May be NULL.
    void (*on_event)(void *arg, struct log *log, enum log_event event);
    void *arg;
    const atomic_bool *is_quiet; // set while LOG_EVENT_CHANGED is wanted. May be NULL: never
};

// Opens or creates. -EEXIST when partition.metadata holds another topic id, -EBADMSG for files that no
// recovery can read, else the disk's error.
int log_open(const struct log_options *options, struct log **out);
// Who keeps a log beyond the call that gave it takes a reference; after log_close and the like it answers
// KERR_KAFKA_STORAGE_ERROR until the last reference goes.
struct log *log_ref(struct log *log);
void log_unref(struct log *log); // NULL is fine
// A clean stop: all is flushed, indexes are trimmed, producers kept. Takes the caller's reference, whatever it
// returns.
int log_close(struct log *log);
// Closes without writing anything, as a crash would. Takes the reference.
void log_abandon(struct log *log);
// Removes the directory and everything in it. Takes the reference.
int log_delete(struct log *log);
// Makes the directory and the first segment of a log that was opened as new; and partition.metadata of a log without
// batches, which nothing else would write. Neither is synced.
int log_make_files(struct log *log);
int log_write_metadata(struct log *log);
// The directory gets another name (".<uuid>-delete", "-stray"); `dir` is the whole path. is_synced: it lasts at once,
// else when the directories above are synced.
int log_rename(struct log *log, const char *dir, bool is_synced);

void log_set_config(struct log *log, const struct log_config *config);
void log_get_config(struct log *log, struct log_config *out);
const char *
log_dir(const struct log *log); // path; lives as long as the log, changes with log_rename
const char *log_name(const struct log *log); // "topic-N"
struct uuid log_topic_id(const struct log *log);
// Gives a log without topic id one and writes partition.metadata. -EEXIST: it has another.
int log_assign_topic_id(struct log *log, struct uuid topic_id);

// ---- offsets ----------------------------------------------------------------------------------------

int64_t log_start_offset(const struct log *log);
int64_t log_end_offset(const struct log *log);
int64_t log_first_segment_offset(struct log *log);  // its base offset, at or before the log start
int64_t log_active_segment_offset(struct log *log); // the base offset of the last one
int64_t log_recovery_point(const struct log *log);
int64_t log_high_watermark(const struct log *log);
// The first offset of the oldest open transaction, or the high watermark.
int64_t log_last_stable_offset(const struct log *log);
// Set by replication; held between log start and log end. Returns what it became.
int64_t log_set_high_watermark(struct log *log, int64_t offset);
// DeleteRecords: moves the log start forward, at most to the high watermark (else OFFSET_OUT_OF_RANGE).
enum kafka_error log_set_start_offset(struct log *log, int64_t offset);
int64_t log_size_bytes(struct log *log);

// ---- appending --------------------------------------------------------------------------------------

enum log_append_origin {
    LOG_APPEND_CLIENT,   // a producer: everything is checked
    LOG_APPEND_GATHERED, // a producer's, and its write may wait for more of them (log_write_gathered)
    LOG_APPEND_COORDINATOR, // our coordinators: records are checked, control batches allowed
    LOG_APPEND_RAFT_LEADER, // offsets and epoch are set already
};

struct log_record_error {
    int32_t batch_index; // which record
    const char *message;
};

struct log_append_result {
    int64_t first_offset; // -1 when nothing was appended
    int64_t last_offset;
    int64_t max_timestamp;
    int64_t log_append_time; // -1 for CreateTime
    int64_t log_start_offset;
    int32_t record_count;
    int32_t size_bytes;
    bool is_duplicate; // appended before: the offsets are those of then
    bool is_flush_due; // not to be acknowledged while log_flush_limit <= last_offset
    bool
        is_gathered; // not in the file: neither seen by readers nor to be acknowledged before log_write_gathered
    // Of an error; arena memory. NULL: say nothing beyond the code.
    const char *error_message;
    const struct log_record_error *record_errors;
    size_t record_error_count;
};

// Appends one batch as the partition's leader. `records` must be writable memory: offset, epoch and (for
// LogAppendTime) timestamp are put in place. The caller has applied batch_check_produce to what clients send.
// Only the arena keeps what result points to. Errors are those of Kafka's Produce response: CORRUPT_MESSAGE,
// INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_PRODUCER_EPOCH,
// OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED, KAFKA_STORAGE_ERROR,
// UNKNOWN_SERVER_ERROR (damaged compressed data).
// LOG_APPEND_RAFT_LEADER takes several batches, and leaves it to its caller when to log_flush.
enum kafka_error log_append_leader(struct log *log, struct bytes records, int32_t leader_epoch,
                                   enum log_append_origin origin, struct arena *arena,
                                   struct log_append_result *result);

// Writes in one call what LOG_APPEND_GATHERED left in memory, unless somebody who needed the log has. Every append that
// was gathered is followed by this, on any thread, while its `records` and its arena are still there; it has succeeded
// when the log end is behind it.
void log_write_gathered(struct log *log);

// Of a batch inside a transaction.
struct log_append_transaction {
    // From log_begin_verification; 0: none, so a transaction has to be open. LOG_VERIFICATION_NOT_REQUIRED: nobody asks
    uint64_t verification_guard;
    int version; // transaction.version of who has the marker written (KIP-890)
};
#define LOG_VERIFICATION_NOT_REQUIRED UINT64_MAX

// log_append_leader for transactions; the plain one requires no verification. INVALID_TXN_STATE: the guard is another.
enum kafka_error log_append_transactional(struct log *log, struct bytes records,
                                          int32_t leader_epoch, enum log_append_origin origin,
                                          const struct log_append_transaction *transaction,
                                          struct arena *arena, struct log_append_result *result);
// Before the first batch of a transaction (KIP-890): *guard 0 when it is open here, else what the append has to bring
// after the coordinator was asked. INVALID_PRODUCER_EPOCH: the producer is fenced. sequence -1: of a coordinator.
// adds_partition: the producer is of transaction version 2.
enum kafka_error log_begin_verification(struct log *log, int64_t producer_id, int16_t epoch,
                                        int32_t sequence, bool adds_partition, uint64_t *guard);

// Appends batches fetched from the leader as they are, whole ones only; those of an epoch above leader_epoch
// are left. Gaps are fine, overlaps are not (UNKNOWN_SERVER_ERROR). Returns CORRUPT_MESSAGE and appends nothing
// when a batch is damaged. *appended_bytes (may be NULL) tells how much of it was taken.
enum kafka_error log_append_follower(struct log *log, struct bytes records, int32_t leader_epoch,
                                     int64_t *appended_bytes);

// ---- reading ----------------------------------------------------------------------------------------

struct log_slice {
    struct file_slice slice; // size 0 and file NULL: nothing there yet. The caller unrefs the file
    int64_t first_offset;    // base offset of the first batch; the asked one when empty
    int64_t segment_base_offset;
    bool is_first_incomplete; // max_bytes cut the first batch
    bool is_cold;             // of log_read_cached: nothing was read
};

// The bytes from the batch that holds `offset` on, in one segment: at most max_bytes (at_least_one_batch: or
// the whole first batch), ending before end_offset_limit (the high watermark or the last stable offset;
// INT64_MAX: the log end). The last batch may be cut, as Kafka's are. OFFSET_OUT_OF_RANGE outside
// [log start, log end], KAFKA_STORAGE_ERROR.
enum kafka_error log_read(struct log *log, int64_t offset, int32_t max_bytes,
                          bool at_least_one_batch, int64_t end_offset_limit, struct log_slice *out);

// The same for who must not wait for the device: out->is_cold, and nothing else, where finding the batches would.
enum kafka_error log_read_cached(struct log *log, int64_t offset, int32_t max_bytes,
                                 bool at_least_one_batch, int64_t end_offset_limit,
                                 struct log_slice *out);

// The same as memory: whole batches into the buffer, which grows; messages of magic 0 and 1 are made batches. Returns
// the bytes, 0 at the limit, or -ERANGE, -EIO…. `*buffer` and `*capacity` start as NULL and 0; mem_free it in the end.
int64_t log_read_batches(struct log *log, int64_t offset, int32_t max_bytes,
                         int64_t end_offset_limit, uint8_t **buffer, size_t *capacity);

struct log_timestamp_offset {
    int64_t timestamp;    // -1: none found
    int64_t offset;       // -1: none found
    int32_t leader_epoch; // -1: unknown
};

// The first record at or after the log start whose timestamp is >= the given one.
enum kafka_error log_offset_for_time(struct log *log, int64_t timestamp,
                                     struct log_timestamp_offset *out);
// The record with the largest timestamp (KIP-734).
enum kafka_error log_max_timestamp_offset(struct log *log, struct log_timestamp_offset *out);

struct log_aborted_transaction {
    int64_t producer_id;
    int64_t first_offset;
};

// Transactions aborted within [offset, end_offset), for read_committed fetches. Arena memory.
enum kafka_error log_aborted_transactions(struct log *log, int64_t offset, int64_t end_offset,
                                          struct arena *arena, struct log_aborted_transaction **out,
                                          size_t *count);

// ---- leader epochs ----------------------------------------------------------------------------------

struct log_epoch_end {
    int32_t leader_epoch; // the largest one not above the asked; -1 when unknown
    int64_t end_offset;   // where it ended; -1 when unknown
};

// A new leader notes where its epoch begins. On the disk before the first append of the epoch is acknowledged: without
// records it says nothing that the epoch before it does not, and a start of thousands of logs need not write a file
// for each.
void log_assign_epoch_start(struct log *log, int32_t leader_epoch, int64_t start_offset);
struct log_epoch_end log_epoch_end_offset(struct log *log, int32_t leader_epoch);
int32_t log_epoch_for_offset(struct log *log, int64_t offset); // -1: unknown
int32_t log_latest_epoch(struct log *log);                     // -1: none

// ---- upkeep -----------------------------------------------------------------------------------------

// Makes everything before `upto_offset` (INT64_MAX: all) survive a power loss, and moves the recovery point.
// Callers at the same time share one sync.
int log_flush(struct log *log, int64_t upto_offset);
// Everything at or behind it must not be acknowledged, nor be counted as committed: flush.messages demands a sync of
// it that is not done yet. INT64_MAX when none is due. Once the log has failed it stays where it was.
int64_t log_flush_limit(const struct log *log);
bool log_has_failed(const struct log *log);
// Calls on_flushed, once, on any thread and without locks, when the limit has moved or the log has failed. The owner
// keeps `wait` until then. False, and nothing is called: there is no limit now, or the log has failed.
struct log_flush_wait {
    void (*on_flushed)(struct log_flush_wait *wait);
    struct list _link;
};
bool log_await_flush(struct log *log, struct log_flush_wait *wait);
int64_t log_last_flush_ms(const struct log *log);
// A new active segment now. No effect while the active one is empty.
int log_roll(struct log *log);
// Removes all at and after `offset`.
int log_truncate(struct log *log, int64_t offset);
// Empties the log; it goes on at `offset`.
int log_truncate_fully(struct log *log, int64_t offset);
// Forgets producers that have been silent for longer than the expiration, which may change.
void log_set_producer_id_expiration(struct log *log, int64_t expiration_ms);
void log_expire_producers(struct log *log);
// Retention: takes the oldest segments out that lie before the log start and, with cleanup.policy=delete, those beyond
// retention.bytes and retention.ms (log_retention.c). Returns how many, or -errno: then the log has failed.
int log_delete_old_segments(struct log *log);
// Unlinks the .deleted files of segments that went file.delete.delay.ms ago.
int log_delete_garbage(struct log *log);
int64_t log_garbage_due_ms(struct log *log); // of the segment that went last, wall clock
// Closes descriptors not used since the last call (of old segments, and of the active one when idle).
void log_close_idle_files(struct log *log);

struct log_producer {
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t last_sequence;
    int64_t last_timestamp;
    int32_t coordinator_epoch;
    int64_t current_txn_start_offset;
};

// The producers of this log, for DescribeProducers.
size_t log_producers(struct log *log, struct arena *arena, struct log_producer **out);

#endif
