// SPDX-License-Identifier: Apache-2.0
#include "log/producer_state.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/strbuf.h"
#include "log/partition_dir.h"
#include "record/batch_builder.h"

enum { SNAPSHOT_HEADER_SIZE = 10, SNAPSHOT_ENTRY_SIZE = 46, SNAPSHOT_CRC_START = 6 };

void producer_state_init(struct producer_state *state, const struct log_files *files,
                         int64_t expiration_ms)
{
    memset(state, 0, sizeof *state);
    state->files = files;
    state->expiration_ms = expiration_ms;
    hashmap_init(&state->entries);
    hashmap_init(&state->verifications);
}

static void clear_map(struct hashmap *map)
{
    void *member;
    for (size_t i = 0; (member = hashmap_next(map, &i)) != NULL;)
        mem_free(member);
    hashmap_fini(map);
    hashmap_init(map);
}

static void clear_entries(struct producer_state *state)
{
    clear_map(&state->entries);
    state->ongoing.count = 0;
    state->unreplicated.count = 0;
}

void producer_state_fini(struct producer_state *state)
{
    clear_entries(state);
    clear_map(&state->verifications);
    mem_free(state->ongoing.items);
    mem_free(state->unreplicated.items);
    mem_free(state->snapshot_offsets);
}

static struct producer_entry *find(const struct producer_state *state, int64_t producer_id)
{
    return hashmap_find(&state->entries, &producer_id, sizeof producer_id);
}

// ---- transactions by first offset -------------------------------------------------------------------

static void txns_put(struct producer_txns *txns, struct producer_txn txn)
{
    vec_reserve(txns->items, txns->count + 1, txns->capacity);
    size_t at = txns->count;
    while (at > 0 && txns->items[at - 1].first_offset > txn.first_offset)
        at--;
    if (at > 0 && txns->items[at - 1].first_offset == txn.first_offset) {
        txns->items[at - 1] = txn;
        return;
    }
    memmove(txns->items + at + 1, txns->items + at, (txns->count - at) * sizeof *txns->items);
    txns->items[at] = txn;
    txns->count++;
}

static void txns_remove_at(struct producer_txns *txns, size_t at)
{
    txns->count--;
    memmove(txns->items + at, txns->items + at + 1, (txns->count - at) * sizeof *txns->items);
}

int64_t producer_state_first_unstable(const struct producer_state *state)
{
    int64_t first = state->ongoing.count > 0 ? state->ongoing.items[0].first_offset : INT64_MAX;
    if (state->unreplicated.count > 0 && state->unreplicated.items[0].first_offset < first)
        first = state->unreplicated.items[0].first_offset;
    return first == INT64_MAX ? -1 : first;
}

void producer_state_on_high_watermark(struct producer_state *state, int64_t high_watermark)
{
    for (size_t i = 0; i < state->unreplicated.count;) {
        if (state->unreplicated.items[i].last_offset < high_watermark)
            txns_remove_at(&state->unreplicated, i);
        else
            i++;
    }
}

int64_t producer_state_stable_after(const struct producer_state *state,
                                    const struct completed_txn *completed)
{
    for (size_t i = 0; i < state->ongoing.count; i++)
        if (state->ongoing.items[i].producer_id != completed->producer_id)
            return state->ongoing.items[i].first_offset;
    return completed->last_offset + 1;
}

void producer_state_complete(struct producer_state *state, const struct completed_txn *completed)
{
    for (size_t i = 0; i < state->ongoing.count; i++) {
        if (state->ongoing.items[i].first_offset != completed->first_offset)
            continue;
        struct producer_txn txn = state->ongoing.items[i];
        txn.last_offset = completed->last_offset;
        txns_remove_at(&state->ongoing, i);
        txns_put(&state->unreplicated, txn);
        return;
    }
}

// ---- appending --------------------------------------------------------------------------------------

const struct producer_batch *producer_state_duplicate(const struct producer_state *state,
                                                      const uint8_t *batch)
{
    const struct producer_entry *entry = find(state, batch_producer_id(batch));
    if (entry == NULL || entry->epoch != batch_producer_epoch(batch))
        return NULL;
    for (int i = 0; i < entry->batch_count; i++) {
        const struct producer_batch *b = &entry->batches[i];
        int32_t first =
            (int32_t)(((uint32_t)b->last_sequence - (uint32_t)b->offset_delta) & INT32_MAX);
        if (first == batch_base_sequence(batch) && b->last_sequence == batch_last_sequence(batch))
            return b;
    }
    return NULL;
}

// Type and coordinator epoch of the marker in a control batch; -1: no transaction's marker.
static int read_marker(struct bytes batch, int32_t *coordinator_epoch, int64_t *timestamp)
{
    struct record_iter it;
    struct record record;
    int type = -1;
    record_iter_init(&it, batch, RECORDS_WHOLE);
    if (record_iter_next(&it, &record)) {
        type = control_key_type(record.key);
        if ((type != CONTROL_ABORT && type != CONTROL_COMMIT) ||
            record.value.size < END_TXN_MARKER_SIZE)
            type = -1;
        else
            *coordinator_epoch = (int32_t)get_be32(record.value.data + 2);
        *timestamp = record.timestamp;
    }
    record_iter_fini(&it);
    return type;
}

static enum kafka_error check_marker(const struct producer_entry *entry, struct bytes batch,
                                     int16_t epoch, int transaction_version)
{
    int32_t coordinator_epoch = -1;
    int64_t timestamp;
    if (read_marker(batch, &coordinator_epoch, &timestamp) < 0)
        return KERR_INVALID_RECORD;
    if (entry == NULL)
        return KERR_NONE;
    // Since transactions of version 2 each one has an epoch of its own, so a marker must bring a newer one,
    // unless it is the retry of a marker whose transaction has ended (KIP-890).
    bool is_retry = transaction_version >= 2 && epoch == entry->epoch &&
                    (entry->txn_first_offset < 0 || epoch == INT16_MAX);
    if (transaction_version >= 2 ? epoch <= entry->epoch && !is_retry : epoch < entry->epoch)
        return KERR_INVALID_PRODUCER_EPOCH;
    if (entry->coordinator_epoch > coordinator_epoch)
        return KERR_TRANSACTION_COORDINATOR_FENCED;
    return KERR_NONE;
}

// ---- verification -----------------------------------------------------------------------------------

static struct producer_verification *find_verification(const struct producer_state *state,
                                                       int64_t producer_id)
{
    return hashmap_find(&state->verifications, &producer_id, sizeof producer_id);
}

static bool has_open_transaction(const struct producer_entry *entry, int16_t epoch)
{
    return entry != NULL && entry->txn_first_offset >= 0 && entry->epoch == epoch;
}

enum kafka_error producer_state_begin_verification(struct producer_state *state,
                                                   int64_t producer_id, int16_t epoch,
                                                   int32_t sequence, bool adds_partition,
                                                   int64_t now_ms, uint64_t *guard)
{
    const struct producer_entry *entry = find(state, producer_id);
    *guard = VERIFICATION_GUARD_NONE;
    if (entry != NULL && epoch < entry->epoch)
        return KERR_INVALID_PRODUCER_EPOCH;
    if (has_open_transaction(entry, epoch))
        return KERR_NONE;
    struct producer_verification *verification = find_verification(state, producer_id);
    if (verification == NULL) {
        verification = mem_new(struct producer_verification);
        *verification = (struct producer_verification){ .producer_id = producer_id,
                                                        .since_ms = now_ms,
                                                        .guard = ++state->last_guard,
                                                        .lowest_sequence = sequence,
                                                        .epoch = epoch,
                                                        .adds_partition = adds_partition };
        hashmap_put(&state->verifications, &verification->producer_id,
                    sizeof verification->producer_id, verification);
    }
    if (epoch > verification->epoch || sequence < verification->lowest_sequence) {
        if (epoch >= verification->epoch)
            verification->lowest_sequence = sequence;
        if (epoch > verification->epoch)
            verification->epoch = epoch;
    }
    *guard = verification->guard;
    return KERR_NONE;
}

static void end_verification(struct producer_state *state, const uint8_t *batch)
{
    if (state->verifications.count == 0)
        return;
    int64_t producer_id = batch_producer_id(batch);
    struct producer_verification *verification = find_verification(state, producer_id);
    if (verification == NULL)
        return;
    // With version 2 a marker has the epoch of the next transaction, which may have begun to ask already.
    if (batch_is_control(batch) && verification->adds_partition &&
        verification->epoch == batch_producer_epoch(batch))
        return;
    hashmap_remove(&state->verifications, &producer_id, sizeof producer_id);
    mem_free(verification);
}

static enum kafka_error check_verification(const struct producer_state *state,
                                           const struct producer_entry *entry, const uint8_t *batch,
                                           uint64_t guard)
{
    int16_t epoch = batch_producer_epoch(batch);
    if (has_open_transaction(entry, epoch))
        return KERR_NONE;
    if (entry != NULL && epoch < entry->epoch)
        return KERR_INVALID_PRODUCER_EPOCH;
    const struct producer_verification *verification =
        find_verification(state, batch_producer_id(batch));
    bool is_verified = guard == VERIFICATION_NOT_REQUIRED ||
                       (verification != NULL && verification->guard == guard);
    return is_verified ? KERR_NONE : KERR_INVALID_TXN_STATE;
}

// Sequences that a producer under verification cannot have sent first.
static bool leaves_a_gap(const struct producer_state *state, const struct producer_entry *entry,
                         const uint8_t *batch)
{
    if (state->verifications.count == 0)
        return false;
    const struct producer_verification *verification =
        find_verification(state, batch_producer_id(batch));
    if (verification == NULL)
        return false;
    int32_t first = batch_base_sequence(batch);
    bool is_empty = entry == NULL || entry->batch_count == 0;
    return (verification->adds_partition && first != 0 && is_empty) ||
           first > verification->lowest_sequence;
}

enum kafka_error producer_state_check(const struct producer_state *state, struct bytes batch,
                                      bool is_client, int transaction_version, uint64_t guard)
{
    const uint8_t *b = batch.data;
    if (!batch_has_producer_id(b))
        return KERR_NONE;
    const struct producer_entry *entry = find(state, batch_producer_id(b));
    int16_t epoch = batch_producer_epoch(b);
    if (batch_is_control(b))
        return check_marker(entry, batch, epoch, transaction_version);
    enum kafka_error error =
        batch_is_transactional(b) ? check_verification(state, entry, b, guard) : KERR_NONE;
    if (error != KERR_NONE)
        return error;
    if (entry != NULL && epoch < entry->epoch)
        return KERR_INVALID_PRODUCER_EPOCH;
    if (is_client && leaves_a_gap(state, entry, b))
        return KERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (entry == NULL)
        return KERR_NONE; // an unknown producer may begin anywhere (KIP-360)
    if (is_client && entry->epoch != -1) {
        int32_t first = batch_base_sequence(b);
        int32_t last =
            entry->batch_count == 0 ? -1 : entry->batches[entry->batch_count - 1].last_sequence;
        bool in_sequence = epoch != entry->epoch ? first == 0
                                                 : (int64_t)first == (int64_t)last + 1 ||
                                                       (first == 0 && last == INT32_MAX);
        if (!in_sequence)
            return KERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    if (entry->txn_first_offset >= 0 && !batch_is_transactional(b))
        return KERR_INVALID_TXN_STATE;
    return KERR_NONE;
}

static struct producer_entry *find_or_make(struct producer_state *state, int64_t producer_id)
{
    struct producer_entry *entry = find(state, producer_id);
    if (entry != NULL)
        return entry;
    entry = mem_new(struct producer_entry);
    entry->producer_id = producer_id;
    entry->epoch = -1;
    entry->coordinator_epoch = -1;
    entry->last_timestamp = NO_TIMESTAMP;
    entry->txn_first_offset = -1;
    hashmap_put(&state->entries, &entry->producer_id, sizeof entry->producer_id, entry);
    return entry;
}

static void set_epoch(struct producer_entry *entry, int16_t epoch)
{
    if (entry->epoch != epoch)
        entry->batch_count = 0;
    entry->epoch = epoch;
}

static void add_batch(struct producer_entry *entry, struct producer_batch batch)
{
    if (entry->batch_count == PRODUCER_BATCHES) {
        memmove(entry->batches, entry->batches + 1,
                (PRODUCER_BATCHES - 1) * sizeof *entry->batches);
        entry->batch_count--;
    }
    entry->batches[entry->batch_count++] = batch;
    entry->last_timestamp = batch.timestamp;
}

static bool apply_marker(struct producer_state *state, struct bytes batch,
                         struct completed_txn *completed)
{
    int32_t coordinator_epoch = -1;
    int64_t timestamp = NO_TIMESTAMP;
    int type = read_marker(batch, &coordinator_epoch, &timestamp);
    if (type < 0)
        return false;
    struct producer_entry *entry = find_or_make(state, batch_producer_id(batch.data));
    bool has_ended = entry->txn_first_offset >= 0;
    if (has_ended)
        *completed = (struct completed_txn){ entry->producer_id, entry->txn_first_offset,
                                             batch_base_offset(batch.data), type == CONTROL_ABORT };
    set_epoch(entry, batch_producer_epoch(batch.data));
    entry->coordinator_epoch = coordinator_epoch;
    entry->last_timestamp = timestamp;
    entry->txn_first_offset = -1;
    return has_ended;
}

bool producer_state_apply(struct producer_state *state, struct bytes batch,
                          struct completed_txn *completed)
{
    const uint8_t *b = batch.data;
    bool has_ended = false;
    if (batch_has_producer_id(b) && batch_is_control(b)) {
        has_ended = apply_marker(state, batch, completed);
    } else if (batch_has_producer_id(b)) {
        struct producer_entry *entry = find_or_make(state, batch_producer_id(b));
        set_epoch(entry, batch_producer_epoch(b));
        add_batch(entry, (struct producer_batch){ .last_sequence = batch_last_sequence(b),
                                                  .last_offset = batch_last_offset(b),
                                                  .offset_delta = batch_last_offset_delta(b),
                                                  .timestamp = batch_max_timestamp(b) });
        if (batch_is_transactional(b) && entry->txn_first_offset < 0) {
            entry->txn_first_offset = batch_base_offset(b);
            txns_put(&state->ongoing,
                     (struct producer_txn){ entry->producer_id, entry->txn_first_offset, -1 });
        }
    }
    if (batch_has_producer_id(b) && batch_is_transactional(b))
        end_verification(state, b);
    state->map_end_offset = batch_next_offset(b);
    return has_ended;
}

static bool is_expired(const struct producer_state *state, const struct producer_entry *entry,
                       int64_t now_ms)
{
    return entry->txn_first_offset < 0 &&
           timestamp_minus(now_ms, entry->last_timestamp) >= state->expiration_ms;
}

void producer_state_expire(struct producer_state *state, int64_t now_ms)
{
    struct hashmap kept;
    struct producer_entry *entry;
    hashmap_init(&kept);
    for (size_t i = 0; (entry = hashmap_next(&state->entries, &i)) != NULL;) {
        if (is_expired(state, entry, now_ms))
            mem_free(entry);
        else
            hashmap_put(&kept, &entry->producer_id, sizeof entry->producer_id, entry);
    }
    hashmap_fini(&state->entries);
    state->entries = kept;

    struct producer_verification *verification;
    hashmap_init(&kept);
    for (size_t i = 0; (verification = hashmap_next(&state->verifications, &i)) != NULL;) {
        if (now_ms - verification->since_ms >= state->expiration_ms)
            mem_free(verification);
        else
            hashmap_put(&kept, &verification->producer_id, sizeof verification->producer_id,
                        verification);
    }
    hashmap_fini(&state->verifications);
    state->verifications = kept;
}

// ---- snapshots --------------------------------------------------------------------------------------

void producer_state_add_snapshot(struct producer_state *state, int64_t offset)
{
    size_t at = state->snapshot_count;
    while (at > 0 && state->snapshot_offsets[at - 1] > offset)
        at--;
    if (at > 0 && state->snapshot_offsets[at - 1] == offset)
        return;
    vec_reserve(state->snapshot_offsets, state->snapshot_count + 1, state->snapshot_capacity);
    memmove(state->snapshot_offsets + at + 1, state->snapshot_offsets + at,
            (state->snapshot_count - at) * sizeof *state->snapshot_offsets);
    state->snapshot_offsets[at] = offset;
    state->snapshot_count++;
}

static void forget_snapshot_at(struct producer_state *state, size_t at)
{
    state->snapshot_count--;
    memmove(state->snapshot_offsets + at, state->snapshot_offsets + at + 1,
            (state->snapshot_count - at) * sizeof *state->snapshot_offsets);
}

static int delete_snapshot_at(struct producer_state *state, size_t at)
{
    char *path = log_file_path(state->files->dir, state->snapshot_offsets[at], ".snapshot");
    int error = state->files->disk->ops->unlink(state->files->disk, path);
    mem_free(path);
    forget_snapshot_at(state, at);
    return error == -ENOENT ? 0 : error;
}

int producer_state_delete_snapshot(struct producer_state *state, int64_t offset)
{
    for (size_t i = 0; i < state->snapshot_count; i++)
        if (state->snapshot_offsets[i] == offset)
            return delete_snapshot_at(state, i);
    return 0;
}

int producer_state_mark_snapshot_deleted(struct producer_state *state, int64_t offset)
{
    size_t at = 0;
    while (at < state->snapshot_count && state->snapshot_offsets[at] != offset)
        at++;
    if (at == state->snapshot_count)
        return 0;
    char *path = log_file_path(state->files->dir, offset, ".snapshot");
    char *target = mem_printf("%s.deleted", path);
    int error = state->files->disk->ops->rename(state->files->disk, path, target);
    mem_free(path);
    mem_free(target);
    forget_snapshot_at(state, at);
    return error == -ENOENT ? 0 : error;
}

static void encode_entry(const struct producer_entry *entry, uint8_t *e)
{
    const struct producer_batch none = { -1, 0, -1, -1 };
    const struct producer_batch *last =
        entry->batch_count == 0 ? &none : &entry->batches[entry->batch_count - 1];
    put_be64(e, (uint64_t)entry->producer_id);
    put_be16(e + 8, (uint16_t)entry->epoch);
    put_be32(e + 10, (uint32_t)last->last_sequence);
    put_be64(e + 14, (uint64_t)last->last_offset);
    put_be32(e + 22, (uint32_t)last->offset_delta);
    put_be64(e + 26, (uint64_t)entry->last_timestamp);
    put_be32(e + 34, (uint32_t)entry->coordinator_epoch);
    put_be64(e + 38, (uint64_t)entry->txn_first_offset);
}

static bool has_snapshot(const struct producer_state *state, int64_t offset)
{
    for (size_t i = state->snapshot_count; i > 0 && state->snapshot_offsets[i - 1] >= offset; i--)
        if (state->snapshot_offsets[i - 1] == offset)
            return true;
    return false;
}

// The file is there with these bytes. Recovery comes to what the roll came to, a thousand times; a file that is emptied
// and written again makes some file systems wait for the disk.
static bool is_written(struct producer_state *state, const char *path, const void *bytes,
                       size_t size)
{
    struct strbuf there = STRBUF_EMPTY;
    bool same = disk_read_whole(state->files->disk, path, &there) == 0 && there.size == size &&
                memcmp(there.data, bytes, size) == 0;
    strbuf_fini(&there);
    return same;
}

static int write_snapshot(struct producer_state *state, int64_t offset, bool is_synced)
{
    size_t size = SNAPSHOT_HEADER_SIZE + state->entries.count * SNAPSHOT_ENTRY_SIZE;
    uint8_t *bytes = mem_alloc(size), *at = bytes + SNAPSHOT_HEADER_SIZE;
    struct producer_entry *entry;
    for (size_t i = 0; (entry = hashmap_next(&state->entries, &i)) != NULL;
         at += SNAPSHOT_ENTRY_SIZE)
        encode_entry(entry, at);
    put_be16(bytes, 1);
    put_be32(bytes + 6, (uint32_t)state->entries.count);
    put_be32(bytes + 2, crc32c(bytes + SNAPSHOT_CRC_START, size - SNAPSHOT_CRC_START));
    char *path = log_file_path(state->files->dir, offset, ".snapshot");
    struct disk_file *file;
    bool is_same =
        !is_synced && has_snapshot(state, offset) && is_written(state, path, bytes, size);
    int error =
        is_same ? 0 : disk_open(state->files->disk, path, DISK_CREATE | DISK_TRUNCATE, &file);
    if (error == 0 && !is_same) {
        error = disk_pwrite(file, bytes, size, 0);
        if (error == 0 && is_synced)
            error = state->files->disk->ops->sync(file);
        disk_file_unref(file);
    }
    mem_free(path);
    mem_free(bytes);
    return error;
}

int producer_state_take_snapshot(struct producer_state *state, bool is_synced)
{
    if (state->map_end_offset <= state->last_snapshot_offset)
        return 0;
    int error = write_snapshot(state, state->map_end_offset, is_synced);
    if (error == 0) {
        producer_state_add_snapshot(state, state->map_end_offset);
        state->last_snapshot_offset = state->map_end_offset;
    }
    return error;
}

bool producer_state_decode(struct producer_state *state, struct bytes snapshot, int64_t now_ms)
{
    if (snapshot.size < SNAPSHOT_HEADER_SIZE || get_be16(snapshot.data) != 1)
        return false;
    if (get_be32(snapshot.data + 2) !=
        crc32c(snapshot.data + SNAPSHOT_CRC_START, snapshot.size - SNAPSHOT_CRC_START))
        return false;
    int32_t count = (int32_t)get_be32(snapshot.data + 6);
    if (count < 0 || (snapshot.size - SNAPSHOT_HEADER_SIZE) / SNAPSHOT_ENTRY_SIZE < (size_t)count)
        return false;
    const uint8_t *e = snapshot.data + SNAPSHOT_HEADER_SIZE;
    for (int32_t i = 0; i < count; i++, e += SNAPSHOT_ENTRY_SIZE) {
        struct producer_entry read = { .producer_id = (int64_t)get_be64(e),
                                       .epoch = (int16_t)get_be16(e + 8),
                                       .coordinator_epoch = (int32_t)get_be32(e + 34),
                                       .last_timestamp = (int64_t)get_be64(e + 26),
                                       .txn_first_offset = (int64_t)get_be64(e + 38) };
        if (read.txn_first_offset < 0)
            read.txn_first_offset = -1;
        if (is_expired(state, &read, now_ms))
            continue;
        struct producer_batch last = { .last_sequence = (int32_t)get_be32(e + 10),
                                       .last_offset = (int64_t)get_be64(e + 14),
                                       .offset_delta = (int32_t)get_be32(e + 22),
                                       .timestamp = read.last_timestamp };
        if (last.last_offset >= 0)
            add_batch(&read, last);
        struct producer_entry *entry = find_or_make(state, read.producer_id);
        *entry = read;
        if (read.txn_first_offset >= 0)
            txns_put(&state->ongoing,
                     (struct producer_txn){ read.producer_id, read.txn_first_offset, -1 });
    }
    return true;
}

static int load_newest(struct producer_state *state, int64_t log_start_offset, int64_t now_ms)
{
    while (state->snapshot_count > 0) {
        int64_t offset = state->snapshot_offsets[state->snapshot_count - 1];
        char *path = log_file_path(state->files->dir, offset, ".snapshot");
        struct strbuf content = STRBUF_EMPTY;
        int error = disk_read_whole(state->files->disk, path, &content);
        bool is_good =
            error == 0 &&
            producer_state_decode(
                state, (struct bytes){ (const uint8_t *)content.data, content.size }, now_ms);
        if (error == 0 && !is_good)
            trace_warn(state->files->trace, "producer snapshot damaged file=\"%s\"", path);
        strbuf_fini(&content);
        mem_free(path);
        if (error != 0 && error != -ENOENT)
            return error;
        if (is_good) {
            state->map_end_offset = state->last_snapshot_offset = offset;
            return 0;
        }
        error = delete_snapshot_at(state, state->snapshot_count - 1);
        if (error != 0)
            return error;
    }
    state->map_end_offset = state->last_snapshot_offset = log_start_offset;
    return 0;
}

void producer_state_on_log_start(struct producer_state *state, int64_t log_start_offset)
{
    producer_state_on_high_watermark(state, log_start_offset);
    if (state->map_end_offset < log_start_offset)
        state->map_end_offset = log_start_offset;
    state->last_snapshot_offset = state->snapshot_count > 0
                                      ? state->snapshot_offsets[state->snapshot_count - 1]
                                      : log_start_offset;
}

int producer_state_reload(struct producer_state *state, int64_t log_start_offset,
                          int64_t log_end_offset, int64_t now_ms)
{
    for (size_t i = 0; i < state->snapshot_count;) {
        int64_t offset = state->snapshot_offsets[i];
        if (offset <= log_end_offset && offset > log_start_offset) {
            i++;
            continue;
        }
        int error = delete_snapshot_at(state, i);
        if (error != 0)
            return error;
    }
    if (log_end_offset == state->map_end_offset) {
        producer_state_on_log_start(state, log_start_offset);
        return 0;
    }
    clear_entries(state);
    return load_newest(state, log_start_offset, now_ms);
}

int producer_state_truncate_fully(struct producer_state *state, int64_t offset)
{
    int error = 0;
    clear_entries(state);
    while (state->snapshot_count > 0) {
        int result = delete_snapshot_at(state, state->snapshot_count - 1);
        if (error == 0)
            error = result;
    }
    state->last_snapshot_offset = 0;
    state->map_end_offset = offset;
    return error;
}
