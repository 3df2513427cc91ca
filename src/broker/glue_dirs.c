// SPDX-License-Identifier: Apache-2.0
// Tested by broker_test.c and compat-tests/twin/dirs.
#include "broker/glue_dirs.h"

#include <stdio.h>

#include "base/mem.h"
#include "config/config.h"
#include "log/log_dirs.h"
#include "metadata/metadata.h"
#include "protocol/messages/assign_replicas_to_dirs.h"
#include "protocol/registry.h"

enum { ASSIGNMENTS_PER_REQUEST = 2250 }; // Kafka's limit

struct dirs_glue {
    struct dirs_glue_options options;
    struct log_mover *mover;
    struct log_dir_control *control;
    ptrdiff_t metadata_dir;
    bool *failed; // since the start, by directory; under the lock
    pthread_mutex_t lock;
};

// ---- telling the controller -------------------------------------------------------------------------------------

static void add_item(struct assign_replicas_to_dirs_request *request,
                     const struct replica_directory *item, size_t most, struct arena *arena)
{
    struct assign_replicas_to_dirs_request_directory_data *directory = NULL;
    for (int32_t i = 0; i < request->directories_count && directory == NULL; i++)
        if (uuid_eq(request->directories[i].id, item->directory))
            directory = &request->directories[i];
    if (directory == NULL) {
        directory = &request->directories[request->directories_count++];
        directory->id = item->directory;
        directory->topics =
            arena_array(arena, struct assign_replicas_to_dirs_request_topic_data, most);
    }
    struct assign_replicas_to_dirs_request_topic_data *topic =
        directory->topics_count == 0 ? NULL : &directory->topics[directory->topics_count - 1];
    if (topic == NULL || !uuid_eq(topic->topic_id, item->topic_id)) {
        topic = &directory->topics[directory->topics_count++];
        topic->topic_id = item->topic_id;
        topic->partitions =
            arena_array(arena, struct assign_replicas_to_dirs_request_partition_data, most);
    }
    topic->partitions[topic->partitions_count++].partition_index = item->index;
}

// The error of the whole, or that of the only partition.
static enum kafka_error assign_some(struct dirs_glue *glue, const struct replica_directory *items,
                                    size_t count)
{
    struct arena arena;
    arena_init(&arena);
    struct assign_replicas_to_dirs_request request;
    struct assign_replicas_to_dirs_response response;
    message_init(&assign_replicas_to_dirs_request_desc, &request);
    message_init(&assign_replicas_to_dirs_response_desc, &response);
    request.broker_id = glue->options.node_id;
    request.broker_epoch = glue->options.local_broker->epoch;
    request.directories = arena_array(&arena, struct assign_replicas_to_dirs_request_directory_data,
                                      log_dirs_count(glue->options.logs) + 1);
    for (size_t i = 0; i < count; i++)
        add_item(&request, &items[i], count, &arena);
    struct controller_call call = {
        .api_key = API_ASSIGN_REPLICAS_TO_DIRS,
        .version = 0,
        .request = &request,
        .response = &response,
        .arena = &arena,
    };
    controller_call(glue->options.controller, &call);
    enum kafka_error error = (enum kafka_error)response.error_code;
    if (error == KERR_NONE && count == 1 && response.directories_count == 1)
        error = (enum kafka_error)response.directories[0].topics[0].partitions[0].error_code;
    arena_fini(&arena);
    return error;
}

static enum kafka_error assign(void *arg, const struct replica_directory *items, size_t count)
{
    enum kafka_error error = KERR_NONE;
    for (size_t at = 0; at < count && error == KERR_NONE; at += ASSIGNMENTS_PER_REQUEST) {
        size_t rest = count - at;
        error = assign_some(arg, items + at,
                            rest < ASSIGNMENTS_PER_REQUEST ? rest : ASSIGNMENTS_PER_REQUEST);
    }
    // Deleted meanwhile.
    return count == 1 &&
                   (error == KERR_UNKNOWN_TOPIC_ID || error == KERR_UNKNOWN_TOPIC_OR_PARTITION)
               ? KERR_NONE
               : error;
}

static enum kafka_error report(void *arg)
{
    struct dirs_glue *glue = arg;
    return local_broker_report(glue->options.local_broker);
}

void dirs_glue_directories(void *arg, struct arena *arena, struct local_directories *out)
{
    struct dirs_glue *glue = arg;
    size_t count = log_dirs_count(glue->options.logs);
    out->offline = arena_array(arena, struct uuid, count);
    out->cordoned = arena_array(arena, struct uuid, count);
    for (size_t i = 0; i < count; i++) {
        struct log_dir_state state = log_dirs_state(glue->options.logs, i);
        pthread_mutex_lock(&glue->lock);
        bool has_failed = glue->failed[i];
        pthread_mutex_unlock(&glue->lock);
        if (uuid_is_zero(state.id))
            continue;
        if (has_failed)
            out->offline[out->offline_count++] = state.id;
        if (state.is_cordoned)
            out->cordoned[out->cordoned_count++] = state.id;
    }
}

// ---- life -------------------------------------------------------------------------------------------------------

static void on_fatal(void *arg)
{
    struct dirs_glue *glue = arg;
    glue->options.on_fatal(glue->options.arg);
}

static bool cordon(struct dirs_glue *glue)
{
    struct config_list paths = config_list(glue->options.config, CONFIG_CORDONED_LOG_DIRS);
    return log_dirs_cordon(glue->options.logs, paths.items, paths.count);
}

// A setting of the whole cluster or this broker that exists as a dynamic one only (KIP-73).
static bool limit_of(struct dirs_glue *glue, const char *resource, int64_t *bytes)
{
    const struct metadata_configs *configs =
        metadata_find_configs(glue->options.metadata, CONFIG_RESOURCE_BROKER, str_of(resource));
    return str_to_int64(
        metadata_config_value(configs, "replica.alter.log.dirs.io.max.bytes.per.second"), bytes);
}

static void limit(struct dirs_glue *glue)
{
    char own[16];
    int64_t bytes = INT64_MAX;
    snprintf(own, sizeof own, "%d", (int)glue->options.node_id);
    metadata_lock_read(glue->options.metadata);
    if (!limit_of(glue, own, &bytes) && !limit_of(glue, "", &bytes))
        bytes = INT64_MAX;
    metadata_unlock(glue->options.metadata);
    log_mover_limit(glue->mover, bytes);
}

struct dirs_glue *dirs_glue_new(const struct dirs_glue_options *options)
{
    struct dirs_glue *glue = mem_new(struct dirs_glue);
    const struct config *config = options->config;
    glue->options = *options;
    pthread_mutex_init(&glue->lock, NULL);
    size_t dirs = log_dirs_count(options->logs);
    glue->metadata_dir = options->metadata_dir;
    glue->failed = mem_zalloc(dirs * sizeof *glue->failed);
    int32_t piece = config_int(config, CONFIG_REPLICA_FETCH_MAX_BYTES);
    int32_t response = config_int(config, CONFIG_REPLICA_FETCH_RESPONSE_MAX_BYTES);
    glue->mover = log_mover_new(&(struct log_mover_options){
        .clock = options->clock,
        .trace = options->trace,
        .logs = options->logs,
        .replicas = options->replicas,
        .metadata = options->metadata,
        .node_id = options->node_id,
        .threads_max = config_is_null(config, CONFIG_NUM_REPLICA_ALTER_LOG_DIRS_THREADS)
                           ? (int)dirs
                           : config_int(config, CONFIG_NUM_REPLICA_ALTER_LOG_DIRS_THREADS),
        .piece_bytes = piece < response ? piece : response,
        .backoff_ms = config_int(config, CONFIG_REPLICA_FETCH_BACKOFF_MS),
        .window_count = config_int(config, CONFIG_ALTER_LOG_DIRS_REPLICATION_QUOTA_WINDOW_NUM),
        .window_ms =
            config_int(config, CONFIG_ALTER_LOG_DIRS_REPLICATION_QUOTA_WINDOW_SIZE_SECONDS) *
            INT64_C(1000),
        .assign = assign,
        .arg = glue,
    });
    glue->control = log_dir_control_new(&(struct log_dir_control_options){
        .clock = options->clock,
        .trace = options->trace,
        .logs = options->logs,
        .replicas = options->replicas,
        .mover = glue->mover,
        .metadata_dir = glue->metadata_dir,
        .failure_timeout_ms = config_long(config, CONFIG_LOG_DIR_FAILURE_TIMEOUT_MS),
        .retry_ms = config_int(config, CONFIG_BROKER_HEARTBEAT_INTERVAL_MS),
        .assign = assign,
        .report = report,
        .on_fatal = on_fatal,
        .arg = glue,
    });
    cordon(glue);
    limit(glue);
    return glue;
}

void dirs_glue_start(struct dirs_glue *glue)
{
    log_mover_start(glue->mover);
    log_dir_control_start(glue->control);
}

void dirs_glue_stop(struct dirs_glue *glue)
{
    log_dir_control_stop(glue->control);
    log_mover_stop(glue->mover);
}

void dirs_glue_free(struct dirs_glue *glue)
{
    if (glue == NULL)
        return;
    log_dir_control_free(glue->control);
    log_mover_free(glue->mover);
    pthread_mutex_destroy(&glue->lock);
    mem_free(glue->failed);
    mem_free(glue);
}

bool dirs_glue_metadata_failed(struct dirs_glue *glue)
{
    return glue->metadata_dir >= 0 &&
           log_dirs_state(glue->options.logs, (size_t)glue->metadata_dir).is_offline;
}

struct log_dir_control *dirs_glue_control(struct dirs_glue *glue)
{
    return glue->control;
}

void dirs_glue_failed(struct dirs_glue *glue, size_t dir)
{
    pthread_mutex_lock(&glue->lock);
    glue->failed[dir] = true;
    pthread_mutex_unlock(&glue->lock);
    log_dir_control_failed(glue->control, dir);
}

void dirs_glue_misplaced(struct dirs_glue *glue, const struct replica_directory *items,
                         size_t count)
{
    log_dir_control_assign(glue->control, items, count);
}

bool dirs_glue_is_moving_to(struct dirs_glue *glue, struct str topic, int32_t index,
                            struct uuid directory)
{
    return log_mover_is_moving_to(glue->mover, topic, index, directory);
}

void dirs_glue_reconfigure(struct dirs_glue *glue)
{
    limit(glue);
    if (cordon(glue))
        log_dir_control_report(glue->control);
}
