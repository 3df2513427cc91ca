// SPDX-License-Identifier: Apache-2.0
// A queue. Tested by group/consumer/consumer_regex_test.c.
#include "group/group_background.h"

void group_background_init(struct group_background *background, void (*wake)(void *), void *arg)
{
    pthread_mutex_init(&background->_lock, NULL);
    list_init(&background->_tasks);
    background->wake = wake;
    background->arg = arg;
}

static struct background_task *next(struct group_background *background)
{
    pthread_mutex_lock(&background->_lock);
    struct list *link = list_pop(&background->_tasks);
    pthread_mutex_unlock(&background->_lock);
    return link == NULL ? NULL : container_of(link, struct background_task, _link);
}

void group_background_fini(struct group_background *background)
{
    struct background_task *task;
    while ((task = next(background)) != NULL)
        task->drop(task);
    pthread_mutex_destroy(&background->_lock);
}

void group_background_add(struct group_background *background, struct background_task *task)
{
    pthread_mutex_lock(&background->_lock);
    list_append(&background->_tasks, &task->_link);
    pthread_mutex_unlock(&background->_lock);
    if (background->wake != NULL)
        background->wake(background->arg);
}

void group_background_run(struct group_background *background)
{
    struct background_task *task;
    while ((task = next(background)) != NULL)
        task->run(task);
}
