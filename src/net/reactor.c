// SPDX-License-Identifier: Apache-2.0
#include "net/reactor.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

enum { REACTOR_MAGIC = 0x52454143, THREAD_STACK_SIZE = 256 * 1024 };

struct reactor {
    uint32_t magic;
    int index;
    struct clock *clock;
    struct event_base *base;
    struct event *mail_event;
    struct event *timer_event;
    struct event *turn_event; // ends reactor_turn; made on first use
    struct mailbox mailbox;
    struct timers timers;
    int64_t armed_us; // when timer_event fires, INT64_MAX when it is not set
    struct list after;
    struct list free_list;
    struct buf *read_block;
    uint8_t *gather_block;
    struct message stop_message;
    bool has_thread;
    pthread_t thread;
};

static _Thread_local const struct reactor *current;

static void run_after(struct reactor *reactor)
{
    struct list *link;
    while ((link = list_pop(&reactor->after)) != NULL) {
        struct reactor_after *after = container_of(link, struct reactor_after, _link);
        after->run(after);
    }
}

static void on_mail(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events;
    struct reactor *reactor = arg;
    mailbox_drain(&reactor->mailbox);
    run_after(reactor);
}

static void arm(struct reactor *reactor)
{
    int64_t next_us = timers_next_us(&reactor->timers);
    if (next_us >= reactor->armed_us)
        return;
    int64_t wait_us = next_us - clock_monotonic_us(reactor->clock);
    if (wait_us < 0)
        wait_us = 0;
    struct timeval wait = { wait_us / 1000000, wait_us % 1000000 };
    must(event_add(reactor->timer_event, &wait) == 0);
    reactor->armed_us = next_us;
}

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events;
    struct reactor *reactor = arg;
    reactor->armed_us = INT64_MAX;
    timers_run(&reactor->timers, clock_monotonic_us(reactor->clock));
    run_after(reactor);
    arm(reactor);
}

static void on_stop(struct message *message)
{
    struct reactor *reactor = container_of(message, struct reactor, stop_message);
    event_base_loopbreak(reactor->base);
}

struct reactor *reactor_new(int index, struct clock *clock, int *error)
{
    struct reactor *reactor = mem_new(struct reactor);
    reactor->magic = REACTOR_MAGIC;
    reactor->index = index;
    reactor->clock = clock;
    reactor->armed_us = INT64_MAX;
    reactor->stop_message.deliver = on_stop;
    list_init(&reactor->after);
    list_init(&reactor->free_list);
    timers_init(&reactor->timers);
    *error = mailbox_init(&reactor->mailbox);
    if (*error != 0) {
        mem_free(reactor);
        return NULL;
    }
    // No lock of libevent's: a base is touched by its thread alone (1). No list of changes that are told to epoll later
    // either: a descriptor that is closed meanwhile may already be another reactor's socket.
    struct event_config *config = event_config_new();
    must(config != NULL);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    reactor->base = event_base_new_with_config(config);
    event_config_free(config);
    if (reactor->base == NULL) {
        *error = errno != 0 ? -errno : -EMFILE;
        mailbox_fini(&reactor->mailbox);
        mem_free(reactor);
        return NULL;
    }
    reactor->mail_event =
        event_new(reactor->base, reactor->mailbox.fd, EV_READ | EV_PERSIST, on_mail, reactor);
    reactor->timer_event = event_new(reactor->base, -1, 0, on_timer, reactor);
    must(reactor->mail_event != NULL && reactor->timer_event != NULL);
    must(event_add(reactor->mail_event, NULL) == 0);
    return reactor;
}

void reactor_free(struct reactor *reactor)
{
    if (reactor == NULL)
        return;
    must_be(reactor, REACTOR_MAGIC);
    must(!reactor->has_thread);
    event_free(reactor->mail_event);
    event_free(reactor->timer_event);
    if (reactor->turn_event != NULL)
        event_free(reactor->turn_event);
    event_base_free(reactor->base);
    mailbox_fini(&reactor->mailbox);
    timers_fini(&reactor->timers);
    buf_unref(reactor->read_block);
    mem_free(reactor->gather_block);
    reactor->magic = 0;
    mem_free(reactor);
}

static void *run(void *arg)
{
    struct reactor *reactor = arg;
    char name[16];
    snprintf(name, sizeof name, "reactor-%d", reactor->index % 1000);
    pthread_setname_np(pthread_self(), name);
    current = reactor;
    event_base_loop(reactor->base, EVLOOP_NO_EXIT_ON_EMPTY);
    current = NULL;
    return NULL;
}

int reactor_start(struct reactor *reactor)
{
    must_be(reactor, REACTOR_MAGIC);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_SIZE);
    int error = pthread_create(&reactor->thread, &attributes, run, reactor);
    pthread_attr_destroy(&attributes);
    reactor->has_thread = error == 0;
    return -error;
}

void reactor_stop(struct reactor *reactor)
{
    must_be(reactor, REACTOR_MAGIC);
    if (!reactor->has_thread)
        return;
    mailbox_post(&reactor->mailbox, &reactor->stop_message);
    pthread_join(reactor->thread, NULL);
    reactor->has_thread = false;
}

static void on_turn_over(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events, (void)arg;
}

void reactor_turn(struct reactor *reactor, int64_t deadline_us)
{
    must(!reactor->has_thread);
    const struct reactor *before = current;
    current = reactor;
    int64_t wait_us = deadline_us - clock_monotonic_us(reactor->clock);
    struct timeval wait = { 0 };
    if (wait_us > 0)
        wait = (struct timeval){ wait_us / 1000000, wait_us % 1000000 };
    if (reactor->turn_event == NULL)
        reactor->turn_event = event_new(reactor->base, -1, 0, on_turn_over, NULL);
    must(event_add(reactor->turn_event, &wait) == 0);
    event_base_loop(reactor->base, EVLOOP_ONCE);
    event_del(reactor->turn_event);
    current = before;
}

void reactor_post(struct reactor *reactor, struct message *message)
{
    mailbox_post(&reactor->mailbox, message);
}

bool reactor_is_current(const struct reactor *reactor)
{
    return current == reactor;
}

int64_t reactor_now_us(struct reactor *reactor)
{
    return clock_monotonic_us(reactor->clock);
}

void reactor_after_init(struct reactor_after *after,
                        void (*run_function)(struct reactor_after *after))
{
    list_init(&after->_link);
    after->run = run_function;
}

void reactor_after(struct reactor *reactor, struct reactor_after *after)
{
    if (list_is_empty(&after->_link))
        list_append(&reactor->after, &after->_link);
}

void reactor_after_cancel(struct reactor_after *after)
{
    list_remove(&after->_link);
}

void reactor_set_timer(struct reactor *reactor, struct timer *timer, int64_t deadline_us)
{
    timer_set(&reactor->timers, timer, deadline_us);
    arm(reactor);
}

void reactor_cancel_timer(struct reactor *reactor, struct timer *timer)
{
    timer_cancel(&reactor->timers, timer); // the kernel's may fire for nothing, once
}

static void on_event(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    struct watch *watch = arg;
    struct reactor *reactor = watch->_reactor;
    watch->on_ready(watch, (events & EV_READ) != 0, (events & EV_WRITE) != 0);
    run_after(reactor); // the watch may be gone
}

void watch_open(struct watch *watch, struct reactor *reactor, int fd,
                void (*on_ready)(struct watch *watch, bool readable, bool writable))
{
    *watch = (struct watch){ .fd = fd, .on_ready = on_ready, ._reactor = reactor };
    watch->_event = event_new(reactor->base, fd, EV_READ | EV_PERSIST, on_event, watch);
    must(watch->_event != NULL);
}

void watch_want(struct watch *watch, bool read, bool write)
{
    if (watch->wants_read == read && watch->wants_write == write)
        return;
    if (watch->wants_read || watch->wants_write)
        event_del(watch->_event);
    watch->wants_read = read;
    watch->wants_write = write;
    if (!read && !write)
        return;
    short events = (short)((read ? EV_READ : 0) | (write ? EV_WRITE : 0) | EV_PERSIST);
    must(event_assign(watch->_event, watch->_reactor->base, watch->fd, events, on_event, watch) ==
         0);
    must(event_add(watch->_event, NULL) == 0);
}

void watch_close(struct watch *watch)
{
    if (watch->fd < 0)
        return;
    if (watch->wants_read || watch->wants_write)
        event_del(watch->_event);
    event_free(watch->_event);
    close(watch->fd);
    watch->_event = NULL;
    watch->fd = -1;
    watch->wants_read = watch->wants_write = false;
}

struct buf *reactor_read_block(struct reactor *reactor)
{
    struct buf *block = reactor->read_block;
    if (block == NULL || buf_is_shared(block)) {
        buf_unref(block);
        block = reactor->read_block = buf_new(NULL, REACTOR_READ_SIZE);
    }
    block->size = 0;
    return block;
}

uint8_t *reactor_gather_block(struct reactor *reactor)
{
    if (reactor->gather_block == NULL)
        reactor->gather_block = mem_alloc(REACTOR_GATHER_SIZE);
    return reactor->gather_block;
}

struct list *reactor_free_list(struct reactor *reactor)
{
    return &reactor->free_list;
}
