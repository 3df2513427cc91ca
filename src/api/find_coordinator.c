// SPDX-License-Identifier: Apache-2.0
// FindCoordinator: which broker is in charge of a group, a transactional id or a share partition: the leader of the
// partition of __consumer_offsets, __transaction_state or __share_group_state that the name hashes to. The topic is
// made when it is first asked for; until it is there the answer is COORDINATOR_NOT_AVAILABLE, which clients repeat.
#include "api/dispatch.h"
#include "api/node.h"
#include "controller/controller.h"
#include "group/group_coordinator.h"
#include "metadata/metadata.h"
#include "protocol/error_message.h"
#include "protocol/messages/find_coordinator.h"
#include "share_coordinator/share_coordinator.h"
#include "txn/txn_coordinator.h"

enum { KEY_TYPE_GROUP = 0, KEY_TYPE_TRANSACTION = 1, KEY_TYPE_SHARE = 2 };
enum { VERSION_BATCH = 4, VERSION_SHARE = 6 };

struct coordinator_node {
    int32_t id;
    struct str host;
    int32_t port;
};

// Under the metadata lock. False: nobody is there at the moment.
static bool find_leader(const struct request *request, const struct metadata_topic *topic,
                        int32_t partition, struct coordinator_node *node, struct arena *arena)
{
    const struct metadata_partition *at = metadata_topic_partition(topic, partition);
    if (at == NULL || at->leader < 0)
        return false;
    const struct metadata_broker *broker =
        metadata_find_broker(request->node->metadata, at->leader);
    if (broker == NULL || broker->fenced)
        return false;
    const struct metadata_endpoint *endpoint =
        metadata_broker_endpoint(broker, request->client->listener_name);
    if (endpoint == NULL)
        return false;
    *node =
        (struct coordinator_node){ broker->id, arena_str(arena, endpoint->host), endpoint->port };
    return true;
}

static enum kafka_error find_in(struct request *request, const char *topic_name,
                                const struct coordinator *engine, struct str key,
                                struct coordinator_node *node)
{
    struct metadata *metadata = request->node->metadata;
    int32_t partition = coordinator_partition_for(engine, key);
    metadata_lock_read(metadata);
    const struct metadata_topic *topic = metadata_find_topic(metadata, str_of(topic_name));
    bool is_missing = topic == NULL;
    bool is_found = topic != NULL && find_leader(request, topic, partition, node, &request->arena);
    metadata_unlock(metadata);
    if (is_missing)
        controller_auto_create_topic(request->node->controller, str_of(topic_name));
    return is_found ? KERR_NONE : KERR_COORDINATOR_NOT_AVAILABLE;
}

// group:topic id:partition; a group's name may have colons.
static bool is_share_key(struct str key)
{
    struct uuid topic_id;
    int64_t partition;
    size_t last = key.size, before;
    while (last > 0 && key.data[last - 1] != ':')
        last--;
    for (before = last > 0 ? last - 1 : 0; before > 0 && key.data[before - 1] != ':';)
        before--;
    return before > 0 && str_trim((struct str){ key.data, before - 1 }).size > 0 &&
           uuid_parse((struct str){ key.data + before, last - 1 - before }, &topic_id) &&
           str_to_int64((struct str){ key.data + last, key.size - last }, &partition) &&
           partition >= INT32_MIN && partition <= INT32_MAX;
}

static enum kafka_error find(struct request *request, int8_t key_type, struct str key,
                             struct coordinator_node *node)
{
    *node = (struct coordinator_node){ .id = -1, .host = str_of(""), .port = -1 };
    switch (key_type) {
    case KEY_TYPE_GROUP:
        return find_in(request, GROUP_OFFSETS_TOPIC,
                       group_coordinator_engine(request->node->groups), key, node);
    case KEY_TYPE_TRANSACTION:
        return find_in(request, TXN_STATE_TOPIC, txn_coordinator_engine(request->node->txns), key,
                       node);
    case KEY_TYPE_SHARE:
        if (request->api_version < VERSION_SHARE || !is_share_key(key))
            return KERR_INVALID_REQUEST;
        return find_in(request, SHARE_STATE_TOPIC,
                       share_coordinator_engine(request->node->share_coordinator), key, node);
    default:
        return KERR_INVALID_REQUEST;
    }
}

// Kafka's words for the errors that are sent with one.
static struct str message_of(enum kafka_error error)
{
    if (error == KERR_NONE)
        return str_of("NONE");
    return str_of(kafka_error_message(
        error == KERR_COORDINATOR_NOT_AVAILABLE ? error : KERR_INVALID_REQUEST));
}

void handle_find_coordinator(struct request *request)
{
    const struct find_coordinator_request *body = request->body;
    struct find_coordinator_response *response = request->response;
    struct coordinator_node node;
    if (request->api_version < VERSION_BATCH) {
        enum kafka_error error = find(request, body->key_type, body->key, &node);
        response->error_code = (int16_t)error;
        response->error_message = message_of(error);
        response->node_id = node.id;
        response->host = node.host;
        response->port = node.port;
        request_reply(request);
        return;
    }
    // An unknown type is an error of the whole request, which Kafka tells with words; others it tells without.
    bool is_told = body->key_type != KEY_TYPE_GROUP && body->key_type != KEY_TYPE_TRANSACTION &&
                   body->key_type != KEY_TYPE_SHARE;
    response->coordinators =
        arena_array(&request->arena, struct find_coordinator_response_coordinator,
                    body->coordinator_keys_count + 1);
    for (int32_t i = 0; i < body->coordinator_keys_count; i++) {
        struct find_coordinator_response_coordinator *out =
            &response->coordinators[response->coordinators_count++];
        enum kafka_error error = find(request, body->key_type, body->coordinator_keys[i], &node);
        *out = (struct find_coordinator_response_coordinator){
            .key = body->coordinator_keys[i],
            .node_id = node.id,
            .host = node.host,
            .port = node.port,
            .error_code = (int16_t)error,
            .error_message = is_told ? message_of(error) : str_of(""),
        };
    }
    request_reply(request);
}
