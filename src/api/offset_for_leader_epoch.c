// SPDX-License-Identifier: Apache-2.0
// OffsetForLeaderEpoch, versions 2 to 4: where a leader epoch ended in this log, so that a consumer whose leader
// changed finds out whether records that it has read were truncated away (KIP-320). Epoch and offset are -1 where the
// log knows no epoch as small as the asked one, or none as large. Who asks (replica_id) makes no difference.
#include "api/dispatch.h"
#include "api/node.h"
#include "protocol/messages/offset_for_leader_epoch.h"
#include "replica/replicas.h"

static struct offset_for_leader_epoch_response_epoch_end_offset
answer(struct request *request, struct partition *partition, struct str topic,
       const struct offset_for_leader_epoch_request_offset_for_leader_partition *asked)
{
    struct log_epoch_end end = { -1, -1 };
    enum kafka_error error =
        partition != NULL
            ? partition_epoch_end_offset(partition, asked->current_leader_epoch,
                                         asked->leader_epoch, &end)
            : replicas_why_not_found(request->node->replicas, topic, asked->partition);
    return (struct offset_for_leader_epoch_response_epoch_end_offset){
        .error_code = (int16_t)error,
        .partition = asked->partition,
        .leader_epoch = end.leader_epoch,
        .end_offset = end.end_offset,
    };
}

void handle_offset_for_leader_epoch(struct request *request);

void handle_offset_for_leader_epoch(struct request *request)
{
    const struct offset_for_leader_epoch_request *body = request->body;
    struct offset_for_leader_epoch_response *response = request->response;
    struct replicas *replicas = request->node->replicas;
    response->topics = arena_array(
        &request->arena, struct offset_for_leader_epoch_response_offset_for_leader_topic_result,
        body->topics_count);
    response->topics_count = body->topics_count;
    for (int32_t t = 0; t < body->topics_count; t++) {
        const struct offset_for_leader_epoch_request_offset_for_leader_topic *topic =
            &body->topics[t];
        struct offset_for_leader_epoch_response_offset_for_leader_topic_result *out =
            &response->topics[t];
        out->topic = topic->topic;
        out->partitions =
            arena_array(&request->arena, struct offset_for_leader_epoch_response_epoch_end_offset,
                        topic->partitions_count);
        out->partitions_count = topic->partitions_count;
        struct partition **found =
            arena_array(&request->arena, struct partition *, topic->partitions_count);
        replicas_lock_read(replicas);
        const struct replica_topic *mine = replicas_find_topic(replicas, topic->topic);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            found[p] = replica_topic_partition(mine, topic->partitions[p].partition);
            if (found[p] != NULL)
                partition_ref(found[p]);
        }
        replicas_unlock(replicas);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            out->partitions[p] = answer(request, found[p], topic->topic, &topic->partitions[p]);
            partition_unref(found[p]);
        }
    }
    request_reply(request);
}
