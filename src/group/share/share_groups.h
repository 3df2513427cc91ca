// SPDX-License-Identifier: Apache-2.0
// The entry points of share groups, as those of group_coordinator.h: each completes `completion` once, and is safe
// from any thread.
#ifndef GROUP_SHARE_SHARE_GROUPS_H
#define GROUP_SHARE_SHARE_GROUPS_H

#include "group/group_coordinator.h"
#include "group/share/share_topics.h"
#include "protocol/messages/alter_share_group_offsets.h"
#include "protocol/messages/delete_share_group_offsets.h"
#include "protocol/messages/share_group_describe.h"
#include "protocol/messages/share_group_heartbeat.h"

struct persister;

void share_groups_heartbeat(struct group_coordinator *groups,
                            const struct share_group_heartbeat_request *request,
                            const struct group_client *client,
                            struct share_group_heartbeat_response *response, struct arena *arena,
                            struct completion *completion);
// One group.
void share_groups_describe(struct group_coordinator *groups, struct str group_id,
                           struct share_group_describe_response_described_group *out,
                           struct arena *arena, struct completion *completion);
void share_groups_alter_offsets(struct group_coordinator *groups,
                                const struct alter_share_group_offsets_request *request,
                                struct alter_share_group_offsets_response *response,
                                struct arena *arena, struct completion *completion);
void share_groups_delete_offsets(struct group_coordinator *groups,
                                 const struct delete_share_group_offsets_request *request,
                                 struct delete_share_group_offsets_response *response,
                                 struct arena *arena, struct completion *completion);
// Before groups are deleted: the state of those that are share groups, at the persister. errors[i], NONE before, tells
// why that of a group could not be deleted; then the group is to be kept.
void share_groups_delete_state(struct group_coordinator *groups, const struct str *group_ids,
                               int32_t count, enum kafka_error *errors,
                               struct completion *completion);

// The partitions of a group whose state is begun, for share_topics_fini; without commit to wait for. An error of the
// coordinator, with none.
enum kafka_error share_groups_initialized(struct group_coordinator *groups, struct str group_id,
                                          struct share_topics *out);

#endif
