// SPDX-License-Identifier: Apache-2.0
#include "log/batch_reader.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/old_records.h"

enum { BUFFER_MIN = 4096 };

void batch_reader_init(struct batch_reader *reader, size_t buffer_bytes)
{
    memset(reader, 0, sizeof *reader);
    reader->_capacity_wanted = buffer_bytes < BUFFER_MIN ? BUFFER_MIN : buffer_bytes;
}

void batch_reader_fini(struct batch_reader *reader)
{
    mem_free(reader->_buffer);
    reader->_buffer = NULL;
}

static void set_capacity(struct batch_reader *reader, size_t capacity)
{
    // What is in it is read again: this is rare.
    mem_free(reader->_buffer);
    reader->_buffer = mem_alloc(capacity);
    reader->_capacity = capacity;
    reader->_buffer_used = 0;
}

void batch_reader_open(struct batch_reader *reader, struct disk_file *file, int64_t from,
                       int64_t end)
{
    must(from >= 0 && from <= end);
    if (reader->_capacity != reader->_capacity_wanted)
        set_capacity(reader, reader->_capacity_wanted);
    reader->_file = file;
    reader->_next = reader->position = from;
    reader->_end = end;
    reader->_buffer_position = from;
    reader->_buffer_used = 0;
    reader->fault = NULL;
}

// Makes `size` bytes from _next on be in memory; they are before the end.
static int need(struct batch_reader *reader, size_t size, const uint8_t **data)
{
    size_t into = (size_t)(reader->_next - reader->_buffer_position);
    if (into + size > reader->_buffer_used) {
        if (size > reader->_capacity)
            set_capacity(reader, size);
        int64_t left = reader->_end - reader->_next;
        size_t wanted = left < (int64_t)reader->_capacity ? (size_t)left : reader->_capacity;
        ssize_t n = disk_pread(reader->_file, reader->_buffer, wanted, reader->_next);
        if (n != (ssize_t)wanted) {
            reader->fault = n < 0 ? NULL : "file is shorter than it was";
            return n < 0 ? (int)n : -EBADMSG;
        }
        reader->_buffer_position = reader->_next;
        reader->_buffer_used = wanted;
        into = 0;
    }
    *data = reader->_buffer + into;
    return 0;
}

static int fault(struct batch_reader *reader, int error, const char *reason)
{
    reader->fault = reason;
    return error;
}

int batch_reader_next(struct batch_reader *reader, struct bytes *batch)
{
    const uint8_t *data;
    int64_t left = reader->_end - reader->_next;
    reader->position = reader->_next;
    if (left == 0)
        return 0;
    if (left < BATCH_SIZE_OVERHEAD + BATCH_MIN_SIZE_FIELD)
        return fault(reader, -EBADMSG, "cut header");
    int error = need(reader, BATCH_SIZE_OVERHEAD + BATCH_MIN_SIZE_FIELD, &data);
    if (error != 0)
        return error;
    int64_t size = batch_size(data);
    if (size < BATCH_SIZE_OVERHEAD + BATCH_MIN_SIZE_FIELD)
        return fault(reader, -EBADMSG, "impossible size");
    if (size > left)
        return fault(reader, -EBADMSG, "cut batch");
    error = need(reader, (size_t)size, &data);
    if (error != 0)
        return error;
    *batch = (struct bytes){ data, (size_t)size };
    reader->is_old = batch_magic(data) != BATCH_MAGIC;
    if (reader->is_old && !old_records_is_message(data))
        return fault(reader, -EBADMSG, "no batch");
    if (reader->is_old ? !old_records_is_intact(*batch) : !batch_is_intact(*batch))
        return fault(reader, -EBADMSG, "wrong checksum");
    if (batch_base_offset(data) < 0 || (!reader->is_old && batch_last_offset_delta(data) < 0))
        return fault(reader, -EBADMSG, "impossible offsets");
    reader->_next += size;
    return 1;
}
