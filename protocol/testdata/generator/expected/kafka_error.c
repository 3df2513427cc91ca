// Generated from protocol/schema by protocol/generate.py. Do not edit.
// SPDX-License-Identifier: Apache-2.0

#include "protocol/kafka_error.h"

#include <stddef.h>

static const struct {
    const char *name;
    bool retriable;
    bool stale_metadata;
} errors[] = { // from -1
    [0] = {"UNKNOWN_SERVER_ERROR", false, false},
    [1] = {"NONE", false, false},
    [4] = {"KETTLE_COLD", true, true},
};

static bool is_known(int code)
{
    return code >= -1 && code <= 3 && errors[code - (-1)].name != NULL;
}

const char *kafka_error_name(int code)
{
    return is_known(code) ? errors[code - (-1)].name : NULL;
}

bool kafka_error_is_retriable(int code)
{
    return is_known(code) ? errors[code - (-1)].retriable : false;
}

bool kafka_error_is_stale_metadata(int code)
{
    return is_known(code) ? errors[code - (-1)].stale_metadata : false;
}
