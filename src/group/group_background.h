// SPDX-License-Identifier: Apache-2.0
// Work of groups that takes too long for a shard's lock or a reactor (expressions over all topics). It waits here for
// a thread that may take its time: the one that loads shards. Any thread may add, one at a time runs.
#ifndef GROUP_GROUP_BACKGROUND_H
#define GROUP_GROUP_BACKGROUND_H

#include <pthread.h>

#include "base/list.h"

struct background_task {
    struct list _link;
    void (*run)(struct background_task *task);  // without a lock; frees the task
    void (*drop)(struct background_task *task); // it will not run any more
};

struct group_background {
    pthread_mutex_t _lock;
    struct list _tasks;
    void (*wake)(void *arg); // tells the thread; NULL: somebody calls run anyway
    void *arg;
};

void group_background_init(struct group_background *background, void (*wake)(void *), void *arg);
void group_background_fini(struct group_background *background); // drops what is left
// May be called under a shard's lock.
void group_background_add(struct group_background *background, struct background_task *task);
// Runs all that wait.
void group_background_run(struct group_background *background);

#endif
