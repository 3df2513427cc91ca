// SPDX-License-Identifier: Apache-2.0
// Which leader epoch begins at which offset (KIP-101): how replicas find where their logs part.
// In memory, and in leader-epoch-checkpoint, which is written at each change.
//
// Invariant: epochs and start offsets both ascend strictly.
// Under the log's lock.
// Tested by checkpoint_test.c.
#ifndef LOG_LEADER_EPOCHS_H
#define LOG_LEADER_EPOCHS_H

#include "base/strbuf.h"
#include "log/log.h"
#include "log/log_files.h"

struct leader_epoch {
    int32_t epoch;
    int64_t start_offset;
};

struct leader_epochs {
    struct leader_epoch *items;
    size_t count;
    size_t capacity;
    const struct log_files *files;
};

void leader_epochs_init(struct leader_epochs *epochs, const struct log_files *files);
void leader_epochs_fini(struct leader_epochs *epochs);
// From the file. A missing one is empty; a damaged one too, and false says so: rebuild from the batches.
int leader_epochs_load(struct leader_epochs *epochs, bool *is_good);
// What the file is to hold, appended to `out`; whoever changed epochs has it written (log_flush.c).
#define LEADER_EPOCHS_FILE "leader-epoch-checkpoint"
void leader_epochs_print(const struct leader_epochs *epochs, struct strbuf *out);

// Notes that `epoch` begins at `start_offset`, unless it is known and began before; entries that contradict go.
// True when something changed; the caller then has it written.
bool leader_epochs_assign(struct leader_epochs *epochs, int32_t epoch, int64_t start_offset);
int32_t leader_epochs_latest(const struct leader_epochs *epochs); // -1: none
struct log_epoch_end leader_epochs_end_offset(const struct leader_epochs *epochs, int32_t epoch,
                                              int64_t log_end_offset);
int32_t leader_epochs_for_offset(const struct leader_epochs *epochs, int64_t offset);
// Drops what begins at or after `end_offset`; drops what ends before `start_offset` and lets the first begin there.
// True when something changed.
bool leader_epochs_truncate_end(struct leader_epochs *epochs, int64_t end_offset);
bool leader_epochs_truncate_start(struct leader_epochs *epochs, int64_t start_offset);
void leader_epochs_clear(struct leader_epochs *epochs);

#endif
