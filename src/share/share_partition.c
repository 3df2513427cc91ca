// SPDX-License-Identifier: Apache-2.0
// What was persisted, where to read next, and how the start moves. See the header.
#include "share/share_partition.h"

#include "base/mem.h"
#include "base/must.h"

void share_partition_init(struct share_partition *partition)
{
    *partition = (struct share_partition){ 0 };
    in_flight_init(&partition->flight);
}

void share_partition_fini(struct share_partition *partition)
{
    in_flight_fini(&partition->flight);
}

static struct in_flight_batch *last_batch(const struct share_partition *partition)
{
    const struct in_flight *flight = &partition->flight;
    return flight->count == 0 ? NULL : &flight->batches[flight->count - 1];
}

int32_t share_partition_count(const struct share_partition *partition, int64_t first_offset,
                              int64_t last_offset)
{
    int64_t first = first_offset > partition->start_offset ? first_offset : partition->start_offset;
    return last_offset >= first ? (int32_t)(last_offset - first + 1) : 0;
}

// ---- gaps ------------------------------------------------------------------------------------------

bool share_partition_has_open_gaps(const struct share_partition *partition)
{
    return partition->has_gaps && partition->gap_end_offset == partition->end_offset;
}

void share_partition_close_gaps(struct share_partition *partition, int64_t offset)
{
    if (share_partition_has_open_gaps(partition) && offset <= partition->gap_end_offset)
        partition->gap_start_offset = offset;
    else
        partition->has_gaps = false;
}

// ---- the start moves -------------------------------------------------------------------------------

// May what is at the start be left behind?
static bool is_start_done(const struct share_partition *partition)
{
    const struct in_flight *flight = &partition->flight;
    size_t at = in_flight_floor(flight, partition->start_offset);
    if (at == SIZE_MAX)
        return false;
    struct in_flight_batch *batch = &flight->batches[at];
    if (batch->each != NULL && batch->last_offset < partition->start_offset)
        return false;
    const struct in_flight_state *state = in_flight_at(batch, partition->start_offset);
    return state->transition == 0 && share_state_is_terminal(state->state);
}

// The last offset before which, from the first batch on, all is done; -1 for none. How many of them count.
static int64_t find_done(const struct share_partition *partition, int32_t *counted)
{
    const struct in_flight *flight = &partition->flight;
    int64_t done = -1;
    *counted = 0;
    for (size_t i = 0; i < flight->count; i++) {
        struct in_flight_batch *batch = &flight->batches[i];
        if (share_partition_has_open_gaps(partition) &&
            batch->last_offset >= partition->gap_start_offset)
            return done;
        int64_t step = batch->each != NULL ? 1 : in_flight_size(batch);
        for (int64_t offset = batch->first_offset; offset <= batch->last_offset; offset += step) {
            const struct in_flight_state *state = in_flight_at(batch, offset);
            if (state->transition != 0 || !share_state_is_terminal(state->state))
                return done;
            done = offset + step - 1;
            *counted += share_partition_count(partition, offset, done);
        }
    }
    return done;
}

static bool move_start(struct share_partition *partition)
{
    struct in_flight *flight = &partition->flight;
    int32_t counted;
    int64_t done;
    if (!is_start_done(partition) || (done = find_done(partition, &counted)) == -1)
        return false;
    if (done == last_batch(partition)->last_offset) { // all of it
        partition->start_offset = partition->end_offset = done + 1;
        in_flight_drop(flight, flight->count);
        partition->delivery_complete_count = 0;
        return true;
    }
    size_t at = in_flight_floor(flight, done);
    int64_t start = done + 1;
    size_t drop = at;
    if (done == flight->batches[at].last_offset) {
        start = flight->batches[at + 1].first_offset;
        drop = at + 1;
    }
    if (start > partition->start_offset)
        partition->start_offset = start;
    if (drop > at && share_partition_has_open_gaps(partition) &&
        partition->gap_start_offset < partition->start_offset)
        partition->start_offset = partition->gap_start_offset;
    partition->delivery_complete_count -= counted;
    in_flight_drop(flight, drop);
    return true;
}

// ---- loading ---------------------------------------------------------------------------------------

bool share_partition_load(struct share_partition *partition, int64_t start_offset,
                          int32_t state_epoch, const struct share_batch *batches, size_t count)
{
    partition->start_offset = partition->end_offset = start_offset;
    partition->state_epoch = state_epoch;
    int64_t gap_start = -1, before = start_offset - 1;
    for (size_t i = 0; i < count; i++) {
        const struct share_batch *batch = &batches[i];
        bool is_known = batch->state == SHARE_AVAILABLE || share_state_is_terminal(batch->state);
        if (batch->first_offset <= before || batch->last_offset < batch->first_offset || !is_known)
            return false;
        if (gap_start == -1 && batch->first_offset > before + 1)
            gap_start = before + 1;
        before = batch->last_offset;
        in_flight_add(&partition->flight, batch->first_offset, batch->last_offset,
                      (struct in_flight_state){ .state = (uint8_t)batch->state,
                                                .delivery_count = batch->delivery_count });
        if (share_state_is_terminal(batch->state))
            partition->delivery_complete_count +=
                (int32_t)(batch->last_offset - batch->first_offset + 1);
    }
    if (count == 0)
        return true;
    partition->has_free = true;
    partition->end_offset = before;
    partition->has_gaps = gap_start != -1;
    partition->gap_start_offset = gap_start;
    partition->gap_end_offset = before;
    move_start(partition);
    return true;
}

// ---- where to read ---------------------------------------------------------------------------------

static int64_t find_free(struct share_partition *partition)
{
    bool has_gaps = share_partition_has_open_gaps(partition);
    int64_t gap_start = partition->gap_start_offset;
    for (size_t i = 0; i < partition->flight.count; i++) {
        struct in_flight_batch *batch = &partition->flight.batches[i];
        if (has_gaps && batch->first_offset > gap_start)
            return gap_start;
        if (batch->last_offset + 1 > gap_start)
            gap_start = batch->last_offset + 1;
        int64_t step = batch->each != NULL ? 1 : in_flight_size(batch);
        for (int64_t offset = batch->first_offset; offset <= batch->last_offset; offset += step)
            if (in_flight_is_free(in_flight_at(batch, offset)))
                return offset;
    }
    return -1;
}

int64_t share_partition_next_offset(struct share_partition *partition)
{
    const struct in_flight_batch *last = last_batch(partition);
    if (last == NULL || partition->start_offset > last->last_offset) {
        partition->has_free = false;
        return partition->end_offset;
    }
    if (partition->has_free) {
        int64_t free_offset = find_free(partition);
        if (free_offset != -1)
            return free_offset;
        partition->has_free = false;
    }
    return partition->end_offset + 1;
}

bool share_partition_can_acquire(struct share_partition *partition,
                                 const struct share_limits *limits)
{
    if (share_partition_next_offset(partition) != partition->end_offset + 1)
        return true;
    int64_t in_flight =
        partition->flight.count == 0 ? 0 : partition->end_offset - partition->start_offset + 1;
    return in_flight < limits->max_in_flight;
}

// ---- archiving -------------------------------------------------------------------------------------

static bool archive_one(struct share_partition *partition, struct in_flight_state *state,
                        enum share_record_state from, int64_t records, bool is_counted)
{
    if (state->state != from)
        return false;
    in_flight_archive(&partition->flight, state);
    if (is_counted)
        partition->delivery_complete_count += (int32_t)records;
    return true;
}

bool share_partition_archive(struct share_partition *partition, size_t at, int64_t first_offset,
                             int64_t end_offset, enum share_record_state from, bool is_counted)
{
    struct in_flight *flight = &partition->flight;
    bool has_archived = false;
    for (; at < flight->count && flight->batches[at].first_offset < end_offset; at++) {
        struct in_flight_batch *batch = &flight->batches[at];
        if (batch->last_offset < first_offset)
            continue;
        bool is_whole = batch->first_offset >= first_offset && batch->last_offset < end_offset;
        if (batch->each == NULL && is_whole) {
            has_archived |=
                archive_one(partition, &batch->whole, from, in_flight_size(batch), is_counted);
            continue;
        }
        if (batch->each == NULL) {
            if (batch->whole.state != from)
                continue;
            in_flight_split(flight, batch);
        }
        for (int64_t offset = batch->first_offset; offset <= batch->last_offset; offset++)
            if (offset >= first_offset && offset < end_offset)
                has_archived |=
                    archive_one(partition, in_flight_at(batch, offset), from, 1, is_counted);
    }
    return has_archived;
}

static int32_t count_done_below(const struct share_partition *partition, int64_t offset)
{
    int32_t count = 0;
    for (size_t i = 0; i < partition->flight.count; i++) {
        struct in_flight_batch *batch = &partition->flight.batches[i];
        int64_t step = batch->each != NULL ? 1 : in_flight_size(batch);
        for (int64_t at = batch->first_offset; at <= batch->last_offset && at < offset;
             at += step) {
            int64_t last = at + step - 1 < offset - 1 ? at + step - 1 : offset - 1;
            if (share_state_is_terminal(in_flight_at(batch, at)->state))
                count += share_partition_count(partition, at, last);
        }
    }
    return count;
}

void share_partition_move_log_start(struct share_partition *partition, int64_t log_start_offset)
{
    if (log_start_offset <= partition->start_offset)
        return;
    if (partition->flight.count == 0) {
        partition->start_offset = partition->end_offset = log_start_offset;
        partition->delivery_complete_count = 0;
        return;
    }
    int32_t done = count_done_below(partition, log_start_offset);
    if (share_partition_archive(partition, 0, partition->start_offset, log_start_offset,
                                SHARE_AVAILABLE, false))
        partition->has_free = true;
    partition->start_offset = log_start_offset;
    partition->delivery_complete_count -= done;
    if (partition->end_offset < partition->start_offset)
        partition->end_offset = partition->start_offset;
}

// ---- settling --------------------------------------------------------------------------------------

static void settle_one(struct share_partition *partition, const struct share_limits *limits,
                       struct in_flight_state *state, int64_t first, int64_t last,
                       bool is_persisted, int64_t now_ms)
{
    bool was_done = share_state_is_terminal(state->state);
    in_flight_settle(&partition->flight, state, is_persisted, limits->max_delivery_count, now_ms);
    if (state->state == SHARE_AVAILABLE)
        partition->has_free = true;
    if (was_done && !share_state_is_terminal(state->state))
        partition->delivery_complete_count -= share_partition_count(partition, first, last);
}

bool share_partition_settle(struct share_partition *partition, const struct share_limits *limits,
                            struct share_change *change, bool is_persisted, int64_t now_ms)
{
    struct in_flight *flight = &partition->flight;
    for (size_t c = 0; change->transition != 0 && c < change->batches.count; c++) {
        const struct share_batch *changed = &change->batches.items[c];
        size_t at = in_flight_floor(flight, changed->first_offset);
        for (at = at == SIZE_MAX ? 0 : at;
             at < flight->count && flight->batches[at].first_offset <= changed->last_offset; at++) {
            struct in_flight_batch *batch = &flight->batches[at];
            int64_t step = batch->each != NULL ? 1 : in_flight_size(batch);
            for (int64_t o = batch->first_offset; o <= batch->last_offset; o += step) {
                struct in_flight_state *state = in_flight_at(batch, o);
                if (state->transition == change->transition)
                    settle_one(partition, limits, state, o, o + step - 1, is_persisted, now_ms);
            }
        }
    }
    bool is_expiry = change->transition == 0;
    share_batches_fini(&change->batches);
    return (is_persisted || is_expiry) && move_start(partition);
}
