// SPDX-License-Identifier: Apache-2.0
// Listing and describing transactions (KIP-664, KIP-994, KIP-1152): entry points of txn_coordinator.h that only read.
// Tested by txn/txn_coordinator_test.c.
#include "base/pattern.h"
#include "txn/txn_coordinator.h"

// ---- describing ------------------------------------------------------------------------------------

static void describe(const struct transaction *transaction,
                     struct describe_transactions_response_transaction_state *out,
                     struct arena *arena)
{
    out->producer_id = transaction->now.producer_id;
    out->producer_epoch = transaction->now.producer_epoch;
    out->transaction_state = str_of(transaction_state_name(transaction->now.state));
    out->transaction_timeout_ms = transaction->now.timeout_ms;
    out->transaction_start_time_ms = transaction->now.start_ms;
    const struct transaction_partitions *set = &transaction->partitions;
    out->topics =
        arena_array(arena, struct describe_transactions_response_topic_data, set->count + 1);
    out->topics_count = (int32_t)set->count;
    for (size_t i = 0; i < set->count; i++)
        out->topics[i] = (struct describe_transactions_response_topic_data){
            .topic = arena_str(arena, set->topics[i].name),
            .partitions = arena_dup(arena, set->topics[i].partitions,
                                    set->topics[i].count * sizeof *set->topics[i].partitions),
            .partitions_count = (int32_t)set->topics[i].count,
        };
}

void txn_coordinator_describe(struct txn_coordinator *txns, struct str transactional_id,
                              struct describe_transactions_response_transaction_state *response,
                              struct arena *arena)
{
    response->transactional_id = transactional_id;
    if (transactional_id.size == 0) {
        response->error_code = KERR_INVALID_REQUEST;
        return;
    }
    struct coordinator *engine = txn_coordinator_engine(txns);
    struct coordinator_shard *shard =
        coordinator_shard_at(engine, coordinator_partition_for(engine, transactional_id));
    enum kafka_error error;
    struct txn_shard *state = coordinator_enter(shard, &error);
    if (state == NULL) {
        response->error_code = (int16_t)error;
        return;
    }
    const struct transaction *transaction = txn_shard_find(state, transactional_id);
    if (transaction != NULL)
        describe(transaction, response, arena);
    else
        response->error_code = KERR_TRANSACTIONAL_ID_NOT_FOUND;
    coordinator_exit(shard);
}

// ---- listing ---------------------------------------------------------------------------------------

struct filter {
    const struct list_transactions_request *request;
    bool states[TRANSACTION_STATES];
    struct pattern *pattern; // or NULL
    int64_t now_ms;
};

static bool has_producer_id(const struct list_transactions_request *request, int64_t producer_id)
{
    for (int32_t i = 0; i < request->producer_id_filters_count; i++)
        if (request->producer_id_filters[i] == producer_id)
            return true;
    return request->producer_id_filters_count == 0;
}

static bool is_listed(const struct filter *filter, const struct transaction *transaction)
{
    const struct list_transactions_request *request = filter->request;
    const struct transaction_fields *now = &transaction->now;
    if (!has_producer_id(request, now->producer_id))
        return false;
    if (request->state_filters_count > 0 && !filter->states[now->state])
        return false;
    if (request->duration_filter >= 0 && filter->now_ms - now->start_ms <= request->duration_filter)
        return false;
    return filter->pattern == NULL || pattern_matches(filter->pattern, transaction->id);
}

static void list_shard(const struct filter *filter, struct txn_shard *state,
                       struct list_transactions_response *response, size_t *capacity,
                       struct arena *arena)
{
    struct transaction *transaction;
    for (size_t i = 0; (transaction = hashmap_next(&state->transactions, &i)) != NULL;) {
        if (!is_listed(filter, transaction))
            continue;
        if ((size_t)response->transaction_states_count == *capacity) {
            struct list_transactions_response_transaction_state *more = arena_array(
                arena, struct list_transactions_response_transaction_state, *capacity * 2 + 16);
            if (*capacity > 0)
                memcpy(more, response->transaction_states, *capacity * sizeof *more);
            response->transaction_states = more;
            *capacity = *capacity * 2 + 16;
        }
        response->transaction_states[response->transaction_states_count++] =
            (struct list_transactions_response_transaction_state){
                .transactional_id = arena_str(arena, transaction->id),
                .producer_id = transaction->now.producer_id,
                .transaction_state = str_of(transaction_state_name(transaction->now.state)),
            };
    }
}

// Names of states that there are not are told, once each, and match nothing.
static void read_states(struct filter *filter, struct list_transactions_response *response,
                        struct arena *arena)
{
    const struct list_transactions_request *request = filter->request;
    response->unknown_state_filters =
        arena_array(arena, struct str, request->state_filters_count + 1);
    struct hashmap unknown;
    hashmap_init(&unknown);
    for (int32_t i = 0; i < request->state_filters_count; i++) {
        int state = 0;
        while (state < TRANSACTION_STATES &&
               !str_eqz(request->state_filters[i],
                        transaction_state_name((enum transaction_state)state)))
            state++;
        if (state < TRANSACTION_STATES)
            filter->states[state] = true;
        else if (hashmap_put(&unknown, request->state_filters[i].data,
                             request->state_filters[i].size, filter) == NULL)
            response->unknown_state_filters[response->unknown_state_filters_count++] =
                request->state_filters[i];
    }
    hashmap_fini(&unknown);
}

void txn_coordinator_list(struct txn_coordinator *txns,
                          const struct list_transactions_request *request,
                          struct list_transactions_response *response, struct arena *arena)
{
    struct filter filter = { .request = request };
    if (request->transactional_id_pattern.size > 0) {
        filter.pattern = pattern_compile(request->transactional_id_pattern, NULL);
        if (filter.pattern == NULL) {
            response->error_code = KERR_INVALID_REGULAR_EXPRESSION;
            return;
        }
    }
    read_states(&filter, response, arena);
    struct coordinator *engine = txn_coordinator_engine(txns);
    size_t capacity = 0;
    bool is_loading = false;
    for (int32_t i = 0; i < coordinator_partition_count(engine) && !is_loading; i++) {
        struct coordinator_shard *shard = coordinator_shard_at(engine, i);
        enum kafka_error error;
        struct txn_shard *state = coordinator_enter(shard, &error);
        is_loading = state == NULL && error == KERR_COORDINATOR_LOAD_IN_PROGRESS;
        if (state == NULL)
            continue;
        filter.now_ms = coordinator_wall_ms(shard);
        list_shard(&filter, state, response, &capacity, arena);
        coordinator_exit(shard);
    }
    pattern_free(filter.pattern);
    if (!is_loading)
        return;
    response->error_code = KERR_COORDINATOR_LOAD_IN_PROGRESS;
    response->transaction_states_count = 0;
    response->unknown_state_filters_count = 0;
}
