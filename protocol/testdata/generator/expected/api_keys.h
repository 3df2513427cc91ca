// Generated from protocol/schema by protocol/generate.py. Do not edit.
// SPDX-License-Identifier: Apache-2.0

#ifndef PROTOCOL_API_KEYS_H
#define PROTOCOL_API_KEYS_H

enum api_key {
    API_BOIL = 2,
};

// One more than the highest key; some keys below it are not in use.
#define API_COUNT 3

#endif
