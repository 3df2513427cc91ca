// SPDX-License-Identifier: Apache-2.0
// raw HOST:PORT FILE CONNECTIONS DEPTH SECONDS: requests that somebody else encoded, sent again and again for so long.
//
// FILE is frames, one behind the other: int32 where in an answer its error code stands, counted from the correlation id, or
// from the end when negative, or 0 when there is none; then the request with its length. Connection i begins with frame i and
// takes every CONNECTIONS-th from there on, DEPTH in flight.
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "clients.h"

struct frame {
    int32_t error_at;
    struct out out;
};

struct raw {
    struct frame *frames;
    long count, connections;
    long *sent, *answered; // of each connection
    double seconds;
};

static long frame_of(const struct raw *raw, int connection, long turn)
{
    return (connection + turn * raw->connections) % raw->count;
}

static bool next(struct clients *clients, int connection, struct out *out)
{
    struct raw *raw = clients->arg;
    if (now_ms() - clients->begin_ms > raw->seconds * 1e3)
        return false;
    *out = raw->frames[frame_of(raw, connection, raw->sent[connection]++)].out;
    return true;
}

static void check(struct clients *clients, int connection, const uint8_t *answer, size_t size)
{
    struct raw *raw = clients->arg;
    const struct frame *frame = &raw->frames[frame_of(raw, connection, raw->answered[connection]++)];
    if (frame->error_at == 0)
        return;
    size_t at = frame->error_at > 0 ? (size_t)frame->error_at : size + (size_t)frame->error_at;
    if (at + 2 > size)
        fail("raw:", "an answer that is too short");
    if (get_be16(answer + at) != 0)
        fail_with("raw: a request was answered with error", get_be16(answer + at));
}

static void read_frames(struct raw *raw, const char *path)
{
    uint8_t head[8];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail("raw: cannot read", path);
    while (fread(head, 1, sizeof head, file) == sizeof head) {
        raw->frames = realloc(raw->frames, (size_t)(raw->count + 1) * sizeof *raw->frames);
        struct frame *frame = &raw->frames[raw->count++];
        size_t size = get_be32(head + 4);
        *frame = (struct frame){ (int32_t)get_be32(head), { malloc(4 + size), 4 + size } };
        put_be32(frame->out.data, (uint32_t)size);
        if (fread(frame->out.data + 4, 1, size, file) != size)
            fail("raw: not whole:", path);
    }
    fclose(file);
    if (raw->count == 0)
        fail("raw: nothing in", path);
}

int run_raw(const char *address, char **args)
{
    struct raw raw = { .connections = strtol(args[1], NULL, 10), .seconds = strtod(args[3], NULL) };
    read_frames(&raw, args[0]);
    raw.sent = calloc((size_t)raw.connections, sizeof *raw.sent);
    raw.answered = calloc((size_t)raw.connections, sizeof *raw.answered);
    struct clients clients = { .count = (int)raw.connections,
                               .depth = (int)strtol(args[2], NULL, 10),
                               .next = next,
                               .check = check,
                               .arg = &raw,
                               .request_size_max = 1 };
    struct clients_figures figures = clients_run(&clients, address);
    printf("seconds=%.3f requests=%zu requests_per_second=%.0f p50_ms=%.3f p99_ms=%.3f p999_ms=%.3f\n", figures.seconds,
           figures.requests, (double)figures.requests / figures.seconds, figures.p50_ms, figures.p99_ms, figures.p999_ms);
    return 0;
}
