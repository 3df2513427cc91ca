// SPDX-License-Identifier: Apache-2.0
// A partition's directory by hand, without a broker:
//
//     log_tool write DIR          a log with several segments, all codecs, sequences, transactions; a clean close
//     log_tool crash DIR          the same, left as a killed process leaves it
//     log_tool read DIR clean     opens it after a clean stop; a line a record: offset, timestamp, key, value
//     log_tool read DIR unclean   recovers it first
//     log_tool append DIR N       opens (recovers), appends N records, closes
//     log_tool dirty DIR SEED     opens (recovers), appends what a cleaner has to tell apart (keys over and over,
//                                 tombstones, records without key, transactions that overlap, all codecs), closes
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "log/log.h"
#include "record/batch_builder.h"

static struct trace trace;
static struct arena arena;

static struct bytes of(const char *z)
{
    return (struct bytes){ (const uint8_t *)z, strlen(z) };
}

static void die(const char *what, int error)
{
    fprintf(stderr, "log_tool: %s: %d\n", what, error);
    exit(1);
}

static struct log *open_log(const char *dir, bool is_clean)
{
    struct log_config config = log_config_default;
    config.segment_bytes = 40000;
    struct log_options options = { .disk = disk_posix(),
                                   .clock = clock_posix(),
                                   .trace = &trace,
                                   .dir = dir,
                                   .config = &config,
                                   .is_clean = is_clean };
    struct log *log;
    int error = log_open(&options, &log);
    if (error != 0)
        die(strerror(-error), error);
    return log;
}

static void put(struct log *log, const struct batch_options *options, int count,
                enum log_append_origin origin)
{
    struct batch_builder builder;
    batch_builder_init(&builder, options);
    char key[64], value[256];
    int64_t base = log_end_offset(log);
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "key-%" PRId64, base + i);
        snprintf(value, sizeof value, "value %" PRId64 " that repeats itself %s %s", base + i, key,
                 key);
        struct strbuf headers = STRBUF_EMPTY;
        record_header_encode(&headers, str_of("h"), of("x"));
        batch_builder_add_record(&builder, i, clock_wall_ms(clock_posix()),
                                 i % 5 == 4 ? BYTES_NULL : of(key), of(value), 1,
                                 (struct bytes){ (const uint8_t *)headers.data, headers.size });
        strbuf_fini(&headers);
    }
    struct log_append_result result;
    enum kafka_error error = log_append_leader(log, batch_builder_finish(&builder),
                                               (int32_t)(base / 500), origin, &arena, &result);
    batch_builder_fini(&builder);
    if (error != KERR_NONE)
        die(kafka_error_name((int)error), (int)error);
    log_set_high_watermark(log, log_end_offset(log));
    arena_reset(&arena);
}

static void put_marker(struct log *log, int64_t producer_id, enum control_type type)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .is_transactional = true,
                                     .is_control = true };
    options.producer_id = producer_id;
    options.producer_epoch = 1;
    uint8_t key[CONTROL_KEY_SIZE], value[END_TXN_MARKER_SIZE];
    control_key_encode(key, type);
    end_txn_marker_encode(value, 7);
    struct batch_builder builder;
    batch_builder_init(&builder, &options);
    batch_builder_add(&builder, clock_wall_ms(clock_posix()), (struct bytes){ key, sizeof key },
                      (struct bytes){ value, sizeof value });
    struct log_append_result result;
    enum kafka_error error =
        log_append_leader(log, batch_builder_finish(&builder), (int32_t)(log_end_offset(log) / 500),
                          LOG_APPEND_COORDINATOR, &arena, &result);
    batch_builder_fini(&builder);
    if (error != KERR_NONE)
        die(kafka_error_name((int)error), (int)error);
    log_set_high_watermark(log, log_end_offset(log));
}

static void write_log(struct log *log, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        struct batch_options options = { BATCH_OPTIONS_DEFAULT,
                                         .compression = (enum compression)(i % 5) };
        put(log, &options, 1 + i % 17, LOG_APPEND_CLIENT);
        options.producer_id = 4000 + i % 4;
        options.producer_epoch = 0;
        options.base_sequence = i / 4;
        put(log, &options, 1, LOG_APPEND_CLIENT);
        if (i % 20 != 19)
            continue;
        struct batch_options txn = { BATCH_OPTIONS_DEFAULT, .is_transactional = true };
        txn.producer_id = 5000;
        txn.producer_epoch = 1;
        txn.base_sequence = 3 * (i / 20);
        put(log, &txn, 3, LOG_APPEND_CLIENT);
        put_marker(log, 5000, i % 40 == 19 ? CONTROL_ABORT : CONTROL_COMMIT);
    }
}

// ---- dirt --------------------------------------------------------------------------------------------

enum { DIRT_PRODUCERS = 8, DIRT_KEYS = 300, DIRT_BATCHES = 2500 };

static uint64_t random_state;

static uint32_t random_below(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

static void append_batch(struct log *log, struct bytes batch)
{
    struct log_append_result result;
    enum kafka_error error =
        log_append_leader(log, batch, (int32_t)(log_end_offset(log) / 500), LOG_APPEND_CLIENT, &arena,
                          &result);
    if (error != KERR_NONE)
        die(kafka_error_name((int)error), (int)error);
    log_set_high_watermark(log, log_end_offset(log));
    arena_reset(&arena);
}

static void put_dirt(struct log *log, struct batch_options *options)
{
    struct batch_builder builder;
    options->compression = (enum compression)random_below(5);
    batch_builder_init(&builder, options);
    int count = 1 + (int)random_below(8);
    char key[32], value[400];
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "key-%u", random_below(DIRT_KEYS));
        snprintf(value, sizeof value, "%" PRId64 "-%d-%0*d", log_end_offset(log), i,
                 10 + (int)random_below(300), 7);
        bool has_key = random_below(30) != 0, has_value = random_below(8) != 0;
        struct strbuf headers = STRBUF_EMPTY;
        record_header_encode(&headers, str_of("h"), of("x"));
        bool has_header = random_below(4) == 0;
        batch_builder_add_record(&builder, i, clock_wall_ms(clock_posix()) - random_below(1000),
                                 has_key ? of(key) : BYTES_NULL,
                                 has_value ? of(value) : BYTES_NULL, has_header,
                                 has_header ? (struct bytes){ (const uint8_t *)headers.data,
                                                              headers.size }
                                            : BYTES_NULL);
        strbuf_fini(&headers);
    }
    options->base_sequence += options->base_sequence < 0 ? 0 : count;
    append_batch(log, batch_builder_finish(&builder));
    batch_builder_fini(&builder);
}

// Producers 0 and 1 have no id, 2 and 3 are idempotent, the others in transactions. Each run has ids of its own.
static void write_dirt(struct log *log, uint32_t seed)
{
    struct batch_options options[DIRT_PRODUCERS];
    bool is_open[DIRT_PRODUCERS] = { false };
    random_state = seed;
    for (int i = 0; i < DIRT_PRODUCERS; i++) {
        options[i] = (struct batch_options){ BATCH_OPTIONS_DEFAULT, .is_transactional = i >= 4 };
        if (i < 2)
            continue;
        options[i].producer_id = 1000 * (int64_t)seed + i;
        options[i].producer_epoch = 1;
        options[i].base_sequence = 0;
    }
    for (int n = 0; n < DIRT_BATCHES; n++) {
        int i = (int)random_below(DIRT_PRODUCERS);
        // Some producers fall silent: their last batches stay.
        if (i % 4 == 3 && n > DIRT_BATCHES / 4)
            continue;
        if (is_open[i] && random_below(4) == 0) {
            put_marker(log, options[i].producer_id,
                       random_below(3) == 0 ? CONTROL_ABORT : CONTROL_COMMIT);
            is_open[i] = false;
            continue;
        }
        put_dirt(log, &options[i]);
        is_open[i] = i >= 4;
    }
    for (int i = 0; i < DIRT_PRODUCERS; i++)
        if (is_open[i])
            put_marker(log, options[i].producer_id, CONTROL_ABORT);
}

static void print_bytes(const char *name, struct bytes b)
{
    if (b.data == NULL)
        printf(" %s:null", name);
    else
        printf(" %s:%.*s", name, (int)b.size, (const char *)b.data);
}

static void read_log(struct log *log)
{
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t offset = log_start_offset(log), size;
    while ((size = log_read_batches(log, offset, 65536, INT64_MAX, &buffer, &capacity)) > 0) {
        struct bytes rest = { buffer, (size_t)size }, batch;
        while (batch_next(&rest, &batch) == BATCH_FOUND) {
            struct record_iter it;
            struct record record;
            if (!batch_is_intact(batch))
                die("damaged batch", (int)offset);
            record_iter_init(&it, batch, RECORDS_WHOLE);
            while (record_iter_next(&it, &record)) {
                if (record.offset < offset || batch_is_control(batch.data))
                    continue;
                printf("offset:%" PRId64 " timestamp:%" PRId64, record.offset, record.timestamp);
                print_bytes("key", record.key);
                print_bytes("value", record.value);
                printf("\n");
            }
            if (it.error != RECORDS_OK)
                die(it.reason, (int)it.error);
            record_iter_fini(&it);
            offset = batch_next_offset(batch.data);
        }
    }
    if (size < 0)
        die("read", (int)size);
    printf("end:%" PRId64 "\n", offset);
    mem_free(buffer);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("write | crash | read | append | dirty, then a directory", 2);
    trace_init(&trace, clock_posix(), TRACE_INFO, 2);
    arena_init(&arena);
    const char *what = argv[1];
    bool is_clean = argc > 3 && strcmp(argv[3], "clean") == 0;
    struct log *log = open_log(argv[2], is_clean);
    int error = 0;
    if (strcmp(what, "write") == 0 || strcmp(what, "crash") == 0)
        write_log(log, 300);
    else if (strcmp(what, "dirty") == 0)
        write_dirt(log, argc > 3 ? (uint32_t)atoi(argv[3]) : 1);
    else if (strcmp(what, "append") == 0)
        write_log(log, argc > 3 ? atoi(argv[3]) : 1);
    else
        read_log(log);
    if (strcmp(what, "crash") == 0)
        log_abandon(log);
    else
        error = log_close(log);
    arena_fini(&arena);
    return error != 0;
}
