// SPDX-License-Identifier: Apache-2.0
// Records of share groups in __consumer_offsets, version 0 of each:
//
//     10 MemberMetadata  group, member      11 Metadata  group       12 TargetAssignmentMetadata  group
//     13 TargetAssignmentMember  group, member      14 CurrentMemberAssignment  group, member
//     15 StatePartitionMetadata  group: topics whose state is begun, is being begun, is being deleted
//
// Each function adds one record to the shard's batch (coordinator_add).
#ifndef GROUP_SHARE_SHARE_GROUP_RECORDS_H
#define GROUP_SHARE_SHARE_GROUP_RECORDS_H

#include "coordinator/coordinator.h"
#include "group/share/share_group.h"
#include "protocol/record_types.h"

void share_group_record_member(struct coordinator_shard *shard, struct str group,
                               const struct share_member *member);
void share_group_record_epoch(struct coordinator_shard *shard, struct str group, int32_t epoch,
                              int64_t hash);
void share_group_record_target_epoch(struct coordinator_shard *shard, struct str group,
                                     int32_t epoch, int64_t now_ms);
void share_group_record_target(struct coordinator_shard *shard, struct str group, struct str member,
                               const struct share_topics *target);
void share_group_record_current(struct coordinator_shard *shard, struct str group,
                                const struct share_member *member);
void share_group_record_state(struct coordinator_shard *shard, struct str group,
                              const struct share_topics *initializing,
                              const struct share_topics *initialized,
                              const struct share_topics *deleting);
// A null value for a key of group and, unless it is null, member.
void share_group_record_tombstone(struct coordinator_shard *shard, int16_t type, struct str group,
                                  struct str member);

#endif
