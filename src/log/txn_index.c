// SPDX-License-Identifier: Apache-2.0
#include "log/txn_index.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/partition_dir.h"

void txn_index_init(struct txn_index *index, const struct log_files *files, int64_t base_offset)
{
    memset(index, 0, sizeof *index);
    index->files = files;
    index->base_offset = base_offset;
}

void txn_index_fini(struct txn_index *index)
{
    txn_index_close(index);
}

void txn_index_close(struct txn_index *index)
{
    disk_file_unref(index->file);
    index->file = NULL;
}

static int open_file(struct txn_index *index, int flags)
{
    if (index->file != NULL)
        return 0;
    char *path = log_file_path(index->files->dir, index->base_offset, ".txnindex");
    int error = disk_open(index->files->disk, path, flags, &index->file);
    mem_free(path);
    return error;
}

int txn_index_open(struct txn_index *index)
{
    return open_file(index, DISK_WRITE);
}

void txn_index_encode(uint8_t e[TXN_INDEX_ENTRY_SIZE], const struct aborted_txn *txn)
{
    put_be16(e, 0);
    put_be64(e + 2, (uint64_t)txn->producer_id);
    put_be64(e + 10, (uint64_t)txn->first_offset);
    put_be64(e + 18, (uint64_t)txn->last_offset);
    put_be64(e + 26, (uint64_t)txn->last_stable_offset);
}

int txn_index_decode(const uint8_t e[TXN_INDEX_ENTRY_SIZE], struct aborted_txn *out)
{
    if ((int16_t)get_be16(e) > 0)
        return -EBADMSG;
    out->producer_id = (int64_t)get_be64(e + 2);
    out->first_offset = (int64_t)get_be64(e + 10);
    out->last_offset = (int64_t)get_be64(e + 18);
    out->last_stable_offset = (int64_t)get_be64(e + 26);
    return 0;
}

int txn_index_load(struct txn_index *index)
{
    if (index->is_loaded)
        return 0;
    int error = open_file(index, DISK_WRITE);
    if (error == -ENOENT) {
        index->is_loaded = true;
        return 0;
    }
    if (error != 0)
        return error;
    int64_t size = disk_file_size(index->file);
    if (size < 0)
        return (int)size;
    if (size / TXN_INDEX_ENTRY_SIZE > INT32_MAX)
        return -EBADMSG;
    index->count =
        (int32_t)(size / TXN_INDEX_ENTRY_SIZE); // a torn last entry is overwritten by the next
    index->is_loaded = true;
    for (int32_t i = 0; i < index->count; i++) {
        struct aborted_txn txn;
        error = txn_index_read(index, i, &txn);
        if (error == 0 && txn.last_offset < index->base_offset)
            error = -EBADMSG;
        if (error != 0) {
            index->is_loaded = false;
            return error;
        }
    }
    return 0;
}

int txn_index_read(struct txn_index *index, int32_t n, struct aborted_txn *out)
{
    must(index->is_loaded && n >= 0 && n < index->count);
    uint8_t e[TXN_INDEX_ENTRY_SIZE];
    int error = open_file(index, DISK_WRITE);
    if (error != 0)
        return error;
    ssize_t got = disk_pread(index->file, e, sizeof e, (int64_t)n * TXN_INDEX_ENTRY_SIZE);
    if (got != (ssize_t)sizeof e)
        return got < 0 ? (int)got : -EIO;
    return txn_index_decode(e, out);
}

int txn_index_append(struct txn_index *index, const struct aborted_txn *txn)
{
    int error = txn_index_load(index);
    if (error == 0)
        error = open_file(index, DISK_CREATE);
    if (error != 0)
        return error;
    uint8_t e[TXN_INDEX_ENTRY_SIZE];
    txn_index_encode(e, txn);
    error = disk_pwrite(index->file, e, sizeof e, (int64_t)index->count * TXN_INDEX_ENTRY_SIZE);
    if (error == 0) {
        index->count++;
        index->is_dirty = true;
    }
    return error;
}

static int cut(struct txn_index *index, int32_t count)
{
    int error = open_file(index, DISK_WRITE);
    if (error == -ENOENT)
        error = 0;
    else if (error == 0)
        error =
            index->files->disk->ops->truncate(index->file, (int64_t)count * TXN_INDEX_ENTRY_SIZE);
    if (error == 0) {
        index->count = count;
        index->is_loaded = true;
        index->is_dirty = true;
    }
    return error;
}

int txn_index_reset(struct txn_index *index)
{
    return cut(index, 0);
}

int txn_index_truncate(struct txn_index *index, int64_t offset)
{
    int error = txn_index_load(index);
    for (int32_t i = 0; error == 0 && i < index->count; i++) {
        struct aborted_txn txn;
        error = txn_index_read(index, i, &txn);
        if (error == 0 && txn.last_offset >= offset)
            return cut(index, i);
    }
    return error;
}

int txn_index_sync(struct txn_index *index)
{
    int error = 0;
    if (index->is_dirty && index->file != NULL)
        error = index->files->disk->ops->sync(index->file);
    if (error == 0)
        index->is_dirty = false;
    return error;
}
