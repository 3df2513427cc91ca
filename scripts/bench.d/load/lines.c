// SPDX-License-Identifier: Apache-2.0
// lines HOST:PORT TOPIC FILE BATCH: a record for each line of FILE to partition 0, BATCH of them in a batch, one after the other.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "record/batch_builder.h"
#include "wire.h"

int run_lines(const char *address, char **args)
{
    long most = strtol(args[2], NULL, 10);
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    struct batch_builder builder;
    FILE *file = fopen(args[1], "r");
    int fd = try_connect(address);
    if (fd < 0)
        fail("cannot connect to", address);
    if (file == NULL)
        fail("lines: cannot read", args[1]);
    char *line = NULL;
    size_t capacity = 0, records = 0;
    batch_builder_init(&builder, &options);
    double begin = now_ms();
    for (ssize_t size; (size = getline(&line, &capacity, file)) > 0; records++) {
        batch_builder_add(&builder, (int64_t)time(NULL) * 1000, (struct bytes){ 0 },
                          (struct bytes){ (uint8_t *)line, (size_t)size - (line[size - 1] == '\n') });
        if (builder.count < most)
            continue;
        produce_batch(fd, args[0], batch_builder_finish(&builder));
        batch_builder_reset(&builder, &options);
    }
    if (builder.count > 0)
        produce_batch(fd, args[0], batch_builder_finish(&builder));
    printf("seconds=%.3f records=%zu\n", (now_ms() - begin) / 1e3, records);
    return 0;
}
