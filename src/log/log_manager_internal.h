// SPDX-License-Identifier: Apache-2.0
// What log_manager.c, log_dirs.c, log_loading.c, log_checkpoints.c and log_chores.c share; nobody else includes it.
//
// The manager's lock guards the map of logs, the list of work and the directories' state; no log is called under it:
// events of a log (log_options.on_event) take it.
#ifndef LOG_LOG_MANAGER_INTERNAL_H
#define LOG_LOG_MANAGER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/hashmap.h"
#include "base/list.h"
#include "log/log_flusher.h"
#include "log/log_manager.h"

enum { LOG_MANAGER_MAGIC = 0x106a6e7 };

// Everything that recurs, in the order in which it is done when due together.
enum chore {
    CHORE_RECOVERY_POINTS,
    CHORE_LOG_STARTS,
    CHORE_HIGH_WATERMARKS,
    CHORE_FLUSH,
    CHORE_RETENTION,
    CHORE_EXPIRE_PRODUCERS,
    CHORE_CLEAN, // when the cleaner has no threads
    CHORE_IDLE_FILES,
    CHORE_COUNT,
};

struct log_dir {
    char *path;
    struct uuid id; // zero: has none
    bool is_cordoned;
    struct disk_file *lock;
    bool was_clean;
    bool is_loaded;
    int check_threads; // for each of its logs, while they are loaded
    bool is_offline;
    bool has_renames;     // logs in it were renamed since it was last synced
    int64_t broker_epoch; // of the clean stop
    size_t log_count;
    uint64_t checkpoints_written
        [3]; // hashes of what the files hold, by enum checkpoint_kind; 0: not written yet
};

struct managed { // value of the map
    struct log *log;
    struct log_dir *dir;
};

struct preference { // where a partition is to be made
    char *name;
    struct log_dir *dir;
};

struct log_manager {
    uint32_t magic;
    struct log_manager_options options;
    struct log_dir *dirs;
    const char **dir_paths;          // theirs
    struct cleaner_manager *cleaner; // NULL until the logs are loaded
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_mutex_t checkpoints_lock; // one writer at a time; before `lock`
    struct hashmap logs;              // "topic-N" → struct managed
    struct hashmap futures;           // the same, see log_future.h
    struct hashmap preferred;         // "topic-N" → struct preference
    struct list work;
    struct list deletions;       // work that waits for the same delay: the first is due first
    bool is_work_new;            // some was added since the last run began
    atomic_bool is_quiet;        // no log has changed since high watermarks were last written
    struct log_flusher *flusher; // of all logs
    int64_t chore_due_ms[CHORE_COUNT];
    bool is_loaded; // failures are told from now on
    bool is_stopping;
    bool has_thread;
    pthread_t thread;
};

static inline int64_t log_manager_now_ms(const struct log_manager *manager)
{
    return clock_wall_ms(manager->options.clock);
}

static inline int64_t log_manager_later(int64_t now, int64_t delay_ms)
{
    return delay_ms > INT64_MAX - now ? INT64_MAX : now + delay_ms;
}

// ---- log_dirs.c: one of log.dirs --------------------------------------------------------------------------

// Takes the lock, reads and removes the clean shutdown marker. `path` is set. What is wrong is traced.
int log_dir_open(struct log_manager *manager, struct log_dir *dir);
// Its logs are dropped and out of service from now on; told once. Not under the lock of a log.
void log_dir_fail(struct log_manager *manager, struct log_dir *dir, int error);
bool log_dir_is_offline(struct log_manager *manager, struct log_dir *dir);
// The directory that holds the log's directory.
struct log_dir *log_dir_of(struct log_manager *manager, const char *log_path);
// Where a new log goes, see log_dirs.h; NULL when none is left. `id`: of the directory that the metadata name, reserved
// or unknown: none. *is_final: no other will do.
struct log_dir *log_dir_choose(struct log_manager *manager, const char *name, struct uuid id,
                               bool *is_final);
void log_dirs_forget_preference(struct log_manager *manager, const char *name);
void log_dirs_fini(struct log_manager *manager);

// ---- log_manager.c: the map -------------------------------------------------------------------------------

struct known_offsets { // of one partition, from the checkpoints
    char *name;
    int64_t recovery_point;
    int64_t log_start;
    int64_t high_watermark;
};

// `known` may be NULL. is_new: log_options.is_new.
int log_manager_open_log(struct log_manager *manager, const char *path, struct str topic,
                         struct uuid topic_id, const struct known_offsets *known, bool is_new,
                         bool is_clean, struct log **out);
// Into one of the manager's maps. Takes the reference. -EBADMSG when there is such a log already, -EIO when the
// directory is offline.
int log_manager_put(struct log_manager *manager, struct hashmap *map, struct log_dir *dir,
                    struct log *log);
// Out of the map; the directory renamed to -delete, its files go later. -ENOENT.
int log_manager_remove(struct log_manager *manager, struct hashmap *map, struct str topic,
                       int32_t partition);
// is_synced: the new name lasts at once; else when the chores have synced the directory, soon.
int log_manager_rename_log(struct log_manager *manager, struct log_dir *dir, struct log *log,
                           const char *suffix, bool is_synced);

struct log_list {
    struct log **items; // references
    size_t count, capacity;
};

// Futures too.
void log_list_fill(struct log_manager *manager, const struct log_dir *dir, struct log_list *list);
void log_list_fini(struct log_list *list);

// ---- log_checkpoints.c --------------------------------------------------------------------------------------

enum checkpoint_kind { CHECKPOINT_RECOVERY_POINT, CHECKPOINT_LOG_START, CHECKPOINT_HIGH_WATERMARK };

// Of one directory, unless the file holds the same already.
int log_checkpoints_write(struct log_manager *manager, struct log_dir *dir,
                          enum checkpoint_kind kind);
// Of all directories in service; one where it fails is out of service. The first error.
int log_checkpoints_write_all(struct log_manager *manager, enum checkpoint_kind kind);

// ---- log_chores.c: the background ---------------------------------------------------------------------------

enum log_work_kind { LOG_WORK_MAKE_FILES, LOG_WORK_FLUSH, LOG_WORK_GARBAGE, LOG_WORK_DELETE };

// Puts one thing to do with one log on the list; takes a reference of its own. Any thread, also from a log's event.
// LOG_WORK_DELETE waits from due_ms on for the broker's log.segment.delete.delay.ms, whatever that is by then.
void log_chores_add(struct log_manager *manager, enum log_work_kind kind, struct log *log,
                    int64_t due_ms);
// The same for a directory that an earlier run had named -delete.
void log_chores_add_dir(struct log_manager *manager, const char *path);
// Settings changed: looks at once whether something is due.
void log_chores_wake(struct log_manager *manager);
void log_chores_on_event(void *arg, struct log *log, enum log_event event);
// The cleaner is made with it.
void log_chores_start(struct log_manager *manager);
// What is still on the list is dropped: the next start finds the files named .deleted and -delete.
void log_chores_stop(struct log_manager *manager);

#endif
