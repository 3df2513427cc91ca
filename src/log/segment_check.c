// SPDX-License-Identifier: Apache-2.0
// Tested by log_test.c.
#include "log/segment_check.h"

#include "base/crew.h"
#include "log/batch_scan.h"

struct checking {
    struct segment *const *segments;
    int64_t *sound;
};

static void check_one(void *arg, size_t i)
{
    struct checking *checking = arg;
    struct segment *segment = checking->segments[i];
    struct batch_scan scan;
    struct bytes batch;
    int64_t sound = 0;
    batch_scan_init_whole(&scan, segment->file, 0, segment->size_bytes);
    while (batch_scan_next(&scan) && batch_scan_load(&scan, &batch) &&
           batch_scan_is_intact(&scan, batch))
        sound = scan.position + scan.size;
    batch_scan_fini(&scan);
    checking->sound[i] = sound;
}

void segments_check(int threads, struct segment *const *segments, size_t count, int64_t *sound)
{
    struct checking checking = { segments, sound };
    crew_run(threads, count, check_one, &checking);
}
