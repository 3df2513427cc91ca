// SPDX-License-Identifier: Apache-2.0
// The controller: decides about the cluster. It alone writes __cluster_metadata, and it runs on a thread of its own.
//
//      any thread                                   the controller's thread
//     controller_submit(call) ──> queue ──> take all ──> evaluate each into records and a response
//                                                    ──> one write and one sync of all records   (metadata_log)
//                                                    ──> replay them into the image (metadata), tell subscribers
//                                                    ──> complete the calls
//
// (1) A call is completed after its records are committed, replayed and published; a call that changes nothing is
//     completed after those before it.
// (2) Each call is evaluated against the state that all earlier calls left, committed or not: the controller's own
//     image runs ahead of the published one. If a write or a sync fails, nobody knows what the log holds: the
//     controller resigns for good, every call is answered with NOT_CONTROLLER, and on_failed tells the broker to stop.
// (3) The records of one call commit together or not at all.
// (4) The thread sleeps until there is a call or a snapshot is due: an idle cluster writes and computes nothing
//     (doc/decisions/0005-no-op-records.md).
#ifndef CONTROLLER_CONTROLLER_H
#define CONTROLLER_CONTROLLER_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/completion.h"
#include "base/disk.h"
#include "base/trace.h"
#include "base/uuid.h"
#include "protocol/api_keys.h"

struct create_topics_request_creatable_topic;
struct config;
struct controller;
struct metadata;

// One request to the controller, in the request and response structs of its API. Served: CREATE_TOPICS,
// DELETE_TOPICS, CREATE_PARTITIONS, ALTER_CONFIGS, INCREMENTAL_ALTER_CONFIGS, ALLOCATE_PRODUCER_IDS,
// BROKER_REGISTRATION, BROKER_HEARTBEAT, ASSIGN_REPLICAS_TO_DIRS, CONTROLLER_REGISTRATION, UPDATE_FEATURES. Everything
// borrowed until completed. Any other key, or a controller that has stopped or failed, is answered with an error in
// the response. A call whose timeout_ms has passed when its turn comes (at once, when that is 0) is answered
// REQUEST_TIMED_OUT and does nothing; UPDATE_FEATURES has none that counts, as in Kafka.
struct controller_call {
    enum api_key api_key;
    int16_t version;     // decides what error codes a client of that age is told
    const void *request; // decoded
    void *response;      // with defaults; filled when completed
    struct arena *arena; // for what the response points to; the controller's alone until completed
    struct completion *completion; // completed on the controller's thread
    struct list _link;
    int64_t _submitted_us;
};

struct controller_options {
    struct disk *disk;
    struct clock *clock;
    struct trace *trace;
    const struct config *config;
    struct metadata *metadata; // empty; filled by controller_open
    const char *
        metadata_dir; // the log dir that holds (or will hold) __cluster_metadata-0 and bootstrap.checkpoint
    const char *cluster_id;
    int32_t node_id;
    struct uuid directory_id; // of metadata_dir, from its meta.properties
    // Where other controllers would find this one; a changed endpoint goes into the voter set. NULL name: leave it.
    const char *listener_name; // "CONTROLLER"
    const char *host;
    uint16_t port;
    // A write of the metadata log failed (any thread; once). May be NULL.
    void (*on_failed)(void *arg);
    void *arg;
};

// Opens or creates the metadata log, elects itself, writes what an empty cluster starts with (bootstrap.checkpoint),
// and publishes the image. What it wrote is committed by the first call, which is the registration of our own broker:
// before that, nobody may act on the image. 0, or -errno: the log could not be read or written (said in the trace).
int controller_open(const struct controller_options *options, struct controller **out);
// Runs the thread. Without it, controller_step does its work in the caller (simulator, tests).
int controller_start(struct controller *controller);
// Handles the calls that wait, and writes a snapshot when one is due.
void controller_step(struct controller *controller);
// Refuses new calls, finishes those it has, joins the thread, closes the log cleanly.
void controller_stop(struct controller *controller);
void controller_free(struct controller *controller); // after controller_stop; NULL is fine

// From any thread. After controller_stop: answered at once with NOT_CONTROLLER.
void controller_submit(struct controller *controller, struct controller_call *call);

// The same for a caller that may block (start and stop of the broker, never a reactor): returns when it is completed.
// `call->completion` is not used.
void controller_call(struct controller *controller, struct controller_call *call);
// Several, which share a write.
void controller_call_all(struct controller *controller, struct controller_call *calls,
                         size_t count);

// Starts the creation of a topic as a client's Metadata request or a coordinator's first use does, with the broker's
// defaults, or, for Kafka's internal topics, with their own partition counts, factors and configs. Returns at once;
// several for the same name while one is under way count once.
void controller_auto_create_topic(struct controller *controller, struct str name);
// The same for an internal topic of a streams group, as it is described. Why it could not be made is kept for
// error_ttl_ms, in which it is not tried again.
void controller_create_internal_topic(struct controller *controller,
                                      const struct create_topics_request_creatable_topic *topic,
                                      int64_t error_ttl_ms);
// In the arena; null: no error is kept.
struct str controller_creation_error(struct controller *controller, struct str name,
                                     struct arena *arena);

// The finalised kraft.version: 1 when the voters are in the log, 0 when they come from the configuration.
int16_t controller_kraft_version(const struct controller *controller);
// This controller's epoch (of the raft leader).
int32_t controller_epoch(const struct controller *controller);

#endif
