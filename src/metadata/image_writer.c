// SPDX-License-Identifier: Apache-2.0
// Tested by snapshot_test.c.
#include "metadata/image_writer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "config/log_config.h"
#include "metadata/feature_versions.h"
#include "metadata/image.h"
#include "metadata/replay.h"
#include "protocol/records/config.h"
#include "protocol/records/feature_level.h"
#include "protocol/records/partition.h"
#include "protocol/records/producer_ids.h"
#include "protocol/records/register_broker.h"
#include "protocol/records/register_controller.h"
#include "protocol/records/topic.h"

struct writing {
    const struct metadata *metadata;
    record_sink *sink;
    void *arg;
    struct arena arena; // of one record
    struct metadata_entries entries;
    int16_t metadata_version;
};

static void *begin(struct writing *writing, enum metadata_record type, int16_t version)
{
    arena_reset(&writing->arena);
    metadata_entries_init(&writing->entries, &writing->arena);
    return metadata_entries_add(&writing->entries, type, version);
}

static bool put(struct writing *writing)
{
    return writing->sink(writing->arg, &writing->entries.items[0]);
}

// ---- features -----------------------------------------------------------------------------------------------

static int compare_features(const void *a, const void *b)
{
    const struct metadata_feature *x = *(const struct metadata_feature *const *)a;
    const struct metadata_feature *y = *(const struct metadata_feature *const *)b;
    bool x_first = strcmp(x->name, "metadata.version") == 0;
    bool y_first = strcmp(y->name, "metadata.version") == 0;
    return x_first != y_first ? y_first - x_first : strcmp(x->name, y->name);
}

static bool write_features(struct writing *writing)
{
    struct arena arena;
    arena_init(&arena);
    const struct metadata_feature **sorted = arena_array(&arena, const struct metadata_feature *,
                                                         writing->metadata->_features.count + 1);
    size_t count = 0;
    const struct metadata_feature *feature;
    for (size_t at = 0; (feature = metadata_next_feature(writing->metadata, &at)) != NULL;)
        sorted[count++] = feature;
    qsort(sorted, count, sizeof *sorted, compare_features);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        struct feature_level_record *record = begin(writing, METADATA_RECORD_FEATURE_LEVEL, 0);
        record->name = str_of(sorted[i]->name);
        record->feature_level = sorted[i]->level;
        ok = put(writing);
    }
    arena_fini(&arena);
    return ok;
}

// ---- brokers and controllers --------------------------------------------------------------------------------

static bool write_broker(struct writing *writing, const struct metadata_broker *broker)
{
    struct register_broker_record *record =
        begin(writing, METADATA_RECORD_REGISTER_BROKER,
              register_broker_record_version(writing->metadata_version));
    record->broker_id = broker->id;
    record->broker_epoch = broker->epoch;
    record->incarnation_id = broker->incarnation_id;
    record->rack = broker->rack;
    record->fenced = broker->fenced;
    record->in_controlled_shutdown = broker->in_controlled_shutdown;
    record->end_points = arena_array(&writing->arena, struct register_broker_record_broker_endpoint,
                                     broker->endpoints_count);
    record->end_points_count = broker->endpoints_count;
    for (int32_t i = 0; i < broker->endpoints_count; i++) {
        record->end_points[i].name = broker->endpoints[i].listener_name;
        record->end_points[i].host = broker->endpoints[i].host;
        record->end_points[i].port = broker->endpoints[i].port;
        record->end_points[i].security_protocol = broker->endpoints[i].security_protocol;
    }
    record->features = arena_array(&writing->arena, struct register_broker_record_broker_feature,
                                   broker->features_count);
    record->features_count = broker->features_count;
    for (int32_t i = 0; i < broker->features_count; i++) {
        record->features[i].name = broker->features[i].name;
        record->features[i].min_supported_version = broker->features[i].min_supported_version;
        record->features[i].max_supported_version = broker->features[i].max_supported_version;
    }
    if (has_directory_assignment(writing->metadata_version) && broker->log_dirs_count > 0) {
        record->log_dirs = arena_dup(&writing->arena, broker->log_dirs,
                                     (size_t)broker->log_dirs_count * sizeof *broker->log_dirs);
        record->log_dirs_count = broker->log_dirs_count;
    }
    if (has_cordoned_log_dirs(writing->metadata_version) && broker->cordoned_log_dirs_count >= 0) {
        record->cordoned_log_dirs =
            arena_dup(&writing->arena, broker->cordoned_log_dirs,
                      (size_t)broker->cordoned_log_dirs_count * sizeof(struct uuid));
        record->cordoned_log_dirs_count = broker->cordoned_log_dirs_count;
    }
    return put(writing);
}

static bool write_controller(struct writing *writing, const struct metadata_controller *controller)
{
    struct register_controller_record *record =
        begin(writing, METADATA_RECORD_REGISTER_CONTROLLER, 0);
    record->controller_id = controller->id;
    record->incarnation_id = controller->incarnation_id;
    record->zk_migration_ready = controller->zk_migration_ready;
    record->end_points =
        arena_array(&writing->arena, struct register_controller_record_controller_endpoint,
                    controller->endpoints_count);
    record->end_points_count = controller->endpoints_count;
    for (int32_t i = 0; i < controller->endpoints_count; i++) {
        record->end_points[i].name = controller->endpoints[i].listener_name;
        record->end_points[i].host = controller->endpoints[i].host;
        record->end_points[i].port = controller->endpoints[i].port;
        record->end_points[i].security_protocol = controller->endpoints[i].security_protocol;
    }
    record->features =
        arena_array(&writing->arena, struct register_controller_record_controller_feature,
                    controller->features_count);
    record->features_count = controller->features_count;
    for (int32_t i = 0; i < controller->features_count; i++) {
        record->features[i].name = controller->features[i].name;
        record->features[i].min_supported_version = controller->features[i].min_supported_version;
        record->features[i].max_supported_version = controller->features[i].max_supported_version;
    }
    return put(writing);
}

static bool write_cluster(struct writing *writing)
{
    const struct metadata_broker *broker;
    for (size_t at = 0; (broker = metadata_next_broker(writing->metadata, &at)) != NULL;)
        if (!write_broker(writing, broker))
            return false;
    const struct metadata_controller *controller;
    for (size_t at = 0; (controller = metadata_next_controller(writing->metadata, &at)) != NULL;)
        if (!write_controller(writing, controller))
            return false;
    return true;
}

// ---- topics -------------------------------------------------------------------------------------------------

// A record's arrays are not const though it never changes them.
static int32_t *ids(const int32_t *from)
{
    return (int32_t *)from;
}

void partition_to_record(const struct metadata *metadata, const struct metadata_topic *topic,
                         int32_t index, struct partition_record *record)
{
    int16_t version = metadata_feature_level(metadata, "metadata.version");
    const struct metadata_partition *partition = &topic->partitions[index];
    record->partition_id = index;
    record->topic_id = topic->id;
    record->replicas = ids(partition->replicas);
    record->replicas_count = partition->replicas_count;
    record->isr = ids(partition->isr);
    record->isr_count = partition->isr_count;
    record->removing_replicas = ids(partition->removing_replicas);
    record->removing_replicas_count = partition->removing_replicas_count;
    record->adding_replicas = ids(partition->adding_replicas);
    record->adding_replicas_count = partition->adding_replicas_count;
    record->leader = partition->leader;
    record->leader_recovery_state = partition->leader_recovery_state;
    record->leader_epoch = partition->leader_epoch;
    record->partition_epoch = partition->partition_epoch;
    if (has_directory_assignment(version)) {
        record->directories = (struct uuid *)partition->directories;
        record->directories_count = partition->directories_count;
    }
    bool has_elr = partition_record_version(version) >= 2 &&
                   metadata_feature_level(metadata, "eligible.leader.replicas.version") > 0;
    if (has_elr && partition->eligible_leader_replicas_count > 0) {
        record->eligible_leader_replicas = ids(partition->eligible_leader_replicas);
        record->eligible_leader_replicas_count = partition->eligible_leader_replicas_count;
    }
    if (has_elr && partition->last_known_elr_count > 0) {
        record->last_known_elr = ids(partition->last_known_elr);
        record->last_known_elr_count = partition->last_known_elr_count;
    }
}

static bool write_topic(struct writing *writing, const struct metadata_topic *topic)
{
    struct topic_record *record = begin(writing, METADATA_RECORD_TOPIC, 0);
    record->name = (struct str){ topic->name, topic->name_size };
    record->topic_id = topic->id;
    bool ok = put(writing);
    for (int32_t i = 0; ok && i < topic->partitions_count; i++) {
        if (topic->partitions[i].replicas == NULL)
            continue;
        struct partition_record *partition =
            begin(writing, METADATA_RECORD_PARTITION,
                  partition_record_version(writing->metadata_version));
        partition_to_record(writing->metadata, topic, i, partition);
        ok = put(writing);
    }
    return ok;
}

static bool write_topics(struct writing *writing)
{
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(writing->metadata, &at)) != NULL;)
        if (!write_topic(writing, topic))
            return false;
    return true;
}

// ---- the rest -----------------------------------------------------------------------------------------------

static bool write_configs(struct writing *writing)
{
    const struct metadata_configs *configs;
    for (size_t at = 0; (configs = metadata_next_configs(writing->metadata, &at)) != NULL;) {
        for (size_t i = 0; i < configs->count; i++) {
            struct config_record *record = begin(writing, METADATA_RECORD_CONFIG, 0);
            record->resource_type = (int8_t)configs->type;
            record->resource_name = str_of(configs->name);
            record->name = configs->entries[i].name;
            record->value = configs->entries[i].value;
            if (!put(writing))
                return false;
        }
    }
    return true;
}

static bool write_producer_ids(struct writing *writing)
{
    if (writing->metadata->next_producer_id < 0)
        return true;
    struct producer_ids_record *record = begin(writing, METADATA_RECORD_PRODUCER_IDS, 0);
    record->broker_id = -1;
    record->next_producer_id = writing->metadata->next_producer_id;
    return put(writing);
}

static bool write_stored(struct writing *writing, enum metadata_record type)
{
    const struct image_stored *stored;
    for (size_t at = 0; (stored = image_next_stored(writing->metadata, &at)) != NULL;) {
        if (stored->type != (int)type)
            continue;
        void *body = begin(writing, type, stored->version);
        struct reader reader;
        reader_init(&reader, stored->value.data, stored->value.size);
        const struct message_desc *desc = record_desc(RECORD_DOMAIN_METADATA, (int)type);
        bool is_sound = codec_decode(desc, stored->version, &reader, &writing->arena, body);
        must(is_sound); // we encoded it
        if (!put(writing))
            return false;
    }
    return true;
}

bool image_write(const struct metadata *metadata, record_sink *sink, void *arg)
{
    struct writing writing = { .metadata = metadata, .sink = sink, .arg = arg };
    writing.metadata_version = metadata_feature_level(metadata, "metadata.version");
    arena_init(&writing.arena);
    bool ok = write_features(&writing) && write_cluster(&writing) && write_topics(&writing) &&
              write_configs(&writing) && write_stored(&writing, METADATA_RECORD_CLIENT_QUOTA) &&
              write_producer_ids(&writing) &&
              write_stored(&writing, METADATA_RECORD_ACCESS_CONTROL_ENTRY) &&
              write_stored(&writing, METADATA_RECORD_USER_SCRAM_CREDENTIAL) &&
              write_stored(&writing, METADATA_RECORD_DELEGATION_TOKEN);
    arena_fini(&writing.arena);
    return ok;
}

static bool copy_entry(void *arg, const struct metadata_entry *entry)
{
    struct replay *replay = arg;
    bool is_sound = replay_entry(replay, entry, 0, 0);
    must(is_sound); // an image writes what it was made of
    return true;
}

void image_copy(const struct metadata *from, struct metadata *to)
{
    struct replay replay;
    replay_init(&replay, to);
    image_write(from, copy_entry, &replay);
    replay_fini(&replay);
    to->offset = from->offset;
    to->epoch = from->epoch;
}
