// SPDX-License-Identifier: Apache-2.0
// Tested by snapshot_test.c.
#include "metadata/control.h"

#include "base/must.h"
#include "protocol/records/kraft_version.h"
#include "protocol/records/leader_change_message.h"
#include "protocol/records/snapshot_footer.h"
#include "protocol/records/snapshot_header.h"

static const struct message_desc *control_desc(enum control_type type)
{
    switch (type) {
    case CONTROL_LEADER_CHANGE:
        return &leader_change_message_desc;
    case CONTROL_SNAPSHOT_HEADER:
        return &snapshot_header_record_desc;
    case CONTROL_SNAPSHOT_FOOTER:
        return &snapshot_footer_record_desc;
    case CONTROL_KRAFT_VERSION:
        return &kraft_version_record_desc;
    case CONTROL_KRAFT_VOTERS:
        return &voters_record_desc;
    case CONTROL_ABORT:
    case CONTROL_COMMIT:
        break;
    }
    return NULL;
}

void control_record_add(struct batch_builder *builder, int64_t timestamp, enum control_type type,
                        const void *body)
{
    struct arena arena;
    arena_init(&arena);
    uint8_t key[CONTROL_KEY_SIZE];
    control_key_encode(key, type);
    struct bytes value = codec_encode_bytes(control_desc(type), 0, &arena, body);
    must(value.data != NULL);
    batch_builder_add(builder, timestamp, (struct bytes){ key, sizeof key }, value);
    arena_fini(&arena);
}

void *control_record_decode(enum control_type type, struct bytes value, struct arena *arena,
                            const char **reason)
{
    const struct message_desc *desc = control_desc(type);
    must(desc != NULL);
    struct reader reader;
    reader_init(&reader, value.data, value.size);
    void *body = arena_zalloc(arena, desc->struct_size);
    // The version stands in the value itself, as its first field.
    int16_t version = value.size >= 2 ? (int16_t)get_be16(value.data) : -1;
    if (!version_in(desc->versions, version)) {
        *reason = arena_printf(arena, "version %d of %s is unknown", version, desc->name);
        return NULL;
    }
    if (!codec_decode(desc, version, &reader, arena, body)) {
        *reason = reader.reason;
        return NULL;
    }
    return body;
}

struct voters_record *voters_of_one(struct arena *arena, int32_t id, struct uuid directory_id,
                                    struct str listener_name, struct str host, uint16_t port)
{
    struct voters_record_endpoint *endpoint = arena_new(arena, struct voters_record_endpoint);
    endpoint->name = listener_name;
    endpoint->host = host;
    endpoint->port = port;
    struct voters_record_voter *voter = arena_new(arena, struct voters_record_voter);
    voter->voter_id = id;
    voter->voter_directory_id = directory_id;
    voter->endpoints = endpoint;
    voter->endpoints_count = 1;
    voter->kraft_version_feature.max_supported_version = 1;
    struct voters_record *voters = arena_new(arena, struct voters_record);
    voters->voters = voter;
    voters->voters_count = 1;
    return voters;
}
