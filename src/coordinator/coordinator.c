// SPDX-License-Identifier: Apache-2.0
// Shards: locks, loading, appending, waiting for commit, timers. See the header.
//
// Two things reach a shard without its lock being free: a high watermark that moves while the shard itself
// appends, and an alarm that is due while requests hold it. The first leaves its news in an atomic and goes
// (whoever holds the lock looks again before it leaves); the second waits for the lock, on its own thread.
#include "coordinator/coordinator.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/batch_builder.h"

enum shard_state { SHARD_ABSENT, SHARD_LOADING, SHARD_ACTIVE, SHARD_FAILED };

// Larger sets of independent records go in several batches.
enum { EACH_BATCH_BYTES = 256 * 1024 };

// A record that was added: where its key and value are in `added`; value_size -1 for a tombstone.
struct added_record {
    size_t at;
    size_t key_size;
    int64_t value_size;
};

struct coordinator_shard {
    struct coordinator *coordinator;
    int32_t partition;
    pthread_mutex_t lock;
    enum shard_state state;
    bool is_being_loaded; // by a thread in coordinator_load, which works without the lock
    int32_t leader_epoch;
    void *object;      // the module's state; NULL unless LOADING or ACTIVE
    int64_t written;   // offset after our last batch
    int64_t committed; // high watermark, as far as we have looked
    atomic_llong news; // high watermark, as far as we were told
    struct list waits; // by offset
    struct timer wait_timer;
    struct list completions;
    struct timers timers;
    struct alarm alarm;
    int64_t alarm_us; // what it is set to, INT64_MAX for nothing
    struct strbuf added;
    struct added_record *records;
    size_t record_count;
    size_t record_capacity;
    struct batch_builder builder;
    char name[300];
};

struct coordinator {
    struct coordinator_options options;
    struct coordinator_shard *shards;
};

static struct batch_options batch_options_of(const struct coordinator_shard *shard)
{
    return (struct batch_options){ BATCH_OPTIONS_DEFAULT,
                                   .compression =
                                       (enum compression)shard->coordinator->options.compression };
}

static void on_alarm(void *owner);
static void on_wait_timeout(struct timer *timer);

static void shard_init(struct coordinator *coordinator, int32_t partition)
{
    struct coordinator_shard *shard = &coordinator->shards[partition];
    shard->coordinator = coordinator;
    shard->partition = partition;
    shard->leader_epoch = -1;
    shard->alarm_us = INT64_MAX;
    pthread_mutex_init(&shard->lock, NULL);
    list_init(&shard->waits);
    list_init(&shard->completions);
    timers_init(&shard->timers);
    timer_init(&shard->wait_timer, on_wait_timeout);
    alarm_init(&shard->alarm, on_alarm, shard);
    snprintf(shard->name, sizeof shard->name, "%s-%" PRId32, coordinator->options.topic, partition);
    struct batch_options options = batch_options_of(shard);
    batch_builder_init(&shard->builder, &options);
}

struct coordinator *coordinator_new(const struct coordinator_options *options)
{
    must(options->partition_count > 0);
    struct coordinator *coordinator = mem_new(struct coordinator);
    coordinator->options = *options;
    coordinator->shards =
        mem_zalloc(sizeof *coordinator->shards * (size_t)options->partition_count);
    for (int32_t i = 0; i < options->partition_count; i++)
        shard_init(coordinator, i);
    return coordinator;
}

static void forget(struct coordinator_shard *shard)
{
    if (shard->object != NULL)
        shard->coordinator->options.state_ops->destroy(shard->object);
    shard->object = NULL;
}

void coordinator_free(struct coordinator *coordinator)
{
    if (coordinator == NULL)
        return;
    for (int32_t i = 0; i < coordinator->options.partition_count; i++) {
        struct coordinator_shard *shard = &coordinator->shards[i];
        forget(shard);
        alarm_set(coordinator->options.alarms, &shard->alarm, INT64_MAX);
        timers_fini(&shard->timers);
        strbuf_fini(&shard->added);
        mem_free(shard->records);
        batch_builder_fini(&shard->builder);
        pthread_mutex_destroy(&shard->lock);
    }
    mem_free(coordinator->shards);
    mem_free(coordinator);
}

int32_t coordinator_partition_count(const struct coordinator *coordinator)
{
    return coordinator->options.partition_count;
}

int32_t coordinator_partition_for(const struct coordinator *coordinator, struct str id)
{
    int32_t hash = str_java_hash(id);
    int32_t positive = hash == INT32_MIN ? 0 : hash < 0 ? -hash : hash; // Kafka's abs
    return positive % coordinator->options.partition_count;
}

struct coordinator_shard *coordinator_shard_at(struct coordinator *coordinator, int32_t partition)
{
    must(partition >= 0 && partition < coordinator->options.partition_count);
    return &coordinator->shards[partition];
}

// ---- waiting for commit ----------------------------------------------------------------------------

// Ends the waits whose offset is committed, under the lock. A wait's callback may add others.
static void settle(struct coordinator_shard *shard)
{
    int64_t news = atomic_load(&shard->news);
    if (news > shard->committed)
        shard->committed = news;
    while (!list_is_empty(&shard->waits)) {
        struct coordinator_wait *wait =
            container_of(shard->waits.next, struct coordinator_wait, _link);
        if (wait->_offset > shard->committed)
            break;
        list_remove(&wait->_link);
        wait->on_committed(wait, KERR_NONE);
    }
    if (list_is_empty(&shard->waits))
        timer_cancel(&shard->timers, &shard->wait_timer);
}

static void on_wait_timeout(struct timer *timer)
{
    struct coordinator_shard *shard = container_of(timer, struct coordinator_shard, wait_timer);
    int64_t now = coordinator_now_us(shard);
    while (!list_is_empty(&shard->waits)) {
        struct coordinator_wait *wait =
            container_of(shard->waits.next, struct coordinator_wait, _link);
        if (wait->_deadline_us > now) {
            timer_set(&shard->timers, &shard->wait_timer, wait->_deadline_us);
            return;
        }
        list_remove(&wait->_link);
        wait->on_committed(wait, coordinator_client_error(KERR_REQUEST_TIMED_OUT));
    }
}

void coordinator_await_commit(struct coordinator_shard *shard, struct coordinator_wait *wait,
                              void (*on_committed)(struct coordinator_wait *, enum kafka_error))
{
    *wait = (struct coordinator_wait){ .on_committed = on_committed,
                                       .shard = shard,
                                       ._offset = shard->written };
    list_init(&wait->_link);
    if (wait->_offset <= shard->committed && list_is_empty(&shard->waits)) {
        on_committed(wait, KERR_NONE);
        return;
    }
    wait->_deadline_us =
        coordinator_now_us(shard) + shard->coordinator->options.commit_timeout_ms * 1000;
    list_append(&shard->waits, &wait->_link);
    if (!timer_is_set(&shard->wait_timer))
        timer_set(&shard->timers, &shard->wait_timer, wait->_deadline_us);
}

void coordinator_complete(struct coordinator_shard *shard, struct completion *completion)
{
    list_append(&shard->completions, &completion->link);
}

// ---- entering and leaving --------------------------------------------------------------------------

// The alarm follows the earliest timer only when that came nearer: one that moved away is found out when it
// rings, so a session that is renewed by each heartbeat costs no alarm.
static void rearm(struct coordinator_shard *shard)
{
    int64_t next = timers_next_us(&shard->timers);
    if (next < shard->alarm_us) {
        shard->alarm_us = next;
        alarm_set(shard->coordinator->options.alarms, &shard->alarm, next);
    }
}

static void leave(struct coordinator_shard *shard)
{
    must(shard->record_count == 0);
    for (;;) {
        settle(shard);
        rearm(shard);
        struct list ready;
        list_init(&ready);
        list_splice(&ready, &shard->completions);
        int64_t seen = shard->committed;
        pthread_mutex_unlock(&shard->lock);
        completions_run(&ready);
        // News that came while we held the lock found it taken and went away.
        if (atomic_load(&shard->news) <= seen || pthread_mutex_trylock(&shard->lock) != 0)
            return;
    }
}

void *coordinator_enter(struct coordinator_shard *shard, enum kafka_error *error)
{
    pthread_mutex_lock(&shard->lock);
    if (shard->state == SHARD_ACTIVE)
        return shard->object;
    *error =
        shard->state == SHARD_LOADING ? KERR_COORDINATOR_LOAD_IN_PROGRESS : KERR_NOT_COORDINATOR;
    pthread_mutex_unlock(&shard->lock);
    return NULL;
}

void coordinator_exit(struct coordinator_shard *shard)
{
    leave(shard);
}

void coordinator_on_high_watermark(struct coordinator *coordinator, int32_t partition,
                                   int64_t high_watermark)
{
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, partition);
    long long known = atomic_load(&shard->news);
    while (known < high_watermark &&
           !atomic_compare_exchange_weak(&shard->news, &known, high_watermark))
        continue;
    if (pthread_mutex_trylock(&shard->lock) == 0)
        leave(shard);
}

static void on_alarm(void *owner)
{
    struct coordinator_shard *shard = owner;
    pthread_mutex_lock(&shard->lock);
    shard->alarm_us = INT64_MAX;
    if (shard->state == SHARD_ACTIVE)
        timers_run(&shard->timers, coordinator_now_us(shard));
    leave(shard);
}

// ---- writing ---------------------------------------------------------------------------------------

void coordinator_add(struct coordinator_shard *shard, struct bytes key, struct bytes value)
{
    vec_reserve(shard->records, shard->record_count + 1, shard->record_capacity);
    shard->records[shard->record_count++] = (struct added_record){
        .at = shard->added.size,
        .key_size = key.size,
        .value_size = value.data == NULL ? -1 : (int64_t)value.size,
    };
    strbuf_add(&shard->added, key.data, key.size);
    strbuf_add(&shard->added, value.data, value.size);
}

static struct bytes added_key(const struct coordinator_shard *shard,
                              const struct added_record *record)
{
    return (struct bytes){ (const uint8_t *)shard->added.data + record->at, record->key_size };
}

static struct bytes added_value(const struct coordinator_shard *shard,
                                const struct added_record *record)
{
    if (record->value_size < 0)
        return BYTES_NULL;
    return (struct bytes){ (const uint8_t *)shard->added.data + record->at + record->key_size,
                           (size_t)record->value_size };
}

enum kafka_error coordinator_client_error(enum kafka_error log_error)
{
    switch (log_error) {
    case KERR_NETWORK_EXCEPTION:
        return KERR_COORDINATOR_LOAD_IN_PROGRESS;
    case KERR_UNKNOWN_TOPIC_OR_PARTITION:
    case KERR_NOT_ENOUGH_REPLICAS:
    case KERR_REQUEST_TIMED_OUT:
        return KERR_COORDINATOR_NOT_AVAILABLE;
    case KERR_NOT_LEADER_OR_FOLLOWER:
    case KERR_KAFKA_STORAGE_ERROR:
        return KERR_NOT_COORDINATOR;
    case KERR_MESSAGE_TOO_LARGE:
    case KERR_RECORD_LIST_TOO_LARGE:
    case KERR_INVALID_FETCH_SIZE:
        return KERR_UNKNOWN_SERVER_ERROR;
    default:
        return log_error;
    }
}

static enum kafka_error append_batch(struct coordinator_shard *shard,
                                     const struct coordinator_transaction *transaction,
                                     int64_t *end_offset)
{
    const struct coordinator_options *options = &shard->coordinator->options;
    struct bytes batch = batch_builder_finish(&shard->builder);
    uint8_t *bytes = (uint8_t *)(uintptr_t)batch.data;
    enum kafka_error error =
        transaction == NULL
            ? options->log->ops->append(options->log, shard->partition, bytes, batch.size,
                                        end_offset)
            : options->log->ops->append_transactional(options->log, shard->partition, bytes,
                                                      batch.size, transaction, end_offset);
    if (error != KERR_NONE) {
        trace_warn(options->trace, "coordinator append failed shard=%s error=%s", shard->name,
                   kafka_error_name(error));
        return coordinator_client_error(error);
    }
    shard->written = *end_offset;
    int64_t high_watermark = options->log->ops->high_watermark(options->log, shard->partition);
    if (high_watermark > shard->committed)
        shard->committed = high_watermark;
    return KERR_NONE;
}

// Writes records [first, end) as one batch and replays them if asked. `transaction` is NULL outside of one.
static enum kafka_error append_range(struct coordinator_shard *shard, size_t first, size_t end,
                                     const struct coordinator_transaction *transaction, bool replay)
{
    const struct coordinator_options *options = &shard->coordinator->options;
    struct batch_options batch_options = batch_options_of(shard);
    if (transaction != NULL) {
        batch_options.is_transactional = true;
        batch_options.producer_id = transaction->producer_id;
        batch_options.producer_epoch = transaction->producer_epoch;
    }
    int64_t now_ms = clock_wall_ms(options->clock);
    batch_builder_reset(&shard->builder, &batch_options);
    for (size_t i = first; i < end; i++)
        batch_builder_add(&shard->builder, now_ms, added_key(shard, &shard->records[i]),
                          added_value(shard, &shard->records[i]));
    int64_t end_offset = -1;
    enum kafka_error error = append_batch(shard, transaction, &end_offset);
    if (error != KERR_NONE)
        return error;
    int64_t offset = end_offset - (int64_t)(end - first);
    int64_t producer_id = transaction != NULL ? transaction->producer_id : -1;
    for (size_t i = first; replay && i < end; i++, offset++)
        must(options->state_ops->replay(shard->object, offset, producer_id,
                                        added_key(shard, &shard->records[i]),
                                        added_value(shard, &shard->records[i])) == 0);
    return KERR_NONE;
}

static void forget_added(struct coordinator_shard *shard)
{
    shard->record_count = 0;
    shard->added.size = 0;
    if (shard->added.capacity > 4 * EACH_BATCH_BYTES) { // a rare giant is not kept for ever
        strbuf_fini(&shard->added);
        shard->added = STRBUF_EMPTY;
    }
}

void coordinator_discard(struct coordinator_shard *shard)
{
    forget_added(shard);
}

enum kafka_error coordinator_append(struct coordinator_shard *shard, bool replay)
{
    enum kafka_error error = KERR_NONE;
    if (shard->record_count > 0)
        error = append_range(shard, 0, shard->record_count, NULL, replay);
    forget_added(shard);
    return error;
}

enum kafka_error coordinator_append_each(struct coordinator_shard *shard)
{
    enum kafka_error error = KERR_NONE;
    for (size_t first = 0; first < shard->record_count && error == KERR_NONE;) {
        size_t end = first + 1;
        while (end < shard->record_count &&
               shard->records[end].at - shard->records[first].at < EACH_BATCH_BYTES)
            end++;
        error = append_range(shard, first, end, NULL, true);
        first = end;
    }
    forget_added(shard);
    return error;
}

enum kafka_error coordinator_append_transactional(struct coordinator_shard *shard,
                                                  const struct coordinator_transaction *transaction)
{
    enum kafka_error error = KERR_NONE;
    if (shard->record_count > 0)
        error = append_range(shard, 0, shard->record_count, transaction, true);
    forget_added(shard);
    return error;
}

enum kafka_error coordinator_end_transaction(struct coordinator_shard *shard,
                                             const struct coordinator_transaction *transaction,
                                             int32_t coordinator_epoch, bool is_commit)
{
    must(shard->record_count == 0);
    const struct coordinator_options *options = &shard->coordinator->options;
    struct batch_options batch_options = { BATCH_OPTIONS_DEFAULT, .is_transactional = true,
                                           .is_control = true };
    batch_options.producer_id = transaction->producer_id;
    batch_options.producer_epoch = transaction->producer_epoch;
    uint8_t key[CONTROL_KEY_SIZE], value[END_TXN_MARKER_SIZE];
    control_key_encode(key, is_commit ? CONTROL_COMMIT : CONTROL_ABORT);
    end_txn_marker_encode(value, coordinator_epoch);
    batch_builder_reset(&shard->builder, &batch_options);
    batch_builder_add(&shard->builder, clock_wall_ms(options->clock),
                      (struct bytes){ key, sizeof key }, (struct bytes){ value, sizeof value });
    int64_t end_offset = -1;
    enum kafka_error error = append_batch(shard, transaction, &end_offset);
    if (error == KERR_NONE)
        options->state_ops->replay_end_transaction(shard->object, transaction->producer_id,
                                                   is_commit);
    return error;
}

// ---- loading ---------------------------------------------------------------------------------------

void coordinator_elected(struct coordinator *coordinator, int32_t partition, int32_t leader_epoch)
{
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, partition);
    pthread_mutex_lock(&shard->lock);
    if (leader_epoch > shard->leader_epoch) {
        shard->leader_epoch = leader_epoch;
        // An ACTIVE shard whose leader stays the same has seen all records; only the epoch is new.
        if (shard->state != SHARD_ACTIVE)
            shard->state = SHARD_LOADING;
    }
    leave(shard);
}

struct load {
    int64_t offset;
    int64_t records;
};

static bool replay_control(struct coordinator_shard *shard, void *object, struct bytes batch)
{
    struct record_iter it;
    struct record record;
    record_iter_init(&it, batch, RECORDS_WHOLE);
    while (record_iter_next(&it, &record)) {
        int type = control_key_type(record.key);
        if (type == CONTROL_COMMIT || type == CONTROL_ABORT)
            shard->coordinator->options.state_ops->replay_end_transaction(
                object, batch_producer_id(batch.data), type == CONTROL_COMMIT);
    }
    bool is_good = it.error == RECORDS_OK;
    record_iter_fini(&it);
    return is_good;
}

static bool replay_batch(struct coordinator_shard *shard, void *object, struct bytes batch,
                         struct load *load)
{
    if (batch_is_control(batch.data))
        return replay_control(shard, object, batch);
    int64_t producer_id = batch_is_transactional(batch.data) ? batch_producer_id(batch.data) : -1;
    struct record_iter it;
    struct record record;
    record_iter_init(&it, batch, RECORDS_WHOLE);
    bool is_good = true;
    while (is_good && record_iter_next(&it, &record)) {
        load->records++;
        int error = shard->coordinator->options.state_ops->replay(
            object, record.offset, producer_id, record.key, record.value);
        if (error != 0) {
            trace_error(shard->coordinator->options.trace,
                        "coordinator cannot read a record shard=%s offset=%" PRId64, shard->name,
                        record.offset);
            is_good = false;
        }
    }
    if (it.error != RECORDS_OK) {
        trace_error(shard->coordinator->options.trace,
                    "coordinator cannot read a batch shard=%s offset=%" PRId64 " reason=\"%s\"",
                    shard->name, batch_base_offset(batch.data), it.reason);
        is_good = false;
    }
    record_iter_fini(&it);
    return is_good;
}

static bool replay_bytes(struct coordinator_shard *shard, void *object, struct bytes rest,
                         struct load *load)
{
    struct bytes batch;
    while (batch_next(&rest, &batch) == BATCH_FOUND) {
        if (!batch_is_intact(batch)) {
            trace_error(shard->coordinator->options.trace,
                        "coordinator found a damaged batch shard=%s offset=%" PRId64, shard->name,
                        batch_base_offset(batch.data));
            return false;
        }
        if (!replay_batch(shard, object, batch, load))
            return false;
        load->offset = batch_next_offset(batch.data);
    }
    return true;
}

static bool replay_log(struct coordinator_shard *shard, void *object, struct load *load)
{
    const struct coordinator_options *options = &shard->coordinator->options;
    struct coordinator_log *log = options->log;
    load->offset = log->ops->start_offset(log, shard->partition);
    int64_t end = log->ops->end_offset(log, shard->partition);
    struct strbuf bytes = STRBUF_EMPTY;
    bool is_good = true;
    while (is_good && load->offset < end) {
        bytes.size = 0;
        int64_t before = load->offset;
        int error =
            log->ops->read(log, shard->partition, load->offset, options->load_buffer_bytes, &bytes);
        if (error != 0)
            trace_error(options->trace, "coordinator cannot read its log shard=%s error=%d",
                        shard->name, error);
        is_good = error == 0 &&
                  replay_bytes(shard, object,
                               (struct bytes){ (const uint8_t *)bytes.data, bytes.size }, load);
        if (load->offset == before)
            break; // what is left was compacted away
    }
    strbuf_fini(&bytes);
    return is_good;
}

// Replays without the lock (nobody else touches `object` before the shard is ACTIVE), then opens the shard,
// unless it was resigned or elected again meanwhile.
static void load_shard(struct coordinator_shard *shard)
{
    const struct coordinator_options *options = &shard->coordinator->options;
    int64_t started_us = clock_monotonic_us(options->clock);
    int32_t epoch = shard->leader_epoch;
    shard->is_being_loaded = true;
    pthread_mutex_unlock(&shard->lock);

    struct load load = { 0 };
    void *object = options->state_ops->create(shard, options->owner);
    bool is_good = replay_log(shard, object, &load);

    pthread_mutex_lock(&shard->lock);
    shard->is_being_loaded = false;
    if (shard->state != SHARD_LOADING || shard->leader_epoch != epoch) {
        options->state_ops->destroy(object);
    } else if (!is_good) {
        options->state_ops->destroy(object);
        shard->state = SHARD_FAILED;
        trace_error(options->trace, "coordinator shard failed to load shard=%s", shard->name);
    } else {
        shard->object = object;
        shard->state = SHARD_ACTIVE;
        shard->written = load.offset;
        shard->committed = options->log->ops->high_watermark(options->log, shard->partition);
        options->state_ops->on_loaded(object);
        trace_info(
            options->trace,
            "coordinator shard loaded shard=%s epoch=%" PRId32 " records=%" PRId64 " us=%" PRId64,
            shard->name, epoch, load.records, clock_monotonic_us(options->clock) - started_us);
    }
}

void coordinator_load(struct coordinator *coordinator)
{
    for (int32_t i = 0; i < coordinator->options.partition_count; i++) {
        struct coordinator_shard *shard = &coordinator->shards[i];
        pthread_mutex_lock(&shard->lock);
        while (shard->state == SHARD_LOADING && !shard->is_being_loaded)
            load_shard(shard); // again if it was elected anew meanwhile
        leave(shard);
    }
}

void coordinator_resigned(struct coordinator *coordinator, int32_t partition, int32_t leader_epoch)
{
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, partition);
    pthread_mutex_lock(&shard->lock);
    if (leader_epoch < 0 || leader_epoch >= shard->leader_epoch) {
        if (shard->state == SHARD_ACTIVE)
            coordinator->options.state_ops->on_unloaded(shard->object);
        struct list *link;
        while ((link = list_pop(&shard->waits)) != NULL) {
            struct coordinator_wait *wait = container_of(link, struct coordinator_wait, _link);
            wait->on_committed(wait, KERR_NOT_COORDINATOR);
        }
        forget(shard);
        timer_cancel(&shard->timers, &shard->wait_timer);
        must(shard->timers.count == 0);
        shard->state = SHARD_ABSENT;
        shard->leader_epoch =
            leader_epoch; // -1: any later election counts, the topic may be made anew
        shard->written = shard->committed = 0;
        atomic_store(&shard->news, 0);
    }
    leave(shard);
}

// ---- small things ----------------------------------------------------------------------------------

void coordinator_set_timer(struct coordinator_shard *shard, struct timer *timer,
                           int64_t deadline_us)
{
    timer_set(&shard->timers, timer, deadline_us);
}

void coordinator_cancel_timer(struct coordinator_shard *shard, struct timer *timer)
{
    timer_cancel(&shard->timers, timer);
}

int64_t coordinator_now_us(struct coordinator_shard *shard)
{
    return clock_monotonic_us(shard->coordinator->options.clock);
}

int64_t coordinator_wall_ms(struct coordinator_shard *shard)
{
    return clock_wall_ms(shard->coordinator->options.clock);
}

int32_t coordinator_shard_partition(const struct coordinator_shard *shard)
{
    return shard->partition;
}

struct trace *coordinator_trace(const struct coordinator_shard *shard)
{
    return shard->coordinator->options.trace;
}

struct str coordinator_shard_name(const struct coordinator_shard *shard)
{
    return str_of(shard->name);
}

int32_t coordinator_shard_epoch(const struct coordinator_shard *shard)
{
    return shard->leader_epoch;
}

int64_t coordinator_written_offset(const struct coordinator_shard *shard)
{
    return shard->written;
}

bool coordinator_is_committed(struct coordinator_shard *shard, int64_t offset)
{
    return offset <= shard->committed || offset <= atomic_load(&shard->news);
}
