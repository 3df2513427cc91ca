// SPDX-License-Identifier: Apache-2.0
// Memory with one lifetime, e.g. that of a request: many small allocations, freed together.
//
//     struct arena arena;
//     arena_init(&arena);
//     struct foo *foo = arena_zalloc(&arena, sizeof *foo);
//     arena_reset(&arena);     // all of it is gone; the first block is kept for the next request
//     arena_fini(&arena);
//
// Blocks of 4 KiB grow to 64 KiB; a larger object gets a block of its own. Pointers are 16-byte
// aligned. Never returns NULL. Not thread-safe: an arena belongs to whoever holds the request.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *_blocks; // newest first
    char *_next;
    char *_end;
    size_t _total; // bytes of all blocks
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);
// Forgets every allocation. Keeps one small block so that the steady state allocates nothing.
void arena_reset(struct arena *arena);
// Makes `into` the owner of everything in `from`, which becomes empty. Pointers stay valid.
void arena_move(struct arena *into, struct arena *from);

void *arena_alloc(struct arena *arena, size_t size);  // uninitialised
void *arena_zalloc(struct arena *arena, size_t size); // zeroed
void *arena_dup(struct arena *arena, const void *from, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_str(struct arena *arena, struct str s);   // a copy, NUL-ended; null stays null
struct str arena_strz(struct arena *arena, const char *z); // a copy of a C string
struct bytes arena_bytes(struct arena *arena, struct bytes b);

#define arena_new(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define arena_array(arena, type, count)                                                            \
    ((type *)arena_zalloc((arena), sizeof(type) * (size_t)(count)))

// Bytes held from the heap, used or not.
size_t arena_footprint(const struct arena *arena);

#endif
