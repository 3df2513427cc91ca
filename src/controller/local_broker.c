// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/local_broker.h"

#include <inttypes.h>

#include "metadata/feature_versions.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/broker_heartbeat.h"
#include "protocol/messages/broker_registration.h"
#include "protocol/messages/controller_registration.h"
#include "protocol/registry.h"

static void call(struct local_broker *broker, enum api_key api_key, const void *request,
                 void *response, struct arena *arena)
{
    const struct message_desc *desc = message_request_desc((int16_t)api_key);
    struct controller_call call = {
        .api_key = api_key,
        .version = desc->versions.last,
        .request = request,
        .response = response,
        .arena = arena,
    };
    message_init(message_response_desc((int16_t)api_key), response);
    controller_call(broker->controller, &call);
}

static enum kafka_error refused(struct local_broker *broker, const char *what, int16_t error)
{
    if (error != KERR_NONE)
        trace_error(broker->trace, "broker %s refused node=%d error=%s", what, broker->node_id,
                    kafka_error_name(error));
    return (enum kafka_error)error;
}

// ---- registration -------------------------------------------------------------------------------------------

static enum kafka_error register_controller(struct local_broker *broker)
{
    struct arena arena;
    arena_init(&arena);
    struct controller_registration_request request;
    struct controller_registration_response response;
    message_init(&controller_registration_request_desc, &request);
    request.controller_id = broker->node_id;
    request.incarnation_id = broker->incarnation_id;
    request.listeners = arena_array(&arena, struct controller_registration_request_listener,
                                    broker->controller_endpoints_count + 1);
    request.listeners_count = broker->controller_endpoints_count;
    for (int32_t i = 0; i < broker->controller_endpoints_count; i++) {
        request.listeners[i].name = broker->controller_endpoints[i].listener_name;
        request.listeners[i].host = broker->controller_endpoints[i].host;
        request.listeners[i].port = broker->controller_endpoints[i].port;
        request.listeners[i].security_protocol = broker->controller_endpoints[i].security_protocol;
    }
    request.features = arena_array(&arena, struct controller_registration_request_feature,
                                   features_supported_count + 1);
    for (size_t i = 0; i <= features_supported_count; i++) {
        const struct feature_support *feature = i < features_supported_count
                                                    ? &features_supported[i]
                                                    : feature_find_supported("kraft.version");
        struct controller_registration_request_feature *claim =
            &request.features[request.features_count++];
        claim->name = str_of(feature->name);
        claim->min_supported_version = feature->min_supported_version;
        claim->max_supported_version = feature->max_supported_version;
    }
    call(broker, API_CONTROLLER_REGISTRATION, &request, &response, &arena);
    enum kafka_error error = (enum kafka_error)response.error_code;
    arena_fini(&arena);
    return error == KERR_UNSUPPORTED_VERSION
               ? KERR_NONE // the cluster's metadata.version knows no such records
               : refused(broker, "controller registration", (int16_t)error);
}

enum kafka_error local_broker_register(struct local_broker *broker)
{
    enum kafka_error error = register_controller(broker);
    if (error != KERR_NONE)
        return error;
    struct arena arena;
    arena_init(&arena);
    struct broker_registration_request request;
    struct broker_registration_response response;
    message_init(&broker_registration_request_desc, &request);
    request.broker_id = broker->node_id;
    request.cluster_id = str_of(broker->cluster_id);
    request.incarnation_id = broker->incarnation_id;
    request.rack = broker->rack;
    request.log_dirs = (struct uuid *)broker->log_dirs;
    request.log_dirs_count = broker->log_dirs_count;
    request.previous_broker_epoch = broker->previous_epoch;
    request.listeners = arena_array(&arena, struct broker_registration_request_listener,
                                    broker->endpoints_count + 1);
    request.listeners_count = broker->endpoints_count;
    for (int32_t i = 0; i < broker->endpoints_count; i++) {
        request.listeners[i].name = broker->endpoints[i].listener_name;
        request.listeners[i].host = broker->endpoints[i].host;
        request.listeners[i].port = broker->endpoints[i].port;
        request.listeners[i].security_protocol = broker->endpoints[i].security_protocol;
    }
    request.features = arena_array(&arena, struct broker_registration_request_feature,
                                   features_supported_count + 1);
    for (size_t i = 0; i <= features_supported_count; i++) {
        const struct feature_support *feature = i < features_supported_count
                                                    ? &features_supported[i]
                                                    : feature_find_supported("kraft.version");
        struct broker_registration_request_feature *claim =
            &request.features[request.features_count++];
        claim->name = str_of(feature->name);
        claim->min_supported_version = feature->min_supported_version;
        claim->max_supported_version = feature->max_supported_version;
    }
    call(broker, API_BROKER_REGISTRATION, &request, &response, &arena);
    broker->epoch = response.broker_epoch;
    error = refused(broker, "registration", response.error_code);
    if (error == KERR_NONE)
        trace_info(broker->trace,
                   "broker registered node=%d epoch=%" PRId64 " previous_epoch=%" PRId64,
                   broker->node_id, broker->epoch, broker->previous_epoch);
    arena_fini(&arena);
    return error;
}

// ---- heartbeats ---------------------------------------------------------------------------------------------

static void heartbeat(struct local_broker *broker, bool want_fence, bool want_shut_down,
                      struct broker_heartbeat_response *response)
{
    struct arena arena;
    arena_init(&arena);
    struct broker_heartbeat_request request;
    message_init(&broker_heartbeat_request_desc, &request);
    request.broker_id = broker->node_id;
    request.broker_epoch = broker->epoch;
    request.want_fence = want_fence;
    request.want_shut_down = want_shut_down;
    // Tells that no directory is cordoned: an empty list, not null.
    struct uuid none = UUID_ZERO;
    request.cordoned_log_dirs = &none;
    request.cordoned_log_dirs_count = 0;
    metadata_lock_read(broker->metadata);
    request.current_metadata_offset = broker->metadata->offset;
    metadata_unlock(broker->metadata);
    call(broker, API_BROKER_HEARTBEAT, &request, response, &arena);
    arena_fini(&arena);
}

enum kafka_error local_broker_unfence(struct local_broker *broker)
{
    struct broker_heartbeat_response response;
    heartbeat(broker, false, false, &response);
    if (response.error_code == KERR_NONE && response.is_fenced)
        return refused(broker, "unfencing", KERR_UNKNOWN_SERVER_ERROR);
    return refused(broker, "unfencing", response.error_code);
}

enum kafka_error local_broker_shut_down(struct local_broker *broker)
{
    struct broker_heartbeat_response response;
    // First the leaderships are given up, then the broker is fenced: with no other broker, two rounds.
    enum { ROUNDS_MAX = 3 };
    for (int round = 0; round < ROUNDS_MAX; round++) {
        heartbeat(broker, false, true, &response);
        if (response.error_code != KERR_NONE || response.should_shut_down)
            return refused(broker, "controlled shutdown", response.error_code);
    }
    return refused(broker, "controlled shutdown", KERR_REQUEST_TIMED_OUT);
}
