// SPDX-License-Identifier: Apache-2.0
// Groups change their protocol while they live (KIP-848), as far as group.consumer.migration.policy lets them:
//
//     classic ──a consumer of the new protocol joins──> consumer    upgrade: its members go on, as classic members
//     consumer ──the last of those has gone──> classic              downgrade: the classic members go on
//
// An upgrade only adds records to the batch of the heartbeat that asks for it: the classic group's tombstone and all
// of the consumer group's; replay does the rest. A downgrade is appended without replay, for the classic group has
// more in memory than its record says (all protocols of its members).
#ifndef GROUP_CONSUMER_CONSUMER_MIGRATION_H
#define GROUP_CONSUMER_CONSUMER_MIGRATION_H

#include "group/consumer/consumer_draft.h"
#include "group/group_shard.h"

// Ends the group's rebalance, adds the records, and returns the consumer group that they will make, for the caller to
// free. NULL with why not: the policy, members of another kind, too many, or an assignor that keeps data of its own;
// with a null message when the group is in its first rebalance, which Kafka trips over: UNKNOWN_SERVER_ERROR.
struct consumer_group *consumer_upgrade(struct classic_group *classic, struct arena *arena,
                                        struct str *message);

// Whether all members but these speak the classic protocol, there are some, and the policy allows it.
bool consumer_can_downgrade(const struct consumer_group *group,
                            struct consumer_member *const *leaving, int32_t count);
// Makes it a classic group without these, and rebalances that. `group` is gone if it succeeded.
enum kafka_error consumer_downgrade(struct consumer_group *group,
                                    struct consumer_member *const *leaving, int32_t count);

// The same when the last member of the new protocol, a static one, is replaced by a classic one.
bool consumer_can_downgrade_by(const struct consumer_group *group,
                               const struct consumer_member *replaced);
enum kafka_error consumer_downgrade_by(struct consumer_group *group,
                                       const struct consumer_member *replaced,
                                       const struct member_draft *joining, bool rebalances);

#endif
