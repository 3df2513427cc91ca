// SPDX-License-Identifier: Apache-2.0
// What the controller keeps when the disk fails at any one call, when the process is killed there, and when the power
// goes. It registers a broker, makes topics, gives producer ids and writes snapshots by a fixed plan; for every n the
// n-th changing call of the disk goes wrong. Then it is opened again, and
// (1) opens, (2) knows every topic whose creation was acknowledged, (3) leads an epoch above all that began before,
// (4) gives no producer id twice.
#include <errno.h>

#include "base/mem.h"
#include "base/testing.h"
#include "config/config.h"
#include "controller/controller.h"
#include "controller/local_broker.h"
#include "log/disk_testing.h"
#include "metadata/bootstrap.h"
#include "metadata/feature_versions.h"
#include "protocol/messages/allocate_producer_ids.h"
#include "protocol/messages/create_topics.h"
#include "protocol/registry.h"

enum { TOPICS = 12, SEEDS = 2 };

static struct trace trace;
static struct config *config;
static const struct uuid directory_id = { { 7, 7, 7, 7, 7, 7, 0x47, 7, 0x87, 7 } };
static const char cluster_id[] = "test-cluster-id-000000";

static int64_t test_time(struct clock *clock)
{
    (void)clock;
    return 1700000000000;
}

static struct clock test_clock = { test_time, test_time };

struct outcome {
    int failures; // on_failed was called
    bool acknowledged[TOPICS];
    int32_t epoch; // the highest that began
    int64_t next_producer_id;
};

struct run {
    struct metadata *metadata;
    struct controller *controller;
    struct outcome *outcome;
};

static void on_failed(void *arg)
{
    ((struct outcome *)arg)->failures++;
}

static struct memory_disk *new_disk(uint64_t seed)
{
    struct memory_disk *disk = memory_disk_new(seed);
    struct arena arena;
    arena_init(&arena);
    struct metadata_entries entries;
    metadata_entries_init(&entries, &arena);
    struct bootstrap_feature features[16];
    for (size_t i = 0; i < features_supported_count; i++)
        features[i] = (struct bootstrap_feature){ features_supported[i].name,
                                                  features_supported[i].level_of_new_cluster };
    bootstrap_entries(&entries, features, features_supported_count, NULL, 0);
    struct strbuf bootstrap = STRBUF_EMPTY, genesis = STRBUF_EMPTY;
    bootstrap_encode(&bootstrap, &entries, 1700000000000);
    genesis_encode(
        &genesis,
        voters_of_one(&arena, 1, directory_id, str_of("CONTROLLER"), str_of("localhost"), 9093),
        1700000000000);
    struct disk *d = &disk->disk;
    CU_ASSERT_EQUAL(disk_mkdirs(d, "/data/__cluster_metadata-0"), 0);
    CU_ASSERT_EQUAL(d->ops->sync_dir(d, ""), 0);
    CU_ASSERT_EQUAL(d->ops->sync_dir(d, "/data"), 0);
    CU_ASSERT_EQUAL(disk_write_atomic(d, "/data/" BOOTSTRAP_FILE, bootstrap.data, bootstrap.size),
                    0);
    CU_ASSERT_EQUAL(disk_write_atomic(d, "/data/__cluster_metadata-0/" GENESIS_FILE, genesis.data,
                                      genesis.size),
                    0);
    strbuf_fini(&bootstrap);
    strbuf_fini(&genesis);
    arena_fini(&arena);
    disk->calls = 0;
    return disk;
}

static int open_run(struct memory_disk *disk, struct outcome *outcome, struct run *run)
{
    *run = (struct run){ .metadata = metadata_new(), .outcome = outcome };
    int error = controller_open(&(struct controller_options){ .disk = &disk->disk,
                                                              .clock = &test_clock,
                                                              .trace = &trace,
                                                              .config = config,
                                                              .metadata = run->metadata,
                                                              .metadata_dir = "/data",
                                                              .cluster_id = cluster_id,
                                                              .node_id = 1,
                                                              .directory_id = directory_id,
                                                              .on_failed = on_failed,
                                                              .arg = outcome },
                                &run->controller);
    if (error != 0)
        metadata_free(run->metadata);
    return error;
}

static void close_run(struct run *run)
{
    controller_stop(run->controller);
    controller_free(run->controller);
    metadata_free(run->metadata);
}

static bool register_broker(struct run *run, struct local_broker *broker)
{
    static const struct metadata_endpoint endpoint = {
        { "PLAINTEXT", 9 }, { "localhost", 9 }, 9092, 0
    };
    *broker = (struct local_broker){
        .controller = run->controller,
        .metadata = run->metadata,
        .trace = &trace,
        .node_id = 1,
        .cluster_id = cluster_id,
        .incarnation_id = uuid_random(),
        .endpoints = &endpoint,
        .endpoints_count = 1,
        .log_dirs = &directory_id,
        .log_dirs_count = 1,
        .previous_epoch = -1,
    };
    return local_broker_register(broker) == KERR_NONE && local_broker_unfence(broker) == KERR_NONE;
}

static void create_topic(struct run *run, int number)
{
    struct arena arena;
    arena_init(&arena);
    struct create_topics_request request;
    struct create_topics_response response;
    message_init(&create_topics_request_desc, &request);
    message_init(&create_topics_response_desc, &response);
    struct create_topics_request_creatable_topic topic;
    message_init(&create_topics_request_creatable_topic_desc, &topic);
    topic.name = str_of(arena_printf(&arena, "t%d", number));
    topic.num_partitions = 2;
    topic.replication_factor = 1;
    request.topics = &topic;
    request.topics_count = 1;
    struct controller_call call = { API_CREATE_TOPICS, 7, &request, &response, &arena, NULL,
                                    { NULL, NULL },    0 };
    controller_call(run->controller, &call);
    CU_ASSERT_EQUAL_FATAL(response.topics_count, 1);
    int16_t error = response.topics[0].error_code;
    CU_ASSERT_TRUE(error == KERR_NONE || error == KERR_NOT_CONTROLLER ||
                   error == KERR_TOPIC_ALREADY_EXISTS || error == KERR_INVALID_REPLICATION_FACTOR);
    if (error == KERR_NONE)
        run->outcome->acknowledged[number] = true;
    arena_fini(&arena);
}

static void take_producer_ids(struct run *run, int64_t broker_epoch)
{
    struct arena arena;
    arena_init(&arena);
    struct allocate_producer_ids_request request;
    struct allocate_producer_ids_response response;
    message_init(&allocate_producer_ids_request_desc, &request);
    message_init(&allocate_producer_ids_response_desc, &response);
    request.broker_id = 1;
    request.broker_epoch = broker_epoch;
    struct controller_call call = {
        API_ALLOCATE_PRODUCER_IDS, 0, &request, &response, &arena, NULL, { NULL, NULL }, 0
    };
    controller_call(run->controller, &call);
    if (response.error_code == KERR_NONE) {
        CU_ASSERT_TRUE(response.producer_id_start >= run->outcome->next_producer_id);
        run->outcome->next_producer_id = response.producer_id_start + response.producer_id_len;
    }
    arena_fini(&arena);
}

static void run_workload(struct memory_disk *disk, struct outcome *outcome)
{
    struct run run;
    if (open_run(disk, outcome, &run) != 0)
        return;
    CU_ASSERT_TRUE(controller_epoch(run.controller) > outcome->epoch);
    outcome->epoch = controller_epoch(run.controller);
    struct local_broker broker;
    if (register_broker(&run, &broker)) {
        for (int i = 0; i < TOPICS; i++) {
            create_topic(&run, i);
            if (i % 4 == 3)
                take_producer_ids(&run, broker.epoch);
        }
    }
    close_run(&run);
}

static void check_reopened(struct memory_disk *disk, struct outcome *outcome, uint64_t n)
{
    struct run run;
    int error = open_run(disk, outcome, &run);
    if (error != 0)
        printf("\nopen failed after a fault at call %d: %s", (int)n, strerror(-error));
    CU_ASSERT_EQUAL_FATAL(error, 0);
    CU_ASSERT_TRUE_FATAL(controller_epoch(run.controller) > outcome->epoch);
    for (int i = 0; i < TOPICS; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        const struct metadata_topic *topic = metadata_find_topic(run.metadata, str_of(name));
        if (outcome->acknowledged[i] && topic == NULL)
            printf("\nfault at call %d: %s is lost", (int)n, name);
        CU_ASSERT_TRUE_FATAL(topic != NULL || !outcome->acknowledged[i]);
        CU_ASSERT_TRUE(topic == NULL || topic->partitions_count == 2); // whole or not at all
    }
    struct local_broker broker;
    CU_ASSERT_TRUE_FATAL(register_broker(&run, &broker));
    take_producer_ids(&run, broker.epoch);
    close_run(&run);
}

static void begin(void)
{
    trace_init(&trace, &test_clock, TRACE_ERROR, -1);
    config = config_new();
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(config_set(config, CONFIG_SOURCE_STATIC_BROKER,
                              str_of("metadata.log.max.record.bytes.between.snapshots"),
                              str_of("700"), &message));
    CU_ASSERT_TRUE(config_set(config, CONFIG_SOURCE_STATIC_BROKER,
                              str_of("metadata.max.retention.bytes"), str_of("2000"), &message));
    strbuf_fini(&message);
}

static void end(void)
{
    config_free(config);
    trace_fini(&trace);
}

static uint64_t count_calls(void)
{
    struct memory_disk *disk = new_disk(1);
    struct outcome outcome = { 0 };
    run_workload(disk, &outcome);
    for (int i = 0; i < TOPICS; i++)
        CU_ASSERT_TRUE(outcome.acknowledged[i]);
    CU_ASSERT_EQUAL(outcome.next_producer_id, 3000);
    CU_ASSERT_EQUAL(outcome.failures, 0);
    uint64_t calls = disk->calls;
    check_reopened(disk, &outcome, 0);
    memory_disk_free(disk);
    return calls;
}

enum end_of_run { PROCESS_ENDS, POWER_GOES };

static void fault_at(uint64_t n, uint64_t seed, int fail_with, bool stays_broken,
                     enum end_of_run how)
{
    struct memory_disk *disk = new_disk(n * 31 + seed);
    struct outcome outcome = { 0 };
    disk->fail_at = n;
    disk->fail_with = fail_with;
    disk->stays_broken = stays_broken;
    run_workload(disk, &outcome);
    CU_ASSERT_TRUE(outcome.failures <= 1);
    if (how == POWER_GOES)
        memory_disk_crash(disk);
    else
        memory_disk_restart(disk);
    check_reopened(disk, &outcome, n);
    memory_disk_free(disk);
}

static void one_failed_call_loses_nothing_acknowledged(void)
{
    begin();
    uint64_t calls = count_calls();
    for (uint64_t n = 1; n <= calls; n++) {
        fault_at(n, 0, -EIO, false, PROCESS_ENDS);
        fault_at(n, 0, -ENOSPC, false, PROCESS_ENDS);
    }
    end();
}

static void a_killed_process_loses_nothing_acknowledged(void)
{
    begin();
    uint64_t calls = count_calls();
    for (uint64_t n = 1; n <= calls; n++)
        fault_at(n, 0, -EIO, true, PROCESS_ENDS);
    end();
}

static void power_loss_loses_nothing_acknowledged(void)
{
    begin();
    uint64_t calls = count_calls();
    for (uint64_t n = 1; n <= calls + 1; n++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            fault_at(n, seed, -EIO, true, POWER_GOES);
    end();
}

TEST_MAIN("controller_faults", TEST(one_failed_call_loses_nothing_acknowledged),
          TEST(a_killed_process_loses_nothing_acknowledged),
          TEST(power_loss_loses_nothing_acknowledged))
