// SPDX-License-Identifier: Apache-2.0
// Loads a partition of __transaction_state with records made of the input, lets transactions time out and ids expire,
// lists, and loads what is left. A log that cannot be understood is not served; nothing may crash.
//
//     input: (uint8 key size, uint8 value size with 255 for a tombstone, key, value)*
#include "record/batch_builder.h"
#include "txn/testing_txns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes take(const uint8_t **data, size_t *size, size_t wanted)
{
    struct bytes taken = { *data, wanted < *size ? wanted : *size };
    *data += taken.size;
    *size -= taken.size;
    return taken;
}

static void run(struct batch_builder *builder)
{
    struct txn_fixture f;
    txn_fixture_init(&f, 2);
    struct bytes batch = batch_builder_finish(builder);
    int64_t end;
    testing_append(&f.log.log, 0, (uint8_t *)(uintptr_t)batch.data, batch.size, &end);
    f.config.abort_interval_ms = f.config.expiry_interval_ms = 500000; // each once
    f.config.id_expiration_ms = 1000;
    txn_fixture_restart(&f);
    struct list_transactions_request request;
    struct list_transactions_response response;
    message_init(&list_transactions_request_desc, &request);
    message_init(&list_transactions_response_desc, &response);
    txn_coordinator_list(f.txns, &request, &response, &f.arena);
    testing_advance(&f.log, 600000);
    txn_fixture_restart(&f);
    txn_fixture_fini(&f);
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
    if (builder.count > 0)
        run(&builder);
    batch_builder_fini(&builder);
    return 0;
}
