// SPDX-License-Identifier: Apache-2.0
// Where the topics of a request stand in a response that has one entry a topic, whatever the request repeats: so are
// Kafka's answers of OffsetCommit, TxnOffsetCommit and OffsetDelete as soon as there is a partition to refuse, and
// those of AddPartitionsToTxn that have an error for each partition.
#ifndef API_TOPIC_SLOTS_H
#define API_TOPIC_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

// How a request names a topic (its name or its id), and how many partitions of it.
struct topic_key {
    const void *data;
    size_t size;
    int32_t partitions;
};

struct topic_slot {
    int32_t room;  // partitions that the request names under this key, altogether
    int32_t place; // the entry's index in the response; -1: it has none yet
};

// The slot of each of the `count` topics, shared by those of one key; in the arena.
struct topic_slot **topic_slots(const struct topic_key *keys, int32_t count, struct arena *arena);

#endif
