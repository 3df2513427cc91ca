// SPDX-License-Identifier: Apache-2.0
#include "broker/network.h"

#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "base/must.h"
#include "net/acceptor.h"

struct network {
    const struct config *config;
    struct clock *clock;
    struct trace *trace;
    struct connection_handler handler;
    struct connection_settings settings;
    struct connection_limits limits;
    struct workers *loaders;
    struct acceptor **acceptors;
    struct endpoint *endpoints;
    int acceptor_count;
    struct connections *homes;
    int home_count;
    int started_count;
    sem_t freed; // a connection's memory went, while closing
};

// ---- errands: something to be done on a reactor's thread, and waited for
// ---------------------------

struct errand {
    struct message message;
    void (*run)(struct errand *errand);
    struct network *network;
    struct connections *home;
    unsigned result;
    sem_t done;
};

static void on_errand(struct message *message)
{
    struct errand *errand = container_of(message, struct errand, message);
    errand->run(errand);
    sem_post(&errand->done);
}

static unsigned run_on(struct network *network, int index, void (*run)(struct errand *errand))
{
    struct errand errand = {
        .message.deliver = on_errand, .run = run, .network = network, .home = &network->homes[index]
    };
    sem_init(&errand.done, 0, 0);
    reactor_post(network->homes[index].reactor, &errand.message);
    while (sem_wait(&errand.done) != 0) // EINTR
        ;
    sem_destroy(&errand.done);
    return errand.result;
}

// ---- open
// ------------------------------------------------------------------------------------------

int network_reactor_count(const struct config *config)
{
    cpu_set_t cores;
    int count = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
    int most =
        config_int(config, CONFIG_NUM_NETWORK_THREADS) + config_int(config, CONFIG_NUM_IO_THREADS);
    return count < most ? count : most;
}

// The text by which connections from a host are counted; a name stands for its first address, as in Java.
static void override_host(struct connection_limits *limits, const char *host, int32_t max)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    char address[CONNECTION_HOST_SIZE];
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return;
    struct sockaddr_storage storage;
    memcpy(&storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    address_format(&storage, address);
    connection_limits_override(limits, address, max);
}

// "host:count,host:count"; the parser of the configuration has checked it.
static void read_overrides(struct network *network)
{
    char *text = mem_strdup(config_str(network->config, CONFIG_MAX_CONNECTIONS_PER_IP_OVERRIDES));
    char *save = NULL;
    for (char *entry = text == NULL ? NULL : strtok_r(text, ", ", &save); entry != NULL;
         entry = strtok_r(NULL, ", ", &save)) {
        char *colon = strrchr(entry, ':');
        int64_t max;
        if (colon == NULL || !str_to_int64(str_of(colon + 1), &max) || max < 0 || max > INT32_MAX)
            continue;
        *colon = '\0';
        override_host(&network->limits, entry, (int32_t)max);
    }
    mem_free(text);
}

// In between nobody has another limit: a connection that comes right then is judged by the common one.
void network_update_limits(struct network *network)
{
    const struct config *config = network->config;
    connection_limits_set(&network->limits, config_int(config, CONFIG_MAX_CONNECTIONS),
                          config_int(config, CONFIG_MAX_CONNECTIONS_PER_IP),
                          config_int(config, CONFIG_MAX_CONNECTION_CREATION_RATE));
    connection_limits_clear_overrides(&network->limits);
    read_overrides(network);
    for (int i = 0; i < network->acceptor_count; i++)
        acceptor_on_room(network->acceptors[i]);
}

static void on_room(void *arg)
{
    struct network *network = arg;
    for (int i = 0; i < network->acceptor_count; i++)
        acceptor_on_room(network->acceptors[i]);
}

// Where nobody chose a size: a reply of a megabyte leaves in one call, and the kernel lets a receive buffer grow
// (doc/decisions/0004-socket-buffers.md).
enum { SEND_BUFFER_UNCHOSEN = 1 << 20, RECEIVE_BUFFER_UNCHOSEN = -1 };

static int32_t buffer_size(const struct config *config, enum config_key key, int32_t unchosen)
{
    return config_is_set(config, key) ? config_int(config, key) : unchosen;
}

static void read_settings(struct network *network)
{
    const struct config *config = network->config;
    network->settings = (struct connection_settings){
        .max_frame_size = config_int(config, CONFIG_SOCKET_REQUEST_MAX_BYTES),
        .max_idle_us = config_long(config, CONFIG_CONNECTIONS_MAX_IDLE_MS) * 1000,
        .send_buffer_size =
            buffer_size(config, CONFIG_SOCKET_SEND_BUFFER_BYTES, SEND_BUFFER_UNCHOSEN),
        .budget.limit = config_long(config, CONFIG_QUEUED_MAX_REQUEST_BYTES),
    };
    connection_limits_init(&network->limits);
    network_update_limits(network);
}

static bool open_homes(struct network *network, struct strbuf *message)
{
    network->home_count = network_reactor_count(network->config);
    network->homes = mem_zalloc((size_t)network->home_count * sizeof *network->homes);
    for (int i = 0; i < network->home_count; i++) {
        struct connections *home = &network->homes[i];
        int error;
        connections_init(home);
        home->trace = network->trace;
        home->handler = &network->handler;
        home->settings = &network->settings;
        home->limits = &network->limits;
        home->loaders = network->loaders;
        home->on_room = on_room;
        home->on_room_arg = network;
        home->reactor = reactor_new(i, network->clock, &error);
        if (home->reactor == NULL) {
            strbuf_printf(message, "cannot make an event loop: %s", strerror(-error));
            return false;
        }
    }
    return true;
}

static bool open_listeners(struct network *network, const struct listeners *listeners,
                           struct strbuf *message)
{
    struct acceptor_settings settings = {
        .backlog = config_int(network->config, CONFIG_SOCKET_LISTEN_BACKLOG_SIZE),
        .receive_buffer_size = buffer_size(network->config, CONFIG_SOCKET_RECEIVE_BUFFER_BYTES,
                                           RECEIVE_BUFFER_UNCHOSEN),
    };
    network->acceptors = mem_zalloc(listeners->count * sizeof *network->acceptors);
    network->endpoints = mem_zalloc(listeners->count * sizeof *network->endpoints);
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listener *listener = &listeners->items[i];
        struct endpoint *endpoint = &network->endpoints[i];
        endpoint->listener_name = listener->name;
        endpoint->host = listener->host;
        endpoint->port = listener->port;
        endpoint->is_controller = listener->is_controller;
        struct acceptor *acceptor = acceptor_open(endpoint, &settings, message);
        if (acceptor == NULL)
            return false;
        network->acceptors[network->acceptor_count++] = acceptor;
    }
    return true;
}

int network_port(const struct network *network, size_t index)
{
    must((int)index < network->acceptor_count);
    return network->endpoints[index].port;
}

static void network_free(struct network *network)
{
    for (int i = 0; i < network->acceptor_count; i++)
        acceptor_free(network->acceptors[i]);
    for (int i = 0; i < network->home_count; i++) {
        connections_fini(&network->homes[i]);
        reactor_free(network->homes[i].reactor);
    }
    mem_free(network->acceptors);
    mem_free(network->endpoints);
    mem_free(network->homes);
    connection_limits_fini(&network->limits);
    sem_destroy(&network->freed);
    mem_free(network);
}

struct network *network_open(const struct network_options *options, struct strbuf *message)
{
    struct network *network = mem_new(struct network);
    network->config = options->config;
    network->clock = options->clock;
    network->trace = options->trace;
    network->handler = options->handler;
    sem_init(&network->freed, 0, 0);
    read_settings(network);
    network->loaders = options->loaders;
    if (open_homes(network, message) && open_listeners(network, options->listeners, message))
        return network;
    for (int i = 0; i < network->acceptor_count; i++)
        acceptor_close(network->acceptors[i]);
    network_free(network);
    return NULL;
}

struct reactor *network_reactor(struct network *network, int index)
{
    must(index < network->home_count);
    return network->homes[index].reactor;
}

// ---- run and stop
// ----------------------------------------------------------------------------------

int network_start(struct network *network)
{
    for (int i = 0; i < network->home_count; i++) {
        int error = reactor_start(network->homes[i].reactor);
        if (error != 0)
            return error;
        network->started_count++;
    }
    return 0;
}

static void accept_errand(struct errand *errand)
{
    struct network *network = errand->network;
    for (int i = 0; i < network->acceptor_count; i++)
        acceptor_start(network->acceptors[i], network->homes, network->home_count);
}

void network_accept(struct network *network)
{
    run_on(network, 0, accept_errand);
}

static void refuse_errand(struct errand *errand)
{
    for (int i = 0; i < errand->network->acceptor_count; i++)
        acceptor_close(errand->network->acceptors[i]);
}

void network_refuse(struct network *network)
{
    if (network->started_count > 0)
        run_on(network, 0, refuse_errand);
    else
        for (int i = 0; i < network->acceptor_count; i++)
            acceptor_close(network->acceptors[i]);
}

static void close_errand(struct errand *errand)
{
    connections_close_all(errand->home);
    errand->result = errand->home->count;
}

static void on_freed(void *arg)
{
    sem_post(&((struct network *)arg)->freed);
}

static void watch_errand(struct errand *errand)
{
    errand->home->on_freed = on_freed;
    errand->home->on_freed_arg = errand->network;
}

// Closes what there is, again until nothing is left: a connection may still be in a mailbox the
// first time. Gives the number of connections whose requests nobody answered in time.
static unsigned close_connections(struct network *network, int patience_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += patience_ms / 1000;
    for (int i = 0; i < network->home_count; i++)
        run_on(network, i, watch_errand);
    for (int turn = 0;; turn++) {
        unsigned left = 0;
        for (int i = 0; i < network->home_count; i++)
            left += run_on(network, i, close_errand);
        if (left == 0 && turn > 0)
            return 0;
        if (left > 0 && sem_timedwait(&network->freed, &deadline) != 0 && errno == ETIMEDOUT)
            return left;
    }
}

bool network_close(struct network *network, int patience_ms)
{
    unsigned left = 0;
    if (network->started_count == network->home_count)
        left = close_connections(network, patience_ms);
    for (int i = 0; i < network->started_count; i++)
        reactor_stop(network->homes[i].reactor);
    if (left > 0) {
        trace_warn(network->trace, "requests left without an answer connections=%u", left);
        return false;
    }
    network_free(network);
    return true;
}
