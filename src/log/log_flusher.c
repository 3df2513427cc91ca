// SPDX-License-Identifier: Apache-2.0
// Tested by log_flush_test.c.
#include "log/log_flusher.h"

#include "base/mem.h"
#include "log/log_internal.h"

enum { SLOW_WRITE_US = 5000, BEHIND_US = 10000000 };

#define NOT_BEHIND INT64_MIN

struct log_flusher {
    struct workers *workers;
    atomic_bool is_stopping;
    _Atomic int64_t behind_until_us; // or NOT_BEHIND
};

struct log_flusher *log_flusher_new(int threads_max)
{
    struct log_flusher *flusher = mem_new(struct log_flusher);
    flusher->workers = workers_new("log-flusher", threads_max);
    atomic_init(&flusher->is_stopping, false);
    atomic_init(&flusher->behind_until_us, NOT_BEHIND);
    return flusher;
}

static void run_flush(struct work *work)
{
    struct log *log = container_of(work, struct log, flush_work);
    atomic_store(&log->is_flush_queued, false); // from now on a demand queues it again
    if (!atomic_load(&log->flusher->is_stopping))
        log_flush_now(log);
    log_unref(log);
}

void log_flusher_submit(struct log_flusher *flusher, struct log *log)
{
    if (atomic_load(&flusher->is_stopping) || atomic_exchange(&log->is_flush_queued, true))
        return;
    log_ref(log)->flush_work.run = run_flush;
    workers_submit(flusher->workers, &log->flush_work);
}

void log_flusher_note_write(struct log_flusher *flusher, const struct log_files *files,
                            int64_t began_us)
{
    int64_t ended_us = clock_monotonic_us(files->clock);
    if (ended_us - began_us >= SLOW_WRITE_US && files->disk->ops->is_behind(files->disk))
        atomic_store(&flusher->behind_until_us, ended_us + BEHIND_US);
}

bool log_flusher_is_behind(struct log_flusher *flusher, struct clock *clock)
{
    int64_t until_us = atomic_load_explicit(&flusher->behind_until_us, memory_order_relaxed);
    if (until_us == NOT_BEHIND)
        return false;
    if (clock_monotonic_us(clock) < until_us)
        return true;
    atomic_compare_exchange_strong(&flusher->behind_until_us, &until_us, NOT_BEHIND);
    return false;
}

void log_flusher_run(struct log_flusher *flusher)
{
    workers_run(flusher->workers);
}

void log_flusher_free(struct log_flusher *flusher)
{
    atomic_store(&flusher->is_stopping, true);
    workers_free(flusher->workers);
    mem_free(flusher);
}
