// SPDX-License-Identifier: Apache-2.0
#include "base/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "ERROR", "WARN", "INFO", "DEBUG" };

void trace_init(struct trace *trace, struct clock *clock, enum trace_level level, int fd)
{
    memset(trace, 0, sizeof *trace);
    trace->clock = clock;
    trace->level = level;
    trace->fd = fd;
    pthread_mutex_init(&trace->_lock, NULL);
}

void trace_fini(struct trace *trace)
{
    pthread_mutex_destroy(&trace->_lock);
}

static size_t format_head(struct trace *trace, enum trace_level level, char *line)
{
    int64_t now_ms = clock_wall_ms(trace->clock);
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(line, TRACE_LINE_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    return n + (size_t)snprintf(line + n, TRACE_LINE_MAX - n, ".%03dZ %-5s ", (int)(now_ms % 1000),
                                level_names[level]);
}

// Foreign text may hold line breaks; a log line is one line.
static void flatten(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

void trace_line(struct trace *trace, enum trace_level level, const char *format, ...)
{
    va_list args;
    char line[TRACE_LINE_MAX];
    size_t head = format_head(trace, level, line);
    va_start(args, format);
    vsnprintf(line + head, sizeof line - head - 1, format, args);
    va_end(args);
    flatten(line + head);
    pthread_mutex_lock(&trace->_lock);
    memcpy(trace->_ring[trace->_next++ % TRACE_RING_LINES], line, strlen(line) + 1);
    if (level <= trace->level && trace->fd >= 0) {
        size_t size = strlen(line);
        line[size] = '\n';
        ssize_t written = write(trace->fd, line, size + 1);
        (void)written; // nobody is left to tell
    }
    pthread_mutex_unlock(&trace->_lock);
}

void trace_dump_ring(struct trace *trace)
{
    // Without the lock: called while the process dies, perhaps with the lock held by this thread.
    dprintf(STDERR_FILENO, "last lines of every level:\n");
    for (unsigned i = 0; i < TRACE_RING_LINES; i++) {
        const char *line = trace->_ring[(trace->_next + i) % TRACE_RING_LINES];
        if (line[0] != '\0')
            dprintf(STDERR_FILENO, "  %s\n", line);
    }
}
