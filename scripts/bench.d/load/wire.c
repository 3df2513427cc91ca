// SPDX-License-Identifier: Apache-2.0
// See wire.h.
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc32c.h"

_Noreturn void fail(const char *what, const char *detail)
{
    fprintf(stderr, "bench-load: %s %s\n", what, detail);
    exit(1);
}

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

// ---- a socket ---------------------------------------------------------------------------------------
int try_connect(const char *address)
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

int write_all(int fd, const uint8_t *data, size_t size)
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

int read_all(int fd, uint8_t *into, size_t size)
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

uint8_t *read_answer(int fd, size_t *size)
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

// ---- encoding ---------------------------------------------------------------------------------------

void add_int(struct out *out, int64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        out->data[out->size++] = (uint8_t)(v >> 8 * i);
}

void add_string(struct out *out, const char *s)
{
    add_int(out, (int64_t)strlen(s), 2);
    memcpy(out->data + out->size, s, strlen(s));
    out->size += strlen(s);
}

void add_varint(struct out *out, int32_t v)
{
    uint32_t u = (uint32_t)v << 1 ^ (uint32_t)(v >> 31);
    for (; u >= 0x80; u >>= 7)
        out->data[out->size++] = (uint8_t)(u | 0x80);
    out->data[out->size++] = (uint8_t)u;
}

void begin_request(struct out *out, int api_key, int version)
{
    out->size = 4; // the length comes last
    add_int(out, api_key, 2);
    add_int(out, version, 2);
    add_int(out, 0, 4);
    add_string(out, "bench");
}

void end_request(struct out *out)
{
    put_be32(out->data, (uint32_t)(out->size - 4));
}

size_t encode_batch(uint8_t *at, size_t record_bytes, size_t batch_bytes, int *record_count)
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

int encode_produce(struct out *out, const char *topic, int partition, size_t record_bytes,
                   size_t batch_bytes, int acks)
{
    int count;
    out->data = malloc(batch_bytes + record_bytes + 1024);
    begin_request(out, PRODUCE, 7);
    add_int(out, -1, 2); // no transaction
    add_int(out, acks, 2);
    add_int(out, 30000, 4);
    add_int(out, 1, 4);
    add_string(out, topic);
    add_int(out, 1, 4);
    add_int(out, partition, 4);
    size_t size = encode_batch(out->data + out->size + 4, record_bytes, batch_bytes, &count);
    add_int(out, (int64_t)size, 4);
    out->size += size;
    end_request(out);
    return count;
}
