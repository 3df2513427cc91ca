// SPDX-License-Identifier: Apache-2.0
// The controller on a real folder: what a new cluster begins with, what each call writes and answers, and that all of
// it is there after a restart, clean or not. Expectations are those of Kafka 4.3.1, see metadata/testdata.
#include "controller/controller.h"

#include <fcntl.h>

#include "controller/testing_controller.h"
#include "protocol/messages/allocate_producer_ids.h"
#include "protocol/messages/create_partitions.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/delete_topics.h"
#include "protocol/messages/incremental_alter_configs.h"
#include "protocol/registry.h"

// ---- topics -------------------------------------------------------------------------------------------------

static void a_new_cluster_begins_as_kafkas(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    metadata_lock_read(f.metadata);
    CU_ASSERT_EQUAL(metadata_feature_level(f.metadata, "metadata.version"), 30);
    CU_ASSERT_EQUAL(metadata_feature_level(f.metadata, "transaction.version"), 2);
    const struct metadata_configs *configs =
        metadata_find_configs(f.metadata, CONFIG_RESOURCE_BROKER, str_of(""));
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(configs, "min.insync.replicas"), "1"));
    const struct metadata_broker *broker = metadata_find_broker(f.metadata, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(broker);
    CU_ASSERT_FALSE(broker->fenced);
    // 0-2 leader change, kraft.version, voters; 3-11 bootstrap; 12 controller; 13 broker
    CU_ASSERT_EQUAL(broker->epoch, 13);
    CU_ASSERT_EQUAL(broker->cordoned_log_dirs_count, 0);
    CU_ASSERT_PTR_NOT_NULL(metadata_find_controller(f.metadata, 1));
    CU_ASSERT_EQUAL(f.metadata->offset, 15);
    metadata_unlock(f.metadata);
    CU_ASSERT_EQUAL(controller_kraft_version(f.controller), 1);
    CU_ASSERT_EQUAL(controller_epoch(f.controller), 1);
    stop(&f);

    char *path = mem_printf("%s/__cluster_metadata-0/quorum-state", f.folder);
    struct strbuf state = STRBUF_EMPTY;
    CU_ASSERT_EQUAL(disk_read_whole(disk_posix(), path, &state), 0);
    CU_ASSERT_STRING_EQUAL(state.data,
                           "{\"leaderId\":1,\"leaderEpoch\":1,\"votedId\":-1,"
                           "\"votedDirectoryId\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"data_version\":1}");
    strbuf_fini(&state);
    mem_free(path);

    // Every start is an epoch of its own, and nothing is bootstrapped twice.
    CU_ASSERT_EQUAL_FATAL(open_controller(&f), 0);
    CU_ASSERT_EQUAL(controller_epoch(f.controller), 2);
    CU_ASSERT_EQUAL(f.metadata->offset, 16);
    stop(&f);
    teardown(&f);
}

static void another_directory_is_not_the_voter(void)
{
    struct fixture f;
    setup(&f);
    f.directory_id = uuid_random();
    CU_ASSERT_NOT_EQUAL(open_controller(&f), 0);
    metadata_unsubscribe(f.metadata, &f.subscription);
    metadata_free(f.metadata);
    teardown(&f);
}

static void topics_are_made_and_answered(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    struct create_topics_request *request = create_request(&f, 1);
    request->topics[0].name = str_of("orders");
    request->topics[0].num_partitions = 3;
    struct create_topics_request_creatable_topic_config configs[2];
    memset(configs, 0, sizeof configs);
    configs[0].name = str_of("cleanup.policy");
    configs[0].value = str_of("compact");
    configs[1].name = str_of("retention.ms");
    configs[1].value = str_of("60000");
    request->topics[0].configs = configs;
    request->topics[0].configs_count = 2;
    int changes = f.changes;
    const struct create_topics_response *response = call(&f, API_CREATE_TOPICS, 7, request);
    CU_ASSERT_EQUAL(f.changes, changes + 1);
    CU_ASSERT_EQUAL_FATAL(response->topics_count, 1);
    const struct create_topics_response_creatable_topic_result *result = &response->topics[0];
    CU_ASSERT_EQUAL(result->error_code, KERR_NONE);
    CU_ASSERT_TRUE(str_is_null(result->error_message));
    CU_ASSERT_EQUAL(result->num_partitions, 3);
    CU_ASSERT_EQUAL(result->replication_factor, 1);
    CU_ASSERT_TRUE(result->configs_count > 25);
    CU_ASSERT_TRUE(str_eqz(result->configs[0].name, "cleanup.policy"));
    CU_ASSERT_TRUE(str_eqz(result->configs[0].value, "compact"));
    CU_ASSERT_EQUAL(result->configs[0].config_source, CONFIG_SOURCE_TOPIC);
    for (int32_t i = 1; i < result->configs_count; i++) {
        CU_ASSERT_TRUE(str_compare(result->configs[i - 1].name, result->configs[i].name) < 0);
        if (str_eqz(result->configs[i].name, "min.insync.replicas"))
            CU_ASSERT_EQUAL(result->configs[i].config_source, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER);
    }

    metadata_lock_read(f.metadata);
    const struct metadata_topic *topic = metadata_find_topic(f.metadata, str_of("orders"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(topic);
    CU_ASSERT_TRUE(uuid_eq(topic->id, result->topic_id));
    CU_ASSERT_EQUAL(topic->partitions_count, 3);
    CU_ASSERT_EQUAL(topic->partitions[2].leader, 1);
    CU_ASSERT_TRUE(uuid_eq(topic->partitions[2].directories[0], f.directory_id));
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(topic->configs, "retention.ms"), "60000"));
    metadata_unlock(f.metadata);

    response = create(&f, "orders", 1);
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_TOPIC_ALREADY_EXISTS);
    CU_ASSERT_TRUE(str_eqz(response->topics[0].error_message, "Topic 'orders' already exists."));
    stop(&f);
    teardown(&f);
}

struct refusal {
    const char *name;
    int32_t partitions;
    int16_t replication_factor;
    enum kafka_error error;
    const char *message;
};

static void what_cannot_be_made_is_refused_in_kafkas_words(void)
{
    static const struct refusal refusals[] = {
        { "", 1, 1, KERR_INVALID_TOPIC_EXCEPTION,
          "Topic name is invalid: the empty string is not allowed" },
        { "..", 1, 1, KERR_INVALID_TOPIC_EXCEPTION, "Topic name is invalid: '..' is not allowed" },
        { "a b", 1, 1, KERR_INVALID_TOPIC_EXCEPTION,
          "Topic name is invalid: 'a b' contains one or more characters other than ASCII "
          "alphanumerics, '.', '_' and "
          "'-'" },
        { "x_y", 1, 1, KERR_INVALID_TOPIC_EXCEPTION,
          "Topic 'x_y' collides with existing topic: x.y" },
        { "p0", 0, 1, KERR_INVALID_PARTITIONS,
          "Number of partitions was set to an invalid non-positive value." },
        { "p1", 1, 0, KERR_INVALID_REPLICATION_FACTOR,
          "Replication factor must be larger than 0, or -1 to use the default value." },
        { "p2", 1, 2, KERR_INVALID_REPLICATION_FACTOR,
          "Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot "
          "be reached because "
          "only 1 broker(s) are registered or some brokers have all their log directories "
          "cordoned." },
        { "__cluster_metadata", 1, 1, KERR_INVALID_REQUEST,
          "Creation of internal topic __cluster_metadata is prohibited." },
        { "p3", 10001, 1, KERR_POLICY_VIOLATION,
          "Excessively large number of partitions per request." },
    };
    struct fixture f;
    setup(&f);
    start(&f, -1);
    CU_ASSERT_EQUAL(create(&f, "x.y", 1)->topics[0].error_code, KERR_NONE);
    int64_t offset = f.metadata->offset;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct create_topics_request *request = create_request(&f, 1);
        request->topics[0].name = str_of(refusals[i].name);
        request->topics[0].num_partitions = refusals[i].partitions;
        request->topics[0].replication_factor = refusals[i].replication_factor;
        const struct create_topics_response *response = call(&f, API_CREATE_TOPICS, 7, request);
        CU_ASSERT_EQUAL_FATAL(response->topics_count, 1);
        CU_ASSERT_EQUAL(response->topics[0].error_code, refusals[i].error);
        if (!str_eqz(response->topics[0].error_message, refusals[i].message))
            fprintf(stderr, "%s: %.*s\n", refusals[i].name,
                    STR_ARG(response->topics[0].error_message));
        CU_ASSERT_TRUE(str_eqz(response->topics[0].error_message, refusals[i].message));
    }
    // Twice in one request: answered once; validate_only: all but the writing.
    struct create_topics_request *request = create_request(&f, 3);
    request->topics[0].name = str_of("twice");
    request->topics[1].name = str_of("once");
    request->topics[2].name = str_of("twice");
    request->validate_only = true;
    const struct create_topics_response *response = call(&f, API_CREATE_TOPICS, 7, request);
    CU_ASSERT_EQUAL_FATAL(response->topics_count, 2);
    CU_ASSERT_TRUE(str_eqz(response->topics[0].name, "once"));
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_NONE);
    CU_ASSERT_EQUAL(response->topics[1].error_code, KERR_INVALID_REQUEST);
    CU_ASSERT_TRUE(str_eqz(response->topics[1].error_message, "Duplicate topic name."));
    CU_ASSERT_EQUAL(f.metadata->offset, offset);
    CU_ASSERT_PTR_NULL(metadata_find_topic(f.metadata, str_of("once")));
    stop(&f);
    teardown(&f);
}

static void manual_assignments_are_checked(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    struct create_topics_request *request = create_request(&f, 1);
    struct create_topics_request_creatable_replica_assignment assignments[2];
    memset(assignments, 0, sizeof assignments);
    int32_t one[] = { 1 }, seven[] = { 7 };
    assignments[0].partition_index = 0;
    assignments[0].broker_ids = one;
    assignments[0].broker_ids_count = 1;
    assignments[1] = assignments[0];
    request->topics[0].name = str_of("m");
    request->topics[0].assignments = assignments;
    request->topics[0].assignments_count = 2;
    const struct create_topics_response *response = call(&f, API_CREATE_TOPICS, 7, request);
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_INVALID_REPLICA_ASSIGNMENT);
    CU_ASSERT_TRUE(str_eqz(response->topics[0].error_message,
                           "Found multiple manual partition assignments for partition 0"));
    assignments[1].partition_index = 2;
    response = call(&f, API_CREATE_TOPICS, 7, request);
    CU_ASSERT_TRUE(str_eqz(response->topics[0].error_message,
                           "partitions should be a consecutive 0-based integer sequence"));
    assignments[1].partition_index = 1;
    assignments[1].broker_ids = seven;
    response = call(&f, API_CREATE_TOPICS, 7, request);
    CU_ASSERT_TRUE(str_eqz(
        response->topics[0].error_message,
        "The manual partition assignment includes broker 7, but no such broker is registered."));
    assignments[1].broker_ids = one;
    response = call(&f, API_CREATE_TOPICS, 7, request);
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_NONE);
    CU_ASSERT_EQUAL(response->topics[0].num_partitions, 2);
    request->topics[0].name = str_of("n");
    request->topics[0].num_partitions = 2;
    response = call(&f, API_CREATE_TOPICS, 7, request);
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_INVALID_REQUEST);
    stop(&f);
    teardown(&f);
}

static void partitions_are_added(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    create(&f, "t", 2);
    struct create_partitions_request request;
    message_init(&create_partitions_request_desc, &request);
    request.timeout_ms = 30000;
    struct create_partitions_request_create_partitions_topic topics[2];
    memset(topics, 0, sizeof topics);
    topics[0].name = str_of("t");
    topics[0].count = 4;
    topics[0].assignments_count = -1;
    topics[1] = topics[0];
    topics[1].name = str_of("none");
    request.topics = topics;
    request.topics_count = 2;
    const struct create_partitions_response *response =
        call(&f, API_CREATE_PARTITIONS, 3, &request);
    CU_ASSERT_EQUAL_FATAL(response->results_count, 2);
    CU_ASSERT_EQUAL(response->results[0].error_code, KERR_NONE);
    CU_ASSERT_EQUAL(response->results[1].error_code, KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(metadata_find_topic(f.metadata, str_of("t"))->partitions_count, 4);
    request.topics_count = 1;
    response = call(&f, API_CREATE_PARTITIONS, 3, &request);
    CU_ASSERT_EQUAL(response->results[0].error_code, KERR_INVALID_PARTITIONS);
    CU_ASSERT_TRUE(
        str_eqz(response->results[0].error_message, "Topic already has 4 partition(s)."));
    topics[0].count = 3;
    response = call(&f, API_CREATE_PARTITIONS, 3, &request);
    CU_ASSERT_TRUE(
        str_eqz(response->results[0].error_message,
                "The topic t currently has 4 partition(s); 3 would not be an increase."));
    stop(&f);
    teardown(&f);
}

static void topics_are_deleted_by_name_and_by_id(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    create(&f, "a.b", 1);
    struct uuid id = create(&f, "c", 1)->topics[0].topic_id;
    struct delete_topics_request request;
    message_init(&delete_topics_request_desc, &request);
    request.timeout_ms = 30000;
    struct delete_topics_request_delete_topic_state topics[4];
    memset(topics, 0, sizeof topics);
    topics[0].name = str_of("a.b");
    topics[1].topic_id = id;
    topics[2].name = str_of("gone");
    request.topics = topics;
    request.topics_count = 4;
    const struct delete_topics_response *response = call(&f, API_DELETE_TOPICS, 6, &request);
    CU_ASSERT_EQUAL_FATAL(response->responses_count, 4);
    int deleted = 0, unknown = 0, invalid = 0;
    for (int i = 0; i < 4; i++) {
        deleted += response->responses[i].error_code == KERR_NONE;
        unknown += response->responses[i].error_code == KERR_UNKNOWN_TOPIC_OR_PARTITION;
        invalid += response->responses[i].error_code == KERR_INVALID_REQUEST;
    }
    CU_ASSERT_EQUAL(deleted, 2);
    CU_ASSERT_EQUAL(unknown, 1);
    CU_ASSERT_EQUAL(invalid, 1);
    CU_ASSERT_EQUAL(metadata_topics_count(f.metadata), 0);
    CU_ASSERT_EQUAL(create(&f, "a_b", 1)->topics[0].error_code,
                    KERR_NONE); // a.b is no longer there to collide
    stop(&f);
    teardown(&f);
}

// ---- configs, producer ids ----------------------------------------------------------------------------------

static int16_t alter(struct fixture *f, int8_t type, const char *resource, const char *key,
                     int8_t operation, const char *value)
{
    struct incremental_alter_configs_request request;
    message_init(&incremental_alter_configs_request_desc, &request);
    struct incremental_alter_configs_request_alter_configs_resource resources[1];
    struct incremental_alter_configs_request_alterable_config configs[1];
    memset(resources, 0, sizeof resources);
    memset(configs, 0, sizeof configs);
    configs[0].name = str_of(key);
    configs[0].config_operation = operation;
    configs[0].value = str_of(value);
    resources[0].resource_type = type;
    resources[0].resource_name = str_of(resource);
    resources[0].configs = configs;
    resources[0].configs_count = 1;
    request.resources = resources;
    request.resources_count = 1;
    const struct incremental_alter_configs_response *response =
        call(f, API_INCREMENTAL_ALTER_CONFIGS, 1, &request);
    return response->responses[0].error_code;
}

static void configs_are_altered(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    create(&f, "t", 1);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_TOPIC, "t", "retention.ms", 0, "5"), KERR_NONE);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_TOPIC, "t", "cleanup.policy", 2, "compact"),
                    KERR_NONE);
    const struct metadata_configs *configs =
        metadata_find_configs(f.metadata, CONFIG_RESOURCE_TOPIC, str_of("t"));
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(configs, "cleanup.policy"), "delete,compact"));
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_TOPIC, "t", "cleanup.policy", 3, "delete"),
                    KERR_NONE);
    configs = metadata_find_configs(f.metadata, CONFIG_RESOURCE_TOPIC, str_of("t"));
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(configs, "cleanup.policy"), "compact"));
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_TOPIC, "t", "retention.ms", 2, "5"),
                    KERR_INVALID_CONFIG); // no list
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_TOPIC, "t", "retention.ms", 0, "x"),
                    KERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_TOPIC, "none", "retention.ms", 0, "5"),
                    KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_TOPIC, "t", "retention.ms", 1, NULL), KERR_NONE);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_TOPIC, "t", "cleanup.policy", 1, NULL), KERR_NONE);
    CU_ASSERT_PTR_NULL(metadata_find_configs(f.metadata, CONFIG_RESOURCE_TOPIC, str_of("t")));
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_BROKER, "", "message.max.bytes", 0, "2000000"),
                    KERR_NONE);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_BROKER, "7", "message.max.bytes", 0, "2000000"),
                    KERR_BROKER_ID_NOT_REGISTERED);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_BROKER, "1", "min.insync.replicas", 0, "2"),
                    KERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_BROKER, "", "min.insync.replicas", 1, NULL),
                    KERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(
        alter(&f, CONFIG_RESOURCE_GROUP, "g", "consumer.session.timeout.ms", 0, "50000"),
        KERR_NONE);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_GROUP, "g", "consumer.session.timeout.ms", 0, "5"),
                    KERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_GROUP, "g", "no.such.key", 0, "5"),
                    KERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_CLIENT_METRICS, "m", "interval.ms", 0, "5000"),
                    KERR_NONE);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_CLIENT_METRICS, "m", "interval.ms", 0, "50"),
                    KERR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_CLIENT_METRICS, "m", "match", 0, "client_id=abc"),
                    KERR_NONE);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_CLIENT_METRICS, "m", "match", 0, "who=abc"),
                    KERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(alter(&f, 3, "t", "x", 0, "y"), KERR_UNSUPPORTED_VERSION);
    stop(&f);
    teardown(&f);
}

static int64_t next_block(struct fixture *f, int64_t epoch, enum kafka_error expected)
{
    struct allocate_producer_ids_request request;
    message_init(&allocate_producer_ids_request_desc, &request);
    request.broker_id = 1;
    request.broker_epoch = epoch;
    const struct allocate_producer_ids_response *response =
        call(f, API_ALLOCATE_PRODUCER_IDS, 0, &request);
    CU_ASSERT_EQUAL(response->error_code, expected);
    CU_ASSERT_EQUAL(response->producer_id_len, expected == KERR_NONE ? 1000 : 0);
    return response->producer_id_start;
}

static void producer_ids_are_never_given_twice(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    CU_ASSERT_EQUAL(next_block(&f, f.broker.epoch, KERR_NONE), 0);
    CU_ASSERT_EQUAL(next_block(&f, f.broker.epoch, KERR_NONE), 1000);
    next_block(&f, f.broker.epoch + 1, KERR_STALE_BROKER_EPOCH);
    stop(&f);
    start(&f, -1);
    CU_ASSERT_EQUAL(next_block(&f, f.broker.epoch, KERR_NONE), 2000);
    stop(&f);
    teardown(&f);
}

// ---- restarts -----------------------------------------------------------------------------------------------

static void expect_partition(struct fixture *f, int32_t leader, int32_t leader_epoch,
                             int8_t recovery_state)
{
    const struct metadata_topic *topic = metadata_find_topic(f->metadata, str_of("t"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(topic);
    const struct metadata_partition *partition = metadata_topic_partition(topic, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(partition);
    CU_ASSERT_EQUAL(partition->leader, leader);
    CU_ASSERT_EQUAL(partition->leader_epoch, leader_epoch);
    CU_ASSERT_EQUAL(partition->leader_recovery_state, recovery_state);
    CU_ASSERT_EQUAL(partition->isr_count, leader >= 0 ? 1 : 0);
    CU_ASSERT_EQUAL(partition->last_known_elr_count, leader >= 0 ? 0 : 1);
}

static void a_clean_restart_keeps_the_leader_without_recovery(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    create(&f, "t", 1);
    expect_partition(&f, 1, 0, 0);
    CU_ASSERT_EQUAL(local_broker_shut_down(&f.broker), KERR_NONE);
    expect_partition(&f, -1, 1, 0);
    CU_ASSERT_EQUAL(
        metadata_find_topic(f.metadata, str_of("t"))->partitions[0].eligible_leader_replicas_count,
        1);
    CU_ASSERT_TRUE(metadata_find_broker(f.metadata, 1)->fenced);
    int64_t epoch = f.broker.epoch;
    stop(&f);
    start(&f, epoch);
    expect_partition(&f, 1, 2, 0);
    CU_ASSERT_EQUAL(
        metadata_find_topic(f.metadata, str_of("t"))->partitions[0].eligible_leader_replicas_count,
        0);
    CU_ASSERT_TRUE(f.broker.epoch > epoch);
    stop(&f);
    teardown(&f);
}

static void an_unclean_restart_recovers_the_last_known_leader(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    create(&f, "t", 1);
    stop(&f);
    start(&f, -1);
    expect_partition(&f, 1, 2, 1);
    stop(&f);
    teardown(&f);
}

static void a_snapshot_and_the_log_behind_it_give_the_same_image(void)
{
    struct fixture f;
    setup(&f);
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(config_set(f.config, CONFIG_SOURCE_STATIC_BROKER,
                              str_of("metadata.log.max.record.bytes.between.snapshots"),
                              str_of("2000"), &message));
    strbuf_fini(&message);
    start(&f, -1);
    for (int i = 0; i < 40; i++) {
        char name[24];
        snprintf(name, sizeof name, "topic-%d", i);
        create(&f, name, 1);
    }
    struct strbuf expected = image_text(f.metadata);
    int64_t offset = f.metadata->offset;
    stop(&f);
    CU_ASSERT_EQUAL_FATAL(open_controller(&f), 0);
    CU_ASSERT_EQUAL(f.metadata->offset, offset + 1); // our LEADER_CHANGE
    struct strbuf text = image_text(f.metadata);
    CU_ASSERT_STRING_EQUAL(text.data, expected.data);
    strbuf_fini(&text);
    stop(&f);

    // What the snapshot holds is not read from the log again: without the log's beginning it is the same.
    char *log_path = mem_printf("%s/__cluster_metadata-0/00000000000000000000.log", f.folder);
    struct strbuf log = STRBUF_EMPTY;
    CU_ASSERT_EQUAL(disk_read_whole(disk_posix(), log_path, &log), 0);
    CU_ASSERT_TRUE(log.size > 4000);
    strbuf_fini(&log);
    mem_free(log_path);
    strbuf_fini(&expected);
    teardown(&f);
}

struct counted {
    struct controller_call call;
    struct completion completion;
    struct create_topics_response response;
    int *done;
};

static void on_counted(struct completion *completion)
{
    struct counted *counted = container_of(completion, struct counted, completion);
    (*counted->done)++;
}

static void calls_that_wait_share_one_write(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    enum { CALLS = 100 };
    int done = 0;
    int changes = f.changes;
    struct counted *all = arena_array(&f.arena, struct counted, CALLS);
    for (int i = 0; i < CALLS; i++) {
        struct create_topics_request *request = create_request(&f, 1);
        request->topics[0].name = str_of(arena_printf(&f.arena, "t%d", i / 2)); // each twice
        message_init(&create_topics_response_desc, &all[i].response);
        all[i].done = &done;
        all[i].completion.complete = on_counted;
        all[i].call = (struct controller_call){ API_CREATE_TOPICS, 7,        request,
                                                &all[i].response,  &f.arena, &all[i].completion,
                                                { NULL, NULL },    0 };
        controller_submit(f.controller, &all[i].call);
    }
    CU_ASSERT_EQUAL(done, 0);
    controller_step(f.controller);
    CU_ASSERT_EQUAL(done, CALLS);
    CU_ASSERT_EQUAL(f.changes, changes + 1); // one publication
    CU_ASSERT_EQUAL(f.topics_told, CALLS / 2);
    for (int i = 0; i < CALLS; i++)
        CU_ASSERT_EQUAL(all[i].response.topics[0].error_code,
                        i % 2 == 0 ? KERR_NONE : KERR_TOPIC_ALREADY_EXISTS);
    stop(&f);
    teardown(&f);
}

static struct str config_in(const struct create_topics_response *response, const char *name)
{
    const struct create_topics_response_creatable_topic_result *topic = &response->topics[0];
    for (int32_t i = 0; i < topic->configs_count; i++)
        if (str_eqz(topic->configs[i].name, name))
            return topic->configs[i].value;
    return STR_NULL;
}

static void an_answer_outlives_the_calls_behind_it(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_BROKER, "", "message.max.bytes", 0, "2000000"),
                    KERR_NONE);
    struct create_topics_request *request = create_request(&f, 1);
    request->topics[0].name = str_of("t");
    struct create_topics_response response;
    message_init(&create_topics_response_desc, &response);
    int done = 0;
    struct counted made = { .completion.complete = on_counted, .done = &done };
    made.call = (struct controller_call){ API_CREATE_TOPICS, 7,        request,
                                          &response,         &f.arena, &made.completion,
                                          { NULL, NULL },    0 };
    controller_submit(f.controller, &made.call);
    // Decided right behind it, in the same write, and before the answer is looked at.
    CU_ASSERT_EQUAL(alter(&f, CONFIG_RESOURCE_BROKER, "", "message.max.bytes", 0, "3000000"),
                    KERR_NONE);
    CU_ASSERT_EQUAL(done, 1);
    CU_ASSERT_EQUAL(response.topics[0].error_code, KERR_NONE);
    CU_ASSERT_TRUE(str_eqz(config_in(&response, "max.message.bytes"), "2000000"));
    stop(&f);
    teardown(&f);
}

static void who_cannot_wait_gets_nothing(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    struct create_topics_request *request = create_request(&f, 1);
    request->topics[0].name = str_of("t");
    request->timeout_ms = 0;
    const struct create_topics_response *response = call(&f, API_CREATE_TOPICS, 7, request);
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_REQUEST_TIMED_OUT);
    CU_ASSERT_TRUE(str_is_null(response->topics[0].error_message));
    CU_ASSERT_EQUAL(metadata_topics_count(f.metadata), 0);
    stop(&f);
    teardown(&f);
}

static void internal_topics_are_made_with_their_own_configs(void)
{
    struct fixture f;
    setup(&f);
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(config_set(f.config, CONFIG_SOURCE_STATIC_BROKER,
                              str_of("offsets.topic.replication.factor"), str_of("1"), &message));
    strbuf_fini(&message);
    start(&f, -1);
    CU_ASSERT_EQUAL(controller_start(f.controller), 0);
    controller_auto_create_topic(f.controller, str_of("__consumer_offsets"));
    controller_auto_create_topic(f.controller, str_of("__consumer_offsets"));
    controller_auto_create_topic(f.controller, str_of("plain"));
    stop(&f); // finishes what was asked for
    CU_ASSERT_EQUAL_FATAL(open_controller(&f), 0);
    const struct metadata_topic *topic =
        metadata_find_topic(f.metadata, str_of("__consumer_offsets"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(topic);
    CU_ASSERT_EQUAL(topic->partitions_count, 50);
    CU_ASSERT_TRUE(topic->is_internal);
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(topic->configs, "cleanup.policy"), "compact"));
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(topic->configs, "compression.type"), "producer"));
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(topic->configs, "segment.bytes"), "104857600"));
    CU_ASSERT_PTR_NOT_NULL(metadata_find_topic(f.metadata, str_of("plain")));
    CU_ASSERT_EQUAL(metadata_topics_count(f.metadata), 2);
    stop(&f);
    teardown(&f);
}

// As they are described; why one could not be made is known for a while, and then it is tried again.
static void topics_of_streams_groups_are_made_as_described(void)
{
    struct fixture f;
    struct create_topics_request_creatable_topic_config config = { str_of("cleanup.policy"),
                                                                   str_of("compact"),
                                                                   { 0 } };
    struct create_topics_request_creatable_topic topic;
    setup(&f);
    start(&f, -1);
    message_init(&create_topics_request_creatable_topic_desc, &topic);
    topic.name = str_of("store");
    topic.num_partitions = 3;
    topic.replication_factor = -1;
    topic.configs = &config;
    topic.configs_count = 1;
    controller_create_internal_topic(f.controller, &topic, 10000);
    topic.name = str_of("bad");
    topic.replication_factor = 5;
    controller_create_internal_topic(f.controller, &topic, 10000);
    controller_step(f.controller);
    const struct metadata_topic *made = metadata_find_topic(f.metadata, str_of("store"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_EQUAL(made->partitions_count, 3);
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(made->configs, "cleanup.policy"), "compact"));
    CU_ASSERT_PTR_NULL(metadata_find_topic(f.metadata, str_of("bad")));
    CU_ASSERT_TRUE(str_is_null(controller_creation_error(f.controller, str_of("store"), &f.arena)));
    CU_ASSERT_FALSE(str_is_null(controller_creation_error(f.controller, str_of("bad"), &f.arena)));
    topic.replication_factor = 1;
    controller_create_internal_topic(f.controller, &topic, 10000); // too early
    controller_step(f.controller);
    CU_ASSERT_PTR_NULL(metadata_find_topic(f.metadata, str_of("bad")));
    stop(&f);
    teardown(&f);
}

TEST_MAIN("controller", TEST(a_new_cluster_begins_as_kafkas),
          TEST(another_directory_is_not_the_voter), TEST(topics_are_made_and_answered),
          TEST(what_cannot_be_made_is_refused_in_kafkas_words),
          TEST(manual_assignments_are_checked), TEST(partitions_are_added),
          TEST(topics_are_deleted_by_name_and_by_id), TEST(configs_are_altered),
          TEST(producer_ids_are_never_given_twice),
          TEST(a_clean_restart_keeps_the_leader_without_recovery),
          TEST(an_unclean_restart_recovers_the_last_known_leader),
          TEST(a_snapshot_and_the_log_behind_it_give_the_same_image),
          TEST(calls_that_wait_share_one_write), TEST(an_answer_outlives_the_calls_behind_it),
          TEST(who_cannot_wait_gets_nothing), TEST(internal_topics_are_made_with_their_own_configs),
          TEST(topics_of_streams_groups_are_made_as_described))
