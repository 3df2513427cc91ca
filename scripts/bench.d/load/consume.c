// SPDX-License-Identifier: Apache-2.0
// consume HOST:PORT TOPIC PARTITIONS MEGABYTES FETCH_BYTES: fetches from offset 0 on until so much was got.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire.h"

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

int run_consume(const char *address, char **args)
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
