// SPDX-License-Identifier: Apache-2.0
// Kafka's StickyTaskAssignor of streams groups: tasks stay where they were as far as the load allows, the rest goes to
// the process that has least to do, and in it to the member that has least.
//
//     active:   to who had it ── to who had it as a standby ── to the least loaded process
//     standby:  to who had it active ── to who had it as a standby ── to the least loaded process without it
//
// Load of a process: its tasks by its members. Ties fall as in Kafka, which iterates over Java's hash maps
// (base/java_order.h) and keeps processes and members in Java's PriorityQueue, a binary heap.
#ifndef GROUP_STREAMS_STREAMS_ASSIGNOR_H
#define GROUP_STREAMS_STREAMS_ASSIGNOR_H

#include "group/streams/streams_tasks.h"

struct streams_assignor_member {
    struct str id;
    struct str process_id;
    const struct streams_assignment *former; // its target until now
    struct streams_assignment assigned;      // out, in the arena
};

struct streams_assignor_topology {
    struct str id;
    int32_t tasks_count;
    bool is_stateful; // has changelogs: standbys make sense
};

// Puts members into the order of Java's HashMap by id.
void streams_assignor_sort(struct streams_assignor_member *members, int32_t count,
                           struct arena *arena);
// Members in that order. Sub-topologies sorted by id.
void streams_assign(struct streams_assignor_member *members, int32_t count,
                    const struct streams_assignor_topology *topology, int32_t topology_count,
                    int32_t standby_replicas, struct arena *arena);

#endif
