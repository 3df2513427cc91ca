// SPDX-License-Identifier: Apache-2.0
#include "log/disk_testing.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum { SECTOR = 512 };

struct memory_inode {
    uint8_t *data;
    size_t size, capacity;
    uint8_t *synced;
    size_t synced_size;
    bool is_directory;
    int64_t modified_ms;
    int refs; // open files; names are not counted, inodes live as long as the disk
};

struct memory_name { // an entry of a folder; what the folder holds goes with it when it is renamed
    const struct memory_inode *parent; // NULL: the root
    char *name;
    struct memory_inode *inode;
    struct memory_inode *synced; // what the name means after a crash; NULL: nothing
};

struct memory_change {
    const struct memory_inode *parent;
    char *name;
    struct memory_inode *inode; // NULL: removed
};

struct memory_file {
    struct disk_file file; // first
    struct memory_inode *inode;
    uint64_t generation;
};

static struct memory_disk *self(struct disk *disk)
{
    return (struct memory_disk *)(void *)disk;
}

uint64_t memory_disk_random(struct memory_disk *disk)
{
    disk->_random ^= disk->_random << 13;
    disk->_random ^= disk->_random >> 7;
    disk->_random ^= disk->_random << 17;
    return disk->_random;
}

// Counts a call that changes something; what it has to answer, or 0.
static int count_call(struct memory_disk *disk)
{
    disk->calls++;
    if (disk->fail_at == 0 || disk->calls < disk->fail_at)
        return 0;
    if (disk->calls == disk->fail_at)
        return disk->fail_with;
    return disk->stays_broken ? -EIO : 0;
}

static struct memory_name *find_entry(struct memory_disk *disk, const struct memory_inode *parent,
                                      struct str name)
{
    for (size_t i = 0; i < disk->_name_count; i++)
        if (disk->_names[i].parent == parent && str_eqz(name, disk->_names[i].name))
            return &disk->_names[i];
    return NULL;
}

struct place {
    const struct memory_inode *parent;
    struct str name; // empty: the root itself
};

// Where a path ends; false when a folder on the way is missing.
static bool find_place(struct memory_disk *disk, const char *path, struct place *out)
{
    *out = (struct place){ NULL, { path, 0 } };
    for (;;) {
        while (*path == '/')
            path++;
        size_t size = strcspn(path, "/");
        if (size == 0)
            return true;
        if (out->name.size > 0) {
            struct memory_name *folder = find_entry(disk, out->parent, out->name);
            if (folder == NULL || folder->inode == NULL || !folder->inode->is_directory)
                return false;
            out->parent = folder->inode;
        }
        out->name = (struct str){ path, size };
        path += size;
    }
}

static struct memory_inode *find_inode(struct memory_disk *disk, const char *path)
{
    struct place place;
    struct memory_name *name = NULL;
    if (find_place(disk, path, &place))
        name = find_entry(disk, place.parent, place.name);
    return name == NULL ? NULL : name->inode;
}

static struct memory_name *need_entry(struct memory_disk *disk, const struct memory_inode *parent,
                                      struct str text)
{
    struct memory_name *name = find_entry(disk, parent, text);
    if (name != NULL)
        return name;
    vec_reserve(disk->_names, disk->_name_count + 1, disk->_name_capacity);
    name = &disk->_names[disk->_name_count++];
    *name = (struct memory_name){ parent, str_dup(text), NULL, NULL };
    return name;
}

// The folder is there.
static void set_name(struct memory_disk *disk, const char *path, struct memory_inode *inode)
{
    struct place place;
    if (!find_place(disk, path, &place))
        return;
    need_entry(disk, place.parent, place.name)->inode = inode;
    vec_reserve(disk->_changes, disk->_change_count + 1, disk->_change_capacity);
    disk->_changes[disk->_change_count++] =
        (struct memory_change){ place.parent, str_dup(place.name), inode };
}

static struct memory_inode *new_inode(struct memory_disk *disk, bool is_directory)
{
    struct memory_inode *inode = mem_new(struct memory_inode);
    inode->is_directory = is_directory;
    inode->modified_ms = 1700000000000;
    vec_reserve(disk->_inodes, disk->_inode_count + 1, disk->_inode_capacity);
    disk->_inodes[disk->_inode_count++] = inode;
    return inode;
}

static bool parent_exists(struct memory_disk *disk, const char *path)
{
    struct place place;
    return find_place(disk, path, &place);
}

static int memory_open(struct disk *d, const char *path, int flags, struct disk_file **out)
{
    struct memory_disk *disk = self(d);
    struct memory_inode *inode = find_inode(disk, path);
    if (inode == NULL) {
        if ((flags & DISK_CREATE) != DISK_CREATE || !parent_exists(disk, path))
            return -ENOENT;
        int error = count_call(disk);
        if (error != 0)
            return error;
        inode = new_inode(disk, false);
        set_name(disk, path, inode);
    } else if ((flags & DISK_EXCLUSIVE) != 0) {
        return -EEXIST;
    } else if (inode->is_directory) {
        return -EISDIR;
    }
    if ((flags & DISK_TRUNCATE) != 0 && inode->size > 0) {
        int error = count_call(disk);
        if (error != 0)
            return error;
        inode->size = 0;
    }
    struct memory_file *file = mem_new(struct memory_file);
    file->file.disk = d;
    file->file.fd = -1;
    atomic_init(&file->file._refs, 1);
    file->inode = inode;
    file->generation = disk->_generation;
    *out = &file->file;
    return 0;
}

static void memory_close(struct disk_file *file)
{
    mem_free(file);
}

// The inode, or NULL when the file was opened before the last crash.
static struct memory_inode *inode_of(struct disk_file *file)
{
    struct memory_file *f = (struct memory_file *)(void *)file;
    return f->generation == self(file->disk)->_generation ? f->inode : NULL;
}

static void memory_load(struct disk_file *file, int64_t position, size_t size)
{
    (void)file, (void)position, (void)size;
}

static ssize_t memory_pread(struct disk_file *file, void *into, size_t size, int64_t position)
{
    struct memory_inode *inode = inode_of(file);
    if (inode == NULL)
        return -EIO;
    if ((size_t)position >= inode->size)
        return 0;
    if (size > inode->size - (size_t)position)
        size = inode->size - (size_t)position;
    if (size > 0)
        memcpy(into, inode->data + position, size);
    return (ssize_t)size;
}

static void resize(struct memory_inode *inode, size_t size)
{
    size_t before = inode->size;
    vec_reserve(inode->data, size, inode->capacity);
    if (size > before)
        memset(inode->data + before, 0, size - before);
    inode->size = size;
}

static ssize_t memory_pwritev(struct disk_file *file, const struct iovec *iov, int iov_count,
                              int64_t position)
{
    struct memory_disk *disk = self(file->disk);
    struct memory_inode *inode = inode_of(file);
    size_t total = 0, left;
    if (inode == NULL)
        return -EIO;
    for (int i = 0; i < iov_count; i++)
        total += iov[i].iov_len;
    left = total;
    int error = count_call(disk);
    if (error != 0) {
        // A full disk takes a first part.
        if (error != -ENOSPC || total < 2)
            return error;
        left = total / 2;
    } else if (disk->short_writes && total > 1) {
        left = 1 + memory_disk_random(disk) % total;
    }
    size_t written = 0;
    for (int i = 0; i < iov_count && left > 0; i++) {
        size_t size = iov[i].iov_len < left ? iov[i].iov_len : left;
        if ((size_t)position + size > inode->size)
            resize(inode, (size_t)position + size);
        memcpy(inode->data + position, iov[i].iov_base, size);
        position += (int64_t)size;
        written += size;
        left -= size;
    }
    if (error == -ENOSPC)
        disk->fail_at++; // the rest of the write fails
    return (ssize_t)written;
}

static int memory_truncate(struct disk_file *file, int64_t size)
{
    struct memory_inode *inode = inode_of(file);
    if (inode == NULL)
        return -EIO;
    int error = count_call(self(file->disk));
    if (error == 0)
        resize(inode, (size_t)size);
    return error;
}

static int memory_sync(struct disk_file *file)
{
    struct memory_disk *m = self(file->disk);
    m->syncs++;
    if (m->on_sync != NULL)
        m->on_sync(m->sync_arg);
    struct memory_inode *inode = inode_of(file);
    if (inode == NULL)
        return -EIO;
    int error = count_call(self(file->disk));
    if (error != 0)
        return error;
    mem_free(inode->synced);
    inode->synced = mem_dup(inode->data, inode->size);
    inode->synced_size = inode->size;
    return 0;
}

static void fill(const struct memory_inode *inode, struct disk_stat *out)
{
    *out = (struct disk_stat){ (int64_t)inode->size, inode->modified_ms, inode->is_directory };
}

static int memory_stat_file(struct disk_file *file, struct disk_stat *out)
{
    struct memory_inode *inode = inode_of(file);
    if (inode == NULL)
        return -EIO;
    fill(inode, out);
    return 0;
}

static int memory_set_modified(struct disk_file *file, int64_t modified_ms)
{
    struct memory_inode *inode = inode_of(file);
    if (inode == NULL)
        return -EIO;
    int error = count_call(self(file->disk));
    if (error == 0)
        inode->modified_ms = modified_ms;
    return error;
}

static int memory_lock_file(struct disk_file *file)
{
    (void)file;
    return 0;
}

static int memory_stat(struct disk *disk, const char *path, struct disk_stat *out)
{
    struct memory_inode *inode = find_inode(self(disk), path);
    if (inode == NULL)
        return -ENOENT;
    fill(inode, out);
    return 0;
}

static int memory_rename(struct disk *d, const char *from, const char *to)
{
    struct memory_disk *disk = self(d);
    struct memory_inode *inode = find_inode(disk, from);
    if (inode == NULL)
        return -ENOENT;
    int error = count_call(disk);
    if (error != 0)
        return error;
    set_name(disk, to, inode);
    set_name(disk, from, NULL);
    return 0;
}

static int memory_unlink(struct disk *d, const char *path)
{
    struct memory_disk *disk = self(d);
    if (find_inode(disk, path) == NULL)
        return -ENOENT;
    int error = count_call(disk);
    if (error == 0)
        set_name(disk, path, NULL);
    return error;
}

static int memory_mkdir(struct disk *d, const char *path)
{
    struct memory_disk *disk = self(d);
    if (find_inode(disk, path) != NULL)
        return -EEXIST;
    if (!parent_exists(disk, path))
        return -ENOENT;
    int error = count_call(disk);
    if (error == 0)
        set_name(disk, path, new_inode(disk, true));
    return error;
}

static int memory_sync_dir(struct disk *d, const char *path)
{
    struct memory_disk *disk = self(d);
    int error = count_call(disk);
    size_t kept = 0;
    const struct memory_inode *folder = find_inode(disk, path); // NULL: the root
    for (size_t i = 0; i < disk->_change_count && error == 0; i++) {
        struct memory_change *change = &disk->_changes[i];
        if (change->parent == folder) {
            need_entry(disk, folder, str_of(change->name))->synced = change->inode;
            mem_free(change->name);
        } else {
            disk->_changes[kept++] = *change;
        }
    }
    if (error == 0)
        disk->_change_count = kept;
    return error;
}

static int memory_list(struct disk *d, const char *path, int (*each)(void *arg, const char *name),
                       void *arg)
{
    struct memory_disk *disk = self(d);
    const struct memory_inode *folder = find_inode(disk, path);
    if (folder == NULL)
        return -ENOENT;
    int result = 0;
    for (size_t i = 0; i < disk->_name_count && result == 0; i++) {
        if (disk->_names[i].inode == NULL || disk->_names[i].parent != folder)
            continue;
        char *name = mem_strdup(disk->_names[i].name);
        result = each(arg, name);
        mem_free(name);
    }
    return result;
}

static int64_t memory_bytes(struct disk *disk, const char *path)
{
    (void)disk;
    (void)path;
    return INT64_C(1) << 40;
}

static bool memory_is_behind(struct disk *disk)
{
    return self(disk)->is_behind;
}

struct memory_disk *memory_disk_new(uint64_t seed)
{
    static const struct disk_ops ops = {
        .open = memory_open,
        .close = memory_close,
        .pread = memory_pread,
        .pread_cached = memory_pread,
        .load = memory_load,
        .pwritev = memory_pwritev,
        .truncate = memory_truncate,
        .sync = memory_sync,
        .stat_file = memory_stat_file,
        .set_modified = memory_set_modified,
        .lock_file = memory_lock_file,
        .stat = memory_stat,
        .rename = memory_rename,
        .unlink = memory_unlink,
        .mkdir = memory_mkdir,
        .rmdir = memory_unlink,
        .sync_dir = memory_sync_dir,
        .list = memory_list,
        .free_bytes = memory_bytes,
        .total_bytes = memory_bytes,
        .is_behind = memory_is_behind,
    };
    struct memory_disk *disk = mem_new(struct memory_disk);
    disk->disk.ops = &ops;
    disk->_random = seed * 2685821657736338717u + 88172645463325252u;
    return disk;
}

void memory_disk_free(struct memory_disk *disk)
{
    for (size_t i = 0; i < disk->_inode_count; i++) {
        mem_free(disk->_inodes[i]->data);
        mem_free(disk->_inodes[i]->synced);
        mem_free(disk->_inodes[i]);
    }
    for (size_t i = 0; i < disk->_name_count; i++)
        mem_free(disk->_names[i].name);
    for (size_t i = 0; i < disk->_change_count; i++)
        mem_free(disk->_changes[i].name);
    mem_free(disk->_inodes);
    mem_free(disk->_names);
    mem_free(disk->_changes);
    mem_free(disk);
}

void memory_disk_restart(struct memory_disk *disk)
{
    disk->fail_at = 0;
    disk->stays_broken = disk->short_writes = false;
    disk->_generation++;
}

static void lose_unsynced(struct memory_disk *disk, struct memory_inode *inode)
{
    size_t low = inode->size < inode->synced_size ? inode->size : inode->synced_size;
    size_t high = inode->size < inode->synced_size ? inode->synced_size : inode->size;
    size_t size = low + (high > low ? memory_disk_random(disk) % (high - low + 1) : 0);
    uint8_t *data = mem_zalloc(size == 0 ? 1 : size);
    for (size_t at = 0; at < size; at += SECTOR) {
        // Either what was synced last or what was written since; where neither has anything: zeros.
        bool is_new = memory_disk_random(disk) % 2 == 0;
        const uint8_t *from = is_new ? inode->data : inode->synced;
        size_t have = is_new ? inode->size : inode->synced_size;
        size_t end = at + SECTOR < size ? at + SECTOR : size;
        if (have > at)
            memcpy(data + at, from + at, (have < end ? have : end) - at);
    }
    mem_free(inode->data);
    mem_free(inode->synced);
    inode->data = data;
    inode->capacity = size == 0 ? 1 : size;
    inode->size = inode->synced_size = size;
    inode->synced = mem_dup(data, size);
}

void memory_disk_crash(struct memory_disk *disk)
{
    memory_disk_restart(disk);
    size_t kept =
        disk->_change_count == 0 ? 0 : memory_disk_random(disk) % (disk->_change_count + 1);
    for (size_t i = 0; i < disk->_change_count; i++) {
        const struct memory_change *change = &disk->_changes[i];
        if (i < kept)
            need_entry(disk, change->parent, str_of(change->name))->synced = change->inode;
        mem_free(change->name);
    }
    disk->_change_count = 0;
    for (size_t i = 0; i < disk->_name_count; i++)
        disk->_names[i].inode = disk->_names[i].synced;
    for (size_t i = 0; i < disk->_inode_count; i++)
        if (!disk->_inodes[i]->is_directory)
            lose_unsynced(disk, disk->_inodes[i]);
}

uint8_t *memory_disk_content(struct memory_disk *disk, const char *path, size_t *size)
{
    struct memory_inode *inode = find_inode(disk, path);
    if (inode == NULL)
        return NULL;
    *size = inode->size;
    return inode->data;
}
