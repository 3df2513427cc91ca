// SPDX-License-Identifier: Apache-2.0
// For tests: a share partition over a log of batches of equal size, acquiring and acknowledging in one line each.
#ifndef SHARE_TESTING_SHARE_PARTITION_H
#define SHARE_TESTING_SHARE_PARTITION_H

#include "base/mem.h"
#include "base/testing.h"
#include "share/share_partition.h"

struct partition_fixture {
    struct share_partition partition;
    struct share_limits limits;
    int64_t now_ms;
    int64_t log_end;    // the log has [0, log_end)
    int64_t log_batch;  // in batches of so many records
    int32_t batch_size; // of the request
    bool is_record_limit;
    int64_t aborted_base;                // the batch of an aborted transaction; -1: none
    struct share_acquired_list acquired; // by the last acquire_as
    const char *message;
};

static inline void partition_fixture_init(struct partition_fixture *f, int64_t log_end,
                                          int64_t log_batch)
{
    *f = (struct partition_fixture){ .limits = { .max_in_flight = 2000,
                                                 .max_delivery_count = 5,
                                                 .lock_ms = 30000,
                                                 .is_renew_enabled = true },
                                     .now_ms = 1000,
                                     .log_end = log_end,
                                     .log_batch = log_batch,
                                     .batch_size = 500,
                                     .aborted_base = -1 };
    share_partition_init(&f->partition);
}

static inline void partition_fixture_fini(struct partition_fixture *f)
{
    share_partition_fini(&f->partition);
    mem_free(f->acquired.items);
}

// Reads the log's batches from where the partition wants to go on, at most `spans` of them, and acquires.
static inline int64_t acquire_as(struct partition_fixture *f, const char *member,
                                 int32_t max_records, size_t spans)
{
    struct share_span read[64];
    struct share_acquire how = { .member = str_of(member),
                                 .is_record_limit = f->is_record_limit,
                                 .batch_size = f->batch_size,
                                 .max_records = max_records,
                                 .fetch_offset = share_partition_next_offset(&f->partition),
                                 .spans = read,
                                 .now_ms = f->now_ms };
    int64_t base = how.fetch_offset - how.fetch_offset % f->log_batch;
    for (; base < f->log_end && how.spans_count < spans && how.spans_count < 64;
         base += f->log_batch)
        read[how.spans_count++] =
            (struct share_span){ base, base + f->log_batch - 1, base == f->aborted_base };
    mem_free(f->acquired.items);
    f->acquired = (struct share_acquired_list){ 0 };
    if (!share_partition_can_acquire(&f->partition, &f->limits))
        return 0;
    return share_partition_acquire(&f->partition, &f->limits, &how, &f->acquired);
}

// One type for all of the range; not persisted yet.
static inline enum kafka_error acknowledge_as(struct partition_fixture *f, const char *member,
                                              int64_t first, int64_t last, int8_t type,
                                              struct share_change *change)
{
    struct share_acknowledgement ack = { first, last, &type, 1 };
    return share_partition_acknowledge(&f->partition, &f->limits, str_of(member), &ack, 1,
                                       f->now_ms, change, &f->message);
}

// The same, persisted.
static inline enum kafka_error acknowledged_as(struct partition_fixture *f, const char *member,
                                               int64_t first, int64_t last, int8_t type)
{
    struct share_change change;
    enum kafka_error error = acknowledge_as(f, member, first, last, type, &change);
    if (error == KERR_NONE)
        share_partition_settle(&f->partition, &f->limits, &change, true, f->now_ms);
    return error;
}

#endif
