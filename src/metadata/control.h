// SPDX-License-Identifier: Apache-2.0
// Control records of the metadata log and its snapshots: who leads, the kraft.version, the voters, and a snapshot's
// header and footer (KIP-595, KIP-630, KIP-853). Key: record/batch_builder.h; value: a message of
// protocol/schema/records whose first field repeats its version, always 0 in Kafka 4.3.
#ifndef METADATA_CONTROL_H
#define METADATA_CONTROL_H

#include "base/arena.h"
#include "base/uuid.h"
#include "protocol/records/voters.h"
#include "record/batch_builder.h"

// Adds one to a batch made with is_control. `body`: the struct of the type, e.g. struct leader_change_message.
void control_record_add(struct batch_builder *builder, int64_t timestamp, enum control_type type,
                        const void *body);

// Reads the value of a control record of `type` (not ABORT or COMMIT) into a struct of that type in the arena; NULL
// when it is malformed, *reason says why.
void *control_record_decode(enum control_type type, struct bytes value, struct arena *arena,
                            const char **reason);

// A voter set of one, as `odradekd format --standalone` begins with. All memory in the arena or borrowed.
struct voters_record *voters_of_one(struct arena *arena, int32_t id, struct uuid directory_id,
                                    struct str listener_name, struct str host, uint16_t port);

#endif
