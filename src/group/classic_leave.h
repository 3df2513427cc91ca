// SPDX-License-Identifier: Apache-2.0
// LeaveGroup to a classic group: members say goodbye, or an administrator removes static members by their
// instance ids (KIP-345), many at once.
#ifndef GROUP_CLASSIC_LEAVE_H
#define GROUP_CLASSIC_LEAVE_H

#include "group/classic_rebalance.h"

// Fills response->members.
void classic_leave(struct group_shard *state, const struct leave_group_request *request,
                   struct leave_group_response *response, struct arena *arena);

#endif
