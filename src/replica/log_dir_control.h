// SPDX-License-Identifier: Apache-2.0
// What happens to log directories, one thing after the other, on a thread that may wait for disks and for the
// controller:
//
//     AlterReplicaLogDirs          log_dir_control_alter ──┐
//     a directory failed           log_dir_control_failed ─┼─► queue ─► log_mover_move; completed
//     replicas are not where the   log_dir_control_assign ─┤            partitions offline, the controller told; the
//     metadata say                                         │            last one, or the metadata log's: on_fatal
//     others are cordoned          log_dir_control_report ─┘            assign; a heartbeat
//
// Whoever posts does not wait. The thread is made with the first thing to do. What is posted before
// log_dir_control_start is done then. A broker that cannot tell the controller of a failed directory within
// log.dir.failure.timeout.ms stops.
#ifndef REPLICA_LOG_DIR_CONTROL_H
#define REPLICA_LOG_DIR_CONTROL_H

#include "base/completion.h"
#include "replica/log_mover.h"

struct log_dir_control;

struct log_dir_control_options {
    struct clock *clock;
    struct trace *trace;
    struct log_manager *logs;
    struct replicas *replicas;
    struct log_mover *mover;
    ptrdiff_t metadata_dir;     // the place in log.dirs of the metadata log's; -1: elsewhere
    int64_t failure_timeout_ms; // log.dir.failure.timeout.ms
    int64_t retry_ms;           // broker.heartbeat.interval.ms
    // All three on the control's thread; they may wait. assign as in log_mover_options.
    enum kafka_error (*assign)(void *arg, const struct replica_directory *items, size_t count);
    enum kafka_error (*report)(void *arg); // which are offline and cordoned
    void (*on_fatal)(void *arg);           // the broker cannot go on
    void *arg;
};

struct log_dir_control *log_dir_control_new(const struct log_dir_control_options *options);
void log_dir_control_start(struct log_dir_control *control);
// Completes what waits with KAFKA_STORAGE_ERROR, joins the thread. While the controller still runs.
void log_dir_control_stop(struct log_dir_control *control);
void log_dir_control_free(struct log_dir_control *control); // NULL is fine

struct alter_log_dir { // of one partition
    struct str topic;
    int32_t index;
    struct str path;
    enum kafka_error error; // out
};

// Owned by the caller until completed.
struct alter_log_dirs {
    struct alter_log_dir *items;
    size_t count;
    struct completion *completion;
    struct list _link;
};

// All from any thread, also under locks: nothing is done before they return.
void log_dir_control_alter(struct log_dir_control *control, struct alter_log_dirs *call);
void log_dir_control_failed(struct log_dir_control *control, size_t dir);
void log_dir_control_assign(struct log_dir_control *control, const struct replica_directory *items,
                            size_t count);
void log_dir_control_report(struct log_dir_control *control);

#endif
