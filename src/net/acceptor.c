// SPDX-License-Identifier: Apache-2.0
// Tested by connection_test.c.
#include "net/acceptor.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

enum { ACCEPTOR_MAGIC = 0x4c495354, ACCEPTS_A_TURN = 64, NO_DESCRIPTOR_PAUSE_US = 100000 };

struct acceptor {
    uint32_t magic;
    const struct endpoint *endpoint;
    int fd; // until it is watched
    struct connections *homes;
    int home_count;
    int next_home;
    struct watch watch;
    struct timer pause_timer;
    struct message room_message;
    atomic_bool wants_room;
    struct line_limit lines;
};

static int bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[CONNECTION_HOST_SIZE];
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return address_format(&address, host);
}

static int open_socket(const struct addrinfo *at, const struct acceptor_settings *settings)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (settings->receive_buffer_size != -1) // accepted sockets inherit it
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &settings->receive_buffer_size,
                   sizeof settings->receive_buffer_size);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, settings->backlog) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

// The address that Java would bind: IPv4 before IPv6 for a name, both at once for none.
static int resolve(const struct endpoint *endpoint, int family, struct addrinfo **out)
{
    struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM };
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    char port[16];
    snprintf(port, sizeof port, "%d", endpoint->port);
    return getaddrinfo(endpoint->host[0] != '\0' ? endpoint->host : NULL, port, &hints, out);
}

struct acceptor *acceptor_open(struct endpoint *endpoint, const struct acceptor_settings *settings,
                               struct strbuf *message)
{
    bool is_wildcard = endpoint->host[0] == '\0';
    const int families[] = { is_wildcard ? AF_INET6 : AF_INET, is_wildcard ? AF_INET : AF_INET6 };
    int fd = -EADDRNOTAVAIL, failed = 0;
    for (int i = 0; i < 2 && fd < 0 && fd != -EADDRINUSE; i++) {
        struct addrinfo *at;
        int unresolved = resolve(endpoint, families[i], &at);
        if (unresolved != 0) {
            failed = failed == 0 ? unresolved : failed;
            continue;
        }
        fd = open_socket(at, settings);
        freeaddrinfo(at);
        failed = 0;
    }
    if (fd < 0) {
        strbuf_printf(message, "listener %s cannot bind to %s:%d: %s", endpoint->listener_name,
                      endpoint->host, endpoint->port,
                      failed != 0 ? gai_strerror(failed) : strerror(-fd));
        return NULL;
    }
    if (endpoint->port == 0)
        endpoint->port = bound_port(fd);
    struct acceptor *acceptor = mem_new(struct acceptor);
    acceptor->magic = ACCEPTOR_MAGIC;
    acceptor->endpoint = endpoint;
    acceptor->fd = fd;
    acceptor->watch.fd = -1;
    return acceptor;
}

static void pause_for(struct acceptor *acceptor, int64_t wait_us)
{
    watch_want(&acceptor->watch, false, false);
    struct reactor *reactor = acceptor->homes[0].reactor;
    if (wait_us != INT64_MAX) {
        reactor_set_timer(reactor, &acceptor->pause_timer, reactor_now_us(reactor) + wait_us);
        return;
    }
    atomic_store(&acceptor->wants_room, true);
    if (connection_limits_wait_us(acceptor->homes[0].limits, reactor_now_us(reactor)) != INT64_MAX)
        acceptor_on_room(acceptor); // one ended before it could see that we wait
}

static bool accept_one(struct acceptor *acceptor)
{
    struct connections *home = &acceptor->homes[acceptor->next_home];
    int64_t now_us = reactor_now_us(home->reactor);
    int64_t wait_us = connection_limits_wait_us(home->limits, now_us);
    if (wait_us > 0) {
        pause_for(acceptor, wait_us);
        return false;
    }
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int fd = accept4(acceptor->watch.fd, (struct sockaddr *)&address, &size,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
            return errno != EAGAIN; // the others are about a peer that is gone already
        int left_out;
        if (line_limit_pass(&acceptor->lines, now_us, &left_out))
            trace_error(home->trace, "cannot accept a connection listener=%s error=\"%s\"",
                        acceptor->endpoint->listener_name, strerror(errno));
        pause_for(acceptor, NO_DESCRIPTOR_PAUSE_US);
        return false;
    }
    char host[CONNECTION_HOST_SIZE];
    int port = address_format(&address, host);
    if (connection_limits_open(home->limits, host) == CONNECTION_REFUSED) {
        close(fd);
        int left_out;
        if (line_limit_pass(&acceptor->lines, now_us, &left_out))
            trace_info(home->trace,
                       "connection rejected, its address has the most allowed peer=%s:%d", host,
                       port);
        return true;
    }
    acceptor->next_home = (acceptor->next_home + 1) % acceptor->home_count;
    connection_adopt(home, fd, acceptor->endpoint, host, port);
    return true;
}

static void on_ready(struct watch *watch, bool readable, bool writable)
{
    (void)readable, (void)writable;
    struct acceptor *acceptor = container_of(watch, struct acceptor, watch);
    for (int i = 0; i < ACCEPTS_A_TURN && accept_one(acceptor); i++)
        ;
}

static void on_pause_over(struct timer *timer)
{
    struct acceptor *acceptor = container_of(timer, struct acceptor, pause_timer);
    watch_want(&acceptor->watch, true, false);
}

static void on_room(struct message *message)
{
    struct acceptor *acceptor = container_of(message, struct acceptor, room_message);
    if (acceptor->watch.fd >= 0)
        watch_want(&acceptor->watch, true, false);
}

void acceptor_start(struct acceptor *acceptor, struct connections *homes, int home_count)
{
    must_be(acceptor, ACCEPTOR_MAGIC);
    acceptor->homes = homes;
    acceptor->home_count = home_count;
    timer_init(&acceptor->pause_timer, on_pause_over);
    acceptor->room_message.deliver = on_room;
    watch_open(&acceptor->watch, homes[0].reactor, acceptor->fd, on_ready);
    acceptor->fd = -1;
    watch_want(&acceptor->watch, true, false);
}

void acceptor_on_room(struct acceptor *acceptor)
{
    if (atomic_exchange(&acceptor->wants_room, false))
        reactor_post(acceptor->homes[0].reactor, &acceptor->room_message);
}

void acceptor_close(struct acceptor *acceptor)
{
    must_be(acceptor, ACCEPTOR_MAGIC);
    if (acceptor->homes != NULL) {
        reactor_cancel_timer(acceptor->homes[0].reactor, &acceptor->pause_timer);
        watch_close(&acceptor->watch);
    } else if (acceptor->fd >= 0) {
        close(acceptor->fd);
        acceptor->fd = -1;
    }
}

void acceptor_free(struct acceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    must_be(acceptor, ACCEPTOR_MAGIC);
    must(acceptor->fd < 0 && acceptor->watch.fd < 0);
    acceptor->magic = 0;
    mem_free(acceptor);
}
