// SPDX-License-Identifier: Apache-2.0
// What a group knows of the topics it subscribes to, as one number (KIP-1101). It is stored in the group's record,
// so it is Kafka's to the bit; when it changes, the group rebalances. XXH3 over little-endian numbers:
//
//     topic:  0 (a byte, the version of this format) · id (two int64) · name · partitions (int32)
//             then for each partition its number (int32) and, sorted, the racks of its replicas:
//             length (int32) · rack
//     a text: its UTF-16 units · their number (int32)
//     group:  the hashes of its topics, in the order of their names; 0 when there are none
#ifndef GROUP_METADATA_HASH_H
#define GROUP_METADATA_HASH_H

#include "base/bytes.h"
#include "base/uuid.h"

// The racks of one partition's replicas, those that have one, in any order.
struct partition_racks {
    const struct str *racks;
    int32_t count;
};

int64_t metadata_hash_topic(struct uuid id, struct str name,
                            const struct partition_racks *partitions, int32_t partition_count);
int64_t metadata_hash_group(const int64_t *topic_hashes, size_t count);

#endif
