// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sys/wait.h>

#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"

static char folder[256];

static void atomic_write_replaces(void)
{
    struct disk *disk = disk_posix();
    test_folder(folder, sizeof folder);
    char *path = mem_printf("%s/a/b/file", folder), *parent = mem_printf("%s/a/b", folder);
    CU_ASSERT_EQUAL(disk_mkdirs(disk, parent), 0);
    CU_ASSERT_EQUAL(disk_mkdirs(disk, parent), 0);
    struct strbuf text = STRBUF_EMPTY;
    CU_ASSERT_EQUAL(disk_read_whole(disk, path, &text), -ENOENT);
    CU_ASSERT_EQUAL(disk_write_atomic(disk, path, "one", 3), 0);
    CU_ASSERT_EQUAL(disk_write_atomic(disk, path, "two!", 4), 0);
    CU_ASSERT_EQUAL(disk_read_whole(disk, path, &text), 0);
    CU_ASSERT_STRING_EQUAL(text.data, "two!");
    CU_ASSERT_EQUAL(disk_remove_tree(disk, folder), 0);
    CU_ASSERT_FALSE(disk_exists(disk, folder));
    strbuf_fini(&text);
    mem_free(path);
    mem_free(parent);
}

// Gathered writes land at their position; a reader keeps the file after it was unlinked.
static void a_file_outlives_its_name(void)
{
    struct disk *disk = disk_posix();
    test_folder(folder, sizeof folder);
    char *path = mem_printf("%s/file", folder);
    struct disk_file *file;
    CU_ASSERT_EQUAL_FATAL(disk_open(disk, path, DISK_CREATE, &file), 0);
    struct iovec iov[] = { { (void *)"abc", 3 }, { (void *)"defg", 4 } };
    CU_ASSERT_EQUAL(disk_pwritev(file, iov, 2, 2), 0);
    CU_ASSERT_EQUAL(disk_file_size(file), 9);
    struct disk_file *reader = disk_file_ref(file);
    disk_file_unref(file);
    CU_ASSERT_EQUAL(disk->ops->unlink(disk, path), 0);
    char got[16];
    CU_ASSERT_EQUAL(disk_pread(reader, got, sizeof got, 2), 7);
    CU_ASSERT_EQUAL(memcmp(got, "abcdefg", 7), 0);
    disk_file_unref(reader);
    disk_remove_tree(disk, folder);
    mem_free(path);
}

// The lock is held against other processes, as a JVM broker would be.
static void the_lock_excludes_another_process(void)
{
    struct disk *disk = disk_posix();
    test_folder(folder, sizeof folder);
    char *path = mem_printf("%s/.lock", folder);
    struct disk_file *file;
    CU_ASSERT_EQUAL_FATAL(disk_open(disk, path, DISK_CREATE, &file), 0);
    CU_ASSERT_EQUAL(disk->ops->lock_file(file), 0);
    pid_t child = fork();
    if (child == 0) {
        struct disk_file *other;
        _exit(disk_open(disk, path, DISK_WRITE, &other) == 0 &&
                      disk->ops->lock_file(other) == -EAGAIN
                  ? 0
                  : 1);
    }
    int status = -1;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0);
    disk_file_unref(file);
    disk_remove_tree(disk, folder);
    mem_free(path);
}

TEST_MAIN("disk", TEST(atomic_write_replaces), TEST(a_file_outlives_its_name),
          TEST(the_lock_excludes_another_process))
