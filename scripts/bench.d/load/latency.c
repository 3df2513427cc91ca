// SPDX-License-Identifier: Apache-2.0
// latency HOST:PORT TOPIC RATE SECONDS RECORD_BYTES ACKS: records at a fixed rate, one a request, and a reader that follows.
//
// Open loop: a record is due at its time whether or not earlier ones were answered, and its delay counts from when it was
// due. So a broker that stops for a while is charged for all that came meanwhile. Two delays of each record: to its
// acknowledgement, and to its arrival at the reader. The due time travels in the record.
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
#include "wire.h"

enum { RECEIVE_SIZE = 4 << 20, DRAIN_SECONDS = 10 };

struct delays { // microseconds
    double *items;
    size_t count;
};

struct stream { // a socket whose answers are cut out of what has come
    int fd;
    uint8_t *data;
    size_t size;
};

struct run {
    const char *topic;
    double interval_ns;
    size_t total, sent, acknowledged, arrived;
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

static void make_requests(struct run *run, size_t record_bytes, long acks)
{
    struct out *out = &run->produce;
    int count;
    out->data = malloc(record_bytes + 1024);
    begin_request(out, PRODUCE, 7);
    add_int(out, -1, 2);
    add_int(out, acks, 2);
    add_int(out, 30000, 4);
    add_int(out, 1, 4);
    add_string(out, run->topic);
    add_int(out, 1, 4);
    add_int(out, 0, 4);
    run->batch_at = out->size + 4;
    size_t size = encode_batch(out->data + run->batch_at, record_bytes, 1, &count);
    add_int(out, (int64_t)size, 4);
    out->size += size;
    run->value_at = out->size - 1 - record_bytes; // the count of headers is last
    end_request(out);
    run->fetch.data = malloc(1024);
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

static void send_record(struct run *run)
{
    int64_t due = due_ns(run, run->sent++);
    uint8_t *batch = run->produce.data + run->batch_at;
    memcpy(run->produce.data + run->value_at, &due, sizeof due);
    put_be32(batch + 17, crc32c(batch + 21, run->produce.size - run->batch_at - 21));
    run->unsent = run->produce.size;
    send_some(run);
}

static void send_fetch(struct run *run)
{
    struct out *out = &run->fetch;
    begin_request(out, FETCH, 11);
    add_int(out, -1, 4);
    add_int(out, 500, 4);
    add_int(out, 1, 4);
    add_int(out, 1 << 20, 4);
    add_int(out, 0, 1);
    add_int(out, 0, 4);
    add_int(out, -1, 4);
    add_int(out, 1, 4);
    add_string(out, run->topic);
    add_int(out, 1, 4);
    add_int(out, 0, 4);
    add_int(out, -1, 4);
    add_int(out, run->fetch_offset, 8);
    add_int(out, -1, 8);
    add_int(out, 1 << 20, 4);
    add_int(out, 0, 4);
    add_string(out, "");
    end_request(out);
    if (write_all(run->reader.fd, out->data, out->size) != 0)
        fail("latency:", "the connection closed");
}

static void on_acknowledgement(struct run *run, const uint8_t *answer)
{
    if (get_be16(answer + 4 + 4 + 2 + strlen(run->topic) + 4 + 4) != 0)
        fail("produce was answered with an error", "");
    note(&run->acks, due_ns(run, run->acknowledged++));
}

static void on_fetched(struct run *run, const uint8_t *answer)
{
    const uint8_t *at = answer + 4 + 4 + 2 + 4 + 4 + 2 + strlen(run->topic) + 4;
    if (get_be16(at + 4) != 0)
        fail("fetch was answered with an error", "");
    int32_t aborted = (int32_t)get_be32(at + 30);
    at += 34 + (aborted > 0 ? 16 * aborted : 0) + 4;
    int32_t size = (int32_t)get_be32(at);
    at += 4;
    size_t batch_size = run->produce.size - run->batch_at, value_at = run->value_at - run->batch_at;
    for (; size >= (int32_t)batch_size; size -= (int32_t)batch_size, at += batch_size) {
        int64_t due;
        memcpy(&due, at + value_at, sizeof due);
        note(&run->arrivals, due);
        run->fetch_offset = (int64_t)get_be64(at) + 1;
        run->arrived++;
    }
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

int run_latency(const char *address, char **args)
{
    double rate = strtod(args[1], NULL), seconds = strtod(args[2], NULL);
    struct run run = { .topic = args[0], .interval_ns = 1e9 / rate, .total = (size_t)(rate * seconds) };
    size_t record_bytes = strtoul(args[3], NULL, 10);
    if (record_bytes < sizeof(int64_t) || run.total == 0)
        fail("a record has at least", "8 bytes");
    make_requests(&run, record_bytes, strtol(args[4], NULL, 10));
    run.acks.items = calloc(run.total, sizeof *run.acks.items);
    run.arrivals.items = calloc(run.total, sizeof *run.arrivals.items);
    connect_stream(&run.producer, address);
    connect_stream(&run.reader, address);
    prctl(PR_SET_TIMERSLACK, 1);
    send_fetch(&run);
    run.begin_ns = now_ns();
    int64_t give_up_ns = due_ns(&run, run.total) + (int64_t)DRAIN_SECONDS * 1000000000;
    while (run.acknowledged < run.total || run.arrived < run.total) {
        while (run.unsent == 0 && run.sent < run.total && due_ns(&run, run.sent) <= now_ns())
            send_record(&run);
        if (now_ns() > give_up_ns)
            fail("latency:", "records did not arrive in time");
        int64_t wait_ns = (run.unsent == 0 && run.sent < run.total ? due_ns(&run, run.sent) : give_up_ns) - now_ns();
        struct timespec wait = { .tv_sec = wait_ns > 0 ? wait_ns / 1000000000 : 0,
                                 .tv_nsec = wait_ns > 0 ? wait_ns % 1000000000 : 0 };
        struct pollfd fds[] = { { .fd = run.producer.fd, .events = run.unsent > 0 ? POLLIN | POLLOUT : POLLIN }, { .fd = run.reader.fd, .events = POLLIN } };
        if (ppoll(fds, 2, &wait, NULL) <= 0)
            continue;
        if (run.unsent > 0)
            send_some(&run);
        if ((fds[0].revents & ~POLLOUT) != 0)
            receive(&run, &run.producer, on_acknowledgement);
        if (fds[1].revents != 0)
            receive(&run, &run.reader, on_fetched);
    }
    qsort(run.acks.items, run.acks.count, sizeof *run.acks.items, compare);
    qsort(run.arrivals.items, run.arrivals.count, sizeof *run.arrivals.items, compare);
    printf("records=%zu ack_p50_us=%.0f ack_p99_us=%.0f ack_p999_us=%.0f end_to_end_p50_us=%.0f end_to_end_p99_us=%.0f "
           "end_to_end_p999_us=%.0f\n",
           run.total, percentile(&run.acks, 0.5), percentile(&run.acks, 0.99), percentile(&run.acks, 0.999),
           percentile(&run.arrivals, 0.5), percentile(&run.arrivals, 0.99), percentile(&run.arrivals, 0.999));
    return 0;
}
