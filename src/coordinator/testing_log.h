// SPDX-License-Identifier: Apache-2.0
// For tests: an internal topic in memory behind struct coordinator_log, with a clock that the test moves. Outlives the
// coordinators on it, so that a restart is a new coordinator over the same log.
#ifndef COORDINATOR_TESTING_LOG_H
#define COORDINATOR_TESTING_LOG_H

#include "base/mem.h"
#include "coordinator/coordinator.h"
#include "record/batch.h"

enum { TESTING_PARTITIONS = 4 };

struct testing_partition {
    struct strbuf bytes;
    int64_t end;
    int64_t high_watermark;
    int batches;
};

struct testing_log {
    struct coordinator_log log;
    struct clock clock;
    struct trace trace;
    struct alarms alarms;
    int64_t now_us;
    struct testing_partition partitions[TESTING_PARTITIONS];
    enum kafka_error fail_next; // the next append fails so
    bool holds_back;            // the high watermark stays until testing_commit
    struct coordinator *told;   // is told of the high watermark from within append
};

static inline enum kafka_error testing_append(struct coordinator_log *base, int32_t partition,
                                              uint8_t *batch, size_t size, int64_t *end_offset)
{
    struct testing_log *log = container_of(base, struct testing_log, log);
    struct testing_partition *p = &log->partitions[partition];
    if (log->fail_next != KERR_NONE) {
        enum kafka_error error = log->fail_next;
        log->fail_next = KERR_NONE;
        return error;
    }
    batch_set_base_offset(batch, p->end);
    batch_set_leader_epoch(batch, 0);
    strbuf_add(&p->bytes, batch, size);
    p->end = batch_next_offset(batch);
    p->batches++;
    if (!log->holds_back)
        p->high_watermark = p->end;
    if (log->told != NULL)
        coordinator_on_high_watermark(log->told, partition, p->high_watermark);
    *end_offset = p->end;
    return KERR_NONE;
}

static inline enum kafka_error
testing_append_transactional(struct coordinator_log *base, int32_t partition, uint8_t *batch,
                             size_t size, const struct coordinator_transaction *transaction,
                             int64_t *end_offset)
{
    (void)transaction;
    return testing_append(base, partition, batch, size, end_offset);
}

// One batch at a time, whatever max_bytes is.
static inline int testing_read(struct coordinator_log *base, int32_t partition, int64_t offset,
                               size_t max_bytes, struct strbuf *into)
{
    (void)max_bytes;
    struct testing_partition *p =
        &container_of(base, struct testing_log, log)->partitions[partition];
    struct bytes rest = { (const uint8_t *)p->bytes.data, p->bytes.size };
    struct bytes batch;
    while (batch_next(&rest, &batch) == BATCH_FOUND) {
        if (batch_last_offset(batch.data) >= offset) {
            strbuf_add(into, batch.data, batch.size);
            return 0;
        }
    }
    return 0;
}

static inline int64_t testing_start(struct coordinator_log *base, int32_t partition)
{
    (void)base;
    (void)partition;
    return 0;
}

static inline int64_t testing_end(struct coordinator_log *base, int32_t partition)
{
    return container_of(base, struct testing_log, log)->partitions[partition].end;
}

static inline int64_t testing_high_watermark(struct coordinator_log *base, int32_t partition)
{
    return container_of(base, struct testing_log, log)->partitions[partition].high_watermark;
}

static inline int64_t testing_wall_ms(struct clock *clock)
{
    return INT64_C(1700000000000) + container_of(clock, struct testing_log, clock)->now_us / 1000;
}

static inline int64_t testing_monotonic_us(struct clock *clock)
{
    return container_of(clock, struct testing_log, clock)->now_us;
}

static inline void testing_no_driver(void *driver)
{
    (void)driver;
}

static inline void testing_log_init(struct testing_log *log)
{
    static const struct coordinator_log_ops ops = { testing_append, testing_append_transactional,
                                                    testing_read,   testing_start,
                                                    testing_end,    testing_high_watermark };
    *log =
        (struct testing_log){ .log = { &ops }, .clock = { testing_wall_ms, testing_monotonic_us } };
    trace_init(&log->trace, &log->clock, TRACE_INFO, -1);
    alarms_init(&log->alarms, testing_no_driver, NULL);
}

static inline void testing_log_fini(struct testing_log *log)
{
    for (int i = 0; i < TESTING_PARTITIONS; i++)
        strbuf_fini(&log->partitions[i].bytes);
    alarms_fini(&log->alarms);
    trace_fini(&log->trace);
}

// Time goes on, from deadline to deadline.
static inline void testing_advance(struct testing_log *log, int64_t ms)
{
    int64_t until = log->now_us + ms * 1000;
    int64_t next;
    while ((next = alarms_next_us(&log->alarms)) <= until) {
        if (next > log->now_us)
            log->now_us = next;
        alarms_run(&log->alarms, log->now_us);
    }
    log->now_us = until;
}

// What was held back is committed.
static inline void testing_commit(struct testing_log *log, struct coordinator *coordinator)
{
    for (int32_t i = 0; i < TESTING_PARTITIONS; i++) {
        log->partitions[i].high_watermark = log->partitions[i].end;
        coordinator_on_high_watermark(coordinator, i, log->partitions[i].end);
    }
}

// Leads all partitions.
static inline void testing_elect(struct coordinator *coordinator)
{
    for (int32_t i = 0; i < coordinator_partition_count(coordinator); i++)
        coordinator_elected(coordinator, i, 0);
    coordinator_load(coordinator);
}

#endif
