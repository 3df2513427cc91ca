// SPDX-License-Identifier: Apache-2.0
// The heap for small objects: never returns NULL (running out of memory aborts; see DESIGN
// "Memory"). Bulk bytes come from struct buf, whose budget may refuse.
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);              // uninitialised
void *mem_zalloc(size_t size);             // zeroed
void *mem_realloc(void *old, size_t size); // like realloc
void *mem_dup(const void *from, size_t size);
char *mem_strdup(const char *from); // NULL gives NULL
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mem_free(void *pointer); // NULL is fine

// The C library's heaps, as a broker wants them: before the first thread.
void mem_set_up_heaps(void);
// Gives the kernel back what the heaps keep for later. Takes each heap's lock; microseconds a megabyte.
void mem_give_back(void);

#define mem_new(type) ((type *)mem_zalloc(sizeof(type)))

// Grow a vector {items, count, capacity} so that one more fits:
//     vec_reserve(v->items, v->count + 1, v->capacity);
#define vec_reserve(items, needed, capacity)                                                       \
    do {                                                                                           \
        if ((size_t)(needed) > (size_t)(capacity)) {                                               \
            (capacity) = (size_t)(needed) > 2 * (size_t)(capacity) ? (size_t)(needed)              \
                                                                   : 2 * (size_t)(capacity);       \
            (items) = mem_realloc((items), (size_t)(capacity) * sizeof(*(items)));                 \
        }                                                                                          \
    } while (0)

#endif
