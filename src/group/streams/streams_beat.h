// SPDX-License-Identifier: Apache-2.0
// Heartbeats of members of a streams group: joining, being assigned, giving up, leaving.
#ifndef GROUP_STREAMS_STREAMS_BEAT_H
#define GROUP_STREAMS_STREAMS_BEAT_H

#include "group/streams/streams_group.h"
#include "group/streams/streams_groups.h"

// Evaluates a heartbeat, which was checked, and appends what it takes; the error and its words are in the response.
// Internal topics that are to be made are put into `topics`, in the arena.
void streams_beat(struct group_shard *shard, const struct streams_group_heartbeat_request *request,
                  struct str client_id, struct str client_host,
                  struct streams_group_heartbeat_response *response,
                  struct streams_new_topics *topics, struct arena *arena);

#endif
