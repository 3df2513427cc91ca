// SPDX-License-Identifier: Apache-2.0
// See log_future.h. Tested by log_future_test.c.
#include "log/log_future.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_manager_internal.h"
#include "log/partition_dir.h"

static char *name_of(struct str topic, int32_t partition)
{
    return mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
}

struct log *log_future_find(struct log_manager *manager, struct str topic, int32_t partition,
                            size_t *dir)
{
    char *name = name_of(topic, partition);
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_find(&manager->futures, name, strlen(name));
    struct log *log = managed == NULL ? NULL : log_ref(managed->log);
    if (log != NULL && dir != NULL)
        *dir = (size_t)(managed->dir - manager->dirs);
    pthread_mutex_unlock(&manager->lock);
    mem_free(name);
    return log;
}

struct log *log_future_next(struct log_manager *manager, size_t *position)
{
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_next(&manager->futures, position);
    struct log *log = managed == NULL ? NULL : log_ref(managed->log);
    pthread_mutex_unlock(&manager->lock);
    return log;
}

int log_future_create(struct log_manager *manager, struct str topic, int32_t partition,
                      struct uuid topic_id, size_t dir, struct log **out)
{
    must(dir < manager->options.dir_count);
    struct log_dir *target = &manager->dirs[dir];
    char *name = name_of(topic, partition);
    pthread_mutex_lock(&manager->lock);
    struct managed *current = hashmap_find(&manager->logs, name, strlen(name));
    int error = hashmap_find(&manager->futures, name, strlen(name)) != NULL ? -EEXIST
                : current != NULL && current->dir == target                 ? -EXDEV
                : target->is_offline                                        ? -ENODEV
                                                                            : 0;
    pthread_mutex_unlock(&manager->lock);
    mem_free(name);
    if (error != 0)
        return error;
    name = partition_dir_name_with(topic, partition, "-future");
    char *path = mem_printf("%s/%s", target->path, name);
    struct log *log;
    error = log_manager_open_log(manager, path, topic, topic_id, NULL, false, false, &log);
    // Without batches the log leaves that for later; Kafka, handed the directory, would not know the copy.
    if (error == 0 && (error = log_write_metadata(log)) != 0)
        log_abandon(log);
    mem_free(path);
    mem_free(name);
    if (error != 0) {
        log_dir_fail(manager, target, error);
        return error;
    }
    log_ref(log);
    error = log_manager_put(manager, &manager->futures, target, log);
    struct log *cleaned = log_manager_find(manager, topic, partition);
    if (cleaned != NULL && manager->cleaner != NULL)
        cleaner_manager_abort(manager->cleaner, cleaned); // it is left alone from now on
    log_unref(cleaned);
    if (error != 0)
        log_unref(log);
    else
        *out = log;
    return error;
}

bool log_future_hold_cleaner(struct log_manager *manager, struct log *current,
                             struct cleaner_state **state)
{
    *state = NULL;
    return manager->cleaner == NULL || cleaner_manager_hold(manager->cleaner, current, state);
}

void log_future_release_cleaner(struct log_manager *manager, struct cleaner_state *state)
{
    if (manager->cleaner != NULL)
        cleaner_manager_release(manager->cleaner, state);
}

int log_future_discard(struct log_manager *manager, struct str topic, int32_t partition)
{
    int error = log_manager_remove(manager, &manager->futures, topic, partition);
    cleaner_manager_notice(manager->cleaner); // the log that stays was not looked at meanwhile
    return error;
}

// After an error the future has its old name again, or *is_stuck: it has the new one, and nobody knows how durably.
static int rename_to_current(struct log_manager *manager, const struct managed *future,
                             bool *is_stuck)
{
    struct disk *disk = manager->options.disk;
    const char *old_path = log_dir(future->log);
    char *path = mem_printf("%s/%s", future->dir->path, log_name(future->log));
    int error = log_rename(future->log, path, true);
    if (error == 0)
        trace_info(manager->options.trace, "future log is the log now dir=\"%s\"", path);
    else
        *is_stuck = disk_exists(disk, path) && disk->ops->rename(disk, path, old_path) != 0;
    mem_free(path);
    return error;
}

// The two names. `current` may be NULL.
static int change_names(struct log_manager *manager, const struct managed *current,
                        const struct managed *future)
{
    const char *old_path = current == NULL ? NULL : log_dir(current->log);
    bool is_stuck = false;
    int error = current == NULL
                    ? 0
                    : log_manager_rename_log(manager, current->dir, current->log, "-delete", true);
    if (error == 0) {
        error = rename_to_current(manager, future, &is_stuck);
        // Two logs of one partition would be worse than one in a directory that has just failed.
        if (error != 0 && current != NULL &&
            (is_stuck || log_rename(current->log, old_path, true) != 0))
            trace_error(manager->options.trace, "log is left renamed dir=\"%s\" was=\"%s\"",
                        log_dir(current->log), old_path);
    }
    return error;
}

// What is known of the future is on the disk, and its log start, before it is the only one.
static int make_durable(struct log_manager *manager, const struct managed *future)
{
    struct disk *disk = manager->options.disk;
    int error = disk->ops->sync_dir(disk, log_dir(future->log));
    if (error == 0)
        error = disk->ops->sync_dir(disk, future->dir->path);
    if (error == 0)
        error = log_checkpoints_write(manager, future->dir, CHECKPOINT_LOG_START);
    if (error != 0)
        log_dir_fail(manager, future->dir, error);
    return error;
}

int log_future_promote(struct log_manager *manager, struct str topic, int32_t partition,
                       struct log **out)
{
    char *name = name_of(topic, partition);
    size_t size = strlen(name);
    pthread_mutex_lock(&manager->lock);
    struct managed *current = hashmap_find(&manager->logs, name, size);
    struct managed *future = hashmap_find(&manager->futures, name, size);
    struct managed old = { NULL, NULL }, new = { NULL, NULL };
    if (current != NULL)
        old = (struct managed){ log_ref(current->log), current->dir };
    if (future != NULL)
        new = (struct managed){ log_ref(future->log), future->dir };
    pthread_mutex_unlock(&manager->lock);
    int error = new.log == NULL ? -ENOENT : 0;
    if (error == 0)
        error = make_durable(manager, &new);
    if (error == 0)
        error = change_names(manager, old.log == NULL ? NULL : &old, &new);
    if (error == 0) {
        if (old.log != NULL)
            log_set_high_watermark(new.log, log_high_watermark(old.log));
        // From one map into the other, unless the directory failed meanwhile. The entry keeps its reference.
        pthread_mutex_lock(&manager->lock);
        future = hashmap_remove(&manager->futures, name, size);
        current = future == NULL ? NULL : hashmap_remove(&manager->logs, name, size);
        if (future != NULL)
            hashmap_put(&manager->logs, log_name(future->log), size, future);
        if (current != NULL)
            current->dir->log_count--;
        pthread_mutex_unlock(&manager->lock);
        if (current != NULL) {
            log_chores_add(manager, LOG_WORK_DELETE, current->log, log_manager_now_ms(manager));
            log_unref(current->log);
            mem_free(current);
        }
        error = future == NULL ? -EIO : 0;
    }
    log_unref(old.log);
    if (error == 0)
        *out = new.log;
    else
        log_unref(new.log);
    mem_free(name);
    return error;
}
