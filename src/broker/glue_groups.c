// SPDX-License-Identifier: Apache-2.0
// Tested by broker_test.c.
#include "broker/glue_groups.h"

#include <errno.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/must.h"
#include "config/config.h"
#include "metadata/metadata.h"
#include "replica/replicas.h"

enum { LOADER_STACK_SIZE = 256 * 1024 };

struct groups_glue {
    struct groups_glue_options options;
    struct group_coordinator *groups;
    struct coordinator *engine;
    struct coordinator_log log;
    struct partition_observer observer;
    struct metadata_subscription subscription;
    struct str topic;
    pthread_t loader;
    pthread_mutex_t lock; // guards the two below
    pthread_cond_t wake;
    bool has_work;
    bool is_stopping;
};

// ---- the coordinator's log -------------------------------------------------------------------------

static struct partition *find(struct coordinator_log *log, int32_t index)
{
    struct groups_glue *glue = container_of(log, struct groups_glue, log);
    return replicas_find(glue->options.replicas, glue->topic, index);
}

// Waiters are woken under the shard's lock: they post messages, which takes no lock that is outside of it.
static enum kafka_error append(struct coordinator_log *log, int32_t index, uint8_t *batch,
                               size_t size, int64_t *end_offset)
{
    struct partition *partition = find(log, index);
    if (partition == NULL)
        return KERR_NOT_LEADER_OR_FOLLOWER;
    struct arena arena;
    struct partition_woken woken;
    struct log_append_result result;
    arena_init(&arena);
    partition_woken_init(&woken);
    enum kafka_error error = partition_append(partition, (struct bytes){ batch, size }, -1, -1,
                                              LOG_APPEND_COORDINATOR, &arena, &result, &woken);
    if (error == KERR_NONE)
        *end_offset = result.last_offset + 1;
    partition_wake(&woken);
    arena_fini(&arena);
    partition_unref(partition);
    return error;
}

static int read_batches(struct coordinator_log *log, int32_t index, int64_t offset,
                        size_t max_bytes, struct strbuf *into)
{
    struct partition *partition = find(log, index);
    if (partition == NULL)
        return -EAGAIN;
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int32_t most = max_bytes < INT32_MAX ? (int32_t)max_bytes : INT32_MAX;
    int64_t got = partition_read_batches(partition, offset, most, &buffer, &capacity);
    if (got > 0)
        strbuf_add(into, buffer, (size_t)got);
    mem_free(buffer);
    partition_unref(partition);
    return got < 0 ? (int)got : 0;
}

static int64_t ask(struct coordinator_log *log, int32_t index,
                   int64_t (*question)(struct partition *))
{
    struct partition *partition = find(log, index);
    if (partition == NULL)
        return -1;
    int64_t answer = question(partition);
    partition_unref(partition);
    return answer;
}

static int64_t start_offset(struct coordinator_log *log, int32_t index)
{
    return ask(log, index, partition_log_start_offset);
}

static int64_t end_offset(struct coordinator_log *log, int32_t index)
{
    return ask(log, index, partition_log_end_offset);
}

static int64_t high_watermark(struct coordinator_log *log, int32_t index)
{
    return ask(log, index, partition_high_watermark);
}

static const struct coordinator_log_ops log_ops = {
    .append = append,
    .read = read_batches,
    .start_offset = start_offset,
    .end_offset = end_offset,
    .high_watermark = high_watermark,
};

// ---- what partitions and metadata tell -------------------------------------------------------------

static void on_leader(struct partition_observer *observer, int32_t index, int32_t leader_epoch)
{
    struct groups_glue *glue = container_of(observer, struct groups_glue, observer);
    coordinator_elected(glue->engine, index, leader_epoch);
    pthread_mutex_lock(&glue->lock);
    glue->has_work = true;
    pthread_cond_signal(&glue->wake);
    pthread_mutex_unlock(&glue->lock);
}

static void on_resigned(struct partition_observer *observer, int32_t index, int32_t leader_epoch)
{
    coordinator_resigned(container_of(observer, struct groups_glue, observer)->engine, index,
                         leader_epoch);
}

static void on_high_watermark(struct partition_observer *observer, int32_t index, int64_t offset)
{
    struct groups_glue *glue = container_of(observer, struct groups_glue, observer);
    coordinator_on_high_watermark(glue->engine, index, offset);
}

static void on_metadata(struct metadata_subscription *subscription,
                        const struct metadata_delta *delta)
{
    struct groups_glue *glue = container_of(subscription, struct groups_glue, subscription);
    int32_t count = 0;
    for (size_t i = 0; i < delta->topics_count; i++)
        count += delta->topics[i].change == METADATA_DELETED;
    if (count == 0)
        return;
    struct deleted_topic *deleted = mem_alloc((size_t)count * sizeof *deleted);
    count = 0;
    for (size_t i = 0; i < delta->topics_count; i++)
        if (delta->topics[i].change == METADATA_DELETED)
            deleted[count++] = (struct deleted_topic){ delta->topics[i].id, delta->topics[i].name };
    group_coordinator_topics_deleted(glue->groups, deleted, count);
    mem_free(deleted);
}

static void *load(void *arg)
{
    struct groups_glue *glue = arg;
    pthread_setname_np(pthread_self(), "group-loader");
    pthread_mutex_lock(&glue->lock);
    while (!glue->is_stopping) {
        if (!glue->has_work) {
            pthread_cond_wait(&glue->wake, &glue->lock);
            continue;
        }
        glue->has_work = false;
        pthread_mutex_unlock(&glue->lock);
        coordinator_load(glue->engine);
        pthread_mutex_lock(&glue->lock);
    }
    pthread_mutex_unlock(&glue->lock);
    return NULL;
}

// ---- life ------------------------------------------------------------------------------------------

static struct group_config read_config(const struct config *config)
{
    return (struct group_config){
        .min_session_timeout_ms = config_int(config, CONFIG_GROUP_MIN_SESSION_TIMEOUT_MS),
        .max_session_timeout_ms = config_int(config, CONFIG_GROUP_MAX_SESSION_TIMEOUT_MS),
        .max_size = config_int(config, CONFIG_GROUP_MAX_SIZE),
        .initial_rebalance_delay_ms = config_int(config, CONFIG_GROUP_INITIAL_REBALANCE_DELAY_MS),
        .offset_metadata_max_bytes = config_int(config, CONFIG_OFFSET_METADATA_MAX_BYTES),
        .offsets_retention_ms =
            config_int(config, CONFIG_OFFSETS_RETENTION_MINUTES) * INT64_C(60000),
        .retention_check_interval_ms =
            config_long(config, CONFIG_OFFSETS_RETENTION_CHECK_INTERVAL_MS),
        .commit_timeout_ms = config_int(config, CONFIG_OFFSETS_COMMIT_TIMEOUT_MS),
        .compression = config_int(config, CONFIG_OFFSETS_TOPIC_COMPRESSION_CODEC),
        .load_buffer_bytes = (size_t)config_int(config, CONFIG_OFFSETS_LOAD_BUFFER_SIZE),
    };
}

// The number of partitions is settled when the topic is made.
static int32_t count_partitions(const struct groups_glue *glue)
{
    struct metadata *metadata = glue->options.metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *topic = metadata_find_topic(metadata, glue->topic);
    int32_t count = topic != NULL ? topic->partitions_count : 0;
    metadata_unlock(metadata);
    return count > 0 ? count
                     : config_int(glue->options.config, CONFIG_OFFSETS_TOPIC_NUM_PARTITIONS);
}

struct groups_glue *groups_glue_new(const struct groups_glue_options *options)
{
    struct groups_glue *glue = mem_new(struct groups_glue);
    glue->options = *options;
    glue->topic = str_of(GROUP_OFFSETS_TOPIC);
    glue->log.ops = &log_ops;
    glue->observer = (struct partition_observer){ .on_leader = on_leader,
                                                  .on_resigned = on_resigned,
                                                  .on_high_watermark = on_high_watermark };
    glue->subscription.on_change = on_metadata;
    pthread_mutex_init(&glue->lock, NULL);
    pthread_cond_init(&glue->wake, NULL);
    glue->groups = group_coordinator_new(&(struct group_coordinator_options){
        .config = read_config(options->config),
        .partition_count = count_partitions(glue),
        .log = &glue->log,
        .clock = options->clock,
        .alarms = options->alarms,
        .trace = options->trace,
    });
    glue->engine = group_coordinator_engine(glue->groups);
    replicas_observe(options->replicas, GROUP_OFFSETS_TOPIC, &glue->observer);
    metadata_subscribe(options->metadata, &glue->subscription);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LOADER_STACK_SIZE);
    int error = pthread_create(&glue->loader, &attributes, load, glue);
    pthread_attr_destroy(&attributes);
    if (error == 0)
        return glue;
    glue->is_stopping = true;
    metadata_unsubscribe(options->metadata, &glue->subscription);
    groups_glue_free(glue);
    return NULL;
}

struct group_coordinator *groups_glue_coordinator(struct groups_glue *glue)
{
    return glue->groups;
}

void groups_glue_stop(struct groups_glue *glue)
{
    metadata_unsubscribe(glue->options.metadata, &glue->subscription);
    pthread_mutex_lock(&glue->lock);
    glue->is_stopping = true;
    pthread_cond_signal(&glue->wake);
    pthread_mutex_unlock(&glue->lock);
    pthread_join(glue->loader, NULL);
    for (int32_t i = 0; i < coordinator_partition_count(glue->engine); i++)
        coordinator_resigned(glue->engine, i, -1);
}

void groups_glue_free(struct groups_glue *glue)
{
    if (glue == NULL)
        return;
    must(glue->is_stopping);
    group_coordinator_free(glue->groups);
    pthread_cond_destroy(&glue->wake);
    pthread_mutex_destroy(&glue->lock);
    mem_free(glue);
}
