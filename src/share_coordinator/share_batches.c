// SPDX-License-Identifier: Apache-2.0
// A sweep over the ranges in order. The pending ones are a stack whose top is the smallest: two that overlap are taken
// off and the pieces that remain are put back near the top, until the smallest overlaps nothing and is final.
#include "share_coordinator/share_batches.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void share_batches_fini(struct share_batches *batches)
{
    mem_free(batches->items);
    *batches = SHARE_BATCHES_EMPTY;
}

void share_batches_add(struct share_batches *batches, struct share_batch batch)
{
    vec_reserve(batches->items, batches->count + 1, batches->capacity);
    batches->items[batches->count++] = batch;
}

// By delivery count, then by state: what stands where ranges overlap.
static int compare_delivery(const struct share_batch *a, const struct share_batch *b)
{
    if (a->delivery_count != b->delivery_count)
        return a->delivery_count < b->delivery_count ? -1 : 1;
    return (a->state > b->state) - (a->state < b->state);
}

static int compare(const struct share_batch *a, const struct share_batch *b)
{
    if (a->first_offset != b->first_offset)
        return a->first_offset < b->first_offset ? -1 : 1;
    if (a->last_offset != b->last_offset)
        return a->last_offset < b->last_offset ? -1 : 1;
    return compare_delivery(a, b);
}

static int compare_down(const void *a, const void *b)
{
    return compare(b, a);
}

// Keeps the stack sorted, the smallest on top, each once.
static void push(struct share_batches *stack, struct share_batch batch)
{
    size_t at = stack->count;
    while (at > 0 && compare(&stack->items[at - 1], &batch) < 0)
        at--;
    if (at > 0 && compare(&stack->items[at - 1], &batch) == 0)
        return;
    share_batches_add(stack, batch);
    memmove(&stack->items[at + 1], &stack->items[at],
            (stack->count - 1 - at) * sizeof *stack->items);
    stack->items[at] = batch;
}

static void push_part(struct share_batches *stack, const struct share_batch *of, int64_t first,
                      int64_t last)
{
    struct share_batch part = *of;
    part.first_offset = first;
    part.last_offset = last;
    push(stack, part);
}

// Puts back what remains of two that overlap and say different things. `prev` is the smaller.
static void split(struct share_batches *stack, const struct share_batch *prev,
                  const struct share_batch *next)
{
    if (compare_delivery(next, prev) < 0) { // prev stands; only what next has beyond it is news
        push(stack, *prev);
        if (next->last_offset > prev->last_offset)
            push_part(stack, next, prev->last_offset + 1, next->last_offset);
        return;
    }
    if (next->first_offset > prev->first_offset)
        push_part(stack, prev, prev->first_offset, next->first_offset - 1);
    push(stack, *next);
    if (next->last_offset < prev->last_offset)
        push_part(stack, prev, next->last_offset + 1, prev->last_offset);
}

// The part of the list at or above start_offset.
static void add_pruned(struct share_batches *stack, const struct share_batch *batches, size_t count,
                       int64_t start_offset)
{
    for (size_t i = 0; i < count; i++) {
        struct share_batch batch = batches[i];
        if (batch.last_offset < batch.first_offset)
            continue; // no range at all: from a log or a request that is not ours
        if (start_offset != -1 && batch.last_offset < start_offset)
            continue;
        if (start_offset != -1 && batch.first_offset < start_offset)
            batch.first_offset = start_offset;
        share_batches_add(stack, batch);
    }
}

void share_batches_combine(struct share_batches *out, const struct share_batch *so_far,
                           size_t so_far_count, const struct share_batch *newer, size_t newer_count,
                           int64_t start_offset)
{
    struct share_batches stack = SHARE_BATCHES_EMPTY;
    add_pruned(&stack, so_far, so_far_count, start_offset);
    add_pruned(&stack, newer, newer_count, start_offset);
    if (stack.count > 1)
        qsort(stack.items, stack.count, sizeof *stack.items, compare_down);
    while (stack.count > 0) {
        struct share_batch prev = stack.items[--stack.count];
        if (stack.count == 0) {
            share_batches_add(out, prev);
            break;
        }
        struct share_batch next = stack.items[stack.count - 1];
        bool is_same = compare_delivery(&prev, &next) == 0;
        if (next.first_offset > prev.last_offset &&
            !(is_same && prev.last_offset + 1 == next.first_offset)) {
            share_batches_add(out, prev);
            continue;
        }
        stack.count--;
        if (is_same)
            push_part(&stack, &prev, prev.first_offset,
                      next.last_offset > prev.last_offset ? next.last_offset : prev.last_offset);
        else
            split(&stack, &prev, &next);
    }
    share_batches_fini(&stack);
}
