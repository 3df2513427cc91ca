// SPDX-License-Identifier: Apache-2.0
// What became of ranges of offsets of a share partition, as the share coordinator keeps it (KIP-932): sorted, without
// overlap, neighbours that say the same joined into one.
//
//     so far    [0..9 archived 1] [10..19 available 1]
//     newer            [5..14 acknowledged 2]
//     combined  [0..4 archived 1] [5..14 acknowledged 2] [15..19 available 1]
//
// Where two ranges overlap, that of the higher delivery count stands, of equal counts that of the higher state: both
// only grow, so the order in which they came does not matter.
#ifndef SHARE_COORDINATOR_SHARE_BATCHES_H
#define SHARE_COORDINATOR_SHARE_BATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// As on the wire and in the log.
enum share_record_state {
    SHARE_AVAILABLE = 0,
    SHARE_ACQUIRED = 1, // never persisted
    SHARE_ACKNOWLEDGED = 2,
    SHARE_ARCHIVED = 4,
};

struct share_batch {
    int64_t first_offset;
    int64_t last_offset;
    int16_t delivery_count;
    int8_t state; // enum share_record_state
};

struct share_batches {
    struct share_batch *items;
    size_t count;
    size_t capacity;
};

#define SHARE_BATCHES_EMPTY ((struct share_batches){ NULL, 0, 0 })

// Gives back the memory; it is empty afterwards.
void share_batches_fini(struct share_batches *batches);
// Adds one at the end.
void share_batches_add(struct share_batches *batches, struct share_batch batch);
// Puts into `out` (empty) what the two lists say together, without what lies below start_offset (-1: all stays).
// The lists may be NULL when they count 0, and need not be sorted.
void share_batches_combine(struct share_batches *out, const struct share_batch *so_far,
                           size_t so_far_count, const struct share_batch *newer, size_t newer_count,
                           int64_t start_offset);

#endif
