// SPDX-License-Identifier: Apache-2.0
// A group of a type that is served by another broker of the cluster's history: share (KIP-932) and streams
// (KIP-1071) groups that a JVM broker left in this directory. It is not understood
// here beyond its name, its type and whether it has members; but the keys of its records are remembered, so
// that it is listed, keeps its committed offsets, is not taken for a classic group, and can be deleted whole.
#ifndef GROUP_FOREIGN_GROUP_H
#define GROUP_FOREIGN_GROUP_H

#include "base/hashmap.h"
#include "group/group.h"

struct foreign_group {
    struct group base;
    struct hashmap keys;  // of its live records; the values are the keys too
    int32_t member_count; // live records that describe a member
};

// The type of group that records of this type (above GroupMetadata) belong to.
enum group_type foreign_group_type(int16_t record_type);

struct foreign_group *foreign_group_new(struct str id, enum group_type type);
void foreign_group_free(struct foreign_group *group);

// Each live key; start with *position 0, false at the end.
bool foreign_group_next_key(const struct foreign_group *group, size_t *position, struct bytes *key);

// A record of it; a tombstone forgets the key. False when no record is left: the group is gone.
bool foreign_group_replay(struct foreign_group *group, int16_t record_type, struct bytes key,
                          bool is_tombstone);

#endif
