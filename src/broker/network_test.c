// SPDX-License-Identifier: Apache-2.0
// Reactors with their threads, listeners and the request seam as the broker has them, over real sockets (Tested here
// too: glue_request.c, glue_alarms.c). Requests are ApiVersions.
#include "broker/network.h"

#include <arpa/inet.h>
#include <semaphore.h>
#include <sys/socket.h>

#include "base/clock_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "broker/glue_alarms.h"
#include "broker/glue_request.h"
#include "metadata/metadata.h"

static struct {
    struct config *config;
    struct listeners listeners;
    struct trace trace;
    struct node node;
    struct network *network;
} broker;

static void set(const char *name, const char *value)
{
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE_FATAL(config_set(broker.config, CONFIG_SOURCE_STATIC_BROKER, str_of(name),
                                    str_of(value), &message));
}

static void start(void)
{
    memset(&broker, 0, sizeof broker);
    struct strbuf message = STRBUF_EMPTY;
    broker.config = config_new();
    set("process.roles", "broker,controller");
    set("node.id", "1");
    set("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0");
    set("controller.listener.names", "CONTROLLER");
    CU_ASSERT_TRUE_FATAL(listeners_resolve(broker.config, &broker.listeners, &message));
    trace_init(&broker.trace, clock_posix(), TRACE_DEBUG, -1);
    broker.node.clock = clock_posix();
    broker.node.metadata = metadata_new();
    broker.node.config = broker.config;
    broker.network =
        network_open(&(struct network_options){ .config = broker.config,
                                                .clock = clock_posix(),
                                                .trace = &broker.trace,
                                                .handler = request_handler(&broker.node),
                                                .listeners = &broker.listeners },
                     &message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(broker.network);
    CU_ASSERT_EQUAL_FATAL(network_start(broker.network), 0);
    network_accept(broker.network);
}

static void stop(void)
{
    network_refuse(broker.network);
    CU_ASSERT_TRUE(network_close(broker.network, 10000));
    metadata_free(broker.node.metadata);
    trace_fini(&broker.trace);
    listeners_fini(&broker.listeners);
    config_free(broker.config);
}

static int dial(size_t listener)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET };
    address.sin_port = htons((uint16_t)network_port(broker.network, listener));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    struct timeval limit = { 30, 0 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

// ApiVersions version 0 with this correlation id.
static void ask(int fd, uint8_t id)
{
    uint8_t frame[] = { 0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, id, 0xff, 0xff };
    CU_ASSERT_EQUAL(send(fd, frame, sizeof frame, MSG_NOSIGNAL), sizeof frame);
}

static bool is_answered(int fd, uint8_t id)
{
    uint8_t head[10];
    if (recv(fd, head, sizeof head, MSG_WAITALL) != sizeof head || head[7] != id ||
        get_be16(head + 8) != 0)
        return false;
    size_t rest = get_be32(head) - 6;
    uint8_t *body = mem_alloc(rest);
    bool is_whole = recv(fd, body, rest, MSG_WAITALL) == (ssize_t)rest;
    mem_free(body);
    return is_whole;
}

static bool has_ended(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) == 0;
}

static void requests_are_answered_on_every_reactor_and_listener(void)
{
    start();
    int fds[12];
    for (int i = 0; i < 12; i++) {
        fds[i] = dial((size_t)i % 2);
        ask(fds[i], (uint8_t)i);
        ask(fds[i], (uint8_t)(i + 100));
    }
    for (int i = 0; i < 12; i++) {
        CU_ASSERT_TRUE(is_answered(fds[i], (uint8_t)i));
        CU_ASSERT_TRUE(is_answered(fds[i], (uint8_t)(i + 100)));
    }
    for (int i = 0; i < 11; i++)
        close(fds[i]);
    stop(); // with one connection left
    CU_ASSERT_TRUE(has_ended(fds[11]));
    close(fds[11]);
}

static void what_is_no_request_ends_its_connection(void)
{
    start();
    int bad = dial(0), good = dial(0);
    CU_ASSERT_EQUAL(send(bad, "\0\0\0\12\3\347\0\0\0\0\0\1\377\377", 14, 0), 14);
    CU_ASSERT_TRUE(has_ended(bad));
    ask(good, 1);
    CU_ASSERT_TRUE(is_answered(good, 1));
    close(bad);
    close(good);
    stop();
}

static void connections_right_before_the_stop_are_ended_too(void)
{
    start();
    int fds[50];
    for (int i = 0; i < 50; i++)
        fds[i] = dial(0);
    stop();
    for (int i = 0; i < 50; i++) {
        char byte;
        CU_ASSERT_TRUE(recv(fds[i], &byte, 1, 0) <= 0); // ended or, never accepted, reset
        close(fds[i]);
    }
}

static void there_are_no_more_reactors_than_asked_for(void)
{
    start();
    set("num.network.threads", "1");
    set("num.io.threads", "1");
    CU_ASSERT_TRUE(network_reactor_count(broker.config) <= 2);
    CU_ASSERT_TRUE(network_reactor_count(broker.config) >= 1);
    stop();
}

static void limits_may_change_while_the_broker_runs(void)
{
    start();
    set("max.connections.per.ip", "1");
    network_update_limits(broker.network);
    int first = dial(0), second = dial(0);
    CU_ASSERT_TRUE(has_ended(second));
    set("max.connections.per.ip.overrides", "localhost:2");
    network_update_limits(broker.network);
    int third = dial(0), fourth = dial(0);
    ask(third, 3);
    CU_ASSERT_TRUE(is_answered(third, 3));
    CU_ASSERT_TRUE(has_ended(fourth));
    close(first);
    close(second);
    close(third);
    close(fourth);
    stop();
}

// ---- alarms ----------------------------------------------------------------------------------------

static sem_t rung;
static int rings;

static void on_ring(void *owner)
{
    (void)owner;
    rings++;
    sem_post(&rung);
}

static void alarms_ring_on_a_reactor_whoever_sets_them(void)
{
    start();
    struct alarm_driver driver;
    struct alarm late, early;
    sem_init(&rung, 0, 0);
    rings = 0;
    alarm_driver_init(&driver, network_reactor(broker.network, 0));
    alarm_init(&late, on_ring, NULL);
    alarm_init(&early, on_ring, NULL);
    int64_t now_us = clock_monotonic_us(clock_posix());
    alarm_set(&driver.alarms, &late, now_us + INT64_C(3600000000));
    alarm_set(&driver.alarms, &early, now_us + 2000);
    sem_wait(&rung);
    CU_ASSERT_TRUE(clock_monotonic_us(clock_posix()) >= now_us + 2000);
    alarm_set(&driver.alarms, &late, now_us);
    sem_wait(&rung);
    CU_ASSERT_EQUAL(rings, 2);
    stop();
    alarm_driver_fini(&driver);
    sem_destroy(&rung);
}

TEST_MAIN("network", TEST(requests_are_answered_on_every_reactor_and_listener),
          TEST(what_is_no_request_ends_its_connection),
          TEST(connections_right_before_the_stop_are_ended_too),
          TEST(there_are_no_more_reactors_than_asked_for),
          TEST(limits_may_change_while_the_broker_runs),
          TEST(alarms_ring_on_a_reactor_whoever_sets_them))
