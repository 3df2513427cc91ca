// SPDX-License-Identifier: Apache-2.0
// The directories of a log manager: what is in them, where a new log goes, and which of them failed (KIP-112, KIP-858,
// KIP-1066).
//
//     in service ──a write, a sync, a name fails──► offline: its logs are dropped and answer KAFKA_STORAGE_ERROR
//          │                                         until the next start; the others go on
//          └─cordoned: takes no new logs while another does
//
// A new log goes where AlterReplicaLogDirs said that this partition is to be (log_dirs_prefer), else into the directory
// that the cluster's metadata name, else into the one in service and not cordoned that has the fewest logs, futures
// counted (log_future.h).
//
// All from any thread, between log_manager_open and the manager's end. Directories are known by their place in
// log.dirs.
#ifndef LOG_LOG_DIRS_H
#define LOG_LOG_DIRS_H

#include "log/log_manager.h"

struct log_dir_state {
    const char *path; // lives as long as the manager
    struct uuid id;   // zero: has none
    bool is_offline;
    bool is_cordoned;
};

size_t log_dirs_count(const struct log_manager *manager);
struct log_dir_state log_dirs_state(struct log_manager *manager, size_t dir);
// By its path as configured; -1: none of log.dirs.
ptrdiff_t log_dirs_find(const struct log_manager *manager, struct str path);
ptrdiff_t log_dirs_find_id(const struct log_manager *manager, struct uuid id);
// The directory that holds the log, also when it failed; -1: none of them.
ptrdiff_t log_dirs_of(struct log_manager *manager, const struct log *log);
bool log_dirs_any_offline(struct log_manager *manager);
bool log_dirs_all_offline(struct log_manager *manager);
// Of the volume it is on; -errno.
int64_t log_dirs_total_bytes(struct log_manager *manager, size_t dir);
int64_t log_dirs_usable_bytes(struct log_manager *manager, size_t dir);

// Which are cordoned from now on, by path; "*" is all. Paths that are none of log.dirs are passed over. Whether that
// changed anything.
bool log_dirs_cordon(struct log_manager *manager, const char *const *paths, size_t count);

// Where the partition is to be made when it comes; nothing when it is there, or on the way there, already.
void log_dirs_prefer(struct log_manager *manager, struct str topic, int32_t partition, size_t dir);

struct log_dir_entry {
    struct log *log; // a reference
    bool is_future;
};

// The logs of a directory, none of one that is offline. mem_free the array, unref the logs (log_dir_entries_free).
size_t log_dirs_list(struct log_manager *manager, size_t dir, struct log_dir_entry **out);
void log_dir_entries_free(struct log_dir_entry *entries, size_t count);

#endif
