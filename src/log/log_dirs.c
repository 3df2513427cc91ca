// SPDX-License-Identifier: Apache-2.0
// One of log.dirs: taken at the start, chosen for a new log, failed.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "log/clean_shutdown.h"
#include "log/log_manager_internal.h"

void log_dir_fail(struct log_manager *manager, struct log_dir *dir, int error)
{
    pthread_mutex_lock(&manager->lock);
    bool is_first = !dir->is_offline;
    dir->is_offline = true;
    pthread_mutex_unlock(&manager->lock);
    if (!is_first)
        return;
    trace_error(manager->options.trace, "log directory failed dir=\"%s\" error=\"%s\"", dir->path,
                strerror(-error));
    if (manager->options.on_dir_failed != NULL)
        manager->options.on_dir_failed(manager->options.arg, dir->path, error);
}

bool log_dir_is_offline(struct log_manager *manager, struct log_dir *dir)
{
    pthread_mutex_lock(&manager->lock);
    bool is_offline = dir->is_offline;
    pthread_mutex_unlock(&manager->lock);
    return is_offline;
}

struct log_dir *log_dir_of(struct log_manager *manager, const char *log_path)
{
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        size_t size = strlen(manager->dirs[i].path);
        if (strncmp(manager->dirs[i].path, log_path, size) == 0 && log_path[size] == '/' &&
            strchr(log_path + size + 1, '/') == NULL)
            return &manager->dirs[i];
    }
    return NULL;
}

int log_dir_open(struct log_manager *manager, struct log_dir *dir)
{
    struct disk *disk = manager->options.disk;
    struct trace *trace = manager->options.trace;
    int error = disk_mkdirs(disk, dir->path);
    if (error == 0) {
        char *path = mem_printf("%s/.lock", dir->path);
        error = disk_open(disk, path, DISK_CREATE, &dir->lock);
        mem_free(path);
    }
    if (error == 0)
        error = disk->ops->lock_file(dir->lock);
    if (error == -EAGAIN) {
        trace_error(trace, "log directory in use by another process dir=\"%s\"", dir->path);
        return error;
    }
    if (error == 0) {
        dir->was_clean = clean_shutdown_read(disk, dir->path, &dir->broker_epoch);
        error = clean_shutdown_delete(disk, dir->path);
    }
    if (error != 0)
        trace_error(trace, "log directory cannot be used dir=\"%s\" error=\"%s\"", dir->path,
                    strerror(-error));
    return error;
}

struct log_dir *log_dir_choose(struct log_manager *manager)
{
    struct log_dir *best = NULL;
    pthread_mutex_lock(&manager->lock);
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        struct log_dir *dir = &manager->dirs[i];
        if (!dir->is_offline && (best == NULL || dir->log_count < best->log_count))
            best = dir;
    }
    pthread_mutex_unlock(&manager->lock);
    return best;
}
