// SPDX-License-Identifier: Apache-2.0
// The partitions of this broker: a table by topic name and by topic id, kept as the committed metadata say.
//
//     metadata (image + deltas, on the controller's thread) ──> replicas ──> log_manager: create, delete
//                                                                  └──> struct partition: leader at an epoch
//
// (1) Only replicas_start and the controller's thread change the table, under its write lock for the moment of a
//     pointer's change; opening and deleting logs happens outside it.
// (2) A reader of the table gets counted partitions. One that was deleted says so (partition_is_gone).
// (3) When the logs are loaded, those on disk that the image does not give to this broker are strays: set aside, as
//     Kafka does, never deleted.
// (4) A replica lives where log/log_dirs.h puts it. While a directory is out of service no log is made for a replica
//     that the metadata put there: it answers NOT_LEADER_OR_FOLLOWER, or, when it failed since the start,
//     KAFKA_STORAGE_ERROR.
// (5) A partition is in the table before the call that made it is completed, so that a client that created a topic can
//     use it.
// One rdlock and one hash lookup find any number of partitions of a topic.
#ifndef REPLICA_REPLICAS_H
#define REPLICA_REPLICAS_H

#include "base/clock.h"
#include "base/trace.h"
#include "replica/partition.h"

struct config;
struct log_manager;
struct metadata;
struct replicas;

// Where a replica of this broker lives.
struct replica_directory {
    struct uuid topic_id;
    int32_t index;
    struct uuid directory;
};

struct replicas_options {
    struct clock *clock;
    struct trace *trace;
    const struct config *config;
    struct metadata *metadata;
    struct log_manager *logs;
    int32_t node_id;
    // Replicas whose directory is not the one in the metadata (KIP-858): new ones, and those that somebody moved.
    // Called on the controller's thread and by replicas_start; must not wait. May be NULL.
    void (*on_misplaced)(void *arg, const struct replica_directory *items, size_t count);
    // Whether the replica is on its way to that directory, so that the metadata are right soon. May be NULL.
    bool (*is_moving_to)(void *arg, struct str topic, int32_t index, struct uuid directory);
    void *arg;
};

// The partitions of a topic that this broker has; NULL where it has none.
struct replica_topic {
    struct str name;
    struct uuid id;
    struct partition **partitions;
    int32_t partitions_count;
};

struct replicas *replicas_new(const struct replicas_options *options);
// Takes over the present image and follows it from now on. The logs are loaded. Before the controller's thread runs.
void replicas_start(struct replicas *replicas);
// No more changes, appends or reads; whoever waits is woken. The logs stay open.
void replicas_stop(struct replicas *replicas);
void replicas_free(struct replicas *replicas);

// Tells `observer` of the partitions of a topic from now on. Before replicas_start.
void replicas_observe(struct replicas *replicas, const char *topic,
                      struct partition_observer *observer);

// For log_manager: a topic's settings over the broker's, and whether a log found on disk is not this broker's any more
// (its topic or this replica is gone; topic_id may be zero for a log of old). Any thread, also before replicas_start.
void replicas_topic_config(struct replicas *replicas, struct str topic, struct log_config *out);
bool replicas_is_stray(struct replicas *replicas, struct str topic, int32_t index,
                       struct uuid topic_id);

// The broker's own defaults changed: topics' configs are resolved anew. On the controller's thread (which does it by
// itself after a change of configs in the metadata).
void replicas_reconfigure(struct replicas *replicas);

// One of the log directories (its place in log.dirs) has failed: the partitions in it answer KAFKA_STORAGE_ERROR until
// the next start. Any thread, without locks. Returns how many.
size_t replicas_dir_failed(struct replicas *replicas, size_t dir);

// Keeps changes of the metadata from being applied, for who changes where a partition lives. Outermost of all locks
// here; nobody waits for the controller with it.
void replicas_lock_changes(struct replicas *replicas);
void replicas_unlock_changes(struct replicas *replicas);

// Counted, or NULL.
struct partition *replicas_find(struct replicas *replicas, struct str topic, int32_t index);

// For several partitions of a topic: pointers are valid until replicas_unlock; partition_ref what is kept.
void replicas_lock_read(struct replicas *replicas);
void replicas_unlock(struct replicas *replicas);
const struct replica_topic *replicas_find_topic(const struct replicas *replicas, struct str name);
const struct replica_topic *replicas_find_topic_by_id(const struct replicas *replicas,
                                                      struct uuid id);
static inline struct partition *replica_topic_partition(const struct replica_topic *topic,
                                                        int32_t index)
{
    return topic != NULL && index >= 0 && index < topic->partitions_count ? topic->partitions[index]
                                                                          : NULL;
}

// Why a partition was not found: NOT_LEADER_OR_FOLLOWER when another broker has it, else UNKNOWN_TOPIC_OR_PARTITION.
enum kafka_error replicas_why_not_found(struct replicas *replicas, struct str topic, int32_t index);
// The same for a topic id; UNKNOWN_TOPIC_ID when there is no such topic.
enum kafka_error replicas_why_not_found_by_id(struct replicas *replicas, struct uuid topic_id,
                                              int32_t index);
// Whether it is a topic of the broker's own, by its name or, where that is null, by its id; also before its partitions
// are here. False for a topic that is not in the metadata.
bool replicas_is_internal(struct replicas *replicas, struct str topic, struct uuid topic_id);

#endif
