// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner_states.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/checkpoint.h"
#include "log/log_cleaning.h"
#include "log/partition_dir.h"

static void state_free(struct cleaner_state *state)
{
    mem_free(state->name);
    mem_free(state);
}

static struct cleaner_state *find(const struct cleaner_states *states, const char *name)
{
    return hashmap_find(&states->states, name, strlen(name));
}

static struct cleaner_state *need(struct cleaner_states *states, const char *name, size_t dir)
{
    struct cleaner_state *state = find(states, name);
    if (state != NULL)
        return state;
    state = mem_new(struct cleaner_state);
    state->name = mem_strdup(name);
    state->dir = dir;
    state->checkpoint = -1;
    state->lowered_to = INT64_MAX;
    atomic_init(&state->activity, CLEANER_IDLE);
    hashmap_put(&states->states, state->name, strlen(state->name), state);
    return state;
}

// ---- files ------------------------------------------------------------------------------------------

struct reading {
    struct cleaner_states *states;
    size_t dir;
};

static void note_line(void *arg, struct str topic, int32_t partition, int64_t offset)
{
    struct reading *reading = arg;
    char *name = mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
    if (offset >= 0)
        need(reading->states, name, reading->dir)->checkpoint = offset;
    mem_free(name);
}

void cleaner_states_init(struct cleaner_states *states)
{
    pthread_mutex_init(&states->lock, NULL);
    pthread_mutex_init(&states->file_lock, NULL);
    hashmap_init(&states->states);
    states->is_offline = mem_zalloc(states->dir_count * sizeof *states->is_offline);
    for (size_t i = 0; i < states->dir_count; i++) {
        char *path = mem_printf("%s/%s", states->dirs[i], CLEANER_CHECKPOINT);
        struct reading reading = { states, i };
        int error = checkpoint_read(states->disk, path, note_line, &reading);
        if (error != 0)
            trace_warn(states->trace,
                       "checkpoint unreadable, taken for empty file=\"%s\" error=\"%s\"", path,
                       strerror(-error));
        mem_free(path);
    }
}

void cleaner_states_fini(struct cleaner_states *states)
{
    struct cleaner_state *state;
    for (size_t i = 0; (state = hashmap_next(&states->states, &i)) != NULL;)
        state_free(state);
    hashmap_fini(&states->states);
    mem_free(states->is_offline);
    pthread_mutex_destroy(&states->lock);
    pthread_mutex_destroy(&states->file_lock);
}

static void write_file(struct cleaner_states *states, size_t dir)
{
    struct checkpoint_writer writer;
    struct cleaner_state *state;
    checkpoint_writer_init(&writer);
    pthread_mutex_lock(&states->file_lock);
    pthread_mutex_lock(&states->lock);
    bool is_offline = states->is_offline[dir];
    for (size_t i = 0; (state = hashmap_next(&states->states, &i)) != NULL;) {
        struct partition_dir parsed = partition_dir_parse(state->name);
        if (state->dir == dir && state->checkpoint >= 0)
            checkpoint_writer_add(&writer, parsed.topic, parsed.partition, state->checkpoint);
    }
    pthread_mutex_unlock(&states->lock);
    int error = 0;
    if (!is_offline) {
        char *path = mem_printf("%s/%s", states->dirs[dir], CLEANER_CHECKPOINT);
        error = checkpoint_writer_write(&writer, states->disk, path);
        mem_free(path);
    }
    pthread_mutex_unlock(&states->file_lock);
    checkpoint_writer_fini(&writer);
    if (error != 0)
        states->on_dir_failed(states->arg, dir, error);
}

// ---- where a log lives ------------------------------------------------------------------------------

static size_t dir_of(const struct cleaner_states *states, struct log *log)
{
    char *path = log_copy_dir(log);
    size_t found = states->dir_count;
    for (size_t i = 0; i < states->dir_count && found == states->dir_count; i++) {
        size_t size = strlen(states->dirs[i]);
        if (strncmp(states->dirs[i], path, size) == 0 && path[size] == '/' &&
            strchr(path + size + 1, '/') == NULL)
            found = i;
    }
    mem_free(path);
    return found;
}

void cleaner_states_settle(struct cleaner_states *states,
                           bool (*exists)(void *arg, struct str topic, int32_t partition),
                           void *arg)
{
    struct cleaner_state *state;
    for (size_t i = 0; (state = hashmap_next(&states->states, &i)) != NULL;) {
        struct partition_dir parsed = partition_dir_parse(state->name);
        if (parsed.kind == PARTITION_DIR_LOG && exists(arg, parsed.topic, parsed.partition))
            continue;
        hashmap_remove(&states->states, state->name, strlen(state->name));
        state_free(state);
        i = 0;
    }
}

bool cleaner_states_ask(struct cleaner_states *states, struct log *log, int64_t *checkpoint)
{
    size_t dir = dir_of(states, log), moved_from = states->dir_count;
    *checkpoint = -1;
    if (dir == states->dir_count)
        return false;
    pthread_mutex_lock(&states->lock);
    bool may = !states->is_offline[dir];
    struct cleaner_state *state = find(states, log_name(log));
    if (state != NULL) {
        if (state->dir != dir) {
            moved_from = state->dir;
            state->dir = dir;
        }
        *checkpoint = state->checkpoint;
        may = may && !state->is_uncleanable && atomic_load(&state->activity) == CLEANER_IDLE;
    }
    pthread_mutex_unlock(&states->lock);
    if (moved_from < states->dir_count) {
        write_file(states, dir);
        write_file(states, moved_from);
    }
    return may;
}

// ---- being at work ----------------------------------------------------------------------------------

struct cleaner_state *cleaner_states_begin(struct cleaner_states *states, struct log *log,
                                           int64_t *checkpoint)
{
    size_t dir = dir_of(states, log);
    struct cleaner_state *state = NULL;
    if (dir == states->dir_count)
        return NULL;
    pthread_mutex_lock(&states->lock);
    if (!states->is_offline[dir]) {
        state = need(states, log_name(log), dir);
        int idle = CLEANER_IDLE;
        if (state->is_uncleanable ||
            !atomic_compare_exchange_strong(&state->activity, &idle, CLEANER_BUSY))
            state = NULL;
    }
    if (state != NULL) {
        state->lowered_to = INT64_MAX;
        if (checkpoint != NULL)
            *checkpoint = state->checkpoint;
    }
    pthread_mutex_unlock(&states->lock);
    return state;
}

bool cleaner_states_is_busy(struct cleaner_states *states, struct log *log)
{
    pthread_mutex_lock(&states->lock);
    struct cleaner_state *state = find(states, log_name(log));
    bool is_busy = state != NULL && atomic_load(&state->activity) != CLEANER_IDLE;
    pthread_mutex_unlock(&states->lock);
    return is_busy;
}

bool cleaner_state_is_aborted(const struct cleaner_state *state)
{
    return atomic_load_explicit(&state->activity, memory_order_relaxed) == CLEANER_ABORTED;
}

void cleaner_states_end(struct cleaner_states *states, struct cleaner_state *state,
                        int64_t end_offset, bool is_uncleanable)
{
    pthread_mutex_lock(&states->lock);
    bool is_news =
        end_offset >= 0 && atomic_load(&state->activity) == CLEANER_BUSY && !state->is_forgotten;
    if (is_news)
        state->checkpoint = end_offset < state->lowered_to ? end_offset : state->lowered_to;
    state->is_uncleanable |= is_uncleanable;
    atomic_store(&state->activity, CLEANER_IDLE);
    size_t dir = state->dir;
    if (state->is_forgotten)
        state_free(state);
    pthread_mutex_unlock(&states->lock);
    if (is_news)
        write_file(states, dir);
}

// ---- what others do to the log ----------------------------------------------------------------------

void cleaner_states_reset(struct cleaner_states *states, struct log *log, int64_t checkpoint)
{
    pthread_mutex_lock(&states->lock);
    struct cleaner_state *state = find(states, log_name(log));
    bool is_news = state != NULL && state->checkpoint != checkpoint;
    size_t dir = state != NULL ? state->dir : 0;
    if (is_news)
        state->checkpoint = checkpoint;
    pthread_mutex_unlock(&states->lock);
    if (is_news)
        write_file(states, dir);
}

void cleaner_states_truncate(struct cleaner_states *states, struct log *log, int64_t offset)
{
    pthread_mutex_lock(&states->lock);
    struct cleaner_state *state = find(states, log_name(log));
    bool is_news = state != NULL && state->checkpoint > offset;
    size_t dir = state != NULL ? state->dir : 0;
    if (is_news)
        state->checkpoint = offset;
    if (state != NULL && offset < state->lowered_to)
        state->lowered_to = offset;
    pthread_mutex_unlock(&states->lock);
    if (is_news)
        write_file(states, dir);
}

static void abort_busy(struct cleaner_state *state)
{
    int busy = CLEANER_BUSY;
    atomic_compare_exchange_strong(&state->activity, &busy, CLEANER_ABORTED);
}

void cleaner_states_abort(struct cleaner_states *states, struct log *log)
{
    pthread_mutex_lock(&states->lock);
    struct cleaner_state *state = find(states, log_name(log));
    if (state != NULL)
        abort_busy(state);
    pthread_mutex_unlock(&states->lock);
}

void cleaner_states_forget(struct cleaner_states *states, struct log *log)
{
    pthread_mutex_lock(&states->lock);
    struct cleaner_state *state =
        hashmap_remove(&states->states, log_name(log), strlen(log_name(log)));
    bool is_news = state != NULL && state->checkpoint >= 0;
    size_t dir = state != NULL ? state->dir : 0;
    if (state != NULL && atomic_load(&state->activity) == CLEANER_IDLE) {
        state_free(state);
    } else if (state != NULL) {
        abort_busy(state);
        state->is_forgotten = true;
    }
    pthread_mutex_unlock(&states->lock);
    if (is_news)
        write_file(states, dir);
}

void cleaner_states_fail_dir(struct cleaner_states *states, const char *dir)
{
    pthread_mutex_lock(&states->lock);
    for (size_t i = 0; i < states->dir_count; i++)
        states->is_offline[i] |= strcmp(states->dirs[i], dir) == 0;
    pthread_mutex_unlock(&states->lock);
}
