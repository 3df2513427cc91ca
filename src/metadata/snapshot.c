// SPDX-License-Identifier: Apache-2.0
#include "metadata/snapshot.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/must.h"
#include "metadata/image_writer.h"
#include "protocol/records/kraft_version.h"
#include "protocol/records/snapshot_footer.h"
#include "protocol/records/snapshot_header.h"

// Kafka's: so many records to a batch of a snapshot.
enum { RECORDS_PER_BATCH = 1024 };

void snapshot_name_format(struct snapshot_id id, char out[SNAPSHOT_NAME_SIZE])
{
    int size = snprintf(out, SNAPSHOT_NAME_SIZE, "%020lld-%010d" SNAPSHOT_SUFFIX,
                        (long long)id.end_offset, id.epoch);
    must(size == SNAPSHOT_NAME_SIZE - 1);
}

bool snapshot_name_parse(const char *name, struct snapshot_id *out)
{
    if (strlen(name) != SNAPSHOT_NAME_SIZE - 1 || name[20] != '-' ||
        strcmp(name + 31, SNAPSHOT_SUFFIX) != 0)
        return false;
    for (int i = 0; i < 31; i++)
        if (i != 20 && (name[i] < '0' || name[i] > '9'))
            return false;
    int64_t epoch;
    bool ok = str_to_int64((struct str){ name, 20 }, &out->end_offset) &&
              str_to_int64((struct str){ name + 21, 10 }, &epoch) && epoch <= INT32_MAX;
    out->epoch = ok ? (int32_t)epoch : 0;
    return ok;
}

// ---- writing ------------------------------------------------------------------------------------------------

// Batches go to a file, or are gathered.
struct writing {
    struct disk_file *file;
    int64_t position;
    struct strbuf *gathered;
    int error;
    struct batch_builder builder;
    int64_t next_offset;
    int32_t epoch;
    int64_t now_ms;
    struct arena arena;
};

static void batch_begin(struct writing *writing, bool is_control)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.base_offset = writing->next_offset;
    options.leader_epoch = writing->epoch;
    options.is_control = is_control;
    batch_builder_reset(&writing->builder, &options);
}

static void batch_end(struct writing *writing)
{
    if (writing->builder.count == 0)
        return;
    writing->next_offset += writing->builder.count;
    struct bytes batch = batch_builder_finish(&writing->builder);
    if (writing->gathered != NULL) {
        strbuf_add(writing->gathered, batch.data, batch.size);
    } else if (writing->error == 0) {
        writing->error = disk_pwrite(writing->file, batch.data, batch.size, writing->position);
        writing->position += (int64_t)batch.size;
    }
}

static void write_head(struct writing *writing, const struct snapshot_head *head)
{
    batch_begin(writing, true);
    struct snapshot_header_record header = { .last_contained_log_timestamp =
                                                 head->last_contained_log_timestamp };
    control_record_add(&writing->builder, writing->now_ms, CONTROL_SNAPSHOT_HEADER, &header);
    if (head->kraft_version > 0) {
        must(head->voters != NULL);
        struct kraft_version_record version = { .kraft_version = head->kraft_version };
        control_record_add(&writing->builder, writing->now_ms, CONTROL_KRAFT_VERSION, &version);
        control_record_add(&writing->builder, writing->now_ms, CONTROL_KRAFT_VOTERS, head->voters);
    }
    batch_end(writing);
    batch_begin(writing, false);
}

static bool write_entry(void *arg, const struct metadata_entry *entry)
{
    struct writing *writing = arg;
    arena_reset(&writing->arena);
    batch_builder_add(&writing->builder, writing->now_ms, BYTES_NULL,
                      metadata_record_encode(entry, &writing->arena));
    if (writing->builder.count == RECORDS_PER_BATCH) {
        batch_end(writing);
        batch_begin(writing, false);
    }
    return writing->error == 0;
}

static void write_foot(struct writing *writing)
{
    batch_end(writing);
    batch_begin(writing, true);
    struct snapshot_footer_record footer = { 0 };
    control_record_add(&writing->builder, writing->now_ms, CONTROL_SNAPSHOT_FOOTER, &footer);
    batch_end(writing);
}

static void writing_init(struct writing *writing, int32_t epoch, int64_t now_ms)
{
    *writing = (struct writing){ .epoch = epoch, .now_ms = now_ms };
    arena_init(&writing->arena);
    batch_builder_init(&writing->builder,
                       &(struct batch_options){ BATCH_OPTIONS_DEFAULT, .is_control = true });
}

static void writing_fini(struct writing *writing)
{
    batch_builder_fini(&writing->builder);
    arena_fini(&writing->arena);
}

void snapshot_encode(struct strbuf *out, int32_t epoch, const struct snapshot_head *head,
                     const struct metadata_entries *entries, int64_t now_ms)
{
    struct writing writing;
    writing_init(&writing, epoch, now_ms);
    writing.gathered = out;
    write_head(&writing, head);
    for (size_t i = 0; entries != NULL && i < entries->count; i++)
        write_entry(&writing, &entries->items[i]);
    write_foot(&writing);
    writing_fini(&writing);
}

int snapshot_write(struct disk *disk, const char *folder, struct snapshot_id id,
                   const struct snapshot_head *head, const struct metadata *metadata,
                   int64_t now_ms)
{
    char name[SNAPSHOT_NAME_SIZE];
    snapshot_name_format(id, name);
    char *path = mem_printf("%s/%s", folder, name);
    char *part = mem_printf("%s.part", path);
    struct writing writing;
    writing_init(&writing, id.epoch, now_ms);
    writing.error =
        disk_open(disk, part, DISK_CREATE | DISK_TRUNCATE | DISK_READABLE, &writing.file);
    if (writing.error == 0) {
        write_head(&writing, head);
        image_write(metadata, write_entry, &writing);
        write_foot(&writing);
        if (writing.error == 0)
            writing.error = disk->ops->sync(writing.file);
        disk_file_unref(writing.file);
        if (writing.error == 0)
            writing.error = disk_rename_synced(disk, part, path);
        if (writing.error != 0)
            disk->ops->unlink(disk, part);
    }
    int error = writing.error;
    writing_fini(&writing);
    mem_free(part);
    mem_free(path);
    return error;
}

// ---- reading ------------------------------------------------------------------------------------------------

struct reading {
    struct arena *arena;
    struct snapshot_head *head;
    struct replay *replay;
    struct metadata_entries *entries;
    const char *reason;
    bool has_header;
    bool has_footer;
};

static bool read_control(struct reading *reading, const struct record *record)
{
    int type = control_key_type(record->key);
    if (type < CONTROL_LEADER_CHANGE || type > CONTROL_KRAFT_VOTERS) {
        reading->reason = "control record of an unknown type";
        return false;
    }
    struct bytes value = arena_bytes(reading->arena, record->value);
    void *body =
        control_record_decode((enum control_type)type, value, reading->arena, &reading->reason);
    if (body == NULL)
        return false;
    switch ((enum control_type)type) {
    case CONTROL_SNAPSHOT_HEADER:
        reading->has_header = true;
        reading->head->last_contained_log_timestamp =
            ((struct snapshot_header_record *)body)->last_contained_log_timestamp;
        break;
    case CONTROL_KRAFT_VERSION:
        reading->head->kraft_version = ((struct kraft_version_record *)body)->kraft_version;
        break;
    case CONTROL_KRAFT_VOTERS:
        reading->head->voters = body;
        break;
    case CONTROL_SNAPSHOT_FOOTER:
        reading->has_footer = true;
        break;
    case CONTROL_ABORT:
    case CONTROL_COMMIT:
    case CONTROL_LEADER_CHANGE:
        break;
    }
    return true;
}

static bool read_data(struct reading *reading, const struct record *record)
{
    if (reading->replay != NULL) {
        bool ok = replay_value(reading->replay, record->value, record->offset, 0);
        if (!ok)
            reading->reason = reading->replay->reason;
        return ok;
    }
    if (reading->entries == NULL)
        return true;
    struct metadata_entry entry;
    struct bytes value = arena_bytes(reading->arena, record->value);
    if (!metadata_record_decode(value, reading->arena, &entry, &reading->reason))
        return false;
    void *body = metadata_entries_add(reading->entries, entry.type, entry.version);
    memcpy(body, entry.body, record_desc(RECORD_DOMAIN_METADATA, (int)entry.type)->struct_size);
    return true;
}

static bool read_batch(struct reading *reading, struct bytes batch)
{
    if (batch_magic(batch.data) != BATCH_MAGIC || !batch_is_intact(batch)) {
        reading->reason = "a batch is damaged";
        return false;
    }
    if (reading->has_footer) {
        reading->reason = "batches behind the footer";
        return false;
    }
    bool is_control = batch_is_control(batch.data);
    struct record_iter it;
    record_iter_init(&it, batch, RECORDS_WHOLE);
    struct record record;
    bool ok = true;
    while (ok && record_iter_next(&it, &record))
        ok = is_control ? read_control(reading, &record) : read_data(reading, &record);
    if (ok && it.error != RECORDS_OK) {
        reading->reason = it.reason;
        ok = false;
    }
    record_iter_fini(&it);
    return ok;
}

static bool read_all(struct reading *reading, struct bytes file)
{
    *reading->head = (struct snapshot_head){ 0 };
    struct bytes batch;
    enum batch_walk walk;
    while ((walk = batch_next(&file, &batch)) == BATCH_FOUND)
        if (!read_batch(reading, batch))
            return false;
    if (walk == BATCH_CORRUPT || file.size > 0)
        reading->reason = "the end is not a whole batch";
    else if (!reading->has_header)
        reading->reason = "no header";
    else if (!reading->has_footer)
        reading->reason = "no footer: it is not complete";
    else if (reading->head->kraft_version > 0 && reading->head->voters == NULL)
        reading->reason = "no voters";
    return reading->reason == NULL;
}

bool snapshot_decode(struct bytes file, struct arena *arena, struct snapshot_head *head,
                     struct replay *replay, const char **reason)
{
    struct reading reading = { .arena = arena, .head = head, .replay = replay };
    bool ok = read_all(&reading, file);
    *reason = reading.reason;
    return ok;
}

bool snapshot_decode_entries(struct bytes file, struct snapshot_head *head,
                             struct metadata_entries *entries, const char **reason)
{
    struct reading reading = { .arena = entries->arena, .head = head, .entries = entries };
    bool ok = read_all(&reading, file);
    *reason = reading.reason;
    return ok;
}
