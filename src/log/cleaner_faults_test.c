// SPDX-License-Identifier: Apache-2.0
// What a log keeps when the disk fails, the process is killed, or the power goes at any one call of a cleaning.
//
// For every n the n-th changing call goes wrong; then the log is opened again and must hold all that a finished
// cleaning would have left, and nothing but what was appended; cleaned again, it is as if nothing had happened.
#include <errno.h>
#include <inttypes.h>

#include "base/testing.h"
#include "log/cleaner_testing.h"

enum fault { FAULT_ONE_CALL, FAULT_DISK_FULL, FAULT_KILLED, FAULT_POWER };

// A log whose appends last, some rounds of cleaning behind it.
static int64_t prepare(struct workload *w, uint64_t seed)
{
    int64_t end;
    workload_init(w, seed);
    w->config.segment_bytes = 12000;
    log_set_config(w->log, &w->config);
    workload_append(w, 60);
    CU_ASSERT_EQUAL_FATAL(workload_clean(w, -1, 0, 0, &end), 0);
    workload_append(w, 120);
    CU_ASSERT_EQUAL_FATAL(log_flush(w->log, INT64_MAX), 0);
    return end;
}

static uint64_t count_calls(uint64_t seed)
{
    struct workload w;
    int64_t checkpoint = prepare(&w, seed), end;
    uint64_t before = w.disk->calls;
    CU_ASSERT_EQUAL_FATAL(workload_clean(&w, checkpoint, 0, 0, &end), 0);
    uint64_t calls = w.disk->calls - before;
    workload_fini(&w);
    return calls;
}

static void fail_at(uint64_t n, enum fault fault, uint64_t seed)
{
    struct workload w;
    int64_t checkpoint = prepare(&w, 3), end, log_end = log_end_offset(w.log);
    w.disk->_random ^= seed * 2685821657736338717u;
    w.disk->fail_at = w.disk->calls + n;
    w.disk->fail_with = fault == FAULT_DISK_FULL ? -ENOSPC : -EIO;
    w.disk->stays_broken = fault == FAULT_KILLED || fault == FAULT_POWER;
    int error = workload_clean(&w, checkpoint, 0, 0, &end);
    CU_ASSERT_TRUE(error == 0 || error == w.disk->fail_with);
    if (fault == FAULT_POWER) {
        log_abandon(w.log);
        w.log = NULL;
        memory_disk_crash(w.disk);
    } else {
        // A live process serves what it has, in the middle of it.
        if (fault == FAULT_ONE_CALL || fault == FAULT_DISK_FULL) {
            w.disk->fail_at = 0;
            struct log_slice slice;
            enum kafka_error answer = log_read(w.log, 0, 1000, true, INT64_MAX, &slice);
            CU_ASSERT_TRUE(answer == KERR_NONE || answer == KERR_KAFKA_STORAGE_ERROR);
            disk_file_unref(slice.slice.file);
        }
        memory_disk_restart(w.disk);
    }
    int opened = workload_reopen(&w, n % 2 == 0);
    if (opened != 0)
        printf("\nopen failed after fault %d at call %" PRIu64 ": %s", fault, n, strerror(-opened));
    CU_ASSERT_EQUAL_FATAL(opened, 0);
    CU_ASSERT_EQUAL_FATAL(log_end_offset(w.log), log_end);
    workload_check(&w, log_active_segment_offset(w.log), TOMBSTONES_STAY, true);
    CU_ASSERT_EQUAL_FATAL(workload_clean(&w, checkpoint, 0, 0, &end), 0);
    workload_check(&w, end, TOMBSTONES_STAY, false);
    workload_fini(&w);
}

static void one_failed_call_loses_nothing(void)
{
    uint64_t calls = count_calls(3);
    CU_ASSERT_TRUE(calls > 20);
    for (uint64_t n = 1; n <= calls; n++) {
        fail_at(n, FAULT_ONE_CALL, 0);
        fail_at(n, FAULT_DISK_FULL, 0);
    }
}

static void a_killed_process_loses_nothing(void)
{
    uint64_t calls = count_calls(3);
    for (uint64_t n = 1; n <= calls; n++)
        fail_at(n, FAULT_KILLED, 0);
}

static void power_loss_loses_nothing(void)
{
    uint64_t calls = count_calls(3);
    for (uint64_t n = 1; n <= calls + 1; n++)
        for (uint64_t seed = 1; seed <= 4; seed++)
            fail_at(n, FAULT_POWER, seed);
}

TEST_MAIN("cleaner_faults", TEST(one_failed_call_loses_nothing),
          TEST(a_killed_process_loses_nothing), TEST(power_loss_loses_nothing))
