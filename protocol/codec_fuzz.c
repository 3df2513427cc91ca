// SPDX-License-Identifier: Apache-2.0
// Any bytes as any message: the first two choose the schema, the third the version. What can be
// decoded must encode to something that decodes to the same, and memory stays in proportion.
#include "base/must.h"
#include "protocol/json.h"
#include "protocol/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Bytes of memory for a byte of frame: the largest struct for the least that can encode it, several
// times over for blocks half used.
enum { MEMORY_PER_BYTE = 300, MEMORY_MIN = 256 * 1024 };

static bool decode(const struct message_desc *desc, int16_t version, struct arena *arena,
                   const void *data, size_t size, void *out)
{
    struct reader r;
    reader_init(&r, data, size);
    bool ok = codec_decode(desc, version, &r, arena, out);
    must(ok == (r.reason == NULL));
    must(r.position >= r.start && r.position <= r.end);
    return ok;
}

static void check_message(const struct message_desc *desc, int16_t version, struct arena *arena,
                          const void *message)
{
    struct bytes once = codec_encode_bytes(desc, version, arena, message);
    must((once.data != NULL) == (codec_size(desc, version, message) >= 0));
    if (once.data == NULL)
        return; // unknown tagged fields out of order can be read, not written
    void *again = arena_alloc(arena, desc->struct_size);
    must(decode(desc, version, arena, once.data, once.size, again));
    struct bytes twice = codec_encode_bytes(desc, version, arena, again);
    must(twice.size == once.size && memcmp(twice.data, once.data, once.size) == 0);
    struct strbuf first = STRBUF_EMPTY, second = STRBUF_EMPTY;
    json_print(desc, version, JSON_RECORDS_SIZE, message, &first);
    json_print(desc, version, JSON_RECORDS_SIZE, again, &second);
    must(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    strbuf_fini(&first);
    strbuf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned count;
    while (message_descs[count] != NULL)
        count++;
    if (size < 3)
        return 0;
    const struct message_desc *desc = message_descs[(data[0] << 8 | data[1]) % count];
    int versions = desc->versions.last - desc->versions.first + 1;
    int16_t version = (int16_t)(desc->versions.first + data[2] % versions);
    struct arena arena;
    arena_init(&arena);
    void *message = arena_alloc(&arena, desc->struct_size);
    bool ok = decode(desc, version, &arena, data + 3, size - 3, message);
    must(arena_footprint(&arena) <= MEMORY_MIN + MEMORY_PER_BYTE * size);
    if (ok)
        check_message(desc, version, &arena, message);
    arena_fini(&arena);
    return 0;
}
