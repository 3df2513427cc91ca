// SPDX-License-Identifier: Apache-2.0
// Produce, versions 3 to 13: appends what a producer sends, one batch for each partition.
//
//     check all ──> find the partitions ──> append each (the frame's bytes go to the file as they are)
//         │                                    │ more requests are here: the write waits for them, this for the write
//         │                                    │ acks 0: no reply; an error closes the connection
//         │ malformed: all fail                │ acks 1: reply, when what flush.messages wants synced is
//         │                                    └ acks -1: reply when the high watermark has passed all of them,
//         v                                               or REQUEST_TIMED_OUT for those it has not
//
// (1) Nothing is allocated but the reply's arrays, in the request's arena; one rdlock and one lookup find all
//     partitions of a topic.
// (2) With one in-sync replica, and no flush due, the high watermark has passed when the append returns: nothing parks.
// (3) A batch that cannot be taken apart fails the whole request (Kafka finds it while it looks for transactions,
//     before it looks at partitions); everything else fails its partition.
//
// Transactions: before the first batch of one is appended to a partition, its coordinator is asked (txn_check.h); the
// guard that this brings goes with the append. Other producers pay one comparison for it.
#include "api/current_leader.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "api/parked.h"
#include "api/partition_set.h"
#include "api/txn_check.h"
#include "base/trace.h"
#include "protocol/messages/produce.h"
#include "record/batch.h"
#include "replica/replicas.h"

#define ADMIN_CLIENT_ID "__admin_client"

struct produce_item {
    struct partition_name name;
    struct bytes records;
    struct produce_response_partition_produce_response *answer;
    struct partition *partition; // counted, or NULL
    int64_t end_offset;   // what has to be committed (acks -1) or synced (acks 1); -1: nothing
    int64_t gathered_end; // what has to be written; -1: nothing
    int32_t size_bytes;   // of the batch
    uint64_t guard;       // of a transactional batch
    unsigned changes;
};

struct produce_state {
    struct produce_item *items;
    int32_t count;
    struct txn_check_item *checks; // one for each item, of a transactional producer
};

static void answer_init(struct produce_response_partition_produce_response *answer, int32_t index,
                        enum kafka_error error)
{
    *answer = (struct produce_response_partition_produce_response){
        .index = index,
        .error_code = (int16_t)error,
        .base_offset = -1,
        .log_append_time_ms = -1,
        .log_start_offset = -1,
        .current_leader = { .leader_id = -1, .leader_epoch = -1 },
    };
}

static void state_release(struct produce_state *state)
{
    for (int32_t i = 0; i < state->count; i++) {
        partition_unref(state->items[i].partition);
        state->items[i].partition = NULL;
    }
}

// ---- the whole request --------------------------------------------------------------------------------------

// Fails every partition in the same way, as Kafka does upon an exception. The message, which may be NULL, stays.
static void refuse(struct request *request, enum kafka_error error, const char *message)
{
    const struct produce_request *body = request->body;
    struct produce_response *response = request->response;
    if (body->acks == 0) {
        request_close(request, kafka_error_name(error));
        return;
    }
    response->responses = arena_array(
        &request->arena, struct produce_response_topic_produce_response, body->topic_data_count);
    response->responses_count = body->topic_data_count;
    for (int32_t t = 0; t < body->topic_data_count; t++) {
        const struct produce_request_topic_produce_data *topic = &body->topic_data[t];
        struct produce_response_topic_produce_response *out = &response->responses[t];
        out->name = topic->name;
        out->topic_id = topic->topic_id;
        out->partition_responses_count = topic->partition_data_count;
        out->partition_responses =
            arena_array(&request->arena, struct produce_response_partition_produce_response,
                        topic->partition_data_count);
        for (int32_t p = 0; p < topic->partition_data_count; p++) {
            answer_init(&out->partition_responses[p], topic->partition_data[p].index, error);
            out->partition_responses[p].error_message = str_of(message);
        }
    }
    request_reply(request);
}

static struct bytes records_of(const struct produce_request_partition_produce_data *partition)
{
    return partition->records.size > 0
               ? (struct bytes){ partition->records.data, (size_t)partition->records.size }
               : (struct bytes){ (const uint8_t *)"", 0 };
}

static bool is_transactional(struct bytes records)
{
    struct bytes batch;
    while (batch_next(&records, &batch) == BATCH_FOUND)
        if (batch.size >= BATCH_HEADER_SIZE && batch_magic(batch.data) == BATCH_MAGIC &&
            batch_is_transactional(batch.data))
            return true;
    return false;
}

// (3): false, and answered, when the request fails as a whole.
static bool check_batches(struct request *request)
{
    const struct produce_request *body = request->body;
    for (int32_t t = 0; t < body->topic_data_count; t++) {
        for (int32_t p = 0; p < body->topic_data[t].partition_data_count; p++) {
            struct bytes rest = records_of(&body->topic_data[t].partition_data[p]), batch;
            enum batch_walk walk;
            while ((walk = batch_next(&rest, &batch)) == BATCH_FOUND)
                if (batch_magic(batch.data) == BATCH_MAGIC && batch.size < BATCH_HEADER_SIZE)
                    break;
            if (walk == BATCH_END)
                continue;
            const char *why;
            if (walk == BATCH_FOUND) { // shorter than its header: Kafka stumbles over it
                refuse(request, KERR_UNKNOWN_SERVER_ERROR, NULL);
                return false;
            }
            if (batch_size_field(rest.data) < BATCH_MIN_SIZE_FIELD)
                why = arena_printf(&request->arena,
                                   "Record size %d is less than the minimum record overhead (%d)",
                                   batch_size_field(rest.data), BATCH_MIN_SIZE_FIELD);
            else
                why = arena_printf(&request->arena, "Invalid magic found in record: %d",
                                   batch_magic(rest.data));
            refuse(request, KERR_CORRUPT_MESSAGE, why);
            return false;
        }
    }
    if (!str_is_null(body->transactional_id))
        return true;
    for (int32_t t = 0; t < body->topic_data_count; t++) {
        for (int32_t p = 0; p < body->topic_data[t].partition_data_count; p++) {
            if (is_transactional(records_of(&body->topic_data[t].partition_data[p]))) {
                refuse(request, KERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NULL);
                return false;
            }
        }
    }
    return true;
}

// ---- each partition -----------------------------------------------------------------------------------------

// Finds the partitions and lays out the reply. A partition that is named twice is written once, as it stands last.
static void items_make(struct request *request, struct produce_state *state)
{
    const struct produce_request *body = request->body;
    struct produce_response *response = request->response;
    struct replicas *replicas = request->node->replicas;
    bool by_id = request->api_version >= 13;
    size_t most = 0;
    for (int32_t t = 0; t < body->topic_data_count; t++)
        most += (size_t)body->topic_data[t].partition_data_count;
    state->items = arena_array(&request->arena, struct produce_item, most);
    response->responses = arena_array(
        &request->arena, struct produce_response_topic_produce_response, body->topic_data_count);
    response->responses_count = body->topic_data_count;
    struct partition_set named;
    partition_set_init(&named, &request->arena, most);

    for (int32_t t = 0; t < body->topic_data_count; t++) {
        const struct produce_request_topic_produce_data *topic = &body->topic_data[t];
        struct produce_response_topic_produce_response *out = &response->responses[t];
        out->name = topic->name;
        out->topic_id = topic->topic_id;
        out->partition_responses =
            arena_array(&request->arena, struct produce_response_partition_produce_response,
                        topic->partition_data_count);
        struct partition_name name = { by_id ? STR_NULL : topic->name,
                                       by_id ? topic->topic_id : UUID_ZERO, 0 };
        uint64_t hash = partition_set_hash(&named, name.topic, name.topic_id);
        replicas_lock_read(replicas);
        const struct replica_topic *found =
            by_id ? replicas_find_topic_by_id(replicas, topic->topic_id)
                  : replicas_find_topic(replicas, topic->name);
        for (int32_t p = 0; p < topic->partition_data_count; p++) {
            struct produce_item *item = &state->items[state->count];
            name.index = topic->partition_data[p].index;
            item->name = name;
            const struct partition_name *same = partition_set_add(&named, &item->name, hash);
            if (same != NULL) {
                item = container_of((struct partition_name *)(uintptr_t)same, struct produce_item,
                                    name);
                item->records = records_of(&topic->partition_data[p]);
                continue;
            }
            state->count++;
            item->records = records_of(&topic->partition_data[p]);
            item->end_offset = item->gathered_end = -1;
            item->answer = &out->partition_responses[out->partition_responses_count++];
            answer_init(item->answer, name.index, KERR_NONE);
            struct partition *partition = replica_topic_partition(found, name.index);
            if (partition != NULL)
                item->partition = partition_ref(partition);
        }
        replicas_unlock(replicas);
    }
}

// Asked before whether the partition is here, as in Kafka.
static bool is_forbidden(const struct request *request, bool is_internal)
{
    return is_internal && !str_eqz(request->client_id, ADMIN_CLIENT_ID);
}

static bool are_acks_valid(const struct produce_request *body)
{
    return body->acks >= -1 && body->acks <= 1;
}

// What is known without asking the log.
static enum kafka_error item_check(struct request *request, const struct produce_item *item)
{
    const struct produce_request *body = request->body;
    struct replicas *replicas = request->node->replicas;
    enum kafka_error missing = KERR_NONE;
    if (item->partition == NULL) {
        missing =
            str_is_null(item->name.topic)
                ? replicas_why_not_found_by_id(replicas, item->name.topic_id, item->name.index)
                : replicas_why_not_found(replicas, item->name.topic, item->name.index);
        if (missing != KERR_NOT_LEADER_OR_FOLLOWER)
            return missing;
    }
    enum kafka_error error = batch_check_produce(item->records, request->api_version);
    if (error != KERR_NONE)
        return error;
    if (missing == KERR_NONE)
        return KERR_NONE;
    if (!are_acks_valid(body))
        return KERR_INVALID_REQUIRED_ACKS;
    return is_forbidden(request,
                        replicas_is_internal(replicas, item->name.topic, item->name.topic_id))
               ? KERR_INVALID_TOPIC_EXCEPTION
               : missing;
}

static struct str client_message(struct arena *arena, const char *message)
{
    return message == NULL ? STR_NULL : arena_strz(arena, message);
}

// Kafka tells where the log starts with those errors alone that it did not expect.
static bool error_tells_log_start(enum kafka_error error)
{
    switch (error) {
    case KERR_UNKNOWN_TOPIC_OR_PARTITION:
    case KERR_NOT_LEADER_OR_FOLLOWER:
    case KERR_MESSAGE_TOO_LARGE:
    case KERR_RECORD_LIST_TOO_LARGE:
    case KERR_CORRUPT_MESSAGE:
    case KERR_KAFKA_STORAGE_ERROR:
    case KERR_UNKNOWN_TOPIC_ID:
        return false;
    default:
        return true;
    }
}

static void item_append(struct request *request, struct produce_item *item,
                        struct partition_woken *woken)
{
    const struct produce_request *body = request->body;
    struct arena *arena = &request->arena;
    struct produce_response_partition_produce_response *answer = item->answer;
    // The coordinator was asked before: what it refuses is answered, what it adds stays in the transaction.
    if (!are_acks_valid(body)) {
        answer->error_code = KERR_INVALID_REQUIRED_ACKS;
        return;
    }
    if (is_forbidden(request, item->partition->is_internal)) {
        answer->error_code = KERR_INVALID_TOPIC_EXCEPTION;
        return;
    }
    struct log_append_result result;
    struct log_append_transaction transaction = { item->guard, 0 };
    item->changes = partition_changes(item->partition);
    enum kafka_error error = partition_append_transactional(
        item->partition, item->records, body->acks, -1,
        request->is_followed ? LOG_APPEND_GATHERED : LOG_APPEND_CLIENT, &transaction, arena,
        &result, woken);
    answer->error_code = (int16_t)error;
    if (error == KERR_NONE) {
        answer->base_offset = result.first_offset;
        answer->log_append_time_ms = result.log_append_time;
        answer->log_start_offset = result.log_start_offset;
        if (body->acks == -1 || (body->acks == 1 && result.is_flush_due))
            item->end_offset = result.last_offset + 1;
        if (result.is_gathered) {
            item->gathered_end = result.last_offset + 1;
            item->size_bytes = result.size_bytes;
        }
        return;
    }
    if (error_tells_log_start(error))
        answer->log_start_offset = partition_log_start_offset(item->partition);
    answer->error_message = client_message(arena, result.error_message);
    answer->record_errors = arena_array(
        arena, struct produce_response_batch_index_and_error_message, result.record_error_count);
    answer->record_errors_count = (int32_t)result.record_error_count;
    for (size_t i = 0; i < result.record_error_count; i++) {
        answer->record_errors[i].batch_index = result.record_errors[i].batch_index;
        answer->record_errors[i].batch_index_error_message =
            client_message(arena, result.record_errors[i].message);
    }
}

// ---- the reply ----------------------------------------------------------------------------------------------

static void add_leaders(struct request *request, struct produce_state *state)
{
    struct produce_response *response = request->response;
    for (int32_t i = 0; i < state->count; i++) {
        const struct produce_item *item = &state->items[i];
        if (item->answer->error_code != KERR_NOT_LEADER_OR_FOLLOWER)
            continue;
        struct current_leader leader = current_leader_of(request, item->partition, item->name.topic,
                                                         item->name.topic_id, item->name.index);
        item->answer->current_leader.leader_id = leader.leader_id;
        item->answer->current_leader.leader_epoch = leader.leader_epoch;
        bool is_told = !leader.has_node;
        for (int32_t n = 0; n < response->node_endpoints_count; n++)
            is_told |= response->node_endpoints[n].node_id == leader.leader_id;
        if (is_told)
            continue;
        if (response->node_endpoints == NULL)
            response->node_endpoints =
                arena_array(&request->arena, struct produce_response_node_endpoint, state->count);
        response->node_endpoints[response->node_endpoints_count++] =
            (struct produce_response_node_endpoint){ .node_id = leader.leader_id,
                                                     .host = leader.host,
                                                     .port = leader.port,
                                                     .rack = leader.rack };
    }
}

static void finish(struct request *request, struct produce_state *state)
{
    const struct produce_request *body = request->body;
    enum kafka_error error = KERR_NONE;
    for (int32_t i = 0; i < state->count && error == KERR_NONE; i++)
        error = (enum kafka_error)state->items[i].answer->error_code;
    if (error != KERR_NONE && request->api_version >= 10 && body->acks != 0)
        add_leaders(request, state);
    state_release(state);
    if (body->acks != 0) {
        request_reply(request);
    } else if (error == KERR_NONE) {
        request_reply_nothing(request);
    } else {
        // The producer expects no reply: losing the connection tells it to ask for metadata.
        trace_info(request->node->trace, "produce with acks=0 failed client=\"%.*s\" error=%s",
                   STR_ARG(request->client_id), kafka_error_name(error));
        request_close(request, kafka_error_name(error));
    }
}

static enum kafka_error item_check_settled(struct request *request, const struct produce_item *item,
                                           bool *is_settled)
{
    const struct produce_request *body = request->body;
    return body->acks == -1
               ? partition_check_committed(item->partition, item->end_offset, is_settled)
               : partition_check_flushed(item->partition, item->end_offset, is_settled);
}

// How many appends are not committed, or not synced, yet. The others' answers are final then.
static int32_t count_pending(struct request *request, struct produce_state *state)
{
    int32_t pending = 0;
    for (int32_t i = 0; i < state->count; i++) {
        struct produce_item *item = &state->items[i];
        if (item->end_offset == -1)
            continue;
        bool is_settled;
        enum kafka_error error = item_check_settled(request, item, &is_settled);
        if (error == KERR_NONE && !is_settled) {
            pending++;
            continue;
        }
        item->answer->error_code = (int16_t)error;
        item->end_offset = -1;
        if (request->parked != NULL)
            parked_drop(request->parked, i);
    }
    return pending;
}

static void look(struct request *request, enum parked_reason reason)
{
    struct parked *parked = request->parked;
    struct produce_state *state = request->state;
    for (;;) {
        int32_t pending = count_pending(request, state);
        if (pending > 0 && reason == PARKED_WOKEN) {
            if (parked_wait(parked))
                return;
            continue;
        }
        for (int32_t i = 0; i < state->count; i++)
            if (state->items[i].end_offset != -1)
                state->items[i].answer->error_code = KERR_REQUEST_TIMED_OUT;
        parked_end(parked);
        finish(request, state);
        return;
    }
}

static void park(struct request *request, struct produce_state *state)
{
    const struct produce_request *body = request->body;
    int64_t timeout_us = body->timeout_ms > 0 ? (int64_t)body->timeout_ms * 1000 : 0;
    // The timeout is for other replicas; the disk takes as long as it takes.
    int64_t deadline_us =
        body->acks == -1 ? clock_monotonic_us(request->node->clock) + timeout_us : INT64_MAX;
    struct parked *parked = parked_new(request, state->count, deadline_us, look);
    for (int32_t i = 0; i < state->count; i++) {
        const struct produce_item *item = &state->items[i];
        if (item->end_offset == -1)
            continue;
        parked->waiters[i].partition = item->partition;
        parked->waiters[i].kind =
            body->acks == -1 ? PARTITION_WAIT_FOR_COMMIT : PARTITION_WAIT_FOR_FLUSH;
        parked->waiters[i].offset = item->end_offset;
        parked->waiters[i].changes = item->changes;
    }
    if (!parked_wait(parked))
        look(request, PARKED_WOKEN);
}

// All is written.
static void settle(struct request *request)
{
    const struct produce_request *body = request->body;
    struct produce_state *state = request->state;
    if (body->acks != 0 && count_pending(request, state) > 0)
        park(request, state);
    else
        finish(request, state);
}

static void write_gathered(struct request *request)
{
    struct produce_state *state = request->state;
    struct partition_woken woken;
    partition_woken_init(&woken);
    for (int32_t i = 0; i < state->count; i++) {
        struct produce_item *item = &state->items[i];
        if (item->gathered_end == -1)
            continue;
        enum kafka_error error =
            partition_write_gathered(item->partition, item->gathered_end, item->size_bytes, &woken);
        if (error != KERR_NONE) {
            answer_init(item->answer, item->name.index, error);
            item->end_offset = -1;
        }
    }
    partition_wake(&woken);
    settle(request);
}

static void append_all(struct request *request)
{
    struct produce_state *state = request->state;
    struct partition_woken woken;
    partition_woken_init(&woken);
    bool is_gathered = false;
    for (int32_t i = 0; i < state->count; i++) {
        if (state->items[i].answer->error_code == KERR_NONE)
            item_append(request, &state->items[i], &woken);
        is_gathered |= state->items[i].gathered_end != -1;
    }
    partition_wake(&woken);
    if (!is_gathered) {
        settle(request);
        return;
    }
    request->on_turn_end = write_gathered;
    request_at_turn_end(request);
}

// ---- transactions -------------------------------------------------------------------------------------------

// What the coordinator's errors are called in a Produce response. Those that older clients do not repeat become one
// that they do, and that does not have them ask for metadata.
static void answer_unchecked(struct request *request, const struct produce_item *item,
                             enum kafka_error error)
{
    struct produce_response_partition_produce_response *answer = item->answer;
    answer->error_code = (int16_t)error;
    switch (error) {
    case KERR_INVALID_TXN_STATE:
        answer->error_message = str_of("Partition was not added to the transaction");
        return;
    case KERR_CONCURRENT_TRANSACTIONS:
        if (request->api_version >= 12)
            return;
        break;
    case KERR_NETWORK_EXCEPTION:
    case KERR_COORDINATOR_LOAD_IN_PROGRESS:
    case KERR_COORDINATOR_NOT_AVAILABLE:
    case KERR_NOT_COORDINATOR:
        break;
    default:
        return;
    }
    answer->error_code = KERR_NOT_ENOUGH_REPLICAS;
    answer->error_message =
        str_of(arena_printf(&request->arena,
                            "Unable to verify the partition has been added to the transaction. "
                            "Underlying error: %s",
                            kafka_error_name(error)));
}

static void on_checked(struct request *request)
{
    struct produce_state *state = request->state;
    for (int32_t i = 0; i < state->count; i++) {
        const struct txn_check_item *check = &state->checks[i];
        if (check->partition == NULL)
            continue;
        state->items[i].guard = check->guard;
        if (check->error != KERR_NONE)
            answer_unchecked(request, &state->items[i], check->error);
    }
    append_all(request);
}

static enum txn_client client_of(const struct request *request)
{
    return request->api_version >= 12   ? TXN_CLIENT_ADDS
           : request->api_version == 11 ? TXN_CLIENT_ABORTABLE
                                        : TXN_CLIENT_OLD;
}

// False: no batch is transactional. Else the request goes on in append_all, or is answered.
static bool check_transaction(struct request *request, struct produce_state *state)
{
    const struct produce_request *body = request->body;
    struct transaction_producer producer = { -1, -1 };
    state->checks = arena_array(&request->arena, struct txn_check_item, state->count + 1);
    for (int32_t i = 0; i < state->count; i++) {
        const struct produce_item *item = &state->items[i];
        const uint8_t *batch = item->records.data;
        if (item->answer->error_code != KERR_NONE || !batch_has_producer_id(batch) ||
            !batch_is_transactional(batch))
            continue;
        struct transaction_producer its = { batch_producer_id(batch), batch_producer_epoch(batch) };
        if (producer.id != -1 && (its.id != producer.id || its.epoch != producer.epoch)) {
            state_release(state);
            refuse(request, KERR_INVALID_PRODUCER_ID_MAPPING,
                   "Transactional records contained more than one producer ID");
            return true;
        }
        producer = its;
        state->checks[i] = (struct txn_check_item){ .partition = item->partition,
                                                    .base_sequence = batch_base_sequence(batch) };
    }
    if (producer.id == -1)
        return false;
    txn_check(request, body->transactional_id, producer, client_of(request), state->checks,
              state->count, on_checked);
    return true;
}

void handle_produce(struct request *request);

void handle_produce(struct request *request)
{
    const struct produce_request *body = request->body;
    if (!check_batches(request))
        return;
    struct produce_state *state = arena_new(&request->arena, struct produce_state);
    request->state = state;
    items_make(request, state);
    for (int32_t i = 0; i < state->count; i++)
        state->items[i].answer->error_code = (int16_t)item_check(request, &state->items[i]);
    if (str_is_null(body->transactional_id) || !check_transaction(request, state))
        append_all(request);
}
