// SPDX-License-Identifier: Apache-2.0
// Loads a partition of __share_group_state with records made of the input, then lets an hour pass, reads, and loads
// what is left. A log that cannot be understood is not served; nothing may crash.
//
//     input: (uint8 key size, uint8 value size with 255 for a tombstone, key, value)*
#include "record/batch_builder.h"
#include "share_coordinator/testing_share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes take(const uint8_t **data, size_t *size, size_t wanted)
{
    struct bytes taken = { *data, wanted < *size ? wanted : *size };
    *data += taken.size;
    *size -= taken.size;
    return taken;
}

static void read_it(struct share_fixture *f)
{
    struct share_state_call call = { .op = SHARE_STATE_READ,
                                     .group = str_of("g"),
                                     .topic_id = testing_topic(1) };
    testing_share_call(f, &call);
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
        struct share_fixture f;
        share_fixture_init(&f, NULL);
        struct bytes batch = batch_builder_finish(&builder);
        int64_t end;
        testing_append(
            &f.log.log,
            share_coordinator_partition_for(f.coordinator, str_of("g"), testing_topic(1), 0),
            (uint8_t *)(uintptr_t)batch.data, batch.size, &end);
        share_fixture_restart(&f);
        read_it(&f);
        testing_advance(&f.log, 3600 * 1000);
        share_fixture_restart(&f);
        read_it(&f);
        share_fixture_fini(&f);
    }
    batch_builder_fini(&builder);
    return 0;
}
