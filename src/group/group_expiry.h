// SPDX-License-Identifier: Apache-2.0
// What leaves __consumer_offsets by itself: offsets that nobody has used for offsets.retention.minutes, groups
// that have nothing left, and offsets of deleted topics. All as tombstones, under the shard's lock.
//
//     group                          an offset expires, counted from
//     simple (only commits)          its commit
//     empty                          the time the group became empty; its commit if that is not known
//     consumers, stable              its commit, if no member subscribes to the topic
//     consumer group (KIP-848)       its commit, if no member subscribes to the topic
//     anything else                  never
//
//     An offset that was committed with a retention time (v2-4) expires by that alone (KIP-211).
#ifndef GROUP_GROUP_EXPIRY_H
#define GROUP_GROUP_EXPIRY_H

#include "group/group_shard.h"

// Looks every offsets.retention.check.interval.ms from now on.
void group_expiry_schedule(struct group_shard *state);
// Looks now.
void group_expiry_run(struct group_shard *state);
void group_expiry_topics_deleted(struct group_shard *state, const struct deleted_topic *topics,
                                 int32_t count);

#endif
