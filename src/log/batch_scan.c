// SPDX-License-Identifier: Apache-2.0
#include "log/batch_scan.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/old_records.h"

void batch_scan_init(struct batch_scan *scan, struct disk_file *file, int64_t position, int64_t end)
{
    must(position >= 0);
    scan->header = NULL;
    scan->position = scan->_next = position;
    scan->size = 0;
    scan->error = 0;
    scan->fault = NULL;
    scan->is_old_format = scan->only_cached = scan->is_sparse = false;
    scan->_file = file;
    scan->_known = NULL;
    scan->_known_count = 0;
    scan->_end = end;
    scan->_buffer_position = 0;
    scan->_buffer_used = 0;
    scan->_whole = NULL;
    scan->_whole_capacity = 0;
    scan->_buffer = scan->_small;
    scan->_buffer_size = sizeof scan->_small;
}

void batch_scan_init_whole(struct batch_scan *scan, struct disk_file *file, int64_t position,
                           int64_t end)
{
    batch_scan_init(scan, file, position, end);
    if (end - position <= (int64_t)sizeof scan->_small)
        return;
    scan->_buffer_size =
        end - position < BATCH_SCAN_CHECK ? (size_t)(end - position) : (size_t)BATCH_SCAN_CHECK;
    scan->_buffer = mem_alloc(scan->_buffer_size);
}

void batch_scan_know(struct batch_scan *scan, const uint8_t *headers, size_t count)
{
    scan->_known = headers;
    scan->_known_count = count;
}

void batch_scan_fini(struct batch_scan *scan)
{
    if (scan->_buffer != scan->_small)
        mem_free(scan->_buffer);
    scan->_buffer = NULL;
    mem_free(scan->_whole);
    scan->_whole = NULL;
}

static bool fault(struct batch_scan *scan, const char *reason)
{
    scan->fault = reason;
    return false;
}

// Reads `most` bytes ahead from `position` on.
static bool fill_buffer(struct batch_scan *scan, int64_t position, size_t most)
{
    int64_t left = scan->_end - position;
    size_t size = left < (int64_t)most ? (size_t)left : most;
    ssize_t n = scan->only_cached ? disk_pread_cached(scan->_file, scan->_buffer, size, position)
                                  : disk_pread(scan->_file, scan->_buffer, size, position);
    if (n != (ssize_t)size) {
        scan->error = n < 0 ? (int)n : -EIO;
        return false;
    }
    scan->_buffer_position = position;
    scan->_buffer_used = size;
    return true;
}

// The header at `position`, from memory if the last read holds it.
static const uint8_t *header_at(struct batch_scan *scan, int64_t position)
{
    if (scan->_known_count > 0) {
        scan->_known_count--;
        scan->_known += BATCH_HEADER_SIZE;
        return scan->_known - BATCH_HEADER_SIZE;
    }
    int64_t into = position - scan->_buffer_position;
    if (into < 0 || into + BATCH_HEADER_SIZE > (int64_t)scan->_buffer_used) {
        // Behind a batch that a small buffer cannot hold there is likely another: of that only the header is wanted.
        bool is_large =
            scan->size == 0 ? scan->is_sparse : scan->size > (int64_t)sizeof scan->_small;
        if (!fill_buffer(scan, position,
                         is_large && scan->_buffer == scan->_small ? BATCH_HEADER_SIZE
                                                                   : scan->_buffer_size))
            return NULL;
        into = 0;
    }
    return scan->_buffer + into;
}

static bool found(struct batch_scan *scan, const uint8_t *header, int64_t size)
{
    if (size > scan->_end - scan->position)
        return fault(scan, "cut batch");
    scan->header = header;
    scan->size = size;
    scan->_next = scan->position + size;
    return true;
}

static bool found_old(struct batch_scan *scan, const uint8_t *head)
{
    if (!old_records_is_message(head))
        return fault(scan, "no batch");
    if (batch_base_offset(head) < 0)
        return fault(scan, "impossible offsets");
    if (batch_size(head) > scan->_end - scan->position)
        return fault(scan, "cut batch");
    old_records_header(head, scan->_old_header);
    scan->is_old_format = true;
    return found(scan, scan->_old_header, batch_size(head));
}

bool batch_scan_next(struct batch_scan *scan)
{
    if (scan->error != 0 || scan->fault != NULL)
        return false;
    scan->position = scan->_next;
    if (scan->position == scan->_end)
        return false;
    // Messages of old formats may be smaller than our header.
    if (scan->_end - scan->position < BATCH_SIZE_OVERHEAD + BATCH_MIN_SIZE_FIELD)
        return fault(scan, "cut header");
    const uint8_t *header = header_at(scan, scan->position);
    if (header == NULL)
        return false;
    int64_t size = batch_size(header);
    scan->is_old_format = false;
    if (batch_magic(header) != BATCH_MAGIC)
        return found_old(scan, header);
    if (scan->_end - scan->position < BATCH_HEADER_SIZE)
        return fault(scan, "cut header");
    if (size < BATCH_HEADER_SIZE)
        return fault(scan, "impossible size");
    if (batch_last_offset_delta(header) < 0 || batch_base_offset(header) < 0)
        return fault(scan, "impossible offsets");
    return found(scan, header, size);
}

bool batch_scan_is_intact(const struct batch_scan *scan, struct bytes batch)
{
    return scan->is_old_format ? old_records_is_intact(batch) : batch_is_intact(batch);
}

bool batch_scan_load(struct batch_scan *scan, struct bytes *batch)
{
    int64_t into = scan->position - scan->_buffer_position;
    if (into >= 0 && into + scan->size <= (int64_t)scan->_buffer_used) {
        *batch = (struct bytes){ scan->_buffer + into, (size_t)scan->size };
        return true;
    }
    if (scan->_buffer != scan->_small && scan->size <= (int64_t)scan->_buffer_size) {
        if (!fill_buffer(scan, scan->position, scan->_buffer_size))
            return false;
        if (!scan->is_old_format)
            scan->header = scan->_buffer; // it has moved
        *batch = (struct bytes){ scan->_buffer, (size_t)scan->size };
        return true;
    }
    vec_reserve(scan->_whole, (size_t)scan->size, scan->_whole_capacity);
    ssize_t n = disk_pread(scan->_file, scan->_whole, (size_t)scan->size, scan->position);
    if (n != scan->size) {
        scan->error = n < 0 ? (int)n : -EIO;
        return false;
    }
    *batch = (struct bytes){ scan->_whole, (size_t)scan->size };
    return true;
}
