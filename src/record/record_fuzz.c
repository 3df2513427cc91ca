// SPDX-License-Identifier: Apache-2.0
// Any bytes as a batch: both ways of walking it must end, agree, and stay within the bytes.
#include "base/must.h"
#include "record/old_records.h"

enum { WALKED_MAX = 16 << 20 }; // unpacked bytes after which a bomb has made its point

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t walk(struct bytes batch, enum records_mode mode, enum records_error *error)
{
    struct record_iter it;
    struct record record;
    struct record_header header;
    int64_t count = 0, walked = 0;
    record_iter_init(&it, batch, mode);
    while (walked < WALKED_MAX && record_iter_next(&it, &record)) {
        count++;
        walked += record.size;
        must(record.key_size >= -1 && record.value_size >= -1 && record.header_count >= 0);
        must(mode == RECORDS_SKIP || (record.key.data == NULL) == (record.key_size < 0));
        int32_t headers = 0;
        while (mode == RECORDS_WHOLE && record_header_next(&record.headers, &header))
            headers++;
        must(mode == RECORDS_SKIP || headers == record.header_count);
    }
    *error = walked < WALKED_MAX ? it.error : RECORDS_OK;
    record_iter_fini(&it);
    return count;
}

// A message of an old format: what can be walked can be converted, to as many records, unless its offsets jump.
static void walk_old(struct bytes message)
{
    uint8_t header[BATCH_HEADER_SIZE];
    enum records_error error, again;
    struct strbuf converted = STRBUF_EMPTY;
    old_records_is_intact(message);
    int64_t count = walk(message, RECORDS_WHOLE, &error);
    must(walk(message, RECORDS_SKIP, &again) == count && error == again);
    if (old_records_is_message(message.data))
        old_records_header(message.data, header);
    if (old_records_convert(message, &converted)) {
        struct bytes batch = { (const uint8_t *)converted.data, converted.size };
        must(batch_is_intact(batch) && walk(batch, RECORDS_WHOLE, &again) == count);
    }
    strbuf_fini(&converted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes all = { data, size }, rest = all, batch;
    while (batch_next(&rest, &batch) == BATCH_FOUND) {
        batch_is_intact(batch);
        if (batch_magic(batch.data) < BATCH_MAGIC)
            walk_old(batch);
    }
    for (int16_t version = 3; version <= 12; version += 9)
        batch_check_produce(all, version);
    if (size < BATCH_HEADER_SIZE)
        return 0;
    enum records_error whole_error, skip_error;
    int64_t whole = walk(all, RECORDS_WHOLE, &whole_error);
    int64_t skipped = walk(all, RECORDS_SKIP, &skip_error);
    must(whole == skipped && (whole_error == RECORDS_OK) == (skip_error == RECORDS_OK));
    return 0;
}
