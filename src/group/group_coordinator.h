// SPDX-License-Identifier: Apache-2.0
// Consumer groups and committed offsets: the state behind partitions of __consumer_offsets, on the
// coordinator engine. Overview of the folder:
//
//     group_coordinator   the entry points below: checks that need no state, finds the shard, answers
//     group_shard         the state of one partition: its groups, their offsets; replay
//     group_expiry        what leaves that state by itself
//     group_commit        committing and fetching offsets
//     group_admin         listing, describing, deleting groups
//     group_offsets       committed offsets by group, topic, partition
//     group_records       keys and values as they stand in the log
//     classic_group       the classic protocol: states and members as data; classic_member is one of them
//     classic_rebalance   what moves it from state to state; its sessions and timers
//     classic_join, _sync, _leave    its requests
//     consumer/           groups of the consumer protocol (KIP-848), see consumer/consumer_group.h
//     share/              share groups (KIP-932), see share/share_group.h
//     streams/            groups of Kafka Streams (KIP-1071), see streams/streams_group.h
//     topic_index, group_settings    what groups know of topics and of their settings
//     partition_assignor, java_order, metadata_hash, topic_regex     what Kafka computes, as Kafka does
//
// Every entry point takes the decoded request, fills the response (which has the schema's defaults) and
// completes `completion` exactly once, perhaps later and on another thread (base/completion.h). Request,
// response and arena live until then. Topic names and ids in requests are taken as they are: the API's
// handler resolves and checks them first. Safe from any thread.
#ifndef GROUP_GROUP_COORDINATOR_H
#define GROUP_GROUP_COORDINATOR_H

#include <stdint.h>

#include "base/arena.h"
#include "base/completion.h"
#include "base/uuid.h"
#include "coordinator/coordinator.h"
#include "protocol/messages/consumer_group_describe.h"
#include "protocol/messages/consumer_group_heartbeat.h"
#include "protocol/messages/delete_groups.h"
#include "protocol/messages/describe_groups.h"
#include "protocol/messages/heartbeat.h"
#include "protocol/messages/join_group.h"
#include "protocol/messages/leave_group.h"
#include "protocol/messages/list_groups.h"
#include "protocol/messages/offset_commit.h"
#include "protocol/messages/offset_delete.h"
#include "protocol/messages/offset_fetch.h"
#include "protocol/messages/sync_group.h"

struct group_coordinator;

#define GROUP_OFFSETS_TOPIC "__consumer_offsets"

// The broker's settings, all read-only while it runs.
struct group_config {
    int32_t min_session_timeout_ms;      // group.min.session.timeout.ms
    int32_t max_session_timeout_ms;      // group.max.session.timeout.ms
    int32_t max_size;                    // group.max.size
    int32_t initial_rebalance_delay_ms;  // group.initial.rebalance.delay.ms
    int32_t offset_metadata_max_bytes;   // offset.metadata.max.bytes (characters, as Kafka counts)
    int64_t offsets_retention_ms;        // offsets.retention.minutes
    int64_t retention_check_interval_ms; // offsets.retention.check.interval.ms
    int64_t commit_timeout_ms;           // offsets.commit.timeout.ms
    size_t load_buffer_bytes;            // offsets.load.buffer.size
    int32_t consumer_max_size;           // group.consumer.max.size
    int32_t regex_refresh_interval_ms;   // group.consumer.regex.refresh.interval.ms
    const char *consumer_assignors[2];   // group.consumer.assignors, the first is the default
    int32_t share_max_size;              // group.share.max.size
    int64_t share_initialize_retry_ms;   // group.share.initialize.retry.interval.ms
    int32_t streams_max_size;            // group.streams.max.size
    bool can_upgrade;                    // group.consumer.migration.policy: classic to consumer,
    bool can_downgrade;                  // and back
    int compression; // offsets.topic.compression.codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd
};

// Kafka's defaults, for tests.
extern const struct group_config group_config_defaults;

// Who asks.
struct group_client {
    struct str client_id; // null counts as empty
    const char *host;     // text of the address, without the port
};

struct config;
struct metadata;
struct metadata_delta;
struct persister;
struct topic_index;
struct group_settings;

struct group_coordinator_options {
    struct group_config config;
    int32_t
        partition_count; // of __consumer_offsets if it exists, else offsets.topic.num.partitions
    const struct config *settings; // the broker's, for the settings of groups; NULL: Kafka's
    struct coordinator_log *log;
    struct clock *clock;
    struct alarms *alarms;
    struct trace *trace;
    void (*wake)(void *arg); // there is work for group_coordinator_run; NULL: it is called anyway
    void *arg;
};

struct group_coordinator *group_coordinator_new(const struct group_coordinator_options *options);
void group_coordinator_free(struct group_coordinator *groups);

// Its engine, for coordinator_elected, _load, _resigned, _on_high_watermark, _partition_for.
struct coordinator *group_coordinator_engine(struct group_coordinator *groups);

// Does the work that takes too long for a shard's lock (group_background.h). On a thread that may wait.
void group_coordinator_run(struct group_coordinator *groups);

// Who keeps the state of share partitions. Before any shard is loaded.
void group_coordinator_set_persister(struct group_coordinator *groups, struct persister *persister);
// As Java prints an address without a name: "/127.0.0.1", and IPv6 as "/fe80:0:0:0:0:0:0:1".
struct str group_java_address(const char *host, struct arena *arena);

// What groups know of topics (topic_index.h) and of their settings (group_settings.h).
struct topic_index *group_coordinator_topics(struct group_coordinator *groups);
struct group_settings *group_coordinator_settings(struct group_coordinator *groups);

// The image as it is when the broker starts, before any request; then each change of it, on the controller's thread,
// from the metadata's subscription: settings and topics are taken over, offsets of deleted topics go, and groups
// that subscribe to what changed look at it at their next heartbeat.
void group_coordinator_take_metadata(struct group_coordinator *groups, struct metadata *metadata);
void group_coordinator_metadata_changed(struct group_coordinator *groups, struct metadata *metadata,
                                        const struct metadata_delta *delta);

// Topics were deleted: their committed offsets go.
struct deleted_topic {
    struct uuid id;
    struct str name;
};
void group_coordinator_topics_deleted(struct group_coordinator *groups,
                                      const struct deleted_topic *topics, int32_t count);

void group_coordinator_join(struct group_coordinator *groups,
                            const struct join_group_request *request, int16_t version,
                            const struct group_client *client, struct join_group_response *response,
                            struct arena *arena, struct completion *completion);
void group_coordinator_sync(struct group_coordinator *groups,
                            const struct sync_group_request *request,
                            struct sync_group_response *response, struct arena *arena,
                            struct completion *completion);
void group_coordinator_heartbeat(struct group_coordinator *groups,
                                 const struct heartbeat_request *request,
                                 struct heartbeat_response *response, struct arena *arena,
                                 struct completion *completion);
// `request` as of v3: the handler of v0-2 puts its one member into `members`.
void group_coordinator_leave(struct group_coordinator *groups,
                             const struct leave_group_request *request,
                             struct leave_group_response *response, struct arena *arena,
                             struct completion *completion);
// Topics that the request names must exist: both name and (if known) id are set by the handler.
void group_coordinator_commit_offsets(struct group_coordinator *groups,
                                      const struct offset_commit_request *request, int16_t version,
                                      struct offset_commit_response *response, struct arena *arena,
                                      struct completion *completion);
// The same inside a transaction (TxnOffsetCommit); the handler has turned the request into one of OffsetCommit, and had
// its transaction verified. An error also of the log: INVALID_TXN_STATE, INVALID_PRODUCER_EPOCH.
void group_coordinator_commit_transactional(struct group_coordinator *groups,
                                            const struct offset_commit_request *request,
                                            const struct coordinator_transaction *transaction,
                                            struct offset_commit_response *response,
                                            struct arena *arena, struct completion *completion);
// Writes the marker that ends a transaction on a partition of __consumer_offsets. *error: NONE when it is committed,
// NOT_LEADER_OR_FOLLOWER when the coordinator of the partition is elsewhere or not ready, else the log's.
void group_coordinator_end_transaction(struct group_coordinator *groups, int32_t partition,
                                       const struct coordinator_transaction *transaction,
                                       int32_t coordinator_epoch, bool is_commit,
                                       enum kafka_error *error, struct arena *arena,
                                       struct completion *completion);
// One group; `topics` null (count -1) asks for all. An error is in response->error_code.
void group_coordinator_fetch_offsets(struct group_coordinator *groups,
                                     const struct offset_fetch_request_group *request,
                                     bool require_stable,
                                     struct offset_fetch_response_group *response,
                                     struct arena *arena, struct completion *completion);
enum group_order {
    GROUP_ORDER_ASKED, // those of a partition as they were asked for
    GROUP_ORDER_NAMED, // so, behind those without a name, which are refused
    GROUP_ORDER_SETS,  // those of a partition in the order of Java's set of them
};

// The order in which Kafka answers for many groups: by that of Java's map of the partitions that hold them. group_ids
// itself, or arena memory.
const struct str *group_coordinator_order(struct group_coordinator *groups,
                                          const struct str *group_ids, int32_t count,
                                          enum group_order kind, struct arena *arena);

void group_coordinator_describe(struct group_coordinator *groups, const struct str *group_ids,
                                int32_t count, int16_t version,
                                struct describe_groups_response *response, struct arena *arena,
                                struct completion *completion);
void group_coordinator_consumer_heartbeat(struct group_coordinator *groups,
                                          const struct consumer_group_heartbeat_request *request,
                                          int16_t version, const struct group_client *client,
                                          struct consumer_group_heartbeat_response *response,
                                          struct arena *arena, struct completion *completion);
void group_coordinator_consumer_describe(struct group_coordinator *groups,
                                         const struct str *group_ids, int32_t count,
                                         struct consumer_group_describe_response *response,
                                         struct arena *arena, struct completion *completion);
// Topics that the request names exist.
void group_coordinator_delete_offsets(struct group_coordinator *groups,
                                      const struct offset_delete_request *request,
                                      struct offset_delete_response *response, struct arena *arena,
                                      struct completion *completion);
void group_coordinator_list(struct group_coordinator *groups,
                            const struct list_groups_request *request,
                            struct list_groups_response *response, struct arena *arena,
                            struct completion *completion);
void group_coordinator_delete(struct group_coordinator *groups, const struct str *group_ids,
                              int32_t count, struct delete_groups_response *response,
                              struct arena *arena, struct completion *completion);

#endif
