// SPDX-License-Identifier: Apache-2.0
// DescribeCluster (KIP-700): the nodes of the cluster, brokers on a broker's listener, controllers on a controller's
// (v1+, KIP-919). Tested by metadata_test.c.
#include "api/authorized_operations.h"
#include "api/cluster_view.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "protocol/messages/describe_cluster.h"

enum { ENDPOINT_BROKER = 1, ENDPOINT_CONTROLLER = 2 };

static void refuse(struct request *request, enum kafka_error error, const char *message)
{
    struct describe_cluster_response *response = request->response;
    // Version 0 had no endpoint types to be wrong about.
    response->error_code = (int16_t)(request->api_version == 0 ? KERR_INVALID_REQUEST : error);
    response->error_message = str_of(message);
    request_reply(request);
}

static struct describe_cluster_response_describe_cluster_broker *
add(struct describe_cluster_response *response, struct arena *arena, int32_t id,
    const struct metadata_endpoint *endpoint)
{
    struct describe_cluster_response_describe_cluster_broker *node =
        &response->brokers[response->brokers_count++];
    message_init(&describe_cluster_response_describe_cluster_broker_desc, node);
    node->broker_id = id;
    node->host = arena_str(arena, endpoint->host);
    node->port = endpoint->port;
    return node;
}

static void list_brokers(struct request *request, const struct cluster_view *view)
{
    const struct describe_cluster_request *body = request->body;
    struct describe_cluster_response *response = request->response;
    struct view_brokers brokers = view_brokers(view, body->include_fenced_brokers);
    response->brokers =
        arena_array(&request->arena, struct describe_cluster_response_describe_cluster_broker,
                    brokers.count + 1);
    int32_t controller_id = view_controller_id(view, request->node->node_id);
    for (int32_t i = 0; i < brokers.count; i++) {
        const struct metadata_broker *broker = brokers.items[i].broker;
        struct describe_cluster_response_describe_cluster_broker *node =
            add(response, &request->arena, broker->id, brokers.items[i].endpoint);
        node->rack = arena_str(&request->arena, broker->rack);
        node->is_fenced = broker->fenced;
        if (broker->id == controller_id)
            response->controller_id = controller_id;
    }
}

static void list_controllers(struct request *request, const struct cluster_view *view)
{
    struct describe_cluster_response *response = request->response;
    response->brokers =
        arena_array(&request->arena, struct describe_cluster_response_describe_cluster_broker,
                    view->metadata->_controllers.count + 1);
    const struct metadata_controller *controller;
    for (size_t at = 0; (controller = metadata_next_controller(view->metadata, &at)) != NULL;) {
        for (int32_t i = 0; i < controller->endpoints_count; i++) {
            if (!str_eqz(controller->endpoints[i].listener_name, view->listener_name))
                continue;
            add(response, &request->arena, controller->id, &controller->endpoints[i]);
            if (controller->id == request->node->node_id)
                response->controller_id = controller->id; // a quorum of one: we lead
            break;
        }
    }
}

void handle_describe_cluster(struct request *request)
{
    const struct describe_cluster_request *body = request->body;
    struct describe_cluster_response *response = request->response;
    int8_t here = request->client->on_controller_listener ? ENDPOINT_CONTROLLER : ENDPOINT_BROKER;
    if (body->endpoint_type != ENDPOINT_BROKER && body->endpoint_type != ENDPOINT_CONTROLLER) {
        refuse(request, KERR_UNSUPPORTED_ENDPOINT_TYPE,
               arena_printf(&request->arena, "Unsupported endpoint type %d", body->endpoint_type));
        return;
    }
    if (body->endpoint_type != here) {
        refuse(
            request, KERR_MISMATCHED_ENDPOINT_TYPE,
            here == ENDPOINT_BROKER
                ? "The request was sent to an endpoint of type BROKER, but we wanted an endpoint "
                  "of type CONTROLLER"
                : "The request was sent to an endpoint of type CONTROLLER, but we wanted an "
                  "endpoint of type BROKER");
        return;
    }
    if (body->include_cluster_authorized_operations)
        response->cluster_authorized_operations = CLUSTER_OPERATIONS_ALL;
    response->cluster_id = str_of(request->node->cluster_id);
    response->endpoint_type = here;
    metadata_lock_read(request->node->metadata);
    struct cluster_view view = { request->node->metadata, request->client->listener_name,
                                 &request->arena };
    if (here == ENDPOINT_BROKER)
        list_brokers(request, &view);
    else
        list_controllers(request, &view);
    metadata_unlock(request->node->metadata);
    request_reply(request);
}
