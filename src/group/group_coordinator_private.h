// SPDX-License-Identifier: Apache-2.0
// What the units of the entry points share: group_coordinator.c has those of one group, group_queries.c those of many.
#ifndef GROUP_GROUP_COORDINATOR_PRIVATE_H
#define GROUP_GROUP_COORDINATOR_PRIVATE_H

#include "group/group_shard.h"

struct group_coordinator {
    struct group_context context;
    struct coordinator *engine;
};

static inline struct coordinator_shard *group_coordinator_shard_of(struct group_coordinator *groups,
                                                                   struct str id)
{
    return coordinator_shard_at(groups->engine, coordinator_partition_for(groups->engine, id));
}

#endif
