// SPDX-License-Identifier: Apache-2.0
// Encoding and decoding of the records of __consumer_offsets.
#include "group/group_records.h"

#include "coordinator/coordinator_record.h"
#include "protocol/records/legacy_offset_commit.h"

enum { OFFSET_VALUE_VERSION = 4, OFFSET_VALUE_VERSION_WITH_EXPIRY = 1, METADATA_VALUE_VERSION = 3 };

// ---- decoding --------------------------------------------------------------------------------------

static bool is_known_type(int16_t type)
{
    switch ((enum group_record)type) {
    case GROUP_RECORD_LEGACY_OFFSET_COMMIT:
    case GROUP_RECORD_OFFSET_COMMIT:
    case GROUP_RECORD_GROUP_METADATA:
    case GROUP_RECORD_CONSUMER_GROUP_METADATA:
    case GROUP_RECORD_CONSUMER_GROUP_PARTITION_METADATA:
    case GROUP_RECORD_CONSUMER_GROUP_MEMBER_METADATA:
    case GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA:
    case GROUP_RECORD_CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER:
    case GROUP_RECORD_CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT:
    case GROUP_RECORD_SHARE_GROUP_MEMBER_METADATA:
    case GROUP_RECORD_SHARE_GROUP_METADATA:
    case GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_METADATA:
    case GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER:
    case GROUP_RECORD_SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT:
    case GROUP_RECORD_SHARE_GROUP_STATE_PARTITION_METADATA:
    case GROUP_RECORD_CONSUMER_GROUP_REGULAR_EXPRESSION:
    case GROUP_RECORD_STREAMS_GROUP_METADATA:
    case GROUP_RECORD_STREAMS_GROUP_MEMBER_METADATA:
    case GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA:
    case GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER:
    case GROUP_RECORD_STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT:
    case GROUP_RECORD_STREAMS_GROUP_TOPOLOGY:
        return true;
    }
    return false;
}

static bool decode_offset(struct bytes value, bool is_legacy, struct arena *arena,
                          struct committed_offset *offset)
{
    if (is_legacy) {
        struct legacy_offset_commit_value v;
        if (!coordinator_record_decode(&legacy_offset_commit_value_desc, value, arena, &v))
            return false;
        *offset = (struct committed_offset){ .offset = v.offset,
                                             .leader_epoch = -1,
                                             .metadata = v.metadata,
                                             .commit_timestamp_ms = v.commit_timestamp,
                                             .expire_timestamp_ms = -1 };
        return true;
    }
    struct offset_commit_value v;
    if (!coordinator_record_decode(&offset_commit_value_desc, value, arena, &v))
        return false;
    *offset = (struct committed_offset){ .offset = v.offset,
                                         .leader_epoch = v.leader_epoch,
                                         .metadata = v.metadata,
                                         .commit_timestamp_ms = v.commit_timestamp,
                                         .expire_timestamp_ms = v.expire_timestamp,
                                         .topic_id = v.topic_id };
    return true;
}

bool group_record_decode(struct bytes key, struct bytes value, struct arena *arena,
                         struct group_log_record *record)
{
    struct reader reader;
    reader_init(&reader, key.data, key.size);
    *record = (struct group_log_record){ .type = reader_int16(&reader),
                                         .is_tombstone = value.data == NULL };
    if (reader_failed(&reader))
        return false;
    record->is_known = is_known_type(record->type);
    if (!record->is_known)
        return true;
    struct reader rest = reader;
    record->group = reader_string(&reader, false);
    if (reader_failed(&reader) || str_is_null(record->group))
        return false;
    switch ((enum group_record)record->type) {
    case GROUP_RECORD_LEGACY_OFFSET_COMMIT: // its key is the same
    case GROUP_RECORD_OFFSET_COMMIT:
        return codec_decode(&offset_commit_key_desc, 0, &rest, arena, &record->offset_key) &&
               (record->is_tombstone ||
                decode_offset(value, record->type == GROUP_RECORD_LEGACY_OFFSET_COMMIT, arena,
                              &record->offset));
    case GROUP_RECORD_GROUP_METADATA:
        return record->is_tombstone || coordinator_record_decode(&group_metadata_value_desc, value,
                                                                 arena, &record->metadata);
    default:
        return true;
    }
}

// ---- encoding --------------------------------------------------------------------------------------

void group_record_add_offset(struct coordinator_shard *shard, struct str group, struct str topic,
                             int32_t partition, const struct committed_offset *offset)
{
    struct offset_commit_key key = { group, topic, partition };
    struct offset_commit_value value = {
        .offset = offset->offset,
        .leader_epoch = offset->leader_epoch,
        .metadata = offset->metadata,
        .commit_timestamp = offset->commit_timestamp_ms,
        .expire_timestamp = offset->expire_timestamp_ms,
        .topic_id = offset->topic_id,
    };
    coordinator_record_add(shard, GROUP_RECORD_OFFSET_COMMIT, &offset_commit_key_desc, &key,
                           offset->expire_timestamp_ms == -1 ? OFFSET_VALUE_VERSION
                                                             : OFFSET_VALUE_VERSION_WITH_EXPIRY,
                           &offset_commit_value_desc, &value);
}

void group_record_add_offset_tombstone(struct coordinator_shard *shard, struct str group,
                                       struct str topic, int32_t partition)
{
    struct offset_commit_key key = { group, topic, partition };
    coordinator_record_add(shard, GROUP_RECORD_OFFSET_COMMIT, &offset_commit_key_desc, &key, 0,
                           NULL, NULL);
}

void group_record_add_metadata(struct coordinator_shard *shard, struct str group,
                               const struct group_metadata_value *value)
{
    struct group_metadata_key key = { group };
    coordinator_record_add(shard, GROUP_RECORD_GROUP_METADATA, &group_metadata_key_desc, &key,
                           METADATA_VALUE_VERSION, &group_metadata_value_desc, value);
}

void group_record_add_metadata_tombstone(struct coordinator_shard *shard, struct str group)
{
    struct group_metadata_key key = { group };
    coordinator_record_add(shard, GROUP_RECORD_GROUP_METADATA, &group_metadata_key_desc, &key, 0,
                           NULL, NULL);
}
