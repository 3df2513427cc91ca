// SPDX-License-Identifier: Apache-2.0
// The cluster as a client sees it through the listener that it came by: which brokers are there, who leads, which
// replicas are offline. For Metadata, DescribeCluster and DescribeTopicPartitions.
//
// Under the image's read lock; what is returned is in the arena (brokers: in the image).
#ifndef API_CLUSTER_VIEW_H
#define API_CLUSTER_VIEW_H

#include "base/arena.h"
#include "metadata/metadata.h"

struct cluster_view {
    const struct metadata *metadata;
    const char *listener_name;
    struct arena *arena;
};

struct view_ids {
    int32_t *items;
    int32_t count;
};

struct view_broker {
    const struct metadata_broker *broker;
    const struct metadata_endpoint *endpoint;
};

struct view_brokers {
    struct view_broker *items;
    int32_t count;
};

// Brokers with that listener, by id; fenced ones too if asked for.
struct view_brokers view_brokers(const struct cluster_view *view, bool with_fenced);
// The broker that KRaft shows as the controller: any one in service, ours if it is; -1: none.
int32_t view_controller_id(const struct cluster_view *view, int32_t own_id);

// The leader, if it is registered with that listener; else -1.
int32_t view_leader(const struct cluster_view *view, const struct metadata_partition *partition);
// Replicas that are fenced, unknown, without that listener, or in a directory that failed.
struct view_ids view_offline_replicas(const struct cluster_view *view,
                                      const struct metadata_partition *partition);
struct view_ids view_ids(const struct cluster_view *view, const int32_t *ids, int32_t count);
// Those of them in service with that listener.
struct view_ids view_live_ids(const struct cluster_view *view, const int32_t *ids, int32_t count);

#endif
