// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum { ALIGNMENT = 16, FIRST_BLOCK = 4096, LARGEST_BLOCK = 65536 };

struct arena_block {
    struct arena_block *older;
    size_t size; // of the block with this head
};

_Static_assert(sizeof(struct arena_block) % ALIGNMENT == 0, "the head keeps the alignment");

void arena_init(struct arena *arena)
{
    *arena = (struct arena){ 0 };
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;
        mem_free(block);
        block = older;
    }
}

void arena_fini(struct arena *arena)
{
    free_blocks(arena->_blocks);
    arena_init(arena);
}

static void use_block(struct arena *arena, struct arena_block *block)
{
    arena->_next = (char *)(block + 1);
    arena->_end = (char *)block + block->size;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = NULL;
    for (struct arena_block *block = arena->_blocks, *older; block != NULL; block = older) {
        older = block->older;
        if (kept == NULL && block->size == FIRST_BLOCK)
            kept = block;
        else
            mem_free(block);
    }
    arena_init(arena);
    if (kept == NULL)
        return;
    kept->older = NULL;
    arena->_blocks = kept;
    arena->_total = kept->size;
    use_block(arena, kept);
}

void arena_move(struct arena *into, struct arena *from)
{
    if (from->_blocks == NULL)
        return;
    struct arena_block *oldest = from->_blocks;
    while (oldest->older != NULL)
        oldest = oldest->older;
    if (into->_blocks == NULL) {
        *into = *from;
    } else { // `into` goes on allocating from its own newest block
        oldest->older = into->_blocks->older;
        into->_blocks->older = from->_blocks;
        into->_total += from->_total;
    }
    arena_init(from);
}

static void *alloc_slow(struct arena *arena, size_t size)
{
    size_t next_size = arena->_blocks == NULL ? FIRST_BLOCK : arena->_blocks->size * 2;
    if (next_size > LARGEST_BLOCK)
        next_size = LARGEST_BLOCK;
    bool own_block = size > next_size / 2;
    size_t block_size = sizeof(struct arena_block) + size;
    if (!own_block)
        block_size = next_size;
    struct arena_block *block = mem_alloc(block_size);
    block->size = block_size;
    arena->_total += block_size;
    if (own_block && arena->_blocks != NULL) { // keep filling the current block
        block->older = arena->_blocks->older;
        arena->_blocks->older = block;
        return block + 1;
    }
    block->older = arena->_blocks;
    arena->_blocks = block;
    use_block(arena, block);
    void *p = arena->_next;
    arena->_next += size;
    return p;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    must(size < SIZE_MAX / 2);
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if ((size_t)(arena->_end - arena->_next) < size || arena->_next == NULL)
        return alloc_slow(arena, size);
    void *p = arena->_next;
    arena->_next += size;
    return p;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_dup(struct arena *arena, const void *from, size_t size)
{
    void *p = arena_alloc(arena, size);
    if (size > 0)
        memcpy(p, from, size);
    return p;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    must(length >= 0);
    char *out = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(out, (size_t)length + 1, format, again);
    va_end(again);
    return out;
}

struct str arena_str(struct arena *arena, struct str s)
{
    if (s.data == NULL)
        return s;
    char *z = arena_alloc(arena, s.size + 1);
    memcpy(z, s.data, s.size);
    z[s.size] = '\0';
    return (struct str){ z, s.size };
}

struct str arena_strz(struct arena *arena, const char *z)
{
    return arena_str(arena, str_of(z));
}

struct bytes arena_bytes(struct arena *arena, struct bytes b)
{
    return b.data == NULL ? b : (struct bytes){ arena_dup(arena, b.data, b.size), b.size };
}

size_t arena_footprint(const struct arena *arena)
{
    return arena->_total;
}
