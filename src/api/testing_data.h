// SPDX-License-Identifier: Apache-2.0
// For tests of the handlers that read and write partitions: a node with real logs in a folder of its own, an image with
// topics, a clock that is moved by hand, and requests without a connection. What would be posted to a reactor waits in
// a list until run_posted.
#ifndef API_TESTING_DATA_H
#define API_TESTING_DATA_H

#include <pthread.h>

#include "api/fetch_sessions.h"
#include "api/node.h"
#include "txn/producer_ids.h"
#include "api/request.h"
#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "config/config.h"
#include "log/log_manager.h"
#include "metadata/image.h"
#include "record/batch_builder.h"
#include "replica/replicas.h"

enum { DATA_NODE_ID = 1 };

struct data_clock {
    struct clock clock;
    int64_t monotonic_us;
};

struct data_kit {
    char folder[200];
    struct data_clock clock;
    struct trace trace;
    struct config *config;
    struct metadata *metadata;
    struct log_manager *logs;
    bool defers_flush; // what is due to be synced waits for log_manager_run
    struct replicas *replicas;
    struct node node;
    struct client client;
};

// What became of a request.
enum data_fate { DATA_WAITS, DATA_REPLIED, DATA_REPLIED_NOTHING, DATA_CLOSED };

struct data_request {
    struct request request;
    pthread_mutex_t lock; // of what follows, which other threads write
    enum data_fate fate;
    bool is_posted;
    int posts;
    int64_t deadline_us; // INT64_MAX: no timer
    bool waits_for_turn_end;
};

static inline int64_t data_wall_ms(struct clock *clock)
{
    (void)clock;
    return clock_wall_ms(clock_posix());
}

static inline int64_t data_monotonic_us(struct clock *clock)
{
    return container_of(clock, struct data_clock, clock)->monotonic_us;
}

static inline void data_set_fate(struct request *request, enum data_fate fate)
{
    struct data_request *r = container_of(request, struct data_request, request);
    pthread_mutex_lock(&r->lock);
    CU_ASSERT_EQUAL(r->fate, DATA_WAITS);
    r->fate = fate;
    pthread_mutex_unlock(&r->lock);
}

static inline void data_reply(struct request *request)
{
    data_set_fate(request, DATA_REPLIED);
}

static inline void data_reply_nothing(struct request *request)
{
    data_set_fate(request, DATA_REPLIED_NOTHING);
}

static inline void data_close(struct request *request, const char *why)
{
    (void)why;
    data_set_fate(request, DATA_CLOSED);
}

static inline void data_post(struct request *request)
{
    struct data_request *r = container_of(request, struct data_request, request);
    pthread_mutex_lock(&r->lock);
    CU_ASSERT_FALSE(r->is_posted);
    CU_ASSERT_EQUAL(r->fate, DATA_WAITS);
    r->is_posted = true;
    r->posts++;
    pthread_mutex_unlock(&r->lock);
}

static inline void data_set_timer(struct request *request, int64_t deadline_us)
{
    container_of(request, struct data_request, request)->deadline_us = deadline_us;
}

static inline void data_cancel_timer(struct request *request)
{
    container_of(request, struct data_request, request)->deadline_us = INT64_MAX;
}

// The test ends the turn: data_end_turn.
static inline void data_at_turn_end(struct request *request)
{
    struct data_request *r = container_of(request, struct data_request, request);
    CU_ASSERT_FALSE(r->waits_for_turn_end);
    r->waits_for_turn_end = true;
}

static const struct request_ops data_ops = { data_reply,       data_reply_nothing, data_close,
                                             data_post,        data_at_turn_end,   data_set_timer,
                                             data_cancel_timer };

static inline void data_end_turn(struct data_request *r)
{
    if (r->waits_for_turn_end) {
        r->waits_for_turn_end = false;
        r->request.on_turn_end(&r->request);
    }
}

// ---- the node -----------------------------------------------------------------------------------------------

static inline void data_config_of(void *arg, struct str topic, struct log_config *out)
{
    replicas_topic_config(((struct data_kit *)arg)->replicas, topic, out);
}

static inline bool data_is_stray(void *arg, struct str topic, int32_t partition,
                                 struct uuid topic_id)
{
    return replicas_is_stray(((struct data_kit *)arg)->replicas, topic, partition, topic_id);
}

static inline void data_open(struct data_kit *kit)
{
    struct log_manager_options options = log_manager_options_default;
    const char *dirs[] = { kit->folder };
    options.disk = disk_posix();
    options.clock = &kit->clock.clock;
    options.trace = &kit->trace;
    options.dirs = dirs;
    options.dir_count = 1;
    options.recovery_threads_per_dir = 0;
    options.has_thread = false;
    options.defers_flush = kit->defers_flush;
    options.config_of = data_config_of;
    options.arg = kit;
    CU_ASSERT_EQUAL_FATAL(log_manager_open(&options, &kit->logs), 0);
    kit->replicas = replicas_new(&(struct replicas_options){ .clock = &kit->clock.clock,
                                                             .trace = &kit->trace,
                                                             .config = kit->config,
                                                             .metadata = kit->metadata,
                                                             .logs = kit->logs,
                                                             .node_id = DATA_NODE_ID });
    CU_ASSERT_EQUAL_FATAL(log_manager_load(kit->logs, data_is_stray, kit), 0);
    replicas_start(kit->replicas);
    kit->node = (struct node){ .clock = &kit->clock.clock,
                               .trace = &kit->trace,
                               .disk = disk_posix(),
                               .config = kit->config,
                               .metadata = kit->metadata,
                               .replicas = kit->replicas,
                               .fetch_sessions = fetch_sessions_new(&kit->clock.clock, 1000),
                               .node_id = DATA_NODE_ID };
}

static inline void data_close_logs(struct data_kit *kit)
{
    replicas_stop(kit->replicas);
    fetch_sessions_free(kit->node.fetch_sessions);
    replicas_free(kit->replicas);
    CU_ASSERT_EQUAL(log_manager_close(kit->logs, 1), 0);
}

static inline void data_begin_flushing(struct data_kit *kit, bool defers_flush)
{
    memset(kit, 0, sizeof *kit);
    kit->defers_flush = defers_flush;
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(kit->folder, sizeof kit->folder));
    kit->clock = (struct data_clock){ { data_wall_ms, data_monotonic_us }, 1000000 };
    trace_init(&kit->trace, &kit->clock.clock, TRACE_ERROR, -1);
    kit->config = config_new();
    kit->metadata = metadata_new();
    kit->client = (struct client){ .listener_name = "PLAINTEXT", .host = "127.0.0.1" };
    static const struct metadata_endpoint endpoint = { { "PLAINTEXT", 9 }, { "here", 4 }, 9092, 0 };
    image_broker_set(kit->metadata, &(struct metadata_broker){ .id = DATA_NODE_ID,
                                                               .epoch = 5,
                                                               .endpoints = &endpoint,
                                                               .endpoints_count = 1,
                                                               .cordoned_log_dirs_count = -1 });
    data_open(kit);
}

static inline void data_begin(struct data_kit *kit)
{
    data_begin_flushing(kit, false);
}

static inline void data_end(struct data_kit *kit)
{
    data_close_logs(kit);
    metadata_free(kit->metadata);
    config_free(kit->config);
    trace_fini(&kit->trace);
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), kit->folder), 0);
}

// ---- topics -------------------------------------------------------------------------------------------------

static inline void data_tell(struct data_kit *kit, struct metadata_topic_change change)
{
    metadata_tell(kit->metadata, &(struct metadata_delta){ .topics = &change, .topics_count = 1 });
}

static const int32_t data_replicas[] = { DATA_NODE_ID, 2 };

// Partitions 0..count-1, which this node leads at `epoch`, with the first `replicas_count` of two replicas, all in
// sync.
static inline void data_lead(struct data_kit *kit, const char *name, int32_t count, int32_t epoch,
                             int32_t replicas_count, enum metadata_change change)
{
    static int32_t partition_epoch;
    const struct metadata_topic *topic = metadata_find_topic(kit->metadata, str_of(name));
    int32_t indices[64];
    image_lock(kit->metadata);
    for (int32_t i = 0; i < count && i < 64; i++) {
        indices[i] = i;
        image_partition_set(kit->metadata, image_topic(kit->metadata, topic->id), i,
                            &(struct metadata_partition){ .replicas = data_replicas,
                                                          .replicas_count = replicas_count,
                                                          .isr = data_replicas,
                                                          .isr_count = replicas_count,
                                                          .leader = DATA_NODE_ID,
                                                          .leader_epoch = epoch,
                                                          .partition_epoch = ++partition_epoch });
    }
    metadata_unlock(kit->metadata);
    data_tell(kit, (struct metadata_topic_change){ .change = change,
                                                   .id = topic->id,
                                                   .name = str_of(name),
                                                   .partitions = indices,
                                                   .partitions_count = count });
}

static inline struct uuid data_topic(struct data_kit *kit, const char *name, int32_t count,
                                     int32_t replicas_count)
{
    struct uuid id = uuid_random();
    image_lock(kit->metadata);
    image_topic_add(kit->metadata, str_of(name), id)->is_internal = name[0] == '_';
    metadata_unlock(kit->metadata);
    data_lead(kit, name, count, 0, replicas_count, METADATA_CREATED);
    return id;
}

// One partition that is in the metadata, while those who open partitions have not been told.
static inline void data_topic_untold(struct data_kit *kit, const char *name)
{
    struct uuid id = uuid_random();
    image_lock(kit->metadata);
    struct metadata_topic *topic = image_topic_add(kit->metadata, str_of(name), id);
    topic->is_internal = name[0] == '_';
    image_partition_set(kit->metadata, topic, 0,
                        &(struct metadata_partition){ .replicas = data_replicas,
                                                      .replicas_count = 1,
                                                      .isr = data_replicas,
                                                      .isr_count = 1,
                                                      .leader = DATA_NODE_ID });
    metadata_unlock(kit->metadata);
}

static inline void data_delete_topic(struct data_kit *kit, const char *name)
{
    const struct metadata_topic *topic = metadata_find_topic(kit->metadata, str_of(name));
    struct uuid id = topic->id;
    image_lock(kit->metadata);
    image_topic_remove(kit->metadata, image_topic(kit->metadata, id));
    metadata_unlock(kit->metadata);
    data_tell(kit, (struct metadata_topic_change){
                       .change = METADATA_DELETED, .id = id, .name = str_of(name) });
}

// ---- requests -----------------------------------------------------------------------------------------------

// `response_desc` says what the response is initialised as; `body` lives in the request's arena.
static inline struct data_request *data_request_new(struct data_kit *kit, int16_t version,
                                                    size_t body_size,
                                                    const struct message_desc *request_desc,
                                                    const struct message_desc *response_desc)
{
    struct data_request *r = mem_new(struct data_request);
    pthread_mutex_init(&r->lock, NULL);
    r->deadline_us = INT64_MAX;
    r->request.magic = REQUEST_MAGIC;
    arena_init(&r->request.arena);
    r->request.api_version = version;
    r->request.client_id = str_of("test");
    r->request.client = &kit->client;
    r->request.node = &kit->node;
    r->request.ops = &data_ops;
    r->request.body = arena_zalloc(&r->request.arena, body_size);
    message_init(request_desc, r->request.body);
    r->request.response = arena_zalloc(&r->request.arena, response_desc->struct_size);
    message_init(response_desc, r->request.response);
    return r;
}

static inline enum data_fate data_fate_of(struct data_request *r)
{
    pthread_mutex_lock(&r->lock);
    enum data_fate fate = r->fate;
    pthread_mutex_unlock(&r->lock);
    return fate;
}

// The reactor's turn: what was posted, then the timer if its time has come.
static inline void data_turn(struct data_kit *kit, struct data_request *r)
{
    pthread_mutex_lock(&r->lock);
    bool is_posted = r->is_posted;
    r->is_posted = false;
    pthread_mutex_unlock(&r->lock);
    if (is_posted)
        r->request.on_post(&r->request);
    if (data_fate_of(r) == DATA_WAITS && r->deadline_us <= kit->clock.monotonic_us) {
        r->deadline_us = INT64_MAX;
        r->request.timer.on_expired(&r->request.timer);
    }
}

static inline void data_request_free(struct data_request *r)
{
    CU_ASSERT_NOT_EQUAL(data_fate_of(r), DATA_WAITS);
    if (r->request.on_free != NULL)
        r->request.on_free(&r->request);
    arena_fini(&r->request.arena);
    pthread_mutex_destroy(&r->lock);
    mem_free(r);
}

// A batch of `count` records of a value each, in the arena.
static inline struct records data_batch(struct arena *arena, int count, size_t value_size,
                                        const struct batch_options *options)
{
    struct batch_builder builder;
    batch_builder_init(
        &builder, options != NULL ? options : &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    uint8_t *value = arena_zalloc(arena, value_size + 1);
    for (int i = 0; i < count; i++)
        batch_builder_add(&builder, clock_wall_ms(clock_posix()), BYTES_NULL,
                          (struct bytes){ value, value_size });
    struct bytes batch = arena_bytes(arena, batch_builder_finish(&builder));
    batch_builder_fini(&builder);
    return (struct records){ .data = batch.data, .size = (int32_t)batch.size };
}

#endif
