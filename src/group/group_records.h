// SPDX-License-Identifier: Apache-2.0
// Keys and values of __consumer_offsets. Both begin with an int16: of a key it is the record's type
// (protocol/record_types.h), of a value its version. What is written is what Kafka 4.3 writes:
//
//     type 1  OffsetCommit   group, topic, partition -> offset …       value v4; v1 if it has an expiry time
//     type 2  GroupMetadata  group -> generation, members …            value v3
//
// Reading takes every version, and type 0, OffsetCommit of old.
#ifndef GROUP_GROUP_RECORDS_H
#define GROUP_GROUP_RECORDS_H

#include "coordinator/coordinator.h"
#include "group/group_offsets.h"
#include "protocol/record_types.h"
#include "protocol/records/group_metadata.h"
#include "protocol/records/offset_commit.h"

struct group_log_record {
    int16_t type;  // enum group_record, or a number that is none
    bool is_known; // the type is one of Kafka 4.3
    bool is_tombstone;
    struct str group;                     // every known key begins with it
    struct offset_commit_key offset_key;  // types 0 and 1
    struct committed_offset offset;       // record_offset is not set
    struct group_metadata_value metadata; // type 2
};

// Points into key and value, arrays are in the arena. False when they are malformed, or of a version that
// this broker does not know. Of known types above 2 only key and group are read.
bool group_record_decode(struct bytes key, struct bytes value, struct arena *arena,
                         struct group_log_record *record);

// Each adds one record to the shard's batch (coordinator_add).
void group_record_add_offset(struct coordinator_shard *shard, struct str group, struct str topic,
                             int32_t partition, const struct committed_offset *offset);
void group_record_add_offset_tombstone(struct coordinator_shard *shard, struct str group,
                                       struct str topic, int32_t partition);
void group_record_add_metadata(struct coordinator_shard *shard, struct str group,
                               const struct group_metadata_value *value);
void group_record_add_metadata_tombstone(struct coordinator_shard *shard, struct str group);

#endif
