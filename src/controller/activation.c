// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/activation.h"

#include <stdio.h>

#include "base/must.h"
#include "controller/config_control.h"
#include "metadata/bootstrap.h"
#include "metadata/control.h"
#include "metadata/feature_versions.h"
#include "protocol/records/abort_transaction.h"
#include "protocol/records/begin_transaction.h"
#include "protocol/records/feature_level.h"
#include "protocol/records/kraft_version.h"
#include "protocol/records/leader_change_message.h"

// "1@host:9093": the id alone counts for a static set.
static const struct voters_record *static_voters(const struct config *config, struct arena *arena)
{
    struct config_list list = config_list(config, CONFIG_CONTROLLER_QUORUM_VOTERS);
    if (list.items == NULL || list.count == 0)
        return NULL;
    struct voters_record *voters = arena_new(arena, struct voters_record);
    voters->voters = arena_array(arena, struct voters_record_voter, list.count);
    for (size_t i = 0; i < list.count; i++) {
        struct str text = str_of(list.items[i]);
        const char *at = memchr(text.data, '@', text.size);
        int64_t id;
        if (at == NULL || !str_to_int64((struct str){ text.data, (size_t)(at - text.data) }, &id))
            return NULL;
        voters->voters[voters->voters_count++].voter_id = (int32_t)id;
    }
    return voters;
}

const struct voters_record *activation_voters(const struct quorum_history *history,
                                              const struct config *config, struct arena *arena,
                                              const char **reason)
{
    if (history->voters != NULL)
        return history->voters;
    const struct voters_record *voters = static_voters(config, arena);
    if (voters == NULL)
        *reason = "the metadata log knows no voters and controller.quorum.voters names none: "
                  "format the log "
                  "directory with --standalone";
    return voters;
}

static void begin_control_batch(struct batch_builder *builder, int64_t offset, int32_t epoch)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.base_offset = offset;
    options.leader_epoch = epoch;
    options.is_control = true;
    batch_builder_init(builder, &options);
}

// Adds it to `out`; the number of its records.
static int end_control_batch(struct batch_builder *builder, struct strbuf *out)
{
    struct bytes batch = batch_builder_finish(builder);
    strbuf_add(out, batch.data, batch.size);
    int count = builder->count;
    batch_builder_fini(builder);
    return count;
}

static void add_voters(struct batch_builder *builder, int64_t now_ms,
                       const struct voters_record *voters, int16_t kraft_version)
{
    struct kraft_version_record version = { .kraft_version = kraft_version };
    control_record_add(builder, now_ms, CONTROL_KRAFT_VERSION, &version);
    control_record_add(builder, now_ms, CONTROL_KRAFT_VOTERS, voters);
}

int activation_control_batch(struct strbuf *out, int64_t offset, const struct raft *raft,
                             const struct voters_record *voters, int16_t kraft_version,
                             bool with_voters, int64_t now_ms)
{
    struct arena arena;
    arena_init(&arena);
    struct batch_builder builder;
    begin_control_batch(&builder, offset, raft->state.leader_epoch);
    struct leader_change_message_voter *all =
        arena_array(&arena, struct leader_change_message_voter, voters->voters_count);
    for (int32_t i = 0; i < voters->voters_count; i++)
        all[i].voter_id = voters->voters[i].voter_id;
    struct leader_change_message_voter granting = { .voter_id = raft->node_id };
    struct leader_change_message change = {
        .leader_id = raft->node_id,
        .voters = all,
        .voters_count = voters->voters_count,
        .granting_voters = &granting,
        .granting_voters_count = 1,
    };
    control_record_add(&builder, now_ms, CONTROL_LEADER_CHANGE, &change);
    if (with_voters)
        add_voters(&builder, now_ms, voters, kraft_version);
    arena_fini(&arena);
    return end_control_batch(&builder, out);
}

int activation_kraft_batch(struct strbuf *out, int64_t offset, int32_t epoch,
                           const struct voters_record *voters, int16_t kraft_version,
                           int64_t now_ms)
{
    struct batch_builder builder;
    begin_control_batch(&builder, offset, epoch);
    add_voters(&builder, now_ms, voters, kraft_version);
    return end_control_batch(&builder, out);
}

static int16_t bootstrap_level(const struct metadata_entries *records, const char *feature)
{
    int16_t level = 0;
    for (size_t i = 0; i < records->count; i++) {
        const struct feature_level_record *record = records->items[i].body;
        if (records->items[i].type == METADATA_RECORD_FEATURE_LEVEL &&
            str_eqz(record->name, feature))
            level = record->feature_level;
    }
    return level;
}

static int records_of_new_cluster(struct disk *disk, const char *log_dir,
                                  const struct config *config, struct metadata_entries *records,
                                  const char **reason)
{
    struct metadata_entries bootstrap;
    metadata_entries_init(&bootstrap, records->arena);
    int error = bootstrap_read(disk, log_dir, &bootstrap, reason);
    if (error != 0)
        return error;
    bool has_transactions =
        has_metadata_transactions(bootstrap_level(&bootstrap, "metadata.version"));
    if (has_transactions) {
        struct begin_transaction_record *begin =
            metadata_entries_add(records, METADATA_RECORD_BEGIN_TRANSACTION, 0);
        begin->name = str_of("Bootstrap records");
    }
    for (size_t i = 0; i < bootstrap.count; i++) {
        void *body =
            metadata_entries_add(records, bootstrap.items[i].type, bootstrap.items[i].version);
        memcpy(body, bootstrap.items[i].body,
               record_desc(RECORD_DOMAIN_METADATA, (int)bootstrap.items[i].type)->struct_size);
    }
    // Eligible leader replicas need one min.insync.replicas for all brokers (KIP-966).
    if (bootstrap_level(&bootstrap, "eligible.leader.replicas.version") > 0)
        add_cluster_min_insync_replicas(records, config);
    if (has_transactions)
        metadata_entries_add(records, METADATA_RECORD_END_TRANSACTION, 0);
    return 0;
}

int activation_records(const struct replay *replay, struct disk *disk, const char *log_dir,
                       const struct config *config, struct metadata_entries *records,
                       const char **reason)
{
    if (replay->in_transaction) {
        struct abort_transaction_record *abort =
            metadata_entries_add(records, METADATA_RECORD_ABORT_TRANSACTION, 0);
        abort->reason = str_of("Controller failover");
    }
    if (metadata_feature_level(replay->metadata, "metadata.version") != 0)
        return 0;
    return records_of_new_cluster(disk, log_dir, config, records, reason);
}

void append_batch(struct strbuf *out, struct batch_builder *builder,
                  const struct metadata_entry *records, size_t count, int64_t offset, int32_t epoch,
                  int64_t now_ms)
{
    must(count > 0);
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.base_offset = offset;
    options.leader_epoch = epoch;
    batch_builder_reset(builder, &options);
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < count; i++) {
        batch_builder_add(builder, now_ms, BYTES_NULL, metadata_record_encode(&records[i], &arena));
        if (arena_footprint(&arena) > 65536)
            arena_reset(&arena);
    }
    arena_fini(&arena);
    struct bytes batch = batch_builder_finish(builder);
    strbuf_add(out, batch.data, batch.size);
}
