// SPDX-License-Identifier: Apache-2.0
// Any bytes as the files of a log. The first byte says which:
//     'L' .log, recovered     'I' .index beside a sound .log     'T' .timeindex     'X' .txnindex
//     'S' .snapshot           'C' an offset checkpoint           'E' leader-epoch-checkpoint
//     'M' partition.metadata  'K' .kafka_cleanshutdown           'B' a batch with a right CRC, as a client's
// A log that opens must be readable to its end, take an append, close, and open again with the same end.
#include <errno.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/must.h"
#include "log/checkpoint.h"
#include "log/clean_shutdown.h"
#include "log/disk_testing.h"
#include "log/log.h"
#include "log/producer_state.h"
#include "record/batch_builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t fixed_wall_ms(struct clock *clock)
{
    (void)clock;
    return 1700000000000;
}

static struct clock fixed_clock = { fixed_wall_ms, fixed_wall_ms };
static struct trace trace;
static struct arena arena;

static int open_log(struct memory_disk *disk, bool is_clean, struct log **log)
{
    struct log_options options = { .disk = &disk->disk,
                                   .clock = &fixed_clock,
                                   .trace = &trace,
                                   .dir = "/t-0",
                                   .config = &log_config_default,
                                   .is_clean = is_clean };
    return log_open(&options, log);
}

static struct bytes make_batch(struct batch_builder *builder)
{
    struct bytes word = { (const uint8_t *)"word", 4 };
    batch_builder_init(builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    batch_builder_add(builder, 1700000000000, word, word);
    return batch_builder_finish(builder);
}

static enum kafka_error append(struct log *log)
{
    struct batch_builder builder;
    struct log_append_result result;
    enum kafka_error error =
        log_append_leader(log, make_batch(&builder), 1 << 30, LOG_APPEND_CLIENT, &arena, &result);
    batch_builder_fini(&builder);
    return error;
}

static void read_all(struct log *log)
{
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t offset = log_start_offset(log), size;
    while ((size = log_read_batches(log, offset, 4096, INT64_MAX, &buffer, &capacity)) > 0) {
        struct bytes rest = { buffer, (size_t)size }, batch;
        while (batch_next(&rest, &batch) == BATCH_FOUND && batch_next_offset(batch.data) > offset)
            offset = batch_next_offset(batch.data);
    }
    must(size < 0 || offset == log_end_offset(log));
    mem_free(buffer);
    struct log_timestamp_offset found;
    struct log_aborted_transaction *aborted;
    size_t count;
    log_offset_for_time(log, 1700000000000, &found);
    log_max_timestamp_offset(log, &found);
    log_aborted_transactions(log, 0, INT64_MAX, &arena, &aborted, &count);
}

static void check_log(struct memory_disk *disk, bool is_clean)
{
    struct log *log;
    if (open_log(disk, is_clean, &log) != 0)
        return;
    read_all(log);
    int64_t end = log_end_offset(log);
    if (end < INT64_MAX - 10 && append(log) == KERR_NONE)
        must(log_end_offset(log) == end + 1);
    end = log_end_offset(log);
    if (end > 0)
        log_truncate(log, end - 1);
    end = log_end_offset(log);
    if (log_close(log) == 0 && open_log(disk, true, &log) == 0) {
        must(log_end_offset(log) == end);
        log_abandon(log);
    }
}

static void put_file(struct memory_disk *disk, const char *name, const uint8_t *data, size_t size)
{
    char *path = mem_printf("/t-0/%s", name);
    must(disk_replace(&disk->disk, path, data, size, false) == 0);
    mem_free(path);
}

// A sound log of a few batches, closed.
static void put_sound_log(struct memory_disk *disk)
{
    struct log *log;
    must(open_log(disk, false, &log) == 0);
    for (int i = 0; i < 100; i++)
        must(append(log) == KERR_NONE);
    must(log_close(log) == 0);
}

static void ignore(void *arg, struct str topic, int32_t partition, int64_t offset)
{
    (void)arg;
    must(topic.data != NULL && partition >= 0);
    (void)offset;
}

static void try_batch(const uint8_t *data, size_t size, struct memory_disk *disk)
{
    struct log *log;
    if (size < BATCH_HEADER_SIZE || open_log(disk, false, &log) != 0)
        return;
    uint8_t *batch = mem_dup(data, size);
    put_be64(batch, 0);
    put_be32(batch + 8, (uint32_t)(size - BATCH_SIZE_OVERHEAD));
    batch[16] = BATCH_MAGIC;
    put_be32(batch + 17, crc32c(batch + 21, size - 21));
    struct log_append_result result;
    struct bytes bytes = { batch, size };
    if (log_append_leader(log, bytes, 0, LOG_APPEND_CLIENT, &arena, &result) == KERR_NONE)
        must(log_end_offset(log) == result.last_offset + 1);
    if (log_append_leader(log, bytes, 0, LOG_APPEND_COORDINATOR, &arena, &result) == KERR_NONE)
        must(log_end_offset(log) == result.last_offset + 1);
    read_all(log);
    log_close(log);
    mem_free(batch);
}

static void try_snapshot(const uint8_t *data, size_t size, struct memory_disk *disk)
{
    struct log_files files = { &disk->disk, &fixed_clock, &trace, (char *)"/t-0" };
    struct producer_state state;
    uint8_t *copy = mem_dup(data, size);
    if (size >= 10)
        put_be32(copy + 2, crc32c(copy + 6, size - 6));
    producer_state_init(&state, &files, 86400000);
    if (producer_state_decode(&state, (struct bytes){ copy, size }, 1700000000000))
        producer_state_first_unstable(&state);
    producer_state_fini(&state);
    mem_free(copy);
}

static void try_file(const char *name, const uint8_t *data, size_t size, struct memory_disk *disk)
{
    put_sound_log(disk);
    put_file(disk, name, data, size);
    check_log(disk, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    trace_init(&trace, &fixed_clock, TRACE_ERROR, -1);
    arena_init(&arena);
    struct memory_disk *disk = memory_disk_new(1);
    disk->disk.ops->mkdir(&disk->disk, "/t-0");
    const uint8_t *rest = data + 1;
    int64_t epoch;
    size--;
    switch (data[0]) {
    case 'L':
        put_file(disk, "00000000000000000000.log", rest, size);
        check_log(disk, false);
        break;
    case 'I':
        try_file("00000000000000000000.index", rest, size, disk);
        break;
    case 'T':
        try_file("00000000000000000000.timeindex", rest, size, disk);
        break;
    case 'X':
        try_file("00000000000000000000.txnindex", rest, size, disk);
        break;
    case 'E':
        try_file("leader-epoch-checkpoint", rest, size, disk);
        break;
    case 'M':
        try_file("partition.metadata", rest, size, disk);
        break;
    case 'S':
        try_snapshot(rest, size, disk);
        try_file("00000000000000000100.snapshot", rest, size, disk);
        break;
    case 'C':
        put_file(disk, "c", rest, size);
        checkpoint_read(&disk->disk, "/t-0/c", ignore, NULL);
        break;
    case 'K':
        put_file(disk, ".kafka_cleanshutdown", rest, size);
        clean_shutdown_read(&disk->disk, "/t-0", &epoch);
        break;
    case 'B':
        try_batch(rest, size, disk);
        break;
    default:
        break;
    }
    memory_disk_free(disk);
    arena_fini(&arena);
    trace_fini(&trace);
    return 0;
}
