// SPDX-License-Identifier: Apache-2.0
// Heartbeats of members of a share group: joining, being assigned, leaving, and sessions that end.
#ifndef GROUP_SHARE_SHARE_GROUP_BEAT_H
#define GROUP_SHARE_SHARE_GROUP_BEAT_H

#include "group/share/share_group_init.h"
#include "protocol/messages/share_group_heartbeat.h"

// Evaluates a heartbeat, which was checked, and appends what it takes; the error and its words are in the response.
// Topics whose state is to be begun are put into `init`.
void share_group_beat(struct group_shard *shard,
                      const struct share_group_heartbeat_request *request, struct str client_id,
                      struct str client_host, struct share_group_heartbeat_response *response,
                      struct arena *arena, struct share_init *init);

// The member's session begins anew.
void share_group_renew_session(struct share_member *member);
void share_group_session_over(struct timer *timer); // of struct share_member

#endif
