// SPDX-License-Identifier: Apache-2.0
// The only caller of malloc for small objects.
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

void *mem_alloc(size_t size)
{
    void *p = malloc(size == 0 ? 1 : size);
    must(p != NULL);
    return p;
}

void *mem_zalloc(size_t size)
{
    void *p = calloc(1, size == 0 ? 1 : size);
    must(p != NULL);
    return p;
}

void *mem_realloc(void *old, size_t size)
{
    void *p = realloc(old, size == 0 ? 1 : size);
    must(p != NULL);
    return p;
}

void *mem_dup(const void *from, size_t size)
{
    void *p = mem_alloc(size);
    if (size > 0)
        memcpy(p, from, size);
    return p;
}

char *mem_strdup(const char *from)
{
    return from == NULL ? NULL : mem_dup(from, strlen(from) + 1);
}

char *mem_printf(const char *format, ...)
{
    char most[256]; // of what is printed: paths
    va_list args;
    va_start(args, format);
    int written = vsnprintf(most, sizeof most, format, args);
    va_end(args);
    must(written >= 0);
    if ((size_t)written < sizeof most)
        return mem_dup(most, (size_t)written + 1);
    char *out = mem_alloc((size_t)written + 1);
    va_start(args, format);
    vsnprintf(out, (size_t)written + 1, format, args);
    va_end(args);
    return out;
}

void mem_free(void *pointer)
{
    free(pointer);
}

enum {
    HEAPS_MAX = 2, // that many reactors rarely meet in one, and each costs resident memory
    // Frames up to this size come from a heap, and what is free at its end is kept for the next ones: pages given back
    // to the kernel and taken again cost twice what all else costs that is done to the bytes in them. Unpacking zstd of
    // its usual level takes 2.5 MiB a batch.
    HEAP_FRAME_MAX = 4 << 20,
    HEAP_SPARE_MAX = 32 << 20,
};

void mem_set_up_heaps(void)
{
    mallopt(M_ARENA_MAX, HEAPS_MAX);
    mallopt(M_MMAP_THRESHOLD, HEAP_FRAME_MAX);
    mallopt(M_TRIM_THRESHOLD, HEAP_SPARE_MAX);
}

void mem_give_back(void)
{
    malloc_trim(0);
}
