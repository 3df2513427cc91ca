// SPDX-License-Identifier: Apache-2.0
// How acquired records are let go: by the member's acknowledgement, by the end of its session, by the end of a lock.
// Tested by share/share_partition_test.c and share/share_random_test.c.
#include "share/share_partition.h"

#include "base/mem.h"

struct change_state {
    struct share_partition *partition;
    const struct share_limits *limits;
    struct share_change *change;
    int64_t now_ms;
    const char *message;
};

static uint32_t next_transition(struct share_partition *partition)
{
    if (++partition->last_transition == 0)
        partition->last_transition = 1;
    return partition->last_transition;
}

// Leaves ACQUIRED for `to`, which is to be persisted.
static void leave(struct change_state *c, struct in_flight_state *state, int64_t first,
                  int64_t last, enum share_record_state to)
{
    in_flight_leave(&c->partition->flight, state, to, c->limits->max_delivery_count,
                    c->change->transition);
    share_batches_add(&c->change->batches,
                      (struct share_batch){ .first_offset = first,
                                            .last_offset = last,
                                            .delivery_count = state->delivery_count,
                                            .state = (int8_t)state->state });
    if (share_state_is_terminal(state->state))
        c->partition->delivery_complete_count += share_partition_count(c->partition, first, last);
}

static bool has_start_inside(const struct share_partition *partition,
                             const struct in_flight_batch *batch)
{
    return batch->first_offset < partition->start_offset &&
           batch->last_offset >= partition->start_offset;
}

// ---- acknowledge -----------------------------------------------------------------------------------

static enum kafka_error refuse(struct change_state *c, const char *message)
{
    c->message = message;
    return KERR_INVALID_RECORD_STATE;
}

static enum kafka_error acknowledge_one(struct change_state *c, struct in_flight_state *state,
                                        int64_t first, int64_t last, int8_t type)
{
    static const enum share_record_state states[] = { [SHARE_GAP] = SHARE_ARCHIVED,
                                                      [SHARE_ACCEPT] = SHARE_ACKNOWLEDGED,
                                                      [SHARE_RELEASE] = SHARE_AVAILABLE,
                                                      [SHARE_REJECT] = SHARE_ARCHIVED };
    if (type != SHARE_RENEW) {
        leave(c, state, first, last, states[type]);
        return KERR_NONE;
    }
    if (!c->limits->is_renew_enabled)
        return refuse(c, "Renewing acquisition locks is not enabled for the group.");
    state->lock_until_ms = c->now_ms + c->limits->lock_ms;
    return KERR_NONE;
}

static enum kafka_error acknowledge_each(struct change_state *c, uint32_t member,
                                         const struct share_acknowledgement *ack,
                                         struct in_flight_batch *batch)
{
    for (int64_t offset = batch->first_offset; offset <= batch->last_offset; offset++) {
        if (offset < ack->first_offset || offset < c->partition->start_offset)
            continue;
        if (offset > ack->last_offset)
            break;
        struct in_flight_state *state = in_flight_at(batch, offset);
        if (state->state != SHARE_ACQUIRED)
            return refuse(c, "The offset cannot be acknowledged. The offset is not acquired.");
        if (state->member != member || member == SHARE_NO_MEMBER)
            return refuse(c, "Member is not the owner of offset");
        int8_t type = ack->types[ack->types_count > 1 ? offset - ack->first_offset : 0];
        enum kafka_error error = acknowledge_one(c, state, offset, offset, type);
        if (error != KERR_NONE)
            return error;
    }
    return KERR_NONE;
}

static enum kafka_error acknowledge_batch(struct change_state *c, uint32_t member,
                                          const struct share_acknowledgement *ack,
                                          struct in_flight_batch *batch)
{
    if (batch->last_offset < c->partition->start_offset)
        return KERR_NONE;
    if (batch->each == NULL) {
        uint32_t owner = in_flight_owner(&batch->whole);
        if (owner == SHARE_NO_MEMBER)
            return refuse(
                c, "The batch cannot be acknowledged. The batch is not in the acquired state.");
        if (owner != member)
            return refuse(c, "Member is not the owner of batch record");
        bool is_whole =
            batch->first_offset >= ack->first_offset && batch->last_offset <= ack->last_offset;
        if (is_whole && ack->types_count == 1 && !has_start_inside(c->partition, batch))
            return acknowledge_one(c, &batch->whole, batch->first_offset, batch->last_offset,
                                   ack->types[0]);
        in_flight_split(&c->partition->flight, batch);
    }
    return acknowledge_each(c, member, ack, batch);
}

// The index of the first batch that the acknowledgement concerns.
static enum kafka_error find_first(struct change_state *c, const struct share_acknowledgement *ack,
                                   size_t *first)
{
    const struct share_partition *partition = c->partition;
    const struct in_flight *flight = &partition->flight;
    *first = in_flight_floor(flight, ack->first_offset);
    if (*first == SIZE_MAX && ack->first_offset < partition->start_offset)
        *first = in_flight_floor(flight, partition->start_offset);
    if (*first == SIZE_MAX)
        return refuse(
            c, "Batch record not found. The request batch offsets are not found in the cache.");
    size_t last = in_flight_floor(flight, ack->last_offset);
    int64_t end = flight->batches[last == SIZE_MAX || last < *first ? *first : last].last_offset;
    c->message = NULL;
    if (end < ack->first_offset)
        c->message =
            "Batch record not found. The first offset in request is past acquired records.";
    else if (ack->last_offset > end)
        c->message = "Batch record not found. The last offset in request is past acquired records.";
    return c->message == NULL ? KERR_NONE : KERR_INVALID_REQUEST;
}

static enum kafka_error acknowledge(struct change_state *c, uint32_t member,
                                    const struct share_acknowledgement *ack)
{
    const struct in_flight *flight = &c->partition->flight;
    if (ack->last_offset < c->partition->start_offset)
        return KERR_NONE;
    size_t at;
    enum kafka_error error = find_first(c, ack, &at);
    for (; error == KERR_NONE && at < flight->count &&
           flight->batches[at].first_offset <= ack->last_offset;
         at++)
        error = acknowledge_batch(c, member, ack, &flight->batches[at]);
    return error;
}

enum kafka_error share_partition_acknowledge(struct share_partition *partition,
                                             const struct share_limits *limits, struct str member,
                                             const struct share_acknowledgement *acknowledgements,
                                             size_t count, int64_t now_ms,
                                             struct share_change *change, const char **message)
{
    *change = (struct share_change){ .transition = next_transition(partition) };
    struct change_state c = { partition, limits, change, now_ms, NULL };
    uint32_t number = in_flight_find_member(&partition->flight, member);
    enum kafka_error error = KERR_NONE;
    for (size_t i = 0; i < count && error == KERR_NONE; i++)
        error = acknowledge(&c, number, &acknowledgements[i]);
    *message = c.message;
    if (error != KERR_NONE)
        share_partition_settle(partition, limits, change, false, now_ms);
    return error;
}

// ---- release and expire ----------------------------------------------------------------------------

// Gives the whole batch, or each of its records, for which `is_due` holds, free; what lies before the start is done.
static void let_go(struct change_state *c, bool (*is_due)(const struct in_flight_state *, int64_t),
                   int64_t context)
{
    struct share_partition *partition = c->partition;
    for (size_t i = 0; i < partition->flight.count; i++) {
        struct in_flight_batch *batch = &partition->flight.batches[i];
        if (batch->each == NULL && is_due(&batch->whole, context) &&
            has_start_inside(partition, batch))
            in_flight_split(&partition->flight, batch);
        int64_t step = batch->each != NULL ? 1 : in_flight_size(batch);
        for (int64_t o = batch->first_offset; o <= batch->last_offset; o += step) {
            struct in_flight_state *state = in_flight_at(batch, o);
            if (!is_due(state, context))
                continue;
            leave(c, state, o, o + step - 1,
                  o + step - 1 < partition->start_offset ? SHARE_ARCHIVED : SHARE_AVAILABLE);
            if (c->change->transition == 0 && state->state != SHARE_ARCHIVED)
                partition->has_free = true;
        }
    }
}

static bool is_held_by(const struct in_flight_state *state, int64_t member)
{
    return state->state == SHARE_ACQUIRED && state->transition == 0 &&
           state->member == (uint32_t)member;
}

void share_partition_release(struct share_partition *partition, const struct share_limits *limits,
                             struct str member, struct share_change *change)
{
    *change = (struct share_change){ .transition = next_transition(partition) };
    uint32_t number = in_flight_find_member(&partition->flight, member);
    struct change_state c = { partition, limits, change, 0, NULL };
    if (number != SHARE_NO_MEMBER)
        let_go(&c, is_held_by, number);
}

static bool is_locked(const struct in_flight_state *state)
{
    return state->state == SHARE_ACQUIRED && state->transition == 0 && state->lock_until_ms != 0;
}

static bool is_over(const struct in_flight_state *state, int64_t now_ms)
{
    return is_locked(state) && state->lock_until_ms <= now_ms;
}

void share_partition_expire(struct share_partition *partition, const struct share_limits *limits,
                            int64_t now_ms, struct share_change *change)
{
    *change = (struct share_change){ .transition = 0 };
    struct change_state c = { partition, limits, change, now_ms, NULL };
    let_go(&c, is_over, now_ms);
}

int64_t share_partition_next_expiry_ms(const struct share_partition *partition)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < partition->flight.count; i++) {
        struct in_flight_batch *batch = &partition->flight.batches[i];
        int64_t step = batch->each != NULL ? 1 : in_flight_size(batch);
        for (int64_t o = batch->first_offset; o <= batch->last_offset; o += step) {
            const struct in_flight_state *state = in_flight_at(batch, o);
            if (is_locked(state) && state->lock_until_ms < next)
                next = state->lock_until_ms;
        }
    }
    return next;
}
