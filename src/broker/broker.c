// SPDX-License-Identifier: Apache-2.0
#include "broker/broker.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "api/node.h"
#include "base/mem.h"
#include "base/must.h"
#include "broker/format.h"
#include "broker/glue_alarms.h"
#include "broker/glue_request.h"
#include "broker/meta_properties.h"
#include "broker/network.h"
#include "config/config_load.h"
#include "metadata/metadata.h"

enum { BROKER_MAGIC = 0x42524f4b, STOP_PATIENCE_MS = 2000 };

struct broker {
    uint32_t magic;
    struct broker_options options;
    struct listeners listeners;
    struct node_identity identity;
    struct network *network;
    struct alarm_driver alarms;
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
    int error = network_start(broker->network);
    if (error != 0)
        strbuf_printf(message, "cannot start a thread: %s", strerror(-error));
    return error == 0;
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

static void tear_down(struct broker *broker)
{
    if (broker->network != NULL) {
        network_refuse(broker->network);
        network_close(broker->network, STOP_PATIENCE_MS);
        alarm_driver_fini(&broker->alarms);
    }
    metadata_free(broker->node.metadata);
    node_identity_fini(&broker->identity);
    listeners_fini(&broker->listeners);
    broker->magic = 0;
    mem_free(broker);
}

struct broker *broker_start(const struct broker_options *options, struct strbuf *message)
{
    struct broker *broker = mem_new(struct broker);
    broker->magic = BROKER_MAGIC;
    broker->options = *options;
    make_node(broker);
    if (!check_config(broker, message) || !know_directories(broker, message) ||
        !open_network(broker, message)) {
        tear_down(broker);
        return NULL;
    }
    network_accept(broker->network);
    say_ready(broker);
    return broker;
}

void broker_stop(struct broker *broker)
{
    must_be(broker, BROKER_MAGIC);
    tear_down(broker);
}
