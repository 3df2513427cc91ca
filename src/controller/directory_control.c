// SPDX-License-Identifier: Apache-2.0
// Tested by directory_control_test.c.
#include "controller/directory_control.h"

#include "controller/broker_control.h"
#include "controller/partition_change.h"
#include "metadata/feature_versions.h"

static bool uuids_have(const struct uuid *items, int32_t count, struct uuid id)
{
    for (int32_t i = 0; i < count; i++)
        if (uuid_eq(items[i], id))
            return true;
    return false;
}

// ---- heartbeats ---------------------------------------------------------------------------------------------

void directories_offline(struct evaluation *evaluation, const struct metadata_broker *broker,
                         const struct broker_heartbeat_request *request)
{
    struct arena *arena = evaluation->records.arena;
    struct uuid *kept = arena_array(arena, struct uuid, broker->log_dirs_count + 1);
    struct uuid *lost = arena_array(arena, struct uuid, broker->log_dirs_count + 1);
    int32_t kept_count = 0, lost_count = 0;
    for (int32_t i = 0; i < broker->log_dirs_count; i++) {
        if (uuids_have(request->offline_log_dirs, request->offline_log_dirs_count,
                       broker->log_dirs[i]))
            lost[lost_count++] = broker->log_dirs[i];
        else
            kept[kept_count++] = broker->log_dirs[i];
    }
    if (lost_count == 0)
        return;
    partition_changes_add_offline(evaluation, broker->id, lost, lost_count);
    struct broker_registration_change_record *record = broker_change_add(evaluation, broker, 2);
    record->log_dirs = kept;
    record->log_dirs_count = kept_count;
}

void directories_cordoned(struct evaluation *evaluation, const struct metadata_broker *broker,
                          const struct broker_heartbeat_request *request)
{
    bool is_same = request->cordoned_log_dirs_count == broker->cordoned_log_dirs_count;
    for (int32_t i = 0; is_same && i < request->cordoned_log_dirs_count; i++)
        is_same = uuids_have(broker->cordoned_log_dirs, broker->cordoned_log_dirs_count,
                             request->cordoned_log_dirs[i]);
    if (is_same)
        return;
    struct broker_registration_change_record *record = broker_change_add(evaluation, broker, 3);
    record->cordoned_log_dirs = request->cordoned_log_dirs;
    record->cordoned_log_dirs_count = request->cordoned_log_dirs_count;
}

// ---- assignments --------------------------------------------------------------------------------------------

static bool is_replica(const struct metadata_partition *partition, int32_t broker)
{
    for (int32_t i = 0; i < partition->replicas_count; i++)
        if (partition->replicas[i] == broker)
            return true;
    return false;
}

static enum kafka_error assign_one(struct evaluation *evaluation,
                                   const struct metadata_broker *broker,
                                   const struct metadata_topic *topic, int32_t index,
                                   struct uuid directory)
{
    if (topic == NULL)
        return KERR_UNKNOWN_TOPIC_ID;
    const struct metadata_partition *partition = metadata_topic_partition(topic, index);
    if (partition == NULL)
        return KERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (!is_replica(partition, broker->id))
        return KERR_NOT_LEADER_OR_FOLLOWER;
    struct directory_change where = { broker->id, directory };
    struct partition_change change = partition_change_of(evaluation, topic, index);
    change.directory = &where;
    partition_change_add(evaluation, &change);
    // A directory that failed before the broker could tell what went there.
    if (broker->log_dirs_count > 0 && !uuid_is_reserved(directory) &&
        !uuids_have(broker->log_dirs, broker->log_dirs_count, directory)) {
        change.directory = NULL;
        change.broker_removed = broker->id;
        partition_change_add(evaluation, &change);
    }
    return KERR_NONE;
}

static void assign_topic(struct evaluation *evaluation, const struct metadata_broker *broker,
                         struct uuid directory,
                         const struct assign_replicas_to_dirs_request_topic_data *from,
                         struct assign_replicas_to_dirs_response_topic_data *to)
{
    const struct metadata_topic *topic =
        metadata_find_topic_by_id(evaluation->metadata, from->topic_id);
    to->topic_id = from->topic_id;
    to->partitions =
        arena_array(evaluation->arena, struct assign_replicas_to_dirs_response_partition_data,
                    from->partitions_count + 1);
    to->partitions_count = from->partitions_count;
    for (int32_t i = 0; i < from->partitions_count; i++) {
        int32_t index = from->partitions[i].partition_index;
        to->partitions[i].partition_index = index;
        to->partitions[i].error_code =
            (int16_t)assign_one(evaluation, broker, topic, index, directory);
    }
}

struct answer assign_replicas_to_dirs(struct evaluation *evaluation,
                                      const struct assign_replicas_to_dirs_request *request,
                                      struct assign_replicas_to_dirs_response *response)
{
    if (!has_directory_assignment(evaluation->metadata_version))
        return (struct answer){ KERR_UNSUPPORTED_VERSION,
                                "Directory assignment is not supported yet." };
    struct answer answer =
        broker_check_epoch(evaluation, request->broker_id, request->broker_epoch);
    if (answer.error != KERR_NONE)
        return answer;
    const struct metadata_broker *broker =
        metadata_find_broker(evaluation->metadata, request->broker_id);
    struct arena *arena = evaluation->arena;
    response->directories =
        arena_array(arena, struct assign_replicas_to_dirs_response_directory_data,
                    request->directories_count + 1);
    response->directories_count = request->directories_count;
    for (int32_t i = 0; i < request->directories_count; i++) {
        const struct assign_replicas_to_dirs_request_directory_data *from =
            &request->directories[i];
        struct assign_replicas_to_dirs_response_directory_data *to = &response->directories[i];
        to->id = from->id;
        to->topics = arena_array(arena, struct assign_replicas_to_dirs_response_topic_data,
                                 from->topics_count + 1);
        to->topics_count = from->topics_count;
        for (int32_t j = 0; j < from->topics_count; j++)
            assign_topic(evaluation, broker, from->id, &from->topics[j], &to->topics[j]);
    }
    return ANSWER_OK;
}
