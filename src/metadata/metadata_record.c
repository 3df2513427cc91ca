// SPDX-License-Identifier: Apache-2.0
// Tested by replay_test.c.
#include "metadata/metadata_record.h"

#include "base/must.h"

enum { FRAME_VERSION = 1 };

void metadata_entries_init(struct metadata_entries *entries, struct arena *arena)
{
    *entries = (struct metadata_entries){ .arena = arena };
}

void *metadata_entries_add(struct metadata_entries *entries, enum metadata_record type,
                           int16_t version)
{
    if (entries->count == entries->_capacity) {
        size_t capacity = entries->_capacity == 0 ? 8 : 2 * entries->_capacity;
        struct metadata_entry *items = arena_array(entries->arena, struct metadata_entry, capacity);
        if (entries->count > 0)
            memcpy(items, entries->items, entries->count * sizeof *items);
        entries->items = items;
        entries->_capacity = capacity;
    }
    const struct message_desc *desc = record_desc(RECORD_DOMAIN_METADATA, (int)type);
    must(desc != NULL && version_in(desc->versions, version));
    void *body = arena_zalloc(entries->arena, desc->struct_size);
    message_init(desc, body);
    entries->items[entries->count++] = (struct metadata_entry){ type, version, body };
    return body;
}

void metadata_entries_cut(struct metadata_entries *entries, size_t count)
{
    must(count <= entries->count);
    entries->count = count;
}

bool metadata_record_decode(struct bytes value, struct arena *arena, struct metadata_entry *out,
                            const char **reason)
{
    struct reader reader;
    reader_init(&reader, value.data, value.size);
    uint32_t frame = reader_uvarint(&reader);
    uint32_t type = reader_uvarint(&reader);
    uint32_t version = reader_uvarint(&reader);
    if (reader_failed(&reader)) {
        *reason = reader.reason;
        return false;
    }
    if (frame != FRAME_VERSION) {
        *reason = arena_printf(arena, "frame version %u of a metadata record is unknown", frame);
        return false;
    }
    const struct message_desc *desc =
        type <= INT16_MAX ? record_desc(RECORD_DOMAIN_METADATA, (int)type) : NULL;
    if (desc == NULL) {
        *reason = arena_printf(arena, "metadata record type %u is unknown", type);
        return false;
    }
    if (version > INT16_MAX || !version_in(desc->versions, (int)version)) {
        *reason = arena_printf(arena, "version %u of %s is unknown", version, desc->name);
        return false;
    }
    void *body = arena_zalloc(arena, desc->struct_size);
    if (!codec_decode(desc, (int16_t)version, &reader, arena, body)) {
        *reason = arena_printf(arena, "%s: %s", desc->name, reader.reason);
        return false;
    }
    if (reader_remaining(&reader) > 0) {
        *reason =
            arena_printf(arena, "%s: %zu bytes too many", desc->name, reader_remaining(&reader));
        return false;
    }
    *out = (struct metadata_entry){ (enum metadata_record)type, (int16_t)version, body };
    return true;
}

struct bytes metadata_record_encode(const struct metadata_entry *entry, struct arena *arena)
{
    const struct message_desc *desc = record_desc(RECORD_DOMAIN_METADATA, (int)entry->type);
    int64_t size = codec_size(desc, entry->version, entry->body);
    must(size >= 0);
    size_t room = (size_t)size + 3; // each of the three numbers fits one byte
    uint8_t *into = arena_alloc(arena, room);
    struct writer writer;
    writer_init_fixed(&writer, into, room);
    writer_uvarint(&writer, FRAME_VERSION);
    writer_uvarint(&writer, (uint32_t)entry->type);
    writer_uvarint(&writer, (uint32_t)entry->version);
    bool fits = codec_encode(desc, entry->version, &writer, entry->body);
    must(fits && writer_size(&writer) == room);
    return (struct bytes){ into, room };
}
