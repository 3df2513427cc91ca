// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// AddPartitionsToTxn, versions 0 to 5. Up to version 3 a producer adds partitions to its transaction; since 4 brokers
// do for many producers at once, or only ask whether they are in it (KIP-890).
//
//     a transaction's partitions ──> one does not exist: its error, OPERATION_NOT_ATTEMPTED for the others
//                                └─> all exist: the coordinator's answer for all of them (verifying: for each)
#include <stdatomic.h>

#include "api/dispatch.h"
#include "api/node.h"
#include "metadata/metadata.h"
#include "protocol/messages/add_partitions_to_txn.h"
#include "txn/txn_coordinator.h"

enum { VERSION_FENCED = 2, VERSION_BATCH = 4 };

struct add_partitions;

struct add_one {
    struct completion completion;
    struct add_partitions *all;
    struct txn_add add;
    struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result *answer;
    bool verify_only;
};

struct add_partitions {
    struct request *request;
    atomic_int left; // transactions, and one for the handler
};

static void one_is_done(struct add_partitions *all)
{
    if (atomic_fetch_sub(&all->left, 1) == 1)
        request_reply(all->request);
}

static void on_added(struct completion *completion)
{
    struct add_one *one = container_of(completion, struct add_one, completion);
    enum kafka_error error = one->add.call.error;
    if (error == KERR_PRODUCER_FENCED && one->all->request->api_version < VERSION_FENCED)
        error = KERR_INVALID_PRODUCER_EPOCH;
    for (int32_t t = 0; t < one->add.topics_count; t++)
        for (int32_t p = 0; p < one->add.topics[t].count; p++)
            one->answer[t].results_by_partition[p].partition_error_code = (int16_t)error;
    one_is_done(one->all);
}

// Fills the answer with what the cluster says. True when all partitions exist.
static bool
check_existence(struct request *request, const struct txn_add *add,
                struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result *answer)
{
    struct metadata *metadata = request->node->metadata;
    bool all_exist = true;
    metadata_lock_read(metadata);
    for (int32_t t = 0; t < add->topics_count; t++) {
        const struct txn_topic *asked = &add->topics[t];
        const struct metadata_topic *topic = metadata_find_topic(metadata, asked->name);
        answer[t].name = asked->name;
        answer[t].results_by_partition_count = asked->count;
        answer[t].results_by_partition = arena_array(
            &request->arena,
            struct add_partitions_to_txn_response_add_partitions_to_txn_partition_result,
            asked->count + 1);
        for (int32_t p = 0; p < asked->count; p++) {
            bool exists =
                topic != NULL && metadata_topic_partition(topic, asked->partitions[p]) != NULL;
            answer[t].results_by_partition[p] =
                (struct add_partitions_to_txn_response_add_partitions_to_txn_partition_result){
                    .partition_index = asked->partitions[p],
                    .partition_error_code =
                        exists ? KERR_OPERATION_NOT_ATTEMPTED : KERR_UNKNOWN_TOPIC_OR_PARTITION,
                };
            all_exist &= exists;
        }
    }
    metadata_unlock(metadata);
    return all_exist;
}

static void verify(struct add_one *one)
{
    struct request *request = one->all->request;
    txn_coordinator_verify(request->node->txns, &one->add);
    for (int32_t t = 0; t < one->add.topics_count; t++)
        for (int32_t p = 0; p < one->add.topics[t].count; p++)
            one->answer[t].results_by_partition[p].partition_error_code =
                (int16_t)one->add.topics[t].errors[p];
    one_is_done(one->all);
}

static struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result *
add_one(struct add_partitions *all, struct txn_add add,
        struct add_partitions_to_txn_request_add_partitions_to_txn_topic *topics,
        int32_t topics_count, bool verify_only)
{
    struct request *request = all->request;
    struct txn_topic *asked = arena_array(&request->arena, struct txn_topic, topics_count + 1);
    for (int32_t t = 0; t < topics_count; t++)
        asked[t] = (struct txn_topic){
            .name = topics[t].name,
            .partitions = topics[t].partitions,
            .count = topics[t].partitions_count,
            .errors =
                arena_array(&request->arena, enum kafka_error, topics[t].partitions_count + 1),
        };
    struct add_one *one = arena_new(&request->arena, struct add_one);
    one->all = all;
    one->completion.complete = on_added;
    one->verify_only = verify_only;
    one->answer = arena_array(
        &request->arena, struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result,
        topics_count + 1);
    one->add = add;
    one->add.call.completion = &one->completion;
    one->add.topics = asked;
    one->add.topics_count = topics_count;
    one->add.arena = &request->arena;
    struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result *answer = one->answer;
    if (!check_existence(request, &one->add, answer))
        one_is_done(all);
    else if (verify_only)
        verify(one);
    else
        txn_coordinator_add(request->node->txns, &one->add);
    return answer;
}

void handle_add_partitions_to_txn(struct request *request);

void handle_add_partitions_to_txn(struct request *request)
{
    const struct add_partitions_to_txn_request *body = request->body;
    struct add_partitions_to_txn_response *response = request->response;
    struct add_partitions *all = arena_new(&request->arena, struct add_partitions);
    all->request = request;
    if (request->api_version < VERSION_BATCH) {
        atomic_init(&all->left, 2);
        struct txn_add add = { .transactional_id = body->v3_and_below_transactional_id,
                               .producer = { body->v3_and_below_producer_id,
                                             body->v3_and_below_producer_epoch } };
        response->results_by_topic_v3_and_below_count = body->v3_and_below_topics_count;
        response->results_by_topic_v3_and_below =
            add_one(all, add, body->v3_and_below_topics, body->v3_and_below_topics_count, false);
        one_is_done(all);
        return;
    }
    atomic_init(&all->left, body->transactions_count + 1);
    response->results_by_transaction = arena_array(
        &request->arena, struct add_partitions_to_txn_response_add_partitions_to_txn_result,
        body->transactions_count + 1);
    response->results_by_transaction_count = body->transactions_count;
    for (int32_t i = 0; i < body->transactions_count; i++) {
        const struct add_partitions_to_txn_request_add_partitions_to_txn_transaction *asked =
            &body->transactions[i];
        struct txn_add add = { .transactional_id = asked->transactional_id,
                               .producer = { asked->producer_id, asked->producer_epoch },
                               .client_version = 2 };
        response->results_by_transaction[i].transactional_id = asked->transactional_id;
        response->results_by_transaction[i].topic_results_count = asked->topics_count;
        response->results_by_transaction[i].topic_results =
            add_one(all, add, asked->topics, asked->topics_count, asked->verify_only);
    }
    one_is_done(all);
}
