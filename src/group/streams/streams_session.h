// SPDX-License-Identifier: Apache-2.0
// What ends by itself in a streams group: sessions, the time that a member has to give tasks up, and the delay of a new
// group's first assignment, in which members gather.
#ifndef GROUP_STREAMS_STREAMS_SESSION_H
#define GROUP_STREAMS_STREAMS_SESSION_H

#include "group/streams/streams_group.h"
#include "protocol/kafka_error.h"

void streams_session_init(struct streams_member *member);
void streams_session_init_group(struct streams_group *group);
void streams_session_renew(struct streams_member *member);
// The member has to give up what it was told to, if anything.
void streams_session_watch_revocation(struct streams_member *member);
void streams_session_cancel(struct streams_member *member);

// The first assignment waits, unless it does already.
void streams_session_delay(struct streams_group *group, int32_t delay_ms);
static inline bool streams_session_is_delayed(const struct streams_group *group)
{
    return timer_is_set(&group->initial_delay);
}

void streams_session_on_loaded(struct streams_group *group);
void streams_session_cancel_group(struct streams_group *group);

// Removes the member: appended and replayed.
enum kafka_error streams_session_fence(struct streams_member *member);

#endif
