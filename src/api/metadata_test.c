// SPDX-License-Identifier: Apache-2.0
// The APIs that tell of the cluster, over an image with what a single healthy broker never shows: a fenced broker, one
// that lacks the client's listener, partitions without a leader. What a healthy one answers is in compat-tests/twin.
#include "api/authorized_operations.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "base/mem.h"
#include "base/testing.h"
#include "config/config.h"
#include "controller/controller.h"
#include "metadata/image.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/describe_cluster.h"
#include "protocol/messages/describe_topic_partitions.h"
#include "protocol/messages/metadata.h"
#include "protocol/registry.h"

static struct metadata *image;
static struct config *config;
static struct node node;
static struct client client;
static struct arena arena;
static int replies;

static void on_reply(struct request *request)
{
    (void)request;
    replies++;
}

static const struct request_ops ops = { .reply = on_reply };

static void add_broker(int32_t id, bool fenced, const char *listener)
{
    struct metadata_endpoint endpoint = { str_of(listener), str_of("host"), (uint16_t)(9000 + id),
                                          0 };
    struct metadata_broker broker = {
        .id = id,
        .epoch = id,
        .endpoints = &endpoint,
        .endpoints_count = 1,
        .fenced = fenced,
        .rack = id == 1 ? str_of("r1") : STR_NULL,
        .cordoned_log_dirs_count = -1,
    };
    image_broker_set(image, &broker);
}

static void add_partition(struct metadata_topic *topic, int32_t index, int32_t leader)
{
    static const int32_t replicas[] = { 1, 2, 3 };
    struct metadata_partition partition = {
        .replicas = replicas,
        .replicas_count = 3,
        .isr = replicas,
        .isr_count = 2,
        .leader = leader,
        .leader_epoch = 5 + index,
    };
    image_partition_set(image, topic, index, &partition);
}

static void begin(void)
{
    arena_init(&arena);
    image = metadata_new();
    config = config_new();
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(config_set(config, CONFIG_SOURCE_STATIC_BROKER,
                              str_of("auto.create.topics.enable"), str_of("false"), &message));
    strbuf_fini(&message);
    client = (struct client){ .listener_name = "PLAINTEXT" };
    node = (struct node){
        .metadata = image, .config = config, .node_id = 1, .cluster_id = "the-cluster"
    };
    replies = 0;
    add_broker(1, false, "PLAINTEXT");
    add_broker(2, true, "PLAINTEXT");
    add_broker(3, false, "INTERNAL");
    struct metadata_topic *topic = image_topic_add(image, str_of("t"), (struct uuid){ { 7 } });
    add_partition(topic, 0, 1);
    add_partition(topic, 1, 3);
    add_partition(topic, 2, -1);
}

static void end(void)
{
    metadata_free(image);
    config_free(config);
    arena_fini(&arena);
}

static void *body_of(const struct message_desc *desc)
{
    void *body = arena_zalloc(&arena, desc->struct_size);
    message_init(desc, body);
    return body;
}

static void *call(enum api_key key, int16_t version, void *body)
{
    struct request *request = arena_new(&arena, struct request);
    *request = (struct request){ .magic = REQUEST_MAGIC,
                                 .api_key = key,
                                 .api_version = version,
                                 .body = body,
                                 .client = &client,
                                 .node = &node,
                                 .ops = &ops,
                                 .api = api_find((int16_t)key) };
    arena_init(&request->arena);
    request->response = body_of(request->api->response);
    int before = replies;
    request->api->handle(request);
    CU_ASSERT_EQUAL(replies, before + 1);
    // It can be written at that version.
    CU_ASSERT_TRUE(codec_size(request->api->response, version, request->response) > 0);
    arena_move(&arena, &request->arena);
    return request->response;
}

static struct metadata_response *ask_topic(int16_t version, const char *name)
{
    struct metadata_request *body = body_of(&metadata_request_desc);
    body->topics = arena_new(&arena, struct metadata_request_topic);
    body->topics_count = 1;
    body->topics[0].name = str_of(name);
    return call(API_METADATA, version, body);
}

static void partitions_show_what_the_listener_reaches(void)
{
    begin();
    const struct metadata_response *response = ask_topic(12, "t");
    CU_ASSERT_EQUAL_FATAL(response->brokers_count, 1); // 2 is fenced, 3 has another listener
    CU_ASSERT_EQUAL(response->brokers[0].node_id, 1);
    CU_ASSERT_EQUAL(response->brokers[0].port, 9001);
    CU_ASSERT_TRUE(str_eqz(response->brokers[0].rack, "r1"));
    CU_ASSERT_TRUE(str_eqz(response->cluster_id, "the-cluster"));
    CU_ASSERT_EQUAL(response->controller_id, 1);
    CU_ASSERT_EQUAL_FATAL(response->topics_count, 1);
    const struct metadata_response_topic *topic = &response->topics[0];
    CU_ASSERT_EQUAL_FATAL(topic->partitions_count, 3);
    CU_ASSERT_EQUAL(topic->partitions[0].error_code, KERR_NONE);
    CU_ASSERT_EQUAL(topic->partitions[0].leader_id, 1);
    CU_ASSERT_EQUAL(topic->partitions[0].leader_epoch, 5);
    CU_ASSERT_EQUAL(topic->partitions[0].replica_nodes_count, 3);
    CU_ASSERT_EQUAL(topic->partitions[0].isr_nodes_count, 2);
    CU_ASSERT_EQUAL_FATAL(topic->partitions[0].offline_replicas_count, 2);
    CU_ASSERT_EQUAL(topic->partitions[0].offline_replicas[0], 2);
    CU_ASSERT_EQUAL(topic->partitions[0].offline_replicas[1], 3);
    CU_ASSERT_EQUAL(topic->partitions[1].error_code, KERR_LISTENER_NOT_FOUND);
    CU_ASSERT_EQUAL(topic->partitions[1].leader_id, -1);
    CU_ASSERT_EQUAL(topic->partitions[2].error_code, KERR_LEADER_NOT_AVAILABLE);
    // The listener's error is of version 6; before, it is a leader that is not there.
    response = ask_topic(5, "t");
    CU_ASSERT_EQUAL(response->topics[0].partitions[1].error_code, KERR_LEADER_NOT_AVAILABLE);
    end();
}

static void version_0_leaves_out_who_is_offline(void)
{
    begin();
    const struct metadata_response *response = ask_topic(0, "t");
    const struct metadata_response_partition *partition = &response->topics[0].partitions[0];
    CU_ASSERT_EQUAL(partition->error_code, KERR_REPLICA_NOT_AVAILABLE);
    CU_ASSERT_EQUAL_FATAL(partition->replica_nodes_count, 1);
    CU_ASSERT_EQUAL(partition->replica_nodes[0], 1);
    CU_ASSERT_EQUAL(partition->isr_nodes_count, 1);
    end();
}

static void the_other_listener_sees_the_other_broker(void)
{
    begin();
    client.listener_name = "INTERNAL";
    const struct metadata_response *response = ask_topic(12, "t");
    CU_ASSERT_EQUAL_FATAL(response->brokers_count, 1);
    CU_ASSERT_EQUAL(response->brokers[0].node_id, 3);
    CU_ASSERT_EQUAL(response->topics[0].partitions[1].leader_id, 3);
    CU_ASSERT_EQUAL(response->topics[0].partitions[0].error_code, KERR_LISTENER_NOT_FOUND);
    end();
}

static void unknown_topics_are_not_created_when_that_is_off(void)
{
    begin();
    // The node has no controller: asking it would crash.
    const struct metadata_response *response = ask_topic(12, "missing");
    CU_ASSERT_EQUAL_FATAL(response->topics_count, 1);
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_UNKNOWN_TOPIC_OR_PARTITION);
    response = ask_topic(12, "__consumer_offsets");
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_TRUE(response->topics[0].is_internal);
    end();
}

static void fenced_brokers_are_described_on_demand(void)
{
    begin();
    struct describe_cluster_request *body = body_of(&describe_cluster_request_desc);
    const struct describe_cluster_response *response = call(API_DESCRIBE_CLUSTER, 2, body);
    CU_ASSERT_EQUAL(response->brokers_count, 1);
    CU_ASSERT_EQUAL(response->controller_id, 1);
    body->include_fenced_brokers = true;
    response = call(API_DESCRIBE_CLUSTER, 2, body);
    CU_ASSERT_EQUAL_FATAL(response->brokers_count, 2);
    CU_ASSERT_FALSE(response->brokers[0].is_fenced);
    CU_ASSERT_EQUAL(response->brokers[1].broker_id, 2);
    CU_ASSERT_TRUE(response->brokers[1].is_fenced);
    end();
}

static void controllers_are_described_on_their_listener(void)
{
    begin();
    struct metadata_endpoint endpoint = { str_of("CONTROLLER"), str_of("host"), 9093, 0 };
    image_controller_set(image, &(struct metadata_controller){
                                    .id = 1, .endpoints = &endpoint, .endpoints_count = 1 });
    client.listener_name = "CONTROLLER";
    client.on_controller_listener = true;
    struct describe_cluster_request *body = body_of(&describe_cluster_request_desc);
    const struct describe_cluster_response *response = call(API_DESCRIBE_CLUSTER, 1, body);
    CU_ASSERT_EQUAL(response->error_code, KERR_MISMATCHED_ENDPOINT_TYPE);
    body->endpoint_type = 2;
    response = call(API_DESCRIBE_CLUSTER, 1, body);
    CU_ASSERT_EQUAL(response->error_code, KERR_NONE);
    CU_ASSERT_EQUAL_FATAL(response->brokers_count, 1);
    CU_ASSERT_EQUAL(response->brokers[0].port, 9093);
    CU_ASSERT_EQUAL(response->endpoint_type, 2);
    CU_ASSERT_EQUAL(response->controller_id, 1);
    end();
}

static void a_partition_without_a_leader_is_described(void)
{
    begin();
    struct describe_topic_partitions_request *body =
        body_of(&describe_topic_partitions_request_desc);
    const struct describe_topic_partitions_response *response =
        call(API_DESCRIBE_TOPIC_PARTITIONS, 0, body);
    CU_ASSERT_EQUAL_FATAL(response->topics_count, 1);
    CU_ASSERT_EQUAL(response->topics[0].topic_authorized_operations, TOPIC_OPERATIONS_ALL);
    CU_ASSERT_EQUAL_FATAL(response->topics[0].partitions_count, 3);
    CU_ASSERT_EQUAL(response->topics[0].partitions[2].leader_id, -1);
    CU_ASSERT_EQUAL(response->topics[0].partitions[2].error_code, KERR_NONE);
    CU_ASSERT_EQUAL(response->topics[0].partitions[2].offline_replicas_count, 2);
    CU_ASSERT_PTR_NULL(response->next_cursor);
    end();
}

TEST_MAIN("metadata", TEST(partitions_show_what_the_listener_reaches),
          TEST(version_0_leaves_out_who_is_offline), TEST(the_other_listener_sees_the_other_broker),
          TEST(unknown_topics_are_not_created_when_that_is_off),
          TEST(fenced_brokers_are_described_on_demand),
          TEST(controllers_are_described_on_their_listener),
          TEST(a_partition_without_a_leader_is_described))
