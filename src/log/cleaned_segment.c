// SPDX-License-Identifier: Apache-2.0
#include "log/cleaned_segment.h"

#include <errno.h>
#include <string.h>

#include "base/must.h"
#include "log/log_cleaning.h"
#include "log/offset_index.h"
#include "log/time_index.h"
#include "record/batch.h"

int cleaned_segment_open(struct cleaned_segment *cleaned, struct log *log, int64_t base_offset,
                         const struct log_config *config, size_t buffer_bytes)
{
    *cleaned = (struct cleaned_segment){
        .log = log,
        .base_offset = base_offset,
        ._buffer_bytes = buffer_bytes,
        ._index_interval_bytes = config->index_interval_bytes,
        ._index_bytes_max = config->segment_index_bytes,
        ._max_timestamp = NO_TIMESTAMP,
        ._max_timestamp_offset = base_offset,
        ._last_time = NO_TIMESTAMP,
    };
    // What an interrupted cleaning left under these names.
    log_discard_cleaned(log, base_offset);
    return log_create_cleaned(log, base_offset, ".log", &cleaned->_file);
}

static int write_out(struct cleaned_segment *cleaned)
{
    if (cleaned->out.size == 0)
        return 0;
    int error =
        disk_pwrite(cleaned->_file, cleaned->out.data, cleaned->out.size, cleaned->_written);
    cleaned->_written += (int64_t)cleaned->out.size;
    cleaned->out.size = cleaned->_noted = 0;
    return error;
}

static bool has_room(const struct cleaned_segment *cleaned, const struct strbuf *index, int entry)
{
    return index->size + (size_t)entry <= (size_t)cleaned->_index_bytes_max;
}

static void add_time(struct cleaned_segment *cleaned)
{
    if (cleaned->_max_timestamp <= cleaned->_last_time)
        return;
    uint8_t entry[TIME_INDEX_ENTRY_SIZE];
    put_be64(entry, (uint64_t)cleaned->_max_timestamp);
    put_be32(entry + 8, (uint32_t)(cleaned->_max_timestamp_offset - cleaned->base_offset));
    strbuf_add(&cleaned->_times, entry, sizeof entry);
    cleaned->_last_time = cleaned->_max_timestamp;
}

// As segment_note_batch does for one that grows. An index that is full stays as sparse as it is.
static void add_entries(struct cleaned_segment *cleaned, const uint8_t *header, int64_t position)
{
    uint8_t entry[OFFSET_INDEX_ENTRY_SIZE];
    put_be32(entry, (uint32_t)(batch_last_offset(header) - cleaned->base_offset));
    put_be32(entry + 4, (uint32_t)position);
    if (has_room(cleaned, &cleaned->_offsets, sizeof entry))
        strbuf_add(&cleaned->_offsets, entry, sizeof entry);
    // The last place is for the end of the segment.
    if (has_room(cleaned, &cleaned->_times, 2 * TIME_INDEX_ENTRY_SIZE))
        add_time(cleaned);
}

int cleaned_segment_note(struct cleaned_segment *cleaned)
{
    const uint8_t *header = (const uint8_t *)cleaned->out.data + cleaned->_noted;
    size_t size = cleaned->out.size - cleaned->_noted;
    must(size >= BATCH_HEADER_SIZE && (int64_t)size == batch_size(header));
    int64_t last_offset = batch_last_offset(header);
    if (batch_base_offset(header) < cleaned->base_offset ||
        last_offset - cleaned->base_offset > INT32_MAX ||
        cleaned->size_bytes > INT32_MAX - (int64_t)size)
        return -EOVERFLOW;
    if (batch_max_timestamp(header) > cleaned->_max_timestamp) {
        cleaned->_max_timestamp = batch_max_timestamp(header);
        cleaned->_max_timestamp_offset = last_offset;
    }
    if (cleaned->_bytes_since_index > cleaned->_index_interval_bytes) {
        add_entries(cleaned, header, cleaned->size_bytes);
        cleaned->_bytes_since_index = 0;
    }
    cleaned->_bytes_since_index += (int32_t)size;
    cleaned->size_bytes += (int64_t)size;
    cleaned->_noted = cleaned->out.size;
    return cleaned->out.size >= cleaned->_buffer_bytes ? write_out(cleaned) : 0;
}

void cleaned_segment_add_txn(struct cleaned_segment *cleaned, const struct aborted_txn *txn)
{
    uint8_t entry[TXN_INDEX_ENTRY_SIZE];
    txn_index_encode(entry, txn);
    strbuf_add(&cleaned->_txns, entry, sizeof entry);
}

static int write_file(struct cleaned_segment *cleaned, const char *suffix,
                      const struct strbuf *content, int64_t modified_ms)
{
    struct disk_file *file;
    int error = log_create_cleaned(cleaned->log, cleaned->base_offset, suffix, &file);
    if (error != 0)
        return error;
    const struct disk_ops *ops = file->disk->ops;
    if (content->size > 0)
        error = disk_pwrite(file, content->data, content->size, 0);
    if (error == 0)
        error = ops->set_modified(file, modified_ms);
    if (error == 0)
        error = ops->sync(file);
    disk_file_unref(file);
    return error;
}

int cleaned_segment_finish(struct cleaned_segment *cleaned, int64_t modified_ms)
{
    const struct disk_ops *ops = cleaned->_file->disk->ops;
    must(cleaned->_noted == cleaned->out.size);
    int error = write_out(cleaned);
    if (error == 0)
        error = ops->set_modified(cleaned->_file, modified_ms);
    if (error == 0)
        error = ops->sync(cleaned->_file);
    add_time(cleaned);
    if (error == 0)
        error = write_file(cleaned, ".index", &cleaned->_offsets, modified_ms);
    if (error == 0)
        error = write_file(cleaned, ".timeindex", &cleaned->_times, modified_ms);
    if (error == 0 && cleaned->_txns.size > 0)
        error = write_file(cleaned, ".txnindex", &cleaned->_txns, modified_ms);
    cleaned->is_finished = error == 0;
    return error;
}

void cleaned_segment_fini(struct cleaned_segment *cleaned)
{
    disk_file_unref(cleaned->_file);
    cleaned->_file = NULL;
    strbuf_fini(&cleaned->out);
    strbuf_fini(&cleaned->_offsets);
    strbuf_fini(&cleaned->_times);
    strbuf_fini(&cleaned->_txns);
    if (!cleaned->is_finished)
        log_discard_cleaned(cleaned->log, cleaned->base_offset);
}
