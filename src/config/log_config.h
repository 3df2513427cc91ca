// SPDX-License-Identifier: Apache-2.0
// What a partition's log is told by configuration: the topic's own settings over the broker's
// defaults, parsed and checked once, so that the log reads plain fields.
//
//     struct log_config lc;
//     log_config_resolve(config, overrides, override_count, &lc);   // again when either changes
//
// A struct log_config is a value without pointers: copy it, keep it, drop it.
// Units are in the names; -1 in a retention means "no limit", -2 in a local retention "as a whole".
#ifndef CONFIG_LOG_CONFIG_H
#define CONFIG_LOG_CONFIG_H

#include "config/config_def.h"

struct config;

// As the attributes of a batch number the codecs; PRODUCER keeps whatever the producer chose.
enum log_compression {
    LOG_COMPRESSION_PRODUCER = -1,
    LOG_COMPRESSION_NONE = 0,
    LOG_COMPRESSION_GZIP = 1,
    LOG_COMPRESSION_SNAPPY = 2,
    LOG_COMPRESSION_LZ4 = 3,
    LOG_COMPRESSION_ZSTD = 4,
};

enum log_timestamp_type { LOG_TIMESTAMP_CREATE_TIME = 0, LOG_TIMESTAMP_LOG_APPEND_TIME = 1 };

struct log_config {
    int32_t segment_bytes; // internal.segment.bytes when set, for tests
    int64_t segment_ms;
    int64_t segment_jitter_ms; // the most that is randomly taken off segment_ms
    int32_t segment_index_bytes;
    int32_t index_interval_bytes;
    int64_t flush_messages; // INT64_MAX: the system decides
    int64_t flush_ms;       // INT64_MAX: the system decides
    int64_t retention_bytes;
    int64_t retention_ms;
    int32_t max_message_bytes; // of a batch, compressed
    enum log_timestamp_type message_timestamp_type;
    int64_t message_timestamp_before_max_ms;
    int64_t message_timestamp_after_max_ms;
    bool cleanup_compact; // neither compact nor delete: everything is kept for ever
    bool cleanup_delete;
    enum log_compression compression_type;
    int32_t compression_gzip_level; // -1: the codec's own default
    int32_t compression_lz4_level;
    int32_t compression_zstd_level;
    int64_t file_delete_delay_ms;
    int64_t delete_retention_ms; // how long a tombstone stays
    int64_t min_compaction_lag_ms;
    int64_t max_compaction_lag_ms;
    double min_cleanable_dirty_ratio;
    int32_t min_insync_replicas;
    bool preallocate;
    bool unclean_leader_election_enable;
    bool remote_storage_enable;
    bool remote_log_copy_disable;
    bool remote_log_delete_on_disable;
    int64_t local_retention_bytes;
    int64_t local_retention_ms;
};

// Kafka's defaults, as of a broker with an empty file.
extern const struct log_config log_config_default;

// The topic's overrides (unknown names and values that do not parse are left out: the controller
// let none in, so they come from a newer release) over what the broker's configuration says now.
// config may be NULL: Kafka's defaults.
void log_config_resolve(const struct config *config, const struct config_entry *overrides,
                        size_t override_count, struct log_config *out);

// The codec named as compression.type names it.
enum log_compression log_compression_of(const char *name);

// True when a topic may have these overrides, all of them given; otherwise false, with what the
// answer to CreateTopics or AlterConfigs says (INVALID_CONFIG) appended to `message`. config: for
// the broker's side of the checks that span keys; NULL: Kafka's defaults. had_remote_storage: the
// topic has remote.storage.enable=true until now (false for a new topic).
bool log_config_validate(const struct config *config, const struct config_entry *overrides,
                         size_t override_count, bool had_remote_storage, struct strbuf *message);

#endif
