// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// AddPartitionsToTxn, versions 0 to 5. Up to version 3 a producer adds partitions to its transaction; since 4 brokers
// do for many producers at once, or only ask whether they are in it (KIP-890).
//
//     a transaction's partitions ──> one does not exist: its error, OPERATION_NOT_ATTEMPTED for the others
//                                └─> all exist: the coordinator's answer for all of them (verifying: for each)
//
// (1) Kafka keeps the partitions of a batch by transactional id, the last of each. An id that is named twice asks for
//     its last partitions twice; when they are added the answers name its first ones.
// (2) Errors of each partition come from a map: topics and partitions named twice are answered once.
// (3) A batch of nothing is answered; Kafka forgets to.
#include <stdatomic.h>

#include "api/dispatch.h"
#include "api/node.h"
#include "api/partition_set.h"
#include "api/topic_slots.h"
#include "base/hashmap.h"
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
    int32_t answer_count;
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

// ---- answers ---------------------------------------------------------------------------------------

static struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result *
add_topic(struct add_one *one, struct str name, int32_t most)
{
    struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result *topic =
        &one->answer[one->answer_count++];
    topic->name = name;
    topic->results_by_partition = arena_array(
        &one->all->request->arena,
        struct add_partitions_to_txn_response_add_partitions_to_txn_partition_result, most + 1);
    return topic;
}

static void
add_partition(struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result *topic,
              int32_t index, enum kafka_error error)
{
    topic->results_by_partition[topic->results_by_partition_count++] =
        (struct add_partitions_to_txn_response_add_partitions_to_txn_partition_result){
            .partition_index = index, .partition_error_code = (int16_t)error
        };
}

// An answer for each partition as it is named, with an error that comes later.
static void
answer_as_named(struct add_one *one,
                const struct add_partitions_to_txn_request_add_partitions_to_txn_topic *named,
                int32_t count)
{
    one->answer = arena_array(
        &one->all->request->arena,
        struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result, count + 1);
    for (int32_t t = 0; t < count; t++) {
        struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result *topic =
            add_topic(one, named[t].name, named[t].partitions_count);
        for (int32_t p = 0; p < named[t].partitions_count; p++)
            add_partition(topic, named[t].partitions[p], KERR_NONE);
    }
}

static struct topic_slot **slots_of(const struct txn_add *add, struct arena *arena)
{
    struct topic_key *keys = arena_array(arena, struct topic_key, add->topics_count + 1);
    for (int32_t t = 0; t < add->topics_count; t++)
        keys[t] = (struct topic_key){ add->topics[t].name.data, add->topics[t].name.size,
                                      add->topics[t].count };
    return topic_slots(keys, add->topics_count, arena);
}

// (2)
static void answer_each(struct add_one *one)
{
    struct arena *arena = &one->all->request->arena;
    const struct txn_add *add = &one->add;
    struct topic_slot **slots = slots_of(add, arena);
    size_t most = 0, at = 0;
    for (int32_t t = 0; t < add->topics_count; t++)
        most += (size_t)add->topics[t].count;
    one->answer =
        arena_array(arena, struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result,
                    add->topics_count + 1);
    struct partition_name *names = arena_array(arena, struct partition_name, most + 1);
    struct partition_set named;
    partition_set_init(&named, arena, most);
    for (int32_t t = 0; t < add->topics_count; t++) {
        const struct txn_topic *asked = &add->topics[t];
        uint64_t hash = partition_set_hash(&named, asked->name, UUID_ZERO);
        if (asked->count > 0 && slots[t]->place < 0) {
            slots[t]->place = one->answer_count;
            add_topic(one, asked->name, slots[t]->room);
        }
        for (int32_t p = 0; p < asked->count; p++) {
            names[at] = (struct partition_name){ asked->name, UUID_ZERO, asked->partitions[p] };
            if (partition_set_add(&named, &names[at++], hash) == NULL)
                add_partition(&one->answer[slots[t]->place], asked->partitions[p],
                              asked->errors[p]);
        }
    }
}

// ---- one transaction -------------------------------------------------------------------------------

static void on_added(struct completion *completion)
{
    struct add_one *one = container_of(completion, struct add_one, completion);
    enum kafka_error error = one->add.call.error;
    if (error == KERR_PRODUCER_FENCED && one->all->request->api_version < VERSION_FENCED)
        error = KERR_INVALID_PRODUCER_EPOCH;
    for (int32_t t = 0; t < one->answer_count; t++)
        for (int32_t p = 0; p < one->answer[t].results_by_partition_count; p++)
            one->answer[t].results_by_partition[p].partition_error_code = (int16_t)error;
    one_is_done(one->all);
}

// Fills the errors with what the cluster says. True when all partitions exist.
static bool check_existence(struct metadata *metadata, const struct txn_add *add)
{
    bool all_exist = true;
    metadata_lock_read(metadata);
    for (int32_t t = 0; t < add->topics_count; t++) {
        const struct txn_topic *asked = &add->topics[t];
        const struct metadata_topic *topic = metadata_find_topic(metadata, asked->name);
        for (int32_t p = 0; p < asked->count; p++) {
            bool exists =
                topic != NULL && metadata_topic_partition(topic, asked->partitions[p]) != NULL;
            asked->errors[p] =
                exists ? KERR_OPERATION_NOT_ATTEMPTED : KERR_UNKNOWN_TOPIC_OR_PARTITION;
            all_exist &= exists;
        }
    }
    metadata_unlock(metadata);
    return all_exist;
}

static struct add_one *
one_make(struct add_partitions *all, struct txn_add add,
         const struct add_partitions_to_txn_request_add_partitions_to_txn_topic *topics,
         int32_t topics_count)
{
    struct arena *arena = &all->request->arena;
    struct txn_topic *asked = arena_array(arena, struct txn_topic, topics_count + 1);
    for (int32_t t = 0; t < topics_count; t++)
        asked[t] = (struct txn_topic){
            .name = topics[t].name,
            .partitions = topics[t].partitions,
            .count = topics[t].partitions_count,
            .errors = arena_array(arena, enum kafka_error, topics[t].partitions_count + 1),
        };
    struct add_one *one = arena_new(arena, struct add_one);
    one->all = all;
    one->completion.complete = on_added;
    one->add = add;
    one->add.call.completion = &one->completion;
    one->add.topics = asked;
    one->add.topics_count = topics_count;
    one->add.arena = arena;
    return one;
}

// Looks, and when only asked to, verifies: the answer is there then. False: the partitions are to be added.
static bool is_answered(struct add_one *one, bool verify_only)
{
    struct node *node = one->all->request->node;
    bool all_exist = check_existence(node->metadata, &one->add);
    if (all_exist && !verify_only)
        return false;
    if (all_exist)
        txn_coordinator_verify(node->txns, &one->add);
    answer_each(one);
    return true;
}

static void handle_one(struct request *request, struct add_partitions *all)
{
    const struct add_partitions_to_txn_request *body = request->body;
    struct add_partitions_to_txn_response *response = request->response;
    struct txn_add add = { .transactional_id = body->v3_and_below_transactional_id,
                           .producer = { body->v3_and_below_producer_id,
                                         body->v3_and_below_producer_epoch } };
    atomic_init(&all->left, 1);
    struct add_one *one =
        one_make(all, add, body->v3_and_below_topics, body->v3_and_below_topics_count);
    bool is_done = is_answered(one, false);
    if (!is_done)
        answer_as_named(one, body->v3_and_below_topics, body->v3_and_below_topics_count);
    response->results_by_topic_v3_and_below = one->answer;
    response->results_by_topic_v3_and_below_count = one->answer_count;
    if (is_done)
        one_is_done(all);
    else
        txn_coordinator_add(request->node->txns, &one->add);
}

// ---- batches ---------------------------------------------------------------------------------------

static const void *id_key(struct str id)
{
    return id.data != NULL ? id.data : "";
}

static void handle_transaction(
    struct add_partitions *all,
    const struct add_partitions_to_txn_request_add_partitions_to_txn_transaction *asked,
    const struct hashmap *firsts, const struct hashmap *lasts,
    struct add_partitions_to_txn_response_add_partitions_to_txn_result *result)
{
    const struct add_partitions_to_txn_request_add_partitions_to_txn_transaction *
        first = hashmap_find(firsts, id_key(asked->transactional_id), asked->transactional_id.size),
       *last = hashmap_find(lasts, id_key(asked->transactional_id), asked->transactional_id.size);
    struct txn_add add = { .transactional_id = asked->transactional_id,
                           .producer = { asked->producer_id, asked->producer_epoch },
                           .client_version = 2 };
    struct add_one *one = one_make(all, add, last->topics, last->topics_count);
    bool is_done = is_answered(one, asked->verify_only);
    if (!is_done)
        answer_as_named(one, first->topics, first->topics_count);
    result->transactional_id = asked->transactional_id;
    result->topic_results = one->answer;
    result->topic_results_count = one->answer_count;
    if (is_done)
        one_is_done(all);
    else
        txn_coordinator_add(all->request->node->txns, &one->add);
}

static void handle_batch(struct request *request, struct add_partitions *all)
{
    const struct add_partitions_to_txn_request *body = request->body;
    struct add_partitions_to_txn_response *response = request->response;
    atomic_init(&all->left, body->transactions_count + 1);
    response->results_by_transaction = arena_array(
        &request->arena, struct add_partitions_to_txn_response_add_partitions_to_txn_result,
        body->transactions_count + 1);
    response->results_by_transaction_count = body->transactions_count;
    struct hashmap firsts, lasts; // (1)
    hashmap_init(&firsts);
    hashmap_init(&lasts);
    for (int32_t i = body->transactions_count - 1; i >= 0; i--)
        hashmap_put(&firsts, id_key(body->transactions[i].transactional_id),
                    body->transactions[i].transactional_id.size, &body->transactions[i]);
    for (int32_t i = 0; i < body->transactions_count; i++)
        hashmap_put(&lasts, id_key(body->transactions[i].transactional_id),
                    body->transactions[i].transactional_id.size, &body->transactions[i]);
    for (int32_t i = 0; i < body->transactions_count; i++)
        handle_transaction(all, &body->transactions[i], &firsts, &lasts,
                           &response->results_by_transaction[i]);
    hashmap_fini(&firsts);
    hashmap_fini(&lasts);
    one_is_done(all);
}

void handle_add_partitions_to_txn(struct request *request);

void handle_add_partitions_to_txn(struct request *request)
{
    struct add_partitions *all = arena_new(&request->arena, struct add_partitions);
    all->request = request;
    if (request->api_version < VERSION_BATCH)
        handle_one(request, all);
    else
        handle_batch(request, all);
}
