// SPDX-License-Identifier: Apache-2.0
#include "broker/broker.h"

#include <inttypes.h>
#include <string.h>

#include "api/node.h"
#include "base/mem.h"
#include "base/must.h"
#include "broker/glue_request.h"
#include "broker/network.h"
#include "config/config_load.h"
#include "metadata/metadata.h"

enum { BROKER_MAGIC = 0x42524f4b, STOP_PATIENCE_MS = 2000 };

struct broker {
    uint32_t magic;
    struct broker_options options;
    struct listeners listeners;
    struct network *network;
    struct node node;
};

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

static bool open_network(struct broker *broker, struct strbuf *message)
{
    struct network_options options = {
        .config = broker->options.config,
        .clock = broker->options.clock,
        .trace = broker->options.trace,
        .handler = request_handler(&broker->node),
        .listeners = &broker->listeners,
    };
    if (!listeners_resolve(broker->options.config, &broker->listeners, message) ||
        !config_is_supported(broker->options.config, &broker->listeners, message))
        return false;
    broker->network = network_open(&options, message);
    if (broker->network == NULL)
        return false;
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
    }
    metadata_free(broker->node.metadata);
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
    if (!open_network(broker, message)) {
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
