// SPDX-License-Identifier: Apache-2.0
// Tested by log_mover_test.c.
#include "replica/log_dir_control.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_dirs.h"

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 10000 };

struct log_dir_control {
    struct log_dir_control_options options;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct list alters;
    bool *failed; // by directory: to be handled
    bool has_failed;
    bool is_report_due;
    struct replica_directory *misplaced;
    size_t misplaced_count, misplaced_capacity;
    bool is_started;
    bool is_stopping;
    bool has_thread;
    pthread_t thread;
};

struct log_dir_control *log_dir_control_new(const struct log_dir_control_options *options)
{
    struct log_dir_control *control = mem_new(struct log_dir_control);
    control->options = *options;
    control->failed = mem_zalloc(log_dirs_count(options->logs) * sizeof *control->failed);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&control->lock, NULL);
    pthread_cond_init(&control->change, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&control->alters);
    return control;
}

void log_dir_control_free(struct log_dir_control *control)
{
    if (control == NULL)
        return;
    must(!control->has_thread);
    pthread_mutex_destroy(&control->lock);
    pthread_cond_destroy(&control->change);
    mem_free(control->misplaced);
    mem_free(control->failed);
    mem_free(control);
}

// Sleeps, unless it is to stop. True: go on.
static bool sleep_ms(struct log_dir_control *control, int64_t delay_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + delay_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(delay_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&control->lock);
    while (!control->is_stopping &&
           pthread_cond_timedwait(&control->change, &control->lock, &until) == 0)
        ; // others that post wake it too
    bool go_on = !control->is_stopping;
    pthread_mutex_unlock(&control->lock);
    return go_on;
}

// ---- what there is to do ----------------------------------------------------------------------------------------

static void fatal(struct log_dir_control *control, const char *why)
{
    trace_error(control->options.trace, "broker cannot go on reason=\"%s\"", why);
    control->options.on_fatal(control->options.arg);
}

// Until the controller knows.
static void report_failure(struct log_dir_control *control)
{
    const struct log_dir_control_options *o = &control->options;
    int64_t deadline_us = clock_monotonic_us(o->clock) + o->failure_timeout_ms * 1000;
    while (o->report(o->arg) != KERR_NONE) {
        if (clock_monotonic_us(o->clock) >= deadline_us) {
            fatal(control, "the controller cannot be told of a failed log directory");
            return;
        }
        if (!sleep_ms(control, o->retry_ms))
            return;
    }
}

static void handle_failures(struct log_dir_control *control, const bool *failed)
{
    const struct log_dir_control_options *o = &control->options;
    for (size_t i = 0; i < log_dirs_count(o->logs); i++) {
        if (!failed[i])
            continue;
        size_t count = replicas_dir_failed(o->replicas, i);
        trace_warn(o->trace, "log directory offline dir=\"%s\" partitions=%zu",
                   log_dirs_state(o->logs, i).path, count);
        if ((ptrdiff_t)i == o->metadata_dir) {
            fatal(control, "the log directory of the metadata log has failed");
            return;
        }
    }
    if (log_dirs_all_offline(o->logs))
        fatal(control, "all log directories have failed");
    else
        report_failure(control);
}

static void assign(struct log_dir_control *control, const struct replica_directory *items,
                   size_t count)
{
    const struct log_dir_control_options *o = &control->options;
    int64_t backoff_ms = BACKOFF_FIRST_MS;
    while (o->assign(o->arg, items, count) != KERR_NONE && sleep_ms(control, backoff_ms))
        backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void alter(struct log_dir_control *control, struct list *calls)
{
    struct list *at;
    while ((at = list_pop(calls)) != NULL) {
        struct alter_log_dirs *call = container_of(at, struct alter_log_dirs, _link);
        for (size_t i = 0; i < call->count; i++)
            call->items[i].error = log_mover_move(control->options.mover, call->items[i].topic,
                                                  call->items[i].index, call->items[i].path);
        call->completion->complete(call->completion);
    }
}

static bool has_work(const struct log_dir_control *control)
{
    return !list_is_empty(&control->alters) || control->has_failed || control->is_report_due ||
           control->misplaced_count > 0;
}

static void do_work(struct log_dir_control *control)
{
    size_t dirs = log_dirs_count(control->options.logs);
    bool *failed = mem_alloc(dirs * sizeof *failed);
    struct list alters;
    list_init(&alters);
    pthread_mutex_lock(&control->lock);
    memcpy(failed, control->failed, dirs * sizeof *failed);
    memset(control->failed, 0, dirs * sizeof *failed);
    bool has_failed = control->has_failed, is_report_due = control->is_report_due;
    struct replica_directory *misplaced = control->misplaced;
    size_t misplaced_count = control->misplaced_count;
    control->misplaced = NULL;
    control->misplaced_count = control->misplaced_capacity = 0;
    control->has_failed = control->is_report_due = false;
    struct list *at;
    while ((at = list_pop(&control->alters)) != NULL)
        list_append(&alters, at);
    pthread_mutex_unlock(&control->lock);
    if (has_failed)
        handle_failures(control, failed);
    else if (is_report_due)
        control->options.report(control->options.arg);
    if (misplaced_count > 0)
        assign(control, misplaced, misplaced_count);
    alter(control, &alters);
    mem_free(misplaced);
    mem_free(failed);
}

static void *run(void *arg)
{
    struct log_dir_control *control = arg;
    pthread_mutex_lock(&control->lock);
    while (!control->is_stopping) {
        if (!has_work(control)) {
            pthread_cond_wait(&control->change, &control->lock);
            continue;
        }
        pthread_mutex_unlock(&control->lock);
        do_work(control);
        pthread_mutex_lock(&control->lock);
    }
    pthread_mutex_unlock(&control->lock);
    return NULL;
}

// ---- posting ----------------------------------------------------------------------------------------------------

// The lock is held.
static void wake(struct log_dir_control *control)
{
    if (control->is_started && !control->has_thread && !control->is_stopping && has_work(control))
        control->has_thread = pthread_create(&control->thread, NULL, run, control) == 0;
    pthread_cond_signal(&control->change);
}

void log_dir_control_alter(struct log_dir_control *control, struct alter_log_dirs *call)
{
    pthread_mutex_lock(&control->lock);
    bool is_taken = !control->is_stopping;
    if (is_taken) {
        list_append(&control->alters, &call->_link);
        wake(control);
        is_taken = control->has_thread || !control->is_started;
        if (!is_taken) // there is no thread to be had
            list_remove(&call->_link);
    }
    pthread_mutex_unlock(&control->lock);
    if (is_taken)
        return;
    for (size_t i = 0; i < call->count; i++)
        call->items[i].error = KERR_KAFKA_STORAGE_ERROR;
    call->completion->complete(call->completion);
}

void log_dir_control_failed(struct log_dir_control *control, size_t dir)
{
    pthread_mutex_lock(&control->lock);
    control->failed[dir] = control->has_failed = true;
    wake(control);
    pthread_mutex_unlock(&control->lock);
}

void log_dir_control_assign(struct log_dir_control *control, const struct replica_directory *items,
                            size_t count)
{
    pthread_mutex_lock(&control->lock);
    vec_reserve(control->misplaced, control->misplaced_count + count, control->misplaced_capacity);
    memcpy(control->misplaced + control->misplaced_count, items, count * sizeof *items);
    control->misplaced_count += count;
    wake(control);
    pthread_mutex_unlock(&control->lock);
}

void log_dir_control_report(struct log_dir_control *control)
{
    pthread_mutex_lock(&control->lock);
    control->is_report_due = true;
    wake(control);
    pthread_mutex_unlock(&control->lock);
}

void log_dir_control_start(struct log_dir_control *control)
{
    pthread_mutex_lock(&control->lock);
    control->is_started = true;
    wake(control);
    pthread_mutex_unlock(&control->lock);
}

void log_dir_control_stop(struct log_dir_control *control)
{
    pthread_mutex_lock(&control->lock);
    control->is_stopping = true;
    pthread_cond_broadcast(&control->change);
    bool has_thread = control->has_thread;
    pthread_mutex_unlock(&control->lock);
    if (has_thread)
        pthread_join(control->thread, NULL);
    control->has_thread = false;
    struct list *at;
    while ((at = list_pop(&control->alters)) != NULL) {
        struct alter_log_dirs *call = container_of(at, struct alter_log_dirs, _link);
        for (size_t i = 0; i < call->count; i++)
            call->items[i].error = KERR_KAFKA_STORAGE_ERROR;
        call->completion->complete(call->completion);
    }
}
