// SPDX-License-Identifier: Apache-2.0
// Moves replicas from one log directory of this broker to another (KIP-113, KIP-858), while they are written and read.
//
//     log_mover_move ──► COPYING ──caught up──► ASSIGNING ──the controller took note──► caught up again ──► SWAPPED
//                         │  the future log        the metadata name the new             under the partition's lock:
//                         │  follows, batch        directory before the log              the last batches, then names
//                         │  by batch              is there                              and pointers (log_future.h)
//                         └──another target, the topic is deleted, a directory fails──► dropped, and the metadata put
//                                                                                       right if they were told
//
// (1) The future log in the manager's table is the move: who takes it out ends the move; a start finds it and goes on.
// (2) Before the old log goes, the new one holds everything, and durably what the old one held durably.
// (3) Copying is done by up to num.replica.alter.log.dirs.threads threads, made when there is work and ended with it;
//     each brings one partition to its end before the next, in the order of their names. Together they keep to the
//     throttle.
// (4) Locks: replicas_lock_changes → the mover's, a leaf.
#ifndef REPLICA_LOG_MOVER_H
#define REPLICA_LOG_MOVER_H

#include "replica/replicas.h"

struct log_mover;

struct log_mover_options {
    struct clock *clock;
    struct trace *trace;
    struct log_manager *logs;
    struct replicas *replicas;
    struct metadata *metadata;
    int32_t node_id;
    int threads_max;      // num.replica.alter.log.dirs.threads
    int32_t piece_bytes;  // replica.fetch.max.bytes: at most so much at once
    int64_t backoff_ms;   // replica.fetch.backoff.ms: after the controller refused
    int32_t window_count; // alter.log.dirs.replication.quota.window.num
    int64_t window_ms;    // …window.size.seconds
    // Tells the controller; returns when that is committed. On a thread of the mover.
    enum kafka_error (*assign)(void *arg, const struct replica_directory *items, size_t count);
    void *arg;
};

struct log_mover *log_mover_new(const struct log_mover_options *options);
// Goes on with what an earlier run left; after replicas_start, when the controller can be asked.
void log_mover_start(struct log_mover *mover);
// Leaves copies where they are; joins all threads. While the controller still runs.
void log_mover_stop(struct log_mover *mover);
void log_mover_free(struct log_mover *mover); // NULL is fine

// AlterReplicaLogDirs for one partition. To the directory where it is: ends a move that is under way. Makes and renames
// files, so not on a reactor. NONE: it is there, or on its way; what Kafka answers else.
enum kafka_error log_mover_move(struct log_mover *mover, struct str topic, int32_t index,
                                struct str path);
// See replicas_options.
bool log_mover_is_moving_to(struct log_mover *mover, struct str topic, int32_t index,
                            struct uuid directory);
// Bytes a second, INT64_MAX for no limit. From now on.
void log_mover_limit(struct log_mover *mover, int64_t bytes_per_second);

#endif
