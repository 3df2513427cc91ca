// SPDX-License-Identifier: Apache-2.0
// DescribeConfigs, AlterConfigs and IncrementalAlterConfigs with a real controller behind them: which
// resources are decided where, and that the answers come in the order of the request. What each of them
// says is tested in config/; the answers here are those of a Kafka 4.3.1 broker.
#include "api/config_alterations.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "metadata/bootstrap.h"
#include "metadata/metadata.h"
#include "protocol/messages/alter_configs.h"
#include "protocol/messages/describe_configs.h"
#include "protocol/messages/incremental_alter_configs.h"
#include "protocol/registry.h"

static struct {
    char folder[200];
    struct trace trace;
    struct config *config;
    struct metadata *metadata;
    struct controller *controller;
    struct node node;
    int replies;
} f;

static void on_reply(struct request *request)
{
    (void)request;
    f.replies++;
}

static const struct request_ops ops = { .reply = on_reply };

static void set(const char *name, const char *value)
{
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(
        config_set(f.config, CONFIG_SOURCE_STATIC_BROKER, str_of(name), str_of(value), &message));
    strbuf_fini(&message);
}

// A quorum of one, as `odradekd format --standalone` leaves it.
static void format(struct uuid directory_id)
{
    struct arena arena;
    struct strbuf genesis = STRBUF_EMPTY;
    char path[400];
    arena_init(&arena);
    genesis_encode(
        &genesis,
        voters_of_one(&arena, 1, directory_id, str_of("CONTROLLER"), str_of("localhost"), 9093),
        1700000000000);
    snprintf(path, sizeof path, "%s/__cluster_metadata-0", f.folder);
    CU_ASSERT_EQUAL_FATAL(disk_mkdirs(disk_posix(), path), 0);
    snprintf(path, sizeof path, "%s/__cluster_metadata-0/" GENESIS_FILE, f.folder);
    CU_ASSERT_EQUAL_FATAL(disk_write_atomic(disk_posix(), path, genesis.data, genesis.size), 0);
    strbuf_fini(&genesis);
    arena_fini(&arena);
}

static void begin(void)
{
    struct uuid directory_id = uuid_random();
    memset(&f, 0, sizeof f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(f.folder, sizeof f.folder));
    trace_init(&f.trace, clock_posix(), TRACE_INFO, -1);
    f.config = config_new();
    set("process.roles", "broker,controller");
    set("node.id", "1");
    set("broker.id", "1");
    set("controller.listener.names", "CONTROLLER");
    set("controller.quorum.bootstrap.servers", "localhost:9093");
    set("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093");
    format(directory_id);
    f.metadata = metadata_new();
    struct controller_options options = {
        .disk = disk_posix(),
        .clock = clock_posix(),
        .trace = &f.trace,
        .config = f.config,
        .metadata = f.metadata,
        .metadata_dir = f.folder,
        .cluster_id = "MkU3OEVBNTcwNTJENDM2Qk",
        .node_id = 1,
        .directory_id = directory_id,
    };
    CU_ASSERT_EQUAL_FATAL(controller_open(&options, &f.controller), 0);
    f.node = (struct node){ .clock = clock_posix(),
                            .trace = &f.trace,
                            .config = f.config,
                            .metadata = f.metadata,
                            .controller = f.controller,
                            .node_id = 1 };
}

static void end(void)
{
    controller_stop(f.controller);
    controller_free(f.controller);
    metadata_free(f.metadata);
    config_free(f.config);
    trace_fini(&f.trace);
    disk_remove_tree(disk_posix(), f.folder);
}

static void request_init(struct request *request, enum api_key key, int16_t version, void *body)
{
    const struct message_desc *desc = message_response_desc((int16_t)key);
    *request = (struct request){
        .api_key = key, .api_version = version, .body = body, .node = &f.node, .ops = &ops
    };
    arena_init(&request->arena);
    request->response = message_array(desc, &request->arena, 1);
}

// Runs the handler; what the controller has to do is done here.
static void run(struct request *request, void (*handle)(struct request *request))
{
    int before = f.replies;
    handle(request);
    if (f.replies == before)
        controller_step(f.controller);
    CU_ASSERT_EQUAL(f.replies, before + 1);
}

// One change of one resource; "CODE message".
static const char *altered(int8_t type, const char *name, const char *key, int8_t operation,
                           const char *value, bool validate_only)
{
    static char shown[300];
    struct incremental_alter_configs_request_alterable_config config = {
        .name = str_of(key), .config_operation = operation, .value = str_of(value)
    };
    struct incremental_alter_configs_request_alter_configs_resource resource = {
        .resource_type = type, .resource_name = str_of(name), .configs = &config, .configs_count = 1
    };
    struct incremental_alter_configs_request body = { .resources = &resource,
                                                      .resources_count = 1,
                                                      .validate_only = validate_only };
    struct request request;
    request_init(&request, API_INCREMENTAL_ALTER_CONFIGS, 1, &body);
    run(&request, handle_incremental_alter_configs);
    const struct incremental_alter_configs_response *response = request.response;
    CU_ASSERT_EQUAL_FATAL(response->responses_count, 1);
    CU_ASSERT_EQUAL(response->responses[0].resource_type, type);
    struct str message = response->responses[0].error_message;
    snprintf(shown, sizeof shown, "%d %.*s", response->responses[0].error_code,
             str_is_null(message) ? 4 : (int)message.size,
             str_is_null(message) ? "null" : message.data);
    arena_fini(&request.arena);
    return shown;
}

// The value and source of one setting, or "CODE message" when the resource is refused.
static const char *described(int8_t type, const char *name, const char *key)
{
    static char shown[300];
    struct str keys[] = { str_of(key) };
    struct describe_configs_request_describe_configs_resource resource = {
        .resource_type = type,
        .resource_name = str_of(name),
        .configuration_keys = keys,
        .configuration_keys_count = 1
    };
    struct describe_configs_request body = { .resources = &resource,
                                             .resources_count = 1,
                                             .include_synonyms = true,
                                             .include_documentation = true };
    struct request request;
    request_init(&request, API_DESCRIBE_CONFIGS, 4, &body);
    run(&request, handle_describe_configs);
    const struct describe_configs_response *response = request.response;
    CU_ASSERT_EQUAL_FATAL(response->results_count, 1);
    const struct describe_configs_response_describe_configs_result *result = &response->results[0];
    if (result->error_code != 0 || result->configs_count != 1)
        snprintf(shown, sizeof shown, "%d %.*s", result->error_code,
                 STR_ARG(result->error_message));
    else
        snprintf(shown, sizeof shown, "%.*s source %d, %d synonyms, %s",
                 STR_ARG(result->configs[0].value), result->configs[0].config_source,
                 result->configs[0].synonyms_count,
                 result->configs[0].documentation.size > 0 ? "documented" : "not documented");
    arena_fini(&request.arena);
    return shown;
}

static void groups_and_brokers_are_altered_and_described(void)
{
    begin();
    CU_ASSERT_STRING_EQUAL(described(32, "g", "consumer.session.timeout.ms"),
                           "45000 source 5, 1 synonyms, documented");
    CU_ASSERT_STRING_EQUAL(altered(32, "g", "consumer.session.timeout.ms", 0, "46000", true),
                           "0 null");
    CU_ASSERT_STRING_EQUAL(described(32, "g", "consumer.session.timeout.ms"),
                           "45000 source 5, 1 synonyms, documented");
    CU_ASSERT_STRING_EQUAL(altered(32, "g", "consumer.session.timeout.ms", 0, "46000", false),
                           "0 null");
    CU_ASSERT_STRING_EQUAL(described(32, "g", "consumer.session.timeout.ms"),
                           "46000 source 8, 2 synonyms, documented");
    CU_ASSERT_STRING_EQUAL(altered(32, "g", "zz", 0, "1", false),
                           "40 Unknown group config name: zz");
    CU_ASSERT_STRING_EQUAL(
        altered(32, "g", "share.isolation.level", 2, "x", false),
        "40 Can't APPEND to key share.isolation.level because its type is not LIST.");
    CU_ASSERT_STRING_EQUAL(altered(4, "", "leader.replication.throttled.rate", 0, "7", false),
                           "0 null");
    CU_ASSERT_STRING_EQUAL(described(4, "", "leader.replication.throttled.rate"),
                           "7 source 3, 1 synonyms, not documented");
    CU_ASSERT_STRING_EQUAL(described(4, "1", "leader.replication.throttled.rate"),
                           "7 source 3, 1 synonyms, not documented");
    CU_ASSERT_STRING_EQUAL(altered(4, "1", "num.partitions", 0, "3", false),
                           "42 Cannot update these configs dynamically: [num.partitions]");
    end();
}

static void topics_must_exist_and_be_named_well(void)
{
    begin();
    CU_ASSERT_STRING_EQUAL(described(2, "nope", "retention.ms"), "3 ");
    CU_ASSERT_STRING_EQUAL(
        described(2, "bad/name", "retention.ms"),
        "17 Topic name is invalid: 'bad/name' contains one or more characters other "
        "than ASCII alphanumerics, '.', '_' and '-'");
    CU_ASSERT_STRING_EQUAL(altered(2, "nope", "retention.ms", 0, "1", false),
                           "3 The topic 'nope' does not exist.");
    CU_ASSERT_STRING_EQUAL(altered(2, "", "retention.ms", 0, "1", false),
                           "42 Default topic resources are not allowed.");
    end();
}

static void loggers_are_of_this_broker_only(void)
{
    begin();
    CU_ASSERT_STRING_EQUAL(described(8, "1", "root"), "INFO source 6, 0 synonyms, not documented");
    CU_ASSERT_STRING_EQUAL(altered(8, "1", "root", 0, "DEBUG", true), "0 null");
    CU_ASSERT_EQUAL(f.trace.level, TRACE_INFO);
    CU_ASSERT_STRING_EQUAL(altered(8, "1", "root", 0, "DEBUG", false), "0 null");
    CU_ASSERT_EQUAL(f.trace.level, TRACE_DEBUG);
    CU_ASSERT_STRING_EQUAL(described(8, "1", "root"), "DEBUG source 6, 0 synonyms, not documented");
    CU_ASSERT_STRING_EQUAL(described(8, "2", "root"),
                           "42 Unexpected broker id, expected 1 but received 2");
    end();
}

// A refused one, one for the controller, a pair that names the same resource, one for the controller.
static void answers_come_in_the_order_of_the_request(void)
{
    static const int16_t expected[] = { 42, 0, 42, 42, 40 };
    begin();
    struct incremental_alter_configs_request_alterable_config bad = { .name =
                                                                          str_of("num.partitions"),
                                                                      .value = str_of("3") };
    struct incremental_alter_configs_request_alterable_config good = {
        .name = str_of("share.heartbeat.interval.ms"), .value = str_of("6000")
    };
    struct incremental_alter_configs_request_alterable_config unknown = { .name = str_of("zz"),
                                                                          .value = str_of("1") };
    struct incremental_alter_configs_request_alter_configs_resource resources[] = {
        { .resource_type = 4, .resource_name = str_of("1"), .configs = &bad, .configs_count = 1 },
        { .resource_type = 32, .resource_name = str_of("a"), .configs = &good, .configs_count = 1 },
        { .resource_type = 32, .resource_name = str_of("b"), .configs = &good, .configs_count = 1 },
        { .resource_type = 32, .resource_name = str_of("b"), .configs = &good, .configs_count = 1 },
        { .resource_type = 32,
          .resource_name = str_of("c"),
          .configs = &unknown,
          .configs_count = 1 },
    };
    struct incremental_alter_configs_request body = { .resources = resources,
                                                      .resources_count = 5 };
    struct request request;
    request_init(&request, API_INCREMENTAL_ALTER_CONFIGS, 1, &body);
    run(&request, handle_incremental_alter_configs);
    const struct incremental_alter_configs_response *response = request.response;
    CU_ASSERT_EQUAL_FATAL(response->responses_count, 5);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(response->responses[i].error_code, expected[i]);
        CU_ASSERT_TRUE(str_eq(response->responses[i].resource_name, resources[i].resource_name));
    }
    CU_ASSERT_TRUE(
        str_eqz(response->responses[2].error_message, "Each resource must appear at most once."));
    CU_ASSERT_STRING_EQUAL(described(32, "a", "share.heartbeat.interval.ms"),
                           "6000 source 8, 2 synonyms, documented");
    arena_fini(&request.arena);
    end();
}

static void the_old_request_replaces_everything(void)
{
    begin();
    CU_ASSERT_STRING_EQUAL(altered(32, "g", "consumer.session.timeout.ms", 0, "46000", false),
                           "0 null");
    struct alter_configs_request_alterable_config config = {
        .name = str_of("consumer.heartbeat.interval.ms"), .value = str_of("6000")
    };
    struct alter_configs_request_alter_configs_resource resources[] = {
        { .resource_type = 32,
          .resource_name = str_of("g"),
          .configs = &config,
          .configs_count = 1 },
        { .resource_type = 8,
          .resource_name = str_of("1"),
          .configs = &config,
          .configs_count = 1 },
    };
    struct alter_configs_request body = { .resources = resources, .resources_count = 2 };
    struct request request;
    request_init(&request, API_ALTER_CONFIGS, 2, &body);
    run(&request, handle_alter_configs);
    const struct alter_configs_response *response = request.response;
    CU_ASSERT_EQUAL_FATAL(response->responses_count, 2);
    CU_ASSERT_EQUAL(response->responses[0].error_code, 0);
    CU_ASSERT_TRUE(str_is_null(response->responses[0].error_message));
    CU_ASSERT_EQUAL(response->responses[1].error_code, 42);
    CU_ASSERT_TRUE(str_eqz(response->responses[1].error_message, "Unknown resource type 8"));
    arena_fini(&request.arena);
    CU_ASSERT_STRING_EQUAL(described(32, "g", "consumer.session.timeout.ms"),
                           "45000 source 5, 1 synonyms, documented");
    CU_ASSERT_STRING_EQUAL(described(32, "g", "consumer.heartbeat.interval.ms"),
                           "6000 source 8, 2 synonyms, documented");
    end();
}

static void an_unknown_type_fails_the_whole_question(void)
{
    begin();
    struct describe_configs_request_describe_configs_resource resources[] = {
        { .resource_type = 32, .resource_name = str_of("g"), .configuration_keys_count = -1 },
        { .resource_type = 7, .resource_name = str_of("x"), .configuration_keys_count = -1 },
    };
    struct describe_configs_request body = { .resources = resources, .resources_count = 2 };
    struct request request;
    request_init(&request, API_DESCRIBE_CONFIGS, 4, &body);
    run(&request, handle_describe_configs);
    const struct describe_configs_response *response = request.response;
    CU_ASSERT_EQUAL_FATAL(response->results_count, 2);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(response->results[i].error_code, 42);
        CU_ASSERT_TRUE(
            str_starts_with(response->results[i].error_message, "This most likely occurs"));
    }
    arena_fini(&request.arena);
    resources[1].resource_type = 16;
    body.include_synonyms = false;
    request_init(&request, API_DESCRIBE_CONFIGS, 4, &body);
    run(&request, handle_describe_configs);
    response = request.response;
    CU_ASSERT_EQUAL(response->results[0].configs_count, 17);
    CU_ASSERT_EQUAL(response->results[0].configs[0].synonyms_count, 0);
    CU_ASSERT_TRUE(str_is_null(response->results[0].configs[0].documentation));
    CU_ASSERT_EQUAL(response->results[1].configs_count, 3);
    arena_fini(&request.arena);
    end();
}

TEST_MAIN("configs", TEST(groups_and_brokers_are_altered_and_described),
          TEST(topics_must_exist_and_be_named_well), TEST(loggers_are_of_this_broker_only),
          TEST(answers_come_in_the_order_of_the_request), TEST(the_old_request_replaces_everything),
          TEST(an_unknown_type_fails_the_whole_question))
