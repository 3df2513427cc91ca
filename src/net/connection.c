// SPDX-License-Identifier: Apache-2.0
#include "net/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

enum {
    CONNECTION_MAGIC = 0x434f4e4e,
    EXCHANGE_MAGIC = 0x45584348,
    READS_A_TURN = 4,
    SPARE_EXCHANGES_MAX = 64,
    STARVED_RETRY_US = 10000,
    DRAIN_SIZE_MAX = 256 * 1024,
};

static atomic_ullong next_connection_id = 1;

static void on_ready(struct watch *watch, bool readable, bool writable);
static void read_on(struct connection *connection);
static bool take_held(struct connection *connection);
static void update_interest(struct connection *connection);

// ---- the connections of a reactor -----------------------------------------------------------------

static void on_starved_timer(struct timer *timer)
{
    struct connections *home = container_of(timer, struct connections, _starved_timer);
    struct list starved;
    list_init(&starved);
    list_splice(&starved, &home->_starved);
    struct list *link;
    while ((link = list_pop(&starved)) != NULL) // who still gets nothing comes back
        read_on(container_of(link, struct connection, _starved_link));
}

void connections_init(struct connections *connections)
{
    list_init(&connections->_open);
    list_init(&connections->_starved);
    list_init(&connections->_spare);
    timer_init(&connections->_starved_timer, on_starved_timer);
    passing_memory_init(&connections->_passing_memory, mem_give_back);
    connections->_spare_count = 0;
    connections->count = 0;
}

static void free_exchange(struct connections *home, struct exchange *exchange)
{
    home->handler->on_exchange_free(exchange);
    exchange->magic = 0;
    mem_free(exchange);
}

void connections_fini(struct connections *connections)
{
    must(connections->count == 0);
    struct list *link;
    while ((link = list_pop(&connections->_spare)) != NULL)
        free_exchange(connections, container_of(link, struct exchange, _link));
}

void connections_close_all(struct connections *connections)
{
    list_for_each_safe(link, next, &connections->_open)
    {
        struct connection *connection = container_of(link, struct connection, _link);
        connection->_input_ended = true;
        if (connection_flush(connection))
            connection_shut(connection, NULL);
    }
}

// ---- life ------------------------------------------------------------------------------------------

void connection_ref(struct connection *connection)
{
    connection->_refs++;
}

void connection_unref(struct connection *connection)
{
    must_be(connection, CONNECTION_MAGIC);
    must(connection->_refs > 0);
    if (--connection->_refs > 0)
        return;
    must(!connection->_is_open && list_is_empty(&connection->_exchanges));
    struct connections *home = connection->_home;
    home->handler->on_free(connection);
    mem_free(connection->_loads);
    home->count--;
    connection->magic = 0;
    mem_free(connection);
    passing_memory_note(&home->_passing_memory, home->reactor, sizeof *connection);
    if (home->on_freed != NULL)
        home->on_freed(home->on_freed_arg);
}

static void on_idle(struct timer *timer)
{
    struct connection *connection = container_of(timer, struct connection, _idle_timer);
    struct connections *home = connection->_home;
    int64_t deadline_us = connection->_active_us + home->settings->max_idle_us;
    int64_t now_us = reactor_now_us(home->reactor);
    if (connection->_waiting > 0) // not idle: it waits for us
        deadline_us = now_us + home->settings->max_idle_us;
    if (deadline_us > now_us)
        reactor_set_timer(home->reactor, timer, deadline_us);
    else
        connection_shut(connection, NULL);
}

static void on_flush(struct reactor_after *after)
{
    struct connection *connection = container_of(after, struct connection, _flush);
    connection_ref(connection);
    if (connection_flush(connection))
        take_held(connection); // what waited for room
    update_interest(connection);
    connection_unref(connection);
}

static void on_adopt(struct message *message)
{
    struct connection *connection = container_of(message, struct connection, _adopt);
    struct connections *home = connection->_home;
    home->count++;
    list_append(&home->_open, &connection->_link);
    watch_open(&connection->_watch, home->reactor, connection->_watch.fd, on_ready);
    connection->_active_us = reactor_now_us(home->reactor);
    if (home->settings->max_idle_us > 0)
        reactor_set_timer(home->reactor, &connection->_idle_timer,
                          connection->_active_us + home->settings->max_idle_us);
    home->handler->on_open(connection);
    watch_want(&connection->_watch, true, false);
}

// As Kafka sets up an accepted socket: no delay, keep-alive, the configured send buffer.
static void set_options(int fd, const struct connection_settings *settings)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (settings->send_buffer_size != -1)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &settings->send_buffer_size,
                   sizeof settings->send_buffer_size);
}

void connection_adopt(struct connections *home, int fd, const struct endpoint *endpoint,
                      const char *host, int port)
{
    struct connection *connection = mem_new(struct connection);
    connection->magic = CONNECTION_MAGIC;
    connection->id = atomic_fetch_add(&next_connection_id, 1);
    connection->endpoint = endpoint;
    connection->port = port;
    strncpy(connection->host, host, sizeof connection->host - 1);
    connection->_home = home;
    connection->_watch.fd = fd;
    connection->_refs = 1;
    connection->_is_open = true;
    connection->_adopt.deliver = on_adopt;
    list_init(&connection->_link);
    list_init(&connection->_exchanges);
    list_init(&connection->_starved_link);
    timer_init(&connection->_idle_timer, on_idle);
    reactor_after_init(&connection->_flush, on_flush);
    set_options(fd, home->settings);
    reactor_post(home->reactor, &connection->_adopt);
}

int address_format(const struct sockaddr_storage *address, char *host)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &in->sin_addr, host, CONNECTION_HOST_SIZE);
        return ntohs(in->sin_port);
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) // Java says 127.0.0.1 too
        inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, CONNECTION_HOST_SIZE);
    else
        inet_ntop(AF_INET6, &in6->sin6_addr, host, CONNECTION_HOST_SIZE);
    return ntohs(in6->sin6_port);
}

static void complain(struct connection *connection, const char *why)
{
    struct connections *home = connection->_home;
    int left_out;
    if (!line_limit_pass(&home->settings->bad_lines, reactor_now_us(home->reactor), &left_out))
        return;
    if (left_out > 0)
        trace_warn(home->trace, "connections closed, lines left out count=%d", left_out);
    trace_warn(home->trace, "connection closed peer=%s:%d listener=%s reason=\"%s\"",
               connection->host, connection->port, connection->endpoint->listener_name, why);
}

// Unread input would make the kernel send a reset, which may destroy replies that are still on their way: say
// the end first, and take what is there.
static void say_goodbye(struct connection *connection)
{
    int fd = connection->_watch.fd;
    if (shutdown(fd, SHUT_WR) != 0)
        return;
    struct buf *block = reactor_read_block(connection->_home->reactor);
    for (size_t drained = 0; drained < DRAIN_SIZE_MAX;) {
        ssize_t got = recv(fd, block->data, block->capacity, MSG_DONTWAIT);
        if (got <= 0)
            return;
        drained += (size_t)got;
    }
}

void connection_shut(struct connection *connection, const char *why)
{
    must_be(connection, CONNECTION_MAGIC);
    if (!connection->_is_open)
        return;
    struct connections *home = connection->_home;
    connection->_is_open = false;
    connection->_input_ended = true;
    if (why != NULL)
        complain(connection, why);
    say_goodbye(connection);
    watch_close(&connection->_watch);
    reactor_after_cancel(&connection->_flush);
    reactor_cancel_timer(home->reactor, &connection->_idle_timer);
    list_remove(&connection->_starved_link);
    list_remove(&connection->_link);
    buf_unref(connection->_frame);
    buf_unref(connection->_held);
    connection->_frame = connection->_held = NULL;
    home->handler->on_close(connection);
    connection_limits_close(home->limits, connection->host);
    if (home->on_room != NULL)
        home->on_room(home->on_room_arg);
    list_for_each_safe(link, next, &connection->_exchanges)
    {
        struct exchange *exchange = container_of(link, struct exchange, _link);
        if (exchange->_state != EXCHANGE_WAITING)
            exchange_end(exchange);
        else
            home->handler->on_exchange_gone(exchange);
    }
    connection_unref(connection);
}

// ---- exchanges -------------------------------------------------------------------------------------

struct reactor *exchange_reactor(const struct exchange *exchange)
{
    return exchange->_home->reactor;
}

const struct connection_handler *connection_handler_of(const struct connection *connection)
{
    return connection->_home->handler;
}

static struct exchange *exchange_begin(struct connection *connection, struct buf *frame,
                                       const uint8_t *data, size_t size)
{
    struct connections *home = connection->_home;
    struct list *spare = list_pop(&home->_spare);
    struct exchange *exchange;
    if (spare != NULL) {
        exchange = container_of(spare, struct exchange, _link);
        home->_spare_count--;
    } else {
        exchange = mem_zalloc(home->handler->exchange_size);
        exchange->magic = EXCHANGE_MAGIC;
        list_init(&exchange->_link);
    }
    exchange->_state = EXCHANGE_WAITING;
    exchange->connection = connection;
    exchange->_home = home;
    exchange->frame = frame;
    exchange->data = data;
    exchange->size = size;
    exchange->_pieces = NULL;
    exchange->_piece_count = exchange->_piece = 0;
    exchange->_piece_sent = 0;
    exchange->_close_reason = NULL;
    list_append(&connection->_exchanges, &exchange->_link);
    connection->_waiting++;
    connection->_exchange_count++;
    connection_ref(connection);
    return exchange;
}

void exchange_recycle(struct exchange *exchange)
{
    must_be(exchange, EXCHANGE_MAGIC);
    struct connections *home = exchange->_home;
    if (home->_spare_count < SPARE_EXCHANGES_MAX) {
        list_prepend(&home->_spare, &exchange->_link);
        home->_spare_count++;
    } else {
        free_exchange(home, exchange);
    }
}

void exchange_end(struct exchange *exchange)
{
    must_be(exchange, EXCHANGE_MAGIC);
    struct connection *connection = exchange->connection;
    list_remove(&exchange->_link);
    connection->_exchange_count--;
    bool is_spare = connection->_home->handler->on_exchange_end(exchange);
    buf_unref(exchange->frame);
    exchange->frame = NULL;
    exchange->connection = NULL;
    if (is_spare)
        exchange_recycle(exchange);
    connection_unref(connection);
}

// The state of an exchange changed from waiting: send, unless it has to wait for others or the connection is gone.
void connection_answered(struct connection *connection, struct exchange *exchange)
{
    must(reactor_is_current(connection->_home->reactor));
    must(connection->_waiting > 0);
    connection->_waiting--;
    connection->_active_us = reactor_now_us(connection->_home->reactor);
    if (!connection->_is_open)
        exchange_end(exchange);
    else
        reactor_after(connection->_home->reactor, &connection->_flush);
}

// ---- reading ---------------------------------------------------------------------------------------

static bool is_paused(const struct connection *connection)
{
    return connection->_input_ended || connection->_output_blocked || connection->_is_loading ||
           connection->_waiting >= EXCHANGES_WAITING_MAX;
}

static void update_interest(struct connection *connection)
{
    if (!connection->_is_open)
        return;
    bool read = !is_paused(connection) && connection->_held == NULL &&
                list_is_empty(&connection->_starved_link);
    watch_want(&connection->_watch, read, connection->_output_blocked);
}

static void take_frame(struct connection *connection, struct buf *frame, const uint8_t *data,
                       size_t size, bool is_followed)
{
    struct exchange *exchange = exchange_begin(connection, frame, data, size);
    exchange->is_followed = is_followed;
    connection->_home->handler->on_frame(exchange);
}

// The frame's size, from what may be the last of several reads. False while bytes are missing, or when it is no
// size that we take: then the connection is closed.
static bool take_size(struct connection *connection, const uint8_t *data, size_t *at, size_t end,
                      size_t *size)
{
    while (connection->_size_have < 4) {
        if (*at == end)
            return false;
        connection->_size[connection->_size_have++] = data[(*at)++];
    }
    int32_t n = (int32_t)get_be32(connection->_size);
    if (n >= 0 && n <= connection->_home->settings->max_frame_size) {
        *size = (size_t)n;
        return true;
    }
    char why[96];
    if (n < 0)
        snprintf(why, sizeof why, "invalid receive (size = %" PRId32 ")", n);
    else
        snprintf(why, sizeof why, "invalid receive (size = %" PRId32 " larger than %" PRId32 ")", n,
                 connection->_home->settings->max_frame_size);
    connection->_input_ended = true;
    if (list_is_empty(&connection->_exchanges)) {
        connection_shut(connection, why);
    } else { // replies that are due leave first
        complain(connection, why);
    }
    return false;
}

// Whether a whole frame, which nothing keeps from being handled at once, is next in data[at, end).
static bool has_frame(const struct connection *connection, const uint8_t *data, size_t at,
                      size_t end)
{
    if (end - at < 4 || connection->_waiting + 1 >= EXCHANGES_WAITING_MAX)
        return false;
    int32_t size = (int32_t)get_be32(data + at);
    return size >= 0 && (size_t)size <= end - at - 4;
}

static void starve(struct connection *connection)
{
    struct connections *home = connection->_home;
    if (list_is_empty(&home->_starved))
        reactor_set_timer(home->reactor, &home->_starved_timer,
                          reactor_now_us(home->reactor) + STARVED_RETRY_US);
    list_append(&home->_starved, &connection->_starved_link);
}

// Takes the frames from block->data[at, end). Returns where it stopped: at the end, or earlier when reading paused.
static size_t take_frames(struct connection *connection, struct buf *block, size_t at, size_t end)
{
    struct connection_settings *settings = connection->_home->settings;
    while (at < end || connection->_size_have == 4) {
        if (connection->_exchange_count >= EXCHANGES_UNSENT_MAX && !connection_flush(connection))
            return end;
        if (is_paused(connection))
            return at;
        size_t size;
        if (!take_size(connection, block->data, &at, end, &size))
            return connection->_is_open ? at : end;
        size_t there = end - at;
        bool in_place = there >= size && size >= FRAME_SLICE_SIZE && settings->budget.limit <= 0;
        struct buf *frame = in_place ? buf_ref(block) : buf_new(&settings->budget, size);
        if (frame == NULL) {
            starve(connection);
            return at;
        }
        connection->_size_have = 0;
        if (in_place) {
            at += size;
            take_frame(connection, frame, block->data + at - size, size,
                       has_frame(connection, block->data, at, end));
            continue;
        }
        passing_memory_note(&connection->_home->_passing_memory, connection->_home->reactor, size);
        size_t got = there < size ? there : size;
        memcpy(frame->data, block->data + at, got);
        frame->size = got;
        at += got;
        if (got < size) {
            connection->_frame = frame;
            return at;
        }
        take_frame(connection, frame, frame->data, size,
                   has_frame(connection, block->data, at, end));
    }
    return at;
}

// What was read before reading paused; false when it is paused again.
static bool take_held(struct connection *connection)
{
    struct buf *held = connection->_held;
    if (held == NULL)
        return !is_paused(connection);
    buf_ref(held);
    size_t at = take_frames(connection, held, connection->_held_position, held->size);
    connection->_held_position = at;
    if (connection->_held != NULL && at == held->size &&
        list_is_empty(&connection->_starved_link)) {
        buf_unref(held);
        connection->_held = NULL;
    }
    buf_unref(held);
    return connection->_is_open && connection->_held == NULL && !is_paused(connection) &&
           list_is_empty(&connection->_starved_link);
}

static void hold(struct connection *connection, const struct buf *block, size_t at, size_t end)
{
    if (connection->_input_ended || (at == end && list_is_empty(&connection->_starved_link)))
        return;
    struct buf *held = buf_new(NULL, end - at); // at most a block, and only while paused
    memcpy(held->data, block->data + at, end - at);
    held->size = end - at;
    connection->_held = held;
    connection->_held_position = 0;
}

static void input_ends(struct connection *connection)
{
    connection->_input_ended = true;
    if (list_is_empty(&connection->_exchanges))
        connection_shut(connection, NULL);
}

// One recv. False when there is nothing more to read now.
static bool read_once(struct connection *connection)
{
    struct buf *block = reactor_read_block(connection->_home->reactor);
    struct buf *frame = connection->_frame;
    struct iovec iov[2];
    int iov_count = 0;
    size_t missing = 0;
    if (frame != NULL) {
        missing = frame->capacity - frame->size;
        iov[iov_count++] = (struct iovec){ frame->data + frame->size, missing };
    }
    iov[iov_count++] = (struct iovec){ block->data, block->capacity };
    ssize_t got = iov_count == 1 ? recv(connection->_watch.fd, block->data, block->capacity, 0)
                                 : readv(connection->_watch.fd, iov, iov_count);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got < 0) {
        connection_shut(connection, NULL); // reset by the peer
        return false;
    }
    if (got == 0) {
        input_ends(connection);
        return false;
    }
    connection->_active_us = reactor_now_us(connection->_home->reactor);
    bool is_full = (size_t)got == missing + block->capacity;
    size_t in_block = (size_t)got > missing ? (size_t)got - missing : 0;
    buf_ref(block);
    block->size = in_block;
    if (frame != NULL) {
        frame->size += (size_t)got - in_block;
        if (frame->size == frame->capacity) {
            connection->_frame = NULL;
            take_frame(connection, frame, frame->data, frame->size,
                       has_frame(connection, block->data, 0, in_block));
        }
    }
    size_t at = take_frames(connection, block, 0, in_block);
    if (connection->_is_open)
        hold(connection, block, at, in_block);
    buf_unref(block);
    return is_full && connection->_is_open && connection->_held == NULL && !is_paused(connection);
}

static void read_on(struct connection *connection)
{
    connection_ref(connection);
    if (take_held(connection)) {
        for (int i = 0; i < READS_A_TURN && read_once(connection); i++)
            ;
    }
    update_interest(connection);
    connection_unref(connection);
}

static void on_ready(struct watch *watch, bool readable, bool writable)
{
    struct connection *connection = container_of(watch, struct connection, _watch);
    connection_ref(connection);
    if (writable) {
        connection->_output_blocked = false;
        connection_flush(connection);
    }
    if (readable && connection->_is_open && !is_paused(connection))
        read_on(connection);
    update_interest(connection);
    connection_unref(connection);
}
