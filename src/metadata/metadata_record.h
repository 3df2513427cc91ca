// SPDX-License-Identifier: Apache-2.0
// The records of __cluster_metadata, one by one. The value of a record in a batch (its key is null):
//
//     uvarint frame version (1) | uvarint type | uvarint version | body, as its schema in protocol/schema/records
//
// (1) A type or version that is not in the schema is refused: a reader that guessed would hold another image of the
//     cluster than its peers.
#ifndef METADATA_METADATA_RECORD_H
#define METADATA_METADATA_RECORD_H

#include "base/arena.h"
#include "protocol/registry.h"

// A decoded record. `body` is the struct of its type, e.g. struct topic_record.
struct metadata_entry {
    enum metadata_record type;
    int16_t version;
    void *body;
};

// Records in the making, or decoded: in order, all memory in the arena.
struct metadata_entries {
    struct arena *arena;
    struct metadata_entry *items;
    size_t count;
    size_t _capacity;
};

void metadata_entries_init(struct metadata_entries *entries, struct arena *arena);
// Appends a record with the schema's defaults and returns its body, to be filled by the caller.
void *metadata_entries_add(struct metadata_entries *entries, enum metadata_record type,
                           int16_t version);
// Forgets the records after the first `count`: an evaluation that ended in an error.
void metadata_entries_cut(struct metadata_entries *entries, size_t count);

// False: *reason says why (in the arena or static).
bool metadata_record_decode(struct bytes value, struct arena *arena, struct metadata_entry *out,
                            const char **reason);
// The value as it goes into a batch, in the arena. Our own records always fit their schema: a failure is our bug.
struct bytes metadata_record_encode(const struct metadata_entry *entry, struct arena *arena);

#endif
