// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// TxnOffsetCommit, versions 0 to 5: offsets of a group that count when the transaction commits (KIP-98, KIP-447).
//
//     request ──> known partitions ──> transaction checked (txn_check.h) ──> group ──┐
//             └─> unknown ones: their error ─────────────────────────────────────────┴──> response
#include "api/dispatch.h"
#include "api/node.h"
#include "api/topic_slots.h"
#include "api/txn_check.h"
#include "group/group_coordinator.h"
#include "log/log.h"
#include "metadata/metadata.h"
#include "protocol/messages/txn_offset_commit.h"
#include "replica/replicas.h"
#include "txn/txn_coordinator.h"

enum { VERSION_LOADING = 2, VERSION_ABORTABLE = 4, VERSION_ADDS = 5 };

struct txn_offset_commit {
    struct completion completion;
    struct request *request;
    struct offset_commit_request
        known; // the partitions that exist, as OffsetCommit would have them
    struct offset_commit_response answered;
    int32_t *known_at;           // which topics of the request the known ones are
    struct topic_slot **slots;   // of the topics of the request; NULL: nothing is unknown
    struct partition *partition; // of __consumer_offsets
    struct txn_check_item check;
    struct coordinator_transaction transaction;
};

// ---- the answer ------------------------------------------------------------------------------------

static struct txn_offset_commit_response_topic *
response_topic_add(struct request *request, struct str name, int32_t partitions)
{
    struct txn_offset_commit_response *response = request->response;
    struct txn_offset_commit_response_topic *out = &response->topics[response->topics_count++];
    out->name = name;
    out->partitions =
        arena_array(&request->arena, struct txn_offset_commit_response_partition, partitions + 1);
    return out;
}

static struct topic_slot **slots_of(struct request *request)
{
    const struct txn_offset_commit_request *body = request->body;
    struct topic_key *keys = arena_array(&request->arena, struct topic_key, body->topics_count + 1);
    for (int32_t i = 0; i < body->topics_count; i++)
        keys[i] = (struct topic_key){ body->topics[i].name.data, body->topics[i].name.size,
                                      body->topics[i].partitions_count };
    return topic_slots(keys, body->topics_count, &request->arena);
}

// The entry of topic `at` of the request, for all partitions that are named of it.
static struct txn_offset_commit_response_topic *response_topic(struct txn_offset_commit *commit,
                                                               int32_t at, struct str name)
{
    struct txn_offset_commit_response *response = commit->request->response;
    if (commit->slots == NULL)
        commit->slots = slots_of(commit->request);
    struct topic_slot *slot = commit->slots[at];
    if (slot->place < 0) {
        slot->place = response->topics_count;
        response_topic_add(commit->request, name, slot->room);
    }
    return &response->topics[slot->place];
}

static void answer(struct txn_offset_commit_response_topic *out, int32_t partition,
                   enum kafka_error error)
{
    out->partitions[out->partitions_count++] =
        (struct txn_offset_commit_response_partition){ .partition_index = partition,
                                                       .error_code = (int16_t)error };
}

// Producers of old do not know that a coordinator loads.
static enum kafka_error client_error(const struct request *request, enum kafka_error error)
{
    return error == KERR_COORDINATOR_LOAD_IN_PROGRESS && request->api_version < VERSION_LOADING
               ? KERR_COORDINATOR_NOT_AVAILABLE
               : error;
}

// What the group says of a known topic. Topics that were named twice stay two, unless some partition was unknown: then
// all is sorted by topic, as in Kafka.
static struct txn_offset_commit_response_topic *
group_topic(struct txn_offset_commit *commit, int32_t known, struct str name, int32_t partitions)
{
    return commit->slots != NULL ? response_topic(commit, commit->known_at[known], name)
                                 : response_topic_add(commit->request, name, partitions);
}

static void refuse_known(struct txn_offset_commit *commit, enum kafka_error error)
{
    struct request *request = commit->request;
    error = client_error(request, error);
    for (int32_t t = 0; t < commit->known.topics_count; t++) {
        const struct offset_commit_request_topic *topic = &commit->known.topics[t];
        struct txn_offset_commit_response_topic *out =
            group_topic(commit, t, topic->name, topic->partitions_count);
        for (int32_t p = 0; p < topic->partitions_count; p++)
            answer(out, topic->partitions[p].partition_index, error);
    }
    request_reply(request);
}

static void on_committed(struct completion *completion)
{
    struct txn_offset_commit *commit =
        container_of(completion, struct txn_offset_commit, completion);
    struct request *request = commit->request;
    for (int32_t t = 0; t < commit->answered.topics_count; t++) {
        const struct offset_commit_response_topic *topic = &commit->answered.topics[t];
        struct txn_offset_commit_response_topic *out =
            group_topic(commit, t, topic->name, topic->partitions_count);
        for (int32_t p = 0; p < topic->partitions_count; p++)
            answer(out, topic->partitions[p].partition_index,
                   client_error(request, (enum kafka_error)topic->partitions[p].error_code));
    }
    request_reply(request);
}

// ---- the request -----------------------------------------------------------------------------------

// Splits one topic of the request, under the metadata lock.
static void take_topic(struct txn_offset_commit *commit, int32_t at,
                       const struct txn_offset_commit_request_topic *topic)
{
    struct request *request = commit->request;
    const struct metadata_topic *found = metadata_find_topic(request->node->metadata, topic->name);
    struct offset_commit_request_topic *known = &commit->known.topics[commit->known.topics_count];
    known->name = topic->name;
    known->topic_id = UUID_ZERO; // Kafka does not store it here
    known->partitions = arena_array(&request->arena, struct offset_commit_request_partition,
                                    topic->partitions_count + 1);
    for (int32_t p = 0; p < topic->partitions_count; p++) {
        const struct txn_offset_commit_request_partition *asked = &topic->partitions[p];
        if (found == NULL || metadata_topic_partition(found, asked->partition_index) == NULL) {
            answer(response_topic(commit, at, topic->name), asked->partition_index,
                   KERR_UNKNOWN_TOPIC_OR_PARTITION);
            continue;
        }
        known->partitions[known->partitions_count++] = (struct offset_commit_request_partition){
            .partition_index = asked->partition_index,
            .committed_offset = asked->committed_offset,
            .committed_leader_epoch = asked->committed_leader_epoch,
            .committed_metadata = asked->committed_metadata,
        };
    }
    if (found == NULL) // also when it has no partitions
        response_topic(commit, at, topic->name);
    if (known->partitions_count > 0)
        commit->known_at[commit->known.topics_count++] = at;
}

static void take_topics(struct txn_offset_commit *commit)
{
    struct request *request = commit->request;
    const struct txn_offset_commit_request *body = request->body;
    struct txn_offset_commit_response *response = request->response;
    response->topics = arena_array(&request->arena, struct txn_offset_commit_response_topic,
                                   body->topics_count + 1);
    commit->known = (struct offset_commit_request){
        .group_id = body->group_id,
        .generation_id_or_member_epoch = body->generation_id,
        .member_id = body->member_id,
        .group_instance_id = body->group_instance_id,
        .retention_time_ms = -1,
        .topics = arena_array(&request->arena, struct offset_commit_request_topic,
                              body->topics_count + 1),
    };
    commit->known_at = arena_array(&request->arena, int32_t, body->topics_count + 1);
    metadata_lock_read(request->node->metadata);
    for (int32_t t = 0; t < body->topics_count; t++)
        take_topic(commit, t, &body->topics[t]);
    metadata_unlock(request->node->metadata);
}

static void on_checked(struct request *request)
{
    const struct txn_offset_commit_request *body = request->body;
    struct txn_offset_commit *commit = request->state;
    partition_unref(commit->partition);
    commit->partition = NULL;
    if (commit->check.error != KERR_NONE) {
        refuse_known(commit, coordinator_client_error(commit->check.error));
        return;
    }
    commit->transaction =
        (struct coordinator_transaction){ .producer_id = body->producer_id,
                                          .producer_epoch = body->producer_epoch,
                                          .verification_guard = commit->check.guard };
    group_coordinator_commit_transactional(request->node->groups, &commit->known,
                                           &commit->transaction, &commit->answered, &request->arena,
                                           &commit->completion);
}

static enum txn_client client_of(const struct request *request)
{
    return request->api_version >= VERSION_ADDS        ? TXN_CLIENT_ADDS
           : request->api_version >= VERSION_ABORTABLE ? TXN_CLIENT_ABORTABLE
                                                       : TXN_CLIENT_OLD;
}

void handle_txn_offset_commit(struct request *request);

void handle_txn_offset_commit(struct request *request)
{
    const struct txn_offset_commit_request *body = request->body;
    struct node *node = request->node;
    struct txn_offset_commit *commit = arena_new(&request->arena, struct txn_offset_commit);
    commit->completion.complete = on_committed;
    commit->request = request;
    request->state = commit;
    take_topics(commit);
    if (commit->known.topics_count == 0) {
        request_reply(request);
        return;
    }
    if (body->group_id.size == 0) {
        refuse_known(commit, KERR_INVALID_GROUP_ID);
        return;
    }
    struct str topic = str_of(GROUP_OFFSETS_TOPIC);
    int32_t index =
        coordinator_partition_for(group_coordinator_engine(node->groups), body->group_id);
    commit->partition = replicas_find(node->replicas, topic, index);
    if (commit->partition == NULL) {
        refuse_known(
            commit, coordinator_client_error(replicas_why_not_found(node->replicas, topic, index)));
        return;
    }
    commit->check = (struct txn_check_item){ .partition = commit->partition, .base_sequence = -1 };
    txn_check(request, body->transactional_id,
              (struct transaction_producer){ body->producer_id, body->producer_epoch },
              client_of(request), &commit->check, 1, on_checked);
}
