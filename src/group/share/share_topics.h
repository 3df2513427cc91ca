// SPDX-License-Identifier: Apache-2.0
// Topics with some of their partitions, as share groups keep them: what a member has, what it shall have, what of the
// group's state is begun. Partitions ascend. Small lists, searched from the front.
#ifndef GROUP_SHARE_SHARE_TOPICS_H
#define GROUP_SHARE_SHARE_TOPICS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/uuid.h"

struct share_topic {
    struct uuid id;
    char *name; // or NULL, where it does not matter
    int32_t *partitions;
    int32_t count;
    int32_t capacity;
    int64_t since_ms; // when it came to be, of topics whose state is being begun
};

struct share_topics {
    struct share_topic *items;
    size_t count;
    size_t capacity;
};

void share_topics_fini(struct share_topics *topics);
struct share_topic *share_topics_find(const struct share_topics *topics, struct uuid id);
// The one of that id; a new one without partitions if there is none.
struct share_topic *share_topics_get(struct share_topics *topics, struct uuid id, struct str name);
void share_topics_remove(struct share_topics *topics, struct uuid id);
bool share_topic_has(const struct share_topic *topic, int32_t partition); // NULL has none
void share_topic_add(struct share_topic *topic, int32_t partition);
void share_topic_drop(struct share_topic *topic, int32_t partition);
// Adds all of `from` to `into`.
void share_topics_merge(struct share_topics *into, const struct share_topics *from);
struct share_topics share_topics_copy(const struct share_topics *from);
// The same partitions of the same topics. Topics without partitions count as different from none, as in Kafka.
bool share_topics_equal(const struct share_topics *a, const struct share_topics *b);
// Indexes of the topics in the order in which Java's HashMap by id would give them. In the arena.
size_t *share_topics_order(const struct share_topics *topics, struct arena *arena);

#endif
