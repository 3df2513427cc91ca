// SPDX-License-Identifier: Apache-2.0
// The form that all records of coordinators have in their log:
//
//     key    int16 type of the record | fields of version 0
//     value  int16 version            | fields of that version; a tombstone has none
//
// Tested by group/group_records_test.c, txn/txn_records_test.c and share_coordinator_test.c, on Kafka's own bytes.
#ifndef COORDINATOR_COORDINATOR_RECORD_H
#define COORDINATOR_COORDINATOR_RECORD_H

#include "base/arena.h"
#include "coordinator/coordinator.h"
#include "protocol/codec.h"

// Reads a value into `out`, which points into it; arrays are in the arena. False when it is malformed, or of a version
// that this broker does not know.
bool coordinator_record_decode(const struct message_desc *desc, struct bytes value,
                               struct arena *arena, void *out);
// A key (prefix: its type, version 0) or a value (prefix and version alike), in the arena.
struct bytes coordinator_record_encode(int16_t prefix, const struct message_desc *desc,
                                       int16_t version, const void *in, struct arena *arena);
// Adds a record to the shard's batch (coordinator_add); a NULL value is a tombstone.
void coordinator_record_add(struct coordinator_shard *shard, int16_t type,
                            const struct message_desc *key_desc, const void *key, int16_t version,
                            const struct message_desc *value_desc, const void *value);

#endif
