// SPDX-License-Identifier: Apache-2.0
// fill HOST:PORT TOPIC MEGABYTES RECORD_BYTES BATCH_BYTES KEYS CODEC: records with one of so many keys each, at random, to
// partition 0; every batch is another. CODEC: the number that a batch's attributes have. The values compress by half.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "record/batch_builder.h"
#include "wire.h"

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static struct bytes make_batch(struct batch_builder *builder, const struct batch_options *options, size_t record_bytes,
                               size_t batch_bytes, uint64_t keys)
{
    static uint8_t value[1 << 20];
    batch_builder_reset(builder, options);
    do {
        char key[32];
        int key_size = snprintf(key, sizeof key, "key-%012llu", (unsigned long long)(next_random() % keys));
        for (size_t i = 0; i + 16 <= record_bytes; i += 16) {
            put_be64(value + i, next_random());
            put_be64(value + i + 8, 0);
        }
        batch_builder_add(builder, 1700000000000 + (int64_t)builder->count, (struct bytes){ (const uint8_t *)key, (size_t)key_size },
                          (struct bytes){ value, record_bytes });
    } while (batch_builder_size(builder) + record_bytes < batch_bytes);
    return batch_builder_finish(builder);
}

int run_fill(const char *address, char **args)
{
    size_t total = strtoul(args[1], NULL, 10) * 1000000, record_bytes = strtoul(args[2], NULL, 10),
           batch_bytes = strtoul(args[3], NULL, 10), sent = 0, records = 0;
    uint64_t keys = strtoull(args[4], NULL, 10);
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .compression = (enum compression)atoi(args[5]) };
    struct batch_builder builder;
    if (record_bytes > 1 << 20 || keys == 0)
        fail("fill:", "records of at most 1 MiB, one key at least");
    batch_builder_init(&builder, &options);
    int fd = try_connect(address);
    if (fd < 0)
        fail("cannot connect to", address);
    while (sent < total) {
        struct bytes batch = make_batch(&builder, &options, record_bytes, batch_bytes, keys);
        produce_batch(fd, args[0], batch);
        sent += (size_t)builder.count * record_bytes;
        records += (size_t)builder.count;
    }
    printf("records=%zu\n", records);
    return 0;
}
