// SPDX-License-Identifier: Apache-2.0
// Connections over real loopback sockets: the listener, reading, replying (Tested here too: acceptor.c, reply.c,
// file_load.c). The reactor's turns are taken by the test's own thread, so each step is seen as it happens.
//
// The handler understands a few frames: 'e' echoes the rest, 'w' waits until the test answers it, 'f' answers with a
// piece of a file between two bytes of memory, 'n' answers nothing, 'c' closes.
#include "net/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sys/socket.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "net/acceptor.h"

enum { FILE_SIZE = 3000000, WAITERS_MAX = 200 };

struct echo {
    struct exchange exchange;
    struct piece pieces[4];
    uint8_t length[4];
    struct message answer;
};

static struct {
    struct reactor *reactor;
    struct connections homes[1];
    struct connection_handler handler;
    struct connection_settings settings;
    struct connection_limits limits;
    struct trace trace;
    struct endpoint endpoint;
    struct acceptor *acceptor;
    struct echo *waiting[WAITERS_MAX];
    int waiting_count;
    int opened, closed, freed, ended, gone, frames;
    struct disk_file *file;
    int64_t file_size;
    const uint8_t *last_data;
    struct buf *last_frame;
} net;

static void reply_echo(struct echo *echo)
{
    put_be32(echo->length, (uint32_t)echo->exchange.size - 1);
    echo->pieces[0] = (struct piece){ .data = echo->length, .size = 4 };
    echo->pieces[1] =
        (struct piece){ .data = echo->exchange.data + 1, .size = echo->exchange.size - 1 };
    exchange_reply(&echo->exchange, echo->pieces, 2);
}

static void reply_file(struct echo *echo)
{
    size_t size = get_be32(echo->exchange.data + 1);
    put_be32(echo->length, (uint32_t)size + 2);
    echo->pieces[0] = (struct piece){ .data = echo->length, .size = 4 };
    echo->pieces[1] = (struct piece){ .data = (const uint8_t *)"<", .size = 1 };
    echo->pieces[2] = (struct piece){ .file = net.file, .file_position = 5, .size = size };
    echo->pieces[3] = (struct piece){ .data = (const uint8_t *)">", .size = 1 };
    exchange_reply(&echo->exchange, echo->pieces, 4);
}

static void on_answer(struct message *message)
{
    reply_echo(container_of(message, struct echo, answer));
}

// Answers a frame that waits, as another thread would.
static void answer(struct echo *echo)
{
    echo->answer.deliver = on_answer;
    reactor_post(net.reactor, &echo->answer);
    reactor_turn(net.reactor, 0);
}

static void on_frame(struct exchange *exchange)
{
    struct echo *echo = container_of(exchange, struct echo, exchange);
    net.frames++;
    net.last_data = exchange->data;
    net.last_frame = exchange->frame;
    switch (exchange->size == 0 ? 'c' : exchange->data[0]) {
    case 'e':
        reply_echo(echo);
        break;
    case 'w':
        net.waiting[net.waiting_count++] = echo;
        break;
    case 'f':
        reply_file(echo);
        break;
    case 'n':
        exchange_reply_nothing(exchange);
        break;
    default:
        exchange_close(exchange, "the test asked for it");
        break;
    }
}

static void on_open(struct connection *connection)
{
    (void)connection;
    net.opened++;
}

static void on_close(struct connection *connection)
{
    (void)connection;
    net.closed++;
}

static void on_free(struct connection *connection)
{
    (void)connection;
    net.freed++;
}

static bool on_end(struct exchange *exchange)
{
    (void)exchange;
    net.ended++;
    return true;
}

static void on_gone(struct exchange *exchange)
{
    (void)exchange;
    net.gone++;
}

static void on_exchange_free(struct exchange *exchange)
{
    (void)exchange;
}

static void on_room(void *arg)
{
    (void)arg;
    acceptor_on_room(net.acceptor);
}

static void turn(void)
{
    reactor_turn(net.reactor, clock_monotonic_us(clock_posix()) + 1000);
}

static void start(void)
{
    memset(&net, 0, sizeof net);
    int error;
    net.reactor = reactor_new(0, clock_posix(), &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(net.reactor);
    trace_init(&net.trace, clock_posix(), TRACE_DEBUG, -1);
    net.handler = (struct connection_handler){
        .exchange_size = sizeof(struct echo),
        .on_open = on_open,
        .on_frame = on_frame,
        .on_exchange_gone = on_gone,
        .on_exchange_end = on_end,
        .on_exchange_free = on_exchange_free,
        .on_close = on_close,
        .on_free = on_free,
    };
    net.settings =
        (struct connection_settings){ .max_frame_size = 4000000, .send_buffer_size = -1 };
    connection_limits_init(&net.limits);
    connections_init(&net.homes[0]);
    net.homes[0].reactor = net.reactor;
    net.homes[0].trace = &net.trace;
    net.homes[0].handler = &net.handler;
    net.homes[0].settings = &net.settings;
    net.homes[0].limits = &net.limits;
    net.homes[0].on_room = on_room;
    net.endpoint = (struct endpoint){ .listener_name = "TEST", .host = "127.0.0.1" };
    struct acceptor_settings settings = { .backlog = 50, .receive_buffer_size = -1 };
    struct strbuf message = STRBUF_EMPTY;
    net.acceptor = acceptor_open(&net.endpoint, &settings, &message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(net.acceptor);
    CU_ASSERT_TRUE(net.endpoint.port > 0);
    acceptor_start(net.acceptor, net.homes, 1);
}

static void stop(void)
{
    acceptor_close(net.acceptor);
    connections_close_all(&net.homes[0]);
    CU_ASSERT_EQUAL(net.homes[0].count, 0);
    CU_ASSERT_EQUAL(net.opened, net.freed);
    CU_ASSERT_EQUAL(net.opened, net.closed);
    CU_ASSERT_EQUAL(net.frames, net.ended);
    CU_ASSERT_EQUAL(connection_limits_count(&net.limits), 0);
    acceptor_free(net.acceptor);
    connections_fini(&net.homes[0]);
    reactor_free(net.reactor);
    connection_limits_fini(&net.limits);
    trace_fini(&net.trace);
}

// ---- the client's side -----------------------------------------------------------------------------

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)net.endpoint.port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

// Sends all of it, with turns of the reactor where the socket is full.
static void push(int fd, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, (const char *)data + sent, size - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (errno != EAGAIN)
            return;
        turn();
    }
}

static void push_frame(int fd, const void *data, size_t size)
{
    uint8_t *frame = mem_alloc(size + 4);
    put_be32(frame, (uint32_t)size);
    if (size > 0)
        memcpy(frame + 4, data, size);
    push(fd, frame, size + 4);
    mem_free(frame);
}

// Receives `size` bytes, taking turns; what came before the end, fewer only when the connection ended.
static size_t pull(int fd, void *into, size_t size)
{
    size_t got = 0;
    for (int idle = 0; got < size && idle < 3000;) {
        ssize_t n = recv(fd, (char *)into + got, size - got, 0);
        if (n > 0) {
            got += (size_t)n;
            idle = 0;
        } else if (n == 0 || errno != EAGAIN) {
            break;
        } else {
            idle++;
            turn();
        }
    }
    return got;
}

static bool has_ended(int fd)
{
    char byte;
    for (int i = 0; i < 3000; i++) {
        ssize_t n = recv(fd, &byte, 1, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return true;
        if (n > 0)
            return false;
        turn();
    }
    return false;
}

static bool is_reply(int fd, const char *wanted)
{
    char reply[256] = "";
    size_t size = strlen(wanted);
    return pull(fd, reply, size + 4) == size + 4 && get_be32((uint8_t *)reply) == size &&
           memcmp(reply + 4, wanted, size) == 0;
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        turn();
}

// ---- tests -----------------------------------------------------------------------------------------

static void a_frame_gets_its_reply(void)
{
    start();
    int fd = dial();
    push_frame(fd, "ehello", 6);
    CU_ASSERT_TRUE(is_reply(fd, "hello"));
    push_frame(fd, "e", 1);
    CU_ASSERT_TRUE(is_reply(fd, ""));
    close(fd);
    turns(3);
    CU_ASSERT_EQUAL(net.closed, 1);
    stop();
}

static void frames_in_one_packet_and_frames_byte_by_byte_are_the_same(void)
{
    start();
    int fd = dial();
    push(fd, "\0\0\0\2ea\0\0\0\2eb\0\0\0\2ec", 18);
    CU_ASSERT_TRUE(is_reply(fd, "a") && is_reply(fd, "b") && is_reply(fd, "c"));
    for (int i = 0; i < 9; i++)
        push(fd, &"\0\0\0\5exyzw"[i], 1);
    CU_ASSERT_TRUE(is_reply(fd, "xyzw"));
    close(fd);
    stop();
}

static void replies_leave_in_the_order_of_their_frames(void)
{
    start();
    int fd = dial();
    push_frame(fd, "wfirst", 6);
    push_frame(fd, "esecond", 7);
    push_frame(fd, "n", 1);
    push_frame(fd, "wfourth", 7);
    push_frame(fd, "efifth", 6);
    turns(3);
    char byte;
    CU_ASSERT_EQUAL(net.waiting_count, 2);
    CU_ASSERT_TRUE(recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN); // the second waits for the first
    answer(net.waiting[1]);
    CU_ASSERT_TRUE(recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN);
    answer(net.waiting[0]);
    CU_ASSERT_TRUE(is_reply(fd, "first") && is_reply(fd, "second"));
    CU_ASSERT_TRUE(is_reply(fd, "fourth") && is_reply(fd, "fifth"));
    close(fd);
    stop();
}

// Small frames are copied, those from FRAME_SLICE_SIZE on are used where recv put them, longer than a block get
// memory of their own; whatever follows in the same bytes is not lost.
static void frames_of_all_sizes_arrive_whole(void)
{
    static const size_t sizes[] = { 1,     2,     100,   4095,  4096,   4097,   65531,   65532,
                                    65533, 65536, 65537, 70000, 131072, 200001, 3999999, 4000000 };
    start();
    int fd = dial();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *frame = mem_alloc(sizes[i]), *back = mem_alloc(sizes[i] + 4 + 9);
        for (size_t k = 0; k < sizes[i]; k++)
            frame[k] = (uint8_t)(k * 31 + k / 251);
        frame[0] = 'e';
        int waited = net.frames;
        uint8_t length[4];
        put_be32(length, (uint32_t)sizes[i]);
        // What is not read at once stays in the sockets, so the replies are taken in between.
        size_t want = 4 + sizes[i] - 1, got = 0, sent = 0;
        push(fd, length, 4);
        while (sent < sizes[i] || got < want) {
            if (sent < sizes[i]) {
                ssize_t n = send(fd, frame + sent, sizes[i] - sent, MSG_NOSIGNAL);
                if (n > 0)
                    sent += (size_t)n;
            }
            turn();
            ssize_t n = recv(fd, back + got, want - got, 0);
            if (n > 0)
                got += (size_t)n;
            else if (n == 0)
                break;
        }
        CU_ASSERT_EQUAL(net.frames, waited + 1);
        CU_ASSERT_EQUAL_FATAL(got, want);
        CU_ASSERT_EQUAL(get_be32(back), sizes[i] - 1);
        CU_ASSERT_EQUAL(memcmp(back + 4, frame + 1, sizes[i] - 1), 0);
        mem_free(frame);
        mem_free(back);
    }
    push_frame(fd, "eafter", 6);
    CU_ASSERT_TRUE(is_reply(fd, "after"));
    close(fd);
    stop();
}

static void a_waiting_large_frame_keeps_its_bytes_while_others_come(void)
{
    start();
    int fd = dial(), other = dial();
    uint8_t frame[5000];
    memset(frame, 'x', sizeof frame);
    frame[0] = 'w';
    push_frame(fd, frame, sizeof frame);
    turns(3);
    CU_ASSERT_EQUAL_FATAL(net.waiting_count, 1);
    memset(frame, 'y', sizeof frame);
    frame[0] = 'e';
    push_frame(other, frame, sizeof frame);
    uint8_t reply[5003];
    CU_ASSERT_EQUAL(pull(other, reply, sizeof reply), sizeof reply);
    answer(net.waiting[0]);
    CU_ASSERT_EQUAL(pull(fd, reply, sizeof reply), sizeof reply);
    CU_ASSERT_EQUAL(reply[4], 'x');
    CU_ASSERT_EQUAL(reply[5002], 'x');
    close(fd);
    close(other);
    stop();
}

static void a_size_that_cannot_be_closes_only_its_connection(void)
{
    static const char *const bad[] = { "\xff\xff\xff\xff", "\x80\0\0\0", "\x7f\xff\xff\xff",
                                       "\0\x3d\x09\x01", "GET / HTTP/1.1\r\n" };
    start();
    int good = dial();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = dial();
        push(fd, bad[i], i == 4 ? 16 : 4);
        CU_ASSERT_TRUE(has_ended(fd));
        close(fd);
    }
    push_frame(good, "estill here", 11);
    CU_ASSERT_TRUE(is_reply(good, "still here"));
    CU_ASSERT_EQUAL(net.frames, 1);
    close(good);
    stop();
}

static void replies_before_a_close_still_leave(void)
{
    start();
    int fd = dial();
    push(fd, "\0\0\0\2wa\0\0\0\2eb\0\0\0\1c\0\0\0\2ed", 23);
    turns(3);
    CU_ASSERT_EQUAL(net.frames, 3); // what comes after the close is not looked at
    CU_ASSERT_EQUAL_FATAL(net.waiting_count, 1);
    answer(net.waiting[0]);
    CU_ASSERT_TRUE(is_reply(fd, "a") && is_reply(fd, "b"));
    CU_ASSERT_TRUE(has_ended(fd));
    close(fd);
    stop();
}

static void replies_before_a_bad_size_still_leave(void)
{
    start();
    int fd = dial();
    push(fd, "\0\0\0\2wa\xff\xff\xff\xff", 10);
    turns(3);
    CU_ASSERT_EQUAL_FATAL(net.waiting_count, 1);
    answer(net.waiting[0]);
    CU_ASSERT_TRUE(is_reply(fd, "a"));
    CU_ASSERT_TRUE(has_ended(fd));
    close(fd);
    stop();
}

static void a_client_that_sends_no_more_still_gets_its_reply(void)
{
    start();
    int fd = dial();
    push_frame(fd, "wbye", 4);
    shutdown(fd, SHUT_WR);
    turns(3);
    CU_ASSERT_EQUAL_FATAL(net.waiting_count, 1);
    CU_ASSERT_EQUAL(net.closed, 0);
    answer(net.waiting[0]);
    CU_ASSERT_TRUE(is_reply(fd, "bye"));
    CU_ASSERT_TRUE(has_ended(fd));
    close(fd);
    stop();
}

static void a_frame_half_sent_is_forgotten_with_its_connection(void)
{
    start();
    int fd = dial();
    push(fd, "\0\x0f\0\0ehalf", 9);
    turns(3);
    close(fd);
    turns(3);
    CU_ASSERT_EQUAL(net.frames, 0);
    CU_ASSERT_EQUAL(net.freed, 1);
    stop();
}

static void an_exchange_outlives_its_connection(void)
{
    start();
    int fd = dial();
    push_frame(fd, "wlate", 5);
    turns(3);
    CU_ASSERT_EQUAL_FATAL(net.waiting_count, 1);
    struct linger reset = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    turns(3);
    CU_ASSERT_EQUAL(net.closed, 1);
    CU_ASSERT_EQUAL(net.gone, 1);
    CU_ASSERT_EQUAL(net.freed, 0);
    answer(net.waiting[0]);
    CU_ASSERT_EQUAL(net.freed, 1);
    CU_ASSERT_EQUAL(net.ended, 1);
    stop();
}

static void reading_pauses_at_the_most_that_may_wait_and_goes_on(void)
{
    start();
    int fd = dial();
    uint8_t frames[100 * 6];
    for (int i = 0; i < 100; i++)
        memcpy(frames + i * 6, (uint8_t[]){ 0, 0, 0, 2, 'w', (uint8_t)i }, 6);
    push(fd, frames, sizeof frames);
    turns(3);
    CU_ASSERT_EQUAL(net.waiting_count, EXCHANGES_WAITING_MAX);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_FATAL(i < net.waiting_count);
        answer(net.waiting[i]);
        turn();
        uint8_t reply[5];
        CU_ASSERT_EQUAL(pull(fd, reply, 5), 5);
        CU_ASSERT_EQUAL(reply[4], i);
        CU_ASSERT_TRUE(net.waiting_count - i - 1 <= EXCHANGES_WAITING_MAX);
    }
    close(fd);
    stop();
}

static void reading_pauses_while_the_budget_is_used_up(void)
{
    start();
    net.settings.budget.limit = 1000;
    int hog = dial(), fd = dial();
    uint8_t frame[1200] = "w";
    push_frame(hog, frame, sizeof frame);
    turns(3);
    CU_ASSERT_EQUAL_FATAL(net.waiting_count, 1);
    push_frame(fd, "epatience", 9);
    turns(30);
    CU_ASSERT_EQUAL(net.frames, 1);
    answer(net.waiting[0]);
    CU_ASSERT_TRUE(is_reply(fd, "patience"));
    CU_ASSERT_EQUAL(net.settings.budget.used, 0);
    close(hog);
    close(fd);
    stop();
}

static void an_idle_connection_is_closed_and_a_waiting_one_is_not(void)
{
    start();
    net.settings.max_idle_us = 20000;
    int idle = dial(), waiting = dial();
    push_frame(waiting, "wx", 2);
    CU_ASSERT_TRUE(has_ended(idle));
    CU_ASSERT_EQUAL(net.closed, 1);
    turns(50);
    CU_ASSERT_EQUAL(net.closed, 1);
    answer(net.waiting[0]);
    CU_ASSERT_TRUE(is_reply(waiting, "x"));
    CU_ASSERT_TRUE(has_ended(waiting));
    close(idle);
    close(waiting);
    stop();
}

// ---- pieces of files -------------------------------------------------------------------------------

static char folder[128];
static uint8_t *contents;

static void make_file(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    char *path = mem_printf("%s/file", folder);
    contents = mem_alloc(FILE_SIZE);
    for (size_t i = 0; i < FILE_SIZE; i++)
        contents[i] = (uint8_t)(i * 7 + i / 253);
    CU_ASSERT_EQUAL_FATAL(disk_open(disk_posix(), path, DISK_CREATE, &net.file), 0);
    CU_ASSERT_EQUAL(disk_pwrite(net.file, contents, FILE_SIZE, 0), 0);
    mem_free(path);
}

static void drop_file(void)
{
    disk_file_unref(net.file);
    disk_remove_tree(disk_posix(), folder);
    mem_free(contents);
}

static bool is_file_reply(int fd, size_t size)
{
    uint8_t *reply = mem_alloc(size + 6);
    bool is_right = pull(fd, reply, size + 6) == size + 6 && get_be32(reply) == size + 2 &&
                    reply[4] == '<' && memcmp(reply + 5, contents + 5, size) == 0 &&
                    reply[size + 5] == '>';
    mem_free(reply);
    return is_right;
}

static void ask_for_file(int fd, uint32_t size)
{
    uint8_t frame[5] = "f";
    put_be32(frame + 1, size);
    push_frame(fd, frame, 5);
}

static void pieces_of_files_arrive_among_those_of_memory(void)
{
    static const uint32_t sizes[] = { 1,      100,    SENDFILE_SIZE_MIN - 1, SENDFILE_SIZE_MIN,
                                      100000, 2900000 };
    start();
    make_file();
    int fd = dial();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ask_for_file(fd, sizes[i]);
        CU_ASSERT_TRUE(is_file_reply(fd, sizes[i]));
    }
    for (int i = 0; i < 20; i++) // more small pieces than the gather block holds
        ask_for_file(fd, 10000);
    push_frame(fd, "eend", 4);
    for (int i = 0; i < 20; i++)
        CU_ASSERT_TRUE(is_file_reply(fd, 10000));
    CU_ASSERT_TRUE(is_reply(fd, "end"));
    close(fd);
    stop();
    drop_file();
}

// A client that does not read its large reply does not keep another one from its own.
static void a_large_reply_does_not_starve_others(void)
{
    start();
    make_file();
    net.settings.send_buffer_size = 65536;
    int slow = dial(), quick = dial();
    ask_for_file(slow, 2900000);
    turns(5);
    push_frame(slow, "enot yet", 8); // not read while the output is blocked
    push_frame(quick, "enow", 4);
    CU_ASSERT_TRUE(is_reply(quick, "now"));
    CU_ASSERT_EQUAL(net.frames, 2);
    CU_ASSERT_TRUE(is_file_reply(slow, 2900000));
    CU_ASSERT_TRUE(is_reply(slow, "not yet"));
    close(slow);
    close(quick);
    stop();
    drop_file();
}

static void a_file_that_is_shorter_than_was_said_closes_the_connection(void)
{
    start();
    make_file();
    int fd = dial();
    ask_for_file(fd, FILE_SIZE);
    uint8_t *reply = mem_alloc(FILE_SIZE + 6);
    CU_ASSERT_EQUAL(pull(fd, reply, FILE_SIZE + 6), FILE_SIZE);
    CU_ASSERT_TRUE(has_ended(fd));
    mem_free(reply);
    close(fd);
    stop();
    drop_file();
}

// ---- files that are not in memory -------------------------------------------------------------------

// A disk that has nothing in memory but what was loaded, and loads when the test lets it.
static struct {
    struct disk_ops ops;
    struct disk disk;
    atomic_llong from, to; // in memory
    atomic_int loads;
    atomic_llong longest, longest_from; // load
    sem_t may_load;
} slow;

static ssize_t slow_pread_cached(struct disk_file *file, void *into, size_t size, int64_t position)
{
    if (position < atomic_load(&slow.from) || position >= atomic_load(&slow.to))
        return -EAGAIN;
    int64_t there = atomic_load(&slow.to) - position;
    return disk_posix()->ops->pread(file, into, there < (int64_t)size ? (size_t)there : size,
                                    position);
}

static void slow_load(struct disk_file *file, int64_t position, size_t size)
{
    (void)file;
    while (sem_wait(&slow.may_load) != 0)
        ;
    atomic_fetch_add(&slow.loads, 1);
    if ((int64_t)size > atomic_load(&slow.longest)) {
        atomic_store(&slow.longest, (int64_t)size);
        atomic_store(&slow.longest_from, position);
    }
    atomic_store(&slow.from, position);
    atomic_store(&slow.to, position + (int64_t)size);
}

static void start_slow(void)
{
    start();
    make_file();
    slow.ops = *disk_posix()->ops;
    slow.ops.pread_cached = slow_pread_cached;
    slow.ops.load = slow_load;
    slow.disk.ops = &slow.ops;
    net.file->disk = &slow.disk;
    net.homes[0].loaders = workers_new("test", 2);
    atomic_store(&slow.from, 0);
    atomic_store(&slow.to, 0);
    atomic_store(&slow.loads, 0);
    atomic_store(&slow.longest, 0);
    sem_init(&slow.may_load, 0, 0);
}

static void stop_slow(void)
{
    for (int i = 0; i < 20; i++)
        sem_post(&slow.may_load); // what is still read ahead
    workers_free(net.homes[0].loaders);
    net.homes[0].loaders = NULL;
    turns(3); // hears of it
    net.file->disk = disk_posix();
    stop();
    drop_file();
    sem_destroy(&slow.may_load);
}

static void only_its_own_connection_waits_for_the_disk(void)
{
    start_slow();
    int cold = dial(), other = dial();
    push_frame(cold, "ebefore", 7);
    ask_for_file(cold, 100000);
    push_frame(cold, "eafter", 6);
    CU_ASSERT_TRUE(is_reply(cold, "before"));
    push_frame(other, "enow", 4);
    CU_ASSERT_TRUE(is_reply(other, "now"));
    char byte[5];
    CU_ASSERT_TRUE(pull(cold, byte, 5) == 5 &&
                   byte[4] == '<'); // what comes before the file is not held back
    CU_ASSERT_EQUAL(atomic_load(&slow.loads), 0);
    sem_post(&slow.may_load);
    uint8_t *reply = mem_alloc(100001);
    CU_ASSERT_EQUAL(pull(cold, reply, 100001), 100001);
    CU_ASSERT_EQUAL(memcmp(reply, contents + 5, 100000), 0);
    CU_ASSERT_EQUAL(reply[100000], '>');
    mem_free(reply);
    CU_ASSERT_TRUE(is_reply(cold, "after"));
    CU_ASSERT_EQUAL(atomic_load(&slow.loads), 1);
    close(cold);
    close(other);
    stop_slow();
}

static void cold_pieces_of_all_sizes_arrive_whole(void)
{
    static const uint32_t sizes[] = { 1, SENDFILE_SIZE_MIN - 1, SENDFILE_SIZE_MIN, 2900000 };
    start_slow();
    for (int i = 0; i < 20; i++)
        sem_post(&slow.may_load);
    int fd = dial();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ask_for_file(fd, sizes[i]);
        CU_ASSERT_TRUE(is_file_reply(fd, sizes[i]));
    }
    CU_ASSERT_TRUE(atomic_load(&slow.loads) >= 4);
    atomic_store(&slow.from, 0);
    atomic_store(&slow.to, 100); // the beginning of a short piece
    ask_for_file(fd, 5000);
    CU_ASSERT_TRUE(is_file_reply(fd, 5000));
    close(fd);
    stop_slow();
}

static void what_follows_a_cold_part_is_read_ahead(void)
{
    start_slow();
    int fd = dial();
    sem_post(&slow.may_load);
    ask_for_file(fd, 2900000);
    char first[5];
    CU_ASSERT_EQUAL(pull(fd, first, 5), 5); // the first part is on its way
    for (int i = 0; i < 20; i++)
        sem_post(&slow.may_load);
    uint8_t *rest = mem_alloc(2900001);
    CU_ASSERT_EQUAL(pull(fd, rest, 2900001), 2900001);
    CU_ASSERT_EQUAL(memcmp(rest, contents + 5, 2900000), 0);
    mem_free(rest);
    CU_ASSERT_EQUAL(atomic_load(&slow.longest), 3 * SEND_SIZE_A_TURN);
    CU_ASSERT_EQUAL(atomic_load(&slow.longest_from), 5 + SEND_SIZE_A_TURN);
    close(fd);
    stop_slow();
}

static void a_connection_may_end_while_it_loads(void)
{
    start_slow();
    int fd = dial();
    ask_for_file(fd, 100000);
    turns(3);
    close(fd);
    turns(3);
    connections_close_all(&net.homes[0]);
    turns(3);
    CU_ASSERT_EQUAL(net.closed, 1);
    CU_ASSERT_EQUAL(net.freed, 0);
    sem_post(&slow.may_load);
    for (int i = 0; i < 3000 && net.freed == 0; i++)
        turn();
    CU_ASSERT_EQUAL(net.freed, 1);
    stop_slow();
}

// ---- limits ----------------------------------------------------------------------------------------

static void the_listener_holds_the_limits(void)
{
    start();
    connection_limits_set(&net.limits, 2, INT32_MAX, INT32_MAX);
    int a = dial(), b = dial(), c = dial();
    turns(5);
    CU_ASSERT_EQUAL(net.opened, 2);
    push_frame(c, "ewaited", 7);
    close(a);
    CU_ASSERT_TRUE(is_reply(c, "waited"));
    close(b);
    close(c);
    turns(3);
    connection_limits_set(&net.limits, 100, 1, INT32_MAX);
    int d = dial(), e = dial();
    turns(3);
    CU_ASSERT_TRUE(has_ended(e));
    push_frame(d, "efirst", 6);
    CU_ASSERT_TRUE(is_reply(d, "first"));
    close(d);
    close(e);
    stop();
}

static void a_port_in_use_is_refused_with_a_message(void)
{
    start();
    struct endpoint second = net.endpoint;
    struct acceptor_settings settings = { .backlog = 1, .receive_buffer_size = 4096 };
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_PTR_NULL(acceptor_open(&second, &settings, &message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(message.data);
    CU_ASSERT_PTR_NOT_NULL(strstr(message.data, "TEST"));
    strbuf_fini(&message);
    second.host = "no-such-host.invalid";
    CU_ASSERT_PTR_NULL(acceptor_open(&second, &settings, &message));
    strbuf_fini(&message);
    stop();
}

static void the_wildcard_takes_both_families(void)
{
    struct endpoint any = { .listener_name = "ANY", .host = "" };
    struct acceptor_settings settings = { .backlog = 1, .receive_buffer_size = -1 };
    struct strbuf message = STRBUF_EMPTY;
    struct acceptor *acceptor = acceptor_open(&any, &settings, &message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(acceptor);
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)any.port) };
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&v4, sizeof v4), 0);
    close(fd);
    acceptor_close(acceptor);
    acceptor_free(acceptor);
}

static void addresses_are_told_as_java_tells_them(void)
{
    struct sockaddr_storage address = { 0 };
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&address;
    char host[CONNECTION_HOST_SIZE];
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(9092);
    inet_pton(AF_INET6, "::ffff:10.1.2.3", &in6->sin6_addr);
    CU_ASSERT_EQUAL(address_format(&address, host), 9092);
    CU_ASSERT_STRING_EQUAL(host, "10.1.2.3");
    inet_pton(AF_INET6, "fe80::1", &in6->sin6_addr);
    address_format(&address, host);
    CU_ASSERT_STRING_EQUAL(host, "fe80::1");
}

TEST_MAIN("connection", TEST(a_frame_gets_its_reply),
          TEST(frames_in_one_packet_and_frames_byte_by_byte_are_the_same),
          TEST(replies_leave_in_the_order_of_their_frames), TEST(frames_of_all_sizes_arrive_whole),
          TEST(a_waiting_large_frame_keeps_its_bytes_while_others_come),
          TEST(a_size_that_cannot_be_closes_only_its_connection),
          TEST(replies_before_a_close_still_leave), TEST(replies_before_a_bad_size_still_leave),
          TEST(a_client_that_sends_no_more_still_gets_its_reply),
          TEST(a_frame_half_sent_is_forgotten_with_its_connection),
          TEST(an_exchange_outlives_its_connection),
          TEST(reading_pauses_at_the_most_that_may_wait_and_goes_on),
          TEST(reading_pauses_while_the_budget_is_used_up),
          TEST(an_idle_connection_is_closed_and_a_waiting_one_is_not),
          TEST(pieces_of_files_arrive_among_those_of_memory),
          TEST(a_large_reply_does_not_starve_others),
          TEST(a_file_that_is_shorter_than_was_said_closes_the_connection),
          TEST(only_its_own_connection_waits_for_the_disk),
          TEST(cold_pieces_of_all_sizes_arrive_whole), TEST(what_follows_a_cold_part_is_read_ahead),
          TEST(a_connection_may_end_while_it_loads), TEST(the_listener_holds_the_limits),
          TEST(a_port_in_use_is_refused_with_a_message), TEST(the_wildcard_takes_both_families),
          TEST(addresses_are_told_as_java_tells_them))
