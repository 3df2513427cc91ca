// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/partition_change.h"

#include "base/must.h"
#include "controller/topic_configs.h"
#include "metadata/feature_versions.h"
#include "protocol/records/partition_change.h"

enum { NO_LEADER = -1, NO_LEADER_CHANGE = -2, RECOVERING = 1 };

struct ids {
    int32_t *items;
    int32_t count;
};

struct target {
    struct evaluation *evaluation;
    const struct partition_change *change;
    const struct metadata_partition *partition;
    struct ids isr;
    struct ids elr;
};

static bool ids_have(const int32_t *items, int32_t count, int32_t id)
{
    for (int32_t i = 0; i < count; i++)
        if (items[i] == id)
            return true;
    return false;
}

static bool ids_equal(struct ids a, const int32_t *items, int32_t count)
{
    return a.count == count &&
           (count == 0 || memcmp(a.items, items, (size_t)count * sizeof *items) == 0);
}

static struct ids ids_of_one(struct evaluation *evaluation, int32_t id)
{
    struct ids ids = { arena_alloc(evaluation->records.arena, sizeof id), 1 };
    ids.items[0] = id;
    return ids;
}

// ---- who may lead -------------------------------------------------------------------------------------------

// A replica whose directory the broker no longer has cannot lead; ids reserved by Kafka (unassigned, migrating) can.
static bool is_in_live_dir(const struct target *target, const struct metadata_broker *broker)
{
    const struct metadata_partition *partition = target->partition;
    for (int32_t i = 0; i < partition->replicas_count && i < partition->directories_count; i++) {
        if (partition->replicas[i] != broker->id)
            continue;
        struct uuid dir = partition->directories[i];
        struct uuid lost = UUID_ZERO;
        lost.bytes[15] = 2;
        if (uuid_eq(dir, lost))
            return false;
        if (uuid_is_reserved(dir) || broker->log_dirs_count == 0)
            return true;
        for (int32_t j = 0; j < broker->log_dirs_count; j++)
            if (uuid_eq(broker->log_dirs[j], dir))
                return true;
        return false;
    }
    return true;
}

static bool is_acceptable(const struct target *target, int32_t id)
{
    const struct partition_change *change = target->change;
    if (id < 0 || id == change->broker_removed || id == change->broker_unclean)
        return false;
    const struct metadata *metadata = target->evaluation->metadata;
    if (id != change->broker_added && !broker_is_active(metadata, id))
        return false;
    const struct metadata_broker *broker = metadata_find_broker(metadata, id);
    return broker != NULL && is_in_live_dir(target, broker);
}

static bool is_valid_leader(const struct target *target, int32_t id)
{
    bool is_member = ids_have(target->isr.items, target->isr.count, id) ||
                     (target->isr.count == 0 && ids_have(target->elr.items, target->elr.count, id));
    return is_member && is_acceptable(target, id);
}

static bool can_elect_last_known(const struct target *target)
{
    return target->evaluation->is_elr_enabled && target->elr.count == 0 && target->isr.count == 0 &&
           target->partition->last_known_elr_count == 1 &&
           is_acceptable(target, target->partition->last_known_elr[0]);
}

static int32_t elect(const struct target *target, bool *is_unclean)
{
    const struct metadata_partition *partition = target->partition;
    *is_unclean = false;
    if (is_valid_leader(target, partition->leader))
        return partition->leader;
    for (int32_t i = 0; i < partition->replicas_count; i++)
        if (is_valid_leader(target, partition->replicas[i]))
            return partition->replicas[i];
    *is_unclean = true;
    if (can_elect_last_known(target))
        return partition->last_known_elr[0];
    for (int32_t i = 0;
         target->change->is_unclean_election_enabled && i < partition->replicas_count; i++)
        if (is_acceptable(target, partition->replicas[i]))
            return partition->replicas[i];
    *is_unclean = false;
    return NO_LEADER;
}

// ---- the record ---------------------------------------------------------------------------------------------

static void set_target_isr(struct target *target)
{
    const struct metadata_partition *partition = target->partition;
    struct arena *arena = target->evaluation->records.arena;
    target->isr.items = arena_array(arena, int32_t, partition->isr_count + 1);
    for (int32_t i = 0; i < partition->isr_count; i++)
        if (partition->isr[i] != target->change->broker_removed &&
            partition->isr[i] != target->change->broker_unclean)
            target->isr.items[target->isr.count++] = partition->isr[i];
}

// Below min.insync.replicas, who leaves the ISR is still known to have every committed record.
static void set_target_elr(struct target *target)
{
    const struct metadata_partition *partition = target->partition;
    struct arena *arena = target->evaluation->records.arena;
    target->elr.items = arena_array(
        arena, int32_t, partition->eligible_leader_replicas_count + partition->isr_count + 1);
    if (!target->evaluation->is_elr_enabled) {
        for (int32_t i = 0; i < partition->eligible_leader_replicas_count; i++)
            target->elr.items[target->elr.count++] = partition->eligible_leader_replicas[i];
        return;
    }
    if (target->isr.count >= target->change->min_isr)
        return;
    for (int pass = 0; pass < 2; pass++) {
        const int32_t *from = pass == 0 ? partition->eligible_leader_replicas : partition->isr;
        int32_t count =
            pass == 0 ? partition->eligible_leader_replicas_count : partition->isr_count;
        for (int32_t i = 0; i < count; i++) {
            if (ids_have(target->isr.items, target->isr.count, from[i]) ||
                from[i] == target->change->broker_unclean ||
                ids_have(target->elr.items, target->elr.count, from[i]))
                continue;
            target->elr.items[target->elr.count++] = from[i];
        }
    }
}

static void set_leader(struct target *target, struct partition_change_record *record)
{
    bool is_unclean;
    int32_t leader = elect(target, &is_unclean);
    if (leader == target->partition->leader)
        return;
    if (ids_have(target->elr.items, target->elr.count, leader)) {
        target->isr = ids_of_one(target->evaluation, leader);
        int32_t kept = 0;
        for (int32_t i = 0; i < target->elr.count; i++)
            if (target->elr.items[i] != leader)
                target->elr.items[kept++] = target->elr.items[i];
        target->elr.count = kept;
    }
    record->leader = leader;
    if (is_unclean) {
        struct ids isr = ids_of_one(target->evaluation, leader);
        record->isr = isr.items;
        record->isr_count = 1;
        if (target->partition->leader_recovery_state != RECOVERING)
            record->leader_recovery_state = RECOVERING;
    }
}

static void set_elr(struct target *target, struct partition_change_record *record)
{
    if (record->isr_count >= 0 || !target->evaluation->is_elr_enabled)
        target->elr.count = 0;
    if (!ids_equal(target->elr, target->partition->eligible_leader_replicas,
                   target->partition->eligible_leader_replicas_count)) {
        record->eligible_leader_replicas = target->elr.items;
        record->eligible_leader_replicas_count = target->elr.count;
    }
}

static void set_isr(struct target *target, struct partition_change_record *record)
{
    if (record->isr_count >= 0 || (target->isr.count == 0 && !target->evaluation->is_elr_enabled) ||
        ids_equal(target->isr, target->partition->isr, target->partition->isr_count))
        return;
    record->isr = target->isr.items;
    record->isr_count = target->isr.count;
}

static void set_last_known_leader(struct target *target, struct partition_change_record *record)
{
    if (!target->evaluation->is_elr_enabled)
        return;
    if (record->leader == NO_LEADER && target->partition->last_known_elr_count == 0) {
        record->last_known_elr = ids_of_one(target->evaluation, target->partition->leader).items;
        record->last_known_elr_count = 1;
    } else if (record->leader >= 0 && target->partition->last_known_elr_count > 0) {
        record->last_known_elr_count = 0;
    }
}

// Older levels want a new leader epoch when the ISR shrinks.
static void bump_epoch_on_shrink(struct target *target, struct partition_change_record *record)
{
    enum { NO_BUMP_SINCE = 12 }; // 3.6-IV0
    if (target->evaluation->metadata_version >= NO_BUMP_SINCE ||
        record->leader != NO_LEADER_CHANGE || record->isr_count < 0)
        return;
    for (int32_t i = 0; i < target->partition->isr_count; i++)
        if (!ids_have(record->isr, record->isr_count, target->partition->isr[i]))
            record->leader = target->partition->leader;
}

static void set_directories(struct target *target, struct partition_change_record *record)
{
    const struct metadata_partition *partition = target->partition;
    const struct directory_change *change = target->change->directory;
    if (change == NULL || partition->directories_count != partition->replicas_count)
        return;
    struct uuid *directories =
        arena_dup(target->evaluation->records.arena, partition->directories,
                  (size_t)partition->directories_count * sizeof *directories);
    bool is_change = false;
    for (int32_t i = 0; i < partition->replicas_count; i++) {
        if (partition->replicas[i] != change->broker || uuid_eq(directories[i], change->directory))
            continue;
        directories[i] = change->directory;
        is_change = true;
    }
    if (is_change) {
        record->directories = directories;
        record->directories_count = partition->directories_count;
    }
}

static bool is_no_change(const struct partition_change_record *record)
{
    return record->isr_count < 0 && record->leader == NO_LEADER_CHANGE &&
           record->eligible_leader_replicas_count < 0 && record->last_known_elr_count < 0 &&
           record->leader_recovery_state < 0 && record->directories_count < 0;
}

bool partition_change_add(struct evaluation *evaluation, const struct partition_change *change)
{
    struct target target = { .evaluation = evaluation, .change = change };
    target.partition = metadata_topic_partition(change->topic, change->partition);
    must(target.partition != NULL);
    size_t before = evaluation->records.count;
    struct partition_change_record *record =
        metadata_entries_add(&evaluation->records, METADATA_RECORD_PARTITION_CHANGE,
                             partition_record_version(evaluation->metadata_version));
    record->topic_id = change->topic->id;
    record->partition_id = change->partition;
    set_target_isr(&target);
    set_target_elr(&target);
    set_leader(&target, record);
    set_elr(&target, record);
    set_isr(&target, record);
    bump_epoch_on_shrink(&target, record);
    set_last_known_leader(&target, record);
    set_directories(&target, record);
    if (!is_no_change(record))
        return true;
    metadata_entries_cut(&evaluation->records, before);
    return false;
}

struct partition_change partition_change_of(const struct evaluation *evaluation,
                                            const struct metadata_topic *topic, int32_t partition)
{
    return (struct partition_change){
        .topic = topic,
        .partition = partition,
        .broker_removed = NO_BROKER,
        .broker_added = NO_BROKER,
        .broker_unclean = NO_BROKER,
        .min_isr = topic_min_isr(evaluation, topic),
        .is_unclean_election_enabled = topic_unclean_election(evaluation, topic),
    };
}

static bool is_concerned(const struct metadata_partition *partition, int32_t member)
{
    if (member == NO_BROKER)
        return partition->leader == NO_LEADER;
    return ids_have(partition->isr, partition->isr_count, member) ||
           ids_have(partition->eligible_leader_replicas, partition->eligible_leader_replicas_count,
                    member);
}

void partition_changes_add(struct evaluation *evaluation, int32_t isr_or_elr_member,
                           int32_t broker_removed, int32_t broker_added, int32_t broker_unclean)
{
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(evaluation->metadata, &at)) != NULL;) {
        struct partition_change change = {
            .topic = topic,
            .broker_removed = broker_removed,
            .broker_added = broker_added,
            .broker_unclean = broker_unclean,
        };
        bool is_prepared = false;
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            const struct metadata_partition *partition = metadata_topic_partition(topic, i);
            if (partition == NULL || !is_concerned(partition, isr_or_elr_member))
                continue;
            if (!is_prepared) {
                change.min_isr = topic_min_isr(evaluation, topic);
                change.is_unclean_election_enabled = topic_unclean_election(evaluation, topic);
                is_prepared = true;
            }
            change.partition = i;
            partition_change_add(evaluation, &change);
        }
    }
}

static bool is_in_dirs(const struct metadata_partition *partition, int32_t broker,
                       const struct uuid *directories, int32_t count)
{
    for (int32_t i = 0; i < partition->replicas_count && i < partition->directories_count; i++)
        for (int32_t j = 0; partition->replicas[i] == broker && j < count; j++)
            if (uuid_eq(partition->directories[i], directories[j]))
                return true;
    return false;
}

void partition_changes_add_offline(struct evaluation *evaluation, int32_t broker,
                                   const struct uuid *directories, int32_t count)
{
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(evaluation->metadata, &at)) != NULL;) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            const struct metadata_partition *partition = metadata_topic_partition(topic, i);
            if (partition == NULL || !is_in_dirs(partition, broker, directories, count))
                continue;
            struct partition_change change = partition_change_of(evaluation, topic, i);
            change.broker_removed = broker;
            partition_change_add(evaluation, &change);
        }
    }
}
