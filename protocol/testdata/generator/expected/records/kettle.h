// Generated from protocol/schema by protocol/generate.py. Do not edit.
// SPDX-License-Identifier: Apache-2.0

#ifndef PROTOCOL_RECORDS_KETTLE_H
#define PROTOCOL_RECORDS_KETTLE_H

#include "protocol/codec.h"

struct kettle_record_inner {
    int64_t number; // 0, default -1
    struct str text; // 0
    struct tagged_fields unknown_tagged_fields;
};

// KettleRecord: metadata record record, type 1, versions 0, flexible 0
// SPDX-License-Identifier: Apache-2.0
struct kettle_record {
    struct kettle_record_inner *nested; // 0, tag 0, may be null
    struct tagged_fields unknown_tagged_fields;
};

extern const struct message_desc kettle_record_inner_desc;
extern const struct message_desc kettle_record_desc;

// KettleKey: group record key, type 3, versions 0
struct kettle_key {
    uint16_t port; // 0
};

extern const struct message_desc kettle_key_desc;

// KettleValue: group record value, type 3, versions 0-1, flexible 1
struct kettle_value {
    struct tagged_fields unknown_tagged_fields;
};

extern const struct message_desc kettle_value_desc;

// Spout: versions 0
struct spout {
    char unused; // a struct without fields is no C
};

extern const struct message_desc spout_desc;

#endif
