// SPDX-License-Identifier: Apache-2.0
// The records of a share partition that are between its start and its end: available again, acquired by a member, or
// done with while others before them are not. Held in batches of consecutive offsets, as they were acquired; a batch
// whose records went different ways has a state for each.
//
//     batches, sorted, without overlap:  [0..4 ARCHIVED] [5..9 ACQUIRED by m, until t] [10..12 | AVAIL ACQ ACKED]
//
//                   acquire                       acknowledge, reject, deliveries used up
//     AVAILABLE ─────────────> ACQUIRED ────────────────────────────> ACKNOWLEDGED, ARCHIVED
//         ^                       │ │                                      ^
//         └── release, lock ends ─┘ └── the log's start passed it ─────────┘
//
// (1) Leaving ACQUIRED by a member's word is a transition: the new state shows at once, but until it is persisted it
//     neither counts as available nor lets the start move, and a failure rolls it back.
// (2) A state takes 24 bytes, for a whole batch or for one record of a batch that was split. Members are numbers.
// (3) Nothing here is locked, and nothing calls back.
#ifndef SHARE_IN_FLIGHT_H
#define SHARE_IN_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "share_coordinator/share_batches.h"

enum { SHARE_NO_MEMBER = 0 };

struct in_flight_state {
    int64_t lock_until_ms;  // monotonic; 0: no lock
    uint32_t member;        // SHARE_NO_MEMBER unless acquired; within a transition who acquired it
    uint32_t transition;    // number of the one under way, 0 for none
    int16_t delivery_count; // how often it was acquired
    uint8_t state;          // enum share_record_state
    bool is_final;          // archived whatever becomes of the transition under way
};

struct in_flight_batch {
    int64_t first_offset;
    int64_t last_offset;
    struct in_flight_state whole; // unless `each`
    struct in_flight_state *each; // last_offset - first_offset + 1 of them, or NULL
};

// Members by number, so that a state needs not hold their ids. A number is free again when nothing refers to it.
struct share_member_id {
    char *id;
    uint32_t references;
};

struct in_flight {
    struct in_flight_batch *batches;
    size_t count;
    size_t capacity;
    struct share_member_id *members; // [0] is nobody
    size_t members_count;
    size_t members_capacity;
};

void in_flight_init(struct in_flight *flight);
void in_flight_fini(struct in_flight *flight);

// Adds a batch where it belongs; it overlaps no other. Pointers to batches are void afterwards.
struct in_flight_batch *in_flight_add(struct in_flight *flight, int64_t first_offset,
                                      int64_t last_offset, struct in_flight_state state);
// Forgets the first `count` batches.
void in_flight_drop(struct in_flight *flight, size_t count);
// The index of the last batch that begins at or before the offset; SIZE_MAX if there is none.
size_t in_flight_floor(const struct in_flight *flight, int64_t offset);
// The index of the first batch that begins at or after the offset; `count` if there is none.
size_t in_flight_ceiling(const struct in_flight *flight, int64_t offset);

// Gives each record of the batch a state of its own, as that of the batch was.
void in_flight_split(struct in_flight *flight, struct in_flight_batch *batch);
static inline int64_t in_flight_size(const struct in_flight_batch *batch)
{
    return batch->last_offset - batch->first_offset + 1;
}
static inline struct in_flight_state *in_flight_at(struct in_flight_batch *batch, int64_t offset)
{
    return batch->each != NULL ? &batch->each[offset - batch->first_offset] : &batch->whole;
}

// The member's number for use in in_flight_hold; a new one if it has none.
uint32_t in_flight_member(struct in_flight *flight, struct str id);
// The number of a member, SHARE_NO_MEMBER if it holds nothing.
uint32_t in_flight_find_member(const struct in_flight *flight, struct str id);
// Sets who holds it.
void in_flight_hold(struct in_flight *flight, struct in_flight_state *state, uint32_t member);

// ---- one state --------------------------------------------------------------------------------------

static inline bool share_state_is_terminal(int state)
{
    return state == SHARE_ACKNOWLEDGED || state == SHARE_ARCHIVED;
}
static inline bool in_flight_is_free(const struct in_flight_state *state)
{
    return state->state == SHARE_AVAILABLE && state->transition == 0;
}
// Whose it is as others see it: nobody's from the moment its transition begins.
static inline uint32_t in_flight_owner(const struct in_flight_state *state)
{
    return state->transition != 0 ? SHARE_NO_MEMBER : state->member;
}

// AVAILABLE becomes ACQUIRED by the member, once more delivered.
void in_flight_acquire(struct in_flight *flight, struct in_flight_state *state, uint32_t member,
                       int64_t lock_until_ms);
// ACQUIRED, without a transition under way, leaves for `to`; an AVAILABLE whose deliveries are used up is ARCHIVED.
// With a number, as a transition; with 0 at once (a lock that ended).
void in_flight_leave(struct in_flight *flight, struct in_flight_state *state,
                     enum share_record_state to, int max_delivery_count, uint32_t transition);
// Ends the transition. Rolled back, it is acquired again, or free if its lock ended meanwhile.
void in_flight_settle(struct in_flight *flight, struct in_flight_state *state, bool is_persisted,
                      int max_delivery_count, int64_t now_ms);
// Archives it whatever it was.
void in_flight_archive(struct in_flight *flight, struct in_flight_state *state);

#endif
