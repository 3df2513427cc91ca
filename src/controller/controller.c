// SPDX-License-Identifier: Apache-2.0
#include "controller/controller.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/strbuf.h"
#include "config/config.h"
#include "controller/activation.h"
#include "controller/auto_create.h"
#include "controller/calls.h"
#include "controller/evaluation.h"
#include "metadata/image.h"
#include "metadata/image_writer.h"
#include "protocol/records/remove_topic.h"
#include "protocol/records/topic.h"

// Calls that share one write. More wait for the next, so that the first do not wait for all.
enum { CALLS_PER_WRITE_MAX = 2000, WRITE_SIZE_MAX = 4 << 20 };

// A call whose records are written but not yet published.
struct planned {
    struct list link;
    struct controller_call *call;
    const struct metadata_entry *records;
    size_t count;
    int64_t first_offset;
    int control_count;     // records of the quorum before them
    int16_t kraft_version; // from these records on; 0: as it was
};

struct controller {
    struct controller_options options;
    char *metadata_dir, *cluster_id, *listener_name, *host; // behind the options

    struct metadata *published; // the image of all readers; not ours to free
    struct metadata *own;       // ahead of it by what is being written
    struct replay published_replay;
    struct replay own_replay;
    struct topic_names topic_names; // of `own`
    uint64_t random;

    struct metadata_log *log;
    struct raft raft;
    struct quorum_history history;
    struct arena history_arena;
    atomic_int kraft_version;
    atomic_int epoch;

    struct arena cycle; // records of the present write
    struct strbuf batches;
    struct batch_builder builder;
    int64_t bytes_since_snapshot;
    int64_t snapshot_due_us; // INT64_MAX: nothing new since the last one

    pthread_mutex_t lock; // of the queue
    pthread_cond_t wake;
    struct list queue;
    bool is_stopping;
    bool has_failed;
    pthread_t thread;
    bool has_thread;

    struct auto_create auto_create;
};

// ---- opening ------------------------------------------------------------------------------------------------

static int refuse_open(struct controller *controller, int error, const char *reason)
{
    trace_error(controller->options.trace, "controller cannot start dir=\"%s\" reason=\"%s\"",
                controller->metadata_dir, reason);
    return error;
}

// Our endpoint in the voter set as it should be; NULL when it is.
static const struct voters_record *voters_with_endpoint(struct controller *controller,
                                                        const struct voters_record *voters)
{
    const struct controller_options *options = &controller->options;
    const struct voters_record_voter *voter = &voters->voters[0];
    if (options->listener_name == NULL)
        return NULL;
    for (int32_t i = 0; i < voter->endpoints_count; i++)
        if (str_eqz(voter->endpoints[i].name, options->listener_name) &&
            str_eqz(voter->endpoints[i].host, options->host) &&
            voter->endpoints[i].port == options->port)
            return NULL;
    return voters_of_one(&controller->history_arena, voter->voter_id, voter->voter_directory_id,
                         str_of(options->listener_name), str_of(options->host), options->port);
}

static int elect(struct controller *controller, const struct voters_record *voters)
{
    const struct controller_options *options = &controller->options;
    switch (raft_check_voters(options->node_id, options->directory_id, voters)) {
    case RAFT_IS_VOTER:
        break;
    case RAFT_NOT_A_VOTER:
        return refuse_open(
            controller, -EINVAL,
            "this node, with the directory.id in its meta.properties, is not one of the "
            "voters");
    case RAFT_SEVERAL_VOTERS:
        return refuse_open(controller, -ENOTSUP, "the quorum has several voters");
    }
    struct quorum_state state = QUORUM_STATE_NONE;
    const char *dir = metadata_log_dir(controller->log);
    int error = quorum_state_read(options->disk, dir, &state);
    if (error != 0 && error != -ENOENT)
        return refuse_open(controller, error, "quorum-state cannot be read");
    raft_init(&controller->raft, options->node_id, options->directory_id, &state,
              controller->history.last_epoch);
    struct raft_event event = { .type = RAFT_START, .now_us = clock_monotonic_us(options->clock) };
    unsigned effects = raft_step(&controller->raft, &event);
    must(effects == RAFT_PERSIST_STATE);
    controller->raft.state.data_version = controller->history.kraft_version >= 1 ? 1 : 0;
    controller->raft.state.voters_count = 1;
    controller->raft.state.voters[0] = options->node_id;
    error = quorum_state_write(options->disk, dir, &controller->raft.state);
    if (error != 0)
        return refuse_open(controller, error, "quorum-state cannot be written");
    event.type = RAFT_STATE_PERSISTED;
    effects = raft_step(&controller->raft, &event);
    must(effects == RAFT_BEGIN_EPOCH);
    atomic_store(&controller->epoch, controller->raft.state.leader_epoch);
    atomic_store(&controller->kraft_version, controller->history.kraft_version);
    return 0;
}

static void synced(struct controller *controller)
{
    struct raft_event event = {
        .type = RAFT_LOG_SYNCED,
        .now_us = clock_monotonic_us(controller->options.clock),
        .offset = metadata_log_end_offset(controller->log),
    };
    if (raft_step(&controller->raft, &event) & RAFT_HIGH_WATERMARK)
        metadata_log_set_high_watermark(controller->log, controller->raft.high_watermark);
}

// Takes part in the cluster as its leader: the first write of the epoch. It is synced with the one that follows: a
// start has enough to wait for.
static int activate(struct controller *controller, const struct voters_record *voters)
{
    const struct controller_options *options = &controller->options;
    int64_t now_ms = clock_wall_ms(options->clock);
    int64_t offset = metadata_log_end_offset(controller->log);
    int32_t epoch = controller->raft.state.leader_epoch;
    const struct voters_record *changed =
        controller->history.kraft_version >= 1 ? voters_with_endpoint(controller, voters) : NULL;
    if (changed != NULL)
        voters = changed;
    bool with_voters = controller->history.kraft_version >= 1 &&
                       (!controller->history.is_in_log || changed != NULL);
    strbuf_fini(&controller->batches);
    controller->batches = STRBUF_EMPTY;
    int control_count =
        activation_control_batch(&controller->batches, offset, &controller->raft, voters,
                                 controller->history.kraft_version, with_voters, now_ms);
    if (controller->history.kraft_version >= 1)
        controller->history.voters = voters;
    controller->history.is_in_log = controller->history.is_in_log || with_voters;

    struct metadata_entries records;
    metadata_entries_init(&records, &controller->cycle);
    const char *reason = NULL;
    int error = activation_records(&controller->published_replay, options->disk,
                                   controller->metadata_dir, options->config, &records, &reason);
    if (error != 0)
        return refuse_open(controller, error, reason != NULL ? reason : strerror(-error));
    int64_t records_offset = offset + control_count;
    if (records.count > 0)
        append_batch(&controller->batches, &controller->builder, records.items, records.count,
                     records_offset, epoch, now_ms);
    struct bytes batches = { (const uint8_t *)controller->batches.data, controller->batches.size };
    error = metadata_log_append(controller->log, batches, epoch);
    if (error != 0)
        return refuse_open(controller, error, "the metadata log cannot be written");
    raft_step(&controller->raft,
              &(struct raft_event){ .type = RAFT_EPOCH_BEGUN, .offset = offset });

    controller->published->offset = records_offset - 1;
    controller->published->epoch = epoch;
    for (size_t i = 0; i < records.count; i++) {
        bool is_sound = replay_entry(&controller->published_replay, &records.items[i],
                                     records_offset + (int64_t)i, epoch);
        if (!is_sound)
            return refuse_open(controller, -EBADMSG, controller->published_replay.reason);
    }
    controller->history.last_epoch = epoch;
    controller->history.last_timestamp = now_ms;
    return 0;
}

static void load_topic_names(struct controller *controller)
{
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(controller->own, &at)) != NULL;)
        topic_names_add(&controller->topic_names, (struct str){ topic->name, topic->name_size });
}

static int open_all(struct controller *controller)
{
    const struct controller_options *options = &controller->options;
    struct metadata_log_options log_options = {
        options->disk, options->clock, options->trace, options->config, controller->metadata_dir,
    };
    int error = metadata_log_open(&log_options, &controller->log);
    if (error != 0)
        return error;
    image_lock(controller->published);
    error = metadata_log_load(controller->log, &controller->published_replay, &controller->history);
    const struct voters_record *voters = NULL;
    const char *reason = NULL;
    if (error == 0) {
        voters = activation_voters(&controller->history, options->config,
                                   &controller->history_arena, &reason);
        if (voters == NULL)
            error = refuse_open(controller, -EINVAL, reason);
    }
    if (error == 0)
        error = elect(controller, voters);
    if (error == 0)
        error = activate(controller, voters);
    metadata_unlock(controller->published);
    if (error != 0)
        return error;
    image_copy(controller->published, controller->own);
    load_topic_names(controller);
    trace_info(options->trace, "controller active node=%d epoch=%d offset=%" PRId64 " topics=%zu",
               options->node_id, controller->raft.state.leader_epoch, controller->published->offset,
               metadata_topics_count(controller->published));
    return 0;
}

int controller_open(const struct controller_options *options, struct controller **out)
{
    struct controller *controller = mem_new(struct controller);
    controller->options = *options;
    controller->options.metadata_dir = controller->metadata_dir = mem_strdup(options->metadata_dir);
    controller->options.cluster_id = controller->cluster_id = mem_strdup(options->cluster_id);
    controller->options.listener_name = controller->listener_name =
        mem_strdup(options->listener_name);
    controller->options.host = controller->host = mem_strdup(options->host);
    controller->published = options->metadata;
    controller->own = metadata_new();
    replay_init(&controller->published_replay, controller->published);
    replay_init(&controller->own_replay, controller->own);
    topic_names_init(&controller->topic_names);
    struct uuid seed = uuid_random();
    memcpy(&controller->random, seed.bytes, sizeof controller->random);
    arena_init(&controller->history_arena);
    controller->history.arena = &controller->history_arena;
    arena_init(&controller->cycle);
    batch_builder_init(&controller->builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    controller->snapshot_due_us = INT64_MAX;
    pthread_mutex_init(&controller->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&controller->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&controller->queue);
    auto_create_init(&controller->auto_create, controller, options->config, options->clock,
                     options->trace);
    int error = open_all(controller);
    if (error != 0) {
        controller->is_stopping = true;
        if (controller->log != NULL)
            metadata_log_abandon(controller->log);
        controller->log = NULL;
        controller_free(controller);
        return error;
    }
    *out = controller;
    return 0;
}

// ---- one write ----------------------------------------------------------------------------------------------

// Keeps what the controller knows beside the image in step with it.
static void follow_names(struct controller *controller, const struct metadata_entry *entry)
{
    if (entry->type == METADATA_RECORD_TOPIC) {
        topic_names_add(&controller->topic_names, ((const struct topic_record *)entry->body)->name);
    } else if (entry->type == METADATA_RECORD_REMOVE_TOPIC) {
        const struct metadata_topic *topic = metadata_find_topic_by_id(
            controller->own, ((const struct remove_topic_record *)entry->body)->topic_id);
        topic_names_remove(&controller->topic_names, (struct str){ topic->name, topic->name_size });
    }
}

static bool is_too_late(struct controller *controller, const struct controller_call *call)
{
    int32_t timeout_ms = call_timeout_ms(call);
    if (timeout_ms == INT32_MAX)
        return false;
    int64_t waited_us = clock_monotonic_us(controller->options.clock) - call->_submitted_us;
    return waited_us >= (int64_t)timeout_ms * 1000;
}

// The voters come into the log with the version that allows it; there, they carry more than their ids (KIP-853).
static void plan_kraft_upgrade(struct controller *controller, struct planned *planned,
                               int16_t kraft_version, int64_t now_ms)
{
    const struct controller_options *options = &controller->options;
    struct quorum_history *history = &controller->history;
    history->voters =
        voters_of_one(&controller->history_arena, options->node_id, options->directory_id,
                      str_of(options->listener_name), str_of(options->host), options->port);
    history->kraft_version = kraft_version;
    history->is_in_log = true;
    planned->kraft_version = kraft_version;
    planned->control_count = activation_kraft_batch(&controller->batches, planned->first_offset,
                                                    controller->raft.state.leader_epoch,
                                                    history->voters, kraft_version, now_ms);
    planned->first_offset += planned->control_count;
}

// Decides a call, and lets the own image know before the next is decided.
static struct planned *plan(struct controller *controller, struct controller_call *call,
                            int64_t offset, int64_t now_ms)
{
    struct evaluation evaluation = {
        .metadata = controller->own,
        .topic_names = &controller->topic_names,
        .config = controller->options.config,
        .cluster_id = controller->cluster_id,
        .node_id = controller->options.node_id,
        .next_offset = offset,
        .metadata_version = metadata_feature_level(controller->own, "metadata.version"),
        .is_elr_enabled =
            metadata_feature_level(controller->own, "eligible.leader.replicas.version") > 0,
        .kraft_version = controller->history.kraft_version,
        .random = &controller->random,
        .arena = call->arena,
    };
    metadata_entries_init(&evaluation.records, &controller->cycle);
    if (is_too_late(controller, call))
        call_fail(call, (struct answer){ KERR_REQUEST_TIMED_OUT, NULL });
    else
        call_evaluate(call, &evaluation);

    struct planned *planned = arena_new(&controller->cycle, struct planned);
    planned->call = call;
    planned->records = evaluation.records.items;
    planned->count = evaluation.records.count;
    planned->first_offset = offset;
    if (planned->count == 0)
        return planned;
    if (evaluation.kraft_upgrade != 0)
        plan_kraft_upgrade(controller, planned, evaluation.kraft_upgrade, now_ms);
    int32_t epoch = controller->raft.state.leader_epoch;
    append_batch(&controller->batches, &controller->builder, planned->records, planned->count,
                 planned->first_offset, epoch, now_ms);
    for (size_t i = 0; i < planned->count; i++) {
        follow_names(controller, &planned->records[i]);
        bool is_sound = replay_entry(&controller->own_replay, &planned->records[i],
                                     planned->first_offset + (int64_t)i, epoch);
        must(is_sound); // a decision never contradicts the state it was made in
    }
    return planned;
}

static void publish(struct controller *controller, struct list *planned_list)
{
    struct delta delta;
    delta_init(&delta, &controller->cycle);
    controller->published_replay.delta = &delta;
    list_for_each(at, planned_list)
    {
        const struct planned *planned = container_of(at, struct planned, link);
        if (planned->count == 0)
            continue;
        if (planned->kraft_version != 0)
            atomic_store(&controller->kraft_version, planned->kraft_version);
        // One call at a time: readers wait no longer than that.
        image_lock(controller->published);
        for (size_t i = 0; i < planned->count; i++) {
            bool is_sound = replay_entry(&controller->published_replay, &planned->records[i],
                                         planned->first_offset + (int64_t)i,
                                         controller->raft.state.leader_epoch);
            must(is_sound);
        }
        metadata_unlock(controller->published);
    }
    controller->published_replay.delta = NULL;
    if (!delta_is_empty(&delta))
        metadata_tell(controller->published, delta_finish(&delta, controller->published));
    delta_fini(&delta);
}

static void fail(struct controller *controller)
{
    raft_step(&controller->raft, &(struct raft_event){ .type = RAFT_FAILED });
    pthread_mutex_lock(&controller->lock);
    controller->has_failed = true;
    pthread_mutex_unlock(&controller->lock);
    trace_error(controller->options.trace, "controller resigned epoch=%d",
                controller->raft.state.leader_epoch);
    if (controller->options.on_failed != NULL)
        controller->options.on_failed(controller->options.arg);
}

static void note_written(struct controller *controller, int64_t now_ms)
{
    controller->history.last_epoch = controller->raft.state.leader_epoch;
    controller->history.last_timestamp = now_ms;
    controller->bytes_since_snapshot += (int64_t)controller->batches.size;
    if (controller->snapshot_due_us == INT64_MAX) {
        int64_t interval_ms =
            config_long(controller->options.config, CONFIG_METADATA_LOG_MAX_SNAPSHOT_INTERVAL_MS);
        if (interval_ms > 0)
            controller->snapshot_due_us =
                clock_monotonic_us(controller->options.clock) + interval_ms * 1000;
    }
}

static bool write_batches(struct controller *controller)
{
    struct bytes batches = { (const uint8_t *)controller->batches.data, controller->batches.size };
    if (batches.size == 0)
        return true;
    if (metadata_log_append(controller->log, batches, controller->raft.state.leader_epoch) != 0 ||
        metadata_log_sync(controller->log) != 0)
        return false;
    synced(controller);
    must(controller->raft.high_watermark == metadata_log_end_offset(controller->log));
    return true;
}

// Takes calls off `calls` as one write. Every one of them is completed.
static void write_some(struct controller *controller, struct list *calls)
{
    struct list planned_list, completions;
    list_init(&planned_list);
    list_init(&completions);
    arena_reset(&controller->cycle);
    controller->batches.size = 0;
    int64_t now_ms = clock_wall_ms(controller->options.clock);
    int64_t offset = metadata_log_end_offset(controller->log);
    for (int i = 0; i < CALLS_PER_WRITE_MAX && controller->batches.size < WRITE_SIZE_MAX; i++) {
        struct list *link = list_pop(calls);
        if (link == NULL)
            break;
        struct controller_call *call = container_of(link, struct controller_call, _link);
        struct planned *planned = plan(controller, call, offset, now_ms);
        list_append(&planned_list, &planned->link);
        offset += planned->control_count + (int64_t)planned->count;
    }
    bool is_written = write_batches(controller);
    if (is_written && controller->batches.size > 0) {
        note_written(controller, now_ms);
        publish(controller, &planned_list);
    }
    list_for_each(at, &planned_list)
    {
        const struct planned *planned = container_of(at, struct planned, link);
        if (!is_written && planned->count > 0)
            call_fail(planned->call, (struct answer){ KERR_NOT_CONTROLLER, NULL });
        list_append(&completions, &planned->call->completion->link);
    }
    if (!is_written)
        fail(controller);
    completions_run(&completions);
}

static void fail_calls(struct list *calls)
{
    struct list *link;
    while ((link = list_pop(calls)) != NULL) {
        struct controller_call *call = container_of(link, struct controller_call, _link);
        call_fail(call, (struct answer){ KERR_NOT_CONTROLLER, NULL });
        call->completion->complete(call->completion);
    }
}

static void maybe_snapshot(struct controller *controller)
{
    int64_t limit = config_long(controller->options.config,
                                CONFIG_METADATA_LOG_MAX_RECORD_BYTES_BETWEEN_SNAPSHOTS);
    bool is_due = controller->bytes_since_snapshot >= limit ||
                  clock_monotonic_us(controller->options.clock) >= controller->snapshot_due_us;
    if (!is_due || controller->bytes_since_snapshot == 0)
        return;
    // A failed one is tried again when as much more was written, or at the next interval.
    metadata_log_snapshot(controller->log, controller->own, &controller->history);
    controller->bytes_since_snapshot = 0;
    controller->snapshot_due_us = INT64_MAX;
}

// What a large write took is given back: those of a start are the largest there will be.
static void let_go(struct controller *controller)
{
    enum { KEPT_MAX = 16 << 10 };
    arena_reset(&controller->cycle);
    if (controller->batches.capacity <= KEPT_MAX)
        return;
    strbuf_fini(&controller->batches);
    controller->batches = STRBUF_EMPTY;
    batch_builder_fini(&controller->builder);
    batch_builder_init(&controller->builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
}

void controller_step(struct controller *controller)
{
    struct list calls;
    list_init(&calls);
    pthread_mutex_lock(&controller->lock);
    list_splice(&calls, &controller->queue);
    bool has_failed = controller->has_failed;
    pthread_mutex_unlock(&controller->lock);
    while (!has_failed && !list_is_empty(&calls)) {
        write_some(controller, &calls);
        has_failed = controller->raft.role != RAFT_LEADER;
    }
    fail_calls(&calls);
    if (!has_failed)
        maybe_snapshot(controller);
    let_go(controller);
}

// ---- the thread ---------------------------------------------------------------------------------------------

static void wait_for_work(struct controller *controller)
{
    if (controller->snapshot_due_us == INT64_MAX) {
        pthread_cond_wait(&controller->wake, &controller->lock);
        return;
    }
    struct timespec until = {
        .tv_sec = controller->snapshot_due_us / 1000000,
        .tv_nsec = controller->snapshot_due_us % 1000000 * 1000,
    };
    pthread_cond_timedwait(&controller->wake, &controller->lock, &until);
}

static void *run(void *arg)
{
    struct controller *controller = arg;
    for (;;) {
        pthread_mutex_lock(&controller->lock);
        while (list_is_empty(&controller->queue) && !controller->is_stopping &&
               clock_monotonic_us(controller->options.clock) < controller->snapshot_due_us)
            wait_for_work(controller);
        bool is_done = controller->is_stopping && list_is_empty(&controller->queue);
        pthread_mutex_unlock(&controller->lock);
        if (is_done)
            return NULL;
        controller_step(controller);
    }
}

int controller_start(struct controller *controller)
{
    int error = pthread_create(&controller->thread, NULL, run, controller);
    controller->has_thread = error == 0;
    return -error;
}

void controller_stop(struct controller *controller)
{
    pthread_mutex_lock(&controller->lock);
    controller->is_stopping = true;
    pthread_cond_signal(&controller->wake);
    pthread_mutex_unlock(&controller->lock);
    if (controller->has_thread)
        pthread_join(controller->thread, NULL);
    controller->has_thread = false;
    controller_step(controller); // without a thread, what waits is ours
    if (controller->log != NULL) {
        if (controller->raft.role == RAFT_LEADER)
            metadata_log_close(controller->log);
        else
            metadata_log_abandon(controller->log);
    }
    controller->log = NULL;
}

void controller_free(struct controller *controller)
{
    if (controller == NULL)
        return;
    must(controller->log == NULL && list_is_empty(&controller->queue));
    auto_create_fini(&controller->auto_create);
    pthread_cond_destroy(&controller->wake);
    pthread_mutex_destroy(&controller->lock);
    batch_builder_fini(&controller->builder);
    strbuf_fini(&controller->batches);
    arena_fini(&controller->cycle);
    arena_fini(&controller->history_arena);
    topic_names_fini(&controller->topic_names);
    replay_fini(&controller->own_replay);
    replay_fini(&controller->published_replay);
    metadata_free(controller->own);
    mem_free(controller->host);
    mem_free(controller->listener_name);
    mem_free(controller->cluster_id);
    mem_free(controller->metadata_dir);
    mem_free(controller);
}

// ---- calling ------------------------------------------------------------------------------------------------

static void submit(struct controller *controller, struct controller_call *calls, size_t count)
{
    int64_t now_us = clock_monotonic_us(controller->options.clock);
    pthread_mutex_lock(&controller->lock);
    bool is_refused = controller->is_stopping || controller->has_failed;
    bool was_empty = list_is_empty(&controller->queue);
    for (size_t i = 0; !is_refused && i < count; i++) {
        calls[i]._submitted_us = now_us;
        list_append(&controller->queue, &calls[i]._link);
    }
    if (!is_refused && was_empty)
        pthread_cond_signal(&controller->wake);
    pthread_mutex_unlock(&controller->lock);
    for (size_t i = 0; is_refused && i < count; i++) {
        call_fail(&calls[i], (struct answer){ KERR_NOT_CONTROLLER, NULL });
        calls[i].completion->complete(calls[i].completion);
    }
}

void controller_submit(struct controller *controller, struct controller_call *call)
{
    submit(controller, call, 1);
}

// A call of someone who blocks.
struct waiting {
    struct completion completion;
    struct waiters *waiters;
};

struct waiters {
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t left;
};

static void on_waited(struct completion *completion)
{
    struct waiters *waiters = container_of(completion, struct waiting, completion)->waiters;
    pthread_mutex_lock(&waiters->lock);
    if (--waiters->left == 0)
        pthread_cond_signal(&waiters->done);
    pthread_mutex_unlock(&waiters->lock);
}

void controller_call(struct controller *controller, struct controller_call *call)
{
    controller_call_all(controller, call, 1);
}

void controller_call_all(struct controller *controller, struct controller_call *calls, size_t count)
{
    struct arena arena;
    arena_init(&arena);
    struct waiting *waiting = arena_array(&arena, struct waiting, count);
    struct waiters waiters = { .left = count };
    pthread_mutex_init(&waiters.lock, NULL);
    pthread_cond_init(&waiters.done, NULL);
    for (size_t i = 0; i < count; i++) {
        waiting[i] = (struct waiting){ { .complete = on_waited }, &waiters };
        calls[i].completion = &waiting[i].completion;
    }
    submit(controller, calls, count);
    if (!controller->has_thread)
        controller_step(controller);
    pthread_mutex_lock(&waiters.lock);
    while (waiters.left > 0)
        pthread_cond_wait(&waiters.done, &waiters.lock);
    pthread_mutex_unlock(&waiters.lock);
    pthread_cond_destroy(&waiters.done);
    pthread_mutex_destroy(&waiters.lock);
    arena_fini(&arena);
}

void controller_auto_create_topic(struct controller *controller, struct str name)
{
    auto_create_topic(&controller->auto_create, name);
}

void controller_create_internal_topic(struct controller *controller,
                                      const struct create_topics_request_creatable_topic *topic,
                                      int64_t error_ttl_ms)
{
    auto_create_described(&controller->auto_create, topic, error_ttl_ms);
}

struct str controller_creation_error(struct controller *controller, struct str name,
                                     struct arena *arena)
{
    return auto_create_error(&controller->auto_create, name, arena);
}

int16_t controller_kraft_version(const struct controller *controller)
{
    return (int16_t)atomic_load(&controller->kraft_version);
}

int32_t controller_epoch(const struct controller *controller)
{
    return atomic_load(&controller->epoch);
}
