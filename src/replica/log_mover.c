// SPDX-License-Identifier: Apache-2.0
#include "replica/log_mover.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_copy.h"
#include "log/log_dirs.h"
#include "log/log_future.h"
#include "log/log_manager.h"
#include "log/partition_dir.h"
#include "metadata/feature_versions.h"
#include "metadata/metadata.h"
#include "replica/move_throttle.h"

enum { NAME_MAX_BYTES = 255, FUTURE_SUFFIX_BYTES = 40 }; // "." + 32 digits + "-future"

struct move {
    struct list link;
    struct partition *partition; // a reference
    struct log *future;          // a reference
    struct uuid directory;       // where it goes
    bool is_taken;               // a thread has it
};

struct log_mover {
    struct log_mover_options options;
    pthread_mutex_t lock;
    pthread_cond_t change; // something to do, to stop, or one thread less
    struct list moves;
    struct move_throttle throttle;
    int threads;
    bool is_started;
    bool is_stopping;
};

struct log_mover *log_mover_new(const struct log_mover_options *options)
{
    struct log_mover *mover = mem_new(struct log_mover);
    mover->options = *options;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&mover->lock, NULL);
    pthread_cond_init(&mover->change, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&mover->moves);
    move_throttle_init(&mover->throttle, options->window_count, options->window_ms);
    return mover;
}

void log_mover_free(struct log_mover *mover)
{
    if (mover == NULL)
        return;
    must(mover->threads == 0 && list_is_empty(&mover->moves));
    pthread_mutex_destroy(&mover->lock);
    pthread_cond_destroy(&mover->change);
    mem_free(mover);
}

static void move_free(struct move *move)
{
    partition_unref(move->partition);
    log_unref(move->future);
    mem_free(move);
}

// Lets go of the lock for that long, or until something changes.
static void wait_ms(struct log_mover *mover, int64_t delay_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + delay_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(delay_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(&mover->change, &mover->lock, &until);
}

// ---- what the metadata say ------------------------------------------------------------------------------------

// The directory of the partition's replica here; zero: none, or the metadata do not hold directories.
static struct uuid assigned_directory(struct log_mover *mover, const struct partition *partition,
                                      bool *is_supported)
{
    struct metadata *metadata = mover->options.metadata;
    struct uuid directory = UUID_ZERO;
    metadata_lock_read(metadata);
    *is_supported = has_directory_assignment(metadata_feature_level(metadata, "metadata.version"));
    const struct metadata_topic *topic = metadata_find_topic_by_id(metadata, partition->topic_id);
    const struct metadata_partition *found =
        topic == NULL ? NULL : metadata_topic_partition(topic, partition->index);
    for (int32_t i = 0; found != NULL && i < found->replicas_count; i++)
        if (found->replicas[i] == mover->options.node_id && i < found->directories_count)
            directory = found->directories[i];
    metadata_unlock(metadata);
    return directory;
}

static bool assign(struct log_mover *mover, const struct move *move, struct uuid directory)
{
    struct replica_directory item = { move->partition->topic_id, move->partition->index,
                                      directory };
    enum kafka_error error = mover->options.assign(mover->options.arg, &item, 1);
    if (error != KERR_NONE)
        trace_warn(mover->options.trace, "directory not assigned topic=%.*s partition=%d error=%s",
                   STR_ARG(move->partition->topic), (int)move->partition->index,
                   kafka_error_name(error));
    return error == KERR_NONE;
}

// The move ended early: what the metadata were told is taken back.
static void revert_assignment(struct log_mover *mover, const struct move *move)
{
    bool is_supported;
    struct uuid assigned = assigned_directory(mover, move->partition, &is_supported);
    ptrdiff_t dir =
        log_manager_dir_of(mover->options.logs, move->partition->topic, move->partition->index);
    if (!is_supported || partition_is_gone(move->partition) || dir < 0 ||
        !uuid_eq(assigned, move->directory))
        return;
    struct uuid actual = log_dirs_state(mover->options.logs, (size_t)dir).id;
    if (!uuid_eq(actual, move->directory))
        assign(mover, move, actual);
}

// ---- one move -------------------------------------------------------------------------------------------------

static bool is_stopping(struct log_mover *mover)
{
    pthread_mutex_lock(&mover->lock);
    bool stopping = mover->is_stopping;
    pthread_mutex_unlock(&mover->lock);
    return stopping;
}

// (1)
static bool is_under_way(struct log_mover *mover, const struct move *move)
{
    struct log *future =
        log_future_find(mover->options.logs, move->partition->topic, move->partition->index, NULL);
    log_unref(future);
    return future == move->future && !partition_is_gone(move->partition);
}

struct exchange {
    struct log_mover *mover;
    struct move *move;
    struct log_copy *copy;
};

// Under the partition's lock: nobody appends.
static struct log *exchange(void *arg, struct log *log)
{
    struct exchange *e = arg;
    struct log_mover *mover = e->mover;
    const struct partition *partition = e->move->partition;
    struct log *new;
    int64_t got = log == e->copy->from ? 1 : -EIO;
    while (got > 0)
        got = log_copy_some(e->copy, mover->options.piece_bytes);
    // (2), also for who waits for a sync of the old one (log_flush_limit).
    if (got == 0 && (log_recovery_point(e->copy->from) > log_recovery_point(e->copy->to) ||
                     log_flush_limit(e->copy->from) != INT64_MAX))
        got = log_flush(e->copy->to, INT64_MAX);
    if (got == 0)
        got = log_future_promote(mover->options.logs, partition->topic, partition->index, &new);
    return got == 0 ? new : NULL;
}

// True when the partition lives in its new directory. The cleaner is held.
static bool swap(struct log_mover *mover, struct move *move, struct log_copy *copy)
{
    enum { ROUNDS = 100 };
    if (log_flush(copy->to, INT64_MAX) != 0)
        return false;
    // What came while it was synced, so that little is left for the lock.
    int64_t got = 1;
    for (int i = 0; i < ROUNDS && got > 0; i++)
        got = log_copy_some(copy, mover->options.piece_bytes);
    if (got < 0)
        return false;
    struct exchange e = { mover, move, copy };
    struct log *old = NULL;
    replicas_lock_changes(mover->options.replicas);
    if (is_under_way(mover, move))
        old = partition_exchange_log(move->partition, exchange, &e);
    replicas_unlock_changes(mover->options.replicas);
    if (old == NULL)
        return false;
    trace_info(mover->options.trace, "replica moved topic=%.*s partition=%d to=\"%s\"",
               STR_ARG(move->partition->topic), (int)move->partition->index, log_dir(move->future));
    log_unref(old);
    return true;
}

// Waits as long as the throttle says. False: stop.
static bool is_allowed(struct log_mover *mover)
{
    pthread_mutex_lock(&mover->lock);
    int64_t delay_ms = mover->is_stopping
                           ? 0
                           : move_throttle_delay_ms(
                                 &mover->throttle, clock_monotonic_us(mover->options.clock) / 1000);
    if (delay_ms > 0)
        wait_ms(mover, delay_ms);
    pthread_mutex_unlock(&mover->lock);
    return delay_ms == 0;
}

static void back_off(struct log_mover *mover)
{
    pthread_mutex_lock(&mover->lock);
    if (!mover->is_stopping)
        wait_ms(mover, mover->options.backoff_ms);
    pthread_mutex_unlock(&mover->lock);
}

// Caught up: the metadata first, then the logs. True when there is nothing more to do.
static bool finish(struct log_mover *mover, struct move *move, struct log_copy *copy, bool *is_done)
{
    bool is_supported;
    struct uuid assigned = assigned_directory(mover, move->partition, &is_supported);
    if (is_supported && !uuid_eq(assigned, move->directory)) {
        if (!assign(mover, move, move->directory))
            back_off(mover);
        return false;
    }
    struct cleaner_state *held;
    if (!log_future_hold_cleaner(mover->options.logs, copy->from, &held)) {
        back_off(mover);
        return false;
    }
    *is_done = swap(mover, move, copy);
    log_future_release_cleaner(mover->options.logs, held);
    return true;
}

static void run_move(struct log_mover *mover, struct move *move)
{
    struct log *from = partition_log(move->partition);
    bool is_done = false;
    if (from != NULL) {
        struct log_copy copy;
        log_copy_init(&copy, from, move->future);
        int64_t got = log_copy_align(&copy);
        while (got >= 0 && !is_stopping(mover) && is_under_way(mover, move)) {
            if (!is_allowed(mover))
                continue;
            got = log_copy_some(&copy, mover->options.piece_bytes);
            if (got > 0) {
                pthread_mutex_lock(&mover->lock);
                move_throttle_record(&mover->throttle,
                                     clock_monotonic_us(mover->options.clock) / 1000, got);
                pthread_mutex_unlock(&mover->lock);
            } else if (got == 0 && finish(mover, move, &copy, &is_done)) {
                break;
            }
        }
        log_copy_fini(&copy);
    }
    log_unref(from);
    if (is_done || is_stopping(mover))
        return;
    trace_warn(mover->options.trace, "replica not moved topic=%.*s partition=%d to=\"%s\"",
               STR_ARG(move->partition->topic), (int)move->partition->index, log_dir(move->future));
    revert_assignment(mover, move);
}

// ---- threads ----------------------------------------------------------------------------------------------------

static int compare(const struct partition *a, const struct partition *b)
{
    int by_topic = str_compare(a->topic, b->topic);
    return by_topic != 0 ? by_topic : (a->index > b->index) - (a->index < b->index);
}

// The first by name that no thread has. The lock is held.
static struct move *take_move(struct log_mover *mover)
{
    struct move *first = NULL;
    if (mover->is_stopping)
        return NULL;
    list_for_each(at, &mover->moves)
    {
        struct move *move = container_of(at, struct move, link);
        if (!move->is_taken && (first == NULL || compare(move->partition, first->partition) < 0))
            first = move;
    }
    if (first != NULL)
        first->is_taken = true;
    return first;
}

static void *copier(void *arg)
{
    struct log_mover *mover = arg;
    struct move *move;
    pthread_mutex_lock(&mover->lock);
    while ((move = take_move(mover)) != NULL) {
        pthread_mutex_unlock(&mover->lock);
        run_move(mover, move);
        pthread_mutex_lock(&mover->lock);
        list_remove(&move->link);
        pthread_mutex_unlock(&mover->lock);
        move_free(move);
        pthread_mutex_lock(&mover->lock);
    }
    mover->threads--;
    pthread_cond_broadcast(&mover->change);
    pthread_mutex_unlock(&mover->lock);
    return NULL;
}

// Takes the reference to the future.
static void add_move(struct log_mover *mover, struct partition *partition, struct log *future,
                     size_t dir)
{
    struct move *move = mem_new(struct move);
    move->partition = partition_ref(partition);
    move->future = future;
    move->directory = log_dirs_state(mover->options.logs, dir).id;
    pthread_mutex_lock(&mover->lock);
    list_append(&mover->moves, &move->link);
    if (mover->is_started && mover->threads < mover->options.threads_max) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, copier, mover) == 0) {
            pthread_detach(thread);
            mover->threads++;
        }
    }
    pthread_cond_broadcast(&mover->change);
    pthread_mutex_unlock(&mover->lock);
}

void log_mover_start(struct log_mover *mover)
{
    struct log *future;
    pthread_mutex_lock(&mover->lock);
    mover->is_started = true;
    pthread_mutex_unlock(&mover->lock);
    for (size_t i = 0; (future = log_future_next(mover->options.logs, &i)) != NULL;) {
        struct partition_dir name = partition_dir_parse(log_name(future));
        struct partition *partition =
            replicas_find(mover->options.replicas, name.topic, name.partition);
        ptrdiff_t dir = log_dirs_of(mover->options.logs, future);
        if (partition != NULL && dir >= 0)
            add_move(mover, partition, future, (size_t)dir);
        else
            log_unref(future);
        partition_unref(partition);
    }
}

void log_mover_stop(struct log_mover *mover)
{
    pthread_mutex_lock(&mover->lock);
    mover->is_stopping = true;
    pthread_cond_broadcast(&mover->change);
    while (mover->threads > 0)
        pthread_cond_wait(&mover->change, &mover->lock);
    struct list *at;
    while ((at = list_pop(&mover->moves)) != NULL)
        move_free(container_of(at, struct move, link));
    pthread_mutex_unlock(&mover->lock);
}

// ---- AlterReplicaLogDirs ----------------------------------------------------------------------------------------

// With a log here. The changes' lock is held.
static enum kafka_error begin_move(struct log_mover *mover, struct partition *partition, size_t dir)
{
    struct log_manager *logs = mover->options.logs;
    size_t target;
    struct log *future = log_future_find(logs, partition->topic, partition->index, &target);
    log_unref(future);
    if (future != NULL && target == dir)
        return KERR_NONE;
    if (future != NULL) {
        log_future_discard(logs, partition->topic, partition->index);
        pthread_mutex_lock(&mover->lock);
        pthread_cond_broadcast(&mover->change);
        pthread_mutex_unlock(&mover->lock);
    }
    if (log_manager_dir_of(logs, partition->topic, partition->index) == (ptrdiff_t)dir)
        return KERR_NONE;
    // A future could be in the directory that is out of service.
    if (log_dirs_any_offline(logs) || log_future_create(logs, partition->topic, partition->index,
                                                        partition->topic_id, dir, &future) != 0)
        return KERR_KAFKA_STORAGE_ERROR;
    add_move(mover, partition, future, dir);
    return KERR_NONE;
}

enum kafka_error log_mover_move(struct log_mover *mover, struct str topic, int32_t index,
                                struct str path)
{
    struct log_manager *logs = mover->options.logs;
    char number[16];
    int digits = snprintf(number, sizeof number, "-%d", (int)index);
    if (topic.size + (size_t)digits + FUTURE_SUFFIX_BYTES > NAME_MAX_BYTES)
        return KERR_INVALID_TOPIC_EXCEPTION;
    ptrdiff_t dir = log_dirs_find(logs, path);
    if (dir < 0)
        return KERR_LOG_DIR_NOT_FOUND;
    struct log_dir_state state = log_dirs_state(logs, (size_t)dir);
    if (state.is_offline)
        return KERR_KAFKA_STORAGE_ERROR;
    if (state.is_cordoned)
        return KERR_INVALID_REPLICA_ASSIGNMENT;
    replicas_lock_changes(mover->options.replicas);
    struct partition *partition = replicas_find(mover->options.replicas, topic, index);
    enum kafka_error error;
    if (partition != NULL && partition->is_offline) {
        error = KERR_KAFKA_STORAGE_ERROR;
    } else if (partition == NULL || partition->log == NULL) {
        log_dirs_prefer(logs, topic, index, (size_t)dir);
        // Kafka keeps the older error here for the sake of old clients.
        error = replicas_why_not_found(mover->options.replicas, topic, index);
        error = error == KERR_NOT_LEADER_OR_FOLLOWER ? KERR_REPLICA_NOT_AVAILABLE : error;
    } else {
        error = begin_move(mover, partition, (size_t)dir);
    }
    replicas_unlock_changes(mover->options.replicas);
    partition_unref(partition);
    return error;
}

bool log_mover_is_moving_to(struct log_mover *mover, struct str topic, int32_t index,
                            struct uuid directory)
{
    size_t dir;
    struct log *future = log_future_find(mover->options.logs, topic, index, &dir);
    log_unref(future);
    return future != NULL && uuid_eq(log_dirs_state(mover->options.logs, dir).id, directory);
}

void log_mover_limit(struct log_mover *mover, int64_t bytes_per_second)
{
    pthread_mutex_lock(&mover->lock);
    mover->throttle.limit = bytes_per_second;
    pthread_cond_broadcast(&mover->change);
    pthread_mutex_unlock(&mover->lock);
}
