// SPDX-License-Identifier: Apache-2.0
// IncrementalAlterConfigs, versions 0 and 1: single settings are set, deleted, appended to, subtracted
// from (KIP-339). Tested by configs_test.c.
#include "api/config_alterations.h"
#include "api/dispatch.h"
#include "protocol/messages/incremental_alter_configs.h"

static void reply(struct config_alterations *alterations)
{
    struct request *request = alterations->request;
    struct incremental_alter_configs_response *response = request->response;
    struct incremental_alter_configs_response_alter_configs_resource_response *results =
        message_array(&incremental_alter_configs_response_alter_configs_resource_response_desc,
                      &request->arena, alterations->count);
    for (int32_t i = 0; i < alterations->count; i++) {
        const struct config_alteration_item *item = &alterations->items[i];
        results[i].error_code =
            (int16_t)(item->is_decided ? item->error : KERR_UNKNOWN_SERVER_ERROR);
        results[i].error_message = item->is_decided ? item->message : STR_NULL;
        results[i].resource_type = item->type;
        results[i].resource_name = item->name;
    }
    response->responses = results;
    response->responses_count = alterations->count;
    request_reply(request);
}

static void on_decided(struct config_alterations *alterations)
{
    const struct incremental_alter_configs_response *decided = alterations->call.response;
    for (int32_t i = 0; i < decided->responses_count; i++)
        config_alterations_decide(
            alterations, decided->responses[i].resource_type, decided->responses[i].resource_name,
            decided->responses[i].error_code, decided->responses[i].error_message);
    struct incremental_alter_configs_response *response = alterations->request->response;
    response->throttle_time_ms = decided->throttle_time_ms;
    reply(alterations);
}

static const struct config_change *
changes_of(struct arena *arena,
           const struct incremental_alter_configs_request_alter_configs_resource *resource)
{
    struct config_change *changes =
        arena_array(arena, struct config_change, resource->configs_count + 1);
    for (int32_t i = 0; i < resource->configs_count; i++)
        changes[i] = (struct config_change){ resource->configs[i].name,
                                             resource->configs[i].config_operation,
                                             resource->configs[i].value };
    return changes;
}

void handle_incremental_alter_configs(struct request *request)
{
    const struct incremental_alter_configs_request *body = request->body;
    struct config_alterations *alterations =
        config_alterations_new(request, false, body->validate_only, body->resources_count);
    for (int32_t i = 0; i < body->resources_count; i++) {
        struct config_alteration_item *item = &alterations->items[i];
        item->type = body->resources[i].resource_type;
        item->name = body->resources[i].resource_name;
        item->changes = changes_of(&request->arena, &body->resources[i]);
        item->changes_count = body->resources[i].configs_count;
    }
    int32_t left = config_alterations_check(alterations);
    if (left == 0) {
        reply(alterations);
        return;
    }
    struct incremental_alter_configs_request *rest = arena_dup(&request->arena, body, sizeof *body);
    rest->resources = arena_array(
        &request->arena, struct incremental_alter_configs_request_alter_configs_resource, left);
    rest->resources_count = 0;
    for (int32_t i = 0; i < body->resources_count; i++)
        if (!alterations->items[i].is_decided)
            rest->resources[rest->resources_count++] = body->resources[i];
    config_alterations_submit(
        alterations, rest,
        message_array(&incremental_alter_configs_response_desc, &request->arena, 1), on_decided);
}
