// SPDX-License-Identifier: Apache-2.0
// Who leads the metadata log, as a step machine: an event and the time go in, effects come out; no clock, no disk, no
// network in here. The owner (controller.c) performs the effects, in the order of enum raft_effect, and tells what
// came of them by further events.
//
//                 START                    STATE_PERSISTED               LOG_SYNCED(end)
//     unattached ───────> PERSIST_STATE ──────────────────> leader ─────────────────────────> HIGH_WATERMARK
//      (epoch e)            (epoch e+1)      BEGIN_EPOCH: append                │
//                                            LEADER_CHANGE at the log end       └── FAILED ──> resigned (stop)
//
// (1) An epoch is on disk before its first record: no (epoch, offset) is ever used for two contents.
// (2) Committed, hence below the high watermark, is what a majority of voters holds on disk and what comes after the
//     leader's own LEADER_CHANGE (Raft 5.4.2).
// (3) A node takes part only as the voter {id, directory id} of the voter set: after its disk was replaced it is
//     another one (KIP-853).
//
// The voter set has one member, this node: its own vote elects it and its own sync commits. A set of several is
// refused at the start.
#ifndef RAFT_RAFT_H
#define RAFT_RAFT_H

#include <stdbool.h>

#include "protocol/records/voters.h"
#include "raft/quorum_state.h"

enum raft_role { RAFT_UNATTACHED, RAFT_CANDIDATE, RAFT_LEADER, RAFT_RESIGNED };

enum raft_event_type {
    RAFT_START,
    RAFT_STATE_PERSISTED, // the state of the last PERSIST_STATE is durable
    RAFT_EPOCH_BEGUN,     // LEADER_CHANGE was appended; offset: where
    RAFT_LOG_SYNCED,      // offset: all below is durable here
    RAFT_FAILED,          // the state or the log could not be written
};

struct raft_event {
    enum raft_event_type type;
    int64_t now_us;
    int64_t offset;
};

enum raft_effect {
    RAFT_PERSIST_STATE = 1, // write raft->state durably
    RAFT_BEGIN_EPOCH = 2, // append LEADER_CHANGE (and what else a new cluster's first batch holds)
    RAFT_HIGH_WATERMARK = 4 // raft->high_watermark has grown
};

struct raft {
    int32_t node_id;
    struct uuid directory_id;
    enum raft_role role;
    struct quorum_state state;
    int64_t epoch_start_offset; // of our LEADER_CHANGE
    int64_t high_watermark;
};

enum raft_verdict {
    RAFT_IS_VOTER,
    RAFT_NOT_A_VOTER,    // not in the set, or with another directory
    RAFT_SEVERAL_VOTERS, // refused, see above
};

// Whether this node may lead that set. Without voters in the log (kraft.version 0), voters are ids only:
// directory ids of zero match any.
enum raft_verdict raft_check_voters(int32_t node_id, struct uuid directory_id,
                                    const struct voters_record *voters);

// `state`: of quorum-state or QUORUM_STATE_NONE; `log_epoch`: of the last record of log or snapshot (0: none).
void raft_init(struct raft *raft, int32_t node_id, struct uuid directory_id,
               const struct quorum_state *state, int32_t log_epoch);

// Returns effects, or'ed.
unsigned raft_step(struct raft *raft, const struct raft_event *event);

#endif
