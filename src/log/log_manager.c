// SPDX-License-Identifier: Apache-2.0
// See log_manager.h: the map of logs, from opening the directories to closing them. What else a manager does is in
// log_dirs.c, log_loading.c, log_checkpoints.c and log_chores.c.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/crew.h"
#include "base/mem.h"
#include "base/must.h"
#include "log/clean_shutdown.h"
#include "log/log_manager_internal.h"
#include "log/partition_dir.h"

enum { CLOSE_THREADS = 8 };

const struct log_manager_options log_manager_options_default = {
    .recovery_threads_per_dir = 2,
    .has_thread = true,
    .initial_delay_ms = 30000,
    .retention_check_ms = 300000,
    .recovery_point_checkpoint_ms = 60000,
    .log_start_checkpoint_ms = 60000,
    .high_watermark_checkpoint_ms = 5000,
    .flush_check_ms = INT64_MAX,
    .producer_id_expiration_ms = 86400000,
    .producer_id_expiration_check_ms = 600000,
    .cleaner = CLEANER_SETTINGS_DEFAULT,
};

static void manager_free(struct log_manager *manager)
{
    if (manager->flusher != NULL)
        log_flusher_free(manager->flusher);
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        disk_file_unref(manager->dirs[i].lock);
        mem_free(manager->dirs[i].path);
    }
    mem_free(manager->dirs);
    mem_free(manager->dir_paths);
    hashmap_fini(&manager->logs);
    hashmap_fini(&manager->futures);
    log_dirs_fini(manager);
    pthread_mutex_destroy(&manager->lock);
    pthread_mutex_destroy(&manager->checkpoints_lock);
    pthread_cond_destroy(&manager->wake);
    manager->magic = 0;
    mem_free(manager);
}

static char *path_without_slash(const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    return str_dup((struct str){ path, size });
}

int log_manager_open(const struct log_manager_options *options, struct log_manager **out)
{
    must(options->dir_count > 0 && options->config_of != NULL);
    struct log_manager *manager = mem_new(struct log_manager);
    manager->magic = LOG_MANAGER_MAGIC;
    manager->options = *options;
    manager->dirs = mem_zalloc(options->dir_count * sizeof *manager->dirs);
    pthread_mutex_init(&manager->lock, NULL);
    pthread_mutex_init(&manager->checkpoints_lock, NULL);
    pthread_cond_init(&manager->wake, NULL);
    hashmap_init(&manager->logs);
    hashmap_init(&manager->futures);
    hashmap_init(&manager->preferred);
    list_init(&manager->work);
    list_init(&manager->deletions);
    if (options->has_thread || options->defers_flush)
        manager->flusher = log_flusher_new(options->has_thread ? FLUSHER_THREADS_MAX : 0);
    manager->options.dir_ids = NULL; // copied, as the paths are
    manager->options.dirs_offline = NULL;
    int error = 0, last = 0;
    size_t online = 0;
    manager->dir_paths = mem_alloc(options->dir_count * sizeof *manager->dir_paths);
    for (size_t i = 0; i < options->dir_count; i++) {
        manager->dir_paths[i] = manager->dirs[i].path = path_without_slash(options->dirs[i]);
        manager->dirs[i].id = options->dir_ids != NULL ? options->dir_ids[i] : UUID_ZERO;
        manager->dirs[i].is_offline = options->dirs_offline != NULL && options->dirs_offline[i];
    }
    for (size_t i = 0; i < options->dir_count && error == 0; i++) {
        struct log_dir *dir = &manager->dirs[i];
        int result = dir->is_offline ? -EIO : log_dir_open(manager, dir);
        dir->is_offline = result != 0;
        online += result == 0;
        last = result != 0 ? result : last;
        error = result == -EAGAIN ? result : 0;
    }
    if (error == 0 && online == 0)
        error = last;
    if (error != 0)
        manager_free(manager);
    else
        *out = manager;
    return error;
}

int64_t log_manager_previous_broker_epoch(const struct log_manager *manager)
{
    int64_t epoch = manager->dirs[0].was_clean ? manager->dirs[0].broker_epoch : -1;
    for (size_t i = 1; i < manager->options.dir_count; i++)
        if (!manager->dirs[i].was_clean || manager->dirs[i].broker_epoch != epoch)
            return -1;
    return epoch;
}

// ---- the map ------------------------------------------------------------------------------------------------

int log_manager_open_log(struct log_manager *manager, const char *path, struct str topic,
                         struct uuid topic_id, const struct known_offsets *known, bool is_new,
                         bool is_clean, struct log **out)
{
    struct log_config config;
    manager->options.config_of(manager->options.arg, topic, &config);
    pthread_mutex_lock(&manager->lock);
    int64_t expiration_ms = manager->options.producer_id_expiration_ms;
    pthread_mutex_unlock(&manager->lock);
    struct log_options options = { .disk = manager->options.disk,
                                   .clock = manager->options.clock,
                                   .trace = manager->options.trace,
                                   .dir = path,
                                   .config = &config,
                                   .topic_id = topic_id,
                                   .is_new = is_new,
                                   .is_clean = is_clean,
                                   .recovery_point = known == NULL ? 0 : known->recovery_point,
                                   .log_start_offset = known == NULL ? 0 : known->log_start,
                                   .producer_id_expiration_ms = expiration_ms,
                                   .check_threads = log_dir_of(manager, path)->check_threads,
                                   .flusher = manager->flusher,
                                   .on_event = log_chores_on_event,
                                   .arg = manager,
                                   .is_quiet = &manager->is_quiet };
    int error = log_open(&options, out);
    if (error == 0 && known != NULL)
        log_set_high_watermark(*out, known->high_watermark);
    return error;
}

int log_manager_put(struct log_manager *manager, struct hashmap *map, struct log_dir *dir,
                    struct log *log)
{
    struct managed *managed = mem_new(struct managed);
    *managed = (struct managed){ log, dir };
    const char *name = log_name(log);
    pthread_mutex_lock(&manager->lock);
    struct managed *other = hashmap_find(map, name, strlen(name));
    bool is_offline = dir->is_offline;
    if (other == NULL && !is_offline) {
        hashmap_put(map, name, strlen(name), managed);
        dir->log_count++;
    }
    pthread_mutex_unlock(&manager->lock);
    if (other == NULL && !is_offline)
        return 0;
    if (other != NULL)
        trace_error(manager->options.trace,
                    "partition found twice dir=\"%s\" other=\"%s\": delete one of the two",
                    log_dir(log), log_dir(other->log));
    mem_free(managed);
    log_abandon(log);
    return other != NULL ? -EBADMSG : -EIO;
}

int log_manager_rename_log(struct log_manager *manager, struct log_dir *dir, struct log *log,
                           const char *suffix, bool is_synced)
{
    struct partition_dir parsed = partition_dir_parse(log_name(log));
    char *name = partition_dir_name_with(parsed.topic, parsed.partition, suffix);
    char *path = mem_printf("%s/%s", dir->path, name);
    trace_debug(manager->options.trace, "log renamed log=%s to=\"%s\"", log_name(log), path);
    int error = log_rename(log, path, is_synced);
    pthread_mutex_lock(&manager->lock);
    dir->has_renames |= !is_synced;
    pthread_mutex_unlock(&manager->lock);
    mem_free(path);
    mem_free(name);
    return error;
}

void log_list_fill(struct log_manager *manager, const struct log_dir *dir, struct log_list *list)
{
    const struct hashmap *maps[] = { &manager->logs, &manager->futures };
    *list = (struct log_list){ 0 };
    pthread_mutex_lock(&manager->lock);
    struct managed *managed;
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
        for (size_t i = 0; (managed = hashmap_next(maps[m], &i)) != NULL;) {
            if (managed->dir != dir)
                continue;
            vec_reserve(list->items, list->count + 1, list->capacity);
            list->items[list->count++] = log_ref(managed->log);
        }
    }
    pthread_mutex_unlock(&manager->lock);
}

void log_list_fini(struct log_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        log_unref(list->items[i]);
    mem_free(list->items);
}

struct log *log_manager_find(struct log_manager *manager, struct str topic, int32_t partition)
{
    char *name = mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_find(&manager->logs, name, strlen(name));
    struct log *log = managed == NULL ? NULL : log_ref(managed->log);
    pthread_mutex_unlock(&manager->lock);
    mem_free(name);
    return log;
}

struct log *log_manager_next(struct log_manager *manager, size_t *position)
{
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_next(&manager->logs, position);
    struct log *log = managed == NULL ? NULL : log_ref(managed->log);
    pthread_mutex_unlock(&manager->lock);
    return log;
}

size_t log_manager_count(struct log_manager *manager)
{
    pthread_mutex_lock(&manager->lock);
    size_t count = manager->logs.count;
    pthread_mutex_unlock(&manager->lock);
    return count;
}

ptrdiff_t log_manager_dir_of(struct log_manager *manager, struct str topic, int32_t partition)
{
    char *name = mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_find(&manager->logs, name, strlen(name));
    ptrdiff_t dir = managed == NULL ? -1 : managed->dir - manager->dirs;
    pthread_mutex_unlock(&manager->lock);
    mem_free(name);
    return dir;
}

// In the first directory that takes it; those that do not are offline from then on.
static int make_log(struct log_manager *manager, const char *name, struct str topic,
                    struct uuid topic_id, struct uuid directory_id, struct log **out)
{
    bool is_final = false;
    int error = -ENODEV;
    struct log_dir *dir;
    while (!is_final && (dir = log_dir_choose(manager, name, directory_id, &is_final)) != NULL) {
        if (log_dir_is_offline(manager, dir))
            return -ENODEV;
        char *path = mem_printf("%s/%s", dir->path, name);
        struct log *log;
        // Whoever waits for the topic need not wait for its files: they come in the background, or with the first
        // batch. Where there is a choice, a directory that takes them is found out now.
        bool is_new = manager->options.dir_count == 1 && !disk_exists(manager->options.disk, path);
        error = log_manager_open_log(manager, path, topic, topic_id, NULL, is_new, false, &log);
        mem_free(path);
        if (error == -EEXIST)
            return error;
        if (error == 0) {
            log_ref(log);
            error = log_manager_put(manager, &manager->logs, dir, log);
            if (error == 0) {
                log_dirs_forget_preference(manager, name);
                if (is_new)
                    log_chores_add(manager, LOG_WORK_MAKE_FILES, log, log_manager_now_ms(manager));
                *out = log;
                return 0;
            }
            log_unref(log);
            return error;
        }
        log_dir_fail(manager, dir, error);
    }
    return error;
}

int log_manager_create(struct log_manager *manager, struct str topic, int32_t partition,
                       struct uuid topic_id, struct uuid directory_id, struct log **out)
{
    *out = log_manager_find(manager, topic, partition);
    if (*out != NULL) {
        int error = uuid_is_zero(topic_id) ? 0 : log_assign_topic_id(*out, topic_id);
        if (error != 0) {
            log_unref(*out);
            *out = NULL;
        }
        return error;
    }
    char *name = mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
    int error = make_log(manager, name, topic, topic_id, directory_id, out);
    mem_free(name);
    return error;
}

int log_manager_remove(struct log_manager *manager, struct hashmap *map, struct str topic,
                       int32_t partition)
{
    char *name = mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_remove(map, name, strlen(name));
    if (managed != NULL)
        managed->dir->log_count--;
    pthread_mutex_unlock(&manager->lock);
    mem_free(name);
    if (managed == NULL)
        return -ENOENT;
    int error = log_manager_rename_log(manager, managed->dir, managed->log, "-delete", false);
    if (manager->cleaner != NULL && map == &manager->logs)
        cleaner_manager_deleted(manager->cleaner, managed->log);
    // What the checkpoints say of it must not be taken for the next log of that name.
    if (error == 0 && log_start_offset(managed->log) > 0) {
        error = log_checkpoints_write(manager, managed->dir, CHECKPOINT_LOG_START);
        if (error != 0)
            log_dir_fail(manager, managed->dir, error);
    }
    if (error == 0)
        log_chores_add(manager, LOG_WORK_DELETE, managed->log, log_manager_now_ms(manager));
    log_unref(managed->log);
    mem_free(managed);
    return error;
}

int log_manager_delete(struct log_manager *manager, struct str topic, int32_t partition)
{
    log_manager_remove(manager, &manager->futures, topic, partition);
    return log_manager_remove(manager, &manager->logs, topic, partition);
}

static void set_config_of(struct log_manager *manager, const struct hashmap *map, struct str topic,
                          const struct log_config *config)
{
    for (size_t i = 0;;) {
        pthread_mutex_lock(&manager->lock);
        struct managed *managed = hashmap_next(map, &i);
        struct log *log = managed == NULL ? NULL : log_ref(managed->log);
        pthread_mutex_unlock(&manager->lock);
        if (log == NULL)
            return;
        if (str_eq(partition_dir_parse(log_name(log)).topic, topic))
            log_set_config(log, config);
        log_unref(log);
    }
}

void log_manager_config_changed(struct log_manager *manager, struct str topic)
{
    struct log_config config;
    manager->options.config_of(manager->options.arg, topic, &config);
    set_config_of(manager, &manager->logs, topic, &config);
    set_config_of(manager, &manager->futures, topic, &config);
    struct log *log;
    for (size_t i = 0; manager->cleaner != NULL && !config.cleanup_compact &&
                       (log = log_manager_next(manager, &i)) != NULL;
         log_unref(log))
        if (str_eq(partition_dir_parse(log_name(log)).topic, topic))
            cleaner_manager_abort(manager->cleaner, log);
    cleaner_manager_notice(manager->cleaner);
    log_chores_wake(manager);
}

void log_manager_set_recovery_threads(struct log_manager *manager, int threads_per_dir)
{
    pthread_mutex_lock(&manager->lock);
    manager->options.recovery_threads_per_dir = threads_per_dir;
    pthread_mutex_unlock(&manager->lock);
}

void log_manager_set_producer_id_expiration(struct log_manager *manager, int64_t expiration_ms)
{
    pthread_mutex_lock(&manager->lock);
    bool is_new = manager->options.producer_id_expiration_ms != expiration_ms;
    manager->options.producer_id_expiration_ms = expiration_ms;
    pthread_mutex_unlock(&manager->lock);
    struct log *log;
    for (size_t i = 0; is_new && (log = log_manager_next(manager, &i)) != NULL; log_unref(log))
        log_set_producer_id_expiration(log, expiration_ms);
}

void log_manager_reconfigure_cleaner(struct log_manager *manager,
                                     const struct cleaner_settings *settings)
{
    must_be(manager, LOG_MANAGER_MAGIC);
    if (manager->cleaner != NULL)
        cleaner_manager_reconfigure(manager->cleaner, settings);
}

// ---- stopping -------------------------------------------------------------------------------------------

struct closing { // of one directory
    struct log_list list;
    atomic_int error;
};

static void close_one(void *arg, size_t i)
{
    struct closing *closing = arg;
    int error = log_close(log_ref(closing->list.items[i])), none = 0;
    if (error != 0)
        atomic_compare_exchange_strong(&closing->error, &none, error);
}

static int close_dir(struct log_manager *manager, struct log_dir *dir, int64_t broker_epoch)
{
    struct closing closing = { .error = 0 };
    if (dir->is_offline)
        return 0;
    log_list_fill(manager, dir, &closing.list);
    // Closing waits for the disk, which takes several syncs as one: it gets more threads than a start, which computes.
    int threads = manager->options.recovery_threads_per_dir;
    threads = threads > 0 && threads < CLOSE_THREADS ? CLOSE_THREADS : threads;
    crew_run(threads, closing.list.count, close_one, &closing);
    log_list_fini(&closing.list);
    int error = atomic_load(&closing.error);
    if (dir->is_offline) // by one of these
        return error;
    for (int kind = CHECKPOINT_RECOVERY_POINT; kind <= CHECKPOINT_HIGH_WATERMARK && error == 0;
         kind++)
        error = log_checkpoints_write(manager, dir, (enum checkpoint_kind)kind);
    if (error == 0 && dir->is_loaded)
        error = clean_shutdown_write(manager->options.disk, dir->path, broker_epoch);
    return error;
}

static void drop_logs(struct log_manager *manager)
{
    const struct hashmap *maps[] = { &manager->logs, &manager->futures };
    struct managed *managed;
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
        for (size_t i = 0; (managed = hashmap_next(maps[m], &i)) != NULL;) {
            log_abandon(managed->log);
            mem_free(managed);
        }
    }
}

// The cleaner's events may still make work, so it goes first; then nobody calls into it.
static void stop_background(struct log_manager *manager)
{
    if (manager->cleaner != NULL)
        cleaner_manager_stop(manager->cleaner);
    log_chores_stop(manager);
}

int log_manager_close(struct log_manager *manager, int64_t broker_epoch)
{
    must_be(manager, LOG_MANAGER_MAGIC);
    stop_background(manager);
    int error = 0;
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        int result = close_dir(manager, &manager->dirs[i], broker_epoch);
        error = error == 0 ? result : error;
    }
    drop_logs(manager);
    cleaner_manager_free(manager->cleaner);
    manager_free(manager);
    return error;
}

void log_manager_abandon(struct log_manager *manager)
{
    must_be(manager, LOG_MANAGER_MAGIC);
    stop_background(manager);
    drop_logs(manager);
    cleaner_manager_free(manager->cleaner);
    manager_free(manager);
}
