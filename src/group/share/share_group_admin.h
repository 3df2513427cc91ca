// SPDX-License-Identifier: Apache-2.0
// Share groups described, and their offsets altered and deleted, on the shard that is entered.
#ifndef GROUP_SHARE_SHARE_GROUP_ADMIN_H
#define GROUP_SHARE_SHARE_GROUP_ADMIN_H

#include "group/share/share_group_init.h"
#include "protocol/messages/alter_share_group_offsets.h"
#include "protocol/messages/delete_share_group_offsets.h"
#include "protocol/messages/share_group_describe.h"

void share_group_describe(const struct group_shard *shard, struct str id,
                          struct share_group_describe_response_described_group *out,
                          struct arena *arena);

// Adds and appends the record; what is to be initialized is put into `init`, the answer for it stands already.
void share_group_alter_offsets(struct group_shard *shard,
                               const struct alter_share_group_offsets_request *request,
                               struct alter_share_group_offsets_response *response,
                               struct arena *arena, struct share_init *init);
// When the calls are answered: what could not be begun says why in the answer.
void share_group_offsets_altered(const struct share_init *init,
                                 struct alter_share_group_offsets_response *response);

// Topics whose state is deleted now are put into `init`; those that cannot be are in the answer.
void share_group_delete_offsets(struct group_shard *shard,
                                const struct delete_share_group_offsets_request *request,
                                struct delete_share_group_offsets_response *response,
                                struct arena *arena, struct share_init *init);
// As on_done of that; shard NULL: the coordinator has gone meanwhile.
void share_group_offsets_deleted(struct share_init *init, struct group_shard *shard,
                                 struct delete_share_group_offsets_response *response,
                                 struct arena *arena);

// Before a share group is deleted: all its state is put into `init`, and marked so in its record. False: it has none,
// or is no share group that may be deleted.
bool share_group_begin_delete(struct group_shard *shard, struct str id, struct share_init *init);

// Topics were deleted: the share coordinator forgets their state by itself; adds the record that does not name them.
void share_group_forget_topics(struct share_group *group, const struct deleted_topic *topics,
                               int32_t count);

#endif
