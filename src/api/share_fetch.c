// SPDX-License-Identifier: Apache-2.0
// ShareFetch, versions 1 and 2: a member of a share group acknowledges records and asks for more (KIP-932).
//
//     session ──┬── acknowledgements ──> share partitions, persisted ──────────┐
//               └── partitions ──> records_fetch: reads and acquires, or parks ┴──> both there: answer
//
// A fetch waits on its partitions for data, and on its share partitions for whatever else may give it records: loaded,
// released, a lock that ended. It takes what it finds when it is looked at; a whole answer needs one partition that
// gave records (or as many bytes as were asked for), an error, or the end of the wait.
//
// (1) What was acquired is answered: once something is acquired the answer is made, nothing is acquired again. Only
//     where another partition is not in memory the answer waits until a loader has read that: the reactor does not.
// (2) Waiters of share partitions are in memory that outlives the request, as parked is (api/parked.h).
#include "api/current_leader.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "api/parked.h"
#include "api/share_acks.h"
#include "base/mem.h"
#include "base/workers.h"
#include "config/config.h"
#include "protocol/messages/share_fetch.h"

enum { VERSION_RENEW = 2, MODE_BATCH_OPTIMIZED = 0, MODE_RECORD_LIMIT = 1 };

struct share_item {
    struct share_session_partition partition;
    struct shared_partition *shared;
    struct share_fetched fetched;
    enum kafka_error error; // found before it was fetched from
    bool is_answered;
};

// The share partitions' side of a wait.
struct share_wait {
    atomic_int refs;
    struct parked *parked;
    int32_t count;
    struct share_wait_item {
        struct share_waiter waiter;
        struct share_wait *wait;
    } items[];
};

struct share_fetch_state {
    struct share_settings settings;
    struct share_item *items;
    int32_t count;
    int32_t max_bytes;
    int32_t min_bytes;
    struct share_wait *wait; // while it waits
    struct share_acks acks;
    atomic_int parts_left; // acknowledgements, records
    bool only_cached;      // until a loader has read what the first look found to be cold
    bool is_cold;          // what was looked at last
    struct work load;
    struct request *request;
};

static const struct share_fetch_request *body_of(const struct request *request)
{
    return request->body;
}

static void refuse(struct request *request, enum kafka_error error)
{
    struct share_fetch_response *response = request->response;
    response->error_code = (int16_t)error;
    request_reply(request);
}

// ---- the answer ------------------------------------------------------------------------------------

static struct share_fetch_response_partition_data *answer_of(struct request *request,
                                                             struct uuid topic_id, int32_t index)
{
    struct share_fetch_state *state = request->state;
    struct share_fetch_response *response = request->response;
    struct share_fetch_response_share_fetchable_topic_response *topic = NULL;
    for (int32_t i = 0; i < response->responses_count && topic == NULL; i++)
        if (uuid_eq(response->responses[i].topic_id, topic_id))
            topic = &response->responses[i];
    int32_t most = state->count + state->acks.count;
    if (response->responses == NULL)
        response->responses = arena_array(
            &request->arena, struct share_fetch_response_share_fetchable_topic_response, most);
    if (topic == NULL) {
        topic = &response->responses[response->responses_count++];
        topic->topic_id = topic_id;
        topic->partitions =
            arena_array(&request->arena, struct share_fetch_response_partition_data, most);
    }
    for (int32_t i = 0; i < topic->partitions_count; i++)
        if (topic->partitions[i].partition_index == index)
            return &topic->partitions[i];
    struct share_fetch_response_partition_data *out = &topic->partitions[topic->partitions_count++];
    out->partition_index = index;
    out->records.data = (const uint8_t *)""; // empty, never null
    return out;
}

static void tell_leader(struct request *request, const struct share_item *item,
                        struct share_fetch_response_partition_data *out)
{
    struct share_fetch_response *response = request->response;
    struct current_leader leader =
        current_leader_of(request, NULL, STR_NULL, item->partition.topic_id, item->partition.index);
    out->current_leader.leader_id = leader.leader_id;
    out->current_leader.leader_epoch = leader.leader_epoch;
    bool is_told = !leader.has_node;
    for (int32_t i = 0; i < response->node_endpoints_count; i++)
        is_told |= response->node_endpoints[i].node_id == leader.leader_id;
    if (is_told)
        return;
    struct share_fetch_state *state = request->state;
    if (response->node_endpoints == NULL)
        response->node_endpoints =
            arena_array(&request->arena, struct share_fetch_response_node_endpoint, state->count);
    response->node_endpoints[response->node_endpoints_count++] =
        (struct share_fetch_response_node_endpoint){ .node_id = leader.leader_id,
                                                     .host = leader.host,
                                                     .port = leader.port,
                                                     .rack = leader.rack };
}

static enum kafka_error error_of(const struct share_item *item)
{
    return item->error != KERR_NONE ? item->error : item->fetched.error;
}

static void answer_item(struct request *request, const struct share_item *item)
{
    struct share_fetch_response_partition_data *out =
        answer_of(request, item->partition.topic_id, item->partition.index);
    enum kafka_error error = error_of(item);
    const struct file_slice *slice = &item->fetched.data.read.slice;
    size_t count = item->fetched.acquired.count;
    out->error_code = (int16_t)error;
    if (error == KERR_NOT_LEADER_OR_FOLLOWER || error == KERR_FENCED_LEADER_EPOCH)
        tell_leader(request, item, out);
    if (count == 0)
        return;
    out->records = (struct records){ .file = slice->file,
                                     .file_position = slice->position,
                                     .size = (int32_t)slice->size };
    out->acquired_records =
        arena_array(&request->arena, struct share_fetch_response_acquired_records, count);
    out->acquired_records_count = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        out->acquired_records[i].first_offset = item->fetched.acquired.items[i].first_offset;
        out->acquired_records[i].last_offset = item->fetched.acquired.items[i].last_offset;
        out->acquired_records[i].delivery_count = item->fetched.acquired.items[i].delivery_count;
    }
}

static void answer_acks(struct request *request, const struct share_acks *acks)
{
    for (int32_t i = 0; i < acks->count; i++) {
        const struct share_ack *ack = &acks->items[i];
        if (!ack->is_answered)
            continue;
        struct share_fetch_response_partition_data *out =
            answer_of(request, ack->topic_id, ack->index);
        out->acknowledge_error_code = (int16_t)ack->result.error;
        out->acknowledge_error_message = str_of(ack->result.message);
    }
}

static void answer_items(struct request *request, struct share_fetch_state *state)
{
    const struct share_fetch_request *body = request->body;
    struct share_fetch_response *response = request->response;
    struct share_session_answer *answers =
        arena_array(&request->arena, struct share_session_answer, state->count);
    size_t count = 0;
    for (int32_t i = 0; i < state->count; i++) {
        const struct share_item *item = &state->items[i];
        if (item->is_answered)
            answers[count++] =
                (struct share_session_answer){ .topic_id = item->partition.topic_id,
                                               .index = item->partition.index,
                                               .has_records = item->fetched.acquired.count > 0,
                                               .has_error = error_of(item) != KERR_NONE };
    }
    enum kafka_error error =
        share_sessions_answer(request->node->share_sessions, body->group_id, body->member_id,
                              body->share_session_epoch, answers, count);
    response->error_code = (int16_t)error;
    count = 0;
    for (int32_t i = 0; i < state->count; i++)
        if (state->items[i].is_answered && answers[count++].is_told && error == KERR_NONE)
            answer_item(request, &state->items[i]);
}

static void end_session(struct request *request)
{
    const struct share_fetch_request *body = request->body;
    struct share_session_end end;
    if (body->share_session_epoch == SHARE_SESSION_FINAL_EPOCH &&
        share_sessions_end(request->node->share_sessions, body->group_id, body->member_id,
                           &request->arena, &end))
        share_session_release(request->node->shares, &end);
}

// Acknowledgements or records are there; with the second of them the answer is.
static void part_is_there(struct request *request)
{
    struct share_fetch_state *state = request->state;
    struct share_fetch_response *response = request->response;
    if (atomic_fetch_sub(&state->parts_left, 1) > 1)
        return;
    response->acquisition_lock_timeout_ms = state->settings.limits.lock_ms;
    answer_items(request, state);
    answer_acks(request, &state->acks);
    end_session(request);
    request_reply(request);
}

static void on_acknowledged(struct share_acks *acks)
{
    part_is_there(acks->request);
}

// ---- waiting on share partitions -------------------------------------------------------------------

static void wait_unref(struct share_wait *wait)
{
    if (atomic_fetch_sub(&wait->refs, 1) == 1)
        mem_free(wait);
}

static void on_change(struct share_waiter *waiter)
{
    struct share_wait *wait = container_of(waiter, struct share_wait_item, waiter)->wait;
    parked_poke(wait->parked); // takes its reference
    wait_unref(wait);
}

static struct share_wait *wait_new(struct parked *parked, int32_t count)
{
    struct share_wait *wait =
        mem_zalloc(sizeof *wait + (size_t)count * sizeof(struct share_wait_item));
    atomic_init(&wait->refs, 1);
    wait->parked = parked;
    wait->count = count;
    for (int32_t i = 0; i < count; i++) {
        wait->items[i].wait = wait;
        wait->items[i].waiter.wake = on_change;
    }
    return wait;
}

// False: one of them has changed since it was looked at.
static bool wait_on_shares(struct share_fetch_state *state, struct parked *parked)
{
    state->wait = wait_new(parked, state->count);
    for (int32_t i = 0; i < state->count; i++) {
        if (state->items[i].shared == NULL)
            continue;
        atomic_fetch_add(&state->wait->refs, 1);
        parked_ref(parked);
        if (shared_partition_wait(state->items[i].shared, &state->wait->items[i].waiter,
                                  state->items[i].fetched.changes))
            continue;
        parked_unref(parked);
        wait_unref(state->wait);
        return false;
    }
    return true;
}

static void end_wait_on_shares(struct share_fetch_state *state)
{
    struct share_wait *wait = state->wait;
    if (wait == NULL)
        return;
    for (int32_t i = 0; i < wait->count; i++) {
        if (state->items[i].shared == NULL ||
            !shared_partition_unwait(state->items[i].shared, &wait->items[i].waiter))
            continue;
        parked_unref(wait->parked);
        wait_unref(wait);
    }
    state->wait = NULL;
    wait_unref(wait);
}

// ---- records ---------------------------------------------------------------------------------------

static void let_go(struct share_item *item)
{
    disk_file_unref(item->fetched.data.read.slice.file);
    item->fetched = (struct share_fetched){ 0 };
}

static void on_free(struct request *request)
{
    struct share_fetch_state *state = request->state;
    for (int32_t i = 0; i < state->count; i++) {
        let_go(&state->items[i]);
        shared_partition_unref(state->items[i].shared);
    }
}

// The share partition of each, made anew when the former is gone.
static void find_shares(struct request *request, struct share_fetch_state *state)
{
    for (int32_t i = 0; i < state->count; i++) {
        struct share_item *item = &state->items[i];
        if (item->fetched.is_gone) {
            shared_partition_unref(item->shared);
            item->shared = NULL;
        }
        if (item->error != KERR_NONE || item->shared != NULL)
            continue;
        item->shared =
            share_manager_get(request->node->shares, body_of(request)->group_id,
                              item->partition.topic_id, item->partition.index, &item->error);
    }
}

// How many bytes each partition may give: an equal share for those that can give any.
static int32_t share_of_bytes(struct share_fetch_state *state)
{
    int32_t able = 0;
    for (int32_t i = 0; i < state->count; i++)
        able += state->items[i].shared != NULL &&
                shared_partition_can_acquire(state->items[i].shared, &state->settings);
    int32_t each = able > 0 ? state->max_bytes / able : state->max_bytes;
    return each > 0 ? each : 1;
}

// Fetches from each share partition. Whether there is something to answer at once.
static bool fetch_all(struct request *request, struct share_fetch_state *state, bool only_look,
                      int64_t *bytes)
{
    const struct share_fetch_request *body = request->body;
    struct share_fetch_how how = {
        .member = body->member_id,
        .settings = &state->settings,
        .is_record_limit = body->share_acquire_mode == MODE_RECORD_LIMIT,
        .batch_size = body->batch_size,
        .max_records = body->max_records,
        .max_bytes = share_of_bytes(state),
        .only_look = only_look,
        .only_cached = state->only_cached,
    };
    bool is_urgent = false;
    *bytes = 0;
    state->is_cold = false;
    for (int32_t i = 0; i < state->count; i++) {
        struct share_item *item = &state->items[i];
        if (item->fetched.acquired.count == 0) {
            let_go(item);
            if (item->shared == NULL)
                continue;
            shared_partition_fetch(item->shared, &how, &request->arena, &item->fetched);
        }
        state->is_cold |= item->fetched.is_cold;
        is_urgent |= item->fetched.error != KERR_NONE || item->fetched.is_moved ||
                     item->fetched.acquired.count > 0;
        *bytes += item->fetched.data.read.slice.size;
        how.max_records -= (int32_t)item->fetched.count;
    }
    return is_urgent;
}

static bool is_all_in_error(const struct share_fetch_state *state)
{
    for (int32_t i = 0; i < state->count; i++)
        if (state->items[i].error == KERR_NONE)
            return false;
    return true;
}

// Looks and takes. False: it has to wait, or to load.
static bool try_finish(struct request *request, struct share_fetch_state *state, bool is_over)
{
    int64_t bytes = 0;
    end_wait_on_shares(state);
    find_shares(request, state);
    bool is_urgent = is_over || is_all_in_error(state);
    if (!is_urgent && state->min_bytes > 1)
        is_urgent = fetch_all(request, state, true, &bytes) || bytes >= state->min_bytes;
    if (is_urgent || state->min_bytes <= 1)
        is_urgent |= fetch_all(request, state, false, &bytes);
    if (!is_urgent || state->is_cold)
        return false;
    if (request->parked != NULL)
        parked_end(request->parked);
    for (int32_t i = 0; i < state->count; i++) {
        struct share_item *item = &state->items[i];
        item->is_answered =
            item->error != KERR_NONE || item->fetched.was_read || item->fetched.error != KERR_NONE;
    }
    part_is_there(request);
    return true;
}

static void wait_on(struct request *request, struct share_fetch_state *state)
{
    struct parked *parked = request->parked;
    for (;;) {
        parked_take_off(parked);
        atomic_store(&parked->missing_bytes, 1);
        for (int32_t i = 0; i < state->count; i++) {
            const struct share_item *item = &state->items[i];
            struct partition_waiter *waiter = &parked->waiters[i];
            waiter->partition =
                item->fetched.was_read ? shared_partition_replica(item->shared) : NULL;
            waiter->kind = PARTITION_WAIT_FOR_DATA;
            waiter->isolation =
                state->settings.is_read_committed ? READ_COMMITTED : READ_UNCOMMITTED;
            waiter->offset = item->fetched.data.read.end_offset;
            waiter->changes = item->fetched.data.read.changes;
        }
        // Linked to the share partitions last: what they tell from now on posts.
        if (parked_wait(parked) && (wait_on_shares(state, parked) || !parked_claim(parked)))
            return;
        if (try_finish(request, state, false))
            return;
    }
}

static void look(struct request *request, enum parked_reason reason)
{
    struct share_fetch_state *state = request->state;
    if (!try_finish(request, state, reason == PARKED_EXPIRED))
        wait_on(request, state);
}

// On a loader's thread, while nobody else touches the request.
static void run_load(struct work *work)
{
    struct share_fetch_state *state = container_of(work, struct share_fetch_state, load);
    for (int32_t i = 0; i < state->count; i++) {
        const struct share_item *item = &state->items[i];
        if (item->fetched.is_cold)
            share_read_load(shared_partition_replica(item->shared),
                            state->settings.is_read_committed, item->fetched.offset,
                            state->max_bytes, item->fetched.last_wanted);
    }
    request_post(state->request);
}

// The first look goes to where the group is, which may be anywhere; later ones look for what has just been appended.
static void fetch_records(struct request *request, struct share_fetch_state *state)
{
    const struct share_fetch_request *body = request->body;
    if (state->count == 0 || body->max_records == 0 || body->max_bytes == 0) {
        for (int32_t i = 0; i < state->count; i++)
            state->items[i].is_answered = state->items[i].error != KERR_NONE;
        part_is_there(request);
        return;
    }
    bool is_finished = try_finish(request, state, body->max_wait_ms <= 0);
    state->only_cached = false;
    if (is_finished)
        return;
    if (state->is_cold) {
        workers_submit(request->node->loaders, &state->load);
        return;
    }
    parked_new(request, state->count,
               clock_monotonic_us(request->node->clock) + (int64_t)body->max_wait_ms * 1000, look);
    wait_on(request, state);
}

static void on_loaded(struct request *request)
{
    fetch_records(request, request->state);
}

// ---- the request -----------------------------------------------------------------------------------

static void on_limit_waited(struct request *request, enum parked_reason reason)
{
    (void)reason;
    parked_end(request->parked);
    refuse(request, KERR_SHARE_SESSION_LIMIT_REACHED);
}

// With no place for another session the client is not to ask again and again: it waits as long as a fetch would.
static void refuse_session(struct request *request, enum kafka_error error)
{
    if (error != KERR_SHARE_SESSION_LIMIT_REACHED) {
        refuse(request, error);
        return;
    }
    parked_new(request, 0,
               clock_monotonic_us(request->node->clock) +
                   (int64_t)body_of(request)->max_wait_ms * 1000,
               on_limit_waited);
    parked_wait(request->parked);
}

static struct share_session_partition named(const struct request *request, struct uuid topic_id,
                                            int32_t index)
{
    return (struct share_session_partition){
        .topic_id = topic_id,
        .index = index,
        .is_known = share_partition_known(request, topic_id, index) != KERR_UNKNOWN_TOPIC_ID,
    };
}

static void fill_session(struct request *request, struct share_session_request *session,
                         struct share_acks *acks)
{
    const struct share_fetch_request *body = request->body;
    int32_t partitions = 0, forgotten = 0;
    for (int32_t t = 0; t < body->topics_count; t++)
        partitions += body->topics[t].partitions_count;
    for (int32_t t = 0; t < body->forgotten_topics_data_count; t++)
        forgotten += body->forgotten_topics_data[t].partitions_count;
    struct share_session_partition *named_ones =
        arena_array(&request->arena, struct share_session_partition, partitions + forgotten + 1);
    session->partitions = named_ones;
    session->forgotten = named_ones + partitions;
    share_acks_init(acks, request, partitions);
    for (int32_t t = 0; t < body->topics_count; t++) {
        for (int32_t p = 0; p < body->topics[t].partitions_count; p++) {
            const struct share_fetch_request_fetch_partition *partition =
                &body->topics[t].partitions[p];
            struct uuid topic_id = body->topics[t].topic_id;
            named_ones[session->partitions_count++] =
                named(request, topic_id, partition->partition_index);
            struct share_ack *ack = share_acks_add(acks, topic_id, partition->partition_index,
                                                   partition->acknowledgement_batches_count);
            session->has_acknowledgements |= partition->acknowledgement_batches_count > 0;
            for (int32_t b = 0; b < partition->acknowledgement_batches_count; b++) {
                const struct share_fetch_request_acknowledgement_batch *batch =
                    &partition->acknowledgement_batches[b];
                ack->batches[ack->batches_count++] =
                    (struct share_acknowledgement){ batch->first_offset, batch->last_offset,
                                                    batch->acknowledge_types,
                                                    batch->acknowledge_types_count };
            }
        }
    }
    for (int32_t t = 0; t < body->forgotten_topics_data_count; t++)
        for (int32_t p = 0; p < body->forgotten_topics_data[t].partitions_count; p++)
            named_ones[partitions + (int32_t)session->forgotten_count++] =
                (struct share_session_partition){
                    .topic_id = body->forgotten_topics_data[t].topic_id,
                    .index = body->forgotten_topics_data[t].partitions[p],
                };
}

// The partitions of the session, turned so that another comes first with each epoch.
static void fill_items(struct request *request, struct share_fetch_state *state,
                       const struct share_session_partition *partitions, size_t count)
{
    const struct share_fetch_request *body = request->body;
    state->items = arena_array(&request->arena, struct share_item, count);
    state->count = (int32_t)count;
    int32_t turn = body->share_session_epoch >= 1 && count > 0
                       ? body->share_session_epoch % (int32_t)count
                       : 0;
    for (int32_t i = 0; i < state->count; i++) {
        struct share_item *item = &state->items[i];
        item->partition = partitions[(i + turn) % state->count];
        item->error =
            share_partition_known(request, item->partition.topic_id, item->partition.index);
        if (item->error == KERR_UNKNOWN_TOPIC_ID && item->partition.is_known)
            item->error = KERR_UNKNOWN_TOPIC_OR_PARTITION; // it was deleted
    }
}

static enum kafka_error check(const struct request *request)
{
    const struct share_fetch_request *body = request->body;
    enum kafka_error error = share_request_check(request, body->group_id, body->member_id);
    bool is_renew = request->api_version >= VERSION_RENEW && body->is_renew_ack;
    if (error == KERR_NONE && is_renew &&
        (body->max_bytes != 0 || body->min_bytes != 0 || body->max_records != 0 ||
         body->max_wait_ms != 0))
        error = KERR_INVALID_REQUEST;
    return error;
}

void handle_share_fetch(struct request *request);

void handle_share_fetch(struct request *request)
{
    const struct share_fetch_request *body = request->body;
    struct node *node = request->node;
    enum kafka_error error = check(request);
    if (error != KERR_NONE) {
        refuse(request, error);
        return;
    }
    struct share_fetch_state *state = arena_new(&request->arena, struct share_fetch_state);
    struct share_session_request session = { .group = body->group_id,
                                             .member = body->member_id,
                                             .epoch = body->share_session_epoch,
                                             .connection_id = request->client->connection_id };
    struct share_session_partition *partitions;
    size_t count;
    request->state = state;
    fill_session(request, &session, &state->acks);
    error =
        share_sessions_fetch(node->share_sessions, &session, &request->arena, &partitions, &count);
    if (error != KERR_NONE) {
        refuse_session(request, error);
        return;
    }
    bool is_known = true; // Kafka's exception at a topic id that was never known
    for (size_t i = 0; i < count; i++)
        is_known &= partitions[i].is_known;
    if (!is_known || (body->share_acquire_mode != MODE_BATCH_OPTIMIZED &&
                      body->share_acquire_mode != MODE_RECORD_LIMIT)) {
        refuse(request, KERR_UNKNOWN_SERVER_ERROR);
        return;
    }
    share_manager_settings(node->shares, body->group_id, &state->settings);
    bool is_renew = request->api_version >= VERSION_RENEW && body->is_renew_ack;
    fill_items(request, state, partitions, is_renew ? 0 : count);
    int32_t most = config_int(node->config, CONFIG_FETCH_MAX_BYTES);
    state->max_bytes = body->max_bytes < most ? body->max_bytes : most;
    state->min_bytes = body->min_bytes < state->max_bytes ? body->min_bytes : state->max_bytes;
    state->only_cached = node->loaders != NULL;
    state->load.run = run_load;
    state->request = request;
    request->on_free = on_free;
    request->on_post = on_loaded;
    atomic_init(&state->parts_left, 2);
    if (session.has_acknowledgements)
        share_acks_start(&state->acks, body->group_id, body->member_id,
                         request->api_version >= VERSION_RENEW, body->is_renew_ack,
                         on_acknowledged);
    else {
        state->acks.count = 0;
        part_is_there(request);
    }
    fetch_records(request, state);
}
