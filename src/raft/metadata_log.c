// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "raft/metadata_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "config/config.h"
#include "log/log.h"
#include "protocol/records/kraft_version.h"
#include "record/record.h"

#define METADATA_PARTITION_DIR "__cluster_metadata-0"

enum {
    READ_SIZE = 1 << 20,
    BATCH_SIZE_MAX = 8 << 20, // Kafka's limit for a batch of this log
};

struct metadata_log {
    struct metadata_log_options options;
    char *dir;
    struct log *log;
    struct snapshot_id *snapshots; // oldest first
    size_t snapshots_count;
    size_t snapshots_capacity;
    struct arena arena; // of what the log answers
};

// ---- snapshots on disk --------------------------------------------------------------------------------------

static int compare_snapshots(const void *a, const void *b)
{
    const struct snapshot_id *x = a;
    const struct snapshot_id *y = b;
    if (x->epoch != y->epoch)
        return x->epoch < y->epoch ? -1 : 1;
    return (x->end_offset > y->end_offset) - (x->end_offset < y->end_offset);
}

static int note_file(void *arg, const char *name)
{
    struct metadata_log *log = arg;
    struct snapshot_id id;
    if (snapshot_name_parse(name, &id)) {
        vec_reserve(log->snapshots, log->snapshots_count + 1, log->snapshots_capacity);
        log->snapshots[log->snapshots_count++] = id;
        return 0;
    }
    // Left behind by a stop in the middle of writing or removing one.
    if (strstr(name, SNAPSHOT_SUFFIX ".part") != NULL ||
        strstr(name, SNAPSHOT_SUFFIX ".deleted") != NULL) {
        char *path = mem_printf("%s/%s", log->dir, name);
        log->options.disk->ops->unlink(log->options.disk, path);
        mem_free(path);
    }
    return 0;
}

static int find_snapshots(struct metadata_log *log)
{
    int error = log->options.disk->ops->list(log->options.disk, log->dir, note_file, log);
    if (log->snapshots_count > 0)
        qsort(log->snapshots, log->snapshots_count, sizeof *log->snapshots, compare_snapshots);
    return error;
}

static const struct snapshot_id *newest_snapshot(const struct metadata_log *log)
{
    return log->snapshots_count == 0 ? NULL : &log->snapshots[log->snapshots_count - 1];
}

static char *snapshot_path(const struct metadata_log *log, struct snapshot_id id)
{
    char name[SNAPSHOT_NAME_SIZE];
    snapshot_name_format(id, name);
    return mem_printf("%s/%s", log->dir, name);
}

int64_t metadata_log_snapshot_offset(const struct metadata_log *log)
{
    const struct snapshot_id *newest = newest_snapshot(log);
    return newest == NULL ? 0 : newest->end_offset;
}

// ---- opening and closing ------------------------------------------------------------------------------------

static struct log_config partition_config(const struct config *config)
{
    struct log_config log_config = log_config_default;
    log_config.segment_bytes = config_int(config, CONFIG_METADATA_LOG_SEGMENT_BYTES);
    log_config.segment_ms = config_long(config, CONFIG_METADATA_LOG_SEGMENT_MS);
    log_config.segment_jitter_ms = 0;
    log_config.max_message_bytes = BATCH_SIZE_MAX;
    log_config.retention_bytes = -1;
    log_config.retention_ms = -1;
    log_config.flush_messages = INT64_MAX; // the controller syncs
    log_config.flush_ms = INT64_MAX;
    return log_config;
}

static int open_log(struct metadata_log *log)
{
    // The metadata topic's id is the number 1.
    struct uuid topic_id = UUID_ZERO;
    topic_id.bytes[15] = 1;
    struct log_config log_config = partition_config(log->options.config);
    struct log_options options = {
        .disk = log->options.disk,
        .clock = log->options.clock,
        .trace = log->options.trace,
        .dir = log->dir,
        .config = &log_config,
        .topic_id = topic_id,
    };
    return log_open(&options, &log->log);
}

int metadata_log_open(const struct metadata_log_options *options, struct metadata_log **out)
{
    struct metadata_log *log = mem_new(struct metadata_log);
    log->options = *options;
    log->dir = mem_printf("%s/%s", options->log_dir, METADATA_PARTITION_DIR);
    arena_init(&log->arena);
    int error = disk_mkdirs(options->disk, log->dir);
    if (error == 0)
        error = find_snapshots(log);
    if (error == 0)
        error = open_log(log);
    if (error == 0 && log_end_offset(log->log) < metadata_log_snapshot_offset(log))
        error = log_truncate_fully(log->log, metadata_log_snapshot_offset(log));
    if (error != 0) {
        trace_error(options->trace, "metadata log cannot be opened dir=\"%s\" error=\"%s\"",
                    log->dir, strerror(-error));
        metadata_log_abandon(log);
        return error;
    }
    *out = log;
    return 0;
}

static void log_free(struct metadata_log *log)
{
    mem_free(log->snapshots);
    mem_free(log->dir);
    arena_fini(&log->arena);
    mem_free(log);
}

int metadata_log_close(struct metadata_log *log)
{
    int error = log_close(log->log);
    log->log = NULL;
    log_free(log);
    return error;
}

void metadata_log_abandon(struct metadata_log *log)
{
    if (log->log != NULL)
        log_abandon(log->log);
    log_free(log);
}

const char *metadata_log_dir(const struct metadata_log *log)
{
    return log->dir;
}

// ---- loading ------------------------------------------------------------------------------------------------

static int load_snapshot(struct metadata_log *log, struct replay *replay,
                         struct quorum_history *history)
{
    const struct snapshot_id *id = newest_snapshot(log);
    if (id == NULL)
        return 0;
    char *path = snapshot_path(log, *id);
    struct strbuf file = STRBUF_EMPTY;
    int error = disk_read_whole(log->options.disk, path, &file);
    struct snapshot_head head;
    const char *reason = NULL;
    if (error == 0 && !snapshot_decode((struct bytes){ (const uint8_t *)file.data, file.size },
                                       history->arena, &head, replay, &reason))
        error = -EBADMSG;
    if (error != 0) {
        trace_error(log->options.trace, "snapshot cannot be read path=\"%s\" reason=\"%s\"", path,
                    reason != NULL ? reason : strerror(-error));
    } else {
        history->kraft_version = head.kraft_version;
        history->voters = head.voters;
        history->is_in_log = id->end_offset > 0;
        history->last_epoch = id->epoch;
        history->last_timestamp = head.last_contained_log_timestamp;
        replay->metadata->offset = id->end_offset - 1;
        replay->metadata->epoch = id->epoch;
    }
    strbuf_fini(&file);
    mem_free(path);
    return error;
}

static bool load_control(struct replay *replay, struct quorum_history *history,
                         const struct record *record, const char **reason)
{
    int type = control_key_type(record->key);
    if (type != CONTROL_KRAFT_VERSION && type != CONTROL_KRAFT_VOTERS)
        return true; // LEADER_CHANGE changes no image
    struct bytes value = arena_bytes(history->arena, record->value);
    void *body = control_record_decode((enum control_type)type, value, history->arena, reason);
    if (body == NULL)
        return false;
    if (type == CONTROL_KRAFT_VOTERS)
        history->voters = body;
    else
        history->kraft_version = ((struct kraft_version_record *)body)->kraft_version;
    history->is_in_log = true;
    (void)replay;
    return true;
}

static bool load_batch(struct bytes batch, struct replay *replay, struct quorum_history *history,
                       const char **reason)
{
    bool is_control = batch_is_control(batch.data);
    int32_t epoch = batch_leader_epoch(batch.data);
    struct record_iter it;
    record_iter_init(&it, batch, RECORDS_WHOLE);
    struct record record;
    bool ok = true;
    while (ok && record_iter_next(&it, &record)) {
        if (is_control) {
            ok = load_control(replay, history, &record, reason);
            replay->metadata->offset = record.offset;
            replay->metadata->epoch = epoch;
        } else {
            ok = replay_value(replay, record.value, record.offset, epoch);
            if (!ok)
                *reason = replay->reason;
        }
    }
    if (ok && it.error != RECORDS_OK) {
        *reason = it.reason;
        ok = false;
    }
    record_iter_fini(&it);
    history->last_epoch = epoch;
    history->last_timestamp = batch_max_timestamp(batch.data);
    return ok;
}

int metadata_log_load(struct metadata_log *log, struct replay *replay,
                      struct quorum_history *history)
{
    int error = load_snapshot(log, replay, history);
    if (error != 0)
        return error;
    int64_t offset = metadata_log_snapshot_offset(log);
    if (offset < log_start_offset(log->log))
        offset = log_start_offset(log->log);
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    int64_t size;
    while (error == 0 && (size = log_read_batches(log->log, offset, READ_SIZE, INT64_MAX, &buffer,
                                                  &capacity)) != 0) {
        if (size < 0) {
            error = (int)size;
            break;
        }
        struct bytes rest = { buffer, (size_t)size };
        struct bytes batch;
        while (error == 0 && batch_next(&rest, &batch) == BATCH_FOUND) {
            int64_t batch_offset = batch_base_offset(batch.data);
            const char *reason = "it is damaged";
            if (batch_next_offset(batch.data) <= offset)
                continue; // the snapshot has it
            if (batch_offset < metadata_log_snapshot_offset(log) || !batch_is_intact(batch) ||
                !load_batch(batch, replay, history, &reason)) {
                trace_error(log->options.trace,
                            "metadata log batch cannot be applied offset=%" PRId64 " reason=\"%s\"",
                            batch_offset, reason);
                error = -EBADMSG;
            }
            offset = batch_next_offset(batch.data);
        }
    }
    mem_free(buffer);
    return error;
}

// ---- appending ----------------------------------------------------------------------------------------------

int64_t metadata_log_end_offset(const struct metadata_log *log)
{
    return log_end_offset(log->log);
}

int metadata_log_append(struct metadata_log *log, struct bytes batches, int32_t epoch)
{
    must(batch_base_offset(batches.data) == log_end_offset(log->log));
    arena_reset(&log->arena);
    struct log_append_result result;
    enum kafka_error error =
        log_append_leader(log->log, batches, epoch, LOG_APPEND_RAFT_LEADER, &log->arena, &result);
    if (error == KERR_NONE)
        return 0;
    trace_error(log->options.trace, "metadata log cannot be written dir=\"%s\" error=%s", log->dir,
                kafka_error_name(error));
    return -EIO;
}

int metadata_log_sync(struct metadata_log *log)
{
    int error = log_flush(log->log, INT64_MAX);
    if (error != 0)
        trace_error(log->options.trace, "metadata log cannot be synced dir=\"%s\" error=\"%s\"",
                    log->dir, strerror(-error));
    return error;
}

int metadata_log_truncate(struct metadata_log *log, int64_t offset)
{
    return log_truncate(log->log, offset);
}

void metadata_log_set_high_watermark(struct metadata_log *log, int64_t offset)
{
    log_set_high_watermark(log->log, offset);
}

// ---- snapshots and retention --------------------------------------------------------------------------------

static int64_t file_size(struct metadata_log *log, struct snapshot_id id, int64_t *modified_ms)
{
    char *path = snapshot_path(log, id);
    struct disk_stat stat = { 0 };
    log->options.disk->ops->stat(log->options.disk, path, &stat);
    mem_free(path);
    *modified_ms = stat.modified_ms;
    return stat.size_bytes;
}

static bool is_too_much(struct metadata_log *log)
{
    int64_t limit_bytes = config_long(log->options.config, CONFIG_METADATA_MAX_RETENTION_BYTES);
    int64_t limit_ms = config_long(log->options.config, CONFIG_METADATA_MAX_RETENTION_MS);
    int64_t oldest_ms = 0;
    int64_t total = log_size_bytes(log->log);
    for (size_t i = 0; i < log->snapshots_count; i++) {
        int64_t modified_ms;
        total += file_size(log, log->snapshots[i], &modified_ms);
        if (i == 0)
            oldest_ms = modified_ms;
    }
    return (limit_bytes >= 0 && total > limit_bytes) ||
           (limit_ms >= 0 && clock_wall_ms(log->options.clock) - oldest_ms > limit_ms);
}

static void clean(struct metadata_log *log)
{
    while (log->snapshots_count >= 2 && is_too_much(log)) {
        // First the log's start, then the file: a stop in between leaves a snapshot too many, never one too few.
        if (log_set_start_offset(log->log, log->snapshots[1].end_offset) != KERR_NONE)
            return;
        char *path = snapshot_path(log, log->snapshots[0]);
        log->options.disk->ops->unlink(log->options.disk, path);
        trace_info(log->options.trace, "snapshot removed path=\"%s\"", path);
        mem_free(path);
        log->snapshots_count--;
        memmove(log->snapshots, log->snapshots + 1, log->snapshots_count * sizeof *log->snapshots);
    }
}

int metadata_log_snapshot(struct metadata_log *log, const struct metadata *metadata,
                          const struct quorum_history *history)
{
    struct snapshot_id id = { metadata->offset + 1, metadata->epoch };
    if (id.end_offset <= metadata_log_snapshot_offset(log))
        return 0;
    struct snapshot_head head = {
        .last_contained_log_timestamp = history->last_timestamp,
        .kraft_version = history->kraft_version,
        .voters = history->voters,
    };
    int error = snapshot_write(log->options.disk, log->dir, id, &head, metadata,
                               clock_wall_ms(log->options.clock));
    if (error != 0) {
        trace_warn(log->options.trace, "snapshot cannot be written offset=%" PRId64 " error=\"%s\"",
                   id.end_offset, strerror(-error));
        return error;
    }
    vec_reserve(log->snapshots, log->snapshots_count + 1, log->snapshots_capacity);
    log->snapshots[log->snapshots_count++] = id;
    trace_info(log->options.trace, "snapshot written offset=%" PRId64 " epoch=%d", id.end_offset,
               id.epoch);
    clean(log);
    return 0;
}
