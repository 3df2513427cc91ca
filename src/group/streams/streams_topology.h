// SPDX-License-Identifier: Apache-2.0
// The topology of a streams group: sub-topologies, the topics they read, write and keep state in; and what it takes
// to run it in this cluster: partitions of internal topics, tasks, topics to be made (KIP-1071).
//
//     request ──streams_topology_of──> record value ──streams_configure + topics that exist──> streams_configured
//
//     source topics must exist ── repartition topics: as the topology says, else the most partitions that a writer
//     reads ── copartitioned topics have equally many ── changelogs: as many as the sub-topology reads
//
// What is wrong with the topics is a status, told to members until it is mended; what is wrong with the topology
// itself is an error.
#ifndef GROUP_STREAMS_STREAMS_TOPOLOGY_H
#define GROUP_STREAMS_STREAMS_TOPOLOGY_H

#include "base/arena.h"
#include "group/topic_index.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/streams_group_heartbeat.h"
#include "protocol/records/streams_group_topology.h"

// Shorter names for the parts of the record.
#define streams_topology_value streams_group_topology_value
#define streams_subtopology    streams_group_topology_value_subtopology
#define streams_topic_info     streams_group_topology_value_topic_info

// StreamsGroupHeartbeatResponse's status codes.
enum streams_status {
    STREAMS_STALE_TOPOLOGY = 0,
    STREAMS_MISSING_SOURCE_TOPICS = 1,
    STREAMS_INCORRECTLY_PARTITIONED_TOPICS = 2,
    STREAMS_MISSING_INTERNAL_TOPICS = 3,
    STREAMS_SHUTDOWN_APPLICATION = 4,
    STREAMS_ASSIGNMENT_DELAYED = 5,
};

struct streams_internal_topic {
    struct str name;
    int32_t partitions;
    const struct streams_topic_info *info; // replication factor (0: the broker's), configs
};

struct streams_configured_subtopology {
    const struct streams_subtopology *subtopology;
    int32_t tasks_count;
    struct streams_internal_topic *repartition; // sources, sorted by name
    struct streams_internal_topic *changelogs;  // sorted by name; as many as the subtopology has
};

struct streams_configured {
    struct arena arena; // of all below, the topology too
    const struct streams_topology_value *topology;
    bool is_ready;
    enum streams_status status; // unless it is ready
    struct str detail;
    bool has_subtopologies; // if not, what is wrong was found before they were known
    struct streams_configured_subtopology *subtopologies; // sorted by id
    int32_t subtopologies_count;
    struct streams_internal_topic *missing; // to be made
    int32_t missing_count;
};

// The record's value, in the arena; texts are borrowed.
struct streams_topology_value *
streams_topology_of(const struct streams_group_heartbeat_request_topology *request,
                    struct arena *arena);
// Whether a sub-topology comes twice.
bool streams_topology_has_twins(const struct streams_topology_value *topology, struct arena *arena);
// The order of sub-topologies does not count.
bool streams_topology_equal(const struct streams_topology_value *a,
                            const struct streams_topology_value *b, struct arena *arena);
// The order of a topic's configs once they are a map of Java's, in the arena.
const size_t *streams_configs_order(const struct streams_topic_info *info, struct arena *arena);
// Of the topics that it reads or keeps state in: those that exist, as one number.
int64_t streams_topology_hash(const struct streams_topology_value *topology,
                              struct topic_index *topics, struct arena *arena);
// The sub-topology that reads the topic, or NULL.
const struct streams_subtopology *
streams_topology_reader(const struct streams_topology_value *topology, struct str topic);
// Its sub-topologies sorted by id, in the arena.
const struct streams_subtopology **
streams_topology_sorted(const struct streams_topology_value *topology, struct arena *arena);

// The owner frees it. NULL with an error and, in the arena, its words (null: none): the topology cannot run anywhere.
struct streams_configured *streams_configure(const struct streams_topology_value *topology,
                                             struct topic_index *topics, struct arena *arena,
                                             enum kafka_error *error, struct str *message);
void streams_configured_free(struct streams_configured *configured); // NULL is fine
const struct streams_configured_subtopology *
streams_configured_find(const struct streams_configured *configured, struct str id);

#endif
