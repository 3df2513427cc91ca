// SPDX-License-Identifier: Apache-2.0
// Whole brokers in a folder of their own, on ports of the system's choice (Tested here too: endpoints.c, glue_config.c,
// glue_groups.c): started, asked through their modules, stopped, started again on what they left.
#include "broker/broker.h"

#include <arpa/inet.h>
#include <semaphore.h>
#include <sys/socket.h>

#include "api/node.h"
#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "controller/controller.h"
#include "group/group_coordinator.h"
#include "metadata/metadata.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/delete_topics.h"
#include "protocol/messages/incremental_alter_configs.h"

static char folder[128];
static struct trace trace;
static struct config *config;
static struct broker *broker;
static struct arena arena;

static void on_fatal(void)
{
    CU_FAIL("the metadata log failed");
}

static void set(const char *name, const char *value)
{
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE_FATAL(
        config_set(config, CONFIG_SOURCE_STATIC_BROKER, str_of(name), str_of(value), &message));
}

static void make_folder(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    trace_init(&trace, clock_posix(), TRACE_INFO, -1);
    arena_init(&arena);
    config = config_new();
    set("process.roles", "broker,controller");
    set("node.id", "7");
    set("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0");
    set("controller.listener.names", "CONTROLLER");
    set("controller.quorum.bootstrap.servers", "127.0.0.1:1");
    set("log.dirs", folder);
    set("offsets.topic.replication.factor", "1");
    set("offsets.topic.num.partitions", "3");
    set("broker.rack", "r1");
}

static void remove_folder(void)
{
    config_free(config);
    arena_fini(&arena);
    trace_fini(&trace);
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), folder), 0);
}

static struct node *start(bool format, struct strbuf *message)
{
    broker = broker_start(
        &(struct broker_options){
            .config = config,
            .disk = disk_posix(),
            .clock = clock_posix(),
            .trace = &trace,
            .on_fatal = on_fatal,
            .format = format,
            .started_us = clock_monotonic_us(clock_posix()),
        },
        message);
    return broker == NULL ? NULL : broker_node(broker);
}

static struct node *must_start(void)
{
    struct strbuf message = STRBUF_EMPTY;
    struct node *node = start(true, &message);
    if (node == NULL)
        fprintf(stderr, "%s\n", message.data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    return node;
}

static bool has_file(const char *name)
{
    char *path = mem_printf("%s/%s", folder, name);
    bool there = disk_exists(disk_posix(), path);
    mem_free(path);
    return there;
}

// ---- through the modules ---------------------------------------------------------------------------

static void call(struct node *node, enum api_key key, int16_t version, const void *request,
                 void *response)
{
    controller_call(node->controller, &(struct controller_call){ .api_key = key,
                                                                 .version = version,
                                                                 .request = request,
                                                                 .response = response,
                                                                 .arena = &arena });
}

static enum kafka_error create_topic(struct node *node, const char *name, int32_t partitions)
{
    struct create_topics_request request;
    struct create_topics_response response;
    message_init(&create_topics_request_desc, &request);
    message_init(&create_topics_response_desc, &response);
    request.topics = message_array(&create_topics_request_creatable_topic_desc, &arena, 1);
    request.topics_count = 1;
    request.topics[0].name = str_of(name);
    request.topics[0].num_partitions = partitions;
    request.topics[0].replication_factor = 1;
    call(node, API_CREATE_TOPICS, 7, &request, &response);
    CU_ASSERT_EQUAL_FATAL(response.topics_count, 1);
    return (enum kafka_error)response.topics[0].error_code;
}

static enum kafka_error delete_topic(struct node *node, const char *name)
{
    struct delete_topics_request request;
    struct delete_topics_response response;
    message_init(&delete_topics_request_desc, &request);
    request.timeout_ms = 30000;
    message_init(&delete_topics_response_desc, &response);
    request.topics = message_array(&delete_topics_request_delete_topic_state_desc, &arena, 1);
    request.topics_count = 1;
    request.topics[0].name = str_of(name);
    call(node, API_DELETE_TOPICS, 6, &request, &response);
    CU_ASSERT_EQUAL_FATAL(response.responses_count, 1);
    return (enum kafka_error)response.responses[0].error_code;
}

static struct uuid topic_id(struct node *node, const char *name)
{
    metadata_lock_read(node->metadata);
    const struct metadata_topic *topic = metadata_find_topic(node->metadata, str_of(name));
    struct uuid id = topic != NULL ? topic->id : UUID_ZERO;
    metadata_unlock(node->metadata);
    return id;
}

struct waited {
    struct completion completion;
    sem_t done;
};

static void on_completed(struct completion *completion)
{
    sem_post(&container_of(completion, struct waited, completion)->done);
}

static void begin(struct waited *waited)
{
    waited->completion.complete = on_completed;
    sem_init(&waited->done, 0, 0);
}

static void wait_for(struct waited *waited)
{
    sem_wait(&waited->done);
    sem_destroy(&waited->done);
}

static enum kafka_error commit_once(struct node *node, const char *group, const char *topic,
                                    int64_t offset)
{
    struct offset_commit_request request;
    struct offset_commit_response response;
    struct waited waited;
    message_init(&offset_commit_request_desc, &request);
    message_init(&offset_commit_response_desc, &response);
    request.group_id = str_of(group);
    request.topics = message_array(&offset_commit_request_topic_desc, &arena, 1);
    request.topics_count = 1;
    request.topics[0].name = str_of(topic);
    request.topics[0].topic_id = topic_id(node, topic);
    request.topics[0].partitions = message_array(&offset_commit_request_partition_desc, &arena, 1);
    request.topics[0].partitions_count = 1;
    request.topics[0].partitions[0].committed_offset = offset;
    begin(&waited);
    group_coordinator_commit_offsets(node->groups, &request, 9, &response, &arena,
                                     &waited.completion);
    wait_for(&waited);
    return (enum kafka_error)response.topics[0].partitions[0].error_code;
}

// A shard that still loads is asked again, as clients do.
static enum kafka_error commit(struct node *node, const char *group, const char *topic,
                               int64_t offset)
{
    enum kafka_error error;
    do
        error = commit_once(node, group, topic, offset);
    while (error == KERR_COORDINATOR_LOAD_IN_PROGRESS);
    return error;
}

// The committed offset, -1 for none; an error as itself, negative and less than -1.
static int64_t committed(struct node *node, const char *group, const char *topic)
{
    struct offset_fetch_response_group response;
    do {
        struct offset_fetch_request_group request;
        struct waited waited;
        message_init(&offset_fetch_request_group_desc, &request);
        message_init(&offset_fetch_response_group_desc, &response);
        request.group_id = str_of(group);
        request.topics = message_array(&offset_fetch_request_topics_desc, &arena, 1);
        request.topics_count = 1;
        request.topics[0].name = str_of(topic);
        request.topics[0].topic_id = topic_id(node, topic);
        request.topics[0].partition_indexes = arena_new(&arena, int32_t);
        request.topics[0].partition_indexes_count = 1;
        begin(&waited);
        group_coordinator_fetch_offsets(node->groups, &request, true, &response, &arena,
                                        &waited.completion);
        wait_for(&waited);
    } while (response.error_code == KERR_COORDINATOR_LOAD_IN_PROGRESS);
    if (response.error_code != 0)
        return -1000 - response.error_code;
    return response.topics[0].partitions[0].committed_offset;
}

// ---- tests -----------------------------------------------------------------------------------------

static void a_folder_is_formatted_served_and_left_clean(void)
{
    make_folder();
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_PTR_NULL(start(false, &message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message.data, "not formatted"));
    strbuf_fini(&message);

    struct node *node = must_start();
    CU_ASSERT_TRUE(has_file("meta.properties"));
    CU_ASSERT_FALSE(has_file(".kafka_cleanshutdown"));
    metadata_lock_read(node->metadata);
    const struct metadata_broker *self = metadata_find_broker(node->metadata, 7);
    CU_ASSERT_PTR_NOT_NULL_FATAL(self);
    CU_ASSERT_FALSE(self->fenced);
    CU_ASSERT_TRUE(str_eqz(self->rack, "r1"));
    CU_ASSERT_EQUAL(self->endpoints_count, 1);
    CU_ASSERT_TRUE(str_eqz(self->endpoints[0].listener_name, "PLAINTEXT"));
    CU_ASSERT_TRUE(self->endpoints[0].port != 0); // the one that was bound
    CU_ASSERT_EQUAL(self->log_dirs_count, 1);
    int64_t first_epoch = self->epoch;
    metadata_unlock(node->metadata);
    char *cluster_id = mem_strdup(node->cluster_id);
    CU_ASSERT_TRUE(broker_stop(broker));
    CU_ASSERT_TRUE(has_file(".kafka_cleanshutdown"));

    node = must_start();
    CU_ASSERT_FALSE(has_file(".kafka_cleanshutdown"));
    CU_ASSERT_STRING_EQUAL(node->cluster_id, cluster_id);
    metadata_lock_read(node->metadata);
    CU_ASSERT_TRUE(metadata_find_broker(node->metadata, 7)->epoch > first_epoch);
    metadata_unlock(node->metadata);
    CU_ASSERT_TRUE(broker_stop(broker));
    mem_free(cluster_id);
    remove_folder();
}

static void what_cannot_be_served_is_refused_with_a_line(void)
{
    make_folder();
    struct strbuf message = STRBUF_EMPTY;
    must_start();
    CU_ASSERT_TRUE(broker_stop(broker));
    set("node.id", "8"); // the folder is node 7's
    CU_ASSERT_PTR_NULL(start(true, &message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message.data, "meta.properties"));
    strbuf_fini(&message);
    set("node.id", "7");
    set("listeners", "PLAINTEXT://no-such-host.invalid:0,CONTROLLER://127.0.0.1:0");
    CU_ASSERT_PTR_NULL(start(true, &message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message.data, "cannot bind"));
    strbuf_fini(&message);
    set("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0");
    must_start(); // a refused start has left everything as it was
    CU_ASSERT_TRUE(broker_stop(broker));
    remove_folder();
}

static void committed_offsets_outlive_the_broker(void)
{
    make_folder();
    struct node *node = must_start();
    CU_ASSERT_EQUAL(create_topic(node, "orders", 2), KERR_NONE);
    CU_ASSERT_EQUAL(commit(node, "billing", "orders", 5),
                    KERR_NOT_COORDINATOR); // no such topic yet
    CU_ASSERT_EQUAL(create_topic(node, GROUP_OFFSETS_TOPIC, 3), KERR_NONE);
    static const char *const groups[] = { "billing", "shipping", "audit", "search",
                                          "mail" }; // over all shards
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(commit(node, groups[i], "orders", 5), KERR_NONE);
        CU_ASSERT_EQUAL(commit(node, groups[i], "orders", 42 + i), KERR_NONE);
        CU_ASSERT_EQUAL(committed(node, groups[i], "orders"), 42 + i);
    }
    CU_ASSERT_TRUE(broker_stop(broker));

    node = must_start();
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(committed(node, groups[i], "orders"), 42 + i);
    CU_ASSERT_EQUAL(delete_topic(node, "orders"), KERR_NONE);
    CU_ASSERT_EQUAL(create_topic(node, "orders", 2),
                    KERR_NONE); // another topic: nobody has read it
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(committed(node, groups[i], "orders"), -1);
    CU_ASSERT_TRUE(broker_stop(broker));
    remove_folder();
}

static int16_t alter_broker_config(struct node *node, const char *resource, const char *name,
                                   const char *value)
{
    struct incremental_alter_configs_request request;
    struct incremental_alter_configs_response response;
    message_init(&incremental_alter_configs_request_desc, &request);
    message_init(&incremental_alter_configs_response_desc, &response);
    request.resources =
        message_array(&incremental_alter_configs_request_alter_configs_resource_desc, &arena, 1);
    request.resources_count = 1;
    request.resources[0].resource_type = CONFIG_RESOURCE_BROKER;
    request.resources[0].resource_name = str_of(resource);
    request.resources[0].configs =
        message_array(&incremental_alter_configs_request_alterable_config_desc, &arena, 1);
    request.resources[0].configs_count = 1;
    request.resources[0].configs[0].name = str_of(name);
    request.resources[0].configs[0].config_operation = value == NULL; // set, or delete
    request.resources[0].configs[0].value = str_of(value);
    call(node, API_INCREMENTAL_ALTER_CONFIGS, 1, &request, &response);
    CU_ASSERT_EQUAL_FATAL(response.responses_count, 1);
    return response.responses[0].error_code;
}

static void a_brokers_settings_change_while_it_runs_and_are_kept(void)
{
    make_folder();
    struct node *node = must_start();
    CU_ASSERT_EQUAL(config_int(config, CONFIG_MAX_CONNECTIONS_PER_IP), INT32_MAX);
    CU_ASSERT_EQUAL(alter_broker_config(node, "", "max.connections.per.ip", "50"), 0);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_MAX_CONNECTIONS_PER_IP), 50);
    CU_ASSERT_EQUAL(alter_broker_config(node, "7", "max.connections.per.ip", "60"), 0);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_MAX_CONNECTIONS_PER_IP), 60);
    CU_ASSERT_TRUE(broker_stop(broker));
    node = must_start();
    CU_ASSERT_EQUAL(config_int(config, CONFIG_MAX_CONNECTIONS_PER_IP), 60);
    CU_ASSERT_EQUAL(alter_broker_config(node, "7", "max.connections.per.ip", NULL), 0);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_MAX_CONNECTIONS_PER_IP), 50);
    CU_ASSERT_TRUE(broker_stop(broker));
    remove_folder();
}

// One line, and an end that lets go of all that was begun.
static void a_folder_that_is_no_partitions_refuses_the_start(void)
{
    make_folder();
    must_start();
    CU_ASSERT_TRUE(broker_stop(broker));
    char *path = mem_printf("%s/nobodys", folder);
    CU_ASSERT_EQUAL(disk_mkdirs(disk_posix(), path), 0);
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_PTR_NULL(start(false, &message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(message.data);
    CU_ASSERT_PTR_NOT_NULL(strstr(message.data, "log.dirs: a folder is not what it has to be"));
    strbuf_fini(&message);
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), path), 0);
    mem_free(path);
    must_start();
    CU_ASSERT_TRUE(broker_stop(broker));
    remove_folder();
}

TEST_MAIN("broker", TEST(a_folder_is_formatted_served_and_left_clean),
          TEST(what_cannot_be_served_is_refused_with_a_line),
          TEST(committed_offsets_outlive_the_broker),
          TEST(a_brokers_settings_change_while_it_runs_and_are_kept),
          TEST(a_folder_that_is_no_partitions_refuses_the_start))
