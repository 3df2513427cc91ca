// SPDX-License-Identifier: Apache-2.0
// Finds the descriptor of a message by what stands on the wire: the key of an API, or the type in
// front of a stored record. The tables are generated (descriptors.c).
// Tested by codec_test.c.
#ifndef PROTOCOL_REGISTRY_H
#define PROTOCOL_REGISTRY_H

#include "protocol/api_keys.h"
#include "protocol/codec.h"
#include "protocol/record_types.h"

// All messages, headers and records, NULL behind the last.
extern const struct message_desc *const message_descs[];

// NULL if there is no such API. The lowest and highest version are in `versions`, see
// `last_stable`.
const struct message_desc *message_request_desc(int16_t api_key);
const struct message_desc *message_response_desc(int16_t api_key);

// "Metadata"; NULL if there is no such API.
const char *api_name(int16_t api_key);

// The versions of the headers around a request and its response: 2 and 1 where the API's version is
// flexible, else 1 and 0. An ApiVersions response always has header 0, so that a client which does
// not know the broker yet can read it (KIP-511). The API must exist.
int16_t message_request_header_version(int16_t api_key, int16_t version);
int16_t message_response_header_version(int16_t api_key, int16_t version);

// The descriptor of a metadata or remote-log record, or of a coordinator record's key, and of such
// a record's value. NULL if the domain has no such type.
const struct message_desc *record_desc(enum record_domain domain, int type);
const struct message_desc *record_value_desc(enum record_domain domain, int type);

// By Kafka's name ("FetchRequest"); for tools and tests, it searches. NULL if there is none.
const struct message_desc *message_find(const char *name);

// The generated tables.
extern const struct message_desc *const request_descs[API_COUNT];
extern const struct message_desc *const response_descs[API_COUNT];
extern const struct message_desc *const record_descs[RECORD_DOMAIN_COUNT][RECORD_TYPE_COUNT];
extern const struct message_desc *const record_value_descs[RECORD_DOMAIN_COUNT][RECORD_TYPE_COUNT];
extern const char *const api_names[API_COUNT];

#endif
