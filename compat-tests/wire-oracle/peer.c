// SPDX-License-Identifier: Apache-2.0
// The C side of the wire oracle. Java asks on standard input and reads answers from standard
// output; integers are big-endian, a blob is an int32 size and that many bytes:
//
//     ask    op u8 · message name (blob) · version i16 · count i32 · then by op:
//       'L'  nothing                      -> one blob: a line of facts for each message
//       'E'  nothing                      -> one blob: a line for each error
//       'D'  nothing                      -> one verdict: the message with its defaults
//       'R'  count × (frame blob, other version i16)
//                                         -> count × verdict on the frame
//       'G'  seed i64                     -> count × verdict on a random message of ours
//     verdict  ok u8 (0: cannot be decoded) · bytes blob (encoded again) · JSON blob
//              · ok u8 · bytes blob (encoded at the other version; ok 0 if it cannot be)
//
// A message that we cannot encode has an empty bytes blob and the reason as its JSON.
#include "base/mem.h"
#include "base/must.h"
#include "protocol/json.h"
#include "protocol/kafka_error.h"
#include "protocol/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// ---- pipes
// ----------------------------------------------------------------------------------------

static bool get(void *into, size_t size)
{
    return size == 0 || fread(into, size, 1, stdin) == 1;
}

static uint64_t get_number(size_t size)
{
    uint8_t raw[8] = { 0 };
    must(get(raw + 8 - size, size));
    return get_be64(raw);
}

static struct bytes get_blob(struct arena *arena)
{
    size_t size = get_number(4);
    uint8_t *data = arena_alloc(arena, size > 0 ? size : 1);
    must(get(data, size));
    return (struct bytes){ data, size };
}

static void put(const void *data, size_t size)
{
    if (size > 0)
        must(fwrite(data, size, 1, stdout) == 1);
}

static void put_flag(bool on)
{
    put(&(uint8_t){ on }, 1);
}

static void put_blob(const void *data, size_t size)
{
    uint8_t raw[4];
    put_be32(raw, (uint32_t)size);
    put(raw, sizeof raw);
    put(data, size);
}

// ---- verdicts
// -------------------------------------------------------------------------------------

static void put_reason(const char *reason)
{
    put_blob(NULL, 0);
    put_blob(reason, strlen(reason));
}

// Encodes in every way there is: they must agree. NULL data if it cannot be written.
static struct bytes encode_all_ways(const struct message_desc *desc, int16_t version,
                                    struct arena *arena, const void *message, const char **reason)
{
    struct writer pieces;
    writer_init(&pieces, arena);
    bool ok = codec_encode(desc, version, &pieces, message);
    struct bytes whole = codec_encode_bytes(desc, version, arena, message);
    int64_t size = codec_size(desc, version, message);
    if (!ok) {
        *reason = pieces.reason;
        must(whole.data == NULL && size == -1);
        return BYTES_NULL;
    }
    must(whole.data != NULL && size == (int64_t)whole.size);
    must(writer_size(&pieces) == whole.size);
    struct bytes flat = writer_flatten(&pieces, arena);
    must(flat.size == whole.size && memcmp(flat.data, whole.data, flat.size) == 0);
    return whole;
}

static void put_encoded(const struct message_desc *desc, int16_t version, struct arena *arena,
                        const void *message)
{
    const char *reason = NULL;
    struct bytes bytes = encode_all_ways(desc, version, arena, message, &reason);
    if (bytes.data == NULL) {
        put_reason(reason);
        return;
    }
    struct strbuf json = STRBUF_EMPTY;
    json_print(desc, version, JSON_RECORDS_SIZE, message, &json);
    put_blob(bytes.data, bytes.size);
    put_blob(strbuf_str(&json).data, json.size);
    strbuf_fini(&json);
}

static void put_other_version(const struct message_desc *desc, int16_t version, struct arena *arena,
                              const void *message)
{
    const char *reason = NULL;
    struct bytes bytes = encode_all_ways(desc, version, arena, message, &reason);
    put_flag(bytes.data != NULL);
    if (bytes.data != NULL)
        put_blob(bytes.data, bytes.size);
    else
        put_blob(reason, strlen(reason));
}

static void judge_frame(const struct message_desc *desc, int16_t version, struct arena *arena,
                        struct bytes frame, int16_t other)
{
    struct reader reader;
    reader_init(&reader, frame.data, frame.size);
    void *message = arena_alloc(arena, desc->struct_size);
    bool ok = codec_decode(desc, version, &reader, arena, message);
    put_flag(ok);
    if (!ok) {
        put_reason(reader.reason);
        put_flag(false);
        put_reason("");
        return;
    }
    put_encoded(desc, version, arena, message);
    put_other_version(desc, other, arena, message);
}

// ---- random messages
// ------------------------------------------------------------------------------

static uint64_t random_state;

static uint64_t random_u64(void) // splitmix64
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool one_in(uint64_t n)
{
    return random_u64() % n == 0;
}

static uint64_t random_number(void)
{
    static const uint64_t edges[] = { 0,
                                      1,
                                      UINT64_MAX,
                                      INT8_MAX,
                                      INT16_MAX,
                                      INT32_MAX,
                                      INT64_MAX,
                                      (uint64_t)INT8_MIN,
                                      (uint64_t)INT16_MIN,
                                      (uint64_t)INT32_MIN,
                                      (uint64_t)INT64_MIN,
                                      127,
                                      128,
                                      16383,
                                      16384 };
    if (one_in(2))
        return edges[random_u64() % (sizeof edges / sizeof *edges)];
    return random_u64() >> random_u64() % 64;
}

static double random_float64(void)
{
    static const double edges[] = { 0.0, 1.0,        -1.0, 0.5,     100.0,
                                    1e7, 12345678.9, 1e-3, 9.99e-4, 1e300 };
    return edges[random_u64() % (sizeof edges / sizeof *edges)];
}

static struct bytes random_bytes(struct arena *arena, size_t size)
{
    uint8_t *data = arena_alloc(arena, size + 1);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)random_u64();
    return (struct bytes){ data, size };
}

static struct str random_string(struct arena *arena)
{
    static const char *const parts[] = { "a",  "topic-1", "\"", "\\",   "\n", "\x01",    "é",
                                         "中", "😀",       "/",  "\x7f", "  ", "\t\r\b\f" };
    char *data = arena_alloc(arena, 4096);
    size_t size = 0;
    for (uint64_t n = one_in(50) ? 400 : random_u64() % 6; n > 0; n--) {
        const char *part = parts[random_u64() % (sizeof parts / sizeof *parts)];
        memcpy(data + size, part, strlen(part));
        size += strlen(part);
    }
    return (struct str){ data, size };
}

static size_t random_size(void)
{
    return one_in(20) ? 4000 + random_u64() % 300 : one_in(4) ? 0 : random_u64() % 40;
}

static void random_struct(const struct message_desc *desc, int version, struct arena *arena,
                          int depth, void *out);

static void random_value(const struct field_desc *f, int version, struct arena *arena, int depth,
                         void *at)
{
    bool null = !(f->flags & FIELD_ARRAY) && version_in(f->nullable, version) && one_in(4);
    switch ((enum field_type)f->type) {
    case FIELD_BOOL:
        *(bool *)at = one_in(2);
        break;
    case FIELD_INT8:
        *(int8_t *)at = (int8_t)random_number();
        break;
    case FIELD_INT16:
    case FIELD_UINT16:
        *(int16_t *)at = (int16_t)random_number();
        break;
    case FIELD_INT32:
    case FIELD_UINT32:
        *(int32_t *)at = (int32_t)random_number();
        break;
    case FIELD_INT64:
        *(int64_t *)at = (int64_t)random_number();
        break;
    case FIELD_FLOAT64:
        *(double *)at = random_float64();
        break;
    case FIELD_UUID:
        *(struct uuid *)at = UUID_ZERO;
        if (!one_in(4))
            memcpy(at, random_bytes(arena, 16).data, 16);
        break;
    case FIELD_STRING:
        *(struct str *)at = null ? STR_NULL : random_string(arena);
        break;
    case FIELD_BYTES:
        *(struct bytes *)at = null ? BYTES_NULL : random_bytes(arena, random_size());
        break;
    case FIELD_RECORDS: {
        struct bytes b = random_bytes(arena, random_size());
        *(struct records *)at =
            (struct records){ .data = b.data, .size = null ? -1 : (int32_t)b.size };
        break;
    }
    case FIELD_STRUCT:
        if (!(f->flags & FIELD_POINTER)) {
            random_struct(f->of, version, arena, depth + 1, at);
        } else if (null) {
            *(void **)at = NULL;
        } else {
            *(void **)at = arena_alloc(arena, f->of->struct_size);
            random_struct(f->of, version, arena, depth + 1, *(void **)at);
        }
        break;
    }
}

static void random_array(const struct field_desc *f, int version, struct arena *arena, int depth,
                         void *at)
{
    int32_t count = (int32_t)(random_u64() % 4);
    if (one_in(30))
        count = depth == 0 ? 150 : 20;
    if (version_in(f->nullable, version) && one_in(4))
        count = -1;
    size_t size = codec_element_size(f);
    char *elements = count > 0 ? arena_alloc(arena, (size_t)count * size) : NULL;
    for (int32_t i = 0; i < count; i++)
        random_value(f, version, arena, depth + 1, elements + (size_t)i * size);
    memcpy(at, &elements, sizeof elements);
    memcpy((char *)at + sizeof elements, &count, sizeof count);
}

static struct tagged_fields random_unknown(const struct message_desc *desc, struct arena *arena)
{
    uint32_t tag = 0, count = (uint32_t)(random_u64() % 4);
    for (unsigned i = 0; i < desc->field_count; i++)
        if (desc->fields[i].tag >= (int)tag)
            tag = (uint32_t)desc->fields[i].tag + 1;
    struct tagged_field *fields = arena_alloc(arena, (count + 1) * sizeof *fields);
    for (uint32_t i = 0; i < count; i++) {
        tag += (uint32_t)(one_in(3) ? 0 : random_u64() % 100000);
        fields[i] = (struct tagged_field){ tag++, random_bytes(arena, random_u64() % 20) };
    }
    return (struct tagged_fields){ fields, count };
}

static void random_struct(const struct message_desc *desc, int version, struct arena *arena,
                          int depth, void *out)
{
    message_init(desc, out);
    for (unsigned i = 0; i < desc->field_count; i++) {
        const struct field_desc *f = &desc->fields[i];
        void *at = (char *)out + f->offset;
        // What the version lacks stays at its default, unless it may be dropped.
        if (!version_in(f->versions, version) && !(f->flags & FIELD_IGNORABLE))
            continue;
        if (f->tag >= 0 && one_in(3))
            continue;
        if (f->flags & FIELD_ARRAY)
            random_array(f, version, arena, depth, at);
        else
            random_value(f, version, arena, depth, at);
    }
    if (version >= desc->flexible_first && one_in(3)) {
        void *at = (char *)out + desc->unknown_offset;
        *(struct tagged_fields *)at = random_unknown(desc, arena);
    }
}

// ---- facts
// ----------------------------------------------------------------------------------------

static void put_text(struct strbuf *text)
{
    put_blob(strbuf_str(text).data, text->size);
    strbuf_fini(text);
}

static void put_messages(void)
{
    static const char *const kinds[] = {
        [MESSAGE_REQUEST] = "request", [MESSAGE_RESPONSE] = "response", [MESSAGE_HEADER] = "header",
        [MESSAGE_DATA] = "data",       [MESSAGE_RECORD] = "record",     [MESSAGE_KEY] = "key",
        [MESSAGE_VALUE] = "value"
    };
    struct strbuf text = STRBUF_EMPTY;
    for (const struct message_desc *const *at = message_descs; *at != NULL; at++) {
        const struct message_desc *d = *at;
        strbuf_printf(&text, "%s %s %d %d %d %d", d->name, kinds[d->kind], d->key,
                      d->versions.first, d->versions.last, d->last_stable);
        strbuf_printf(&text, " %s%s", d->listeners & LISTENER_BROKER ? "B" : "",
                      d->listeners & LISTENER_CONTROLLER ? "C" : "");
        for (int v = d->versions.first; v <= d->versions.last && d->kind <= MESSAGE_RESPONSE; v++)
            strbuf_printf(&text, "%s%d", v == d->versions.first ? " " : ",",
                          d->kind == MESSAGE_REQUEST
                              ? message_request_header_version(d->key, (int16_t)v)
                              : message_response_header_version(d->key, (int16_t)v));
        strbuf_add_char(&text, '\n');
    }
    put_text(&text);
}

static void put_errors(void)
{
    struct strbuf text = STRBUF_EMPTY;
    for (int code = -100; code < 1000; code++)
        if (kafka_error_name(code) != NULL)
            strbuf_printf(&text, "%d %s %d %d\n", code, kafka_error_name(code),
                          kafka_error_is_retriable(code), kafka_error_is_stale_metadata(code));
    put_text(&text);
}

// ---- main
// -----------------------------------------------------------------------------------------

static void answer(int op, struct arena *arena)
{
    struct bytes name = get_blob(arena);
    int16_t version = (int16_t)get_number(2);
    int32_t count = (int32_t)get_number(4);
    const struct message_desc *desc = message_find(
        arena_strz(arena, arena_printf(arena, "%.*s", (int)name.size, (const char *)name.data))
            .data);
    must(desc != NULL || op == 'L' || op == 'E');
    if (op == 'L') {
        put_messages();
    } else if (op == 'E') {
        put_errors();
    } else if (op == 'D') {
        void *message = arena_alloc(arena, desc->struct_size);
        message_init(desc, message);
        put_flag(true);
        put_encoded(desc, version, arena, message);
        put_other_version(desc, desc->versions.last, arena, message);
    } else if (op == 'G') {
        random_state = get_number(8);
        for (int32_t i = 0; i < count; i++) {
            void *message = arena_alloc(arena, desc->struct_size);
            random_struct(desc, version, arena, 0, message);
            put_flag(true);
            put_encoded(desc, version, arena, message);
            put_flag(false);
            put_blob(NULL, 0);
        }
    } else {
        must(op == 'R');
        struct bytes *frames = arena_alloc(arena, (size_t)count * sizeof *frames);
        int16_t *others = arena_alloc(arena, (size_t)count * sizeof *others);
        for (int32_t i = 0; i < count; i++) {
            frames[i] = get_blob(arena);
            others[i] = (int16_t)get_number(2);
        }
        for (int32_t i = 0; i < count; i++)
            judge_frame(desc, version, arena, frames[i], others[i]);
    }
    must(fflush(stdout) == 0);
}

int main(void)
{
    struct arena arena;
    uint8_t op;
    arena_init(&arena);
    while (get(&op, 1)) {
        answer(op, &arena);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return 0;
}
