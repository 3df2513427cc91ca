// SPDX-License-Identifier: Apache-2.0
// All logs of a broker, in all its log.dirs.
//
//     DIR/.lock                             held as long as somebody uses the directory (Kafka's kind of lock)
//     DIR/.kafka_cleanshutdown              {"version":0,"brokerEpoch":31}; there only between a clean stop and
//                                           the next start, which removes it before it opens any log
//     DIR/recovery-point-offset-checkpoint, log-start-offset-checkpoint, replication-offset-checkpoint
//     DIR/cleaner-offset-checkpoint         cleaner_states.h
//     DIR/topic-N/…                         log.h
//
//     open (locks, markers) → load (all logs, several threads) → find, create, delete … → close
//
// __cluster_metadata-0 is left to raft/. Thread-safe from load to close. Work that may wait (syncs after a roll,
// checkpoints, deletions, expiry) is done by a thread of its own, or, in a simulation, by log_manager_run.
#ifndef LOG_LOG_MANAGER_H
#define LOG_LOG_MANAGER_H

#include "log/cleaner_manager.h"

struct log_manager;

struct log_manager_options {
    struct disk *disk;
    struct clock *clock;
    struct trace *trace;
    const char *const *dirs; // log.dirs; copied
    size_t dir_count;
    const struct uuid *dir_ids;   // of each, from its meta.properties; copied. NULL: they have none
    const bool *dirs_offline;     // which cannot be used from the start; copied. NULL: none
    int recovery_threads_per_dir; // num.recovery.threads.per.data.dir; 0: load on the caller's thread
    bool has_thread; // work in the background by itself, and sync off the threads that append
    bool
        defers_flush; // without a thread: syncs wait for log_manager_run, else who appends does them
    int64_t initial_delay_ms;                // log.initial.task.delay.ms
    int64_t retention_check_ms;              // log.retention.check.interval.ms
    int64_t recovery_point_checkpoint_ms;    // log.flush.offset.checkpoint.interval.ms
    int64_t log_start_checkpoint_ms;         // log.flush.start.offset.checkpoint.interval.ms
    int64_t high_watermark_checkpoint_ms;    // replica.high.watermark.checkpoint.interval.ms
    int64_t flush_check_ms;                  // log.flush.scheduler.interval.ms
    int64_t producer_id_expiration_ms;       // producer.id.expiration.ms
    int64_t producer_id_expiration_check_ms; // producer.id.expiration.check.interval.ms
    struct cleaner_settings cleaner;
    // The topic's resolved configuration; the broker's own for an empty name. Called without locks, on any thread.
    void (*config_of)(void *arg, struct str topic, struct log_config *out);
    // A directory failed after log_manager_load: its logs answer KAFKA_STORAGE_ERROR. Called once per directory (by its
    // place in `dirs`), on any thread, also within an append: post it. May be NULL.
    void (*on_dir_failed)(void *arg, size_t dir, int error);
    void *arg;
};

// Kafka's defaults for everything that has one; disk, clock, trace, dirs and config_of are the caller's.
extern const struct log_manager_options log_manager_options_default;

// Makes missing directories, takes the locks, reads and removes the clean shutdown markers. A directory where that
// fails is offline; when it fails in all, the last error. -EAGAIN: another process uses a directory. What is wrong is
// traced.
int log_manager_open(const struct log_manager_options *options, struct log_manager **out);
// The broker epoch of the last clean stop, -1 if it was not clean in every directory.
int64_t log_manager_previous_broker_epoch(const struct log_manager *manager);

// Whether a partition found on disk is not this broker's any more: topic id unknown (zero), topic or replica gone.
typedef bool (*log_is_stray)(void *arg, struct str topic, int32_t partition, struct uuid topic_id);

// Opens all logs. A directory with a log that cannot be read is offline as a whole. Stray logs are renamed to -stray
// and left alone. is_stray may be NULL: none is. 0, or -EBADMSG for two directories with one partition or for a name
// that is no partition's, -ENODEV when no directory is left.
int log_manager_load(struct log_manager *manager, log_is_stray is_stray, void *arg);

// Both give a reference (log_unref), or NULL.
struct log *log_manager_find(struct log_manager *manager, struct str topic, int32_t partition);
// Start with 0; any order; a log that is made or deleted meanwhile may be seen twice or not at all.
struct log *log_manager_next(struct log_manager *manager, size_t *position);
size_t log_manager_count(struct log_manager *manager);

// The log of a partition, made if there is none, see log_dirs.h for where; a reference. `directory_id`: what the
// metadata say, zero or another reserved one when they do not. -EEXIST: it is there with another topic id; -ENODEV:
// the directory where it has to be is offline, or none is left.
int log_manager_create(struct log_manager *manager, struct str topic, int32_t partition,
                       struct uuid topic_id, struct uuid directory_id, struct log **out);
// The directory of a partition's log, by its place in `dirs`; -1 without one.
ptrdiff_t log_manager_dir_of(struct log_manager *manager, struct str topic, int32_t partition);
// Takes the log, and its future, out and renames its directory to -delete; it is removed log.segment.delete.delay.ms
// later, also after a restart. -ENOENT.
int log_manager_delete(struct log_manager *manager, struct str topic, int32_t partition);
// Reads the configuration of a topic's logs again; of none but the broker's own for an empty name.
void log_manager_config_changed(struct log_manager *manager, struct str topic);

// num.recovery.threads.per.data.dir, for the next load or close.
void log_manager_set_recovery_threads(struct log_manager *manager, int threads_per_dir);

// producer.id.expiration.ms changed.
void log_manager_set_producer_id_expiration(struct log_manager *manager, int64_t expiration_ms);
// The cleaner's settings have changed. Returns at once.
void log_manager_reconfigure_cleaner(struct log_manager *manager,
                                     const struct cleaner_settings *settings);

// Writes all checkpoint files now. 0 or the first error.
int log_manager_checkpoint(struct log_manager *manager);
// Does what is due; returns when there will be more (wall clock, ms).
int64_t log_manager_run(struct log_manager *manager);

// A clean stop: every log is closed, checkpoints and markers are written, locks let go. Nobody uses logs any more
// (references may remain). 0, or the first error; directories without error are marked clean.
int log_manager_close(struct log_manager *manager, int64_t broker_epoch);
// Stops without writing anything, as a crash would.
void log_manager_abandon(struct log_manager *manager);

#endif
