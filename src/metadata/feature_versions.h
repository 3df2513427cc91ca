// SPDX-License-Identifier: Apache-2.0
// What the finalised metadata.version (KIP-584) lets a writer use: the versions of records. A reader of that level
// halts at anything newer. Levels: 7 is 3.3-IV3, 30 is 4.3-IV0.
#ifndef METADATA_FEATURE_VERSIONS_H
#define METADATA_FEATURE_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METADATA_VERSION_MIN = 7,     // the lowest that a 4.x node runs at
    METADATA_VERSION_LATEST = 30, // what `format` gives
    KRAFT_VERSION_LATEST = 1,
    METADATA_VERSION_ELIGIBLE_LEADER_REPLICAS = 23, // KIP-966: what that feature needs
};

// The features of Kafka 4.3.1 as a new cluster has them, metadata.version first, the others by name; and the range
// that this node claims at registration.
struct feature_support {
    const char *name;
    int16_t min_supported_version;
    int16_t max_supported_version;
    int16_t level_of_new_cluster;
};
extern const struct feature_support features_supported[];
extern const size_t features_supported_count;
const struct feature_support *
feature_find_supported(const char *name); // NULL: unknown; knows kraft.version too

int16_t register_broker_record_version(int16_t metadata_version);
int16_t
partition_record_version(int16_t metadata_version); // of PartitionRecord and PartitionChangeRecord
// Whether records changed anywhere above the lower of two levels, up to the higher: then going down would lose some.
bool metadata_version_changes_records(int16_t a, int16_t b);
bool has_metadata_transactions(int16_t metadata_version);   // KIP-868
bool has_directory_assignment(int16_t metadata_version);    // KIP-858
bool has_controller_registration(int16_t metadata_version); // KIP-919
bool has_cordoned_log_dirs(int16_t metadata_version);

#endif
