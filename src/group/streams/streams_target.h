// SPDX-License-Identifier: Apache-2.0
// The target assignment of a streams group for its present epoch.
#ifndef GROUP_STREAMS_STREAMS_TARGET_H
#define GROUP_STREAMS_STREAMS_TARGET_H

#include "group/streams/streams_group.h"

struct streams_target {
    const struct streams_group *group;
    int32_t epoch; // of the group, as it becomes
    const struct streams_configured *configured;
    int32_t standby_replicas;
    struct str member_id;                    // null: nobody changes
    const struct streams_metadata *metadata; // of that member, as it becomes
};

// Whether the assignment interval has passed since the last one.
bool streams_target_is_due(const struct streams_group *group);
// Adds the records. What `member_id` gets, in the arena; never NULL.
const struct streams_assignment *streams_target_update(const struct streams_target *input,
                                                       struct arena *arena);
// The delay of the first assignment is over: appends it.
void streams_target_after_delay(struct streams_group *group);

#endif
