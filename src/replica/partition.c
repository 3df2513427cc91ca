// SPDX-License-Identifier: Apache-2.0
#include "replica/partition.h"

#include <errno.h>

#include "base/mem.h"
#include "base/must.h"
#include "replica/partition_internal.h"

void role_lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

struct partition *partition_new(struct str topic, struct uuid topic_id, int32_t index,
                                int32_t local_id, bool is_internal)
{
    struct partition *p = mem_zalloc(sizeof *p + topic.size + 1);
    p->magic = PARTITION_MAGIC;
    atomic_init(&p->_refs, 1);
    char *name = (char *)(p + 1);
    memcpy(name, topic.data, topic.size);
    p->topic = (struct str){ name, topic.size };
    p->topic_id = topic_id;
    p->index = index;
    p->local_id = local_id;
    p->is_internal = is_internal;
    p->leader = p->leader_epoch = p->partition_epoch = -1;
    p->leader_epoch_start_offset = -1;
    atomic_init(&p->min_insync_replicas, 1);
    role_lock_init(&p->_lock);
    pthread_mutex_init(&p->_waiters_lock, NULL);
    list_init(&p->_data_waiters);
    list_init(&p->_commit_waiters);
    return p;
}

struct partition *partition_ref(struct partition *partition)
{
    must_be(partition, PARTITION_MAGIC);
    atomic_fetch_add_explicit(&partition->_refs, 1, memory_order_relaxed);
    return partition;
}

void partition_unref(struct partition *partition)
{
    if (partition == NULL)
        return;
    must_be(partition, PARTITION_MAGIC);
    if (atomic_fetch_sub(&partition->_refs, 1) != 1)
        return;
    must(partition->log == NULL);
    must(list_is_empty(&partition->_data_waiters) && list_is_empty(&partition->_commit_waiters));
    pthread_rwlock_destroy(&partition->_lock);
    pthread_mutex_destroy(&partition->_waiters_lock);
    mem_free(partition->followers);
    partition->magic = 0;
    mem_free(partition);
}

// ---- role ---------------------------------------------------------------------------------------------------

static bool is_leader(const struct partition *partition)
{
    return partition->log != NULL && partition->leader == partition->local_id;
}

// (2). The role lock is held. True when it moved.
static bool high_watermark_advance(struct partition *partition)
{
    struct log *log = partition->log;
    int64_t end = log_end_offset(log);
    int64_t limit = log_flush_limit(log); // (6): asked after the end
    end = limit < end ? limit : end;
    for (int32_t i = 0; i < partition->followers_count; i++) {
        const struct partition_follower *follower = &partition->followers[i];
        int64_t its_end = atomic_load(&follower->end_offset);
        if (follower->is_in_sync && its_end < end)
            end = its_end;
    }
    int64_t before = log_high_watermark(log);
    return end > before && log_set_high_watermark(log, end) > before;
}

static void followers_set(struct partition *partition, const struct partition_state *state,
                          bool is_new_epoch)
{
    struct partition_follower *followers = NULL;
    int32_t count = 0;
    if (state->replicas_count > 0)
        followers = mem_zalloc((size_t)state->replicas_count * sizeof *followers);
    for (int32_t i = 0; i < state->replicas_count; i++) {
        if (state->replicas[i] == partition->local_id)
            continue;
        struct partition_follower *follower = &followers[count++];
        follower->id = state->replicas[i];
        atomic_init(&follower->end_offset, -1);
        for (int32_t k = 0; k < state->isr_count; k++)
            follower->is_in_sync |= state->isr[k] == follower->id;
        for (int32_t k = 0; !is_new_epoch && k < partition->followers_count; k++)
            if (partition->followers[k].id == follower->id)
                atomic_init(&follower->end_offset,
                            atomic_load(&partition->followers[k].end_offset));
    }
    mem_free(partition->followers);
    partition->followers = followers;
    partition->followers_count = count;
}

unsigned partition_apply(struct partition *partition, struct log *log,
                         const struct partition_state *state, struct partition_woken *woken)
{
    unsigned changes = 0;
    pthread_rwlock_wrlock(&partition->_lock);
    if (state->partition_epoch >= partition->partition_epoch) {
        bool was_leader = is_leader(partition);
        bool is_new_epoch = state->leader_epoch > partition->leader_epoch;
        bool is_change =
            is_new_epoch || state->leader != partition->leader || partition->log != log;
        partition->log = log;
        partition->is_offline = false;
        partition->leader = state->leader;
        partition->leader_epoch = state->leader_epoch;
        partition->partition_epoch = state->partition_epoch;
        partition->replicas_count = state->replicas_count;
        partition->isr_count = state->isr_count;
        followers_set(partition, state, is_new_epoch);
        if (was_leader && !is_leader(partition))
            changes |= PARTITION_RESIGNED;
        if (is_leader(partition) && (is_new_epoch || !was_leader)) {
            changes |= PARTITION_ELECTED;
            partition->leader_epoch_start_offset = log_end_offset(log);
            log_assign_epoch_start(log, state->leader_epoch, partition->leader_epoch_start_offset);
        }
        if (is_leader(partition) && high_watermark_advance(partition))
            changes |= PARTITION_COMMITTED;
        if (is_change)
            atomic_fetch_add(&partition->_changes, 1);
        if (is_change || (changes & PARTITION_COMMITTED) != 0)
            partition_wake_all(partition, woken);
    }
    pthread_rwlock_unlock(&partition->_lock);
    return changes;
}

void partition_tell(struct partition *partition, unsigned changes)
{
    struct partition_observer *observer = partition->observer;
    if (observer == NULL)
        return;
    int32_t leader, leader_epoch;
    partition_leader(partition, &leader, &leader_epoch);
    if ((changes & PARTITION_RESIGNED) != 0 && observer->on_resigned != NULL)
        observer->on_resigned(observer, partition->index, leader_epoch);
    if ((changes & PARTITION_ELECTED) != 0 && observer->on_leader != NULL)
        observer->on_leader(observer, partition->index, leader_epoch);
    if ((changes & PARTITION_COMMITTED) != 0 && observer->on_high_watermark != NULL)
        observer->on_high_watermark(observer, partition->index,
                                    partition_high_watermark(partition));
}

struct log *partition_close(struct partition *partition, enum partition_end end,
                            struct partition_woken *woken)
{
    pthread_rwlock_wrlock(&partition->_lock);
    bool was_leader = is_leader(partition);
    struct log *log = partition->log;
    partition->log = NULL;
    partition->is_offline = end == PARTITION_FAILED;
    if (end == PARTITION_DELETED)
        atomic_store_explicit(&partition->_is_gone, true, memory_order_release);
    atomic_fetch_add(&partition->_changes, 1);
    partition_wake_all(partition, woken);
    struct partition_observer *observer = partition->observer;
    pthread_rwlock_unlock(&partition->_lock);
    if (was_leader && observer != NULL && observer->on_resigned != NULL)
        observer->on_resigned(observer, partition->index, -1);
    return log;
}

struct log *partition_exchange_log(struct partition *partition,
                                   struct log *(*exchange)(void *arg, struct log *log), void *arg)
{
    struct log *old = NULL;
    pthread_rwlock_wrlock(&partition->_lock);
    struct log *new = NULL;
    if (partition->log != NULL) {
        log_write_gathered(partition->log); // the new one is to hold it too
        new = exchange(arg, partition->log);
    }
    if (new != NULL) {
        old = partition->log;
        partition->log = new;
        atomic_fetch_add(&partition->_changes, 1);
    }
    pthread_rwlock_unlock(&partition->_lock);
    return old;
}

struct log *partition_log(struct partition *partition)
{
    pthread_rwlock_rdlock(&partition->_lock);
    struct log *log = partition->log == NULL ? NULL : log_ref(partition->log);
    pthread_rwlock_unlock(&partition->_lock);
    return log;
}

void partition_leader(struct partition *partition, int32_t *leader, int32_t *leader_epoch)
{
    pthread_rwlock_rdlock(&partition->_lock);
    *leader = partition->leader;
    *leader_epoch = partition->leader_epoch;
    pthread_rwlock_unlock(&partition->_lock);
}

// What keeps this broker from serving: the role lock is held.
static enum kafka_error check_leader(const struct partition *partition)
{
    if (is_leader(partition))
        return KERR_NONE;
    return partition->is_offline ? KERR_KAFKA_STORAGE_ERROR : KERR_NOT_LEADER_OR_FOLLOWER;
}

static enum kafka_error check_reader(const struct partition *partition,
                                     int32_t current_leader_epoch, bool is_leader_required)
{
    if (partition->is_offline)
        return KERR_KAFKA_STORAGE_ERROR;
    if (current_leader_epoch != -1 && current_leader_epoch != partition->leader_epoch)
        return current_leader_epoch < partition->leader_epoch ? KERR_FENCED_LEADER_EPOCH
                                                              : KERR_UNKNOWN_LEADER_EPOCH;
    if (partition->log == NULL || (is_leader_required && !is_leader(partition)))
        return KERR_NOT_LEADER_OR_FOLLOWER;
    return KERR_NONE;
}

// ---- appending ----------------------------------------------------------------------------------------------

// A topic with fewer replicas than min.insync.replicas asks for takes writes as long as all of them are there.
static bool has_enough_in_sync(struct partition *partition)
{
    int32_t least = atomic_load_explicit(&partition->min_insync_replicas, memory_order_relaxed);
    if (least > partition->replicas_count)
        least = partition->replicas_count;
    return partition->isr_count >= least;
}

// The log has grown by `bytes`, or what may be committed of it has (INT64_MAX). The role lock is held for reading. The
// high watermark if it moved, else -1.
static int64_t on_grown(struct partition *partition, int64_t bytes, struct partition_woken *woken)
{
    bool is_moved = is_leader(partition) && high_watermark_advance(partition);
    partition_wake_satisfied(partition, partition->log, bytes, woken);
    return is_moved ? log_high_watermark(partition->log) : -1;
}

static void unlock_and_tell(struct partition *partition, int64_t moved_to)
{
    struct partition_observer *observer = partition->observer;
    pthread_rwlock_unlock(&partition->_lock);
    if (moved_to != -1 && observer != NULL && observer->on_high_watermark != NULL)
        observer->on_high_watermark(observer, partition->index, moved_to);
}

// (6). What was appended under a limit counts as committed when the limit moves: on_flushed is told.
static void on_flushed(struct log_flush_wait *wait);

// The role lock is held.
static void await_flush(struct partition *partition)
{
    if (atomic_exchange(&partition->_awaits_flush, true))
        return; // whoever clears it looks at the limit afterwards
    partition->_flush_wait.on_flushed = on_flushed;
    partition_ref(partition);
    if (log_await_flush(partition->log, &partition->_flush_wait))
        return;
    atomic_store(&partition->_awaits_flush, false);
    atomic_fetch_sub(&partition->_refs, 1); // never the last: the caller has one
}

static void on_flushed(struct log_flush_wait *wait)
{
    struct partition *partition = container_of(wait, struct partition, _flush_wait);
    struct partition_woken woken;
    partition_woken_init(&woken);
    int64_t moved_to = -1;
    atomic_store(&partition->_awaits_flush, false);
    pthread_rwlock_rdlock(&partition->_lock);
    struct log *log = partition->log;
    if (log != NULL) {
        if (log_flush_limit(log) != INT64_MAX)
            await_flush(partition);
        moved_to = on_grown(partition, INT64_MAX, &woken);
        if (log_has_failed(log))
            partition_wake_all(partition, &woken);
    }
    unlock_and_tell(partition, moved_to);
    partition_wake(&woken);
    partition_unref(partition);
}

enum kafka_error partition_append(struct partition *partition, struct bytes records, int16_t acks,
                                  int32_t expected_leader_epoch, enum log_append_origin origin,
                                  struct arena *arena, struct log_append_result *result,
                                  struct partition_woken *woken)
{
    static const struct log_append_transaction unverified = { LOG_VERIFICATION_NOT_REQUIRED, 0 };
    return partition_append_transactional(partition, records, acks, expected_leader_epoch, origin,
                                          &unverified, arena, result, woken);
}

enum kafka_error partition_begin_verification(struct partition *partition, int64_t producer_id,
                                              int16_t epoch, int32_t sequence, bool adds_partition,
                                              uint64_t *guard)
{
    pthread_rwlock_rdlock(&partition->_lock);
    enum kafka_error error = check_leader(partition);
    if (error == KERR_NONE)
        error = log_begin_verification(partition->log, producer_id, epoch, sequence, adds_partition,
                                       guard);
    pthread_rwlock_unlock(&partition->_lock);
    return error;
}

enum kafka_error partition_append_transactional(
    struct partition *partition, struct bytes records, int16_t acks, int32_t expected_leader_epoch,
    enum log_append_origin origin, const struct log_append_transaction *transaction,
    struct arena *arena, struct log_append_result *result, struct partition_woken *woken)
{
    struct partition_woken own;
    partition_woken_init(&own);
    int64_t moved_to = -1;
    *result = (struct log_append_result){ .first_offset = -1,
                                          .last_offset = -1,
                                          .max_timestamp = -1,
                                          .log_append_time = -1,
                                          .log_start_offset = -1 };
    pthread_rwlock_rdlock(&partition->_lock);
    enum kafka_error error = check_leader(partition);
    if (error == KERR_NONE && expected_leader_epoch != -1 &&
        expected_leader_epoch != partition->leader_epoch)
        error = expected_leader_epoch < partition->leader_epoch ? KERR_FENCED_LEADER_EPOCH
                                                                : KERR_UNKNOWN_LEADER_EPOCH;
    if (error == KERR_NONE && acks == -1 && !has_enough_in_sync(partition)) {
        error = KERR_NOT_ENOUGH_REPLICAS;
        result->log_start_offset = log_start_offset(partition->log);
    }
    if (error == KERR_NONE) {
        struct log *log = partition->log;
        error = log_append_transactional(log, records, partition->leader_epoch, origin, transaction,
                                         arena, result);
        if (error == KERR_NONE && log_flush_limit(log) != INT64_MAX)
            await_flush(partition);
        if (error == KERR_NONE && !result->is_duplicate && !result->is_gathered) {
            moved_to = on_grown(partition, result->size_bytes, woken != NULL ? woken : &own);
        }
    }
    unlock_and_tell(partition, moved_to);
    partition_wake(&own);
    return error;
}

enum kafka_error partition_write_gathered(struct partition *partition, int64_t end_offset,
                                          int32_t size_bytes, struct partition_woken *woken)
{
    int64_t moved_to = -1;
    enum kafka_error error = KERR_NONE;
    pthread_rwlock_rdlock(&partition->_lock);
    struct log *log = partition->log;
    if (log == NULL) {
        error = partition->is_offline ? KERR_KAFKA_STORAGE_ERROR : KERR_NOT_LEADER_OR_FOLLOWER;
    } else {
        log_write_gathered(log);
        if (log_end_offset(log) < end_offset)
            error = log_has_failed(log) ? KERR_KAFKA_STORAGE_ERROR : KERR_NOT_LEADER_OR_FOLLOWER;
    }
    if (error == KERR_NONE)
        moved_to = on_grown(partition, size_bytes, woken);
    unlock_and_tell(partition, moved_to);
    return error;
}

enum kafka_error partition_check_flushed(struct partition *partition, int64_t offset,
                                         bool *is_flushed)
{
    enum kafka_error error = KERR_NONE;
    pthread_rwlock_rdlock(&partition->_lock);
    struct log *log = partition->log;
    *is_flushed = log != NULL && log_flush_limit(log) >= offset;
    if (log == NULL)
        error = partition->is_offline ? KERR_KAFKA_STORAGE_ERROR : KERR_NOT_LEADER_OR_FOLLOWER;
    else if (!*is_flushed && log_has_failed(log))
        error = KERR_KAFKA_STORAGE_ERROR;
    pthread_rwlock_unlock(&partition->_lock);
    return error;
}

enum kafka_error partition_check_committed(struct partition *partition, int64_t offset,
                                           bool *is_committed)
{
    *is_committed = false;
    pthread_rwlock_rdlock(&partition->_lock);
    enum kafka_error error = check_leader(partition);
    if (error == KERR_NONE && log_high_watermark(partition->log) >= offset) {
        *is_committed = true;
        if (!has_enough_in_sync(partition))
            error = KERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND;
    } else if (error == KERR_NONE && log_has_failed(partition->log)) {
        error = KERR_KAFKA_STORAGE_ERROR;
    }
    pthread_rwlock_unlock(&partition->_lock);
    return error;
}

// ---- reading ------------------------------------------------------------------------------------------------

void partition_read_failed(struct partition_read *out, enum kafka_error error)
{
    *out = (struct partition_read){ .error = error,
                                    .high_watermark = -1,
                                    .last_stable_offset = -1,
                                    .log_start_offset = -1,
                                    .diverging_epoch = -1,
                                    .diverging_end_offset = -1,
                                    .end_offset = -1 };
}

static struct partition_follower *follower_find(const struct partition *partition, int32_t id)
{
    for (int32_t i = 0; i < partition->followers_count; i++)
        if (partition->followers[i].id == id)
            return &partition->followers[i];
    return NULL;
}

// KIP-595: does what the reader has up to fetch_offset, of last_fetched_epoch, differ from this log? If so it is told
// where, and gets no records.
static enum kafka_error check_divergence(struct log *log, const struct partition_fetch *fetch,
                                         struct partition_read *out)
{
    struct log_epoch_end end = log_epoch_end_offset(log, fetch->last_fetched_epoch);
    if (end.end_offset == -1 || end.leader_epoch == -1 ||
        fetch->fetch_offset < out->log_start_offset)
        return KERR_OFFSET_OUT_OF_RANGE;
    if (end.leader_epoch < fetch->last_fetched_epoch || end.end_offset < fetch->fetch_offset) {
        out->diverging_epoch = end.leader_epoch;
        out->diverging_end_offset = end.end_offset;
    }
    return KERR_NONE;
}

static enum kafka_error read_locked(struct partition *partition,
                                    const struct partition_reader *reader,
                                    const struct partition_fetch *fetch, int32_t max_bytes,
                                    bool at_least_one_batch, struct partition_read *out,
                                    struct partition_follower **follower)
{
    enum kafka_error error =
        check_reader(partition, fetch->current_leader_epoch, reader->is_leader_required);
    if (error != KERR_NONE)
        return error;
    if (reader->replica_id >= 0) {
        *follower = follower_find(partition, reader->replica_id);
        if (*follower == NULL)
            return fetch->current_leader_epoch != -1 ? KERR_UNKNOWN_LEADER_EPOCH
                                                     : KERR_NOT_LEADER_OR_FOLLOWER;
    }
    struct log *log = partition->log;
    out->changes = atomic_load(&partition->_changes);
    out->high_watermark = log_high_watermark(log);
    out->last_stable_offset = log_last_stable_offset(log);
    out->log_start_offset = log_start_offset(log);
    out->end_offset = reader->isolation == READ_TO_LOG_END  ? log_end_offset(log)
                      : reader->isolation == READ_COMMITTED ? out->last_stable_offset
                                                            : out->high_watermark;
    if (fetch->last_fetched_epoch != -1) {
        error = check_divergence(log, fetch, out);
        if (error != KERR_NONE || out->diverging_epoch != -1)
            return error;
    }
    struct log_slice slice;
    error = (reader->only_cached ? log_read_cached : log_read)(
        log, fetch->fetch_offset, max_bytes, at_least_one_batch, out->end_offset, &slice);
    out->is_cold = error == KERR_NONE && slice.is_cold;
    if (error == KERR_NONE && slice.is_first_incomplete)
        disk_file_unref(slice.slice.file); // a mere piece of a batch helps nobody
    else if (error == KERR_NONE)
        out->slice = slice.slice;
    return error;
}

void partition_read(struct partition *partition, const struct partition_reader *reader,
                    const struct partition_fetch *fetch, int32_t max_bytes, bool at_least_one_batch,
                    struct partition_read *out, struct partition_woken *woken)
{
    must_be(partition, PARTITION_MAGIC);
    partition_read_failed(out, KERR_NONE);
    struct partition_follower *follower = NULL;
    pthread_rwlock_rdlock(&partition->_lock);
    enum kafka_error error =
        read_locked(partition, reader, fetch, max_bytes, at_least_one_batch, out, &follower);
    if (error == KERR_NONE && follower != NULL && out->diverging_epoch == -1) {
        // What it asks for next, it has all before.
        atomic_store(&follower->end_offset, fetch->fetch_offset);
        if (is_leader(partition) && high_watermark_advance(partition))
            partition_wake_satisfied(partition, partition->log, INT64_MAX, woken);
    }
    pthread_rwlock_unlock(&partition->_lock);
    if (error != KERR_NONE)
        partition_read_failed(out, error);
}

int64_t partition_read_batches(struct partition *partition, int64_t offset, int32_t max_bytes,
                               uint8_t **buffer, size_t *capacity)
{
    pthread_rwlock_rdlock(&partition->_lock);
    int64_t got = is_leader(partition) ? log_read_batches(partition->log, offset, max_bytes,
                                                          INT64_MAX, buffer, capacity)
                                       : -EAGAIN;
    pthread_rwlock_unlock(&partition->_lock);
    return got;
}

enum kafka_error partition_aborted_transactions(struct partition *partition, int64_t offset,
                                                int64_t end_offset, struct arena *arena,
                                                struct log_aborted_transaction **out, size_t *count)
{
    *out = NULL;
    *count = 0;
    pthread_rwlock_rdlock(&partition->_lock);
    enum kafka_error error = KERR_NOT_LEADER_OR_FOLLOWER;
    if (partition->log != NULL)
        error = log_aborted_transactions(partition->log, offset, end_offset, arena, out, count);
    pthread_rwlock_unlock(&partition->_lock);
    return error;
}

enum kafka_error partition_producers(struct partition *partition, struct arena *arena,
                                     struct log_producer **out, size_t *count)
{
    *out = NULL;
    *count = 0;
    pthread_rwlock_rdlock(&partition->_lock);
    enum kafka_error error = check_reader(partition, -1, false);
    if (error == KERR_NONE)
        *count = log_producers(partition->log, arena, out);
    pthread_rwlock_unlock(&partition->_lock);
    return error;
}

// ---- offsets ------------------------------------------------------------------------------------------------

// Under the role lock: f of the log, -1 without one.
static int64_t ask_log(struct partition *partition, int64_t (*f)(const struct log *log))
{
    pthread_rwlock_rdlock(&partition->_lock);
    int64_t offset = partition->log != NULL ? f(partition->log) : -1;
    pthread_rwlock_unlock(&partition->_lock);
    return offset;
}

int64_t partition_high_watermark(struct partition *partition)
{
    return ask_log(partition, log_high_watermark);
}

int64_t partition_log_start_offset(struct partition *partition)
{
    return ask_log(partition, log_start_offset);
}

int64_t partition_log_end_offset(struct partition *partition)
{
    return ask_log(partition, log_end_offset);
}

static enum kafka_error offset_for_time(const struct partition *partition,
                                        enum partition_time_query query, int64_t timestamp,
                                        bool is_client, enum partition_isolation isolation,
                                        struct log_timestamp_offset *out)
{
    struct log *log = partition->log;
    int64_t end = partition_visible_end(log, is_client ? isolation : READ_TO_LOG_END);
    bool is_lagging = is_client && partition->leader_epoch_start_offset > log_high_watermark(log);
    enum kafka_error error = KERR_NONE;
    switch (query) {
    case PARTITION_LATEST:
        if (is_lagging)
            return KERR_OFFSET_NOT_AVAILABLE;
        *out = (struct log_timestamp_offset){ -1, end, partition->leader_epoch };
        return KERR_NONE;
    case PARTITION_EARLIEST:
        out->offset = log_start_offset(log);
        out->leader_epoch = log_epoch_for_offset(log, out->offset);
        return KERR_NONE;
    case PARTITION_MAX_TIMESTAMP:
        error = log_max_timestamp_offset(log, out);
        break;
    case PARTITION_AT_TIME:
        error = log_offset_for_time(log, timestamp, out);
        break;
    case PARTITION_NOWHERE:
        break;
    }
    if (error == KERR_NONE && (out->offset == -1 || out->offset >= end)) {
        // Not found among what is visible. What is not visible yet may become so.
        if (is_lagging)
            return KERR_OFFSET_NOT_AVAILABLE;
        *out = (struct log_timestamp_offset){ -1, -1, -1 };
    }
    return error;
}

enum kafka_error partition_offset_for_time(struct partition *partition,
                                           enum partition_time_query query, int64_t timestamp,
                                           bool is_client, enum partition_isolation isolation,
                                           int32_t current_leader_epoch, bool is_leader_required,
                                           struct log_timestamp_offset *out)
{
    *out = (struct log_timestamp_offset){ -1, -1, -1 };
    pthread_rwlock_rdlock(&partition->_lock);
    enum kafka_error error = check_reader(partition, current_leader_epoch, is_leader_required);
    if (error == KERR_NONE)
        error = offset_for_time(partition, query, timestamp, is_client, isolation, out);
    pthread_rwlock_unlock(&partition->_lock);
    return error;
}

enum kafka_error partition_epoch_end_offset(struct partition *partition,
                                            int32_t current_leader_epoch, int32_t leader_epoch,
                                            struct log_epoch_end *out)
{
    *out = (struct log_epoch_end){ -1, -1 };
    pthread_rwlock_rdlock(&partition->_lock);
    enum kafka_error error = check_reader(partition, current_leader_epoch, true);
    if (error == KERR_NONE)
        *out = log_epoch_end_offset(partition->log, leader_epoch);
    pthread_rwlock_unlock(&partition->_lock);
    return error;
}
