// SPDX-License-Identifier: Apache-2.0
// produce HOST:PORT TOPIC PARTITIONS MEGABYTES RECORD_BYTES BATCH_BYTES ACKS DEPTH: one request for each batch, by turns
// over the partitions, DEPTH of them in flight on one connection.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire.h"

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

int run_produce(const char *address, char **args)
{
    const char *topic = args[0];
    size_t partitions = strtoul(args[1], NULL, 10), total = strtoul(args[2], NULL, 10) * 1000000,
           record_bytes = strtoul(args[3], NULL, 10), batch_bytes = strtoul(args[4], NULL, 10),
           depth = strtoul(args[6], NULL, 10), record_count = 0;
    struct out *requests = calloc(partitions, sizeof *requests);
    int count = 0;
    for (size_t i = 0; i < partitions; i++)
        count = encode_produce(&requests[i], topic, (int)i, record_bytes, batch_bytes,
                               (int)strtol(args[5], NULL, 10));
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
