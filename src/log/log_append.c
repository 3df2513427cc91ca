// SPDX-License-Identifier: Apache-2.0
// Appending: what the leader assigns, and what a follower takes as it comes.
//
//     validate (no lock) → lock → duplicate? fenced? in sequence? → roll if due → offset and epoch into the header →
//     write, or leave it for the next one (log_gather.c) → indexes, log end; producers → unlock → have it synced if
//     that is due (log_flush.c)
//
// Readers see the new log end only after the bytes are in the file.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/must.h"
#include "log/log_internal.h"
#include "log/log_validate.h"

static void clear_result(struct log_append_result *result)
{
    *result = (struct log_append_result){ .first_offset = -1,
                                          .last_offset = -1,
                                          .max_timestamp = NO_TIMESTAMP,
                                          .log_append_time = NO_TIMESTAMP,
                                          .log_start_offset = -1 };
}

// Kafka tells the log start beside these errors, not beside others.
static bool error_tells_log_start(enum kafka_error error)
{
    return error != KERR_MESSAGE_TOO_LARGE && error != KERR_RECORD_LIST_TOO_LARGE &&
           error != KERR_CORRUPT_MESSAGE && error != KERR_KAFKA_STORAGE_ERROR;
}

// A new segment if the append wants one, when everything before it is in the file.
static enum kafka_error roll_if_due(struct log *log, size_t size, int64_t first_offset,
                                    int64_t last_offset, int64_t max_timestamp)
{
    int error = log_need_files(log);
    if (error == 0)
        error = log_need_indexes(log, log_active(log));
    bool roll = false;
    if (error == 0)
        error =
            segment_should_roll(log_active(log), &log->config, clock_wall_ms(log->files.clock),
                                log->gathered.size_bytes + size, max_timestamp, last_offset, &roll);
    if (error == 0 && roll) {
        enum kafka_error failed = log_write_out(log); // what is gathered is the old segment's
        if (failed != KERR_NONE)
            return failed;
        error = log_roll_at(log, first_offset);
    }
    return error == 0 ? KERR_NONE : log_fail(log, "roll", error);
}

// Locked. Everything after the checks; the batches have their offsets and are known to be sound. may_wait: they may be
// left for the next append to write; `piece` stays, then.
// *is_flush_due: who appends demands a flush when the lock is let go.
static enum kafka_error write_batches(struct log *log, struct log_piece *piece, bool may_wait,
                                      int64_t first_offset, int64_t last_offset,
                                      int64_t max_timestamp, bool *is_flush_due)
{
    struct bytes batches = piece->batches;
    if (batches.size > (size_t)log->config.segment_bytes)
        return KERR_RECORD_LIST_TOO_LARGE;
    struct bytes rest = batches, batch;
    bool epochs_changed = log->has_new_epoch;
    while (batch_next(&rest, &batch) == BATCH_FOUND)
        if (batch_leader_epoch(batch.data) >= 0 &&
            leader_epochs_assign(&log->epochs, batch_leader_epoch(batch.data),
                                 batch_base_offset(batch.data)))
            epochs_changed = true;
    if (epochs_changed)
        log->unsynced |= LOG_UNSYNCED_EPOCHS;
    log->has_new_epoch = false;
    log_note_change(log);

    enum kafka_error error =
        roll_if_due(log, batches.size, first_offset, last_offset, max_timestamp);
    if (error != KERR_NONE)
        return error;
    *is_flush_due = log_flush_is_due(log, first_offset, last_offset + 1);
    may_wait = may_wait && log_may_gather(log);
    log_gather(log, piece, last_offset + 1);
    if (!may_wait)
        error = log_write_out(log);
    if (error != KERR_NONE)
        return error;

    bool had_transactions = log->producers.ongoing.count > 0;
    for (rest = batches; batch_next(&rest, &batch) == BATCH_FOUND;) {
        struct completed_txn completed;
        if (!producer_state_apply(&log->producers, batch, &completed))
            continue;
        if (completed.is_aborted) {
            struct aborted_txn aborted = {
                completed.producer_id, completed.first_offset, completed.last_offset,
                producer_state_stable_after(&log->producers, &completed)
            };
            int failed = txn_index_append(&log_active(log)->txns, &aborted);
            if (failed != 0)
                log_fail(log, "append to the transaction index", failed);
        }
        producer_state_complete(&log->producers, &completed);
    }
    if (had_transactions || log->producers.ongoing.count > 0)
        log_update_first_unstable(log);
    return KERR_NONE;
}

// Locked. The one batch of a client or coordinator.
static enum kafka_error append_assigned(struct log *log, struct log_validation *v, bool may_wait,
                                        int32_t leader_epoch,
                                        const struct log_append_transaction *transaction,
                                        struct log_append_result *result, bool *is_flush_due)
{
    if (atomic_load_explicit(&log->has_failed, memory_order_relaxed))
        return KERR_KAFKA_STORAGE_ERROR;
    uint8_t *b = (uint8_t *)v->batch.data;
    bool is_client = v->origin == LOG_APPEND_CLIENT;
    if (is_client && batch_has_producer_id(b)) {
        const struct producer_batch *duplicate = producer_state_duplicate(&log->producers, b);
        if (duplicate != NULL) {
            result->first_offset = duplicate->last_offset - duplicate->offset_delta;
            result->last_offset = duplicate->last_offset;
            result->log_append_time = duplicate->timestamp;
            result->is_duplicate = true;
            return log_write_out(log); // it may be its original that is gathered
        }
    }
    enum kafka_error error =
        producer_state_check(&log->producers, v->batch, is_client, transaction->version,
                             transaction->verification_guard);
    if (error != KERR_NONE)
        return error;
    bool append_time = v->config->message_timestamp_type == LOG_TIMESTAMP_LOG_APPEND_TIME;
    int64_t max_timestamp = append_time ? v->now_ms : v->max_timestamp;
    int64_t first_offset = log_next_offset(log);
    int64_t last_offset = first_offset + batch_last_offset_delta(b);
    if (!v->is_rebuilt)
        batch_set_max_timestamp(v->batch, append_time, max_timestamp);
    batch_set_base_offset(b, first_offset);
    batch_set_leader_epoch(b, leader_epoch);
    struct log_piece here, *piece = may_wait ? arena_new(v->arena, struct log_piece) : &here;
    piece->batches = v->batch;
    error =
        write_batches(log, piece, may_wait, first_offset, last_offset, max_timestamp, is_flush_due);
    if (error != KERR_NONE)
        return error;
    result->is_gathered = log->gathered.count > 0;
    result->first_offset = first_offset;
    result->last_offset = last_offset;
    result->max_timestamp = max_timestamp;
    result->log_append_time = append_time ? v->now_ms : NO_TIMESTAMP;
    result->record_count = v->record_count;
    result->size_bytes = (int32_t)v->batch.size;
    return KERR_NONE;
}

static enum kafka_error append_validated(struct log *log, struct bytes batch, int32_t leader_epoch,
                                         enum log_append_origin origin,
                                         const struct log_append_transaction *transaction,
                                         struct arena *arena, struct log_append_result *result)
{
    bool is_gathered = origin == LOG_APPEND_GATHERED;
    struct log_config config;
    log_get_config(log, &config);
    struct log_validation v = { .config = &config,
                                .origin = is_gathered ? LOG_APPEND_CLIENT : origin,
                                .now_ms = clock_wall_ms(log->files.clock),
                                .log_name = log->name,
                                .arena = arena,
                                .batch = batch };
    bool is_flush_due = false;
    enum kafka_error error = log_validate(&v, result);
    if (error == KERR_NONE) {
        log_lock_gathering(log);
        error =
            append_assigned(log, &v, is_gathered, leader_epoch, transaction, result, &is_flush_due);
        log_unlock(log);
    }
    if (is_flush_due)
        log_flush_demand(log);
    if (error == KERR_NONE || error_tells_log_start(error))
        result->log_start_offset = log_start_offset(log);
    // Another's flush that is under way counts, too, and so does the one that the duplicate's original waits for.
    result->is_flush_due = error == KERR_NONE && log_flush_limit(log) <= result->last_offset;
    // Asked to sync each message and could not: the acknowledgement would be a lie.
    if (error == KERR_NONE && atomic_load(&log->has_failed))
        error = KERR_KAFKA_STORAGE_ERROR;
    return error;
}

// Batches in one piece that have their offsets: sound, ascending, and not before the log's end.
static enum kafka_error append_as_is(struct log *log, struct bytes batches, int64_t *end_offset,
                                     bool *is_flush_due)
{
    struct bytes rest = batches, batch;
    enum kafka_error error = KERR_NONE;
    log_lock(log);
    int64_t first = -1, next = log_end_offset(log), max_timestamp = NO_TIMESTAMP;
    if (atomic_load(&log->has_failed))
        error = KERR_KAFKA_STORAGE_ERROR;
    while (error == KERR_NONE && batch_next(&rest, &batch) == BATCH_FOUND) {
        const uint8_t *b = batch.data;
        if (batch_base_offset(b) < next) {
            trace_error(log->files.trace,
                        "log append out of order dir=\"%s\" offset=%" PRId64 " expected=%" PRId64,
                        log->files.dir, batch_base_offset(b), next);
            error = KERR_UNKNOWN_SERVER_ERROR;
        }
        first = first < 0 ? batch_base_offset(b) : first;
        next = batch_next_offset(b);
        max_timestamp =
            batch_max_timestamp(b) > max_timestamp ? batch_max_timestamp(b) : max_timestamp;
    }
    if (error == KERR_NONE)
        error = write_batches(log, &(struct log_piece){ .batches = batches }, false, first,
                              next - 1, max_timestamp, is_flush_due);
    log_unlock(log);
    *end_offset = next;
    return error;
}

enum kafka_error log_append_leader(struct log *log, struct bytes records, int32_t leader_epoch,
                                   enum log_append_origin origin, struct arena *arena,
                                   struct log_append_result *result)
{
    static const struct log_append_transaction unverified = { LOG_VERIFICATION_NOT_REQUIRED, 0 };
    return log_append_transactional(log, records, leader_epoch, origin, &unverified, arena, result);
}

enum kafka_error log_begin_verification(struct log *log, int64_t producer_id, int16_t epoch,
                                        int32_t sequence, bool adds_partition, uint64_t *guard)
{
    log_lock_gathering(log);
    enum kafka_error error =
        producer_state_begin_verification(&log->producers, producer_id, epoch, sequence,
                                          adds_partition, clock_wall_ms(log->files.clock), guard);
    log_unlock(log);
    return error;
}

enum kafka_error log_append_transactional(struct log *log, struct bytes records,
                                          int32_t leader_epoch, enum log_append_origin origin,
                                          const struct log_append_transaction *transaction,
                                          struct arena *arena, struct log_append_result *result)
{
    must_be(log, LOG_MAGIC);
    clear_result(result);
    struct bytes rest = records, batch;
    if (origin != LOG_APPEND_RAFT_LEADER) {
        enum batch_walk walk = batch_next(&rest, &batch);
        if (walk != BATCH_FOUND)
            return walk == BATCH_CORRUPT ? KERR_CORRUPT_MESSAGE : KERR_INVALID_RECORD;
        struct bytes other;
        if (batch_next(&rest, &other) != BATCH_END)
            return KERR_INVALID_RECORD;
        return append_validated(log, batch, leader_epoch, origin, transaction, arena, result);
    }
    enum kafka_error error = log_check_batches(records);
    while (error == KERR_NONE && batch_next(&rest, &batch) == BATCH_FOUND) {
        if (batch_leader_epoch(batch.data) != leader_epoch)
            error = KERR_INVALID_RECORD;
        if (result->first_offset < 0)
            result->first_offset = batch_base_offset(batch.data);
        result->record_count += batch_record_count(batch.data);
    }
    int64_t end_offset = 0;
    bool is_flush_due; // the quorum decides when
    if (error == KERR_NONE && rest.data > records.data)
        error =
            append_as_is(log, (struct bytes){ records.data, (size_t)(rest.data - records.data) },
                         &end_offset, &is_flush_due);
    if (error != KERR_NONE) {
        clear_result(result);
        return error;
    }
    result->last_offset = end_offset - 1;
    result->size_bytes = (int32_t)(rest.data - records.data);
    result->log_start_offset = log_start_offset(log);
    return KERR_NONE;
}

enum kafka_error log_append_follower(struct log *log, struct bytes records, int32_t leader_epoch,
                                     int64_t *appended_bytes)
{
    must_be(log, LOG_MAGIC);
    enum kafka_error error = log_check_batches(records);
    struct bytes rest = records, batch, before = records;
    if (appended_bytes != NULL)
        *appended_bytes = 0;
    // A batch of a newer epoch came from a leader that we do not follow yet.
    while (error == KERR_NONE && batch_next(&rest, &batch) == BATCH_FOUND &&
           batch_leader_epoch(batch.data) <= leader_epoch)
        before = rest;
    size_t size = (size_t)(before.data - records.data);
    int64_t end_offset;
    bool is_flush_due = false;
    if (error == KERR_NONE && size > 0)
        error = append_as_is(log, (struct bytes){ records.data, size }, &end_offset, &is_flush_due);
    // Its next fetch tells the leader that these are here: a fetcher may wait, and waits for the disk.
    if (is_flush_due && log_flush_now(log) != 0)
        error = KERR_KAFKA_STORAGE_ERROR;
    if (error == KERR_NONE && appended_bytes != NULL)
        *appended_bytes = (int64_t)size;
    return error;
}
