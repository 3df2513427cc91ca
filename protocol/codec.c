// SPDX-License-Identifier: Apache-2.0
// One walk over a descriptor each for decoding and encoding; sizes come from encoding with a writer
// that only counts. A failure unwinds through the walk, and each level puts its part of the path in
// front of the reason: nothing is kept for it on the way down.
#include "protocol/codec.h"

#include "base/must.h"

#include <inttypes.h>
#include <stdio.h>

static const uint8_t element_sizes[] = {
    [FIELD_BOOL] = sizeof(bool),
    [FIELD_INT8] = 1,
    [FIELD_INT16] = 2,
    [FIELD_UINT16] = 2,
    [FIELD_INT32] = 4,
    [FIELD_UINT32] = 4,
    [FIELD_INT64] = 8,
    [FIELD_FLOAT64] = 8,
    [FIELD_UUID] = sizeof(struct uuid),
    [FIELD_STRING] = sizeof(struct str),
    [FIELD_BYTES] = sizeof(struct bytes),
    [FIELD_RECORDS] = sizeof(struct records),
};

size_t codec_element_size(const struct field_desc *field)
{
    return field->type == FIELD_STRUCT ? field->of->struct_size : element_sizes[field->type];
}

// ---- defaults
// -------------------------------------------------------------------------------------

static void set_array(void *at, void *elements, int32_t count)
{
    memcpy(at, &elements, sizeof elements);
    memcpy((char *)at + sizeof elements, &count, sizeof count);
}

static bool has_unknown(const struct message_desc *desc)
{
    return desc->flexible_first != INT16_MAX;
}

static struct tagged_fields *unknown_fields(const struct message_desc *desc, const void *in)
{
    void *at = (char *)in + desc->unknown_offset;
    return at;
}

void message_init(const struct message_desc *desc, void *out)
{
    memcpy(out, desc->defaults, desc->struct_size);
}

void *message_array(const struct message_desc *desc, struct arena *arena, int32_t count)
{
    must(count >= 0);
    if (count == 0)
        return NULL;
    char *out = arena_alloc(arena, (size_t)count * desc->struct_size);
    for (int32_t i = 0; i < count; i++)
        message_init(desc, out + (size_t)i * desc->struct_size);
    return out;
}

static bool struct_is_default(const struct message_desc *desc, const void *in)
{
    for (unsigned i = 0; i < desc->field_count; i++)
        if (!codec_is_default(&desc->fields[i], (const char *)in + desc->fields[i].offset))
            return false;
    return !has_unknown(desc) || unknown_fields(desc, in)->count == 0;
}

bool codec_is_default(const struct field_desc *f, const void *at)
{
    bool null_default = f->flags & FIELD_NULL_DEFAULT;
    if (f->flags & FIELD_ARRAY)
        return codec_array_count(at) == (null_default ? -1 : 0);
    switch ((enum field_type)f->type) {
    case FIELD_BOOL:
        return *(const bool *)at == (f->default_value != 0);
    case FIELD_INT8:
        return *(const int8_t *)at == f->default_value;
    case FIELD_INT16:
        return *(const int16_t *)at == f->default_value;
    case FIELD_UINT16:
        return *(const uint16_t *)at == f->default_value;
    case FIELD_INT32:
        return *(const int32_t *)at == f->default_value;
    case FIELD_UINT32:
        return *(const uint32_t *)at == f->default_value;
    case FIELD_INT64:
        return *(const int64_t *)at == f->default_value;
    case FIELD_FLOAT64:
        return *(const double *)at == 0;
    case FIELD_UUID:
        return uuid_is_zero(*(const struct uuid *)at);
    case FIELD_STRING: {
        const struct str *s = at;
        return null_default ? s->data == NULL : s->data != NULL && s->size == 0;
    }
    case FIELD_BYTES: {
        const struct bytes *b = at;
        return null_default ? b->data == NULL : b->data != NULL && b->size == 0;
    }
    case FIELD_RECORDS:
        return ((const struct records *)at)->size < 0;
    case FIELD_STRUCT:
        if (!(f->flags & FIELD_POINTER))
            return struct_is_default(f->of, at);
        if (codec_pointer(at) == NULL)
            return null_default;
        return !null_default && struct_is_default(f->of, codec_pointer(at));
    }
    return false;
}

// ---- decode
// ---------------------------------------------------------------------------------------

struct decoding {
    struct reader *r;
    struct arena *arena;
    int16_t version;
};

// Puts "name" or "name[index]" in front of the reason. Always false.
static bool decode_failed(struct decoding *d, const struct field_desc *f, int32_t index)
{
    const char *inner = d->r->reason;
    bool has_path = inner[0] == '.';
    char place[16] = "";
    if (index >= 0)
        snprintf(place, sizeof place, "[%" PRId32 "]", index);
    d->r->reason = arena_printf(d->arena, ".%s%s%s%s", f->name, place, has_path ? "" : ": ", inner);
    return false;
}

// The elements of an array are never nullable; `nullable` speaks of the array.
static bool null_found(struct decoding *d, const struct field_desc *f, bool is_element)
{
    if (is_element || !version_in(f->nullable, d->version))
        reader_fail(d->r, "null, but not nullable");
    return !reader_failed(d->r);
}

static bool decode_struct(struct decoding *d, const struct message_desc *desc, uint8_t *out);

// A nullable struct is preceded by a byte, below 0 for null, outside of the tagged fields, and
// inside of them by a varint, 0 for null.
static bool decode_pointer(struct decoding *d, const struct field_desc *f, void *at)
{
    void *p = NULL;
    bool is_null = false;
    if (version_in(f->nullable, d->version))
        is_null = f->tag < 0 ? reader_int8(d->r) < 0 : (int32_t)reader_uvarint(d->r) <= 0;
    if (reader_failed(d->r))
        return false;
    if (!is_null) {
        p = arena_alloc(d->arena, f->of->struct_size);
        if (!decode_struct(d, f->of, p))
            return false;
    }
    memcpy(at, &p, sizeof p);
    return true;
}

// One value, not an array.
static inline bool decode_value(struct decoding *d, const struct field_desc *f, bool compact,
                                void *at)
{
    struct reader *r = d->r;
    switch ((enum field_type)f->type) {
    case FIELD_BOOL:
        *(bool *)at = reader_bool(r);
        break;
    case FIELD_INT8:
        *(int8_t *)at = reader_int8(r);
        break;
    case FIELD_INT16:
    case FIELD_UINT16:
        *(int16_t *)at = reader_int16(r);
        break;
    case FIELD_INT32:
    case FIELD_UINT32:
        *(int32_t *)at = reader_int32(r);
        break;
    case FIELD_INT64:
    case FIELD_FLOAT64:
        *(int64_t *)at = reader_int64(r);
        break;
    case FIELD_UUID:
        *(struct uuid *)at = reader_uuid(r);
        break;
    case FIELD_STRING:
        *(struct str *)at = reader_string(r, compact);
        if (((struct str *)at)->data == NULL)
            return null_found(d, f, f->flags & FIELD_ARRAY);
        break;
    case FIELD_BYTES:
        *(struct bytes *)at = reader_bytes(r, compact);
        if (((struct bytes *)at)->data == NULL)
            return null_found(d, f, f->flags & FIELD_ARRAY);
        break;
    case FIELD_RECORDS:
        *(struct records *)at = reader_records(r, compact);
        if (((struct records *)at)->size < 0)
            return null_found(d, f, f->flags & FIELD_ARRAY);
        break;
    case FIELD_STRUCT:
        if (f->flags & FIELD_POINTER)
            return decode_pointer(d, f, at);
        return decode_struct(d, f->of, at);
    }
    return !reader_failed(r);
}

static size_t min_element_size(const struct decoding *d, const struct field_desc *f, bool compact)
{
    size_t size;
    switch ((enum field_type)f->type) {
    case FIELD_STRING:
        return compact ? 1 : 2;
    case FIELD_BYTES:
    case FIELD_RECORDS:
        return compact ? 1 : 4;
    case FIELD_BOOL:
        return 1;
    case FIELD_STRUCT:
        size = f->of->min_sizes[d->version - f->of->versions.first];
        return size > 0 ? size : 1; // a struct without fields still counts, as in Kafka
    default:
        return element_sizes[f->type];
    }
}

static void load_numbers(enum field_type type, const uint8_t *from, void *to, size_t count)
{
    switch (type) {
    case FIELD_INT16:
    case FIELD_UINT16:
        for (size_t i = 0; i < count; i++)
            ((uint16_t *)to)[i] = get_be16(from + 2 * i);
        break;
    case FIELD_INT32:
    case FIELD_UINT32:
        for (size_t i = 0; i < count; i++)
            ((uint32_t *)to)[i] = get_be32(from + 4 * i);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            ((uint64_t *)to)[i] = get_be64(from + 8 * i);
    }
}

static bool is_number(enum field_type type)
{
    return type >= FIELD_INT16 && type <= FIELD_FLOAT64;
}

static bool decode_array(struct decoding *d, const struct field_desc *f, bool compact, void *at)
{
    struct reader *r = d->r;
    int32_t count = compact ? reader_length_compact(r) : reader_length32(r);
    if (reader_failed(r))
        return decode_failed(d, f, -1);
    if (count <= 0) {
        set_array(at, NULL, count < 0 ? -1 : 0);
        return count == 0 || null_found(d, f, false) || decode_failed(d, f, -1);
    }
    if ((size_t)count > reader_remaining(r) / min_element_size(d, f, compact)) {
        reader_fail(r, "an array of more elements than the bytes can hold");
        return decode_failed(d, f, -1);
    }
    size_t size = codec_element_size(f);
    uint8_t *elements = arena_alloc(d->arena, (size_t)count * size);
    set_array(at, elements, count);
    if (is_number(f->type)) {
        load_numbers(f->type, reader_take(r, (size_t)count * size), elements, (size_t)count);
    } else if (f->type == FIELD_STRUCT) {
        for (int32_t i = 0; i < count; i++)
            if (!decode_struct(d, f->of, elements + (size_t)i * size))
                return decode_failed(d, f, i);
    } else {
        for (int32_t i = 0; i < count; i++)
            if (!decode_value(d, f, compact, elements + (size_t)i * size))
                return decode_failed(d, f, i);
    }
    return true;
}

static inline bool decode_field(struct decoding *d, const struct field_desc *f, bool flexible,
                                void *at)
{
    bool compact = flexible && !(f->flags & FIELD_CLASSIC);
    if (f->flags & FIELD_ARRAY)
        return decode_array(d, f, compact, at);
    return decode_value(d, f, compact, at) || decode_failed(d, f, -1);
}

static const struct field_desc *find_tag(const struct message_desc *desc, uint32_t tag)
{
    for (unsigned i = 0; i < desc->tagged_count; i++)
        if ((uint32_t)desc->fields[desc->tagged[i]].tag == tag)
            return &desc->fields[desc->tagged[i]];
    return NULL;
}

// As in Kafka, the size in front of a field that is known is not looked at, and a count that would
// be negative as an int32 is none.
static bool decode_tagged(struct decoding *d, const struct message_desc *desc, uint8_t *out)
{
    struct reader *r = d->r;
    struct tagged_field *unknown = NULL;
    uint32_t unknown_count = 0;
    uint32_t count = reader_uvarint(r);
    if (count > INT32_MAX)
        count = 0;
    if (count > reader_remaining(r) / 2)
        reader_fail(r, "more tagged fields than the bytes can hold");
    for (uint32_t i = 0; i < count && !reader_failed(r); i++) {
        uint32_t tag = reader_uvarint(r);
        uint32_t size = reader_uvarint(r);
        const struct field_desc *f = find_tag(desc, tag);
        if (f != NULL) {
            if (!version_in(f->versions, d->version)) {
                reader_fail(r, "a tag that this version does not have");
                return decode_failed(d, f, -1);
            }
            if (!decode_field(d, f, true, out + f->offset))
                return false;
            continue;
        }
        const uint8_t *data = reader_take(r, size);
        if (data == NULL)
            break;
        if (unknown == NULL)
            unknown = arena_alloc(d->arena, (count - i) * sizeof *unknown);
        unknown[unknown_count++] = (struct tagged_field){ tag, { data, size } };
    }
    *unknown_fields(desc, out) = (struct tagged_fields){ unknown, unknown_count };
    return !reader_failed(r);
}

static bool decode_struct(struct decoding *d, const struct message_desc *desc, uint8_t *out)
{
    bool flexible = d->version >= desc->flexible_first;
    message_init(desc, out);
    for (unsigned i = 0; i < desc->field_count; i++) {
        const struct field_desc *f = &desc->fields[i];
        if (version_in(f->versions, d->version) && f->tag < 0 &&
            !decode_field(d, f, flexible, out + f->offset))
            return false;
    }
    return !flexible || decode_tagged(d, desc, out);
}

bool codec_decode(const struct message_desc *desc, int16_t version, struct reader *reader,
                  struct arena *arena, void *out)
{
    struct decoding d = { reader, arena, version };
    if (!version_in(desc->versions, version))
        reader_fail(reader, "a version that the message does not have");
    else if (!reader_failed(reader) && decode_struct(&d, desc, out))
        return true;
    const char *reason = reader->reason;
    if (reason[0] != '.')
        reason = arena_printf(arena, ": %s", reason);
    reader->reason = arena_printf(arena, "%s v%d%s (byte %zu of %zu)", desc->name, version, reason,
                                  reader->failed_at, (size_t)(reader->end - reader->start));
    return false;
}

// ---- encode
// ---------------------------------------------------------------------------------------

struct encoding {
    struct writer *w;
    int16_t version;
};

static void encode_struct(struct encoding *e, const struct message_desc *desc, const uint8_t *in);

// The message goes on to be "written" by a writer that has failed; nothing comes of it.
static void encode_failed(struct encoding *e, const struct message_desc *desc,
                          const struct field_desc *f, const char *what)
{
    if (writer_failed(e->w))
        return;
    writer_fail(e->w, e->w->arena == NULL ? what
                                          : arena_printf(e->w->arena, "%s.%s: %s at version %d",
                                                         desc->name, f->name, what, e->version));
}

static bool may_be_null(struct encoding *e, const struct message_desc *desc,
                        const struct field_desc *f, bool is_element)
{
    if (!is_element && version_in(f->nullable, e->version))
        return true;
    encode_failed(e, desc, f, "null, but not nullable");
    return false;
}

static void encode_pointer(struct encoding *e, const struct message_desc *desc,
                           const struct field_desc *f, const void *at)
{
    const void *p = codec_pointer(at);
    if (p == NULL && !may_be_null(e, desc, f, false))
        return;
    if (version_in(f->nullable, e->version)) {
        if (f->tag < 0)
            writer_int8(e->w, p == NULL ? -1 : 1);
        else
            writer_uvarint(e->w, p != NULL);
    }
    if (p != NULL)
        encode_struct(e, f->of, p);
}

static inline void encode_value(struct encoding *e, const struct message_desc *desc,
                                const struct field_desc *f, bool compact, const void *at)
{
    struct writer *w = e->w;
    switch ((enum field_type)f->type) {
    case FIELD_BOOL:
        writer_bool(w, *(const bool *)at);
        break;
    case FIELD_INT8:
        writer_int8(w, *(const int8_t *)at);
        break;
    case FIELD_INT16:
    case FIELD_UINT16:
        writer_int16(w, *(const int16_t *)at);
        break;
    case FIELD_INT32:
    case FIELD_UINT32:
        writer_int32(w, *(const int32_t *)at);
        break;
    case FIELD_INT64:
    case FIELD_FLOAT64:
        writer_int64(w, *(const int64_t *)at);
        break;
    case FIELD_UUID:
        writer_uuid(w, *(const struct uuid *)at);
        break;
    case FIELD_STRING:
        if (((const struct str *)at)->data != NULL ||
            may_be_null(e, desc, f, f->flags & FIELD_ARRAY))
            writer_string(w, *(const struct str *)at, compact);
        break;
    case FIELD_BYTES:
        if (((const struct bytes *)at)->data != NULL ||
            may_be_null(e, desc, f, f->flags & FIELD_ARRAY))
            writer_bytes(w, *(const struct bytes *)at, compact);
        break;
    case FIELD_RECORDS:
        if (((const struct records *)at)->size >= 0 ||
            may_be_null(e, desc, f, f->flags & FIELD_ARRAY))
            writer_records(w, *(const struct records *)at, compact);
        break;
    case FIELD_STRUCT:
        if (f->flags & FIELD_POINTER)
            encode_pointer(e, desc, f, at);
        else
            encode_struct(e, f->of, at);
        break;
    }
}

static void encode_field(struct encoding *e, const struct message_desc *desc,
                         const struct field_desc *f, bool flexible, const void *at)
{
    bool compact = flexible && !(f->flags & FIELD_CLASSIC);
    if (!(f->flags & FIELD_ARRAY)) {
        encode_value(e, desc, f, compact, at);
        return;
    }
    int32_t count = codec_array_count(at);
    if (count < 0 && !may_be_null(e, desc, f, false))
        return;
    writer_length32(e->w, count < 0 ? -1 : count, compact);
    size_t size = codec_element_size(f);
    const uint8_t *element = codec_pointer(at);
    if (f->type == FIELD_STRUCT)
        for (int32_t i = 0; i < count; i++, element += size)
            encode_struct(e, f->of, element);
    else
        for (int32_t i = 0; i < count; i++, element += size)
            encode_value(e, desc, f, compact, element);
}

static void encode_tagged_field(struct encoding *e, const struct message_desc *desc,
                                const struct field_desc *f, const void *at)
{
    struct writer counter;
    writer_init_counting(&counter);
    encode_field(&(struct encoding){ &counter, e->version }, desc, f, true, at);
    // What fails here fails below too, and there the reason is kept.
    writer_uvarint(e->w, (uint32_t)f->tag);
    writer_uvarint(e->w, (uint32_t)writer_size(&counter));
    encode_field(e, desc, f, true, at);
}

// Unknown fields with tags below `limit`, from index `i` on; gives the index of the first left.
static uint32_t encode_unknown(struct encoding *e, const struct tagged_fields *unknown, uint32_t i,
                               uint32_t limit)
{
    for (; i < unknown->count && unknown->fields[i].tag < limit; i++) {
        const struct tagged_field *u = &unknown->fields[i];
        if (i > 0 && u->tag <= unknown->fields[i - 1].tag)
            writer_fail(e->w, "unknown tagged fields are not in the order of their tags");
        writer_uvarint(e->w, u->tag);
        writer_uvarint(e->w, (uint32_t)u->data.size);
        writer_raw(e->w, u->data.data, u->data.size);
    }
    return i;
}

static void encode_tagged(struct encoding *e, const struct message_desc *desc, const uint8_t *in,
                          const struct tagged_fields *unknown)
{
    uint32_t present = 0; // a bit for each of desc->tagged
    uint32_t count = unknown->count;
    for (unsigned i = 0; i < desc->tagged_count; i++) {
        const struct field_desc *f = &desc->fields[desc->tagged[i]];
        if (version_in(f->versions, e->version) && !codec_is_default(f, in + f->offset)) {
            present |= 1u << i;
            count++;
        }
    }
    writer_uvarint(e->w, count);
    uint32_t next = 0;
    for (unsigned i = 0; present >> i != 0; i++) {
        const struct field_desc *f = &desc->fields[desc->tagged[i]];
        if (!(present >> i & 1))
            continue;
        next = encode_unknown(e, unknown, next, (uint32_t)f->tag);
        if (next < unknown->count && unknown->fields[next].tag == (uint32_t)f->tag)
            writer_fail(e->w, "an unknown tagged field has the tag of a known one");
        encode_tagged_field(e, desc, f, in + f->offset);
    }
    next = encode_unknown(e, unknown, next, INT32_MAX);
    if (next < unknown->count)
        writer_fail(e->w, "a tag that is too large");
}

static void encode_struct(struct encoding *e, const struct message_desc *desc, const uint8_t *in)
{
    bool flexible = e->version >= desc->flexible_first;
    for (unsigned i = 0; i < desc->field_count; i++) {
        const struct field_desc *f = &desc->fields[i];
        if (!version_in(f->versions, e->version)) {
            if (!(f->flags & FIELD_IGNORABLE) && !codec_is_default(f, in + f->offset))
                encode_failed(e, desc, f, "a value that cannot be written");
        } else if (f->tag < 0) {
            encode_field(e, desc, f, flexible, in + f->offset);
        }
    }
    if (!has_unknown(desc))
        return;
    const struct tagged_fields *unknown = unknown_fields(desc, in);
    if (flexible)
        encode_tagged(e, desc, in, unknown);
    else if (unknown->count > 0)
        writer_fail(e->w, "unknown tagged fields at a version that has none");
}

bool codec_encode(const struct message_desc *desc, int16_t version, struct writer *writer,
                  const void *in)
{
    struct encoding e = { writer, version };
    if (version_in(desc->versions, version))
        encode_struct(&e, desc, in);
    else
        writer_fail(writer, "a version that the message does not have");
    return !writer_failed(writer);
}

int64_t codec_size(const struct message_desc *desc, int16_t version, const void *in)
{
    struct writer counter;
    writer_init_counting(&counter);
    return codec_encode(desc, version, &counter, in) ? (int64_t)writer_size(&counter) : -1;
}

struct bytes codec_encode_bytes(const struct message_desc *desc, int16_t version,
                                struct arena *arena, const void *in)
{
    struct writer w;
    int64_t size = codec_size(desc, version, in);
    if (size < 0)
        return BYTES_NULL;
    uint8_t *out = arena_alloc(arena, size > 0 ? (size_t)size : 1);
    writer_init_fixed(&w, out, (size_t)size);
    if (!codec_encode(desc, version, &w, in))
        return BYTES_NULL;
    must(writer_size(&w) == (size_t)size);
    return (struct bytes){ out, (size_t)size };
}
