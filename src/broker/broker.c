// SPDX-License-Identifier: Apache-2.0
#include "broker/broker.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/fetch_sessions.h"
#include "api/node.h"
#include "txn/producer_ids.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/workers.h"
#include "broker/endpoints.h"
#include "broker/format.h"
#include "broker/glue_alarms.h"
#include "broker/glue_config.h"
#include "broker/glue_dirs.h"
#include "broker/glue_groups.h"
#include "broker/glue_share.h"
#include "broker/glue_txns.h"
#include "broker/glue_request.h"
#include "broker/meta_properties.h"
#include "broker/network.h"
#include "config/config_load.h"
#include "controller/controller.h"
#include "controller/local_broker.h"
#include "log/log_dirs.h"
#include "log/log_manager.h"
#include "metadata/metadata.h"
#include "replica/replicas.h"

enum { BROKER_MAGIC = 0x42524f4b, STOP_PATIENCE_MS = 2000, LOADERS_MAX = 8 };

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
    struct share_glue *shares;
    struct txns_glue *txns;
    struct endpoints endpoints;
    struct local_broker local_broker;
    struct uuid *log_dir_ids;
    struct dirs_glue *dirs;
    _Atomic bool has_failed; // the metadata log cannot be written, or no directory is left
    struct node node;
};

// ---- who we are ------------------------------------------------------------------------------------

// Those that are not formatted yet: all, or some of a node that has others.
static bool format_directories(struct broker *broker, struct strbuf *message)
{
    const struct broker_options *options = &broker->options;
    char cluster_id[UUID_TEXT_SIZE];
    uuid_format(uuid_random(), cluster_id);
    struct strbuf told = STRBUF_EMPTY;
    struct format_options format = {
        .disk = options->disk,
        .config = options->config,
        .now_ms = clock_wall_ms(options->clock),
        .cluster_id =
            broker->identity.cluster_id != NULL ? broker->identity.cluster_id : cluster_id,
        .ignore_formatted = true,
        // Where the configuration names the voters, they are not in the log (KIP-853).
        .standalone = config_list(options->config, CONFIG_CONTROLLER_QUORUM_VOTERS).count == 0,
    };
    bool done = format_run(&format, &told, message);
    if (done)
        trace_info(options->trace, "formatted cluster_id=%s", format.cluster_id);
    strbuf_fini(&told);
    return done;
}

static bool has_unformatted(const struct node_identity *identity)
{
    for (size_t i = 0; i < identity->count; i++)
        if (identity->dirs[i].error == -ENOENT)
            return true;
    return false;
}

static bool know_directories(struct broker *broker, struct strbuf *message)
{
    const struct broker_options *options = &broker->options;
    struct node_identity *identity = &broker->identity;
    if (!node_identity_load(options->disk, options->config, NULL, identity, message))
        return false;
    if (identity->formatted_count == 0 && !options->format) {
        strbuf_printf(
            message,
            "log.dirs: %s is not formatted; run 'odradekd format -t CLUSTER_ID -c CONFIG' or "
            "start with --format",
            identity->dirs[0].path);
        return false;
    }
    if (has_unformatted(identity) && options->format) {
        if (!format_directories(broker, message))
            return false;
        node_identity_fini(identity);
        if (!node_identity_load(options->disk, options->config, NULL, identity, message))
            return false;
    }
    if (!node_identity_complete(options->disk, identity, clock_wall_ms(options->clock), message))
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
    broker->node.loaders = workers_new("loader", LOADERS_MAX);
    struct network_options options = {
        .config = broker->options.config,
        .clock = broker->options.clock,
        .trace = broker->options.trace,
        .handler = request_handler(&broker->node),
        .listeners = &broker->listeners,
        .loaders = broker->node.loaders,
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

static void on_dir_failed(void *arg, size_t dir, int error)
{
    (void)error;
    dirs_glue_failed(((struct broker *)arg)->dirs, dir);
}

static char *absolute_path(const char *path)
{
    char folder[PATH_MAX];
    if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL)
        return mem_strdup(path);
    return mem_printf("%s/%s", folder, path);
}

// What a log manager needs to know of log.dirs.
struct dir_list {
    char **paths; // absolute, as Kafka shows them
    struct uuid *ids;
    bool *offline;
    size_t count;
};

static void dir_list_make(const struct broker *broker, struct dir_list *out)
{
    struct config_list dirs = config_log_dirs(broker->options.config);
    *out = (struct dir_list){
        .paths = mem_alloc(dirs.count * sizeof *out->paths),
        .ids = mem_zalloc(dirs.count * sizeof *out->ids),
        .offline = mem_zalloc(dirs.count * sizeof *out->offline),
        .count = dirs.count,
    };
    for (size_t i = 0; i < dirs.count; i++) {
        const struct log_dir_identity *identity =
            node_identity_find(&broker->identity, dirs.items[i]);
        must(identity != NULL);
        out->paths[i] = absolute_path(dirs.items[i]);
        out->ids[i] = identity->meta.directory_id;
        out->offline[i] = identity->error != 0;
        if (identity->error != 0)
            trace_error(broker->options.trace, "log directory offline dir=\"%s\" error=\"%s\"",
                        dirs.items[i], strerror(-identity->error));
    }
}

static void dir_list_fini(struct dir_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->paths[i]);
    mem_free(list->paths);
    mem_free(list->ids);
    mem_free(list->offline);
}

static struct cleaner_settings cleaner_settings(const struct config *config)
{
    return (struct cleaner_settings){
        .is_enabled = config_bool(config, CONFIG_LOG_CLEANER_ENABLE),
        .threads = config_int(config, CONFIG_LOG_CLEANER_THREADS),
        .dedupe_buffer_bytes = config_long(config, CONFIG_LOG_CLEANER_DEDUPE_BUFFER_SIZE),
        .dedupe_load_factor = config_double(config, CONFIG_LOG_CLEANER_IO_BUFFER_LOAD_FACTOR),
        .io_buffer_bytes = config_int(config, CONFIG_LOG_CLEANER_IO_BUFFER_SIZE),
        .io_max_bytes_per_second =
            config_double(config, CONFIG_LOG_CLEANER_IO_MAX_BYTES_PER_SECOND),
        .backoff_ms = config_long(config, CONFIG_LOG_CLEANER_BACKOFF_MS),
    };
}

static bool open_log_dirs(struct broker *broker, struct strbuf *message)
{
    const struct config *config = broker->options.config;
    struct dir_list dirs;
    dir_list_make(broker, &dirs);
    struct log_manager_options options = log_manager_options_default;
    options.disk = broker->options.disk;
    options.clock = broker->options.clock;
    options.trace = broker->options.trace;
    options.dirs = (const char *const *)dirs.paths;
    options.dir_ids = dirs.ids;
    options.dirs_offline = dirs.offline;
    options.dir_count = dirs.count;
    options.on_dir_failed = on_dir_failed;
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
    options.cleaner = cleaner_settings(config);
    options.config_of = config_of_topic;
    options.arg = broker;
    int error = log_manager_open(&options, &broker->logs);
    dir_list_fini(&dirs);
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
    struct cleaner_settings settings = cleaner_settings(broker->options.config);
    log_manager_reconfigure_cleaner(broker->logs, &settings);
    log_manager_set_recovery_threads(
        broker->logs, config_int(broker->options.config, CONFIG_NUM_RECOVERY_THREADS_PER_DATA_DIR));
    network_update_limits(broker->network);
    dirs_glue_reconfigure(broker->dirs);
}

// No log directory is left, or none that can do without the controller.
static void on_dirs_failed(void *arg)
{
    on_controller_failed(arg);
}

static void on_misplaced(void *arg, const struct replica_directory *items, size_t count)
{
    dirs_glue_misplaced(((struct broker *)arg)->dirs, items, count);
}

static bool is_moving_to(void *arg, struct str topic, int32_t index, struct uuid directory)
{
    return dirs_glue_is_moving_to(((struct broker *)arg)->dirs, topic, index, directory);
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
    log_manager_set_recovery_threads(
        broker->logs, config_int(broker->options.config, CONFIG_NUM_RECOVERY_THREADS_PER_DATA_DIR));
    broker->node.replicas = replicas_new(&(struct replicas_options){
        .clock = broker->options.clock,
        .trace = broker->options.trace,
        .config = broker->options.config,
        .metadata = broker->node.metadata,
        .logs = broker->logs,
        .node_id = broker->node.node_id,
        .on_misplaced = on_misplaced,
        .is_moving_to = is_moving_to,
        .arg = broker,
    });
    char *metadata_dir = absolute_path(config_metadata_log_dir(broker->options.config));
    broker->dirs = dirs_glue_new(&(struct dirs_glue_options){
        .clock = broker->options.clock,
        .trace = broker->options.trace,
        .config = broker->options.config,
        .metadata = broker->node.metadata,
        .controller = broker->node.controller,
        .logs = broker->logs,
        .replicas = broker->node.replicas,
        .local_broker = &broker->local_broker,
        .metadata_dir = log_dirs_find(broker->logs, str_of(metadata_dir)),
        .node_id = broker->node.node_id,
        .on_fatal = on_dirs_failed,
        .arg = broker,
    });
    mem_free(metadata_dir);
    broker->node.logs = broker->logs;
    broker->node.dirs = dirs_glue_control(broker->dirs);
    int error = log_manager_load(broker->logs, is_stray, broker);
    if (error == 0 && dirs_glue_metadata_failed(broker->dirs))
        error = -EIO;
    if (error == -EBADMSG)
        strbuf_addz(
            message,
            "log.dirs: a folder is not what it has to be, or a partition is there twice; the lines "
            "before this one name it");
    else if (error != 0)
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
    broker->shares = share_glue_new(&(struct share_glue_options){ .config = options->config,
                                                                  .metadata = node->metadata,
                                                                  .replicas = node->replicas,
                                                                  .groups = node->groups,
                                                                  .controller = node->controller,
                                                                  .clock = options->clock,
                                                                  .alarms = &broker->alarms.alarms,
                                                                  .trace = options->trace },
                                    node);
    if (broker->shares == NULL) {
        txns_glue_stop(broker->txns);
        groups_glue_stop(broker->groups);
        txns_glue_free(broker->txns);
        groups_glue_free(broker->groups);
        producer_ids_free(node->producer_ids);
        strbuf_addz(message, "cannot start a thread");
        return false;
    }
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

static int compare_ids(const void *a, const void *b)
{
    return uuid_compare(*(const struct uuid *)a, *(const struct uuid *)b);
}

static bool register_node(struct broker *broker, struct strbuf *message)
{
    const struct endpoints *endpoints = &broker->endpoints;
    int32_t count = 0;
    broker->log_dir_ids = mem_alloc(log_dirs_count(broker->logs) * sizeof *broker->log_dir_ids);
    for (size_t i = 0; i < log_dirs_count(broker->logs); i++) {
        struct log_dir_state state = log_dirs_state(broker->logs, i);
        if (!state.is_offline)
            broker->log_dir_ids[count++] = state.id;
    }
    qsort(broker->log_dir_ids, (size_t)count, sizeof *broker->log_dir_ids, compare_ids);
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
        .directories = dirs_glue_directories,
        .arg = broker->dirs,
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
    local_broker_follow(&broker->local_broker);
    dirs_glue_start(broker->dirs);
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
    if (stage == STAGE_SERVING)
        local_broker_unfollow(&broker->local_broker);
    if (is_clean && local_broker_shut_down(&broker->local_broker) != KERR_NONE)
        trace_warn(node->trace, "controlled shutdown was refused, stopping without it");
    if (stage >= STAGE_NETWORK)
        network_refuse(broker->network);
    if (stage >= STAGE_REPLICAS) {
        txns_glue_stop(broker->txns);
        groups_glue_stop(broker->groups);
        share_glue_stop(broker->shares);
    }
    if (broker->dirs != NULL) { // the logs were at least about to be loaded
        config_glue_stop(&broker->config_glue);
        dirs_glue_stop(broker->dirs);
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
    workers_free(node->loaders);
    if (stage >= STAGE_REPLICAS) {
        share_glue_free(broker->shares);
        txns_glue_free(broker->txns);
        groups_glue_free(broker->groups);
        producer_ids_free(node->producer_ids);
        fetch_sessions_free(node->fetch_sessions);
    }
    dirs_glue_free(broker->dirs);
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
