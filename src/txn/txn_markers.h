// SPDX-License-Identifier: Apache-2.0
// The end of a transaction, once PREPARE_COMMIT or PREPARE_ABORT is written: it is committed, markers go to all its
// partitions, COMPLETE_… is written.
//
//     PREPARE_… written ──> committed ──> struct txn_marker ──> the sink: partitions of this broker, the group
//                                              ^                coordinator, later other brokers
//                                              │ 100 ms              │ on_written, any thread
//                                       some failed <────────────────┤
//                                                                    └─> all there: COMPLETE_… written
//
// (1) A PREPARE_… record that is in the log is carried out, by whoever leads the shard: also after a restart.
// (2) Markers may be written twice (a retry, a restart before COMPLETE_…); partitions take that.
// (3) A partition that does not exist any more needs no marker. One that refuses because it saw a newer epoch of the
//     producer or of the coordinator stops the end: another coordinator is at it.
#ifndef TXN_TXN_MARKERS_H
#define TXN_TXN_MARKERS_H

#include "base/arena.h"
#include "base/completion.h"
#include "txn/txn_shard.h"

struct txn_marker_partition {
    struct str topic;
    int32_t index;
    enum kafka_error error; // by the sink: NONE, also when the partition is gone
};

struct txn_marker {
    int64_t producer_id;
    int16_t producer_epoch;
    int16_t
        transaction_version; // of the producer: from 2 on the partition insists on a newer epoch
    int32_t coordinator_epoch;
    bool is_commit;
    struct txn_marker_partition *partitions;
    int32_t count; // > 0
    // The sink's last word. Any thread, no lock held, perhaps before `write` returns. The marker is gone then.
    void (*on_written)(struct txn_marker *marker);
    // The coordinator's:
    struct completion _completion;
    struct coordinator_shard *_shard;
    struct txn_coordinator *_txns;
    struct arena _arena;
    struct str _id;
};

// Brings markers to the leaders of partitions. Called without locks; calls on_written once for each marker.
struct txn_marker_sink {
    void (*write)(struct txn_marker_sink *sink, struct txn_marker *marker);
};

void txn_markers_init_shard(struct txn_shard *state);
// The transaction's state is PREPARE_…, just written or loaded.
void txn_markers_end(struct txn_shard *state, struct transaction *transaction);

#endif
