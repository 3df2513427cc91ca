// SPDX-License-Identifier: Apache-2.0
#include "broker/glue_coordinator.h"

#include <errno.h>

#include "base/mem.h"
#include "base/must.h"
#include "metadata/metadata.h"
#include "replica/replicas.h"

enum { LOADER_STACK_SIZE = 256 * 1024 };

// ---- the coordinator's log -------------------------------------------------------------------------

static struct partition *find(struct coordinator_log *log, int32_t index)
{
    struct coordinator_glue *glue = container_of(log, struct coordinator_glue, log);
    return replicas_find(glue->_options.replicas, glue->_topic, index);
}

// Waiters are woken under the shard's lock: they post messages, which takes no lock that is outside of it.
static enum kafka_error append_to(struct coordinator_log *log, int32_t index, struct bytes batch,
                                  const struct log_append_transaction *transaction,
                                  int64_t *end_offset)
{
    struct partition *partition = find(log, index);
    if (partition == NULL)
        return KERR_NOT_LEADER_OR_FOLLOWER;
    struct arena arena;
    struct partition_woken woken;
    struct log_append_result result;
    arena_init(&arena);
    partition_woken_init(&woken);
    enum kafka_error error = partition_append_transactional(
        partition, batch, -1, -1, LOG_APPEND_COORDINATOR, transaction, &arena, &result, &woken);
    if (error == KERR_NONE)
        *end_offset = result.last_offset + 1;
    partition_wake(&woken);
    arena_fini(&arena);
    partition_unref(partition);
    return error;
}

static enum kafka_error append(struct coordinator_log *log, int32_t index, uint8_t *batch,
                               size_t size, int64_t *end_offset)
{
    return append_to(log, index, (struct bytes){ batch, size },
                     &(struct log_append_transaction){ LOG_VERIFICATION_NOT_REQUIRED, 0 },
                     end_offset);
}

static enum kafka_error append_transactional(struct coordinator_log *log, int32_t index,
                                             uint8_t *batch, size_t size,
                                             const struct coordinator_transaction *transaction,
                                             int64_t *end_offset)
{
    return append_to(
        log, index, (struct bytes){ batch, size },
        &(struct log_append_transaction){ transaction->verification_guard, transaction->version },
        end_offset);
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
    .append_transactional = append_transactional,
    .read = read_batches,
    .start_offset = start_offset,
    .end_offset = end_offset,
    .high_watermark = high_watermark,
};

// ---- what partitions tell --------------------------------------------------------------------------

void coordinator_glue_wake(struct coordinator_glue *glue)
{
    pthread_mutex_lock(&glue->_lock);
    glue->_has_work = true;
    pthread_cond_signal(&glue->_wake);
    pthread_mutex_unlock(&glue->_lock);
}

static void on_leader(struct partition_observer *observer, int32_t index, int32_t leader_epoch)
{
    struct coordinator_glue *glue = container_of(observer, struct coordinator_glue, _observer);
    coordinator_elected(glue->_engine, index, leader_epoch);
    coordinator_glue_wake(glue);
}

static void on_resigned(struct partition_observer *observer, int32_t index, int32_t leader_epoch)
{
    coordinator_resigned(container_of(observer, struct coordinator_glue, _observer)->_engine, index,
                         leader_epoch);
}

static void on_high_watermark(struct partition_observer *observer, int32_t index, int64_t offset)
{
    struct coordinator_glue *glue = container_of(observer, struct coordinator_glue, _observer);
    coordinator_on_high_watermark(glue->_engine, index, offset);
}

static void *load(void *arg)
{
    struct coordinator_glue *glue = arg;
    pthread_setname_np(pthread_self(), glue->_options.thread_name);
    pthread_mutex_lock(&glue->_lock);
    while (!glue->_is_stopping) {
        if (!glue->_has_work) {
            pthread_cond_wait(&glue->_wake, &glue->_lock);
            continue;
        }
        glue->_has_work = false;
        pthread_mutex_unlock(&glue->_lock);
        coordinator_load(glue->_engine);
        if (glue->_options.run != NULL)
            glue->_options.run(glue->_options.arg);
        pthread_mutex_lock(&glue->_lock);
    }
    pthread_mutex_unlock(&glue->_lock);
    return NULL;
}

// ---- life ------------------------------------------------------------------------------------------

void coordinator_glue_init(struct coordinator_glue *glue,
                           const struct coordinator_glue_options *options)
{
    *glue = (struct coordinator_glue){ .log.ops = &log_ops,
                                       ._options = *options,
                                       ._topic = str_of(options->topic),
                                       ._observer = { .on_leader = on_leader,
                                                      .on_resigned = on_resigned,
                                                      .on_high_watermark = on_high_watermark } };
    pthread_mutex_init(&glue->_lock, NULL);
    pthread_cond_init(&glue->_wake, NULL);
}

int32_t coordinator_glue_partition_count(const struct coordinator_glue *glue, int32_t otherwise)
{
    struct metadata *metadata = glue->_options.metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *topic = metadata_find_topic(metadata, glue->_topic);
    int32_t count = topic != NULL ? topic->partitions_count : 0;
    metadata_unlock(metadata);
    return count > 0 ? count : otherwise;
}

int coordinator_glue_start(struct coordinator_glue *glue, struct coordinator *engine)
{
    glue->_engine = engine;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LOADER_STACK_SIZE);
    int error = pthread_create(&glue->_loader, &attributes, load, glue);
    pthread_attr_destroy(&attributes);
    if (error == 0)
        replicas_observe(glue->_options.replicas, glue->_options.topic, &glue->_observer);
    else
        glue->_is_stopping = true;
    return -error;
}

void coordinator_glue_stop(struct coordinator_glue *glue)
{
    pthread_mutex_lock(&glue->_lock);
    glue->_is_stopping = true;
    pthread_cond_signal(&glue->_wake);
    pthread_mutex_unlock(&glue->_lock);
    pthread_join(glue->_loader, NULL);
    for (int32_t i = 0; i < coordinator_partition_count(glue->_engine); i++)
        coordinator_resigned(glue->_engine, i, -1);
}

void coordinator_glue_fini(struct coordinator_glue *glue)
{
    must(glue->_is_stopping);
    pthread_cond_destroy(&glue->_wake);
    pthread_mutex_destroy(&glue->_lock);
}
