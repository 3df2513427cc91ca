// SPDX-License-Identifier: Apache-2.0
// Threads that sync logs whose flush is due (log_flush.c), so that nobody who appends waits for the disk.
//
//     log_flush_demand ──> queue: each log once ──> up to FLUSHER_THREADS_MAX threads ──> log_flush_now
//
// A log is synced by one thread at a time; what is appended meanwhile puts it in the queue again. Several threads,
// because a file system writes the syncs of several files that wait at once as one (its journal's group commit). They
// are base/workers.h.
//
// It also knows whether the disk is behind: the kernel lets whoever writes wait once too much is not written back, and
// a reactor that waits there serves nobody. So once a write has taken long for that reason, logs with much that is not
// synced owe a sync before they acknowledge more (log_flush_is_due): their producers wait then, and not the reactors.
#ifndef LOG_LOG_FLUSHER_H
#define LOG_LOG_FLUSHER_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct log;
struct log_files;
struct log_flusher;

enum { FLUSHER_THREADS_MAX = 8 };

// threads_max 0: log_flusher_run does the work, in tests and simulations.
struct log_flusher *log_flusher_new(int threads_max);
// Ends what is being synced; what is still queued is not. Nobody submits any more.
void log_flusher_free(struct log_flusher *flusher);
// Any thread, without the log's lock. Takes a reference of its own.
void log_flusher_submit(struct log_flusher *flusher, struct log *log);
// Syncs everything that is queued, on this thread.
void log_flusher_run(struct log_flusher *flusher);
// A write to one of these files began at `began_us`, monotonic, and has ended now. Any thread.
void log_flusher_note_write(struct log_flusher *flusher, const struct log_files *files,
                            int64_t began_us);
// In the last ten seconds a write had to wait for the disk. One load where none had: each append to a large log asks.
bool log_flusher_is_behind(struct log_flusher *flusher, struct clock *clock);

#endif
