// SPDX-License-Identifier: Apache-2.0
#include "base/crew.h"

#include <pthread.h>
#include <stdatomic.h>

struct crew {
    atomic_size_t next;
    size_t count;
    void (*each)(void *arg, size_t piece);
    void *arg;
};

static void *work(void *arg)
{
    struct crew *crew = arg;
    size_t piece;
    while ((piece = atomic_fetch_add(&crew->next, 1)) < crew->count)
        crew->each(crew->arg, piece);
    return NULL;
}

void crew_run(int threads, size_t count, void (*each)(void *arg, size_t piece), void *arg)
{
    struct crew crew = { .count = count, .each = each, .arg = arg };
    pthread_t others[CREW_THREADS_MAX];
    int started = 0;
    threads = threads < CREW_THREADS_MAX ? threads : CREW_THREADS_MAX;
    while (started + 1 < threads && (size_t)started + 1 < count &&
           pthread_create(&others[started], NULL, work, &crew) == 0)
        started++;
    work(&crew);
    for (int i = 0; i < started; i++)
        pthread_join(others[i], NULL);
}
