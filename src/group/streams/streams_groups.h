// SPDX-License-Identifier: Apache-2.0
// The entry points of streams groups, as those of group_coordinator.h: each completes `completion` once, and is safe
// from any thread.
#ifndef GROUP_STREAMS_STREAMS_GROUPS_H
#define GROUP_STREAMS_STREAMS_GROUPS_H

#include "group/group_coordinator.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/streams_group_describe.h"
#include "protocol/messages/streams_group_heartbeat.h"

struct streams_configured;

// Internal topics that a group misses and that shall be made, as CreateTopics takes them.
struct streams_new_topics {
    struct create_topics_request_creatable_topic *items; // in the arena of the request
    int32_t count;
};

// Those of a topology; copies, in the arena.
void streams_new_topics_of(const struct streams_configured *configured,
                           struct streams_new_topics *topics, struct arena *arena);

// `topics` is filled when it completes: the caller makes them.
void streams_groups_heartbeat(struct group_coordinator *groups,
                              const struct streams_group_heartbeat_request *request,
                              const struct group_client *client,
                              struct streams_group_heartbeat_response *response,
                              struct streams_new_topics *topics, struct arena *arena,
                              struct completion *completion);
// One group.
void streams_groups_describe(struct group_coordinator *groups, struct str group_id,
                             struct streams_group_describe_response_described_group *out,
                             struct arena *arena, struct completion *completion);

#endif
