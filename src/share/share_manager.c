// SPDX-License-Identifier: Apache-2.0
// The share partitions in use, their loading, their locks' ends, and writes in order. See the header.
// Tested by compat-tests/twin/share.
#include "share/share_manager.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/mem.h"
#include "base/must.h"

enum shared_state { SHARED_LOADING, SHARED_ACTIVE, SHARED_GONE };

struct shared_partition {
    atomic_int refs;
    struct share_manager *manager;
    struct partition *replica;
    int32_t leader_epoch;
    pthread_mutex_t lock; // guards what follows down to the key
    enum shared_state state;
    enum kafka_error error; // why it is GONE
    struct share_partition core;
    unsigned changes;
    struct list waiters;
    struct list writes; // struct share_write, to be given to the persister in this order
    bool is_writing;    // somebody is giving them
    int64_t timer_ms;   // what the timer is set to; INT64_MAX: not
    struct timer timer; // in the manager's, under its timers_lock
    struct list due;    // of the alarm that rings
    struct uuid topic_id;
    int32_t index;
    struct str group; // in key
    size_t key_size;
    uint8_t key[];
};

struct share_manager {
    struct share_manager_options options;
    pthread_mutex_t lock; // of the map: innermost but for timers
    struct hashmap partitions;
    pthread_mutex_t timers_lock; // leaf
    struct timers timers;
    struct alarm alarm;
    struct list *ringing; // while timers run
};

// A call of the persister for a share partition; on the heap.
struct share_write {
    struct share_state_call call;
    struct shared_partition *shared;
    struct share_change change;
    struct share_result *result; // who waits for it, or NULL
    struct arena arena;
    struct list link;
};

enum { KEY_PREFIX = 16 + 4 };

static int64_t now_ms(const struct share_manager *manager)
{
    return clock_monotonic_us(manager->options.clock) / 1000;
}

void share_manager_settings(struct share_manager *manager, struct str group,
                            struct share_settings *out)
{
    manager->options.settings(manager->options.owner, group, out);
}

static struct share_limits limits_of(struct shared_partition *shared)
{
    struct share_settings settings;
    share_manager_settings(shared->manager, shared->group, &settings);
    return settings.limits;
}

// ---- references and waiters ------------------------------------------------------------------------

void shared_partition_unref(struct shared_partition *shared)
{
    if (shared == NULL || atomic_fetch_sub(&shared->refs, 1) > 1)
        return;
    must(list_is_empty(&shared->waiters) && list_is_empty(&shared->writes));
    partition_unref(shared->replica);
    share_partition_fini(&shared->core);
    pthread_mutex_destroy(&shared->lock);
    mem_free(shared);
}

static struct shared_partition *ref(struct shared_partition *shared)
{
    atomic_fetch_add(&shared->refs, 1);
    return shared;
}

struct partition *shared_partition_replica(struct shared_partition *shared)
{
    return shared->replica;
}

// Under its lock: something changed; whoever waits goes to `woken`.
static void changed(struct shared_partition *shared, struct list *woken)
{
    shared->changes++;
    list_for_each(at, &shared->waiters)
    {
        container_of(at, struct share_waiter, _link)->_is_linked = false;
    }
    list_splice(woken, &shared->waiters);
}

static void wake(struct list *woken)
{
    struct list *link;
    while ((link = list_pop(woken)) != NULL) {
        struct share_waiter *waiter = container_of(link, struct share_waiter, _link);
        waiter->wake(waiter);
    }
}

bool shared_partition_wait(struct shared_partition *shared, struct share_waiter *waiter,
                           unsigned changes)
{
    pthread_mutex_lock(&shared->lock);
    bool waits = shared->changes == changes && shared->state != SHARED_GONE;
    waiter->_is_linked = waits;
    if (waits)
        list_append(&shared->waiters, &waiter->_link);
    pthread_mutex_unlock(&shared->lock);
    return waits;
}

bool shared_partition_unwait(struct shared_partition *shared, struct share_waiter *waiter)
{
    pthread_mutex_lock(&shared->lock);
    bool was_linked = waiter->_is_linked;
    if (was_linked)
        list_remove(&waiter->_link);
    waiter->_is_linked = false;
    pthread_mutex_unlock(&shared->lock);
    return was_linked;
}

static void tell(struct share_result *result, enum kafka_error error, const char *message)
{
    if (result == NULL)
        return;
    result->error = error;
    result->message = message;
    result->completion.complete(&result->completion);
}

// ---- locks that end --------------------------------------------------------------------------------

// Under its lock. INT64_MAX: no lock left to wait for.
static void set_timer(struct shared_partition *shared, int64_t at_ms)
{
    struct share_manager *manager = shared->manager;
    if (at_ms == shared->timer_ms)
        return;
    shared->timer_ms = at_ms;
    pthread_mutex_lock(&manager->timers_lock);
    if (at_ms == INT64_MAX)
        timer_cancel(&manager->timers, &shared->timer);
    else
        timer_set(&manager->timers, &shared->timer, at_ms * 1000);
    int64_t next = timers_next_us(&manager->timers);
    pthread_mutex_unlock(&manager->timers_lock);
    alarm_set(manager->options.alarms, &manager->alarm, next);
}

static void submit(struct shared_partition *shared, struct share_change *change,
                   struct share_result *result);

static void on_timer(struct timer *timer)
{
    struct shared_partition *shared = container_of(timer, struct shared_partition, timer);
    list_append(shared->manager->ringing, &ref(shared)->due);
}

static void end_locks(struct shared_partition *shared)
{
    struct list woken;
    struct share_change change;
    struct share_limits limits = limits_of(shared);
    list_init(&woken);
    pthread_mutex_lock(&shared->lock);
    shared->timer_ms = INT64_MAX;
    if (shared->state == SHARED_ACTIVE) {
        share_partition_expire(&shared->core, &limits, now_ms(shared->manager), &change);
        if (change.batches.count > 0)
            changed(shared, &woken);
        set_timer(shared, share_partition_next_expiry_ms(&shared->core));
        submit(shared, &change, NULL);
    }
    pthread_mutex_unlock(&shared->lock);
    wake(&woken);
}

static void on_alarm(void *owner)
{
    struct share_manager *manager = owner;
    struct list due, *link;
    list_init(&due);
    pthread_mutex_lock(&manager->timers_lock);
    manager->ringing = &due;
    timers_run(&manager->timers, clock_monotonic_us(manager->options.clock));
    manager->ringing = NULL;
    int64_t next = timers_next_us(&manager->timers);
    pthread_mutex_unlock(&manager->timers_lock);
    alarm_set(manager->options.alarms, &manager->alarm, next);
    while ((link = list_pop(&due)) != NULL) {
        struct shared_partition *shared = container_of(link, struct shared_partition, due);
        end_locks(shared);
        shared_partition_unref(shared);
    }
}

// ---- forgetting ------------------------------------------------------------------------------------

static void forget(struct shared_partition *shared, enum kafka_error error)
{
    struct share_manager *manager = shared->manager;
    struct list woken;
    list_init(&woken);
    pthread_mutex_lock(&manager->lock);
    bool is_ours = hashmap_find(&manager->partitions, shared->key, shared->key_size) == shared;
    if (is_ours)
        hashmap_remove(&manager->partitions, shared->key, shared->key_size);
    pthread_mutex_unlock(&manager->lock);
    pthread_mutex_lock(&shared->lock);
    if (shared->state != SHARED_GONE) {
        shared->state = SHARED_GONE;
        shared->error = error;
        set_timer(shared, INT64_MAX);
        changed(shared, &woken);
    }
    pthread_mutex_unlock(&shared->lock);
    wake(&woken);
    if (is_ours)
        shared_partition_unref(shared);
}

// The first that fits, counted: of the group, or of one of the topics; any, if neither is given.
static struct shared_partition *find_any(struct share_manager *manager, const struct str *group,
                                         const struct uuid *ids, size_t count)
{
    struct shared_partition *shared, *found = NULL;
    pthread_mutex_lock(&manager->lock);
    for (size_t i = 0;
         found == NULL && (shared = hashmap_next(&manager->partitions, &i)) != NULL;) {
        bool fits = group != NULL ? str_eq(shared->group, *group) : ids == NULL;
        for (size_t t = 0; t < count; t++)
            fits |= uuid_eq(ids[t], shared->topic_id);
        found = fits ? ref(shared) : NULL;
    }
    pthread_mutex_unlock(&manager->lock);
    return found;
}

static void forget_all(struct share_manager *manager, const struct str *group,
                       const struct uuid *ids, size_t count, enum kafka_error error)
{
    struct shared_partition *shared;
    while ((shared = find_any(manager, group, ids, count)) != NULL) {
        forget(shared, error);
        shared_partition_unref(shared);
    }
}

void share_manager_group_is_empty(struct share_manager *manager, struct str group)
{
    forget_all(manager, &group, NULL, 0, KERR_NONE);
}

void share_manager_switched_off(struct share_manager *manager)
{
    forget_all(manager, NULL, NULL, 0, KERR_NOT_LEADER_OR_FOLLOWER);
}

void share_manager_topics_deleted(struct share_manager *manager, const struct uuid *ids,
                                  size_t count)
{
    forget_all(manager, NULL, ids, count, KERR_UNKNOWN_TOPIC_OR_PARTITION);
}

// ---- the persister ---------------------------------------------------------------------------------

// What a failed call of the persister is to a client, with Kafka's words.
static enum kafka_error persister_error(const struct share_state_call *call, const char **message)
{
    *message = call->error_message.data;
    switch (call->error) {
    case KERR_NOT_COORDINATOR:
    case KERR_COORDINATOR_NOT_AVAILABLE:
    case KERR_COORDINATOR_LOAD_IN_PROGRESS:
        return KERR_COORDINATOR_NOT_AVAILABLE;
    case KERR_NONE:
    case KERR_GROUP_ID_NOT_FOUND:
    case KERR_UNKNOWN_TOPIC_OR_PARTITION:
        return call->error;
    case KERR_FENCED_LEADER_EPOCH:
    case KERR_FENCED_STATE_EPOCH:
        return KERR_NOT_LEADER_OR_FOLLOWER;
    default:
        return KERR_UNKNOWN_SERVER_ERROR;
    }
}

static bool is_final(enum kafka_error error)
{
    return error == KERR_NOT_LEADER_OR_FOLLOWER || error == KERR_GROUP_ID_NOT_FOUND ||
           error == KERR_UNKNOWN_TOPIC_OR_PARTITION;
}

static struct share_write *write_new(struct shared_partition *shared, enum share_state_op op,
                                     void (*complete)(struct completion *))
{
    struct share_write *write = mem_new(struct share_write);
    arena_init(&write->arena);
    write->shared = ref(shared);
    write->call = (struct share_state_call){ .op = op,
                                             .group = shared->group,
                                             .topic_id = shared->topic_id,
                                             .partition = shared->index,
                                             .leader_epoch = shared->leader_epoch,
                                             .arena = &write->arena,
                                             .completion = { .complete = complete } };
    return write;
}

static void write_free(struct share_write *write)
{
    arena_fini(&write->arena);
    shared_partition_unref(write->shared);
    mem_free(write);
}

static void on_written(struct completion *completion)
{
    struct share_write *write = container_of(completion, struct share_write, call.completion);
    struct shared_partition *shared = write->shared;
    struct share_limits limits = limits_of(shared);
    struct list woken;
    const char *message;
    enum kafka_error error = persister_error(&write->call, &message);
    list_init(&woken);
    pthread_mutex_lock(&shared->lock);
    bool was_free = shared->core.has_free;
    bool has_moved = share_partition_settle(&shared->core, &limits, &write->change,
                                            error == KERR_NONE, now_ms(shared->manager));
    if (has_moved || (shared->core.has_free && !was_free) || write->change.transition != 0)
        changed(shared, &woken);
    pthread_mutex_unlock(&shared->lock);
    wake(&woken);
    if (is_final(error))
        forget(shared, error);
    tell(write->result, error, message);
    write_free(write);
}

// Under its lock, which it lets go of while it calls: gives what is to be written to the persister, in order.
static void give_writes(struct shared_partition *shared)
{
    struct list *link;
    if (shared->is_writing)
        return; // whoever does it takes ours along
    shared->is_writing = true;
    while ((link = list_pop(&shared->writes)) != NULL) {
        pthread_mutex_unlock(&shared->lock);
        persister_call(shared->manager->options.persister,
                       &container_of(link, struct share_write, link)->call);
        pthread_mutex_lock(&shared->lock);
    }
    shared->is_writing = false;
}

// Under its lock, as give_writes. Takes over the change.
static void submit(struct shared_partition *shared, struct share_change *change,
                   struct share_result *result)
{
    if (change->batches.count == 0) {
        share_batches_fini(&change->batches);
        if (result == NULL)
            return;
        pthread_mutex_unlock(&shared->lock);
        tell(result, KERR_NONE, NULL);
        pthread_mutex_lock(&shared->lock);
        return;
    }
    struct share_write *write = write_new(shared, SHARE_STATE_WRITE, on_written);
    write->change = *change;
    write->result = result;
    write->call.state_epoch = shared->core.state_epoch;
    write->call.start_offset = shared->core.start_offset;
    write->call.delivery_complete_count = shared->core.delivery_complete_count;
    write->call.batches = write->change.batches.items;
    write->call.batches_count = write->change.batches.count;
    list_append(&shared->writes, &write->link);
    give_writes(shared);
}

// ---- loading ---------------------------------------------------------------------------------------

static enum kafka_error take_over(struct shared_partition *shared,
                                  const struct share_state_call *call)
{
    const char *message;
    enum kafka_error error = persister_error(call, &message);
    int64_t start = call->start_offset;
    if (error == KERR_NONE && start == -1) {
        struct share_settings settings;
        share_manager_settings(shared->manager, shared->group, &settings);
        error = share_start_find(&settings.start, shared->replica, shared->leader_epoch,
                                 clock_wall_ms(shared->manager->options.clock), &start);
    }
    if (error != KERR_NONE)
        return error;
    return share_partition_load(&shared->core, start, call->state_epoch, call->batches,
                                call->batches_count)
               ? KERR_NONE
               : KERR_UNKNOWN_SERVER_ERROR;
}

static void on_read(struct completion *completion)
{
    struct share_write *write = container_of(completion, struct share_write, call.completion);
    struct shared_partition *shared = write->shared;
    struct list woken;
    list_init(&woken);
    pthread_mutex_lock(&shared->lock);
    enum kafka_error error =
        shared->state == SHARED_LOADING ? take_over(shared, &write->call) : KERR_NONE;
    if (error == KERR_NONE && shared->state == SHARED_LOADING) {
        shared->state = SHARED_ACTIVE;
        changed(shared, &woken);
    }
    pthread_mutex_unlock(&shared->lock);
    wake(&woken);
    if (error != KERR_NONE)
        forget(shared, error);
    write_free(write);
}

// ---- the map ---------------------------------------------------------------------------------------

static size_t fill_key(uint8_t *into, struct str group, struct uuid topic_id, int32_t index)
{
    memcpy(into, topic_id.bytes, sizeof topic_id.bytes);
    put_be32(into + 16, (uint32_t)index);
    memcpy(into + KEY_PREFIX, group.data, group.size);
    return KEY_PREFIX + group.size;
}

static struct shared_partition *shared_new(struct share_manager *manager, struct str group,
                                           struct uuid topic_id, int32_t index)
{
    struct shared_partition *shared = mem_zalloc(sizeof *shared + KEY_PREFIX + group.size);
    atomic_init(&shared->refs, 1);
    shared->manager = manager;
    pthread_mutex_init(&shared->lock, NULL);
    share_partition_init(&shared->core);
    list_init(&shared->waiters);
    list_init(&shared->writes);
    timer_init(&shared->timer, on_timer);
    shared->timer_ms = INT64_MAX;
    shared->topic_id = topic_id;
    shared->index = index;
    shared->key_size = fill_key(shared->key, group, topic_id, index);
    shared->group = (struct str){ (const char *)shared->key + KEY_PREFIX, group.size };
    return shared;
}

// Is its partition still led by this broker, as when it was loaded?
static bool is_current(struct shared_partition *shared)
{
    int32_t leader, leader_epoch;
    if (partition_is_gone(shared->replica))
        return false;
    partition_leader(shared->replica, &leader, &leader_epoch);
    return leader_epoch == shared->leader_epoch;
}

static enum kafka_error find_replica(struct share_manager *manager, struct uuid topic_id,
                                     int32_t index, struct partition **out)
{
    struct replicas *replicas = manager->options.replicas;
    replicas_lock_read(replicas);
    struct partition *found =
        replica_topic_partition(replicas_find_topic_by_id(replicas, topic_id), index);
    *out = found != NULL ? partition_ref(found) : NULL;
    replicas_unlock(replicas);
    return found != NULL ? KERR_NONE : replicas_why_not_found_by_id(replicas, topic_id, index);
}

struct shared_partition *share_manager_find(struct share_manager *manager, struct str group,
                                            struct uuid topic_id, int32_t index)
{
    uint8_t *key = mem_alloc(KEY_PREFIX + group.size);
    size_t size = fill_key(key, group, topic_id, index);
    pthread_mutex_lock(&manager->lock);
    struct shared_partition *shared = hashmap_find(&manager->partitions, key, size);
    if (shared != NULL)
        ref(shared);
    pthread_mutex_unlock(&manager->lock);
    mem_free(key);
    if (shared != NULL && !is_current(shared)) {
        forget(shared, KERR_NOT_LEADER_OR_FOLLOWER);
        shared_partition_unref(shared);
        shared = NULL;
    }
    return shared;
}

static struct shared_partition *add(struct share_manager *manager, struct shared_partition *fresh)
{
    pthread_mutex_lock(&manager->lock);
    struct shared_partition *there =
        hashmap_find(&manager->partitions, fresh->key, fresh->key_size);
    if (there == NULL)
        hashmap_put(&manager->partitions, fresh->key, fresh->key_size, ref(fresh));
    else
        ref(there);
    pthread_mutex_unlock(&manager->lock);
    if (there != NULL) {
        shared_partition_unref(fresh);
        return there;
    }
    struct share_write *read = write_new(fresh, SHARE_STATE_READ, on_read);
    persister_call(manager->options.persister, &read->call);
    return fresh;
}

struct shared_partition *share_manager_get(struct share_manager *manager, struct str group,
                                           struct uuid topic_id, int32_t index,
                                           enum kafka_error *error)
{
    int32_t leader;
    struct shared_partition *shared = share_manager_find(manager, group, topic_id, index);
    if (shared != NULL)
        return shared;
    struct partition *replica;
    *error = find_replica(manager, topic_id, index, &replica);
    if (*error != KERR_NONE)
        return NULL;
    shared = shared_new(manager, group, topic_id, index);
    shared->replica = replica;
    partition_leader(replica, &leader, &shared->leader_epoch);
    return add(manager, shared);
}

// ---- fetching --------------------------------------------------------------------------------------

bool shared_partition_can_acquire(struct shared_partition *shared,
                                  const struct share_settings *settings)
{
    pthread_mutex_lock(&shared->lock);
    bool can = shared->state == SHARED_ACTIVE &&
               share_partition_can_acquire(&shared->core, &settings->limits);
    pthread_mutex_unlock(&shared->lock);
    return can;
}

// The record at the start is not in the log any more: begin where the log does.
static void move_to_log_start(struct shared_partition *shared, struct share_fetched *out)
{
    share_partition_move_log_start(&shared->core, partition_log_start_offset(shared->replica));
    out->is_moved = true;
    out->error = KERR_NONE;
}

static void acquire(struct shared_partition *shared, const struct share_fetch_how *how,
                    const struct share_reader *reader, struct arena *arena,
                    struct share_fetched *out)
{
    if (!share_read_batches(shared->replica, reader, out->offset, out->last_wanted, arena,
                            &out->data)) {
        out->is_cold = true;
        return;
    }
    struct share_acquired_list acquired = { 0 };
    int64_t now = now_ms(shared->manager);
    struct share_acquire acquire = {
        .member = how->member,
        .is_record_limit = how->is_record_limit,
        .batch_size = how->batch_size,
        .max_records = how->max_records,
        .fetch_offset = out->offset,
        .spans = out->data.spans,
        .spans_count = out->data.spans_count,
        .now_ms = now,
    };
    out->count =
        share_partition_acquire(&shared->core, &how->settings->limits, &acquire, &acquired);
    out->acquired = acquired;
    out->acquired.items = arena_dup(arena, acquired.items, acquired.count * sizeof *acquired.items);
    mem_free(acquired.items);
    if (shared->timer_ms == INT64_MAX && out->count > 0)
        set_timer(shared, now + how->settings->limits.lock_ms);
}

void shared_partition_fetch(struct shared_partition *shared, const struct share_fetch_how *how,
                            struct arena *arena, struct share_fetched *out)
{
    *out = (struct share_fetched){ 0 };
    pthread_mutex_lock(&shared->lock);
    out->changes = shared->changes;
    out->is_gone = shared->state == SHARED_GONE;
    out->error = out->is_gone ? shared->error : KERR_NONE;
    if (shared->state == SHARED_ACTIVE &&
        share_partition_can_acquire(&shared->core, &how->settings->limits)) {
        int64_t end_offset = shared->core.end_offset;
        out->offset = share_partition_next_offset(&shared->core);
        // No more batches are looked at than max_records could come from: all that is in flight may be somebody's.
        out->last_wanted = (out->offset > end_offset ? out->offset : end_offset) + how->max_records;
        struct share_reader reader = { how->settings->is_read_committed, how->only_cached };
        share_read(shared->replica, &reader, out->offset, how->max_bytes, &out->data);
        out->was_read = true;
        out->error = out->data.read.error;
        out->is_cold = out->data.read.is_cold;
        if (out->error == KERR_OFFSET_OUT_OF_RANGE)
            move_to_log_start(shared, out);
        else if (out->error == KERR_NONE && !how->only_look && !out->is_cold)
            acquire(shared, how, &reader, arena, out);
    }
    pthread_mutex_unlock(&shared->lock);
    if (out->acquired.count > 0)
        share_read_cut(&out->data, out->acquired.items[0].first_offset,
                       out->acquired.items[out->acquired.count - 1].last_offset);
}

// ---- acknowledging ---------------------------------------------------------------------------------

void shared_partition_acknowledge(struct shared_partition *shared, struct str member,
                                  const struct share_acknowledgement *acknowledgements,
                                  size_t count, struct share_result *result)
{
    struct share_limits limits = limits_of(shared);
    struct share_change change;
    const char *message;
    pthread_mutex_lock(&shared->lock);
    enum kafka_error error =
        share_partition_acknowledge(&shared->core, &limits, member, acknowledgements, count,
                                    now_ms(shared->manager), &change, &message);
    if (error == KERR_NONE)
        submit(shared, &change, result);
    pthread_mutex_unlock(&shared->lock);
    if (error != KERR_NONE)
        tell(result, error, message);
}

void shared_partition_release(struct shared_partition *shared, struct str member,
                              struct share_result *result)
{
    struct share_limits limits = limits_of(shared);
    struct share_change change;
    pthread_mutex_lock(&shared->lock);
    share_partition_release(&shared->core, &limits, member, &change);
    submit(shared, &change, result);
    pthread_mutex_unlock(&shared->lock);
}

// ---- life ------------------------------------------------------------------------------------------

struct share_manager *share_manager_new(const struct share_manager_options *options)
{
    struct share_manager *manager = mem_new(struct share_manager);
    manager->options = *options;
    pthread_mutex_init(&manager->lock, NULL);
    pthread_mutex_init(&manager->timers_lock, NULL);
    hashmap_init(&manager->partitions);
    timers_init(&manager->timers);
    alarm_init(&manager->alarm, on_alarm, manager);
    return manager;
}

void share_manager_free(struct share_manager *manager)
{
    if (manager == NULL)
        return;
    struct shared_partition *shared;
    for (size_t i = 0; (shared = hashmap_next(&manager->partitions, &i)) != NULL;) {
        timer_cancel(&manager->timers, &shared->timer);
        shared_partition_unref(shared);
    }
    alarm_set(manager->options.alarms, &manager->alarm, INT64_MAX);
    timers_fini(&manager->timers);
    hashmap_fini(&manager->partitions);
    pthread_mutex_destroy(&manager->timers_lock);
    pthread_mutex_destroy(&manager->lock);
    mem_free(manager);
}
