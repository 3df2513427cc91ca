// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/local_broker.h"

#include <inttypes.h>

#include "base/mem.h"
#include "metadata/feature_versions.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/broker_heartbeat.h"
#include "protocol/messages/broker_registration.h"
#include "protocol/messages/controller_registration.h"
#include "protocol/registry.h"

static struct controller_call call_of(enum api_key api_key, const void *request, void *response,
                                      struct arena *arena)
{
    message_init(message_response_desc((int16_t)api_key), response);
    return (struct controller_call){
        .api_key = api_key,
        .version = message_request_desc((int16_t)api_key)->versions.last,
        .request = request,
        .response = response,
        .arena = arena,
    };
}

static enum kafka_error refused(struct local_broker *broker, const char *what, int16_t error)
{
    if (error != KERR_NONE)
        trace_error(broker->trace, "broker %s refused node=%d error=%s", what, broker->node_id,
                    kafka_error_name(error));
    return (enum kafka_error)error;
}

// ---- registration -------------------------------------------------------------------------------------------

// All features that this node has, in either kind of registration.
#define FILL_FEATURES(request, arena)                                                              \
    do {                                                                                           \
        (request)->features =                                                                      \
            arena_zalloc((arena), sizeof *(request)->features * (features_supported_count + 1));   \
        for (size_t i = 0; i <= features_supported_count; i++) {                                   \
            const struct feature_support *feature = i < features_supported_count                   \
                                                        ? &features_supported[i]                   \
                                                        : feature_find_supported("kraft.version"); \
            (request)->features[i].name = str_of(feature->name);                                   \
            (request)->features[i].min_supported_version = feature->min_supported_version;         \
            (request)->features[i].max_supported_version = feature->max_supported_version;         \
            (request)->features_count++;                                                           \
        }                                                                                          \
    } while (0)

#define FILL_LISTENERS(request, arena, endpoints, count)                                           \
    do {                                                                                           \
        (request)->listeners =                                                                     \
            arena_zalloc((arena), sizeof *(request)->listeners * ((size_t)(count) + 1));           \
        (request)->listeners_count = (count);                                                      \
        for (int32_t i = 0; i < (count); i++) {                                                    \
            (request)->listeners[i].name = (endpoints)[i].listener_name;                           \
            (request)->listeners[i].host = (endpoints)[i].host;                                    \
            (request)->listeners[i].port = (endpoints)[i].port;                                    \
            (request)->listeners[i].security_protocol = (endpoints)[i].security_protocol;          \
        }                                                                                          \
    } while (0)

static void fill_controller(const struct local_broker *broker,
                            struct controller_registration_request *request, struct arena *arena)
{
    message_init(&controller_registration_request_desc, request);
    request->controller_id = broker->node_id;
    request->incarnation_id = broker->incarnation_id;
    FILL_LISTENERS(request, arena, broker->controller_endpoints,
                   broker->controller_endpoints_count);
    FILL_FEATURES(request, arena);
}

static void fill_broker(const struct local_broker *broker,
                        struct broker_registration_request *request, struct arena *arena)
{
    message_init(&broker_registration_request_desc, request);
    request->broker_id = broker->node_id;
    request->cluster_id = str_of(broker->cluster_id);
    request->incarnation_id = broker->incarnation_id;
    request->rack = broker->rack;
    request->log_dirs = (struct uuid *)broker->log_dirs;
    request->log_dirs_count = broker->log_dirs_count;
    request->previous_broker_epoch = broker->previous_epoch;
    FILL_LISTENERS(request, arena, broker->endpoints, broker->endpoints_count);
    FILL_FEATURES(request, arena);
}

enum kafka_error local_broker_register(struct local_broker *broker)
{
    struct arena arena;
    arena_init(&arena);
    struct controller_registration_request as_controller;
    struct controller_registration_response controller_response;
    struct broker_registration_request as_broker;
    struct broker_registration_response broker_response;
    fill_controller(broker, &as_controller, &arena);
    fill_broker(broker, &as_broker, &arena);
    struct controller_call calls[] = {
        call_of(API_CONTROLLER_REGISTRATION, &as_controller, &controller_response, &arena),
        call_of(API_BROKER_REGISTRATION, &as_broker, &broker_response, &arena),
    };
    controller_call_all(broker->controller, calls, sizeof calls / sizeof *calls);
    broker->epoch = broker_response.broker_epoch;
    enum kafka_error error = KERR_NONE;
    // A cluster of an old metadata.version knows no controller registrations.
    if (controller_response.error_code != KERR_UNSUPPORTED_VERSION)
        error = refused(broker, "controller registration", controller_response.error_code);
    if (error == KERR_NONE)
        error = refused(broker, "registration", broker_response.error_code);
    if (error == KERR_NONE)
        trace_info(broker->trace,
                   "broker registered node=%d epoch=%" PRId64 " previous_epoch=%" PRId64,
                   broker->node_id, broker->epoch, broker->previous_epoch);
    arena_fini(&arena);
    return error;
}

// ---- a raised metadata.version ------------------------------------------------------------------------------

// Sent from the controller's own thread, so nobody waits for the answers.
struct renewal {
    struct completion completion;
    struct arena arena;
    struct trace *trace;
    union {
        struct {
            struct controller_registration_request request;
            struct controller_registration_response response;
        } as_controller;
        struct {
            struct broker_registration_request request;
            struct broker_registration_response response;
        } as_broker;
    };
    struct controller_call call;
};

static void on_renewed(struct completion *completion)
{
    struct renewal *renewal = container_of(completion, struct renewal, completion);
    bool is_broker = renewal->call.api_key == API_BROKER_REGISTRATION;
    int16_t error = is_broker ? renewal->as_broker.response.error_code
                              : renewal->as_controller.response.error_code;
    trace_info(renewal->trace, "%s registered again error=%s", is_broker ? "broker" : "controller",
               kafka_error_name(error));
    arena_fini(&renewal->arena);
    mem_free(renewal);
}

static void renew(struct local_broker *broker, enum api_key api_key)
{
    struct renewal *renewal = mem_new(struct renewal);
    arena_init(&renewal->arena);
    renewal->trace = broker->trace;
    renewal->completion.complete = on_renewed;
    if (api_key == API_BROKER_REGISTRATION) {
        fill_broker(broker, &renewal->as_broker.request, &renewal->arena);
        renewal->call = call_of(api_key, &renewal->as_broker.request, &renewal->as_broker.response,
                                &renewal->arena);
    } else {
        fill_controller(broker, &renewal->as_controller.request, &renewal->arena);
        renewal->call = call_of(api_key, &renewal->as_controller.request,
                                &renewal->as_controller.response, &renewal->arena);
    }
    renewal->call.completion = &renewal->completion;
    controller_submit(broker->controller, &renewal->call);
}

static void on_metadata(struct metadata_subscription *subscription,
                        const struct metadata_delta *delta)
{
    struct local_broker *broker = container_of(subscription, struct local_broker, _subscription);
    if (!delta->features_changed)
        return;
    metadata_lock_read(broker->metadata);
    int16_t version = metadata_feature_level(broker->metadata, "metadata.version");
    bool has_controller = metadata_find_controller(broker->metadata, broker->node_id) != NULL;
    const struct metadata_broker *registered =
        metadata_find_broker(broker->metadata, broker->node_id);
    bool has_directories = registered == NULL || registered->log_dirs_count > 0;
    metadata_unlock(broker->metadata);
    if (has_controller_registration(version) && !has_controller)
        renew(broker, API_CONTROLLER_REGISTRATION);
    if (has_directory_assignment(version) && !has_directories)
        renew(broker, API_BROKER_REGISTRATION);
}

void local_broker_follow(struct local_broker *broker)
{
    broker->_subscription.on_change = on_metadata;
    metadata_subscribe(broker->metadata, &broker->_subscription);
}

void local_broker_unfollow(struct local_broker *broker)
{
    metadata_unsubscribe(broker->metadata, &broker->_subscription);
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
    struct local_directories directories = { .offline = NULL };
    if (broker->directories != NULL)
        broker->directories(broker->arg, &arena, &directories);
    request.offline_log_dirs = directories.offline;
    request.offline_log_dirs_count = directories.offline_count;
    // None is an empty list: null would say that it does not know.
    struct uuid none = UUID_ZERO;
    request.cordoned_log_dirs = directories.cordoned_count > 0 ? directories.cordoned : &none;
    request.cordoned_log_dirs_count = directories.cordoned_count;
    metadata_lock_read(broker->metadata);
    request.current_metadata_offset = broker->metadata->offset;
    metadata_unlock(broker->metadata);
    struct controller_call call = call_of(API_BROKER_HEARTBEAT, &request, response, &arena);
    controller_call(broker->controller, &call);
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

enum kafka_error local_broker_report(struct local_broker *broker)
{
    struct broker_heartbeat_response response;
    heartbeat(broker, false, false, &response);
    return refused(broker, "report of log directories", response.error_code);
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
