// SPDX-License-Identifier: Apache-2.0
// Producer ids, given out one by one from blocks of 1000 that the controller hands to this broker (KIP-730). The next
// block is fetched when nine tenths of the present one are gone, so that nobody waits for it but the very first.
//
//     present [next, end)   following [next, end) or empty   call to the controller: under way or not
//
// (1) No id is given twice: a block is this broker's alone, also across restarts, which begin a new one.
// (2) Whoever asks while there is none waits for the block under way; if it fails, for this one answer only.
#ifndef TXN_PRODUCER_IDS_H
#define TXN_PRODUCER_IDS_H

#include <stdint.h>

#include "base/completion.h"
#include "protocol/kafka_error.h"

struct controller;
struct controller_call;
struct metadata;
struct producer_ids;

// Owned by the caller until completed.
struct producer_id_wait {
    struct completion
        completion;         // completed on any thread, perhaps before producer_ids_take returns
    enum kafka_error error; // NONE, or COORDINATOR_LOAD_IN_PROGRESS, which clients retry
    int64_t producer_id;
};

// `submit` is controller_submit; tests bring their own.
struct producer_ids *
producer_ids_new(struct controller *controller, struct metadata *metadata, int32_t node_id,
                 void (*submit)(struct controller *controller, struct controller_call *call));
// The controller has stopped, so no call is under way.
void producer_ids_free(struct producer_ids *ids);
void producer_ids_take(struct producer_ids *ids, struct producer_id_wait *wait);

#endif
