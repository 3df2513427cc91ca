// SPDX-License-Identifier: Apache-2.0
// Which log is cleaned next, by whom, and how fast (Kafka's LogCleaner and LogCleanerManager).
//
// A round, of each of log.cleaner.threads:
//     of all compacted logs that nobody is at ─► those dirty beyond min.cleanable.dirty.ratio, or overdue
//     (max.compaction.lag.ms) ─► the one with the largest ratio ─► cleaner_clean ─► checkpoint
//     then retention of every compacted log that nobody is at (cleanup.policy=compact,delete, DeleteRecords)
//     nothing cleaned: wait for log.cleaner.backoff.ms, and on until there is news if time alone can bring nothing
//
// A log that cannot be cleaned is set aside with a line that says why, and is served as it is; the next start tries
// again. A full disk is no such thing: the cleaning is given up, the log left as it was, and tried again.
//
// Idle, a thread holds no buffers. Settings may change at any time: rounds under the old ones are given up.
#ifndef LOG_CLEANER_MANAGER_H
#define LOG_CLEANER_MANAGER_H

#include "log/cleaner_states.h"

struct cleaner_settings {
    bool is_enabled;             // log.cleaner.enable; false: no threads
    int threads;                 // log.cleaner.threads
    int64_t dedupe_buffer_bytes; // log.cleaner.dedupe.buffer.size, of all threads
    double dedupe_load_factor;   // log.cleaner.io.buffer.load.factor
    int64_t io_buffer_bytes;     // log.cleaner.io.buffer.size, of all threads, half of it to read
    double io_max_bytes_per_second; // log.cleaner.io.max.bytes.per.second, read and written
    int64_t backoff_ms;             // log.cleaner.backoff.ms
};

#define CLEANER_SETTINGS_DEFAULT                                                                   \
    {                                                                                              \
        .is_enabled = true, .threads = 1, .dedupe_buffer_bytes = 128 << 20,                        \
        .dedupe_load_factor = 0.9, .io_buffer_bytes = 512 << 10,                                   \
        .io_max_bytes_per_second = 1.7976931348623157e308, .backoff_ms = 15000,                    \
    }

struct cleaner_manager_options {
    struct disk *disk;
    struct clock *clock;
    struct trace *trace;
    const char *const *dirs; // borrowed
    size_t dir_count;
    struct cleaner_settings settings;
    bool has_threads; // false: cleaner_manager_run does it all
    // The logs, each a reference; as log_manager_next.
    struct log *(*next_log)(void *arg, size_t *position);
    bool (*log_exists)(void *arg, struct str topic, int32_t partition);
    // A directory failed, said without locks.
    void (*on_dir_failed)(void *arg, size_t dir, int error);
    void *arg;
};

struct cleaner_manager;

// Reads the checkpoints; next_log knows all logs.
struct cleaner_manager *cleaner_manager_new(const struct cleaner_manager_options *options);
void cleaner_manager_start(struct cleaner_manager *manager); // its threads
// Whoever is cleaning gives up; returns when all threads are gone.
void cleaner_manager_stop(struct cleaner_manager *manager);
// Stopped. Nobody calls in any more.
void cleaner_manager_free(struct cleaner_manager *manager); // NULL is fine
// Returns at once.
void cleaner_manager_reconfigure(struct cleaner_manager *manager,
                                 const struct cleaner_settings *settings);
// One round on the caller's thread: true when a log was cleaned.
bool cleaner_manager_run(struct cleaner_manager *manager);

// ---- what happens to logs; any thread, without the log's lock ----------------------------------------------

// A segment was rolled, a log start moved, a topic's settings changed, a move was given up: there may be something to
// do. NULL is fine.
void cleaner_manager_notice(struct cleaner_manager *manager);
void cleaner_manager_truncated(struct cleaner_manager *manager, struct log *log);
void cleaner_manager_deleted(struct cleaner_manager *manager, struct log *log);
// It is not to be compacted any more.
void cleaner_manager_abort(struct cleaner_manager *manager, struct log *log);
// Nobody begins with the log before the release: it is about to change its place. False: somebody is at it, and was
// told to give up; try again. *state: NULL when nobody would touch it anyway.
bool cleaner_manager_hold(struct cleaner_manager *manager, struct log *log,
                          struct cleaner_state **state);
void cleaner_manager_release(struct cleaner_manager *manager, struct cleaner_state *state);
void cleaner_manager_fail_dir(struct cleaner_manager *manager, const char *dir);

#endif
