// SPDX-License-Identifier: Apache-2.0
// The modules that request handlers call, assembled once by broker/. Borrowed everywhere.
#ifndef API_NODE_H
#define API_NODE_H

#include "base/clock.h"
#include "base/disk.h"
#include "base/trace.h"
#include "base/uuid.h"

struct config;
struct controller;
struct fetch_sessions;
struct group_coordinator;
struct log_dir_control;
struct log_manager;
struct metadata;
struct persister;
struct producer_ids;
struct replicas;
struct txn_coordinator;
struct workers;
struct share_coordinator;
struct share_manager;
struct share_sessions;

struct node {
    struct clock *clock;
    struct trace *trace;
    struct disk *disk;
    struct config *config;                 // config/config.h: live values of this broker
    struct metadata *metadata;             // metadata/metadata.h: the committed image
    struct controller *controller;         // controller/controller.h: decisions about the cluster
    struct replicas *replicas;             // replica/replicas.h: this broker's partitions
    struct log_manager *logs;              // log/log_dirs.h: its log directories
    struct log_dir_control *dirs;          // replica/log_dir_control.h: what lives in which
    struct group_coordinator *groups;      // group/group_coordinator.h
    struct txn_coordinator *txns;          // txn/txn_coordinator.h
    struct fetch_sessions *fetch_sessions; // api/fetch_sessions.h
    struct producer_ids *producer_ids;     // txn/producer_ids.h
    struct share_coordinator *share_coordinator; // share_coordinator/share_coordinator.h
    struct share_manager *shares;                // share/share_manager.h
    struct persister *share_persister; // the same, tried again: share_coordinator/persister_retry.h
    struct share_sessions *share_sessions; // share/share_sessions.h
    struct workers *loaders; // base/workers.h: who waits for the disk; NULL: whoever reads
    int32_t node_id;
    const char *cluster_id;
};

#endif
