// SPDX-License-Identifier: Apache-2.0
// Joins a coordinator engine (coordinator/coordinator.h) to what it stands on: its log is the partitions of an internal
// topic, leadership and commits of those partitions are told to it, and shards are loaded on a thread of their own.
// One for each kind of coordinator: groups, transactions, share groups.
//
//     replicas ──on_leader──> coordinator_elected ──> loader thread: coordinator_load (reads the partitions)
//     partition ──on_high_watermark──> coordinator_on_high_watermark
//     coordinator ──append, read──> partition_append, partition_read_batches
//
//     coordinator_glue_init, coordinator made with glue.log, coordinator_glue_start
//       … coordinator_glue_stop, coordinator freed, coordinator_glue_fini
// Tested by broker_test.c.
#ifndef BROKER_GLUE_COORDINATOR_H
#define BROKER_GLUE_COORDINATOR_H

#include <pthread.h>
#include <stdbool.h>

#include "coordinator/coordinator.h"
#include "replica/partition.h"

struct metadata;
struct replicas;

struct coordinator_glue_options {
    const char *topic;
    const char *thread_name;   // of the loader, at most 15 characters
    struct metadata *metadata; // published
    struct replicas *replicas; // not yet started: they are observed
    void (*run)(void *arg); // other work for the loader, after coordinator_glue_wake; may be NULL
    void *arg;
};

struct coordinator_glue {
    struct coordinator_log log;
    struct coordinator_glue_options _options;
    struct coordinator *_engine;
    struct partition_observer _observer;
    struct str _topic;
    pthread_t _loader;
    pthread_mutex_t _lock; // guards the two below
    pthread_cond_t _wake;
    bool _has_work;
    bool _is_stopping;
};

void coordinator_glue_init(struct coordinator_glue *glue,
                           const struct coordinator_glue_options *options);
// The partitions of the topic, whose number is settled when it is made; `otherwise` as long as it is not there.
int32_t coordinator_glue_partition_count(const struct coordinator_glue *glue, int32_t otherwise);
// Observes the partitions and starts the loader. 0 or -errno. Before the controller's thread runs.
int coordinator_glue_start(struct coordinator_glue *glue, struct coordinator *engine);
// There is other work. Any thread, under a shard's lock too.
void coordinator_glue_wake(struct coordinator_glue *glue);
// Ends the loader and answers whoever waits with NOT_COORDINATOR. Replicas still run.
void coordinator_glue_stop(struct coordinator_glue *glue);
// When replicas are stopped; the log must not be used any more.
void coordinator_glue_fini(struct coordinator_glue *glue);

#endif
