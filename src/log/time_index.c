// SPDX-License-Identifier: Apache-2.0
#include "log/time_index.h"

#include <errno.h>

static int64_t timestamp_of(const uint8_t *entry)
{
    return (int64_t)get_be64(entry);
}

static void decode(int64_t base_offset, const uint8_t *entry, struct timestamp_offset *out)
{
    out->timestamp = (int64_t)get_be64(entry);
    out->offset = base_offset + (int32_t)get_be32(entry + 8);
}

void time_index_init(struct index_file *index, const struct log_files *files, int64_t base_offset,
                     int32_t max_bytes)
{
    index_file_init(index, files, base_offset, ".timeindex", TIME_INDEX_ENTRY_SIZE, max_bytes);
}

int time_index_last(struct index_file *index, struct timestamp_offset *out)
{
    *out = (struct timestamp_offset){ -1, index->base_offset };
    if (index->count == 0)
        return 0;
    uint8_t entry[TIME_INDEX_ENTRY_SIZE];
    int error = index_file_read(index, index->count - 1, entry);
    if (error == 0)
        decode(index->base_offset, entry, out);
    return error;
}

int time_index_append(struct index_file *index, int64_t timestamp, int64_t offset)
{
    struct timestamp_offset last;
    int error = time_index_last(index, &last);
    if (error != 0)
        return error;
    if (timestamp <= last.timestamp)
        return 0;
    if (index->count > 0 && offset < last.offset)
        return -EINVAL;
    uint8_t entry[TIME_INDEX_ENTRY_SIZE];
    put_be64(entry, (uint64_t)timestamp);
    put_be32(entry + 8, (uint32_t)(offset - index->base_offset));
    return index_file_append(index, entry);
}

// One place is left for the entry that ends the segment.
bool time_index_is_full(const struct index_file *index)
{
    return index->count >= index->max_entries - 1;
}

int time_index_find(struct index_file *index, int64_t timestamp, struct timestamp_offset *out)
{
    uint8_t entry[TIME_INDEX_ENTRY_SIZE];
    struct index_search search;
    int error;
    int32_t slot =
        index_file_search(index, timestamp, timestamp_of, INDEX_NO_ORIGIN, entry, &search, &error);
    if (search.file != NULL)
        slot = index_file_search_file(&search, timestamp, entry, &error);
    disk_file_unref(search.file);
    *out = (struct timestamp_offset){ -1, index->base_offset };
    if (error == 0 && slot >= 0)
        decode(index->base_offset, entry, out);
    return error;
}

int time_index_truncate(struct index_file *index, int64_t offset)
{
    int32_t low = 0, high = index->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        uint8_t entry[TIME_INDEX_ENTRY_SIZE];
        struct timestamp_offset at;
        int error = index_file_read(index, middle, entry);
        if (error != 0)
            return error;
        decode(index->base_offset, entry, &at);
        if (at.offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return index_file_truncate(index, low);
}
