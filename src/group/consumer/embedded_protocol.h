// SPDX-License-Identifier: Apache-2.0
// What consumers of the classic protocol put into the opaque bytes of JoinGroup and SyncGroup: their subscription and
// assignment, which a broker must read and write when such members are in a consumer group (KIP-848, migration).
//
//     int16 version · message of that version (of a newer one: the newest that we know)
#ifndef GROUP_CONSUMER_EMBEDDED_PROTOCOL_H
#define GROUP_CONSUMER_EMBEDDED_PROTOCOL_H

#include "base/arena.h"
#include "group/consumer/consumer_reconcile.h"
#include "protocol/records/consumer_protocol.h"

struct topic_index;

// False if it is malformed. Points into `bytes`.
bool embedded_subscription_read(struct bytes bytes, struct arena *arena,
                                struct consumer_protocol_subscription *out);
bool embedded_assignment_read(struct bytes bytes, struct arena *arena,
                              struct consumer_protocol_assignment *out);
// The version of a subscription, which its assignment shall have. False if there is none.
bool embedded_version_read(struct bytes bytes, int16_t *version);

// What a member says that it owns, by topic ids; topics that do not exist are left out. Never NULL.
const struct owned_topic *embedded_owned(const struct consumer_protocol_subscription *subscription,
                                         struct topic_index *topics, struct arena *arena,
                                         int32_t *count);
// Partitions by ids as an assignment, by names; topics that do not exist are left out.
struct bytes embedded_assignment_write(const struct member_target_value *target, int16_t version,
                                       struct topic_index *topics, struct arena *arena);

#endif
