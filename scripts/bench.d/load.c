// SPDX-License-Identifier: Apache-2.0
// A load generator that costs little, for scripts/bench: requests are encoded once, sent pipelined
// on one connection, and answers are looked at only where they say "error" or "next offset".
//
//     bench-load start   HOST:PORT -- COMMAND…          ms from exec to the first Metadata answer
//     that names a broker bench-load produce HOST:PORT TOPIC PARTITIONS MEGABYTES RECORD_BYTES
//     BATCH_BYTES ACKS DEPTH bench-load consume HOST:PORT TOPIC PARTITIONS MEGABYTES FETCH_BYTES
//
// Prints one line of name=value pairs; exits non-zero with a reason when anything goes wrong.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc32c.h"

enum { PRODUCE = 0, FETCH = 1, METADATA = 3, START_LIMIT_MS = 60000 };

static _Noreturn void fail(const char *what, const char *detail)
{
    fprintf(stderr, "bench-load: %s %s\n", what, detail);
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

// ---- a socket
// ------------------------------------------------------------------------------------

static int try_connect(const char *address)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof host)
        fail("not HOST:PORT:", address);
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)) };
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
        fail("not an IPv4 address:", host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n <= 0)
            return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int read_all(int fd, uint8_t *into, size_t size)
{
    while (size > 0) {
        ssize_t n = recv(fd, into, size, 0);
        if (n <= 0)
            return -1;
        into += n;
        size -= (size_t)n;
    }
    return 0;
}

// One answer without its length, in a buffer that is used again.
static uint8_t *read_answer(int fd, size_t *size)
{
    static uint8_t *buffer;
    static size_t capacity;
    uint8_t head[4];
    if (read_all(fd, head, 4) != 0)
        return NULL;
    *size = get_be32(head);
    if (*size > capacity) {
        capacity = *size;
        buffer = realloc(buffer, capacity);
        if (buffer == NULL)
            fail("out of memory", "");
    }
    return read_all(fd, buffer, *size) == 0 ? buffer : NULL;
}

// ---- encoding
// ------------------------------------------------------------------------------------

struct out {
    uint8_t *data;
    size_t size;
};

static void add_int(struct out *out, int64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        out->data[out->size++] = (uint8_t)(v >> 8 * i);
}

static void add_string(struct out *out, const char *s)
{
    add_int(out, (int64_t)strlen(s), 2);
    memcpy(out->data + out->size, s, strlen(s));
    out->size += strlen(s);
}

static void add_varint(struct out *out, int32_t v)
{
    uint32_t u = (uint32_t)v << 1 ^ (uint32_t)(v >> 31);
    for (; u >= 0x80; u >>= 7)
        out->data[out->size++] = (uint8_t)(u | 0x80);
    out->data[out->size++] = (uint8_t)u;
}

static void begin_request(struct out *out, int api_key, int version)
{
    out->size = 4; // the length comes last
    add_int(out, api_key, 2);
    add_int(out, version, 2);
    add_int(out, 0, 4);
    add_string(out, "bench");
}

static void end_request(struct out *out)
{
    put_be32(out->data, (uint32_t)(out->size - 4));
}

// A v2 batch of records with a value of record_bytes each, as many as fit in batch_bytes (at least
// one).
static size_t encode_batch(uint8_t *at, size_t record_bytes, size_t batch_bytes, int *record_count)
{
    struct out out = { at, 61 };
    int count = 0;
    uint32_t noise = 2463534242u;
    do {
        uint8_t head[32];
        struct out body = { head, 0 };
        add_int(&body, 0, 1);
        add_varint(&body, 0);
        add_varint(&body, count);
        add_varint(&body, -1);
        add_varint(&body, (int32_t)record_bytes);
        add_varint(&out, (int32_t)(body.size + record_bytes + 1));
        memcpy(out.data + out.size, head, body.size);
        out.size += body.size;
        for (size_t i = 0; i < record_bytes; i++) {
            noise = noise * 1664525 + 1013904223;
            out.data[out.size++] = (uint8_t)(noise >> 24);
        }
        add_varint(&out, 0);
        count++;
    } while (out.size + record_bytes + 16 <= batch_bytes);
    size_t size = out.size;
    int64_t timestamp_ms = (int64_t)time(NULL) * 1000;
    out.size = 0;
    add_int(&out, 0, 8);
    add_int(&out, (int64_t)size - 12, 4);
    add_int(&out, -1, 4);
    add_int(&out, 2, 1);
    add_int(&out, 0, 4); // crc, below
    add_int(&out, 0, 2);
    add_int(&out, count - 1, 4);
    add_int(&out, timestamp_ms, 8);
    add_int(&out, timestamp_ms, 8);
    add_int(&out, -1, 8);
    add_int(&out, -1, 2);
    add_int(&out, -1, 4);
    add_int(&out, count, 4);
    put_be32(at + 17, crc32c(at + 21, size - 21));
    *record_count = count;
    return size;
}

// ---- the three loads
// -----------------------------------------------------------------------------

static int names_a_broker(int fd)
{
    uint8_t bytes[64];
    struct out out = { bytes, 0 };
    begin_request(&out, METADATA, 1);
    add_int(&out, 0, 4);
    end_request(&out);
    size_t size;
    if (write_all(fd, out.data, out.size) != 0)
        return 0;
    uint8_t *answer = read_answer(fd, &size);
    return answer != NULL && size >= 8 && get_be32(answer + 4) > 0;
}

static int run_start(const char *address, char **command)
{
    double begin = now_ms();
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL)
            _exit(126);
        execvp(command[0], command);
        _exit(127);
    }
    for (;;) {
        int fd = try_connect(address);
        if (fd >= 0) {
            int ready = names_a_broker(fd);
            close(fd);
            if (ready)
                break;
        }
        if (waitpid(child, NULL, WNOHANG) == child)
            fail("ended while starting:", command[0]);
        if (now_ms() - begin > START_LIMIT_MS)
            fail("no answer from", address);
        nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
    }
    double ready_ms = now_ms() - begin;
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    printf("ready_ms=%.2f stop_ms=%.2f\n", ready_ms, now_ms() - begin - ready_ms);
    return 0;
}

static void check_produced(int fd, size_t topic_size)
{
    size_t size;
    uint8_t *answer = read_answer(fd, &size);
    if (answer == NULL)
        fail("produce:", "the connection closed");
    int16_t error = (int16_t)get_be16(answer + 4 + 4 + 2 + topic_size + 4 + 4);
    if (error != 0) {
        char text[16];
        snprintf(text, sizeof text, "%d", error);
        fail("produce was answered with error", text);
    }
}

static int run_produce(const char *address, char **args)
{
    const char *topic = args[0];
    size_t partitions = strtoul(args[1], NULL, 10), total = strtoul(args[2], NULL, 10) * 1000000,
           record_bytes = strtoul(args[3], NULL, 10), batch_bytes = strtoul(args[4], NULL, 10),
           depth = strtoul(args[6], NULL, 10), record_count = 0;
    struct out *requests = calloc(partitions, sizeof *requests);
    int count = 0;
    for (size_t i = 0; i < partitions; i++) {
        struct out *out = &requests[i];
        out->data = malloc(batch_bytes + record_bytes + 1024);
        begin_request(out, PRODUCE, 7);
        add_int(out, -1, 2);
        add_int(out, strtol(args[5], NULL, 10), 2);
        add_int(out, 30000, 4);
        add_int(out, 1, 4);
        add_string(out, topic);
        add_int(out, 1, 4);
        add_int(out, (int64_t)i, 4);
        size_t size = encode_batch(out->data + out->size + 4, record_bytes, batch_bytes, &count);
        add_int(out, (int64_t)size, 4);
        out->size += size;
        end_request(out);
    }
    int fd = try_connect(address);
    if (fd < 0)
        fail("cannot connect to", address);
    size_t in_flight = 0, sent = 0, request_count = 0;
    double begin = now_ms();
    while (sent < total) {
        if (in_flight == depth) {
            check_produced(fd, strlen(topic));
            in_flight--;
        }
        struct out *out = &requests[request_count++ % partitions];
        if (write_all(fd, out->data, out->size) != 0)
            fail("produce:", "the connection closed");
        in_flight++;
        sent += (size_t)count * record_bytes;
        record_count += (size_t)count;
    }
    for (; in_flight > 0; in_flight--)
        check_produced(fd, strlen(topic));
    double ms = now_ms() - begin;
    printf("seconds=%.3f megabytes=%.1f records=%zu requests=%zu megabytes_per_second=%.1f\n",
           ms / 1e3, (double)sent / 1e6, record_count, request_count, (double)sent / 1e3 / ms);
    return 0;
}

// The offset after the last whole batch of a run of batches, or `offset` when there is none.
static int64_t next_offset(const uint8_t *records, size_t size, int64_t offset)
{
    while (size >= 61) {
        size_t batch = 12 + get_be32(records + 8);
        if (batch > size)
            break;
        offset = (int64_t)get_be64(records) + get_be32(records + 23) + 1;
        records += batch;
        size -= batch;
    }
    return offset;
}

static int run_consume(const char *address, char **args)
{
    const char *topic = args[0];
    size_t partitions = strtoul(args[1], NULL, 10), total = strtoul(args[2], NULL, 10) * 1000000,
           fetch_bytes = strtoul(args[3], NULL, 10), got = 0, request_count = 0;
    int64_t *offsets = calloc(partitions, sizeof *offsets);
    uint8_t *request = malloc(1024 + partitions * 32);
    int fd = try_connect(address);
    if (fd < 0)
        fail("cannot connect to", address);
    double begin = now_ms();
    while (got < total) {
        struct out out = { request, 0 };
        begin_request(&out, FETCH, 11);
        add_int(&out, -1, 4);
        add_int(&out, 500, 4);
        add_int(&out, 1, 4);
        add_int(&out, (int64_t)fetch_bytes, 4);
        add_int(&out, 0, 1);
        add_int(&out, 0, 4);
        add_int(&out, -1, 4);
        add_int(&out, 1, 4);
        add_string(&out, topic);
        add_int(&out, (int64_t)partitions, 4);
        for (size_t i = 0; i < partitions; i++) {
            add_int(&out, (int64_t)i, 4);
            add_int(&out, -1, 4);
            add_int(&out, offsets[i], 8);
            add_int(&out, -1, 8);
            add_int(&out, 1 << 20, 4);
        }
        add_int(&out, 0, 4);
        add_string(&out, "");
        end_request(&out);
        size_t size;
        uint8_t *answer = write_all(fd, out.data, out.size) != 0 ? NULL : read_answer(fd, &size);
        if (answer == NULL)
            fail("fetch:", "the connection closed");
        uint8_t *at = answer + 4 + 4 + 2 + 4 + 4 + 2 + strlen(topic) + 4;
        size_t before = got;
        for (size_t i = 0; i < partitions && size > 64; i++) {
            uint32_t partition = get_be32(at);
            if (get_be16(at + 4) != 0)
                fail("fetch was answered with an error", "");
            int32_t aborted = (int32_t)get_be32(at + 30);
            at += 34 + (aborted > 0 ? 16 * aborted : 0) + 4;
            int32_t records = (int32_t)get_be32(at);
            at += 4;
            if (records <= 0)
                continue;
            offsets[partition] = next_offset(at, (size_t)records, offsets[partition]);
            got += (size_t)records;
            at += records;
        }
        request_count++;
        if (got == before)
            fail("fetch:", "there is less to read than was asked for");
    }
    double ms = now_ms() - begin;
    printf("seconds=%.3f megabytes=%.1f requests=%zu megabytes_per_second=%.1f\n", ms / 1e3,
           (double)got / 1e6, request_count, (double)got / 1e3 / ms);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 5 && strcmp(argv[1], "start") == 0 && strcmp(argv[3], "--") == 0)
        return run_start(argv[2], argv + 4);
    if (argc == 10 && strcmp(argv[1], "produce") == 0)
        return run_produce(argv[2], argv + 3);
    if (argc == 7 && strcmp(argv[1], "consume") == 0)
        return run_consume(argv[2], argv + 3);
    fail("usage: see the head of", __FILE__);
}
