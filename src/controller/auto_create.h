// SPDX-License-Identifier: Apache-2.0
// Topics that nobody created: asked for by a client's Metadata request, or needed by a coordinator (the internal ones,
// with their own sizes and configs). An ordinary CreateTopics call whose answer only the log reads; why an internal
// topic of a streams group could not be made is kept for a while, to be told to its members, and until then it is not
// tried again.
#ifndef CONTROLLER_AUTO_CREATE_H
#define CONTROLLER_AUTO_CREATE_H

#include <pthread.h>

#include "base/bytes.h"
#include "base/hashmap.h"
#include "protocol/messages/create_topics.h"

struct clock;
struct config;
struct controller;
struct trace;

struct auto_create {
    struct controller *_controller;
    const struct config *_config;
    struct clock *_clock;
    struct trace *_trace;
    pthread_mutex_t _lock;
    struct hashmap _under_way; // by name
    struct hashmap _errors;    // struct creation_error, by name
};

void auto_create_init(struct auto_create *auto_create, struct controller *controller,
                      const struct config *config, struct clock *clock, struct trace *trace);
void auto_create_fini(struct auto_create *auto_create); // none is under way any more
void auto_create_topic(struct auto_create *auto_create, struct str name);
// As it is described. An error is kept for that long.
void auto_create_described(struct auto_create *auto_create,
                           const struct create_topics_request_creatable_topic *topic,
                           int64_t error_ttl_ms);
// Why it could not be made, in the arena; null: no error is kept.
struct str auto_create_error(struct auto_create *auto_create, struct str name, struct arena *arena);

#endif
