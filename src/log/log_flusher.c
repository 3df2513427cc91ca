// SPDX-License-Identifier: Apache-2.0
// Tested by log_flush_test.c.
#include "log/log_flusher.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/log_internal.h"

enum { STACK_SIZE = 256 * 1024 };

struct log_flusher {
    struct trace *trace;
    int threads_max;
    pthread_mutex_t lock; // guards what follows, and flush_link and is_flush_queued of logs
    pthread_cond_t wake;
    struct list queue;
    int queue_count;
    int idle_count;
    int thread_count;
    bool is_stopping;
    pthread_t threads[FLUSHER_THREADS_MAX];
};

struct log_flusher *log_flusher_new(int threads_max, struct trace *trace)
{
    must(threads_max <= FLUSHER_THREADS_MAX);
    struct log_flusher *flusher = mem_new(struct log_flusher);
    flusher->trace = trace;
    flusher->threads_max = threads_max;
    pthread_mutex_init(&flusher->lock, NULL);
    pthread_cond_init(&flusher->wake, NULL);
    list_init(&flusher->queue);
    return flusher;
}

// Locked. A reference, or NULL.
static struct log *take(struct log_flusher *flusher)
{
    struct list *link = list_pop(&flusher->queue);
    if (link == NULL)
        return NULL;
    struct log *log = container_of(link, struct log, flush_link);
    log->is_flush_queued = false; // from now on a demand queues it again
    flusher->queue_count--;
    return log;
}

void log_flusher_run(struct log_flusher *flusher)
{
    struct log *log;
    for (;;) {
        pthread_mutex_lock(&flusher->lock);
        log = take(flusher);
        pthread_mutex_unlock(&flusher->lock);
        if (log == NULL)
            return;
        log_flush_now(log);
        log_unref(log);
    }
}

static void *run(void *arg)
{
    struct log_flusher *flusher = arg;
    pthread_setname_np(pthread_self(), "log-flusher");
    pthread_mutex_lock(&flusher->lock);
    while (!flusher->is_stopping) {
        if (list_is_empty(&flusher->queue)) {
            flusher->idle_count++;
            pthread_cond_wait(&flusher->wake, &flusher->lock);
            flusher->idle_count--;
            continue;
        }
        struct log *log = take(flusher);
        pthread_mutex_unlock(&flusher->lock);
        log_flush_now(log);
        log_unref(log);
        pthread_mutex_lock(&flusher->lock);
    }
    pthread_mutex_unlock(&flusher->lock);
    return NULL;
}

// Locked. Without any thread nothing would ever be acknowledged, so the first one has to start.
static void start_thread(struct log_flusher *flusher)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int error = pthread_create(&flusher->threads[flusher->thread_count], &attributes, run, flusher);
    pthread_attr_destroy(&attributes);
    must(error == 0 || flusher->thread_count > 0);
    if (error == 0)
        flusher->thread_count++;
}

void log_flusher_submit(struct log_flusher *flusher, struct log *log)
{
    pthread_mutex_lock(&flusher->lock);
    if (!log->is_flush_queued && !flusher->is_stopping) {
        log->is_flush_queued = true;
        list_append(&flusher->queue, &log_ref(log)->flush_link);
        flusher->queue_count++;
        if (flusher->queue_count > flusher->idle_count &&
            flusher->thread_count < flusher->threads_max)
            start_thread(flusher);
        else
            pthread_cond_signal(&flusher->wake);
    }
    pthread_mutex_unlock(&flusher->lock);
}

void log_flusher_free(struct log_flusher *flusher)
{
    pthread_mutex_lock(&flusher->lock);
    flusher->is_stopping = true;
    pthread_cond_broadcast(&flusher->wake);
    pthread_mutex_unlock(&flusher->lock);
    for (int i = 0; i < flusher->thread_count; i++)
        pthread_join(flusher->threads[i], NULL);
    struct log *log;
    while ((log = take(flusher)) != NULL)
        log_unref(log);
    pthread_cond_destroy(&flusher->wake);
    pthread_mutex_destroy(&flusher->lock);
    mem_free(flusher);
}
