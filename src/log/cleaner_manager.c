// SPDX-License-Identifier: Apache-2.0
// Threads are counted, not kept: one whose generation is over gives up its round and goes. `lock` guards the settings,
// the count and the throttle; neither logs nor states are called under it.
#include "log/cleaner_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/cleaner.h"
#include "log/cleaner_throttle.h"

enum { CLEANER_MANAGER_MAGIC = 0xc1ea4e5 };

#define BACKOFF_MS_MAX (INT64_C(1000) * 365 * 86400000)

struct cleaner_manager {
    uint32_t magic;
    struct cleaner_manager_options options;
    struct cleaner_states states;
    pthread_mutex_t lock;
    pthread_cond_t wake; // settings changed, there is news, or a thread went
    unsigned news;       // how often there was
    atomic_uint generation;
    int live; // threads
    struct cleaner_throttle throttle;
};

struct cleaner_thread {
    struct cleaner_manager *manager;
    unsigned generation;
    bool may_wait;                    // it is a thread of ours
    bool has_more;                    // the last round saw what time alone may make due
    struct cleaner_settings settings; // of this generation
    struct cleaner_state *state;      // of the log being cleaned
};

static int64_t now_us(const struct cleaner_manager *manager)
{
    return clock_monotonic_us(manager->options.clock);
}

static bool is_stale(const struct cleaner_thread *thread)
{
    return atomic_load_explicit(&thread->manager->generation, memory_order_relaxed) !=
           thread->generation;
}

// Locked. Until the moment has come or the generation is over.
static void wait_until(struct cleaner_thread *thread, int64_t us)
{
    struct cleaner_manager *manager = thread->manager;
    struct timespec until = { .tv_sec = (time_t)(us / 1000000),
                              .tv_nsec = (long)(us % 1000000) * 1000 };
    while (!is_stale(thread) && now_us(manager) < us)
        pthread_cond_timedwait(&manager->wake, &manager->lock, &until);
}

// ---- what a cleaning asks ---------------------------------------------------------------------------

static bool is_over(void *arg)
{
    const struct cleaner_thread *thread = arg;
    return is_stale(thread) || cleaner_state_is_aborted(thread->state);
}

static void throttle(void *arg, int64_t bytes)
{
    struct cleaner_thread *thread = arg;
    struct cleaner_manager *manager = thread->manager;
    double rate = thread->settings.io_max_bytes_per_second;
    if (rate >= 1e18 || !thread->may_wait)
        return;
    pthread_mutex_lock(&manager->lock);
    int64_t now = now_us(manager);
    int64_t until = cleaner_throttle_note(&manager->throttle, rate, bytes, now);
    if (until > now)
        wait_until(thread, until);
    pthread_mutex_unlock(&manager->lock);
}

// ---- a round ----------------------------------------------------------------------------------------

struct candidate {
    struct log *log; // a reference, NULL: none
    struct log_cleanable what;
    int64_t checkpoint;
};

static bool is_uncleanable(int error)
{
    return error == -EBADMSG || error == -EOVERFLOW;
}

static void set_aside(struct cleaner_manager *manager, struct log *log)
{
    struct cleaner_state *state = cleaner_states_begin(&manager->states, log, NULL);
    if (state == NULL)
        return;
    cleaner_states_end(&manager->states, state, -1, true);
    trace_error(manager->options.trace, "log set aside, not to be cleaned log=%s", log_name(log));
}

static void consider(struct cleaner_thread *thread, struct log *log, struct candidate *best)
{
    struct cleaner_manager *manager = thread->manager;
    struct log_config config;
    struct log_cleanable what;
    int64_t checkpoint;
    log_get_config(log, &config);
    if (!config.cleanup_compact)
        return;
    bool is_retained = config.cleanup_delete && log_end_offset(log) > log_start_offset(log);
    bool is_free = cleaner_states_ask(&manager->states, log, &checkpoint);
    thread->has_more |= is_retained || !is_free;
    if (!is_free)
        return;
    int error = log_cleanable(log, checkpoint, clock_wall_ms(manager->options.clock), &what);
    if (error == -ECANCELED)
        return;
    if (error != 0) {
        trace_error(manager->options.trace, "log cannot be looked at log=%s error=\"%s\"",
                    log_name(log), strerror(-error));
        set_aside(manager, log);
        return;
    }
    thread->has_more |= !what.is_settled;
    if (what.is_checkpoint_wrong) {
        // With compact,delete the log start passes the checkpoint in the ordinary course of things.
        if (checkpoint > log_end_offset(log) || !config.cleanup_delete)
            trace_warn(
                manager->options.trace,
                "log cleaner checkpoint is outside the log, begun anew log=%s checkpoint=%" PRId64
                " log_start=%" PRId64 " log_end=%" PRId64,
                log_name(log), checkpoint, log_start_offset(log), log_end_offset(log));
        checkpoint = what.first_dirty_offset;
        cleaner_states_reset(&manager->states, log, checkpoint);
    }
    bool is_due = (what.overdue_ms > 0 && what.cleanable_bytes > 0) ||
                  what.ratio > config.min_cleanable_dirty_ratio;
    if (!is_due || (best->log != NULL && what.ratio <= best->what.ratio))
        return;
    log_unref(best->log);
    *best = (struct candidate){ log_ref(log), what, checkpoint };
}

static bool is_full_disk(int error)
{
    return error == -ENOSPC || error == -EDQUOT;
}

static bool clean(struct cleaner_thread *thread, struct candidate *chosen)
{
    struct cleaner_manager *manager = thread->manager;
    const struct cleaner_settings *settings = &thread->settings;
    int threads = settings->threads > 0 ? settings->threads : 1;
    struct cleaning cleaning = {
        .log = chosen->log,
        .what = chosen->what,
        .trace = manager->options.trace,
        .clock = manager->options.clock,
        .map_bytes = settings->dedupe_buffer_bytes / threads,
        .map_load_factor = settings->dedupe_load_factor,
        .buffer_bytes = (size_t)(settings->io_buffer_bytes / threads / 2),
        .now_ms = clock_wall_ms(manager->options.clock),
        .is_over = is_over,
        .throttle = throttle,
        .arg = thread,
    };
    int error = cleaner_clean(&cleaning);
    if (is_full_disk(error))
        trace_error(manager->options.trace,
                    "log not cleaned, the disk is full: tried again later log=%s",
                    log_name(chosen->log));
    else if (error != 0 && error != -ECANCELED && !is_uncleanable(error))
        log_fail_cleaning(chosen->log, error);
    if (is_uncleanable(error))
        trace_error(manager->options.trace, "log set aside, not to be cleaned log=%s",
                    log_name(chosen->log));
    cleaner_states_end(&manager->states, thread->state, error == 0 ? cleaning.end_offset : -1,
                       is_uncleanable(error));
    // One that gained nothing would be chosen again at once.
    return error == 0 && cleaning.end_offset > chosen->what.first_dirty_offset;
}

static bool clean_filthiest(struct cleaner_thread *thread)
{
    struct cleaner_manager *manager = thread->manager;
    struct candidate best = { 0 };
    struct log *log;
    for (size_t i = 0; (log = manager->options.next_log(manager->options.arg, &i)) != NULL;
         log_unref(log))
        if (!is_stale(thread))
            consider(thread, log, &best);
    if (best.log == NULL)
        return false;
    bool was_cleaned = false;
    int64_t checkpoint;
    thread->state = cleaner_states_begin(&manager->states, best.log, &checkpoint);
    // Another thread may have cleaned it since we asked.
    if (thread->state != NULL && checkpoint != best.checkpoint)
        cleaner_states_end(&manager->states, thread->state, -1, false);
    else if (thread->state != NULL)
        was_cleaned = clean(thread, &best);
    thread->state = NULL;
    log_unref(best.log);
    return was_cleaned;
}

static void retain(struct cleaner_thread *thread)
{
    struct cleaner_manager *manager = thread->manager;
    struct log *log;
    for (size_t i = 0; (log = manager->options.next_log(manager->options.arg, &i)) != NULL;
         log_unref(log)) {
        struct log_config config;
        log_get_config(log, &config);
        if (!config.cleanup_compact || is_stale(thread))
            continue;
        struct cleaner_state *state = cleaner_states_begin(&manager->states, log, NULL);
        if (state == NULL)
            continue;
        log_delete_old_segments(log); // a failure is the log's own event
        cleaner_states_end(&manager->states, state, -1, false);
    }
}

static bool run_round(struct cleaner_thread *thread)
{
    bool was_cleaned = clean_filthiest(thread);
    retain(thread);
    return was_cleaned;
}

bool cleaner_manager_run(struct cleaner_manager *manager)
{
    must_be(manager, CLEANER_MANAGER_MAGIC);
    struct cleaner_thread thread = { .manager = manager,
                                     .generation = atomic_load(&manager->generation) };
    pthread_mutex_lock(&manager->lock);
    thread.settings = manager->options.settings;
    pthread_mutex_unlock(&manager->lock);
    return thread.settings.is_enabled && run_round(&thread);
}

// ---- threads ----------------------------------------------------------------------------------------

// Locked. Between two rounds; `seen`: the news before the last of them.
static void rest(struct cleaner_thread *thread, unsigned seen)
{
    struct cleaner_manager *manager = thread->manager;
    int64_t backoff_ms = thread->settings.backoff_ms;
    int64_t backoff_us = (backoff_ms < BACKOFF_MS_MAX ? backoff_ms : BACKOFF_MS_MAX) * 1000;
    int64_t until_us = now_us(manager) + backoff_us;
    while (!thread->has_more && manager->news == seen && !is_stale(thread))
        pthread_cond_wait(&manager->wake, &manager->lock);
    wait_until(thread, until_us);
}

static void *work(void *arg)
{
    struct cleaner_thread *thread = arg;
    struct cleaner_manager *manager = thread->manager;
    pthread_mutex_lock(&manager->lock);
    while (!is_stale(thread)) {
        unsigned seen = manager->news;
        pthread_mutex_unlock(&manager->lock);
        thread->has_more = false;
        bool was_cleaned = run_round(thread);
        pthread_mutex_lock(&manager->lock);
        if (!was_cleaned)
            rest(thread, seen);
    }
    manager->live--;
    pthread_cond_broadcast(&manager->wake);
    pthread_mutex_unlock(&manager->lock);
    mem_free(thread);
    return NULL;
}

// Locked.
static void start_threads(struct cleaner_manager *manager)
{
    const struct cleaner_settings *settings = &manager->options.settings;
    if (!manager->options.has_threads || !settings->is_enabled)
        return;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < settings->threads; i++) {
        struct cleaner_thread *thread = mem_new(struct cleaner_thread);
        *thread = (struct cleaner_thread){ .manager = manager,
                                           .generation = atomic_load(&manager->generation),
                                           .may_wait = true,
                                           .settings = *settings };
        pthread_t id;
        if (pthread_create(&id, &attributes, work, thread) == 0) {
            manager->live++;
        } else {
            mem_free(thread);
            trace_error(manager->options.trace, "log cleaner thread cannot be started");
        }
    }
    pthread_attr_destroy(&attributes);
}

// ---- life -------------------------------------------------------------------------------------------

static void on_dir_failed(void *arg, size_t dir, int error)
{
    struct cleaner_manager *manager = arg;
    manager->options.on_dir_failed(manager->options.arg, dir, error);
}

struct cleaner_manager *cleaner_manager_new(const struct cleaner_manager_options *options)
{
    struct cleaner_manager *manager = mem_new(struct cleaner_manager);
    pthread_condattr_t attributes;
    manager->magic = CLEANER_MANAGER_MAGIC;
    manager->options = *options;
    pthread_mutex_init(&manager->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&manager->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    atomic_init(&manager->generation, 1);
    manager->states = (struct cleaner_states){ .disk = options->disk,
                                               .trace = options->trace,
                                               .dirs = options->dirs,
                                               .dir_count = options->dir_count,
                                               .on_dir_failed = on_dir_failed,
                                               .arg = manager };
    cleaner_states_init(&manager->states);
    cleaner_states_settle(&manager->states, options->log_exists, options->arg);
    cleaner_throttle_init(&manager->throttle, now_us(manager));
    return manager;
}

void cleaner_manager_start(struct cleaner_manager *manager)
{
    must_be(manager, CLEANER_MANAGER_MAGIC);
    if (!manager->options.settings.is_enabled)
        trace_warn(manager->options.trace,
                   "log cleaner disabled: compacted topics grow without limit");
    pthread_mutex_lock(&manager->lock);
    start_threads(manager);
    pthread_mutex_unlock(&manager->lock);
}

void cleaner_manager_stop(struct cleaner_manager *manager)
{
    must_be(manager, CLEANER_MANAGER_MAGIC);
    pthread_mutex_lock(&manager->lock);
    manager->options.has_threads = false;
    atomic_fetch_add(&manager->generation, 1);
    pthread_cond_broadcast(&manager->wake);
    while (manager->live > 0)
        pthread_cond_wait(&manager->wake, &manager->lock);
    pthread_mutex_unlock(&manager->lock);
}

void cleaner_manager_free(struct cleaner_manager *manager)
{
    if (manager == NULL)
        return;
    must_be(manager, CLEANER_MANAGER_MAGIC);
    must(manager->live == 0);
    cleaner_states_fini(&manager->states);
    pthread_mutex_destroy(&manager->lock);
    pthread_cond_destroy(&manager->wake);
    manager->magic = 0;
    mem_free(manager);
}

void cleaner_manager_reconfigure(struct cleaner_manager *manager,
                                 const struct cleaner_settings *settings)
{
    must_be(manager, CLEANER_MANAGER_MAGIC);
    pthread_mutex_lock(&manager->lock);
    struct cleaner_settings *own = &manager->options.settings;
    bool is_changed = own->threads != settings->threads ||
                      own->dedupe_buffer_bytes != settings->dedupe_buffer_bytes ||
                      own->dedupe_load_factor != settings->dedupe_load_factor ||
                      own->io_buffer_bytes != settings->io_buffer_bytes ||
                      own->io_max_bytes_per_second != settings->io_max_bytes_per_second ||
                      own->backoff_ms != settings->backoff_ms ||
                      own->is_enabled != settings->is_enabled;
    if (is_changed) {
        *own = *settings;
        cleaner_throttle_init(&manager->throttle, now_us(manager));
        atomic_fetch_add(&manager->generation, 1);
        pthread_cond_broadcast(&manager->wake);
        start_threads(manager);
    }
    pthread_mutex_unlock(&manager->lock);
}

// ---- what happens to logs ---------------------------------------------------------------------------

void cleaner_manager_notice(struct cleaner_manager *manager)
{
    if (manager == NULL)
        return;
    pthread_mutex_lock(&manager->lock);
    manager->news++;
    pthread_cond_broadcast(&manager->wake);
    pthread_mutex_unlock(&manager->lock);
}

void cleaner_manager_truncated(struct cleaner_manager *manager, struct log *log)
{
    cleaner_states_truncate(&manager->states, log, log_active_segment_offset(log));
}

void cleaner_manager_deleted(struct cleaner_manager *manager, struct log *log)
{
    cleaner_states_forget(&manager->states, log);
}

void cleaner_manager_abort(struct cleaner_manager *manager, struct log *log)
{
    cleaner_states_abort(&manager->states, log);
}

bool cleaner_manager_hold(struct cleaner_manager *manager, struct log *log,
                          struct cleaner_state **state)
{
    cleaner_states_abort(&manager->states, log);
    *state = cleaner_states_begin(&manager->states, log, NULL);
    return *state != NULL || !cleaner_states_is_busy(&manager->states, log);
}

void cleaner_manager_release(struct cleaner_manager *manager, struct cleaner_state *state)
{
    if (state != NULL)
        cleaner_states_end(&manager->states, state, -1, false);
    cleaner_manager_notice(manager); // another log has taken the place of the one that was held
}

void cleaner_manager_fail_dir(struct cleaner_manager *manager, const char *dir)
{
    cleaner_states_fail_dir(&manager->states, dir);
    cleaner_manager_notice(manager); // logs that were on their way there stay
}
