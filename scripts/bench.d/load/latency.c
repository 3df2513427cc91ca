// SPDX-License-Identifier: Apache-2.0
// latency HOST:PORT TOPIC RATE SECONDS RECORD_BYTES ACKS [BATCH_BYTES]: batches at a fixed rate, one a request and of one
// record unless BATCH_BYTES says more, and a reader that follows. RATE 0: as fast as it goes with five in flight, for
// SECONDS: what the broker can do at most with a reader beside the writer.
//
// Open loop: a record is due at its time whether or not earlier ones were answered, and its delay counts from when it was
// due. So a broker that stops for a while is charged for all that came meanwhile. Two delays of each batch: to its
// acknowledgement, and to its arrival at the reader. The due time travels in its first record.
//
// Before that one batch is sent, and its acknowledgement waited for: a topic has things to do once, some brokers when it
// is created and some with its first batch. That delay is a figure of its own.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "fetch.h"

enum { RECEIVE_SIZE = 4 << 20, DRAIN_SECONDS = 10, CLOSED_DEPTH = 5, OVERLOADED = 3, FIRST = -1 };

struct delays { // microseconds
    double *items;
    size_t count, capacity;
};

struct stream { // a socket whose answers are cut out of what has come
    int fd;
    uint8_t *data;
    size_t size;
};

struct run {
    const char *topic;
    double interval_ns;   // 0: closed loop
    size_t total;         // batches; SIZE_MAX: until the time is over
    size_t sent, acknowledged, arrived;
    int records;          // in a batch
    int64_t begin_ns, fetch_offset;
    struct out produce, fetch;
    size_t batch_at, value_at; // in the produce request
    size_t unsent;             // bytes at its end that the socket did not take yet
    struct stream producer, reader;
    struct delays acks, arrivals;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t due_ns(const struct run *run, size_t n)
{
    return run->begin_ns + (int64_t)((double)n * run->interval_ns);
}

static void note(struct delays *delays, int64_t since_ns)
{
    if (delays->count == delays->capacity) {
        delays->capacity = 2 * delays->capacity + 4096;
        delays->items = realloc(delays->items, delays->capacity * sizeof *delays->items);
    }
    delays->items[delays->count++] = (double)(now_ns() - since_ns) / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(struct delays *delays, double share)
{
    size_t at = (size_t)((double)delays->count * share);
    return delays->items[at < delays->count ? at : delays->count - 1];
}

static void make_requests(struct run *run, size_t record_bytes, size_t batch_bytes, int acks)
{
    run->records = encode_produce(&run->produce, run->topic, 0, record_bytes, batch_bytes, acks, 0);
    run->batch_at = produce_batch_at(run->topic);
    const uint8_t *record = run->produce.data + run->batch_at + BATCH_RECORDS, *at = record;
    take_uvarint(&at); // its size; then attributes, both deltas, no key: a byte each in the first one
    at += 4;
    take_uvarint(&at); // the value's size
    run->value_at = run->batch_at + BATCH_RECORDS + (size_t)(at - record);
    run->fetch.data = malloc(1024);
}

static bool may_send(const struct run *run)
{
    if (run->unsent > 0 || run->sent >= run->total)
        return false;
    if (run->interval_ns == 0)
        return run->sent - run->acknowledged < CLOSED_DEPTH;
    return due_ns(run, run->sent) <= now_ns();
}

// Never waits: who does not read answers meanwhile may stop the broker from reading requests.
static void send_some(struct run *run)
{
    const struct out *out = &run->produce;
    ssize_t n = send(run->producer.fd, out->data + out->size - run->unsent, run->unsent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
        fail("latency:", "the connection closed");
    run->unsent -= n > 0 ? (size_t)n : 0;
}

static void set_due(struct run *run, int64_t due)
{
    uint8_t *batch = run->produce.data + run->batch_at;
    memcpy(run->produce.data + run->value_at, &due, sizeof due);
    put_be32(batch + BATCH_CRC, crc32c(batch + BATCH_ATTRIBUTES, run->produce.size - run->batch_at - BATCH_ATTRIBUTES));
}

static void send_batch(struct run *run)
{
    set_due(run, run->interval_ns > 0 ? due_ns(run, run->sent) : now_ns());
    run->sent++;
    run->unsent = run->produce.size;
    send_some(run);
}

// Microseconds to its acknowledgement.
static double send_first(struct run *run)
{
    set_due(run, FIRST);
    int64_t begin_ns = now_ns();
    check_produced(call(run->producer.fd, &run->produce), strlen(run->topic));
    return (double)(now_ns() - begin_ns) / 1e3;
}

static void send_fetch(struct run *run)
{
    encode_fetch(&run->fetch, run->topic, 1, &run->fetch_offset, 1 << 20);
    if (write_all(run->reader.fd, run->fetch.data, run->fetch.size) != 0)
        fail("latency:", "the connection closed");
}

static void on_acknowledgement(struct run *run, const uint8_t *answer)
{
    check_produced(answer, strlen(run->topic));
    if (run->interval_ns > 0)
        note(&run->acks, due_ns(run, run->acknowledged));
    run->acknowledged++;
}

static void take_records(void *arg, uint32_t partition, const uint8_t *at, size_t size)
{
    struct run *run = arg;
    size_t batch_size = run->produce.size - run->batch_at, value_at = run->value_at - run->batch_at;
    (void)partition;
    for (; size >= batch_size; size -= batch_size, at += batch_size) {
        int64_t due;
        memcpy(&due, at + value_at, sizeof due);
        run->fetch_offset = (int64_t)get_be64(at) + run->records;
        if (due == FIRST)
            continue;
        note(&run->arrivals, due);
        run->arrived++;
    }
}

static void on_fetched(struct run *run, const uint8_t *answer)
{
    walk_fetched(answer, take_records, run);
    send_fetch(run);
}

static void receive(struct run *run, struct stream *stream, void (*take)(struct run *, const uint8_t *))
{
    ssize_t n = read(stream->fd, stream->data + stream->size, RECEIVE_SIZE - stream->size);
    if (n <= 0)
        fail("latency:", "the connection closed");
    stream->size += (size_t)n;
    size_t at = 0;
    while (stream->size - at >= 4 && stream->size - at - 4 >= get_be32(stream->data + at)) {
        size_t size = get_be32(stream->data + at);
        take(run, stream->data + at + 4);
        at += 4 + size;
    }
    memmove(stream->data, stream->data + at, stream->size - at);
    stream->size -= at;
}

static void connect_stream(struct stream *stream, const char *address)
{
    stream->fd = try_connect(address);
    if (stream->fd < 0)
        fail("cannot connect to", address);
    stream->data = malloc(RECEIVE_SIZE);
}

// Sends when it is time, receives meanwhile, until all that was sent is acknowledged and has arrived.
static void go(struct run *run, double seconds)
{
    int64_t end_ns = run->begin_ns + (int64_t)(seconds * 1e9);
    int64_t give_up_ns = end_ns + (int64_t)DRAIN_SECONDS * 1000000000;
    while (run->acknowledged < run->total || run->arrived < run->total) {
        while (may_send(run))
            send_batch(run);
        if (run->interval_ns == 0 && run->unsent == 0 && now_ns() > end_ns && run->total == SIZE_MAX)
            run->total = run->sent;
        if (now_ns() > give_up_ns) {
            fprintf(stderr, "bench-load: latency: the rate was not held\n");
            exit(OVERLOADED);
        }
        bool by_time = run->interval_ns > 0 && run->unsent == 0 && run->sent < run->total;
        int64_t wait_ns = (by_time ? due_ns(run, run->sent) : run->interval_ns == 0 && end_ns > now_ns() ? end_ns : give_up_ns) - now_ns();
        struct timespec wait = { .tv_sec = wait_ns > 0 ? wait_ns / 1000000000 : 0,
                                 .tv_nsec = wait_ns > 0 ? wait_ns % 1000000000 : 0 };
        struct pollfd fds[] = { { .fd = run->producer.fd, .events = run->unsent > 0 ? POLLIN | POLLOUT : POLLIN },
                                { .fd = run->reader.fd, .events = POLLIN } };
        if (ppoll(fds, 2, &wait, NULL) <= 0)
            continue;
        if (run->unsent > 0)
            send_some(run);
        if ((fds[0].revents & ~POLLOUT) != 0)
            receive(run, &run->producer, on_acknowledgement);
        if (fds[1].revents != 0)
            receive(run, &run->reader, on_fetched);
    }
}

static void print_delays(const char *name, struct delays *delays)
{
    qsort(delays->items, delays->count, sizeof *delays->items, compare);
    printf(" %s_p50_us=%.0f %s_p99_us=%.0f %s_p999_us=%.0f", name, percentile(delays, 0.5), name, percentile(delays, 0.99), name,
           percentile(delays, 0.999));
}

int run_latency(const char *address, char **args)
{
    double rate = strtod(args[1], NULL), seconds = strtod(args[2], NULL);
    struct run run = { .topic = args[0],
                       .interval_ns = rate > 0 ? 1e9 / rate : 0,
                       .total = rate > 0 ? (size_t)(rate * seconds) : SIZE_MAX };
    size_t record_bytes = strtoul(args[3], NULL, 10);
    if (record_bytes < sizeof(int64_t) || run.total == 0)
        fail("a record has at least", "8 bytes");
    make_requests(&run, record_bytes, args[5] != NULL ? strtoul(args[5], NULL, 10) : 1, (int)strtol(args[4], NULL, 10));
    connect_stream(&run.producer, address);
    connect_stream(&run.reader, address);
    prctl(PR_SET_TIMERSLACK, 1);
    double first_us = send_first(&run);
    send_fetch(&run);
    run.begin_ns = now_ns();
    go(&run, seconds);
    double took = (double)(now_ns() - run.begin_ns) / 1e9;
    printf("records=%zu requests=%zu requests_per_second=%.0f", run.total * (size_t)run.records, run.total,
           (double)run.total / took);
    if (run.interval_ns > 0) {
        printf(" first_ack_us=%.0f", first_us);
        print_delays("ack", &run.acks);
    }
    print_delays("end_to_end", &run.arrivals);
    printf("\n");
    return 0;
}
