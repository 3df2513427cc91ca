// SPDX-License-Identifier: Apache-2.0
// The file __cluster_metadata-0/quorum-state: which epoch this node has seen, whom it voted for and who leads.
// One line of JSON without a newline, in one of two forms:
//
//   kraft.version 1   {"leaderId":1,"leaderEpoch":2,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA",
//                      "data_version":1}
//   kraft.version 0   {"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,
//                      "currentVoters":[{"voterId":1}],"data_version":0}
//
// (1) It is on disk before anyone learns of the vote or the epoch: otherwise two leaders could share an epoch.
#ifndef RAFT_QUORUM_STATE_H
#define RAFT_QUORUM_STATE_H

#include <stdint.h>

#include "base/disk.h"
#include "base/uuid.h"

#define QUORUM_STATE_FILE "quorum-state"

enum { QUORUM_VOTERS_MAX = 64 };

struct quorum_state {
    int data_version;     // 0 or 1: the form of the file
    int32_t leader_id;    // -1: none
    int32_t leader_epoch; // 0 before the first election
    int32_t voted_id;     // -1: none
    struct uuid voted_directory_id;
    int32_t voters[QUORUM_VOTERS_MAX]; // form 0 only
    int32_t voters_count;
};

// What a node has that never saw an election.
#define QUORUM_STATE_NONE ((struct quorum_state){ .leader_id = -1, .voted_id = -1 })

// 0; -ENOENT when there is none; -EBADMSG when it is not of one of the two forms; else the disk's error.
int quorum_state_read(struct disk *disk, const char *metadata_dir, struct quorum_state *out);
// Durable when it returns 0.
int quorum_state_write(struct disk *disk, const char *metadata_dir,
                       const struct quorum_state *state);

#endif
