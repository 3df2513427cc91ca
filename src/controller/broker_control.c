// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/broker_control.h"

#include <inttypes.h>

#include "controller/directory_control.h"
#include "controller/partition_change.h"
#include "metadata/feature_versions.h"
#include "protocol/records/broker_registration_change.h"
#include "protocol/records/register_broker.h"
#include "protocol/records/register_controller.h"

// ---- registration -------------------------------------------------------------------------------------------

static struct answer check_log_dirs(struct evaluation *evaluation,
                                    const struct broker_registration_request *request)
{
    if (request->log_dirs_count <= 0)
        return (struct answer){ KERR_INVALID_REGISTRATION, "No directories specified in request" };
    for (int32_t i = 0; i < request->log_dirs_count; i++) {
        if (uuid_is_reserved(request->log_dirs[i]))
            return (struct answer){ KERR_INVALID_REGISTRATION, "Reserved directory ID in request" };
        for (int32_t j = 0; j < i; j++)
            if (uuid_eq(request->log_dirs[i], request->log_dirs[j]))
                return (struct answer){ KERR_INVALID_REGISTRATION,
                                        "Duplicate directory ID in request" };
    }
    const struct metadata_broker *other;
    for (size_t at = 0; (other = metadata_next_broker(evaluation->metadata, &at)) != NULL;) {
        for (int32_t i = 0; other->id != request->broker_id && i < other->log_dirs_count; i++) {
            for (int32_t j = 0; j < request->log_dirs_count; j++) {
                if (!uuid_eq(other->log_dirs[i], request->log_dirs[j]))
                    continue;
                char text[UUID_TEXT_SIZE];
                uuid_format(request->log_dirs[j], text);
                return (struct answer){ KERR_INVALID_REGISTRATION,
                                        arena_printf(
                                            evaluation->arena,
                                            "Broker %d is already registered with directory %s",
                                            other->id, text) };
            }
        }
    }
    return ANSWER_OK;
}

static struct answer check_range(struct evaluation *evaluation, const char *name, int16_t finalised,
                                 int16_t min, int16_t max)
{
    if (finalised >= min && finalised <= max)
        return ANSWER_OK;
    return (struct answer){
        KERR_UNSUPPORTED_VERSION,
        arena_printf(evaluation->arena,
                     "Unable to register because the broker does not support finalized version "
                     "%d of %s. The broker wants a version between %d and %d, inclusive.",
                     finalised, name, min, max)
    };
}

static const struct broker_registration_request_feature *
find_feature(const struct broker_registration_request *request, const char *name)
{
    for (int32_t i = 0; i < request->features_count; i++)
        if (str_eqz(request->features[i].name, name))
            return &request->features[i];
    return NULL;
}

static struct answer check_features(struct evaluation *evaluation,
                                    const struct broker_registration_request *request)
{
    struct answer answer = ANSWER_OK;
    const struct metadata_feature *feature;
    for (size_t at = 0; (feature = metadata_next_feature(evaluation->metadata, &at)) != NULL;) {
        const struct broker_registration_request_feature *claimed =
            find_feature(request, feature->name);
        if (claimed == NULL && strcmp(feature->name, "metadata.version") == 0)
            return (struct answer){ KERR_INVALID_REGISTRATION,
                                    "Request features do not contain 'metadata.version'" };
        if (answer.error == KERR_NONE)
            answer = check_range(evaluation, feature->name, feature->level,
                                 claimed == NULL ? 0 : claimed->min_supported_version,
                                 claimed == NULL ? 0 : claimed->max_supported_version);
    }
    return answer;
}

static struct register_broker_record *
add_registration(struct evaluation *evaluation, const struct broker_registration_request *request)
{
    struct arena *arena = evaluation->records.arena;
    struct register_broker_record *record =
        metadata_entries_add(&evaluation->records, METADATA_RECORD_REGISTER_BROKER,
                             register_broker_record_version(evaluation->metadata_version));
    record->broker_id = request->broker_id;
    record->incarnation_id = request->incarnation_id;
    record->rack = request->rack;
    record->end_points =
        arena_array(arena, struct register_broker_record_broker_endpoint, request->listeners_count);
    record->end_points_count = request->listeners_count;
    for (int32_t i = 0; i < request->listeners_count; i++) {
        record->end_points[i].name = request->listeners[i].name;
        record->end_points[i].host = request->listeners[i].host;
        record->end_points[i].port = request->listeners[i].port;
        record->end_points[i].security_protocol = request->listeners[i].security_protocol;
    }
    record->features =
        arena_array(arena, struct register_broker_record_broker_feature, request->features_count);
    record->features_count = request->features_count;
    for (int32_t i = 0; i < request->features_count; i++) {
        record->features[i].name = request->features[i].name;
        record->features[i].min_supported_version = request->features[i].min_supported_version;
        record->features[i].max_supported_version = request->features[i].max_supported_version;
    }
    if (has_directory_assignment(evaluation->metadata_version)) {
        record->log_dirs = request->log_dirs;
        record->log_dirs_count = request->log_dirs_count;
    }
    return record;
}

struct answer register_broker(struct evaluation *evaluation,
                              const struct broker_registration_request *request,
                              struct broker_registration_response *response)
{
    if (!str_eqz(request->cluster_id, evaluation->cluster_id))
        return (struct answer){
            KERR_INCONSISTENT_CLUSTER_ID,
            arena_printf(evaluation->arena, "Expected cluster ID %s, but got cluster ID %.*s",
                         evaluation->cluster_id, STR_ARG(request->cluster_id))
        };
    if (request->is_migrating_zk_broker)
        return (struct answer){ KERR_BROKER_ID_NOT_REGISTERED,
                                "Controller does not support registering ZK brokers." };
    struct answer answer = ANSWER_OK;
    if (has_directory_assignment(evaluation->metadata_version))
        answer = check_log_dirs(evaluation, request);
    if (answer.error == KERR_NONE)
        answer = check_features(evaluation, request);
    if (answer.error != KERR_NONE)
        return answer;

    const struct metadata_broker *existing =
        metadata_find_broker(evaluation->metadata, request->broker_id);
    bool is_same = existing != NULL && uuid_eq(existing->incarnation_id, request->incarnation_id);
    bool fenced = is_same ? existing->fenced : true;
    bool in_controlled_shutdown = is_same && existing->in_controlled_shutdown;
    int64_t epoch = is_same ? existing->epoch : evaluation->next_offset;
    if (!is_same) {
        bool is_clean = existing != NULL && existing->epoch == request->previous_broker_epoch;
        if (evaluation->is_elr_enabled && !is_clean)
            partition_changes_add(evaluation, request->broker_id, NO_BROKER, NO_BROKER,
                                  request->broker_id);
        else
            partition_changes_add(evaluation, request->broker_id, request->broker_id, NO_BROKER,
                                  NO_BROKER);
    }
    struct register_broker_record *record = add_registration(evaluation, request);
    record->broker_epoch = epoch;
    record->fenced = fenced;
    record->in_controlled_shutdown = in_controlled_shutdown;
    response->broker_epoch = epoch;
    return ANSWER_OK;
}

struct answer register_controller(struct evaluation *evaluation,
                                  const struct controller_registration_request *request)
{
    if (!has_controller_registration(evaluation->metadata_version))
        return (struct answer){
            KERR_UNSUPPORTED_VERSION,
            "The current MetadataVersion is too old to support controller registrations."
        };
    struct arena *arena = evaluation->records.arena;
    struct register_controller_record *record =
        metadata_entries_add(&evaluation->records, METADATA_RECORD_REGISTER_CONTROLLER, 0);
    record->controller_id = request->controller_id;
    record->incarnation_id = request->incarnation_id;
    record->end_points = arena_array(arena, struct register_controller_record_controller_endpoint,
                                     request->listeners_count);
    record->end_points_count = request->listeners_count;
    for (int32_t i = 0; i < request->listeners_count; i++) {
        record->end_points[i].name = request->listeners[i].name;
        record->end_points[i].host = request->listeners[i].host;
        record->end_points[i].port = request->listeners[i].port;
        record->end_points[i].security_protocol = request->listeners[i].security_protocol;
    }
    record->features = arena_array(arena, struct register_controller_record_controller_feature,
                                   request->features_count);
    record->features_count = request->features_count;
    for (int32_t i = 0; i < request->features_count; i++) {
        record->features[i].name = request->features[i].name;
        record->features[i].min_supported_version = request->features[i].min_supported_version;
        record->features[i].max_supported_version = request->features[i].max_supported_version;
    }
    return ANSWER_OK;
}

// ---- heartbeats ---------------------------------------------------------------------------------------------

struct answer broker_check_epoch(struct evaluation *evaluation, int32_t broker_id, int64_t epoch)
{
    const struct metadata_broker *broker = metadata_find_broker(evaluation->metadata, broker_id);
    if (broker == NULL)
        return (struct answer){ KERR_STALE_BROKER_EPOCH,
                                arena_printf(evaluation->arena,
                                             "No broker registration found for broker id %d",
                                             broker_id) };
    if (broker->epoch != epoch)
        return (struct answer){ KERR_STALE_BROKER_EPOCH,
                                arena_printf(evaluation->arena,
                                             "Expected broker epoch %" PRId64
                                             ", but got broker epoch %" PRId64,
                                             broker->epoch, epoch) };
    return ANSWER_OK;
}

static bool leads_any(const struct metadata *metadata, int32_t broker_id)
{
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(metadata, &at)) != NULL;)
        for (int32_t i = 0; i < topic->partitions_count; i++)
            if (topic->partitions[i].replicas != NULL && topic->partitions[i].leader == broker_id)
                return true;
    return false;
}

struct broker_registration_change_record *broker_change_add(struct evaluation *evaluation,
                                                            const struct metadata_broker *broker,
                                                            int16_t version)
{
    struct broker_registration_change_record *record = metadata_entries_add(
        &evaluation->records, METADATA_RECORD_BROKER_REGISTRATION_CHANGE, version);
    record->broker_id = broker->id;
    record->broker_epoch = broker->epoch;
    return record;
}

static void fence(struct evaluation *evaluation, const struct metadata_broker *broker)
{
    partition_changes_add(evaluation, broker->id, broker->id, NO_BROKER, NO_BROKER);
    broker_change_add(evaluation, broker, 0)->fenced = 1;
}

static void unfence(struct evaluation *evaluation, const struct metadata_broker *broker)
{
    broker_change_add(evaluation, broker, 0)->fenced = -1;
    partition_changes_add(evaluation, NO_BROKER, NO_BROKER, broker->id, NO_BROKER);
}

static void enter_controlled_shutdown(struct evaluation *evaluation,
                                      const struct metadata_broker *broker)
{
    broker_change_add(evaluation, broker, 1)->in_controlled_shutdown = 1;
    partition_changes_add(evaluation, broker->id, broker->id, NO_BROKER, NO_BROKER);
}

struct answer broker_heartbeat(struct evaluation *evaluation,
                               const struct broker_heartbeat_request *request,
                               struct broker_heartbeat_response *response)
{
    struct answer answer =
        broker_check_epoch(evaluation, request->broker_id, request->broker_epoch);
    if (answer.error != KERR_NONE)
        return answer;
    const struct metadata_broker *broker =
        metadata_find_broker(evaluation->metadata, request->broker_id);
    response->is_caught_up = request->current_metadata_offset >= broker->epoch;
    response->is_fenced = broker->fenced;
    if (broker->fenced && request->want_shut_down) {
        response->should_shut_down = true;
    } else if (broker->fenced && !request->want_fence && response->is_caught_up) {
        unfence(evaluation, broker);
        response->is_fenced = false;
    } else if (!broker->fenced && request->want_fence) {
        fence(evaluation, broker);
        response->is_fenced = true;
        response->should_shut_down = request->want_shut_down;
    } else if (!broker->fenced && request->want_shut_down) {
        bool leads = leads_any(evaluation->metadata, broker->id);
        if (leads && !broker->in_controlled_shutdown) {
            enter_controlled_shutdown(evaluation, broker);
        } else if (!leads) {
            fence(evaluation, broker);
            response->is_fenced = true;
            response->should_shut_down = true;
        }
    }
    if (has_directory_assignment(evaluation->metadata_version) &&
        request->offline_log_dirs_count > 0)
        directories_offline(evaluation, broker, request);
    if (has_cordoned_log_dirs(evaluation->metadata_version) &&
        request->cordoned_log_dirs_count >= 0)
        directories_cordoned(evaluation, broker, request);
    return ANSWER_OK;
}
