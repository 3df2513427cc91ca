// SPDX-License-Identifier: Apache-2.0
// Loads a partition of __consumer_offsets with records made of the input, then lets a day pass, lists, and loads what
// is left. A log that cannot be understood is not served; nothing may crash.
//
//     input: (uint8 key size, uint8 value size with 255 for a tombstone, key, value)*
#include "group/testing_groups.h"
#include "record/batch_builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes take(const uint8_t **data, size_t *size, size_t wanted)
{
    struct bytes taken = { *data, wanted < *size ? wanted : *size };
    *data += taken.size;
    *size -= taken.size;
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    struct batch_builder builder;
    batch_builder_init(&builder, &options);
    while (size >= 2) {
        size_t key_size = data[0], value_size = data[1];
        take(&data, &size, 2);
        struct bytes key = take(&data, &size, key_size);
        batch_builder_add(&builder, 1, key,
                          value_size == 255 ? BYTES_NULL : take(&data, &size, value_size));
    }
    if (builder.count > 0) {
        struct fixture f;
        fixture_init(&f, NULL);
        struct bytes batch = batch_builder_finish(&builder);
        int64_t end;
        testing_append(&f.log.log, 0, (uint8_t *)(uintptr_t)batch.data, batch.size, &end);
        fixture_restart(&f);
        testing_advance(&f.log, 24 * 3600 * 1000);
        struct call call;
        struct list_groups_request request = { 0 };
        struct list_groups_response response = { 0 };
        call_init(&call);
        group_coordinator_list(f.groups, &request, &response, &f.arena, &call.completion);
        must(call.done == 1);
        fixture_restart(&f);
        fixture_fini(&f);
    }
    batch_builder_fini(&builder);
    return 0;
}
