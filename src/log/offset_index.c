// SPDX-License-Identifier: Apache-2.0
#include "log/offset_index.h"

#include <errno.h>

static int64_t offset_of(const uint8_t *entry)
{
    return (int32_t)get_be32(entry);
}

static void decode(int64_t base_offset, const uint8_t *entry, struct offset_position *out)
{
    out->offset = base_offset + (int32_t)get_be32(entry);
    out->position = (int32_t)get_be32(entry + 4);
}

void offset_index_init(struct index_file *index, const struct log_files *files, int64_t base_offset,
                       int32_t max_bytes)
{
    index_file_init(index, files, base_offset, ".index", OFFSET_INDEX_ENTRY_SIZE, max_bytes);
}

int offset_index_last(struct index_file *index, struct offset_position *out)
{
    *out = (struct offset_position){ index->base_offset, 0 };
    if (index->count == 0)
        return 0;
    uint8_t entry[OFFSET_INDEX_ENTRY_SIZE];
    int error = index_file_read(index, index->count - 1, entry);
    if (error == 0)
        decode(index->base_offset, entry, out);
    return error;
}

int offset_index_append(struct index_file *index, int64_t offset, int32_t position)
{
    struct offset_position last;
    int error = offset_index_last(index, &last);
    if (error != 0)
        return error;
    if (index->count > 0 && (offset <= last.offset || position <= last.position))
        return -EINVAL;
    uint8_t entry[OFFSET_INDEX_ENTRY_SIZE];
    put_be32(entry, (uint32_t)(offset - index->base_offset));
    put_be32(entry + 4, (uint32_t)position);
    return index_file_append(index, entry);
}

bool offset_index_is_full(const struct index_file *index)
{
    return index->count >= index->max_entries;
}

int offset_index_lookup(struct index_file *index, int64_t offset, struct offset_position *out,
                        struct index_search *search)
{
    uint8_t entry[OFFSET_INDEX_ENTRY_SIZE];
    int error;
    int32_t slot =
        index_file_search(index, offset - index->base_offset, offset_of, 0, entry, search, &error);
    *out = (struct offset_position){ index->base_offset, 0 };
    if (error != 0)
        return error;
    if (slot >= 0)
        decode(index->base_offset, entry, out);
    return search->file != NULL;
}

int offset_index_search_file(struct index_search *search, int64_t base_offset, int64_t offset,
                             struct offset_position *out)
{
    uint8_t entry[OFFSET_INDEX_ENTRY_SIZE];
    int error;
    int32_t slot = index_file_search_file(search, offset - base_offset, entry, &error);
    disk_file_unref(search->file);
    search->file = NULL;
    *out = (struct offset_position){ base_offset, 0 };
    if (error == 0 && slot >= 0)
        decode(base_offset, entry, out);
    return error;
}

int offset_index_find(struct index_file *index, int64_t offset, struct offset_position *out)
{
    struct index_search search;
    int result = offset_index_lookup(index, offset, out, &search);
    return result == 1 ? offset_index_search_file(&search, index->base_offset, offset, out)
                       : result;
}

int offset_index_truncate(struct index_file *index, int64_t offset)
{
    // By halves over entries in memory and in the file alike: truncation is rare.
    int32_t low = 0, high = index->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        uint8_t entry[OFFSET_INDEX_ENTRY_SIZE];
        int error = index_file_read(index, middle, entry);
        if (error != 0)
            return error;
        if (offset_of(entry) < offset - index->base_offset)
            low = middle + 1;
        else
            high = middle;
    }
    return index_file_truncate(index, low);
}
