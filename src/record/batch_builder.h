// SPDX-License-Identifier: Apache-2.0
// Makes record batches: for coordinators, the metadata log, recompression and tests.
//
//     struct batch_builder builder;
//     struct batch_options options = { BATCH_OPTIONS_DEFAULT, .base_offset = 7 };
//     options.producer_id = 4711;                  // what the macro sets already is set behind it
//     batch_builder_init(&builder, &options);
//     batch_builder_add(&builder, timestamp, key, value);
//     struct bytes batch = batch_builder_finish(&builder);     // valid until fini or the next init
//     batch_builder_fini(&builder);
// Tested by record_test.c.
#ifndef RECORD_BATCH_BUILDER_H
#define RECORD_BATCH_BUILDER_H

#include "record/record.h"

struct batch_options {
    int64_t base_offset;
    int32_t leader_epoch;
    enum compression compression;
    int32_t compression_level;
    bool
        log_append_time; // then all records count as of append_time; their own are kept, as Kafka keeps them
    int64_t append_time;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    bool is_transactional;
    bool is_control;
};

// No producer, nothing compressed, CreateTime, leader epoch -1.
#define BATCH_OPTIONS_DEFAULT                                                                      \
    .leader_epoch = -1, .compression_level = COMPRESSION_LEVEL_DEFAULT,                            \
    .producer_id = NO_PRODUCER_ID, .producer_epoch = -1, .base_sequence = -1

struct batch_builder {
    struct batch_options _options;
    struct strbuf _batch;  // header and records as they are
    struct strbuf _packed; // header and compressed records
    int64_t _base_timestamp;
    int64_t _max_timestamp;
    int32_t _last_offset_delta;
    int32_t count;
};

void batch_builder_init(struct batch_builder *builder, const struct batch_options *options);
// Begins another batch in the same memory.
void batch_builder_reset(struct batch_builder *builder, const struct batch_options *options);
void batch_builder_fini(struct batch_builder *builder);

// Adds a record at the next offset; null keys and values have data == NULL.
void batch_builder_add(struct batch_builder *builder, int64_t timestamp, struct bytes key,
                       struct bytes value);
// Adds one with headers (encoded, see record.h) at any later offset: compaction leaves gaps.
void batch_builder_add_record(struct batch_builder *builder, int32_t offset_delta,
                              int64_t timestamp, struct bytes key, struct bytes value,
                              int32_t header_count, struct bytes headers);
// Bytes so far, before compression, header included.
size_t batch_builder_size(const struct batch_builder *builder);
// The whole batch with header and CRC, writable. At least one record was added.
struct bytes batch_builder_finish(struct batch_builder *builder);

// Types of control records (key: int16 version 0, int16 type).
enum control_type {
    CONTROL_ABORT = 0,
    CONTROL_COMMIT = 1,
    CONTROL_LEADER_CHANGE = 2,
    CONTROL_SNAPSHOT_HEADER = 3,
    CONTROL_SNAPSHOT_FOOTER = 4,
    CONTROL_KRAFT_VERSION = 5,
    CONTROL_KRAFT_VOTERS = 6,
};

enum { CONTROL_KEY_SIZE = 4, END_TXN_MARKER_SIZE = 6 };

void control_key_encode(uint8_t key[CONTROL_KEY_SIZE], enum control_type type);
// The type of a control record's key; -1 when it is none.
int control_key_type(struct bytes key);
// The value of ABORT and COMMIT.
void end_txn_marker_encode(uint8_t value[END_TXN_MARKER_SIZE], int32_t coordinator_epoch);

#endif
