// SPDX-License-Identifier: Apache-2.0
// Sessions and other deadlines of members of a consumer group, and how a member is put out of it.
//
//     timer       set                                                  when it ends: fenced
//     session     heartbeat; a classic member: join, sync, heartbeat   always
//     rebalance   UNREVOKED_PARTITIONS entered or extended             if it still is in that epoch
//     join        a classic member was told to rejoin                  always; its JoinGroup cancels it
//     sync        a classic member has joined                          always; its SyncGroup cancels it
//
// Fencing removes the member's records and raises the group epoch. When only members of the classic protocol remain
// the group becomes a classic one (consumer_migration.h).
#ifndef GROUP_CONSUMER_CONSUMER_SESSION_H
#define GROUP_CONSUMER_CONSUMER_SESSION_H

#include "group/consumer/consumer_group.h"
#include "group/group_shard.h"

// With the group's session timeout; a classic member has its own.
void consumer_renew_session(struct consumer_member *member);
// After its partitions were reconciled: the rebalance timer runs while it has some to give up.
void consumer_watch_revocation(struct consumer_member *member);
void consumer_expect_join(struct consumer_member *member); // nothing if it is expected already
void consumer_expect_sync(struct consumer_member *member, int32_t timeout_ms);
void consumer_cancel_join(struct consumer_member *member);
void consumer_cancel_sync(struct consumer_member *member);
void consumer_cancel_timers(struct consumer_member *member);

// Puts members (of one group, each once) out of it: records, append, replay. They are freed if that succeeded.
enum kafka_error consumer_fence(struct consumer_group *group,
                                struct consumer_member *const *members, int32_t count);

// After loading: sessions begin anew.
void consumer_on_loaded(struct consumer_group *group);
void consumer_cancel_group_timers(struct consumer_group *group);

#endif
