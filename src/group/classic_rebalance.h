// SPDX-License-Identifier: Apache-2.0
// What moves a classic group from state to state (drawn in classic_group.h): rebalances, sessions, timers.
// Requests are in classic_join.h, classic_sync.h and classic_leave.h. All under the shard's lock; answers go
// to coordinator_complete.
//
//     timer           set                                            when it ends
//     session         join completed, heartbeat, offset commit       the member is removed, unless it waits
//     pending member  MEMBER_ID_REQUIRED answered                    its id is forgotten
//     join, initial   first member of an empty group                 again while members arrive; then complete
//     join            rebalance begun and not all have joined        complete without those who have not
//     sync            join completed                                 those who did not sync are removed
#ifndef GROUP_CLASSIC_REBALANCE_H
#define GROUP_CLASSIC_REBALANCE_H

#include "group/group_shard.h"

enum { CLASSIC_NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000 };

// A member is not there any more, or came, or changed: rebalance, or go on with the rebalance there is.
void classic_rebalance(struct classic_group *group, const char *reason);
void classic_rebalance_prepare(struct classic_group *group, const char *reason);
// Completes the rebalance there is if all have joined and it is not the initial one.
void classic_rebalance_try_complete(struct classic_group *group);

// Puts a new member in the group, waiting for its join.
void classic_rebalance_add(struct classic_group *group, struct classic_member *member,
                           struct str protocol_type, struct classic_join *join);
// Cancels its session, answers its requests with UNKNOWN_MEMBER_ID, takes it out and frees it.
void classic_rebalance_drop(struct classic_group *group, struct classic_member *member);
void classic_rebalance_drop_pending(struct classic_group *group, struct pending_member *pending);
// Gives out an id (KIP-394), good for session_timeout_ms.
void classic_rebalance_add_pending(struct classic_group *group, struct str id,
                                   int32_t session_timeout_ms);

void classic_renew_session(struct classic_group *group, struct classic_member *member);
// KERR_NONE, UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID.
enum kafka_error classic_validate_member(const struct classic_group *group, struct str member_id,
                                         struct str instance_id);

// In CompletingRebalance: sends each member that waits its assignment, or with an error nothing.
void classic_assign(struct classic_group *group, enum kafka_error error);
// The member has asked for its assignment.
void classic_synced(struct classic_group *group, struct classic_member *member);

// An answer without a generation.
void classic_join_refuse(struct classic_group *group, struct classic_join *join,
                         enum kafka_error error, struct str member_id);
// The present generation; the leader gets the members.
void classic_join_answer(struct classic_group *group, struct classic_member *member,
                         struct classic_join *join, bool with_members);
void classic_sync_answer(struct classic_group *group, struct classic_sync *sync,
                         enum kafka_error error, struct bytes assignment);

// Adds the group's GroupMetadata record. assignment_of says what each member was assigned.
void classic_add_record(struct classic_group *group,
                        struct bytes (*assignment_of)(const struct classic_member *member));
struct bytes classic_present_assignment(const struct classic_member *member);

// After loading: starts the sessions; shrinks a group that is over capacity.
void classic_on_loaded(struct classic_group *group);
// Answers all who wait; the group is about to go.
void classic_refuse_all(struct classic_group *group, enum kafka_error error);
// Answers all who wait with NOT_COORDINATOR; the group is Dead.
void classic_on_unloaded(struct classic_group *group);
// A GroupMetadata record of the log becomes the group's state; `group` is fresh. False if the record cannot
// be: it names a member or an instance twice, or has members without a protocol.
bool classic_replay(struct classic_group *group, const struct group_metadata_value *value);
void classic_cancel_timers(struct classic_group *group);

#endif
