// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include "base/mem.h"
#include "base/must.h"

struct buf *buf_new(struct buf_budget *budget, size_t capacity)
{
    if (budget != NULL && budget->limit > 0 && atomic_load(&budget->used) >= budget->limit)
        return NULL;
    struct buf *buf = mem_alloc(sizeof *buf + capacity);
    atomic_init(&buf->_refs, 1);
    buf->size = 0;
    buf->capacity = capacity;
    buf->_budget = budget;
    if (budget != NULL)
        atomic_fetch_add(&budget->used, (long long)capacity);
    return buf;
}

struct buf *buf_ref(struct buf *buf)
{
    must(atomic_fetch_add_explicit(&buf->_refs, 1, memory_order_relaxed) > 0);
    return buf;
}

void buf_unref(struct buf *buf)
{
    if (buf == NULL)
        return;
    int before = atomic_fetch_sub_explicit(&buf->_refs, 1, memory_order_acq_rel);
    must(before > 0);
    if (before > 1)
        return;
    if (buf->_budget != NULL)
        atomic_fetch_sub(&buf->_budget->used, (long long)buf->capacity);
    mem_free(buf);
}
