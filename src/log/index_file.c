// SPDX-License-Identifier: Apache-2.0
#include "log/index_file.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/partition_dir.h"

enum { TAIL_FIRST = 16, TAIL_MAX = 512, SEARCH_BLOCK = 4096 };

void index_file_init(struct index_file *index, const struct log_files *files, int64_t base_offset,
                     const char *suffix, int entry_size, int32_t max_bytes)
{
    memset(index, 0, sizeof *index);
    index->files = files;
    index->suffix = suffix;
    index->base_offset = base_offset;
    index->entry_size = (uint16_t)entry_size;
    index->max_entries = max_bytes / entry_size;
}

void index_file_fini(struct index_file *index)
{
    disk_file_unref(index->file);
    mem_free(index->tail);
    index->file = NULL;
    index->tail = NULL;
}

static int open_file(struct index_file *index, int flags)
{
    if (index->file != NULL)
        return 0;
    char *path = log_file_path(index->files->dir, index->base_offset, index->suffix);
    int error = disk_open(index->files->disk, path, flags, &index->file);
    mem_free(path);
    return error;
}

static bool is_zero(const uint8_t *entry, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (entry[i] != 0)
            return false;
    return true;
}

static void keep_last(struct index_file *index, const uint8_t *entry)
{
    index->has_last = true;
    memcpy(index->last, entry, index->entry_size);
}

// The number of entries before the zeros that end the file: none of them is zero, all behind them are.
static int find_end(struct index_file *index, int32_t entries, int32_t *out)
{
    uint8_t entry[INDEX_ENTRY_SIZE_MAX];
    int32_t low = 0, high = entries;
    int32_t probe = entries - 1; // mostly there are no zeros
    while (low < high) {
        ssize_t n =
            disk_pread(index->file, entry, index->entry_size, (int64_t)probe * index->entry_size);
        if (n != index->entry_size)
            return n < 0 ? (int)n : -EIO;
        if (is_zero(entry, index->entry_size)) {
            high = probe;
        } else {
            low = probe + 1;
            keep_last(index, entry);
        }
        probe = low + (high - low) / 2;
    }
    *out = low;
    return 0;
}

int index_file_load(struct index_file *index)
{
    if (index->is_loaded)
        return 0;
    // Small segments have empty indexes, which need not be opened.
    struct disk_stat st;
    char *path = log_file_path(index->files->dir, index->base_offset, index->suffix);
    int error = index->files->disk->ops->stat(index->files->disk, path, &st);
    mem_free(path);
    if (error == -ENOENT) {
        index->is_loaded = true;
        return error;
    }
    if (error != 0)
        return error;
    int64_t size = st.size_bytes;
    if (size % index->entry_size != 0)
        return -EBADMSG;
    int32_t count = 0;
    if (size / index->entry_size > INT32_MAX)
        return -EBADMSG;
    if (size > 0)
        error = open_file(index, DISK_WRITE);
    if (error == 0)
        error = find_end(index, (int32_t)(size / index->entry_size), &count);
    if (error != 0)
        return error;
    index->count = index->written = index->tail_start = count;
    index->is_loaded = true;
    if (index->max_entries < count)
        index->max_entries = count; // the limit was higher once
    return 0;
}

void index_file_reset(struct index_file *index)
{
    index->count = index->written = index->tail_start = 0;
    index->has_last = false;
    index->is_loaded = true;
}

static uint8_t *tail_entry(const struct index_file *index, int32_t n)
{
    return index->tail + (size_t)(n - index->tail_start) * index->entry_size;
}

static int write_tail(struct index_file *index)
{
    if (index->written == index->count)
        return 0;
    int error = open_file(index, DISK_CREATE);
    if (error == 0)
        error = disk_pwrite(index->file, tail_entry(index, index->written),
                            (size_t)(index->count - index->written) * index->entry_size,
                            (int64_t)index->written * index->entry_size);
    if (error == 0) {
        index->written = index->count;
        index->is_dirty = true;
    }
    return error;
}

int index_file_append(struct index_file *index, const void *entry)
{
    must(index->is_loaded);
    if (index->count - index->tail_start == TAIL_MAX) {
        int error = write_tail(index);
        if (error != 0)
            return error;
        int32_t kept = TAIL_MAX / 2;
        memmove(index->tail, tail_entry(index, index->count - kept),
                (size_t)kept * index->entry_size);
        index->tail_start = index->count - kept;
    }
    if (index->count - index->tail_start == index->tail_capacity) {
        index->tail_capacity = index->tail_capacity == 0 ? TAIL_FIRST : index->tail_capacity * 2;
        index->tail = mem_realloc(index->tail, (size_t)index->tail_capacity * index->entry_size);
    }
    memcpy(tail_entry(index, index->count), entry, index->entry_size);
    index->count++;
    index->has_last = false;
    return 0;
}

int index_file_read(struct index_file *index, int32_t n, void *entry)
{
    must(n >= 0 && n < index->count);
    if (n >= index->tail_start) {
        memcpy(entry, tail_entry(index, n), index->entry_size);
        return 0;
    }
    if (index->has_last && n == index->count - 1) {
        memcpy(entry, index->last, index->entry_size);
        return 0;
    }
    int error = open_file(index, DISK_WRITE);
    if (error != 0)
        return error;
    ssize_t got = disk_pread(index->file, entry, index->entry_size, (int64_t)n * index->entry_size);
    if (got != index->entry_size)
        return got < 0 ? (int)got : -EIO;
    if (n == index->count - 1)
        keep_last(index, entry);
    return 0;
}

int index_file_truncate(struct index_file *index, int32_t count)
{
    must(count >= 0);
    if (count >= index->count)
        return 0;
    index->count = count;
    index->has_last = false;
    if (index->tail_start > count)
        index->tail_start = count;
    if (index->written > count) {
        int error = open_file(index, DISK_WRITE);
        if (error == 0)
            error =
                index->files->disk->ops->truncate(index->file, (int64_t)count * index->entry_size);
        if (error != 0)
            return error;
        index->written = count;
        index->is_dirty = true;
    }
    return 0;
}

int index_file_write_out(struct index_file *index)
{
    if (!index->is_loaded)
        return 0;
    int error = write_tail(index);
    if (error == 0)
        error = open_file(index, DISK_CREATE);
    if (error != 0)
        return error;
    int64_t size = disk_file_size(index->file);
    if (size < 0)
        return (int)size;
    int64_t wanted = (int64_t)index->count * index->entry_size;
    if (size == wanted)
        return 0;
    index->is_dirty = true;
    return index->files->disk->ops->truncate(index->file, wanted);
}

int index_file_sync(struct index_file *index)
{
    int error = index_file_write_out(index);
    if (error == 0 && index->is_dirty && index->file != NULL)
        error = index->files->disk->ops->sync(index->file);
    if (error == 0)
        index->is_dirty = false;
    return error;
}

void index_file_close(struct index_file *index)
{
    if (index->written != index->count)
        return;
    if (index->tail_start < index->count)
        keep_last(index, tail_entry(index, index->count - 1));
    disk_file_unref(index->file);
    mem_free(index->tail);
    index->file = NULL;
    index->tail = NULL;
    index->tail_capacity = 0;
    index->tail_start = index->count;
}

// The last of `count` entries whose key is <= target, or -1.
static int32_t floor_in(const uint8_t *entries, int32_t count, int entry_size, int64_t target,
                        index_key key)
{
    int32_t low = 0, high = count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (key(entries + (size_t)middle * (size_t)entry_size) > target)
            high = middle;
        else
            low = middle + 1;
    }
    return low - 1;
}

int32_t index_file_search(struct index_file *index, int64_t target, index_key key, int64_t origin,
                          void *entry, struct index_search *search, int *error)
{
    *search =
        (struct index_search){ .entry_size = index->entry_size, .key = key, .origin = origin };
    *error = 0;
    if (index->count == 0)
        return -1;
    // In memory: the tail's first entry, or the file's last.
    uint8_t edge[INDEX_ENTRY_SIZE_MAX];
    int32_t in_tail = index->count - index->tail_start;
    int32_t found = in_tail > 0 ? index->tail_start : index->count - 1;
    *error = index_file_read(index, found, edge);
    if (*error != 0)
        return -1;
    if (key(edge) > target) {
        if (index->tail_start == 0)
            return -1;
        *error = open_file(index, DISK_WRITE);
        if (*error == 0) {
            search->file = disk_file_ref(index->file);
            search->count = index->tail_start;
            search->upper = key(edge);
        }
        return -1;
    }
    if (in_tail > 0)
        found += floor_in(tail_entry(index, found), in_tail, index->entry_size, target, key);
    *error = index_file_read(index, found, entry);
    return found;
}

// Entries of the file as they are read for a search.
struct block {
    uint8_t entries[SEARCH_BLOCK];
    int32_t first, count;
};

static int read_block(const struct index_search *search, int32_t first, int32_t count,
                      struct block *block)
{
    size_t size = (size_t)count * (size_t)search->entry_size;
    int64_t position = (int64_t)first * search->entry_size;
    ssize_t n = search->only_cached
                    ? disk_pread_cached(search->file, block->entries, size, position)
                    : disk_pread(search->file, block->entries, size, position);
    block->first = first;
    block->count = count;
    return n == (ssize_t)size ? 0 : n < 0 ? (int)n : -EIO;
}

static int64_t key_in(const struct index_search *search, const struct block *block, int32_t i)
{
    return search->key(block->entries + (size_t)i * (size_t)search->entry_size);
}

// Narrows [*low, *high), where the answer's successor lies, to the block that is read last. Batches of a log are often
// of one size, so the place in between is reckoned first; only where that fails by halves.
static int find_block(const struct index_search *search, int64_t target, struct block *block)
{
    int32_t most = SEARCH_BLOCK / search->entry_size;
    int32_t low = 0, high = search->count; // the answer lies in [low, high), or there is none
    if (high > most && search->origin != INDEX_NO_ORIGIN) {
        double share = ((double)target - (double)search->origin) /
                       ((double)search->upper - (double)search->origin);
        int32_t guess = share > 0 ? (int32_t)(share * high) : 0;
        int32_t first = guess - most / 2 < 0 ? 0 : guess - most / 2;
        if (first > high - most)
            first = high - most;
        int error = read_block(search, first, most, block);
        if (error != 0)
            return error;
        bool is_before = key_in(search, block, 0) > target;
        if (!is_before && (first + most == high || key_in(search, block, most - 1) > target))
            return 0;
        if (is_before)
            high = first;
        else
            low = first + most - 1;
    }
    while (high - low > most) {
        int32_t middle = low + (high - low) / 2;
        int error = read_block(search, middle, 1, block);
        if (error != 0)
            return error;
        if (key_in(search, block, 0) > target)
            high = middle;
        else
            low = middle;
    }
    return read_block(search, low, high - low, block);
}

int32_t index_file_search_file(const struct index_search *search, int64_t target, void *entry,
                               int *error)
{
    struct block block;
    *error = find_block(search, target, &block);
    if (*error != 0)
        return -1;
    int32_t found = floor_in(block.entries, block.count, search->entry_size, target, search->key);
    if (found < 0)
        return -1;
    memcpy(entry, block.entries + (size_t)found * (size_t)search->entry_size,
           (size_t)search->entry_size);
    return block.first + found;
}
