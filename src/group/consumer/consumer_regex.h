// SPDX-License-Identifier: Apache-2.0
// Subscriptions by regular expression (KIP-848): which topics they stand for is found out in the background, written
// as a record for each expression, and rebalances the group when it has changed.
//
//     heartbeat ──consumer_regex_update──> to be resolved? ──consumer_regex_schedule──> background: match all topics
//                                                                                              │
//     group <── records, epoch + 1 if something changed <── evaluate under the shard's lock <──┘
//
// Resolved when a member brings a new expression, when topics were made, and every
// group.consumer.regex.refresh.interval.ms; not more often than every 10 s, and once at a time for a group. All
// expressions of the group together.
#ifndef GROUP_CONSUMER_CONSUMER_REGEX_H
#define GROUP_CONSUMER_CONSUMER_REGEX_H

#include "group/consumer/consumer_update.h"

// A step of an update: sets regex_change and must_resolve, adds a tombstone for an expression that nobody has any
// more. INVALID_REGULAR_EXPRESSION with its message.
enum kafka_error consumer_regex_update(struct consumer_update *update, struct str *message);
// Resolves all expressions of the group as it is now.
void consumer_regex_schedule(struct consumer_group *group);

#endif
