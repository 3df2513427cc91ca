// SPDX-License-Identifier: Apache-2.0
// Committed offsets: group -> topic -> partition -> offset. A group's offsets live on when its protocol
// changes or its members are gone, so they are kept beside the groups, by name.
//
// Names and metadata are owned. Updating an offset allocates only if its metadata changes.
#ifndef GROUP_GROUP_OFFSETS_H
#define GROUP_GROUP_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hashmap.h"
#include "base/uuid.h"

struct committed_offset {
    int64_t offset;
    int32_t leader_epoch; // -1 unknown
    struct str metadata;  // never null
    int64_t commit_timestamp_ms;
    int64_t expire_timestamp_ms; // asked for by OffsetCommit v2-4; -1 when not
    int64_t record_offset;       // of its record, in the log of the coordinator
    struct uuid topic_id;        // zero when the record did not say
};

struct offset_partition {
    int32_t partition;
    struct committed_offset committed;
};

struct offset_topic {
    struct str name;
    struct offset_partition *partitions; // by number
    size_t count;
    size_t capacity;
};

struct offset_group {
    struct str id;
    struct hashmap topics; // struct offset_topic
};

struct group_offsets {
    struct hashmap groups; // struct offset_group
};

void group_offsets_init(struct group_offsets *offsets);
void group_offsets_fini(struct group_offsets *offsets);

struct offset_group *group_offsets_group(const struct group_offsets *offsets,
                                         struct str group); // or NULL
struct offset_topic *offset_group_topic(const struct offset_group *group,
                                        struct str topic); // or NULL
const struct committed_offset *offset_topic_find(const struct offset_topic *topic,
                                                 int32_t partition);
const struct committed_offset *group_offsets_find(const struct group_offsets *offsets,
                                                  struct str group, struct str topic,
                                                  int32_t partition);

// Puts or replaces; metadata is copied.
void group_offsets_put(struct group_offsets *offsets, struct str group, struct str topic,
                       int32_t partition, const struct committed_offset *committed);
// Topics and groups that become empty go with it. Nothing happens if it is not there.
void group_offsets_remove(struct group_offsets *offsets, struct str group, struct str topic,
                          int32_t partition);

#endif
