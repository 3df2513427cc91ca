// Generated from protocol/schema by protocol/generate.py. Do not edit.
// SPDX-License-Identifier: Apache-2.0

#ifndef PROTOCOL_RECORD_TYPES_H
#define PROTOCOL_RECORD_TYPES_H

enum record_domain {
    RECORD_DOMAIN_GROUP,
    RECORD_DOMAIN_METADATA,
};
#define RECORD_DOMAIN_COUNT 2

enum group_record {
    GROUP_RECORD_KETTLE = 3,
};

enum metadata_record {
    METADATA_RECORD_KETTLE = 1,
};

// One more than the highest type of any domain.
#define RECORD_TYPE_COUNT 4

#endif
