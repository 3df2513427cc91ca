// SPDX-License-Identifier: Apache-2.0
// What the cleaner remembers of each log: up to where it is clean, who is at it, whether it can be cleaned at all.
//
//     idle ──cleaner_states_begin──► busy ──end──► idle
//                                     └──abort──► aborted ──end──► idle     (end forgets the result)
//     uncleanable: set aside until the broker starts again
//
// cleaner-offset-checkpoint in each of log.dirs holds the offsets (checkpoint.h: topic, partition, first dirty offset),
// written whenever one changes, as Kafka does. A wrong one costs at most a cleaning from the log start.
//
// Invariants: (1) a state is found by the log's name; who is busy with one keeps it beyond cleaner_states_forget
//             (2) the file says no more than the state: it is lowered before a truncation is answered
// Thread-safe. Files are written under a lock of their own, so that asking never waits for a disk.
// Tested by cleaner_manager_test.c.
#ifndef LOG_CLEANER_STATES_H
#define LOG_CLEANER_STATES_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/hashmap.h"
#include "log/log.h"

#define CLEANER_CHECKPOINT "cleaner-offset-checkpoint"

enum cleaner_activity { CLEANER_IDLE, CLEANER_BUSY, CLEANER_ABORTED };

struct cleaner_state {
    char *name;          // "topic-N", key of the map
    size_t dir;          // index of the directory
    int64_t checkpoint;  // clean before it; -1: unknown
    atomic_int activity; // enum cleaner_activity
    bool is_uncleanable;
    bool is_forgotten;  // not in the map any more; freed at the end
    int64_t lowered_to; // while busy: the lowest offset that was truncated to
};

struct cleaner_states {
    struct disk *disk;
    struct trace *trace;
    const char *const *dirs; // borrowed
    size_t dir_count;
    // Told, without a lock, when a checkpoint file cannot be written.
    void (*on_dir_failed)(void *arg, size_t dir, int error);
    void *arg;
    pthread_mutex_t lock;
    pthread_mutex_t file_lock; // before `lock`
    struct hashmap states;
    bool *is_offline; // by directory
};

// The caller has set the first fields. Reads the checkpoint files of all directories; one that cannot be parsed is
// taken for empty.
void cleaner_states_init(struct cleaner_states *states);
void cleaner_states_fini(struct cleaner_states *states);
// Drops what the files said of logs for which `exists` answers false.
void cleaner_states_settle(struct cleaner_states *states,
                           bool (*exists)(void *arg, struct str topic, int32_t partition),
                           void *arg);

// Up to where the log is clean, -1: unknown. False when it is not to be touched now: somebody is at it, it was set
// aside, or its directory is offline. Notices when the log lives in another directory than before.
bool cleaner_states_ask(struct cleaner_states *states, struct log *log, int64_t *checkpoint);
// The log is the caller's until cleaner_states_end. NULL: somebody was faster. checkpoint may be NULL.
struct cleaner_state *cleaner_states_begin(struct cleaner_states *states, struct log *log,
                                           int64_t *checkpoint);
bool cleaner_state_is_aborted(const struct cleaner_state *state);
// Whether somebody is.
bool cleaner_states_is_busy(struct cleaner_states *states, struct log *log);
// end_offset: the log is clean up to there, -1: it is as it was. A result that came after an abort is forgotten.
void cleaner_states_end(struct cleaner_states *states, struct cleaner_state *state,
                        int64_t end_offset, bool is_uncleanable);

// The checkpoint was wrong and is this from now on.
void cleaner_states_reset(struct cleaner_states *states, struct log *log, int64_t checkpoint);
// The log was truncated: nothing at or after `offset` is clean.
void cleaner_states_truncate(struct cleaner_states *states, struct log *log, int64_t offset);
// Whoever is busy with the log gives up soon.
void cleaner_states_abort(struct cleaner_states *states, struct log *log);
// The log is no more; its line in the checkpoint goes. Whoever is busy gives up.
void cleaner_states_forget(struct cleaner_states *states, struct log *log);
void cleaner_states_fail_dir(struct cleaner_states *states, const char *dir);

#endif
