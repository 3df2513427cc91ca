// SPDX-License-Identifier: Apache-2.0
// Bulk bytes with a reference count: request frames, whose records are written without a copy while
// decoded strings still point into them. Counts are atomic, so a reference may be dropped on
// another thread.
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    atomic_int _refs;
    size_t size;     // bytes used
    size_t capacity; // bytes at data
    struct buf_budget *_budget;
    uint8_t data[];
};

// A shared limit on the bytes of live buffers (queued.max.request.bytes). limit <= 0: no limit.
struct buf_budget {
    int64_t limit;
    atomic_llong used;
};

// A buffer with one reference, or NULL when the budget (may be NULL) refuses; size is 0. A buffer
// is granted while the budget is not yet used up, so one larger than the whole limit still passes.
struct buf *buf_new(struct buf_budget *budget, size_t capacity);
struct buf *buf_ref(struct buf *buf);
void buf_unref(struct buf *buf); // NULL is fine

// Whether anybody but the caller, who has a reference, has one too.
static inline bool buf_is_shared(const struct buf *buf)
{
    return atomic_load_explicit(&buf->_refs, memory_order_acquire) > 1;
}

#endif
