// SPDX-License-Identifier: Apache-2.0
// Joins the log directories (log/log_dirs.h) and what moves between them
// (replica/log_dir_control.h, log_mover.h) to the controller, the configuration and this broker's heartbeats.
//
//     new ──► the logs are loaded ──► replicas_start ──► registered: start ──► … ──► stop, before the controller
#ifndef BROKER_GLUE_DIRS_H
#define BROKER_GLUE_DIRS_H

#include "controller/local_broker.h"
#include "replica/log_dir_control.h"

struct dirs_glue_options {
    struct clock *clock;
    struct trace *trace;
    const struct config *config;
    struct metadata *metadata;
    struct controller *controller;
    struct log_manager *logs;
    struct replicas *replicas;
    struct local_broker *local_broker; // filled by its owner before dirs_glue_start
    ptrdiff_t metadata_dir; // the place in log.dirs of the metadata log's directory; -1: elsewhere
    int32_t node_id;
    void (*on_fatal)(void *arg); // any thread
    void *arg;
};

struct dirs_glue;

struct dirs_glue *dirs_glue_new(const struct dirs_glue_options *options);
void dirs_glue_start(struct dirs_glue *glue);
void dirs_glue_stop(struct dirs_glue *glue);
void dirs_glue_free(struct dirs_glue *glue); // NULL is fine
struct log_dir_control *dirs_glue_control(struct dirs_glue *glue);

// Whether the directory of the metadata log is one of those that failed.
bool dirs_glue_metadata_failed(struct dirs_glue *glue);

// For local_broker.directories; arg is the glue.
void dirs_glue_directories(void *arg, struct arena *arena, struct local_directories *out);
// For log_manager_options.on_dir_failed and replicas_options.
void dirs_glue_failed(struct dirs_glue *glue, size_t dir);
void dirs_glue_misplaced(struct dirs_glue *glue, const struct replica_directory *items,
                         size_t count);
bool dirs_glue_is_moving_to(struct dirs_glue *glue, struct str topic, int32_t index,
                            struct uuid directory);
// Settings of this broker changed: cordoned.log.dirs, the throttle.
void dirs_glue_reconfigure(struct dirs_glue *glue);

#endif
