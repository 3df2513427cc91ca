// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/partition_assignment.h"

#include <stdlib.h>

#include "base/must.h"
#include "metadata/feature_versions.h"
#include "protocol/records/partition.h"

static int compare_ids(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

struct answer assignment_check(struct evaluation *evaluation, const struct assignment *assignment,
                               int32_t replication_factor)
{
    struct arena *arena = evaluation->arena;
    if (assignment->count <= 0)
        return (struct answer){ KERR_INVALID_REPLICA_ASSIGNMENT,
                                "The manual partition assignment includes an empty replica list." };
    int32_t *sorted =
        arena_dup(arena, assignment->replicas, (size_t)assignment->count * sizeof(int32_t));
    qsort(sorted, (size_t)assignment->count, sizeof *sorted, compare_ids);
    for (int32_t i = 0; i < assignment->count; i++) {
        if (metadata_find_broker(evaluation->metadata, sorted[i]) == NULL)
            return (struct answer){
                KERR_INVALID_REPLICA_ASSIGNMENT,
                arena_printf(arena,
                             "The manual partition assignment includes broker %d, but no such "
                             "broker is registered.",
                             sorted[i])
            };
        if (i > 0 && sorted[i] == sorted[i - 1])
            return (struct answer){
                KERR_INVALID_REPLICA_ASSIGNMENT,
                arena_printf(arena,
                             "The manual partition assignment includes the broker %d more than "
                             "once.",
                             sorted[i])
            };
    }
    if (replication_factor >= 0 && assignment->count != replication_factor)
        return (struct answer){
            KERR_INVALID_REPLICA_ASSIGNMENT,
            arena_printf(arena,
                         "The manual partition assignment includes a partition with %d "
                         "replica(s), but this is not consistent with previous partitions, which "
                         "have %d replica(s).",
                         assignment->count, replication_factor)
        };
    return ANSWER_OK;
}

bool assignment_has_active(const struct evaluation *evaluation, const struct assignment *assignment)
{
    for (int32_t i = 0; i < assignment->count; i++)
        if (broker_is_active(evaluation->metadata, assignment->replicas[i]))
            return true;
    return false;
}

void assignment_add_partition(struct evaluation *evaluation, struct uuid topic_id,
                              int32_t partition, const struct assignment *assignment)
{
    struct arena *arena = evaluation->records.arena;
    size_t size = (size_t)assignment->count * sizeof(int32_t);
    int32_t *replicas = arena_dup(arena, assignment->replicas, size);
    int32_t *isr = arena_alloc(arena, size);
    int32_t isr_count = 0;
    for (int32_t i = 0; i < assignment->count; i++)
        if (broker_is_active(evaluation->metadata, replicas[i]))
            isr[isr_count++] = replicas[i];
    must(isr_count > 0);
    struct partition_record *record =
        metadata_entries_add(&evaluation->records, METADATA_RECORD_PARTITION,
                             partition_record_version(evaluation->metadata_version));
    record->topic_id = topic_id;
    record->partition_id = partition;
    record->replicas = replicas;
    record->replicas_count = assignment->count;
    record->isr = isr;
    record->isr_count = isr_count;
    record->leader = isr[0];
    record->leader_epoch = 0;
    record->partition_epoch = 0;
    if (has_directory_assignment(evaluation->metadata_version)) {
        record->directories = arena_array(arena, struct uuid, assignment->count);
        record->directories_count = assignment->count;
        for (int32_t i = 0; i < assignment->count; i++)
            record->directories[i] = broker_default_dir(evaluation->metadata, replicas[i]);
    }
}
