// SPDX-License-Identifier: Apache-2.0
// Who waits for data, for a commit or for the disk (partition.h (3), (4)). Tested by partition_test.c.
#include "base/must.h"
#include "replica/partition_internal.h"

// Of a waiter: LINKED and FIRED are entered under the waiters' lock, FIRED is left by the waker alone.
enum { WAITER_IDLE, WAITER_LINKED, WAITER_FIRED };

int64_t partition_visible_end(const struct log *log, enum partition_isolation isolation)
{
    switch (isolation) {
    case READ_TO_LOG_END:
        return log_end_offset(log);
    case READ_COMMITTED:
        return log_last_stable_offset(log);
    case READ_UNCOMMITTED:
        break;
    }
    return log_high_watermark(log);
}

static void waiter_take(struct partition *partition, struct partition_waiter *waiter,
                        struct partition_woken *woken)
{
    list_remove(&waiter->_link);
    atomic_store(&waiter->_state, WAITER_FIRED);
    atomic_fetch_sub(&partition->_waiters_count, 1);
    list_append(&woken->waiters, &waiter->_link);
}

void partition_wake(struct partition_woken *woken)
{
    struct list *link;
    while ((link = list_pop(&woken->waiters)) != NULL) {
        struct partition_waiter *waiter = container_of(link, struct partition_waiter, _link);
        void (*wake)(struct partition_waiter *) = waiter->wake;
        atomic_store(&waiter->_state, WAITER_IDLE);
        wake(waiter);
    }
}

void partition_wake_all(struct partition *partition, struct partition_woken *woken)
{
    pthread_mutex_lock(&partition->_waiters_lock);
    list_for_each_safe(at, next, &partition->_data_waiters)
        waiter_take(partition, container_of(at, struct partition_waiter, _link), woken);
    list_for_each_safe(at, next, &partition->_commit_waiters)
        waiter_take(partition, container_of(at, struct partition_waiter, _link), woken);
    pthread_mutex_unlock(&partition->_waiters_lock);
}

static bool is_settled(const struct log *log, const struct partition_waiter *waiter)
{
    return waiter->kind == PARTITION_WAIT_FOR_FLUSH ? log_flush_limit(log) >= waiter->offset
                                                    : log_high_watermark(log) >= waiter->offset;
}

void partition_wake_satisfied(struct partition *partition, struct log *log, int64_t bytes,
                              struct partition_woken *woken)
{
    atomic_thread_fence(memory_order_seq_cst); // (4): the end was moved before
    if (atomic_load(&partition->_waiters_count) == 0)
        return;
    int64_t ends[] = {
        [READ_UNCOMMITTED] = partition_visible_end(log, READ_UNCOMMITTED),
        [READ_COMMITTED] = partition_visible_end(log, READ_COMMITTED),
        [READ_TO_LOG_END] = partition_visible_end(log, READ_TO_LOG_END),
    };
    pthread_mutex_lock(&partition->_waiters_lock);
    list_for_each_safe(at, next, &partition->_commit_waiters)
    {
        struct partition_waiter *waiter = container_of(at, struct partition_waiter, _link);
        if (is_settled(log, waiter))
            waiter_take(partition, waiter, woken);
    }
    list_for_each_safe(at, next, &partition->_data_waiters)
    {
        struct partition_waiter *waiter = container_of(at, struct partition_waiter, _link);
        if (ends[waiter->isolation] <= waiter->offset)
            continue;
        if (waiter->missing_bytes != NULL && bytes != INT64_MAX &&
            atomic_fetch_sub(waiter->missing_bytes, bytes) > bytes)
            continue;
        waiter_take(partition, waiter, woken);
    }
    pthread_mutex_unlock(&partition->_waiters_lock);
}

unsigned partition_changes(struct partition *partition)
{
    return atomic_load(&partition->_changes);
}

static bool is_satisfied(struct partition *partition, const struct partition_waiter *waiter)
{
    bool satisfied = true;
    pthread_rwlock_rdlock(&partition->_lock);
    struct log *log = partition->log;
    if (log != NULL && atomic_load(&partition->_changes) == waiter->changes)
        satisfied = waiter->kind == PARTITION_WAIT_FOR_DATA
                        ? partition_visible_end(log, waiter->isolation) > waiter->offset
                        : is_settled(log, waiter) || log_has_failed(log);
    pthread_rwlock_unlock(&partition->_lock);
    return satisfied;
}

enum partition_wait_result partition_wait(struct partition_waiter *waiter)
{
    struct partition *partition = waiter->partition;
    must_be(partition, PARTITION_MAGIC);
    pthread_mutex_lock(&partition->_waiters_lock);
    bool is_idle = atomic_load(&waiter->_state) == WAITER_IDLE;
    if (is_idle) {
        list_append(waiter->kind == PARTITION_WAIT_FOR_DATA ? &partition->_data_waiters
                                                            : &partition->_commit_waiters,
                    &waiter->_link);
        atomic_store(&waiter->_state, WAITER_LINKED);
        atomic_fetch_add(&partition->_waiters_count, 1);
    }
    pthread_mutex_unlock(&partition->_waiters_lock);
    if (!is_idle)
        return PARTITION_WAITS_STILL;
    atomic_thread_fence(memory_order_seq_cst);
    // (4). If an append takes it before we can, its wake-up comes.
    return is_satisfied(partition, waiter) && partition_unwait(waiter) ? PARTITION_SATISFIED
                                                                       : PARTITION_WAITS;
}

bool partition_unwait(struct partition_waiter *waiter)
{
    struct partition *partition = waiter->partition;
    pthread_mutex_lock(&partition->_waiters_lock);
    bool is_linked = atomic_load(&waiter->_state) == WAITER_LINKED;
    if (is_linked) {
        list_remove(&waiter->_link);
        atomic_store(&waiter->_state, WAITER_IDLE);
        atomic_fetch_sub(&partition->_waiters_count, 1);
    }
    pthread_mutex_unlock(&partition->_waiters_lock);
    return is_linked;
}
