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
#include "record/batch_builder.h"

_Noreturn void fail(const char *what, const char *detail)
{
    fprintf(stderr, "bench-load: %s %s\n", what, detail);
    exit(1);
}

_Noreturn void fail_with(const char *what, int error)
{
    char text[16];
    snprintf(text, sizeof text, "%d", (int16_t)error);
    fail(what, text);
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

uint8_t *call(int fd, const struct out *request)
{
    size_t size;
    uint8_t *answer = write_all(fd, request->data, request->size) == 0 ? read_answer(fd, &size) : NULL;
    if (answer == NULL)
        fail("call:", "the connection closed");
    return answer;
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

void add_uvarint(struct out *out, size_t v)
{
    for (; v >= 0x80; v >>= 7)
        out->data[out->size++] = (uint8_t)(v | 0x80);
    out->data[out->size++] = (uint8_t)v;
}

void add_compact(struct out *out, const char *s)
{
    add_uvarint(out, strlen(s) + 1);
    memcpy(out->data + out->size, s, strlen(s));
    out->size += strlen(s);
}

uint32_t take_uvarint(const uint8_t **at)
{
    uint32_t v = 0;
    for (int shift = 0; shift < 32; shift += 7) {
        v |= (uint32_t)(**at & 0x7f) << shift;
        if ((*(*at)++ & 0x80) == 0)
            break;
    }
    return v;
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

// Words by chance, spaces between them: what compresses as text does.
static void fill_with_words(uint8_t *value, size_t size, uint32_t *noise)
{
    static const char words[][12] = { "the",      "of",     "record", "partition", "answers", "a",      "broker", "which",
                                      "keeps",    "stream", "offset", "and",       "was",     "thread", "spool",  "without",
                                      "consumer", "log",    "in",     "its",       "order",   "family", "house",  "laughter" };
    size_t at = 0;
    while (at < size) {
        *noise = *noise * 1664525 + 1013904223;
        const char *word = words[(*noise >> 16) % (sizeof words / sizeof *words)];
        for (; *word != '\0' && at < size; word++)
            value[at++] = (uint8_t)*word;
        if (at < size)
            value[at++] = ' ';
    }
}

// As encode_batch, of text and compressed, in memory of its own.
static struct bytes compressed_batch(size_t record_bytes, size_t batch_bytes, int codec, int *record_count)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .compression = (enum compression)codec };
    struct batch_builder builder;
    uint8_t *value = malloc(record_bytes);
    uint32_t noise = 2463534242u;
    batch_builder_init(&builder, &options);
    do {
        fill_with_words(value, record_bytes, &noise);
        batch_builder_add(&builder, (int64_t)time(NULL) * 1000, (struct bytes){ 0 }, (struct bytes){ value, record_bytes });
    } while (batch_builder_size(&builder) + record_bytes + 16 <= batch_bytes);
    struct bytes batch = batch_builder_finish(&builder);
    uint8_t *copy = malloc(batch.size);
    memcpy(copy, batch.data, batch.size);
    *record_count = builder.count;
    batch_builder_fini(&builder);
    free(value);
    return (struct bytes){ copy, batch.size };
}

size_t produce_batch_at(const char *topic)
{
    return 4 + 2 + 2 + 4 + 2 + strlen("bench") + 2 + 2 + 4 + 4 + 2 + strlen(topic) + 4 + 4 + 4;
}

// Up to where the batch of the one partition begins with its size.
static void begin_produce(struct out *out, const char *topic, int partition, int acks)
{
    begin_request(out, PRODUCE, 7);
    add_int(out, -1, 2); // no transaction
    add_int(out, acks, 2);
    add_int(out, 30000, 4);
    add_int(out, 1, 4);
    add_string(out, topic);
    add_int(out, 1, 4);
    add_int(out, partition, 4);
}

int encode_produce(struct out *out, const char *topic, int partition, size_t record_bytes, size_t batch_bytes, int acks,
                   int codec)
{
    int count;
    out->data = malloc(batch_bytes + batch_bytes / 8 + record_bytes + 2048);
    begin_produce(out, topic, partition, acks);
    size_t size;
    if (codec == 0) {
        size = encode_batch(out->data + out->size + 4, record_bytes, batch_bytes, &count);
    } else {
        struct bytes batch = compressed_batch(record_bytes, batch_bytes, codec, &count);
        size = batch.size;
        memcpy(out->data + out->size + 4, batch.data, size);
        free((uint8_t *)batch.data);
    }
    add_int(out, (int64_t)size, 4);
    out->size += size;
    end_request(out);
    return count;
}

void check_produced(const uint8_t *answer, size_t topic_size)
{
    int16_t error = (int16_t)get_be16(answer + 4 + 4 + 2 + topic_size + 4 + 4);
    if (error != 0)
        fail_with("produce was answered with error", error);
}

void produce_batch(int fd, const char *topic, struct bytes batch)
{
    struct out out = { malloc(batch.size + 1024), 0 };
    begin_produce(&out, topic, 0, 1);
    add_int(&out, (int64_t)batch.size, 4);
    memcpy(out.data + out.size, batch.data, batch.size);
    out.size += batch.size;
    end_request(&out);
    check_produced(call(fd, &out), strlen(topic));
    free(out.data);
}
