// SPDX-License-Identifier: Apache-2.0
// What a leader checks of a batch before it takes it, as Kafka's broker does, in two steps: the batch by its
// header and CRC, then every record. Touches no log: it runs before the log's lock is taken.
//
// A batch whose codec is not the topic's, or whose compressed records do not count 0..n-1, is built anew in the
// arena; any other stays where it is and only its header will change.
// Tested by log_validate_test.c.
#ifndef LOG_LOG_VALIDATE_H
#define LOG_LOG_VALIDATE_H

#include "log/log.h"

struct log_validation {
    // in
    const struct log_config *config;
    enum log_append_origin origin;
    int64_t now_ms;
    const char *log_name; // for messages
    struct arena *arena;
    // in and out
    struct bytes batch; // writable; may be another one afterwards
    // out
    int64_t max_timestamp; // of the records; NO_TIMESTAMP if none has one
    int32_t record_count;
    bool
        is_rebuilt; // batch is in the arena, with timestamps and attributes as the topic wants them
};

// Errors as log_append_leader's; result gets message and record errors.
enum kafka_error log_validate(struct log_validation *v, struct log_append_result *result);

// One whole intact batch of v2 after the other in all of `records`: BATCH_END; else what is wrong.
enum kafka_error log_check_batches(struct bytes records);

#endif
