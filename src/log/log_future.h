// SPDX-License-Identifier: Apache-2.0
// The future log of a partition (KIP-113): the copy in another directory that is to become its log.
//
//     a/topic-N                       b/topic-N.<uuid>-future
//        │  log_future_create            │ made, then filled by who moves the partition (replica/log_mover.h)
//        │  log_future_promote           │
//        ▼                               ▼
//     a/topic-N.<uuid>-delete         b/topic-N
//
// The old log is renamed first: whoever dies between the two names finds a future without a current log at the next
// start, with nothing missing, and promotes it then; two logs of one partition, which Kafka refuses to start with, are
// never on the disk. What moved is synced before.
//
// A partition has at most one. Calls for one partition must not overlap; other than that, any thread.
#ifndef LOG_LOG_FUTURE_H
#define LOG_LOG_FUTURE_H

#include "log/log_manager.h"

struct cleaner_state;

// Gives a reference, or NULL; *dir (may be NULL) is its directory.
struct log *log_future_find(struct log_manager *manager, struct str topic, int32_t partition,
                            size_t *dir);
// An empty log in that directory; a reference. -EEXIST: there is one already, in whichever directory; -EXDEV: the
// directory holds the partition itself; -ENODEV: it is offline; else it failed.
int log_future_create(struct log_manager *manager, struct str topic, int32_t partition,
                      struct uuid topic_id, size_t dir, struct log **out);
// Renamed to -delete, its files go file.delete.delay.ms later. -ENOENT.
int log_future_discard(struct log_manager *manager, struct str topic, int32_t partition);
// Keeps the cleaner away from the current log, from before the last batches are copied until it has another place.
// False: it is at it and gives up soon; try again. *state may be NULL.
bool log_future_hold_cleaner(struct log_manager *manager, struct log *current,
                             struct cleaner_state **state);
void log_future_release_cleaner(struct log_manager *manager, struct cleaner_state *state);
// Takes the place of the current log, if there is one, whose files go later; *out gets a reference. The caller sees
// that nobody appends to either, and that the future is durable as far as the current one was. After an error the
// current log is in its place, unless its own directory failed.
int log_future_promote(struct log_manager *manager, struct str topic, int32_t partition,
                       struct log **out);
// Start with 0, like log_manager_next.
struct log *log_future_next(struct log_manager *manager, size_t *position);

#endif
