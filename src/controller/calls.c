// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/calls.h"

#include "base/must.h"
#include "controller/broker_control.h"
#include "controller/config_control.h"
#include "controller/directory_control.h"
#include "controller/feature_control.h"
#include "controller/producer_id_control.h"
#include "controller/topic_control.h"
#include "protocol/registry.h"

// ---- one error for everything -------------------------------------------------------------------------------

static void fail_create_topics(struct controller_call *call, struct answer answer)
{
    const struct create_topics_request *request = call->request;
    struct create_topics_response *response = call->response;
    response->topics =
        arena_array(call->arena, struct create_topics_response_creatable_topic_result,
                    request->topics_count + 1);
    response->topics_count = 0;
    for (int32_t i = 0; i < request->topics_count; i++) {
        struct create_topics_response_creatable_topic_result *result =
            &response->topics[response->topics_count++];
        message_init(&create_topics_response_creatable_topic_result_desc, result);
        result->name = request->topics[i].name;
        result->error_code = (int16_t)answer.error;
        result->error_message = answer_message(answer);
    }
}

static void fail_delete_topics(struct controller_call *call, struct answer answer)
{
    const struct delete_topics_request *request = call->request;
    struct delete_topics_response *response = call->response;
    int32_t names = request->topic_names_count > 0 ? request->topic_names_count : 0;
    int32_t topics = request->topics_count > 0 ? request->topics_count : 0;
    response->responses = arena_array(
        call->arena, struct delete_topics_response_deletable_topic_result, names + topics + 1);
    response->responses_count = 0;
    for (int32_t i = 0; i < names + topics; i++) {
        struct delete_topics_response_deletable_topic_result *result =
            &response->responses[response->responses_count++];
        message_init(&delete_topics_response_deletable_topic_result_desc, result);
        result->name = i < names ? request->topic_names[i] : request->topics[i - names].name;
        result->topic_id = i < names ? UUID_ZERO : request->topics[i - names].topic_id;
        result->error_code = (int16_t)answer.error;
    }
}

static void fail_create_partitions(struct controller_call *call, struct answer answer)
{
    const struct create_partitions_request *request = call->request;
    struct create_partitions_response *response = call->response;
    response->results =
        arena_array(call->arena, struct create_partitions_response_create_partitions_topic_result,
                    request->topics_count + 1);
    response->results_count = 0;
    for (int32_t i = 0; i < request->topics_count; i++) {
        struct create_partitions_response_create_partitions_topic_result *result =
            &response->results[response->results_count++];
        message_init(&create_partitions_response_create_partitions_topic_result_desc, result);
        result->name = request->topics[i].name;
        result->error_code = (int16_t)answer.error;
        result->error_message = answer_message(answer);
    }
}

static void fail_alter_configs(struct controller_call *call, struct answer answer)
{
    const struct alter_configs_request *request = call->request;
    struct alter_configs_response *response = call->response;
    response->responses =
        arena_array(call->arena, struct alter_configs_response_alter_configs_resource_response,
                    request->resources_count + 1);
    response->responses_count = 0;
    for (int32_t i = 0; i < request->resources_count; i++) {
        struct alter_configs_response_alter_configs_resource_response *result =
            &response->responses[response->responses_count++];
        message_init(&alter_configs_response_alter_configs_resource_response_desc, result);
        result->resource_type = request->resources[i].resource_type;
        result->resource_name = request->resources[i].resource_name;
        result->error_code = (int16_t)answer.error;
        result->error_message = answer_message(answer);
    }
}

static void fail_incremental(struct controller_call *call, struct answer answer)
{
    const struct incremental_alter_configs_request *request = call->request;
    struct incremental_alter_configs_response *response = call->response;
    response->responses = arena_array(
        call->arena, struct incremental_alter_configs_response_alter_configs_resource_response,
        request->resources_count + 1);
    response->responses_count = 0;
    for (int32_t i = 0; i < request->resources_count; i++) {
        struct incremental_alter_configs_response_alter_configs_resource_response *result =
            &response->responses[response->responses_count++];
        message_init(&incremental_alter_configs_response_alter_configs_resource_response_desc,
                     result);
        result->resource_type = request->resources[i].resource_type;
        result->resource_name = request->resources[i].resource_name;
        result->error_code = (int16_t)answer.error;
        result->error_message = answer_message(answer);
    }
}

void call_fail(struct controller_call *call, struct answer answer)
{
    message_init(message_response_desc((int16_t)call->api_key), call->response);
    switch (call->api_key) {
    case API_CREATE_TOPICS:
        fail_create_topics(call, answer);
        break;
    case API_DELETE_TOPICS:
        fail_delete_topics(call, answer);
        break;
    case API_CREATE_PARTITIONS:
        fail_create_partitions(call, answer);
        break;
    case API_ALTER_CONFIGS:
        fail_alter_configs(call, answer);
        break;
    case API_INCREMENTAL_ALTER_CONFIGS:
        fail_incremental(call, answer);
        break;
    case API_ALLOCATE_PRODUCER_IDS:
        ((struct allocate_producer_ids_response *)call->response)->error_code =
            (int16_t)answer.error;
        break;
    case API_BROKER_REGISTRATION:
        ((struct broker_registration_response *)call->response)->error_code = (int16_t)answer.error;
        break;
    case API_BROKER_HEARTBEAT:
        ((struct broker_heartbeat_response *)call->response)->error_code = (int16_t)answer.error;
        break;
    case API_ASSIGN_REPLICAS_TO_DIRS:
        ((struct assign_replicas_to_dirs_response *)call->response)->error_code =
            (int16_t)answer.error;
        break;
    case API_CONTROLLER_REGISTRATION: {
        struct controller_registration_response *response = call->response;
        response->error_code = (int16_t)answer.error;
        response->error_message = answer_message(answer);
        break;
    }
    case API_UPDATE_FEATURES: {
        struct update_features_response *response = call->response;
        response->error_code = (int16_t)answer.error;
        response->error_message = answer_message(answer);
        break;
    }
    default:
        must(!"an API of the controller");
    }
}

int32_t call_timeout_ms(const struct controller_call *call)
{
    switch (call->api_key) {
    case API_CREATE_TOPICS:
        return ((const struct create_topics_request *)call->request)->timeout_ms;
    case API_DELETE_TOPICS:
        return ((const struct delete_topics_request *)call->request)->timeout_ms;
    case API_CREATE_PARTITIONS:
        return ((const struct create_partitions_request *)call->request)->timeout_ms;
    default:
        return INT32_MAX;
    }
}

// ---- deciding -----------------------------------------------------------------------------------------------

static struct answer evaluate(struct controller_call *call, struct evaluation *evaluation)
{
    switch (call->api_key) {
    case API_CREATE_TOPICS:
        return create_topics(evaluation, call->request, call->response);
    case API_DELETE_TOPICS:
        return delete_topics(evaluation, call->version, call->request, call->response);
    case API_CREATE_PARTITIONS:
        return create_partitions(evaluation, call->request, call->response);
    case API_ALTER_CONFIGS:
        return alter_configs(evaluation, call->request, call->response);
    case API_INCREMENTAL_ALTER_CONFIGS:
        return incremental_alter_configs(evaluation, call->request, call->response);
    case API_ALLOCATE_PRODUCER_IDS:
        return allocate_producer_ids(evaluation, call->request, call->response);
    case API_BROKER_REGISTRATION:
        return register_broker(evaluation, call->request, call->response);
    case API_BROKER_HEARTBEAT:
        return broker_heartbeat(evaluation, call->request, call->response);
    case API_ASSIGN_REPLICAS_TO_DIRS:
        return assign_replicas_to_dirs(evaluation, call->request, call->response);
    case API_CONTROLLER_REGISTRATION:
        return register_controller(evaluation, call->request);
    case API_UPDATE_FEATURES:
        return update_features(evaluation, call->version, call->request, call->response);
    default:
        break;
    }
    return (struct answer){ KERR_INVALID_REQUEST, NULL };
}

void call_evaluate(struct controller_call *call, struct evaluation *evaluation)
{
    struct answer answer = evaluate(call, evaluation);
    if (answer.error == KERR_NONE)
        return;
    metadata_entries_cut(&evaluation->records, 0);
    call_fail(call, answer);
}
