// SPDX-License-Identifier: Apache-2.0
// Evaluate and replay. See the header.
// Tested by share_coordinator/share_coordinator_test.c.
#include "share_coordinator/share_shard.h"

#include <errno.h>

#include "base/mem.h"
#include "protocol/error_message.h"

// A share partition. Its key in the map: topic id, partition, group.
struct share_state {
    struct share_content state;
    int32_t highest_leader_epoch; // ever seen
    int32_t highest_state_epoch;  // -1: none seen
    int32_t update_count;         // since the last snapshot that found it at its limit
    int64_t snapshot_offset; // of the last snapshot; -1: none (its log was cut by somebody else)
    int32_t partition;
    struct uuid topic_id;
    struct str group; // in `key`
    size_t key_size;
    uint8_t key[];
};

enum { KEY_PREFIX = 16 + 4, KEY_SCRATCH = KEY_PREFIX + 256 };

// ---- the map ---------------------------------------------------------------------------------------

static void fill_key(uint8_t *into, struct str group, struct uuid topic_id, int32_t partition)
{
    memcpy(into, topic_id.bytes, sizeof topic_id.bytes);
    put_be32(into + 16, (uint32_t)partition);
    memcpy(into + KEY_PREFIX, group.data, group.size);
}

static struct share_state *find(const struct share_shard *shard, struct str group,
                                struct uuid topic_id, int32_t partition)
{
    uint8_t scratch[KEY_SCRATCH];
    size_t size = KEY_PREFIX + group.size;
    uint8_t *key = size <= sizeof scratch ? scratch : mem_alloc(size);
    fill_key(key, group, topic_id, partition);
    struct share_state *found = hashmap_find(&shard->partitions, key, size);
    if (key != scratch)
        mem_free(key);
    return found;
}

static struct share_state *find_or_add(struct share_shard *shard,
                                       const struct share_snapshot_key *key)
{
    struct share_state *state = find(shard, key->group_id, key->topic_id, key->partition);
    if (state != NULL)
        return state;
    size_t size = KEY_PREFIX + key->group_id.size;
    state = mem_zalloc(sizeof *state + size);
    state->state.leader_epoch = state->highest_leader_epoch = state->highest_state_epoch = -1;
    state->snapshot_offset = -1;
    state->partition = key->partition;
    state->topic_id = key->topic_id;
    state->key_size = size;
    fill_key(state->key, key->group_id, key->topic_id, key->partition);
    state->group = (struct str){ (const char *)state->key + KEY_PREFIX, key->group_id.size };
    hashmap_put(&shard->partitions, state->key, size, state);
    return state;
}

static void state_free(struct share_state *state)
{
    share_batches_fini(&state->state.batches);
    mem_free(state);
}

static struct share_snapshot_key key_of(const struct share_state *state)
{
    return (struct share_snapshot_key){ state->group, state->topic_id, state->partition };
}

static const struct share_coordinator_config *config_of(const struct share_shard *shard)
{
    return &share_coordinator_options_of(shard->owner)->config;
}

// ---- replay ----------------------------------------------------------------------------------------

static int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static void replay_snapshot(struct share_shard *shard, const struct share_log_record *record,
                            int64_t offset)
{
    const struct share_snapshot_value *value = &record->snapshot;
    struct share_state *state = find_or_add(shard, &record->key);
    struct share_content *of = &state->state;
    of->snapshot_epoch = value->snapshot_epoch;
    of->state_epoch = value->state_epoch;
    of->leader_epoch = value->leader_epoch;
    of->start_offset = value->start_offset;
    of->delivery_complete_count = value->delivery_complete_count;
    of->create_timestamp_ms = value->create_timestamp;
    of->write_timestamp_ms = value->write_timestamp;
    share_batches_fini(&of->batches);
    for (int32_t i = 0; i < value->state_batches_count; i++)
        share_batches_add(&of->batches,
                          (struct share_batch){
                              .first_offset = value->state_batches[i].first_offset,
                              .last_offset = value->state_batches[i].last_offset,
                              .state = value->state_batches[i].delivery_state,
                              .delivery_count = value->state_batches[i].delivery_count,
                          });
    state->highest_leader_epoch = later(state->highest_leader_epoch, value->leader_epoch);
    state->highest_state_epoch = later(state->highest_state_epoch, value->state_epoch);
    if (state->update_count >= config_of(shard)->updates_per_snapshot)
        state->update_count = 0;
    state->snapshot_offset = offset;
}

static void replay_tombstone(struct share_shard *shard, const struct share_snapshot_key *key,
                             int64_t offset)
{
    struct share_state *state = find(shard, key->group_id, key->topic_id, key->partition);
    shard->last_tombstone_offset = offset;
    if (state == NULL)
        return;
    hashmap_remove(&shard->partitions, state->key, state->key_size);
    state_free(state);
}

static void replay_update(struct share_shard *shard, const struct share_log_record *record)
{
    const struct share_update_value *value = &record->update;
    bool is_new =
        find(shard, record->key.group_id, record->key.topic_id, record->key.partition) == NULL;
    struct share_state *state = find_or_add(shard, &record->key);
    struct share_content *of = &state->state;
    struct share_batches newer = SHARE_BATCHES_EMPTY, combined = SHARE_BATCHES_EMPTY;
    for (int32_t i = 0; i < value->state_batches_count; i++)
        share_batches_add(&newer, (struct share_batch){
                                      .first_offset = value->state_batches[i].first_offset,
                                      .last_offset = value->state_batches[i].last_offset,
                                      .state = value->state_batches[i].delivery_state,
                                      .delivery_count = value->state_batches[i].delivery_count,
                                  });
    if (is_new) { // its snapshot is not in the log: the update is all there is
        of->snapshot_epoch = value->snapshot_epoch;
        of->start_offset = value->start_offset;
        of->batches = newer;
    } else {
        if (value->start_offset != -1)
            of->start_offset = value->start_offset;
        share_batches_combine(&combined, of->batches.items, of->batches.count, newer.items,
                              newer.count, of->start_offset);
        share_batches_fini(&of->batches);
        share_batches_fini(&newer);
        of->batches = combined;
    }
    if (is_new || value->leader_epoch != -1)
        of->leader_epoch = value->leader_epoch;
    of->delivery_complete_count = value->delivery_complete_count;
    state->highest_leader_epoch = later(state->highest_leader_epoch, value->leader_epoch);
    state->update_count++;
}

static int replay(void *object, int64_t offset, int64_t producer_id, struct bytes key,
                  struct bytes value)
{
    (void)producer_id;
    struct share_shard *shard = object;
    struct arena arena;
    struct share_log_record record;
    arena_init(&arena);
    int result = share_record_decode(key, value, &arena, &record) ? 0 : -EINVAL;
    if (result != 0 || !record.is_known)
        ;
    else if (!record.is_snapshot)
        replay_update(shard, &record);
    else if (record.is_tombstone)
        replay_tombstone(shard, &record.key, offset);
    else
        replay_snapshot(shard, &record, offset);
    arena_fini(&arena);
    return result;
}

static void replay_end_transaction(void *object, int64_t producer_id, bool committed)
{
    (void)object;
    (void)producer_id;
    (void)committed; // nobody writes this topic in transactions
}

// ---- evaluating ------------------------------------------------------------------------------------

static void fail(struct share_state_call *call, enum kafka_error error, const char *message)
{
    call->error = error;
    call->error_message = str_of(message);
}

static bool is_fenced(const struct share_state_call *call, const struct share_state *state)
{
    bool has_leader_epoch = call->op == SHARE_STATE_READ || call->op == SHARE_STATE_WRITE;
    bool has_state_epoch = call->op == SHARE_STATE_INITIALIZE || call->op == SHARE_STATE_WRITE;
    return (has_leader_epoch && call->leader_epoch != -1 &&
            state->highest_leader_epoch > call->leader_epoch) ||
           (has_state_epoch && call->state_epoch != -1 &&
            state->highest_state_epoch > call->state_epoch);
}

static void fence(struct share_state_call *call, const struct share_state *state)
{
    if (call->op != SHARE_STATE_INITIALIZE && call->leader_epoch != -1 &&
        state->highest_leader_epoch > call->leader_epoch)
        fail(call, KERR_FENCED_LEADER_EPOCH,
             "The leader epoch in the request is older than the epoch on the broker.");
    else
        fail(call, KERR_FENCED_STATE_EPOCH,
             "The share coordinator rejected the request because the share-group state epoch did "
             "not match.");
}

static void check(struct share_shard *shard, struct share_state_call *call,
                  const struct share_state *state)
{
    const struct share_coordinator_options *options = share_coordinator_options_of(shard->owner);
    call->error = KERR_NONE;
    if (call->partition < 0)
        fail(call, KERR_INVALID_REQUEST, "The partition id cannot be a negative number.");
    else if (state == NULL && call->op == SHARE_STATE_WRITE)
        fail(call, KERR_INVALID_REQUEST,
             "Write operation on uninitialized share partition not allowed.");
    else if (state == NULL && call->op == SHARE_STATE_READ)
        fail(call, KERR_INVALID_REQUEST,
             "Read operation on uninitialized share partition not allowed.");
    else if (state != NULL && is_fenced(call, state))
        fence(call, state);
    else if (options->topic_partitions(options->owner, call->topic_id) <= call->partition)
        fail(call, KERR_UNKNOWN_TOPIC_OR_PARTITION,
             kafka_error_message(KERR_UNKNOWN_TOPIC_OR_PARTITION));
}

static void initialize(struct share_shard *shard, const struct share_state_call *call,
                       const struct share_state *state)
{
    int64_t now_ms = coordinator_wall_ms(shard->shard);
    share_record_add_snapshot(
        shard->shard, &(struct share_snapshot_key){ call->group, call->topic_id, call->partition },
        &(struct share_content){
            .snapshot_epoch = state != NULL ? state->state.snapshot_epoch + 1 : 0,
            .state_epoch = call->state_epoch,
            .start_offset = call->start_offset,
            .delivery_complete_count = call->start_offset == -1 ? -1 : 0,
            .create_timestamp_ms = now_ms,
            .write_timestamp_ms = now_ms,
        });
}

// An update, or a snapshot when there were updates enough.
static void write_state(struct share_shard *shard, const struct share_state *state,
                        struct share_content news, const struct share_batch *batches,
                        size_t batches_count)
{
    struct share_snapshot_key key = key_of(state);
    const struct share_content *of = &state->state;
    news.snapshot_epoch = of->snapshot_epoch;
    if (state->update_count < config_of(shard)->updates_per_snapshot) {
        share_batches_combine(&news.batches, NULL, 0, batches, batches_count, news.start_offset);
        share_record_add_update(shard->shard, &key, &news);
    } else {
        news.snapshot_epoch++;
        news.state_epoch = of->state_epoch;
        if (news.start_offset == -1)
            news.start_offset = of->start_offset;
        news.create_timestamp_ms = news.write_timestamp_ms = coordinator_wall_ms(shard->shard);
        share_batches_combine(&news.batches, of->batches.items, of->batches.count, batches,
                              batches_count, news.start_offset);
        share_record_add_snapshot(shard->shard, &key, &news);
    }
    share_batches_fini(&news.batches);
}

static void answer_read(struct share_state_call *call, const struct share_state *state)
{
    const struct share_content *of = &state->state;
    call->start_offset = of->start_offset;
    call->state_epoch = of->state_epoch;
    call->batches_count = of->batches.count;
    call->batches =
        arena_dup(call->arena, of->batches.items, of->batches.count * sizeof *of->batches.items);
}

static void answer_summary(struct share_state_call *call, const struct share_state *state)
{
    static const struct share_content none = { .start_offset = -1, .delivery_complete_count = -1 };
    const struct share_content *of = state != NULL ? &state->state : &none;
    call->start_offset = of->start_offset;
    call->delivery_complete_count = of->delivery_complete_count;
    call->leader_epoch = of->leader_epoch;
    call->state_epoch = of->state_epoch;
}

// A read also makes the reader's leader epoch known, so that leaders before it are fenced.
static void read_state(struct share_shard *shard, struct share_state_call *call,
                       const struct share_state *state)
{
    answer_read(call, state);
    if (call->leader_epoch == -1 || state->highest_leader_epoch == call->leader_epoch)
        return;
    write_state(shard, state,
                (struct share_content){
                    .leader_epoch = call->leader_epoch,
                    .start_offset = state->state.start_offset,
                    .delivery_complete_count = state->state.delivery_complete_count,
                },
                NULL, 0);
}

void share_shard_evaluate(struct share_shard *shard, struct share_state_call *call)
{
    struct share_state *state = find(shard, call->group, call->topic_id, call->partition);
    check(shard, call, state);
    if (call->error != KERR_NONE)
        return;
    switch (call->op) {
    case SHARE_STATE_INITIALIZE:
        initialize(shard, call, state);
        break;
    case SHARE_STATE_READ:
        read_state(shard, call, state);
        break;
    case SHARE_STATE_WRITE:
        write_state(shard, state,
                    (struct share_content){
                        .leader_epoch = state->state.leader_epoch,
                        .start_offset = call->start_offset,
                        .delivery_complete_count = call->delivery_complete_count,
                    },
                    call->batches, call->batches_count);
        break;
    case SHARE_STATE_DELETE:
        if (state != NULL)
            share_record_add_tombstone(
                shard->shard,
                &(struct share_snapshot_key){ call->group, call->topic_id, call->partition });
        break;
    case SHARE_STATE_SUMMARY:
        answer_summary(call, state);
        break;
    }
    enum kafka_error error = coordinator_append(shard->shard, true);
    if (error != KERR_NONE) {
        call->error = error;
        call->is_unavailable = true;
    }
}

// ---- by themselves ---------------------------------------------------------------------------------

void share_shard_forget_topics(struct share_shard *shard, const struct uuid *ids, int32_t count)
{
    struct share_state *state;
    for (size_t i = 0; (state = hashmap_next(&shard->partitions, &i)) != NULL;) {
        struct share_snapshot_key key = key_of(state);
        for (int32_t t = 0; t < count; t++)
            if (uuid_eq(ids[t], state->topic_id))
                share_record_add_tombstone(shard->shard, &key);
    }
    coordinator_append_each(shard->shard); // what was not written goes when the topic's log does
}

// When no share partition is left whose last snapshot was long ago, a snapshot of each of those makes their old
// records redundant. Nothing is done when all had such a snapshot already.
static void snapshot_cold(struct share_shard *shard)
{
    int64_t now_ms = coordinator_wall_ms(shard->shard);
    size_t done = 0;
    struct share_state *state;
    for (size_t i = 0; (state = hashmap_next(&shard->partitions, &i)) != NULL;)
        done += state->state.create_timestamp_ms != state->state.write_timestamp_ms;
    if (done == shard->partitions.count)
        return;
    for (size_t i = 0; (state = hashmap_next(&shard->partitions, &i)) != NULL;) {
        if (now_ms - state->state.write_timestamp_ms < config_of(shard)->cold_snapshot_ms)
            continue;
        struct share_snapshot_key key = key_of(state);
        struct share_content again = state->state; // borrows the batches
        again.snapshot_epoch++;
        again.write_timestamp_ms = now_ms;
        share_record_add_snapshot(shard->shard, &key, &again);
    }
    coordinator_append_each(shard->shard);
}

int64_t share_shard_redundant_offset(const struct share_shard *shard)
{
    int64_t least = INT64_MAX;
    struct share_state *state;
    for (size_t i = 0; (state = hashmap_next(&shard->partitions, &i)) != NULL;)
        if (state->snapshot_offset >= 0 && state->snapshot_offset < least)
            least = state->snapshot_offset;
    if (least == INT64_MAX)
        least = shard->last_tombstone_offset;
    return least > 0 ? least : -1;
}

static int64_t after_ms(const struct share_shard *shard, int64_t ms)
{
    return coordinator_now_us(shard->shard) + ms * 1000;
}

static void on_snapshot_timer(struct timer *timer)
{
    struct share_shard *shard = container_of(timer, struct share_shard, snapshot_timer);
    snapshot_cold(shard);
    coordinator_set_timer(shard->shard, timer, after_ms(shard, config_of(shard)->cold_snapshot_ms));
}

static void on_prune_timer(struct timer *timer)
{
    struct share_shard *shard = container_of(timer, struct share_shard, prune_timer);
    const struct share_coordinator_options *options = share_coordinator_options_of(shard->owner);
    int64_t offset = share_shard_redundant_offset(shard);
    if (offset >= 0 && offset != shard->pruned_offset) {
        shard->pruned_offset = offset;
        options->prune(options->owner, coordinator_shard_partition(shard->shard), offset);
    }
    coordinator_set_timer(shard->shard, timer, after_ms(shard, options->config.prune_interval_ms));
}

// ---- life ------------------------------------------------------------------------------------------

static void *create(struct coordinator_shard *coordinator_shard, void *owner)
{
    struct share_shard *shard = mem_new(struct share_shard);
    shard->shard = coordinator_shard;
    shard->owner = owner;
    shard->last_tombstone_offset = shard->pruned_offset = -1;
    hashmap_init(&shard->partitions);
    timer_init(&shard->snapshot_timer, on_snapshot_timer);
    timer_init(&shard->prune_timer, on_prune_timer);
    return shard;
}

static void destroy(void *object)
{
    struct share_shard *shard = object;
    struct share_state *state;
    for (size_t i = 0; (state = hashmap_next(&shard->partitions, &i)) != NULL;)
        state_free(state);
    hashmap_fini(&shard->partitions);
    mem_free(shard);
}

static void on_loaded(void *object)
{
    struct share_shard *shard = object;
    const struct share_coordinator_config *config = config_of(shard);
    coordinator_set_timer(shard->shard, &shard->snapshot_timer,
                          after_ms(shard, config->cold_snapshot_ms));
    coordinator_set_timer(shard->shard, &shard->prune_timer,
                          after_ms(shard, config->prune_interval_ms));
}

static void on_unloaded(void *object)
{
    struct share_shard *shard = object;
    coordinator_cancel_timer(shard->shard, &shard->snapshot_timer);
    coordinator_cancel_timer(shard->shard, &shard->prune_timer);
}

const struct coordinator_state_ops share_shard_ops = {
    .create = create,
    .destroy = destroy,
    .replay = replay,
    .replay_end_transaction = replay_end_transaction,
    .on_loaded = on_loaded,
    .on_unloaded = on_unloaded,
};
