// SPDX-License-Identifier: Apache-2.0
// Listing, describing and deleting groups, under the shard's lock.
#ifndef GROUP_GROUP_ADMIN_H
#define GROUP_GROUP_ADMIN_H

#include "group/group_shard.h"

// Adds the shard's groups that pass the filters (KIP-518, KIP-848); capacity grows in the arena.
void group_list(const struct group_shard *state, const struct list_groups_request *request,
                struct list_groups_response *response, int32_t *capacity, struct arena *arena);

// A group that is not there is Dead; since v6 that is GROUP_ID_NOT_FOUND too (KIP-1043).
void group_describe(const struct group_shard *state, struct str id, int16_t version,
                    struct describe_groups_response_described_group *out, struct arena *arena);

// Adds what deletes the group with its offsets, unless it has members.
enum kafka_error group_delete(struct group_shard *state, struct str id);

// Adds and writes what deletes offsets of these partitions, unless members subscribe to their topic. An error concerns
// all: the response is empty.
enum kafka_error group_delete_offsets(struct group_shard *state,
                                      const struct offset_delete_request *request,
                                      struct offset_delete_response *response, struct arena *arena);

#endif
