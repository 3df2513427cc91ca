// SPDX-License-Identifier: Apache-2.0
#include "base/workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/must.h"

enum { STACK_SIZE = 256 * 1024 };

struct workers {
    char name[16];
    int threads_max;
    pthread_mutex_t lock; // guards what follows
    pthread_cond_t wake;
    struct list queue;
    int queue_count;
    int idle_count;
    int thread_count;
    bool is_ending;
    pthread_t threads[WORKERS_THREADS_MAX];
};

struct workers *workers_new(const char *name, int threads_max)
{
    must(threads_max <= WORKERS_THREADS_MAX);
    struct workers *workers = mem_new(struct workers);
    snprintf(workers->name, sizeof workers->name, "%s", name);
    workers->threads_max = threads_max;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->wake, NULL);
    list_init(&workers->queue);
    return workers;
}

// Locked; the lock is let go while work is done.
static void run_queue(struct workers *workers)
{
    struct list *link;
    while ((link = list_pop(&workers->queue)) != NULL) {
        struct work *work = container_of(link, struct work, _link);
        workers->queue_count--;
        pthread_mutex_unlock(&workers->lock);
        work->run(work);
        pthread_mutex_lock(&workers->lock);
    }
}

static void *run(void *arg)
{
    struct workers *workers = arg;
    pthread_setname_np(pthread_self(), workers->name);
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        run_queue(workers);
        if (workers->is_ending)
            break;
        workers->idle_count++;
        pthread_cond_wait(&workers->wake, &workers->lock);
        workers->idle_count--;
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

void workers_run(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    run_queue(workers);
    pthread_mutex_unlock(&workers->lock);
}

static void start_thread(struct workers *workers)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (pthread_create(&workers->threads[workers->thread_count], &attributes, run, workers) == 0)
        workers->thread_count++;
    pthread_attr_destroy(&attributes);
}

void workers_submit(struct workers *workers, struct work *work)
{
    pthread_mutex_lock(&workers->lock);
    if (workers->queue_count >= workers->idle_count &&
        workers->thread_count < workers->threads_max && !workers->is_ending)
        start_thread(workers);
    bool is_queued = workers->thread_count > 0 || workers->threads_max == 0;
    if (is_queued) {
        list_init(&work->_link);
        list_append(&workers->queue, &work->_link);
        workers->queue_count++;
        pthread_cond_signal(&workers->wake);
    }
    pthread_mutex_unlock(&workers->lock);
    if (!is_queued)
        work->run(work);
}

void workers_free(struct workers *workers)
{
    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->is_ending = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    workers_run(workers);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->lock);
    mem_free(workers);
}
