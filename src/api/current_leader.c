// SPDX-License-Identifier: Apache-2.0
// Tested by produce_test.c.
#include "api/current_leader.h"

#include "api/node.h"
#include "metadata/metadata.h"

struct current_leader current_leader_of(struct request *request, struct partition *partition,
                                        struct str topic, struct uuid topic_id, int32_t index)
{
    struct current_leader out = { .leader_id = -1, .leader_epoch = -1 };
    if (partition != NULL)
        partition_leader(partition, &out.leader_id, &out.leader_epoch);
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    if (partition == NULL) {
        const struct metadata_topic *found = str_is_null(topic)
                                                 ? metadata_find_topic_by_id(metadata, topic_id)
                                                 : metadata_find_topic(metadata, topic);
        const struct metadata_partition *state =
            found != NULL ? metadata_topic_partition(found, index) : NULL;
        if (state != NULL) {
            out.leader_id = state->leader;
            out.leader_epoch = state->leader_epoch;
        }
    }
    const struct metadata_broker *broker =
        out.leader_id >= 0 ? metadata_find_broker(metadata, out.leader_id) : NULL;
    const struct metadata_endpoint *endpoint = NULL;
    if (broker != NULL && !broker->fenced)
        endpoint = metadata_broker_endpoint(broker, request->client->listener_name);
    if (endpoint != NULL) {
        out.has_node = true;
        out.host = arena_str(&request->arena, endpoint->host);
        out.port = endpoint->port;
        out.rack = arena_str(&request->arena, broker->rack);
    }
    metadata_unlock(metadata);
    return out;
}
