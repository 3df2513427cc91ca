// SPDX-License-Identifier: Apache-2.0
#include "txn/txn_records.h"

#include "coordinator/coordinator_record.h"
#include "protocol/records/transaction_log.h"

enum { KEY_TYPE = 0 };

static bool decode_partitions(const struct transaction_log_value *value, struct txn_record *record)
{
    for (int32_t t = 0; t < value->transaction_partitions_count; t++) {
        const struct transaction_log_value_partitions_schema *topic =
            &value->transaction_partitions[t];
        for (int32_t p = 0; p < topic->partition_ids_count; p++)
            transaction_partitions_add(&record->partitions, topic->topic, topic->partition_ids[p]);
    }
    return true;
}

static bool decode_value(struct bytes bytes, struct arena *arena, struct txn_record *record)
{
    struct reader reader;
    reader_init(&reader, bytes.data, bytes.size);
    int16_t version = reader_int16(&reader);
    if (reader_failed(&reader))
        return false;
    if (!version_in(transaction_log_value_desc.versions, version)) {
        record->kind = TXN_RECORD_UNKNOWN;
        return true;
    }
    struct transaction_log_value value;
    if (!codec_decode(&transaction_log_value_desc, version, &reader, arena, &value) ||
        value.transaction_status < 0 || value.transaction_status >= TRANSACTION_STATES)
        return false;
    record->fields = (struct transaction_fields){
        .state = (enum transaction_state)value.transaction_status,
        .producer_id = value.producer_id,
        .previous_producer_id = value.previous_producer_id,
        .next_producer_id = value.next_producer_id,
        .producer_epoch = value.producer_epoch,
        .last_producer_epoch = -1,
        .client_version = value.client_transaction_version,
        .timeout_ms = value.transaction_timeout_ms,
        .start_ms = value.transaction_start_timestamp_ms,
        .last_update_ms = value.transaction_last_update_timestamp_ms,
    };
    return record->fields.state == TRANSACTION_EMPTY || decode_partitions(&value, record);
}

bool txn_record_decode(struct bytes key, struct bytes value, struct arena *arena,
                       struct txn_record *record)
{
    *record = (struct txn_record){ .kind = TXN_RECORD_VALUE };
    struct reader reader;
    reader_init(&reader, key.data, key.size);
    int16_t type = reader_int16(&reader);
    if (reader_failed(&reader))
        return false;
    if (type != KEY_TYPE) {
        record->kind = TXN_RECORD_UNKNOWN;
        return true;
    }
    struct transaction_log_key id;
    if (!codec_decode(&transaction_log_key_desc, 0, &reader, arena, &id))
        return false;
    record->id = id.transactional_id;
    if (value.data == NULL) {
        record->kind = TXN_RECORD_TOMBSTONE;
        return true;
    }
    return decode_value(value, arena, record);
}

struct bytes txn_record_key(struct str id, struct arena *arena)
{
    struct transaction_log_key key = { id };
    return coordinator_record_encode(KEY_TYPE, &transaction_log_key_desc, 0, &key, arena);
}

struct bytes txn_record_value(const struct transaction_fields *fields,
                              const struct transaction_partitions *partitions, int16_t version,
                              struct arena *arena)
{
    int16_t value_version = version >= 1 ? 1 : 0;
    struct transaction_log_value value = {
        .producer_id = fields->producer_id,
        .previous_producer_id = value_version >= 1 ? fields->previous_producer_id : -1,
        .next_producer_id = value_version >= 1 ? fields->next_producer_id : -1,
        .next_producer_epoch = -1,
        .producer_epoch = fields->producer_epoch,
        .transaction_timeout_ms = fields->timeout_ms,
        .transaction_status = (int8_t)fields->state,
        .transaction_partitions_count = -1,
        .transaction_last_update_timestamp_ms = fields->last_update_ms,
        .transaction_start_timestamp_ms = fields->start_ms,
        .client_transaction_version = value_version >= 1 ? fields->client_version : 0,
    };
    if (fields->state != TRANSACTION_EMPTY) {
        value.transaction_partitions = arena_array(
            arena, struct transaction_log_value_partitions_schema, partitions->count + 1);
        value.transaction_partitions_count = (int32_t)partitions->count;
        for (size_t i = 0; i < partitions->count; i++)
            value.transaction_partitions[i] = (struct transaction_log_value_partitions_schema){
                .topic = partitions->topics[i].name,
                .partition_ids = partitions->topics[i].partitions,
                .partition_ids_count = (int32_t)partitions->topics[i].count,
            };
    }
    return coordinator_record_encode(value_version, &transaction_log_value_desc, value_version,
                                     &value, arena);
}
