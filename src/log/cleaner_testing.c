// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner_testing.h"

#include <errno.h>
#include <inttypes.h>

#include "base/mem.h"
#include "base/testing.h"
#include "record/batch_builder.h"

enum { FIRST_PRODUCER = 4000 };

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return WORKLOAD_TIME_MS;
}

static struct clock test_clock = { test_wall_ms, test_wall_ms };

uint64_t workload_random(struct workload *w, uint64_t below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (w->random >> 11) % below;
}

static int open_log(struct workload *w)
{
    struct log_options options = { .disk = &w->disk->disk,
                                   .clock = &test_clock,
                                   .trace = &w->trace,
                                   .dir = "/data/t-0",
                                   .config = &w->config };
    int error = log_open(&options, &w->log);
    if (error == 0)
        log_set_high_watermark(w->log, log_end_offset(w->log));
    return error;
}

void workload_init(struct workload *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->disk = memory_disk_new(seed);
    w->disk->disk.ops->mkdir(&w->disk->disk, "/data");
    w->disk->disk.ops->sync_dir(&w->disk->disk, "");
    trace_init(&w->trace, &test_clock, TRACE_DEBUG, -1);
    arena_init(&w->arena);
    w->config = log_config_default;
    w->config.segment_bytes = 6000;
    w->config.index_interval_bytes = 500;
    w->config.cleanup_compact = true;
    w->config.cleanup_delete = false;
    w->config.min_cleanable_dirty_ratio = 0;
    w->random = seed * 2685821657736338717u + 88172645463325252u;
    w->keys = 12;
    w->next_number = 1;
    for (int i = 0; i < WORKLOAD_PRODUCERS; i++)
        w->open_txn[i] = -1;
    CU_ASSERT_EQUAL_FATAL(open_log(w), 0);
}

void workload_fini(struct workload *w)
{
    if (w->log != NULL)
        log_abandon(w->log);
    memory_disk_free(w->disk);
    arena_fini(&w->arena);
    trace_fini(&w->trace);
    mem_free(w->records);
    mem_free(w->txns);
}

// ---- appending --------------------------------------------------------------------------------------

static size_t value_of(uint32_t number, uint8_t value[128])
{
    size_t size = 4 + number * 7 % 120;
    put_be32(value, number);
    memset(value + 4, (int)(number & 0xff), size - 4);
    return size;
}

static struct bytes key_of(int key, char text[16])
{
    if (key < 0)
        return BYTES_NULL;
    snprintf(text, 16, "key-%d", key);
    return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static void add_record(struct workload *w, struct batch_builder *builder, int64_t base_offset,
                       int i, int txn)
{
    struct workload_record r = { .offset = base_offset + i,
                                 .txn = txn,
                                 .number = w->next_number++ };
    r.key = w->has_keyless && workload_random(w, 10) == 0
                ? -1
                : (int)workload_random(w, (uint64_t)w->keys);
    r.is_tombstone = workload_random(w, 6) == 0;
    vec_reserve(w->records, w->record_count + 1, w->record_capacity);
    w->records[w->record_count++] = r;
    char text[16];
    uint8_t value[128];
    struct strbuf headers = STRBUF_EMPTY;
    int32_t header_count = r.number % 5 == 0;
    if (header_count > 0)
        record_header_encode(&headers, str_of("h"), key_of(r.key, text));
    size_t size = value_of(r.number, value);
    batch_builder_add_record(builder, i, WORKLOAD_TIME_MS - 5000 + r.number, key_of(r.key, text),
                             r.is_tombstone ? BYTES_NULL : (struct bytes){ value, size },
                             header_count,
                             (struct bytes){ (const uint8_t *)headers.data, headers.size });
    strbuf_fini(&headers);
}

static void append(struct workload *w, struct bytes batch, enum log_append_origin origin)
{
    struct log_append_result result;
    enum kafka_error error = log_append_leader(w->log, batch, 0, origin, &w->arena, &result);
    CU_ASSERT_EQUAL_FATAL(error, KERR_NONE);
    log_set_high_watermark(w->log, log_end_offset(w->log));
    arena_reset(&w->arena);
}

static void append_data(struct workload *w)
{
    static const enum compression codecs[] = { COMPRESSION_NONE, COMPRESSION_NONE,
                                               COMPRESSION_GZIP, COMPRESSION_SNAPPY,
                                               COMPRESSION_LZ4,  COMPRESSION_ZSTD };
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.compression = codecs[workload_random(w, 6)];
    int producer = (int)workload_random(w, WORKLOAD_PRODUCERS + 2), txn = -1;
    int count = 1 + (int)workload_random(w, 5);
    int64_t base = log_end_offset(w->log);
    // Of the producers two have no id, two are idempotent, the others in transactions.
    if (producer < WORKLOAD_PRODUCERS) {
        options.producer_id = FIRST_PRODUCER + producer;
        options.producer_epoch = 0;
        options.base_sequence = w->sequences[producer];
        w->sequences[producer] += count;
    }
    if (producer >= 2 && producer < WORKLOAD_PRODUCERS) {
        options.is_transactional = true;
        if (w->open_txn[producer] < 0) {
            vec_reserve(w->txns, w->txn_count + 1, w->txn_capacity);
            w->txns[w->txn_count] = (struct workload_txn){ producer, base, -1, false };
            w->open_txn[producer] = (int)w->txn_count++;
        }
        txn = w->open_txn[producer];
    }
    struct batch_builder builder;
    batch_builder_init(&builder, &options);
    for (int i = 0; i < count; i++)
        add_record(w, &builder, base, i, txn);
    // A topic that is compacted takes no records without key: these came before it was.
    struct log_config config = w->config;
    config.cleanup_compact = !w->has_keyless;
    log_set_config(w->log, &config);
    append(w, batch_builder_finish(&builder), LOG_APPEND_CLIENT);
    log_set_config(w->log, &w->config);
    batch_builder_fini(&builder);
}

static void end_txn(struct workload *w, int producer)
{
    struct workload_txn *txn = &w->txns[w->open_txn[producer]];
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .is_transactional = true,
                                     .is_control = true };
    options.producer_id = FIRST_PRODUCER + producer;
    options.producer_epoch = 0;
    uint8_t key[CONTROL_KEY_SIZE], value[END_TXN_MARKER_SIZE];
    txn->is_aborted = workload_random(w, 3) == 0;
    txn->marker_offset = log_end_offset(w->log);
    control_key_encode(key, txn->is_aborted ? CONTROL_ABORT : CONTROL_COMMIT);
    end_txn_marker_encode(value, 0);
    struct batch_builder builder;
    batch_builder_init(&builder, &options);
    batch_builder_add(&builder, WORKLOAD_TIME_MS, (struct bytes){ key, sizeof key },
                      (struct bytes){ value, sizeof value });
    append(w, batch_builder_finish(&builder), LOG_APPEND_COORDINATOR);
    batch_builder_fini(&builder);
    w->open_txn[producer] = -1;
}

void workload_append(struct workload *w, int batches)
{
    for (int i = 0; i < batches; i++) {
        int producer = (int)workload_random(w, WORKLOAD_PRODUCERS);
        if (w->open_txn[producer] >= 0 && workload_random(w, 3) == 0)
            end_txn(w, producer);
        else
            append_data(w);
        if (workload_random(w, 25) == 0)
            log_roll(w->log);
    }
    for (int i = 0; i < WORKLOAD_PRODUCERS && !w->has_open; i++)
        if (w->open_txn[i] >= 0)
            end_txn(w, i);
}

// ---- opening and cleaning ---------------------------------------------------------------------------

struct snapshot_names {
    char names[64][64];
    int count;
};

static int find_snapshots(void *arg, const char *name)
{
    struct snapshot_names *found = arg;
    const char *end = strrchr(name, '.');
    if (end != NULL && strcmp(end, ".snapshot") == 0 && found->count < 64)
        snprintf(found->names[found->count++], 64, "%s", name);
    return 0;
}

int workload_reopen(struct workload *w, bool without_snapshots)
{
    struct disk *disk = &w->disk->disk;
    if (w->log != NULL)
        log_abandon(w->log);
    w->log = NULL;
    struct snapshot_names found = { .count = 0 };
    if (without_snapshots)
        disk->ops->list(disk, "/data/t-0", find_snapshots, &found);
    for (int i = 0; i < found.count; i++) {
        char path[128];
        snprintf(path, sizeof path, "/data/t-0/%s", found.names[i]);
        disk->ops->unlink(disk, path);
    }
    return open_log(w);
}

int workload_clean(struct workload *w, int64_t checkpoint, int64_t map_bytes, int64_t later_ms,
                   int64_t *end_offset)
{
    struct cleaning cleaning = { .log = w->log,
                                 .trace = &w->trace,
                                 .clock = &test_clock,
                                 .map_bytes = map_bytes > 0 ? map_bytes : 1 << 20,
                                 .map_load_factor = 0.9,
                                 .buffer_bytes = 4096,
                                 .now_ms = WORKLOAD_TIME_MS + later_ms };
    int error = log_cleanable(w->log, checkpoint, cleaning.now_ms, &cleaning.what);
    if (error == 0)
        error = cleaner_clean(&cleaning);
    *end_offset = cleaning.end_offset;
    return error;
}

// ---- checking ---------------------------------------------------------------------------------------

struct found {
    bool *records; // by index: it is there
    bool *markers; // by transaction
};

static const struct workload_record *find_record(const struct workload *w, int64_t offset,
                                                 size_t *index)
{
    size_t low = 0, high = w->record_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (w->records[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    *index = low;
    return low < w->record_count && w->records[low].offset == offset ? &w->records[low] : NULL;
}

// It is exactly what was appended at that offset.
static void check_record(struct workload *w, struct bytes batch, const struct record *record,
                         struct found *found)
{
    size_t index;
    const struct workload_record *r = find_record(w, record->offset, &index);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    char text[16];
    uint8_t value[128];
    struct bytes key = key_of(r->key, text);
    CU_ASSERT_EQUAL_FATAL(record->timestamp, WORKLOAD_TIME_MS - 5000 + r->number);
    CU_ASSERT_TRUE_FATAL(record->key_size == (r->key < 0 ? -1 : (int32_t)key.size));
    if (r->key >= 0)
        CU_ASSERT_EQUAL_FATAL(memcmp(record->key.data, key.data, key.size), 0);
    CU_ASSERT_EQUAL_FATAL(record->value_size < 0, r->is_tombstone);
    if (!r->is_tombstone) {
        size_t size = value_of(r->number, value);
        CU_ASSERT_EQUAL_FATAL((size_t)record->value_size, size);
        CU_ASSERT_EQUAL_FATAL(memcmp(record->value.data, value, size), 0);
    }
    CU_ASSERT_EQUAL_FATAL(record->header_count, r->number % 5 == 0);
    CU_ASSERT_EQUAL_FATAL(batch_is_transactional(batch.data), r->txn >= 0);
    CU_ASSERT_FALSE_FATAL(found->records[index]);
    found->records[index] = true;
}

static void check_batch(struct workload *w, struct bytes batch, int64_t offset, struct found *found)
{
    struct record_iter it;
    struct record record;
    CU_ASSERT_TRUE_FATAL(batch_is_intact(batch));
    CU_ASSERT_TRUE_FATAL(batch_last_offset(batch.data) >= offset);
    record_iter_init(&it, batch, RECORDS_WHOLE);
    if (batch_record_count(batch.data) > 0)
        while (record_iter_next(&it, &record)) {
            if (!batch_is_control(batch.data)) {
                check_record(w, batch, &record, found);
                continue;
            }
            for (size_t i = 0; i < w->txn_count; i++)
                found->markers[i] |= w->txns[i].marker_offset == record.offset;
        }
    CU_ASSERT_EQUAL_FATAL(it.error, RECORDS_OK);
    record_iter_fini(&it);
}

static void read_all(struct workload *w, struct found *found)
{
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t offset = 0, size;
    while ((size = log_read_batches(w->log, offset, 3000, INT64_MAX, &buffer, &capacity)) > 0) {
        struct bytes rest = { buffer, (size_t)size }, batch;
        while (batch_next(&rest, &batch) == BATCH_FOUND) {
            check_batch(w, batch, offset, found);
            offset = batch_next_offset(batch.data);
        }
    }
    CU_ASSERT_EQUAL(size, 0);
    mem_free(buffer);
}

static bool is_aborted(const struct workload *w, const struct workload_record *r)
{
    return r->txn >= 0 && w->txns[r->txn].is_aborted;
}

static bool must_go(const struct workload_record *r, bool aborted, bool is_last,
                    enum workload_tombstones tombstones)
{
    return aborted || r->key < 0 || !is_last || (r->is_tombstone && tombstones == TOMBSTONES_GO);
}

static void check_each(struct workload *w, int64_t clean_offset,
                       enum workload_tombstones tombstones, bool is_partial,
                       const struct found *found)
{
    int64_t last[64];
    CU_ASSERT_TRUE_FATAL(w->keys <= 64);
    for (int i = 0; i < w->keys; i++)
        last[i] = -1;
    for (size_t i = 0; i < w->record_count && w->records[i].offset < clean_offset; i++)
        if (w->records[i].key >= 0 && !is_aborted(w, &w->records[i]))
            last[w->records[i].key] = w->records[i].offset;
    for (size_t i = 0; i < w->record_count; i++) {
        const struct workload_record *r = &w->records[i];
        bool aborted = is_aborted(w, r), is_clean = r->offset < clean_offset;
        bool is_last = r->key >= 0 && last[r->key] == r->offset;
        if (!is_clean) {
            CU_ASSERT_TRUE_FATAL(found->records[i] || aborted);
        } else if (must_go(r, aborted, is_last, tombstones)) {
            CU_ASSERT_TRUE_FATAL(!found->records[i] || is_partial);
        } else {
            CU_ASSERT_TRUE_FATAL(found->records[i] ||
                                 (r->is_tombstone && tombstones != TOMBSTONES_STAY));
        }
        // Readers are told of every transaction whose data they meet.
        if (found->records[i] && r->txn >= 0 && w->txns[r->txn].marker_offset >= 0)
            CU_ASSERT_TRUE_FATAL(found->markers[r->txn]);
    }
}

static void check_aborted_index(struct workload *w, const struct found *found)
{
    struct log_aborted_transaction *aborted;
    size_t count;
    CU_ASSERT_EQUAL_FATAL(
        log_aborted_transactions(w->log, 0, log_end_offset(w->log), &w->arena, &aborted, &count),
        KERR_NONE);
    for (size_t i = 0; i < w->record_count; i++) {
        const struct workload_record *r = &w->records[i];
        if (!found->records[i] || !is_aborted(w, r) || w->txns[r->txn].marker_offset < 0)
            continue;
        // A recovery that reads a cleaned log takes the first batch that is left for the beginning.
        bool is_told = false;
        for (size_t n = 0; n < count; n++)
            is_told |= aborted[n].producer_id == FIRST_PRODUCER + w->txns[r->txn].producer &&
                       aborted[n].first_offset >= w->txns[r->txn].first_offset &&
                       aborted[n].first_offset <= r->offset;
        CU_ASSERT_TRUE_FATAL(is_told);
    }
    arena_reset(&w->arena);
}

static void check_producers(struct workload *w)
{
    struct log_producer *producers;
    size_t count = log_producers(w->log, &w->arena, &producers), expected = 0;
    for (int i = 0; i < WORKLOAD_PRODUCERS; i++) {
        if (w->sequences[i] == 0)
            continue;
        expected++;
        bool is_known = false;
        for (size_t n = 0; n < count; n++)
            is_known |= producers[n].producer_id == FIRST_PRODUCER + i &&
                        producers[n].last_sequence == w->sequences[i] - 1;
        CU_ASSERT_TRUE_FATAL(is_known);
    }
    CU_ASSERT_EQUAL(count, expected);
    arena_reset(&w->arena);
}

void workload_check(struct workload *w, int64_t clean_offset, enum workload_tombstones tombstones,
                    bool is_partial)
{
    struct found found = { mem_zalloc(w->record_count + 1), mem_zalloc(w->txn_count + 1) };
    read_all(w, &found);
    check_each(w, clean_offset, tombstones, is_partial, &found);
    check_aborted_index(w, &found);
    check_producers(w);
    mem_free(found.records);
    mem_free(found.markers);
}
