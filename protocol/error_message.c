// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin, beside the real broker.
#include "protocol/error_message.h"

#include <stddef.h>

const char *kafka_error_message(enum kafka_error error)
{
    switch (error) {
    case KERR_UNKNOWN_SERVER_ERROR:
        return "The server experienced an unexpected error when processing the request.";
    case KERR_UNKNOWN_TOPIC_OR_PARTITION:
        return "This server does not host this topic-partition.";
    case KERR_COORDINATOR_LOAD_IN_PROGRESS:
        return "The coordinator is loading and hence can't process requests.";
    case KERR_COORDINATOR_NOT_AVAILABLE:
        return "The coordinator is not available.";
    case KERR_NOT_COORDINATOR:
        return "This is not the correct coordinator.";
    case KERR_INVALID_GROUP_ID:
        return "The group id is invalid.";
    case KERR_UNSUPPORTED_VERSION:
        return "The version of API is not supported.";
    case KERR_INVALID_REQUEST:
        return "This most likely occurs because of a request being malformed by the client library "
               "or the message was sent to an incompatible broker. See the broker logs for more "
               "details.";
    case KERR_NON_EMPTY_GROUP:
        return "The group is not empty.";
    case KERR_UNKNOWN_TOPIC_ID:
        return "This server does not host this topic ID.";
    default:
        return NULL;
    }
}
