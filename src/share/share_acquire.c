// SPDX-License-Identifier: Apache-2.0
// Acquiring records: those in flight that are free again, and new ones at the end or in gaps.
// Tested by share/share_partition_test.c and share/share_random_test.c.
//
//     read from the log      [ 5 .. 9 ][ 10 ............ 19 ][ 20 .. 24 ]
//     in flight         [0..4 ACQ][5..9 FREE]      [15..17 ACQ]
//     acquired                    [5 .. 9]                   [18 .. 24 new]    (10..14 only when it is an open gap)
//
// A record that nearly used up its deliveries may be what makes consumers fail, so it is given with few or no others:
// from half of the limit on, half as many records with each further delivery; before the last one, alone.
#include "share/share_partition.h"

#include "base/mem.h"

struct acquire_state {
    struct share_partition *partition;
    const struct share_limits *limits;
    const struct share_acquire *how;
    struct share_acquired_list *out;
    uint32_t member;
    int64_t last_offset; // to acquire at most
    int64_t first_base;  // of what was read
    int64_t max_records;
    int64_t count; // acquired so far
};

void share_acquired_add(struct share_acquired_list *list, int64_t first_offset, int64_t last_offset,
                        int16_t delivery_count)
{
    vec_reserve(list->items, list->count + 1, list->capacity);
    list->items[list->count++] =
        (struct share_acquired){ first_offset, last_offset, delivery_count };
}

static int64_t lock_until(const struct acquire_state *a)
{
    return a->how->now_ms + a->limits->lock_ms;
}

// ---- new records -----------------------------------------------------------------------------------

// The end of the batch of the log that holds this offset.
static int64_t end_of_span(const struct share_acquire *how, int64_t offset)
{
    for (size_t i = 0; i < how->spans_count; i++)
        if (offset >= how->spans[i].base_offset && offset <= how->spans[i].last_offset)
            return how->spans[i].last_offset;
    return offset;
}

static void add_batch(struct acquire_state *a, int64_t first, int64_t last)
{
    in_flight_add(&a->partition->flight, first, last,
                  (struct in_flight_state){ .state = SHARE_ACQUIRED,
                                            .delivery_count = 1,
                                            .member = a->member,
                                            .lock_until_ms = lock_until(a) });
    share_acquired_add(a->out, first, last, 1);
}

// A whole batch of the log is in flight from now on, but the member gets only its first records.
static void add_part(struct acquire_state *a, int64_t first, int64_t last, int64_t last_acquired)
{
    struct in_flight *flight = &a->partition->flight;
    struct in_flight_batch *batch =
        in_flight_add(flight, first, last,
                      (struct in_flight_state){ .state = SHARE_ACQUIRED,
                                                .delivery_count = 1,
                                                .member = a->member,
                                                .lock_until_ms = lock_until(a) });
    in_flight_split(flight, batch);
    for (int64_t offset = last_acquired + 1; offset <= last; offset++) {
        struct in_flight_state *state = in_flight_at(batch, offset);
        in_flight_hold(flight, state, SHARE_NO_MEMBER);
        *state = (struct in_flight_state){ .state = SHARE_AVAILABLE };
    }
    a->partition->has_free = true;
    share_acquired_add(a->out, first, last_acquired, 1);
}

// Batches of about batch_size records, which begin where batches of the log do.
static void add_batches(struct acquire_state *a, int64_t first, int64_t last)
{
    const struct share_acquire *how = a->how;
    for (size_t i = 0; last - first + 1 > how->batch_size && i < how->spans_count; i++) {
        int64_t base = how->spans[i].base_offset;
        if (base > last)
            break;
        if (base - first >= how->batch_size && base > first) {
            add_batch(a, first, base - 1);
            first = base;
        }
    }
    add_batch(a, first, last);
}

// Acquires what nobody has in [first, last], at most max_records but whole batches of the log.
static void acquire_new(struct acquire_state *a, int64_t first, int64_t last, int64_t max_records)
{
    struct share_partition *partition = a->partition;
    struct in_flight *flight = &partition->flight;
    if (flight->count == 0 && partition->end_offset > first)
        first = partition->end_offset;
    int64_t until = last;
    if (max_records < last - first + 1) {
        until = end_of_span(a->how, first + max_records - 1);
        if (share_partition_has_open_gaps(partition) && until > last)
            until = last;
    }
    size_t next = in_flight_ceiling(flight, first); // never overlap, whatever was read
    if (next < flight->count && flight->batches[next].first_offset <= until)
        until = flight->batches[next].first_offset - 1;
    if (first > until)
        return;
    int64_t last_acquired = until;
    if (!a->how->is_record_limit) {
        add_batches(a, first, until);
    } else if (until - first + 1 > max_records) {
        last_acquired = first + max_records - 1;
        add_part(a, first, until, last_acquired);
    } else {
        add_batch(a, first, until);
    }
    if (flight->batches[0].first_offset == first)
        partition->start_offset = first;
    if (until > partition->end_offset)
        partition->end_offset = until;
    share_partition_close_gaps(partition, last_acquired + 1);
    a->count += last_acquired - first + 1;
}

// ---- records in flight -----------------------------------------------------------------------------

static int throttle_from(const struct share_limits *limits)
{
    int half = (limits->max_delivery_count + 1) / 2;
    return half > 2 ? half : 2;
}

static bool is_wanted(const struct acquire_state *a, int64_t offset)
{
    return offset >= a->first_base && offset <= a->last_offset;
}

// Whether some free record of the batch was delivered so often that few others go with it.
static bool must_throttle(const struct acquire_state *a, struct in_flight_batch *batch)
{
    if (batch->each == NULL)
        return in_flight_is_free(&batch->whole) &&
               batch->whole.delivery_count >= throttle_from(a->limits);
    for (int64_t offset = batch->first_offset; offset <= batch->last_offset; offset++) {
        const struct in_flight_state *state = in_flight_at(batch, offset);
        if (is_wanted(a, offset) && in_flight_is_free(state) &&
            state->delivery_count >= throttle_from(a->limits))
            return true;
    }
    return false;
}

// How many records may go with one that was delivered so often.
static int64_t throttled(const struct acquire_state *a, const struct in_flight_batch *batch,
                         int delivery_count)
{
    int shift = delivery_count - throttle_from(a->limits) + 1;
    int64_t most = shift < 62 ? in_flight_size(batch) >> shift : 0;
    return most > 1 ? most : 1;
}

// Adds one record to the ranges of this batch, the last of which it may go on.
static void add_record(struct acquire_state *a, size_t from, int64_t offset, int16_t delivery_count)
{
    if (a->out->count > from) {
        struct share_acquired *last = &a->out->items[a->out->count - 1];
        if (last->last_offset + 1 == offset && last->delivery_count == delivery_count) {
            last->last_offset = offset;
            return;
        }
    }
    share_acquired_add(a->out, offset, offset, delivery_count);
}

// Record by record. How many.
static int64_t acquire_each(struct acquire_state *a, struct in_flight_batch *batch,
                            int64_t max_records)
{
    int limit = a->limits->max_delivery_count;
    int64_t acquired = 0, most = -1;
    size_t from = a->out->count;
    for (int64_t offset = batch->first_offset; offset <= batch->last_offset; offset++) {
        struct in_flight_state *state = in_flight_at(batch, offset);
        if (!is_wanted(a, offset) || !in_flight_is_free(state))
            continue;
        if (limit > 2 && state->delivery_count == limit - 1 && acquired > 0)
            break; // its last delivery: alone
        if (state->delivery_count >= throttle_from(a->limits) && most < 0)
            most = throttled(a, batch, state->delivery_count);
        in_flight_acquire(&a->partition->flight, state, a->member, lock_until(a));
        add_record(a, from, offset, state->delivery_count);
        acquired++;
        if ((state->delivery_count == limit && limit > 2) || acquired == most ||
            (a->how->is_record_limit && acquired == max_records))
            break;
    }
    return acquired;
}

// False: no more is to be acquired.
static bool acquire_batch(struct acquire_state *a, struct in_flight_batch *batch)
{
    bool is_whole = batch->first_offset >= a->first_base && batch->last_offset <= a->last_offset;
    bool is_throttled = must_throttle(a, batch);
    int64_t left = a->max_records - a->count;
    if (is_throttled && a->count > 0)
        return false;
    if (batch->each == NULL && !in_flight_is_free(&batch->whole))
        return true;
    if (is_whole && batch->each == NULL && !is_throttled &&
        !(a->how->is_record_limit && in_flight_size(batch) > left)) {
        in_flight_acquire(&a->partition->flight, &batch->whole, a->member, lock_until(a));
        share_acquired_add(a->out, batch->first_offset, batch->last_offset,
                           batch->whole.delivery_count);
        a->count += in_flight_size(batch);
        return true;
    }
    in_flight_split(&a->partition->flight, batch);
    int64_t acquired = acquire_each(a, batch, left);
    a->count += acquired;
    return !(is_throttled && acquired > 0);
}

// ---- aborted transactions --------------------------------------------------------------------------

static void exclude(struct share_acquired_list *list, int64_t first, int64_t last)
{
    struct share_acquired_list kept = { 0 };
    for (size_t i = 0; i < list->count; i++) {
        const struct share_acquired *at = &list->items[i];
        if (at->last_offset < first || at->first_offset > last) {
            share_acquired_add(&kept, at->first_offset, at->last_offset, at->delivery_count);
            continue;
        }
        if (at->first_offset < first)
            share_acquired_add(&kept, at->first_offset, first - 1, at->delivery_count);
        if (at->last_offset > last)
            share_acquired_add(&kept, last + 1, at->last_offset, at->delivery_count);
    }
    mem_free(list->items);
    *list = kept;
}

static void archive_aborted(struct acquire_state *a)
{
    bool has_aborted = false;
    for (size_t i = 0; i < a->how->spans_count; i++) {
        const struct share_span *span = &a->how->spans[i];
        if (!span->is_aborted)
            continue;
        size_t at = in_flight_floor(&a->partition->flight, span->base_offset);
        share_partition_archive(a->partition, at == SIZE_MAX ? 0 : at, span->base_offset,
                                span->last_offset + 1, SHARE_ACQUIRED, true);
        exclude(a->out, span->base_offset, span->last_offset);
        has_aborted = true;
    }
    a->count = has_aborted ? 0 : a->count;
    for (size_t i = 0; has_aborted && i < a->out->count; i++)
        a->count += a->out->items[i].last_offset - a->out->items[i].first_offset + 1;
}

// ---- all of it -------------------------------------------------------------------------------------

// What is in flight between where was read and what the log gave first is no longer in the log.
static void archive_vanished(struct share_partition *partition, int64_t fetch_offset,
                             int64_t base_offset)
{
    if (partition->flight.count == 0 || fetch_offset >= base_offset)
        return;
    size_t at = in_flight_floor(&partition->flight, fetch_offset);
    if (share_partition_archive(partition, at == SIZE_MAX ? 0 : at, fetch_offset, base_offset,
                                SHARE_AVAILABLE, true))
        partition->has_free = true;
}

// How much may be acquired: up to the limit of records in flight; when that is reached, only what is in flight.
static bool set_limits(struct acquire_state *a)
{
    const struct share_partition *partition = a->partition;
    int64_t in_flight =
        partition->flight.count == 0 ? 0 : partition->end_offset - partition->start_offset + 1;
    int64_t left = a->limits->max_in_flight - in_flight;
    a->max_records = a->how->max_records < left ? a->how->max_records : left;
    if (a->max_records <= 0 && a->how->fetch_offset <= partition->end_offset) {
        int64_t below = partition->end_offset - a->how->fetch_offset + 1;
        a->max_records = a->how->max_records < below ? a->how->max_records : below;
        if (a->last_offset > partition->end_offset)
            a->last_offset = partition->end_offset;
    }
    return a->max_records > 0;
}

// Over the batches in flight from index `at` on, and the open gaps before each. The end of the last one seen.
static int64_t acquire_in_flight(struct acquire_state *a, size_t at, int64_t base)
{
    struct in_flight *flight = &a->partition->flight;
    int64_t gap = base, seen = base - 1;
    bool goes_on = true;
    for (; at < flight->count && flight->batches[at].first_offset <= a->last_offset; at++) {
        seen = flight->batches[at].last_offset;
        if (!goes_on || a->count >= a->max_records)
            continue;
        if (share_partition_has_open_gaps(a->partition)) {
            int64_t first = flight->batches[at].first_offset;
            if (gap < first)
                acquire_new(a, gap, first - 1, a->max_records - a->count);
            at = in_flight_floor(flight, first); // new ones stand before it
            gap = seen + 1;
            if (a->count >= a->max_records)
                continue;
        }
        goes_on = acquire_batch(a, &flight->batches[at]);
    }
    if (!goes_on)
        a->max_records = 0;
    return seen;
}

static void acquire(struct acquire_state *a)
{
    struct share_partition *partition = a->partition;
    struct in_flight *flight = &partition->flight;
    int64_t base = a->first_base;
    archive_vanished(partition, a->how->fetch_offset, base);
    size_t floor = in_flight_floor(flight, base);
    if (floor == SIZE_MAX)
        base = base > partition->start_offset ? base : partition->start_offset;
    else if (flight->batches[floor].last_offset >= base)
        base = flight->batches[floor].first_offset;
    size_t at = in_flight_ceiling(flight, base < a->first_base ? base : a->first_base);
    if (at == flight->count || flight->batches[at].first_offset > a->last_offset) {
        acquire_new(a, base, a->last_offset, a->max_records);
        return;
    }
    int64_t seen = acquire_in_flight(a, at, base);
    if (a->count < a->max_records && seen < a->last_offset)
        acquire_new(a, seen + 1, a->last_offset, a->max_records - a->count);
    if (a->out->count > 0)
        share_partition_close_gaps(partition, a->out->items[a->out->count - 1].last_offset + 1);
}

int64_t share_partition_acquire(struct share_partition *partition,
                                const struct share_limits *limits, const struct share_acquire *how,
                                struct share_acquired_list *out)
{
    if (how->max_records <= 0 || how->spans_count == 0)
        return 0;
    struct acquire_state a = {
        .partition = partition,
        .limits = limits,
        .how = how,
        .out = out,
        .member = in_flight_member(&partition->flight, how->member),
        .last_offset = how->spans[how->spans_count - 1].last_offset,
        .first_base = how->spans[0].base_offset,
    };
    if (a.last_offset < partition->start_offset || !set_limits(&a))
        return 0;
    acquire(&a);
    archive_aborted(&a);
    return a.count;
}
