// Generated from protocol/schema by protocol/generate.py. Do not edit.
// SPDX-License-Identifier: Apache-2.0

#ifndef PROTOCOL_MESSAGES_BOIL_H
#define PROTOCOL_MESSAGES_BOIL_H

#include "protocol/codec.h"

// A size and a name.
struct boil_request_cup {
    struct str name; // 1-4. what is written on it
    int32_t size_ml; // 1-4, default 250
    struct tagged_fields unknown_tagged_fields;
};

struct boil_request_rest {
    struct records steam; // 2-4, may be null
    double ratio; // 2-4
    struct tagged_fields unknown_tagged_fields;
};

struct boil_request_lid {
    // 3-4. a very long comment that does not fit behind the field and so goes in front of it
    int8_t tight;
    struct bytes ring; // 4, may be null, default null
    struct tagged_fields unknown_tagged_fields;
};

// BoilRequest: api 2, versions 1-4, flexible 2-4
// Boils some water: every kind of field, flexible from version 2.
struct boil_request {
    struct uuid kettle_id; // 1-4
    struct str client_id; // 1-4, may be null
    struct boil_request_cup *cups; // 1-3, null at 2-3
    int32_t cups_count;
    struct boil_request_cup spare; // 3-4, tag 1
    bool default_; // 2-4, tag 0, default true
    int32_t *isr_nodes; // 1-4, may be null, default null, brokerId
    int32_t isr_nodes_count;
    struct boil_request_rest *rest; // 2-4
    int32_t rest_count;
    struct boil_request_lid *lid; // 3-4, may be null, default null
    struct tagged_fields unknown_tagged_fields;
};

extern const struct message_desc boil_request_cup_desc;
extern const struct message_desc boil_request_rest_desc;
extern const struct message_desc boil_request_lid_desc;
extern const struct message_desc boil_request_desc;

// BoilResponse: api 2, versions 1-4, flexible 2-4
struct boil_response {
    int16_t error_code; // 1-4
    struct tagged_fields unknown_tagged_fields;
};

extern const struct message_desc boil_response_desc;

#endif
