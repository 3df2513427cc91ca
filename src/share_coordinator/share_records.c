// SPDX-License-Identifier: Apache-2.0
// Encoding and decoding of the records of __share_group_state.
// Tested by share_coordinator/share_coordinator_test.c.
#include "share_coordinator/share_records.h"

#include "base/must.h"

static bool decode(const struct message_desc *desc, struct bytes value, struct arena *arena,
                   void *out)
{
    struct reader reader;
    reader_init(&reader, value.data, value.size);
    int16_t version = reader_int16(&reader);
    return !reader_failed(&reader) && version_in(desc->versions, version) &&
           codec_decode(desc, version, &reader, arena, out);
}

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
               decode(&share_update_value_desc, value, arena, &record->update);
    return record->is_tombstone ||
           decode(&share_snapshot_value_desc, value, arena, &record->snapshot);
}

static struct bytes encode(int16_t prefix, const struct message_desc *desc, const void *in,
                           struct arena *arena)
{
    struct writer writer;
    writer_init(&writer, arena);
    writer_int16(&writer, prefix);
    must(codec_encode(desc, 0, &writer, in));
    return writer_flatten(&writer, arena);
}

static void add(struct coordinator_shard *shard, int16_t type, const struct share_snapshot_key *key,
                const struct message_desc *value_desc, const void *value, struct arena *arena)
{
    struct bytes key_bytes = encode(type, &share_snapshot_key_desc, key, arena);
    coordinator_add(shard, key_bytes,
                    value == NULL ? BYTES_NULL : encode(0, value_desc, value, arena));
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
    add(shard, SHARE_RECORD_SHARE_SNAPSHOT, key, &share_snapshot_value_desc, &value, &arena);
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
    add(shard, SHARE_RECORD_SHARE_UPDATE, key, &share_update_value_desc, &value, &arena);
    arena_fini(&arena);
}

void share_record_add_tombstone(struct coordinator_shard *shard,
                                const struct share_snapshot_key *key)
{
    struct arena arena;
    arena_init(&arena);
    add(shard, SHARE_RECORD_SHARE_SNAPSHOT, key, NULL, NULL, &arena);
    arena_fini(&arena);
}
