// SPDX-License-Identifier: Apache-2.0
// The log for people: one line each on standard error, `time level event words key=value`. Event
// words first; values that may hold spaces are quoted by the caller with \"%s\".
//     trace_info(trace, "log recovered topic=%s partition=%d truncated_bytes=%" PRId64, …);
// error: an operator must act; warn: healed by itself; info: a change of state, a few a minute;
// debug: per request. The last lines of every level, printed or not, stay in a ring that a failed
// `must` prints.
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <pthread.h>

#include "base/clock.h"

enum trace_level { TRACE_ERROR, TRACE_WARN, TRACE_INFO, TRACE_DEBUG };

enum { TRACE_RING_LINES = 64, TRACE_LINE_MAX = 1024 };

struct trace {
    struct clock *clock;
    enum trace_level
        level; // lines above it are kept in the ring only (debug ones are not even made)
    int fd;    // where lines go, -1 for nowhere
    pthread_mutex_t _lock;
    unsigned _next;
    char _ring[TRACE_RING_LINES][TRACE_LINE_MAX];
};

void trace_init(struct trace *trace, struct clock *clock, enum trace_level level, int fd);
void trace_fini(struct trace *trace);
void trace_line(struct trace *trace, enum trace_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void trace_dump_ring(struct trace *trace);

#define trace_error(t, ...) trace_line((t), TRACE_ERROR, __VA_ARGS__)
#define trace_warn(t, ...)  trace_line((t), TRACE_WARN, __VA_ARGS__)
#define trace_info(t, ...)  trace_line((t), TRACE_INFO, __VA_ARGS__)
#define trace_debug(t, ...)                                                                        \
    do {                                                                                           \
        if ((t)->level >= TRACE_DEBUG)                                                             \
            trace_line((t), TRACE_DEBUG, __VA_ARGS__);                                             \
    } while (0)

#endif
