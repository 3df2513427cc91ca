// Generated from protocol/schema by protocol/generate.py. Do not edit.
// SPDX-License-Identifier: Apache-2.0

#ifndef PROTOCOL_KAFKA_ERROR_H
#define PROTOCOL_KAFKA_ERROR_H

#include <stdbool.h>

// An answer to a client, as it stands in an error_code field.
enum kafka_error {
    KERR_UNKNOWN_SERVER_ERROR = -1,
    KERR_NONE = 0,
    KERR_KETTLE_COLD = 3,
};

// Kafka's name of an error, e.g. NOT_COORDINATOR; NULL for a number it does not have.
const char *kafka_error_name(int code);

// The same request may succeed later.
bool kafka_error_is_retriable(int code);

// The asker's picture of the cluster is stale.
bool kafka_error_is_stale_metadata(int code);

#endif
