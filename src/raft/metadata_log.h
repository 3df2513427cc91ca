// SPDX-License-Identifier: Apache-2.0
// The files of the metadata log, in __cluster_metadata-0 of the metadata log dir: an ordinary partition log (log/log.h)
// and its snapshots (metadata/snapshot.h). What replaces retention by time and size is retention by snapshots: when
// the files exceed metadata.max.retention.bytes or .ms, the oldest snapshots go, and the log starts where the oldest
// kept one ends.
//
//      snapshots   0-0 (genesis)            1588-4          3020-5 ◁ newest: load begins here
//      log             ·······················|==================|=========> end
//                       (deleted with 0-0)    log start
//
// Owned by the controller's thread.
// (1) The newest snapshot or the log's start is never after the log's end: a log that lost its tail behind a snapshot
//     is emptied and goes on at the snapshot's end.
#ifndef RAFT_METADATA_LOG_H
#define RAFT_METADATA_LOG_H

#include "base/clock.h"
#include "base/disk.h"
#include "base/trace.h"
#include "metadata/replay.h"
#include "metadata/snapshot.h"

struct config;
struct metadata_log;

struct metadata_log_options {
    struct disk *disk;
    struct clock *clock;
    struct trace *trace;
    const struct config *config;
    const char *log_dir; // holds __cluster_metadata-0
};

// What the log says about the quorum itself, from the newest snapshot and the control records behind it.
struct quorum_history {
    struct arena *arena; // of the voters
    int16_t kraft_version;
    bool is_in_log; // kraft_version and voters stand in the log, not only in the genesis snapshot
    const struct voters_record *voters; // NULL: none are recorded (kraft.version 0)
    int32_t last_epoch;                 // of the last record or of the newest snapshot; 0: none
    int64_t last_timestamp;             // of the last batch
};

// Opens or creates. 0 or -errno.
int metadata_log_open(const struct metadata_log_options *options, struct metadata_log **out);
// Clean: flushed, indexes trimmed.
int metadata_log_close(struct metadata_log *log);
// As a crash would.
void metadata_log_abandon(struct metadata_log *log);
const char *metadata_log_dir(const struct metadata_log *log); // .../__cluster_metadata-0

// Replays the newest snapshot and all of the log behind it. 0, or -errno; -EBADMSG when a record cannot be applied
// (said in the trace).
int metadata_log_load(struct metadata_log *log, struct replay *replay,
                      struct quorum_history *history);

// Where the next record goes.
int64_t metadata_log_end_offset(const struct metadata_log *log);
// Appends whole batches whose offsets follow the log end and whose epoch is set. `batches` is writable memory.
// Not durable before metadata_log_sync. 0 or -errno.
int metadata_log_append(struct metadata_log *log, struct bytes batches, int32_t epoch);
int metadata_log_sync(struct metadata_log *log);
// Takes back what was appended at and after `offset`, never synced.
int metadata_log_truncate(struct metadata_log *log, int64_t offset);
void metadata_log_set_high_watermark(struct metadata_log *log, int64_t offset);

// Writes a snapshot of an image that holds all below metadata->offset + 1, and applies the retention. 0 or -errno;
// a failure leaves the log as good as before.
int metadata_log_snapshot(struct metadata_log *log, const struct metadata *metadata,
                          const struct quorum_history *history);
// The end offset of the newest snapshot; 0 when there is none.
int64_t metadata_log_snapshot_offset(const struct metadata_log *log);

#endif
