// SPDX-License-Identifier: Apache-2.0
#include "base/heap.h"

#include <malloc.h>

enum {
    HEAPS_MAX = 2, // that many reactors rarely meet in one, and each costs resident memory
    // Frames up to this size come from a heap, and what is free at its end is kept for the next ones: pages given back
    // to the kernel and taken again cost twice what all else costs that is done to the bytes in them.
    HEAP_FRAME_MAX = 2 << 20,
    HEAP_SPARE_MAX = 32 << 20,
};

void heap_set_up(void)
{
    mallopt(M_ARENA_MAX, HEAPS_MAX);
    mallopt(M_MMAP_THRESHOLD, HEAP_FRAME_MAX);
    mallopt(M_TRIM_THRESHOLD, HEAP_SPARE_MAX);
}

void heap_give_back(void)
{
    malloc_trim(0);
}
