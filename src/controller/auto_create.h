// SPDX-License-Identifier: Apache-2.0
// Topics that nobody created: asked for by a client's Metadata request, or needed by a coordinator (the internal ones,
// with their own sizes and configs). An ordinary CreateTopics call whose answer only the log reads.
#ifndef CONTROLLER_AUTO_CREATE_H
#define CONTROLLER_AUTO_CREATE_H

#include <pthread.h>

#include "base/bytes.h"
#include "base/hashmap.h"

struct config;
struct controller;
struct trace;

struct auto_create {
    struct controller *_controller;
    const struct config *_config;
    struct trace *_trace;
    pthread_mutex_t _lock;
    struct hashmap _under_way; // by name
};

void auto_create_init(struct auto_create *auto_create, struct controller *controller,
                      const struct config *config, struct trace *trace);
void auto_create_fini(struct auto_create *auto_create); // none is under way any more
void auto_create_topic(struct auto_create *auto_create, struct str name);

#endif
