// SPDX-License-Identifier: Apache-2.0
// Several appends in one write. A write at the end of a file costs the page cache more for its last, partial page than
// for its bytes (doc/performance.md), and requests often come several at a time.
//
//     append ── more requests are here already ──> gathered ──┐
//        └── the last of them ──> gathered ───────────────────┴──> log_write_out: one pwritev ──> indexes ──> log end
//
// (1) A gathered batch has its offsets, and the producer state knows it: the next append goes behind it. Nobody else
//     sees it: the log end stays until it is in the file, who locks the log for anything but an append writes it.
// (2) It lies in its request's frame or arena, which last until the request is answered; that is after the write.
// (3) A write that fails makes the log fail, as any other does, with all that was gathered.
//
// Tested by log_gather_test.c.
#include <stdatomic.h>

#include "log/log_internal.h"

enum { GATHER_SIZE_MAX = 1 << 20 };

void log_gather_init(struct log *log)
{
    list_init(&log->gathered.pieces);
}

int64_t log_next_offset(const struct log *log)
{
    return log->gathered.count > 0 ? log->gathered.end_offset : log_end_offset(log);
}

void log_gather(struct log *log, struct log_piece *piece, int64_t end_offset)
{
    list_init(&piece->link);
    list_append(&log->gathered.pieces, &piece->link);
    log->gathered.count++;
    log->gathered.size_bytes += piece->batches.size;
    log->gathered.end_offset = end_offset;
}

static bool has_room(const struct index_file *index)
{
    return index->count < index->max_entries - SEGMENT_PIECES_MAX;
}

// The first batch of a segment tells when that rolls: it does not wait.
bool log_may_gather(struct log *log)
{
    const struct segment *segment = log_active(log);
    return log->gathered.count < SEGMENT_PIECES_MAX - 1 &&
           log->gathered.size_bytes < GATHER_SIZE_MAX && segment->size_bytes > 0 &&
           has_room(&segment->offsets) && has_room(&segment->times);
}

static int append_timed(struct log *log, const struct bytes *pieces, int count)
{
    if (log->flusher == NULL)
        return segment_append(log_active(log), pieces, count);
    int64_t began_us = clock_monotonic_us(log->files.clock);
    int error = segment_append(log_active(log), pieces, count);
    log_flusher_note_write(log->flusher, &log->files, began_us);
    return error;
}

enum kafka_error log_write_out(struct log *log)
{
    struct log_gathered *gathered = &log->gathered;
    struct bytes pieces[SEGMENT_PIECES_MAX];
    int count = 0;
    struct list *link;
    while ((link = list_pop(&gathered->pieces)) != NULL)
        pieces[count++] = container_of(link, struct log_piece, link)->batches;
    size_t size_bytes = gathered->size_bytes;
    gathered->count = 0;
    gathered->size_bytes = 0;
    if (count == 0)
        return KERR_NONE;
    if (atomic_load(&log->has_failed))
        return KERR_KAFKA_STORAGE_ERROR;
    int error = append_timed(log, pieces, count);
    if (error != 0)
        return log_fail(log, "append", error);
    log->unsynced_bytes += size_bytes;
    atomic_store_explicit(&log->end_offset, gathered->end_offset, memory_order_release);
    return KERR_NONE;
}

void log_write_gathered(struct log *log)
{
    log_lock(log);
    log_unlock(log);
}
