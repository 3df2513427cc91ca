// SPDX-License-Identifier: Apache-2.0
// The share coordinator (KIP-932): keeps for every share partition (group, topic id, partition) where it starts and
// what became of its records in flight, in __share_group_state, on the engine src/coordinator. Overview of the folder:
//
//     persister           the seam: whoever needs share state calls it, here or on another broker
//     persister_retry     tries again what the coordinator could not take
//     share_coordinator   the entry points below: finds the shard, answers when committed
//     share_shard         the state of one partition of the topic: evaluate and replay
//     share_records       keys and values as they stand in the log
//     share_batches       ranges of offsets, combined
//
// Safe from any thread.
#ifndef SHARE_COORDINATOR_SHARE_COORDINATOR_H
#define SHARE_COORDINATOR_SHARE_COORDINATOR_H

#include "coordinator/coordinator.h"
#include "share_coordinator/persister.h"

struct share_coordinator;

#define SHARE_STATE_TOPIC "__share_group_state"

// The broker's settings (share.coordinator.*), all read-only while it runs.
struct share_coordinator_config {
    int32_t updates_per_snapshot; // snapshot.update.records.per.snapshot
    int64_t cold_snapshot_ms;     // cold.partition.snapshot.interval.ms
    int64_t prune_interval_ms;    // state.topic.prune.interval.ms
    int64_t write_timeout_ms;     // write.timeout.ms
    size_t load_buffer_bytes;     // load.buffer.size
    int compression;              // state.topic.compression.codec
};

// Kafka's defaults, for tests.
extern const struct share_coordinator_config share_coordinator_config_defaults;

struct share_coordinator_options {
    struct share_coordinator_config config;
    int32_t partition_count; // of the topic if it exists, else state.topic.num.partitions
    struct coordinator_log *log;
    struct clock *clock;
    struct alarms *alarms;
    struct trace *trace;
    // How many partitions the topic of that id has, 0 if there is none. Called under a shard's lock.
    int32_t (*topic_partitions)(void *owner, struct uuid topic_id);
    // The partition's log is redundant below this offset: delete it. Called under the shard's lock.
    void (*prune)(void *owner, int32_t partition, int64_t before_offset);
    void *owner;
};

struct share_coordinator *share_coordinator_new(const struct share_coordinator_options *options);
void share_coordinator_free(struct share_coordinator *coordinator);
// Its engine, for coordinator_elected, _load, _resigned, _on_high_watermark.
struct coordinator *share_coordinator_engine(struct share_coordinator *coordinator);
// For calls that this broker answers itself.
struct persister *share_coordinator_persister(struct share_coordinator *coordinator);

// The partition of the topic in charge of a share partition.
int32_t share_coordinator_partition_for(struct share_coordinator *coordinator, struct str group,
                                        struct uuid topic_id, int32_t partition);
// Topics were deleted: their state goes. On the controller's thread.
void share_coordinator_topics_deleted(struct share_coordinator *coordinator, const struct uuid *ids,
                                      int32_t count);
const struct share_coordinator_options *
share_coordinator_options_of(const struct share_coordinator *coordinator);

#endif
