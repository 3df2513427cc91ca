// SPDX-License-Identifier: Apache-2.0
// The brokers' own settings in the metadata log, as this process's live configuration: `kafka-configs --entity-type
// brokers` writes ConfigRecords for one broker or for all, and what is read here from then on is the new value.
#ifndef BROKER_GLUE_CONFIG_H
#define BROKER_GLUE_CONFIG_H

#include "config/config.h"
#include "metadata/metadata.h"

struct config_glue {
    struct config *config;
    struct metadata *metadata;
    struct trace *trace;
    int32_t node_id;
    void (*on_changed)(void *arg); // on the controller's thread, after the new values can be read
    void *arg;
    struct metadata_subscription _subscription;
};

// Takes over what the image says and follows it. Fields without underscore are set by the caller.
void config_glue_start(struct config_glue *glue);
void config_glue_stop(struct config_glue *glue);

#endif
