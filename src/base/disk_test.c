// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
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

static void what_was_loaded_is_in_memory(void)
{
    enum { SIZE = 300000 };
    struct disk *disk = disk_posix();
    test_folder(folder, sizeof folder);
    char *path = mem_printf("%s/file", folder), *data = mem_zalloc(SIZE);
    struct disk_file *file;
    CU_ASSERT_EQUAL_FATAL(disk_open(disk, path, DISK_CREATE, &file), 0);
    CU_ASSERT_EQUAL(disk_pwrite(file, data, SIZE, 0), 0);
    CU_ASSERT_EQUAL(disk->ops->sync(file), 0);
    CU_ASSERT_EQUAL(posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    disk->ops->load(file, 1000, SIZE); // more than there is
    CU_ASSERT_EQUAL(disk_pread_cached(file, data, SIZE - 1000, 1000), SIZE - 1000);
    disk_file_unref(file);
    disk_remove_tree(disk, folder);
    mem_free(data);
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

// Writers wait from 300 pages on: halfway between 200 and 400.
static bool is_behind_with(int dirty, int writeback)
{
    char *vmstat =
        mem_printf("nr_free_pages 9\nnr_dirty %d\nnr_writeback %d\nnr_writeback_temp 999\n"
                   "nr_dirty_threshold 400\nnr_dirty_background_threshold 200\n",
                   dirty, writeback);
    bool is_behind = disk_posix_is_behind(vmstat);
    mem_free(vmstat);
    return is_behind;
}

static void the_kernels_figures_say_that_the_disk_is_behind(void)
{
    CU_ASSERT_FALSE(is_behind_with(0, 0));
    CU_ASSERT_FALSE(is_behind_with(200, 50));
    CU_ASSERT_TRUE(is_behind_with(200, 100));
    CU_ASSERT_TRUE(is_behind_with(0, 300));
    CU_ASSERT_FALSE(disk_posix_is_behind("nr_free_pages 9\nnr_dirty 1000\nnr_writeback 1000\n"));
    CU_ASSERT_FALSE(disk_posix_is_behind(""));
}

static void this_kernel_has_those_figures(void)
{
    struct strbuf vmstat = STRBUF_EMPTY;
    CU_ASSERT_EQUAL_FATAL(disk_read_whole(disk_posix(), "/proc/vmstat", &vmstat), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(vmstat.data, "\nnr_dirty "));
    CU_ASSERT_PTR_NOT_NULL(strstr(vmstat.data, "\nnr_writeback "));
    CU_ASSERT_PTR_NOT_NULL(strstr(vmstat.data, "\nnr_dirty_threshold "));
    CU_ASSERT_PTR_NOT_NULL(strstr(vmstat.data, "\nnr_dirty_background_threshold "));
    strbuf_fini(&vmstat);
}

TEST_MAIN("disk", TEST(atomic_write_replaces), TEST(a_file_outlives_its_name),
          TEST(what_was_loaded_is_in_memory), TEST(the_lock_excludes_another_process),
          TEST(the_kernels_figures_say_that_the_disk_is_behind),
          TEST(this_kernel_has_those_figures))
