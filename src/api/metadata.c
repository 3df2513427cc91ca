// SPDX-License-Identifier: Apache-2.0
// Metadata: the brokers, and topics with their partitions, by name, by id (v12+, KIP-516) or all of them.
//
// A topic that does not exist is UNKNOWN_TOPIC_OR_PARTITION, whether it is being created by this request (KIP-487:
// allow_auto_topic_creation and auto.create.topics.enable) or not: the client asks again and finds it.
#include "api/authorized_operations.h"
#include "api/cluster_view.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "config/config.h"
#include "controller/controller.h"
#include "controller/topic_names.h"
#include "protocol/messages/metadata.h"

enum {
    IDS_SINCE = 12,                // topic ids in requests, null names
    LISTENER_ERROR_SINCE = 6,      // LISTENER_NOT_FOUND instead of LEADER_NOT_AVAILABLE
    OPERATIONS_SINCE = 8,          // authorised operations (KIP-430)
    CLUSTER_OPERATIONS_UNTIL = 10, // then DescribeCluster tells them
};

struct asking {
    struct request *request;
    const struct metadata_request *body;
    struct metadata_response *response;
    struct cluster_view view;
    struct hashmap seen; // names and ids answered already
    bool is_all;
    bool by_id;
    bool is_auto_creating;
    struct str *to_create;
    int32_t to_create_count;
};

static struct metadata_response_topic *add_topic(struct asking *asking, enum kafka_error error,
                                                 struct str name, struct uuid id)
{
    struct metadata_response_topic *topic =
        &asking->response->topics[asking->response->topics_count++];
    message_init(&metadata_response_topic_desc, topic);
    topic->error_code = (int16_t)error;
    topic->name = name;
    topic->topic_id = id;
    return topic;
}

static void fill_partition(const struct asking *asking, const struct metadata_partition *from,
                           int32_t index, struct metadata_response_partition *partition)
{
    const struct cluster_view *view = &asking->view;
    int16_t version = asking->request->api_version;
    message_init(&metadata_response_partition_desc, partition);
    partition->partition_index = index;
    partition->leader_epoch = from->leader_epoch;
    partition->leader_id = view_leader(view, from);
    // Version 0 has no list of offline replicas: it leaves them out, with an error.
    struct view_ids replicas = version == 0
                                   ? view_live_ids(view, from->replicas, from->replicas_count)
                                   : view_ids(view, from->replicas, from->replicas_count);
    struct view_ids isr = version == 0 ? view_live_ids(view, from->isr, from->isr_count)
                                       : view_ids(view, from->isr, from->isr_count);
    struct view_ids offline = view_offline_replicas(view, from);
    partition->replica_nodes = replicas.items;
    partition->replica_nodes_count = replicas.count;
    partition->isr_nodes = isr.items;
    partition->isr_nodes_count = isr.count;
    partition->offline_replicas = offline.items;
    partition->offline_replicas_count = offline.count;
    if (partition->leader_id < 0) {
        bool is_known = metadata_find_broker(view->metadata, from->leader) != NULL;
        partition->error_code = is_known && version >= LISTENER_ERROR_SINCE
                                    ? KERR_LISTENER_NOT_FOUND
                                    : KERR_LEADER_NOT_AVAILABLE;
    } else if (replicas.count < from->replicas_count || isr.count < from->isr_count) {
        partition->error_code = KERR_REPLICA_NOT_AVAILABLE;
    }
}

static void add_existing(struct asking *asking, const struct metadata_topic *from)
{
    struct arena *arena = &asking->request->arena;
    struct str name = arena_str(arena, (struct str){ from->name, from->name_size });
    struct metadata_response_topic *topic = add_topic(asking, KERR_NONE, name, from->id);
    topic->is_internal = from->is_internal;
    topic->partitions =
        arena_array(arena, struct metadata_response_partition, from->partitions_count + 1);
    for (int32_t i = 0; i < from->partitions_count; i++)
        if (from->partitions[i].replicas != NULL)
            fill_partition(asking, &from->partitions[i], i,
                           &topic->partitions[topic->partitions_count++]);
    if (asking->request->api_version >= OPERATIONS_SINCE &&
        asking->body->include_topic_authorized_operations)
        topic->topic_authorized_operations = TOPIC_OPERATIONS_ALL;
}

static void add_missing(struct asking *asking, struct str name)
{
    const char *fault = topic_name_fault(name, &asking->request->arena);
    struct metadata_response_topic *topic = add_topic(
        asking, fault != NULL ? KERR_INVALID_TOPIC_EXCEPTION : KERR_UNKNOWN_TOPIC_OR_PARTITION,
        name, UUID_ZERO);
    topic->is_internal = str_eqz(name, "__consumer_offsets") ||
                         str_eqz(name, "__transaction_state") ||
                         str_eqz(name, "__share_group_state");
    if (asking->request->api_version >= OPERATIONS_SINCE &&
        asking->body->include_topic_authorized_operations)
        topic->topic_authorized_operations = TOPIC_OPERATIONS_ALL;
    if (asking->is_auto_creating && fault == NULL)
        asking->to_create[asking->to_create_count++] = name;
}

static bool is_first_time(struct asking *asking, const void *key, size_t size)
{
    return hashmap_put(&asking->seen, key, size, asking) == NULL;
}

static void answer_by_id(struct asking *asking)
{
    // First the ids that no topic has, as Kafka.
    for (int round = 0; round < 2; round++) {
        for (int32_t i = 0; i < asking->body->topics_count; i++) {
            const struct metadata_request_topic *wanted = &asking->body->topics[i];
            if (uuid_is_zero(wanted->topic_id))
                continue;
            const struct metadata_topic *topic =
                metadata_find_topic_by_id(asking->view.metadata, wanted->topic_id);
            if ((topic == NULL) != (round == 0) ||
                !is_first_time(asking, wanted->topic_id.bytes, sizeof wanted->topic_id.bytes))
                continue;
            if (topic == NULL)
                add_topic(asking, KERR_UNKNOWN_TOPIC_ID, STR_NULL, wanted->topic_id);
            else
                add_existing(asking, topic);
        }
    }
}

static void answer_by_name(struct asking *asking)
{
    for (int round = 0; round < 2; round++) {
        for (int32_t i = 0; i < asking->body->topics_count; i++) {
            struct str name = asking->body->topics[i].name;
            if (name.data == NULL)
                continue;
            const struct metadata_topic *topic = metadata_find_topic(asking->view.metadata, name);
            if ((topic == NULL) != (round == 1) || !is_first_time(asking, name.data, name.size))
                continue;
            if (topic == NULL)
                add_missing(asking, name);
            else
                add_existing(asking, topic);
        }
    }
}

static void answer_all(struct asking *asking)
{
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(asking->view.metadata, &at)) != NULL;)
        add_existing(asking, topic);
}

static void answer_cluster(struct asking *asking)
{
    struct arena *arena = &asking->request->arena;
    struct metadata_response *response = asking->response;
    struct view_brokers brokers = view_brokers(&asking->view, false);
    response->brokers = arena_array(arena, struct metadata_response_broker, brokers.count + 1);
    for (int32_t i = 0; i < brokers.count; i++) {
        struct metadata_response_broker *broker = &response->brokers[response->brokers_count++];
        message_init(&metadata_response_broker_desc, broker);
        broker->node_id = brokers.items[i].broker->id;
        broker->host = arena_str(arena, brokers.items[i].endpoint->host);
        broker->port = brokers.items[i].endpoint->port;
        broker->rack = arena_str(arena, brokers.items[i].broker->rack);
    }
    response->cluster_id = str_of(asking->request->node->cluster_id);
    response->controller_id = view_controller_id(&asking->view, asking->request->node->node_id);
    int16_t version = asking->request->api_version;
    if (version >= OPERATIONS_SINCE && version <= CLUSTER_OPERATIONS_UNTIL &&
        asking->body->include_cluster_authorized_operations)
        response->cluster_authorized_operations = CLUSTER_OPERATIONS_ALL;
}

// Versions 10 and 11 have fields for ids that no broker understands. From version 12 on a topic without name and id
// is a mistake that Kafka did not foresee.
static enum kafka_error fault_of(const struct asking *asking)
{
    bool has_ids = asking->request->api_version >= IDS_SINCE;
    for (int32_t i = 0; i < asking->body->topics_count; i++) {
        const struct metadata_request_topic *topic = &asking->body->topics[i];
        if (!has_ids && (topic->name.data == NULL || !uuid_is_zero(topic->topic_id)))
            return KERR_INVALID_REQUEST;
        if (has_ids && !asking->by_id && topic->name.data == NULL)
            return KERR_UNKNOWN_SERVER_ERROR;
    }
    return KERR_NONE;
}

static void answer_fault(struct asking *asking, enum kafka_error fault)
{
    asking->response->error_code = (int16_t)fault;
    for (int32_t i = 0; i < asking->body->topics_count; i++) {
        struct str name = asking->body->topics[i].name;
        add_topic(asking, fault, name.data == NULL ? str_of("") : name,
                  asking->body->topics[i].topic_id);
    }
}

void handle_metadata(struct request *request)
{
    struct asking asking = { .request = request,
                             .body = request->body,
                             .response = request->response };
    const struct metadata_request *body = asking.body;
    struct node *node = request->node;
    asking.is_all =
        body->topics_count < 0 || (body->topics_count == 0 && request->api_version == 0);
    asking.is_auto_creating = !asking.is_all && body->allow_auto_topic_creation &&
                              config_bool(node->config, CONFIG_AUTO_CREATE_TOPICS_ENABLE);
    for (int32_t i = 0; i < body->topics_count; i++)
        asking.by_id = asking.by_id || !uuid_is_zero(body->topics[i].topic_id);

    metadata_lock_read(node->metadata);
    asking.view =
        (struct cluster_view){ node->metadata, request->client->listener_name, &request->arena };
    size_t most =
        asking.is_all ? metadata_topics_count(node->metadata) : (size_t)body->topics_count;
    asking.response->topics =
        arena_array(&request->arena, struct metadata_response_topic, most + 1);
    asking.to_create =
        arena_array(&request->arena, struct str, asking.is_auto_creating ? most + 1 : 1);
    hashmap_init(&asking.seen);
    enum kafka_error fault = fault_of(&asking);
    if (fault != KERR_NONE) {
        answer_fault(&asking, fault);
    } else {
        answer_cluster(&asking);
        if (asking.is_all)
            answer_all(&asking);
        else if (asking.by_id)
            answer_by_id(&asking);
        else
            answer_by_name(&asking);
    }
    hashmap_fini(&asking.seen);
    metadata_unlock(node->metadata);
    for (int32_t i = 0; i < asking.to_create_count; i++)
        controller_auto_create_topic(node->controller, asking.to_create[i]);
    request_reply(request);
}
