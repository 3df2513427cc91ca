// SPDX-License-Identifier: Apache-2.0
// One decoder, one encoder and one sizer for every message of every version, driven by the tables
// that protocol/generate.py makes of protocol/schema.
//
//     struct metadata_request req;
//     if (!codec_decode(&metadata_request_desc, version, &reader, &arena, &req))
//         complain(reader.reason);      // "topics[2].name: null, but not nullable (byte 31 of 40)"
//
//     struct metadata_response resp;
//     message_init(&metadata_response_desc, &resp);
//     resp.brokers = …; resp.brokers_count = 3;
//     codec_encode(&metadata_response_desc, version, &writer, &resp);
//
// Rules, the same as those of the classes that Kafka generates:
// (1) Decoding sets every field: one that the version lacks gets the schema's default.
// (2) Encoding a value that the version lacks fails, unless it is the default or ignorable.
// (3) A tagged field is written unless it has its default. Unknown tagged fields are kept and
//     written again, in the order of their tags.
// (4) Nothing is allocated for a count before it was compared with the bytes that are left, so a
//     decoded message takes at most a constant times the size of its frame.
// (5) Strings, bytes and records of a decoded message point into the frame, arrays and nullable
//     structs into the arena.
#ifndef PROTOCOL_CODEC_H
#define PROTOCOL_CODEC_H

#include "protocol/wire.h"

enum field_type {
    FIELD_BOOL,
    FIELD_INT8,
    FIELD_INT16,
    FIELD_UINT16,
    FIELD_INT32,
    FIELD_UINT32,
    FIELD_INT64,
    FIELD_FLOAT64,
    FIELD_UUID,
    FIELD_STRING,
    FIELD_BYTES,
    FIELD_RECORDS,
    FIELD_STRUCT,
};

enum field_flag {
    FIELD_ARRAY = 1,     // a pointer, and the int32_t count behind it; -1 is null
    FIELD_POINTER = 2,   // a struct that may be null
    FIELD_IGNORABLE = 4, // dropped silently at a version that lacks it
    FIELD_CLASSIC = 8,   // never compact
    FIELD_NULL_DEFAULT = 16,
    FIELD_KEY = 32, // tells an element from its siblings
};

struct version_range {
    int16_t first;
    int16_t last; // below first: no version
};

static inline bool version_in(struct version_range range, int version)
{
    return version >= range.first && version <= range.last;
}

struct field_desc {
    const char *name;              // as in Kafka's JSON
    const struct message_desc *of; // of a struct, or of an array of structs
    int64_t default_value;         // of a number or bool
    uint16_t offset;               // in the struct
    int16_t tag;                   // -1: not tagged
    struct version_range versions;
    struct version_range nullable;
    uint8_t type;  // enum field_type, of an element if it is an array
    uint8_t flags; // enum field_flag
};

enum message_kind {
    MESSAGE_STRUCT, // part of another
    MESSAGE_REQUEST,
    MESSAGE_RESPONSE,
    MESSAGE_HEADER,
    MESSAGE_DATA,
    MESSAGE_RECORD,
    MESSAGE_KEY,
    MESSAGE_VALUE,
};

enum listener_flag { LISTENER_BROKER = 1, LISTENER_CONTROLLER = 2 };

struct message_desc {
    const char *name; // Kafka's: "FetchRequest"
    const struct field_desc *fields;
    const uint8_t *tagged;     // indices of the tagged fields, by tag
    const uint16_t *min_sizes; // fewest bytes when encoded, for each version from the first
    const void *defaults;      // a struct with every field at its default
    uint32_t struct_size;
    uint16_t unknown_offset; // of unknown_tagged_fields, in flexible versions
    uint8_t field_count;
    uint8_t tagged_count;
    struct version_range versions;
    int16_t flexible_first; // INT16_MAX: never
    // Of whole messages only:
    uint8_t kind;        // enum message_kind
    uint8_t listeners;   // enum listener_flag: where a request is served
    int16_t key;         // the API's key, or the type of a record
    int16_t last_stable; // versions above are not offered unless unstable ones are asked for
};

// Sets every field to the schema's default. Null where that is the default, else empty. The one
// nullable struct that does not default to null (ConsumerGroupMemberMetadataValue's
// ClassicMemberMetadata) points to a constant: replace it, do not write to it.
void message_init(const struct message_desc *desc, void *out);

// `count` structs in the arena, each set to its defaults; NULL for 0. A message or a part of one:
//     resp.topics = message_array(&metadata_response_topic_desc, arena, count);
void *message_array(const struct message_desc *desc, struct arena *arena, int32_t count);

// Reads one message. False if it is malformed: `reader->reason` then says where and why (the text
// is in the arena), and `out` must not be used. What follows the message stays in the reader.
bool codec_decode(const struct message_desc *desc, int16_t version, struct reader *reader,
                  struct arena *arena, void *out);

// Writes one message. False if it cannot be written at this version: `writer->reason` says why (in
// the writer's arena, or a constant if it has none). `in` must live as long as spliced records
// must.
bool codec_encode(const struct message_desc *desc, int16_t version, struct writer *writer,
                  const void *in);

// The size of the encoded message, -1 if it cannot be written.
int64_t codec_size(const struct message_desc *desc, int16_t version, const void *in);

// The encoded message in one place in the arena; {NULL, 0} if it cannot be written.
struct bytes codec_encode_bytes(const struct message_desc *desc, int16_t version,
                                struct arena *arena, const void *in);

// Whether a field, or everything in a struct, has its default.
bool codec_is_default(const struct field_desc *field, const void *at);

// The parts of a field in memory that JSON printing and tests need too.
static inline int32_t codec_array_count(const void *at)
{
    int32_t count;
    memcpy(&count, (const char *)at + sizeof(void *), sizeof count);
    return count;
}

static inline void *codec_pointer(const void *at)
{
    void *p;
    memcpy(&p, at, sizeof p);
    return p;
}

// sizeof an element of this type.
size_t codec_element_size(const struct field_desc *field);

#endif
