// SPDX-License-Identifier: Apache-2.0
#include "config/log_config.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/must.h"
#include "config/config.h"

const struct log_config log_config_default = {
    .segment_bytes = 1 << 30,
    .segment_ms = 604800000,
    .segment_jitter_ms = 0,
    .segment_index_bytes = 10 << 20,
    .index_interval_bytes = 4096,
    .flush_messages = INT64_MAX,
    .flush_ms = INT64_MAX,
    .retention_bytes = -1,
    .retention_ms = 604800000,
    .max_message_bytes = 1048588,
    .message_timestamp_type = LOG_TIMESTAMP_CREATE_TIME,
    .message_timestamp_before_max_ms = INT64_MAX,
    .message_timestamp_after_max_ms = 3600000,
    .cleanup_compact = false,
    .cleanup_delete = true,
    .compression_type = LOG_COMPRESSION_PRODUCER,
    .compression_gzip_level = -1,
    .compression_lz4_level = 9,
    .compression_zstd_level = 3,
    .file_delete_delay_ms = 60000,
    .delete_retention_ms = 86400000,
    .min_compaction_lag_ms = 0,
    .max_compaction_lag_ms = INT64_MAX,
    .min_cleanable_dirty_ratio = 0.5,
    .min_insync_replicas = 1,
    .local_retention_bytes = -2,
    .local_retention_ms = -2,
};

enum log_compression log_compression_of(const char *name)
{
    static const char *const names[] = { "uncompressed", "gzip", "snappy", "lz4", "zstd" };
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum log_compression)i;
    return LOG_COMPRESSION_PRODUCER;
}

static bool list_has(struct config_list list, const char *item)
{
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i], item) == 0)
            return true;
    return false;
}

// Puts one parsed value into its field.
static void apply(struct log_config *lc, enum topic_key key, const struct config_value *v)
{
    switch (key) {
    case TOPIC_SEGMENT_BYTES:
        lc->segment_bytes = (int32_t)v->number;
        break;
    case TOPIC_SEGMENT_MS:
        lc->segment_ms = v->number;
        break;
    case TOPIC_SEGMENT_JITTER_MS:
        lc->segment_jitter_ms = v->number;
        break;
    case TOPIC_SEGMENT_INDEX_BYTES:
        lc->segment_index_bytes = (int32_t)v->number;
        break;
    case TOPIC_FLUSH_MESSAGES:
        lc->flush_messages = v->number;
        break;
    case TOPIC_FLUSH_MS:
        lc->flush_ms = v->number;
        break;
    case TOPIC_RETENTION_BYTES:
        lc->retention_bytes = v->number;
        break;
    case TOPIC_RETENTION_MS:
        lc->retention_ms = v->number;
        break;
    case TOPIC_MAX_MESSAGE_BYTES:
        lc->max_message_bytes = (int32_t)v->number;
        break;
    case TOPIC_INDEX_INTERVAL_BYTES:
        lc->index_interval_bytes = (int32_t)v->number;
        break;
    case TOPIC_DELETE_RETENTION_MS:
        lc->delete_retention_ms = v->number;
        break;
    case TOPIC_MIN_COMPACTION_LAG_MS:
        lc->min_compaction_lag_ms = v->number;
        break;
    case TOPIC_MAX_COMPACTION_LAG_MS:
        lc->max_compaction_lag_ms = v->number;
        break;
    case TOPIC_FILE_DELETE_DELAY_MS:
        lc->file_delete_delay_ms = v->number;
        break;
    case TOPIC_MIN_CLEANABLE_DIRTY_RATIO:
        lc->min_cleanable_dirty_ratio = v->real;
        break;
    case TOPIC_CLEANUP_POLICY:
        lc->cleanup_compact = list_has(v->list, "compact");
        lc->cleanup_delete = list_has(v->list, "delete");
        break;
    case TOPIC_UNCLEAN_LEADER_ELECTION_ENABLE:
        lc->unclean_leader_election_enable = v->boolean;
        break;
    case TOPIC_MIN_INSYNC_REPLICAS:
        lc->min_insync_replicas = (int32_t)v->number;
        break;
    case TOPIC_COMPRESSION_TYPE:
        lc->compression_type = log_compression_of(v->text);
        break;
    case TOPIC_COMPRESSION_GZIP_LEVEL:
        lc->compression_gzip_level = (int32_t)v->number;
        break;
    case TOPIC_COMPRESSION_LZ4_LEVEL:
        lc->compression_lz4_level = (int32_t)v->number;
        break;
    case TOPIC_COMPRESSION_ZSTD_LEVEL:
        lc->compression_zstd_level = (int32_t)v->number;
        break;
    case TOPIC_PREALLOCATE:
        lc->preallocate = v->boolean;
        break;
    case TOPIC_MESSAGE_TIMESTAMP_TYPE:
        lc->message_timestamp_type = strcmp(v->text, "LogAppendTime") == 0
                                         ? LOG_TIMESTAMP_LOG_APPEND_TIME
                                         : LOG_TIMESTAMP_CREATE_TIME;
        break;
    case TOPIC_MESSAGE_TIMESTAMP_BEFORE_MAX_MS:
        lc->message_timestamp_before_max_ms = v->number;
        break;
    case TOPIC_MESSAGE_TIMESTAMP_AFTER_MAX_MS:
        lc->message_timestamp_after_max_ms = v->number;
        break;
    case TOPIC_REMOTE_STORAGE_ENABLE:
        lc->remote_storage_enable = v->boolean;
        break;
    case TOPIC_LOCAL_RETENTION_MS:
        lc->local_retention_ms = v->number;
        break;
    case TOPIC_LOCAL_RETENTION_BYTES:
        lc->local_retention_bytes = v->number;
        break;
    case TOPIC_REMOTE_LOG_COPY_DISABLE:
        lc->remote_log_copy_disable = v->boolean;
        break;
    case TOPIC_REMOTE_LOG_DELETE_ON_DISABLE:
        lc->remote_log_delete_on_disable = v->boolean;
        break;
    // internal.segment.bytes comes last in the table, so it wins over segment.bytes; the throttles
    // are the replication's business, not the log's.
    case TOPIC_INTERNAL_SEGMENT_BYTES:
        lc->segment_bytes = (int32_t)v->number;
        break;
    case TOPIC_LEADER_REPLICATION_THROTTLED_REPLICAS:
    case TOPIC_FOLLOWER_REPLICATION_THROTTLED_REPLICAS:
    case TOPIC_KEY_COUNT:
        break;
    }
}

// The broker's own values: as LogConfig gets them from KafkaConfig.
static void apply_broker(struct log_config *lc, const struct config *config)
{
    for (int key = 0; key < TOPIC_KEY_COUNT; key++) {
        const struct config_synonyms *synonyms = topic_synonyms_of((enum topic_key)key);
        if (synonyms->items[0].factor != 0 && synonyms->items[1].factor == 0)
            apply(lc, (enum topic_key)key, config_value_of(config, synonyms->items[0].key));
    }
    lc->segment_ms = config_log_roll_ms(config);
    lc->segment_jitter_ms = config_log_roll_jitter_ms(config);
    lc->retention_ms = config_log_retention_ms(config);
    lc->flush_ms = config_log_flush_ms(config);
}

void log_config_resolve(const struct config *config, const struct config_entry *overrides,
                        size_t override_count, struct log_config *out)
{
    *out = log_config_default;
    if (config != NULL)
        apply_broker(out, config);
    struct strbuf ignored = STRBUF_EMPTY;
    for (int key = 0; key < TOPIC_KEY_COUNT && override_count > 0; key++) {
        const struct config_def *def = topic_def_of((enum topic_key)key);
        for (size_t i = 0; i < override_count; i++) {
            if (!str_eqz(overrides[i].name, def->name) || str_is_null(overrides[i].value))
                continue;
            struct config_value *value = config_value_parse(def, overrides[i].value, &ignored);
            if (value != NULL)
                apply(out, (enum topic_key)key, value);
            mem_free(value);
        }
    }
    strbuf_fini(&ignored);
}

// "-2" is "as the whole"; otherwise what is kept locally cannot exceed what is kept.
static bool local_retention_fits(const char *name, const char *whole_name, int64_t local,
                                 int64_t whole, struct strbuf *message)
{
    if (whole <= -1 || local == -2 || (local != -1 && local <= whole))
        return true;
    struct strbuf why = STRBUF_EMPTY;
    if (local == -1)
        strbuf_printf(&why, "Value must not be -1 as %s value is set as %lld.", whole_name,
                      (long long)whole);
    else
        strbuf_printf(&why, "Value must not be more than %s property value: %lld", whole_name,
                      (long long)whole);
    char shown[24];
    snprintf(shown, sizeof shown, "%lld", (long long)local);
    config_invalid(message, str_of(shown), name, why.data);
    strbuf_fini(&why);
    return false;
}

// KIP-405 and KIP-950: what tiered storage asks of a topic's other settings.
static bool remote_settings_agree(const struct config *config, const struct log_config *lc,
                                  bool had_remote_storage, struct strbuf *message)
{
    if (!lc->remote_storage_enable) {
        if (!had_remote_storage || lc->remote_log_delete_on_disable)
            return true;
        strbuf_addz(
            message,
            "It is invalid to disable remote storage without deleting remote data. If you want to "
            "keep the remote data and turn to read only, please set "
            "`remote.storage.enable=true,remote.log.copy.disable=true`. If you want to disable "
            "remote storage and delete all remote data, please set "
            "`remote.storage.enable=false,remote.log.delete.on.disable=true`.");
        return false;
    }
    if (config == NULL || !config_bool(config, CONFIG_REMOTE_LOG_STORAGE_SYSTEM_ENABLE)) {
        strbuf_addz(message,
                    "Tiered Storage functionality is disabled in the broker. Topic cannot be "
                    "configured with remote log storage.");
        return false;
    }
    if (lc->cleanup_compact) {
        strbuf_addz(message,
                    "Remote log storage only supports topics with cleanup.policy=delete or "
                    "cleanup.policy being an empty list.");
        return false;
    }
    if (!local_retention_fits("local.retention.bytes", "retention.bytes", lc->local_retention_bytes,
                              lc->retention_bytes, message) ||
        !local_retention_fits("local.retention.ms", "retention.ms", lc->local_retention_ms,
                              lc->retention_ms, message))
        return false;
    const char *differs = NULL;
    if (lc->remote_log_copy_disable && lc->local_retention_bytes != -2 &&
        lc->local_retention_bytes != lc->retention_bytes)
        differs = "bytes";
    else if (lc->remote_log_copy_disable && lc->local_retention_ms != -2 &&
             lc->local_retention_ms != lc->retention_ms)
        differs = "ms";
    if (differs != NULL)
        strbuf_printf(
            message,
            "When `remote.log.copy.disable` is set to true, the `local.retention.%s` and "
            "`retention.%s` must be set to the identical value because there will be no more logs "
            "copied to the remote storage.",
            differs, differs);
    return differs == NULL;
}

bool log_config_validate(const struct config *config, const struct config_entry *overrides,
                         size_t override_count, bool had_remote_storage, struct strbuf *message)
{
    enum topic_key key;
    for (size_t i = 0; i < override_count; i++) {
        if (!topic_key_find(overrides[i].name, &key)) {
            strbuf_printf(message, "Unknown topic config name: %.*s", STR_ARG(overrides[i].name));
            return false;
        }
    }
    for (int k = 0; k < TOPIC_KEY_COUNT; k++) {
        const struct config_def *def = topic_def_of((enum topic_key)k);
        for (size_t i = 0; i < override_count; i++) {
            if (!str_eqz(overrides[i].name, def->name))
                continue;
            struct config_value *value = config_value_parse(def, overrides[i].value, message);
            if (value == NULL)
                return false;
            mem_free(value);
        }
    }
    struct log_config lc;
    log_config_resolve(config, overrides, override_count, &lc);
    if (lc.min_compaction_lag_ms > lc.max_compaction_lag_ms) {
        strbuf_printf(
            message,
            "conflict topic config setting min.compaction.lag.ms (%lld) > max.compaction.lag.ms "
            "(%lld)",
            (long long)lc.min_compaction_lag_ms, (long long)lc.max_compaction_lag_ms);
        return false;
    }
    return remote_settings_agree(config, &lc, had_remote_storage, message);
}
