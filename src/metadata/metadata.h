// SPDX-License-Identifier: Apache-2.0
// The image of the cluster: what the committed records of __cluster_metadata say, ready to be asked. There is one
// for all readers (behind a rwlock) and the controller keeps one more of its own, which runs ahead by what it has
// not yet committed.
//
//     records ──> metadata_replay (replay.h) ──> struct metadata ──> readers on any thread
//                                                      └──> struct metadata_delta ──> subscribers
//
//     metadata_lock_read(metadata);
//     const struct metadata_topic *topic = metadata_find_topic(metadata, name);
//     … copy what is needed; pointers are valid until …
//     metadata_unlock(metadata);
//
// (1) Only the controller's thread changes an image, under the write lock, and each time from one consistent state
//     to the next: readers never see half a batch, nor what is not committed.
// (2) A topic is found by name and by id with one hash lookup each. partitions[i] is partition i.
// (3) Whatever a snapshot must not lose is here, also what nobody asks for yet (quotas, SCRAM, ACLs, tokens: kept
//     as their records).
// The read lock is held for microseconds, never while calling back, waiting, or taking another lock.
#ifndef METADATA_METADATA_H
#define METADATA_METADATA_H

#include <pthread.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/hashmap.h"
#include "base/list.h"
#include "base/uuid.h"
#include "config/config_resource.h"

struct config_entry; // config/log_config.h: name and value

// The overrides of one resource, in the order of their names. Never empty.
struct metadata_configs {
    enum config_resource type;
    const char *name;
    const struct config_entry *entries; // values are never null
    size_t count;
};

struct metadata_partition {
    const int32_t *replicas; // NULL: there is no such partition (yet)
    const int32_t *isr;
    const int32_t *removing_replicas;
    const int32_t *adding_replicas;
    const int32_t *eligible_leader_replicas;
    const int32_t *last_known_elr;
    const struct uuid *directories; // one per replica, or none at all
    int32_t replicas_count;
    int32_t isr_count;
    int32_t removing_replicas_count;
    int32_t adding_replicas_count;
    int32_t eligible_leader_replicas_count;
    int32_t last_known_elr_count;
    int32_t directories_count;
    int32_t leader; // -1: none
    int32_t leader_epoch;
    int32_t partition_epoch;
    int8_t leader_recovery_state; // 0 recovered, 1 recovering
    void *_block;                 // holds the arrays
};

struct metadata_topic {
    const char *name;
    size_t name_size;
    struct uuid id;
    bool is_internal; // __consumer_offsets and its like
    int32_t partitions_count;
    struct metadata_partition *partitions;
    const struct metadata_configs *configs; // NULL: no overrides
    size_t _partitions_capacity;
};

struct metadata_endpoint {
    struct str listener_name;
    struct str host;
    uint16_t port;
    int16_t security_protocol; // 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL
};

struct metadata_feature_range {
    struct str name;
    int16_t min_supported_version;
    int16_t max_supported_version;
};

struct metadata_broker {
    int32_t id;
    int64_t epoch; // grows with every registration
    struct uuid incarnation_id;
    struct str rack; // null: none
    const struct metadata_endpoint *endpoints;
    int32_t endpoints_count;
    const struct metadata_feature_range *features;
    int32_t features_count;
    const struct uuid *log_dirs;
    int32_t log_dirs_count;
    const struct uuid *cordoned_log_dirs;
    int32_t cordoned_log_dirs_count; // -1: not told
    bool fenced;                     // not in service: no leader, not in Metadata
    bool in_controlled_shutdown;
    struct arena _arena;
};

struct metadata_controller {
    int32_t id;
    struct uuid incarnation_id;
    bool zk_migration_ready;
    const struct metadata_endpoint *endpoints;
    int32_t endpoints_count;
    const struct metadata_feature_range *features;
    int32_t features_count;
    struct arena _arena;
};

struct metadata_feature {
    const char *name;
    int16_t level;
};

// ---- deltas -------------------------------------------------------------------------------------------------

enum metadata_change { METADATA_CREATED, METADATA_CHANGED, METADATA_DELETED };

struct metadata_topic_change {
    enum metadata_change change;
    struct uuid id; // tells a topic from one of the same name deleted before it
    struct str name;
    const int32_t *
        partitions; // the partitions that are new or changed; all of them when created; none when deleted
    int32_t partitions_count;
};

struct metadata_config_change {
    enum config_resource type;
    struct str name;
};

struct metadata_broker_change {
    enum metadata_change change;
    int32_t id;
};

// What one publication changed, in the order of the first change; a topic made and deleted in it is left out. A
// topic whose configs alone changed is in `configs` only; the configs of a new or deleted topic are not.
struct metadata_delta {
    const struct metadata_topic_change *topics;
    size_t topics_count;
    const struct metadata_config_change *configs;
    size_t configs_count;
    const struct metadata_broker_change *brokers;
    size_t brokers_count;
    bool features_changed;
    bool controllers_changed;
    bool producer_ids_changed;
    bool others_changed; // quotas, SCRAM, ACLs, tokens
};

// Told about every change on the controller's thread, without the lock, after the image has it and before the call
// that made it is completed. The delta is valid during the call.
struct metadata_subscription {
    void (*on_change)(struct metadata_subscription *subscription,
                      const struct metadata_delta *delta);
    struct list _link;
};

// ---- the image ----------------------------------------------------------------------------------------------

struct metadata {
    pthread_rwlock_t _lock;
    struct hashmap _topics_by_name;
    struct hashmap _topics_by_id;
    struct hashmap _configs; // by type and name
    struct hashmap _brokers; // by id
    struct hashmap _controllers;
    struct hashmap _features; // by name
    struct hashmap _stored;   // records kept as they are, by what tells them apart
    int64_t next_producer_id; // -1: no block was ever given
    int64_t offset;           // of the last record that was replayed, -1: none
    int32_t epoch;            // of that record
    int64_t partitions_count; // of all topics
    struct list _subscriptions;
    pthread_mutex_t _subscriptions_lock;
};

struct metadata *metadata_new(void);
void metadata_free(struct metadata *metadata);

void metadata_lock_read(struct metadata *metadata);
void metadata_unlock(struct metadata *metadata);

// Before the controller's thread runs, or on it. The subscriber looks at the image itself first: what was there
// before is not told. Unsubscribing waits for a call in progress.
void metadata_subscribe(struct metadata *metadata, struct metadata_subscription *subscription);
void metadata_unsubscribe(struct metadata *metadata, struct metadata_subscription *subscription);

// All of the following: under the lock. NULL when there is none.
const struct metadata_topic *metadata_find_topic(const struct metadata *metadata, struct str name);
const struct metadata_topic *metadata_find_topic_by_id(const struct metadata *metadata,
                                                       struct uuid id);
size_t metadata_topics_count(const struct metadata *metadata);
// In any order: size_t at = 0; while ((topic = metadata_next_topic(metadata, &at)) != NULL) …
const struct metadata_topic *metadata_next_topic(const struct metadata *metadata, size_t *at);
const struct metadata_partition *metadata_topic_partition(const struct metadata_topic *topic,
                                                          int32_t partition);

const struct metadata_configs *metadata_find_configs(const struct metadata *metadata,
                                                     enum config_resource type, struct str name);
// The value of one override; null when not set.
struct str metadata_config_value(const struct metadata_configs *configs,
                                 const char *key); // configs may be NULL
const struct metadata_configs *metadata_next_configs(const struct metadata *metadata, size_t *at);

const struct metadata_broker *metadata_find_broker(const struct metadata *metadata, int32_t id);
size_t metadata_brokers_count(const struct metadata *metadata);
const struct metadata_broker *metadata_next_broker(const struct metadata *metadata, size_t *at);
// The endpoint of a listener; NULL when this broker has no listener of that name.
const struct metadata_endpoint *metadata_broker_endpoint(const struct metadata_broker *broker,
                                                         const char *listener_name);
const struct metadata_controller *metadata_next_controller(const struct metadata *metadata,
                                                           size_t *at);
const struct metadata_controller *metadata_find_controller(const struct metadata *metadata,
                                                           int32_t id);

// The finalised level, 0 when the feature is not finalised. kraft.version is not among them: see controller.h.
int16_t metadata_feature_level(const struct metadata *metadata, const char *name);
const struct metadata_feature *metadata_next_feature(const struct metadata *metadata, size_t *at);

#endif
