// SPDX-License-Identifier: Apache-2.0
// Reading headers only: of a batch no more than 61 bytes, many at a time.
// Tested by share_read_test.c and compat-tests/twin/share.
#include "share/share_read.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "log/batch_scan.h"
#include "record/batch_builder.h"
#include "record/record.h"

// ---- aborted transactions --------------------------------------------------------------------------

// Which producers are within an aborted transaction as the batches go by.
struct aborted {
    struct log_aborted_transaction *transactions; // by first offset
    size_t count;
    size_t next;
    int64_t *producers;
    size_t producers_count;
};

static int by_first_offset(const void *a, const void *b)
{
    int64_t x = ((const struct log_aborted_transaction *)a)->first_offset;
    int64_t y = ((const struct log_aborted_transaction *)b)->first_offset;
    return (x > y) - (x < y);
}

static bool is_abort_marker(struct batch_scan *scan)
{
    struct bytes batch;
    struct record_iter it;
    struct record record;
    if (!batch_is_control(scan->header) || !batch_scan_load(scan, &batch))
        return false;
    record_iter_init(&it, batch, RECORDS_WHOLE);
    bool is_abort = record_iter_next(&it, &record) && control_key_type(record.key) == CONTROL_ABORT;
    record_iter_fini(&it);
    return is_abort;
}

static bool is_aborted(struct aborted *aborted, struct batch_scan *scan)
{
    const uint8_t *header = scan->header;
    if (!batch_has_producer_id(header))
        return false;
    for (; aborted->next < aborted->count &&
           aborted->transactions[aborted->next].first_offset <= batch_last_offset(header);
         aborted->next++)
        aborted->producers[aborted->producers_count++] =
            aborted->transactions[aborted->next].producer_id;
    int64_t producer_id = batch_producer_id(header);
    size_t at = 0;
    while (at < aborted->producers_count && aborted->producers[at] != producer_id)
        at++;
    if (at == aborted->producers_count)
        return false;
    bool is_transactional = batch_is_transactional(header);
    if (!is_abort_marker(scan))
        return is_transactional;
    aborted->producers[at] = aborted->producers[--aborted->producers_count];
    return false;
}

// ---- reading ---------------------------------------------------------------------------------------

static void find_aborted(struct partition *partition, int64_t offset, const struct share_read *read,
                         struct arena *arena, struct aborted *aborted)
{
    *aborted = (struct aborted){ 0 };
    if (partition_aborted_transactions(partition, offset, read->read.end_offset, arena,
                                       &aborted->transactions, &aborted->count) != KERR_NONE)
        aborted->count = 0;
    if (aborted->count > 1)
        qsort(aborted->transactions, aborted->count, sizeof *aborted->transactions,
              by_first_offset);
    aborted->producers = arena_alloc(arena, aborted->count * sizeof *aborted->producers + 1);
}

// False when a header would have to be waited for.
static bool scan_batches(struct share_read *out, bool only_cached, int64_t last_wanted,
                         struct aborted *aborted, struct arena *arena)
{
    struct file_slice *slice = &out->read.slice;
    struct batch_scan *scan = mem_alloc(sizeof *scan);
    struct share_span *spans = NULL;
    int32_t *positions = NULL;
    size_t spans_capacity = 0, positions_capacity = 0, count = 0;
    batch_scan_init(scan, slice->file, slice->position, slice->position + slice->size);
    scan->only_cached = only_cached;
    while ((count == 0 || spans[count - 1].last_offset < last_wanted) && batch_scan_next(scan)) {
        vec_reserve(spans, count + 1, spans_capacity);
        vec_reserve(positions, count + 2, positions_capacity);
        spans[count].base_offset = batch_base_offset(scan->header);
        spans[count].last_offset = batch_last_offset(scan->header);
        positions[count] = (int32_t)(scan->position - slice->position);
        positions[count + 1] = (int32_t)(scan->position + scan->size - slice->position);
        spans[count].is_aborted = is_aborted(aborted, scan);
        count++;
    }
    if (count > 0)
        slice->size = positions[count];
    bool is_cold = scan->error == -EAGAIN;
    batch_scan_fini(scan);
    out->spans_count = count;
    out->spans = arena_dup(arena, spans, count * sizeof *spans);
    out->positions = arena_dup(arena, positions, (count + (count > 0)) * sizeof *positions);
    mem_free(spans);
    mem_free(positions);
    mem_free(scan);
    return !is_cold;
}

void share_read(struct partition *partition, const struct share_reader *reader, int64_t offset,
                int32_t max_bytes, struct share_read *out)
{
    struct partition_reader as = { .replica_id = -1,
                                   .isolation =
                                       reader->is_committed ? READ_COMMITTED : READ_UNCOMMITTED,
                                   .is_leader_required = true,
                                   .only_cached = reader->only_cached };
    struct partition_fetch fetch = { .fetch_offset = offset,
                                     .current_leader_epoch = -1,
                                     .last_fetched_epoch = -1,
                                     .max_bytes = max_bytes };
    struct partition_woken woken;
    partition_woken_init(&woken);
    *out = (struct share_read){ 0 };
    partition_read(partition, &as, &fetch, max_bytes, true, &out->read, &woken);
    partition_wake(&woken);
}

bool share_read_batches(struct partition *partition, const struct share_reader *reader,
                        int64_t offset, int64_t last_wanted, struct arena *arena,
                        struct share_read *read)
{
    if (read->read.slice.size == 0)
        return true;
    struct aborted aborted = { 0 };
    if (reader->is_committed)
        find_aborted(partition, offset, read, arena, &aborted);
    return scan_batches(read, reader->only_cached, last_wanted, &aborted, arena);
}

void share_read_load(struct partition *partition, bool is_committed, int64_t offset,
                     int32_t max_bytes, int64_t last_wanted)
{
    struct share_reader reader = { .is_committed = is_committed };
    struct share_read read;
    struct arena arena;
    arena_init(&arena);
    share_read(partition, &reader, offset, max_bytes, &read);
    share_read_batches(partition, &reader, offset, last_wanted, &arena, &read);
    disk_file_unref(read.read.slice.file);
    arena_fini(&arena);
}

void share_read_cut(struct share_read *read, int64_t first_offset, int64_t last_offset)
{
    if (read->spans_count < 2)
        return;
    size_t first = 0, end = 1;
    while (first + 1 < read->spans_count && read->spans[first + 1].base_offset <= first_offset)
        first++;
    for (end = first + 1; end < read->spans_count; end++)
        if (read->spans[end].base_offset > last_offset)
            break;
    read->read.slice.position += read->positions[first];
    read->read.slice.size = read->positions[end] - read->positions[first];
}
