// SPDX-License-Identifier: Apache-2.0
#include "broker/broker.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "api/fetch_sessions.h"
#include "api/node.h"
#include "txn/producer_ids.h"
#include "base/mem.h"
#include "base/must.h"
#include "broker/endpoints.h"
#include "broker/format.h"
#include "broker/glue_alarms.h"
#include "broker/glue_config.h"
#include "broker/glue_groups.h"
#include "broker/glue_txns.h"
#include "broker/glue_request.h"
#include "broker/meta_properties.h"
#include "broker/network.h"
#include "config/config_load.h"
#include "controller/controller.h"
#include "controller/local_broker.h"
#include "log/log_manager.h"
#include "metadata/metadata.h"
#include "replica/replicas.h"

enum { BROKER_MAGIC = 0x42524f4b, STOP_PATIENCE_MS = 2000 };

// How far the start has come; the stop goes back the same way.
enum stage {
    STAGE_NOTHING,
    STAGE_NETWORK,    // sockets are bound, reactors run
    STAGE_LOG_DIRS,   // locked
    STAGE_METADATA,   // the controller has replayed its log; its thread does not run yet
    STAGE_LOGS,       // all are open
    STAGE_REPLICAS,   // partitions and groups follow the metadata
    STAGE_CONTROLLER, // its thread runs
    STAGE_REGISTERED,
    STAGE_SERVING,
};

struct broker {
    uint32_t magic;
    enum stage stage;
    struct broker_options options;
    struct listeners listeners;
    struct node_identity identity;
    struct network *network;
    struct alarm_driver alarms;
    struct log_manager *logs;
    struct config_glue config_glue;
    struct groups_glue *groups;
    struct txns_glue *txns;
    struct endpoints endpoints;
    struct local_broker local_broker;
    struct uuid *log_dir_ids;
    _Atomic bool has_failed; // the metadata log cannot be written
    struct node node;
};

// ---- who we are ------------------------------------------------------------------------------------

static bool format_directories(const struct broker_options *options, struct strbuf *message)
{
    char cluster_id[UUID_TEXT_SIZE];
    uuid_format(uuid_random(), cluster_id);
    struct strbuf told = STRBUF_EMPTY;
    bool done = format_run(
        &(struct format_options){
            .disk = options->disk,
            .config = options->config,
            .now_ms = clock_wall_ms(options->clock),
            .cluster_id = cluster_id,
            // Where the configuration names the voters, they are not in the log (KIP-853).
            .standalone = config_list(options->config, CONFIG_CONTROLLER_QUORUM_VOTERS).count == 0,
        },
        &told, message);
    if (done)
        trace_info(options->trace, "formatted cluster_id=%s", cluster_id);
    strbuf_fini(&told);
    return done;
}

static bool know_directories(struct broker *broker, struct strbuf *message)
{
    const struct broker_options *options = &broker->options;
    struct node_identity *identity = &broker->identity;
    if (!node_identity_load(options->disk, options->config, NULL, identity, message))
        return false;
    if (identity->formatted_count == 0) {
        if (!options->format) {
            strbuf_printf(
                message,
                "log.dirs: %s is not formatted; run 'odradekd format -t CLUSTER_ID -c CONFIG' or "
                "start with --format",
                identity->dirs[0].path);
            return false;
        }
        if (!format_directories(options, message))
            return false;
        node_identity_fini(identity);
        if (!node_identity_load(options->disk, options->config, NULL, identity, message))
            return false;
    }
    if (!node_identity_complete(options->disk, identity,
                                config_int(options->config, CONFIG_NODE_ID),
                                clock_wall_ms(options->clock), message))
        return false;
    broker->node.cluster_id = identity->cluster_id;
    return true;
}

// ---- start -----------------------------------------------------------------------------------------

static void make_node(struct broker *broker)
{
    const struct broker_options *options = &broker->options;
    broker->node = (struct node){
        .clock = options->clock,
        .trace = options->trace,
        .disk = options->disk,
        .config = options->config,
        .metadata = metadata_new(),
        .node_id = config_int(options->config, CONFIG_NODE_ID),
    };
}

static bool check_config(struct broker *broker, struct strbuf *message)
{
    const struct broker_options *options = &broker->options;
    if (!listeners_resolve(options->config, &broker->listeners, message) ||
        !config_is_supported(options->config, &broker->listeners, message))
        return false;
    config_log_unused(options->config, options->trace);
    return true;
}

static bool open_network(struct broker *broker, struct strbuf *message)
{
    struct network_options options = {
        .config = broker->options.config,
        .clock = broker->options.clock,
        .trace = broker->options.trace,
        .handler = request_handler(&broker->node),
        .listeners = &broker->listeners,
    };
    broker->network = network_open(&options, message);
    if (broker->network == NULL)
        return false;
    alarm_driver_init(&broker->alarms, network_reactor(broker->network, 0));
    endpoints_make(&broker->endpoints, &broker->listeners, broker->network);
    int error = network_start(broker->network);
    if (error != 0)
        strbuf_printf(message, "cannot start a thread: %s", strerror(-error));
    return error == 0;
}

// ---- logs and the controller -----------------------------------------------------------------------

static void config_of_topic(void *arg, struct str topic, struct log_config *out)
{
    replicas_topic_config(((struct broker *)arg)->node.replicas, topic, out);
}

static bool is_stray(void *arg, struct str topic, int32_t partition, struct uuid topic_id)
{
    return replicas_is_stray(((struct broker *)arg)->node.replicas, topic, partition, topic_id);
}

static int64_t long_of(const struct broker *broker, enum config_key key)
{
    return config_long(broker->options.config, key);
}

static bool open_log_dirs(struct broker *broker, struct strbuf *message)
{
    const struct config *config = broker->options.config;
    struct config_list dirs = config_log_dirs(config);
    struct log_manager_options options = log_manager_options_default;
    options.disk = broker->options.disk;
    options.clock = broker->options.clock;
    options.trace = broker->options.trace;
    options.dirs = dirs.items;
    options.dir_count = dirs.count;
    options.recovery_threads_per_dir = config_int(config, CONFIG_NUM_RECOVERY_THREADS_PER_DATA_DIR);
    options.has_thread = true;
    options.initial_delay_ms = long_of(broker, CONFIG_LOG_INITIAL_TASK_DELAY_MS);
    options.retention_check_ms = long_of(broker, CONFIG_LOG_RETENTION_CHECK_INTERVAL_MS);
    options.recovery_point_checkpoint_ms =
        long_of(broker, CONFIG_LOG_FLUSH_OFFSET_CHECKPOINT_INTERVAL_MS);
    options.log_start_checkpoint_ms =
        long_of(broker, CONFIG_LOG_FLUSH_START_OFFSET_CHECKPOINT_INTERVAL_MS);
    options.high_watermark_checkpoint_ms =
        long_of(broker, CONFIG_REPLICA_HIGH_WATERMARK_CHECKPOINT_INTERVAL_MS);
    options.flush_check_ms = long_of(broker, CONFIG_LOG_FLUSH_SCHEDULER_INTERVAL_MS);
    options.producer_id_expiration_ms = long_of(broker, CONFIG_PRODUCER_ID_EXPIRATION_MS);
    options.producer_id_expiration_check_ms =
        long_of(broker, CONFIG_PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS);
    options.config_of = config_of_topic;
    options.arg = broker;
    int error = log_manager_open(&options, &broker->logs);
    if (error == -EAGAIN)
        strbuf_addz(message, "log.dirs: another process uses a directory");
    else if (error != 0)
        strbuf_printf(message, "log.dirs: cannot be opened: %s", strerror(-error));
    return error == 0;
}

static void on_controller_failed(void *arg)
{
    struct broker *broker = arg;
    broker->has_failed = true;
    broker->options.on_fatal();
}

static bool open_controller(struct broker *broker, struct strbuf *message)
{
    const char *dir = config_metadata_log_dir(broker->options.config);
    const struct log_dir_identity *identity = node_identity_find(&broker->identity, dir);
    must(identity != NULL);
    struct metadata_endpoint own = { .port = 0 };
    if (broker->endpoints.controllers_count > 0)
        own = broker->endpoints.items[broker->endpoints.brokers_count];
    int error = controller_open(
        &(struct controller_options){
            .disk = broker->options.disk,
            .clock = broker->options.clock,
            .trace = broker->options.trace,
            .config = broker->options.config,
            .metadata = broker->node.metadata,
            .metadata_dir = dir,
            .cluster_id = broker->node.cluster_id,
            .node_id = broker->node.node_id,
            .directory_id = identity->meta.directory_id,
            .listener_name = own.listener_name.data,
            .host = own.host.data,
            .port = own.port,
            .on_failed = on_controller_failed,
            .arg = broker,
        },
        &broker->node.controller);
    if (error != 0)
        strbuf_printf(message, "metadata log in %s cannot be used: %s", dir, strerror(-error));
    return error == 0;
}

static void on_config_changed(void *arg)
{
    struct broker *broker = arg;
    replicas_reconfigure(broker->node.replicas);
    log_manager_set_producer_id_expiration(broker->logs,
                                           long_of(broker, CONFIG_PRODUCER_ID_EXPIRATION_MS));
    network_update_limits(broker->network);
}

static bool load_logs(struct broker *broker, struct strbuf *message)
{
    broker->config_glue = (struct config_glue){
        .config = broker->options.config,
        .metadata = broker->node.metadata,
        .trace = broker->options.trace,
        .node_id = broker->node.node_id,
        .on_changed = on_config_changed,
        .arg = broker,
    };
    config_glue_start(&broker->config_glue);
    broker->node.replicas = replicas_new(&(struct replicas_options){
        .clock = broker->options.clock,
        .trace = broker->options.trace,
        .config = broker->options.config,
        .metadata = broker->node.metadata,
        .logs = broker->logs,
        .node_id = broker->node.node_id,
    });
    int error = log_manager_load(broker->logs, is_stray, broker);
    if (error != 0)
        strbuf_printf(message, "log.dirs: the logs cannot be loaded: %s", strerror(-error));
    return error == 0;
}

static bool start_replicas(struct broker *broker, struct strbuf *message)
{
    const struct broker_options *options = &broker->options;
    struct node *node = &broker->node;
    broker->groups = groups_glue_new(&(struct groups_glue_options){
        .config = options->config,
        .metadata = node->metadata,
        .replicas = node->replicas,
        .clock = options->clock,
        .alarms = &broker->alarms.alarms,
        .trace = options->trace,
    });
    if (broker->groups == NULL) {
        strbuf_addz(message, "cannot start a thread");
        return false;
    }
    node->groups = groups_glue_coordinator(broker->groups);
    node->producer_ids =
        producer_ids_new(node->controller, node->metadata, node->node_id, controller_submit);
    broker->txns = txns_glue_new(&(struct txns_glue_options){
        .config = options->config,
        .node = node,
        .metadata = node->metadata,
        .replicas = node->replicas,
        .alarms = &broker->alarms.alarms,
    });
    if (broker->txns == NULL) {
        groups_glue_stop(broker->groups);
        groups_glue_free(broker->groups);
        producer_ids_free(node->producer_ids);
        strbuf_addz(message, "cannot start a thread");
        return false;
    }
    node->txns = txns_glue_coordinator(broker->txns);
    node->fetch_sessions = fetch_sessions_new(
        options->clock,
        config_int(options->config, CONFIG_MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS));
    replicas_start(node->replicas);
    return true;
}

static bool start_controller(struct broker *broker, struct strbuf *message)
{
    int error = controller_start(broker->node.controller);
    if (error != 0)
        strbuf_printf(message, "cannot start a thread: %s", strerror(-error));
    return error == 0;
}

static bool register_node(struct broker *broker, struct strbuf *message)
{
    const struct node_identity *identity = &broker->identity;
    const struct endpoints *endpoints = &broker->endpoints;
    broker->log_dir_ids = mem_alloc(identity->count * sizeof *broker->log_dir_ids);
    int32_t count = 0;
    for (size_t i = 0; i < identity->count; i++)
        if (identity->dirs[i].error == 0)
            broker->log_dir_ids[count++] = identity->dirs[i].meta.directory_id;
    broker->local_broker = (struct local_broker){
        .controller = broker->node.controller,
        .metadata = broker->node.metadata,
        .trace = broker->options.trace,
        .node_id = broker->node.node_id,
        .cluster_id = broker->node.cluster_id,
        .incarnation_id = uuid_random(),
        .endpoints = endpoints->items,
        .endpoints_count = endpoints->brokers_count,
        .controller_endpoints = endpoints->items + endpoints->brokers_count,
        .controller_endpoints_count = endpoints->controllers_count,
        .rack = str_of(config_str(broker->options.config, CONFIG_BROKER_RACK)),
        .log_dirs = broker->log_dir_ids,
        .log_dirs_count = count,
        .previous_epoch = log_manager_previous_broker_epoch(broker->logs),
    };
    enum kafka_error error = local_broker_register(&broker->local_broker);
    if (error != KERR_NONE)
        strbuf_printf(message, "the controller refused to register this broker: %s",
                      kafka_error_name(error));
    return error == KERR_NONE;
}

static bool serve(struct broker *broker, struct strbuf *message)
{
    enum kafka_error error = local_broker_unfence(&broker->local_broker);
    if (error != KERR_NONE) {
        strbuf_printf(message, "the controller keeps this broker out of service: %s",
                      kafka_error_name(error));
        return false;
    }
    network_accept(broker->network);
    return true;
}

static void say_ready(struct broker *broker)
{
    struct strbuf listeners = STRBUF_EMPTY;
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct listener *listener = &broker->listeners.items[i];
        bool is_ipv6 = strchr(listener->host, ':') != NULL;
        strbuf_printf(&listeners, "%s%s://%s%s%s:%d", i > 0 ? "," : "", listener->name,
                      is_ipv6 ? "[" : "", listener->host, is_ipv6 ? "]" : "",
                      network_port(broker->network, i));
    }
    int64_t took_us = clock_monotonic_us(broker->options.clock) - broker->options.started_us;
    trace_info(broker->options.trace, "ready listeners=%s node_id=%" PRId32 " start_ms=%" PRId64,
               listeners.data, broker->node.node_id, took_us / 1000);
    strbuf_fini(&listeners);
}

// ---- stop ------------------------------------------------------------------------------------------

// Ends what reaches into others first, so that nothing is called that is gone; files last. A broker that did not come
// to serve leaves its directories as a crash would: what was not clean before is not called clean.
static void tear_down(struct broker *broker)
{
    struct node *node = &broker->node;
    enum stage stage = broker->stage;
    bool is_clean = stage == STAGE_SERVING && !broker->has_failed;
    if (is_clean && local_broker_shut_down(&broker->local_broker) != KERR_NONE)
        trace_warn(node->trace, "controlled shutdown was refused, stopping without it");
    if (stage >= STAGE_NETWORK)
        network_refuse(broker->network);
    if (stage >= STAGE_REPLICAS) {
        txns_glue_stop(broker->txns);
        groups_glue_stop(broker->groups);
        config_glue_stop(&broker->config_glue);
        replicas_stop(node->replicas);
    }
    bool all_answered = stage < STAGE_NETWORK || network_close(broker->network, STOP_PATIENCE_MS);
    if (stage >= STAGE_METADATA)
        controller_stop(node->controller);
    if (stage >= STAGE_LOG_DIRS && is_clean)
        log_manager_close(broker->logs, broker->local_broker.epoch);
    else if (stage >= STAGE_LOG_DIRS)
        log_manager_abandon(broker->logs);
    if (!all_answered)
        return; // what those requests hold is left to the end of the process
    if (stage >= STAGE_REPLICAS) {
        txns_glue_free(broker->txns);
        groups_glue_free(broker->groups);
        producer_ids_free(node->producer_ids);
        fetch_sessions_free(node->fetch_sessions);
    }
    if (stage >= STAGE_LOGS)
        replicas_free(node->replicas);
    if (stage >= STAGE_METADATA)
        controller_free(node->controller);
    if (stage >= STAGE_NETWORK) {
        alarm_driver_fini(&broker->alarms);
        endpoints_fini(&broker->endpoints);
    }
    metadata_free(node->metadata);
    node_identity_fini(&broker->identity);
    listeners_fini(&broker->listeners);
    mem_free(broker->log_dir_ids);
    broker->magic = 0;
    mem_free(broker);
}

struct broker *broker_start(const struct broker_options *options, struct strbuf *message)
{
    static const struct {
        enum stage reaches;
        bool (*step)(struct broker *broker, struct strbuf *message);
    } steps[] = {
        { STAGE_NOTHING, check_config },     { STAGE_NOTHING, know_directories },
        { STAGE_NETWORK, open_network },     { STAGE_LOG_DIRS, open_log_dirs },
        { STAGE_METADATA, open_controller }, { STAGE_LOGS, load_logs },
        { STAGE_REPLICAS, start_replicas },  { STAGE_CONTROLLER, start_controller },
        { STAGE_REGISTERED, register_node }, { STAGE_SERVING, serve },
    };
    struct broker *broker = mem_new(struct broker);
    broker->magic = BROKER_MAGIC;
    broker->options = *options;
    make_node(broker);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (!steps[i].step(broker, message)) {
            tear_down(broker);
            return NULL;
        }
        broker->stage = steps[i].reaches;
    }
    say_ready(broker);
    return broker;
}

struct node *broker_node(struct broker *broker)
{
    must_be(broker, BROKER_MAGIC);
    return &broker->node;
}

bool broker_stop(struct broker *broker)
{
    must_be(broker, BROKER_MAGIC);
    bool has_failed = broker->has_failed;
    tear_down(broker);
    return !has_failed;
}
