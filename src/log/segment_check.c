// SPDX-License-Identifier: Apache-2.0
#include "log/segment_check.h"

#include <stdatomic.h>
#include <string.h>

#include "base/crew.h"
#include "base/mem.h"
#include "log/batch_scan.h"

struct checking {
    struct segment *const *segments;
    struct segment_checked *checked;
    atomic_long headers_left; // bytes
};

// The list ends with the first that is left out.
static void keep_header(struct checking *checking, struct segment_checked *checked,
                        const struct batch_scan *scan)
{
    size_t size = checked->header_count * BATCH_HEADER_SIZE;
    bool is_next = checked->_header_bytes == scan->position;
    if (!is_next || scan->is_old_format ||
        atomic_fetch_sub(&checking->headers_left, BATCH_HEADER_SIZE) < BATCH_HEADER_SIZE)
        return;
    vec_reserve(checked->headers, size + BATCH_HEADER_SIZE, checked->_header_capacity);
    memcpy(checked->headers + size, scan->header, BATCH_HEADER_SIZE);
    checked->header_count++;
    checked->_header_bytes = scan->position + scan->size;
}

static void check_one(void *arg, size_t i)
{
    struct checking *checking = arg;
    struct segment *segment = checking->segments[i];
    struct segment_checked *checked = &checking->checked[i];
    *checked = (struct segment_checked){ 0 };
    struct batch_scan scan;
    struct bytes batch;
    batch_scan_init_whole(&scan, segment->file, 0, segment->size_bytes);
    while (batch_scan_next(&scan) && batch_scan_load(&scan, &batch) &&
           batch_scan_is_intact(&scan, batch)) {
        keep_header(checking, checked, &scan);
        checked->sound_bytes = scan.position + scan.size;
    }
    batch_scan_fini(&scan);
}

void segments_check(int threads, struct segment *const *segments, size_t count,
                    size_t headers_size_max, struct segment_checked *checked)
{
    struct checking checking = { segments, checked, (long)headers_size_max };
    crew_run(threads, count, check_one, &checking);
}

void segment_checked_fini(struct segment_checked *checked)
{
    mem_free(checked->headers);
    *checked = (struct segment_checked){ 0 };
}
