// SPDX-License-Identifier: Apache-2.0
// Two walks over the table of fields: one counts, one copies. Every part begins on 8 bytes.
#include "protocol/message_dup.h"

#include "base/mem.h"
#include "base/must.h"

// Where the next part goes. Without a block parts are only counted.
struct block {
    char *data; // NULL: counting
    size_t used;
};

static void *take(struct block *block, size_t size)
{
    void *part = block->data == NULL ? NULL : block->data + block->used;
    block->used += (size + 7) & ~(size_t)7;
    return part;
}

static bool is_text(uint8_t type)
{
    return type == FIELD_STRING || type == FIELD_BYTES || type == FIELD_RECORDS;
}

static void set_pointer(void *at, const void *pointer)
{
    memcpy(at, &pointer, sizeof pointer);
}

// struct str and struct bytes have the same shape. An empty one keeps a pointer: it is not null.
static void copy_text(struct block *block, const void *from, void *to)
{
    struct bytes text;
    memcpy(&text, from, sizeof text);
    if (text.data == NULL)
        return;
    void *part = take(block, text.size + 1);
    if (part == NULL)
        return;
    memcpy(part, text.data, text.size);
    ((char *)part)[text.size] = '\0';
    set_pointer(to, part);
}

static void copy_inside(struct block *block, const struct message_desc *desc, const void *from,
                        void *to);

static void copy_element(struct block *block, const struct field_desc *field, const void *from,
                         void *to)
{
    if (is_text(field->type))
        copy_text(block, from, to);
    else if (field->type == FIELD_STRUCT)
        copy_inside(block, field->of, from, to);
}

static void copy_array(struct block *block, const struct field_desc *field, const void *from,
                       void *to)
{
    const char *items = codec_pointer(from);
    int32_t count = codec_array_count(from);
    if (items == NULL)
        return;
    size_t size = codec_element_size(field);
    char *part = take(block, count > 0 ? (size_t)count * size : 1);
    if (part != NULL) {
        memcpy(part, items, count > 0 ? (size_t)count * size : 0);
        set_pointer(to, part);
    }
    for (int32_t i = 0; i < count; i++)
        copy_element(block, field, items + (size_t)i * size,
                     part == NULL ? NULL : part + (size_t)i * size);
}

static void copy_pointed(struct block *block, const struct field_desc *field, const void *from,
                         void *to)
{
    const void *pointed = codec_pointer(from);
    if (pointed == NULL)
        return;
    void *part = take(block, field->of->struct_size);
    if (part != NULL) {
        memcpy(part, pointed, field->of->struct_size);
        set_pointer(to, part);
    }
    copy_inside(block, field->of, pointed, part);
}

// `to` already has the same bytes as `from`; what points out of it is replaced.
static void copy_inside(struct block *block, const struct message_desc *desc, const void *from,
                        void *to)
{
    for (int i = 0; i < desc->field_count; i++) {
        const struct field_desc *field = &desc->fields[i];
        const char *at = (const char *)from + field->offset;
        char *copy = to == NULL ? NULL : (char *)to + field->offset;
        if ((field->flags & FIELD_ARRAY) != 0)
            copy_array(block, field, at, copy);
        else if ((field->flags & FIELD_POINTER) != 0)
            copy_pointed(block, field, at, copy);
        else
            copy_element(block, field, at, copy);
    }
    if (to != NULL && desc->flexible_first != INT16_MAX)
        memset((char *)to + desc->unknown_offset, 0, sizeof(struct tagged_fields));
}

size_t message_dup_size(const struct message_desc *desc, const void *in)
{
    struct block block = { 0 };
    take(&block, desc->struct_size);
    copy_inside(&block, desc, in, NULL);
    return block.used;
}

void *message_dup(const struct message_desc *desc, const void *in)
{
    size_t size = message_dup_size(desc, in);
    struct block block = { .data = mem_alloc(size) };
    void *copy = take(&block, desc->struct_size);
    memcpy(copy, in, desc->struct_size);
    copy_inside(&block, desc, in, copy);
    must(block.used == size);
    return copy;
}
