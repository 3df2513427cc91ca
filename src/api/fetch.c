// SPDX-License-Identifier: Apache-2.0
// Fetch, versions 4 to 18: reads from many partitions, and waits while there is too little.
//
//     session (fetch_sessions.h) ──> items ──> find the partitions ──> read each ──> enough? ──> reply
//                                                  ^                              │ no
//                                                  └── woken, or max_wait_ms ── park on all of them
//
// (1) Enough is: min_bytes in all, an error or a diverging epoch in any partition that exists, nothing to read, or no
//     time to wait. Partitions that do not exist do not make a fetch return early; they come last in the reply.
// (2) max_bytes and partition_max_bytes bound what is read, save that the first partition with records gives at least
//     one batch however large, so that a consumer never gets stuck (KIP-74).
// (3) The reply refers to slices of the logs' files, which leave by sendfile: no record is copied. on_free drops the
//     references.
// (4) A fetch of a session looks nothing up: its entries know their partitions. Otherwise one rdlock and one lookup
//     find all partitions of a topic. Reading a partition allocates nothing. One allocation for each time it parks.
// (5) Where batches are may have to be looked up on the disk: a loader does that first, and the request reads again.
// (6) While parked, an append wakes it only when all that was appended since to its partitions adds up to what it
//     lacks (struct parked's missing_bytes).
#include <limits.h>

#include "api/current_leader.h"
#include "api/dispatch.h"
#include "api/fetch_sessions.h"
#include "api/node.h"
#include "api/parked.h"
#include "base/workers.h"
#include "config/config.h"
#include "replica/replicas.h"

enum { FUTURE_REPLICA_ID = -3, ISOLATION_COMMITTED = 1 };

struct fetch_state {
    struct fetch_context context;
    struct partition_reader reader;
    int32_t max_bytes;
    int32_t min_bytes;
    int64_t missing_bytes; // at the last read
    bool is_cold;          // at the last read, the disk had to be asked where some batches are
    struct work load;
    struct request *request;
};

// ---- finding ------------------------------------------------------------------------------------------------

// True for what Kafka calls erroneous: partitions that do not exist, known before any is read.
static bool item_does_not_exist(const struct fetch_item *item)
{
    return item->partition == NULL && (item->result.error == KERR_UNKNOWN_TOPIC_ID ||
                                       item->result.error == KERR_UNKNOWN_TOPIC_OR_PARTITION);
}

static void item_not_found(struct replicas *replicas, struct fetch_item *item,
                           struct partition *former)
{
    enum kafka_error error;
    if (!str_is_null(item->name.topic)) {
        error = replicas_why_not_found(replicas, item->name.topic, item->name.index);
    } else if (former == NULL) {
        error = replicas_why_not_found_by_id(replicas, item->name.topic_id, item->name.index);
    } else {
        // The session has learnt the name of the id; the name may stand for another topic now.
        struct partition *other = replicas_find(replicas, former->topic, item->name.index);
        error = other != NULL ? KERR_INCONSISTENT_TOPIC_ID
                              : replicas_why_not_found(replicas, former->topic, item->name.index);
        partition_unref(other);
    }
    partition_read_failed(&item->result, error);
}

static void items_find(struct request *request, struct fetch_state *state)
{
    struct replicas *replicas = request->node->replicas;
    struct fetch_item *items = state->context.items;
    int32_t count = state->context.items_count;
    for (int32_t first = 0, next; first < count; first = next) {
        next = first + 1;
        if (items[first].partition != NULL && !partition_is_gone(items[first].partition))
            continue;
        const struct partition_name *name = &items[first].name;
        while (next < count && uuid_eq(items[next].name.topic_id, name->topic_id) &&
               str_eq(items[next].name.topic, name->topic))
            next++;
        replicas_lock_read(replicas);
        const struct replica_topic *topic =
            str_is_null(name->topic) ? replicas_find_topic_by_id(replicas, name->topic_id)
                                     : replicas_find_topic(replicas, name->topic);
        for (int32_t i = first; i < next; i++) {
            struct partition *found = replica_topic_partition(topic, items[i].name.index);
            if (found == NULL || found == items[i].partition)
                continue;
            partition_unref(items[i].partition);
            items[i].partition = partition_ref(found);
        }
        replicas_unlock(replicas);
        for (int32_t i = first; i < next; i++) {
            struct partition *former = items[i].partition;
            if (former != NULL && !partition_is_gone(former))
                continue;
            items[i].partition = NULL;
            item_not_found(replicas, &items[i], former);
            partition_unref(former);
        }
    }
}

// ---- reading ------------------------------------------------------------------------------------------------

static void slices_release(struct fetch_context *context)
{
    for (int32_t i = 0; i < context->items_count; i++) {
        disk_file_unref(context->items[i].result.slice.file);
        context->items[i].result.slice = (struct file_slice){ 0 };
    }
}

// Reads all that exist; returns whether something calls for a reply at once, and the bytes.
static bool items_read(struct request *request, struct fetch_state *state, int64_t *bytes)
{
    struct fetch_context *context = &state->context;
    struct partition_woken woken;
    partition_woken_init(&woken);
    int32_t left = state->max_bytes;
    bool at_least_one_batch = true, is_urgent = false, is_any = false;
    *bytes = 0;
    state->is_cold = false;
    for (int32_t i = 0; i < context->items_count; i++) {
        struct fetch_item *item = &context->items[i];
        if (item_does_not_exist(item))
            continue;
        is_any = true;
        if (item->partition == NULL) { // it is another broker's
            is_urgent = true;
            continue;
        }
        int32_t most = item->fetch.max_bytes < left ? item->fetch.max_bytes : left;
        partition_read(item->partition, &state->reader, &item->fetch, most > 0 ? most : 0,
                       at_least_one_batch, &item->result, &woken);
        if (item->result.error == KERR_NOT_LEADER_OR_FOLLOWER && partition_is_gone(item->partition))
            partition_read_failed(&item->result,
                                  replicas_why_not_found(request->node->replicas,
                                                         item->partition->topic, item->name.index));
        // Kafka's exception, where there is something to read.
        if (most < 0 && item->result.error == KERR_NONE &&
            item->fetch.fetch_offset < item->result.end_offset) {
            disk_file_unref(item->result.slice.file);
            partition_read_failed(&item->result, KERR_UNKNOWN_SERVER_ERROR);
        }
        state->is_cold |= item->result.is_cold;
        is_urgent |= item->result.error != KERR_NONE || item->result.diverging_epoch != -1;
        int64_t size = item->result.slice.size;
        if (size > 0)
            at_least_one_batch = false;
        *bytes += size;
        left = size < left ? left - (int32_t)size : 0;
    }
    partition_wake(&woken);
    return is_urgent || !is_any;
}

// ---- the reply ----------------------------------------------------------------------------------------------

static void tell_leader(struct request *request, const struct fetch_item *item,
                        bool is_from_follower, int32_t most,
                        struct fetch_response_partition_data *out)
{
    struct fetch_response *response = request->response;
    struct current_leader leader = current_leader_of(request, item->partition, item->name.topic,
                                                     item->name.topic_id, item->name.index);
    out->current_leader.leader_id = leader.leader_id;
    out->current_leader.leader_epoch = leader.leader_epoch;
    bool is_told = !leader.has_node || is_from_follower;
    for (int32_t n = 0; n < response->node_endpoints_count; n++)
        is_told |= response->node_endpoints[n].node_id == leader.leader_id;
    if (is_told)
        return;
    if (response->node_endpoints == NULL)
        response->node_endpoints =
            arena_array(&request->arena, struct fetch_response_node_endpoint, most);
    response->node_endpoints[response->node_endpoints_count++] =
        (struct fetch_response_node_endpoint){ .node_id = leader.leader_id,
                                               .host = leader.host,
                                               .port = leader.port,
                                               .rack = leader.rack };
}

static void tell_aborted(struct request *request, const struct fetch_state *state,
                         struct fetch_item *item, struct fetch_response_partition_data *out)
{
    // Kafka sends an empty list where partitions do not exist and to read_committed consumers, else null.
    out->aborted_transactions_count = item_does_not_exist(item) ? 0 : -1;
    const struct partition_read *result = &item->result;
    if (state->reader.isolation != READ_COMMITTED || result->error != KERR_NONE ||
        result->diverging_epoch != -1)
        return;
    out->aborted_transactions_count = 0;
    if (result->slice.size == 0)
        return;
    struct log_aborted_transaction *aborted;
    size_t count;
    if (partition_aborted_transactions(item->partition, item->fetch.fetch_offset,
                                       result->end_offset, &request->arena, &aborted,
                                       &count) != KERR_NONE)
        return;
    out->aborted_transactions =
        arena_array(&request->arena, struct fetch_response_aborted_transaction, count);
    out->aborted_transactions_count = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        out->aborted_transactions[i].producer_id = aborted[i].producer_id;
        out->aborted_transactions[i].first_offset = aborted[i].first_offset;
    }
}

static void partition_data_init(struct fetch_response_partition_data *out, int32_t index,
                                enum kafka_error error, const struct partition_read *result)
{
    *out = (struct fetch_response_partition_data){
        .partition_index = index,
        .error_code = (int16_t)error,
        .high_watermark = result->high_watermark,
        .last_stable_offset = result->last_stable_offset,
        .log_start_offset = result->log_start_offset,
        .diverging_epoch = { .epoch = result->diverging_epoch,
                             .end_offset = result->diverging_end_offset },
        .current_leader = { .leader_id = -1, .leader_epoch = -1 },
        .snapshot_id = { .end_offset = -1, .epoch = -1 },
        .preferred_read_replica = -1,
        .records = { .data = (const uint8_t *)"" }, // empty, never null: librdkafka depends on it
    };
}

static void item_answer(struct request *request, const struct fetch_state *state,
                        struct fetch_item *item, struct fetch_response_partition_data *out)
{
    const struct partition_read *result = &item->result;
    enum kafka_error error = result->error;
    // Clients of that age do not know KAFKA_STORAGE_ERROR, and this one makes them ask for metadata too.
    if (error == KERR_KAFKA_STORAGE_ERROR && request->api_version <= 5)
        error = KERR_NOT_LEADER_OR_FOLLOWER;
    partition_data_init(out, item->name.index, error, result);
    if (result->slice.size > 0) {
        out->records.file = result->slice.file;
        out->records.file_position = result->slice.position;
        out->records.size = (int32_t)result->slice.size;
    }
    tell_aborted(request, state, item, out);
    if (request->api_version >= 16 && !item_does_not_exist(item) &&
        (error == KERR_NOT_LEADER_OR_FOLLOWER || error == KERR_FENCED_LEADER_EPOCH))
        tell_leader(request, item, state->context.is_from_follower, state->context.items_count,
                    out);
}

static void add_answers(struct request *request, struct fetch_state *state, const bool *must_reply,
                        bool that_exist, struct fetch_response_partition_data **next)
{
    struct fetch_response *response = request->response;
    struct fetch_context *context = &state->context;
    for (int32_t i = 0; i < context->items_count; i++) {
        struct fetch_item *item = &context->items[i];
        if (!must_reply[i] || item_does_not_exist(item) == that_exist)
            continue;
        struct fetch_response_fetchable_topic_response *topic = NULL;
        if (response->responses_count > 0)
            topic = &response->responses[response->responses_count - 1];
        if (topic == NULL || !uuid_eq(topic->topic_id, item->name.topic_id) ||
            (!str_is_null(item->name.topic) && !str_eq(topic->topic, item->name.topic))) {
            topic = &response->responses[response->responses_count++];
            topic->topic = str_is_null(item->name.topic) ? (struct str){ "", 0 } : item->name.topic;
            topic->topic_id = item->name.topic_id;
            topic->partitions = *next;
        }
        item_answer(request, state, item, (*next)++);
        topic->partitions_count++;
    }
}

static void reply(struct request *request, struct fetch_state *state)
{
    struct fetch_response *response = request->response;
    struct fetch_context *context = &state->context;
    bool *must_reply;
    enum kafka_error error;
    fetch_context_close(context, request->node->fetch_sessions, &request->arena,
                        &response->session_id, &error, &must_reply);
    response->error_code = (int16_t)error;
    int32_t partitions = 0, topics = 0;
    for (int32_t i = 0; i < context->items_count; i++)
        partitions += must_reply[i];
    topics = partitions; // at most
    response->responses =
        arena_array(&request->arena, struct fetch_response_fetchable_topic_response, topics);
    struct fetch_response_partition_data *next = arena_alloc(
        &request->arena, (size_t)partitions * sizeof(struct fetch_response_partition_data) + 1);
    add_answers(request, state, must_reply, true, &next);
    add_answers(request, state, must_reply, false, &next);
    request_reply(request);
}

// As Kafka upon an exception: every partition of the request with the error, since version 13 none.
static void refuse(struct request *request, enum kafka_error error)
{
    const struct fetch_request *body = request->body;
    struct fetch_response *response = request->response;
    response->error_code = (int16_t)error;
    response->session_id = body->session_id;
    if (request->api_version < 13) {
        response->responses = arena_array(
            &request->arena, struct fetch_response_fetchable_topic_response, body->topics_count);
        response->responses_count = body->topics_count;
    }
    for (int32_t t = 0; t < response->responses_count; t++) {
        const struct fetch_request_fetch_topic *topic = &body->topics[t];
        struct fetch_response_fetchable_topic_response *out = &response->responses[t];
        out->topic = topic->topic;
        out->partitions_count = topic->partitions_count;
        out->partitions = arena_array(&request->arena, struct fetch_response_partition_data,
                                      topic->partitions_count);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            struct partition_read failed;
            partition_read_failed(&failed, error);
            partition_data_init(&out->partitions[p], topic->partitions[p].partition, error,
                                &failed);
        }
    }
    request_reply(request);
}

// ---- the request --------------------------------------------------------------------------------------------

static void on_free(struct request *request)
{
    struct fetch_state *state = request->state;
    slices_release(&state->context);
    fetch_context_release(&state->context);
}

// Reads; replies when there is enough or the wait is over. False: it has to wait, or to load.
static bool try_reply(struct request *request, struct fetch_state *state, bool is_over)
{
    slices_release(&state->context);
    int64_t bytes;
    bool is_urgent = items_read(request, state, &bytes);
    state->missing_bytes = state->min_bytes - bytes;
    if (state->is_cold)
        return false;
    if (!is_over && !is_urgent && state->missing_bytes > 0)
        return false;
    if (request->parked != NULL)
        parked_end(request->parked);
    reply(request, state);
    return true;
}

static void wait_on(struct request *request, struct fetch_state *state)
{
    struct parked *parked = request->parked;
    do {
        // What is appended from the last read on counts: nobody subtracts from it until they are linked again.
        parked_take_off(parked);
        atomic_store(&parked->missing_bytes, state->missing_bytes);
        for (int32_t i = 0; i < state->context.items_count; i++) {
            const struct fetch_item *item = &state->context.items[i];
            struct partition_waiter *waiter = &parked->waiters[i];
            waiter->partition = item->partition;
            waiter->kind = PARTITION_WAIT_FOR_DATA;
            waiter->isolation = state->reader.isolation;
            waiter->offset = item->result.end_offset;
            waiter->changes = item->result.changes;
        }
    } while (!parked_wait(parked) && !try_reply(request, state, false));
}

static void look(struct request *request, enum parked_reason reason)
{
    struct fetch_state *state = request->state;
    if (!try_reply(request, state, reason == PARKED_EXPIRED))
        wait_on(request, state);
}

// The first read, which goes to where the consumer is: that may be anywhere. Later ones look for what has just been
// appended.
static void begin(struct request *request, struct fetch_state *state)
{
    const struct fetch_request *body = request->body;
    bool is_replied = try_reply(request, state, body->max_wait_ms <= 0);
    state->reader.only_cached = false;
    if (is_replied)
        return;
    if (state->is_cold) {
        workers_submit(request->node->loaders, &state->load);
        return;
    }
    int64_t deadline_us =
        clock_monotonic_us(request->node->clock) + (int64_t)body->max_wait_ms * 1000;
    parked_new(request, state->context.items_count, deadline_us, look);
    wait_on(request, state);
}

static void on_loaded(struct request *request)
{
    begin(request, request->state);
}

// On a loader's thread, while nobody else touches the request: what is read here is in memory when it is read again.
static void run_load(struct work *work)
{
    struct fetch_state *state = container_of(work, struct fetch_state, load);
    struct partition_woken woken;
    partition_woken_init(&woken);
    for (int32_t i = 0; i < state->context.items_count; i++) {
        const struct fetch_item *item = &state->context.items[i];
        if (item->partition == NULL || !item->result.is_cold)
            continue;
        struct partition_read found;
        partition_read(item->partition, &state->reader, &item->fetch, item->fetch.max_bytes, true,
                       &found, &woken);
        disk_file_unref(found.slice.file);
    }
    partition_wake(&woken);
    request_post(state->request);
}

static void reader_init_from(struct fetch_state *state, const struct request *request)
{
    const struct fetch_request *body = request->body;
    int32_t replica_id = body->replica_id != -1 ? body->replica_id : body->replica_state.replica_id;
    bool is_consumer = replica_id < 0 && replica_id != FUTURE_REPLICA_ID;
    state->reader.replica_id = replica_id;
    state->reader.isolation = !is_consumer                                   ? READ_TO_LOG_END
                              : body->isolation_level == ISOLATION_COMMITTED ? READ_COMMITTED
                                                                             : READ_UNCOMMITTED;
    // Since version 11 a consumer may read from any replica (KIP-392).
    state->reader.is_leader_required =
        replica_id >= 0 || (is_consumer && request->api_version < 11);
    state->reader.only_cached = request->node->loaders != NULL;
}

void handle_fetch(struct request *request);

void handle_fetch(struct request *request)
{
    const struct fetch_request *body = request->body;
    struct fetch_state *state = arena_new(&request->arena, struct fetch_state);
    request->state = state;
    request->on_free = on_free;
    request->on_post = on_loaded;
    state->request = request;
    state->load.run = run_load;
    reader_init_from(state, request);
    fetch_context_open(&state->context, request->node->fetch_sessions, body, request->api_version,
                       state->reader.replica_id >= 0, &request->arena);
    int32_t most = config_int(request->node->config, CONFIG_FETCH_MAX_BYTES);
    state->max_bytes = body->max_bytes < most ? body->max_bytes : most;
    state->min_bytes = body->min_bytes < state->max_bytes ? body->min_bytes : state->max_bytes;
    if (state->context.kind == FETCH_CONTEXT_REFUSED &&
        state->context.error == KERR_UNKNOWN_SERVER_ERROR) {
        refuse(request, KERR_UNKNOWN_SERVER_ERROR);
        return;
    }
    items_find(request, state);
    if (body->isolation_level != 0 && body->isolation_level != ISOLATION_COMMITTED) {
        refuse(request, KERR_UNKNOWN_SERVER_ERROR);
        return;
    }
    begin(request, state);
}
