// SPDX-License-Identifier: Apache-2.0
#include "base/disk_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

static int posix_open(struct disk *disk, const char *path, int flags, struct disk_file **out)
{
    int f = O_CLOEXEC | ((flags & DISK_WRITE) != 0 ? O_RDWR : O_RDONLY);
    if ((flags & DISK_CREATE) == DISK_CREATE)
        f |= O_CREAT;
    if ((flags & DISK_EXCLUSIVE) != 0)
        f |= O_EXCL;
    if ((flags & DISK_TRUNCATE) != 0)
        f |= O_TRUNC;
    int fd = open(path, f, (flags & DISK_READABLE) != 0 ? 0400 : 0644);
    if (fd < 0)
        return -errno;
    struct disk_file *file = mem_new(struct disk_file);
    file->disk = disk;
    file->fd = fd;
    atomic_init(&file->_refs, 1);
    *out = file;
    return 0;
}

static void posix_close(struct disk_file *file)
{
    close(file->fd);
    mem_free(file);
}

static ssize_t posix_pread(struct disk_file *file, void *into, size_t size, int64_t position)
{
    ssize_t n = pread(file->fd, into, size, position);
    return n < 0 ? -errno : n;
}

// Where the file system cannot tell, it is read, whatever that takes.
static ssize_t posix_pread_cached(struct disk_file *file, void *into, size_t size, int64_t position)
{
    struct iovec iov = { into, size };
    ssize_t n = preadv2(file->fd, &iov, 1, position, RWF_NOWAIT);
    if (n < 0 && errno == EOPNOTSUPP)
        return posix_pread(file, into, size, position);
    return n < 0 ? -errno : n;
}

// Where what is loaded goes to.
static int nowhere = -1;

static void open_nowhere(void)
{
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
}

// By the kernel's own readahead, twice as far as it would, and without a copy where that can be: what
// POSIX_FADV_WILLNEED reads comes page by page and not in folios of many, for three times as much CPU.
static void posix_load(struct disk_file *file, int64_t position, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_nowhere);
    posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    off_t at = (off_t)position, end = at + (off_t)size;
    while (at < end && sendfile(nowhere, file->fd, &at, (size_t)(end - at)) > 0)
        ;
    char block[16384];
    for (ssize_t got; at < end; at += got)
        if ((got = pread(file->fd, block, sizeof block, at)) <= 0)
            return; // who reads it is told
}

static ssize_t posix_pwritev(struct disk_file *file, const struct iovec *iov, int iov_count,
                             int64_t position)
{
    ssize_t n = iov_count == 1 ? pwrite(file->fd, iov->iov_base, iov->iov_len, position)
                               : pwritev(file->fd, iov, iov_count, position);
    return n < 0 ? -errno : n;
}

static int posix_truncate(struct disk_file *file, int64_t size)
{
    return ftruncate(file->fd, size) != 0 ? -errno : 0;
}

static int posix_sync(struct disk_file *file)
{
    return fdatasync(file->fd) != 0 ? -errno : 0;
}

static void fill_stat(const struct stat *st, struct disk_stat *out)
{
    out->size_bytes = st->st_size;
    out->modified_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
    out->is_directory = S_ISDIR(st->st_mode);
}

static int posix_stat_file(struct disk_file *file, struct disk_stat *out)
{
    struct stat st;
    if (fstat(file->fd, &st) != 0)
        return -errno;
    fill_stat(&st, out);
    return 0;
}

static int posix_set_modified(struct disk_file *file, int64_t modified_ms)
{
    struct timespec at = { .tv_sec = (time_t)(modified_ms / 1000),
                           .tv_nsec = (long)(modified_ms % 1000) * 1000000 };
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, at };
    return futimens(file->fd, times) != 0 ? -errno : 0;
}

// A POSIX record lock, as Java's FileChannel takes: it keeps a JVM broker out and is kept out by
// one.
static int posix_lock_file(struct disk_file *file)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (fcntl(file->fd, F_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

static int posix_stat(struct disk *disk, const char *path, struct disk_stat *out)
{
    (void)disk;
    struct stat st;
    if (stat(path, &st) != 0)
        return -errno;
    fill_stat(&st, out);
    return 0;
}

static int posix_rename(struct disk *disk, const char *from, const char *to)
{
    (void)disk;
    return rename(from, to) != 0 ? -errno : 0;
}

static int posix_unlink(struct disk *disk, const char *path)
{
    (void)disk;
    return unlink(path) != 0 ? -errno : 0;
}

static int posix_mkdir(struct disk *disk, const char *path)
{
    (void)disk;
    return mkdir(path, 0755) != 0 ? -errno : 0;
}

static int posix_rmdir(struct disk *disk, const char *path)
{
    (void)disk;
    return rmdir(path) != 0 ? -errno : 0;
}

static int posix_sync_dir(struct disk *disk, const char *path)
{
    (void)disk;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fsync(fd) != 0 ? -errno : 0;
    close(fd);
    return error;
}

// Without the C library's DIR, whose buffer of 32 KiB costs more than the look into a partition's folder.
static int posix_list(struct disk *disk, const char *path, int (*each)(void *arg, const char *name),
                      void *arg)
{
    (void)disk;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    alignas(struct dirent64) char entries[4096];
    int result = 0;
    ssize_t size;
    while (result == 0 && (size = getdents64(fd, entries, sizeof entries)) != 0) {
        if (size < 0)
            result = -errno;
        for (ssize_t at = 0; result == 0 && at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(entries + at);
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                result = each(arg, entry->d_name);
            at += entry->d_reclen;
        }
    }
    close(fd);
    return result;
}

static int64_t posix_free_bytes(struct disk *disk, const char *path)
{
    (void)disk;
    struct statvfs st;
    return statvfs(path, &st) != 0 ? -errno : (int64_t)st.f_bavail * (int64_t)st.f_frsize;
}

static int64_t posix_total_bytes(struct disk *disk, const char *path)
{
    (void)disk;
    struct statvfs st;
    return statvfs(path, &st) != 0 ? -errno : (int64_t)st.f_blocks * (int64_t)st.f_frsize;
}

// A line "name value"; -1: there is none.
static long line_of(const char *vmstat, const char *name)
{
    const char *at = strstr(vmstat, name);
    return at != NULL ? strtol(at + strlen(name), NULL, 10) : -1;
}

bool disk_posix_is_behind(const char *vmstat)
{
    long limit = line_of(vmstat, "\nnr_dirty_threshold ");
    long background = line_of(vmstat, "\nnr_dirty_background_threshold ");
    long unwritten = line_of(vmstat, "\nnr_dirty ") + line_of(vmstat, "\nnr_writeback ");
    return limit > 0 && unwritten >= (limit + background) / 2 / 8 * 7;
}

// Those lines are within the first page, which one read gives.
static bool posix_is_behind(struct disk *disk)
{
    struct strbuf vmstat = STRBUF_EMPTY;
    bool is_behind = disk_read_whole(disk, "/proc/vmstat", &vmstat) == 0 && vmstat.size > 0 &&
                     disk_posix_is_behind(vmstat.data);
    strbuf_fini(&vmstat);
    return is_behind;
}

struct disk *disk_posix(void)
{
    static const struct disk_ops ops = {
        .open = posix_open,
        .close = posix_close,
        .pread = posix_pread,
        .pread_cached = posix_pread_cached,
        .load = posix_load,
        .pwritev = posix_pwritev,
        .truncate = posix_truncate,
        .sync = posix_sync,
        .stat_file = posix_stat_file,
        .set_modified = posix_set_modified,
        .lock_file = posix_lock_file,
        .stat = posix_stat,
        .rename = posix_rename,
        .unlink = posix_unlink,
        .mkdir = posix_mkdir,
        .rmdir = posix_rmdir,
        .sync_dir = posix_sync_dir,
        .list = posix_list,
        .free_bytes = posix_free_bytes,
        .total_bytes = posix_total_bytes,
        .is_behind = posix_is_behind,
    };
    static struct disk disk = { &ops };
    return &disk;
}
