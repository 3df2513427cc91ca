// SPDX-License-Identifier: Apache-2.0
#include "coordinator/coordinator_record.h"

#include "base/must.h"

enum { SCRATCH_SIZE = 1024 };

bool coordinator_record_decode(const struct message_desc *desc, struct bytes value,
                               struct arena *arena, void *out)
{
    struct reader reader;
    reader_init(&reader, value.data, value.size);
    int16_t version = reader_int16(&reader);
    return !reader_failed(&reader) && version_in(desc->versions, version) &&
           codec_decode(desc, version, &reader, arena, out);
}

struct bytes coordinator_record_encode(int16_t prefix, const struct message_desc *desc,
                                       int16_t version, const void *in, struct arena *arena)
{
    struct writer writer;
    writer_init(&writer, arena);
    writer_int16(&writer, prefix);
    must(codec_encode(desc, version, &writer, in));
    return writer_flatten(&writer, arena);
}

// Most records fit the caller's scratch; others take an arena.
static struct bytes encode(int16_t prefix, const struct message_desc *desc, int16_t version,
                           const void *in, uint8_t scratch[SCRATCH_SIZE], struct arena *arena)
{
    struct writer writer;
    writer_init_fixed(&writer, scratch, SCRATCH_SIZE);
    writer_int16(&writer, prefix);
    if (codec_encode(desc, version, &writer, in))
        return (struct bytes){ scratch, writer_size(&writer) };
    return coordinator_record_encode(prefix, desc, version, in, arena);
}

void coordinator_record_add(struct coordinator_shard *shard, int16_t type,
                            const struct message_desc *key_desc, const void *key, int16_t version,
                            const struct message_desc *value_desc, const void *value)
{
    uint8_t key_scratch[SCRATCH_SIZE], value_scratch[SCRATCH_SIZE];
    struct arena arena;
    arena_init(&arena);
    struct bytes key_bytes = encode(type, key_desc, 0, key, key_scratch, &arena);
    struct bytes value_bytes = BYTES_NULL;
    if (value != NULL)
        value_bytes = encode(version, value_desc, version, value, value_scratch, &arena);
    coordinator_add(shard, key_bytes, value_bytes);
    arena_fini(&arena);
}
