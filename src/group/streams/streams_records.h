// SPDX-License-Identifier: Apache-2.0
// Records of streams groups in __consumer_offsets, version 0 of each:
//
//     17 Metadata  group              19 MemberMetadata  group, member     20 TargetAssignmentMetadata  group
//     21 TargetAssignmentMember  group, member     22 CurrentMemberAssignment  group, member
//     23 Topology  group
//
// Each function adds one record to the shard's batch (coordinator_add).
#ifndef GROUP_STREAMS_STREAMS_RECORDS_H
#define GROUP_STREAMS_STREAMS_RECORDS_H

#include "coordinator/coordinator.h"
#include "group/streams/streams_group.h"
#include "protocol/record_types.h"

#define STREAMS_STANDBY_KEY "num.standby.replicas" // the one assignment config there is

void streams_record_member(struct coordinator_shard *shard, struct str group, struct str member,
                           const struct streams_metadata *metadata);
// `standby_replicas` NULL: no configs.
void streams_record_epoch(struct coordinator_shard *shard, struct str group, int32_t epoch,
                          int64_t hash, int32_t validated_topology_epoch,
                          const char *standby_replicas);
void streams_record_topology(struct coordinator_shard *shard, struct str group,
                             const struct streams_topology_value *topology);
void streams_record_target_epoch(struct coordinator_shard *shard, struct str group, int32_t epoch,
                                 int64_t now_ms);
void streams_record_target(struct coordinator_shard *shard, struct str group, struct str member,
                           const struct streams_assignment *target);
void streams_record_current(struct coordinator_shard *shard, struct str group, struct str member,
                            const struct streams_current *current);
// A null value for a key of group and, unless it is null, member.
void streams_record_tombstone(struct coordinator_shard *shard, int16_t type, struct str group,
                              struct str member);

#endif
