// SPDX-License-Identifier: Apache-2.0
// A share partition (KIP-932): a partition as a share group reads it. Decides who may have which records, with what
// was read from the log and the time as its input; no lock, no I/O, no clock. Its owner (share/share_manager.h) holds
// its lock, reads the log and persists what changed.
//
//     start_offset                          end_offset
//          v                                    v
//     done │ in flight: acquired, available, done │ not yet acquired
//          └──> moves when all before is done     └──> moves when more is acquired
//
//     share_partition_acquire ─────────> acquired ranges, for the answer
//     share_partition_acknowledge ──┐
//     share_partition_release ──────┼──> struct share_change: what is to be persisted, a transition under way
//     share_partition_expire ───────┘         │ persisted, or not
//                                             v
//                                   share_partition_settle
//
// (1) No record is acquired by two members at once, and none is acknowledged twice without having been released.
// (2) The start never goes back, but to begin at the first record that the log still has.
// (3) At most max_in_flight records lie between start and end, but for the rest of a batch of the log.
// (4) Batches come from the log whole: what is acquired begins and ends where batches of the log do, unless records
//     went different ways, or the member wants no more than it said (record_limit).
#ifndef SHARE_SHARE_PARTITION_H
#define SHARE_SHARE_PARTITION_H

#include "protocol/kafka_error.h"
#include "share/in_flight.h"

// Settings of the group at the moment of the call.
struct share_limits {
    int32_t max_in_flight;      // share.partition.max.record.locks
    int32_t max_delivery_count; // share.delivery.count.limit
    int32_t lock_ms;            // share.record.lock.duration.ms
    bool is_renew_enabled;      // share.renew.acknowledge.enable
};

struct share_partition {
    struct in_flight flight;
    int64_t start_offset;
    int64_t end_offset; // of the last record in flight; start_offset when there is none
    // What was persisted may leave gaps below the end that nobody has acquired since this broker leads. They are open
    // while the end is still where it was.
    bool has_gaps;
    int64_t gap_start_offset;
    int64_t gap_end_offset;
    bool has_free; // there may be available records below the end: look for them
    int32_t state_epoch;
    int32_t delivery_complete_count; // done with, at or after the start
    uint32_t last_transition;
};

void share_partition_init(struct share_partition *partition);
void share_partition_fini(struct share_partition *partition);

// Takes over what was persisted; start_offset is resolved (not -1). False when it contradicts itself.
bool share_partition_load(struct share_partition *partition, int64_t start_offset,
                          int32_t state_epoch, const struct share_batch *batches, size_t count);

// Where to read next: the first record that can be acquired.
int64_t share_partition_next_offset(struct share_partition *partition);
// Whether anything may be acquired at all.
bool share_partition_can_acquire(struct share_partition *partition,
                                 const struct share_limits *limits);
// The log now begins here: what is available before it is archived.
void share_partition_move_log_start(struct share_partition *partition, int64_t log_start_offset);

// ---- acquire ----------------------------------------------------------------------------------------

// A batch of the log that was read.
struct share_span {
    int64_t base_offset;
    int64_t last_offset;
    bool
        is_aborted; // of an aborted transaction, and the group reads committed only: archived at once
};

struct share_acquired {
    int64_t first_offset;
    int64_t last_offset;
    int16_t delivery_count;
};

struct share_acquired_list {
    struct share_acquired *items;
    size_t count;
    size_t capacity;
};

struct share_acquire {
    struct str member;
    bool is_record_limit; // no more than max_records, even if that splits a batch (KIP-1206)
    int32_t batch_size;   // about how many records go into one batch in flight
    int32_t max_records;  // at most about so many
    int64_t fetch_offset; // where was read, as share_partition_next_offset said
    const struct share_span *spans;
    size_t spans_count;
    int64_t now_ms; // monotonic
};

// Acquires from what was read, into the empty list `out` (for mem_free). The number of records.
int64_t share_partition_acquire(struct share_partition *partition,
                                const struct share_limits *limits, const struct share_acquire *how,
                                struct share_acquired_list *out);
// Adds one at the end.
void share_acquired_add(struct share_acquired_list *list, int64_t first_offset, int64_t last_offset,
                        int16_t delivery_count);

// ---- acknowledge, release, expire ------------------------------------------------------------------------

enum share_acknowledge_type {
    SHARE_GAP = 0,
    SHARE_ACCEPT = 1,
    SHARE_RELEASE = 2,
    SHARE_REJECT = 3,
    SHARE_RENEW = 4,
};

struct share_acknowledgement {
    int64_t first_offset;
    int64_t last_offset;
    const int8_t *types; // one for all, or one for each; checked
    int32_t types_count;
};

// What became of records. `transition` 0: nothing to settle, it has happened.
struct share_change {
    struct share_batches batches;
    uint32_t transition;
};

// All or nothing. With an error (and its message) nothing has changed.
enum kafka_error share_partition_acknowledge(struct share_partition *partition,
                                             const struct share_limits *limits, struct str member,
                                             const struct share_acknowledgement *acknowledgements,
                                             size_t count, int64_t now_ms,
                                             struct share_change *change, const char **message);
// What the member has acquired becomes available: its session has ended.
void share_partition_release(struct share_partition *partition, const struct share_limits *limits,
                             struct str member, struct share_change *change);
// What was locked until now becomes available, at once.
void share_partition_expire(struct share_partition *partition, const struct share_limits *limits,
                            int64_t now_ms, struct share_change *change);
// When the next lock ends; INT64_MAX when there is none.
int64_t share_partition_next_expiry_ms(const struct share_partition *partition);

// The change was persisted, or not: then it is taken back. Frees what is in it. Of an expired lock nothing is taken
// back. Whether the start has moved.
bool share_partition_settle(struct share_partition *partition, const struct share_limits *limits,
                            struct share_change *change, bool is_persisted, int64_t now_ms);

// ---- for the units of the core ----------------------------------------------------------------------------

// The number of records of the range that lie at or after the start.
int32_t share_partition_count(const struct share_partition *partition, int64_t first_offset,
                              int64_t last_offset);
bool share_partition_has_open_gaps(const struct share_partition *partition);
// The first gap begins here at the earliest; past the end, or once the end has moved, there are no gaps any more.
void share_partition_close_gaps(struct share_partition *partition, int64_t offset);
// Archives what is in state `from` within [first, end) among the batches that begin before `end`, from index `at` on.
// Whether anything was.
bool share_partition_archive(struct share_partition *partition, size_t at, int64_t first_offset,
                             int64_t end_offset, enum share_record_state from, bool is_counted);

#endif
