// SPDX-License-Identifier: Apache-2.0
// Encoding and decoding of the records of __share_group_state.
// Tested by share_coordinator/share_coordinator_test.c.
#include "share_coordinator/share_records.h"

#include "coordinator/coordinator_record.h"

bool share_record_decode(struct bytes key, struct bytes value, struct arena *arena,
                         struct share_log_record *record)
{
    struct reader reader;
    reader_init(&reader, key.data, key.size);
    int16_t type = reader_int16(&reader);
    *record = (struct share_log_record){ .is_tombstone = value.data == NULL,
                                         .is_snapshot = type == SHARE_RECORD_SHARE_SNAPSHOT };
    if (reader_failed(&reader))
        return false;
    record->is_known = type == SHARE_RECORD_SHARE_SNAPSHOT || type == SHARE_RECORD_SHARE_UPDATE;
    if (!record->is_known)
        return true;
    if (!codec_decode(&share_snapshot_key_desc, 0, &reader, arena, &record->key))
        return false;
    if (!record->is_snapshot)
        return !record->is_tombstone &&
               coordinator_record_decode(&share_update_value_desc, value, arena, &record->update);
    return record->is_tombstone ||
           coordinator_record_decode(&share_snapshot_value_desc, value, arena, &record->snapshot);
}

void share_record_add_snapshot(struct coordinator_shard *shard,
                               const struct share_snapshot_key *key,
                               const struct share_content *state)
{
    struct arena arena;
    arena_init(&arena);
    struct share_snapshot_value value = {
        .snapshot_epoch = state->snapshot_epoch,
        .state_epoch = state->state_epoch,
        .leader_epoch = state->leader_epoch,
        .start_offset = state->start_offset,
        .delivery_complete_count = state->delivery_complete_count,
        .create_timestamp = state->create_timestamp_ms,
        .write_timestamp = state->write_timestamp_ms,
        .state_batches =
            arena_array(&arena, struct share_snapshot_value_state_batch, state->batches.count),
        .state_batches_count = (int32_t)state->batches.count,
    };
    for (size_t i = 0; i < state->batches.count; i++)
        value.state_batches[i] = (struct share_snapshot_value_state_batch){
            .first_offset = state->batches.items[i].first_offset,
            .last_offset = state->batches.items[i].last_offset,
            .delivery_state = state->batches.items[i].state,
            .delivery_count = state->batches.items[i].delivery_count,
        };
    coordinator_record_add(shard, SHARE_RECORD_SHARE_SNAPSHOT, &share_snapshot_key_desc, key, 0,
                           &share_snapshot_value_desc, &value);
    arena_fini(&arena);
}

void share_record_add_update(struct coordinator_shard *shard, const struct share_snapshot_key *key,
                             const struct share_content *state)
{
    struct arena arena;
    arena_init(&arena);
    struct share_update_value value = {
        .snapshot_epoch = state->snapshot_epoch,
        .leader_epoch = state->leader_epoch,
        .start_offset = state->start_offset,
        .delivery_complete_count = state->delivery_complete_count,
        .state_batches =
            arena_array(&arena, struct share_update_value_state_batch, state->batches.count),
        .state_batches_count = (int32_t)state->batches.count,
    };
    for (size_t i = 0; i < state->batches.count; i++)
        value.state_batches[i] = (struct share_update_value_state_batch){
            .first_offset = state->batches.items[i].first_offset,
            .last_offset = state->batches.items[i].last_offset,
            .delivery_state = state->batches.items[i].state,
            .delivery_count = state->batches.items[i].delivery_count,
        };
    coordinator_record_add(shard, SHARE_RECORD_SHARE_UPDATE, &share_snapshot_key_desc, key, 0,
                           &share_update_value_desc, &value);
    arena_fini(&arena);
}

void share_record_add_tombstone(struct coordinator_shard *shard,
                                const struct share_snapshot_key *key)
{
    coordinator_record_add(shard, SHARE_RECORD_SHARE_SNAPSHOT, &share_snapshot_key_desc, key, 0,
                           NULL, NULL);
}
