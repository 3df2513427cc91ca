// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by broker_test.c and compat-tests/twin/share.
#include "broker/glue_share.h"

#include "api/node.h"
#include "base/mem.h"
#include "broker/glue_coordinator.h"
#include "config/config.h"
#include "controller/controller.h"
#include "group/group_coordinator.h"
#include "group/group_settings.h"
#include "group/topic_index.h"
#include "metadata/metadata.h"
#include "replica/replicas.h"
#include "share/share_manager.h"
#include "share/share_sessions.h"
#include "share_coordinator/persister_retry.h"
#include "share_coordinator/share_coordinator.h"

struct share_glue {
    struct share_glue_options options;
    struct coordinator_glue coordinator;
    struct share_coordinator *shares;
    struct persister_retry *persister;
    struct share_manager *manager;
    struct share_sessions *sessions;
    struct metadata_subscription subscription;
    pthread_t pruner;     // deletes what is redundant, without a shard's lock
    pthread_mutex_t lock; // guards what follows
    pthread_cond_t wake;
    struct prune *prunes;
    size_t prunes_count;
    size_t prunes_capacity;
    bool is_stopping;
};

struct prune {
    int32_t partition;
    int64_t before_offset;
};

enum { PRUNER_STACK_SIZE = 128 * 1024 };

// ---- what the share coordinator asks ---------------------------------------------------------------

static int32_t topic_partitions(void *owner, struct uuid topic_id)
{
    struct share_glue *glue = owner;
    struct topic_index *topics = group_coordinator_topics(glue->options.groups);
    topic_index_lock_read(topics);
    const struct indexed_topic *topic = topic_index_find_by_id(topics, topic_id);
    int32_t count = topic != NULL ? topic->partitions_count : 0;
    topic_index_unlock(topics);
    return count;
}

static void prune(void *owner, int32_t partition, int64_t before_offset)
{
    struct share_glue *glue = owner;
    pthread_mutex_lock(&glue->lock);
    vec_reserve(glue->prunes, glue->prunes_count + 1, glue->prunes_capacity);
    glue->prunes[glue->prunes_count++] = (struct prune){ partition, before_offset };
    pthread_cond_signal(&glue->wake);
    pthread_mutex_unlock(&glue->lock);
}

static void delete_records(struct share_glue *glue, struct prune what)
{
    struct partition *partition =
        replicas_find(glue->options.replicas, str_of(SHARE_STATE_TOPIC), what.partition);
    int64_t low_watermark;
    if (partition == NULL)
        return;
    enum kafka_error error =
        partition_delete_records(partition, what.before_offset, &low_watermark);
    if (error != KERR_NONE)
        trace_warn(glue->options.trace, "share state not pruned partition=%d error=%s",
                   what.partition, kafka_error_name(error));
    partition_unref(partition);
}

static void *run_pruner(void *arg)
{
    struct share_glue *glue = arg;
    pthread_setname_np(pthread_self(), "share-pruner");
    pthread_mutex_lock(&glue->lock);
    while (!glue->is_stopping) {
        if (glue->prunes_count == 0) {
            pthread_cond_wait(&glue->wake, &glue->lock);
            continue;
        }
        struct prune what = glue->prunes[--glue->prunes_count];
        pthread_mutex_unlock(&glue->lock);
        delete_records(glue, what);
        pthread_mutex_lock(&glue->lock);
    }
    pthread_mutex_unlock(&glue->lock);
    return NULL;
}

// ---- settings and topics ---------------------------------------------------------------------------

static void settings_of(void *owner, struct str group, struct share_settings *out)
{
    struct share_glue *glue = owner;
    struct group_settings *settings = group_coordinator_settings(glue->options.groups);
    struct arena arena;
    arena_init(&arena);
    *out = (struct share_settings){
        .limits = {
            .max_in_flight =
                group_settings_int(settings, group, GROUP_SHARE_PARTITION_MAX_RECORD_LOCKS),
            .max_delivery_count =
                group_settings_int(settings, group, GROUP_SHARE_DELIVERY_COUNT_LIMIT),
            .lock_ms = group_settings_int(settings, group, GROUP_SHARE_RECORD_LOCK_DURATION_MS),
            .is_renew_enabled =
                group_settings_int(settings, group, GROUP_SHARE_RENEW_ACKNOWLEDGE_ENABLE) != 0,
        },
    };
    struct str isolation = group_settings_str(settings, group, GROUP_SHARE_ISOLATION_LEVEL, &arena);
    out->is_read_committed = str_eqz(isolation, "read_committed");
    share_start_parse(group_settings_str(settings, group, GROUP_SHARE_AUTO_OFFSET_RESET, &arena),
                      &out->start);
    arena_fini(&arena);
}

static bool is_on(const struct share_glue *glue)
{
    metadata_lock_read(glue->options.metadata);
    bool is_on = metadata_feature_level(glue->options.metadata, "share.version") >= 1;
    metadata_unlock(glue->options.metadata);
    return is_on;
}

static void on_metadata(struct metadata_subscription *subscription,
                        const struct metadata_delta *delta)
{
    struct share_glue *glue = container_of(subscription, struct share_glue, subscription);
    if (delta->features_changed && !is_on(glue)) {
        share_sessions_end_all(glue->sessions);
        share_manager_switched_off(glue->manager);
    }
    struct uuid *ids = mem_alloc((delta->topics_count + 1) * sizeof *ids);
    int32_t count = 0;
    for (size_t i = 0; i < delta->topics_count; i++)
        if (delta->topics[i].change == METADATA_DELETED)
            ids[count++] = delta->topics[i].id;
    if (count > 0) {
        share_manager_topics_deleted(glue->manager, ids, (size_t)count);
        share_coordinator_topics_deleted(glue->shares, ids, count);
    }
    mem_free(ids);
}

// ---- life ------------------------------------------------------------------------------------------

static struct share_coordinator_config read_config(const struct config *config)
{
    return (struct share_coordinator_config){
        .updates_per_snapshot =
            config_int(config, CONFIG_SHARE_COORDINATOR_SNAPSHOT_UPDATE_RECORDS_PER_SNAPSHOT),
        .cold_snapshot_ms =
            config_int(config, CONFIG_SHARE_COORDINATOR_COLD_PARTITION_SNAPSHOT_INTERVAL_MS),
        .prune_interval_ms =
            config_int(config, CONFIG_SHARE_COORDINATOR_STATE_TOPIC_PRUNE_INTERVAL_MS),
        .write_timeout_ms = config_int(config, CONFIG_SHARE_COORDINATOR_WRITE_TIMEOUT_MS),
        .load_buffer_bytes = (size_t)config_int(config, CONFIG_SHARE_COORDINATOR_LOAD_BUFFER_SIZE),
        .compression = config_int(config, CONFIG_SHARE_COORDINATOR_STATE_TOPIC_COMPRESSION_CODEC),
    };
}

static int start_pruner(struct share_glue *glue)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PRUNER_STACK_SIZE);
    int error = pthread_create(&glue->pruner, &attributes, run_pruner, glue);
    pthread_attr_destroy(&attributes);
    return error;
}

static void stop_pruner(struct share_glue *glue)
{
    pthread_mutex_lock(&glue->lock);
    glue->is_stopping = true;
    pthread_cond_signal(&glue->wake);
    pthread_mutex_unlock(&glue->lock);
    pthread_join(glue->pruner, NULL);
}

// The first share group asks for the topic.
static void make_topic(void *owner)
{
    struct share_glue *glue = owner;
    struct metadata *metadata = glue->options.metadata;
    metadata_lock_read(metadata);
    bool is_there = metadata_find_topic(metadata, str_of(SHARE_STATE_TOPIC)) != NULL;
    metadata_unlock(metadata);
    if (!is_there)
        controller_auto_create_topic(glue->options.controller, str_of(SHARE_STATE_TOPIC));
}

static void make(struct share_glue *glue)
{
    const struct share_glue_options *options = &glue->options;
    glue->shares = share_coordinator_new(&(struct share_coordinator_options){
        .config = read_config(options->config),
        .partition_count = coordinator_glue_partition_count(
            &glue->coordinator,
            config_int(options->config, CONFIG_SHARE_COORDINATOR_STATE_TOPIC_NUM_PARTITIONS)),
        .log = &glue->coordinator.log,
        .clock = options->clock,
        .alarms = options->alarms,
        .trace = options->trace,
        .topic_partitions = topic_partitions,
        .prune = prune,
        .owner = glue,
    });
    glue->persister = persister_retry_new(share_coordinator_persister(glue->shares), options->clock,
                                          options->alarms, make_topic, glue);
    group_coordinator_set_persister(options->groups, persister_retry_persister(glue->persister));
    glue->manager = share_manager_new(&(struct share_manager_options){
        .persister = persister_retry_persister(glue->persister),
        .replicas = options->replicas,
        .clock = options->clock,
        .alarms = options->alarms,
        .trace = options->trace,
        .settings = settings_of,
        .owner = glue,
    });
    glue->sessions =
        share_sessions_new(config_int(options->config, CONFIG_GROUP_SHARE_MAX_SHARE_SESSIONS));
}

struct share_glue *share_glue_new(const struct share_glue_options *options, struct node *node)
{
    struct share_glue *glue = mem_new(struct share_glue);
    glue->options = *options;
    glue->subscription.on_change = on_metadata;
    pthread_mutex_init(&glue->lock, NULL);
    pthread_cond_init(&glue->wake, NULL);
    coordinator_glue_init(&glue->coordinator,
                          &(struct coordinator_glue_options){ .topic = SHARE_STATE_TOPIC,
                                                              .thread_name = "share-loader",
                                                              .metadata = options->metadata,
                                                              .replicas = options->replicas });
    make(glue);
    if (start_pruner(glue) != 0) {
        share_glue_free(glue);
        return NULL;
    }
    if (coordinator_glue_start(&glue->coordinator, share_coordinator_engine(glue->shares)) != 0) {
        stop_pruner(glue);
        share_glue_free(glue);
        return NULL;
    }
    metadata_subscribe(options->metadata, &glue->subscription);
    node->share_coordinator = glue->shares;
    node->shares = glue->manager;
    node->share_persister = persister_retry_persister(glue->persister);
    node->share_sessions = glue->sessions;
    return glue;
}

void share_glue_stop(struct share_glue *glue)
{
    metadata_unsubscribe(glue->options.metadata, &glue->subscription);
    coordinator_glue_stop(&glue->coordinator);
    persister_retry_stop(glue->persister);
    stop_pruner(glue);
}

void share_glue_free(struct share_glue *glue)
{
    if (glue == NULL)
        return;
    share_sessions_free(glue->sessions);
    share_manager_free(glue->manager);
    persister_retry_free(glue->persister);
    share_coordinator_free(glue->shares);
    coordinator_glue_fini(&glue->coordinator);
    mem_free(glue->prunes);
    pthread_cond_destroy(&glue->wake);
    pthread_mutex_destroy(&glue->lock);
    mem_free(glue);
}
