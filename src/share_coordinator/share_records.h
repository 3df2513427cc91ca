// SPDX-License-Identifier: Apache-2.0
// Keys and values of __share_group_state. Both begin with an int16: of a key it is the record's type, of a value its
// version. What is written is what Kafka 4.3 writes, version 0 of each:
//
//     type 0  ShareSnapshot  group, topic id, partition -> the whole state of a share partition; null forgets it
//     type 1  ShareUpdate    the same key               -> what changed since its snapshot
#ifndef SHARE_COORDINATOR_SHARE_RECORDS_H
#define SHARE_COORDINATOR_SHARE_RECORDS_H

#include "coordinator/coordinator.h"
#include "protocol/record_types.h"
#include "protocol/records/share_snapshot.h"
#include "protocol/records/share_update.h"
#include "share_coordinator/share_batches.h"

struct share_log_record {
    bool is_known; // one of the two types
    bool is_snapshot;
    bool is_tombstone;
    struct share_snapshot_key key; // of either type
    struct share_snapshot_value snapshot;
    struct share_update_value update;
};

// Points into key and value, arrays are in the arena. False when they are malformed, or of a version that this broker
// does not know, or an update without a value.
bool share_record_decode(struct bytes key, struct bytes value, struct arena *arena,
                         struct share_log_record *record);

// What a snapshot or an update says.
struct share_content {
    int32_t snapshot_epoch;
    int32_t state_epoch; // snapshots only
    int32_t leader_epoch;
    int64_t start_offset;            // of an update -1: unchanged
    int32_t delivery_complete_count; // -1: not known
    int64_t create_timestamp_ms;     // snapshots only
    int64_t write_timestamp_ms;      // snapshots only
    struct share_batches batches;
};

// Each adds one record to the shard's batch (coordinator_add).
void share_record_add_snapshot(struct coordinator_shard *shard,
                               const struct share_snapshot_key *key,
                               const struct share_content *state);
void share_record_add_update(struct coordinator_shard *shard, const struct share_snapshot_key *key,
                             const struct share_content *state);
void share_record_add_tombstone(struct coordinator_shard *shard,
                                const struct share_snapshot_key *key);

#endif
