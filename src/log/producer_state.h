// SPDX-License-Identifier: Apache-2.0
// Who wrote to this log (KIP-98, KIP-360): so that a retry is not appended twice, a gap in a producer's
// sequence is refused, an older incarnation is fenced, and open transactions hold back the last stable offset.
//
// In memory the last five batches of each producer are kept; the .snapshot file has the last one only:
//
//     int16 version = 1 | uint32 CRC-32C of the rest | int32 n | n × (int64 producer id | int16 epoch |
//     int32 last sequence | int64 last offset | int32 offset delta | int64 timestamp |
//     int32 coordinator epoch | int64 first offset of the open transaction or -1)
//
// A snapshot's name is its end offset E: it holds what the batches before E say.
//
// Transactions:    first batch ──► ongoing ──marker──► unreplicated ──high watermark behind the marker──► gone
// The first unstable offset is the smallest first offset among both.
//
// Invariants: (1) snapshot_offsets ascend and name files that are there
//             (2) map_end_offset >= the last of them; batches before map_end_offset have been applied
// Under the log's lock.
#ifndef LOG_PRODUCER_STATE_H
#define LOG_PRODUCER_STATE_H

#include "base/hashmap.h"
#include "log/log_files.h"
#include "protocol/kafka_error.h"
#include "record/batch.h"

enum { PRODUCER_BATCHES = 5 };

struct producer_batch {
    int32_t last_sequence;
    int32_t offset_delta;
    int64_t last_offset;
    int64_t timestamp;
};

struct producer_entry {
    int64_t producer_id; // key of the map
    int16_t epoch;
    uint8_t batch_count;
    int32_t coordinator_epoch;
    int64_t last_timestamp;
    int64_t txn_first_offset;                        // -1: no open transaction
    struct producer_batch batches[PRODUCER_BATCHES]; // oldest first
};

struct producer_txn {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset; // of the marker; -1 while ongoing
};

// A producer that asked to begin a transaction here (KIP-890): between this and its first batch the transaction
// coordinator is asked whether the partition is part of it. The guard says that the answer belongs to this beginning,
// not to an earlier one that a marker has ended meanwhile.
struct producer_verification {
    int64_t producer_id; // key of the map
    int64_t since_ms;
    uint64_t guard;
    int32_t lowest_sequence; // a batch of a higher one would leave a gap that can never be filled
    int16_t epoch;
    bool adds_partition; // transaction version 2: the producer's first sequence is 0
};

struct producer_txns { // by first offset
    struct producer_txn *items;
    size_t count, capacity;
};

struct producer_state {
    const struct log_files *files;
    struct hashmap entries;
    struct hashmap verifications; // struct producer_verification
    uint64_t last_guard;
    struct producer_txns ongoing;
    struct producer_txns unreplicated;
    int64_t expiration_ms;
    int64_t map_end_offset;
    int64_t last_snapshot_offset;
    int64_t *snapshot_offsets;
    size_t snapshot_count, snapshot_capacity;
};

struct completed_txn {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset;
    bool is_aborted;
};

void producer_state_init(struct producer_state *state, const struct log_files *files,
                         int64_t expiration_ms);
void producer_state_fini(struct producer_state *state);
// Tells of a snapshot file that was found; in any order.
void producer_state_add_snapshot(struct producer_state *state, int64_t offset);

// ---- appending --------------------------------------------------------------------------------------

// The same batch among the last five of its producer, or NULL.
const struct producer_batch *producer_state_duplicate(const struct producer_state *state,
                                                      const uint8_t *batch);
// NONE: the batch goes on with an open transaction, or is refused. NOT_REQUIRED: nobody asks.
enum { VERIFICATION_GUARD_NONE = 0 };
#define VERIFICATION_NOT_REQUIRED UINT64_MAX

// Before the first batch of a transaction: *guard is NONE when it is open, else what producer_state_check wants to see.
// `sequence` -1: the batch will have none. INVALID_PRODUCER_EPOCH when the producer is fenced.
enum kafka_error producer_state_begin_verification(struct producer_state *state,
                                                   int64_t producer_id, int16_t epoch,
                                                   int32_t sequence, bool adds_partition,
                                                   int64_t now_ms, uint64_t *guard);
// What a leader must find before it appends the (whole) batch: KERR_NONE, INVALID_PRODUCER_EPOCH,
// OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED. is_client: sequences count.
// transaction_version: of the markers' writer, 2 since KIP-890. `guard`: of a transactional batch.
enum kafka_error producer_state_check(const struct producer_state *state, struct bytes batch,
                                      bool is_client, int transaction_version, uint64_t guard);
// Applies a batch that has its offset. Batches without producer only move map_end_offset. `batch` must be whole
// for control batches, else the header is enough. True when a transaction ended: *completed says which;
// producer_state_complete is to follow.
bool producer_state_apply(struct producer_state *state, struct bytes batch,
                          struct completed_txn *completed);
// The last stable offset once this transaction has ended; for the .txnindex.
int64_t producer_state_stable_after(const struct producer_state *state,
                                    const struct completed_txn *completed);
void producer_state_complete(struct producer_state *state, const struct completed_txn *completed);

int64_t producer_state_first_unstable(const struct producer_state *state); // -1: none
void producer_state_on_high_watermark(struct producer_state *state, int64_t high_watermark);
void producer_state_on_log_start(struct producer_state *state, int64_t log_start_offset);
void producer_state_expire(struct producer_state *state, int64_t now_ms);

// ---- snapshots --------------------------------------------------------------------------------------

int producer_state_take_snapshot(struct producer_state *state, bool is_synced);
// Forgets everything and loads the newest snapshot in (log_start, log_end]; the others and damaged ones are
// deleted. map_end_offset tells from where batches have to be applied.
int producer_state_reload(struct producer_state *state, int64_t log_start_offset,
                          int64_t log_end_offset, int64_t now_ms);
// Forgets everything, all snapshots are deleted, the state ends at `offset`.
int producer_state_truncate_fully(struct producer_state *state, int64_t offset);
// Deletes the snapshot at exactly this offset, if there is one: its segment went.
int producer_state_delete_snapshot(struct producer_state *state, int64_t offset);
// The same, but the file stays as OFFSET.snapshot.deleted.
int producer_state_mark_snapshot_deleted(struct producer_state *state, int64_t offset);

// The snapshot's bytes, for tests and fuzzing: false when they are damaged; state is then unchanged.
bool producer_state_decode(struct producer_state *state, struct bytes snapshot, int64_t now_ms);

#endif
