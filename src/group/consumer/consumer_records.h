// SPDX-License-Identifier: Apache-2.0
// The records of a consumer group in __consumer_offsets, as Kafka 4.3 writes them (values of version 0):
//
//     type 3   ConsumerGroupMetadata                 group              -> epoch, hash of topics
//     type 4   ConsumerGroupPartitionMetadata        group              -> of before 4.1; only tombstones are written
//     type 5   ConsumerGroupMemberMetadata           group, member      -> what it said of itself
//     type 6   ConsumerGroupTargetAssignmentMetadata group              -> epoch, time of the target assignment
//     type 7   ConsumerGroupTargetAssignmentMember   group, member      -> what it shall have
//     type 8   ConsumerGroupCurrentMemberAssignment  group, member      -> what it has
//     type 16  ConsumerGroupRegularExpression        group, expression  -> the topics that match
//
// A group is there from its first record to the tombstone of type 3.
#ifndef GROUP_CONSUMER_CONSUMER_RECORDS_H
#define GROUP_CONSUMER_CONSUMER_RECORDS_H

#include "group/consumer/consumer_group.h"
#include "group/group_shard.h"

bool consumer_record_is(int16_t type);
// Brings the record into the shard's groups. False if it cannot be read.
bool consumer_replay(struct group_shard *state, int16_t type, struct bytes key, struct bytes value);

// Each adds a record of the group to the shard's batch; a NULL value is a tombstone.
void consumer_add_epoch(const struct consumer_group *group, int32_t epoch, int64_t metadata_hash);
void consumer_add_epoch_tombstone(const struct consumer_group *group);
void consumer_add_partition_metadata_tombstone(const struct consumer_group *group);
void consumer_add_metadata(const struct consumer_group *group, struct str member_id,
                           const struct member_metadata_value *value);
void consumer_add_target_epoch(const struct consumer_group *group, int32_t epoch,
                               int64_t timestamp_ms);
void consumer_add_target_epoch_tombstone(const struct consumer_group *group);
void consumer_add_target(const struct consumer_group *group, struct str member_id,
                         const struct member_target_value *value);
void consumer_add_current(const struct consumer_group *group, struct str member_id,
                          const struct member_current_value *value);
void consumer_add_regex(const struct consumer_group *group, struct str pattern,
                        const struct consumer_group_regular_expression_value *value);

// Tombstones of all that a member has: what it holds, its target, itself.
void consumer_add_member_tombstones(const struct consumer_group *group, struct str member_id);
// Of all that the group has. A member named `instead_of` is called `other` in them, for it has just been replaced.
void consumer_add_tombstones(const struct consumer_group *group, struct str instead_of,
                             struct str other);

#endif
