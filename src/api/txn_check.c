// SPDX-License-Identifier: Apache-2.0
// Tested by api/txn_test.c.
#include "api/txn_check.h"

#include <stdatomic.h>

#include "api/node.h"
#include "config/config.h"
#include "log/log.h"
#include "metadata/metadata.h"
#include "txn/txn_coordinator.h"

// Who gets there second goes on: the caller of the coordinator, or its answer, which posts the request then.
enum turn { TURN_OPEN, TURN_CALLER_LEFT, TURN_ANSWERED };

struct txn_check {
    struct completion completion;
    struct request *request;
    struct txn_check_item *items;
    int32_t count;
    enum txn_client client;
    struct txn_add add;
    int32_t *partitions;           // of the topics of `add`, in one piece
    struct txn_check_item **asked; // in the same order
    int64_t give_up_us;
    atomic_int turn;
    void (*on_checked)(struct request *request);
};

// ---- answers ---------------------------------------------------------------------------------------

static enum kafka_error client_error(const struct txn_check *check, enum kafka_error error)
{
    if (error == KERR_PRODUCER_FENCED) // what producers expect here
        return KERR_INVALID_PRODUCER_EPOCH;
    if (error == KERR_TRANSACTION_ABORTABLE && check->client == TXN_CLIENT_OLD)
        return KERR_INVALID_TXN_STATE;
    return error;
}

// Kafka looks for the coordinator first.
static enum kafka_error coordinator_error(struct request *request, enum kafka_error error)
{
    if (error != KERR_NOT_COORDINATOR)
        return error;
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    bool is_there = metadata_find_topic(metadata, str_of(TXN_STATE_TOPIC)) != NULL;
    metadata_unlock(metadata);
    return is_there ? KERR_NOT_COORDINATOR : KERR_COORDINATOR_NOT_AVAILABLE;
}

static void end(struct txn_check *check, const enum kafka_error *each, enum kafka_error all)
{
    struct request *request = check->request;
    int32_t at = 0;
    for (int32_t t = 0; t < check->add.topics_count; t++)
        for (int32_t p = 0; p < check->add.topics[t].count; p++, at++)
            check->asked[at]->error =
                client_error(check, coordinator_error(request, each != NULL ? each[at] : all));
    check->on_checked(request);
}

// ---- asking ----------------------------------------------------------------------------------------

static void ask(struct txn_check *check);

static void on_backed_off(struct timer *timer)
{
    struct request *request = container_of(timer, struct request, timer);
    ask(request->txn_check);
}

static void go_on(struct txn_check *check)
{
    struct request *request = check->request;
    int64_t now_us = clock_monotonic_us(request->node->clock);
    if (check->add.call.error == KERR_CONCURRENT_TRANSACTIONS && now_us < check->give_up_us) {
        int32_t backoff_ms =
            config_int(request->node->config, CONFIG_ADD_PARTITIONS_TO_TXN_RETRY_BACKOFF_MS);
        timer_init(&request->timer, on_backed_off);
        request_set_timer(request, now_us + (int64_t)backoff_ms * 1000);
        return;
    }
    end(check, NULL, check->add.call.error);
}

static void on_post(struct request *request)
{
    go_on(request->txn_check);
}

static void on_added(struct completion *completion)
{
    struct txn_check *check = container_of(completion, struct txn_check, completion);
    if (atomic_exchange(&check->turn, TURN_ANSWERED) == TURN_CALLER_LEFT)
        request_post(check->request);
}

static void ask(struct txn_check *check)
{
    struct request *request = check->request;
    atomic_store(&check->turn, TURN_OPEN);
    txn_coordinator_add(request->node->txns, &check->add);
    if (atomic_exchange(&check->turn, TURN_CALLER_LEFT) == TURN_ANSWERED)
        go_on(check);
}

static void verify(struct txn_check *check)
{
    struct request *request = check->request;
    int32_t total = 0;
    for (int32_t t = 0; t < check->add.topics_count; t++)
        total += check->add.topics[t].count;
    enum kafka_error *each = arena_array(&request->arena, enum kafka_error, total + 1);
    struct txn_topic *topics = (struct txn_topic *)(uintptr_t)check->add.topics;
    for (int32_t t = 0, at = 0; t < check->add.topics_count; at += topics[t++].count)
        topics[t].errors = each + at;
    txn_coordinator_verify(request->node->txns, &check->add);
    end(check, each, KERR_NONE);
}

// The items that have a guard, by topic; those of one topic follow each other, as in the requests.
static void collect(struct txn_check *check)
{
    struct arena *arena = &check->request->arena;
    struct txn_topic *topics = arena_array(arena, struct txn_topic, check->count + 1);
    check->partitions = arena_array(arena, int32_t, check->count + 1);
    check->asked = arena_array(arena, struct txn_check_item *, check->count + 1);
    int32_t at = 0;
    for (int32_t i = 0; i < check->count; i++) {
        struct txn_check_item *item = &check->items[i];
        if (item->error != KERR_NONE || item->guard == 0 ||
            item->guard == LOG_VERIFICATION_NOT_REQUIRED)
            continue;
        struct txn_topic *topic = &topics[check->add.topics_count - 1];
        if (check->add.topics_count == 0 || !str_eq(topic->name, item->partition->topic)) {
            topic = &topics[check->add.topics_count++];
            topic->name = item->partition->topic;
            topic->partitions = &check->partitions[at];
        }
        topic->count++;
        check->asked[at] = item;
        check->partitions[at++] = item->partition->index;
    }
    check->add.topics = topics;
}

static void begin_item(struct txn_check_item *item, struct transaction_producer producer,
                       enum txn_client client, bool is_asked)
{
    item->guard = LOG_VERIFICATION_NOT_REQUIRED;
    if (is_asked)
        item->error = partition_begin_verification(item->partition, producer.id, producer.epoch,
                                                   item->base_sequence, client == TXN_CLIENT_ADDS,
                                                   &item->guard);
}

void txn_check(struct request *request, struct str transactional_id,
               struct transaction_producer producer, enum txn_client client,
               struct txn_check_item *items, int32_t count,
               void (*on_checked)(struct request *request))
{
    const struct config *config = request->node->config;
    bool is_asked = client == TXN_CLIENT_ADDS ||
                    config_bool(config, CONFIG_TRANSACTION_PARTITION_VERIFICATION_ENABLE);
    for (int32_t i = 0; i < count; i++)
        if (items[i].partition != NULL && items[i].error == KERR_NONE)
            begin_item(&items[i], producer, client, is_asked);
    struct txn_check *check = arena_new(&request->arena, struct txn_check);
    *check = (struct txn_check){ .completion.complete = on_added,
                                 .request = request,
                                 .items = items,
                                 .count = count,
                                 .client = client,
                                 .on_checked = on_checked };
    request->txn_check = check;
    check->add = (struct txn_add){ .call = { .completion = &check->completion },
                                   .transactional_id = transactional_id,
                                   .producer = producer,
                                   .client_version = client == TXN_CLIENT_ADDS ? 2 : 0,
                                   .arena = &request->arena };
    collect(check);
    if (check->add.topics_count == 0) {
        on_checked(request);
        return;
    }
    int32_t most_ms = config_int(config, CONFIG_ADD_PARTITIONS_TO_TXN_RETRY_BACKOFF_MAX_MS);
    int32_t timeout_ms = config_int(config, CONFIG_REQUEST_TIMEOUT_MS);
    check->give_up_us = clock_monotonic_us(request->node->clock) +
                        (int64_t)(most_ms < timeout_ms ? most_ms : timeout_ms) * 1000;
    request->on_post = on_post;
    if (client == TXN_CLIENT_ADDS)
        ask(check);
    else
        verify(check);
}
