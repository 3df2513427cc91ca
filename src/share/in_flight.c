// SPDX-License-Identifier: Apache-2.0
// The sorted batches and their states. See the header.
// Tested by share/share_partition_test.c and share/share_random_test.c.
#include "share/in_flight.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

void in_flight_init(struct in_flight *flight)
{
    *flight = (struct in_flight){ 0 };
    vec_reserve(flight->members, 1, flight->members_capacity);
    flight->members[flight->members_count++] = (struct share_member_id){ 0 };
}

void in_flight_fini(struct in_flight *flight)
{
    for (size_t i = 0; i < flight->count; i++)
        mem_free(flight->batches[i].each);
    for (size_t i = 0; i < flight->members_count; i++)
        mem_free(flight->members[i].id);
    mem_free(flight->batches);
    mem_free(flight->members);
}

size_t in_flight_floor(const struct in_flight *flight, int64_t offset)
{
    size_t low = 0, high = flight->count; // the first that begins after the offset
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (flight->batches[middle].first_offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? SIZE_MAX : low - 1;
}

size_t in_flight_ceiling(const struct in_flight *flight, int64_t offset)
{
    size_t floor = in_flight_floor(flight, offset);
    if (floor == SIZE_MAX)
        return 0;
    return flight->batches[floor].first_offset == offset ? floor : floor + 1;
}

struct in_flight_batch *in_flight_add(struct in_flight *flight, int64_t first_offset,
                                      int64_t last_offset, struct in_flight_state state)
{
    size_t at = in_flight_ceiling(flight, first_offset);
    must(last_offset >= first_offset);
    must(at == 0 || flight->batches[at - 1].last_offset < first_offset);
    must(at == flight->count || flight->batches[at].first_offset > last_offset);
    vec_reserve(flight->batches, flight->count + 1, flight->capacity);
    memmove(&flight->batches[at + 1], &flight->batches[at],
            (flight->count - at) * sizeof *flight->batches);
    flight->count++;
    flight->batches[at] = (struct in_flight_batch){ first_offset, last_offset, state, NULL };
    flight->members[state.member].references += state.member != SHARE_NO_MEMBER;
    return &flight->batches[at];
}

void in_flight_drop(struct in_flight *flight, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct in_flight_batch *batch = &flight->batches[i];
        if (batch->each == NULL)
            in_flight_hold(flight, &batch->whole, SHARE_NO_MEMBER);
        for (int64_t r = 0; batch->each != NULL && r < in_flight_size(batch); r++)
            in_flight_hold(flight, &batch->each[r], SHARE_NO_MEMBER);
        mem_free(batch->each);
    }
    flight->count -= count;
    memmove(flight->batches, flight->batches + count, flight->count * sizeof *flight->batches);
}

void in_flight_split(struct in_flight *flight, struct in_flight_batch *batch)
{
    if (batch->each != NULL)
        return;
    size_t size = (size_t)in_flight_size(batch);
    batch->each = mem_alloc(size * sizeof *batch->each);
    for (size_t i = 0; i < size; i++)
        batch->each[i] = batch->whole;
    if (batch->whole.member != SHARE_NO_MEMBER)
        flight->members[batch->whole.member].references += (uint32_t)size - 1;
}

// ---- members ---------------------------------------------------------------------------------------

uint32_t in_flight_find_member(const struct in_flight *flight, struct str id)
{
    for (size_t i = 1; i < flight->members_count; i++)
        if (flight->members[i].references > 0 && str_eqz(id, flight->members[i].id))
            return (uint32_t)i;
    return SHARE_NO_MEMBER;
}

uint32_t in_flight_member(struct in_flight *flight, struct str id)
{
    uint32_t member = in_flight_find_member(flight, id);
    if (member != SHARE_NO_MEMBER)
        return member;
    for (member = 1; member < flight->members_count; member++)
        if (flight->members[member].references == 0)
            break;
    if (member == flight->members_count) {
        vec_reserve(flight->members, flight->members_count + 1, flight->members_capacity);
        flight->members[flight->members_count++] = (struct share_member_id){ 0 };
    }
    mem_free(flight->members[member].id);
    flight->members[member].id = str_dup(id);
    return member;
}

void in_flight_hold(struct in_flight *flight, struct in_flight_state *state, uint32_t member)
{
    if (state->member != SHARE_NO_MEMBER)
        flight->members[state->member].references--;
    if (member != SHARE_NO_MEMBER)
        flight->members[member].references++;
    state->member = member;
}

// ---- one state -------------------------------------------------------------------------------------

void in_flight_acquire(struct in_flight *flight, struct in_flight_state *state, uint32_t member,
                       int64_t lock_until_ms)
{
    must(in_flight_is_free(state));
    state->state = SHARE_ACQUIRED;
    state->delivery_count++;
    state->lock_until_ms = lock_until_ms;
    in_flight_hold(flight, state, member);
}

static void release(struct in_flight *flight, struct in_flight_state *state)
{
    state->lock_until_ms = 0;
    in_flight_hold(flight, state, SHARE_NO_MEMBER);
}

void in_flight_leave(struct in_flight *flight, struct in_flight_state *state,
                     enum share_record_state to, int max_delivery_count, uint32_t transition)
{
    must(state->state == SHARE_ACQUIRED && state->transition == 0);
    if (to == SHARE_AVAILABLE && state->delivery_count >= max_delivery_count)
        to = SHARE_ARCHIVED;
    state->state = (uint8_t)to;
    state->transition = transition;
    if (transition == 0)
        release(flight, state);
}

void in_flight_settle(struct in_flight *flight, struct in_flight_state *state, bool is_persisted,
                      int max_delivery_count, int64_t now_ms)
{
    must(state->transition != 0);
    state->transition = 0;
    if (is_persisted || state->is_final) {
        release(flight, state);
    } else if (state->lock_until_ms != 0 && state->lock_until_ms <= now_ms) {
        state->state =
            state->delivery_count >= max_delivery_count ? SHARE_ARCHIVED : SHARE_AVAILABLE;
        release(flight, state);
    } else {
        state->state = SHARE_ACQUIRED;
    }
}

void in_flight_archive(struct in_flight *flight, struct in_flight_state *state)
{
    state->is_final = true;
    state->state = SHARE_ARCHIVED;
    release(flight, state);
}
