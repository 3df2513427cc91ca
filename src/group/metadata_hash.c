// SPDX-License-Identifier: Apache-2.0
// See the header. The bytes are gathered, then hashed at once.
#include "group/metadata_hash.h"

#include <stdlib.h>

#include "base/strbuf.h"
#include "base/xxh3.h"

enum { FORMAT = 0 };

static void add_int32(struct strbuf *out, int32_t value)
{
    uint32_t v = (uint32_t)value;
    uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
    strbuf_add(out, bytes, sizeof bytes);
}

static void add_int64(struct strbuf *out, int64_t value)
{
    add_int32(out, (int32_t)(uint32_t)(uint64_t)value);
    add_int32(out, (int32_t)(uint32_t)((uint64_t)value >> 32));
}

static void add_unit(struct strbuf *out, uint32_t unit)
{
    uint8_t bytes[2] = { (uint8_t)unit, (uint8_t)(unit >> 8) };
    strbuf_add(out, bytes, sizeof bytes);
}

// The UTF-16 units of valid UTF-8; their number.
static int32_t add_units(struct strbuf *out, struct str s)
{
    int32_t units = 0;
    for (size_t i = 0; i < s.size;) {
        uint8_t first = (uint8_t)s.data[i];
        size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        uint32_t point = length == 1 ? first : first & (0xffu >> (length + 1));
        for (size_t k = 1; k < length && i + k < s.size; k++)
            point = point << 6 | ((uint8_t)s.data[i + k] & 0x3fu);
        i += length;
        if (point >= 0x10000) {
            add_unit(out, 0xd800 + ((point - 0x10000) >> 10));
            add_unit(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
            units += 2;
        } else {
            add_unit(out, point);
            units++;
        }
    }
    return units;
}

static void add_text(struct strbuf *out, struct str s)
{
    add_int32(out, add_units(out, s));
}

static int32_t count_units(struct str s)
{
    struct strbuf units = STRBUF_EMPTY;
    int32_t count = add_units(&units, s);
    strbuf_fini(&units);
    return count;
}

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void add_racks(struct strbuf *out, const struct partition_racks *partition)
{
    if (partition->count == 0)
        return;
    struct strbuf sorted = STRBUF_EMPTY;
    strbuf_add(&sorted, partition->racks, (size_t)partition->count * sizeof(struct str));
    struct str *racks = (struct str *)(void *)sorted.data;
    qsort(racks, (size_t)partition->count, sizeof *racks, by_text);
    for (int32_t i = 0; i < partition->count; i++) {
        add_int32(out, count_units(racks[i]));
        add_text(out, racks[i]);
    }
    strbuf_fini(&sorted);
}

int64_t metadata_hash_topic(struct uuid id, struct str name,
                            const struct partition_racks *partitions, int32_t partition_count)
{
    struct strbuf out = STRBUF_EMPTY;
    strbuf_add_char(&out, FORMAT);
    add_int64(&out, (int64_t)get_be64(id.bytes));
    add_int64(&out, (int64_t)get_be64(id.bytes + 8));
    add_text(&out, name);
    add_int32(&out, partition_count);
    for (int32_t i = 0; i < partition_count; i++) {
        add_int32(&out, i);
        add_racks(&out, &partitions[i]);
    }
    int64_t hash = (int64_t)xxh3_64(out.data, out.size);
    strbuf_fini(&out);
    return hash;
}

int64_t metadata_hash_group(const int64_t *topic_hashes, size_t count)
{
    if (count == 0)
        return 0;
    struct strbuf out = STRBUF_EMPTY;
    for (size_t i = 0; i < count; i++)
        add_int64(&out, topic_hashes[i]);
    int64_t hash = (int64_t)xxh3_64(out.data, out.size);
    strbuf_fini(&out);
    return hash;
}
