// SPDX-License-Identifier: Apache-2.0
// What every disk can do, in terms of its table of functions.
#include "base/disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

struct disk_file *disk_file_ref(struct disk_file *file)
{
    must(atomic_fetch_add_explicit(&file->_refs, 1, memory_order_relaxed) > 0);
    return file;
}

void disk_file_unref(struct disk_file *file)
{
    if (file == NULL)
        return;
    int before = atomic_fetch_sub_explicit(&file->_refs, 1, memory_order_acq_rel);
    must(before > 0);
    if (before == 1)
        file->disk->ops->close(file);
}

ssize_t disk_pread(struct disk_file *file, void *into, size_t size, int64_t position)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n =
            file->disk->ops->pread(file, (char *)into + got, size - got, position + (int64_t)got);
        if (n == -EINTR)
            continue;
        if (n < 0)
            return n;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

ssize_t disk_pread_cached(struct disk_file *file, void *into, size_t size, int64_t position)
{
    ssize_t n = file->disk->ops->pread_cached(file, into, size, position);
    return n < 0 || n == (ssize_t)size ? n : -EAGAIN;
}

int disk_pwritev(struct disk_file *file, struct iovec *iov, int iov_count, int64_t position)
{
    while (iov_count > 0) {
        ssize_t n = file->disk->ops->pwritev(file, iov, iov_count, position);
        if (n == -EINTR)
            continue;
        if (n < 0)
            return (int)n;
        position += n;
        while (iov_count > 0 && (size_t)n >= iov->iov_len) {
            n -= (ssize_t)iov->iov_len;
            iov++, iov_count--;
        }
        if (iov_count > 0) {
            iov->iov_base = (char *)iov->iov_base + n;
            iov->iov_len -= (size_t)n;
        }
    }
    return 0;
}

int disk_pwrite(struct disk_file *file, const void *from, size_t size, int64_t position)
{
    struct iovec iov = { (void *)from, size };
    return size == 0 ? 0 : disk_pwritev(file, &iov, 1, position);
}

int64_t disk_file_size(struct disk_file *file)
{
    struct disk_stat st;
    int error = file->disk->ops->stat_file(file, &st);
    return error != 0 ? error : st.size_bytes;
}

int disk_read_whole(struct disk *disk, const char *path, struct strbuf *out)
{
    struct disk_file *file;
    int error = disk_open(disk, path, DISK_READ, &file);
    if (error != 0)
        return error;
    char chunk[4096];
    int64_t position = 0;
    for (;;) {
        ssize_t n = disk->ops->pread(file, chunk, sizeof chunk, position);
        if (n == -EINTR)
            continue;
        if (n < 0) {
            error = (int)n;
            break;
        }
        strbuf_add(out, chunk, (size_t)n);
        position += n;
        if (n < (ssize_t)sizeof chunk) // of a plain file less than asked for is its end
            break;
    }
    disk_file_unref(file);
    return error;
}

static int sync_parent(struct disk *disk, const char *path)
{
    char *parent = mem_strdup(path);
    char *slash = strrchr(parent, '/');
    if (slash == parent)
        slash[1] = '\0';
    else if (slash != NULL)
        *slash = '\0';
    int error = disk->ops->sync_dir(disk, slash == NULL ? "." : parent);
    mem_free(parent);
    return error;
}

int disk_write_atomic(struct disk *disk, const char *path, const void *data, size_t size)
{
    char *temporary = mem_printf("%s.tmp", path);
    struct disk_file *file;
    int error = disk_open(disk, temporary, DISK_CREATE | DISK_TRUNCATE, &file);
    if (error == 0) {
        error = disk_pwrite(file, data, size, 0);
        if (error == 0)
            error = disk->ops->sync(file);
        disk_file_unref(file);
    }
    if (error == 0)
        error = disk->ops->rename(disk, temporary, path);
    if (error == 0)
        error = sync_parent(disk, path);
    mem_free(temporary);
    return error;
}

int disk_rename_synced(struct disk *disk, const char *from, const char *to)
{
    int error = disk->ops->rename(disk, from, to);
    if (error == 0)
        error = sync_parent(disk, to);
    const char *from_end = strrchr(from, '/'), *to_end = strrchr(to, '/');
    bool is_same_folder = from_end != NULL && to_end != NULL && from_end - from == to_end - to &&
                          memcmp(from, to, (size_t)(from_end - from)) == 0;
    if (error == 0 && !is_same_folder)
        error = sync_parent(disk, from);
    return error;
}

bool disk_exists(struct disk *disk, const char *path)
{
    struct disk_stat st;
    return disk->ops->stat(disk, path, &st) == 0;
}

int disk_mkdirs(struct disk *disk, const char *path)
{
    char *copy = mem_strdup(path);
    int error = 0;
    for (char *at = copy + 1; error == 0; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char end = *at;
        *at = '\0';
        error = disk->ops->mkdir(disk, copy);
        struct disk_stat st;
        if (error == -EEXIST && disk->ops->stat(disk, copy, &st) == 0 && st.is_directory)
            error = 0;
        *at = end;
        if (end == '\0')
            break;
    }
    mem_free(copy);
    return error;
}

struct names {
    char **items;
    size_t count, capacity;
};

static int collect_name(void *arg, const char *name)
{
    struct names *names = arg;
    vec_reserve(names->items, names->count + 1, names->capacity);
    names->items[names->count++] = mem_strdup(name);
    return 0;
}

int disk_remove_tree(struct disk *disk, const char *path)
{
    struct disk_stat st;
    int error = disk->ops->stat(disk, path, &st);
    if (error == -ENOENT)
        return 0;
    if (error != 0)
        return error;
    if (!st.is_directory)
        return disk->ops->unlink(disk, path);
    struct names names = { 0 };
    error = disk->ops->list(disk, path, collect_name, &names);
    for (size_t i = 0; i < names.count; i++) {
        char *child = mem_printf("%s/%s", path, names.items[i]);
        if (error == 0)
            error = disk_remove_tree(disk, child);
        mem_free(child);
        mem_free(names.items[i]);
    }
    mem_free(names.items);
    return error != 0 ? error : disk->ops->rmdir(disk, path);
}
