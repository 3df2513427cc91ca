// SPDX-License-Identifier: Apache-2.0
#include "fetch.h"

#include "base/bytes.h"

enum { MAX_WAIT_MS = 500, PARTITION_MAX_BYTES = 1 << 20 };

void encode_fetch(struct out *out, const char *topic, size_t count, const int64_t *offsets, size_t max_bytes)
{
    begin_request(out, FETCH, 11);
    add_int(out, -1, 4);
    add_int(out, MAX_WAIT_MS, 4);
    add_int(out, 1, 4);
    add_int(out, (int64_t)max_bytes, 4);
    add_int(out, 0, 1);
    add_int(out, 0, 4); // no session
    add_int(out, -1, 4);
    add_int(out, 1, 4);
    add_string(out, topic);
    add_int(out, (int64_t)count, 4);
    for (size_t i = 0; i < count; i++) {
        add_int(out, (int64_t)i, 4);
        add_int(out, -1, 4);
        add_int(out, offsets[i], 8);
        add_int(out, -1, 8);
        add_int(out, PARTITION_MAX_BYTES, 4);
    }
    add_int(out, 0, 4);
    add_string(out, "");
    end_request(out);
}

void walk_fetched(const uint8_t *answer, void (*take)(void *arg, uint32_t partition, const uint8_t *records, size_t size),
                  void *arg)
{
    const uint8_t *at = answer + 4 + 4 + 2 + 4; // correlation id, throttle time, error, session
    if (get_be16(answer + 8) != 0)
        fail_with("fetch was answered with error", get_be16(answer + 8));
    for (uint32_t topics = get_be32(at), t = 0; t < topics; t++) {
        at += t == 0 ? 4 : 0;
        at += 2 + get_be16(at);
        uint32_t partitions = get_be32(at);
        at += 4;
        for (uint32_t i = 0; i < partitions; i++) {
            uint32_t partition = get_be32(at);
            if (get_be16(at + 4) != 0)
                fail_with("fetch was answered with error", get_be16(at + 4));
            int32_t aborted = (int32_t)get_be32(at + 30);
            at += 34 + (aborted > 0 ? 16 * aborted : 0) + 4;
            int32_t size = (int32_t)get_be32(at);
            at += 4;
            if (size <= 0)
                continue;
            take(arg, partition, at, (size_t)size);
            at += size;
        }
    }
}

int64_t next_offset(const uint8_t *records, size_t size, int64_t offset)
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
