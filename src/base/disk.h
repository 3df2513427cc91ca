// SPDX-License-Identifier: Apache-2.0
// The seam for files. disk_posix is the machine's; the simulator and the fault tests bring their
// own. All calls are synchronous and return 0 or a size on success, -errno otherwise. Paths are
// NUL-ended. A file is counted: a reader that still sends from it keeps it alive after the log let
// go of it.
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "base/strbuf.h"

struct disk;

struct disk_file {
    struct disk *disk;
    atomic_int _refs;
    int fd; // the descriptor for sendfile, -1 where there is none (simulated)
};

enum disk_open_flags {
    DISK_READ = 0,       // must exist, read only
    DISK_WRITE = 1,      // read and write, must exist
    DISK_CREATE = 2 | 1, // read and write, made when missing
    DISK_EXCLUSIVE = 4,  // with DISK_CREATE: -EEXIST when there
    DISK_TRUNCATE = 8,
    DISK_READABLE = 16, // with DISK_CREATE: a new file is mode 0400, as Kafka's snapshots are
};

struct disk_stat {
    int64_t size_bytes;
    int64_t modified_ms;
    bool is_directory;
};

struct disk_ops {
    int (*open)(struct disk *disk, const char *path, int flags, struct disk_file **out);
    void (*close)(struct disk_file *file); // the last reference went
    ssize_t (*pread)(struct disk_file *file, void *into, size_t size, int64_t position);
    // What is in memory of it: fewer bytes, or -EAGAIN, when the rest would have to be waited for.
    ssize_t (*pread_cached)(struct disk_file *file, void *into, size_t size, int64_t position);
    // Brings a part into memory and waits for it. Says nothing of errors: who reads the part is told.
    void (*load)(struct disk_file *file, int64_t position, size_t size);
    ssize_t (*pwritev)(struct disk_file *file, const struct iovec *iov, int iov_count,
                       int64_t position);
    int (*truncate)(struct disk_file *file, int64_t size); // also grows, sparse
    int (*sync)(struct disk_file *file); // data and what is needed to read it back
    int (*stat_file)(struct disk_file *file, struct disk_stat *out);
    int (*set_modified)(struct disk_file *file, int64_t modified_ms); // what stat then tells
    int (*lock_file)(struct disk_file *file); // fcntl write lock as Java's; -EAGAIN when held
    int (*stat)(struct disk *disk, const char *path, struct disk_stat *out);
    int (*rename)(struct disk *disk, const char *from, const char *to);
    int (*unlink)(struct disk *disk, const char *path);
    int (*mkdir)(struct disk *disk, const char *path); // one level
    int (*rmdir)(struct disk *disk, const char *path);
    int (*sync_dir)(struct disk *disk, const char *path);
    // Calls `each` for every entry but . and .., in no order, with its name only, until it returns
    // non-zero.
    int (*list)(struct disk *disk, const char *path, int (*each)(void *arg, const char *name),
                void *arg);
    int64_t (*free_bytes)(struct disk *disk, const char *path); // and of the whole: see total
    int64_t (*total_bytes)(struct disk *disk, const char *path);
    // Whether so much is not written back that whoever writes is made to wait. May take 100 microseconds.
    bool (*is_behind)(struct disk *disk);
};

struct disk {
    const struct disk_ops *ops;
};

// A run of bytes of a file, for a response that goes out by sendfile.
struct file_slice {
    struct disk_file *file; // a counted reference unless said otherwise
    int64_t position;
    int64_t size;
};

static inline int disk_open(struct disk *disk, const char *path, int flags, struct disk_file **out)
{
    return disk->ops->open(disk, path, flags, out);
}

struct disk_file *disk_file_ref(struct disk_file *file);
void disk_file_unref(struct disk_file *file); // NULL is fine; the last one closes

// Whole reads and writes: short ones are continued. Read: the bytes got, fewer only at the end of
// the file.
ssize_t disk_pread(struct disk_file *file, void *into, size_t size, int64_t position);
// All of it from memory, or -EAGAIN: the device, or the end of the file, would have to be asked.
ssize_t disk_pread_cached(struct disk_file *file, void *into, size_t size, int64_t position);
int disk_pwrite(struct disk_file *file, const void *from, size_t size, int64_t position);
int disk_pwritev(struct disk_file *file, struct iovec *iov, int iov_count,
                 int64_t position);             // changes iov
int64_t disk_file_size(struct disk_file *file); // or -errno

// A whole small file into `out` (appended). -ENOENT when missing.
int disk_read_whole(struct disk *disk, const char *path, struct strbuf *out);
// The old content or the new one, whatever happens: `path`.tmp, sync, rename, sync of the folder.
int disk_write_atomic(struct disk *disk, const char *path, const void *data, size_t size);
int disk_mkdirs(struct disk *disk, const char *path);
int disk_remove_tree(struct disk *disk, const char *path); // fine when missing
bool disk_exists(struct disk *disk, const char *path);
// Durably renames: both folders are synced.
int disk_rename_synced(struct disk *disk, const char *from, const char *to);

#endif
