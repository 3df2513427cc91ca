// SPDX-License-Identifier: Apache-2.0
// This node as a broker of its own controller: what it tells the cluster when it starts and when it stops. All calls
// block until the records are committed.
//
//     start    local_broker_register      fenced: not in Metadata yet; the former incarnation leaves its ISRs
//              (logs are loaded, listeners open)
//              local_broker_unfence       in service: leads its partitions
//              local_broker_follow
//     a directory failed, or is cordoned
//              local_broker_report
//     metadata.version was raised to a level that registers more than what is there: registered again, by itself
//     stop     local_broker_shut_down     leads nothing more; then close the logs, and write the epoch into
//                                         .kafka_cleanshutdown, from where it becomes previous_epoch
#ifndef CONTROLLER_LOCAL_BROKER_H
#define CONTROLLER_LOCAL_BROKER_H

#include "controller/controller.h"
#include "metadata/metadata.h"

// What its heartbeats say of its log directories (KIP-858, KIP-1066); ids.
struct local_directories {
    struct uuid *offline; // failed since the start
    int32_t offline_count;
    struct uuid *cordoned;
    int32_t cordoned_count;
};

struct local_broker {
    struct controller *controller;
    struct metadata *metadata;
    struct trace *trace;
    int32_t node_id;
    const char *cluster_id;
    struct uuid incarnation_id;                // chosen anew at each start (uuid_random)
    const struct metadata_endpoint *endpoints; // of the broker's listeners, as advertised
    int32_t endpoints_count;
    const struct metadata_endpoint
        *controller_endpoints; // of the controller's listeners; may be none
    int32_t controller_endpoints_count;
    struct str rack;             // null: none
    const struct uuid *log_dirs; // directory ids of all log dirs
    int32_t log_dirs_count;
    int64_t previous_epoch; // of .kafka_cleanshutdown in every log dir; -1: an unclean stop
    int64_t epoch;          // out: of this registration
    // Asked for each heartbeat, on its thread; arena memory. NULL: none failed, none is cordoned.
    void (*directories)(void *arg, struct arena *arena, struct local_directories *out);
    void *arg;
    struct metadata_subscription _subscription;
};

// KERR_NONE, or why the controller refused (said in the trace).
enum kafka_error local_broker_register(struct local_broker *broker);
enum kafka_error local_broker_unfence(struct local_broker *broker);
// A heartbeat between the two, because something of its directories has changed.
enum kafka_error local_broker_report(struct local_broker *broker);
// From now on, until local_broker_unfollow, a raised metadata.version registers what it makes room for: the log
// directories of the broker (KIP-858), the controller (KIP-919).
void local_broker_follow(struct local_broker *broker);
void local_broker_unfollow(struct local_broker *broker);
enum kafka_error local_broker_shut_down(struct local_broker *broker);

#endif
