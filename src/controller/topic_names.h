// SPDX-License-Identifier: Apache-2.0
// What a topic may be called, and which names collide: metrics once turned '.' into '_', so two topics must not differ
// in that alone.
#ifndef CONTROLLER_TOPIC_NAMES_H
#define CONTROLLER_TOPIC_NAMES_H

#include "base/arena.h"
#include "base/hashmap.h"

enum { TOPIC_NAME_MAX = 249 };

// What is wrong with a topic's name, as Kafka says it ("the empty string is not allowed"); NULL when nothing is.
// In the arena or static.
const char *topic_name_fault(struct str name, struct arena *arena);

// The names of topics with a '.' or '_', by the name with all of them made '_'.
struct topic_names {
    struct hashmap _by_unified;
};

void topic_names_init(struct topic_names *names);
void topic_names_fini(struct topic_names *names);
void topic_names_add(struct topic_names *names, struct str name);
void topic_names_remove(struct topic_names *names, struct str name);
// An existing topic that `name` collides with (perhaps itself); null when there is none.
struct str topic_names_find(const struct topic_names *names, struct str name);

#endif
