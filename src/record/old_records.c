// SPDX-License-Identifier: Apache-2.0
#include "record/old_records.h"

#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/batch_builder.h"
#include "record/xxh32.h"

enum {
    CRC_POSITION = 12,
    CRC_START = 16,
    ATTRIBUTES = 17,
    TIMESTAMP = 18,
    UNPACKED_MAX = 512 << 20, // bytes within a compressed message
};

struct old_records {
    struct bytes rest; // messages to come
    struct strbuf inner;
    int64_t base_offset; // added to theirs
    int64_t append_time;
    bool is_deep; // they are within a compressed message
    bool has_append_time;
    enum records_error error;
    const char *reason;
};

bool old_records_is_message(const uint8_t *head)
{
    int magic = batch_magic(head);
    int32_t size = batch_size_field(head);
    return magic == 0 ? size >= OLD_RECORD_MIN_SIZE_FIELD
                      : magic == 1 && size >= OLD_RECORD_V1_MIN_SIZE_FIELD;
}

static int compression_of(const uint8_t *message)
{
    return message[ATTRIBUTES] & BATCH_COMPRESSION_MASK;
}

static bool has_append_time(const uint8_t *message)
{
    return batch_magic(message) == 1 && (message[ATTRIBUTES] & BATCH_LOG_APPEND_TIME) != 0;
}

static int64_t timestamp_of(const uint8_t *message)
{
    return batch_magic(message) == 0 ? NO_TIMESTAMP : (int64_t)get_be64(message + TIMESTAMP);
}

void old_records_header(const uint8_t *head, uint8_t header[BATCH_HEADER_SIZE])
{
    int attributes = compression_of(head);
    if (has_append_time(head))
        attributes |= BATCH_LOG_APPEND_TIME;
    memset(header, 0, BATCH_HEADER_SIZE);
    memcpy(header, head, BATCH_SIZE_OVERHEAD);
    batch_set_leader_epoch(header, -1);
    header[16] = head[16];
    put_be16(header + 21, (uint16_t)attributes);
    put_be64(header + 27, (uint64_t)timestamp_of(head));
    put_be64(header + 35, (uint64_t)timestamp_of(head));
    put_be64(header + 43, (uint64_t)NO_PRODUCER_ID);
    put_be16(header + 51, (uint16_t)-1);
    put_be32(header + 53, (uint32_t)-1);
    put_be32(header + 57, compression_of(head) == COMPRESSION_NONE ? 1 : (uint32_t)-1);
}

bool old_records_is_intact(struct bytes message)
{
    return message.size >= BATCH_SIZE_OVERHEAD + OLD_RECORD_MIN_SIZE_FIELD &&
           batch_size(message.data) == (int64_t)message.size &&
           old_records_is_message(message.data) &&
           get_be32(message.data + CRC_POSITION) ==
               (uint32_t)crc32(0, message.data + CRC_START, (uInt)(message.size - CRC_START));
}

// ---- walking ----------------------------------------------------------------------------------------

static bool fail(struct old_records *old, enum records_error error, const char *reason)
{
    old->error = error;
    old->reason = reason;
    return false;
}

// A sized field at *at; false when it does not fit.
static bool take_sized(struct bytes message, size_t *at, int32_t *size, struct bytes *out)
{
    if (message.size - *at < 4)
        return false;
    *size = (int32_t)get_be32(message.data + *at);
    *at += 4;
    if (*size < 0) {
        *size = -1;
        *out = BYTES_NULL;
        return true;
    }
    if ((size_t)*size > message.size - *at)
        return false;
    *out = (struct bytes){ message.data + *at, (size_t)*size };
    *at += (size_t)*size;
    return true;
}

// Key and value of a message of the right size.
static bool parse(struct bytes message, struct record *record)
{
    size_t at = batch_magic(message.data) == 0 ? TIMESTAMP : TIMESTAMP + 8;
    *record = (struct record){ .offset = batch_base_offset(message.data),
                               .timestamp = timestamp_of(message.data),
                               .attributes = message.data[ATTRIBUTES],
                               .size = (int32_t)message.size };
    return take_sized(message, &at, &record->key_size, &record->key) &&
           take_sized(message, &at, &record->value_size, &record->value);
}

// The next whole message of `rest`; false at the end, or with a fault.
static bool take_message(struct old_records *old, struct bytes *message)
{
    if (old->rest.size == 0)
        return false;
    if (old->rest.size < BATCH_SIZE_OVERHEAD + OLD_RECORD_MIN_SIZE_FIELD ||
        !old_records_is_message(old->rest.data) ||
        (uint64_t)batch_size(old->rest.data) > old->rest.size)
        return fail(old, RECORDS_MALFORMED, "no message within a compressed message");
    *message = (struct bytes){ old->rest.data, (size_t)batch_size(old->rest.data) };
    old->rest.data += message->size;
    old->rest.size -= message->size;
    return true;
}

// A copy in which the header checksum is right: LZ4 frames of magic 0 have it over the wrong bytes.
static struct bytes lz4_mended(struct bytes frame)
{
    enum { DESCRIPTOR = 4, HAS_CONTENT_SIZE = 8 };
    uint8_t *copy = mem_dup(frame.data, frame.size);
    if (frame.size > DESCRIPTOR + 2) {
        size_t size = (copy[DESCRIPTOR] & HAS_CONTENT_SIZE) != 0 ? 10 : 2;
        if (frame.size > DESCRIPTOR + size)
            copy[DESCRIPTOR + size] = (uint8_t)(xxh32(copy + DESCRIPTOR, size) >> 8);
    }
    return (struct bytes){ copy, frame.size };
}

static bool unpack(struct old_records *old, int compression, struct bytes packed)
{
    struct decompressor *d = decompressor_open(compression, packed);
    struct bytes piece;
    while (old->inner.size <= UNPACKED_MAX && decompressor_next(d, &piece))
        strbuf_add(&old->inner, piece.data, piece.size);
    bool is_good = !decompressor_failed(d) && old->inner.size <= UNPACKED_MAX;
    decompressor_close(d);
    return is_good || fail(old, RECORDS_UNREADABLE, "damaged compressed data");
}

// In magic 1 the last message within has the offset of the one around it.
static bool find_base_offset(struct old_records *old, int64_t wrapper_offset)
{
    struct bytes all = old->rest, message;
    int64_t last = -1;
    while (take_message(old, &message))
        last = batch_base_offset(message.data);
    old->rest = all;
    if (old->error != RECORDS_OK || wrapper_offset == 0)
        return old->error == RECORDS_OK; // 0: some clients left it so
    if (wrapper_offset < last)
        return fail(old, RECORDS_MALFORMED, "offset of a compressed message below those within");
    old->base_offset = wrapper_offset - last;
    return true;
}

static void open_deep(struct old_records *old, struct bytes message)
{
    struct record wrapper;
    int compression = compression_of(message.data);
    if (!parse(message, &wrapper) || wrapper.value_size < 0 || compression == COMPRESSION_ZSTD) {
        fail(old, RECORDS_MALFORMED, "no compressed message");
        return;
    }
    bool is_mended = compression == COMPRESSION_LZ4 && batch_magic(message.data) == 0;
    struct bytes packed = is_mended ? lz4_mended(wrapper.value) : wrapper.value;
    bool is_good = unpack(old, compression, packed);
    if (is_mended)
        mem_free((void *)packed.data);
    if (!is_good)
        return;
    old->is_deep = true;
    old->has_append_time = has_append_time(message.data);
    old->append_time = wrapper.timestamp;
    old->rest = (struct bytes){ (const uint8_t *)old->inner.data, old->inner.size };
    if (old->rest.size == 0)
        fail(old, RECORDS_MALFORMED, "nothing within a compressed message");
    else if (batch_magic(message.data) == 1)
        find_base_offset(old, wrapper.offset);
}

struct old_records *old_records_open(struct bytes message)
{
    struct old_records *old = mem_new(struct old_records);
    if (message.size < BATCH_SIZE_OVERHEAD + OLD_RECORD_MIN_SIZE_FIELD ||
        !old_records_is_message(message.data) || batch_size(message.data) != (int64_t)message.size)
        fail(old, RECORDS_MALFORMED, "no message");
    else if (compression_of(message.data) == COMPRESSION_NONE)
        old->rest = message;
    else
        open_deep(old, message);
    return old;
}

bool old_records_next(struct old_records *old, struct record *record, enum records_error *error,
                      const char **reason)
{
    struct bytes message;
    bool found = old->error == RECORDS_OK && take_message(old, &message);
    if (found && !parse(message, record))
        found = fail(old, RECORDS_MALFORMED, "field is larger than its message");
    if (found && old->is_deep && compression_of(message.data) != COMPRESSION_NONE)
        found = fail(old, RECORDS_MALFORMED, "compressed message within a compressed message");
    if (!found) {
        *error = old->error;
        *reason = old->reason;
        return false;
    }
    record->offset = (int64_t)((uint64_t)record->offset + (uint64_t)old->base_offset);
    if (old->has_append_time && batch_magic(message.data) == 1)
        record->timestamp = old->append_time;
    return true;
}

void old_records_close(struct old_records *old)
{
    if (old == NULL)
        return;
    strbuf_fini(&old->inner);
    mem_free(old);
}

// ---- converting -------------------------------------------------------------------------------------

int old_records_attributes(const uint8_t *message)
{
    int mask = BATCH_COMPRESSION_MASK | (batch_magic(message) == 1 ? BATCH_LOG_APPEND_TIME : 0);
    return message[17] & mask;
}

bool old_records_convert(struct bytes message, struct strbuf *out)
{
    struct record_iter it;
    struct record record;
    struct batch_builder builder;
    int64_t base = -1, last = -1;
    bool is_good = true;
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    record_iter_init(&it, message, RECORDS_WHOLE);
    while (is_good && record_iter_next(&it, &record)) {
        if (base < 0) {
            base = record.offset;
            batch_builder_reset(
                &builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT, .base_offset = base });
        }
        is_good = base >= 0 && record.offset > last && record.offset - base <= INT32_MAX;
        last = record.offset;
        if (is_good)
            batch_builder_add_record(&builder, (int32_t)(last - base), record.timestamp, record.key,
                                     record.value, 0, BYTES_NULL);
    }
    is_good = is_good && it.error == RECORDS_OK && base >= 0;
    record_iter_fini(&it);
    if (is_good) {
        struct bytes batch = batch_builder_finish(&builder);
        strbuf_add(out, batch.data, batch.size);
    }
    batch_builder_fini(&builder);
    return is_good;
}
