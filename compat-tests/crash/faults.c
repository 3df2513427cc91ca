// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD: what disks do to a broker, ours or the real one. Counts the calls that change something under a folder,
// lets the n-th of them go wrong, and can keep a journal from which power.py makes every state that a power loss may
// leave.
//
//     FAULTS_DIR=FOLDER       only files under it
//     FAULTS_COUNTER=FILE     8 bytes, shared: how many changing calls there have been
//     FAULTS_JOURNAL=FILE     every changing call with its bytes, before its answer is given
//     FAULTS_AT=N             the N-th call goes wrong, as FAULTS_KIND says:
//     FAULTS_KIND=eio|enospc|short|kill    an error; half of a write, then enospc; half of a write; SIGKILL before it
//     FAULTS_STAYS=1          and all later ones as well (eio, enospc)
//     FAULTS_SHORT=1          every write of more than a byte takes only a part
//
// A call and its note in the journal are one step under one lock, so the journal's order is the true one.
//
//     journal: op u8 · call u64 · inode u64 · a i64 · b u32 · b bytes      (this machine's byte order)
//     op  c create (b: path)  w write (a: position, b: data)  t truncate (a: size)  s sync
//         n rename (b: from NUL to)  u unlink (b: path)  m mkdir (b: path)  r rmdir (b: path)
//         d sync of a folder (b: path)
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS = 65536 };

static struct file {
    uint64_t inode; // 0: not ours
    char *folder;   // its path when it is a folder
    off_t position; // not kept: write() asks the kernel
} files[FDS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char dir[PATH_MAX];
static size_t dir_size;
static uint64_t own_count, *counter = &own_count, fail_at;
static const char *kind = "";
static int journal = -1, stays, all_short;

#define REAL(type, name, ...)                                                                      \
    static type (*real_##name)(__VA_ARGS__);                                                       \
    static void find_##name(void)                                                                  \
    {                                                                                              \
        real_##name = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name);                               \
    }

REAL(int, open, const char *, int, ...)
REAL(int, openat, int, const char *, int, ...)
REAL(int, close, int)
REAL(ssize_t, write, int, const void *, size_t)
REAL(ssize_t, pwrite, int, const void *, size_t, off_t)
REAL(ssize_t, writev, int, const struct iovec *, int)
REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t)
REAL(int, ftruncate, int, off_t)
REAL(int, fsync, int)
REAL(int, fdatasync, int)
REAL(int, rename, const char *, const char *)
REAL(int, unlink, const char *)
REAL(int, mkdir, const char *, mode_t)
REAL(int, rmdir, const char *)
REAL(int, fallocate, int, int, off_t, off_t)
REAL(int, sync_file_range, int, off_t, off_t, unsigned)

__attribute__((constructor)) static void begin(void)
{
    find_open(), find_openat(), find_close(), find_write(), find_pwrite(), find_writev(),
        find_pwritev();
    find_ftruncate(), find_fsync(), find_fdatasync(), find_rename(), find_unlink(), find_mkdir(),
        find_rmdir();
    find_fallocate(), find_sync_file_range();
    const char *text = getenv("FAULTS_DIR");
    if (text == NULL)
        return;
    dir_size = (size_t)snprintf(dir, sizeof dir, "%s", text);
    if ((text = getenv("FAULTS_COUNTER")) != NULL) {
        int fd = real_open(text, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0 && real_ftruncate(fd, sizeof *counter) == 0)
            counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        real_close(fd);
    }
    if ((text = getenv("FAULTS_JOURNAL")) != NULL)
        journal = real_open(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    fail_at = (text = getenv("FAULTS_AT")) != NULL ? strtoull(text, NULL, 10) : 0;
    kind = (text = getenv("FAULTS_KIND")) != NULL ? text : "eio";
    stays = getenv("FAULTS_STAYS") != NULL;
    all_short = getenv("FAULTS_SHORT") != NULL;
}

static int is_ours(const char *path)
{
    return dir_size > 0 && strncmp(path, dir, dir_size) == 0 &&
           (path[dir_size] == '/' || path[dir_size] == '\0');
}

static int is_our_fd(int fd)
{
    return fd >= 0 && fd < FDS && files[fd].inode != 0;
}

static void note(char op, uint64_t inode, int64_t a, const void *data, size_t size)
{
    if (journal < 0)
        return;
    uint8_t head[29];
    uint32_t b = (uint32_t)size;
    head[0] = (uint8_t)op;
    memcpy(head + 1, counter, 8), memcpy(head + 9, &inode, 8), memcpy(head + 17, &a, 8),
        memcpy(head + 25, &b, 4);
    struct iovec iov[2] = { { head, sizeof head }, { (void *)data, size } };
    if (real_writev(journal, iov, size > 0 ? 2 : 1) < 0)
        _exit(97);
}

// Locked. Counts a changing call; what it has to answer: 0, or an errno, or -1: only a part of what is written.
static int next_call(void)
{
    uint64_t n = __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
    if (fail_at == 0 || n < fail_at || (n > fail_at && !stays))
        return 0;
    if (strcmp(kind, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(kind, "short") == 0)
        return n == fail_at ? -1 : 0;
    if (strcmp(kind, "enospc") == 0)
        return n == fail_at ? -ENOSPC : ENOSPC; // negative: a part first
    return EIO;
}

static int fail(int error)
{
    pthread_mutex_unlock(&lock);
    errno = error < 0 ? ENOSPC : error;
    return -1;
}

// ---- files ---------------------------------------------------------------------------------------------------

static int open_ours(const char *path, int flags, mode_t mode)
{
    pthread_mutex_lock(&lock);
    struct stat st;
    int is_new = (flags & O_CREAT) != 0 && stat(path, &st) != 0;
    int is_cut = !is_new && (flags & O_TRUNC) != 0 && stat(path, &st) == 0 && st.st_size > 0;
    int error = is_new || is_cut ? next_call() : 0;
    if (error != 0 && error != -1)
        return fail(error);
    int fd = real_open(path, flags, mode), saved = errno;
    if (fd >= 0 && fd < FDS && fstat(fd, &st) == 0) {
        files[fd].inode = st.st_ino;
        free(files[fd].folder);
        files[fd].folder = S_ISDIR(st.st_mode) ? strdup(path) : NULL;
        if (is_new)
            note('c', st.st_ino, 0, path, strlen(path) + 1);
        else if (is_cut)
            note('t', st.st_ino, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return is_ours(path) ? open_ours(path, flags, mode) : real_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int at, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return path[0] == '/' && is_ours(path) ? open_ours(path, flags, mode)
                                           : real_openat(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) __attribute__((alias("openat")));

int close(int fd)
{
    if (fd == journal && journal >= 0)
        return 0;
    if (fd >= 0 && fd < FDS)
        files[fd].inode = 0;
    return real_close(fd);
}

// Writes at a position, -1: where the file stands.
static ssize_t write_ours(int fd, const struct iovec *iov, int iov_count, off_t position)
{
    pthread_mutex_lock(&lock);
    size_t total = 0;
    for (int i = 0; i < iov_count; i++)
        total += iov[i].iov_len;
    uint8_t *data = malloc(total + 1);
    size_t at = 0;
    for (int i = 0; i < iov_count; i++) {
        memcpy(data + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    int error = total > 0 ? next_call() : 0;
    if (error > 0 || (error == -ENOSPC && total < 2)) {
        free(data);
        return fail(error);
    }
    size_t size = (error < 0 || all_short) && total > 1 ? (total + 1) / 2 : total;
    if (position < 0)
        position = lseek(fd, 0, SEEK_CUR);
    else
        lseek(fd, 0, SEEK_CUR);
    ssize_t n = real_pwrite(fd, data, size, position);
    int saved = errno;
    if (n > 0)
        note('w', files[fd].inode, position, data, (size_t)n);
    if (error == -ENOSPC && !stays)
        fail_at++; // the rest of the write fails
    free(data);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t position)
{
    struct iovec iov = { (void *)data, size };
    return is_our_fd(fd) ? write_ours(fd, &iov, 1, position)
                         : real_pwrite(fd, data, size, position);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t position)
    __attribute__((alias("pwrite")));

ssize_t pwritev(int fd, const struct iovec *iov, int iov_count, off_t position)
{
    return is_our_fd(fd) ? write_ours(fd, iov, iov_count, position)
                         : real_pwritev(fd, iov, iov_count, position);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int iov_count, off_t position)
    __attribute__((alias("pwritev")));

static ssize_t write_on(int fd, const struct iovec *iov, int iov_count)
{
    int is_append = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
    ssize_t n = write_ours(fd, iov, iov_count, is_append ? lseek(fd, 0, SEEK_END) : -1);
    if (n > 0)
        lseek(fd, n, SEEK_CUR);
    return n;
}

ssize_t write(int fd, const void *data, size_t size)
{
    struct iovec iov = { (void *)data, size };
    return is_our_fd(fd) ? write_on(fd, &iov, 1) : real_write(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *iov, int iov_count)
{
    return is_our_fd(fd) ? write_on(fd, iov, iov_count) : real_writev(fd, iov, iov_count);
}

int ftruncate(int fd, off_t size)
{
    if (!is_our_fd(fd))
        return real_ftruncate(fd, size);
    pthread_mutex_lock(&lock);
    int error = next_call();
    if (error != 0 && error != -1)
        return fail(error);
    int result = real_ftruncate(fd, size), saved = errno;
    if (result == 0)
        note('t', files[fd].inode, size, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    if (!is_our_fd(fd))
        return real_fallocate(fd, mode, offset, size);
    errno = EOPNOTSUPP; // callers have another way
    return -1;
}

int fallocate64(int fd, int mode, off_t offset, off_t size) __attribute__((alias("fallocate")));

static int sync_ours(int fd)
{
    pthread_mutex_lock(&lock);
    int error = next_call();
    if (error != 0 && error != -1)
        return fail(error);
    // The journal says what a power loss takes; this machine keeps its power.
    if (files[fd].folder != NULL)
        note('d', files[fd].inode, 0, files[fd].folder, strlen(files[fd].folder) + 1);
    else
        note('s', files[fd].inode, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd)
{
    return is_our_fd(fd) ? sync_ours(fd) : real_fsync(fd);
}

int fdatasync(int fd)
{
    return is_our_fd(fd) ? sync_ours(fd) : real_fdatasync(fd);
}

int sync_file_range(int fd, off_t offset, off_t size, unsigned flags)
{
    // It promises nothing about a power loss.
    return is_our_fd(fd) ? 0 : real_sync_file_range(fd, offset, size, flags);
}

// ---- names ---------------------------------------------------------------------------------------------------

int rename(const char *from, const char *to)
{
    if (!is_ours(from))
        return real_rename(from, to);
    pthread_mutex_lock(&lock);
    int error = next_call();
    if (error != 0 && error != -1)
        return fail(error);
    int result = real_rename(from, to), saved = errno;
    if (result == 0) {
        char both[2 * PATH_MAX];
        int size = snprintf(both, sizeof both, "%s%c%s", from, '\0', to);
        note('n', 0, 0, both, (size_t)size + 1);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

static int change_name(char op, const char *path, int (*real)(const char *))
{
    pthread_mutex_lock(&lock);
    int error = next_call();
    if (error != 0 && error != -1)
        return fail(error);
    int result = real(path), saved = errno;
    if (result == 0)
        note(op, 0, 0, path, strlen(path) + 1);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

int unlink(const char *path)
{
    return is_ours(path) ? change_name('u', path, real_unlink) : real_unlink(path);
}

int rmdir(const char *path)
{
    return is_ours(path) ? change_name('r', path, real_rmdir) : real_rmdir(path);
}

static mode_t mkdir_mode;

static int mkdir_with_mode(const char *path)
{
    return real_mkdir(path, mkdir_mode);
}

int mkdir(const char *path, mode_t mode)
{
    if (!is_ours(path))
        return real_mkdir(path, mode);
    struct stat st;
    if (stat(path, &st) == 0) {
        errno = EEXIST;
        return -1;
    }
    mkdir_mode = mode; // the same for all that a broker makes
    return change_name('m', path, mkdir_with_mode);
}
