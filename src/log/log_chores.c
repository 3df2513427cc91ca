// SPDX-License-Identifier: Apache-2.0
// What is done in the background: work (one thing with one log, when it is due) and chores (what recurs).
// On a thread of its own, or, in a simulation, by log_manager_run.
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_manager_internal.h"

enum { IDLE_FILES_MS = 60000 };

struct work {
    struct list link;
    enum log_work_kind kind;
    struct log *log; // a reference; or NULL, and
    char *path;      // a directory left by an earlier run
    int64_t due_ms;  // LOG_WORK_DELETE: since when it waits
};

static void work_drop(struct work *work);

static void add(struct log_manager *manager, struct work *work)
{
    pthread_mutex_lock(&manager->lock);
    if (manager->is_stopping) { // what a last event of a log asks for; the next start sees to it
        pthread_mutex_unlock(&manager->lock);
        work_drop(work);
        return;
    }
    list_append(work->kind == LOG_WORK_DELETE ? &manager->deletions : &manager->work, &work->link);
    atomic_store(&manager->is_quiet, false); // a log comes or goes
    manager->is_work_new = true;
    pthread_cond_signal(&manager->wake);
    pthread_mutex_unlock(&manager->lock);
}

void log_chores_add(struct log_manager *manager, enum log_work_kind kind, struct log *log,
                    int64_t due_ms)
{
    struct work *work = mem_new(struct work);
    *work = (struct work){ .kind = kind, .log = log_ref(log), .due_ms = due_ms };
    add(manager, work);
}

void log_chores_add_dir(struct log_manager *manager, const char *path)
{
    struct work *work = mem_new(struct work);
    *work = (struct work){ .kind = LOG_WORK_DELETE,
                           .path = mem_strdup(path),
                           .due_ms = log_manager_now_ms(manager) };
    add(manager, work);
}

static void work_free(struct work *work)
{
    log_unref(work->log);
    mem_free(work->path);
    mem_free(work);
}

// It is not done any more. Who waits for something of a log that was on its way out is told that it is gone.
static void work_drop(struct work *work)
{
    if (work->kind == LOG_WORK_DELETE && work->log != NULL)
        log_abandon(log_ref(work->log));
    work_free(work);
}

void log_chores_wake(struct log_manager *manager)
{
    pthread_mutex_lock(&manager->lock);
    manager->is_work_new = true;
    pthread_cond_signal(&manager->wake);
    pthread_mutex_unlock(&manager->lock);
}

void log_chores_on_event(void *arg, struct log *log, enum log_event event)
{
    struct log_manager *manager = arg;
    switch (event) {
    case LOG_EVENT_ROLLED:
        log_chores_add(manager, LOG_WORK_FLUSH, log, log_manager_now_ms(manager));
        cleaner_manager_notice(manager->cleaner);
        break;
    case LOG_EVENT_START:
        cleaner_manager_notice(manager->cleaner);
        break;
    case LOG_EVENT_FILES:
        log_chores_add(manager, LOG_WORK_GARBAGE, log, log_garbage_due_ms(log));
        break;
    case LOG_EVENT_FAILED: {
        struct log_dir *dir = log_dir_of(manager, log_dir(log));
        if (dir != NULL)
            log_dir_fail(manager, dir, -EIO);
        break;
    }
    case LOG_EVENT_TRUNCATED:
        if (manager->cleaner != NULL)
            cleaner_manager_truncated(manager->cleaner, log);
        break;
    case LOG_EVENT_CHANGED:
        if (atomic_exchange(&manager->is_quiet, false))
            log_chores_wake(manager);
        break;
    }
}

static void flush_if_old(struct log_manager *manager, struct log *log)
{
    struct log_config config;
    log_get_config(log, &config);
    if (log_end_offset(log) > log_recovery_point(log) &&
        log_manager_now_ms(manager) - log_last_flush_ms(log) >= config.flush_ms)
        log_flush(log, INT64_MAX);
}

// Nothing moved between two of them: the next waits until something does, and an idle broker sleeps. (One is not
// enough: a high watermark moves after the event that tells of its log.)
static int64_t write_high_watermarks(struct log_manager *manager)
{
    bool was_quiet = atomic_exchange(&manager->is_quiet, true);
    log_checkpoints_write_all(manager, CHECKPOINT_HIGH_WATERMARK);
    return was_quiet ? INT64_MAX : manager->options.high_watermark_checkpoint_ms;
}

// For every log of every directory, on references.
static void each_log(struct log_manager *manager,
                     void (*call)(struct log_manager *manager, struct log *log))
{
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        struct log_list list;
        log_list_fill(manager, &manager->dirs[i], &list);
        for (size_t n = 0; n < list.count; n++)
            call(manager, list.items[n]);
        log_list_fini(&list);
    }
}

static void expire_producers(struct log_manager *manager, struct log *log)
{
    (void)manager;
    log_expire_producers(log);
}

static void close_idle_files(struct log_manager *manager, struct log *log)
{
    (void)manager;
    log_close_idle_files(log);
}

static void delete_old_segments(struct log_manager *manager, struct log *log)
{
    (void)manager;
    struct log_config config;
    log_get_config(log, &config);
    // What is compacted is the cleaner's, which deletes, too.
    if (!config.cleanup_compact)
        log_delete_old_segments(log); // a failure is the log's own event
}

static int64_t do_chore(struct log_manager *manager, enum chore chore)
{
    switch (chore) {
    case CHORE_RECOVERY_POINTS:
        log_checkpoints_write_all(manager, CHECKPOINT_RECOVERY_POINT);
        return manager->options.recovery_point_checkpoint_ms;
    case CHORE_LOG_STARTS:
        log_checkpoints_write_all(manager, CHECKPOINT_LOG_START);
        return manager->options.log_start_checkpoint_ms;
    case CHORE_HIGH_WATERMARKS:
        return write_high_watermarks(manager);
    case CHORE_FLUSH:
        each_log(manager, flush_if_old);
        return manager->options.flush_check_ms;
    case CHORE_RETENTION:
        each_log(manager, delete_old_segments);
        return manager->options.retention_check_ms;
    case CHORE_EXPIRE_PRODUCERS:
        each_log(manager, expire_producers);
        return manager->options.producer_id_expiration_check_ms;
    case CHORE_CLEAN:
        while (cleaner_manager_run(manager->cleaner)) {
        }
        return manager->options.cleaner.backoff_ms;
    case CHORE_IDLE_FILES:
    case CHORE_COUNT:
        break;
    }
    each_log(manager, close_idle_files);
    return IDLE_FILES_MS;
}

static void do_work(struct log_manager *manager, struct work *work)
{
    const char *path = work->log != NULL ? log_dir(work->log) : work->path;
    int error = 0;
    switch (work->kind) {
    case LOG_WORK_MAKE_FILES:
        if (log_make_files(work->log) == 0) // a failure is the log's own event
            error = log_write_metadata(work->log);
        break;
    case LOG_WORK_FLUSH:
        log_flush(work->log,
                  log_active_segment_offset(work->log)); // a failure is the log's own event
        break;
    case LOG_WORK_GARBAGE:
        error = log_delete_garbage(work->log);
        break;
    case LOG_WORK_DELETE:
        trace_info(manager->options.trace, "log deleted dir=\"%s\"", path);
        error = work->log != NULL ? log_delete(log_ref(work->log))
                                  : disk_remove_tree(manager->options.disk, path);
        break;
    }
    if (error != 0) {
        trace_error(manager->options.trace, "log files cannot be deleted dir=\"%s\" error=\"%s\"",
                    path, strerror(-error));
        struct log_dir *dir = log_dir_of(manager, path);
        if (dir != NULL)
            log_dir_fail(manager, dir, error);
    }
    work_free(work);
}

// How long a directory named -delete stays: the broker's own setting, as it is now.
static int64_t delete_delay_ms(struct log_manager *manager)
{
    pthread_mutex_lock(&manager->lock);
    bool is_asked = !list_is_empty(&manager->deletions);
    pthread_mutex_unlock(&manager->lock);
    if (!is_asked)
        return INT64_MAX;
    struct log_config config;
    manager->options.config_of(manager->options.arg, str_of(""), &config);
    return config.file_delete_delay_ms;
}

// The first piece of work that is due, taken off its list; else when the next one will be.
static struct work *take_work(struct log_manager *manager, int64_t now, int64_t delay_ms,
                              int64_t *next_ms)
{
    struct work *due = NULL;
    pthread_mutex_lock(&manager->lock);
    list_for_each_safe(at, following, &manager->work)
    {
        struct work *work = container_of(at, struct work, link);
        if (work->due_ms <= now) {
            due = work;
            break;
        }
        if (work->due_ms < *next_ms)
            *next_ms = work->due_ms;
    }
    if (due == NULL && !list_is_empty(&manager->deletions)) {
        struct work *work = container_of(manager->deletions.next, struct work, link);
        int64_t due_ms = log_manager_later(work->due_ms, delay_ms);
        if (due_ms <= now)
            due = work;
        else if (due_ms < *next_ms)
            *next_ms = due_ms;
    }
    if (due != NULL)
        list_remove(&due->link);
    pthread_mutex_unlock(&manager->lock);
    return due;
}

// Renamed logs keep their new names, and the next log of the old name is not taken for them: one sync, and one
// checkpoint, for all of a directory.
static void sync_renames(struct log_manager *manager)
{
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        struct log_dir *dir = &manager->dirs[i];
        pthread_mutex_lock(&manager->lock);
        bool is_due = dir->has_renames && !dir->is_offline;
        dir->has_renames = false;
        pthread_mutex_unlock(&manager->lock);
        int error =
            is_due ? manager->options.disk->ops->sync_dir(manager->options.disk, dir->path) : 0;
        if (is_due && error == 0)
            error = log_checkpoints_write(manager, dir, CHECKPOINT_RECOVERY_POINT);
        if (error != 0)
            log_dir_fail(manager, dir, error);
    }
}

int64_t log_manager_run(struct log_manager *manager)
{
    int64_t now = log_manager_now_ms(manager), next = INT64_MAX;
    int64_t delay_ms = delete_delay_ms(manager);
    struct work *work;
    if (manager->flusher != NULL && !manager->options.has_thread)
        log_flusher_run(manager->flusher);
    pthread_mutex_lock(&manager->lock);
    manager->is_work_new = false;
    pthread_mutex_unlock(&manager->lock);
    int64_t *watermarks_due = &manager->chore_due_ms[CHORE_HIGH_WATERMARKS];
    if (*watermarks_due == INT64_MAX && !atomic_load(&manager->is_quiet))
        *watermarks_due = log_manager_later(now, manager->options.high_watermark_checkpoint_ms);
    sync_renames(manager);
    while ((work = take_work(manager, now, delay_ms, &next)) != NULL)
        do_work(manager, work);
    for (int i = 0; i < CHORE_COUNT; i++) {
        if (manager->chore_due_ms[i] <= now)
            manager->chore_due_ms[i] = log_manager_later(now, do_chore(manager, (enum chore)i));
        if (manager->chore_due_ms[i] < next)
            next = manager->chore_due_ms[i];
    }
    return next;
}

static void *background(void *arg)
{
    struct log_manager *manager = arg;
    for (;;) {
        int64_t next = log_manager_run(manager);
        pthread_mutex_lock(&manager->lock);
        struct timespec until = { .tv_sec = (time_t)(next / 1000),
                                  .tv_nsec = (long)(next % 1000) * 1000000 };
        // What was added since the run may be due before `next`.
        if (!manager->is_stopping && !manager->is_work_new && next > log_manager_now_ms(manager))
            pthread_cond_timedwait(&manager->wake, &manager->lock, &until);
        bool is_stopping = manager->is_stopping;
        pthread_mutex_unlock(&manager->lock);
        if (is_stopping)
            return NULL;
    }
}

// A log that moves to another directory is left alone meanwhile.
static struct log *next_log(void *arg, size_t *position)
{
    struct log_manager *manager = arg;
    struct log *log;
    while ((log = log_manager_next(manager, position)) != NULL) {
        pthread_mutex_lock(&manager->lock);
        bool is_moving =
            hashmap_find(&manager->futures, log_name(log), strlen(log_name(log))) != NULL;
        pthread_mutex_unlock(&manager->lock);
        if (!is_moving)
            break;
        log_unref(log);
    }
    return log;
}

static bool log_exists(void *arg, struct str topic, int32_t partition)
{
    struct log *log = log_manager_find(arg, topic, partition);
    log_unref(log);
    return log != NULL;
}

static void on_cleaner_dir_failed(void *arg, size_t dir, int error)
{
    struct log_manager *manager = arg;
    log_dir_fail(manager, &manager->dirs[dir], error);
}

static void start_cleaner(struct log_manager *manager)
{
    manager->cleaner = cleaner_manager_new(&(struct cleaner_manager_options){
        .disk = manager->options.disk,
        .clock = manager->options.clock,
        .trace = manager->options.trace,
        .dirs = manager->dir_paths,
        .dir_count = manager->options.dir_count,
        .settings = manager->options.cleaner,
        .has_threads = manager->options.has_thread,
        .next_log = next_log,
        .log_exists = log_exists,
        .on_dir_failed = on_cleaner_dir_failed,
        .arg = manager,
    });
    for (size_t i = 0; i < manager->options.dir_count; i++)
        if (manager->dirs[i].is_offline)
            cleaner_manager_fail_dir(manager->cleaner, manager->dirs[i].path);
    cleaner_manager_start(manager->cleaner);
}

void log_chores_start(struct log_manager *manager)
{
    start_cleaner(manager);
    const struct log_manager_options *o = &manager->options;
    const int64_t first[CHORE_COUNT] = {
        [CHORE_RECOVERY_POINTS] = o->initial_delay_ms,
        [CHORE_LOG_STARTS] = o->initial_delay_ms,
        [CHORE_HIGH_WATERMARKS] = o->high_watermark_checkpoint_ms,
        [CHORE_FLUSH] = o->initial_delay_ms,
        [CHORE_RETENTION] = o->initial_delay_ms,
        [CHORE_EXPIRE_PRODUCERS] = o->producer_id_expiration_check_ms,
        [CHORE_CLEAN] = o->has_thread ? INT64_MAX : o->cleaner.backoff_ms,
        [CHORE_IDLE_FILES] = IDLE_FILES_MS,
    };
    for (int i = 0; i < CHORE_COUNT; i++)
        manager->chore_due_ms[i] = log_manager_later(log_manager_now_ms(manager), first[i]);
    if (manager->options.has_thread) {
        must(pthread_create(&manager->thread, NULL, background, manager) == 0);
        manager->has_thread = true;
    }
}

void log_chores_stop(struct log_manager *manager)
{
    pthread_mutex_lock(&manager->lock);
    manager->is_stopping = true;
    pthread_cond_signal(&manager->wake);
    pthread_mutex_unlock(&manager->lock);
    if (manager->has_thread)
        pthread_join(manager->thread, NULL);
    manager->has_thread = false;
    sync_renames(manager);
    struct list *at;
    list_splice(&manager->work, &manager->deletions);
    while ((at = list_pop(&manager->work)) != NULL) {
        // Files named .deleted are removed at the next start, directories named -delete wait anew.
        work_drop(container_of(at, struct work, link));
    }
}
