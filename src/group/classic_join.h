// SPDX-License-Identifier: Apache-2.0
// JoinGroup to a classic group.
//
//     no member id ──> instance id? ── known: takes that member's place under a new id (KIP-345)
//                          │            new:  a member at once
//                          └── none: v0-3 a member at once; v4+ gets an id with MEMBER_ID_REQUIRED (KIP-394)
//     member id ─────> pending: a member now
//                      member, who must rejoin or has news: rebalance
//                      member, with nothing new in the present generation: the same answer again
#ifndef GROUP_CLASSIC_JOIN_H
#define GROUP_CLASSIC_JOIN_H

#include "group/classic_rebalance.h"

// Answers the request, now or when the others have joined.
void classic_join(struct group_shard *state, struct classic_join *join);

#endif
