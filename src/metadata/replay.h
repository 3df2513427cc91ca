// SPDX-License-Identifier: Apache-2.0
// Applies records to an image, in the order of the log.
//
//     struct replay replay;
//     replay_init(&replay, metadata);
//     replay.delta = &delta;                       // or NULL
//     image_lock(metadata);
//     if (!replay_value(&replay, record_value, offset, epoch))
//         stop(replay.reason);
//     metadata_unlock(metadata);
//
// (1) A record of an unknown type or version, or one that does not fit the image (a partition of no topic), is an
//     error: the image would no longer be that of the other nodes. The caller stops.
// (2) The records between BeginTransaction and EndTransaction (KIP-868) take effect together at the end, or, after
//     AbortTransaction or when the log ends there, not at all.
#ifndef METADATA_REPLAY_H
#define METADATA_REPLAY_H

#include "metadata/delta.h"
#include "metadata/metadata_record.h"

struct replay {
    struct metadata *metadata;
    struct delta *delta; // what changes is told here; may be NULL
    const char *reason;  // of the failure; valid until the next call

    bool in_transaction;
    int64_t transaction_offset; // of its BeginTransaction
    struct arena _held_arena;   // records of the transaction
    struct bytes *_held;        // as encoded
    size_t _held_count, _held_capacity;
    struct arena _scratch;
};

void replay_init(struct replay *replay, struct metadata *metadata);
void replay_fini(struct replay *replay);

// One record as it stands in a batch.
bool replay_value(struct replay *replay, struct bytes value, int64_t offset, int32_t epoch);
// One decoded record.
bool replay_entry(struct replay *replay, const struct metadata_entry *entry, int64_t offset,
                  int32_t epoch);

#endif
