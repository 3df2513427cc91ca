// SPDX-License-Identifier: Apache-2.0
// Tested by replay_test.c.
#include "metadata/feature_versions.h"

#include <string.h>

#define ELIGIBLE_LEADER_REPLICAS "eligible.leader.replicas.version"

const struct feature_support features_supported[] = {
    { "metadata.version", METADATA_VERSION_MIN, METADATA_VERSION_LATEST, METADATA_VERSION_LATEST },
    { ELIGIBLE_LEADER_REPLICAS, 0, 1, 1 },
    { "group.version", 0, 1, 1 },
    { "share.version", 0, 1, 1 },
    { "streams.version", 0, 1, 1 },
    { "transaction.version", 0, 2, 2 },
};
const size_t features_supported_count = sizeof features_supported / sizeof *features_supported;

static const struct feature_support kraft_version = { "kraft.version", 0, KRAFT_VERSION_LATEST,
                                                      KRAFT_VERSION_LATEST };

const struct feature_support *feature_find_supported(const char *name)
{
    for (size_t i = 0; i < features_supported_count; i++)
        if (strcmp(features_supported[i].name, name) == 0)
            return &features_supported[i];
    return strcmp(name, kraft_version.name) == 0 ? &kraft_version : NULL;
}

int16_t register_broker_record_version(int16_t metadata_version)
{
    if (has_cordoned_log_dirs(metadata_version))
        return 4;
    if (has_directory_assignment(metadata_version))
        return 3;
    return metadata_version >= 8 ? 2 : 1;
}

int16_t partition_record_version(int16_t metadata_version)
{
    if (metadata_version >= METADATA_VERSION_ELIGIBLE_LEADER_REPLICAS)
        return 2;
    return has_directory_assignment(metadata_version) ? 1 : 0;
}

bool metadata_version_changes_records(int16_t a, int16_t b)
{
    static const int16_t changes[] = { 7, 8, 11, 13, 14, 15, 17, 23, 30 };
    int16_t low = a < b ? a : b, high = a < b ? b : a;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (changes[i] > low && changes[i] <= high)
            return true;
    return false;
}

bool has_metadata_transactions(int16_t metadata_version)
{
    return metadata_version >= 13;
}

bool has_directory_assignment(int16_t metadata_version)
{
    return metadata_version >= 17;
}

bool has_controller_registration(int16_t metadata_version)
{
    return metadata_version >= 15;
}

bool has_cordoned_log_dirs(int16_t metadata_version)
{
    return metadata_version >= 30;
}
