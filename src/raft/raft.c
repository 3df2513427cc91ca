// SPDX-License-Identifier: Apache-2.0
#include "raft/raft.h"

#include "base/must.h"

enum raft_verdict raft_check_voters(int32_t node_id, struct uuid directory_id,
                                    const struct voters_record *voters)
{
    bool is_member = false;
    for (int32_t i = 0; i < voters->voters_count; i++) {
        const struct voters_record_voter *voter = &voters->voters[i];
        if (voter->voter_id == node_id && (uuid_is_zero(voter->voter_directory_id) ||
                                           uuid_eq(voter->voter_directory_id, directory_id)))
            is_member = true;
    }
    if (!is_member)
        return RAFT_NOT_A_VOTER;
    return voters->voters_count == 1 ? RAFT_IS_VOTER : RAFT_SEVERAL_VOTERS;
}

void raft_init(struct raft *raft, int32_t node_id, struct uuid directory_id,
               const struct quorum_state *state, int32_t log_epoch)
{
    *raft = (struct raft){
        .node_id = node_id,
        .directory_id = directory_id,
        .role = RAFT_UNATTACHED,
        .state = *state,
        .epoch_start_offset = -1,
        .high_watermark = -1,
    };
    // A quorum-state behind the log (it was lost and made anew) must not bring an old epoch back.
    if (raft->state.leader_epoch < log_epoch)
        raft->state.leader_epoch = log_epoch;
}

static unsigned stand(struct raft *raft)
{
    must(raft->role == RAFT_UNATTACHED);
    // Voting for itself is being elected, so the vote is not written apart from the leader.
    raft->role = RAFT_CANDIDATE;
    raft->state.leader_epoch++;
    raft->state.leader_id = raft->node_id;
    raft->state.voted_id = -1;
    raft->state.voted_directory_id = UUID_ZERO;
    return RAFT_PERSIST_STATE;
}

static unsigned log_synced(struct raft *raft, int64_t end_offset)
{
    if (raft->role != RAFT_LEADER || raft->epoch_start_offset < 0 ||
        end_offset <= raft->epoch_start_offset || end_offset <= raft->high_watermark)
        return 0;
    raft->high_watermark = end_offset;
    return RAFT_HIGH_WATERMARK;
}

unsigned raft_step(struct raft *raft, const struct raft_event *event)
{
    switch (event->type) {
    case RAFT_START:
        return stand(raft);
    case RAFT_STATE_PERSISTED:
        must(raft->role == RAFT_CANDIDATE);
        raft->role = RAFT_LEADER;
        return RAFT_BEGIN_EPOCH;
    case RAFT_EPOCH_BEGUN:
        must(raft->role == RAFT_LEADER);
        raft->epoch_start_offset = event->offset;
        return 0;
    case RAFT_LOG_SYNCED:
        return log_synced(raft, event->offset);
    case RAFT_FAILED:
        raft->role = RAFT_RESIGNED;
        return 0;
    }
    must(!"an event of raft");
    return 0;
}
