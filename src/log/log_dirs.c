// SPDX-License-Identifier: Apache-2.0
// See log_dirs.h: a directory is taken at the start, chosen for new logs, cordoned, failed.
// Tested by log_future_test.c.
#include "log/log_dirs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "log/clean_shutdown.h"
#include "log/log_manager_internal.h"

enum { PREFERENCES_MAX = 100000 };

// Takes all logs of the directory out of a map. The lock is held.
static void take_logs(struct log_manager *manager, struct hashmap *map, const struct log_dir *dir,
                      struct log_list *out)
{
    struct managed *managed;
    for (size_t i = 0; (managed = hashmap_next(map, &i)) != NULL;) {
        if (managed->dir != dir)
            continue;
        hashmap_remove(map, log_name(managed->log), strlen(log_name(managed->log)));
        vec_reserve(out->items, out->count + 1, out->capacity);
        out->items[out->count++] = managed->log;
        mem_free(managed);
        i = 0;
    }
    (void)manager;
}

void log_dir_fail(struct log_manager *manager, struct log_dir *dir, int error)
{
    struct log_list lost = { 0 };
    pthread_mutex_lock(&manager->lock);
    bool is_first = !dir->is_offline;
    dir->is_offline = true;
    if (is_first) {
        take_logs(manager, &manager->logs, dir, &lost);
        take_logs(manager, &manager->futures, dir, &lost);
        dir->log_count = 0;
    }
    bool is_told = is_first && manager->is_loaded && manager->options.on_dir_failed != NULL;
    pthread_mutex_unlock(&manager->lock);
    if (!is_first)
        return;
    trace_error(manager->options.trace, "log directory failed dir=\"%s\" logs=%zu error=\"%s\"",
                dir->path, lost.count, strerror(-error));
    for (size_t i = 0; i < lost.count; i++)
        log_abandon(lost.items[i]);
    mem_free(lost.items);
    if (manager->cleaner != NULL)
        cleaner_manager_fail_dir(manager->cleaner, dir->path);
    if (is_told)
        manager->options.on_dir_failed(manager->options.arg, (size_t)(dir - manager->dirs), error);
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

// ---- where a new log goes -----------------------------------------------------------------------------------

struct log_dir *log_dir_choose(struct log_manager *manager, const char *name, struct uuid id,
                               bool *is_final)
{
    struct log_dir *best = NULL, *first = NULL;
    pthread_mutex_lock(&manager->lock);
    const struct preference *preference = hashmap_find(&manager->preferred, name, strlen(name));
    if (preference != NULL)
        best = preference->dir;
    for (size_t i = 0; best == NULL && !uuid_is_reserved(id) && i < manager->options.dir_count; i++)
        if (uuid_eq(manager->dirs[i].id, id))
            best = &manager->dirs[i];
    *is_final = best != NULL;
    for (size_t i = 0; !*is_final && i < manager->options.dir_count; i++) {
        struct log_dir *dir = &manager->dirs[i];
        if (dir->is_offline)
            continue;
        first = first == NULL ? dir : first;
        if (!dir->is_cordoned && (best == NULL || dir->log_count < best->log_count))
            best = dir;
    }
    pthread_mutex_unlock(&manager->lock);
    return best != NULL ? best : first;
}

void log_dirs_prefer(struct log_manager *manager, struct str topic, int32_t partition, size_t dir)
{
    char *name = mem_printf("%.*s-%d", STR_ARG(topic), (int)partition);
    struct log_dir *where = &manager->dirs[dir];
    pthread_mutex_lock(&manager->lock);
    const struct managed *current = hashmap_find(&manager->logs, name, strlen(name));
    const struct managed *future = hashmap_find(&manager->futures, name, strlen(name));
    struct preference *preference = hashmap_find(&manager->preferred, name, strlen(name));
    if ((current == NULL || current->dir != where) && (future == NULL || future->dir != where)) {
        // Of partitions that may never come: not without end.
        if (preference == NULL && manager->preferred.count < PREFERENCES_MAX) {
            preference = mem_new(struct preference);
            preference->name = mem_strdup(name);
            hashmap_put(&manager->preferred, preference->name, strlen(name), preference);
        }
        if (preference != NULL)
            preference->dir = where;
    }
    pthread_mutex_unlock(&manager->lock);
    mem_free(name);
}

void log_dirs_forget_preference(struct log_manager *manager, const char *name)
{
    pthread_mutex_lock(&manager->lock);
    struct preference *preference = hashmap_remove(&manager->preferred, name, strlen(name));
    pthread_mutex_unlock(&manager->lock);
    if (preference != NULL)
        mem_free(preference->name);
    mem_free(preference);
}

void log_dirs_fini(struct log_manager *manager)
{
    struct preference *preference;
    for (size_t i = 0; (preference = hashmap_next(&manager->preferred, &i)) != NULL;) {
        mem_free(preference->name);
        mem_free(preference);
    }
    hashmap_fini(&manager->preferred);
}

bool log_dirs_cordon(struct log_manager *manager, const char *const *paths, size_t count)
{
    bool is_change = false;
    pthread_mutex_lock(&manager->lock);
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        bool is_cordoned = false;
        for (size_t k = 0; k < count; k++)
            is_cordoned |=
                strcmp(paths[k], "*") == 0 || strcmp(paths[k], manager->dirs[i].path) == 0;
        is_change |= is_cordoned != manager->dirs[i].is_cordoned;
        manager->dirs[i].is_cordoned = is_cordoned;
    }
    pthread_mutex_unlock(&manager->lock);
    return is_change;
}

// ---- asked ----------------------------------------------------------------------------------------------------

size_t log_dirs_count(const struct log_manager *manager)
{
    return manager->options.dir_count;
}

struct log_dir_state log_dirs_state(struct log_manager *manager, size_t dir)
{
    const struct log_dir *d = &manager->dirs[dir];
    pthread_mutex_lock(&manager->lock);
    struct log_dir_state state = { d->path, d->id, d->is_offline, d->is_cordoned };
    pthread_mutex_unlock(&manager->lock);
    return state;
}

ptrdiff_t log_dirs_find(const struct log_manager *manager, struct str path)
{
    for (size_t i = 0; i < manager->options.dir_count; i++)
        if (str_eqz(path, manager->dirs[i].path))
            return (ptrdiff_t)i;
    return -1;
}

ptrdiff_t log_dirs_find_id(const struct log_manager *manager, struct uuid id)
{
    for (size_t i = 0; i < manager->options.dir_count && !uuid_is_reserved(id); i++)
        if (uuid_eq(manager->dirs[i].id, id))
            return (ptrdiff_t)i;
    return -1;
}

ptrdiff_t log_dirs_of(struct log_manager *manager, const struct log *log)
{
    const struct log_dir *dir = log_dir_of(manager, log_dir(log));
    return dir == NULL ? -1 : dir - manager->dirs;
}

static size_t count_offline(struct log_manager *manager)
{
    size_t count = 0;
    pthread_mutex_lock(&manager->lock);
    for (size_t i = 0; i < manager->options.dir_count; i++)
        count += manager->dirs[i].is_offline;
    pthread_mutex_unlock(&manager->lock);
    return count;
}

bool log_dirs_any_offline(struct log_manager *manager)
{
    return count_offline(manager) > 0;
}

bool log_dirs_all_offline(struct log_manager *manager)
{
    return count_offline(manager) == manager->options.dir_count;
}

int64_t log_dirs_total_bytes(struct log_manager *manager, size_t dir)
{
    struct disk *disk = manager->options.disk;
    return disk->ops->total_bytes(disk, manager->dirs[dir].path);
}

int64_t log_dirs_usable_bytes(struct log_manager *manager, size_t dir)
{
    struct disk *disk = manager->options.disk;
    return disk->ops->free_bytes(disk, manager->dirs[dir].path);
}

size_t log_dirs_list(struct log_manager *manager, size_t dir, struct log_dir_entry **out)
{
    const struct hashmap *maps[] = { &manager->logs, &manager->futures };
    const struct log_dir *from = &manager->dirs[dir];
    struct managed *managed;
    size_t count = 0;
    pthread_mutex_lock(&manager->lock);
    *out = from->is_offline ? NULL : mem_alloc((from->log_count + 1) * sizeof **out);
    for (size_t m = 0; !from->is_offline && m < sizeof maps / sizeof *maps; m++)
        for (size_t i = 0; (managed = hashmap_next(maps[m], &i)) != NULL;)
            if (managed->dir == from)
                (*out)[count++] = (struct log_dir_entry){ log_ref(managed->log), m == 1 };
    pthread_mutex_unlock(&manager->lock);
    return count;
}

void log_dir_entries_free(struct log_dir_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        log_unref(entries[i].log);
    mem_free(entries);
}
