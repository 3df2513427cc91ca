// SPDX-License-Identifier: Apache-2.0
// What a controller writes when it becomes the leader: the control records of its epoch and, into an empty log, what
// the cluster begins with; after a leader that stopped in the middle of a transaction, the end of that.
#ifndef CONTROLLER_ACTIVATION_H
#define CONTROLLER_ACTIVATION_H

#include "base/strbuf.h"
#include "config/config.h"
#include "metadata/metadata_record.h"
#include "metadata/replay.h"
#include "raft/metadata_log.h"
#include "raft/raft.h"

// The voters of this node's quorum: of the log, or else of controller.quorum.voters. NULL: *reason says why.
const struct voters_record *activation_voters(const struct quorum_history *history,
                                              const struct config *config, struct arena *arena,
                                              const char **reason);

// The leader's first batch, appended to `out` at `offset`: LEADER_CHANGE, and in a new log or with a changed endpoint
// of ours KRAFT_VERSION and KRAFT_VOTERS. Returns the number of records.
int activation_control_batch(struct strbuf *out, int64_t offset, const struct raft *raft,
                             const struct voters_record *voters, int16_t kraft_version,
                             bool with_voters, int64_t now_ms);

// Of a quorum whose kraft.version is raised: KRAFT_VERSION and KRAFT_VOTERS (KIP-853). Returns the number of records.
int activation_kraft_batch(struct strbuf *out, int64_t offset, int32_t epoch,
                           const struct voters_record *voters, int16_t kraft_version,
                           int64_t now_ms);

// The records to follow activation_control_batch: bootstrap records in a transaction when the image is empty,
// AbortTransaction when one is open, else none. 0 or -errno: bootstrap.checkpoint cannot be read (*reason).
int activation_records(const struct replay *replay, struct disk *disk, const char *log_dir,
                       const struct config *config, struct metadata_entries *records,
                       const char **reason);

// Appends one batch of records to `out`. There must be at least one.
void append_batch(struct strbuf *out, struct batch_builder *builder,
                  const struct metadata_entry *records, size_t count, int64_t offset, int32_t epoch,
                  int64_t now_ms);

#endif
