// SPDX-License-Identifier: Apache-2.0
#include "metadata/replay.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "metadata/image.h"
#include "protocol/records/access_control_entry.h"
#include "protocol/records/broker_registration_change.h"
#include "protocol/records/clear_elr.h"
#include "protocol/records/client_quota.h"
#include "protocol/records/config.h"
#include "protocol/records/delegation_token.h"
#include "protocol/records/feature_level.h"
#include "protocol/records/fence_broker.h"
#include "protocol/records/partition.h"
#include "protocol/records/partition_change.h"
#include "protocol/records/producer_ids.h"
#include "protocol/records/register_broker.h"
#include "protocol/records/register_controller.h"
#include "protocol/records/remove_access_control_entry.h"
#include "protocol/records/remove_delegation_token.h"
#include "protocol/records/remove_topic.h"
#include "protocol/records/remove_user_scram_credential.h"
#include "protocol/records/topic.h"
#include "protocol/records/unfence_broker.h"
#include "protocol/records/unregister_broker.h"
#include "protocol/records/user_scram_credential.h"

void replay_init(struct replay *replay, struct metadata *metadata)
{
    *replay = (struct replay){ .metadata = metadata };
    arena_init(&replay->_held_arena);
    arena_init(&replay->_scratch);
}

void replay_fini(struct replay *replay)
{
    arena_fini(&replay->_held_arena);
    arena_fini(&replay->_scratch);
}

static bool __attribute__((format(printf, 2, 3)))
refuse(struct replay *replay, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char text[256];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    replay->reason = arena_printf(&replay->_scratch, "%s", text);
    return false;
}

// ---- topics and partitions ----------------------------------------------------------------------------------

static bool on_topic(struct replay *replay, const struct topic_record *record)
{
    if (metadata_find_topic(replay->metadata, record->name) != NULL)
        return refuse(replay, "topic %.*s is made twice", STR_ARG(record->name));
    if (image_topic(replay->metadata, record->topic_id) != NULL)
        return refuse(replay, "the id of topic %.*s is in use", STR_ARG(record->name));
    struct metadata_topic *topic =
        image_topic_add(replay->metadata, record->name, record->topic_id);
    if (replay->delta != NULL)
        delta_topic_created(replay->delta, topic);
    return true;
}

static struct metadata_topic *find_topic(struct replay *replay, struct uuid id,
                                         const char *record_name)
{
    struct metadata_topic *topic = image_topic(replay->metadata, id);
    if (topic == NULL) {
        char text[UUID_TEXT_SIZE];
        uuid_format(id, text);
        refuse(replay, "%s for topic id %s, which does not exist", record_name, text);
    }
    return topic;
}

static bool on_remove_topic(struct replay *replay, const struct remove_topic_record *record)
{
    struct metadata_topic *topic = find_topic(replay, record->topic_id, "RemoveTopicRecord");
    if (topic == NULL)
        return false;
    if (replay->delta != NULL)
        delta_topic_deleted(replay->delta, topic);
    image_topic_remove(replay->metadata, topic);
    return true;
}

// Partitions come in the order of their numbers, or nearly (a snapshot lists a hash table's). Farther ahead is a broken
// record, which must not make an array of any size.
enum { PARTITION_GAP_MAX = 10000 };

// Before KIP-858 a replica's directory was not recorded: then each is MIGRATING, which is the zero id.
static void set_directories(struct metadata_partition *partition, const struct uuid *directories,
                            int32_t count, struct arena *scratch)
{
    if (count <= 0) {
        partition->directories = arena_array(scratch, struct uuid, partition->replicas_count);
        partition->directories_count = partition->replicas_count;
    } else {
        partition->directories = directories;
        partition->directories_count = count;
    }
}

#define TAKE_IDS(field, count_field)                                                               \
    do {                                                                                           \
        if (record->count_field >= 0) {                                                            \
            partition.field = record->field;                                                       \
            partition.count_field = record->count_field;                                           \
        }                                                                                          \
    } while (0)

static bool on_partition(struct replay *replay, const struct partition_record *record)
{
    struct metadata_topic *topic = find_topic(replay, record->topic_id, "PartitionRecord");
    if (topic == NULL)
        return false;
    if (record->partition_id < 0 ||
        record->partition_id > (int64_t)topic->partitions_count + PARTITION_GAP_MAX)
        return refuse(replay, "partition %d of topic %s", record->partition_id, topic->name);
    if (record->directories_count > 0 && record->directories_count != record->replicas_count)
        return refuse(replay, "partition %s-%d: not one directory per replica", topic->name,
                      record->partition_id);
    struct metadata_partition partition = {
        .leader = record->leader,
        .leader_epoch = record->leader_epoch,
        .partition_epoch = record->partition_epoch,
        .leader_recovery_state = record->leader_recovery_state,
    };
    TAKE_IDS(replicas, replicas_count);
    TAKE_IDS(isr, isr_count);
    TAKE_IDS(removing_replicas, removing_replicas_count);
    TAKE_IDS(adding_replicas, adding_replicas_count);
    TAKE_IDS(eligible_leader_replicas, eligible_leader_replicas_count);
    TAKE_IDS(last_known_elr, last_known_elr_count);
    set_directories(&partition, record->directories, record->directories_count, &replay->_scratch);
    image_partition_set(replay->metadata, topic, record->partition_id, &partition);
    if (replay->delta != NULL)
        delta_partition_changed(replay->delta, topic, record->partition_id);
    return true;
}

static bool on_partition_change(struct replay *replay, const struct partition_change_record *record)
{
    enum { NO_LEADER_CHANGE = -2 };
    struct metadata_topic *topic = find_topic(replay, record->topic_id, "PartitionChangeRecord");
    if (topic == NULL)
        return false;
    const struct metadata_partition *found = metadata_topic_partition(topic, record->partition_id);
    if (found == NULL)
        return refuse(replay, "change of partition %s-%d, which does not exist", topic->name,
                      record->partition_id);
    struct metadata_partition partition = *found;
    TAKE_IDS(replicas, replicas_count);
    TAKE_IDS(isr, isr_count);
    TAKE_IDS(removing_replicas, removing_replicas_count);
    TAKE_IDS(adding_replicas, adding_replicas_count);
    TAKE_IDS(eligible_leader_replicas, eligible_leader_replicas_count);
    TAKE_IDS(last_known_elr, last_known_elr_count);
    if (record->directories_count >= 0)
        set_directories(&partition, record->directories, record->directories_count,
                        &replay->_scratch);
    if (partition.directories_count != partition.replicas_count)
        return refuse(replay, "partition %s-%d: not one directory per replica", topic->name,
                      record->partition_id);
    if (record->leader != NO_LEADER_CHANGE) {
        partition.leader = record->leader;
        partition.leader_epoch++;
    }
    if (record->leader_recovery_state >= 0)
        partition.leader_recovery_state = record->leader_recovery_state;
    partition.partition_epoch++;
    image_partition_set(replay->metadata, topic, record->partition_id, &partition);
    if (replay->delta != NULL)
        delta_partition_changed(replay->delta, topic, record->partition_id);
    return true;
}

static void clear_topic_elr(struct replay *replay, struct metadata_topic *topic)
{
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        struct metadata_partition partition = topic->partitions[i];
        if (partition.replicas == NULL ||
            (partition.eligible_leader_replicas_count == 0 && partition.last_known_elr_count == 0))
            continue;
        partition.eligible_leader_replicas_count = 0;
        partition.last_known_elr_count = 0;
        partition.partition_epoch++;
        image_partition_set(replay->metadata, topic, i, &partition);
        if (replay->delta != NULL)
            delta_partition_changed(replay->delta, topic, i);
    }
}

static bool on_clear_elr(struct replay *replay, const struct clear_elr_record *record)
{
    if (record->topic_name.size > 0) {
        const struct metadata_topic *topic =
            metadata_find_topic(replay->metadata, record->topic_name);
        if (topic == NULL)
            return refuse(replay, "ClearElrRecord for topic %.*s, which does not exist",
                          STR_ARG(record->topic_name));
        clear_topic_elr(replay, image_topic(replay->metadata, topic->id));
        return true;
    }
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(replay->metadata, &at)) != NULL;)
        clear_topic_elr(replay, image_topic(replay->metadata, topic->id));
    return true;
}

// ---- configs, features, producer ids ------------------------------------------------------------------------

static bool on_config(struct replay *replay, const struct config_record *record)
{
    image_config_set(replay->metadata, (enum config_resource)record->resource_type,
                     record->resource_name, record->name, record->value);
    if (replay->delta != NULL)
        delta_config_changed(replay->delta, (enum config_resource)record->resource_type,
                             record->resource_name);
    return true;
}

static bool on_feature_level(struct replay *replay, const struct feature_level_record *record)
{
    // kraft.version lives in control records; a record of it here is ignored by every node.
    if (str_eqz(record->name, "kraft.version"))
        return true;
    image_feature_set(replay->metadata, record->name, record->feature_level);
    if (replay->delta != NULL)
        replay->delta->features_changed = true;
    return true;
}

static bool on_producer_ids(struct replay *replay, const struct producer_ids_record *record)
{
    if (record->next_producer_id < replay->metadata->next_producer_id)
        return refuse(replay, "ProducerIdsRecord goes back");
    replay->metadata->next_producer_id = record->next_producer_id;
    if (replay->delta != NULL)
        replay->delta->producer_ids_changed = true;
    return true;
}

// ---- brokers and controllers --------------------------------------------------------------------------------

static bool on_register_broker(struct replay *replay, const struct register_broker_record *record)
{
    struct arena *scratch = &replay->_scratch;
    struct metadata_endpoint *endpoints =
        arena_array(scratch, struct metadata_endpoint, record->end_points_count);
    for (int32_t i = 0; i < record->end_points_count; i++)
        endpoints[i] =
            (struct metadata_endpoint){ record->end_points[i].name, record->end_points[i].host,
                                        record->end_points[i].port,
                                        record->end_points[i].security_protocol };
    struct metadata_feature_range *features =
        arena_array(scratch, struct metadata_feature_range, record->features_count);
    for (int32_t i = 0; i < record->features_count; i++)
        features[i] = (struct metadata_feature_range){ record->features[i].name,
                                                       record->features[i].min_supported_version,
                                                       record->features[i].max_supported_version };
    struct metadata_broker broker = {
        .id = record->broker_id,
        .epoch = record->broker_epoch,
        .incarnation_id = record->incarnation_id,
        .rack = record->rack,
        .endpoints = endpoints,
        .endpoints_count = record->end_points_count,
        .features = features,
        .features_count = record->features_count,
        .log_dirs = record->log_dirs,
        .log_dirs_count = record->log_dirs_count,
        .cordoned_log_dirs = record->cordoned_log_dirs,
        .cordoned_log_dirs_count = record->cordoned_log_dirs_count,
        .fenced = record->fenced,
        .in_controlled_shutdown = record->in_controlled_shutdown,
    };
    bool is_new = metadata_find_broker(replay->metadata, record->broker_id) == NULL;
    image_broker_set(replay->metadata, &broker);
    if (replay->delta != NULL)
        delta_broker_changed(replay->delta, is_new ? METADATA_CREATED : METADATA_CHANGED,
                             record->broker_id);
    return true;
}

static const struct metadata_broker *find_broker(struct replay *replay, int32_t id, int64_t epoch)
{
    const struct metadata_broker *broker = metadata_find_broker(replay->metadata, id);
    if (broker == NULL) {
        refuse(replay, "change of broker %d, which is not registered", id);
        return NULL;
    }
    if (broker->epoch != epoch) {
        refuse(replay, "change of broker %d of epoch %lld, but it has epoch %lld", id,
               (long long)epoch, (long long)broker->epoch);
        return NULL;
    }
    return broker;
}

static void broker_becomes(struct replay *replay, const struct metadata_broker *broker)
{
    image_broker_set(replay->metadata, broker);
    if (replay->delta != NULL)
        delta_broker_changed(replay->delta, METADATA_CHANGED, broker->id);
}

static bool fence(struct replay *replay, int32_t id, int64_t epoch, bool fenced)
{
    const struct metadata_broker *found = find_broker(replay, id, epoch);
    if (found == NULL)
        return false;
    struct metadata_broker broker = *found;
    broker.fenced = fenced;
    broker_becomes(replay, &broker);
    return true;
}

static bool on_broker_change(struct replay *replay,
                             const struct broker_registration_change_record *record)
{
    const struct metadata_broker *found =
        find_broker(replay, record->broker_id, record->broker_epoch);
    if (found == NULL)
        return false;
    if (record->fenced < -1 || record->fenced > 1 || record->in_controlled_shutdown < 0 ||
        record->in_controlled_shutdown > 1)
        return refuse(replay, "BrokerRegistrationChangeRecord with an unknown change");
    struct metadata_broker broker = *found;
    if (record->fenced != 0)
        broker.fenced = record->fenced > 0;
    if (record->in_controlled_shutdown > 0)
        broker.in_controlled_shutdown = true;
    if (record->log_dirs_count > 0) {
        broker.log_dirs = record->log_dirs;
        broker.log_dirs_count = record->log_dirs_count;
    }
    if (record->cordoned_log_dirs_count >= 0) {
        broker.cordoned_log_dirs = record->cordoned_log_dirs;
        broker.cordoned_log_dirs_count = record->cordoned_log_dirs_count;
    }
    broker_becomes(replay, &broker);
    return true;
}

static bool on_unregister_broker(struct replay *replay,
                                 const struct unregister_broker_record *record)
{
    if (find_broker(replay, record->broker_id, record->broker_epoch) == NULL)
        return false;
    image_broker_remove(replay->metadata, record->broker_id);
    if (replay->delta != NULL)
        delta_broker_changed(replay->delta, METADATA_DELETED, record->broker_id);
    return true;
}

static bool on_register_controller(struct replay *replay,
                                   const struct register_controller_record *record)
{
    struct arena *scratch = &replay->_scratch;
    struct metadata_endpoint *endpoints =
        arena_array(scratch, struct metadata_endpoint, record->end_points_count);
    for (int32_t i = 0; i < record->end_points_count; i++)
        endpoints[i] =
            (struct metadata_endpoint){ record->end_points[i].name, record->end_points[i].host,
                                        record->end_points[i].port,
                                        record->end_points[i].security_protocol };
    struct metadata_feature_range *features =
        arena_array(scratch, struct metadata_feature_range, record->features_count);
    for (int32_t i = 0; i < record->features_count; i++)
        features[i] = (struct metadata_feature_range){ record->features[i].name,
                                                       record->features[i].min_supported_version,
                                                       record->features[i].max_supported_version };
    struct metadata_controller controller = {
        .id = record->controller_id,
        .incarnation_id = record->incarnation_id,
        .zk_migration_ready = record->zk_migration_ready,
        .endpoints = endpoints,
        .endpoints_count = record->end_points_count,
        .features = features,
        .features_count = record->features_count,
    };
    image_controller_set(replay->metadata, &controller);
    if (replay->delta != NULL)
        replay->delta->controllers_changed = true;
    return true;
}

// ---- records kept as they are -------------------------------------------------------------------------------

static struct bytes key_of(struct arena *arena, enum metadata_record kind, struct bytes identity,
                           int suffix)
{
    uint8_t *key = arena_alloc(arena, identity.size + 2);
    key[0] = (uint8_t)kind;
    key[1] = (uint8_t)suffix;
    if (identity.size > 0)
        memcpy(key + 2, identity.data, identity.size);
    return (struct bytes){ key, identity.size + 2 };
}

static struct bytes str_bytes(struct str s)
{
    return (struct bytes){ (const uint8_t *)s.data, s.size };
}

static int compare_entities(const void *a, const void *b)
{
    const struct client_quota_record_entity_data *x = a;
    const struct client_quota_record_entity_data *y = b;
    return str_compare(x->entity_type, y->entity_type);
}

// One quota: an entity (its parts in any order) and the quota's name.
static struct bytes quota_key(struct arena *arena, const struct client_quota_record *record)
{
    size_t count = (size_t)(record->entity_count > 0 ? record->entity_count : 0);
    struct client_quota_record_entity_data *sorted =
        arena_array(arena, struct client_quota_record_entity_data, count + 1);
    if (count > 0)
        memcpy(sorted, record->entity, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_entities);
    struct writer writer;
    writer_init(&writer, arena);
    for (size_t i = 0; i < count; i++) {
        writer_string(&writer, sorted[i].entity_type, true);
        writer_string(&writer, sorted[i].entity_name, true);
    }
    writer_string(&writer, record->key, true);
    return key_of(arena, METADATA_RECORD_CLIENT_QUOTA, writer_flatten(&writer, arena), 0);
}

static bool store(struct replay *replay, const struct metadata_entry *entry, struct bytes key)
{
    const struct message_desc *desc = record_desc(RECORD_DOMAIN_METADATA, (int)entry->type);
    struct bytes value = codec_encode_bytes(desc, entry->version, &replay->_scratch, entry->body);
    if (value.data == NULL) // e.g. an unknown tagged field with the tag of a known one
        return refuse(replay, "%s cannot be written again", desc->name);
    struct image_stored stored = { entry->type, entry->version, key, value };
    image_stored_set(replay->metadata, &stored);
    return true;
}

static bool on_stored(struct replay *replay, const struct metadata_entry *entry)
{
    struct arena *scratch = &replay->_scratch;
    if (replay->delta != NULL)
        replay->delta->others_changed = true;
    switch (entry->type) {
    case METADATA_RECORD_CLIENT_QUOTA: {
        const struct client_quota_record *record = entry->body;
        if (record->remove)
            image_stored_remove(replay->metadata, quota_key(scratch, record));
        else
            return store(replay, entry, quota_key(scratch, record));
        break;
    }
    case METADATA_RECORD_USER_SCRAM_CREDENTIAL: {
        const struct user_scram_credential_record *record = entry->body;
        return store(replay, entry,
                     key_of(scratch, METADATA_RECORD_USER_SCRAM_CREDENTIAL, str_bytes(record->name),
                            record->mechanism));
    }
    case METADATA_RECORD_REMOVE_USER_SCRAM_CREDENTIAL: {
        const struct remove_user_scram_credential_record *record = entry->body;
        image_stored_remove(replay->metadata, key_of(scratch, METADATA_RECORD_USER_SCRAM_CREDENTIAL,
                                                     str_bytes(record->name), record->mechanism));
        break;
    }
    case METADATA_RECORD_ACCESS_CONTROL_ENTRY: {
        const struct access_control_entry_record *record = entry->body;
        struct bytes id = { record->id.bytes, sizeof record->id.bytes };
        return store(replay, entry, key_of(scratch, METADATA_RECORD_ACCESS_CONTROL_ENTRY, id, 0));
    }
    case METADATA_RECORD_REMOVE_ACCESS_CONTROL_ENTRY: {
        const struct remove_access_control_entry_record *record = entry->body;
        struct bytes id = { record->id.bytes, sizeof record->id.bytes };
        image_stored_remove(replay->metadata,
                            key_of(scratch, METADATA_RECORD_ACCESS_CONTROL_ENTRY, id, 0));
        break;
    }
    case METADATA_RECORD_DELEGATION_TOKEN: {
        const struct delegation_token_record *record = entry->body;
        return store(
            replay, entry,
            key_of(scratch, METADATA_RECORD_DELEGATION_TOKEN, str_bytes(record->token_id), 0));
    }
    case METADATA_RECORD_REMOVE_DELEGATION_TOKEN: {
        const struct remove_delegation_token_record *record = entry->body;
        image_stored_remove(replay->metadata, key_of(scratch, METADATA_RECORD_DELEGATION_TOKEN,
                                                     str_bytes(record->token_id), 0));
        break;
    }
    default:
        must(!"a record that is kept");
    }
    return true;
}

// ---- one record ---------------------------------------------------------------------------------------------

static bool apply(struct replay *replay, const struct metadata_entry *entry)
{
    switch (entry->type) {
    case METADATA_RECORD_REGISTER_BROKER:
        return on_register_broker(replay, entry->body);
    case METADATA_RECORD_UNREGISTER_BROKER:
        return on_unregister_broker(replay, entry->body);
    case METADATA_RECORD_TOPIC:
        return on_topic(replay, entry->body);
    case METADATA_RECORD_PARTITION:
        return on_partition(replay, entry->body);
    case METADATA_RECORD_CONFIG:
        return on_config(replay, entry->body);
    case METADATA_RECORD_PARTITION_CHANGE:
        return on_partition_change(replay, entry->body);
    case METADATA_RECORD_FENCE_BROKER: {
        const struct fence_broker_record *record = entry->body;
        return fence(replay, record->id, record->epoch, true);
    }
    case METADATA_RECORD_UNFENCE_BROKER: {
        const struct unfence_broker_record *record = entry->body;
        return fence(replay, record->id, record->epoch, false);
    }
    case METADATA_RECORD_REMOVE_TOPIC:
        return on_remove_topic(replay, entry->body);
    case METADATA_RECORD_FEATURE_LEVEL:
        return on_feature_level(replay, entry->body);
    case METADATA_RECORD_PRODUCER_IDS:
        return on_producer_ids(replay, entry->body);
    case METADATA_RECORD_BROKER_REGISTRATION_CHANGE:
        return on_broker_change(replay, entry->body);
    case METADATA_RECORD_REGISTER_CONTROLLER:
        return on_register_controller(replay, entry->body);
    case METADATA_RECORD_CLEAR_ELR:
        return on_clear_elr(replay, entry->body);
    case METADATA_RECORD_CLIENT_QUOTA:
    case METADATA_RECORD_USER_SCRAM_CREDENTIAL:
    case METADATA_RECORD_REMOVE_USER_SCRAM_CREDENTIAL:
    case METADATA_RECORD_ACCESS_CONTROL_ENTRY:
    case METADATA_RECORD_REMOVE_ACCESS_CONTROL_ENTRY:
    case METADATA_RECORD_DELEGATION_TOKEN:
    case METADATA_RECORD_REMOVE_DELEGATION_TOKEN:
        return on_stored(replay, entry);
    case METADATA_RECORD_NO_OP:
    case METADATA_RECORD_ZK_MIGRATION_STATE:
        return true;
    case METADATA_RECORD_BEGIN_TRANSACTION:
    case METADATA_RECORD_END_TRANSACTION:
    case METADATA_RECORD_ABORT_TRANSACTION:
        break;
    }
    return refuse(replay, "metadata record type %d is not applied", (int)entry->type);
}

static bool transaction_end(struct replay *replay)
{
    bool ok = true;
    struct arena decoded;
    arena_init(&decoded);
    for (size_t i = 0; ok && i < replay->_held_count; i++) {
        struct metadata_entry entry;
        ok = metadata_record_decode(replay->_held[i], &decoded, &entry, &replay->reason) &&
             apply(replay, &entry);
    }
    if (!ok)
        refuse(replay, "%s", replay->reason); // out of `decoded`
    arena_fini(&decoded);
    return ok;
}

static void transaction_clear(struct replay *replay)
{
    replay->in_transaction = false;
    replay->_held = NULL;
    replay->_held_count = 0;
    replay->_held_capacity = 0;
    arena_reset(&replay->_held_arena);
}

static void transaction_hold(struct replay *replay, struct bytes value)
{
    if (replay->_held_count == replay->_held_capacity) {
        size_t capacity = replay->_held_capacity == 0 ? 16 : 2 * replay->_held_capacity;
        struct bytes *grown = arena_array(&replay->_held_arena, struct bytes, capacity);
        if (replay->_held_count > 0)
            memcpy(grown, replay->_held, replay->_held_count * sizeof *grown);
        replay->_held = grown;
        replay->_held_capacity = capacity;
    }
    replay->_held[replay->_held_count++] = value;
}

// `value`: the record as it stood in a batch; BYTES_NULL: it is one of ours.
static bool replay_one(struct replay *replay, const struct metadata_entry *entry,
                       struct bytes value, int64_t offset, int32_t epoch)
{
    bool ok = true;
    arena_reset(&replay->_scratch);
    switch (entry->type) {
    case METADATA_RECORD_BEGIN_TRANSACTION:
        if (replay->in_transaction)
            return refuse(replay, "BeginTransactionRecord inside a transaction");
        replay->in_transaction = true;
        replay->transaction_offset = offset;
        break;
    case METADATA_RECORD_END_TRANSACTION:
        if (!replay->in_transaction)
            return refuse(replay, "EndTransactionRecord outside a transaction");
        ok = transaction_end(replay);
        transaction_clear(replay);
        break;
    case METADATA_RECORD_ABORT_TRANSACTION:
        if (!replay->in_transaction)
            return refuse(replay, "AbortTransactionRecord outside a transaction");
        transaction_clear(replay);
        break;
    default:
        if (!replay->in_transaction)
            ok = apply(replay, entry);
        else if (value.data != NULL)
            transaction_hold(replay, arena_bytes(&replay->_held_arena, value));
        else
            transaction_hold(replay, metadata_record_encode(entry, &replay->_held_arena));
    }
    if (ok) {
        replay->metadata->offset = offset;
        replay->metadata->epoch = epoch;
    }
    return ok;
}

bool replay_entry(struct replay *replay, const struct metadata_entry *entry, int64_t offset,
                  int32_t epoch)
{
    return replay_one(replay, entry, BYTES_NULL, offset, epoch);
}

bool replay_value(struct replay *replay, struct bytes value, int64_t offset, int32_t epoch)
{
    struct arena decoded;
    arena_init(&decoded);
    struct metadata_entry entry;
    bool ok = false;
    if (!metadata_record_decode(value, &decoded, &entry, &replay->reason)) {
        arena_reset(&replay->_scratch);
        refuse(replay, "%s", replay->reason);
    } else {
        ok = replay_one(replay, &entry, value, offset, epoch);
    }
    arena_fini(&decoded);
    return ok;
}
