// SPDX-License-Identifier: Apache-2.0
// Kafka's words for an error, where a response says no more than that.
#ifndef PROTOCOL_ERROR_MESSAGE_H
#define PROTOCOL_ERROR_MESSAGE_H

#include "protocol/kafka_error.h"

// A constant; NULL for an error with which no response here carries words.
const char *kafka_error_message(enum kafka_error error);

#endif
